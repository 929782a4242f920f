/*
 * Preloaded into the daemon: there is no ffprobe, and no ffmpeg. Their opinions on a video cost a process of half a second
 * each, in which a daemon that lives for two gets nothing else done.
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

__attribute__((visibility("default"))) int access(const char *path, int mode)
{
	int (*next)(const char *, int);
	void *symbol = dlsym(RTLD_NEXT, "access");

	if (strcmp(path, "/usr/bin/ffprobe") == 0 || strcmp(path, "/usr/bin/ffmpeg") == 0) {
		errno = ENOENT;
		return -1;
	}
	/* ISO C has no such cast; POSIX promises that the bytes agree. */
	memcpy(&next, &symbol, sizeof(symbol));
	return next(path, mode);
}
