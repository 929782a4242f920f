/*
 * filmgate-sim: wiring only. Builds the parts, hands them to each other, runs, takes them down again.
 */
#include "base/limits.h"
#include "base/log.h"
#include "sim/desk.h"
#include "sim/faults.h"
#include "sim/folder.h"
#include "sim/h2.h"
#include "sim/hooks.h"
#include "sim/json.h"

#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#define REPLAY_WINDOW_MS (24 * 3600 * 1000LL)

/* Everything that is built, so that one function takes it down in the reverse order. */
struct house {
	struct sim sim;
	struct sim_options options;
	struct sim_loop *loop;
	struct sim_raws *raws;
	struct sim_server *api;
	struct sim_server *files;
	struct sim_h2 *h2;
	struct sim_connection_count connections;
	struct sim_watch signals;
	int signal_fd;
	int lock_fd;
};

static void house_finish(struct house *house)
{
	house->h2 = sim_h2_free(house->h2);
	house->files = sim_server_free(house->files);
	house->api = sim_server_free(house->api);
	house->raws = sim_raws_free(house->raws);
	house->sim.hooks = sim_hooks_free(house->sim.hooks);
	sim_requests_free(house->sim.requests);
	sim_faults_free(house->sim.faults);
	sim_google_free(house->sim.google);
	sim_links_free(house->sim.links);
	sim_charges_free(house->sim.charges);
	sim_replays_free(house->sim.replays);
	sim_assets_free(house->sim.assets);
	sim_generations_free(house->sim.generations);
	sim_render_free(house->sim.render);
	closep(&house->signal_fd);
	closep(&house->lock_fd);
	sim_loop_free(house->loop);
	sim_options_finish(&house->options);
}

static void on_signal(void *userdata, uint32_t events)
{
	struct house *house = userdata;
	struct signalfd_siginfo info;

	(void)events;
	while (read(house->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			sim_render_reap(house->sim.render);
		else
			sim_loop_quit(house->loop);
	}
}

static int watch_signals(struct house *house)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_origin(-errno);
	house->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (house->signal_fd < 0)
		return err_origin(-errno);
	house->signals = (struct sim_watch){.fn = on_signal, .userdata = house};
	return sim_loop_watch(house->loop, &house->signals, house->signal_fd, EPOLLIN);
}

static int build_render(struct house *house, struct errmsg *msg)
{
	const struct sim_options *options = &house->options;
	struct sim_render_spec spec = {
		.loop = house->loop,
		.clock = &house->sim.clock,
		.cache = options->cache,
		.ffmpeg = options->ffmpeg,
		.font = options->font,
		.children = (int)options->render_jobs,
		.timeout_s = (int)options->render_timeout_s,
	};

	return sim_render_new(&spec, msg, &house->sim.render);
}

static int build_charges(struct house *house, struct errmsg *msg)
{
	char path[PATH_MAX];
	int r;

	r = sim_folder_lock(house->options.data, msg, &house->lock_fd);
	if (r)
		return r;
	if (snprintf(path, sizeof(path), "%s/charges.jsonl", house->options.data) >= (int)sizeof(path))
		return err_origin(-ENAMETOOLONG);
	return sim_charges_open(path, msg, &house->sim.charges);
}

static int build_faults(struct house *house, struct errmsg *msg)
{
	const char *file = house->options.faults, *id;
	_cleanup_(sim_json_freep) json_t *rules = NULL;
	json_error_t error;
	int r;

	r = sim_faults_new(&house->sim.faults);
	if (r || !file)
		return r;
	rules = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_array(rules)) {
		errmsg_set(msg, "'%s' line %d: %s", file, error.line, rules ? "not a JSON array" : error.text);
		return SIM_FAULTS_E_INVALID;
	}
	for (size_t i = 0; i < json_array_size(rules); i++) {
		struct errmsg why = {0};

		r = sim_faults_add(house->sim.faults, json_array_get(rules, i), &why, &id);
		if (r > 0)
			errmsg_set(msg, "'%s', fault %zu: %.300s", file, i + 1, why.text);
		if (r)
			return r;
	}
	return 0;
}

static struct sim_server_spec server_spec(struct house *house, enum sim_host host, const char *listen)
{
	return (struct sim_server_spec){
		.loop = house->loop,
		.raws = house->raws,
		.connections = &house->connections,
		.host = host,
		.listen = listen,
		.body_bytes = (size_t)house->options.body_bytes,
		.serve = sim_desk_serve,
		.refuse = sim_desk_refuse,
		.userdata = &house->sim,
	};
}

static int build_servers(struct house *house, struct errmsg *msg)
{
	const struct sim_options *options = &house->options;
	struct sim_server_spec api, files, h2;
	int r;

	r = sim_raws_new(house->loop, &house->raws);
	if (r < 0)
		return err_trace(r);
	house->sim.raws = house->raws;
	api = server_spec(house, SIM_HOST_API, options->listen);
	files = server_spec(house, SIM_HOST_FILES, options->files_listen);
	h2 = server_spec(house, SIM_HOST_API, options->h2_listen);
	r = sim_server_new(&api, msg, &house->api);
	r = r ? r : sim_server_new(&files, msg, &house->files);
	if (r == 0 && options->h2_listen)
		r = sim_h2_new(&h2, msg, &house->h2);
	r = r ? r : sim_google_new(options->data, sim_server_url(house->api), msg, &house->sim.google);
	if (r)
		return r;
	return sim_links_new(options->files_url ? options->files_url : sim_server_url(house->files), &house->sim.links);
}

static int build(struct house *house, struct errmsg *msg)
{
	struct sim *sim = &house->sim;
	int r;

	sim->options = &house->options;
	sim->connections = &house->connections;
	sim->credit_micros = house->options.credit_micros;
	sim->started_ms = clock_monotonic_ms(&clock_system);
	r = sim_loop_new(&house->loop);
	r = r ? r : build_charges(house, msg);
	r = r ? r : build_render(house, msg);
	r = r ? r : watch_signals(house);
	r = r ? r : sim_generations_new(sim->render, &sim->generations);
	r = r ? r : sim_replays_new(REPLAY_WINDOW_MS, &sim->replays);
	r = r ? r : sim_assets_new(&sim->assets);
	r = r ? r : sim_requests_new(&sim->requests);
	r = r ? r : sim_hooks_new(sim, house->loop, &sim->hooks);
	r = r ? r : build_faults(house, msg);
	return r ? r : build_servers(house, msg);
}

/* Every connection is a descriptor, and the usual 1024 are fewer than LIMIT_SIM_CONNECTIONS. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int run(struct house *house)
{
	struct errmsg msg = {0};
	int r;

	r = build(house, &msg);
	if (r) {
		fprintf(stderr, "filmgate-sim: %s\n", *msg.text ? msg.text : strerror(r < 0 ? -r : EINVAL));
		return EXIT_FAILURE;
	}
	printf("ready sim=%s files=%s%s%s\n", sim_server_url(house->api), sim_server_url(house->files),
	       house->h2 ? " h2=" : "", house->h2 ? sim_h2_url(house->h2) : "");
	fflush(stdout);
	r = sim_loop_run(house->loop);
	if (r < 0)
		log_error("the loop ended", "error", log_errno(r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What was asked for did not get out: that is a failure. */
static int finish_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "filmgate-sim: standard output cannot be written: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct house house = {.signal_fd = -1, .lock_fd = -1};
	struct errmsg msg = {0};
	int r;

	r = sim_options_read(argc, argv, &msg, &house.options);
	if (r == SIM_OPTIONS_E_DONE)
		return finish_output();
	if (r) {
		fprintf(stderr, "filmgate-sim: %s\n", *msg.text ? msg.text : strerror(-r));
		return 2;
	}
	log_setup(LOG_FORMAT_TEXT, house.options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	raise_descriptors();
	r = run(&house);
	house_finish(&house);
	return r;
}
