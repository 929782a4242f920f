#include "allocator.h"
#include "base/limits.h"
#include "parse.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define MINIMAL "providers = ( { id = \"a\"; plugin = \"p\"; } );"
#define PROVIDER(members) "providers = ( { id = \"a\"; plugin = \"p\"; " members " } );"

void __real_explicit_bzero(void *data, size_t len);
void __wrap_explicit_bzero(void *data, size_t len);
void __wrap___explicit_bzero_chk(void *data, size_t len, size_t size);

static const void *wiped;
static size_t wiped_len;

void __wrap_explicit_bzero(void *data, size_t len)
{
	wiped = data;
	wiped_len = len;
	__real_explicit_bzero(data, len);
}

/* What _FORTIFY_SOURCE makes of it. */
void __wrap___explicit_bzero_chk(void *data, size_t len, size_t size)
{
	assert_true(len <= size);
	__wrap_explicit_bzero(data, len);
}

static char folder[] = "/tmp/filmgate-config-XXXXXX";

static void write_file(const char *name, const void *data, size_t len, mode_t mode, char path[static 200])
{
	int fd;

	snprintf(path, 200, "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static void an_empty_file_has_every_default(void **state)
{
	(void)state;
	must_parse("");
	assert_string_equal(config->data_dir, "/var/lib/filmgate");
	assert_string_equal(config->listen.grpc, "127.0.0.1:8980");
	assert_string_equal(config->listen.http, "127.0.0.1:8981");
	assert_string_equal(config->listen.unix_socket, "/run/filmgate/filmgated.sock");
	assert_int_equal(config->limits.watchers, 10000);
	assert_int_equal(config->drain_s, 90);
	assert_int_equal(config->plugin_dirs.n, 1);
	assert_int_equal(config->n_providers, 0);
	assert_null(config->http.proxy);
	assert_int_equal(report.warnings, 0);
}

static void a_provider_has_what_the_file_says_and_defaults_else(void **state)
{
	const struct config_provider *provider;

	(void)state;
	must_parse("drain_s = 0; log = { format = \"json\"; level = \"debug\"; };"
		   "plugin_dirs = [ \"/a\", \"/b\" ];" PROVIDER(
			   "base_url = \"https://api.example.com/v1\"; origins = [ \"https://up.example.com:8443\" ];"
			   "concurrency = 7; poll = { max_ms = 60000; }; deadline_s = 60;"
			   "options = { a = 1; b = true; c = \"x\\\"y\"; d = 0.5; e = 9000000000; f = -3; };"));
	assert_int_equal(config->drain_s, 0);
	assert_int_equal(config->log.format, 1);
	assert_int_equal(config->log.level, 0);
	assert_string_equal(config->plugin_dirs.items[1], "/b");
	assert_int_equal(config->n_providers, 1);
	provider = &config->providers[0];
	assert_string_equal(provider->id, "a");
	assert_string_equal(provider->plugin, "p");
	assert_string_equal(provider->base_url, "https://api.example.com/v1");
	assert_string_equal(provider->origins.items[0], "https://up.example.com:8443");
	assert_int_equal(provider->concurrency, 7);
	assert_int_equal(provider->poll.initial_ms, 0);
	assert_int_equal(provider->poll.max_ms, 60000);
	assert_int_equal(provider->submit_timeout_ms, 0);
	assert_int_equal(provider->deadline_s, 60);
	assert_false(provider->allow_private_network);
	assert_int_equal(provider->on_uncertain, CONFIG_UNCERTAIN_HOLD);
	assert_int_equal(provider->on_mismatch, CONFIG_MISMATCH_FLAG);
	assert_string_equal(provider->options,
			    "{\"a\":1,\"b\":true,\"c\":\"x\\\"y\",\"d\":0.5,\"e\":9000000000,\"f\":-3}");
	assert_null(secret_of(provider, "api_key"));
}

static void what_is_not_said_of_options_is_an_empty_object(void **state)
{
	(void)state;
	must_parse(MINIMAL);
	assert_string_equal(config->providers[0].options, "{}");
}

static void every_error_is_reported_with_its_line(void **state)
{
	(void)state;
	must_refuse("drain_s = -1;\n"
		    "colour = \"red\";\n"
		    "listen = {\n"
		    "  gprc = \"127.0.0.1:1\";\n"
		    "};\n"
		    "log = { level = 3; };\n"
		    "providers = (\n"
		    "  { id = \"a\"; plugin = \"p\"; },\n"
		    "  { id = \"a\"; },\n"
		    "  7\n"
		    ");\n",
		    "x.conf:1: error: drain_s: -1 is out of range: take 0 to 86400\n");
	assert_non_null(strstr(report_text(), "x.conf:2: error: 'colour' is no option: here may stand data_dir, "));
	assert_non_null(strstr(report_text(),
			       "x.conf:4: error: 'listen.gprc' is no option: here may stand grpc, unix, http\n"));
	assert_non_null(strstr(report_text(), "x.conf:6: error: log.level: has the wrong type: write a text"));
	assert_non_null(strstr(report_text(), "x.conf:9: error: providers.plugin: is missing"));
	assert_non_null(strstr(report_text(), "x.conf:9: error: providers.id: 'a' is taken by another provider"));
	assert_non_null(strstr(report_text(), "error: providers: member 3 is no group"));
	assert_int_equal(report.errors, 7);
}

static void a_misspelled_file_is_an_error_with_its_line(void **state)
{
	(void)state;
	must_refuse("drain_s = 1;\nlisten = { grpc \n", "x.conf:3: error: syntax error");
	must_refuse("drain_s = 1;\ndrain_s = 2;\n", "x.conf:2: error: duplicate setting name");
}

static void fields_of_a_provider_are_checked_together(void **state)
{
	(void)state;
	must_refuse(PROVIDER("poll = { initial_ms = 40000; max_ms = 30000; };"), "40000 is above max_ms 30000");
	must_parse(PROVIDER("poll = { initial_ms = 40000; };"));
	must_refuse(PROVIDER("base_url = \"http://127.0.0.1:8090\";"), "set allow_private_network = true");
	must_refuse(PROVIDER("origins = [ \"http://127.0.0.1:8090\" ];"), "set allow_private_network = true");
	must_refuse(PROVIDER("on_uncertain = \"guess\";"), "hold, fail");
	must_parse(PROVIDER("on_uncertain = \"resubmit\";"));
	assert_int_equal(config->providers[0].on_uncertain, CONFIG_UNCERTAIN_RESUBMIT);
	config = config_free(config);
	must_refuse(PROVIDER("on_mismatch = \"ignore\";"), "accept, flag");
	must_parse(PROVIDER("on_mismatch = \"fail\";"));
	assert_int_equal(config->providers[0].on_mismatch, CONFIG_MISMATCH_FAIL);
	config = config_free(config);
	must_parse(PROVIDER("base_url = \"http://127.0.0.1:8090\"; allow_private_network = true;"));
	assert_true(config->providers[0].allow_private_network);
}

static void somebody_must_be_able_to_connect(void **state)
{
	(void)state;
	must_parse("listen = { grpc = \"\"; };");
	assert_null(config->listen.grpc);
	must_parse("listen = { unix = \"\"; };");
	assert_null(config->listen.unix_socket);
	must_refuse("listen = { grpc = \"\"; unix = \"\"; };", "both grpc and unix are empty");
}

static void texts_are_what_they_claim_to_be(void **state)
{
	static const struct {
		const char *text, *words; /* NULL: it is taken */
	} rows[] = {
		{"data_dir = \"relative\";", "'relative' is not an absolute path"},
		{"data_dir = \"\";", "'' is empty"},
		{"data_dir = \"/\\xff\";", "is not UTF-8 text"},
		{"plugin_dirs = [ \"/a\", \"b\" ];", "'b' is not an absolute path"},
		{"plugin_dirs = [ 1 ];", "holds something else than texts"},
		{"plugin_dirs = ( \"/a\", { } );", "holds something else than texts"},
		{"plugin_dirs = [ ];", "has 0 members: take 1 to 16"},
		{"plugin_dirs = [ \"\" ];", "'' is empty"},
		{"listen = { grpc = \"8980\"; };", "is not HOST:PORT"},
		{"listen = { grpc = \"127.0.0.1:\"; };", "is not HOST:PORT"},
		{"listen = { grpc = \"127.0.0.1:65536\"; };", "is not HOST:PORT"},
		{"listen = { grpc = \"127.0.0.1:1x\"; };", "is not HOST:PORT"},
		{"listen = { grpc = \"0.0.0.0:8980\"; };", "is not a loopback address"},
		{"listen = { grpc = \"127.evil.example:80\"; };", "is not a loopback address"},
		{"listen = { grpc = \"[::]:8980\"; };", "is not a loopback address"},
		{"listen = { grpc = \"127.0.0.1:0\"; };", NULL},
		{"listen = { grpc = \"127.9.9.9:65535\"; };", NULL},
		{"listen = { grpc = \"[::1]:8980\"; };", NULL},
		{"listen = { grpc = \"localhost:8980\"; };", NULL},
		{"listen = { http = \"8981\"; };", "is not HOST:PORT: write it as 127.0.0.1:8981"},
		{"listen = { http = \"0.0.0.0:8981\"; };", "whoever reaches this port can spend money"},
		{"listen = { http = \"[::1]:0\"; };", NULL},
		{"listen = { http = \"\"; };", NULL},
		{"providers = ( { id = \"Heygen\"; plugin = \"p\"; } );", "'Heygen' is not a name"},
		{"providers = ( { id = \"a_b\"; plugin = \"p\"; } );", "'a_b' is not a name"},
		{"providers = ( { id = \"1a\"; plugin = \"p\"; } );", "'1a' is not a name"},
		{"providers = ( { id = \"a-1\"; plugin = \"p\"; } );", NULL},
		{"providers = ( { id = \"a\"; plugin = \"my_p-1\"; } );", NULL},
		{"providers = ( { id = \"a\"; plugin = \"_p\"; } );", "'_p' is not the name of a plugin"},
		{"providers = ( { id = \"a\"; plugin = \"../p\"; } );", "'../p' is not the name of a plugin"},
		{PROVIDER("base_url = \"api.example.com\";"), "is not a base URL"},
		{PROVIDER("base_url = \"ftp://example.com\";"), "is not a base URL"},
		{PROVIDER("base_url = \"https://\";"), "is not a base URL"},
		{PROVIDER("base_url = \"https://:443\";"), "is not a base URL"},
		{PROVIDER("base_url = \"https://user@example.com\";"), "has a user or a password"},
		{PROVIDER("base_url = \"https://example.com?x\";"), "is not a base URL"},
		{PROVIDER("base_url = \"https://example.com/a?x\";"), "is not a base URL"},
		{PROVIDER("base_url = \"https://example.com/\";"), "ends with a slash"},
		{PROVIDER("base_url = \"https://[2001:db8::1]:443/v1\";"), NULL},
		{PROVIDER("origins = [ \"https://example.com/v1\" ];"), "is not an origin"},
		{PROVIDER("options = { a = { }; };"), "'a' is no number, text, true or false"},
		{PROVIDER("options = { a = 1e999; };"), "'a' is no number, text, true or false"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].words)
			must_refuse(rows[i].text, rows[i].words);
		else
			must_parse(rows[i].text);
	}
}

static void secrets_come_from_files_the_environment_and_credentials(void **state)
{
	char text[1000], path[200];
	const struct config_provider *provider;

	(void)state;
	write_file("key", "from-file\r\n", 11, 0600, path);
	write_file("credential", "from credential", 15, 0400, path);
	setenv("FILMGATE_TEST_KEY", "from-environment", 1);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	snprintf(text, sizeof(text),
		 PROVIDER("secrets = { a_file = \"%s/key\"; b_key_env = \"FILMGATE_TEST_KEY\"; c_credential = "
			  "\"credential\"; };"),
		 folder);
	must_parse(text);
	provider = &config->providers[0];
	assert_int_equal(provider->n_secrets, 3);
	assert_string_equal(secret_of(provider, "a")->value, "from-file");
	assert_int_equal(secret_of(provider, "a")->len, 9);
	assert_string_equal(secret_of(provider, "b_key")->value, "from-environment");
	assert_string_equal(secret_of(provider, "c")->value, "from credential");
	assert_null(secret_of(provider, "d"));
	assert_int_equal(report.warnings, 0);
}

static void previous_keys_are_lists_of_secrets(void **state)
{
	const struct config_provider *provider;
	char text[1000], path[200];

	(void)state;
	write_file("old", "older\n", 6, 0600, path);
	setenv("FILMGATE_TEST_KEY", "old", 1);
	snprintf(text, sizeof(text),
		 PROVIDER("secrets = { a_file = \"%s\"; }; previous_keys = ( { a_env = \"FILMGATE_TEST_KEY\"; }, "
			  "{ a_file = \"%s\"; b_env = \"FILMGATE_TEST_KEY\"; } );"),
		 path, path);
	must_parse(text);
	provider = &config->providers[0];
	assert_int_equal(provider->n_secrets, 1);
	assert_int_equal(provider->n_previous_keys, 2);
	assert_string_equal(provider->previous_keys[0].secrets[0].value, "old");
	assert_int_equal(provider->previous_keys[1].n_secrets, 2);
	assert_string_equal(provider->previous_keys[1].secrets[0].value, "older");
	must_refuse(PROVIDER("previous_keys = ( { } );"), "member 1 names no secret");
	must_refuse(PROVIDER("previous_keys = ( \"old\" );"), "member 1 names no secret");
	must_refuse(PROVIDER("previous_keys = { a_env = \"FILMGATE_TEST_KEY\"; };"), "has the wrong type");
	must_refuse(PROVIDER("previous_keys = ( { a_env = \"FILMGATE_TEST_KEY\"; a_file = \"/x\"; } );"),
		    "'a' is given twice");
	must_refuse(PROVIDER("previous_keys = ( { a_env = \"X\"; }, { a_env = \"X\"; }, { a_env = \"X\"; }, "
			     "{ a_env = \"X\"; }, { a_env = \"X\"; } );"),
		    "has 5 members: take up to 4");
}

static void a_secret_that_everybody_can_read_is_a_warning(void **state)
{
	char text[1000], path[200];

	(void)state;
	write_file("open", "s3cret\n", 7, 0644, path);
	snprintf(text, sizeof(text), "\n" PROVIDER("\nsecrets = { a_file = \"%s\"; };"), path);
	must_parse(text);
	assert_int_equal(report.warnings, 1);
	assert_non_null(strstr(report_text(), "x.conf:3: warning: providers.secrets: "));
	assert_non_null(strstr(report_text(), "can be read by everybody: chmod 600 it"));
	assert_null(strstr(report_text(), "s3cret"));
	/* Two that use it are no two files to mend. */
	snprintf(text, sizeof(text), PROVIDER("secrets = { a_file = \"%s\"; b_file = \"%s\"; };"), path, path);
	must_parse(text);
	assert_int_equal(report.warnings, 1);
}

static void a_secret_that_cannot_be_had_is_an_error(void **state)
{
	static const struct {
		const char *members, *words;
	} rows[] = {
		{"a_file = \"/nonexistent/key\"", "'/nonexistent/key' cannot be read by this user: No such file"},
		{"a_file = \"relative\"", "'relative' is not an absolute path"},
		{"a_file = \"/tmp\"", "'/tmp' is not a file that can be read"},
		{"a_file = \"/dev/zero\"", "'/dev/zero' is not a file that can be read"},
		{"a_file = \"\"", "'a_file' is no text"},
		{"a_file = 5", "'a_file' is no text"},
		{"a_env = \"FILMGATE_TEST_UNSET\"", "the environment has no 'FILMGATE_TEST_UNSET'"},
		{"a_env = \"FILMGATE_TEST_EMPTY\"",
		 "the environment's 'FILMGATE_TEST_EMPTY' is empty: write the key into it"},
		{"a_credential = \"../key\"", "'../key' is not the name of a credential"},
		{"a_credential = \"none\"", "cannot be read by this user"},
		{"api_key = \"s3cret-value\"", "'api_key' says no place: end it with _file, _env or _credential"},
		{"a_env = \"FILMGATE_TEST_KEY\"; a_file = \"/x\"", "'a' is given twice"},
	};

	(void)state;
	setenv("FILMGATE_TEST_EMPTY", "\n", 1);
	setenv("FILMGATE_TEST_KEY", "value", 1);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[500];

		snprintf(text, sizeof(text), PROVIDER("secrets = { %s; };"), rows[i].members);
		must_refuse(text, rows[i].words);
		assert_null(strstr(report_text(), "s3cret"));
	}
	unsetenv("CREDENTIALS_DIRECTORY");
	must_refuse(PROVIDER("secrets = { a_credential = \"key\"; };"), "LoadCredential=key:PATH");
}

static void a_secret_has_its_limit_and_not_a_byte_more(void **state)
{
	static char value[LIMIT_SECRET + 3];
	char path[200], text[500];

	(void)state;
	memset(value, 'k', LIMIT_SECRET + 1);
	value[LIMIT_SECRET] = '\n';
	write_file("long", value, LIMIT_SECRET + 1, 0600, path);
	snprintf(text, sizeof(text), PROVIDER("secrets = { a_file = \"%s\"; };"), path);
	must_parse(text);
	assert_int_equal(config->providers[0].secrets[0].len, LIMIT_SECRET);

	value[LIMIT_SECRET] = 'k';
	write_file("long", value, LIMIT_SECRET + 1, 0600, path);
	must_refuse(text, "has more than 8192 bytes");
	write_file("long", "a\0b", 3, 0600, path);
	must_refuse(text, "is not UTF-8 text");
	write_file("long", "sk-1\r\nX: y\n", 11, 0600, path);
	must_refuse(text, "holds a line break or another control character");
	assert_null(strstr(report_text(), "sk-1"));
	write_file("long", "{\n\"type\":\"service_account\"\n}\n", 29, 0600, path);
	must_parse(text);
	assert_string_equal(config->providers[0].secrets[0].value, "{\n\"type\":\"service_account\"\n}");
}

static void a_secret_is_wiped_before_it_is_freed(void **state)
{
	const void *value;

	(void)state;
	setenv("FILMGATE_TEST_KEY", "value", 1);
	must_parse(PROVIDER("secrets = { a_env = \"FILMGATE_TEST_KEY\"; };"));
	value = config->providers[0].secrets[0].value;
	wiped = NULL;
	config = config_free(config);
	assert_ptr_equal(wiped, value);
	assert_int_equal(wiped_len, 5);
}

static void a_file_is_loaded_by_its_path(void **state)
{
	static char much[LIMIT_CONFIG_BYTES + 1];
	char path[200];

	(void)state;
	write_file("good.conf", MINIMAL, strlen(MINIMAL), 0644, path);
	parse_teardown(NULL);
	assert_int_equal(config_load(path, &config, &report), 0);
	assert_string_equal(config->providers[0].id, "a");

	memset(much, '\n', sizeof(much));
	write_file("much.conf", much, sizeof(much), 0644, path);
	parse_teardown(NULL);
	assert_int_equal(config_load(path, &config, &report), CONFIG_E_INVALID);
	assert_non_null(strstr(report_text(), "has more than 1048576 bytes"));

	parse_teardown(NULL);
	assert_int_equal(config_load("/nonexistent/x.conf", &config, &report), CONFIG_E_INVALID);
	assert_string_equal(report_text(), "/nonexistent/x.conf: error: cannot be read: No such file or directory; "
					   "filmgated --print-config writes a sample\n");
	parse_teardown(NULL);
	assert_int_equal(config_load("/tmp", &config, &report), CONFIG_E_INVALID);
}

static void a_report_is_cut_and_goes_on_counting(void **state)
{
	static char text[LIMIT_CONFIG_LINES];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 4000; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "k%d=1;\n", i);
	must_refuse(text, "'k0' is no option");
	assert_int_equal(report.errors, 4000);
	assert_in_range(report.lines.len, LIMIT_CONFIG_REPORT / 2, LIMIT_CONFIG_REPORT);
	assert_int_equal(report.lines.data[report.lines.len - 1], '\n');
}

static void every_lack_of_memory_is_survived(void **state)
{
	static const char text[] = "plugin_dirs = [ \"/a\", \"/b\" ];" PROVIDER(
		"base_url = \"https://example.com\"; origins = [ \"https://example.org\" ];"
		"secrets = { a_env = \"FILMGATE_TEST_KEY\"; }; options = { a = 1; b = \"x\"; };");
	int nth = 0, r;

	(void)state;
	setenv("FILMGATE_TEST_KEY", "value", 1);
	do {
		parse_teardown(NULL);
		allocator_fail(++nth);
		r = config_parse(bytes_of_text(text), "x.conf", secret_read, &config, &report);
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(r == 0, config != NULL);
	} while (allocator_failed());
	assert_int_equal(r, 0);
	assert_in_range(nth, 20, 100);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"key", "credential", "open", "long", "good.conf", "much.conf"};
	char path[200];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_teardown(name, parse_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_empty_file_has_every_default),
		TEST(a_provider_has_what_the_file_says_and_defaults_else),
		TEST(what_is_not_said_of_options_is_an_empty_object),
		TEST(every_error_is_reported_with_its_line),
		TEST(a_misspelled_file_is_an_error_with_its_line),
		TEST(fields_of_a_provider_are_checked_together),
		TEST(somebody_must_be_able_to_connect),
		TEST(texts_are_what_they_claim_to_be),
		TEST(secrets_come_from_files_the_environment_and_credentials),
		TEST(previous_keys_are_lists_of_secrets),
		TEST(a_secret_that_everybody_can_read_is_a_warning),
		TEST(a_secret_that_cannot_be_had_is_an_error),
		TEST(a_secret_has_its_limit_and_not_a_byte_more),
		TEST(a_secret_is_wiped_before_it_is_freed),
		TEST(a_file_is_loaded_by_its_path),
		TEST(a_report_is_cut_and_goes_on_counting),
		TEST(every_lack_of_memory_is_survived),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
