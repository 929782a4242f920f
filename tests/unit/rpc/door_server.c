/*
 * The rpc room in front of the fake engine, for clients in other processes: door.py.
 *
 *   test_rpc_door_server FILE SOCKET     FILE is what artifacts read
 *
 * Prints "ready PORT", then obeys lines on standard input, each answered by one line: "serving 0|1", "hold 0|1",
 * "trim SEQUENCE", "watches" (how many, and their unused grants), "drain GRACE_MS", "quit".
 */
#include "fake_engine.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "rpc/rpc.h"

#include <signal.h>

static void obey(const char *line, struct engine *engine, struct rpc_server *server)
{
	long long number = strchr(line, ' ') ? strtoll(strchr(line, ' ') + 1, NULL, 10) : 0;
	uint32_t watches = 0;
	uint64_t grants = 0;

	if (strncmp(line, "serving ", 8) == 0)
		fake_engine_set_serving(engine, number != 0);
	else if (strncmp(line, "hold ", 5) == 0)
		fake_engine_hold(engine, number != 0);
	else if (strncmp(line, "trim ", 5) == 0)
		fake_engine_trim(engine, (uint64_t)number);
	else if (strncmp(line, "watches", 7) == 0)
		fake_engine_count_watches(engine, &watches, &grants);
	else if (strncmp(line, "drain ", 6) == 0)
		rpc_server_drain(server, number);
	printf("done %u %llu\n", watches, (unsigned long long)grants);
}

int main(int argc, char **argv)
{
	struct rpc_config config = {.clock = &clock_system, .address = "127.0.0.1:0"};
	struct rpc_server *server;
	struct errmsg msg = {""};
	struct engine *engine;
	char line[128];
	uint16_t port;
	sigset_t all;

	if (argc != 3)
		return 2;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	engine = fake_engine_new();
	fake_engine_set_file(engine, argv[1]);
	config.engine = engine;
	config.unix_path = argv[2];
	if (rpc_server_new(&config, &server) != 0 || rpc_server_start(server, &port, &msg) != 0) {
		fprintf(stderr, "%s\n", msg.text);
		return 1;
	}
	printf("ready %u\n", port);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0)
		obey(line, engine, server);
	rpc_server_free(server);
	fake_engine_free(engine);
	return 0;
}
