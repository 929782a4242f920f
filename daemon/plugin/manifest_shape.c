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

#define WORDS(...)                                                   \
	{                                                            \
		.kinds = SHAPE(TEXT), .words = (const char *const[]) \
		{                                                    \
			__VA_ARGS__, NULL                            \
		}                                                    \
	}
static const struct plugin_shape auth_kind = WORDS("none", "header", "bearer", "basic", "query");
static const struct plugin_shape scope = WORDS("route", "account");
static const struct plugin_shape billed = WORDS("no", "yes", "unknown");
static const struct plugin_shape cancel_while = {
	.kinds = SHAPE(ARRAY), .max = 2, .each = &(const struct plugin_shape)WORDS("queued", "running")};
static const struct plugin_shape option_type = WORDS("text", "number", "boolean");

#define OBJECT(...)                                                                     \
	{                                                                               \
		.kinds = SHAPE(OBJECT), .members = (const struct plugin_shape_member[]) \
		{                                                                       \
			__VA_ARGS__,                                                    \
			{                                                               \
				NULL, NULL, false                                       \
			}                                                               \
		}                                                                       \
	}
#define NEEDS(name, shape)        \
	{                         \
		name, shape, true \
	}
#define TAKES(name, shape)         \
	{                          \
		name, shape, false \
	}

static const struct plugin_shape secret = OBJECT(TAKES("title", &text), TAKES("required", &boolean));
static const struct plugin_shape secrets = {.kinds = SHAPE(OBJECT), .each = &secret};
static const struct plugin_shape auth = OBJECT(NEEDS("kind", &auth_kind), TAKES("name", &header_name),
					       TAKES("prefix", &text), TAKES("secret", &text), TAKES("origins", &urls));
static const struct plugin_shape auths = {.kinds = SHAPE(OBJECT), .each = &auth};
static const struct plugin_shape headers = {.kinds = SHAPE(OBJECT), .each = &text};
static const struct plugin_shape option = OBJECT(NEEDS("type", &option_type), TAKES("title", &text),
						 TAKES("default", &scalar), TAKES("required", &boolean));
static const struct plugin_shape options = {.kinds = SHAPE(OBJECT), .each = &option};
static const struct plugin_shape idempotency = OBJECT(NEEDS("window_s", &seconds), NEEDS("scope", &scope));
static const struct plugin_shape poll = OBJECT(TAKES("first_ms", &milliseconds), TAKES("min_ms", &milliseconds),
					       TAKES("max_ms", &milliseconds));
static const struct plugin_shape jobs = {.kinds = SHAPE(NUMBER), .min = 1, .max = 10000};
static const struct plugin_shape concurrency = OBJECT(NEEDS("default", &jobs));
static const struct plugin_shape timeouts = OBJECT(TAKES("buys_ms", &milliseconds), TAKES("safe_ms", &milliseconds));
static const struct plugin_shape cancel = OBJECT(TAKES("while", &cancel_while), TAKES("deletes_finished", &boolean),
						 TAKES("billed", &billed));
static const struct plugin_shape links = OBJECT(TAKES("expire_s", &seconds), TAKES("refresh", &boolean));

/* What stands in a model is job/'s business: job_capabilities_new() reads it. */
static const struct plugin_shape models = {.kinds = SHAPE(ARRAY), .each = &any, .min = 1, .max = LIMIT_JOB_MODELS};

const struct plugin_shape plugin_manifest_shape = OBJECT(
	NEEDS("name", &plugin_name), TAKES("title", &text), NEEDS("version", &text), NEEDS("abi", &abi),
	TAKES("state_version", &state_version), TAKES("reads_state_versions", &state_versions),
	TAKES("requires", &texts), NEEDS("base_url", &url), TAKES("origins", &urls), TAKES("secrets", &secrets),
	TAKES("auth", &auths), TAKES("headers", &headers), TAKES("options", &options),
	TAKES("request_id_header", &header_name), TAKES("idempotency", &idempotency), TAKES("poll", &poll),
	TAKES("concurrency", &concurrency), TAKES("timeouts", &timeouts), TAKES("cancel", &cancel),
	TAKES("links", &links), NEEDS("models", &models));
