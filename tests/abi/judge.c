/*
 * A plugin that judges as its option `configuration` says or, when there is an order, as the order's prompt says.
 * "hangs" is for ever.
 */
#include "fg_manifest.h"

#include <filmgate/provider.h>

#include <unistd.h>

static void hang(void)
{
	for (;;)
		pause();
}

static int32_t find(const struct fg_host *h, struct fg_step *s)
{
	fg_node report = h->object(s), violations = h->array(s);

	for (int i = 0; i < 2; i++) {
		fg_node violation = h->object(s);

		h->put_text(s, violation, "/message", i ? "and another thing" : "the region 'moon' is none");
		h->append(s, violations, violation);
	}
	h->put(s, report, "/violations", violations);
	return h->report(s, report);
}

static int32_t check(const struct fg_host *h, struct fg_step *s)
{
	fg_node job = h->document(s, FG_DOC_JOB);
	fg_node words = h->at(s, job, "/model") ? h->at(s, job, "/parameters/prompt")
						: h->at(s, h->document(s, FG_DOC_ACCOUNT), "/options/configuration");

	if (h->is(s, words, "hangs"))
		hang();
	if (h->is(s, words, "finds"))
		return find(h, s);
	if (h->is(s, words, "refuses"))
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT));
	return h->report(s, h->object(s));
}

static int32_t start(const struct fg_host *h, struct fg_step *s)
{
	if (h->is(s, h->at(s, h->document(s, FG_DOC_JOB), "/parameters/prompt"), "hangs later"))
		hang();
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT));
}

static int32_t poll(const struct fg_host *h, struct fg_step *s)
{
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_LOST));
}

static const struct fg_plugin plugin = {
	.struct_size = sizeof(plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = start,
	.poll = poll,
	.check = check,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
