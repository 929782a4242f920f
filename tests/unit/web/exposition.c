/*
 * Prometheus' text format: what a line looks like, what is escaped, and that a histogram's numbers belong together.
 */
#include "web/exposition.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

static const struct metric_buckets buckets = {.n = 4, .per_unit = 1000, .bounds = {1, 250, 1000, 60000}};

static void a_family_says_what_it_is_before_its_samples(void **state)
{
	struct buffer out = {0};
	struct exposition exposition = {.out = &out};
	const struct exposition_label labels[] = {{"provider", "heygen"}, {"state", "queued"}, {NULL, NULL}};

	(void)state;
	exposition_family(&exposition, "jobs", "gauge", "Jobs.");
	exposition_integer(&exposition, labels, UINT64_MAX);
	exposition_integer(&exposition, NULL, 0);
	assert_int_equal(exposition.error, 0);
	assert_string_equal(out.data, "# HELP jobs Jobs.\n"
				      "# TYPE jobs gauge\n"
				      "jobs{provider=\"heygen\",state=\"queued\"} 18446744073709551615\n"
				      "jobs 0\n");
	buffer_finish(&out);
}

static void what_would_end_a_text_is_escaped(void **state)
{
	struct buffer out = {0};
	struct exposition exposition = {.out = &out};
	const struct exposition_label labels[] = {{"a", "\"\\\n{},="}, {"b", ""}, {"c", "ü\\\\"}, {NULL, NULL}};

	(void)state;
	exposition_family(&exposition, "x", "counter", "One \\ two\n\"three\".");
	exposition_integer(&exposition, labels, 1);
	assert_string_equal(out.data, "# HELP x One \\\\ two\\n\"three\".\n"
				      "# TYPE x counter\n"
				      "x{a=\"\\\"\\\\\\n{},=\",b=\"\",c=\"ü\\\\\\\\\"} 1\n");
	buffer_finish(&out);
}

static void a_fraction_has_no_zeros_at_its_end(void **state)
{
	static const struct {
		uint64_t value, per_unit;
		const char *text;
	} rows[] = {
		{0, 1000, "x 0\n"},         {1, 1000, "x 0.001\n"}, {1500, 1000, "x 1.5\n"}, {2000, 1000, "x 2\n"},
		{12030, 1000, "x 12.03\n"}, {7, 1, "x 7\n"},        {100, 1, "x 100\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = {0};
		struct exposition exposition = {.out = &out, .family = "x"};

		exposition_fraction(&exposition, NULL, rows[i].value, rows[i].per_unit);
		assert_string_equal(out.data, rows[i].text);
		buffer_finish(&out);
	}
}

static void a_histogram_counts_up_to_infinity(void **state)
{
	struct buffer out = {0};
	struct exposition exposition = {.out = &out};
	const struct exposition_label labels[] = {{"p", "a"}, {NULL, NULL}};
	struct metric_histogram histogram = {0};
	struct metric_reading reading;

	(void)state;
	for (uint64_t i = 1; i <= 100000; i *= 10)
		metric_observe(&histogram, &buckets, i);
	metric_read(&histogram, &buckets, &reading);
	exposition_family(&exposition, "t_seconds", "histogram", "T.");
	exposition_histogram(&exposition, labels, &reading);
	assert_string_equal(out.data, "# HELP t_seconds T.\n"
				      "# TYPE t_seconds histogram\n"
				      "t_seconds_bucket{p=\"a\",le=\"0.001\"} 1\n"
				      "t_seconds_bucket{p=\"a\",le=\"0.25\"} 3\n"
				      "t_seconds_bucket{p=\"a\",le=\"1\"} 4\n"
				      "t_seconds_bucket{p=\"a\",le=\"60\"} 5\n"
				      "t_seconds_bucket{p=\"a\",le=\"+Inf\"} 6\n"
				      "t_seconds_sum{p=\"a\"} 111.111\n"
				      "t_seconds_count{p=\"a\"} 6\n");
	buffer_finish(&out);
}

static void what_does_not_fit_is_an_error_and_no_half_line_follows(void **state)
{
	struct buffer out = {.limit = 20};
	struct exposition exposition = {.out = &out, .family = "x"};
	size_t len;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		exposition_integer(&exposition, NULL, 1);
	assert_int_equal(exposition.error, -EMSGSIZE);
	len = out.len;
	exposition_integer(&exposition, NULL, 1);
	assert_int_equal(out.len, len);
	buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_family_says_what_it_is_before_its_samples),
		cmocka_unit_test(what_would_end_a_text_is_escaped),
		cmocka_unit_test(a_fraction_has_no_zeros_at_its_end),
		cmocka_unit_test(a_histogram_counts_up_to_infinity),
		cmocka_unit_test(what_does_not_fit_is_an_error_and_no_half_line_follows),
	};

	return cmocka_run_group_tests_name("web.exposition", tests, NULL, NULL);
}
