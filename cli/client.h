/*
 * Calls to the daemon, over gRPC core. Names no type of it, so that this header is all that the rest knows of gRPC.
 *
 * One thread; calls block, but look at interrupt_came() all the while. A call that a Ctrl-C ends is cancelled as a
 * call; what it had asked for may have happened.
 */
#ifndef FG_CLI_CLIENT_H
#define FG_CLI_CLIENT_H

#include "status.h"

#include <protobuf-c/protobuf-c.h>

struct client;
struct client_stream;

enum {
	_CLIENT_E_OK,
	CLIENT_E_STATUS,      /* the call ended with an error: the status says which */
	CLIENT_E_END,         /* the stream ended with OK */
	CLIENT_E_TIMEOUT,     /* nothing came in the given time; the stream goes on */
	CLIENT_E_INTERRUPTED, /* Ctrl-C */
};

/* @target is gRPC's name of the server, "unix:/path" or "dns:///host:port". Does not connect yet. NULL when out of
 * memory. client_free() waits for gRPC's threads to end. */
struct client *client_new(const char *target);
struct client *client_free(struct client *client);

/* Waits before the next try: less if interrupted, or if a lost connection comes back meanwhile. */
void client_pause(struct client *client, int64_t ms);

/*
 * One request, one reply. @service and @method name a generated method; *ret_reply is a heap message of its output.
 * @timeout_ms bounds the whole call.
 *
 * Returns 0, CLIENT_E_STATUS, CLIENT_E_INTERRUPTED or -ENOMEM. @status is the caller's, and set for 0 too.
 */
int client_call(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
		const ProtobufCMessage *request, int64_t timeout_ms, ProtobufCMessage **ret_reply,
		struct status *status);

/* One request, many replies. 0 or -ENOMEM; every failure to reach the server shows in client_stream_next(). */
int client_stream_open(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
		       const ProtobufCMessage *request, struct client_stream **ret);
/* Many requests, one reply: @request is the first, later ones go out one by one. client_stream_next() has the reply. */
int client_stream_open_sending(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
			       const ProtobufCMessage *request, struct client_stream **ret);
/* Returns when the server's window has taken the one before. 0; CLIENT_E_END: the server takes no more, and
 * client_stream_next() says why; CLIENT_E_INTERRUPTED or negative errno. */
int client_stream_send(struct client_stream *stream, const ProtobufCMessage *request);
/* There are no more. */
void client_stream_end_sending(struct client_stream *stream);
/* Cancels the call if it has not ended. */
struct client_stream *client_stream_free(struct client_stream *stream);
void client_stream_freep(struct client_stream **stream);

/* The next message, on the heap; waits at most @timeout_ms, or without limit if that is negative. Returns 0, an outcome
 * from above or -ENOMEM. After CLIENT_E_STATUS and CLIENT_E_END the stream may only be freed. */
int client_stream_next(struct client_stream *stream, int64_t timeout_ms, ProtobufCMessage **ret, struct status *status);

#endif
