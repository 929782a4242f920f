/*
 * Webhooks: a record for each event and endpoint, an index of those that are to be sent, and how far the events were read
 * for each endpoint. A delivery and the cursor that passes its event are in one commit, so none is lost and none is made
 * twice.
 */
#include "store/internal.h"

#include "store/commit.h"
#include "store/decode.h"
#include "store/encode.h"
#include "store/format.h"

void store_delivery_finish(struct store_delivery *delivery)
{
	free(delivery->message_id);
	free(delivery->type);
	free(delivery->url);
	free(delivery->problem);
	free(delivery->reply);
	buffer_finish(&delivery->body);
	*delivery = (struct store_delivery){0};
}

/* ---- records ---- */

static char *text_of(char *text)
{
	return text ? text : (char *)protobuf_c_empty_string;
}

static int write_record(struct buffer *out, const struct store_delivery *from, bool has_body)
{
	Filmgate__Store__V1__Delivery message = FILMGATE__STORE__V1__DELIVERY__INIT;

	message.state = (uint32_t)from->state;
	message.message_id = text_of(from->message_id);
	message.type = text_of(from->type);
	message.job_id = encode_binary(from->job.bytes, sizeof(from->job.bytes));
	message.revision = from->revision;
	message.url = text_of(from->url);
	if (has_body)
		message.body = encode_binary(from->body.data, from->body.len);
	message.created_ms = from->created_ms;
	message.next_ms = from->next_ms;
	message.tries = from->tries;
	message.step = from->step;
	message.ended_ms = from->ended_ms;
	message.tried_ms = from->tried_ms;
	message.http_status = from->http_status;
	message.problem = text_of(from->problem);
	message.reply = text_of(from->reply);
	return encode_append(out, &message.base);
}

/* NULL for an empty text, and without memory. */
static char *copy_text(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

/* Leaves the key to the caller. */
static int read_record(struct bytes value, bool has_body, struct store_delivery *ret)
{
	Filmgate__Store__V1__Delivery *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__delivery__descriptor, &message);

	if (r)
		return r;
	if (message->job_id.len == sizeof(ret->job.bytes))
		memcpy(ret->job.bytes, message->job_id.data, sizeof(ret->job.bytes));
	ret->state = (enum store_delivery_state)message->state;
	ret->message_id = copy_text(message->message_id);
	ret->type = copy_text(message->type);
	ret->revision = message->revision;
	ret->url = copy_text(message->url);
	ret->created_ms = message->created_ms;
	ret->next_ms = message->next_ms;
	ret->tries = message->tries;
	ret->step = message->step;
	ret->ended_ms = message->ended_ms;
	ret->tried_ms = message->tried_ms;
	ret->http_status = message->http_status;
	ret->problem = copy_text(message->problem);
	ret->reply = copy_text(message->reply);
	if (has_body)
		r = buffer_append(&ret->body, message->body.data, message->body.len);
	if (r == 0 && (!ret->message_id || !ret->type))
		r = err_origin(-EBADMSG);
	protobuf_c_message_free_unpacked(&message->base, NULL);
	return r;
}

/* ---- changes ---- */

int store_commit_put_delivery(struct store_commit *commit, const struct store_delivery *delivery)
{
	struct key key;
	size_t offset;
	int r;

	key_delivery(&key, &delivery->key);
	r = commit_begin_put(commit, &key, &offset);
	if (r == 0)
		r = commit_end_put(commit, offset, write_record(&commit->changes, delivery, true));
	if (r < 0)
		return r;
	key_delivery_due(&key, &delivery->key);
	if (delivery->state != STORE_DELIVERY_PENDING)
		return commit_put_delete(commit, &key);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, write_record(&commit->changes, delivery, false));
}

int store_commit_delete_delivery(struct store_commit *commit, const struct store_delivery_key *of)
{
	struct key key;
	int r;

	key_delivery(&key, of);
	r = commit_put_delete(commit, &key);
	key_delivery_due(&key, of);
	return r < 0 ? r : commit_put_delete(commit, &key);
}

int store_commit_put_delivery_cursor(struct store_commit *commit, const struct store_delivery_key *of)
{
	uint8_t value[8];
	struct key key;
	size_t offset;
	int r;

	key_put_u64(value, of->sequence);
	key_delivery_cursor(&key, of);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, buffer_append(&commit->changes, value, sizeof(value)));
}

int store_commit_delete_delivery_cursor(struct store_commit *commit, const struct store_delivery_key *of)
{
	struct key key;

	key_delivery_cursor(&key, of);
	return commit_put_delete(commit, &key);
}

/* ---- lists ---- */

struct list_deliveries {
	struct read read;
	struct store_delivery_query query;
	store_deliveries_fn *fn;
	void *userdata;
	struct store_delivery *found;
	size_t n;
	struct store_delivery_key scanned_to;
	bool has_more;
};

static bool is_wanted(const struct store_delivery_query *query, const struct store_delivery *delivery)
{
	static const struct id none;

	if (query->only_pending)
		return true;
	if (query->state && query->state != delivery->state)
		return false;
	if (query->endpoint[0] && strcmp(query->endpoint, delivery->key.endpoint) != 0)
		return false;
	return memcmp(&query->job, &none, sizeof(none)) == 0 ||
	       memcmp(&query->job, &delivery->job, sizeof(delivery->job)) == 0;
}

static void set_span(const struct store_delivery_query *query, struct key *from, struct key *to)
{
	key_tenant(from, query->only_pending ? KEY_DELIVERY_DUE : KEY_DELIVERY, query->tenant);
	key_after(to, from);
	if (!query->has_after)
		return;
	if (query->only_pending)
		key_delivery_due(from, &query->after);
	else
		key_delivery(from, &query->after);
	/* The very next key, which may be one that begins with this. */
	from->data[from->len++] = 0;
}

static int take_record(struct list_deliveries *list, struct bytes key, struct bytes value)
{
	struct store_delivery *delivery = &list->found[list->n];
	int r;

	*delivery = (struct store_delivery){0};
	if (!key_read_delivery(key, &delivery->key))
		return err_origin(-EBADMSG);
	list->scanned_to = delivery->key;
	r = read_record(value, false, delivery);
	if (r == 0 && is_wanted(&list->query, delivery)) {
		list->n++;
		return 0;
	}
	store_delivery_finish(delivery);
	return r;
}

static int scan(struct store *store, struct list_deliveries *list)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	size_t seen = 0;
	int r = 0;

	set_span(&list->query, &from, &to);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	list->found = calloc(list->query.limit + 1, sizeof(*list->found));
	if (!cursor || !list->found)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		if (list->n == list->query.limit || seen++ == LIMIT_STORE_DELIVERY_SCAN) {
			list->has_more = true;
			return 0;
		}
		r = take_record(list, backend_cursor_key(cursor), backend_cursor_value(cursor));
	}
	return r ? r : backend_cursor_error(cursor);
}

static void run_list(struct store *store, struct read *take)
{
	struct list_deliveries *list = (struct list_deliveries *)take;
	int r = scan(store, list);

	list->fn(list->userdata, r, list->found, r == 0 ? list->n : 0, &list->scanned_to, r == 0 && list->has_more);
	for (size_t i = 0; list->found && i < list->n; i++)
		store_delivery_finish(&list->found[i]);
	free(list->found);
	free(list);
}

void store_list_deliveries(struct store *store, const struct store_delivery_query *query, store_deliveries_fn *fn,
			   void *userdata)
{
	struct list_deliveries *list = calloc(1, sizeof(*list));

	if (!list) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0, NULL, false);
		return;
	}
	list->read.run = run_list;
	list->query = *query;
	list->fn = fn;
	list->userdata = userdata;
	if (list->query.limit == 0 || list->query.limit > LIMIT_STORE_PAGE)
		list->query.limit = LIMIT_STORE_PAGE;
	readers_add(store, &list->read);
}

/* ---- one ---- */

struct get_delivery {
	struct read read;
	struct store_delivery_key key;
	store_delivery_fn *fn;
	void *userdata;
};

static void run_get(struct store *store, struct read *take)
{
	struct get_delivery *get = (struct get_delivery *)take;
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct store_delivery delivery = {.key = get->key};
	struct key key;
	int r;

	key_delivery(&key, &get->key);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == 0)
		r = read_record(value.bytes, true, &delivery);
	get->fn(get->userdata, r, &delivery);
	store_delivery_finish(&delivery);
	free(get);
}

void store_get_delivery(struct store *store, const struct store_delivery_key *key, store_delivery_fn *fn,
			void *userdata)
{
	struct get_delivery *get = calloc(1, sizeof(*get));
	struct store_delivery none = {0};

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), &none);
		return;
	}
	*get = (struct get_delivery){.read.run = run_get, .key = *key, .fn = fn, .userdata = userdata};
	readers_add(store, &get->read);
}

/* ---- cursors ---- */

struct get_cursors {
	struct read read;
	uint32_t tenant;
	store_delivery_cursors_fn *fn;
	void *userdata;
	struct store_delivery_key found[LIMIT_STORE_PAGE];
	size_t n;
};

static int scan_cursors(struct store *store, struct get_cursors *get)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;

	key_tenant(&from, KEY_DELIVERY_CURSOR, get->tenant);
	key_after(&to, &from);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; get->n < LIMIT_STORE_PAGE && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct bytes value = backend_cursor_value(cursor);

		if (value.len != 8 || !key_read_delivery(backend_cursor_key(cursor), &get->found[get->n]))
			return err_origin(-EBADMSG);
		get->found[get->n++].sequence = key_get_u64(value.data);
	}
	return backend_cursor_error(cursor);
}

static void run_cursors(struct store *store, struct read *take)
{
	struct get_cursors *get = (struct get_cursors *)take;
	int r = scan_cursors(store, get);

	get->fn(get->userdata, r, get->found, r == 0 ? get->n : 0);
	free(get);
}

void store_get_delivery_cursors(struct store *store, uint32_t tenant, store_delivery_cursors_fn *fn, void *userdata)
{
	struct get_cursors *get = calloc(1, sizeof(*get));

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0);
		return;
	}
	get->read.run = run_cursors;
	get->tenant = tenant;
	get->fn = fn;
	get->userdata = userdata;
	readers_add(store, &get->read);
}
