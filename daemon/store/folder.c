#include "store/folder.h"

#include "base/dir.h"
#include "base/limits.h"
#include "base/write.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static int refuse(int r, const char *doing, const char *path, struct errmsg *msg)
{
	errmsg_set(msg, "cannot %s '%s': %s; " FOLDER_REMEDY, doing, path, strerror(-r));
	return err_origin(r);
}

/* Also the parent, so that the new folder's own name is on disk. */
static int make_folder(const char *path, struct errmsg *msg)
{
	_cleanup_(freep) char *parent = NULL;
	int r;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : refuse(-errno, "make the store's folder", path, msg);
	if (asprintf(&parent, "%s/..", path) < 0)
		return err_origin(-ENOMEM);
	r = sync_folder(parent);
	return r < 0 ? refuse(r, "sync the folder above", path, msg) : 0;
}

static void tell_holder(const char *path, int fd, struct errmsg *msg)
{
	char pid[32];
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	errmsg_set(msg, "the store '%s' is in use by process %s; stop it, or give this daemon another data folder",
		   path, *pid ? pid : "(unknown)");
}

/* For people only: a disk without room for it is reported by the database, in better words. */
static void note_holder(int fd)
{
	char pid[32];
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)n, 0) < 0)
		err_origin(-errno);
}

static int lock_file(const char *path, int fd, struct errmsg *msg)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return refuse(-errno, "lock the store's folder", path, msg);
		tell_holder(path, fd, msg);
		return STORE_E_IN_USE;
	}
	note_holder(fd);
	return 0;
}

int folder_hold(const char *path, struct folder *ret, struct errmsg *msg)
{
	_cleanup_(freep) char *lock_path = NULL;
	_cleanup_(freep) char *records_path = NULL;
	_cleanup_(closep) int fd = -1;
	int r = make_folder(path, msg);

	if (r < 0)
		return r;
	if (asprintf(&lock_path, "%s/lock", path) < 0 || asprintf(&records_path, "%s/records", path) < 0)
		return err_origin(-ENOMEM);

	fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return refuse(-errno, "open", lock_path, msg);
	r = lock_file(path, fd, msg);
	if (r)
		return r;
	*ret = (struct folder){.lock_fd = steal_fd(&fd), .records_path = steal(records_path)};
	return 0;
}

/* The file stays: removing it would let two daemons hold two different files of that name. */
void folder_release(struct folder *folder)
{
	if (folder->lock_fd >= 0)
		close(folder->lock_fd);
	folder->lock_fd = -1;
	free(folder->records_path);
	folder->records_path = NULL;
}

/* ---- what is there ---- */

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* A start that is killed before it has made CURRENT leaves the first manifest, and nothing else. */
static bool holds_records(const char *name)
{
	return ends_with(name, ".sst") || ends_with(name, ".log") ||
	       (strncmp(name, "MANIFEST-", strlen("MANIFEST-")) == 0 && strcmp(name, "MANIFEST-000001") != 0);
}

int folder_look(const struct folder *folder, enum folder_records *ret, struct errmsg *msg)
{
	_cleanup_(dir_closep) DIR *dir = opendir(folder->records_path);
	struct dirent *file;

	*ret = FOLDER_RECORDS_NONE;
	if (!dir)
		return errno == ENOENT ? 0 : refuse(-errno, "open", folder->records_path, msg);
	for (errno = 0; (file = readdir(dir)); errno = 0) {
		if (strcmp(file->d_name, "CURRENT") == 0) {
			*ret = FOLDER_RECORDS_THERE;
			return 0;
		}
		if (holds_records(file->d_name))
			*ret = FOLDER_RECORDS_HEADLESS;
	}
	return errno ? refuse(-errno, "read", folder->records_path, msg) : 0;
}

void folder_explain_headless(const struct folder *folder, struct errmsg *msg)
{
	errmsg_set(msg,
		   "the store in '%s' is not whole and was left as it is: it has tables or logs, and no file CURRENT, "
		   "which says which of them count. If it was copied there, copy all of it; else restore a backup",
		   folder->records_path);
}

/* ---- its disk ---- */

int folder_measure(const struct folder *folder, uint64_t *ret_bytes)
{
	struct statvfs disk;

	if (statvfs(folder->records_path, &disk) < 0)
		return err_origin(-errno);
	if (__builtin_mul_overflow((uint64_t)disk.f_bavail, (uint64_t)disk.f_frsize, ret_bytes))
		*ret_bytes = UINT64_MAX;
	return 0;
}

static int write_probe(const char *path)
{
	_cleanup_(freep) char *zeros = calloc(1, LIMIT_STORE_PROBE_BYTES);
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0 || !zeros)
		return err_origin(fd < 0 ? -errno : -ENOMEM);
	r = write_fully(fd, bytes_of(zeros, LIMIT_STORE_PROBE_BYTES));
	return r < 0 ? r : fsync(fd) < 0 ? err_origin(-errno) : 0;
}

/* One that a crash left behind is written over. */
int folder_probe(const struct folder *folder)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	if (asprintf(&path, "%s/../probe", folder->records_path) < 0)
		return err_origin(-ENOMEM);
	r = write_probe(path);
	if (unlink(path) < 0 && errno != ENOENT && r == 0)
		r = err_origin(-errno);
	return r;
}

/* ---- the mark of a copy ---- */

static const char copy_name[] = "copy";

static int open_here(const char *path, int *ret, struct errmsg *msg)
{
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? refuse(-errno, "open", path, msg) : 0;
}

int folder_is_copy(const char *path, bool *ret, struct errmsg *msg)
{
	_cleanup_(closep) int fd = -1;
	int r = open_here(path, &fd, msg);

	if (r < 0)
		return r;
	*ret = faccessat(fd, copy_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return *ret || errno == ENOENT ? 0 : refuse(-errno, "look for the mark of a copy in", path, msg);
}

int folder_begin_copy(const char *path, struct errmsg *msg)
{
	_cleanup_(closep) int fd = -1, mark = -1;
	int r = open_here(path, &fd, msg);

	if (r < 0)
		return r;
	mark = openat(fd, copy_name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (mark < 0 || fsync(mark) < 0 || fsync(fd) < 0)
		return refuse(-errno, "mark the copy in", path, msg);
	return 0;
}

int folder_end_copy(const char *path, struct errmsg *msg)
{
	_cleanup_(closep) int fd = -1;
	int r = open_here(path, &fd, msg);

	if (r < 0)
		return r;
	if ((unlinkat(fd, copy_name, 0) < 0 && errno != ENOENT) || fsync(fd) < 0)
		return refuse(-errno, "take away the mark of a copy in", path, msg);
	return 0;
}

void folder_explain_damage(const char *path, const char *what, struct errmsg *msg)
{
	errmsg_set(msg,
		   "the store in '%s' is damaged and was left as it is: %s. Opening it would lose jobs that were "
		   "accepted: restore the folder from a backup; without one, keep a copy of it and run 'filmgated "
		   "--salvage', which opens what comes before the damage and says what is gone",
		   path, what);
}
