/*
 * A call with many replies, as its handler sees it, whichever door it came through.
 *
 * Messages wait in a bounded queue of at least LIMIT_RPC_FIFO and a few more, and leave it as the client takes them. So
 * a client that does not read stops its stream and nothing else.
 *
 * The life of a stream: the handler is called once, sets its events first (stream_listen), and returns. Later, from
 * any thread, it sends and finishes. Whatever happens, on_closed runs exactly once, as the last event, and never
 * before the handler has returned. The stream then lives on until the handler drops its own reference. Events come one
 * at a time.
 */
#ifndef FG_API_STREAM_H
#define FG_API_STREAM_H

#include "api/call.h"

struct stream_events {
	/* @n messages left the queue for the client's window. May be NULL. */
	void (*on_sent)(void *userdata, uint32_t n);
	/* After stream_read(): a request, valid until the next stream_read() or the end of the stream, or NULL when
	 * nothing more comes: the client has sent its last, or is gone. */
	void (*on_request)(void *userdata, const void *request);
	/* Of stream_begin(), where the door has streams of requests: whether the head of the reply left. Not while the
	 * client is gone. May be NULL. */
	void (*on_begun)(void *userdata, bool is_sent);
	/* Finished, cancelled, deadline passed or connection lost: nothing that is sent from now on leaves. */
	void (*on_closed)(void *userdata);
};

/* A door's part; each as the function of that name below. */
struct stream_ops {
	void (*begin)(struct stream *stream);
	bool (*send)(struct stream *stream, struct packed *take);
	void (*end)(struct stream *stream, const struct failure *failure, bool is_abort);
	void (*read)(struct stream *stream);
	void (*ref)(struct stream *stream);
	void (*unref)(struct stream *stream);
};

/* Embedded in the door's own. */
struct stream {
	const struct stream_ops *ops;
	struct call *call; /* its request, arena and api; never answered as such */
	const struct stream_events *events;
	void *userdata;
};

/* Only in the handler, before anything else. Takes a reference, which the listener drops with stream_unref(). */
void stream_listen(struct stream *stream, const struct stream_events *events, void *userdata);

/* The head of the reply, so that the client knows that it is served; else it goes with the first message. A door may
 * say the end of a stream that did not begin in the head itself. */
void stream_begin(struct stream *stream);
/* Appends a message; consumes @take always. False when the queue is full (nothing is sent) or the stream is over. */
bool stream_send(struct stream *stream, struct packed *take);
/* The end, after what waits; NULL: OK. Only the first end counts. */
void stream_finish(struct stream *stream, const struct failure *failure);
/* The end without what waits. */
void stream_abort(struct stream *stream, const struct failure *failure);
/* Bidi: asks for the next request. One at a time. */
void stream_read(struct stream *stream);

struct stream *stream_ref(struct stream *stream);
void stream_unref(struct stream *stream);

#endif
