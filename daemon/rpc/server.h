/*
 * The server's heart: queues, threads, the accept slots, the order of shutdown. Knows methods, not what they mean.
 */
#ifndef FG_RPC_SERVER_H
#define FG_RPC_SERVER_H

#include "rpc/call.h"
#include "rpc/rpc.h"

#include <pthread.h>
#include <stdatomic.h>

struct rpc_stream;
struct worker;
struct health;
struct listener;
struct reflection;

struct rpc_server {
	struct rpc_config config; /* its strings are ours */
	grpc_server *grpc;
	grpc_completion_queue *calls;    /* polls; accepts everything and serves unary calls */
	grpc_completion_queue *streams;  /* completions of streams, so that idle ones do not slow the other queue */
	grpc_completion_queue *shutdown; /* only the shutdown's tag */
	pthread_t call_thread;
	pthread_t stream_thread;
	bool has_call_thread, has_stream_thread, is_started;
	grpc_server_credentials *credentials; /* none: plain text */

	struct method_slot *slots; /* the last one is for unknown methods */
	size_t n_slots;
	atomic_bool is_draining;
	atomic_size_t calls_in_hand;
	atomic_size_t bytes_in_hand;

	pthread_rwlock_t answering; /* shared: a batch goes to the calls' queue; alone: that is shut down */
	bool is_closed;             /* under it */

	pthread_mutex_t lock; /* the two lists */
	struct rpc_call *free_calls;
	size_t n_free_calls;
	struct rpc_stream *open_streams;
	size_t n_open_streams;
	size_t n_live_streams; /* accepted and not freed: whoever has a reference may still touch the server */
	pthread_cond_t streams_gone;

	struct listener *listener;
	struct worker *worker; /* asks now and then whether the engine serves */
	struct health *health;
	struct reflection *reflection;
};

struct method_table {
	const struct method *methods; /* static */
	size_t n;
};

/* Queues and registration; no thread yet. On failure server_close() takes back what was made. */
int server_open(struct rpc_server *server, const struct method_table *tables, size_t n_tables);
int server_start(struct rpc_server *server);
/* Refuses new calls, ends streams, waits @grace_ms for the rest, cancels what is left and waits for that. */
void server_shutdown(struct rpc_server *server, int64_t grace_ms);
/* Ends the queues. What is answered from here on is only freed: its client was cancelled by server_shutdown(). */
void server_close(struct rpc_server *server);
/* After every call was answered. */
void server_finish(struct rpc_server *server);
/* True, and server_end_answer() comes next: a batch may go to the calls' queue. False: it is shut down. [any-thread] */
bool server_begin_answer(struct rpc_server *server);
void server_end_answer(struct rpc_server *server);

/* A connected, non-blocking socket; the library's from now on. [any-thread, between start and shutdown] */
void server_adopt(struct rpc_server *server, int fd);

#endif
