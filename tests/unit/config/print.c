#include "parse.h"

#include <stdio.h>
#include <stdlib.h>

static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	assert_non_null(file);
	print(file);
	assert_int_equal(fclose(file), 0);
	return text;
}

/* Does @text have @name as a word of its own, with "=" behind it? */
static bool has_assignment(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = strstr(text, name); p; p = strstr(p + 1, name))
		if (p > text && strchr("\t\n#", p[-1]) && strncmp(p + len, " = ", 3) == 0)
			return true;
	return false;
}

static void the_sample_loads_and_is_all_defaults(void **state)
{
	_cleanup_(freep) char *sample = printed(config_print_sample);

	(void)state;
	must_parse(sample);
	assert_int_equal(report.warnings, 0);
	assert_string_equal(config->data_dir, "/var/lib/filmgate");
	assert_int_equal(config->limits.video_bytes, 8589934592);
	assert_int_equal(config->n_providers, 0);
}

static void the_sample_names_every_option(void **state)
{
	_cleanup_(freep) char *sample = printed(config_print_sample);

	(void)state;
	for (size_t i = 0; i < config_options_n; i++) {
		const char *name = config_options[i].name, *dot = strrchr(name, '.');

		if (!has_assignment(sample, dot ? dot + 1 : name))
			fail_msg("'%s' is not in the sample", name);
	}
}

static void lines_of_the_sample_are_no_wider_than_the_tree(void **state)
{
	_cleanup_(freep) char *sample = printed(config_print_sample);

	(void)state;
	for (const char *line = sample; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 120);
}

/* The shorter @new in the place of @old. */
static void put(char *sample, const char *old, const char *new)
{
	char *place = strstr(sample, old);

	assert_non_null(place);
	memset(place, ' ', strlen(old));
	memcpy(place, new, strlen(new));
}

/* As the sample's own words say: one "#" goes from each line that has no blank behind it. */
static void the_example_provider_loads_when_it_is_uncommented(void **state)
{
	_cleanup_(freep) char *sample = printed(config_print_sample);
	char *out = sample;

	(void)state;
	for (const char *line = sample, *next; *line; line = next) {
		next = line + strcspn(line, "\n") + 1;
		if (line[0] == '#' && line[1] != ' ')
			line++;
		memmove(out, line, (size_t)(next - line));
		out += next - line;
	}
	*out = '\0';
	must_refuse(sample, "'/etc/filmgate/heygen.key' cannot be read");
	assert_non_null(strstr(report_text(), "'/etc/filmgate/studio.whsec' cannot be read"));
	assert_int_equal(report.errors, 2);

	put(sample, "api_key_file = \"/etc/filmgate/heygen.key\"", "api_key_env = \"FILMGATE_TEST_KEY\"");
	put(sample, "current_file = \"/etc/filmgate/studio.whsec\"", "current_env = \"FILMGATE_TEST_WHSEC\"");
	setenv("FILMGATE_TEST_KEY", "value", 1);
	setenv("FILMGATE_TEST_WHSEC", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
	must_parse(sample);
	assert_int_equal(config->n_providers, 1);
	assert_string_equal(config->providers[0].id, "heygen");
	assert_int_equal(config->providers[0].poll.max_ms, 0);
	assert_string_equal(secret_of(&config->providers[0], "api_key")->value, "value");
}

static void the_help_names_every_option_with_what_it_takes(void **state)
{
	_cleanup_(freep) char *help = printed(config_print_help);

	(void)state;
	for (size_t i = 0; i < config_options_n; i++) {
		char head[100];

		snprintf(head, sizeof(head), "%s\n    Takes ", config_options[i].name);
		if (!strstr(help, head))
			fail_msg("'%s' is not in the help", config_options[i].name);
	}
	assert_non_null(strstr(help, "drain_s\n    Takes 0 to 86400; default 90.\n    Seconds that"));
	assert_non_null(strstr(help, "providers.id\n    Takes text of 1 to 63 bytes; required.\n"));
	assert_non_null(strstr(help, "log.format\n    Takes \"text\", \"json\"; default text.\n"));
}

#define TEST(name) cmocka_unit_test_teardown(name, parse_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_sample_loads_and_is_all_defaults),
		TEST(the_sample_names_every_option),
		TEST(lines_of_the_sample_are_no_wider_than_the_tree),
		TEST(the_example_provider_loads_when_it_is_uncommented),
		TEST(the_help_names_every_option_with_what_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
