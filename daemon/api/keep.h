/*
 * A file that came whole, as a part of a request, made an asset: what UploadAsset does for one that comes in pieces.
 */
#ifndef FG_API_KEEP_H
#define FG_API_KEEP_H

#include "base/bytes.h"
#include "engine/engine.h"

struct api;

/* Takes the buffer. @display_name: NULL: none; copied. Answers once, as engine_upload_finish(), or ENGINE_E_UPLOADS when
 * LIMIT_API_KEPT bytes wait for the disk. [any-thread] */
void api_keep_asset(struct api *api, struct buffer *take, const char *display_name, engine_asset_fn *fn,
		    void *userdata);

#endif
