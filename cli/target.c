#include "target.h"

#include "say.h"

#include "base/bytes.h"
#include "base/err.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static enum exit_code refuse(const char *path, int error)
{
	say_error("%s: %s", path, strerror(error));
	return EXIT_USAGE;
}

static bool is_stdout(const struct stat *st)
{
	struct stat own;

	return fstat(STDOUT_FILENO, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino;
}

bool target_is_stdout(const char *path)
{
	struct stat st;

	return path && (!strcmp(path, "-") || (stat(path, &st) == 0 && is_stdout(&st)));
}

static enum exit_code refuse_terminal(void)
{
	say_error("a video does not go to a terminal; redirect it, or name a file with -o");
	return EXIT_USAGE;
}

static bool is_terminal(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && isatty(fd);
}

static enum exit_code look_at_stream(const char *path, const struct stat *st)
{
	if (S_ISSOCK(st->st_mode))
		return refuse(path, ENXIO);
	if (access(path, W_OK) < 0)
		return refuse(path, errno);
	return S_ISCHR(st->st_mode) && is_terminal(path) ? refuse_terminal() : EXIT_OK;
}

static enum exit_code look_at_folder(const char *path)
{
	return access(path, W_OK | X_OK) < 0 ? refuse(path, errno) : EXIT_OK;
}

/* A file is made beside @path and renamed, so it is the folder that must let us write. */
static enum exit_code look_at_place(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder = slash ? bytes_dup_text(bytes_of(path, (size_t)(slash - path) + 1))
					      : strdup(".");

	if (!folder)
		return EXIT_FAILED;
	if (strlen(slash ? slash + 1 : path) + strlen(".0123456789ab.part") > NAME_MAX)
		return refuse(path, ENAMETOOLONG);
	if (access(folder, F_OK) < 0 && errno == ENOENT) {
		say_error("%s: there is no folder '%s'", path, folder);
		return EXIT_USAGE;
	}
	return look_at_folder(folder);
}

static enum exit_code look_at_file(const char *path)
{
	_cleanup_(freep) char *real = realpath(path, NULL);

	return real ? look_at_place(real) : refuse(path, errno);
}

static enum exit_code look_at_nothing(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return look_at_place(path);
	say_error("%s is a link to what is not there: name the file that is meant", path);
	return EXIT_USAGE;
}

static enum target_kind kind_of(const struct stat *st)
{
	if (is_stdout(st))
		return TARGET_STDOUT;
	if (S_ISDIR(st->st_mode))
		return TARGET_FOLDER;
	return S_ISREG(st->st_mode) ? TARGET_FILE : TARGET_STREAM;
}

static enum exit_code look_at(const char *path, enum target_kind kind, const struct stat *st)
{
	switch (kind) {
	case TARGET_FOLDER:
		return look_at_folder(path);
	case TARGET_FILE:
		return look_at_file(path);
	case TARGET_STREAM:
		return look_at_stream(path, st);
	case TARGET_STDOUT:
		break;
	}
	return isatty(STDOUT_FILENO) ? refuse_terminal() : EXIT_OK;
}

enum exit_code target_look(const char *path, enum target_kind *ret)
{
	struct stat st = {0};

	if (!*path) {
		say_error("-o: '' names nothing; write a file, a folder, or - for standard output");
		return EXIT_USAGE;
	}
	if (!strcmp(path, "-")) {
		*ret = TARGET_STDOUT;
	} else if (stat(path, &st) == 0) {
		*ret = kind_of(&st);
	} else {
		*ret = TARGET_FILE;
		return errno == ENOENT ? look_at_nothing(path) : refuse(path, errno);
	}
	return look_at(path, *ret, &st);
}
