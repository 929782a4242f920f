/*
 * A call as its handler sees it, whichever door it came through.
 *
 * A handler decodes, asks the engine for one verb, and encodes what the engine says. It runs on the door's thread and
 * must not block; the answer may come from any thread, at once or later, and comes exactly once. How a call is read and
 * how an answer is written is the door's: struct call_ops.
 */
#ifndef FG_API_CALL_H
#define FG_API_CALL_H

#include "api/arena.h"
#include "api/failure.h"
#include "api/packed.h"

struct api;
struct call;
struct stream;

enum method_shape {
	METHOD_UNARY,
	METHOD_SERVER_STREAM, /* one request, many replies */
	METHOD_BIDI,          /* requests one after the other; replies, or one in the end */
};

/* A row of the static table from method to handler. */
struct method {
	const char *path; /* "/package.Service/Method" */
	enum method_shape shape;
	unsigned slots; /* how many are likely to come at once: accept slots, for a door that keeps such */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *response;
	/* Unary. @request lives until the call is answered. Answers exactly once. */
	void (*on_call)(struct call *call, const void *request);
	/* Streams. @request (NULL for bidi) lives until the handler returns. See stream.h. */
	void (*on_stream)(struct stream *stream, const void *request);
};

/* A door's part of an answer. The call is not to be touched afterwards. [any-thread] */
struct call_ops {
	void (*reply)(struct call *call, const ProtobufCMessage *message);
	void (*reply_packed)(struct call *call, struct packed *take);
	void (*fail)(struct call *call, const struct failure *failure);
};

/* Embedded in the door's own. */
struct call {
	const struct call_ops *ops;
	struct api *api;
	struct arena arena;
};

/* Answers the call; not to be touched afterwards. [any-thread] */
void call_reply(struct call *call, const ProtobufCMessage *message);
void call_reply_packed(struct call *call, struct packed *take);
void call_fail(struct call *call, const struct failure *failure);
/* With the engine's outcome; see failure_of_engine(). */
void call_fail_engine(struct call *call, int outcome, const struct engine_error *error, enum resource resource,
		      const char *name);
/* INVALID_REQUEST with these, if there are any: then true, and the call is answered. */
bool call_refuse(struct call *call, const struct violations *violations);
/* INVALID_REQUEST with one violation. */
__attribute__((format(printf, 3, 4))) void call_fail_field(struct call *call, const char *field, const char *format,
							   ...);
/* INTERNAL; logs @error. */
void call_fail_internal(struct call *call, int error);

#endif
