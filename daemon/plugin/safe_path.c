#include "plugin/safe_path.h"

#include "base/err.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static bool others_may_write(const struct stat *st)
{
	bool is_private_group = st->st_gid == getegid() && st->st_gid == geteuid();

	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))
		return false;
	return (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && !is_private_group);
}

static int judge(const char *path, struct errmsg *error)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_origin(-errno);
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		errmsg_set(error, "'%s' belongs to user %u; it must belong to root or to user %u", path,
			   (unsigned int)st.st_uid, (unsigned int)geteuid());
		return PLUGIN_SAFE_PATH_E_WRITABLE;
	}
	if (others_may_write(&st)) {
		errmsg_set(error, "'%s' is writable by others; run: chmod go-w '%s'", path, path);
		return PLUGIN_SAFE_PATH_E_WRITABLE;
	}
	return 0;
}

static int judge_folders(const char *path, struct errmsg *error)
{
	_cleanup_(freep) char *folder = strdup(path);
	char *slash;
	int r = 0;

	if (!folder)
		return err_origin(-ENOMEM);
	while (r == 0 && (slash = strrchr(folder, '/')) != NULL) {
		*slash = '\0';
		r = judge(*folder ? folder : "/", error);
	}
	return r;
}

int plugin_safe_path(const char *path, char **ret, struct errmsg *error)
{
	_cleanup_(freep) char *real = realpath(path, NULL);
	struct stat st;
	int r;

	if (!real || stat(real, &st) < 0)
		return err_origin(-errno);
	if (!S_ISREG(st.st_mode)) {
		errmsg_set(error, "'%s' is not a regular file", real);
		return PLUGIN_SAFE_PATH_E_WRITABLE;
	}
	r = judge(real, error);
	if (r == 0)
		r = judge_folders(real, error);
	if (r)
		return r;
	*ret = steal(real);
	return 0;
}
