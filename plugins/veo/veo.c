/*
 * The plugin's table. What is NULL is what Veo cannot do: it has no cancel and no delete, and a poll gives the same
 * objects of the bucket again.
 */
#include "veo.h"

#include "fg_manifest.h"

static const struct fg_plugin plugin = {
	.struct_size = sizeof(struct fg_plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = veo_start,
	.poll = veo_poll,
	.account = veo_account,
	.check = veo_check,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
