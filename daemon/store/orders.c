#include "store/internal.h"

#include "store/records.h"

/*
 * What was ordered at one place around a time, for whoever has lost an order there. The entries of a place lie in the
 * order of their instants and say by themselves when they were decided, so that a long past is passed over without a
 * look at its jobs. The rest is read from the job, or from the entry once the job is deleted.
 */

struct find_orders {
	struct read read;
	struct store_orders_query query;
	store_orders_fn *fn;
	void *userdata;
};

struct findings {
	const struct store_orders_query *query;
	struct store_order *orders;
	size_t n, bytes;
	bool has_left_out;
};

static void order_finish(struct store_order *order)
{
	struct record_order record = {.model = order->model,
				      .parameters = order->parameters,
				      .remote_ids = order->remote_ids,
				      .n_remote_ids = order->n_remote_ids};

	record_order_finish(&record);
}

static void findings_finish(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		order_finish(&findings->orders[i]);
	free(findings->orders);
}

static bool is_full(struct findings *findings)
{
	findings->has_left_out |= findings->n == findings->query->limit;
	return findings->has_left_out;
}

/* Takes the content. What was kept without its parameters cannot be told from others. */
static void add(struct findings *findings, struct store_order *take)
{
	if (findings->query->only_undecided) {
		free(steal(take->parameters));
		findings->orders[findings->n++] = *take;
		return;
	}
	findings->bytes += take->parameters ? strlen(take->parameters) : 0;
	if (!take->parameters || findings->bytes > findings->query->limit_bytes) {
		findings->has_left_out = true;
		order_finish(take);
	} else {
		findings->orders[findings->n++] = *take;
	}
}

static int copy_remotes(const struct job_status *status, uint32_t attempt, struct store_order *order)
{
	order->remote_ids = calloc(status->n_remotes + 1, sizeof(*order->remote_ids));
	if (!order->remote_ids)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < status->n_remotes; i++) {
		if (status->remotes[i].attempt != attempt || !status->remotes[i].id)
			continue;
		order->remote_ids[order->n_remote_ids] = strdup(status->remotes[i].id);
		if (!order->remote_ids[order->n_remote_ids])
			return err_origin(-ENOMEM);
		order->n_remote_ids++;
	}
	return 0;
}

static int add_of_job(struct findings *findings, struct job_view *view, const struct key_order *key,
		      const struct record_order *record)
{
	struct store_order order = {
		.ref = key->ref,
		.sent_ms = key->sent_ms,
		.state = view->status->state,
		.model = steal(view->job->model),
		.parameters = steal(view->job->parameters),
	};
	int r = copy_remotes(view->status, key->attempt, &order);

	if (r < 0) {
		order_finish(&order);
		return r;
	}
	order.is_on_its_way = record->class == JOB_SEND_PENDING && order.n_remote_ids == 0;
	add(findings, &order);
	return 0;
}

static void add_of_record(struct findings *findings, const struct key_order *key, struct record_order *record)
{
	struct store_order order = {.ref = key->ref,
				    .sent_ms = key->sent_ms,
				    .model = steal(record->model),
				    .parameters = steal(record->parameters),
				    .remote_ids = steal(record->remote_ids),
				    .n_remote_ids = record->n_remote_ids};

	record->n_remote_ids = 0;
	add(findings, &order);
}

/* Its job was deleted since the cursor was opened: the entry says the rest by now. */
static int add_deleted_since(struct store *store, struct bytes at, const struct key_order *key,
			     struct findings *findings)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	_cleanup_(record_order_finish) struct record_order record = {0};
	int r = backend_get(store->backend, at, &value);

	if (r == 0)
		r = record_read_order(value.bytes, &record);
	if (r == 0 && record.is_deleted)
		add_of_record(findings, key, &record);
	else
		findings->has_left_out = true;
	return r == STORE_E_NOT_FOUND ? 0 : r;
}

static bool is_undecided(const struct record_order *record)
{
	return record->class == JOB_SEND_PENDING || record->class == JOB_SEND_AMBIGUOUS;
}

static int add_order(struct store *store, const struct backend_cursor *cursor, const struct key_order *key,
		     struct findings *findings)
{
	_cleanup_(record_order_finish) struct record_order record = {0};
	_cleanup_(job_view_finish) struct job_view view = {0};
	int r = record_read_order(backend_cursor_value(cursor), &record);

	if (r || (findings->query->only_undecided && !is_undecided(&record)))
		return r;
	if (record.is_deleted) {
		add_of_record(findings, key, &record);
		return 0;
	}
	r = read_job(store, &key->ref, &view);
	if (r == STORE_E_NOT_FOUND)
		return add_deleted_since(store, backend_cursor_key(cursor), key, findings);
	return r ? r : add_of_job(findings, &view, key, &record);
}

static int consider(struct store *store, const struct backend_cursor *cursor, struct findings *findings)
{
	const struct store_orders_query *query = findings->query;
	int64_t decided_ms;
	struct key_order key;
	int r;

	if (!key_read_order(backend_cursor_key(cursor), &key))
		return err_origin(-EBADMSG);
	if (job_ref_equal(&key.ref, &query->except))
		return 0;
	r = record_read_order_head(backend_cursor_value(cursor), &decided_ms);
	if (r || (decided_ms > 0 && decided_ms < query->decided_from_ms) || is_full(findings))
		return r;
	return add_order(store, cursor, &key, findings);
}

static int scan_orders(struct store *store, struct findings *findings)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	const struct store_orders_query *query = findings->query;
	struct key from, to;
	size_t n_seen = 0;
	int r = 0;

	findings->orders = calloc(query->limit + 1ull, sizeof(*findings->orders));
	if (!findings->orders)
		return err_origin(-ENOMEM);
	key_place_since(&from, &query->place, query->sent_from_ms);
	key_place_since(&to, &query->place, query->sent_to_ms + 1);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && !findings->has_left_out && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		if (n_seen++ == LIMIT_STORE_ORDER_SCAN)
			findings->has_left_out = true;
		else
			r = consider(store, cursor, findings);
	}
	return r ? r : backend_cursor_error(cursor);
}

static void run_find_orders(struct store *store, struct read *take)
{
	struct find_orders *find = (struct find_orders *)take;
	_cleanup_(findings_finish) struct findings findings = {.query = &find->query};
	int r = scan_orders(store, &findings);

	find->fn(find->userdata, r, findings.orders, r == 0 ? findings.n : 0, r != 0 || findings.has_left_out);
	free(find);
}

void store_find_orders(struct store *store, const struct store_orders_query *query, store_orders_fn *fn, void *userdata)
{
	struct find_orders *find = malloc(sizeof(*find));

	if (!find) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0, true);
		return;
	}
	*find = (struct find_orders){.read.run = run_find_orders, .query = *query, .fn = fn, .userdata = userdata};
	readers_add(store, &find->read);
}
