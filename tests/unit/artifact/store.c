#include "artifact/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static void folders_and_files_are_the_owners_alone(void **state)
{
	struct fixture f;
	struct stat status;
	struct artifact_staging *staging;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(fstat(f.store->staging_fd, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_equal(fstat(f.store->content_fd, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	staging = stage(f.store, "one", bytes_of("abc", 3));
	assert_int_equal(fstat(artifact_staging_fd(staging), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(fcntl(artifact_staging_fd(staging), F_GETFD) & FD_CLOEXEC);
	artifact_staging_close(staging);
	fixture_close(&f);
}

static void a_staging_file_begins_empty(void **state)
{
	struct fixture f;
	struct artifact_staging *staging;
	struct stat status;

	(void)state;
	fixture_open(&f, NULL);
	artifact_staging_close(stage(f.store, "one", bytes_of("abcde", 5)));
	assert_int_equal(artifact_stage(f.store, "one", &staging), 0);
	assert_int_equal(fstat(artifact_staging_fd(staging), &status), 0);
	assert_int_equal(status.st_size, 0);
	artifact_staging_discard(staging);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	fixture_close(&f);
}

static void it_says_whether_anything_lies_in_it(void **state)
{
	struct digest sha256 = digest_of(bytes_of("abc", 3));
	struct place place = place_of(&sha256);
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f, NULL);
	artifact_staging_close(stage(f.store, "one", bytes_of("abc", 3)));
	assert_false(artifact_store_has_files(f.store));
	assert_int_equal(mkdirat(f.store->content_fd, place.folder, 0700), 0);
	assert_false(artifact_store_has_files(f.store));
	fd = openat(f.store->content_fd, place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(openat(fd, place.name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	close(fd);
	assert_true(artifact_store_has_files(f.store));
	fixture_close(&f);
}

static void a_name_cannot_leave_the_folder(void **state)
{
	static const char *const names[] = {"", ".", "..", "../x", "a/b", "A", "a b", ".hidden"};
	struct artifact_staging *staging = NULL;
	char long_name[200];
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(artifact_stage(f.store, names[i], &staging), -EINVAL);
	memset(long_name, 'a', sizeof(long_name));
	long_name[STAGING_NAME_SIZE] = '\0';
	assert_int_equal(artifact_stage(f.store, long_name, &staging), -EINVAL);
	long_name[STAGING_NAME_SIZE - 1] = '\0';
	assert_int_equal(artifact_stage(f.store, long_name, &staging), 0);
	artifact_staging_close(staging);
	assert_int_equal(symlinkat("/etc/passwd", f.store->staging_fd, "link"), 0);
	assert_int_equal(artifact_stage(f.store, "link", &staging), -ELOOP);
	fixture_close(&f);
}

static void a_sweep_removes_what_was_being_downloaded(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	artifact_staging_close(stage(f.store, "one", bytes_of("1", 1)));
	artifact_staging_close(stage(f.store, "two", bytes_of("2", 1)));
	assert_int_equal(artifact_sweep(f.store, NULL, NULL), 0);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	fixture_close(&f);
}

static bool is_two(void *userdata, const char *name)
{
	(void)userdata;
	return strcmp(name, "two") == 0;
}

static void a_sweep_leaves_what_a_job_names_as_it_was(void **state)
{
	struct artifact_staging *staging = NULL;
	struct fixture f;
	char back[8];

	(void)state;
	fixture_open(&f, NULL);
	artifact_staging_close(stage(f.store, "one", bytes_of("1", 1)));
	artifact_staging_close(stage(f.store, "two", bytes_of("22", 2)));
	assert_int_equal(artifact_sweep(f.store, is_two, NULL), 0);
	assert_int_equal(fixture_count(&f, "staging"), 1);
	assert_int_equal(artifact_stage_again(f.store, "one", &staging), ARTIFACT_E_NOT_FOUND);
	assert_int_equal(artifact_stage_again(f.store, "../x", &staging), -EINVAL);
	assert_int_equal(artifact_stage_again(f.store, "two", &staging), 0);
	assert_int_equal(pread(artifact_staging_fd(staging), back, sizeof(back), 0), 2);
	artifact_staging_close(staging);
	artifact_unstage(f.store, "two");
	artifact_unstage(f.store, "two");
	artifact_unstage(f.store, "../staging/two");
	assert_int_equal(fixture_count(&f, "staging"), 0);
	fixture_close(&f);
}

static void on_synced(void *userdata, int outcome)
{
	*(int *)userdata = outcome;
}

/* Closing the store waits for what its workers have. */
static void what_is_synced_must_be_there(void **state)
{
	static const char *const names[] = {"one", "two"};
	int both = 77, one = 77;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	artifact_staging_close(stage(f.store, "one", bytes_of("1", 1)));
	assert_int_equal(artifact_sync(f.store, names, 1, on_synced, &one), 0);
	assert_int_equal(artifact_sync(f.store, names, 2, on_synced, &both), 0);
	fixture_close(&f);
	assert_int_equal(one, 0);
	assert_int_equal(both, ARTIFACT_E_NOT_FOUND);
}

/* The disk is everybody's: 64 MiB may come and go meanwhile. */
static void room_is_given_to_the_limit_and_not_beyond(void **state)
{
	const uint64_t slack = UINT64_C(64) << 20;
	struct fixture f;
	struct statvfs disk;
	uint64_t room;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(statvfs(f.path, &disk), 0);
	room = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (room < 4 * slack)
		skip();
	f.store->floor_bytes = slack;
	assert_int_equal(artifact_reserve(f.store, room), ARTIFACT_E_NO_SPACE);
	assert_int_equal(artifact_reserve(f.store, UINT64_MAX), ARTIFACT_E_NO_SPACE);
	assert_int_equal(artifact_reserve(f.store, room - 3 * slack), 0);
	assert_int_equal(artifact_reserve(f.store, 3 * slack), ARTIFACT_E_NO_SPACE);
	artifact_release(f.store, room - 3 * slack);
	assert_int_equal(artifact_reserve(f.store, 3 * slack), 0);
	artifact_release(f.store, 3 * slack);
	fixture_close(&f);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
	struct artifact_config config = {.path = "/proc/no-such/artifacts"};
	struct artifact_store *store = NULL;
	struct errmsg msg = {""};

	(void)state;
	assert_true(artifact_store_open(&config, &store, &msg) < 0);
	assert_null(store);
	assert_non_null(strstr(msg.text, "/proc/no-such/artifacts"));
	assert_non_null(strstr(msg.text, "data_dir"));
}

/* Nor does what lies in its place keep the reader waiting: a FIFO that nobody writes to. */
static void content_that_is_not_as_recorded_is_damaged(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct digest nothing = digest_of(bytes_of_text("nothing"));
	struct artifact_sealed sealed;
	char path[PATH_MAX];
	struct fixture f;
	int fd = -1;

	(void)state;
	make_mp4(&mp4);
	fixture_open(&f, NULL);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	content_path(&f, &sealed.sha256, path);
	assert_int_equal(open_content(f.store, &nothing, 7, &fd), ARTIFACT_E_DAMAGED);
	assert_int_equal(open_content(f.store, &sealed.sha256, mp4.len - 1, &fd), ARTIFACT_E_DAMAGED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_content(f.store, &sealed.sha256, mp4.len, &fd), ARTIFACT_E_DAMAGED);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_content(f.store, &sealed.sha256, 0, &fd), ARTIFACT_E_DAMAGED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(open_content(f.store, &sealed.sha256, 0, &fd), ARTIFACT_E_DAMAGED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(open_content(f.store, &sealed.sha256, 0, &fd), ARTIFACT_E_DAMAGED);
	artifact_release_claim(f.store, &sealed.sha256);
	fixture_close(&f);
}

/* A disk with room for four names, which root can mount: the last goes to the staging file, none to its new folder. */
static void a_full_disk_is_an_outcome(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_staging *staging = NULL;
	struct artifact_sealed sealed;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	f.store = artifact_store_close(f.store);
	if (mount("none", f.path, "tmpfs", 0, "size=1m,nr_inodes=5") < 0) {
		print_message("no tmpfs can be mounted here (%s): skipped\n", strerror(errno));
		fixture_close(&f);
		skip();
	}
	fixture_start(&f, NULL);
	make_mp4(&mp4);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	assert_int_equal(artifact_reserve(f.store, 2 << 20), ARTIFACT_E_NO_SPACE);
	artifact_staging_close(stage(f.store, "one", bytes_of("1", 1)));
	assert_int_equal(artifact_stage(f.store, "two", &staging), ARTIFACT_E_NO_SPACE);
	f.store = artifact_store_close(f.store);
	assert_int_equal(umount(f.path), 0);
	fixture_close(&f);
	assert_int_equal(sealed.outcome, ARTIFACT_E_NO_SPACE);
	assert_non_null(strstr(sealed.message.text, f.path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_and_files_are_the_owners_alone),
		cmocka_unit_test(a_staging_file_begins_empty),
		cmocka_unit_test(a_name_cannot_leave_the_folder),
		cmocka_unit_test(a_sweep_removes_what_was_being_downloaded),
		cmocka_unit_test(a_sweep_leaves_what_a_job_names_as_it_was),
		cmocka_unit_test(it_says_whether_anything_lies_in_it),
		cmocka_unit_test(what_is_synced_must_be_there),
		cmocka_unit_test(room_is_given_to_the_limit_and_not_beyond),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
		cmocka_unit_test(content_that_is_not_as_recorded_is_damaged),
		cmocka_unit_test(a_full_disk_is_an_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
