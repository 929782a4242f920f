/*
 * A disk that fills up, without the right to mount one: preloaded into the daemon, this library counts what is written
 * below one folder and ends it with ENOSPC when the room is used up, after a short write as a real disk does.
 *
 * SMALL_DISK_FOLDER is the folder, without links in it. SMALL_DISK_ROOM is a file with one int64_t, the bytes that are
 * left; it is mapped, so the test moves the number while the daemon runs. What is removed or cut off gives its room
 * back. Room that is allocated ahead (fallocate) counts when it is written, which is the harder case.
 *
 * Less than no room is a disk that is broken: nothing can be synced any more (EIO), whatever was written before.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define PATH_SIZE 4096

static const char *folder;
static _Atomic int64_t *room;

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

__attribute__((constructor)) static void find_room(void)
{
	const char *path = getenv("SMALL_DISK_ROOM");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd >= 0 ? mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	folder = getenv("SMALL_DISK_FOLDER");
	if (map == MAP_FAILED || !folder) {
		fprintf(stderr, "small_disk: SMALL_DISK_FOLDER and SMALL_DISK_ROOM name no disk\n");
		abort();
	}
	close(fd);
	room = map;
}

/* ---- what is on the disk ---- */

static bool is_below(const char *path)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_ours(int fd)
{
	char link[64], path[PATH_SIZE];
	ssize_t n;
	int error = errno;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	errno = error;
	if (n < 0)
		return false;
	path[n] = '\0';
	return is_below(path);
}

/* How many of @wanted bytes there is room for; they are taken. */
static int64_t take(int64_t wanted)
{
	int64_t left = atomic_load(room), taken;

	do {
		taken = left < 0 ? 0 : left < wanted ? left : wanted;
	} while (!atomic_compare_exchange_weak(room, &left, left - taken));
	return taken;
}

/* How many of @size bytes at @offset may be written; -1 with errno when none may. */
static ssize_t allow(int fd, int64_t offset, size_t size)
{
	struct stat status;
	int64_t growth;

	if (!is_ours(fd) || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return (ssize_t)size;
	if (offset < 0)
		offset = fcntl(fd, F_GETFL) & O_APPEND ? status.st_size : lseek(fd, 0, SEEK_CUR);
	growth = offset + (int64_t)size - status.st_size;
	if (growth <= 0)
		return (ssize_t)size;
	size -= (size_t)(growth - take(growth));
	if (size > 0)
		return (ssize_t)size;
	errno = ENOSPC;
	return -1;
}

/* ---- what stands before the C library ---- */

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t allowed = size ? allow(fd, -1, size) : 0;

	return allowed < 0 ? -1 : NEXT(write)(fd, data, (size_t)allowed);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	ssize_t allowed = size ? allow(fd, offset, size) : 0;

	return allowed < 0 ? -1 : NEXT(pwrite)(fd, data, (size_t)allowed, offset);
}

static bool is_broken(int fd)
{
	if (atomic_load(room) >= 0 || !is_ours(fd))
		return false;
	errno = EIO;
	return true;
}

EXPORT int fsync(int fd)
{
	return is_broken(fd) ? -1 : NEXT(fsync)(fd);
}

EXPORT int fdatasync(int fd)
{
	return is_broken(fd) ? -1 : NEXT(fdatasync)(fd);
}

EXPORT int ftruncate(int fd, off_t size)
{
	struct stat status;
	bool is_cut = is_ours(fd) && fstat(fd, &status) == 0 && size < status.st_size;
	int r = NEXT(ftruncate)(fd, size);

	if (r == 0 && is_cut)
		atomic_fetch_add(room, status.st_size - size);
	return r;
}

/* The bytes that end with the name @path in @fd. */
static int64_t size_of(int fd, const char *path)
{
	struct stat status;
	int error = errno;
	bool is_here = *path == '/' ? is_below(path) : fd != AT_FDCWD && is_ours(fd);
	bool is_last = is_here && fstatat(fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
		       status.st_nlink == 1;

	errno = error;
	return is_last ? status.st_size : 0;
}

EXPORT int unlink(const char *path)
{
	int64_t size = size_of(AT_FDCWD, path);
	int r = NEXT(unlink)(path);

	if (r == 0)
		atomic_fetch_add(room, size);
	return r;
}

EXPORT int unlinkat(int fd, const char *path, int flags)
{
	int64_t size = size_of(fd, path);
	int r = NEXT(unlinkat)(fd, path, flags);

	if (r == 0)
		atomic_fetch_add(room, size);
	return r;
}

static void show_room(struct statvfs *disk)
{
	int64_t left = atomic_load(room);

	disk->f_bavail = disk->f_bfree = left > 0 ? (fsblkcnt_t)left / disk->f_frsize : 0;
}

EXPORT int fstatvfs(int fd, struct statvfs *disk)
{
	int r = NEXT(fstatvfs)(fd, disk);

	if (r == 0 && is_ours(fd))
		show_room(disk);
	return r;
}

EXPORT int statvfs(const char *path, struct statvfs *disk)
{
	int r = NEXT(statvfs)(path, disk);

	if (r == 0 && is_below(path))
		show_room(disk);
	return r;
}
