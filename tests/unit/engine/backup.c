/*
 * A backup of what there is: what it refuses, what it leaves, and how it comes to its name. What is in it is shown by
 * integration.backup.
 */
#include "engine/rig.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- asking ---- */

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t answered;
	unsigned int times;
	int outcome;
	char text[512];
	char path[PATH_MAX];
} made = {.mutex = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};

static void on_backup(void *userdata, int outcome, const struct engine_error *error, const struct engine_backup *backup)
{
	(void)userdata;
	pthread_mutex_lock(&made.mutex);
	made.outcome = outcome;
	snprintf(made.text, sizeof(made.text), "%s", error ? error->text : "");
	snprintf(made.path, sizeof(made.path), "%s", backup ? backup->path : "");
	made.times++;
	pthread_cond_signal(&made.answered);
	pthread_mutex_unlock(&made.mutex);
}

static void path_of(const struct rig *rig, const char *name, char path[static PATH_MAX + 64])
{
	/* Beside the data directory, in which there may be none. */
	snprintf(path, PATH_MAX + 64, "%s.backups/%s", rig->folder, name);
}

static bool is_there(const struct rig *rig, const char *name)
{
	char path[PATH_MAX + 64];

	path_of(rig, name, path);
	return access(path, F_OK) == 0;
}

static void make_folder(const struct rig *rig, const char *name)
{
	char path[PATH_MAX + 64];

	path_of(rig, name, path);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* Returns the outcome. */
static int back_up(struct rig *rig, const char *name)
{
	char path[PATH_MAX + 64];

	path_of(rig, name, path);
	made.times = 0;
	engine_back_up(rig->engine, path, on_backup, NULL);
	pthread_mutex_lock(&made.mutex);
	while (!made.times)
		pthread_cond_wait(&made.answered, &made.mutex);
	pthread_mutex_unlock(&made.mutex);
	assert_int_equal(made.times, 1);
	return made.outcome;
}

/* ---- a file system that cannot rename without replacing ---- */

int __real_renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags);
int __wrap_renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags);

static int refusal;                /* its errno */
static const char *made_meanwhile; /* a folder that takes the name while the copy is made */

int __wrap_renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags)
{
	if (made_meanwhile)
		assert_int_equal(mkdir(to, 0700), 0);
	if (!refusal)
		return __real_renameat2(from_folder, from, to_folder, to, flags);
	errno = refusal;
	return -1;
}

/* ---- stories ---- */

static void what_is_named_is_whole(void **state)
{
	struct rig *rig = *state;

	succeeded_job(rig);
	assert_int_equal(back_up(rig, "backup"), 0);
	assert_true(is_there(rig, "backup/store/copy"));
	assert_true(is_there(rig, "backup/artifacts/sha256"));
	assert_false(is_there(rig, "backup.partial"));
}

static void a_folder_that_it_did_not_make_is_left_as_it_is(void **state)
{
	struct rig *rig = *state;

	make_folder(rig, "backup.partial");
	make_folder(rig, "backup.partial/somebodys");
	assert_int_equal(back_up(rig, "backup"), ENGINE_E_STORE);
	assert_non_null(strstr(made.text, "/backup.partial' is there already"));
	assert_non_null(strstr(made.text, "remove it, or name another folder"));
	assert_true(is_there(rig, "backup.partial/somebodys"));
	assert_false(is_there(rig, "backup"));
	assert_int_equal(back_up(rig, "another"), 0);
}

static void it_is_named_where_nothing_can_be_renamed_without_replacing(void **state)
{
	static const int refusals[] = {EINVAL, ENOSYS};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const char *name = i ? "second" : "first";
		int outcome;

		refusal = refusals[i];
		outcome = back_up(rig, name);
		refusal = 0;
		assert_int_equal(outcome, 0);
		assert_true(is_there(rig, name));
	}
}

/* Hours of copying are not thrown away for a name. */
static void a_whole_copy_that_cannot_be_named_stays(void **state)
{
	static const int refusals[] = {0, EINVAL, EACCES};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		char name[32], partial[64];
		int outcome;

		snprintf(name, sizeof(name), "backup-%zu", i);
		snprintf(partial, sizeof(partial), "%s.partial/store/copy", name);
		refusal = refusals[i];
		made_meanwhile = refusal == EACCES ? NULL : name;
		outcome = back_up(rig, name);
		refusal = 0;
		made_meanwhile = NULL;
		assert_int_equal(outcome, ENGINE_E_STORE);
		assert_non_null(strstr(made.text, "the backup is whole, and stays '"));
		assert_true(is_there(rig, partial));
	}
}

static void a_store_whose_write_has_failed_is_not_copied(void **state)
{
	struct rig *rig = *state;

	break_disk(rig);
	create(rig, &(struct engine_create){0});
	assert_int_equal(back_up(rig, "backup"), ENGINE_E_STORE);
	assert_non_null(strstr(made.text, "the store takes no writes"));
	assert_false(is_there(rig, "backup"));
}

static void what_it_began_itself_is_removed_when_it_fails(void **state)
{
	struct rig *rig = *state;

	artifact_stop_copies(rig->artifacts);
	succeeded_job(rig);
	assert_int_equal(back_up(rig, "backup"), ENGINE_E_DRAINING);
	assert_false(is_there(rig, "backup.partial"));
	assert_false(is_there(rig, "backup"));
}

static int setup(void **state)
{
	int r = rig_setup(state);

	make_folder(*state, "");
	return r;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static int teardown(void **state)
{
	char path[PATH_MAX + 64];

	path_of(*state, "", path);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return rig_teardown(state);
}

#undef story
#define story(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(what_is_named_is_whole),
		story(a_folder_that_it_did_not_make_is_left_as_it_is),
		story(it_is_named_where_nothing_can_be_renamed_without_replacing),
		story(a_whole_copy_that_cannot_be_named_stays),
		story(a_store_whose_write_has_failed_is_not_copied),
		story(what_it_began_itself_is_removed_when_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
