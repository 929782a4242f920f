#include "base/write.h"

#include "base/err.h"

#include <fcntl.h>

/* @at NULL: where the file stands. */
static ssize_t write_some(int fd, struct bytes bytes, const uint64_t *at)
{
	ssize_t n = at ? pwrite(fd, bytes.data, bytes.len, (off_t)*at) : write(fd, bytes.data, bytes.len);

	if (n > 0)
		return n;
	if (n < 0 && errno == EINTR)
		return 0;
	return err_origin(n < 0 ? -errno : -EIO);
}

static int write_all(int fd, struct bytes bytes, uint64_t *at)
{
	while (bytes.len) {
		ssize_t n = write_some(fd, bytes, at);

		if (n < 0)
			return (int)n;
		bytes = bytes_of((const char *)bytes.data + n, bytes.len - (size_t)n);
		if (at)
			*at += (uint64_t)n;
	}
	return 0;
}

int write_fully(int fd, struct bytes bytes)
{
	return write_all(fd, bytes, NULL);
}

int write_fully_at(int fd, struct bytes bytes, uint64_t *at)
{
	return write_all(fd, bytes, at);
}

int sync_folder(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? err_origin(-errno) : 0;
}
