#include "store/keys.h"

#include "base/err.h"
#include "job/place.h"

#define HEAD_SIZE 5 /* letter and tenant */

static void add_bytes(struct key *key, const void *data, size_t len)
{
	memcpy(key->data + key->len, data, len);
	key->len += len;
}

static void add_u8(struct key *key, uint8_t value)
{
	key->data[key->len++] = value;
}

static void add_u32(struct key *key, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		add_u8(key, (uint8_t)(value >> shift));
}

static void add_u64(struct key *key, uint64_t value)
{
	key_put_u64(key->data + key->len, value);
	key->len += 8;
}

static void add_instant(struct key *key, int64_t ms)
{
	add_u64(key, ms < 0 ? 0 : (uint64_t)ms);
}

static void add_id(struct key *key, const struct id *id)
{
	add_bytes(key, id->bytes, sizeof(id->bytes));
}

static void add_inverted_id(struct key *key, const struct id *id)
{
	for (size_t i = 0; i < sizeof(id->bytes); i++)
		add_u8(key, (uint8_t)~id->bytes[i]);
}

/* Higher first; the offset makes every int32_t sort as its number does. */
static void add_inverted_priority(struct key *key, int32_t priority)
{
	add_u32(key, ~((uint32_t)priority ^ 0x80000000u));
}

static uint32_t get_u32(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static void get_inverted_id(const uint8_t *data, struct id *id)
{
	for (size_t i = 0; i < sizeof(id->bytes); i++)
		id->bytes[i] = (uint8_t)~data[i];
}

void key_put_u64(uint8_t data[static 8], uint64_t value)
{
	for (int i = 0; i < 8; i++)
		data[i] = (uint8_t)(value >> (56 - 8 * i));
}

uint64_t key_get_u64(const uint8_t data[static 8])
{
	return (uint64_t)get_u32(data) << 32 | get_u32(data + 4);
}

void key_tenant(struct key *key, enum key_letter letter, uint32_t tenant)
{
	key->len = 0;
	add_u8(key, (uint8_t)letter);
	add_u32(key, tenant);
}

void key_after(struct key *key, const struct key *prefix)
{
	key->len = prefix->len;
	memcpy(key->data, prefix->data, prefix->len);
	while (key->len && key->data[key->len - 1] == 0xff)
		key->len--;
	if (key->len)
		key->data[key->len - 1]++;
}

int key_compare(struct bytes a, struct bytes b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

void key_job(struct key *key, const struct job_ref *ref)
{
	key_tenant(key, KEY_JOB, ref->tenant);
	add_inverted_id(key, &ref->id);
}

void key_job_part(struct key *key, const struct job_ref *ref, enum key_part part)
{
	key_job(key, ref);
	add_u8(key, (uint8_t)part);
}

void key_attempt(struct key *key, const struct job_ref *ref, uint32_t number)
{
	key_job_part(key, ref, KEY_PART_ATTEMPT);
	add_u32(key, number);
}

void key_send(struct key *key, const struct job_ref *ref, uint32_t attempt, uint32_t number)
{
	key_job_part(key, ref, KEY_PART_SEND);
	add_u32(key, attempt);
	add_u32(key, number);
}

void key_remote(struct key *key, const struct job_ref *ref, uint32_t attempt, uint32_t index)
{
	key_job_part(key, ref, KEY_PART_REMOTE);
	add_u32(key, attempt);
	add_u32(key, index);
}

void key_artifact(struct key *key, const struct job_ref *ref, uint32_t index)
{
	key_job_part(key, ref, KEY_PART_ARTIFACT);
	add_u32(key, index);
}

void key_reply(struct key *key, const struct job_ref *ref, uint32_t attempt, uint32_t send)
{
	key_tenant(key, KEY_REPLY, ref->tenant);
	add_inverted_id(key, &ref->id);
	add_u32(key, attempt);
	add_u32(key, send);
}

void key_open(struct key *key, const struct job_ref *ref)
{
	key_tenant(key, KEY_OPEN, ref->tenant);
	add_id(key, &ref->id);
}

void key_event(struct key *key, uint32_t tenant, uint64_t sequence)
{
	key_tenant(key, KEY_EVENT, tenant);
	add_u64(key, sequence);
}

void key_history(struct key *key, const struct job_ref *ref, uint64_t revision)
{
	key_tenant(key, KEY_HISTORY, ref->tenant);
	add_inverted_id(key, &ref->id);
	add_u64(key, revision);
}

static void key_of_digest(struct key *key, enum key_letter letter, uint32_t tenant, const struct digest *sha256)
{
	key_tenant(key, letter, tenant);
	add_bytes(key, sha256->bytes, sizeof(sha256->bytes));
}

void key_references(struct key *key, uint32_t tenant, const struct digest *sha256)
{
	key_of_digest(key, KEY_REFERENCE, tenant, sha256);
}

void key_reference(struct key *key, const struct digest *sha256, const struct job_ref *ref, uint32_t index)
{
	key_references(key, ref->tenant, sha256);
	add_inverted_id(key, &ref->id);
	add_u32(key, index);
}

void key_handles(struct key *key, uint32_t tenant, const struct digest *sha256)
{
	key_of_digest(key, KEY_HANDLE, tenant, sha256);
}

void key_handle(struct key *key, uint32_t tenant, const struct digest *sha256, const struct digest *account)
{
	key_handles(key, tenant, sha256);
	add_bytes(key, account->bytes, sizeof(account->bytes));
}

void key_asset(struct key *key, uint32_t tenant, const struct digest *sha256)
{
	key_of_digest(key, KEY_ASSET, tenant, sha256);
}

void key_asset_id(struct key *key, uint32_t tenant, const struct id *id)
{
	key_tenant(key, KEY_ASSET_LIST, tenant);
	add_inverted_id(key, id);
}

void key_asset_listed(struct key *key, uint32_t tenant, const struct id *id, const struct digest *sha256)
{
	key_asset_id(key, tenant, id);
	add_bytes(key, sha256->bytes, sizeof(sha256->bytes));
}

void key_asset_uses(struct key *key, uint32_t tenant, const struct digest *sha256)
{
	key_of_digest(key, KEY_ASSET_USE, tenant, sha256);
}

void key_asset_use(struct key *key, const struct digest *sha256, const struct job_ref *ref)
{
	key_asset_uses(key, ref->tenant, sha256);
	add_inverted_id(key, &ref->id);
}

void key_place(struct key *key, const struct digest *place)
{
	key_of_digest(key, KEY_ORDER, 0, place);
}

void key_place_since(struct key *key, const struct digest *place, int64_t sent_ms)
{
	key_place(key, place);
	add_instant(key, sent_ms);
}

int key_order(struct key *key, const struct job_ref *ref, const struct job_send *send)
{
	struct digest place;
	int r;

	key->len = 0;
	if (!send->base_url)
		return 0;
	r = job_place_of(send->base_url, &place);
	if (r < 0)
		return r;
	key_place_since(key, &place, send->created_ms);
	add_u32(key, ref->tenant);
	add_id(key, &ref->id);
	add_u32(key, send->attempt);
	add_u32(key, send->number);
	return 0;
}

void key_owners(struct key *key, const char *remote_id)
{
	const struct digest name = digest_of(bytes_of_text(remote_id));

	key_of_digest(key, KEY_OWNER, 0, &name);
}

void key_owners_at(struct key *key, const char *remote_id, const struct digest *place)
{
	key_owners(key, remote_id);
	add_bytes(key, place->bytes, sizeof(place->bytes));
}

void key_owner(struct key *key, const char *remote_id, const struct digest *place, const struct job_ref *ref)
{
	key_owners_at(key, remote_id, place);
	add_u32(key, ref->tenant);
	add_inverted_id(key, &ref->id);
}

static void add_endpoint(struct key *key, const struct store_delivery_key *of)
{
	add_bytes(key, of->endpoint, strnlen(of->endpoint, sizeof(of->endpoint)));
}

void key_delivery(struct key *key, const struct store_delivery_key *of)
{
	key_tenant(key, KEY_DELIVERY, of->tenant);
	add_u64(key, ~of->sequence);
	add_endpoint(key, of);
}

void key_delivery_due(struct key *key, const struct store_delivery_key *of)
{
	key_tenant(key, KEY_DELIVERY_DUE, of->tenant);
	add_u64(key, of->sequence);
	add_endpoint(key, of);
}

void key_delivery_cursor(struct key *key, const struct store_delivery_key *of)
{
	key_tenant(key, KEY_DELIVERY_CURSOR, of->tenant);
	add_endpoint(key, of);
}

void key_ledger(struct key *key, uint32_t tenant, uint64_t sequence)
{
	key_tenant(key, KEY_LEDGER, tenant);
	add_u64(key, sequence);
}

void key_ledger_of_job(struct key *key, const struct job_ref *ref)
{
	key_tenant(key, KEY_LEDGER_OF_JOB, ref->tenant);
	add_inverted_id(key, &ref->id);
}

void key_ledger_job_entry(struct key *key, const struct job_ref *ref, uint64_t sequence)
{
	key_ledger_of_job(key, ref);
	add_u64(key, sequence);
}

/* What a provider calls a currency has no limit of ours; what was bought must be counted all the same. */
static void add_cut(struct key *key, const char *text)
{
	add_bytes(key, text, strnlen(text, LIMIT_STORE_LEDGER_TEXT));
	add_u8(key, 0);
}

void key_balances_since(struct key *key, uint32_t tenant, enum ledger_dimension dimension, const char *label,
			enum ledger_period period, uint32_t start)
{
	key_tenant(key, KEY_BALANCE, tenant);
	add_u8(key, (uint8_t)dimension);
	if (dimension == LEDGER_OF_LABEL)
		add_cut(key, label);
	add_u8(key, (uint8_t)period);
	add_u32(key, start);
}

void key_balance(struct key *key, uint32_t tenant, const struct ledger_scope *scope)
{
	bool has_name = scope->dimension == LEDGER_OF_PROVIDER || scope->dimension == LEDGER_OF_MODEL;

	key_balances_since(key, tenant, scope->dimension, scope->name, scope->period, scope->start);
	add_cut(key, scope->currency);
	if (has_name)
		add_cut(key, scope->name);
	if (scope->dimension == LEDGER_OF_MODEL || scope->dimension == LEDGER_OF_LABEL)
		add_cut(key, scope->value);
}

static int add_text(struct key *key, const char *text, size_t limit)
{
	size_t len = strlen(text);

	if (len > limit)
		return err_origin(-EMSGSIZE);
	add_bytes(key, text, len);
	return 0;
}

int key_request(struct key *key, uint32_t tenant, const char *request_id)
{
	key_tenant(key, KEY_REQUEST, tenant);
	return add_text(key, request_id, LIMIT_STORE_REQUEST_ID);
}

int key_tombstone(struct key *key, uint32_t tenant, int64_t deleted_ms, const char *request_id)
{
	key_tenant(key, KEY_TOMBSTONE, tenant);
	add_instant(key, deleted_ms);
	return add_text(key, request_id, LIMIT_STORE_REQUEST_ID);
}

int key_provider(struct key *key, enum key_letter letter, uint32_t tenant, const char *provider)
{
	int r;

	key_tenant(key, letter, tenant);
	r = add_text(key, provider, LIMIT_STORE_PROVIDER);
	if (r < 0)
		return r;
	add_u8(key, 0);
	return 0;
}

int key_waiting(struct key *from, struct key *to, uint32_t tenant, const char *provider, int64_t from_ms)
{
	int r = key_provider(from, KEY_WAKE, tenant, provider);

	if (r < 0)
		return r;
	key_after(to, from);
	add_instant(from, from_ms);
	return 0;
}

int key_priority(struct key *key, uint32_t tenant, const char *provider, int32_t priority)
{
	int r = key_provider(key, KEY_QUEUE, tenant, provider);

	if (r == 0)
		add_inverted_priority(key, priority);
	return r;
}

static int key_queued(struct key *key, const struct job *job, const struct job_index *index)
{
	bool waits = index->wait_until_ms > 0;
	int r = key_provider(key, waits ? KEY_WAKE : KEY_QUEUE, job->ref.tenant,
			     index->provider ? index->provider : job->provider);

	if (r < 0)
		return r;
	if (waits)
		add_instant(key, index->wait_until_ms);
	add_inverted_priority(key, index->priority);
	if (!waits)
		add_instant(key, job->created_ms);
	add_id(key, &job->ref.id);
	return 0;
}

static bool is_ended_by_deadline(enum job_state state)
{
	return state == JOB_STATE_QUEUED || state == JOB_STATE_PREPARING || state == JOB_STATE_RUNNING;
}

static bool is_open(enum job_state state)
{
	return job_state_is_active(state) || state == JOB_STATE_UNCERTAIN;
}

int key_indexes(struct index_keys *keys, const struct job *job, const struct job_index *index)
{
	keys->queue.len = keys->deadline.len = keys->open.len = 0;
	if (!index)
		return 0;

	if (index->deadline_ms > 0 && is_ended_by_deadline(index->state)) {
		key_tenant(&keys->deadline, KEY_DEADLINE, job->ref.tenant);
		add_instant(&keys->deadline, index->deadline_ms);
		add_id(&keys->deadline, &job->ref.id);
	}
	if (is_open(index->state) || index->is_awaited)
		key_open(&keys->open, &job->ref);
	return index->state == JOB_STATE_QUEUED ? key_queued(&keys->queue, job, index) : 0;
}

/* Past letter and tenant, or NULL when it is another letter. */
static const uint8_t *read_head(struct bytes key, enum key_letter letter, uint32_t *ret_tenant)
{
	const uint8_t *data = key.data;

	if (key.len < HEAD_SIZE || data[0] != (uint8_t)letter)
		return NULL;
	*ret_tenant = get_u32(data + 1);
	return data + HEAD_SIZE;
}

bool key_read_tenant(struct bytes key, enum key_letter letter, uint32_t *ret)
{
	return read_head(key, letter, ret) != NULL;
}

bool key_read_job(struct bytes key, struct job_ref *ret, enum key_part *ret_part)
{
	const uint8_t *data = read_head(key, KEY_JOB, &ret->tenant);

	if (!data || key.len < HEAD_SIZE + 17)
		return false;
	get_inverted_id(data, &ret->id);
	*ret_part = (enum key_part)data[16];
	return true;
}

bool key_read_event(struct bytes key, uint32_t *ret_tenant, uint64_t *ret_sequence)
{
	const uint8_t *data = read_head(key, KEY_EVENT, ret_tenant);

	if (!data || key.len != HEAD_SIZE + 8)
		return false;
	*ret_sequence = key_get_u64(data);
	return true;
}

bool key_read_history(struct bytes key, uint64_t *ret_revision)
{
	uint32_t tenant;
	const uint8_t *data = read_head(key, KEY_HISTORY, &tenant);

	if (!data || key.len != HEAD_SIZE + 16 + 8)
		return false;
	*ret_revision = key_get_u64(data + 16);
	return true;
}

bool key_read_open(struct bytes key, struct job_ref *ret)
{
	const uint8_t *data = read_head(key, KEY_OPEN, &ret->tenant);

	if (!data || key.len != HEAD_SIZE + 16)
		return false;
	memcpy(ret->id.bytes, data, 16);
	return true;
}

bool key_read_asset_listed(struct bytes key, struct id *ret_id, struct digest *ret_sha256)
{
	uint32_t tenant;
	const uint8_t *data = read_head(key, KEY_ASSET_LIST, &tenant);

	if (!data || key.len != HEAD_SIZE + 16 + DIGEST_SIZE)
		return false;
	get_inverted_id(data, ret_id);
	memcpy(ret_sha256->bytes, data + 16, DIGEST_SIZE);
	return true;
}

bool key_read_asset_use(struct bytes key, struct job_ref *ret)
{
	const uint8_t *data = read_head(key, KEY_ASSET_USE, &ret->tenant);

	if (!data || key.len != HEAD_SIZE + DIGEST_SIZE + 16)
		return false;
	get_inverted_id(data + DIGEST_SIZE, &ret->id);
	return true;
}

bool key_read_order(struct bytes key, struct key_order *ret)
{
	uint32_t none;
	const uint8_t *data = read_head(key, KEY_ORDER, &none);

	if (!data || key.len != HEAD_SIZE + DIGEST_SIZE + 8 + 4 + 16 + 4 + 4)
		return false;
	memcpy(ret->place.bytes, data, DIGEST_SIZE);
	data += DIGEST_SIZE;
	ret->sent_ms = (int64_t)key_get_u64(data);
	ret->ref.tenant = get_u32(data + 8);
	memcpy(ret->ref.id.bytes, data + 12, 16);
	ret->attempt = get_u32(data + 28);
	ret->send = get_u32(data + 32);
	return true;
}

bool key_read_owner(struct bytes key, struct key_owner *ret)
{
	uint32_t none;
	const uint8_t *data = read_head(key, KEY_OWNER, &none);

	if (!data || key.len != HEAD_SIZE + 2 * DIGEST_SIZE + 4 + 16)
		return false;
	memcpy(ret->place.bytes, data + DIGEST_SIZE, DIGEST_SIZE);
	ret->ref.tenant = get_u32(data + 2 * DIGEST_SIZE);
	get_inverted_id(data + 2 * DIGEST_SIZE + 4, &ret->ref.id);
	return true;
}

bool key_read_delivery(struct bytes key, struct store_delivery_key *ret)
{
	const uint8_t *data = key.data;
	size_t head = key.len && *data == KEY_DELIVERY_CURSOR ? HEAD_SIZE : HEAD_SIZE + 8;

	if (key.len <= head || key.len - head >= sizeof(ret->endpoint))
		return false;
	ret->tenant = get_u32(data + 1);
	if (*data == KEY_DELIVERY)
		ret->sequence = ~key_get_u64(data + HEAD_SIZE);
	else if (*data == KEY_DELIVERY_DUE)
		ret->sequence = key_get_u64(data + HEAD_SIZE);
	memcpy(ret->endpoint, data + head, key.len - head);
	ret->endpoint[key.len - head] = '\0';
	return true;
}

bool key_read_ledger(struct bytes key, uint32_t *ret_tenant, uint64_t *ret_sequence)
{
	const uint8_t *data = read_head(key, KEY_LEDGER, ret_tenant);

	if (!data || key.len != HEAD_SIZE + 8)
		return false;
	*ret_sequence = key_get_u64(data);
	return true;
}

bool key_read_ledger_of_job(struct bytes key, uint64_t *ret_sequence)
{
	uint32_t tenant;
	const uint8_t *data = read_head(key, KEY_LEDGER_OF_JOB, &tenant);

	if (!data || key.len != HEAD_SIZE + 16 + 8)
		return false;
	*ret_sequence = key_get_u64(data + 16);
	return true;
}

/* NULL when no text with its end is left. */
static const char *take_key_text(const uint8_t **data, const uint8_t *end)
{
	const char *text = (const char *)*data;
	const uint8_t *stop = *data < end ? memchr(*data, 0, (size_t)(end - *data)) : NULL;

	if (!stop)
		return NULL;
	*data = stop + 1;
	return text;
}

bool key_read_balance(struct bytes key, struct ledger_scope *ret)
{
	struct ledger_scope scope = {.name = "", .value = ""};
	uint32_t tenant;
	const uint8_t *data = read_head(key, KEY_BALANCE, &tenant), *end = (const uint8_t *)key.data + key.len;

	if (!data || data == end || *data == 0 || *data >= _LEDGER_DIMENSION_COUNT)
		return false;
	scope.dimension = (enum ledger_dimension) * data++;
	if (scope.dimension == LEDGER_OF_LABEL)
		scope.name = take_key_text(&data, end);
	if (!scope.name || end - data < 5 || *data == 0 || *data >= _LEDGER_PERIOD_COUNT)
		return false;
	scope.period = (enum ledger_period) * data;
	scope.start = get_u32(data + 1);
	data += 5;
	scope.currency = take_key_text(&data, end);
	if (scope.dimension == LEDGER_OF_PROVIDER || scope.dimension == LEDGER_OF_MODEL)
		scope.name = take_key_text(&data, end);
	if (scope.dimension == LEDGER_OF_MODEL || scope.dimension == LEDGER_OF_LABEL)
		scope.value = take_key_text(&data, end);
	if (!scope.currency || !scope.name || !scope.value || data != end)
		return false;
	*ret = scope;
	return true;
}

bool key_read_provider(struct bytes key, const char **ret)
{
	const uint8_t *data = key.data;

	if (key.len <= HEAD_SIZE || !memchr(data + HEAD_SIZE, 0, key.len - HEAD_SIZE))
		return false;
	*ret = (const char *)data + HEAD_SIZE;
	return true;
}

bool key_read_range(struct bytes key, struct bytes *ret)
{
	char letter = key.len > HEAD_SIZE ? *(const char *)key.data : '\0';
	const char *provider;

	if (letter == KEY_DEADLINE)
		*ret = bytes_of(key.data, HEAD_SIZE);
	else if (letter == KEY_WAKE && key_read_provider(key, &provider))
		*ret = bytes_of(key.data, HEAD_SIZE + strlen(provider) + 1);
	else if (letter == KEY_QUEUE && key_read_provider(key, &provider) &&
		 key.len >= HEAD_SIZE + strlen(provider) + 1 + 4)
		*ret = bytes_of(key.data, HEAD_SIZE + strlen(provider) + 1 + 4);
	else
		return false;
	return true;
}

/* The instant and the id are found from the end of the key, the priority from between or before them. */
bool key_read_queued(struct bytes key, struct store_queued *ret)
{
	const uint8_t *data = key.data;
	char letter = key.len >= HEAD_SIZE + 8 + 16 ? (char)data[0] : '\0';
	const uint8_t *end = data + key.len;

	if (letter != KEY_DEADLINE &&
	    (key.len < HEAD_SIZE + 1 + 4 + 8 + 16 || (letter != KEY_QUEUE && letter != KEY_WAKE)))
		return false;
	ret->ref.tenant = get_u32(data + 1);
	memcpy(ret->ref.id.bytes, end - 16, 16);
	ret->ready_ms = (int64_t)key_get_u64(end - (letter == KEY_WAKE ? 28 : 24));
	ret->priority = 0;
	if (letter != KEY_DEADLINE)
		ret->priority = (int32_t)(~get_u32(end - (letter == KEY_WAKE ? 20 : 28)) ^ 0x80000000u);
	return true;
}

bool key_read_tombstone(struct bytes key, uint32_t *ret_tenant, int64_t *ret_deleted_ms, struct bytes *ret_request_id)
{
	const uint8_t *data = read_head(key, KEY_TOMBSTONE, ret_tenant);

	if (!data || key.len < HEAD_SIZE + 8)
		return false;
	*ret_deleted_ms = (int64_t)key_get_u64(data);
	*ret_request_id = bytes_of(data + 8, key.len - HEAD_SIZE - 8);
	return true;
}
