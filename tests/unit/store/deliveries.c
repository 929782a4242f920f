/*
 * Deliveries of webhooks: kept with their cursors, found again, oldest first where they are to be sent.
 */
#include "store/fixture.h"

struct found {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there, more;
	int outcome;
	size_t n;
	struct store_delivery all[16];
	struct store_delivery_key cursors[16], scanned_to;
};
#define FOUND                                                                           \
	{                                                                               \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER \
	}

static void tell(struct found *found)
{
	found->is_there = true;
	pthread_cond_signal(&found->changed);
	pthread_mutex_unlock(&found->mutex);
}

static void await_found(struct found *found)
{
	pthread_mutex_lock(&found->mutex);
	while (!found->is_there)
		pthread_cond_wait(&found->changed, &found->mutex);
	pthread_mutex_unlock(&found->mutex);
}

static void on_list(void *userdata, int outcome, struct store_delivery *deliveries, size_t n,
		    const struct store_delivery_key *scanned_to, bool more)
{
	struct found *found = userdata;

	pthread_mutex_lock(&found->mutex);
	found->outcome = outcome;
	found->more = more;
	found->n = n;
	for (size_t i = 0; i < n; i++) {
		found->all[i] = deliveries[i];
		deliveries[i] = (struct store_delivery){0};
	}
	if (scanned_to)
		found->scanned_to = *scanned_to;
	tell(found);
}

static void on_one(void *userdata, int outcome, struct store_delivery *take)
{
	struct found *found = userdata;

	pthread_mutex_lock(&found->mutex);
	found->outcome = outcome;
	found->all[0] = *take;
	found->n = 1;
	*take = (struct store_delivery){0};
	tell(found);
}

static void on_cursors(void *userdata, int outcome, const struct store_delivery_key *cursors, size_t n)
{
	struct found *found = userdata;

	pthread_mutex_lock(&found->mutex);
	found->outcome = outcome;
	found->n = n;
	memcpy(found->cursors, cursors, n * sizeof(*cursors));
	tell(found);
}

static void forget(struct found *found)
{
	for (size_t i = 0; i < found->n; i++)
		store_delivery_finish(&found->all[i]);
}

static struct store_delivery_key key_of(uint64_t sequence, const char *endpoint)
{
	struct store_delivery_key key = {.tenant = JOB_TENANT_DEFAULT, .sequence = sequence};

	snprintf(key.endpoint, sizeof(key.endpoint), "%s", endpoint);
	return key;
}

static int put(struct fixture *fixture, uint64_t sequence, const char *endpoint,
	       enum store_delivery_state delivery_state)
{
	struct store_delivery delivery = {
		.key = key_of(sequence, endpoint),
		.state = delivery_state,
		.message_id = (char *)"msg_1",
		.type = (char *)"job.failed",
		.job = {{1, 2, 3}},
		.revision = 7,
		.url = (char *)"https://a.test/x",
		.body = {.data = (char *)"{\"a\":1}", .len = 7},
		.next_ms = FIXTURE_NOW + (int64_t)sequence,
		.tries = 3,
		.step = 2,
		.http_status = 500,
		.problem = (char *)"no",
		.reply = (char *)"words",
	};
	struct store_commit *commit = store_commit_new();

	assert_int_equal(store_commit_put_delivery(commit, &delivery), 0);
	assert_int_equal(store_commit_put_delivery_cursor(commit, &delivery.key), 0);
	return commit_now(fixture, commit);
}

static void list(struct fixture *fixture, const struct store_delivery_query *query, struct found *found)
{
	store_list_deliveries(fixture->store, query, on_list, found);
	await_found(found);
	assert_int_equal(found->outcome, 0);
}

static void a_delivery_comes_back_as_it_was_put_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct found found = FOUND, none = FOUND;
	struct store_delivery_key key = key_of(5, "studio"), other = key_of(5, "studi");

	assert_int_equal(put(fixture, 5, "studio", STORE_DELIVERY_PENDING), 0);
	fixture_reopen(fixture);
	store_get_delivery(fixture->store, &key, on_one, &found);
	await_found(&found);
	assert_int_equal(found.outcome, 0);
	assert_int_equal(found.all[0].state, STORE_DELIVERY_PENDING);
	assert_string_equal(found.all[0].message_id, "msg_1");
	assert_string_equal(found.all[0].url, "https://a.test/x");
	assert_int_equal(found.all[0].body.len, 7);
	assert_memory_equal(found.all[0].body.data, "{\"a\":1}", 7);
	assert_int_equal(found.all[0].revision, 7);
	assert_int_equal(found.all[0].tries, 3);
	assert_int_equal(found.all[0].step, 2);
	assert_string_equal(found.all[0].problem, "no");
	forget(&found);
	store_get_delivery(fixture->store, &other, on_one, &none);
	await_found(&none);
	assert_int_equal(none.outcome, STORE_E_NOT_FOUND);
}

static void those_to_be_sent_are_listed_oldest_first_and_all_newest_first(void **state)
{
	struct store_delivery_query query = {.tenant = JOB_TENANT_DEFAULT, .only_pending = true};
	struct found pending = FOUND, page = FOUND, rest = FOUND, dead = FOUND;
	struct fixture *fixture = *state;

	put(fixture, 9, "b", STORE_DELIVERY_PENDING);
	put(fixture, 300, "a", STORE_DELIVERY_PENDING);
	put(fixture, 9, "bb", STORE_DELIVERY_PENDING);
	put(fixture, 8, "a", STORE_DELIVERY_DEAD);
	/* It was to be sent, and was. */
	put(fixture, 7, "a", STORE_DELIVERY_PENDING);
	put(fixture, 7, "a", STORE_DELIVERY_DELIVERED);
	list(fixture, &query, &pending);
	assert_int_equal(pending.n, 3);
	assert_string_equal(pending.all[0].key.endpoint, "b");
	assert_string_equal(pending.all[1].key.endpoint, "bb");
	assert_int_equal(pending.all[2].key.sequence, 300);
	assert_int_equal(pending.all[2].next_ms, FIXTURE_NOW + 300);

	query = (struct store_delivery_query){.tenant = JOB_TENANT_DEFAULT, .limit = 2};
	list(fixture, &query, &page);
	assert_int_equal(page.n, 2);
	assert_true(page.more);
	assert_int_equal(page.all[0].key.sequence, 300);
	assert_string_equal(page.all[1].key.endpoint, "b");
	query.has_after = true;
	query.after = page.scanned_to;
	query.limit = 10;
	list(fixture, &query, &rest);
	assert_int_equal(rest.n, 3);
	assert_string_equal(rest.all[0].key.endpoint, "bb");
	assert_false(rest.more);

	query = (struct store_delivery_query){.tenant = JOB_TENANT_DEFAULT, .state = STORE_DELIVERY_DEAD};
	list(fixture, &query, &dead);
	assert_int_equal(dead.n, 1);
	assert_int_equal(dead.all[0].key.sequence, 8);
	forget(&pending);
	forget(&page);
	forget(&rest);
	forget(&dead);
}

static void what_is_deleted_is_neither_shown_nor_sent(void **state)
{
	struct store_delivery_query query = {.tenant = JOB_TENANT_DEFAULT};
	struct store_commit *commit = store_commit_new();
	struct store_delivery_key key = key_of(4, "a");
	struct found all = FOUND, pending = FOUND;
	struct fixture *fixture = *state;

	put(fixture, 4, "a", STORE_DELIVERY_PENDING);
	assert_int_equal(store_commit_delete_delivery(commit, &key), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	list(fixture, &query, &all);
	query.only_pending = true;
	list(fixture, &query, &pending);
	assert_int_equal(all.n + pending.n, 0);
}

static void how_far_the_events_were_read_is_kept_for_each_endpoint(void **state)
{
	struct store_commit *commit = store_commit_new();
	struct store_delivery_key gone = key_of(0, "b");
	struct fixture *fixture = *state;
	struct found found = FOUND;

	put(fixture, 4, "a", STORE_DELIVERY_PENDING);
	put(fixture, 6, "b", STORE_DELIVERY_PENDING);
	put(fixture, 9, "a", STORE_DELIVERY_PENDING);
	put(fixture, 12, "longer", STORE_DELIVERY_PENDING);
	assert_int_equal(store_commit_delete_delivery_cursor(commit, &gone), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	store_get_delivery_cursors(fixture->store, JOB_TENANT_DEFAULT, on_cursors, &found);
	await_found(&found);
	assert_int_equal(found.outcome, 0);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.cursors[0].endpoint, "a");
	assert_int_equal(found.cursors[0].sequence, 9);
	assert_string_equal(found.cursors[1].endpoint, "longer");
	assert_int_equal(found.cursors[1].sequence, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_delivery_comes_back_as_it_was_put_after_a_restart, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(those_to_be_sent_are_listed_oldest_first_and_all_newest_first,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_deleted_is_neither_shown_nor_sent, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(how_far_the_events_were_read_is_kept_for_each_endpoint, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
