/*
 * filmgated: builds the rooms, hands them to each other, runs until it is told to stop, and takes them apart again.
 */
#include "artifact/artifact.h"
#include "base/limits.h"
#include "base/log.h"
#include "config/config.h"
#include "engine/life.h"
#include "http/http.h"
#include "plugin/account.h"
#include "plugin/runner.h"
#include "rpc/rpc.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/filmgate/filmgated.conf"

enum { EXIT_USAGE = 2 };

/* One configured provider and what was made of it. */
struct provider {
	struct plugin *plugin;
	struct plugin_account *account;
	struct errmsg problem;
};

struct rooms {
	struct config *config;
	struct provider *providers;
	struct engine_provider_config *lanes;
	size_t n_providers;
	struct artifact_store *artifacts;
	struct http *http;
	struct plugin_runner *runner;
	struct engine *engine;
	struct rpc_server *rpc;
};

/* ---- providers: one that cannot be loaded is named in the log and in its jobs, and the others work ---- */

static int load_account(const struct config_provider *from, struct provider *provider)
{
	struct plugin_secret *secrets = calloc(from->n_secrets + 1, sizeof(*secrets));
	struct plugin_account_spec spec = {
		.id = from->id,
		.base_url = from->base_url,
		.origins = (const char *const *)from->origins.items,
		.n_origins = from->origins.n,
		.secrets = secrets,
		.n_secrets = from->n_secrets,
		.options = bytes_of_text(from->options),
	};
	int r;

	if (!secrets)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < from->n_secrets; i++)
		secrets[i] = (struct plugin_secret){.name = from->secrets[i].name, .value = from->secrets[i].value};
	r = plugin_account_new(provider->plugin, &spec, &provider->account, &provider->problem);
	free(secrets);
	return r;
}

/* Else each of its jobs would find out for itself, again and again. */
static int check_address(const struct config_provider *from, struct provider *provider)
{
	const char *url = plugin_account_base_url(provider->account);

	if (from->allow_private_network || !http_url_is_private(url))
		return 0;
	errmsg_set(&provider->problem,
		   "its base_url '%.300s' is not on the public Internet; set allow_private_network = true for it, or "
		   "name another one",
		   url);
	return -EACCES;
}

/* On failure, @provider->problem says why. */
static void load_provider(const struct config *config, const struct config_provider *from, struct provider *provider)
{
	int r;

	r = plugin_load(from->plugin, (const char *const *)config->plugin_dirs.items, config->plugin_dirs.n,
			&provider->plugin, &provider->problem);
	if (r == 0)
		r = load_account(from, provider);
	if (r == 0)
		r = check_address(from, provider);
	if (r == 0)
		return;
	if (!*provider->problem.text)
		errmsg_set(&provider->problem, "plugin '%s': %s", from->plugin, log_errno(r));
	provider->account = plugin_account_free(provider->account);
	provider->plugin = plugin_free(provider->plugin);
}

/* The operator's word, else the plugin's, else the house's. */
static int64_t first_said(int64_t configured, int64_t declared, int64_t otherwise)
{
	return configured ? configured : declared ? declared : otherwise;
}

static void fill_pace(const struct config_provider *from, const struct plugin_manifest *manifest,
		      struct engine_provider_config *ret)
{
	ret->concurrency = (uint32_t)first_said(from->concurrency, manifest->concurrency, 1);
	ret->poll_first_ms = first_said(from->poll.initial_ms, manifest->poll_first_ms, 1);
	ret->poll_min_ms = first_said(from->poll.initial_ms, manifest->poll_min_ms, 1);
	ret->poll_max_ms = first_said(from->poll.max_ms, manifest->poll_max_ms, 1);
	if (ret->poll_max_ms < ret->poll_min_ms)
		ret->poll_max_ms = ret->poll_min_ms;
	ret->submit_timeout_ms = first_said(from->submit_timeout_ms, manifest->buys_timeout_ms, LIMIT_ENGINE_SUBMIT_MS);
	ret->exchange_timeout_ms = first_said(0, manifest->safe_timeout_ms, LIMIT_ENGINE_EXCHANGE_MS);
}

static struct engine_provider_config lane_of(const struct config *config, const struct config_provider *from,
					     const struct provider *provider)
{
	struct engine_provider_config lane = {
		.id = from->id,
		.plugin_name = from->plugin,
		.plugin = provider->plugin,
		.account = provider->account,
		.base_url = provider->account ? plugin_account_base_url(provider->account)
					      : (from->base_url ? from->base_url : ""),
		.problem = provider->plugin ? NULL : provider->problem.text,
		.default_timeout_ms = from->deadline_s * 1000,
		.expected_bytes = LIMIT_ENGINE_EXPECTED_BYTES,
		.max_artifact_bytes = (uint64_t)config->limits.video_bytes,
		.max_reply_bytes = (uint64_t)config->limits.reply_bytes,
		.allow_private_network = from->allow_private_network,
	};

	if (provider->account)
		lane.account_digest = plugin_account_digest(provider->account);
	if (provider->plugin)
		fill_pace(from, plugin_manifest(provider->plugin), &lane);
	return lane;
}

/* What only a plugin knows: which secrets and options there are. The daemon starts all the same, so these are warnings. */
static void warn_of_providers(const char *path, const struct config *config)
{
	for (size_t i = 0; i < config->n_providers; i++) {
		struct provider provider = {0};

		load_provider(config, &config->providers[i], &provider);
		if (!provider.plugin)
			fprintf(stderr, "%s: warning: provider '%s' cannot be used, its jobs would wait: %s\n", path,
				config->providers[i].id, provider.problem.text);
		plugin_account_free(provider.account);
		plugin_free(provider.plugin);
	}
}

static int load_providers(struct rooms *rooms)
{
	const struct config *config = rooms->config;

	rooms->providers = calloc(config->n_providers + 1, sizeof(*rooms->providers));
	rooms->lanes = calloc(config->n_providers + 1, sizeof(*rooms->lanes));
	if (!rooms->providers || !rooms->lanes)
		return err_origin(-ENOMEM);
	rooms->n_providers = config->n_providers;
	for (size_t i = 0; i < config->n_providers; i++) {
		load_provider(config, &config->providers[i], &rooms->providers[i]);
		if (!rooms->providers[i].plugin)
			log_error("provider cannot be used; its jobs wait", "provider", config->providers[i].id, "why",
				  rooms->providers[i].problem.text);
		rooms->lanes[i] = lane_of(config, &config->providers[i], &rooms->providers[i]);
	}
	return 0;
}

/* ---- rooms ---- */

/* Whoever can write there can also put in jobs that are bought, and videos that nobody made. */
static void warn_of_mode(const char *path)
{
	struct stat st;
	char mode[16];

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode) || !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return;
	snprintf(mode, sizeof(mode), "%04o", (unsigned int)st.st_mode & 07777);
	log_warning("others can change the data directory; run: chmod 700 on it", "path", path, "mode", mode);
}

static int make_folder(const char *path, struct errmsg *msg)
{
	int r;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == EEXIST) {
		warn_of_mode(path);
		return 0;
	}
	r = err_origin(-errno);
	errmsg_set(msg, "the data directory '%s' cannot be made: %s; make it, or name another one as data_dir", path,
		   log_errno(r));
	return r;
}

static int open_artifacts(struct rooms *rooms, struct errmsg *msg)
{
	char path[PATH_MAX];
	struct artifact_config config = {
		.path = path,
		.floor_bytes = (uint64_t)rooms->config->limits.reserve_bytes,
		.ffprobe = access("/usr/bin/ffprobe", X_OK) == 0 ? "/usr/bin/ffprobe" : NULL,
	};

	snprintf(path, sizeof(path), "%s/artifacts", rooms->config->data_dir);
	return artifact_store_open(&config, &rooms->artifacts, msg);
}

static int open_http(struct rooms *rooms, struct errmsg *msg)
{
	struct http_config config = {
		.clock = &clock_system,
		.user_agent = "filmgated/" FILMGATE_VERSION,
		.ca_bundle_path = rooms->config->http.ca_bundle,
		.proxy = rooms->config->http.proxy,
		.connect_timeout_ms = rooms->config->http.connect_timeout_ms,
		.max_exchanges = (size_t)rooms->config->http.exchanges,
		.max_transfers = (size_t)rooms->config->http.transfers,
	};

	return err_explain(http_new(&config, &rooms->http), "the HTTP client cannot be started", msg);
}

static int open_engine(struct rooms *rooms, struct errmsg *msg)
{
	char path[PATH_MAX];
	struct engine_config config = {
		.clock = &clock_system,
		.artifacts = rooms->artifacts,
		.http = rooms->http,
		.plugins = rooms->runner,
		.providers = rooms->lanes,
		.n_providers = rooms->n_providers,
		.max_queued = (uint64_t)rooms->config->limits.queued_jobs,
		.event_retention_ms = rooms->config->events.retention_s * 1000,
		.tombstone_retention_ms = LIMIT_ENGINE_TOMBSTONE_MS,
		.store_path = path,
	};

	snprintf(path, sizeof(path), "%s/store", rooms->config->data_dir);
	return engine_new(&config, &rooms->engine, msg);
}

static int open_rpc(struct rooms *rooms, uint16_t *ret_port, struct errmsg *msg)
{
	struct rpc_config config = {
		.engine = rooms->engine,
		.clock = &clock_system,
		.address = rooms->config->listen.grpc,
		.unix_path = rooms->config->listen.unix_socket,
		.max_streams = (uint32_t)rooms->config->limits.watchers,
	};
	int r;

	r = err_explain(rpc_server_new(&config, &rooms->rpc), "the gRPC server cannot be made", msg);
	if (r != 0)
		return r;
	return rpc_server_start(rooms->rpc, ret_port, msg);
}

static int open_rooms(struct rooms *rooms, uint16_t *ret_port, struct errmsg *msg)
{
	int r;

	r = make_folder(rooms->config->data_dir, msg);
	if (r == 0)
		r = err_explain(load_providers(rooms), "the providers cannot be loaded", msg);
	if (r == 0)
		r = open_artifacts(rooms, msg);
	if (r == 0)
		r = open_http(rooms, msg);
	if (r == 0)
		r = err_explain(plugin_runner_new(LIMIT_PLUGIN_THREADS, &rooms->runner),
				"the threads for plugins cannot be started", msg);
	if (r == 0)
		r = open_engine(rooms, msg);
	if (r == 0)
		r = err_explain(engine_start(rooms->engine), "the engine's thread cannot be started", msg);
	if (r == 0)
		r = open_rpc(rooms, ret_port, msg);
	return err_explain(r, "filmgated cannot start", msg);
}

/* The reverse of open_rooms(), from wherever that came to. */
static void close_rooms(struct rooms *rooms)
{
	int64_t drain_ms = rooms->config ? rooms->config->drain_s * 1000 : 0;

	/* Sends end first: what leaves while the calls in hand are waited for would have to be waited for as well. */
	if (rooms->engine)
		engine_drain(rooms->engine);
	if (rooms->rpc)
		rpc_server_drain(rooms->rpc, LIMIT_GRACE_MS);
	if (rooms->engine)
		engine_stop(rooms->engine, drain_ms);
	rpc_server_free(rooms->rpc);
	http_free(rooms->http);
	plugin_runner_free(rooms->runner);
	artifact_store_close(rooms->artifacts);
	engine_free(rooms->engine);
	for (size_t i = 0; i < rooms->n_providers; i++) {
		plugin_account_free(rooms->providers[i].account);
		plugin_free(rooms->providers[i].plugin);
	}
	free(rooms->providers);
	free(rooms->lanes);
	config_free(rooms->config);
}

static void announce(const struct rooms *rooms, uint16_t port)
{
	const char *path = rooms->config->listen.unix_socket;
	const char *address = rooms->config->listen.grpc;
	const char *colon = address ? strrchr(address, ':') : NULL;

	printf("ready");
	if (colon)
		printf(" grpc=%.*s:%u", (int)(colon - address), address, port);
	if (path)
		printf(" unix=%s", path);
	printf(" data=%s\n", rooms->config->data_dir);
	fflush(stdout);
	log_info("ready", "grpc_port", log_int(port), "unix", path, "data", rooms->config->data_dir);
}

static int serve(struct rooms *rooms, const sigset_t *stop)
{
	struct errmsg msg = {""};
	uint16_t port = 0;
	int r, number;

	r = open_rooms(rooms, &port, &msg);
	if (r != 0) {
		fprintf(stderr, "filmgated: %s\n", msg.text);
		close_rooms(rooms);
		return EXIT_FAILURE;
	}
	announce(rooms, port);
	sigwait(stop, &number);
	log_info("stopping", "signal", number == SIGINT ? "SIGINT" : "SIGTERM");
	close_rooms(rooms);
	log_info("stopped");
	return EXIT_SUCCESS;
}

/* ---- the command line ---- */

struct arguments {
	const char *config_path;
	bool is_check;
};

static void print_usage(FILE *file)
{
	fprintf(file, "usage: filmgated [--config FILE]\n\n"
		      "  --config FILE    the configuration (default: " DEFAULT_CONFIG ")\n"
		      "  --check-config   say what is wrong with it, and exit: 0 when nothing is\n"
		      "  --print-config   print the documented sample\n"
		      "  --help-config    explain every option\n"
		      "  --version        print the version\n"
		      "  --help           print this\n\n"
		      "Prints one line when it is ready: ready grpc=HOST:PORT unix=PATH data=DIR\n"
		      "SIGTERM and SIGINT end it gracefully. Exit status: 0 done, 1 failure, 2 usage.\n");
}

/* What was asked for did not get out: that is a failure. */
static int finish_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "filmgated: standard output cannot be written: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

/* -1: go on; else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"print-config", no_argument, NULL, 'p'},
		{"help-config", no_argument, NULL, 'H'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*ret = (struct arguments){.config_path = DEFAULT_CONFIG};
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret->config_path = optarg;
			break;
		case 'k':
			ret->is_check = true;
			break;
		case 'p':
			config_print_sample(stdout);
			return finish_output();
		case 'H':
			config_print_help(stdout);
			return finish_output();
		case 'v':
			printf("filmgated %s\n", FILMGATE_VERSION);
			return finish_output();
		case 'h':
			print_usage(stdout);
			return finish_output();
		default:
			print_usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "filmgated: '%s' is not an option\n", argv[optind]);
	return EXIT_USAGE;
}

static int load(const char *path, struct config **ret)
{
	struct config_report report = {0};
	int r;

	r = config_load(path, ret, &report);
	if (report.lines.len)
		fwrite(report.lines.data, 1, report.lines.len, stderr);
	config_report_finish(&report);
	return r;
}

int main(int argc, char **argv)
{
	struct rooms rooms = {0};
	struct arguments arguments;
	sigset_t stop;
	int status;

	status = read_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	if (load(arguments.config_path, &rooms.config) != 0)
		return EXIT_FAILURE;
	if (arguments.is_check) {
		warn_of_providers(arguments.config_path, rooms.config);
		config_free(rooms.config);
		printf("%s: no errors\n", arguments.config_path);
		return finish_output();
	}
	log_setup((enum log_format)rooms.config->log.format, (enum log_level)rooms.config->log.level);

	/* Blocked before any thread exists, so that every thread inherits it; a peer that hangs up kills nobody. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	return serve(&rooms, &stop);
}
