/*
 * A plugin's manifest: taken or refused with words, and what is taken keeps its promises.
 */
#include "plugin/manifest.h"
#include "base/err.h"
#include "fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = NULL;
	struct errmsg error = {0};
	int r = plugin_manifest_parse(bytes_of(data, size), &manifest, &error);

	assert(r == 0 || ((r == PLUGIN_MANIFEST_E_INVALID || r == PLUGIN_MANIFEST_E_FEATURE) && error.text[0]));
	if (r != 0)
		return 0;
	assert(manifest->name[0] && manifest->concurrency > 0 && manifest->key_window_ms >= 0);
	assert(manifest->poll_min_ms > 0 && manifest->poll_min_ms <= manifest->poll_max_ms &&
	       manifest->poll_first_ms > 0);
	assert(plugin_manifest_reads_state(manifest, manifest->state_version));
	for (size_t i = 0; i < manifest->n_auths; i++)
		assert(plugin_manifest_auth(manifest, manifest->auths[i].scheme));
	return 0;
}
