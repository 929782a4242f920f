/*
 * The command line. One table in options.c holds every option; --help is printed from it.
 */
#ifndef FG_SIM_OPTIONS_H
#define FG_SIM_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>

enum {
	_SIM_OPTIONS_E_OK,
	SIM_OPTIONS_E_USAGE, /* wrong: see the message */
	SIM_OPTIONS_E_DONE,  /* --help or --version: printed, nothing left to do */
};

struct sim_range {
	int64_t min, max;
};

/* Texts are borrowed from the command line, but for data and cache. */
struct sim_options {
	const char *listen;
	const char *files_listen;
	const char *files_url;
	const char *h2_listen;
	char *data;
	char *cache;
	const char *api_key;
	const char *second_key; /* NULL: none */
	int64_t token_life_s;
	int64_t credit_micros;
	int64_t price_micros;
	int64_t concurrency;
	struct sim_range render_ms;
	struct sim_range submit_ms;
	int64_t seed;
	int64_t link_life_s;
	int64_t max_seconds;
	bool small;
	int64_t burn_words; /* 0: all */
	int64_t render_jobs;
	int64_t render_timeout_s;
	int64_t body_bytes;
	const char *ffmpeg;
	const char *font;
	const char *faults;
	bool verbose;
};

int sim_options_read(int argc, char **argv, struct errmsg *msg, struct sim_options *ret);
void sim_options_finish(struct sim_options *options);

#endif
