#include "artifact/source.h"

#include "base/err.h"

#include <string.h>

int source_read(const struct source *source, uint64_t offset, void *ret, size_t len)
{
	char *to = ret;

	if (offset > source->size || len > source->size - offset)
		return -ENODATA;
	if (source->fd < 0) {
		if (len > 0)
			memcpy(ret, source->bytes + offset, len);
		return 0;
	}
	while (len > 0) {
		ssize_t n = pread(source->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_origin(n < 0 ? -errno : -ENODATA);
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}
