/*
 * A store of which a part, or all, is not there: a restore that was cut off, a disk that is not mounted, a wrong folder.
 * A database begun anew there would delete what lies about, and forget what was bought.
 */
#include "store/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t count_files(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	for (struct dirent *file; dir && (file = readdir(dir));)
		n += *file->d_name != '.';
	if (dir)
		closedir(dir);
	return n;
}

static void records_of(const struct fixture *fixture, char path[static PATH_MAX + 64])
{
	snprintf(path, PATH_MAX + 64, "%s/records", fixture->path);
}

static void hide(const char *folder, const char *name)
{
	char from[PATH_MAX + 128], to[PATH_MAX + 128];

	snprintf(from, sizeof(from), "%s/%s", folder, name);
	snprintf(to, sizeof(to), "%s.away", folder);
	assert_int_equal(rename(from, to), 0);
}

static void bring_back(const char *folder, const char *name)
{
	char from[PATH_MAX + 128], to[PATH_MAX + 128];

	snprintf(from, sizeof(from), "%s.away", folder);
	snprintf(to, sizeof(to), "%s/%s", folder, name);
	assert_int_equal(rename(from, to), 0);
}

static void tables_without_their_list_are_refused_and_kept(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	struct store_salvaged salvaged;
	char records[PATH_MAX + 64];
	struct answer answer;
	size_t n;

	fixture_close(fixture);
	records_of(fixture, records);
	hide(records, "CURRENT");
	n = count_files(records);
	for (int i = 0; i < 2; i++) { /* as whoever supervises the daemon would */
		struct errmsg msg = {""};

		assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_DAMAGED);
		assert_non_null(strstr(msg.text, records));
		assert_non_null(strstr(msg.text, "copy all of it"));
		assert_int_equal(store_salvage(fixture->path, &salvaged, &msg), STORE_E_DAMAGED);
		assert_null(strstr(msg.text, "--salvage"));
		assert_int_equal(count_files(records), n);
	}
	bring_back(records, "CURRENT");
	fixture_open(fixture);
	get_job(fixture, &view.job->ref, &answer);
	assert_int_equal(answer.outcome, 0);
	free_answer(&answer);
	job_view_finish(&view);
}

/* Killed while it made its first files: nothing was acknowledged, and nothing is in the way. */
static void a_first_start_that_was_cut_off_is_begun_again(void **state)
{
	struct fixture *fixture = *state;
	char records[PATH_MAX + 64], manifest[PATH_MAX + 128];
	FILE *file;

	fixture_close(fixture);
	snprintf(fixture->path, sizeof(fixture->path), "%s/young", fixture->folder);
	records_of(fixture, records);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	assert_int_equal(mkdir(records, 0700), 0);
	snprintf(manifest, sizeof(manifest), "%s/MANIFEST-000001", records);
	file = fopen(manifest, "we");
	assert_non_null(file);
	fclose(file);
	fixture_open(fixture);
}

static void a_store_that_must_exist_is_not_begun(void **state)
{
	struct fixture *fixture = *state;
	char records[PATH_MAX + 64];
	struct errmsg msg = {""};

	fixture_close(fixture);
	snprintf(fixture->path, sizeof(fixture->path), "%s/elsewhere", fixture->folder);
	records_of(fixture, records);
	fixture->must_exist = true;
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_NOT_FOUND);
	assert_non_null(strstr(msg.text, fixture->path));
	assert_non_null(strstr(msg.text, "videos lie beside it"));
	assert_int_not_equal(access(records, F_OK), 0);
	fixture->must_exist = false;
	fixture_open(fixture);
	fixture->must_exist = true;
	fixture_reopen(fixture);
}

static void what_is_said_to_be_a_copy_is_not_begun(void **state)
{
	struct fixture *fixture = *state;
	char path[PATH_MAX + 32], records[PATH_MAX + 64], away[PATH_MAX + 64];
	struct errmsg msg = {""};

	snprintf(path, sizeof(path), "%s/copy", fixture->folder);
	assert_int_equal(store_copy(fixture->store, path, &msg), 0);
	fixture_close(fixture);
	snprintf(fixture->path, sizeof(fixture->path), "%s", path);
	records_of(fixture, records);
	snprintf(away, sizeof(away), "%s/away", fixture->folder);
	assert_int_equal(rename(records, away), 0);
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_NOT_FOUND);
	assert_non_null(strstr(msg.text, "said to be a copy"));
	assert_int_equal(rename(away, records), 0);
	fixture_open(fixture);
	assert_int_equal(store_epoch(fixture->store), 2);
}

static void where_nothing_is_nothing_is_salvaged(void **state)
{
	struct fixture *fixture = *state;
	struct store_salvaged salvaged;
	struct errmsg msg = {""};
	char path[PATH_MAX + 32], records[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/empty", fixture->folder);
	snprintf(records, sizeof(records), "%s/records", path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_salvage(path, &salvaged, &msg), STORE_E_NOT_FOUND);
	assert_non_null(strstr(msg.text, path));
	assert_int_not_equal(access(records, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tables_without_their_list_are_refused_and_kept, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_first_start_that_was_cut_off_is_begun_again, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_store_that_must_exist_is_not_begun, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_said_to_be_a_copy_is_not_begun, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(where_nothing_is_nothing_is_salvaged, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
