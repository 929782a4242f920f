/*
 * The table: what can be configured, and everything that is known about it. A new option is one row here and one
 * field in config.h.
 */
#include "config/options.h"

#include "base/decimal.h"
#include "base/instant.h"
#include "base/label.h"
#include "base/limits.h"

#include <ctype.h>
#include <sys/un.h>

static const char *check_path(const char *text)
{
	return text[0] == '/' ? NULL : "is not an absolute path: begin it with a slash";
}

static const char *check_name(const char *text)
{
	if (islower((unsigned char)text[0]) && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0')
		return NULL;
	return "is not a name: use a to z, 0 to 9 and hyphens, and begin with a letter";
}

/* What a manifest may say. */
static const char *check_plugin(const char *text)
{
	if (islower((unsigned char)text[0]) && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0')
		return NULL;
	return "is not the name of a plugin: use a to z, 0 to 9, hyphens and underscores, and begin with a letter";
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 5 && text[digits] == '\0' && strtol(text, NULL, 10) <= 65535;
}

static bool is_loopback_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t host = (size_t)(colon - text);

	if (strncmp(text, "127.", 4) == 0 && strspn(text, "0123456789.") == host)
		return true;
	return (host == 9 && memcmp(text, "localhost", 9) == 0) || (host == 5 && memcmp(text, "[::1]", 5) == 0);
}

/* There are no keys and no TLS on this side yet: whoever reaches the port can spend money. */
static const char *check_listener(const char *text)
{
	const char *colon = strrchr(text, ':');

	if (!colon || !is_port(colon + 1))
		return "is not HOST:PORT: write it as 127.0.0.1:8980";
	return is_loopback_address(text)
		       ? NULL
		       : "is not a loopback address: whoever reaches this port can spend money, so write 127.0.0.1:8980 and put "
			 "a proxy with access control in front";
}

/* The same, with a port of its own to show. */
static const char *check_http_listener(const char *text)
{
	const char *colon = strrchr(text, ':');

	if (!colon || !is_port(colon + 1))
		return "is not HOST:PORT: write it as 127.0.0.1:8981";
	return is_loopback_address(text)
		       ? NULL
		       : "is not a loopback address: whoever reaches this port can spend money, so write 127.0.0.1:8981 and put "
			 "a proxy with access control in front";
}

/* What follows scheme, host and port of an http or https URL; NULL when it is none. */
static const char *behind_origin(const char *text)
{
	size_t scheme = strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
	size_t len = scheme ? strspn(text + scheme,
				     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")
			    : 0;

	return len == 0 || text[scheme] == ':' ? NULL : text + scheme + len;
}

static const char *check_host(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

	return *text && text[len] == '\0'
		       ? NULL
		       : "is not the name of a host: write it as video.example.com, without scheme and port";
}

/* Its own words, since "is not a base URL" does not say what the matter is. */
static const char *check_user(const char *text)
{
	const char *slashes = strstr(text, "://"), *at = slashes ? strchr(slashes, '@') : NULL;

	if (!at || (size_t)(at - slashes) > 3 + strcspn(slashes + 3, "/?#"))
		return NULL;
	return "has a user or a password: leave them out; a key belongs in the file of a secret";
}

static const char *check_origin(const char *text)
{
	const char *rest = behind_origin(text);

	if (check_user(text))
		return check_user(text);
	return rest && *rest == '\0' ? NULL : "is not an origin: write it as https://host or https://host:port";
}

/* Whether there is such a model is known when its provider is loaded, and said to who orders by the name. */
static const char *check_model_name(const char *text)
{
	size_t name = strcspn(text, "="), provider = text[name] ? strcspn(text + name + 1, "/") : 0;
	const char *slash = text[name] ? text + name + 1 + provider : "";

	if (name > 0 && provider > 0 && *slash == '/' && slash[1] && !memchr(text, '/', name) &&
	    !strpbrk(text, " \t\r\n"))
		return NULL;
	return "is not NAME=PROVIDER/MODEL: write it as sora-2=veo/veo-3.1-generate-001, with no slash in the name and no spaces";
}

static const char *check_url(const char *text)
{
	const char *rest = behind_origin(text);

	if (check_user(text))
		return check_user(text);
	if (!rest || (*rest != '\0' && *rest != '/') || strpbrk(rest, "?# \t\r\n"))
		return "is not a base URL: write it as https://host/path, without user, query or fragment";
	return text[strlen(text) - 1] == '/' ? "ends with a slash: leave that out" : NULL;
}

static const char *check_webhook_url(const char *text)
{
	const char *rest = behind_origin(text);

	if (check_user(text))
		return check_user(text);
	if (!rest || (*rest && *rest != '/' && *rest != '?') || strpbrk(rest, "# \t\r\n"))
		return "is no URL: write it as https://host/path, without user and fragment";
	return NULL;
}

static const char *check_webhook_event(const char *text)
{
	static const char *const names[] = {"job.succeeded", "job.failed", "job.cancelled", "job.expired",
					    "job.uncertain"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], text) == 0)
			return NULL;
	return "is no event: there are job.succeeded, job.failed, job.cancelled, job.expired and job.uncertain";
}

static const char *check_retries(const char *text)
{
	size_t n = 0;

	for (const char *at = text; *at; n++) {
		size_t digits = strspn(at, "0123456789");

		if (digits == 0 || digits > 6 || (at[digits] && at[digits] != ' ') || n == LIMIT_WEBHOOK_RETRIES)
			return "are no pauses: write up to 32 numbers of seconds, of at most six digits, with a blank between";
		at += digits + (at[digits] == ' ');
	}
	return NULL;
}

/* What the model takes is known to its plugin alone; this is the form. */
static const char *check_condition(const char *text)
{
	size_t path = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

	if (path == 0 || text[path] != '=' || !text[path + 1])
		return "is no condition: write PARAMETER=VALUE, PARAMETER=VALUE|VALUE, PARAMETER=set or "
		       "PARAMETER=unset";
	return NULL;
}

static const char *check_amount(const char *text)
{
	int64_t micros;

	if (decimal_parse(bytes_of_text(text), 6, &micros) == 0 && micros >= 0 && micros <= LIMIT_JOB_PRICE_MICROS)
		return NULL;
	return "is no amount: write a number from 0 to 1000000 with at most six digits behind the point";
}

/* Of a whole day or month, where an order's is at most LIMIT_JOB_PRICE_MICROS. */
static const char *check_budget_amount(const char *text)
{
	int64_t micros;

	if (decimal_parse(bytes_of_text(text), 6, &micros) == 0 && micros >= 0)
		return NULL;
	return "is no amount: write a number from 0 to 9223372036854 with at most six digits behind the point";
}

static const char *check_currency(const char *text)
{
	if (strcmp(text, "credits") == 0 || (strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3))
		return NULL;
	return "is no currency: write three capital letters (ISO 4217), or credits";
}

static const char *check_day(const char *text)
{
	char instant[32];
	int64_t ms;

	snprintf(instant, sizeof(instant), "%.10sT00:00:00Z", text);
	if (strlen(text) == 10 && instant_parse(bytes_of_text(instant), &ms) == 0)
		return NULL;
	return "is no day: write it as 2026-11-22";
}

/* As a job may have it. */
static const char *check_label(const char *text)
{
	size_t key = strcspn(text, "=");

	if (key == 0 || !text[key])
		return "is no label: write KEY=VALUE";
	if (!label_is_key(bytes_of(text, key)))
		return "has a key that no job can have: write 1 to 63 characters of [a-z0-9_./-] before the =";
	if (!label_is_value(text + key + 1))
		return "has a value that no job can have: write at most 255 bytes without control characters behind the =";
	return NULL;
}

static const char *const periods[] = {"day", "month", NULL};
static const char *const unpriced_words[] = {"allow", "refuse", NULL};
static const char *const price_units[] = {"second", "video", NULL};
static const char *const http_versions[] = {"1.1", "2", NULL};
static const char *const uncertain_policies[] = {"hold", "fail", "resubmit", NULL};
static const char *const mismatch_policies[] = {"accept", "flag", "fail", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)
#define MINUTE_MS INT64_C(60000)
#define DAY_S INT64_C(86400)
#define PATH_BYTES 4095
#define SOCKET_BYTES ((int64_t)sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
#define AT(field) offsetof(struct config, field)
#define OF(field) offsetof(struct config_provider, field)
#define IN_PRICE(field) offsetof(struct config_price, field)
#define IN_WEBHOOK(field) offsetof(struct config_webhook, field)
#define IN_BUDGET(field) offsetof(struct config_budget, field)

/* Name, type, field, default, limits, help; then what only some have. */
#define ROW(name_, type_, offset_, fallback_, min_, max_, help_, ...)                                                 \
	{                                                                                                             \
		.name = (name_), .type = OPTION_##type_, .offset = (offset_), .fallback = (fallback_), .min = (min_), \
		.max = (max_), .help = (help_), ##__VA_ARGS__                                                         \
	}

const struct option config_options[] = {
	ROW("data_dir", TEXT, AT(data_dir), "/var/lib/filmgate", 1, PATH_BYTES,
	    "Where jobs and videos live. One daemon at a time; a real disk.", .check = check_path),

	ROW("listen", GROUP, 0, "", 0, 0,
	    "Where clients connect. An empty text closes a door; one of grpc and unix must be open."),
	ROW("listen.grpc", TEXT, AT(listen.grpc), "127.0.0.1:8980", 0, 260,
	    "Loopback address and port for gRPC; port 0 takes any free one.", .check = check_listener),
	ROW("listen.unix", TEXT, AT(listen.unix_socket), "/run/filmgate/filmgated.sock", 0, SOCKET_BYTES,
	    "Path of the unix socket for gRPC.", .check = check_path),
	ROW("listen.http", TEXT, AT(listen.http), "127.0.0.1:8981", 0, 260,
	    "Loopback address and port for HTTP: the API as JSON, events, metrics and health; port 0 takes any free one.",
	    .check = check_http_listener),

	ROW("web", GROUP, 0, "", 0, 0, "Who may use the HTTP side, and how often."),
	ROW("web.hosts", TEXTS, AT(web.hosts), "", 0, 32,
	    "Further names, without a port, by which this daemon is called: those of a proxy in front.",
	    .check = check_host),
	ROW("web.origins", TEXTS, AT(web.origins), "", 0, 32,
	    "Other sites whose pages may use it: https://host or https://host:port.", .check = check_origin),
	ROW("web.models", TEXTS, AT(web.models), "", 0, 64,
	    "Names of models for clients of /v1/videos, each NAME=PROVIDER/MODEL; PROVIDER/MODEL itself is always one.",
	    .check = check_model_name),
	ROW("web.url", TEXT, AT(web.url), "", 0, 300,
	    "Where others reach the HTTP side: https://host or https://host:port. Links to artifacts begin with it.",
	    .check = check_origin),
	ROW("web.requests_per_s", INTEGER, AT(web.requests_per_s), "1000", 0, 1000000,
	    "Requests over HTTP of each client, as the last address in X-Forwarded-For tells them apart; 0: no limit."),

	ROW("log", GROUP, 0, "", 0, 0, "The log goes to standard error."),
	ROW("log.format", CHOICE, AT(log.format), "text", 0, 0, "text is key=value; json is one object a line.",
	    .choices = log_formats),
	ROW("log.level", CHOICE, AT(log.level), "info", 0, 0, "The least that is written.", .choices = log_levels),

	ROW("limits", GROUP, 0, "", 0, 0, "What is refused beyond, each with a clear error."),
	ROW("limits.queued_jobs", INTEGER, AT(limits.queued_jobs), "1000000", 1, 100000000,
	    "Jobs that wait in the queue, over all providers."),
	ROW("limits.watchers", INTEGER, AT(limits.watchers), "10000", 1, 1000000,
	    "Open watches and other streams over gRPC, of all connections."),
	ROW("limits.reserve_bytes", INTEGER, AT(limits.reserve_bytes), "1073741824", 0, 1024 * TIB,
	    "Bytes of disk that stay free: below that nothing is bought."),
	ROW("limits.video_bytes", INTEGER, AT(limits.video_bytes), "8589934592", MIB, 16 * TIB,
	    "Bytes of one result; a larger one is a failed download."),
	ROW("limits.asset_bytes", INTEGER, AT(limits.asset_bytes), "2147483648", MIB, 16 * TIB,
	    "Bytes of one uploaded asset; a larger one is refused."),
	ROW("limits.reply_bytes", INTEGER, AT(limits.reply_bytes), "8388608", 64 * KIB, LIMIT_STORE_REPLY,
	    "Bytes of one reply of a provider that is held in memory, and kept when it is about a purchase."),

	ROW("http", GROUP, 0, "", 0, 0, "The way out to the providers."),
	ROW("http.exchanges", INTEGER, AT(http.exchanges), "256", 1, 10000,
	    "Submits and polls in flight at once, over all providers."),
	ROW("http.transfers", INTEGER, AT(http.transfers), "8", 1, 1000, "Downloads at once, over all providers."),
	ROW("http.connect_timeout_ms", INTEGER, AT(http.connect_timeout_ms), "15000", 100, 10 * MINUTE_MS,
	    "Milliseconds for name lookup, connection and TLS."),
	ROW("http.proxy", TEXT, AT(http.proxy), "", 0, 2048,
	    "Proxy for everything that goes out, http://host:port. The environment's is never used.",
	    .check = check_url),
	ROW("http.ca_bundle", TEXT, AT(http.ca_bundle), "", 0, PATH_BYTES,
	    "PEM file of trusted certificates instead of the system's.", .check = check_path),

	ROW("events", GROUP, 0, "", 0, 0, "What a watcher that comes back may have missed."),
	ROW("events.retention_s", INTEGER, AT(events.retention_s), "604800", 1, 3650 * DAY_S,
	    "Seconds that events are kept."),

	ROW("drain_s", INTEGER, AT(drain_s), "90", 0, DAY_S,
	    "Seconds that a stop waits for replies to paid requests. With less, a job may be left of which nobody knows\n"
	    "whether it was bought."),
	ROW("record_dir", TEXT, AT(record_dir), "", 0, PATH_BYTES,
	    "Folder that takes each step of a plugin as a file, without secrets but with prompts: for people who write\n"
	    "plugins ('filmgate plugin check --replay'). Empty: nothing is recorded.",
	    .check = check_path),
	ROW("plugin_dirs", TEXTS, AT(plugin_dirs), FILMGATE_PROVIDER_DIR, 1, 16,
	    "Folders with provider plugins, searched in order.", .check = check_path),

	ROW("budgets", BUDGETS, 0, "", 0, LIMIT_STORE_BUDGETS,
	    "What may be spent. Before an order is sent, what it is quoted is reserved; where a budget has no room for\n"
	    "it, it waits. An order that alone costs more than a whole budget is refused."),
	ROW("budgets.name", TEXT, IN_BUDGET(name), NULL, 1, 63, "What messages call it.", .check = check_name,
	    .sample = "\"all\""),
	ROW("budgets.amount", TEXT, IN_BUDGET(amount), NULL, 1, 20, "How much, in the currency.",
	    .check = check_budget_amount, .sample = "\"50.00\""),
	ROW("budgets.currency", TEXT, IN_BUDGET(currency), NULL, 3, 7,
	    "ISO 4217, or credits. Orders that are quoted in another one do not count.", .check = check_currency,
	    .sample = "\"USD\""),
	ROW("budgets.period", CHOICE, IN_BUDGET(period), "day", 0, 0, "For how long, in UTC.", .choices = periods),
	ROW("budgets.provider", TEXT, IN_BUDGET(provider), "", 0, 63,
	    "Only orders of this provider, one of those below. Empty: of all.", .check = check_name),
	ROW("budgets.label", TEXT, IN_BUDGET(label), "", 0, 319,
	    "Only orders with this label, KEY=VALUE; not together with a provider. Empty: whatever their labels.",
	    .check = check_label),
	ROW("budgets.unpriced", CHOICE, IN_BUDGET(unpriced), "allow", 0, 0,
	    "Orders whose price nobody knows: allow reserves nothing for them and counts what they came to; refuse\n"
	    "refuses them.",
	    .choices = unpriced_words),

	ROW("webhooks", WEBHOOKS, 0, "", 0, LIMIT_WEBHOOK_ENDPOINTS,
	    "Who is told what becomes of jobs, by signed requests (Standard Webhooks). They do not go through http.proxy, since\n"
	    "the address that is connected to is looked at each time."),
	ROW("webhooks.name", TEXT, IN_WEBHOOK(name), NULL, 1, 63,
	    "What messages call it. Keep it: what is still to be delivered is given up when its name is gone, and under a new\n"
	    "one only what happens from then on is sent.",
	    .check = check_name, .sample = "\"studio\""),
	ROW("webhooks.url", TEXT, IN_WEBHOOK(url), "", 0, LIMIT_WEBHOOK_URL,
	    "Where they go. Empty: this entry signs for the addresses that orders name by themselves; one may be so.",
	    .check = check_webhook_url, .sample = "\"https://studio.example.com/hooks/filmgate\""),
	ROW("webhooks.signing", SIGNING, 0, "", 0, LIMIT_WEBHOOK_SECRETS,
	    "Where the secrets are that sign, each as in providers.secrets: NAME_file, NAME_env, NAME_credential, under any\n"
	    "NAME. One has the form whsec_BASE64: echo whsec_$(openssl rand -base64 32). Each signs, so that a new one can be\n"
	    "put beside an old one until the receiver has it.",
	    .sample = "{ current_file = \"/etc/filmgate/studio.whsec\"; }"),
	ROW("webhooks.events", TEXTS, IN_WEBHOOK(events), "", 0, 5,
	    "Of these: job.succeeded, job.failed, job.cancelled, job.expired, job.uncertain. None: of all.",
	    .check = check_webhook_event),
	ROW("webhooks.retries", TEXT, IN_WEBHOOK(retries), "5 300 1800 7200 18000 36000 36000", 1, 223,
	    "Seconds before each further try of what was not taken, and a tenth more at random. After the last it is given up,\n"
	    "and 'filmgate webhooks redeliver' sends it again.",
	    .check = check_retries),
	ROW("webhooks.allow_private_network", BOOL, IN_WEBHOOK(allow_private_network), "false", 0, 0,
	    "Allow loopback and private addresses, and http without TLS."),

	ROW("providers", PROVIDERS, 0, "", 0, LIMIT_CONFIG_PROVIDERS,
	    "Accounts at video providers. Each is reached by the plugin that it names."),
	ROW("providers.id", TEXT, OF(id), NULL, 1, 63,
	    "The name that jobs choose it by. Keep it: stored jobs refer to it.", .check = check_name,
	    .sample = "\"heygen\""),
	ROW("providers.plugin", TEXT, OF(plugin), NULL, 1, 63, "The plugin's name.", .check = check_plugin,
	    .sample = "\"heygen\""),
	ROW("providers.base_url", TEXT, OF(base_url), "", 0, 2048,
	    "Where its API is, if not where the plugin says; a simulator, for instance.", .check = check_url),
	ROW("providers.origins", TEXTS, OF(origins), "", 0, 32, "Further origins that may receive its credentials.",
	    .check = check_origin),
	ROW("providers.secrets", SECRETS, 0, "", 0, LIMIT_CONFIG_SECRETS,
	    "Where its secrets are; never the secrets themselves. NAME_file is a path, NAME_env an environment variable,\n"
	    "NAME_credential a systemd credential.",
	    .sample = "{ api_key_file = \"/etc/filmgate/heygen.key\"; }"),
	ROW("providers.previous_keys", KEYS, 0, "", 0, LIMIT_CONFIG_KEYS,
	    "The secrets that it had before, the newest first, each as in secrets, such as\n"
	    "( { api_key_file = \"/etc/filmgate/heygen-old.key\"; } ); what one does not name is as it is there. New jobs are\n"
	    "started with the secrets above, and those that were ordered with one of these stay with it. Leave it out when they\n"
	    "are done.",
	    .sample = "( )"),
	ROW("providers.concurrency", INTEGER, OF(concurrency), "0", 0, 10000,
	    "Jobs that it may work on at once; your plan at the provider says how many. 0: as many as its plugin says.\n"
	    "Providers with the same secrets and base_url are one account: together no more than the largest of theirs."),
	ROW("providers.rate", INTEGER, OF(rate), "0", 0, 60000,
	    "Jobs that it may start a minute, evenly spread; 0: any number. One account keeps the smallest of its rates."),
	ROW("providers.breaker", INTEGER, OF(breaker), "10", 0, 1000000,
	    "So many exchanges in a row without a reply, or with an error of its own, and nothing is started there for ten\n"
	    "seconds; then one job is, and each time that fails the pause doubles, up to five minutes. 0: never."),
	ROW("providers.poll", GROUP, 0, "", 0, 0,
	    "How often it is asked for news, where the provider does not say. 0: as its plugin says."),
	ROW("providers.poll.initial_ms", INTEGER, OF(poll.initial_ms), "0", 0, 10 * MINUTE_MS,
	    "Milliseconds before the first question, and the shortest pause between two."),
	ROW("providers.poll.max_ms", INTEGER, OF(poll.max_ms), "0", 0, 60 * MINUTE_MS,
	    "Milliseconds that the pauses grow to."),
	ROW("providers.http_version", CHOICE, OF(http_version), "1.1", 0, 0,
	    "What is spoken to its API. 2: offered over TLS, and 1.1 where the server prefers it; over http at once. A paid\n"
	    "request leaves once in either. Files are downloaded over 1.1.",
	    .choices = http_versions),
	ROW("providers.submit_timeout_ms", INTEGER, OF(submit_timeout_ms), "0", 0, 60 * MINUTE_MS,
	    "Milliseconds that a paid request may take; 0: as its plugin says, else two minutes. Be generous: one that is\n"
	    "cut off may have been charged."),
	ROW("providers.deadline_s", INTEGER, OF(deadline_s), "86400", 1, 365 * DAY_S,
	    "Seconds that a job may take in all when it does not say."),
	ROW("providers.on_uncertain", CHOICE, OF(on_uncertain), "hold", 0, 0,
	    "What becomes of a job when nobody can find out whether it was bought, unless the job says: hold it for a person\n"
	    "to decide, fail it, or resubmit it, at most twice, though it may be paid for more than once.",
	    .choices = uncertain_policies),
	ROW("providers.on_mismatch", CHOICE, OF(on_mismatch), "flag", 0, 0,
	    "What becomes of a job whose video is not what was ordered (length, size, shape, frame rate, sound, or it is\n"
	    "black or still), unless the job says: accept it without a look, flag what is different on the job, or fail the\n"
	    "job, which costs what it costs and keeps its files. Needs ffprobe and ffmpeg; what they cannot tell is fine.",
	    .choices = mismatch_policies),
	ROW("providers.allow_private_network", BOOL, OF(allow_private_network), "false", 0, 0,
	    "Allow loopback and private addresses, and http without TLS: for simulators."),
	ROW("providers.prices", PRICES, 0, "", 0, LIMIT_JOB_PRICES,
	    "What its orders cost you, for quotes and costs; goes before what its plugin knows. Of the rules whose\n"
	    "conditions and days hold, the first is the price. A job keeps the price with which it was accepted."),
	ROW("providers.prices.model", TEXT, IN_PRICE(model), NULL, 1, 255, "The model that it is for.",
	    .sample = "\"avatar\""),
	ROW("providers.prices.when", TEXTS, IN_PRICE(when), "", 0, 16,
	    "Conditions on the order, which must all hold: PARAMETER=VALUE, PARAMETER=VALUE|VALUE, PARAMETER=set,\n"
	    "PARAMETER=unset. Parameters as 'filmgate providers get' shows them, and media.ROLE.",
	    .check = check_condition, .sample = "[ \"resolution=4k\" ]"),
	ROW("providers.prices.amount", TEXT, IN_PRICE(amount), NULL, 1, 14,
	    "What one second or video costs, in the currency.", .check = check_amount, .sample = "\"0.0833\""),
	ROW("providers.prices.unit", CHOICE, IN_PRICE(unit), "second", 0, 0,
	    "What the amount is for: a second of delivered video, or a video.", .choices = price_units),
	ROW("providers.prices.currency", TEXT, IN_PRICE(currency), NULL, 3, 7, "ISO 4217, or credits.",
	    .check = check_currency, .sample = "\"USD\""),
	ROW("providers.prices.valid_from", TEXT, IN_PRICE(from), "", 0, 10,
	    "The first day, in UTC, for orders that are accepted on it. Empty: always.", .check = check_day),
	ROW("providers.prices.valid_until", TEXT, IN_PRICE(until), "", 0, 10, "The last day. Empty: for ever.",
	    .check = check_day),
	ROW("providers.options", FREE, OF(options), "", 0, LIMIT_CONFIG_FREE,
	    "Whatever else its plugin wants to know; see the plugin."),
};

const size_t config_options_n = sizeof(config_options) / sizeof(config_options[0]);

const char *option_leaf(const struct option *option, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(option->name, prefix, len) != 0 || strchr(option->name + len, '.'))
		return NULL;
	return option->name + len;
}

const struct option *option_find(const char *prefix, const char *leaf)
{
	for (size_t i = 0; i < config_options_n; i++) {
		const char *name = option_leaf(&config_options[i], prefix);

		if (name && strcmp(name, leaf) == 0)
			return &config_options[i];
	}
	return NULL;
}
