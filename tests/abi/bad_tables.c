/*
 * Plugins whose table, manifest or symbol is wrong, one per build: FIXTURE_… chooses.
 */
#include <filmgate/provider.h>

#include <stddef.h>

#define MODELS "\"models\":[{\"name\":\"m\",\"parameters\":{}}]"
#define MANIFEST_OF(name, abi, more)                            \
	"{\"name\":\"" name "\",\"version\":\"1\",\"abi\":" abi \
	",\"base_url\":\"https://api.example.com\"," more MODELS "}"

#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x
#define NAME TEXT(FIXTURE_NAME)

#ifdef FIXTURE_BAD_MANIFEST
static const char manifest[] = "{\"name\":\"" NAME "\",\"abi\":0,\"modles\":[]}";
#elif defined(FIXTURE_NO_JSON)
static const char manifest[] = "name: " NAME "\n";
#elif defined(FIXTURE_FEATURE)
static const char manifest[] = MANIFEST_OF(NAME, "0", "\"requires\":[\"push_delivery\"],");
#elif defined(FIXTURE_OTHER_NAME)
static const char manifest[] = MANIFEST_OF("somebody-else", "0", "");
#elif defined(FIXTURE_OTHER_ABI)
static const char manifest[] = MANIFEST_OF(NAME, "7", "");
#else
static const char manifest[] = MANIFEST_OF(NAME, "0", "");
#endif

int32_t verb(const struct fg_host *h, struct fg_step *s);

int32_t verb(const struct fg_host *h, struct fg_step *s)
{
	return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE));
}

/* A table of a later time: more verbs than today's. */
static const struct {
	struct fg_plugin today;
	fg_verb *tomorrow[2];
} table = {
	.today =
		{
#ifdef FIXTURE_SHORT
			.struct_size = 24,
#elif defined(FIXTURE_ODD_SIZE)
			.struct_size = sizeof(struct fg_plugin) - 3,
#elif defined(FIXTURE_WILD_SIZE)
			.struct_size = 0xfffffff8u,
#elif defined(FIXTURE_OLDER)
			.struct_size = offsetof(struct fg_plugin, subscribe),
#elif defined(FIXTURE_LONGER) || defined(FIXTURE_PADDING)
			.struct_size = sizeof(table),
#else
			.struct_size = sizeof(struct fg_plugin),
#endif
#ifdef FIXTURE_NEWER_HOST
			.needs_host_minor = 99,
#endif
#ifdef FIXTURE_WILD_MANIFEST
			.manifest_size = UINT64_C(1) << 60,
#else
			.manifest_size = sizeof(manifest) - 1,
#endif
			.manifest = manifest,
#ifndef FIXTURE_NO_START
			.start = verb,
#endif
			.poll = verb,
#ifdef FIXTURE_OLDER
			/* Built with a header that did not know it: what lies there is no verb of the plugin's. */
			.subscribe = verb,
			.list = verb,
#endif
		},
#ifdef FIXTURE_PADDING
	.tomorrow = {0, verb},
#endif
};

#ifdef FIXTURE_WRONG_MAJOR
FG_EXPORT const struct fg_plugin *fg_provider_v7(void);
const struct fg_plugin *fg_provider_v7(void)
#elif defined(FIXTURE_NO_ENTRY)
FG_EXPORT const struct fg_plugin *some_other_library(void);
const struct fg_plugin *some_other_library(void)
#else
const struct fg_plugin *fg_provider_v0(void)
#endif
{
#ifdef FIXTURE_NULL_TABLE
	return table.tomorrow[0] ? &table.today : 0;
#else
	return &table.today;
#endif
}
