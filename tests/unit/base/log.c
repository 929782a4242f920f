#include "base/log.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "capture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char line[2 * LIMIT_LOG_LINE];

#define CAPTURED(...)                            \
	({                                       \
		capture_start();                 \
		__VA_ARGS__;                     \
		capture_end(line, sizeof(line)); \
	})

/* Behind "2026-01-02T03:04:05.678Z ". */
static const char *behind_the_time(void)
{
	int year, month, day, hour, minute, second, ms, n = 0;

	assert_int_equal(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour, &minute, &second,
				&ms, &n),
			 7);
	assert_int_equal(n, 25);
	assert_in_range(month, 1, 12);
	return line + n;
}

/*
 * A small JSON reader for one flat object of texts, strict where a log collector is: the value of @name goes to
 * @value, unescaped; the test fails when the line is anything else than one such object and a newline.
 */
static const char *read_string(const char *p, char *out)
{
	assert_int_equal(*p++, '"');
	while (*p != '"') {
		unsigned int code = (unsigned char)*p;

		assert_true(code >= 0x20);
		if (*p == '\\' && p[1] == 'u') {
			assert_int_equal(sscanf(p, "\\u%4x", &code), 1);
			assert_true(code < 0x80);
			p += 5;
		} else if (*p == '\\') {
			code = (unsigned char)*++p;
			assert_true(code == '"' || code == '\\');
		}
		*out++ = (char)code;
		p++;
	}
	*out = '\0';
	return p + 1;
}

static bool json_value(const char *name, char *value)
{
	static char key[LIMIT_LOG_LINE], text[LIMIT_LOG_LINE];
	const char *p = line;
	bool is_found = false;

	assert_true(bytes_are_text(bytes_of_text(line)));
	assert_int_equal(*p, '{');
	do {
		p = read_string(p + 1, key);
		assert_int_equal(*p++, ':');
		p = read_string(p, text);
		if (strcmp(key, name) == 0) {
			memcpy(value, text, strlen(text) + 1);
			is_found = true;
		}
	} while (*p == ',');
	assert_string_equal(p, "}\n");
	return is_found;
}

static void assert_json(const char *name, const char *expected)
{
	static char value[LIMIT_LOG_LINE];

	if (!json_value(name, value))
		fail_msg("no '%s' in %s", name, line);
	assert_string_equal(value, expected);
}

static void an_event_is_one_line_of_pairs(void **state)
{
	(void)state;
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	CAPTURED(log_info("job accepted", "job", "jobs/1", "size_bytes", log_int(-42), "error", log_errno(-ENOSPC)));
	assert_string_equal(behind_the_time(),
			    "info job accepted job=jobs/1 size_bytes=-42 error=\"No space left on device\"\n");
}

static void a_value_that_could_be_misread_is_quoted(void **state)
{
	(void)state;
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	CAPTURED(log_info("x", "a", "two words", "b", "k=v", "c", "\"", "d", "\\", "e", "", "f", NULL, "g", "1\n2", "h",
			  "\x1b[31m", "i", "\x7f"));
	assert_string_equal(behind_the_time(), "info x a=\"two words\" b=\"k=v\" c=\"\\\"\" d=\"\\\\\" e=\"\" f=\"\" "
					       "g=\"1\\u000a2\" h=\"\\u001b[31m\" i=\"\\u007f\"\n");
}

static void what_is_no_text_is_replaced(void **state)
{
	(void)state;
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	CAPTURED(log_info("x", "a", "\xc3\xa4", "b", "\xffz\xc3"));
	assert_string_equal(behind_the_time(), "info x a=\xc3\xa4 b=\"\xef\xbf\xbdz\xef\xbf\xbd\"\n");
}

static void events_below_the_level_are_not_written(void **state)
{
	(void)state;
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	assert_int_equal(CAPTURED(log_debug("x"), log_info("x")), 0);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	CAPTURED(log_warning("one"), log_error("two"));
	assert_non_null(strstr(line, "warning one\n"));
	assert_non_null(strstr(line, "error two\n"));
}

static void a_value_is_cut_at_its_limit_between_characters(void **state)
{
	static char value[LIMIT_LOG_VALUE + 2], expected[LIMIT_LOG_VALUE + 1];

	(void)state;
	log_setup(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	memset(value, 'v', LIMIT_LOG_VALUE);
	CAPTURED(log_info("x", "v", value));
	assert_json("v", value);

	value[LIMIT_LOG_VALUE] = 'w';
	memset(expected, 'v', LIMIT_LOG_VALUE);
	CAPTURED(log_info("x", "v", value));
	assert_json("v", expected);

	memcpy(&value[LIMIT_LOG_VALUE - 1], "\xc3\xa4", 3);
	expected[LIMIT_LOG_VALUE - 1] = '\0';
	CAPTURED(log_info("x", "v", value));
	assert_json("v", expected);
}

static void a_json_line_reads_back(void **state)
{
	(void)state;
	log_setup(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	CAPTURED(log_error("a \"bad\" day", "a", "\"\\\n\t\x01\x7f", "b", "", "c", "\xf0\x9f\x8e\xac", "d", "}{,:"));
	assert_json("level", "error");
	assert_json("message", "a \"bad\" day");
	assert_json("a", "\"\\\n\t\x01\x7f");
	assert_json("b", "");
	assert_json("c", "\xf0\x9f\x8e\xac");
	assert_json("d", "}{,:");
}

static void a_line_at_its_limit_loses_whole_pairs_and_stays_readable(void **state)
{
	static char value[LIMIT_LOG_VALUE + 1], last[LIMIT_LOG_LINE];

	(void)state;
	memset(value, '\x01', LIMIT_LOG_VALUE);
	for (int format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
		size_t n;

		log_setup((enum log_format)format, LOG_LEVEL_INFO);
		n = CAPTURED(log_info("x", "a", value, "b", value, "c", value, "d", "fits"));
		assert_in_range(n, LIMIT_LOG_LINE / 2, LIMIT_LOG_LINE);
		assert_int_equal(line[n - 1], '\n');
	}
	assert_json("a", value);
	assert_json("b", value);
	assert_false(json_value("c", last));
	assert_json("cut", "yes");
}

static void *write_many(void *message)
{
	for (int i = 0; i < 200; i++)
		log_info(message, "padding",
			 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static char all[200 * 4 * 200], *rest;
	static const char *const messages[] = {"one", "two", "three", "four"};
	pthread_t threads[4];
	int lines = 0;

	(void)state;
	log_setup(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	capture_start();
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, (void *)(uintptr_t)messages[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	capture_end(all, sizeof(all));
	for (char *p = strtok_r(all, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest), lines++) {
		snprintf(line, sizeof(line), "%s\n", p);
		assert_json("level", "info");
	}
	assert_int_equal(lines, 800);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_line_of_pairs),
		cmocka_unit_test(a_value_that_could_be_misread_is_quoted),
		cmocka_unit_test(what_is_no_text_is_replaced),
		cmocka_unit_test(events_below_the_level_are_not_written),
		cmocka_unit_test(a_value_is_cut_at_its_limit_between_characters),
		cmocka_unit_test(a_json_line_reads_back),
		cmocka_unit_test(a_line_at_its_limit_loses_whole_pairs_and_stays_readable),
		cmocka_unit_test(lines_of_several_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
