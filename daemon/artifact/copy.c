/*
 * A copy of all finished artifacts, for a backup. Contents never change, so a link is as good as a copy; where the disk
 * has no links, or the copy is on another one, bytes are copied: by the kernel where it can, which between two disks it
 * mostly cannot, else by hand.
 */
#include "artifact/internal.h"

#include "base/write.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PIECE_BYTES (16u << 20) /* between two looks whether the copy is to end */
#define BLOCK_BYTES (64u << 10) /* the same by hand */

struct copy {
	struct task task; /* the first member */
	struct artifact_store *store;
	char *path;
	artifact_copy_first_fn *first;
	artifact_copied_fn *fn;
	void *userdata;
	struct artifact_copied result;
};

/* ---- one file ---- */

/* Each returns how much it copied, which is less than @size at the end of the file only, or negative errno. */

static ssize_t copy_block(int from, int to, uint64_t size)
{
	char block[BLOCK_BYTES];
	ssize_t n = read(from, block, size < sizeof(block) ? size : sizeof(block));
	int r;

	if (n < 0)
		return -errno;
	r = write_fully(to, (struct bytes){block, (size_t)n});
	return r < 0 ? r : n;
}

static ssize_t copy_piece(int from, int to, uint64_t size)
{
	ssize_t n = copy_file_range(from, NULL, to, NULL, size < PIECE_BYTES ? size : PIECE_BYTES, 0);

	return n < 0 ? -errno : n;
}

/* Between file systems, and on some, the kernel says so in one of these ways, or that there is nothing to copy. */
static bool is_left_to_hand(ssize_t n)
{
	return n == 0 || n == -EXDEV || n == -EINVAL || n == -ENOSYS || n == -EOPNOTSUPP;
}

/* Both files stand where the last piece ended, whoever copied it. */
static int copy_bytes(const struct copy *copy, int from, int to, uint64_t size)
{
	bool is_by_hand = false;

	while (size > 0) {
		ssize_t n;

		if (atomic_load(&copy->store->has_stopped_copies))
			return -ECANCELED;
		n = is_by_hand ? copy_block(from, to, size) : copy_piece(from, to, size);
		if (n == -EINTR)
			continue;
		if (!is_by_hand && is_left_to_hand(n)) {
			is_by_hand = true;
			continue;
		}
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		size -= (uint64_t)n;
	}
	return fsync(to) < 0 ? -errno : 0;
}

static int copy_content(const struct copy *copy, int from_folder, int to_folder, const char *name)
{
	_cleanup_(closep) int from = -1, to = -1;
	struct stat st;

	from = openat(from_folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	to = openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return to < 0 ? -errno : copy_bytes(copy, from, to, (uint64_t)st.st_size);
}

static int take_file(struct copy *copy, int from_folder, int to_folder, const char *name)
{
	struct stat st;
	int r = 0;

	if (atomic_load(&copy->store->has_stopped_copies))
		return -ECANCELED;
	if (fstatat(from_folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (linkat(from_folder, name, to_folder, name, 0) < 0) {
		r = -errno;
		if (r == -EXDEV || r == -EPERM || r == -EMLINK || r == -EOPNOTSUPP)
			r = copy_content(copy, from_folder, to_folder, name);
	}
	if (r == 0) {
		copy->result.files++;
		copy->result.bytes += (uint64_t)st.st_size;
	}
	return r;
}

/* ---- folders ---- */

static int make_folder(int parent, const char *name, int *ret)
{
	if (mkdirat(parent, name, 0700) < 0)
		return -errno;
	*ret = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret < 0 ? -errno : 0;
}

static int each_entry(struct copy *copy, DIR *dir, int to,
		      int (*fn)(struct copy *copy, int from, int to, const char *name))
{
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			r = fn(copy, dirfd(dir), to, entry->d_name);
	return r == 0 && errno ? -errno : r;
}

static int take_folder(struct copy *copy, int from, int to, const char *name)
{
	_cleanup_(dir_closep) DIR *dir = dir_open(from, name);
	_cleanup_(closep) int fd = -1;
	int r;

	if (!dir)
		return errno == ENOTDIR ? 0 : -errno;
	r = make_folder(to, name, &fd);
	if (r == 0)
		r = each_entry(copy, dir, fd, take_file);
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int take_all(struct copy *copy)
{
	_cleanup_(closep) int root = -1, fd = -1;
	_cleanup_(dir_closep) DIR *dir = dir_open(copy->store->content_fd, ".");
	int r;

	if (!dir || mkdir(copy->path, 0700) < 0)
		return -errno;
	root = open(copy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	r = make_folder(root, "sha256", &fd);
	if (r == 0)
		r = each_entry(copy, dir, fd, take_folder);
	return r == 0 && (fsync(fd) < 0 || fsync(root) < 0) ? -errno : r;
}

/* ---- while nothing is collected ---- */

bool copy_lets_collect(struct artifact_store *store, struct task *take)
{
	bool is_copying;

	pthread_mutex_lock(&store->mutex);
	is_copying = store->is_copying;
	if (is_copying) {
		take->next = store->put_off;
		store->put_off = take;
	}
	pthread_mutex_unlock(&store->mutex);
	return !is_copying;
}

static void let_collect(struct artifact_store *store)
{
	struct task *task, *next;

	pthread_mutex_lock(&store->mutex);
	store->is_copying = false;
	task = store->put_off;
	store->put_off = NULL;
	pthread_mutex_unlock(&store->mutex);
	for (; task; task = next) {
		next = task->next;
		workers_add(&store->workers, task);
	}
}

void artifact_stop_copies(struct artifact_store *store)
{
	atomic_store(&store->has_stopped_copies, true);
}

static void run_copy(struct task *task)
{
	struct copy *copy = (struct copy *)(void *)task;
	struct artifact_copied *result = &copy->result;

	pthread_mutex_lock(&copy->store->mutex);
	copy->store->is_copying = true;
	pthread_mutex_unlock(&copy->store->mutex);
	result->outcome = copy->first(copy->userdata, &result->message);
	if (result->outcome == 0) {
		int r = take_all(copy);

		result->outcome = r < 0 ? store_outcome(r) : 0;
		if (r < 0)
			errmsg_set(&result->message, "the artifacts cannot be copied to '%.300s': %s", copy->path,
				   strerror(-r));
	}
	let_collect(copy->store);
	copy->fn(copy->userdata, result);
	free(copy->path);
	free(copy);
}

int artifact_copy(struct artifact_store *store, const char *path, artifact_copy_first_fn *first, artifact_copied_fn *fn,
		  void *userdata)
{
	struct copy *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return err_origin(-ENOMEM);
	copy->path = strdup(path);
	if (!copy->path) {
		free(copy);
		return err_origin(-ENOMEM);
	}
	copy->task.run = run_copy;
	copy->store = store;
	copy->first = first;
	copy->fn = fn;
	copy->userdata = userdata;
	workers_add(&store->workers, &copy->task);
	return 0;
}
