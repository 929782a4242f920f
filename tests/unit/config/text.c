#include "parse.h"

#include "base/limits.h"

static void assert_prepared(const char *text, const char *expected)
{
	_cleanup_(buffer_finish) struct buffer out = {0};

	config_report_finish(&report);
	assert_int_equal(config_text_prepare(bytes_of_text(text), "x.conf", &out, &report), 0);
	assert_string_equal(out.len ? out.data : "", expected);
}

static void everything_but_large_integers_stays_as_it_is(void **state)
{
	static const char *const texts[] = {
		"",
		"a = 1;",
		"a = 2147483647; b = -2147483647; c = 0x7fffffff;",
		"a = 3000000000L; b = 3000000000LL;",
		"a = 3000000000.5; b = 3000000000e2; c = .3000000000;",
		"a3000000000 = 1; a-3000000000 = 1; *3000000000 = 2;",
		"a = \"3000000000 \\\" 3000000000 @include\";",
		"# 3000000000 @include\n// 3000000000\n/* 3000000000 \n @include \"x\" */ a = 1;",
		"a = \"unterminated 3000000000",
		"/* unterminated 3000000000",
		"a = \"\\",
		"/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_prepared(texts[i], texts[i]);
}

static void a_large_integer_gets_the_letter_that_libconfig_needs(void **state)
{
	(void)state;
	assert_prepared("a=3000000000;b=-3000000000;c=[2147483648,1];",
			"a=3000000000L;b=-3000000000L;c=[2147483648L,1];");
	assert_prepared("a = 0x80000000;", "a = 0x80000000L;");
	assert_prepared("a = 9223372036854775807", "a = 9223372036854775807L");
	must_parse("limits = { video_bytes = 3000000000; reserve_bytes = 0xffffffff; };");
	assert_true(config->limits.video_bytes == 3000000000);
	assert_true(config->limits.reserve_bytes == 0xffffffff);
}

static void an_integer_beyond_63_bits_is_refused_with_its_line(void **state)
{
	(void)state;
	must_refuse("\n\ndrain_s = 9223372036854775808;",
		    "x.conf:3: error: '9223372036854775808' is too large a number");
	must_refuse("drain_s = 99999999999999999999999999L;", "is too large a number");
	must_refuse("drain_s = 0xffffffffffffffff;", "is too large a number");
}

static void other_files_are_not_opened(void **state)
{
	(void)state;
	must_refuse("drain_s = 1;\n@include \"/dev/zero\"\n", "x.conf:2: error: '@' stands for nothing here");
	must_refuse("  @include \"/dev/zero\"\n", "x.conf:1: error: '@' stands for nothing here");
	must_refuse("\"\"@include \"/dev/zero\"\n", "x.conf:1: error: '@' stands for nothing here");
}

static void what_is_not_text_is_refused_with_its_line(void **state)
{
	(void)state;
	must_refuse("a = 1;\nb = \"\xc3\";\n", "x.conf:2: error: is not UTF-8 text");
	assert_int_equal(config_parse(bytes_of("\n\n\0", 3), "x.conf", secret_read, &config, &report),
			 CONFIG_E_INVALID);
	assert_non_null(strstr(report_text(), "x.conf:3: error: is not UTF-8 text"));
	must_refuse("data_dir = \"/\xc3\xa4\"; nonsense", "syntax error");
}

static void a_file_may_have_as_many_lines_as_libconfig_counts(void **state)
{
	static char text[LIMIT_CONFIG_LINES + 1];

	(void)state;
	memset(text, '\n', LIMIT_CONFIG_LINES - 1);
	must_parse(text);
	text[LIMIT_CONFIG_LINES - 1] = '\n';
	must_refuse(text, "x.conf: error: has more than 65535 lines");
}

static void groups_have_a_deepest(void **state)
{
	static const char shallow[] = "a=({}); # {{{{\n b=[\"{{\"];";
	static char text[200001];
	size_t at_limit = 3 * LIMIT_CONFIG_DEPTH;

	(void)state;
	assert_prepared(shallow, shallow);
	for (size_t i = 0; i < at_limit; i += 3)
		memcpy(text + i, i % 2 ? "a=(" : "a={", 3);
	assert_prepared(text, text);
	for (size_t i = at_limit; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "a={", 3);
	must_refuse(text, "x.conf:1: error: groups and lists are nested deeper than 32: no option is\n");
	assert_int_equal(report.errors, 1);
}

static void a_report_steers_no_terminal(void **state)
{
	(void)state;
	must_refuse("log = { level = \"\x1b[2J\x7f\xc2\x9b\n\xc3\xa4\"; };",
		    "'\\x1b[2J\\x7f\\xc2\\x9b\\x0a\xc3\xa4' is not one of");
}

#define TEST(name) cmocka_unit_test_teardown(name, parse_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(everything_but_large_integers_stays_as_it_is),
		TEST(a_large_integer_gets_the_letter_that_libconfig_needs),
		TEST(an_integer_beyond_63_bits_is_refused_with_its_line),
		TEST(other_files_are_not_opened),
		TEST(what_is_not_text_is_refused_with_its_line),
		TEST(a_file_may_have_as_many_lines_as_libconfig_counts),
		TEST(groups_have_a_deepest),
		TEST(a_report_steers_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
