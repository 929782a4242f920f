/*
 * The plugin's table. What is NULL is what HeyGen cannot do: it has no cancel, and a poll gives fresh links.
 */
#include "heygen.h"

#include "fg_manifest.h"

static const struct fg_plugin plugin = {
	.struct_size = sizeof(struct fg_plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = heygen_start,
	.poll = heygen_poll,
	.remove = heygen_remove,
	.upload = heygen_upload,
	.account = heygen_account,
	.catalogue = heygen_catalogue,
	.reconcile = heygen_reconcile,
	.check = heygen_check,
	.list = heygen_list,
	.webhook = heygen_webhook,
	.subscribe = heygen_subscribe,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
