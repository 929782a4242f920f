#include "store/front.h"

#include "base/err.h"

#include <assert.h>

/* uthash's default falls through its cases without saying so, which clang refuses. */
#define HASH_FUNCTION(data, len, hash) HASH_FNV(data, len, hash)
#include <uthash.h>

struct front {
	UT_hash_handle hh;
	struct key range;
	struct key first;     /* no live key of the range is before it */
	struct key under_way; /* the smallest key of the write that is under way; see `write` */
	uint64_t write;       /* to which under_way belongs */
	struct front_scan *scans;
};

void fronts_init(struct fronts *fronts)
{
	*fronts = (struct fronts){0};
	pthread_mutex_init(&fronts->mutex, NULL);
}

void fronts_finish(struct fronts *fronts)
{
	struct front *front, *next;

	HASH_ITER(hh, fronts->all, front, next) {
		HASH_DEL(fronts->all, front);
		free(front);
	}
	pthread_mutex_destroy(&fronts->mutex);
}

static void set(struct key *key, struct bytes from)
{
	memcpy(key->data, from.data, from.len);
	key->len = from.len;
}

/* No key yet, or a greater one. */
static void lower(struct key *key, struct bytes to)
{
	if (key->len == 0 || key_compare(to, key_bytes(key)) < 0)
		set(key, to);
}

static struct front *find(struct fronts *fronts, struct bytes range)
{
	struct front *front;

	HASH_FIND(hh, fronts->all, range.data, range.len, front);
	if (front)
		return front;
	front = calloc(1, sizeof(*front));
	if (!front)
		return NULL;
	set(&front->range, range);
	set(&front->first, range);
	HASH_ADD_KEYPTR(hh, fronts->all, front->range.data, front->range.len, front);
	return front;
}

int fronts_put(struct fronts *fronts, struct bytes key)
{
	struct bytes range;
	struct front *front;

	if (!key_read_range(key, &range))
		return 0;
	pthread_mutex_lock(&fronts->mutex);
	front = find(fronts, range);
	if (front) {
		if (fronts->write == 0)
			fronts->write = ++fronts->n_writes;
		if (front->write != fronts->write)
			front->under_way.len = 0;
		front->write = fronts->write;
		lower(&front->under_way, key);
		lower(&front->first, key);
		for (struct front_scan *scan = front->scans; scan; scan = scan->next)
			lower(&scan->floor, key);
	}
	pthread_mutex_unlock(&fronts->mutex);
	return front ? 0 : err_origin(-ENOMEM);
}

void fronts_written(struct fronts *fronts)
{
	pthread_mutex_lock(&fronts->mutex);
	fronts->write = 0;
	pthread_mutex_unlock(&fronts->mutex);
}

void fronts_forget(struct fronts *fronts)
{
	pthread_mutex_lock(&fronts->mutex);
	for (struct front *front = fronts->all; front; front = front->hh.next) {
		assert(!front->scans);
		set(&front->first, key_bytes(&front->range));
	}
	pthread_mutex_unlock(&fronts->mutex);
}

bool fronts_know(struct fronts *fronts, const struct key *range)
{
	struct front *front;

	pthread_mutex_lock(&fronts->mutex);
	HASH_FIND(hh, fronts->all, range->data, range->len, front);
	pthread_mutex_unlock(&fronts->mutex);
	return front != NULL;
}

int fronts_note(struct fronts *fronts, struct bytes range)
{
	struct front *front;

	pthread_mutex_lock(&fronts->mutex);
	front = find(fronts, range);
	pthread_mutex_unlock(&fronts->mutex);
	return front ? 0 : err_origin(-ENOMEM);
}

int fronts_begin(struct fronts *fronts, const struct key *range, struct front_scan *scan, struct key *ret_from)
{
	struct front *front;

	*scan = (struct front_scan){0};
	pthread_mutex_lock(&fronts->mutex);
	front = find(fronts, key_bytes(range));
	if (front) {
		if (fronts->write && front->write == fronts->write)
			set(&scan->floor, key_bytes(&front->under_way));
		scan->front = front;
		scan->next = front->scans;
		front->scans = scan;
		*ret_from = front->first;
	}
	pthread_mutex_unlock(&fronts->mutex);
	return front ? 0 : err_origin(-ENOMEM);
}

static void leave(struct front_scan *scan)
{
	struct front_scan **link = &scan->front->scans;

	while (*link != scan)
		link = &(*link)->next;
	*link = scan->next;
}

void fronts_end(struct fronts *fronts, struct front_scan *scan, const struct bytes *first)
{
	struct key seen;

	if (first)
		set(&seen, *first);
	else
		key_after(&seen, &scan->front->range);
	pthread_mutex_lock(&fronts->mutex);
	if (scan->floor.len)
		lower(&seen, key_bytes(&scan->floor));
	if (key_compare(key_bytes(&seen), key_bytes(&scan->front->first)) > 0)
		scan->front->first = seen;
	leave(scan);
	pthread_mutex_unlock(&fronts->mutex);
}

void fronts_cancel(struct fronts *fronts, struct front_scan *scan)
{
	pthread_mutex_lock(&fronts->mutex);
	leave(scan);
	pthread_mutex_unlock(&fronts->mutex);
}
