/*
 * What was ordered at one place around a time: written with the sends, read from their jobs, kept when these are
 * deleted, and dropped when it is old.
 */
#include "job/place.h"
#include "store/backend.h"
#include "store/fixture.h"
#include "store/internal.h"
#include "store/keys.h"
#include "store/records.h"

#define PLACE "https://api.maker.test"
#define NOON 1800000000000
#define HOUR_MS 3600000

/* What a search brought, copied. */
struct found {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there, has_left_out;
	int outcome;
	size_t n;
	struct {
		struct job_ref ref;
		bool is_on_its_way;
		char model[32], parameters[64], remote_ids[64]; /* the beginnings */
	} all[8];
};

static void copy(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "(none)");
}

static void on_orders(void *userdata, int outcome, const struct store_order *orders, size_t n, bool has_left_out)
{
	struct found *found = userdata;

	pthread_mutex_lock(&found->mutex);
	found->outcome = outcome;
	found->n = n;
	found->has_left_out = has_left_out;
	for (size_t i = 0; i < n && i < 8; i++) {
		found->all[i].ref = orders[i].ref;
		found->all[i].is_on_its_way = orders[i].is_on_its_way;
		copy(found->all[i].model, sizeof(found->all[i].model), orders[i].model);
		copy(found->all[i].parameters, sizeof(found->all[i].parameters), orders[i].parameters);
		for (size_t k = 0; k < orders[i].n_remote_ids; k++) {
			size_t len = strlen(found->all[i].remote_ids);

			snprintf(found->all[i].remote_ids + len, sizeof(found->all[i].remote_ids) - len, "%s;",
				 orders[i].remote_ids[k]);
		}
	}
	found->is_there = true;
	pthread_cond_signal(&found->changed);
	pthread_mutex_unlock(&found->mutex);
}

static struct store_orders_query around_noon(void)
{
	struct store_orders_query query = {.sent_from_ms = NOON - HOUR_MS,
					   .sent_to_ms = NOON + HOUR_MS,
					   .decided_from_ms = NOON - HOUR_MS,
					   .limit = 100,
					   .limit_bytes = 1000000};

	assert_int_equal(job_place_of(PLACE, &query.place), 0);
	return query;
}

static struct found find(struct fixture *fixture, const struct store_orders_query *query)
{
	struct found found = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

	store_find_orders(fixture->store, query, on_orders, &found);
	pthread_mutex_lock(&found.mutex);
	while (!found.is_there)
		pthread_cond_wait(&found.changed, &found.mutex);
	pthread_mutex_unlock(&found.mutex);
	assert_int_equal(found.outcome, 0);
	return found;
}

static struct found find_around_noon(struct fixture *fixture)
{
	struct store_orders_query query = around_noon();

	return find(fixture, &query);
}

struct sent {
	const char *base_url;
	enum job_send_class class;
	int64_t sent_ms, decided_ms;
	const char *remote_ids[2];
};

static struct job_send *add_send(struct job_view *view, const struct sent *sent)
{
	struct job_send *send = job_add_send(view->status);

	assert_non_null(send);
	send->attempt = (uint32_t)view->status->n_sends;
	send->number = 1;
	send->class = sent->class;
	send->created_ms = sent->sent_ms ? sent->sent_ms : NOON;
	send->decided_ms = sent->decided_ms;
	assert_int_equal(job_set_text(&send->base_url, sent->base_url ? sent->base_url : PLACE), 0);
	return send;
}

static void add_remotes(struct job_view *view, const struct job_send *send, const struct sent *sent,
			struct store_commit *commit)
{
	for (uint32_t i = 0; i < 2 && sent->remote_ids[i]; i++) {
		struct job_remote *remote = job_add_remote(view->status);

		assert_non_null(remote);
		remote->attempt = send->attempt;
		remote->index = i + 1;
		assert_int_equal(job_set_text(&remote->id, sent->remote_ids[i]), 0);
		assert_int_equal(store_commit_put_remote(commit, &view->job->ref, remote), 0);
	}
}

/* The job that comes of it is on disk. */
static struct job_view put_sent_job(struct fixture *fixture, const struct sent *sent)
{
	struct job_view view = make_job(fixture);
	struct job_send *send = add_send(&view, sent);
	struct store_commit *commit = creation(&view);

	assert_int_equal(store_commit_put_send(commit, &view.job->ref, send), 0);
	add_remotes(&view, send, sent, commit);
	assert_int_equal(commit_now(fixture, commit), 0);
	return view;
}

static void put_sent(struct fixture *fixture, const struct sent *sent)
{
	struct job_view view = put_sent_job(fixture, sent);

	job_view_finish(&view);
}

static void decide(struct fixture *fixture, struct job_view *view, enum job_send_class class, int64_t decided_ms)
{
	struct store_commit *commit = revision(fixture, view, NULL, NULL);

	view->status->sends[0].class = class;
	view->status->sends[0].decided_ms = decided_ms;
	assert_int_equal(store_commit_put_send(commit, &view->job->ref, &view->status->sends[0]), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
}

static void what_may_have_bought_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct found found;

	put_sent(fixture, &(struct sent){.class = JOB_SEND_PENDING, .sent_ms = NOON - 3});
	put_sent(fixture, &(struct sent){.class = JOB_SEND_AMBIGUOUS, .sent_ms = NOON - 2, .decided_ms = NOON});
	put_sent(fixture, &(struct sent){.class = JOB_SEND_ACCEPTED,
					 .sent_ms = NOON - 1,
					 .decided_ms = NOON,
					 .remote_ids = {"v1", "v2"}});
	put_sent(fixture, &(struct sent){.class = JOB_SEND_NOT_SENT, .decided_ms = NOON});
	put_sent(fixture, &(struct sent){.class = JOB_SEND_REFUSED, .decided_ms = NOON});
	put_sent(fixture, &(struct sent){.class = JOB_SEND_ABSENT, .decided_ms = NOON});
	fixture_reopen(fixture);
	found = find_around_noon(fixture);
	assert_int_equal(found.n, 3);
	assert_false(found.has_left_out);
	assert_true(found.all[0].is_on_its_way);
	assert_string_equal(found.all[0].remote_ids, "");
	assert_false(found.all[1].is_on_its_way);
	assert_string_equal(found.all[1].model, "avatar");
	assert_string_equal(found.all[1].parameters, "{\"script\":{\"text\":\"Hello\"}}");
	assert_false(found.all[2].is_on_its_way);
	assert_string_equal(found.all[2].remote_ids, "v1;v2;");
}

static void what_is_decided_otherwise_is_found_no_more(void **state)
{
	static const enum job_send_class none[] = {JOB_SEND_NOT_SENT, JOB_SEND_REFUSED, JOB_SEND_ABSENT};
	struct fixture *fixture = *state;
	struct found found;

	for (size_t i = 0; i < 3; i++) {
		struct job_view view = put_sent_job(fixture, &(struct sent){.class = JOB_SEND_PENDING});

		assert_int_equal(find_around_noon(fixture).n, 1);
		decide(fixture, &view, none[i], NOON + 1);
		found = find_around_noon(fixture);
		assert_int_equal(found.n, 0);
		assert_false(found.has_left_out);
		job_view_finish(&view);
	}
}

static void another_place_is_not_found_and_another_spelling_is(void **state)
{
	struct fixture *fixture = *state;

	put_sent(fixture, &(struct sent){.base_url = "https://api.other.test"});
	put_sent(fixture, &(struct sent){.base_url = "http://api.maker.test"});
	assert_int_equal(find_around_noon(fixture).n, 0);
	put_sent(fixture, &(struct sent){.base_url = "HTTPS://API.maker.test:443/"});
	assert_int_equal(find_around_noon(fixture).n, 1);
}

static void the_span_is_exact(void **state)
{
	struct fixture *fixture = *state;
	struct store_orders_query query = around_noon();

	put_sent(fixture, &(struct sent){.class = JOB_SEND_ACCEPTED, .decided_ms = NOON + 7});
	query.sent_from_ms = query.sent_to_ms = NOON;
	query.decided_from_ms = NOON + 7;
	assert_int_equal(find(fixture, &query).n, 1);
	query.decided_from_ms = NOON + 8;
	assert_int_equal(find(fixture, &query).n, 0);
	query.decided_from_ms = NOON;
	query.sent_from_ms = NOON + 1;
	query.sent_to_ms = NOON + HOUR_MS;
	assert_int_equal(find(fixture, &query).n, 0);
	query.sent_from_ms = NOON - HOUR_MS;
	query.sent_to_ms = NOON - 1;
	assert_int_equal(find(fixture, &query).n, 0);
}

static void the_job_that_asks_is_no_other(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_sent_job(fixture, &(struct sent){.class = JOB_SEND_AMBIGUOUS, .decided_ms = NOON});
	struct store_orders_query query = around_noon();

	query.except = view.job->ref;
	assert_int_equal(find(fixture, &query).n, 0);
	query.except.tenant++;
	assert_int_equal(find(fixture, &query).n, 1);
	job_view_finish(&view);
}

static void an_order_outlives_its_job(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_sent_job(fixture, &(struct sent){.class = JOB_SEND_ACCEPTED,
								    .decided_ms = NOON + 1,
								    .remote_ids = {"v1", "v2"}});
	struct found found = find_around_noon(fixture);

	assert_int_equal(found.n, 1);
	assert_true(job_ref_equal(&found.all[0].ref, &view.job->ref));
	assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
	fixture_reopen(fixture);
	found = find_around_noon(fixture);
	assert_int_equal(found.n, 1);
	assert_true(job_ref_equal(&found.all[0].ref, &view.job->ref));
	assert_false(found.has_left_out);
	assert_false(found.all[0].is_on_its_way);
	assert_string_equal(found.all[0].model, "avatar");
	assert_string_equal(found.all[0].parameters, "{\"script\":{\"text\":\"Hello\"}}");
	assert_string_equal(found.all[0].remote_ids, "v1;v2;");
	job_view_finish(&view);
}

static void nothing_stays_of_a_deleted_job_that_bought_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_sent_job(fixture, &(struct sent){.class = JOB_SEND_REFUSED, .decided_ms = NOON});

	assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
	assert_int_equal(find_around_noon(fixture).n, 0);
	job_view_finish(&view);
}

static void a_send_that_makes_place_takes_its_order_along(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_sent_job(fixture, &(struct sent){.class = JOB_SEND_AMBIGUOUS, .decided_ms = NOON});
	struct store_commit *commit = revision(fixture, &view, NULL, NULL);

	assert_int_equal(store_commit_delete_send(commit, &view.job->ref, &view.status->sends[0]), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	assert_int_equal(find_around_noon(fixture).n, 0);
	job_view_finish(&view);
}

/* ---- limits ---- */

static void more_than_the_limit_is_said_to_be_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct store_orders_query query = around_noon();
	struct found found;

	for (int i = 0; i < 3; i++)
		put_sent(fixture,
			 &(struct sent){.class = JOB_SEND_ACCEPTED, .sent_ms = NOON + i, .decided_ms = NOON + i});
	query.limit = 3;
	found = find(fixture, &query);
	assert_int_equal(found.n, 3);
	assert_false(found.has_left_out);
	query.limit = 2;
	found = find(fixture, &query);
	assert_int_equal(found.n, 2);
	assert_true(found.has_left_out);
	query.limit = 3;
	query.limit_bytes = 3 * strlen("{\"script\":{\"text\":\"Hello\"}}");
	assert_false(find(fixture, &query).has_left_out);
	query.limit_bytes--;
	found = find(fixture, &query);
	assert_int_equal(found.n, 2);
	assert_true(found.has_left_out);
}

static void parameters_of_deleted_jobs_are_kept_up_to_a_length(void **state)
{
	struct fixture *fixture = *state;

	for (size_t more = 0; more < 2; more++) {
		size_t len = LIMIT_STORE_ORDER_PARAMETERS + more;
		struct job_view view = make_job(fixture);
		struct store_commit *commit = creation(&view);
		struct found found;

		free(view.job->parameters);
		view.job->parameters = malloc(len + 1);
		memset(view.job->parameters, 'a', len);
		view.job->parameters[len] = '\0';
		store_commit_put_send(commit, &view.job->ref,
				      add_send(&view, &(struct sent){.class = JOB_SEND_AMBIGUOUS, .decided_ms = NOON}));
		assert_int_equal(commit_now(fixture, commit), 0);
		assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
		found = find_around_noon(fixture);
		assert_int_equal(found.n, 1); /* the first one */
		assert_int_equal(found.has_left_out, more);
		job_view_finish(&view);
	}
}

/* Entries that were decided long before, as a busy year leaves them, without their jobs. */
static void put_entries(struct fixture *fixture, size_t from, size_t to)
{
	static const struct record_order order = {.class = JOB_SEND_ACCEPTED, .decided_ms = NOON - 2 * HOUR_MS};
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct backend_batch *batch = backend_batch_new();

	assert_int_equal(record_write_order(&record, &order), 0);
	for (size_t i = from; i < to; i++) {
		struct job_send send = {.attempt = 1,
					.number = 1,
					.created_ms = NOON - HOUR_MS + (int64_t)(i % HOUR_MS),
					.base_url = (char *)PLACE};
		struct job_ref ref = {.tenant = 1};
		struct key key;

		memcpy(ref.id.bytes, &i, sizeof(i));
		assert_int_equal(key_order(&key, &ref, &send), 0);
		backend_batch_put(batch, key_bytes(&key), buffer_bytes(&record));
	}
	assert_int_equal(backend_write(fixture->store->backend, batch, BACKEND_UNSYNCED), 0);
	backend_batch_free(batch);
}

static void a_long_past_is_passed_over_up_to_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct found found;

	put_entries(fixture, 0, LIMIT_STORE_ORDER_SCAN - 1);
	put_sent(fixture, &(struct sent){.class = JOB_SEND_ACCEPTED, .decided_ms = NOON, .remote_ids = {"v1"}});
	found = find_around_noon(fixture);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.all[0].remote_ids, "v1;");
	assert_false(found.has_left_out);
	put_entries(fixture, LIMIT_STORE_ORDER_SCAN - 1, LIMIT_STORE_ORDER_SCAN);
	assert_true(find_around_noon(fixture).has_left_out);
}

/* ---- trimming ---- */

static size_t count_entries(struct fixture *fixture)
{
	struct backend_cursor *cursor;
	struct key from, to;
	size_t n = 0;

	key_tenant(&from, KEY_ORDER, 0);
	key_after(&to, &from);
	cursor = backend_cursor_new(fixture->store->backend, key_bytes(&from), key_bytes(&to));
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		n++;
	backend_cursor_free(cursor);
	return n;
}

static void trim_now(struct fixture *fixture, int64_t orders_before_ms)
{
	store_trim(fixture->store, &(struct store_trim){.orders_before_ms = orders_before_ms});
	for (int i = 0; i < 8; i++)
		assert_int_equal(commit_now(fixture, store_commit_new()), 0);
}

static void old_orders_are_dropped_at_every_place(void **state)
{
	static const char *const places[] = {PLACE, "https://b.test", "https://c.test", "https://d.test"};
	struct fixture *fixture = *state;
	struct job_view view;

	for (size_t i = 0; i < 4; i++) {
		put_sent(fixture, &(struct sent){.base_url = places[i], .sent_ms = NOON});
		put_sent(fixture, &(struct sent){.base_url = places[i], .sent_ms = NOON - 1});
	}
	put_sent(fixture, &(struct sent){.base_url = "https://old.test", .sent_ms = NOON - 5});
	view = put_sent_job(fixture,
			    &(struct sent){.class = JOB_SEND_ACCEPTED, .sent_ms = NOON - 2, .decided_ms = NOON});
	assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
	assert_int_equal(count_entries(fixture), 10);
	trim_now(fixture, NOON);
	assert_int_equal(count_entries(fixture), 4);
	assert_int_equal(find_around_noon(fixture).n, 1);
	trim_now(fixture, NOON + 1);
	assert_int_equal(count_entries(fixture), 0);
	job_view_finish(&view);
}

static void more_old_orders_than_one_bite_go_too(void **state)
{
	struct fixture *fixture = *state;

	put_entries(fixture, 0, 3 * LIMIT_STORE_TRIM + 1);
	trim_now(fixture, NOON);
	assert_int_equal(count_entries(fixture), 0);
}

/* ---- the format before ---- */

/* As a daemon of format 2 left it: it wrote everything but the orders. */
static void make_format_2(struct fixture *fixture)
{
	struct record_meta meta = {.format = 2, .epoch = 7, .created_ms = 8};
	struct backend_batch *batch = backend_batch_new();
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct backend_cursor *cursor;
	struct key from, to;

	key_tenant(&from, KEY_ORDER, 0);
	key_after(&to, &from);
	cursor = backend_cursor_new(fixture->store->backend, key_bytes(&from), key_bytes(&to));
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		backend_batch_delete(batch, backend_cursor_key(cursor));
	backend_cursor_free(cursor);
	assert_int_equal(record_write_meta(&record, &meta), 0);
	key_tenant(&from, KEY_META, 0);
	backend_batch_put(batch, key_bytes(&from), buffer_bytes(&record));
	assert_int_equal(backend_write(fixture->store->backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
	assert_int_equal(count_entries(fixture), 0);
}

static void a_store_of_format_2_is_raised(void **state)
{
	struct fixture *fixture = *state;
	struct backend_value value = {0};
	struct record_meta meta;
	struct found found;
	struct key key;

	put_sent(fixture, &(struct sent){.class = JOB_SEND_PENDING, .sent_ms = NOON - 1});
	put_sent(fixture, &(struct sent){.class = JOB_SEND_ACCEPTED, .decided_ms = NOON, .remote_ids = {"v1"}});
	put_sent(fixture, &(struct sent){.class = JOB_SEND_REFUSED, .decided_ms = NOON});
	make_format_2(fixture);
	fixture_reopen(fixture);
	found = find_around_noon(fixture);
	assert_int_equal(found.n, 2);
	assert_false(found.has_left_out);
	assert_true(found.all[0].is_on_its_way);
	assert_string_equal(found.all[1].remote_ids, "v1;");
	key_tenant(&key, KEY_META, 0);
	assert_int_equal(backend_get(fixture->store->backend, key_bytes(&key), &value), 0);
	assert_int_equal(record_read_meta(value.bytes, &meta), 0);
	backend_value_finish(&value);
	assert_int_equal(meta.format, STORE_FORMAT);
	assert_int_equal(meta.epoch, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_may_have_bought_is_found),
		TEST(what_is_decided_otherwise_is_found_no_more),
		TEST(another_place_is_not_found_and_another_spelling_is),
		TEST(the_span_is_exact),
		TEST(the_job_that_asks_is_no_other),
		TEST(an_order_outlives_its_job),
		TEST(nothing_stays_of_a_deleted_job_that_bought_nothing),
		TEST(a_send_that_makes_place_takes_its_order_along),
		TEST(more_than_the_limit_is_said_to_be_left_out),
		TEST(parameters_of_deleted_jobs_are_kept_up_to_a_length),
		TEST(a_long_past_is_passed_over_up_to_a_limit),
		TEST(old_orders_are_dropped_at_every_place),
		TEST(more_old_orders_than_one_bite_go_too),
		TEST(a_store_of_format_2_is_raised),
	};

	return cmocka_run_group_tests_name("store.orders", tests, NULL, NULL);
}
