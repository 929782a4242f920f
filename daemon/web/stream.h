/*
 * A stream of the api over HTTP: messages wait in a bounded queue, are written one after the other as the client takes
 * them, and framed as the client wants them.
 */
#ifndef FG_WEB_STREAM_H
#define FG_WEB_STREAM_H

#include "api/stream.h"
#include "web/connect.h"

struct web_stream;

/* How messages stand in the reply. All append; 0 or negative errno. */
struct framing {
	const char *media_type;
	int (*message)(const struct web_stream *stream, struct packed *packed, struct buffer *out);
	/* @status: why it ended; NULL: it was all. */
	int (*end)(const struct web_stream *stream, const Google__Rpc__Status *status, struct buffer *out);
	/* What says that there is still somebody, and nothing else; NULL: there is no such word. */
	const char *beat;
	/* An end before the first message is told by the status of the reply: 204, or the error's. */
	bool has_plain_end;
};

struct web_stream_spec {
	const struct method *method;
	const struct framing *framing; /* static */
	int64_t timeout_ms;            /* negative: none */
};

/* What a framing wants to know. */
const struct method *web_stream_method(const struct web_stream *stream);

/*
 * Makes the stream that answers @exchange, without a request yet; NULL: there are too many, or no memory, or the
 * daemon drains, and the exchange has been answered.
 */
struct web_stream *web_stream_new(struct exchange *exchange, const struct web_stream_spec *spec);
/* Of the request, which lives until web_stream_run() returns. */
struct arena *web_stream_arena(struct web_stream *stream);
/* Hands the request to the handler; or the failure to the client. One of the two, once; the stream is its own afterwards. */
void web_stream_run(struct web_stream *stream, const ProtobufCMessage *request);
void web_stream_refuse(struct web_stream *stream, const struct failure *failure);

#endif
