#include "store/fixture.h"

#include "job/asset.h"
#include "store/internal.h"
#include "store/records.h"

#include <stdio.h>

#define TENANT JOB_TENANT_DEFAULT

struct found {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there, has_more;
	int outcome;
	struct asset assets[8];
	size_t n;
};

static void found_init(struct found *found)
{
	*found = (struct found){0};
	pthread_mutex_init(&found->mutex, NULL);
	pthread_cond_init(&found->changed, NULL);
}

static void found_await(struct found *found)
{
	pthread_mutex_lock(&found->mutex);
	while (!found->is_there)
		pthread_cond_wait(&found->changed, &found->mutex);
	pthread_mutex_unlock(&found->mutex);
}

static void found_finish(struct found *found)
{
	for (size_t i = 0; i < found->n; i++)
		asset_finish(&found->assets[i]);
	pthread_cond_destroy(&found->changed);
	pthread_mutex_destroy(&found->mutex);
}

static void on_listed(void *userdata, int outcome, struct asset *assets, size_t n, bool more)
{
	struct found *found = userdata;

	assert_true(n <= 8);
	pthread_mutex_lock(&found->mutex);
	if (n)
		memcpy(found->assets, assets, n * sizeof(*assets));
	found->n = n;
	found->has_more = more;
	found->outcome = outcome;
	found->is_there = true;
	pthread_cond_signal(&found->changed);
	pthread_mutex_unlock(&found->mutex);
}

static void on_got(void *userdata, int outcome, struct asset *assets, size_t n)
{
	on_listed(userdata, outcome, assets, n, false);
}

static void get(struct fixture *fixture, const struct digest *sha256, size_t n, struct found *found)
{
	found_init(found);
	store_get_assets(fixture->store, TENANT, sha256, n, on_got, found);
	found_await(found);
	assert_int_equal(found->outcome, 0);
	assert_int_equal(found->n, n);
}

static bool is_there(struct fixture *fixture, const struct asset *asset)
{
	struct found found;
	bool answer;

	get(fixture, &asset->sha256, 1, &found);
	answer = *found.assets[0].media_type;
	found_finish(&found);
	return answer;
}

static struct asset make_asset(struct fixture *fixture, const char *content)
{
	struct asset asset = {.sha256 = digest_of(bytes_of_text(content)), .size_bytes = strlen(content)};

	fixture->now_ms++;
	asset.id = id_new(fixture->now_ms);
	asset.created_ms = fixture->now_ms;
	snprintf(asset.media_type, sizeof(asset.media_type), "image/png");
	return asset;
}

static struct store_commit *putting(const struct asset *asset)
{
	struct store_commit *commit = store_commit_new();

	assert_non_null(commit);
	assert_int_equal(store_commit_put_asset(commit, TENANT, asset), 0);
	return commit;
}

static struct store_commit *deleting(const struct asset *asset)
{
	struct store_commit *commit = store_commit_new();

	assert_non_null(commit);
	assert_int_equal(store_commit_delete_asset(commit, TENANT, asset), 0);
	return commit;
}

static struct asset put_asset(struct fixture *fixture, const char *content)
{
	struct asset asset = make_asset(fixture, content);

	assert_int_equal(commit_now(fixture, putting(&asset)), 0);
	return asset;
}

static struct job_view make_user(struct fixture *fixture, const struct asset *asset)
{
	struct job_view view = make_job(fixture);

	assert_int_equal(job_add_asset(view.job, &asset->sha256), 0);
	return view;
}

static void an_asset_is_kept_as_it_was_put(void **state)
{
	struct fixture *fixture = *state;
	struct asset asset = make_asset(fixture, "a");
	struct digest both[] = {asset.sha256, digest_of(bytes_of_text("nobody's"))};
	struct found found;

	asset.duration_ms = 5;
	asset.width = 6;
	asset.height = 7;
	asset.display_name = (char *)"Mine";
	assert_int_equal(commit_now(fixture, putting(&asset)), 0);
	fixture_reopen(fixture);
	get(fixture, both, 2, &found);
	assert_memory_equal(&found.assets[0].sha256, &asset.sha256, sizeof(asset.sha256));
	assert_memory_equal(&found.assets[0].id, &asset.id, sizeof(asset.id));
	assert_int_equal(found.assets[0].size_bytes, 1);
	assert_string_equal(found.assets[0].media_type, "image/png");
	assert_int_equal(found.assets[0].duration_ms, 5);
	assert_int_equal(found.assets[0].width, 6);
	assert_int_equal(found.assets[0].height, 7);
	assert_string_equal(found.assets[0].display_name, "Mine");
	assert_int_equal(found.assets[0].created_ms, asset.created_ms);
	assert_string_equal(found.assets[1].media_type, "");
	found_finish(&found);
}

static void the_same_content_is_put_once(void **state)
{
	struct fixture *fixture = *state;
	struct asset asset = put_asset(fixture, "a"), again = make_asset(fixture, "a");

	assert_int_equal(commit_now(fixture, putting(&again)), STORE_E_ASSET_EXISTS);
	assert_int_equal(commit_now(fixture, deleting(&asset)), 0);
	assert_int_equal(commit_now(fixture, deleting(&asset)), STORE_E_ASSET_MISSING);
	assert_int_equal(commit_now(fixture, putting(&again)), 0);
	assert_int_equal(commit_now(fixture, deleting(&asset)), STORE_E_CONFLICT);
	assert_true(is_there(fixture, &again));
}

static void assets_are_listed_newest_first_page_by_page(void **state)
{
	static const char *const contents[] = {"a", "b", "c", "d", "e"};
	struct fixture *fixture = *state;
	struct asset assets[5];
	struct found found;
	struct id after = {0};

	for (size_t i = 0; i < 5; i++)
		assets[i] = put_asset(fixture, contents[i]);
	assert_int_equal(commit_now(fixture, deleting(&assets[3])), 0);
	found_init(&found);
	store_list_assets(fixture->store, TENANT, &after, 2, on_listed, &found);
	found_await(&found);
	assert_int_equal(found.n, 2);
	assert_true(found.has_more);
	assert_memory_equal(&found.assets[0].sha256, &assets[4].sha256, DIGEST_SIZE);
	assert_memory_equal(&found.assets[1].sha256, &assets[2].sha256, DIGEST_SIZE);
	after = found.assets[1].id;
	found_finish(&found);
	found_init(&found);
	store_list_assets(fixture->store, TENANT, &after, 2, on_listed, &found);
	found_await(&found);
	assert_int_equal(found.n, 2);
	assert_false(found.has_more);
	assert_memory_equal(&found.assets[1].sha256, &assets[0].sha256, DIGEST_SIZE);
	found_finish(&found);
	found_init(&found);
	store_list_assets(fixture->store, TENANT + 1, &(struct id){0}, 2, on_listed, &found);
	found_await(&found);
	assert_int_equal(found.n, 0);
	found_finish(&found);
}

static void an_asset_keeps_its_content_from_the_collector(void **state)
{
	struct fixture *fixture = *state;
	struct asset asset = put_asset(fixture, "a");

	assert_true(is_referenced(fixture, &asset.sha256));
	fixture_reopen(fixture);
	assert_true(is_referenced(fixture, &asset.sha256));
	assert_int_equal(commit_now(fixture, deleting(&asset)), 0);
	assert_false(is_referenced(fixture, &asset.sha256));
}

static void a_job_holds_its_assets_until_it_ends(void **state)
{
	struct fixture *fixture = *state;
	struct asset asset = put_asset(fixture, "a");
	struct job_view view = make_user(fixture, &asset);
	struct ticket ticket;

	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	move(fixture, &view, JOB_STATE_PREPARING);
	fixture_reopen(fixture);
	submit(&ticket, fixture, deleting(&asset));
	assert_int_equal(await(&ticket), STORE_E_ASSET_USED);
	assert_true(job_ref_equal(store_commit_user(ticket.commit), &view.job->ref));
	assert_null(store_commit_asset(ticket.commit));
	finish(&ticket);
	move(fixture, &view, JOB_STATE_UNCERTAIN);
	assert_int_equal(commit_now(fixture, deleting(&asset)), STORE_E_ASSET_USED);
	move(fixture, &view, JOB_STATE_FAILED);
	assert_int_equal(commit_now(fixture, deleting(&asset)), 0);
	job_view_finish(&view);
}

static void the_assets_of_a_job_come_back_with_it(void **state)
{
	struct fixture *fixture = *state;
	struct asset asset = put_asset(fixture, "a");
	struct job_view view = make_user(fixture, &asset);
	struct answer answer;

	assert_int_equal(job_add_asset(view.job, &asset.sha256), 0);
	assert_int_equal(view.job->n_assets, 1);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	get_job(fixture, &view.job->ref, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.view.job->n_assets, 1);
	assert_memory_equal(&answer.view.job->assets[0], &asset.sha256, DIGEST_SIZE);
	free_answer(&answer);
	job_view_finish(&view);
}

static void a_job_without_its_asset_is_not_accepted(void **state)
{
	struct fixture *fixture = *state;
	struct asset asset = make_asset(fixture, "a");
	struct job_view view = make_user(fixture, &asset);
	struct ticket ticket;

	submit(&ticket, fixture, creation(&view));
	assert_int_equal(await(&ticket), STORE_E_ASSET_MISSING);
	assert_memory_equal(store_commit_asset(ticket.commit), &asset.sha256, DIGEST_SIZE);
	finish(&ticket);
	assert_int_equal(commit_now(fixture, putting(&asset)), 0);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	job_view_finish(&view);
}

/* The request id is looked at first: a repeat finds its job although the asset is gone by now. */
static void a_repeat_is_found_before_the_asset_is_missed(void **state)
{
	struct fixture *fixture = *state;
	struct asset asset = put_asset(fixture, "a");
	struct job_view view = make_user(fixture, &asset);

	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	move(fixture, &view, JOB_STATE_FAILED);
	assert_int_equal(commit_now(fixture, deleting(&asset)), 0);
	view.status->state = JOB_STATE_QUEUED;
	assert_int_equal(commit_now(fixture, creation(&view)), STORE_E_REQUEST_EXISTS);
	job_view_finish(&view);
}

/* Whoever comes first in a batch has it. */
static void a_delete_and_a_job_in_one_batch_exclude_each_other(void **state)
{
	struct fixture *fixture = *state;
	struct asset a = put_asset(fixture, "a"), b = put_asset(fixture, "b"), c = make_asset(fixture, "c");
	struct job_view first = make_user(fixture, &a), second = make_user(fixture, &b), third = make_user(fixture, &c);
	struct ticket tickets[8];

	hold(fixture);
	submit(&tickets[0], fixture, deleting(&a));
	submit(&tickets[1], fixture, creation(&first));
	submit(&tickets[2], fixture, creation(&second));
	submit(&tickets[3], fixture, deleting(&b));
	submit(&tickets[4], fixture, putting(&c));
	submit(&tickets[5], fixture, putting(&c));
	submit(&tickets[6], fixture, creation(&third));
	submit(&tickets[7], fixture, putting(&a));
	release(fixture);
	assert_int_equal(await(&tickets[0]), 0);
	assert_int_equal(await(&tickets[1]), STORE_E_ASSET_MISSING);
	assert_int_equal(await(&tickets[2]), 0);
	assert_int_equal(await(&tickets[3]), STORE_E_ASSET_USED);
	assert_true(job_ref_equal(store_commit_user(tickets[3].commit), &second.job->ref));
	assert_int_equal(await(&tickets[4]), 0);
	assert_int_equal(await(&tickets[5]), STORE_E_ASSET_EXISTS);
	assert_int_equal(await(&tickets[6]), 0);
	assert_int_equal(await(&tickets[7]), 0);
	for (size_t i = 0; i < 8; i++)
		finish(&tickets[i]);
	assert_true(is_there(fixture, &a) && is_there(fixture, &b) && is_there(fixture, &c));
	assert_int_equal(fixture->largest_batch, 8);
	job_view_finish(&first);
	job_view_finish(&second);
	job_view_finish(&third);
}

static int count_uncertain(void *userdata, struct job_view *take)
{
	*(size_t *)userdata += take->status->state == JOB_STATE_UNCERTAIN;
	job_view_finish(take);
	return 0;
}

/* As it was: only active jobs were listed as open. */
static void a_store_of_format_1_is_raised(void **state)
{
	struct fixture *fixture = *state;
	struct record_meta meta = {.format = 1, .epoch = 7, .created_ms = 8};
	static const enum job_state way[] = {JOB_STATE_PREPARING, JOB_STATE_STARTING, JOB_STATE_UNCERTAIN};
	struct job_view view = put_job(fixture), other = put_job(fixture);
	size_t n = 0;
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct backend_value value = {0};
	struct backend_batch *batch = backend_batch_new();
	struct key key;

	for (size_t i = 0; i < 3; i++) {
		move(fixture, &view, way[i]);
		if (way[i] != JOB_STATE_UNCERTAIN)
			move(fixture, &other, way[i]);
	}
	key_open(&key, &view.job->ref);
	backend_batch_delete(batch, key_bytes(&key));
	assert_int_equal(record_write_meta(&record, &meta), 0);
	key_tenant(&key, KEY_META, 0);
	backend_batch_put(batch, key_bytes(&key), buffer_bytes(&record));
	assert_int_equal(backend_write(fixture->store->backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
	fixture_reopen(fixture);
	assert_int_equal(backend_get(fixture->store->backend, key_bytes(&key), &value), 0);
	assert_int_equal(record_read_meta(value.bytes, &meta), 0);
	backend_value_finish(&value);
	assert_int_equal(meta.format, STORE_FORMAT);
	assert_int_equal(meta.epoch, 7);
	assert_int_equal(meta.created_ms, 8);
	assert_int_equal(store_load_active(fixture->store, count_uncertain, &n), 0);
	assert_int_equal(n, 1);
	job_view_finish(&view);
	job_view_finish(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_asset_is_kept_as_it_was_put),
		TEST(the_same_content_is_put_once),
		TEST(assets_are_listed_newest_first_page_by_page),
		TEST(an_asset_keeps_its_content_from_the_collector),
		TEST(a_job_holds_its_assets_until_it_ends),
		TEST(the_assets_of_a_job_come_back_with_it),
		TEST(a_job_without_its_asset_is_not_accepted),
		TEST(a_repeat_is_found_before_the_asset_is_missed),
		TEST(a_delete_and_a_job_in_one_batch_exclude_each_other),
		TEST(a_store_of_format_1_is_raised),
	};

	return cmocka_run_group_tests_name("store.assets", tests, NULL, NULL);
}
