#include "rpc/server.h"

#include "api/inside.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/engine.h"
#include "rpc/stream.h"
#include "rpc/tsan.h"

#include <assert.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>

#define ARGS_MAX 16

/* What a connection may do. Dead watchers are found by pings; compression, channelz and bandwidth probing cost 2.4 %
 * of every call and nobody asked for them. */
static size_t set_arguments(grpc_arg *args, grpc_resource_quota *quota)
{
	static const struct {
		const char *name;
		int value;
	} table[] = {
		{GRPC_ARG_ALLOW_REUSEPORT, 0},
		{GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, LIMIT_RPC_MESSAGE},
		{GRPC_ARG_MAX_CONCURRENT_STREAMS, LIMIT_RPC_CONNECTION_STREAMS},
		{GRPC_ARG_MAX_METADATA_SIZE, LIMIT_RPC_METADATA},
		{GRPC_ARG_KEEPALIVE_TIME_MS, 30000},
		{GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000},
		/* Also on connections without calls: sockets are handed to libgrpc, which then has no time limit
		 * of its own for one that never speaks HTTP/2. */
		{GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
		{GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000},
		{GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2},
		{GRPC_ARG_ENABLE_CHANNELZ, 0},
		{GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0},
		{GRPC_ARG_HTTP2_BDP_PROBE, 0},
	};
	size_t n = sizeof(table) / sizeof(table[0]);

	_Static_assert(sizeof(table) / sizeof(table[0]) < ARGS_MAX, "more arguments than room");
	for (size_t i = 0; i < n; i++) {
		args[i] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)table[i].name};
		args[i].value.integer = table[i].value;
	}
	args[n] = (grpc_arg){.type = GRPC_ARG_POINTER, .key = (char *)GRPC_ARG_RESOURCE_QUOTA};
	args[n].value.pointer.p = quota;
	args[n].value.pointer.vtable = grpc_resource_quota_arg_vtable();
	return n + 1;
}

static int register_method(struct rpc_server *server, const struct method *method)
{
	struct method_slot *slot = &server->slots[server->n_slots];

	slot->method = method;
	slot->registered = grpc_server_register_method(
		server->grpc, method->path, NULL,
		method->shape == METHOD_BIDI ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
	if (!slot->registered)
		return err_origin(-EINVAL);
	server->n_slots++;
	return 0;
}

static int register_methods(struct rpc_server *server, const struct method_table *tables, size_t n_tables)
{
	size_t n = 1;

	for (size_t i = 0; i < n_tables; i++)
		n += tables[i].n;
	server->slots = calloc(n, sizeof(*server->slots));
	if (!server->slots)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < n_tables; i++)
		for (size_t j = 0; j < tables[i].n; j++) {
			int r = register_method(server, &tables[i].methods[j]);

			if (r < 0)
				return err_trace(r);
		}
	server->n_slots++; /* unknown methods: without this slot nobody would answer them */
	return 0;
}

int server_open(struct rpc_server *server, const struct method_table *tables, size_t n_tables)
{
	const grpc_completion_queue_attributes idle = {.version = GRPC_CQ_CURRENT_VERSION,
						       .cq_completion_type = GRPC_CQ_NEXT,
						       .cq_polling_type = GRPC_CQ_NON_POLLING};
	grpc_resource_quota *quota = grpc_resource_quota_create("filmgate");
	grpc_arg args[ARGS_MAX];
	grpc_channel_args all = {.num_args = set_arguments(args, quota), .args = args};
	int r;

	grpc_resource_quota_resize(quota, LIMIT_RPC_MEMORY);
	server->grpc = grpc_server_create(&all, NULL);
	grpc_resource_quota_unref(quota);
	server->credentials = grpc_insecure_server_credentials_create();
	server->calls = grpc_completion_queue_create_for_next(NULL);
	server->streams = grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&idle), &idle, NULL);
	server->shutdown = grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&idle), &idle, NULL);
	/* The streams' queue only takes completions of single calls and is not the server's. */
	grpc_server_register_completion_queue(server->grpc, server->calls, NULL);
	grpc_server_register_completion_queue(server->grpc, server->shutdown, NULL);
	r = register_methods(server, tables, n_tables);
	return r < 0 ? err_trace(r) : 0;
}

static void *serve(void *userdata)
{
	grpc_completion_queue *queue = userdata;

	pthread_setname_np(pthread_self(), "fg-rpc");
	for (;;) {
		grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		struct tag *tag = event.tag;

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		tsan_acquire(tag);
		tag->run(tag, event.success != 0);
	}
}

int server_start(struct rpc_server *server)
{
	int r;

	grpc_server_start(server->grpc);
	for (size_t i = 0; i < server->n_slots; i++) {
		const struct method *method = server->slots[i].method;

		for (unsigned j = 0; j < (method ? method->slots : 2); j++)
			call_post(server, &server->slots[i]);
	}
	server->is_started = true;

	r = pthread_create(&server->call_thread, NULL, serve, server->calls);
	if (r)
		return err_origin(-r);
	server->has_call_thread = true;
	r = pthread_create(&server->stream_thread, NULL, serve, server->streams);
	if (r)
		return err_origin(-r);
	server->has_stream_thread = true;
	return 0;
}

void server_adopt(struct rpc_server *server, int fd)
{
	grpc_server_add_channel_from_fd(server->grpc, fd, server->credentials);
}

/* Waits for the end of every call; false when the time is up first. */
static bool wait_for_calls(struct rpc_server *server, gpr_timespec deadline)
{
	grpc_event event = grpc_completion_queue_next(server->shutdown, deadline, NULL);

	return event.type == GRPC_OP_COMPLETE;
}

/* A call that has ended for gRPC may still be the listener's, until the engine has answered what was asked for it. */
static void wait_for_streams(struct rpc_server *server)
{
	pthread_mutex_lock(&server->lock);
	while (server->n_live_streams)
		pthread_cond_wait(&server->streams_gone, &server->lock);
	pthread_mutex_unlock(&server->lock);
}

void server_shutdown(struct rpc_server *server, int64_t grace_ms)
{
	struct failure draining = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_DRAINING};
	gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(grace_ms, GPR_TIMESPAN));

	atomic_store(&server->is_draining, true);
	if (!server->is_started)
		return;
	grpc_server_shutdown_and_notify(server->grpc, server->shutdown, NULL);
	stream_abort_all(server, &draining);
	if (!wait_for_calls(server, deadline)) {
		if (grace_ms > 0)
			log_warning("calls did not end in time and are cancelled", "grace_ms", log_int(grace_ms));
		grpc_server_cancel_all_calls(server->grpc);
		engine_end_reads(server->config.api->engine);
		wait_for_calls(server, gpr_inf_future(GPR_CLOCK_REALTIME));
	}
	wait_for_streams(server);
	server->is_started = false;
}

static void close_queue(grpc_completion_queue *queue, bool has_thread, pthread_t thread)
{
	if (!queue)
		return;
	grpc_completion_queue_shutdown(queue);
	if (has_thread)
		pthread_join(thread, NULL);
	else
		serve(queue);
	grpc_completion_queue_destroy(queue);
}

bool server_begin_answer(struct rpc_server *server)
{
	pthread_rwlock_rdlock(&server->answering);
	if (!server->is_closed)
		return true;
	pthread_rwlock_unlock(&server->answering);
	return false;
}

void server_end_answer(struct rpc_server *server)
{
	pthread_rwlock_unlock(&server->answering);
}

/*
 * A reader of the store, a worker of artifact/ or a plugin may owe the answer to a call that gRPC has cancelled long
 * since. None of them is waited for here: some end only when the rooms below are taken apart. libgrpc aborts the process
 * when a batch meets a queue that was shut down.
 */
static void refuse_answers(struct rpc_server *server)
{
	pthread_rwlock_wrlock(&server->answering);
	server->is_closed = true;
	pthread_rwlock_unlock(&server->answering);
}

void server_close(struct rpc_server *server)
{
	if (server->is_started)
		server_shutdown(server, 0);
	refuse_answers(server);
	/* The streams first: their last completions post nothing to the other queue. */
	close_queue(server->streams, server->has_stream_thread, server->stream_thread);
	close_queue(server->calls, server->has_call_thread, server->call_thread);
	if (server->grpc)
		grpc_server_destroy(server->grpc);
	close_queue(server->shutdown, false, 0);
	if (server->credentials)
		grpc_server_credentials_release(server->credentials);
}

void server_finish(struct rpc_server *server)
{
	size_t late = atomic_load(&server->calls_in_hand);

	/* Whoever owes them would write into what is freed here. */
	assert(late == 0);
	call_free_idle(server);
	free(server->slots);
}
