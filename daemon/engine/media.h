/*
 * The assets of one job while it is prepared and ordered: each an open file, with what its provider calls it. Loaded
 * before the step that begins start, let go when the order is taken or given up.
 */
#ifndef FG_ENGINE_MEDIA_H
#define FG_ENGINE_MEDIA_H

#include "engine/internal.h"
#include "plugin/step.h"

struct media_item {
	struct digest sha256;
	char name[ASSET_NAME_SIZE];
	char media_type[ASSET_MEDIA_TYPE_SIZE];
	uint64_t size_bytes;
	int fd;
	struct store_handle handle;
};

/* Who holds it may be a step on another thread: only the engine thread changes it, and only while no step of its job
 * runs. */
struct media {
	atomic_uint refs;
	struct media_item *items; /* those that are there */
	size_t n;
	struct plugin_asset *assets; /* the same, for a step */
};

struct media *media_ref(struct media *media); /* NULL is NULL. [any-thread] */
/* Returns NULL. [any-thread] */
struct media *media_unref(struct media *media);
/* NULL: not among them. */
struct media_item *media_find(const struct media *media, const char *name);
/* A new one with that item alone, its file another descriptor of the same. NULL: out of descriptors. */
struct media *media_single(const struct media_item *item);

/* Has the job assets that its steps of start need, and lacks? */
bool media_is_needed(const struct entry *entry);
/*
 * Brings entry->media as an activity of the entry. An asset that is gone is not among them: the plugin says so to the
 * user. @then gets NULL; or an answer, which is the callee's: a trouble when they cannot be read now, a failure when one
 * is damaged.
 */
void media_load(struct entry *entry, void (*then)(struct entry *entry, struct plugin_answer *take));
/* The provider's word for an item, copied. */
void media_set_handle(struct media *media, struct media_item *item, const struct store_handle *handle);

#endif
