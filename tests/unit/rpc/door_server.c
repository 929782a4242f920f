/*
 * The rpc room in front of the fake engine, for clients in other processes: door.py.
 *
 *   test_rpc_door_server FILE SOCKET [ADDRESS [CONNECTIONS [STREAMS [READS]]]]     FILE is what artifacts read
 *
 * Prints "ready PORT", then obeys lines on standard input, each answered by one line: "serving 0|1", "hold 0|1|2" (1: writes),
 * "release MS" (no longer held in so many), "trim SEQUENCE", "pass MS" (of the server's clock), "drain GRACE_MS", "counts",
 * "quit". The answer has the number of watches, their unused grants, the answers that wait, the uploads that are open,
 * the assets that are kept, and the bytes of all uploads so far.
 */
#include "fake_engine.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "rpc/rpc.h"
#include "rpc_echo.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* Time as it is, and as much more as the test lets pass. */
static atomic_llong passed_ms;

static int64_t utc_ms(void *userdata)
{
	(void)userdata;
	return clock_utc_ms(&clock_system) + atomic_load(&passed_ms);
}

static int64_t monotonic_ms(void *userdata)
{
	(void)userdata;
	return clock_monotonic_ms(&clock_system) + atomic_load(&passed_ms);
}

struct release {
	struct engine *engine;
	long long after_ms;
};

static void *release(void *userdata)
{
	struct release *order = userdata;

	poll(NULL, 0, (int)order->after_ms);
	fake_engine_hold(order->engine, FAKE_HOLD_NOTHING);
	free(order);
	return NULL;
}

static void release_later(struct engine *engine, long long after_ms)
{
	struct release *order = malloc(sizeof(*order));
	pthread_t thread;

	if (!order)
		abort();
	*order = (struct release){.engine = engine, .after_ms = after_ms};
	if (pthread_create(&thread, NULL, release, order) != 0)
		abort();
	pthread_detach(thread);
}

static void obey(const char *line, struct engine *engine, struct rpc_server *server)
{
	long long number = strchr(line, ' ') ? strtoll(strchr(line, ' ') + 1, NULL, 10) : 0;
	struct fake_asset_counts assets;
	struct fake_counts counts;

	if (strncmp(line, "serving ", 8) == 0)
		fake_engine_set_serving(engine, number != 0);
	else if (strncmp(line, "hold ", 5) == 0)
		fake_engine_hold(engine, (enum fake_hold)number);
	else if (strncmp(line, "trim ", 5) == 0)
		fake_engine_trim(engine, (uint64_t)number);
	else if (strncmp(line, "release ", 8) == 0)
		release_later(engine, number);
	else if (strncmp(line, "pass ", 5) == 0)
		atomic_fetch_add(&passed_ms, number);
	else if (strncmp(line, "drain ", 6) == 0)
		rpc_server_drain(server, number);
	counts = fake_engine_count(engine);
	assets = fake_assets_count();
	printf("done %u %llu %u %u %u %llu\n", counts.watches, (unsigned long long)counts.grants, counts.answers,
	       assets.open, assets.kept, (unsigned long long)assets.written);
}

int main(int argc, char **argv)
{
	/* The threads of a server that did not start live until the process has ended. */
	static const struct clock clock = {.utc_ms = utc_ms, .monotonic_ms = monotonic_ms};
	struct api_config handlers = {.clock = &clock};
	struct rpc_config config = {
		.address = "127.0.0.1:0", .extra_methods = &bench_echo_method, .n_extra_methods = 1};
	struct rpc_server *server;
	struct api *api;
	struct errmsg msg = {""};
	struct engine *engine;
	char line[128];
	uint16_t port;
	sigset_t all;

	if (argc < 3)
		return 2;
	if (argc > 3)
		config.address = argv[3];
	if (argc > 4)
		config.max_connections = (uint32_t)strtoul(argv[4], NULL, 10);
	if (argc > 5)
		config.max_streams = (uint32_t)strtoul(argv[5], NULL, 10);
	if (argc > 6)
		handlers.max_reads = (uint32_t)strtoul(argv[6], NULL, 10);
	if (argc > 7)
		handlers.upload_idle_ms = strtoll(argv[7], NULL, 10);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	engine = fake_engine_new();
	fake_engine_set_file(engine, argv[1]);
	handlers.engine = engine;
	if (api_new(&handlers, &api) != 0)
		return 1;
	config.api = api;
	config.unix_path = argv[2];
	if (rpc_server_new(&config, &server) != 0 || rpc_server_start(server, &port, &msg) != 0) {
		fprintf(stderr, "%s\n", msg.text);
		return 1;
	}
	printf("ready %u\n", port);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0)
		obey(line, engine, server);
	rpc_server_close(server);
	fake_engine_free(engine);
	rpc_server_free(server);
	api_free(api);
	return 0;
}
