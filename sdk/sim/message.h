/*
 * A request and a reply, apart from the transport that carries them.
 */
#ifndef FG_SIM_MESSAGE_H
#define FG_SIM_MESSAGE_H

#include "base/bytes.h"

#include <jansson.h>

enum sim_host { SIM_HOST_API, SIM_HOST_FILES };

struct sim_field {
	char *name;
	char *value;
};

/* Names and values in the order they came. Inert when zeroed. */
struct sim_fields {
	struct sim_field *items;
	size_t count;
};

struct sim_request {
	enum sim_host host;
	bool is_http2;
	char *method;
	char *path; /* decoded but for %2F, which is no border between segments; without the query */
	struct sim_fields headers;
	struct sim_fields query;
	struct buffer body;
	uint64_t connection; /* number of the connection, from 1, over both hosts */
	uint64_t nth;        /* of this request on its connection, from 1 */
};

/* Inert after sim_reply_init(): status 0 means that nothing was said yet. A body is either memory or a file. */
struct sim_reply {
	int status;
	struct sim_fields headers;
	struct buffer body;
	int file_fd;
	uint64_t file_offset;
	uint64_t file_len;
};

int sim_fields_add(struct sim_fields *fields, const char *name, const char *value);
/* The first value of that name, letters of either case; NULL when absent. Valid until the fields change. */
const char *sim_fields_find(const struct sim_fields *fields, const char *name);
size_t sim_fields_count(const struct sim_fields *fields, const char *name);
void sim_fields_finish(struct sim_fields *fields);

/* In place; %00 stays as it is, since a text of ours ends there, and so does the character @keep (0: none). */
void sim_percent_decode(char *text, char keep);
/* Path and query of a request target, percent-decoded; the path is replaced. */
int sim_request_set_target(struct sim_request *request, const char *target);
void sim_request_finish(struct sim_request *request);

void sim_reply_init(struct sim_reply *reply);
void sim_reply_finish(struct sim_reply *reply);
uint64_t sim_reply_body_len(const struct sim_reply *reply);
/* Text that is not JSON. */
int sim_reply_text(struct sim_reply *reply, int status, const char *content_type, struct bytes body);
/* Consumes @json in every case; NULL is out of memory. */
int sim_reply_json(struct sim_reply *reply, int status, json_t *json);

#endif
