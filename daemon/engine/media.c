#include "engine/media.h"

#include "engine/asset.h"
#include "engine/key.h"

#include <fcntl.h>
#include <unistd.h>

/* ---- the set ---- */

static struct media *media_new(size_t room)
{
	struct media *media = take_memory(sizeof(*media));

	atomic_init(&media->refs, 1);
	media->items = take_memory((room + 1) * sizeof(*media->items));
	media->assets = take_memory((room + 1) * sizeof(*media->assets));
	return media;
}

struct media *media_ref(struct media *media)
{
	if (media)
		atomic_fetch_add(&media->refs, 1);
	return media;
}

struct media *media_unref(struct media *media)
{
	if (!media || atomic_fetch_sub(&media->refs, 1) != 1)
		return NULL;
	for (size_t i = 0; i < media->n; i++) {
		close(media->items[i].fd);
		store_handle_finish(&media->items[i].handle);
	}
	free(media->items);
	free(media->assets);
	free(media);
	return NULL;
}

struct media_item *media_find(const struct media *media, const char *name)
{
	for (size_t i = 0; media && i < media->n; i++)
		if (strcmp(media->items[i].name, name) == 0)
			return &media->items[i];
	return NULL;
}

/* What a step sees of an item: views into it. */
static void show(struct media *media, const struct media_item *item)
{
	media->assets[item - media->items] = (struct plugin_asset){
		.name = item->name,
		.media_type = item->media_type,
		.size_bytes = item->size_bytes,
		.handle = item->handle.handle,
		.headers = item->handle.headers,
	};
}

void media_set_handle(struct media *media, struct media_item *item, const struct store_handle *handle)
{
	store_handle_finish(&item->handle);
	item->handle = (struct store_handle){
		.handle = take_text(handle->handle),
		.headers = take_text(handle->headers),
		.uploaded_ms = handle->uploaded_ms,
		.expires_ms = handle->expires_ms,
	};
	show(media, item);
}

struct media *media_single(const struct media_item *item)
{
	int fd = fcntl(item->fd, F_DUPFD_CLOEXEC, 3);
	struct media *media;

	if (fd < 0)
		return NULL;
	media = media_new(1);
	media->items[media->n++] = *item;
	media->items[0].fd = fd;
	media->items[0].handle = (struct store_handle){0};
	show(media, &media->items[0]);
	return media;
}

/* ---- loading: the handles in one read, then the files one by one ---- */

struct loading {
	struct media *media;
	struct store_handle *handles; /* of the job's assets, in their order */
	size_t at;                    /* the asset that is being opened */
	void (*then)(struct entry *entry, struct plugin_answer *take);
};

struct hop {
	struct arrival arrival;
	struct loading *loading;
	int outcome;
	struct media_item item;
};

static void free_loading(struct loading *loading, size_t n)
{
	for (size_t i = 0; loading->handles && i < n; i++)
		store_handle_finish(&loading->handles[i]);
	free(loading->handles);
	media_unref(loading->media);
	free(loading);
}

static void discard_hop(struct arrival *arrival)
{
	struct hop *hop = (struct hop *)(void *)arrival;

	if (hop->item.fd >= 0)
		close(hop->item.fd);
	free_loading(hop->loading, LIMIT_JOB_INPUTS);
	free(hop);
}

static struct hop *expect(struct entry *entry, struct loading *loading,
			  void (*handle)(struct entry *, struct arrival *))
{
	struct hop *hop;

	entry_start_activity(entry, ACTIVITY_LOAD);
	hop = entry_expect(entry, sizeof(*hop), handle, discard_hop);
	hop->loading = loading;
	hop->item.fd = -1;
	return hop;
}

/* NULL @take: all that are there are loaded. */
static void end_with(struct entry *entry, struct loading *loading, struct plugin_answer *take)
{
	void (*then)(struct entry *, struct plugin_answer *) = loading->then;

	if (!take)
		entry->media = media_ref(loading->media);
	free_loading(loading, LIMIT_JOB_INPUTS);
	then(entry, take);
}

static void end(struct entry *entry, struct loading *loading, const char *trouble)
{
	end_with(entry, loading, trouble ? plugin_answer_trouble(PLUGIN_REASON_UNAVAILABLE, trouble) : NULL);
}

/* It will not be whole by itself. */
static void refuse_damaged(struct entry *entry, struct loading *loading)
{
	char name[ASSET_NAME_SIZE];
	struct plugin_answer *answer;
	struct errmsg words;

	asset_name_format(&entry->job->assets[loading->at], name);
	errmsg_set(
		&words,
		"the file of '%s' is damaged or missing in the daemon's data directory; delete the asset, upload the "
		"file again, then order again",
		name);
	answer = plugin_answer_trouble(PLUGIN_REASON_INVALID_INPUT, words.text);
	answer->kind = PLUGIN_ANSWER_FAILED;
	end_with(entry, loading, answer);
}

/* Good until some time before its end: between here and the provider's look at it lie a queue and a slow request. While
 * a purchase is in doubt, its repeat must say what the first send said, expired or not. */
static bool is_good(const struct entry *entry, const struct store_handle *handle)
{
	return handle->handle && (entry->status->state == JOB_STATE_STARTING || handle->expires_ms == 0 ||
				  handle->expires_ms - LIMIT_ENGINE_HANDLE_SPARE_MS > now_utc(entry->engine));
}

static void open_next(struct entry *entry, struct loading *loading);

static void handle_opened(struct entry *entry, struct arrival *arrival)
{
	struct hop *hop = (struct hop *)(void *)arrival;
	struct loading *loading = hop->loading;
	struct media_item item = hop->item;
	int outcome = hop->outcome;

	free(hop);
	if (outcome == 0) {
		struct media *media = loading->media;
		struct store_handle *handle = &loading->handles[loading->at];

		if (is_good(entry, handle)) {
			item.handle = *handle;
			*handle = (struct store_handle){0};
		}
		media->items[media->n] = item;
		show(media, &media->items[media->n++]);
	} else if (outcome == ENGINE_E_STORE) {
		end(entry, loading, "an input of the order cannot be read now; the daemon's log says why");
		return;
	} else if (outcome == ENGINE_E_DAMAGED) {
		refuse_damaged(entry, loading);
		return;
	}
	loading->at++;
	open_next(entry, loading);
}

/* [a thread of store/ or artifact/] */
static void on_opened(void *userdata, int outcome, const struct asset *asset, int fd)
{
	struct hop *hop = userdata;

	hop->outcome = outcome;
	if (outcome == 0) {
		hop->item.sha256 = asset->sha256;
		asset_name_format(&asset->sha256, hop->item.name);
		memcpy(hop->item.media_type, asset->media_type, sizeof(hop->item.media_type));
		hop->item.size_bytes = asset->size_bytes;
		hop->item.fd = fd;
	}
	arrival_post(&hop->arrival);
}

static void open_next(struct entry *entry, struct loading *loading)
{
	struct hop *hop;

	if (loading->at == entry->job->n_assets) {
		end(entry, loading, NULL);
		return;
	}
	hop = expect(entry, loading, handle_opened);
	asset_open(entry->engine, entry->ref.tenant, &entry->job->assets[loading->at], on_opened, hop);
}

static void handle_handles(struct entry *entry, struct arrival *arrival)
{
	struct hop *hop = (struct hop *)(void *)arrival;
	struct loading *loading = hop->loading;
	int outcome = hop->outcome;

	free(hop);
	if (outcome == 0) {
		open_next(entry, loading);
		return;
	}
	log_error("what the provider calls an input cannot be read from the store", "job", log_id(&entry->ref),
		  "outcome", log_int(outcome));
	end(entry, loading, "what the provider calls an input cannot be read now; the daemon's log says why");
}

/* [reader thread] */
static void on_handles(void *userdata, int outcome, struct store_handle *handles, size_t n)
{
	struct hop *hop = userdata;

	hop->outcome = outcome;
	for (size_t i = 0; outcome == 0 && i < n; i++) {
		hop->loading->handles[i] = handles[i];
		handles[i] = (struct store_handle){0};
	}
	arrival_post(&hop->arrival);
}

bool media_is_needed(const struct entry *entry)
{
	return entry->job->n_assets > 0 && !entry->media;
}

void media_load(struct entry *entry, void (*then)(struct entry *entry, struct plugin_answer *take))
{
	const struct engine_key key = key_of_job(entry->lane, entry->status);
	const struct job *job = entry->job;
	struct loading *loading = take_memory(sizeof(*loading));

	loading->media = media_new(job->n_assets);
	loading->handles = take_memory(LIMIT_JOB_INPUTS * sizeof(*loading->handles));
	loading->then = then;
	store_get_handles(entry->engine->store, entry->ref.tenant, &key.digest, job->assets, job->n_assets, on_handles,
			  expect(entry, loading, handle_handles));
}
