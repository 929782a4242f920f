#include "sim/folder.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static int make_with_parents(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return err_origin(-ENAMETOOLONG);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_origin(-errno);
	}
	return 0;
}

int sim_folder_lock(const char *path, struct errmsg *msg, int *ret_fd)
{
	_cleanup_(closep) int fd = -1;
	int r;

	r = make_with_parents(path);
	if (r == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	if (r < 0) {
		errmsg_set(msg, "cannot use the data folder '%s': %s; give another one with --data", path,
			   strerror(-r));
		return SIM_FOLDER_E_REFUSED;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		errmsg_set(msg, "another filmgate-sim uses the data folder '%s'; give another one with --data", path);
		return SIM_FOLDER_E_REFUSED;
	}

	*ret_fd = steal_fd(&fd);
	return 0;
}
