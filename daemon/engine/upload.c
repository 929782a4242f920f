/*
 * Uploads of assets: bytes into a staging file, the file into a content, the content under a name.
 *
 * The same road as a download's: artifact_seal() syncs, hashes, looks and publishes under a claim, and while the claim
 * is held the asset is committed. The room on disk that is still to be filled is reserved, so that uploads and paid
 * videos do not promise it to each other.
 */
#include "engine/internal.h"

#include "base/failpoint.h"
#include "base/write.h"
#include "engine/asset.h"
#include "engine/run.h"
#include "engine/trouble.h"

#include <stdio.h>

struct engine_upload {
	struct submission submission;
	struct engine *engine;
	uint32_t tenant;
	char *display_name;
	uint64_t announced_bytes; /* 0: not */
	bool has_sha256;
	struct digest sha256;
	struct artifact_staging *staging;
	uint64_t written, reserved;

	/* While it is finished: */
	struct asset asset;
	bool has_claim;
	bool is_answered; /* while the store could not say whether it is on disk */
	engine_asset_fn *fn;
	void *userdata;
};

static const char draining[] = "the daemon is shutting down; upload the file again later";

static uint64_t limit_of(const struct engine *engine)
{
	return engine->config.max_asset_bytes;
}

static int refuse_size(const struct engine *engine, const char *what, uint64_t bytes, struct errmsg *msg)
{
	errmsg_set(
		msg,
		"the file %s %llu bytes; at most %llu are taken (limits.asset_bytes of the daemon); make it smaller, "
		"or raise the limit",
		what, (unsigned long long)bytes, (unsigned long long)limit_of(engine));
	return ENGINE_E_ASSET_REFUSED;
}

static int refuse_disk(const struct engine *engine, int r, struct errmsg *msg)
{
	if (r == ARTIFACT_E_NO_SPACE)
		errmsg_set(msg,
			   "the daemon's disk has no room for the file beside what is reserved (limits.reserve_bytes); "
			   "free some of it");
	else
		errmsg_set(msg, "the file cannot be written to '%.300s': %s; look at the disk",
			   artifact_store_path(engine->config.artifacts), log_errno(r));
	return ENGINE_E_STORE;
}

/* ---- open ---- */

static bool take_place(struct engine *engine)
{
	if (atomic_fetch_add(&engine->uploads, 1) < LIMIT_ENGINE_UPLOADS)
		return true;
	atomic_fetch_sub(&engine->uploads, 1);
	return false;
}

static int check_spec(struct engine *engine, const struct engine_upload_spec *spec, struct errmsg *msg)
{
	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING) {
		errmsg_set(msg, "%s", draining);
		return ENGINE_E_DRAINING;
	}
	if (!trouble_accepts(engine, msg))
		return ENGINE_E_STORE;
	return spec->size_bytes > limit_of(engine) ? refuse_size(engine, "has", spec->size_bytes, msg) : 0;
}

static int prepare(struct engine_upload *upload, struct errmsg *msg)
{
	struct engine *engine = upload->engine;
	char name[48];
	int r = artifact_reserve(engine->config.artifacts, upload->announced_bytes);

	if (r != 0)
		return refuse_disk(engine, r, msg);
	upload->reserved = upload->announced_bytes;
	snprintf(name, sizeof(name), "asset-%llu", (unsigned long long)atomic_fetch_add(&engine->uploads_begun, 1));
	r = artifact_stage(engine->config.artifacts, name, &upload->staging);
	return r != 0 ? refuse_disk(engine, r, msg) : 0;
}

int engine_upload_open(struct engine *engine, const struct engine_upload_spec *spec, struct engine_upload **ret,
		       struct errmsg *msg)
{
	struct engine_upload *upload;
	int r = check_spec(engine, spec, msg);

	if (r != 0)
		return r;
	if (!take_place(engine)) {
		errmsg_set(msg, "%d uploads are open, as many as there may be at once; try again when one has ended",
			   LIMIT_ENGINE_UPLOADS);
		return ENGINE_E_UPLOADS;
	}
	upload = take_memory(sizeof(*upload));
	upload->engine = engine;
	upload->tenant = spec->tenant;
	upload->display_name = take_text(spec->display_name && *spec->display_name ? spec->display_name : NULL);
	upload->announced_bytes = spec->size_bytes;
	if (spec->sha256) {
		upload->has_sha256 = true;
		upload->sha256 = *spec->sha256;
	}
	r = prepare(upload, msg);
	if (r != 0) {
		engine_upload_drop(upload);
		return r;
	}
	*ret = upload;
	return 0;
}

struct engine_upload *engine_upload_drop(struct engine_upload *upload)
{
	if (!upload)
		return NULL;
	artifact_staging_discard(upload->staging);
	if (upload->reserved)
		artifact_release(upload->engine->config.artifacts, upload->reserved);
	atomic_fetch_sub(&upload->engine->uploads, 1);
	asset_finish(&upload->asset);
	free(upload->display_name);
	free(upload);
	return NULL;
}

/* ---- write ---- */

static int write_data(int fd, struct bytes data)
{
	int r = write_fully(fd, data);

	return r == -ENOSPC || r == -EDQUOT ? ARTIFACT_E_NO_SPACE : r;
}

static int check_room(struct engine_upload *upload, uint64_t len, struct errmsg *msg)
{
	int r;

	if (upload->announced_bytes && len > upload->announced_bytes - upload->written) {
		errmsg_set(msg, "more bytes came than the %llu that were announced",
			   (unsigned long long)upload->announced_bytes);
		return ENGINE_E_ASSET_REFUSED;
	}
	if (upload->written + len > limit_of(upload->engine))
		return refuse_size(upload->engine, "has at least", upload->written + len, msg);
	if (upload->announced_bytes)
		return 0;
	r = artifact_reserve(upload->engine->config.artifacts, len);
	if (r != 0)
		return refuse_disk(upload->engine, r, msg);
	upload->reserved += len;
	return 0;
}

int engine_upload_write(struct engine_upload *upload, struct bytes data, struct errmsg *msg)
{
	int r = check_room(upload, data.len, msg);

	if (r != 0)
		return r;
	r = write_data(artifact_staging_fd(upload->staging), data);
	if (r != 0)
		return refuse_disk(upload->engine, r, msg);
	/* What is written no longer is among the free bytes that reservations are held against. */
	artifact_release(upload->engine->config.artifacts, data.len);
	upload->reserved -= data.len;
	upload->written += data.len;
	return 0;
}

/* ---- finish ---- */

static void end(struct engine_upload *upload, int outcome, const char *text, bool existed)
{
	engine_asset_fn *fn = upload->fn;
	void *userdata = upload->userdata;
	bool is_answered = upload->is_answered;
	struct engine_error error = {.text = text};
	struct asset asset = upload->asset;

	upload->asset = (struct asset){0};
	/* At the very end artifact/ is closed, and its claims have gone with it. */
	if (upload->has_claim && atomic_load(&upload->engine->phase) != ENGINE_PHASE_STOPPED)
		artifact_release_claim(upload->engine->config.artifacts, &asset.sha256);
	engine_upload_drop(upload);
	if (!is_answered)
		fn(userdata, outcome, outcome ? &error : NULL, outcome ? NULL : &asset, existed);
	asset_finish(&asset);
}

static void commit(struct engine_upload *upload);

/* [reader thread] The one that was there before. If it has gone since, ours is the first. */
static void on_existing(void *userdata, int outcome, struct asset *assets, size_t n)
{
	struct engine_upload *upload = userdata;

	if (outcome != 0 || n == 0) {
		log_error("an asset could not be read from the store", "outcome", log_int(outcome));
		end(upload, ENGINE_E_STORE, "the asset is there and could not be read; see the daemon's log", false);
	} else if (!*assets[0].media_type) {
		asset_finish(&assets[0]);
		commit(upload);
	} else {
		asset_finish(&upload->asset);
		upload->asset = assets[0];
		end(upload, 0, NULL, true);
	}
}

/* [committer thread] The same bytes bring it back, if it turns out to be on disk. */
static void on_delayed(struct submission *submission)
{
	struct engine_upload *upload = (struct engine_upload *)(void *)submission;
	struct errmsg why;

	trouble_explain(upload->engine, &why);
	upload->is_answered = true;
	upload->fn(upload->userdata, ENGINE_E_STORE, &(struct engine_error){.text = why.text}, NULL, false);
}

/* [engine thread] */
static void on_committed(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct engine_upload *upload = (struct engine_upload *)(void *)submission;
	int outcome = store_commit_outcome(commit);
	struct errmsg why;

	FAILPOINT(UPLOAD_COMMITTED);
	if (outcome == 0) {
		end(upload, 0, NULL, false);
	} else if (outcome == STORE_E_ASSET_EXISTS && atomic_load(&engine->phase) != ENGINE_PHASE_STOPPED) {
		store_get_assets(engine->store, upload->tenant, &upload->asset.sha256, 1, on_existing, upload);
	} else {
		log_error("an asset was not stored", "outcome", log_int(outcome));
		/* Put off until the claim is released. */
		collect_if_unreferenced(engine, &upload->asset.sha256);
		trouble_explain(engine, &why);
		end(upload, ENGINE_E_STORE, why.text, false);
	}
}

/* [any-thread] */
static void commit(struct engine_upload *upload)
{
	struct store_commit *commit = store_commit_new();

	if (!commit)
		abort();
	upload->asset.created_ms = now_utc(upload->engine);
	upload->asset.id = id_new(upload->asset.created_ms);
	store_commit_put_asset(commit, upload->tenant, &upload->asset);
	upload->submission.on_delayed = on_delayed;
	upload->submission.on_committed = on_committed;
	store_submit(upload->engine->store, commit, &upload->submission);
}

static void refuse_seal(struct engine_upload *upload, const struct artifact_sealed *sealed)
{
	struct errmsg words;

	if (sealed->outcome == ARTIFACT_E_NOT_MEDIA) {
		errmsg_set(
			&words,
			"%.320s; an asset is a PNG, JPEG, WebP or GIF picture, an MP4, MOV or WebM video, or an MP3, "
			"M4A, AAC, WAV, FLAC or Ogg sound",
			sealed->message.text);
		end(upload, ENGINE_E_ASSET_REFUSED, words.text, false);
	} else if (sealed->outcome == ARTIFACT_E_TRUNCATED || sealed->outcome == ARTIFACT_E_OTHER_CONTENT) {
		errmsg_set(&words, "%.400s; send the whole file again", sealed->message.text);
		end(upload, ENGINE_E_ASSET_REFUSED, words.text, false);
	} else {
		end(upload, ENGINE_E_STORE, sealed->message.text, false);
	}
}

/* [artifact thread] */
static void on_sealed(void *userdata, const struct artifact_sealed *sealed)
{
	struct engine_upload *upload = userdata;
	struct asset *asset = &upload->asset;

	if (sealed->outcome != 0) {
		refuse_seal(upload, sealed);
		return;
	}
	upload->has_claim = true;
	asset->sha256 = sealed->sha256;
	asset->size_bytes = sealed->size_bytes;
	snprintf(asset->media_type, sizeof(asset->media_type), "%s", sealed->media_type);
	asset->duration_ms = sealed->duration_ms;
	asset->width = sealed->width;
	asset->height = sealed->height;
	asset->display_name = steal(upload->display_name);
	FAILPOINT(UPLOAD_SEALED);
	commit(upload);
}

void engine_upload_finish(struct engine_upload *take, engine_asset_fn *fn, void *userdata)
{
	struct artifact_store *artifacts = take->engine->config.artifacts;
	struct artifact_staging *staging = steal(take->staging);
	struct errmsg words;
	int r;

	take->fn = fn;
	take->userdata = userdata;
	if (take->announced_bytes && take->written != take->announced_bytes) {
		artifact_staging_discard(staging);
		errmsg_set(&words, "%llu bytes came, and %llu were announced; send the whole file again",
			   (unsigned long long)take->written, (unsigned long long)take->announced_bytes);
		end(take, ENGINE_E_ASSET_REFUSED, words.text, false);
		return;
	}
	r = take->has_sha256 ? artifact_seal_expected(artifacts, staging, "asset", &take->sha256, on_sealed, take)
			     : artifact_seal(artifacts, staging, "asset", on_sealed, take);
	if (r < 0)
		end(take, ENGINE_E_STORE, "the file could not be checked: out of memory", false);
}
