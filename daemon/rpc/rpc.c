#include "rpc/rpc.h"

#include "api/methods.h"
#include "api/worker.h"
#include "base/limits.h"
#include "base/log.h"
#include "rpc/health.h"
#include "rpc/listener.h"
#include "rpc/methods.h"
#include "rpc/reflection.h"
#include "rpc/server.h"

#include <grpc/support/log.h>
#include <proto/descriptors.h>
#include <sys/resource.h>

/* A descriptor per connection: whatever the shell said, up to what the system allows. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("the limit of open files cannot be raised", "error", log_errno(errno));
}

/* libgrpc writes to standard error in a form of its own unless told otherwise. */
static void on_grpc_log(gpr_log_func_args *args)
{
	const char *slash = strrchr(args->file, '/');

	log_write(args->severity == GPR_LOG_SEVERITY_ERROR ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "libgrpc", "message",
		  args->message, "file", slash ? slash + 1 : args->file, "line", log_int(args->line), NULL);
}

static int copy_config(struct rpc_server *server, const struct rpc_config *config)
{
	server->config = *config;
	server->config.address = config->address ? strdup(config->address) : NULL;
	server->config.unix_path = config->unix_path ? strdup(config->unix_path) : NULL;
	if (!server->config.max_connections)
		server->config.max_connections = LIMIT_RPC_CONNECTIONS;
	if (!server->config.max_streams)
		server->config.max_streams = LIMIT_RPC_STREAMS;
	if ((config->address && !server->config.address) || (config->unix_path && !server->config.unix_path))
		return err_origin(-ENOMEM);
	return 0;
}

static void on_tick(void *userdata)
{
	struct rpc_server *server = userdata;

	health_publish(server->health);
}

static int build(struct rpc_server *server)
{
	const struct method_table tables[] = {{api_methods, api_methods_count},
					      {rpc_methods, rpc_methods_count},
					      {server->config.extra_methods, server->config.n_extra_methods}};
	int r;

	r = reflection_new(bytes_of(filmgate_descriptors, filmgate_descriptors_size), &server->reflection);
	if (r < 0)
		return err_trace(r);
	r = health_new(server, &server->health);
	if (r < 0)
		return err_trace(r);
	r = worker_new("fg-rpc-health", on_tick, server, &server->worker);
	if (r < 0)
		return err_trace(r);
	r = server_open(server, tables, sizeof(tables) / sizeof(tables[0]));
	return r < 0 ? err_trace(r) : 0;
}

int rpc_server_new(const struct rpc_config *config, struct rpc_server **ret)
{
	_cleanup_(rpc_server_freep) struct rpc_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return err_origin(-ENOMEM);
	pthread_rwlock_init(&server->answering, NULL);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->streams_gone, NULL);
	raise_file_limit();
	gpr_set_log_function(on_grpc_log);
	grpc_init();
	r = copy_config(server, config);
	if (r < 0)
		return err_trace(r);
	r = build(server);
	if (r < 0)
		return err_trace(r);
	*ret = steal(server);
	return 0;
}

static void on_connection(void *userdata, int fd)
{
	server_adopt(userdata, fd);
}

int rpc_server_start(struct rpc_server *server, uint16_t *ret_port, struct errmsg *msg)
{
	const struct listener_config config = {.address = server->config.address,
					       .unix_path = server->config.unix_path,
					       .max_connections = server->config.max_connections,
					       .on_connection = on_connection,
					       .userdata = server};
	uint16_t port;
	int r;

	r = listener_open(&config, &server->listener, &port, msg);
	if (r)
		return r;
	r = server_start(server);
	if (r == 0)
		r = listener_start(server->listener);
	if (r < 0) {
		errmsg_set(msg, "cannot start the gRPC server: %s", strerror(-r));
		return err_trace(r);
	}
	*ret_port = port;
	return 0;
}

void rpc_server_drain(struct rpc_server *server, int64_t grace_ms)
{
	atomic_store(&server->is_draining, true);
	health_publish(server->health);
	server->listener = listener_free(server->listener);
	server_shutdown(server, grace_ms);
}

void rpc_server_close(struct rpc_server *server)
{
	if (!server || server->is_closed)
		return;
	if (server->is_started)
		rpc_server_drain(server, 0);
	server->listener = listener_free(server->listener);
	server_close(server);
}

struct rpc_server *rpc_server_free(struct rpc_server *server)
{
	if (!server)
		return NULL;
	rpc_server_close(server);
	server_finish(server);
	worker_free(server->worker);
	health_free(server->health);
	reflection_free(server->reflection);
	free((char *)server->config.address);
	free((char *)server->config.unix_path);
	pthread_cond_destroy(&server->streams_gone);
	pthread_mutex_destroy(&server->lock);
	pthread_rwlock_destroy(&server->answering);
	grpc_shutdown_blocking();
	free(server);
	return NULL;
}

void rpc_server_freep(struct rpc_server **server)
{
	rpc_server_free(*server);
}
