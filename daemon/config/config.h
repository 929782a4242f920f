/*
 * The configuration file: read once at start, checked whole, and afterwards only looked at.
 *
 * Every option is one row of the table in options.c; the sample file, the help and every check come from that table.
 * A file is taken only when nothing is wrong with it, and what is wrong is said all at once, each with file and line.
 */
#ifndef FG_CONFIG_CONFIG_H
#define FG_CONFIG_CONFIG_H

#include "base/bytes.h"

#include <stdio.h>

enum {
	_CONFIG_E_OK,
	CONFIG_E_INVALID, /* the report says what to change */
};

struct config_texts {
	char **items;
	size_t n;
};

/* Never to be logged. The memory is wiped before it is freed. */
struct config_secret {
	char *name;  /* as the plugin's manifest calls it: "api_key" */
	char *value; /* text with a NUL behind its len bytes; never empty */
	size_t len;
};

/* Secrets that belong together. */
struct config_keys {
	struct config_secret *secrets;
	size_t n_secrets;
};

/* In the order of the option's words. */
enum config_http_version { CONFIG_HTTP_1_1, CONFIG_HTTP_2 };
enum config_mismatch { CONFIG_MISMATCH_ACCEPT, CONFIG_MISMATCH_FLAG, CONFIG_MISMATCH_FAIL };
enum config_uncertain { CONFIG_UNCERTAIN_HOLD, CONFIG_UNCERTAIN_FAIL, CONFIG_UNCERTAIN_RESUBMIT };

/* One row of an operator's price table. */
struct config_price {
	char *model;
	struct config_texts when; /* "resolution=1080p|4k", "media.source=unset" */
	char *amount;             /* a decimal number, as written, of `currency` for one `unit` */
	int unit;                 /* enum config_price_unit */
	char *currency;
	char *from, *until; /* "2026-11-22", days of UTC, both included; NULL: open */
};

enum config_unpriced { CONFIG_UNPRICED_ALLOW, CONFIG_UNPRICED_REFUSE };
enum config_period { CONFIG_PERIOD_DAY, CONFIG_PERIOD_MONTH };

/* What may be spent in a day or month. */
struct config_budget {
	char *name;   /* unique */
	char *amount; /* a decimal number, as written, of `currency` */
	char *currency;
	int period;        /* enum config_period */
	char *provider;    /* the id of a configured one; NULL: all. At most one of the two is set: */
	char *label;       /* "KEY=VALUE"; NULL: whatever the labels */
	int unpriced;      /* enum config_unpriced */
	unsigned int line; /* of the file, where it begins */
};

/* Who is told what becomes of jobs. */
struct config_webhook {
	char *name;                 /* unique, [a-z][a-z0-9-]* */
	char *url;                  /* NULL: it is for the addresses that orders name; at most one such */
	struct config_keys signing; /* each in the form whsec_BASE64; at least one */
	struct config_texts events; /* "job.failed"; none: all */
	char *retries;              /* seconds, with blanks between */
	bool allow_private_network; /* loopback, private and link-local addresses, and http without TLS */
	unsigned int line;          /* of the file, where it begins */
};

struct config_provider {
	char *id;       /* the account's name on the wire and in the store; [a-z][a-z0-9-]*, unique */
	char *plugin;   /* the plugin's name */
	char *base_url; /* no slash at the end; NULL: the plugin's own */
	/* Where credentials may go besides the origin of base_url, "https://host[:port]". Empty: as the plugin declares. */
	struct config_texts origins;
	struct config_secret *secrets;
	size_t n_secrets;
	struct config_keys *previous_keys; /* that it had before; what they do not name is as above */
	size_t n_previous_keys;
	int64_t concurrency; /* jobs it may run at once */
	int64_t rate;        /* jobs it may start a minute; 0: any */
	int64_t breaker;     /* failures in a row that stop it; 0: none do */
	struct config_poll {
		int64_t initial_ms, max_ms; /* 0: the plugin's; else initial_ms <= max_ms */
	} poll;
	int http_version; /* enum config_http_version */
	int64_t submit_timeout_ms;
	int64_t deadline_s;          /* of a job that names none, from acceptance */
	int on_uncertain;            /* enum config_uncertain */
	int on_mismatch;             /* enum config_mismatch */
	bool allow_private_network;  /* loopback, private and link-local addresses, and http without TLS */
	struct config_price *prices; /* in their order */
	size_t n_prices;
	char *price_table; /* the same as job_prices_new() takes it; NULL: none */
	char *options;     /* the free group as one JSON object; "{}" when there is none */
};

struct config {
	char *data_dir; /* absolute */
	/* At least one of the first two is set. */
	struct config_listen {
		char *grpc;        /* "HOST:PORT" with a loopback host, port 0: any; NULL: none */
		char *unix_socket; /* absolute path; NULL: none */
		char *http;        /* as grpc */
	} listen;
	struct config_web {
		struct config_texts hosts;   /* "video.example.com" */
		struct config_texts origins; /* "https://host[:port]" */
		struct config_texts models;  /* "NAME=PROVIDER/MODEL" */
		char *url;                   /* "https://host[:port]"; NULL: not said */
		int64_t requests_per_s;      /* of each client; 0: as many as it likes */
	} web;
	struct config_log {
		int format; /* enum log_format */
		int level;  /* enum log_level */
	} log;
	struct config_limits {
		int64_t queued_jobs;
		int64_t watchers;
		int64_t reserve_bytes; /* of disk that stay free */
		int64_t video_bytes;   /* of one result */
		int64_t asset_bytes;   /* of one upload */
		int64_t reply_bytes;   /* of one provider reply, in memory */
	} limits;
	struct config_http {
		int64_t exchanges, transfers; /* at once, over all providers */
		int64_t connect_timeout_ms;
		char *proxy;     /* NULL: none */
		char *ca_bundle; /* path; NULL: the system's */
	} http;
	struct config_events {
		int64_t retention_s;
	} events;
	int64_t drain_s;
	char *record_dir; /* absolute; NULL: steps of plugins are not recorded */
	struct config_texts plugin_dirs;
	struct config_budget *budgets;
	size_t n_budgets;
	struct config_webhook *webhooks;
	size_t n_webhooks;
	struct config_provider *providers;
	size_t n_providers;
};

/* What is wrong or doubtful, one line each: "FILE:LINE: error: NAME: …\n". Inert when zeroed. Never holds a secret. */
struct config_report {
	struct buffer lines; /* cut at LIMIT_CONFIG_REPORT; the counts go on */
	size_t errors;
	size_t warnings;
};
void config_report_finish(struct config_report *report);

/*
 * Reads and checks the file and the secrets that it names. 0: the caller frees *ret; the report may hold warnings.
 * CONFIG_E_INVALID: the report has at least one error. Negative: out of memory. Before the first thread: it reads the
 * environment.
 */
int config_load(const char *path, struct config **ret, struct config_report *report);
struct config *config_free(struct config *config);
void config_freep(struct config **config);

/* The documented sample: every option with its default; it loads as it is. It ends with an example provider, commented
 * out: take one leading "#" from each line that has no blank behind it. */
void config_print_sample(FILE *file);
/* One paragraph per option: name, what it takes, default, meaning. */
void config_print_help(FILE *file);

#endif
