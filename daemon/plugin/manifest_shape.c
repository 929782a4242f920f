#include "plugin/manifest_shape.h"

#include "base/limits.h"

#include <ctype.h>

static bool is_all_of(struct bytes text, const char *others)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)p[i]) && !(p[i] && strchr(others, p[i])))
			return false;
	return text.len > 0;
}

static bool is_plugin_name(struct bytes text)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (!islower((unsigned char)p[i]) &&
		    !(i && (isdigit((unsigned char)p[i]) || p[i] == '_' || p[i] == '-')))
			return false;
	return text.len > 0;
}

static bool is_header_name(struct bytes text)
{
	return is_all_of(text, "!#$%&'*+-.^_`|~");
}

static bool is_one_line(struct bytes text)
{
	const unsigned char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	return true;
}

static const struct plugin_shape any = {.kinds = ~0u};
static const struct plugin_shape boolean = {.kinds = SHAPE(BOOLEAN)};
static const struct plugin_shape text = {
	.kinds = SHAPE(TEXT), .min = 0, .max = 1024, .is_form = is_one_line, .form = "one line"};
static const struct plugin_shape plugin_name = {
	.kinds = SHAPE(TEXT), .min = 1, .max = 32, .is_form = is_plugin_name, .form = "a name of [a-z][a-z0-9_-]*"};
static const struct plugin_shape header_name = {
	.kinds = SHAPE(TEXT), .min = 1, .max = 128, .is_form = is_header_name, .form = "a header name"};
static const struct plugin_shape url = {.kinds = SHAPE(TEXT), .min = 1, .max = 1024};
static const struct plugin_shape texts = {.kinds = SHAPE(ARRAY), .each = &text, .max = 256};
static const struct plugin_shape urls = {.kinds = SHAPE(ARRAY), .each = &url, .max = 32};
static const struct plugin_shape abi = {.kinds = SHAPE(NUMBER), .min = 0, .max = 1000};
static const struct plugin_shape state_version = {.kinds = SHAPE(NUMBER), .min = 1, .max = 1000000};
static const struct plugin_shape state_versions = {.kinds = SHAPE(ARRAY), .each = &state_version, .max = 256};
static const struct plugin_shape milliseconds = {.kinds = SHAPE(NUMBER), .min = 1, .max = 86400000};
static const struct plugin_shape seconds = {.kinds = SHAPE(NUMBER), .min = 1, .max = 31536000};
static const struct plugin_shape scalar = {.kinds = SHAPE(TEXT) | SHAPE(NUMBER) | SHAPE(BOOLEAN)};

#define WORDS(...)                                           \
	.kinds = SHAPE(TEXT), .words = (const char *const[]) \
	{                                                    \
		__VA_ARGS__, NULL                            \
	}
static const struct plugin_shape auth_kind = {
	WORDS("none", "header", "bearer", "basic", "query", "google_service_account")};
static const struct plugin_shape scope = {WORDS("route", "account")};
static const struct plugin_shape billed = {WORDS("no", "yes", "unknown")};
static const struct plugin_shape cancel_while = {
	.kinds = SHAPE(ARRAY), .max = 2, .each = &(const struct plugin_shape){WORDS("queued", "running")}};
static const struct plugin_shape option_type = {WORDS("text", "number", "boolean")};

/* Member by member: name, shape, and whether it must be there. */
#define OBJECT(...)                                                             \
	.kinds = SHAPE(OBJECT), .members = (const struct plugin_shape_member[]) \
	{                                                                       \
		__VA_ARGS__,                                                    \
		{                                                               \
			NULL, NULL, false                                       \
		}                                                               \
	}

static const struct plugin_shape remote_ids = {.kinds = SHAPE(ARRAY), .each = &text, .min = 1, .max = 8};
static const struct plugin_shape secret = {OBJECT({"title", &text, false}, {"required", &boolean, false})};
static const struct plugin_shape secrets = {.kinds = SHAPE(OBJECT), .each = &secret};
static const struct plugin_shape auth = {OBJECT({"kind", &auth_kind, true}, {"name", &header_name, false},
						{"prefix", &text, false}, {"secret", &text, false},
						{"scope", &text, false}, {"origins", &urls, false})};
static const struct plugin_shape auths = {.kinds = SHAPE(OBJECT), .each = &auth};
static const struct plugin_shape headers = {.kinds = SHAPE(OBJECT), .each = &text};
static const struct plugin_shape option = {OBJECT({"type", &option_type, true}, {"title", &text, false},
						  {"default", &scalar, false}, {"required", &boolean, false})};
static const struct plugin_shape options = {.kinds = SHAPE(OBJECT), .each = &option};
static const struct plugin_shape idempotency = {OBJECT({"window_s", &seconds, true}, {"scope", &scope, true})};
static const struct plugin_shape poll = {
	OBJECT({"first_ms", &milliseconds, false}, {"min_ms", &milliseconds, false}, {"max_ms", &milliseconds, false})};
static const struct plugin_shape jobs = {.kinds = SHAPE(NUMBER), .min = 1, .max = 10000};
static const struct plugin_shape concurrency = {OBJECT({"default", &jobs, true})};
static const struct plugin_shape timeouts = {
	OBJECT({"buys_ms", &milliseconds, false}, {"safe_ms", &milliseconds, false})};
static const struct plugin_shape cancel = {
	OBJECT({"while", &cancel_while, false}, {"deletes_finished", &boolean, false}, {"billed", &billed, false})};
static const struct plugin_shape links = {OBJECT({"expire_s", &seconds, false}, {"refresh", &boolean, false})};

static const struct plugin_shape webhook_kind = {WORDS("hmac_sha256")};
static const struct plugin_shape key_encoding = {WORDS("raw", "base64")};
static const struct plugin_shape signature_encoding = {WORDS("hex", "base64")};
static const struct plugin_shape webhook_key = {OBJECT({"encoding", &key_encoding, false}, {"prefix", &text, false})};
static const struct plugin_shape signature = {
	OBJECT({"header", &header_name, true}, {"encoding", &signature_encoding, true}, {"prefix", &text, false})};
static const struct plugin_shape timestamp = {OBJECT({"header", &header_name, true}, {"tolerance_s", &seconds, true})};
static const struct plugin_shape event_id = {OBJECT({"header", &header_name, true})};
static const struct plugin_shape registration = {OBJECT({"secret", &text, true})};
static const struct plugin_shape webhook = {OBJECT({"kind", &webhook_kind, true}, {"secret", &text, true},
						   {"key", &webhook_key, false}, {"signature", &signature, true},
						   {"signs", &text, true}, {"timestamp", &timestamp, false},
						   {"id", &event_id, false}, {"register", &registration, false})};

static const struct plugin_shape catalogue_kind = {OBJECT({"title", &text, true})};
static const struct plugin_shape catalogue = {.kinds = SHAPE(OBJECT), .each = &catalogue_kind};

/* What stands in a model is job/'s business: job_capabilities_new() reads it. */
static const struct plugin_shape models = {.kinds = SHAPE(ARRAY), .each = &any, .min = 1, .max = LIMIT_JOB_MODELS};

const struct plugin_shape plugin_manifest_shape = {OBJECT(
	{"name", &plugin_name, true}, {"title", &text, false}, {"version", &text, true}, {"abi", &abi, true},
	{"state_version", &state_version, false}, {"reads_state_versions", &state_versions, false},
	{"requires", &texts, false}, {"base_url", &url, true}, {"origins", &urls, false}, {"secrets", &secrets, false},
	{"auth", &auths, false}, {"headers", &headers, false}, {"options", &options, false},
	{"request_id_header", &header_name, false}, {"idempotency", &idempotency, false}, {"poll", &poll, false},
	{"concurrency", &concurrency, false}, {"timeouts", &timeouts, false}, {"cancel", &cancel, false},
	{"links", &links, false}, {"webhook", &webhook, false}, {"catalogue", &catalogue, false},
	{"remote_ids", &remote_ids, false}, {"models", &models, true})};
