/*
 * Assets, for the rest of this room: the bytes of one that an order names.
 */
#ifndef FG_ENGINE_ASSET_H
#define FG_ENGINE_ASSET_H

#include "engine/engine.h"
#include "job/asset.h"

/*
 * Finds an asset and opens its file for reading. 0: @asset, until the callback returns, has its size and media type,
 * and @fd is an open regular file of that size, the callee's. ENGINE_E_NOT_FOUND; ENGINE_E_DAMAGED, which has been
 * logged; ENGINE_E_STORE. The callback runs once, on a thread of store/ or artifact/, and must not block: post what it
 * brings to the engine thread. [any-thread]
 *
 * An asset that a job names stays as long as the job has not ended.
 */
typedef void asset_opened_fn(void *userdata, int outcome, const struct asset *asset, int fd);
void asset_open(struct engine *engine, uint32_t tenant, const struct digest *sha256, asset_opened_fn *fn,
		void *userdata);

#endif
