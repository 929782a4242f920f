/*
 * The asset verbs of the fake engine: a list in memory. What begins with "junk" is refused, what begins with "slow" is
 * written with a pause; a display name "used" cannot be deleted.
 */
#include "fake_engine.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ASSETS 64

struct engine_upload {
	struct digester *digester;
	struct engine_upload_spec spec;
	struct digest sha256;
	char name[256], begin[5];
	uint64_t written;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct asset kept[ASSETS];
static char names[ASSETS][256];
static size_t n_kept, n_open;
static uint64_t n_written;

struct fake_asset_counts fake_assets_count(void)
{
	struct fake_asset_counts counts;

	pthread_mutex_lock(&lock);
	counts = (struct fake_asset_counts){.open = (uint32_t)n_open, .kept = (uint32_t)n_kept, .written = n_written};
	pthread_mutex_unlock(&lock);
	return counts;
}

int engine_upload_open(struct engine *engine, const struct engine_upload_spec *spec, struct engine_upload **ret,
		       struct errmsg *msg)
{
	struct engine_upload *upload;

	(void)engine;
	if (spec->size_bytes > 1 << 30) {
		errmsg_set(msg, "too large");
		return ENGINE_E_ASSET_REFUSED;
	}
	upload = calloc(1, sizeof(*upload));
	assert(upload);
	upload->digester = digester_new();
	assert(upload->digester);
	upload->spec = *spec;
	if (spec->sha256)
		upload->sha256 = *spec->sha256;
	snprintf(upload->name, sizeof(upload->name), "%s", spec->display_name ? spec->display_name : "");
	pthread_mutex_lock(&lock);
	n_open++;
	pthread_mutex_unlock(&lock);
	*ret = upload;
	return 0;
}

int engine_upload_write(struct engine_upload *upload, struct bytes data, struct errmsg *msg)
{
	if (upload->written == 0)
		memcpy(upload->begin, data.data, data.len < 4 ? data.len : 4);
	if (strcmp(upload->begin, "slow") == 0)
		poll(NULL, 0, 50);
	upload->written += data.len;
	digester_add(upload->digester, data.data, data.len);
	pthread_mutex_lock(&lock);
	n_written += data.len;
	pthread_mutex_unlock(&lock);
	if (upload->spec.size_bytes && upload->written > upload->spec.size_bytes) {
		errmsg_set(msg, "more bytes came than were announced");
		return ENGINE_E_ASSET_REFUSED;
	}
	return 0;
}

struct engine_upload *engine_upload_drop(struct engine_upload *upload)
{
	if (!upload)
		return NULL;
	digester_free(upload->digester);
	free(upload);
	pthread_mutex_lock(&lock);
	n_open--;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static struct asset *find(const struct digest *sha256)
{
	for (size_t i = 0; i < n_kept; i++)
		if (memcmp(&kept[i].sha256, sha256, sizeof(*sha256)) == 0)
			return &kept[i];
	return NULL;
}

static struct asset *keep(const struct engine_upload *upload, const struct digest *sha256)
{
	struct asset *asset = &kept[n_kept];

	assert(n_kept < ASSETS);
	*asset = (struct asset){.sha256 = *sha256,
				.id = id_new(1700000000000 + (int64_t)n_kept),
				.size_bytes = upload->written,
				.duration_ms = 1500,
				.width = 640,
				.height = 360,
				.created_ms = 1700000000000,
				.display_name = names[n_kept]};
	snprintf(asset->media_type, sizeof(asset->media_type), "video/mp4");
	snprintf(names[n_kept], sizeof(names[n_kept]), "%s", upload->name);
	n_kept++;
	return asset;
}

void engine_upload_finish(struct engine_upload *take, engine_asset_fn *fn, void *userdata)
{
	struct digest sha256 = digester_end(take->digester);
	bool is_refused = strcmp(take->begin, "junk") == 0 || take->written == 0 ||
			  (take->spec.sha256 && memcmp(&take->sha256, &sha256, sizeof(sha256)) != 0);
	struct asset *asset = NULL;
	bool existed = false;

	pthread_mutex_lock(&lock);
	if (!is_refused) {
		asset = find(&sha256);
		existed = asset != NULL;
		asset = existed ? asset : keep(take, &sha256);
	}
	pthread_mutex_unlock(&lock);
	engine_upload_drop(take);
	fn(userdata, is_refused ? ENGINE_E_ASSET_REFUSED : 0, &(struct engine_error){.text = "no media"}, asset,
	   existed);
}

void engine_get_asset(struct engine *engine, uint32_t tenant, const struct digest *sha256, engine_asset_fn *fn,
		      void *userdata)
{
	const struct asset *asset;

	(void)engine;
	(void)tenant;
	pthread_mutex_lock(&lock);
	asset = find(sha256);
	pthread_mutex_unlock(&lock);
	fn(userdata, asset ? 0 : ENGINE_E_NOT_FOUND, NULL, asset, false);
}

void engine_list_assets(struct engine *engine, uint32_t tenant, const struct id *after, uint32_t limit,
			store_asset_list_fn *fn, void *userdata)
{
	static const struct id none;
	struct asset page[ASSETS];
	size_t n = 0, at;
	bool more;

	(void)engine;
	(void)tenant;
	pthread_mutex_lock(&lock);
	at = n_kept;
	if (memcmp(after, &none, sizeof(none)) != 0)
		while (at > 0 && memcmp(&kept[at - 1].id, after, sizeof(*after)) >= 0)
			at--;
	while (at > 0 && n < limit)
		page[n++] = kept[--at];
	more = at > 0;
	pthread_mutex_unlock(&lock);
	fn(userdata, 0, page, n, more);
}

void engine_delete_asset(struct engine *engine, uint32_t tenant, const struct digest *sha256, engine_done_fn *fn,
			 void *userdata)
{
	const struct engine_error used = {.text = "jobs/x uses it"}, missing = {.text = "there is none"};
	const struct asset *asset;

	(void)engine;
	(void)tenant;
	pthread_mutex_lock(&lock);
	asset = find(sha256);
	pthread_mutex_unlock(&lock);
	if (!asset)
		fn(userdata, ENGINE_E_NOT_FOUND, &missing);
	else if (strcmp(asset->display_name, "used") == 0)
		fn(userdata, ENGINE_E_ASSET_USED, &used);
	else
		fn(userdata, 0, NULL);
}
