/*
 * The plugin's table. What is NULL is what this interface does not have: no cancel, and a poll names the same results
 * again.
 */
#include "openai_videos.h"

#include "fg_manifest.h"

static const struct fg_plugin plugin = {
	.struct_size = sizeof(struct fg_plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = openai_start,
	.poll = openai_poll,
	.remove = openai_remove,
	.reconcile = openai_reconcile,
	.account = openai_account,
	.check = openai_check,
	.list = openai_list,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
