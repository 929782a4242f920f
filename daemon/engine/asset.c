#include "engine/asset.h"

#include "engine/internal.h"

/* ---- opening ---- */

struct asset_opening {
	struct engine *engine;
	struct asset asset;
	asset_opened_fn *fn;
	void *userdata;
};

static void end_opening(struct asset_opening *opening, int outcome, int fd)
{
	opening->fn(opening->userdata, outcome, outcome ? NULL : &opening->asset, fd);
	asset_finish(&opening->asset);
	free(opening);
}

/* [artifact thread] */
static void on_opened(void *userdata, int outcome, int fd)
{
	if (outcome == 0)
		end_opening(userdata, 0, fd);
	else
		end_opening(userdata, outcome == ARTIFACT_E_DAMAGED ? ENGINE_E_DAMAGED : ENGINE_E_STORE, -1);
}

/* [reader thread] */
static void on_found(void *userdata, int outcome, struct asset *assets, size_t n)
{
	struct asset_opening *opening = userdata;
	int r;

	if (outcome != 0 || n == 0) {
		log_error("an asset could not be read from the store", "outcome", log_int(outcome));
		end_opening(opening, ENGINE_E_STORE, -1);
		return;
	}
	opening->asset = assets[0];
	if (!*opening->asset.media_type) {
		end_opening(opening, ENGINE_E_NOT_FOUND, -1);
		return;
	}
	r = artifact_open(opening->engine->config.artifacts, &opening->asset.sha256, opening->asset.size_bytes,
			  on_opened, opening);
	if (r < 0)
		on_opened(opening, r, -1);
}

void asset_open(struct engine *engine, uint32_t tenant, const struct digest *sha256, asset_opened_fn *fn,
		void *userdata)
{
	struct asset_opening *opening = take_memory(sizeof(*opening));

	*opening = (struct asset_opening){.engine = engine, .fn = fn, .userdata = userdata};
	store_get_assets(engine->store, tenant, sha256, 1, on_found, opening);
}
