/*
 * What providers call content of ours: kept for each content and account, read several at a time.
 */
#include "store/records.h"

#include "job/asset.h"
#include "store/fixture.h"
#include "store/internal.h"

static struct digest a, b, mine, other;

/* What a read brought, copied. */
struct handles {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there;
	int outcome;
	struct store_handle all[3];
	size_t n;
};

static void on_handles(void *userdata, int outcome, struct store_handle *handles, size_t n)
{
	struct handles *got = userdata;

	pthread_mutex_lock(&got->mutex);
	got->outcome = outcome;
	got->n = n;
	for (size_t i = 0; i < n; i++) {
		got->all[i] = handles[i];
		handles[i] = (struct store_handle){0};
	}
	got->is_there = true;
	pthread_cond_signal(&got->changed);
	pthread_mutex_unlock(&got->mutex);
}

static void read_handles(struct fixture *fixture, const struct digest *account, struct handles *got)
{
	const struct digest contents[] = {a, b, a};

	*got = (struct handles){.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	store_get_handles(fixture->store, 1, account, contents, 3, on_handles, got);
	pthread_mutex_lock(&got->mutex);
	while (!got->is_there)
		pthread_cond_wait(&got->changed, &got->mutex);
	pthread_mutex_unlock(&got->mutex);
	assert_int_equal(got->outcome, 0);
	assert_int_equal(got->n, 3);
}

static void free_handles(struct handles *got)
{
	for (size_t i = 0; i < got->n; i++)
		store_handle_finish(&got->all[i]);
}

static void put(struct fixture *fixture, const struct digest *content, const char *handle, const char *headers)
{
	struct store_handle value = {
		.handle = (char *)handle, .headers = (char *)headers, .uploaded_ms = 11, .expires_ms = 22};
	struct store_commit *commit = store_commit_new();

	assert_non_null(commit);
	assert_int_equal(store_commit_put_handle(commit, 1, content, &mine, &value), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
}

static void put_asset(struct fixture *fixture, const struct digest *content)
{
	struct store_commit *commit = store_commit_new();
	struct asset asset = {.sha256 = *content, .media_type = "image/png", .id = id_new(++fixture->now_ms)};

	assert_int_equal(store_commit_put_asset(commit, 1, &asset), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
}

static struct store_commit *putting(const struct digest *content)
{
	struct store_handle value = {.handle = (char *)"h"};
	struct store_commit *commit = store_commit_new();

	assert_int_equal(store_commit_put_handle(commit, 1, content, &mine, &value), 0);
	return commit;
}

static int setup(void **state)
{
	struct fixture *fixture;

	a = digest_of(bytes_of_text("a"));
	b = digest_of(bytes_of_text("b"));
	mine = digest_of(bytes_of_text("mine"));
	other = digest_of(bytes_of_text("other"));
	fixture_setup(state);
	fixture = *state;
	put_asset(fixture, &a);
	put_asset(fixture, &b);
	return 0;
}

static void read_asset_of(struct fixture *fixture, const struct digest *content, struct asset *ret)
{
	assert_int_equal(read_asset(fixture->store, 1, content, ret), 0);
}

static struct store_commit *deleting(struct fixture *fixture, const struct digest *content)
{
	struct store_commit *commit = store_commit_new();
	struct asset asset;

	read_asset_of(fixture, content, &asset);
	assert_int_equal(store_commit_delete_asset(commit, 1, &asset), 0);
	asset_finish(&asset);
	return commit;
}

static size_t count_handles(struct fixture *fixture)
{
	struct backend_cursor *cursor;
	struct key from, to;
	size_t n = 0;

	key_tenant(&from, KEY_HANDLE, 1);
	key_after(&to, &from);
	cursor = backend_cursor_new(fixture->store->backend, key_bytes(&from), key_bytes(&to));
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		n++;
	backend_cursor_free(cursor);
	return n;
}

static void handles_go_with_their_asset(void **state)
{
	struct fixture *fixture = *state;
	struct store_handle value = {.handle = (char *)"h-other"};
	struct store_commit *commit = store_commit_new();
	struct handles got;

	put(fixture, &a, "h-a", NULL);
	put(fixture, &b, "h-b", NULL);
	assert_int_equal(store_commit_put_handle(commit, 1, &a, &other, &value), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	assert_int_equal(count_handles(fixture), 3);
	assert_int_equal(commit_now(fixture, deleting(fixture, &a)), 0);
	assert_int_equal(count_handles(fixture), 1);

	/* Content that comes again is not known there by its old name. */
	put_asset(fixture, &a);
	read_handles(fixture, &mine, &got);
	assert_null(got.all[0].handle);
	assert_string_equal(got.all[1].handle, "h-b");
	free_handles(&got);
}

static void a_handle_of_an_asset_that_is_gone_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(commit_now(fixture, deleting(fixture, &a)), 0);
	assert_int_equal(commit_now(fixture, putting(&a)), STORE_E_ASSET_MISSING);
	assert_int_equal(count_handles(fixture), 0);
}

/* Whichever comes first in one batch. */
static void a_handle_and_a_delete_in_one_batch_leave_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	struct ticket tickets[4];

	hold(fixture);
	submit(&tickets[0], fixture, putting(&a));
	submit(&tickets[1], fixture, deleting(fixture, &a));
	submit(&tickets[2], fixture, deleting(fixture, &b));
	submit(&tickets[3], fixture, putting(&b));
	release(fixture);
	assert_int_equal(await(&tickets[0]), 0);
	assert_int_equal(await(&tickets[1]), STORE_E_CONFLICT);
	assert_int_equal(await(&tickets[2]), 0);
	assert_int_equal(await(&tickets[3]), STORE_E_ASSET_MISSING);
	assert_int_equal(fixture->largest_batch, 4);
	assert_int_equal(count_handles(fixture), 1);
	assert_int_equal(commit_now(fixture, deleting(fixture, &a)), 0);
	assert_int_equal(count_handles(fixture), 0);
	for (size_t i = 0; i < 4; i++)
		finish(&tickets[i]);
}

static void a_handle_is_kept_for_its_content_and_account(void **state)
{
	struct fixture *fixture = *state;
	struct handles got;

	put(fixture, &a, "h-1", "{\"X\":\"y\"}");
	fixture_reopen(fixture);
	read_handles(fixture, &mine, &got);
	assert_string_equal(got.all[0].handle, "h-1");
	assert_string_equal(got.all[0].headers, "{\"X\":\"y\"}");
	assert_int_equal(got.all[0].uploaded_ms, 11);
	assert_int_equal(got.all[0].expires_ms, 22);
	assert_null(got.all[1].handle);
	assert_string_equal(got.all[2].handle, "h-1");
	free_handles(&got);
	read_handles(fixture, &other, &got);
	assert_null(got.all[0].handle);
	free_handles(&got);
}

static void the_last_one_stands_until_it_is_deleted(void **state)
{
	struct fixture *fixture = *state;
	struct store_commit *commit;
	struct handles got;

	put(fixture, &a, "h-1", NULL);
	put(fixture, &b, "h-b", NULL);
	put(fixture, &a, "h-2", NULL);
	read_handles(fixture, &mine, &got);
	assert_string_equal(got.all[0].handle, "h-2");
	assert_null(got.all[0].headers);
	free_handles(&got);
	commit = store_commit_new();
	assert_int_equal(store_commit_delete_handle(commit, 1, &a, &mine), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	read_handles(fixture, &mine, &got);
	assert_null(got.all[0].handle);
	assert_string_equal(got.all[1].handle, "h-b");
	free_handles(&got);
}

static void a_record_of_a_later_version_is_refused(void **state)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	struct store_handle value = {.handle = (char *)"h"}, read = {0};

	(void)state;
	assert_int_equal(record_write_handle(&out, &value), 0);
	assert_int_equal(record_read_handle(buffer_bytes(&out), &read), 0);
	assert_string_equal(read.handle, "h");
	store_handle_finish(&read);
	out.data[0] = (char)(RECORD_VERSION + 1);
	assert_int_equal(record_read_handle(buffer_bytes(&out), &read), STORE_E_NEWER_FORMAT);
	out.data[0] = (char)RECORD_VERSION;
	assert_int_equal(record_read_handle(bytes_of(out.data, out.len - 1), &read), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_handle_is_kept_for_its_content_and_account, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(the_last_one_stands_until_it_is_deleted, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(handles_go_with_their_asset, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_handle_of_an_asset_that_is_gone_is_refused, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_handle_and_a_delete_in_one_batch_leave_nothing_behind, setup,
						fixture_teardown),
		cmocka_unit_test(a_record_of_a_later_version_is_refused),
	};

	return cmocka_run_group_tests_name("store.handles", tests, NULL, NULL);
}
