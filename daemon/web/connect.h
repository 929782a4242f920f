/*
 * The Connect protocol (https://connectrpc.com/docs/protocol), of which a JSON request by curl is the simplest case:
 *
 *     curl -H 'content-type: application/json' -d '{}' http://127.0.0.1:8981/filmgate.v1.JobService/ListJobs
 *
 * Errors, which are alike for one reply and for many, and the form of messages.
 */
#ifndef FG_WEB_CONNECT_H
#define FG_WEB_CONNECT_H

#include "api/call.h"
#include "web/exchange.h"

enum connect_form { CONNECT_JSON, CONNECT_PROTO };

/* "not_found" */
const char *connect_code_name(enum code code);
unsigned int connect_http_status(enum code code);

/* Appends {"code": …, "message": …, "details": […]}. 0 or negative errno. */
int connect_write_error(const Google__Rpc__Status *status, struct buffer *out);
/* The reply of one that failed; without memory it says the code only. */
void connect_fail(struct reply *ret, const struct failure *failure);

/* As the form wants it. 0 or negative errno. */
int connect_write_message(const ProtobufCMessage *message, enum connect_form form, struct buffer *out);
/* The same of a packed message of @type. */
int connect_write_packed(const ProtobufCMessageDescriptor *type, struct packed *packed, enum connect_form form,
			 struct buffer *out);
/* Into the call's arena. 0, or 1: @ret_failure says what is wrong, in the arena, too. The bytes may
 * go afterwards. */
int connect_read_message(const struct method *method, enum connect_form form, struct bytes bytes, struct arena *arena,
			 ProtobufCMessage **ret, struct failure *ret_failure);

/* As the exchange's answer. */
void unary_begin(struct exchange *exchange, const struct method *method, enum connect_form form, int64_t timeout_ms);
void connect_stream_begin(struct exchange *exchange, const struct method *method, enum connect_form form,
			  int64_t timeout_ms);

#endif
