#include "sim/options.h"

#include "base/limits.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_FOLDER, KIND_NUMBER, KIND_RANGE, KIND_DOLLARS, KIND_FLAG, KIND_HELP, KIND_VERSION };

struct option_row {
	const char *name;
	const char *argument;
	const char *standard; /* what stands when it is not given; NULL: nothing */
	const char *help;
	enum kind kind;
	size_t offset;
	int64_t min, max;
};

#define AT(field) offsetof(struct sim_options, field)
#define DAY_MS 86400000

static const struct option_row rows[] = {
	{"listen", "HOST:PORT", "127.0.0.1:18080", "the API; port 0 takes a free one", KIND_TEXT, AT(listen), 0, 0},
	{"files-listen", "HOST:PORT", "127.0.0.1:0", "the file host, another origin", KIND_TEXT, AT(files_listen), 0,
	 0},
	{"files-url", "URL", NULL, "what links begin with, when clients see the file host elsewhere", KIND_TEXT,
	 AT(files_url), 0, 0},
	{"h2-listen", "HOST:PORT", NULL, "the API over HTTP/2 without TLS, for the fault refused_stream", KIND_TEXT,
	 AT(h2_listen), 0, 0},
	{"data", "DIR", NULL, "for charges.jsonl and service-account.json (default: ~/.local/state/filmgate-sim)",
	 KIND_FOLDER, AT(data), 0, 0},
	{"cache", "DIR", NULL, "rendered videos; may be shared (default: DIR/cache of --data)", KIND_FOLDER, AT(cache),
	 0, 0},
	{"api-key", "KEY", "sim-key", "the key that is accepted", KIND_TEXT, AT(api_key), 0, 0},
	{"second-key", "KEY", NULL, "the key of another account at HeyGen; each sees only what it has ordered itself",
	 KIND_TEXT, AT(second_key), 0, 0},
	{"token-life-s", "N", "3599", "until an access token of Google's expires", KIND_NUMBER, AT(token_life_s), 1,
	 1000000},
	{"credit", "USD", "1000", "the wallet before the charges", KIND_DOLLARS, AT(credit_micros), 0, 0},
	{"price", "USD", "0.05", "of one second of video", KIND_DOLLARS, AT(price_micros), 0, 0},
	{"concurrency", "N", "10", "videos in flight before 429", KIND_NUMBER, AT(concurrency), 1, 1000000},
	{"render-time-ms", "MIN[:MAX]", "3000:8000", "how long a video stays unfinished at least", KIND_RANGE,
	 AT(render_ms), 0, DAY_MS},
	{"submit-delay-ms", "MIN[:MAX]", "0", "how long ordering a video takes", KIND_RANGE, AT(submit_ms), 0, DAY_MS},
	{"seed", "N", "1", "decides the times within those ranges", KIND_NUMBER, AT(seed), 0, INT64_MAX},
	{"link-life-s", "N", "604800", "until a link expires", KIND_NUMBER, AT(link_life_s), 0, 1000000000},
	{"max-seconds", "N", "60", "cap on the length of a video", KIND_NUMBER, AT(max_seconds), 1, 3600},
	{"small", NULL, NULL, "twentieth of the size, 5 frames a second: cheap, for tests", KIND_FLAG, AT(small), 0, 0},
	{"burn-words", "N", "0",
	 "words of a text that are burned in; texts that differ behind them share a file; 0: all", KIND_NUMBER,
	 AT(burn_words), 0, 1000},
	{"render-jobs", "N", "2", "ffmpeg processes at a time", KIND_NUMBER, AT(render_jobs), 1, LIMIT_SIM_CHILDREN},
	{"render-timeout-s", "N", "300", "until an ffmpeg process is killed", KIND_NUMBER, AT(render_timeout_s), 1,
	 86400},
	{"max-body-bytes", "N", "67108864", "larger requests get 413", KIND_NUMBER, AT(body_bytes), 1024, 1073741824},
	{"ffmpeg", "FILE", "ffmpeg", "the program that renders", KIND_TEXT, AT(ffmpeg), 0, 0},
	{"font", "FILE", NULL, "the font of the burned-in script (default: DejaVu Sans Mono)", KIND_TEXT, AT(font), 0,
	 0},
	{"faults", "FILE", NULL, "a JSON array of faults to begin with", KIND_TEXT, AT(faults), 0, 0},
	{"verbose", NULL, NULL, "log every request", KIND_FLAG, AT(verbose), 0, 0},
	{"help", NULL, NULL, "this text", KIND_HELP, 0, 0, 0},
	{"version", NULL, NULL, "the version", KIND_VERSION, 0, 0, 0},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void print_help(void)
{
	printf("usage: filmgate-sim [OPTIONS]\n\n"
	       "Behaves as HeyGen's API v3, Google's Veo, OpenAI's /videos and OpenRouter do, renders real videos, counts\n"
	       "what it would have charged, and fails on request. Prints one line when it is ready: ready sim=URL files=URL\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[48];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		printf("  %-30s %s%s%s%s\n", left, rows[i].help, rows[i].standard ? " (default: " : "",
		       rows[i].standard ? rows[i].standard : "", rows[i].standard ? ")" : "");
	}
}

static int read_number(const char *text, const struct option_row *row, char stop, const char **ret_end, int64_t *ret)
{
	long long value;
	char *end;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || (*end && *end != stop) || value < row->min || value > row->max)
		return -EINVAL;

	*ret_end = end;
	*ret = value;
	return 0;
}

static int read_range(const char *text, const struct option_row *row, struct sim_range *ret)
{
	struct sim_range range;
	const char *end;

	if (read_number(text, row, ':', &end, &range.min) < 0)
		return -EINVAL;
	range.max = range.min;
	if (*end && (read_number(end + 1, row, '\0', &end, &range.max) < 0 || range.max < range.min))
		return -EINVAL;

	*ret = range;
	return 0;
}

/* Money never becomes a double: digits, and at most six more behind a point. */
static int read_dollars(const char *text, int64_t *ret_micros)
{
	int64_t micros = 0, unit = 1000000;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && micros < 1000000000; p++)
		micros = micros * 10 + (*p - '0');
	micros *= unit;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++)
			micros += (*p - '0') * (unit /= 10);
	if (*p || p == text)
		return -EINVAL;

	*ret_micros = micros;
	return 0;
}

static int read_folder(const char *text, char **ret)
{
	char *copy = strdup(text);

	if (!copy)
		return err_origin(-ENOMEM);
	free(*ret);
	*ret = copy;
	return 0;
}

static int read_value(const struct option_row *row, const char *text, struct sim_options *options)
{
	void *field = (char *)options + row->offset;
	const char *end;

	switch (row->kind) {
	case KIND_TEXT:
		*(const char **)field = text;
		return 0;
	case KIND_FOLDER:
		return read_folder(text, field);
	case KIND_NUMBER:
		return read_number(text, row, '\0', &end, field);
	case KIND_RANGE:
		return read_range(text, row, field);
	case KIND_DOLLARS:
		return read_dollars(text, field);
	case KIND_FLAG:
		*(bool *)field = true;
		return 0;
	case KIND_HELP:
		print_help();
		return SIM_OPTIONS_E_DONE;
	case KIND_VERSION:
		printf("filmgate-sim %s\n", FILMGATE_VERSION);
		return SIM_OPTIONS_E_DONE;
	}
	return -EINVAL;
}

static int set_standards(struct sim_options *options)
{
	int r;

	for (size_t i = 0; i < ROWS; i++) {
		r = rows[i].standard ? read_value(&rows[i], rows[i].standard, options) : 0;
		if (r)
			return err_trace(r);
	}
	return 0;
}

static int choose_folders(struct sim_options *options, struct errmsg *msg)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n = 0;

	if (!options->data && state && *state)
		n = asprintf(&options->data, "%s/filmgate-sim", state);
	else if (!options->data && home && *home)
		n = asprintf(&options->data, "%s/.local/state/filmgate-sim", home);
	if (n < 0)
		return err_origin(-ENOMEM);
	if (!options->data) {
		errmsg_set(msg, "there is no HOME to keep data in; give --data DIR");
		return SIM_OPTIONS_E_USAGE;
	}
	if (!options->cache && asprintf(&options->cache, "%s/cache", options->data) < 0)
		return err_origin(-ENOMEM);
	return 0;
}

static int read_all(int argc, char **argv, struct errmsg *msg, struct sim_options *options)
{
	struct option table[ROWS + 1] = {0};
	int r, index, c;

	for (size_t i = 0; i < ROWS; i++)
		table[i] = (struct option){
			.name = rows[i].name, .has_arg = rows[i].argument ? required_argument : no_argument, .val = 1};
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", table, &index)) == 1) {
		r = read_value(&rows[index], optarg, options);
		if (r == SIM_OPTIONS_E_DONE || r == -ENOMEM)
			return r;
		if (r < 0) {
			errmsg_set(msg, "'%s' is not a value of --%s %s", optarg, rows[index].name,
				   rows[index].argument);
			return SIM_OPTIONS_E_USAGE;
		}
	}
	if (c != -1 || optind < argc) {
		errmsg_set(msg, "'%s' is not understood; see --help", c == -1 ? argv[optind] : argv[optind - 1]);
		return SIM_OPTIONS_E_USAGE;
	}
	return 0;
}

int sim_options_read(int argc, char **argv, struct errmsg *msg, struct sim_options *ret)
{
	struct sim_options options = {0};
	int r;

	r = set_standards(&options);
	r = r ? r : read_all(argc, argv, msg, &options);
	r = r ? r : choose_folders(&options, msg);
	if (r) {
		sim_options_finish(&options);
		return r;
	}

	*ret = options;
	return 0;
}

void sim_options_finish(struct sim_options *options)
{
	free(options->data);
	free(options->cache);
	options->data = options->cache = NULL;
}
