#include "server.h"

#include "base/decimal.h"
#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

static int refuse(const char *address, struct errmsg *error)
{
	errmsg_set(error, "'%s' is not a server; write unix:PATH or HOST:PORT", address);
	return SERVER_E_INVALID;
}

static int parse_host_port(const char *address, struct server *ret, struct errmsg *error)
{
	const char *colon = strrchr(address, ':');
	int64_t port;

	if (!colon || colon == address || strchr(address, '/') || strchr(address, ' '))
		return refuse(address, error);
	/* An IPv6 address needs its brackets, or its last group would be the port. */
	if (memchr(address, ':', (size_t)(colon - address)) && (address[0] != '[' || colon[-1] != ']'))
		return refuse(address, error);
	if (decimal_parse(bytes_of_text(colon + 1), 0, &port) || port < 1 || port > 65535)
		return refuse(address, error);
	snprintf(ret->shown, sizeof(ret->shown), "%s", address);
	snprintf(ret->target, sizeof(ret->target), "dns:///%s", address);
	return 0;
}

int server_parse(const char *address, struct server *ret, struct errmsg *error)
{
	const char *path = !strncmp(address, "unix:", 5) ? address + 5 : *address == '/' ? address : NULL;

	if (strlen(address) > SERVER_TEXT_SIZE - 16)
		return refuse("…", error);
	if (!path)
		return parse_host_port(address, ret, error);
	if (strlen(path) == 0 || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		errmsg_set(error, "'%s' is not a socket: its path must have 1 to %zu bytes", path,
			   sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
		return SERVER_E_INVALID;
	}
	snprintf(ret->shown, sizeof(ret->shown), "unix:%s", path);
	snprintf(ret->target, sizeof(ret->target), "unix:%s", path);
	return 0;
}

/* Is there a socket that takes connections, or refuses just us? Then that daemon is meant. */
static bool is_listening(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EACCES;
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		continue;
	*end = '\0';
	return text;
}

static int read_line(const char *path, unsigned int number, char *line, char *server, struct errmsg *error)
{
	char *comment = strchr(line, '#'), *equals, *name, *value;

	if (comment)
		*comment = '\0';
	line = trim(line);
	if (!*line)
		return 0;
	equals = strchr(line, '=');
	if (equals)
		*equals = '\0';
	name = trim(line);
	value = equals ? trim(equals + 1) : NULL;
	if (strcmp(name, "server") != 0 || !value || !*value) {
		errmsg_set(error,
			   "%s:%u: '%s' is not understood; the file has lines such as: server = unix:/run/x.sock", path,
			   number, name);
		return SERVER_E_INVALID;
	}
	snprintf(server, SERVER_TEXT_SIZE, "%s", value);
	return 0;
}

static void closefilep(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* Leaves @server as it is when there is no file, or none that names one. */
static int read_context(char *server, struct errmsg *error)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	bool has_config = config && *config;
	_cleanup_(closefilep) FILE *file = NULL;
	char path[4096], line[1024];
	int r = 0;

	if (!has_config && !home)
		return 0;
	snprintf(path, sizeof(path), "%s%s/filmgate/config", has_config ? config : home, has_config ? "" : "/.config");
	file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return 0;
	if (!file) {
		errmsg_set(error, "cannot read %s: %s", path, strerror(errno));
		return SERVER_E_INVALID;
	}
	for (unsigned int n = 1; r == 0 && fgets(line, sizeof(line), file); n++)
		r = read_line(path, n, line, server, error);
	return r;
}

int server_choose(const char *flag, struct server *ret, struct errmsg *error)
{
	const char *environment = getenv("FILMGATE_SERVER");
	char context[SERVER_TEXT_SIZE] = "";
	int r;

	if (flag)
		return server_parse(flag, ret, error);
	if (environment && *environment)
		return server_parse(environment, ret, error);
	r = read_context(context, error);
	if (r)
		return r;
	if (*context)
		return server_parse(context, ret, error);
	return server_parse(is_listening(SERVER_DEFAULT_SOCKET) ? SERVER_DEFAULT_SOCKET : SERVER_DEFAULT_ADDRESS, ret,
			    error);
}
