#include "server.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "filmgate-cli-server-XXXXXX";
static char file[64];

static int make_context(void **state)
{
	char path[64];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/filmgate", folder);
	snprintf(file, sizeof(file), "%s/filmgate/config", folder);
	return mkdir(path, 0700) || setenv("XDG_CONFIG_HOME", folder, 1) || unsetenv("FILMGATE_SERVER");
}

static int remove_context(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/filmgate", folder);
	unlink(file);
	return rmdir(path) || rmdir(folder);
}

static void write_context(const char *text)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void expect(const char *address, const char *shown, const char *target)
{
	struct server server;
	struct errmsg error = {""};

	if (server_parse(address, &server, &error))
		fail_msg("%s", error.text);
	assert_string_equal(server.shown, shown);
	assert_string_equal(server.target, target);
}

static void an_address_is_a_socket_or_a_host_with_a_port(void **state)
{
	(void)state;
	expect("unix:/run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock");
	expect("unix:x.sock", "unix:x.sock", "unix:x.sock");
	expect("/run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock");
	expect("127.0.0.1:8980", "127.0.0.1:8980", "dns:///127.0.0.1:8980");
	expect("gate.example.com:1", "gate.example.com:1", "dns:///gate.example.com:1");
	expect("[::1]:65535", "[::1]:65535", "dns:///[::1]:65535");
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {"",       "host",   ":80",   "host:",       "host:0",       "host:65536",
					  "host:x", "::1:80", "unix:", "http://x:80", "two words:80", "host:-1"};
	struct server server;
	struct errmsg error;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (server_parse(bad[i], &server, &error) != SERVER_E_INVALID)
			fail_msg("'%s' was taken", bad[i]);
}

static void a_socket_path_has_the_kernels_limit(void **state)
{
	char address[256] = "unix:";
	struct server server;
	struct errmsg error;

	(void)state;
	memset(address + 5, 'x', 107);
	assert_int_equal(server_parse(address, &server, &error), 0);
	address[5 + 107] = 'x';
	assert_int_equal(server_parse(address, &server, &error), SERVER_E_INVALID);
}

static void the_flag_beats_the_environment_and_that_the_context(void **state)
{
	struct server server;
	struct errmsg error;

	(void)state;
	write_context("# mine\n\n  server = context:3  # here\n");
	assert_int_equal(server_choose(NULL, &server, &error), 0);
	assert_string_equal(server.shown, "context:3");
	setenv("FILMGATE_SERVER", "environment:2", 1);
	assert_int_equal(server_choose(NULL, &server, &error), 0);
	assert_string_equal(server.shown, "environment:2");
	assert_int_equal(server_choose("flag:1", &server, &error), 0);
	assert_string_equal(server.shown, "flag:1");
	unsetenv("FILMGATE_SERVER");
}

static void the_default_is_the_last_resort(void **state)
{
	struct server server;
	struct errmsg error;

	(void)state;
	unlink(file);
	assert_int_equal(server_choose(NULL, &server, &error), 0);
	if (access(SERVER_DEFAULT_SOCKET, F_OK) != 0)
		assert_string_equal(server.shown, SERVER_DEFAULT_ADDRESS);
}

static void a_wrong_line_of_the_context_is_named(void **state)
{
	struct server server;
	struct errmsg error = {""};

	(void)state;
	write_context("# a comment\nsevrer = x:1\n");
	assert_int_equal(server_choose(NULL, &server, &error), SERVER_E_INVALID);
	assert_non_null(strstr(error.text, "config:2: 'sevrer'"));
	write_context("server\n");
	assert_int_equal(server_choose(NULL, &server, &error), SERVER_E_INVALID);
	assert_non_null(strstr(error.text, "config:1:"));
	unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_a_socket_or_a_host_with_a_port),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_socket_path_has_the_kernels_limit),
		cmocka_unit_test(the_flag_beats_the_environment_and_that_the_context),
		cmocka_unit_test(the_default_is_the_last_resort),
		cmocka_unit_test(a_wrong_line_of_the_context_is_named),
	};

	return cmocka_run_group_tests(tests, make_context, remove_context);
}
