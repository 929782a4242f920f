#include "store/internal.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "store/records.h"

/*
 * Dropping what is old: events in the order of their sequence up to the first that is young enough, request ids whose job
 * went long ago, and orders that nobody asks for any more. The watermark and the deletions are one write, so no reader finds a hole that the watermark
 * does not admit. It is not synced: after a power cut the same events are trimmed again.
 */

struct trim {
	struct store *store;
	struct backend_batch *batch;
	int64_t before_ms;
	size_t n; /* dropped so far */
	bool has_more;
};

static bool is_bite_full(struct trim *trim)
{
	if (trim->n < LIMIT_STORE_TRIM)
		return false;
	trim->has_more = true;
	return true;
}

static int put_watermark(struct trim *trim, uint32_t tenant, uint64_t watermark)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	_cleanup_(buffer_finish) struct buffer out = {0};
	struct record_tenant record = {0};
	struct key key;
	int r;

	key_tenant(&key, KEY_META, tenant);
	r = backend_get(trim->store->backend, key_bytes(&key), &value);
	if (r == 0)
		r = err_fold(record_read_tenant(value.bytes, &record));
	else if (r == STORE_E_NOT_FOUND)
		r = 0;
	record.event_watermark = watermark;
	if (r == 0)
		r = record_write_tenant(&out, &record);
	if (r == 0)
		backend_batch_put(trim->batch, key_bytes(&key), buffer_bytes(&out));
	free(record.unknown);
	return r;
}

/* True when the event at the cursor was old enough and goes. */
static bool drop_event(struct trim *trim, const struct backend_cursor *cursor, uint64_t *ret_sequence)
{
	struct store_event event;
	uint32_t tenant;
	struct key history;

	if (!key_read_event(backend_cursor_key(cursor), &tenant, ret_sequence) ||
	    record_read_event_head(backend_cursor_value(cursor), &event) != 0 || event.time_ms >= trim->before_ms)
		return false;
	event.ref.tenant = tenant;
	key_history(&history, &event.ref, event.revision);
	backend_batch_delete(trim->batch, key_bytes(&history));
	backend_batch_delete(trim->batch, backend_cursor_key(cursor));
	trim->n++;
	return true;
}

/* The scan begins at the watermark, so that it does not wade through what earlier trims deleted. */
static int trim_events(struct trim *trim, uint32_t tenant)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	uint64_t watermark, sequence, last = 0;
	struct key from, prefix, to;
	int r = read_watermark(trim->store, tenant, &watermark);

	if (r)
		return r;
	key_event(&from, tenant, watermark);
	key_tenant(&prefix, KEY_EVENT, tenant);
	key_after(&to, &prefix);
	cursor = backend_cursor_new(trim->store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	while (backend_cursor_is_valid(cursor) && !is_bite_full(trim) && drop_event(trim, cursor, &sequence)) {
		last = sequence;
		backend_cursor_next(cursor);
	}
	r = backend_cursor_error(cursor);
	return r == 0 && last > 0 ? put_watermark(trim, tenant, last) : r;
}

static int trim_tombstones(struct trim *trim, uint32_t tenant)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;

	key_tenant(&from, KEY_TOMBSTONE, tenant);
	key_after(&to, &from);
	cursor = backend_cursor_new(trim->store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor) && !is_bite_full(trim); backend_cursor_next(cursor)) {
		struct bytes request_id;
		struct key request;
		int64_t deleted_ms;

		if (!key_read_tombstone(backend_cursor_key(cursor), &tenant, &deleted_ms, &request_id))
			return err_origin(-EBADMSG);
		if (deleted_ms >= trim->before_ms)
			break;
		key_tenant(&request, KEY_REQUEST, tenant);
		memcpy(request.data + request.len, request_id.data, request_id.len);
		request.len += request_id.len;
		backend_batch_delete(trim->batch, key_bytes(&request));
		backend_batch_delete(trim->batch, backend_cursor_key(cursor));
		trim->n++;
	}
	return backend_cursor_error(cursor);
}

/* Of the places from @from on the first that has orders: drops those that are old. @ret_next: where the next begins. */
static int trim_place(struct trim *trim, const struct key *from, struct key *ret_next)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key all, to, place;
	struct key_order order;

	key_tenant(&all, KEY_ORDER, 0);
	key_after(&to, &all);
	ret_next->len = 0;
	cursor = backend_cursor_new(trim->store->backend, key_bytes(from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor) && !is_bite_full(trim); backend_cursor_next(cursor)) {
		if (!key_read_order(backend_cursor_key(cursor), &order))
			return err_origin(-EBADMSG);
		key_place(&place, &order.place);
		if (order.sent_ms >= trim->before_ms) {
			key_after(ret_next, &place);
			return 0;
		}
		backend_batch_delete(trim->batch, backend_cursor_key(cursor));
		trim->n++;
	}
	return backend_cursor_error(cursor);
}

static int trim_orders(struct trim *trim)
{
	struct key from, next;
	int r;

	key_tenant(&from, KEY_ORDER, 0);
	do {
		r = trim_place(trim, &from, &next);
		from = next;
	} while (r == 0 && next.len);
	return r;
}

static int each_tenant(struct trim *trim, int (*drop)(struct trim *trim, uint32_t tenant))
{
	uint32_t tenant;
	int r = 0;

	for (uint64_t from = 0; r == 0 && tenants_next(&trim->store->tenants, from, &tenant); from = tenant + 1ull)
		r = drop(trim, tenant);
	return r;
}

static void begin_bite(struct trim *trim, int64_t before_ms, bool *has_more)
{
	*has_more |= trim->has_more;
	trim->before_ms = before_ms;
	trim->n = 0;
	trim->has_more = false;
}

int trim_some(struct store *store, const struct store_trim *what, bool *ret_more)
{
	struct trim trim = {.store = store, .batch = store->committer.batch, .before_ms = what->events_before_ms};
	bool has_more = false;
	int r;

	backend_batch_clear(trim.batch);
	r = each_tenant(&trim, trim_events);
	begin_bite(&trim, what->tombstones_before_ms, &has_more);
	if (r == 0)
		r = each_tenant(&trim, trim_tombstones);
	begin_bite(&trim, what->orders_before_ms, &has_more);
	if (r == 0)
		r = trim_orders(&trim);
	FAILPOINT(TRIM_BEFORE);
	if (r == 0)
		r = backend_write(store->backend, trim.batch, BACKEND_UNSYNCED);
	FAILPOINT(TRIM_AFTER);
	if (r < 0) {
		log_error("the store could not trim its old events", "error", log_errno(r));
		return r;
	}
	*ret_more = has_more || trim.has_more;
	return 0;
}
