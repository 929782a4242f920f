#include "store/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOW 1700000000000

static struct job job_of(const char *provider, uint8_t id, int64_t created_ms)
{
	struct job job = {.ref.tenant = JOB_TENANT_DEFAULT, .provider = (char *)provider, .created_ms = created_ms};

	job.ref.id.bytes[15] = id;
	return job;
}

static struct key queue_key(const char *provider, int32_t priority, int64_t created_ms, int64_t until_ms, uint8_t id)
{
	struct job job = job_of(provider, id, created_ms);
	struct job_index index = {.state = JOB_STATE_QUEUED, .priority = priority, .wait_until_ms = until_ms};
	struct index_keys keys;

	assert_int_equal(key_indexes(&keys, &job, &index), 0);
	return keys.queue;
}

static void assert_ordered(const struct key *a, const struct key *b)
{
	assert_true(key_compare(key_bytes(a), key_bytes(b)) < 0);
	assert_true(key_compare(key_bytes(b), key_bytes(a)) > 0);
	assert_int_equal(key_compare(key_bytes(a), key_bytes(a)), 0);
}

static void the_queue_sorts_by_priority_then_age_then_id(void **state)
{
	static const int32_t priorities[] = {INT32_MAX, JOB_PRIORITY_MAX, 1, 0, -1, JOB_PRIORITY_MIN, INT32_MIN};

	(void)state;
	for (size_t i = 1; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
		struct key higher = queue_key("a", priorities[i - 1], NOW + 1, 0, 2);
		struct key lower = queue_key("a", priorities[i], NOW, 0, 1);

		assert_ordered(&higher, &lower);
	}
	for (int64_t created_ms = 255; created_ms < NOW; created_ms = created_ms * 2 + 1) {
		struct key older = queue_key("a", 5, created_ms, 0, 9);
		struct key newer = queue_key("a", 5, created_ms + 1, 0, 1);
		struct key other = queue_key("a", 5, created_ms, 0, 10);

		assert_ordered(&older, &newer);
		assert_ordered(&older, &other);
	}
}

static void the_waiting_room_sorts_by_time_then_priority(void **state)
{
	struct key soon = queue_key("a", -50, NOW, NOW + 1000, 9);
	struct key late_high = queue_key("a", 50, NOW, NOW + 2000, 2);
	struct key late_low = queue_key("a", 0, NOW, NOW + 2000, 1);

	(void)state;
	assert_ordered(&soon, &late_high);
	assert_ordered(&late_high, &late_low);
}

static void newer_jobs_come_first_and_their_records_lie_together(void **state)
{
	struct job_ref older = {.tenant = 1, .id = id_new(NOW)};
	struct job_ref newer = {.tenant = 1, .id = id_new(NOW + 1)};
	struct job_ref other = {.tenant = 2, .id = id_new(NOW + 2)};
	struct key a, b, prefix, end;

	(void)state;
	key_artifact(&a, &newer, UINT32_MAX);
	key_job_part(&b, &older, KEY_PART_JOB);
	assert_ordered(&a, &b);
	key_job_part(&a, &other, KEY_PART_JOB);
	assert_ordered(&b, &a);

	key_job(&prefix, &older);
	key_after(&end, &prefix);
	key_job_part(&a, &older, KEY_PART_JOB);
	for (uint32_t n = 1; n < 1u << 31; n = 2 * n + 1) {
		key_attempt(&b, &older, n);
		assert_ordered(&a, &b);
		assert_ordered(&b, &end);
		a = b;
	}
}

static void the_end_of_a_prefix_is_behind_all_of_it(void **state)
{
	struct key prefix, end, inside;

	(void)state;
	key_tenant(&prefix, KEY_EVENT, UINT32_MAX);
	key_after(&end, &prefix);
	key_event(&inside, UINT32_MAX, UINT64_MAX);
	assert_ordered(&inside, &end);
	assert_int_equal(end.len, 1);
	assert_int_equal(end.data[0], KEY_EVENT + 1);

	key_tenant(&prefix, KEY_EVENT, 1);
	key_after(&end, &prefix);
	key_tenant(&inside, KEY_EVENT, 2);
	assert_int_equal(key_compare(key_bytes(&end), key_bytes(&inside)), 0);
}

static void a_provider_shares_no_range_with_one_whose_name_it_begins(void **state)
{
	struct key range, end, other = queue_key("ab", 100, NOW, 0, 1), own = queue_key("a", 0, NOW, 0, 1);

	(void)state;
	assert_int_equal(key_provider(&range, KEY_QUEUE, JOB_TENANT_DEFAULT, "a"), 0);
	key_after(&end, &range);
	assert_ordered(&range, &own);
	assert_ordered(&own, &end);
	assert_true(key_compare(key_bytes(&other), key_bytes(&end)) >= 0);
}

static void queue_keys_read_back(void **state)
{
	struct key ready = queue_key("heygen", -7, NOW, 0, 3), waits = queue_key("heygen", 7, NOW, NOW + 5, 4);
	struct store_queued row;
	const char *provider;

	(void)state;
	assert_true(key_read_queued(key_bytes(&ready), &row));
	assert_int_equal(row.priority, -7);
	assert_int_equal(row.ready_ms, NOW);
	assert_int_equal(row.ref.id.bytes[15], 3);
	assert_int_equal(row.ref.tenant, JOB_TENANT_DEFAULT);
	assert_true(key_read_queued(key_bytes(&waits), &row));
	assert_int_equal(row.priority, 7);
	assert_int_equal(row.ready_ms, NOW + 5);
	assert_int_equal(row.ref.id.bytes[15], 4);
	assert_true(key_read_provider(key_bytes(&waits), &provider));
	assert_string_equal(provider, "heygen");
	ready.len = 20;
	assert_false(key_read_queued(key_bytes(&ready), &row));
}

static void other_keys_read_back(void **state)
{
	struct job_ref ref = {.tenant = 77, .id = id_new(NOW)}, read;
	uint64_t sequence, revision;
	struct bytes request_id;
	enum key_part part;
	uint32_t tenant;
	int64_t deleted_ms;
	struct key key;

	(void)state;
	key_send(&key, &ref, 1, 2);
	assert_true(key_read_job(key_bytes(&key), &read, &part));
	assert_true(job_ref_equal(&ref, &read));
	assert_int_equal(part, KEY_PART_SEND);
	assert_false(key_read_open(key_bytes(&key), &read));
	key_event(&key, 77, 0x0102030405060708);
	assert_true(key_read_event(key_bytes(&key), &tenant, &sequence));
	assert_int_equal(tenant, 77);
	assert_int_equal(sequence, 0x0102030405060708);
	key_history(&key, &ref, 9);
	assert_true(key_read_history(key_bytes(&key), &revision));
	assert_int_equal(revision, 9);
	assert_int_equal(key_tombstone(&key, 77, NOW, "abc"), 0);
	assert_true(key_read_tombstone(key_bytes(&key), &tenant, &deleted_ms, &request_id));
	assert_int_equal(deleted_ms, NOW);
	assert_true(bytes_equal(request_id, bytes_of_text("abc")));
}

/* The store's own table of states against the one in job/. */
static void each_state_has_the_indexes_that_its_life_needs(void **state)
{
	struct job job = job_of("heygen", 1, NOW);

	(void)state;
	for (int s = 1; s < _JOB_STATE_COUNT; s++) {
		struct job_index index = {.state = (enum job_state)s, .deadline_ms = NOW + 1};
		struct index_keys keys;

		assert_int_equal(key_indexes(&keys, &job, &index), 0);
		assert_int_equal(keys.queue.len != 0, index.state == JOB_STATE_QUEUED);
		assert_int_equal(keys.open.len != 0,
				 job_state_is_active(index.state) || index.state == JOB_STATE_UNCERTAIN);
		assert_int_equal(keys.deadline.len != 0, job_may_move(index.state, JOB_STATE_EXPIRED));
		index.deadline_ms = 0;
		assert_int_equal(key_indexes(&keys, &job, &index), 0);
		assert_int_equal(keys.deadline.len, 0);
	}
}

static void names_fit_up_to_their_limits(void **state)
{
	char text[LIMIT_STORE_REQUEST_ID + 2] = "";
	struct key key;

	(void)state;
	memset(text, 'x', LIMIT_STORE_REQUEST_ID);
	assert_int_equal(key_request(&key, 1, text), 0);
	assert_int_equal(key_tombstone(&key, 1, NOW, text), 0);
	assert_true(key.len <= KEY_SIZE_MAX);
	text[LIMIT_STORE_REQUEST_ID] = 'x';
	assert_int_equal(key_request(&key, 1, text), -EMSGSIZE);
	assert_int_equal(key_tombstone(&key, 1, NOW, text), -EMSGSIZE);
	text[LIMIT_STORE_PROVIDER] = '\0';
	key = queue_key(text, 0, NOW, NOW, 1);
	assert_true(key.len <= KEY_SIZE_MAX);
	text[LIMIT_STORE_PROVIDER] = 'x';
	text[LIMIT_STORE_PROVIDER + 1] = '\0';
	assert_int_equal(key_provider(&key, KEY_WAKE, 1, text), -EMSGSIZE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_sorts_by_priority_then_age_then_id),
		cmocka_unit_test(the_waiting_room_sorts_by_time_then_priority),
		cmocka_unit_test(newer_jobs_come_first_and_their_records_lie_together),
		cmocka_unit_test(the_end_of_a_prefix_is_behind_all_of_it),
		cmocka_unit_test(a_provider_shares_no_range_with_one_whose_name_it_begins),
		cmocka_unit_test(queue_keys_read_back),
		cmocka_unit_test(other_keys_read_back),
		cmocka_unit_test(each_state_has_the_indexes_that_its_life_needs),
		cmocka_unit_test(names_fit_up_to_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
