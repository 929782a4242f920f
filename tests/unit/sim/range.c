#include "sim/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct row {
	const char *text;
	uint64_t size;
	int outcome;
	uint64_t offset, len;
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t offset = 77, len = 77;

		if (sim_range_read(rows[i].text, rows[i].size, &offset, &len) != rows[i].outcome)
			fail_msg("'%s' of %llu has another outcome", rows[i].text, (unsigned long long)rows[i].size);
		if (rows[i].outcome == 0 && (offset != rows[i].offset || len != rows[i].len))
			fail_msg("'%s' is read wrongly", rows[i].text);
		if (rows[i].outcome != 0 && (offset != 77 || len != 77))
			fail_msg("'%s' touches the results", rows[i].text);
	}
}

static void a_range_lies_within_the_file(void **state)
{
	static const struct row rows[] = {
		{"bytes=0-0", 10, 0, 0, 1},  {"bytes=0-9", 10, 0, 0, 10}, {"bytes=0-10", 10, 0, 0, 10},
		{"bytes=9-", 10, 0, 9, 1},   {"bytes=3-4", 10, 0, 3, 2},  {"bytes=-1", 10, 0, 9, 1},
		{"bytes=-10", 10, 0, 0, 10}, {"bytes=-11", 10, 0, 0, 10}, {"bytes=0-18446744073709551", 10, 0, 0, 10},
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_range_behind_the_end_cannot_be_satisfied(void **state)
{
	static const struct row rows[] = {
		{"bytes=10-", 10, SIM_RANGE_E_UNSATISFIABLE, 0, 0},
		{"bytes=10-11", 10, SIM_RANGE_E_UNSATISFIABLE, 0, 0},
		{"bytes=-0", 10, SIM_RANGE_E_UNSATISFIABLE, 0, 0},
		{"bytes=0-", 0, SIM_RANGE_E_UNSATISFIABLE, 0, 0},
		{"bytes=-5", 0, SIM_RANGE_E_UNSATISFIABLE, 0, 0},
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]));
}

static void anything_else_means_the_whole_file(void **state)
{
	static const struct row rows[] = {
		{"", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes=", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes=-", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes=1", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes=5-4", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes=1-2,4-5", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes=+1-2", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes= 1-2", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"items=1-2", 10, SIM_RANGE_E_WHOLE, 0, 0},
		{"bytes=99999999999999999999-", 10, SIM_RANGE_E_WHOLE, 0, 0},
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_lies_within_the_file),
		cmocka_unit_test(a_range_behind_the_end_cannot_be_satisfied),
		cmocka_unit_test(anything_else_means_the_whole_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
