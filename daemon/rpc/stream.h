/*
 * A call with many replies.
 *
 * Messages wait in a bounded queue; one write is under way at a time, and its completion means that the client's
 * window took it. So a client that does not read stops its stream and nothing else. State is under the stream's own
 * lock, which also serialises its batches. Completions arrive on the stream thread.
 *
 * The life of a stream: the handler is called once, sets its events first (stream_listen), and returns. Later, from
 * any thread, it sends and finishes. Whatever happens, on_closed runs exactly once, as the last event, and never
 * before the handler has returned. The stream then lives on until the handler drops its own reference.
 */
#ifndef FG_RPC_STREAM_H
#define FG_RPC_STREAM_H

#include "rpc/call.h"

struct stream_events {
	/* @n messages left the queue for the client's window. May be NULL. */
	void (*on_sent)(void *userdata, uint32_t n);
	/* After stream_read(): a request, valid until the next stream_read() or the end of the stream, or NULL when
	 * nothing more comes: the client has sent its last, or is gone. */
	void (*on_request)(void *userdata, const void *request);
	/* Of stream_begin(): whether the metadata left. Not while the client is gone. May be NULL. */
	void (*on_begun)(void *userdata, bool is_sent);
	/* Finished, cancelled, deadline passed or connection lost: nothing that is sent from now on leaves. */
	void (*on_closed)(void *userdata);
};

/* Only in the handler, before anything else. Takes a reference, which the listener drops with stream_unref(). */
void stream_listen(struct stream *stream, const struct stream_events *events, void *userdata);

/* The initial metadata, so that the client knows that it is served; else it goes with the first message. */
void stream_begin(struct stream *stream);
/* Appends a message; consumes @take always. False when the queue is full (nothing is sent) or the stream is over. */
bool stream_send(struct stream *stream, grpc_slice take);
/* How many messages wait or are being written. */
uint32_t stream_backlog(struct stream *stream);
/* The end, after what waits; NULL: OK. Only the first end counts. */
void stream_finish(struct stream *stream, const struct failure *failure);
/* The end without what waits. */
void stream_abort(struct stream *stream, const struct failure *failure);
/* Bidi: asks for the next request. One at a time. */
void stream_read(struct stream *stream);

struct call *stream_call(struct stream *stream);
struct rpc_server *stream_server(struct stream *stream);
struct stream *stream_ref(struct stream *stream);
void stream_unref(struct stream *stream);

/* For call.c and server.c. */
struct call *stream_new(struct rpc_server *server, const struct method_slot *slot); /* aborts without memory */
void stream_free(struct call *call);
void stream_accept(struct call *call);
void stream_abort_all(struct rpc_server *server, const struct failure *failure);

#endif
