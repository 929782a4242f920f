/*
 * Where a secret comes from. The three sources end in one: bytes from a file or the environment, without the line's
 * end that every editor adds.
 */
#include "base/limits.h"
#include "config/options.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A key file in JSON has lines. Whether the plugin takes one is plugin/'s to say. */
static bool is_key_file(const char *value, size_t len)
{
	return len > 1 && value[0] == '{' && value[len - 1] == '}';
}

static int keep_secret(const char *value, size_t len, const char *what, struct buffer *ret, struct errmsg *why)
{
	while (len && (value[len - 1] == '\n' || value[len - 1] == '\r'))
		len--;
	if (len == 0)
		errmsg_set(why, "%s is empty: write the key into it", what);
	else if (len > LIMIT_SECRET)
		errmsg_set(why, "%s has more than %d bytes: that is no key", what, LIMIT_SECRET);
	else if (!bytes_are_text(bytes_of(value, len)))
		errmsg_set(why, "%s is not UTF-8 text", what);
	else if (!is_key_file(value, len) && !bytes_are_one_line(bytes_of(value, len)))
		errmsg_set(why,
			   "%s holds a line break or another control character: leave the key alone in it, on one line",
			   what);
	else
		return buffer_append(ret, value, len);
	return CONFIG_E_INVALID;
}

/* The whole file, to one byte more than a secret and its line's end may have. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, data + len, size - len)) != 0) {
		if (n < 0)
			return -1;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int read_file(const char *path, struct buffer *ret, struct errmsg *why)
{
	char data[LIMIT_SECRET + 3], what[400];
	_cleanup_(closep) int fd = -1;
	struct stat stat;
	ssize_t len;
	int r;

	if (path[0] != '/') {
		errmsg_set(why, "'%.300s' is not an absolute path: begin it with a slash", path);
		return CONFIG_E_INVALID;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &stat) < 0) {
		errmsg_set(why, "'%.300s' cannot be read by this user: %s", path,
			   strerror_r(errno, data, sizeof(data)));
		return CONFIG_E_INVALID;
	}
	len = S_ISREG(stat.st_mode) ? read_all(fd, data, sizeof(data)) : -1;
	if (len < 0) {
		errmsg_set(why, "'%.300s' is not a file that can be read", path);
		return CONFIG_E_INVALID;
	}
	snprintf(what, sizeof(what), "'%.300s'", path);
	r = keep_secret(data, (size_t)len, what, ret, why);
	explicit_bzero(data, sizeof(data));
	if (r == 0 && stat.st_mode & S_IROTH)
		errmsg_set(why, "'%.300s' can be read by everybody: chmod 600 it", path);
	return r;
}

static int read_environment(const char *name, struct buffer *ret, struct errmsg *why)
{
	const char *value = getenv(name);
	char what[400];

	if (!value) {
		errmsg_set(why, "the environment has no '%.300s': set it before the daemon starts", name);
		return CONFIG_E_INVALID;
	}
	snprintf(what, sizeof(what), "the environment's '%.300s'", name);
	return keep_secret(value, strlen(value), what, ret, why);
}

static int read_credential(const char *name, struct buffer *ret, struct errmsg *why)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[4096];

	if (strchr(name, '/') || name[0] == '.' || name[0] == '\0') {
		errmsg_set(why, "'%.200s' is not the name of a credential", name);
		return CONFIG_E_INVALID;
	}
	if (!folder) {
		errmsg_set(why, "there are no credentials: run under systemd with LoadCredential=%.200s:PATH", name);
		return CONFIG_E_INVALID;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return read_file(path, ret, why);
}

int secret_read(enum secret_source source, const char *where, struct buffer *ret, struct errmsg *why)
{
	why->text[0] = '\0';
	switch (source) {
	case SECRET_FILE:
		return read_file(where, ret, why);
	case SECRET_ENVIRONMENT:
		return read_environment(where, ret, why);
	case SECRET_CREDENTIAL:
		return read_credential(where, ret, why);
	}
	return err_origin(-EINVAL);
}
