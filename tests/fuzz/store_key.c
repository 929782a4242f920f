/*
 * A key after damage is none of its kind, or is read; and what was read makes the same key again.
 */
#include "store/keys.h"

#include "fuzz.h"

#include <assert.h>

static void assert_made(const struct key *made, struct bytes key)
{
	assert(bytes_equal(key_bytes(made), key));
}

static void look_at_job(struct bytes key)
{
	struct key beginning, end;
	enum key_part part;
	struct job_ref ref;

	if (!key_read_job(key, &ref, &part))
		return;
	key_job_part(&beginning, &ref, part);
	assert(key.len >= beginning.len && memcmp(key.data, beginning.data, beginning.len) == 0);
	key_after(&end, &beginning);
	assert(key_compare(key_bytes(&beginning), key) <= 0 && key_compare(key, key_bytes(&end)) < 0);
}

/* What stands in the queue, waits, or has a deadline, is found again under the same key. */
static void look_at_queued(struct bytes key)
{
	char letter = key.len ? *(const char *)key.data : '\0';
	struct job job = {.provider = (char *)""};
	struct job_index index = {.state = JOB_STATE_QUEUED};
	struct store_queued queued;
	struct index_keys made;
	struct bytes range;
	const char *provider;

	if (!key_read_queued(key, &queued) || !key_read_range(key, &range))
		return;
	assert(range.len <= key.len);
	job.ref = queued.ref;
	index.priority = queued.priority;
	if (letter == KEY_DEADLINE)
		index.deadline_ms = queued.ready_ms;
	else if (letter == KEY_WAKE)
		index.wait_until_ms = queued.ready_ms;
	else
		job.created_ms = queued.ready_ms;
	if (letter != KEY_DEADLINE) {
		assert(key_read_provider(key, &provider));
		job.provider = (char *)(uintptr_t)provider;
	}
	if (queued.ready_ms <= 0 || key_indexes(&made, &job, &index) != 0)
		return;
	if (letter == KEY_DEADLINE && made.deadline.len == key.len)
		assert_made(&made.deadline, key);
	if (letter != KEY_DEADLINE && made.queue.len == key.len)
		assert_made(&made.queue, key);
}

static void look_at_open(struct bytes key)
{
	struct job job = {.provider = (char *)""};
	struct index_keys made;

	if (!key_read_open(key, &job.ref))
		return;
	assert(key_indexes(&made, &job, &(struct job_index){.state = JOB_STATE_RUNNING}) == 0);
	assert_made(&made.open, key);
}

static void look_at_events(struct bytes key)
{
	uint64_t number;
	uint32_t tenant;
	struct key made;

	if (key_read_event(key, &tenant, &number)) {
		key_event(&made, tenant, number);
		assert_made(&made, key);
	}
	(void)key_read_history(key, &number);
	(void)key_read_tenant(key, KEY_META, &tenant);
}

static void look_at_tombstone(struct bytes key)
{
	struct bytes request_id;
	int64_t deleted_ms;
	uint32_t tenant;
	struct key made;
	char *text;

	if (!key_read_tombstone(key, &tenant, &deleted_ms, &request_id))
		return;
	text = bytes_dup_text(request_id);
	assert(text);
	if (deleted_ms >= 0 && strlen(text) == request_id.len && key_tombstone(&made, tenant, deleted_ms, text) == 0)
		assert_made(&made, key);
	free(text);
}

static void look_at_assets(struct bytes key)
{
	struct digest sha256 = {{0}};
	struct key made, beginning;
	struct job_ref ref;
	struct id id;

	if (key_read_asset_listed(key, &id, &sha256)) {
		assert(key_read_tenant(key, KEY_ASSET_LIST, &ref.tenant));
		key_asset_listed(&made, ref.tenant, &id, &sha256);
		assert_made(&made, key);
	}
	if (key_read_asset_use(key, &ref)) {
		memcpy(sha256.bytes, (const uint8_t *)key.data + 5, sizeof(sha256.bytes));
		key_asset_use(&made, &sha256, &ref);
		assert_made(&made, key);
		key_asset_uses(&beginning, ref.tenant, &sha256);
		assert(memcmp(key.data, beginning.data, beginning.len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes key = bytes_of(data, size);

	look_at_job(key);
	look_at_queued(key);
	look_at_open(key);
	look_at_events(key);
	look_at_tombstone(key);
	look_at_assets(key);
	return 0;
}
