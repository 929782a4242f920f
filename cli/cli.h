/*
 * What every command is handed: the parsed command line, the daemon, the clock.
 */
#ifndef FG_CLI_CLI_H
#define FG_CLI_CLI_H

#include "arguments.h"
#include "client.h"
#include "exit.h"
#include "server.h"

#include "base/clock.h"

#include <filmgate/v1/job.pb-c.h>

struct cli {
	struct arguments arguments;
	struct server server;
	struct client *client; /* NULL for commands that need no daemon */
	const struct clock *clock;
	int64_t deadline_ms; /* of a unary call, unless --deadline says otherwise */
};

#define CLI_DEADLINE_MS 30000
#define CLI_DEADLINE_PROVIDER_MS 120000 /* where the daemon asks the provider before it answers */

/* One unary call within --deadline. As client_call(). */
int cli_call(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method,
	     const ProtobufCMessage *request, ProtobufCMessage **ret_reply, struct status *status);

/* A reply is about something, which is its first field: 0, or CLIENT_E_STATUS with a status that says that it is not
 * there, so that nothing behind a call meets NULL. cli_call() has done it. */
int cli_check_reply(const ProtobufCMessage *reply, struct status *status);

/* Says why a call did not bring a reply, @outcome being what client_call() or client_stream_next() returned; @what was
 * tried, "cannot list jobs". */
enum exit_code cli_say(struct cli *cli, int outcome, const struct status *status, const char *what);

/* Both in one: 0 and a reply that the caller frees, or the exit code, said. */
enum exit_code cli_ask(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method,
		       const ProtobufCMessage *request, const char *what, ProtobufCMessage **ret_reply);

/* The job by its name, in *ret_reply, which the caller frees; or the exit code, said. */
enum exit_code cli_get_job(struct cli *cli, const char *name, ProtobufCMessage **ret_reply, Filmgate__V1__Job **ret);

/* Puts a copy of @next, which a list's reply says of its next page, in place of the heap's @token: empty after the last
 * one. @code, or that of a failure, said. */
enum exit_code cli_next_page(enum exit_code code, const char *next, char **token);

/* "jobs/UUID" of "UUID" or "jobs/UUID", on the heap; NULL, said, if it is neither. */
char *cli_job_name(const char *argument);
/*
 * Does something to each job that the operands name, whatever became of those before it, unless nobody answers any more.
 * Nothing is done if one of them is no name. The status of the first that failed.
 */
enum exit_code cli_each_job(struct cli *cli, enum exit_code (*fn)(struct cli *cli, char *name));
/* "providers/ID" of "ID" or "providers/ID", likewise. */
char *cli_provider_name(const char *argument);
/* The UUID of "jobs/UUID": borrowed from it. */
const char *cli_short_name(const char *job);

#endif
