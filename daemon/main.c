/*
 * filmgated: builds the rooms, hands them to each other, runs until it is told to stop, and takes them apart again.
 */
#include "api/api.h"
#include "artifact/artifact.h"
#include "base/decimal.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "config/config.h"
#include "engine/life.h"
#include "http/http.h"
#include "plugin/recorder.h"
#include "plugin/runner.h"
#include "providers.h"
#include "rpc/rpc.h"
#include "web/web.h"
#include "webhook/webhook.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/filmgate/filmgated.conf"

enum { EXIT_USAGE = 2, EXIT_LEFT = 3 };

struct rooms {
	struct config *config;
	struct providers providers;
	struct engine_budget *budgets;
	struct artifact_store *artifacts;
	struct http *http;
	struct plugin_recorder *recorder;
	struct plugin_runner *runner;
	struct engine *engine;
	struct api *api;
	struct webhooks *webhooks;
	struct rpc_server *rpc;
	struct web *web;
	int64_t started_ms; /* UTC */
	bool is_copy;       /* data_dir was put back from a copy */
};

struct ports {
	uint16_t grpc, http;
};

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

/* No failure, and no mismatch of a video: what they would say is not known. NULL: both are there. */
static const char *missing_programs(void)
{
	bool has_ffprobe = artifact_find_ffprobe(), has_ffmpeg = artifact_find_ffmpeg();

	if (has_ffprobe && has_ffmpeg)
		return NULL;
	return has_ffprobe  ? "/usr/bin/ffmpeg is not there: whether a video is black or stands still is not looked at"
	       : has_ffmpeg ? "/usr/bin/ffprobe is not there: frame rate and sound of videos are not known, and "
			      "nobody else says whether they can be played"
			    : "/usr/bin/ffprobe and ffmpeg are not there: frame rate and sound of videos, and whether "
			      "they can be played, are black or stand still, are not looked at";
}

static int open_artifacts(struct rooms *rooms, struct errmsg *msg)
{
	char path[PATH_MAX];
	struct artifact_config config = {
		.path = path,
		.floor_bytes = (uint64_t)rooms->config->limits.reserve_bytes,
		.ffprobe = artifact_find_ffprobe(),
		.ffmpeg = artifact_find_ffmpeg(),
	};

	if (missing_programs())
		log_info("videos are looked at less closely; install ffmpeg (Debian: ffmpeg)", "why",
			 missing_programs());
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

static int open_runner(struct rooms *rooms, struct errmsg *msg)
{
	const char *folder = rooms->config->record_dir;
	int r = folder ? plugin_recorder_new(folder, &rooms->recorder, msg) : 0;

	if (r == 0)
		r = plugin_runner_new(LIMIT_PLUGIN_THREADS, &rooms->runner);
	if (r == 0 && rooms->recorder)
		plugin_runner_record(rooms->runner, rooms->recorder);
	if (r == 0)
		r = providers_open_checks(&rooms->providers, rooms->recorder);
	return err_explain(r, "the threads for plugins cannot be started", msg);
}

/* What the configuration has checked; texts stay where they are, but for a label's key, which is cut out of it. */
static int make_budgets(struct rooms *rooms)
{
	const struct config *config = rooms->config;

	rooms->budgets = calloc(config->n_budgets + 1, sizeof(*rooms->budgets));
	if (!rooms->budgets)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < config->n_budgets; i++) {
		const struct config_budget *from = &config->budgets[i];
		struct engine_budget *to = &rooms->budgets[i];
		char *equals = from->label ? strchr(from->label, '=') : NULL;

		if (decimal_parse(bytes_of_text(from->amount), 6, &to->limit_micros) != 0)
			return err_origin(-EINVAL);
		if (equals) {
			*equals = '\0';
			to->label_key = from->label;
			to->label_value = equals + 1;
		}
		to->name = from->name;
		to->currency = from->currency;
		to->provider = from->provider;
		to->period = from->period == CONFIG_PERIOD_MONTH ? LEDGER_PER_MONTH : LEDGER_PER_DAY;
		to->refuses_unpriced = from->unpriced == CONFIG_UNPRICED_REFUSE;
	}
	return 0;
}

/* The entry that signs for the addresses that orders name, or NULL. */
static const struct config_webhook *find_job_webhook(const struct config *config)
{
	for (size_t i = 0; i < config->n_webhooks; i++)
		if (!config->webhooks[i].url)
			return &config->webhooks[i];
	return NULL;
}

static int open_engine(struct rooms *rooms, struct errmsg *msg)
{
	char path[PATH_MAX], secrets[PATH_MAX];
	struct engine_config config = {
		.clock = &clock_system,
		.artifacts = rooms->artifacts,
		.http = rooms->http,
		.plugins = rooms->runner,
		.providers = rooms->providers.lanes,
		.n_providers = rooms->providers.n,
		.budgets = rooms->budgets,
		.n_budgets = rooms->config->n_budgets,
		.takes_job_webhooks = find_job_webhook(rooms->config) != NULL,
		.allows_private_webhooks = find_job_webhook(rooms->config) &&
					   find_job_webhook(rooms->config)->allow_private_network,
		.max_queued = (uint64_t)rooms->config->limits.queued_jobs,
		.max_asset_bytes = (uint64_t)rooms->config->limits.asset_bytes,
		.event_retention_ms = rooms->config->events.retention_s * 1000,
		.tombstone_retention_ms = LIMIT_ENGINE_TOMBSTONE_MS,
		.store_path = path,
		.secrets_path = secrets,
		.is_copy = rooms->is_copy,
	};

	snprintf(path, sizeof(path), "%s/store", rooms->config->data_dir);
	snprintf(secrets, sizeof(secrets), "%s/secrets", rooms->config->data_dir);
	return engine_new(&config, &rooms->engine, msg);
}

static int open_api(struct rooms *rooms, struct errmsg *msg)
{
	const struct api_config config = {.engine = rooms->engine,
					  .clock = &clock_system,
					  .link_key = engine_link_key(rooms->engine),
					  .link_base = rooms->config->web.url};

	return err_explain(api_new(&config, &rooms->api), "the handlers of calls cannot be made", msg);
}

static int open_webhooks(struct rooms *rooms, struct errmsg *msg)
{
	const struct config *from = rooms->config;
	struct webhook_endpoint endpoints[LIMIT_WEBHOOK_ENDPOINTS];
	const char *secrets[LIMIT_WEBHOOK_ENDPOINTS][LIMIT_WEBHOOK_SECRETS];
	const struct webhook_config config = {
		.engine = rooms->engine,
		.clock = &clock_system,
		.user_agent = "filmgated/" FILMGATE_VERSION,
		.ca_bundle = from->http.ca_bundle,
		.connect_timeout_ms = from->http.connect_timeout_ms,
		.endpoints = endpoints,
		.n_endpoints = from->n_webhooks,
	};
	int r;

	for (size_t i = 0; i < from->n_webhooks; i++) {
		const struct config_webhook *one = &from->webhooks[i];

		for (size_t k = 0; k < one->signing.n_secrets; k++)
			secrets[i][k] = one->signing.secrets[k].value;
		endpoints[i] = (struct webhook_endpoint){
			.name = one->name,
			.url = one->url,
			.secrets = secrets[i],
			.n_secrets = one->signing.n_secrets,
			.events = (const char *const *)one->events.items,
			.n_events = one->events.n,
			.retries = one->retries,
			.allows_private = one->allow_private_network,
		};
	}
	r = err_explain(webhooks_new(&config, &rooms->webhooks), "the thread for webhooks cannot be started", msg);
	if (r == 0)
		webhooks_attach(rooms->webhooks, rooms->api);
	return r;
}

static int open_rpc(struct rooms *rooms, uint16_t *ret_port, struct errmsg *msg)
{
	struct rpc_config config = {
		.api = rooms->api,
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

static int open_web(struct rooms *rooms, uint16_t *ret_port, struct errmsg *msg)
{
	const struct config_web *web = &rooms->config->web;
	struct web_config config = {
		.api = rooms->api,
		.engine = rooms->engine,
		.clock = &clock_system,
		.address = rooms->config->listen.http,
		.webhooks = rooms->webhooks,
		.version = FILMGATE_VERSION,
		.started_ms = rooms->started_ms,
		.requests_per_s = web->requests_per_s,
		.models = {(const char *const *)web->models.items, web->models.n},
		.hosts = {(const char *const *)web->hosts.items, web->hosts.n},
		.origins = {(const char *const *)web->origins.items, web->origins.n},
	};

	return config.address ? web_new(&config, &rooms->web, ret_port, msg) : 0;
}

static int open_rooms(struct rooms *rooms, struct ports *ret, struct errmsg *msg)
{
	int r;

	r = make_folder(rooms->config->data_dir, msg);
	if (r == 0)
		r = err_explain(providers_load(rooms->config, &rooms->providers), "the providers cannot be loaded",
				msg);
	if (r == 0)
		r = err_explain(make_budgets(rooms), "the budgets cannot be read", msg);
	if (r == 0)
		r = open_artifacts(rooms, msg);
	if (r == 0)
		r = open_http(rooms, msg);
	if (r == 0)
		r = open_runner(rooms, msg);
	if (r == 0)
		r = open_engine(rooms, msg);
	if (r == 0)
		r = err_explain(engine_start(rooms->engine), "the engine's thread cannot be started", msg);
	if (r == 0)
		r = open_api(rooms, msg);
	if (r == 0)
		r = open_webhooks(rooms, msg);
	if (r == 0)
		r = open_rpc(rooms, &ret->grpc, msg);
	if (r == 0)
		r = open_web(rooms, &ret->http, msg);
	return err_explain(r, "filmgated cannot start", msg);
}

/* Does a plugin compute on and on? All of them have LIMIT_PLUGIN_END_MS together. */
static bool has_late_plugin(struct rooms *rooms)
{
	int64_t until_ms = clock_monotonic_ms(&clock_system) + LIMIT_PLUGIN_END_MS, left_ms;
	bool is_late;

	plugin_runner_stop(rooms->runner);
	is_late = providers_end(&rooms->providers, LIMIT_PLUGIN_END_MS) != 0;
	left_ms = until_ms - clock_monotonic_ms(&clock_system);
	return plugin_runner_end(rooms->runner, left_ms > 0 ? left_ms : 0) != 0 || is_late;
}

/*
 * A thread is in a plugin that does not come back, and looks at what it was given: nothing more is freed. What was
 * acknowledged is on disk, and the next start goes on from there.
 */
static __attribute__((noreturn)) void leave(struct rooms *rooms, int status)
{
	artifact_store_close(rooms->artifacts);
	if (rooms->engine)
		engine_leave(rooms->engine);
	log_error("stopped, although a plugin had to be left behind; what was acknowledged is on disk", "exit_status",
		  log_int(status));
	fflush(NULL);
	_exit(status);
}

/* The reverse of open_rooms(), from wherever that came to. When a plugin does not come back, this does not either: the
 * process ends with the status @left. */
static void close_rooms(struct rooms *rooms, int left)
{
	int64_t drain_ms = rooms->config ? rooms->config->drain_s * 1000 : 0;

	FAILPOINT(STOP_BEGUN);
	/* Sends end first: what leaves while the calls in hand are waited for would have to be waited for as well. */
	if (rooms->engine)
		engine_drain(rooms->engine);
	FAILPOINT(STOP_DRAINING);
	web_drain(rooms->web);
	if (rooms->rpc)
		rpc_server_drain(rooms->rpc, LIMIT_GRACE_MS);
	FAILPOINT(STOP_ANSWERED);
	webhooks_stop(rooms->webhooks);
	if (rooms->engine)
		engine_stop(rooms->engine, drain_ms);
	FAILPOINT(STOP_ENGINE);
	/* Who watches sees all of it, and why it is not ready. */
	web_free(rooms->web);
	rpc_server_close(rooms->rpc);
	FAILPOINT(STOP_DOORS);
	http_free(rooms->http);
	if (has_late_plugin(rooms))
		leave(rooms, left);
	plugin_recorder_free(rooms->recorder);
	artifact_store_close(rooms->artifacts);
	engine_free(rooms->engine);
	webhooks_free(rooms->webhooks);
	/* Only now has everybody answered who owed a call one. */
	rpc_server_free(rooms->rpc);
	api_free(rooms->api);
	free(rooms->budgets);
	providers_finish(&rooms->providers);
	config_free(rooms->config);
}

/* @address as it is configured, with the port that it came to. */
static void print_door(const char *name, const char *address, uint16_t port)
{
	const char *colon = address ? strrchr(address, ':') : NULL;

	if (colon)
		printf(" %s=%.*s:%u", name, (int)(colon - address), address, port);
}

static void announce(const struct rooms *rooms, const struct ports *ports)
{
	const struct config_listen *listen = &rooms->config->listen;

	printf("ready");
	print_door("grpc", listen->grpc, ports->grpc);
	if (listen->unix_socket)
		printf(" unix=%s", listen->unix_socket);
	print_door("http", listen->http, ports->http);
	printf(" data=%s\n", rooms->config->data_dir);
	fflush(stdout);
	log_info("ready", "grpc_port", log_int(ports->grpc), "unix", listen->unix_socket, "http_port",
		 log_int(ports->http), "data", rooms->config->data_dir);
}

static int serve(struct rooms *rooms, const sigset_t *stop)
{
	struct errmsg msg = {""};
	struct ports ports = {0};
	int r, number;

	r = open_rooms(rooms, &ports, &msg);
	if (r != 0) {
		fprintf(stderr, "filmgated: %s\n", msg.text);
		close_rooms(rooms, EXIT_FAILURE);
		return EXIT_FAILURE;
	}
	announce(rooms, &ports);
	sigwait(stop, &number);
	log_info("stopping", "signal", number == SIGINT ? "SIGINT" : "SIGTERM");
	close_rooms(rooms, EXIT_LEFT);
	log_info("stopped");
	return EXIT_SUCCESS;
}

/* ---- the command line ---- */

struct arguments {
	const char *config_path;
	bool is_check;
	bool is_copy;
	bool is_salvage;
};

static void print_usage(FILE *file)
{
	fprintf(file,
		"usage: filmgated [--config FILE]\n\n"
		"  --config FILE    the configuration (default: " DEFAULT_CONFIG ")\n"
		"  --check-config   say what is wrong with it, and exit: 0 when nothing is\n"
		"  --restored       data_dir was put back from a copy that 'filmgate backup' did not make, as of a\n"
		"                   disk: hold what is open in it, once, until 'filmgate resume' releases it\n"
		"  --salvage        of a store whose log is damaged, keep what comes before the damage, say what is\n"
		"                   there, and exit; a backup is better: keep a copy of data_dir first\n"
		"  --print-config   print the documented sample\n"
		"  --help-config    explain every option\n"
		"  --version        print the version\n"
		"  --help           print this\n\n"
		"Prints one line when it is ready: ready grpc=HOST:PORT unix=PATH http=HOST:PORT data=DIR\n"
		"SIGTERM and SIGINT end it gracefully. Exit status: 0 done, 1 failure, 2 usage, 3 ended, but a\n"
		"plugin that hangs was left behind.\n");
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
		{"restored", no_argument, NULL, 'R'},
		{"salvage", no_argument, NULL, 'S'},
		{"print-config", no_argument, NULL, 'p'},
		{"help-config", no_argument, NULL, 'H'},
#ifdef FILMGATE_FAILPOINTS
		{"list-failpoints", no_argument, NULL, 'l'},
#endif
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
		case 'R':
			ret->is_copy = true;
			break;
		case 'S':
			ret->is_salvage = true;
			break;
		case 'p':
			config_print_sample(stdout);
			return finish_output();
		case 'H':
			config_print_help(stdout);
			return finish_output();
		case 'l':
			failpoint_print_names();
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

static int check_config(const char *path, struct config *config)
{
	int r = providers_warn(path, config), status;

	if (r < 0) {
		fprintf(stderr, "filmgated: the providers cannot be loaded: %s\n", log_errno(r));
		return EXIT_FAILURE;
	}
	printf("%s: no errors\n", path);
	if (missing_programs())
		printf("note: %s; install ffmpeg (Debian: ffmpeg)\n", missing_programs());
	status = finish_output();
	/* A plugin that hangs looks at what is in the configuration. */
	if (r == PROVIDERS_E_LATE)
		_exit(status);
	config_free(config);
	return status;
}

static void print_salvaged(const char *path, const struct store_salvaged *salvaged)
{
	uint64_t jobs = 0;
	time_t newest_s = (time_t)(salvaged->newest_ms / 1000);
	struct tm tm = {0};
	char text[32] = "";

	for (int state = 1; state < _JOB_STATE_COUNT; state++)
		jobs += salvaged->jobs[state];
	printf("%s: the log was cut at its first damage; %llu jobs are there\n", path, (unsigned long long)jobs);
	for (int state = 1; state < _JOB_STATE_COUNT; state++)
		if (salvaged->jobs[state])
			printf("  %-10s %llu\n", job_state_name((enum job_state)state),
			       (unsigned long long)salvaged->jobs[state]);
	if (salvaged->newest_ms && gmtime_r(&newest_s, &tm)) {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		printf("the newest change that is there is of %s: what was acknowledged after it is gone\n", text);
	}
	printf("now start filmgated: for jobs that are open it sends nothing paid before 'filmgate resume' releases "
	       "them;\nlook into the providers' accounts first\n");
}

static int salvage(struct config *config)
{
	char path[PATH_MAX];
	struct store_salvaged salvaged;
	struct errmsg msg = {""};
	int r, status = EXIT_FAILURE;

	snprintf(path, sizeof(path), "%s/store", config->data_dir);
	r = engine_salvage(path, &salvaged, &msg);
	if (r != 0) {
		fprintf(stderr, "filmgated: nothing was salvaged: %s\n", *msg.text ? msg.text : log_errno(r));
	} else {
		if (salvaged.was_damaged)
			print_salvaged(path, &salvaged);
		else
			printf("%s: it is not damaged, and was left as it is\n", path);
		status = finish_output();
	}
	config_free(config);
	return status;
}

int main(int argc, char **argv)
{
	struct rooms rooms = {.started_ms = clock_utc_ms(&clock_system)};
	struct arguments arguments;
	sigset_t stop;
	int status;

	status = read_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	if (load(arguments.config_path, &rooms.config) != 0)
		return EXIT_FAILURE;
	if (arguments.is_check)
		return check_config(arguments.config_path, rooms.config);
	rooms.is_copy = arguments.is_copy;
	if (arguments.is_salvage)
		return salvage(rooms.config);
	log_setup((enum log_format)rooms.config->log.format, (enum log_level)rooms.config->log.level);

	/* Blocked before any thread exists, so that every thread inherits it; a peer that hangs up kills nobody. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	return serve(&rooms, &stop);
}
