#include "store/fixture.h"

#include <glob.h>
#include <stdio.h>
#include <unistd.h>

static void copy_path(const struct fixture *fixture, char path[static PATH_MAX + 32])
{
	snprintf(path, PATH_MAX + 32, "%s/copy", fixture->folder);
}

static void open_copy(struct fixture *fixture)
{
	fixture_close(fixture);
	copy_path(fixture, fixture->path);
	fixture_open(fixture);
}

static void a_copy_has_what_was_acknowledged_and_begins_a_life_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct job_view first = put_job(fixture), second;
	struct job_ref later;
	char path[PATH_MAX + 32], mark[PATH_MAX + 64];
	struct errmsg msg = {""};
	uint64_t history = store_history(fixture->store);
	struct answer answer;

	copy_path(fixture, path);
	assert_int_equal(store_copy(fixture->store, path, &msg), 0);
	second = put_job(fixture);
	later = second.job->ref;
	assert_int_equal(store_epoch(fixture->store), 1);
	open_copy(fixture);
	assert_int_equal(store_epoch(fixture->store), 2);
	assert_int_not_equal(store_history(fixture->store), history);
	get_job(fixture, &first.job->ref, &answer);
	assert_int_equal(answer.outcome, 0);
	free_answer(&answer);
	get_job(fixture, &later, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	/* It is a copy no more. */
	snprintf(mark, sizeof(mark), "%s/copy", path);
	assert_int_not_equal(access(mark, F_OK), 0);
	fixture_reopen(fixture);
	assert_int_equal(store_epoch(fixture->store), 2);
	job_view_finish(&first);
	job_view_finish(&second);
}

static size_t count_leftovers(const struct fixture *fixture)
{
	char pattern[PATH_MAX + 64];
	glob_t found;
	size_t n;

	snprintf(pattern, sizeof(pattern), "%s/records/OPTIONS-*.dbtmp", fixture->path);
	n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
	globfree(&found);
	return n;
}

static void a_start_leaves_no_file_behind_and_sweeps_those_of_earlier_ones(void **state)
{
	struct fixture *fixture = *state;
	char path[PATH_MAX + 80];
	FILE *file;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(count_leftovers(fixture), 0);
		fixture_close(fixture);
		snprintf(path, sizeof(path), "%s/records/OPTIONS-00000%d.dbtmp", fixture->path, i + 1);
		file = fopen(path, "w");
		assert_non_null(file);
		fclose(file);
		assert_int_equal(count_leftovers(fixture), 1);
		fixture_open(fixture);
	}
	assert_int_equal(count_leftovers(fixture), 0);
}

static void each_copy_of_a_copy_is_one_life_more(void **state)
{
	struct fixture *fixture = *state;
	char path[PATH_MAX + 32];
	struct errmsg msg = {""};

	copy_path(fixture, path);
	assert_int_equal(store_copy(fixture->store, path, &msg), 0);
	open_copy(fixture);
	snprintf(path, sizeof(path), "%s/again", fixture->folder);
	assert_int_equal(store_copy(fixture->store, path, &msg), 0);
	fixture_close(fixture);
	snprintf(fixture->path, sizeof(fixture->path), "%s", path);
	fixture_open(fixture);
	assert_int_equal(store_epoch(fixture->store), 3);
}

/* What a client has seen of the first must not be taken for a place in the second. */
static void each_restore_of_one_copy_is_a_history_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	char path[PATH_MAX + 32], again[PATH_MAX + 32];
	struct errmsg msg = {""};
	uint64_t history, origin = store_origin(fixture->store);
	const struct digest key = digest_of(store_link_key(fixture->store));
	struct digest again_key;

	copy_path(fixture, path);
	snprintf(again, sizeof(again), "%s/again", fixture->folder);
	assert_int_equal(store_copy(fixture->store, path, &msg), 0);
	assert_int_equal(store_copy(fixture->store, again, &msg), 0);
	open_copy(fixture);
	history = store_history(fixture->store);
	assert_int_equal(store_origin(fixture->store), origin);
	again_key = digest_of(store_link_key(fixture->store));
	/* What was signed stays good. */
	assert_memory_equal(&again_key, &key, sizeof(key));
	fixture_reopen(fixture);
	assert_int_equal(store_history(fixture->store), history);
	fixture_close(fixture);
	snprintf(fixture->path, sizeof(fixture->path), "%s", again);
	fixture_open(fixture);
	assert_int_equal(store_epoch(fixture->store), 2);
	assert_int_not_equal(store_history(fixture->store), history);
}

static void what_is_there_is_not_overwritten(void **state)
{
	struct fixture *fixture = *state;
	char path[PATH_MAX + 32];
	struct errmsg msg = {""};

	copy_path(fixture, path);
	assert_int_equal(store_copy(fixture->store, path, &msg), 0);
	assert_int_equal(store_copy(fixture->store, path, &msg), -EEXIST);
	assert_non_null(strstr(msg.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_has_what_was_acknowledged_and_begins_a_life_of_its_own,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_start_leaves_no_file_behind_and_sweeps_those_of_earlier_ones,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(each_copy_of_a_copy_is_one_life_more, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(each_restore_of_one_copy_is_a_history_of_its_own, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_there_is_not_overwritten, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
