/*
 * What submit and retry share: sending an order so that it buys once, and what follows it.
 */
#ifndef FG_CLI_ORDER_H
#define FG_CLI_ORDER_H

#include "cli.h"

#include <filmgate/v1/job_service.pb-c.h>

struct order_id {
	char text[160];
	bool is_given; /* by the user: an earlier call may have ordered under it */
};

/* The user's --request-id, @given, or a new one. */
void order_make_id(struct cli *cli, const char *given, struct order_id *ret);

/* Before anything is ordered: can the file of -o be written? EXIT_OK, or a code, said. */
enum exit_code order_check(const struct cli *cli);

/*
 * Calls @method, whose request carries @id as its request_id, and repeats it while it is undecided. Returns EXIT_OK and
 * the reply, or a code, said, with how to repeat it safely.
 */
enum exit_code order_send(struct cli *cli, const char *method, const ProtobufCMessage *request,
			  const struct order_id *id, ProtobufCMessage **ret_reply);

/* Prints the job; with --wait or -o waits for its end, with -o downloads it. */
enum exit_code order_finish(struct cli *cli, const Filmgate__V1__Job *job, bool was_there);

#endif
