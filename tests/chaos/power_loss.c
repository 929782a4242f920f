/*
 * What a power loss leaves, without one: preloaded into the daemon, this library keeps a second folder, the shadow,
 * which has what is certainly on disk of the first: the bytes of each file as of its last fsync or fdatasync, and the
 * names in each folder as of that folder's last fsync. A file that is named and was never synced is there and empty. The
 * test kills the daemon and puts the shadow in the folder's place.
 *
 * It is the hardest loss: nothing survives that nobody asked to be kept. (kill -9 is the mildest: everything does.)
 *
 *   shadow/N   of a file: its synced bytes, whatever its names are
 *              of a folder: its synced names; each a hard link to the file's N, or a symbolic link to the folder's
 *
 * The folder itself is 1, and world.js builds a tree from there: what was synced in a folder whose own name was not
 * is lost with it.
 *
 * Which real file is which N is remembered by device and inode, until its last name goes: the number may then be
 * another's. All of it happens under one mutex, and nothing but syncing and unlinking is intercepted: a sync copies the
 * file whole, so no way of writing has to be known. sync_file_range() promises nothing and changes nothing here.
 * fallocate() shows in the size alone. What a process that is killed within a sync leaves half copied was not promised.
 *
 * POWER_LOSS_FOLDER and POWER_LOSS_SHADOW are paths without links in them, on one file system.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define PATH_SIZE 4096
#define FILES_MAX 65536

struct file {
	dev_t device;
	ino_t inode; /* 0: none */
	unsigned int number;
};

static const char *folder, *shadow;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES_MAX]; /* open addressing by inode */
static unsigned int last_number;

static void *next(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		abort();
	return symbol;
}

/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bytes agree. */
#define NEXT(name)                                          \
	__extension__({                                     \
		__typeof__(&(name)) function;               \
		void *symbol = next(#name);                 \
		memcpy(&function, &symbol, sizeof(void *)); \
		function;                                   \
	})

/* The test must not go on with a shadow that is wrong. */
static void fail(const char *doing, const char *path)
{
	fprintf(stderr, "power_loss: %s '%s': %s\n", doing, path, strerror(errno));
	abort();
}

__attribute__((format(printf, 2, 3))) static void print(char *path, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(path, PATH_SIZE, format, arguments);
	va_end(arguments);
	if (n < 0 || n >= PATH_SIZE) {
		errno = ENAMETOOLONG;
		fail("naming", format);
	}
}

/* ---- files ---- */

static struct file *find(const struct stat *status)
{
	size_t at = (size_t)status->st_ino % FILES_MAX;

	for (size_t i = 0; i < FILES_MAX; i++, at = (at + 1) % FILES_MAX)
		if (files[at].number == 0 || (files[at].inode == status->st_ino && files[at].device == status->st_dev))
			return &files[at];
	errno = ENOSPC;
	fail("remembering a file of", folder);
	return NULL;
}

static void path_of(const struct file *file, char *path)
{
	print(path, "%s/%u", shadow, file->number);
}

static void make(const char *path, bool is_folder)
{
	int fd = is_folder ? mkdir(path, 0700) : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		fail("making", path);
	if (!is_folder)
		close(fd);
}

/* What was never seen gets a shadow, and an empty one. */
static struct file *meet(const struct stat *status)
{
	struct file *file = find(status);
	char path[PATH_SIZE];

	if (file->number && file->inode)
		return file;
	*file = (struct file){.device = status->st_dev, .inode = status->st_ino, .number = ++last_number};
	path_of(file, path);
	make(path, S_ISDIR(status->st_mode));
	return file;
}

/* Its last name went. The place stays taken, or what lies behind it would be found no more. */
static void forget(const struct stat *status)
{
	struct file *file = find(status);

	if (file->number)
		*file = (struct file){.number = file->number};
}

static void copy(int from, const struct stat *status, const char *path)
{
	int to = open(path, O_WRONLY | O_CLOEXEC);
	off_t at = 0;

	if (to < 0)
		fail("opening", path);
	while (at < status->st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(status->st_size - at));

		if (n < 0 && errno != EINTR)
			fail("copying to", path);
		if (n == 0)
			break;
	}
	if (ftruncate(to, at) < 0)
		fail("cutting", path);
	close(to);
}

/* A descriptor that can only write is opened once more. */
static void keep_file(int fd, const struct stat *status)
{
	char path[PATH_SIZE], link[64];
	int from;

	path_of(meet(status), path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	from = open(link, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		fail("reading", link);
	copy(from, status, path);
	close(from);
}

/* ---- folders ---- */

static bool is_same(const char *path, const struct stat *shadow_status, const char *number)
{
	char target[16] = "";
	struct stat now;

	if (lstat(path, &now) < 0)
		return false;
	if (S_ISLNK(now.st_mode))
		return readlink(path, target, sizeof(target) - 1) > 0 && strcmp(target, number) == 0;
	return now.st_ino == shadow_status->st_ino;
}

static void put_name(const struct stat *status, const char *path)
{
	const struct file *file = meet(status);
	char kept[PATH_SIZE], number[16];
	struct stat shadow_status;

	path_of(file, kept);
	snprintf(number, sizeof(number), "%u", file->number);
	if (stat(kept, &shadow_status) < 0)
		fail("looking at", kept);
	if (is_same(path, &shadow_status, number))
		return;
	NEXT(unlink)(path);
	if ((S_ISDIR(status->st_mode) ? symlink(number, path) : link(kept, path)) < 0)
		fail("naming", path);
}

static bool is_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* For each name in @path. */
static void each_name(const char *path, const char *other, void (*act)(const char *path, const char *other))
{
	DIR *list = opendir(path);
	const struct dirent *entry;
	char one[PATH_SIZE], two[PATH_SIZE];

	if (!list)
		fail("reading", path);
	while ((entry = readdir(list))) {
		if (!is_name(entry))
			continue;
		print(one, "%s/%s", path, entry->d_name);
		print(two, "%s/%s", other, entry->d_name);
		act(one, two);
	}
	closedir(list);
}

static void drop_if_gone(const char *kept, const char *real)
{
	struct stat status;

	if (lstat(real, &status) < 0)
		NEXT(unlink)(kept);
}

static void put_if_there(const char *real, const char *kept)
{
	struct stat status;

	if (lstat(real, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
		put_name(&status, kept);
}

/* The names in @path, and no others, are those that its shadow has. */
static void keep_folder(const char *path, const struct stat *status)
{
	char kept[PATH_SIZE];

	path_of(meet(status), kept);
	each_name(kept, path, drop_if_gone);
	each_name(path, kept, put_if_there);
}

/* ---- the beginning: what is there is on disk ---- */

static void keep_all(const char *path, const char *unused)
{
	struct stat status;
	int fd;

	if (lstat(path, &status) < 0)
		fail("looking at", path);
	if (S_ISDIR(status.st_mode)) {
		keep_folder(path, &status);
		each_name(path, unused, keep_all);
	} else if (S_ISREG(status.st_mode)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail("opening", path);
		keep_file(fd, &status);
		close(fd);
	}
}

/* Children have nothing to do with the folder; and they would begin a shadow of their own. */
__attribute__((constructor)) static void begin(void)
{
	folder = getenv("POWER_LOSS_FOLDER");
	shadow = getenv("POWER_LOSS_SHADOW");
	if (!folder || !shadow || mkdir(shadow, 0700) < 0) {
		fprintf(stderr, "power_loss: POWER_LOSS_FOLDER is no folder, or POWER_LOSS_SHADOW is one already\n");
		abort();
	}
	unsetenv("LD_PRELOAD");
	keep_all(folder, "");
}

/* ---- what stands before the C library ---- */

/* Where what @fd is open at lies; false when it is not in the folder. */
static bool place_of(int fd, char *path)
{
	char link[64];
	size_t len = strlen(folder);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_SIZE - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int keep(int fd, int r)
{
	char path[PATH_SIZE];
	struct stat status;
	int error = errno;

	pthread_mutex_lock(&mutex);
	if (r == 0 && place_of(fd, path) && fstat(fd, &status) == 0) {
		if (S_ISREG(status.st_mode))
			keep_file(fd, &status);
		else if (S_ISDIR(status.st_mode))
			keep_folder(path, &status);
	}
	pthread_mutex_unlock(&mutex);
	errno = error;
	return r;
}

EXPORT int fsync(int fd)
{
	return keep(fd, NEXT(fsync)(fd));
}

EXPORT int fdatasync(int fd)
{
	return keep(fd, NEXT(fdatasync)(fd));
}

/* Locks; the file that @path in @fd names for the last time is in @ret. */
static bool lock_last_name(int fd, const char *path, struct stat *ret)
{
	pthread_mutex_lock(&mutex);
	return fstatat(fd, path, ret, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(ret->st_mode) && ret->st_nlink == 1;
}

static int unlock(int r, bool is_last, const struct stat *status)
{
	int error = errno;

	if (r == 0 && is_last)
		forget(status);
	pthread_mutex_unlock(&mutex);
	errno = error;
	return r;
}

EXPORT int unlink(const char *path)
{
	struct stat status;
	bool is_last = lock_last_name(AT_FDCWD, path, &status);

	return unlock(NEXT(unlink)(path), is_last, &status);
}

EXPORT int unlinkat(int fd, const char *path, int flags)
{
	struct stat status;
	bool is_last = lock_last_name(fd, path, &status);

	return unlock(NEXT(unlinkat)(fd, path, flags), is_last, &status);
}

EXPORT int rename(const char *from, const char *to)
{
	struct stat status;
	bool is_last = lock_last_name(AT_FDCWD, to, &status);

	return unlock(NEXT(rename)(from, to), is_last, &status);
}

EXPORT int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	struct stat status;
	bool is_last = lock_last_name(to_fd, to, &status);

	return unlock(NEXT(renameat)(from_fd, from, to_fd, to), is_last, &status);
}
