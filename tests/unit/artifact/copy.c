#include "artifact/fixture.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a copy came to; the test waits for it by closing the store. */
struct made {
	struct fixture f;
	char path[PATH_MAX + 32];
	struct digest sha256;
	int first; /* what the caller's own half says */
	bool is_collected_meanwhile;
	unsigned int times, asked;
	struct artifact_copied copied;
};

static bool says_no(void *userdata, const struct digest *sha256)
{
	struct made *made = userdata;

	(void)sha256;
	made->asked++;
	return false;
}

static int first(void *userdata, struct errmsg *msg)
{
	struct made *made = userdata;

	errmsg_set(msg, "the first half says no");
	if (made->is_collected_meanwhile)
		artifact_collect(made->f.store, &made->sha256, says_no, made);
	return made->first;
}

static void on_copied(void *userdata, const struct artifact_copied *copied)
{
	struct made *made = userdata;

	made->times++;
	made->copied = *copied;
}

static void open_made(struct made *made)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;

	*made = (struct made){0};
	fixture_open(&made->f, NULL);
	snprintf(made->path, sizeof(made->path), "%s-copy", made->f.path);
	make_mp4(&mp4);
	sealed = seal(made->f.store, "video", buffer_bytes(&mp4));
	assert_int_equal(sealed.outcome, 0);
	made->sha256 = sealed.sha256;
	artifact_release_claim(made->f.store, &sealed.sha256);
}

static void make(struct made *made)
{
	assert_int_equal(artifact_copy(made->f.store, made->path, first, on_copied, made), 0);
	made->f.store = artifact_store_close(made->f.store);
	assert_int_equal(made->times, 1);
}

/* ---- a kernel that does as the test says ---- */

ssize_t __real_copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned int flags);
ssize_t __wrap_copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned int flags);
int __real_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags);
int __wrap_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags);

static struct {
	bool has_no_links;
	int (*refuses)(
		void); /* the errno of a copy by the kernel; 0: it copies nothing; -1: a little; NULL: as it likes */
	struct artifact_store *stops;
} kernel;

int __wrap_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
	if (!kernel.has_no_links)
		return __real_linkat(from_folder, from, to_folder, to, flags);
	errno = EXDEV;
	return -1;
}

ssize_t __wrap_copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned int flags)
{
	int refusal = kernel.refuses ? kernel.refuses() : -1;

	if (kernel.stops)
		artifact_stop_copies(kernel.stops);
	if (!kernel.refuses)
		return __real_copy_file_range(from, from_at, to, to_at, size, flags);
	if (refusal < 0)
		return __real_copy_file_range(from, from_at, to, to_at, size < 5 ? size : 5, flags);
	errno = refusal;
	return refusal ? -1 : 0;
}

static int next_refusal;
static unsigned int pieces;

static int always(void)
{
	return next_refusal;
}

static int from_the_third_piece_on(void)
{
	return pieces++ < 2 ? -1 : next_refusal;
}

static void content_in(const struct made *made, const char *root, char path[static PATH_MAX])
{
	char text[DIGEST_TEXT_SIZE];

	digest_format(&made->sha256, text);
	assert_true(snprintf(path, PATH_MAX, "%s/sha256/%.2s/%s", root, text, text + 2) < PATH_MAX);
}

static void close_made(struct made *made)
{
	char path[PATH_MAX], *slash;

	content_in(made, made->path, path);
	unlink(path);
	for (int i = 0; i < 3; i++) {
		slash = strrchr(path, '/');
		*slash = '\0';
		rmdir(path);
	}
	fixture_start(&made->f, NULL);
	fixture_close(&made->f);
}

static void a_copy_shares_the_files(void **state)
{
	struct made made;
	struct stat one, other;
	char path[PATH_MAX], copy[PATH_MAX];

	(void)state;
	open_made(&made);
	make(&made);
	assert_int_equal(made.copied.outcome, 0);
	assert_int_equal(made.copied.files, 1);
	content_in(&made, made.f.path, path);
	content_in(&made, made.path, copy);
	assert_int_equal(stat(path, &one), 0);
	assert_int_equal(stat(copy, &other), 0);
	assert_int_equal(one.st_ino, other.st_ino);
	assert_int_equal(made.copied.bytes, one.st_size);
	close_made(&made);
}

/* What the other half named must be there when this one comes to it. */
static void nothing_is_collected_until_the_copy_is_made(void **state)
{
	struct made made;
	char path[PATH_MAX], copy[PATH_MAX];

	(void)state;
	open_made(&made);
	made.is_collected_meanwhile = true;
	make(&made);
	assert_int_equal(made.copied.outcome, 0);
	assert_int_equal(made.asked, 1);
	content_in(&made, made.f.path, path);
	content_in(&made, made.path, copy);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(access(copy, F_OK), 0);
	close_made(&made);
}

static void the_first_half_decides(void **state)
{
	struct made made;

	(void)state;
	open_made(&made);
	made.first = -EIO;
	make(&made);
	assert_int_equal(made.copied.outcome, -EIO);
	assert_string_equal(made.copied.message.text, "the first half says no");
	assert_int_not_equal(access(made.path, F_OK), 0);
	close_made(&made);
}

static void what_is_there_is_not_touched(void **state)
{
	struct made made;

	(void)state;
	open_made(&made);
	assert_int_equal(mkdir(made.path, 0700), 0);
	make(&made);
	assert_int_equal(made.copied.outcome, -EEXIST);
	assert_non_null(strstr(made.copied.message.text, made.path));
	assert_int_equal(rmdir(made.path), 0);
	close_made(&made);
}

static void assert_same_content(const struct made *made)
{
	char path[PATH_MAX], copy[PATH_MAX], ours[4096], theirs[4096];
	_cleanup_(closep) int one = -1, other = -1;
	ssize_t n;

	content_in(made, made->f.path, path);
	content_in(made, made->path, copy);
	one = open(path, O_RDONLY | O_CLOEXEC);
	other = open(copy, O_RDONLY | O_CLOEXEC);
	assert_true(one >= 0 && other >= 0);
	n = read(one, ours, sizeof(ours));
	assert_true(n > 5 && (size_t)n < sizeof(ours));
	assert_int_equal(read(other, theirs, sizeof(theirs)), n);
	assert_memory_equal(ours, theirs, (size_t)n);
}

/* Between two disks the kernel mostly does not copy, and says so in several ways. */
static void what_the_kernel_does_not_copy_is_copied_by_hand(void **state)
{
	static const int refusals[] = {EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, 0};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct made made;

		open_made(&made);
		next_refusal = refusals[i / 2];
		pieces = 0;
		kernel.has_no_links = true;
		kernel.refuses = i % 2 ? from_the_third_piece_on : always;
		make(&made);
		kernel.has_no_links = false;
		kernel.refuses = NULL;
		assert_int_equal(made.copied.outcome, 0);
		assert_int_equal(made.copied.files, 1);
		assert_same_content(&made);
		close_made(&made);
	}
}

static void what_the_disk_refuses_is_no_copy(void **state)
{
	struct made made;

	(void)state;
	open_made(&made);
	next_refusal = EIO;
	kernel.has_no_links = true;
	kernel.refuses = always;
	make(&made);
	kernel.has_no_links = false;
	kernel.refuses = NULL;
	assert_int_equal(made.copied.outcome, -EIO);
	close_made(&made);
}

static bool find_other_disk(const struct made *made, char path[static PATH_MAX])
{
	static const char *const folders[] = {"/dev/shm", "/tmp", "/var/tmp", "."};
	struct stat ours, theirs;

	assert_int_equal(stat(made->f.path, &ours), 0);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (stat(folders[i], &theirs) != 0 || theirs.st_dev == ours.st_dev || access(folders[i], W_OK) != 0)
			continue;
		snprintf(path, PATH_MAX, "%s/filmgate-copy-%ld", folders[i], (long)getpid());
		return true;
	}
	return false;
}

static void a_copy_on_another_disk_is_whole(void **state)
{
	struct made made;
	char path[PATH_MAX];

	(void)state;
	open_made(&made);
	if (!find_other_disk(&made, path)) {
		close_made(&made);
		print_message("neither /dev/shm nor any other folder is on another disk: nothing was tried\n");
		skip();
	}
	snprintf(made.path, sizeof(made.path), "%s", path);
	make(&made);
	if (made.copied.outcome != 0)
		print_message("%s\n", made.copied.message.text);
	assert_int_equal(made.copied.outcome, 0);
	assert_same_content(&made);
	close_made(&made);
}

/* A large file is many pieces. */
static void a_copy_ends_in_the_middle_of_a_file(void **state)
{
	struct made made;

	(void)state;
	open_made(&made);
	next_refusal = -1;
	kernel.has_no_links = true;
	kernel.refuses = always;
	kernel.stops = made.f.store;
	make(&made);
	kernel.has_no_links = false;
	kernel.refuses = NULL;
	kernel.stops = NULL;
	assert_int_equal(made.copied.outcome, -ECANCELED);
	close_made(&made);
}

static void a_copy_ends_when_it_is_told_to(void **state)
{
	struct made made;

	(void)state;
	open_made(&made);
	artifact_stop_copies(made.f.store);
	make(&made);
	assert_int_equal(made.copied.outcome, -ECANCELED);
	close_made(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_shares_the_files),
		cmocka_unit_test(nothing_is_collected_until_the_copy_is_made),
		cmocka_unit_test(the_first_half_decides),
		cmocka_unit_test(what_is_there_is_not_touched),
		cmocka_unit_test(what_the_kernel_does_not_copy_is_copied_by_hand),
		cmocka_unit_test(what_the_disk_refuses_is_no_copy),
		cmocka_unit_test(a_copy_on_another_disk_is_whole),
		cmocka_unit_test(a_copy_ends_in_the_middle_of_a_file),
		cmocka_unit_test(a_copy_ends_when_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
