#include "job/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool are_same(const char *a, const char *b)
{
	struct digest one, two;

	assert_int_equal(job_place_of(a, &one), 0);
	assert_int_equal(job_place_of(b, &two), 0);
	return memcmp(&one, &two, sizeof(one)) == 0;
}

static void spellings_of_one_address_are_one_place(void **state)
{
	static const char *const pairs[][2] = {
		{"https://api.maker.test", "https://api.maker.test/"},
		{"https://api.maker.test/v1", "https://api.maker.test/v1//"},
		{"https://api.maker.test/v1", "HTTPS://API.Maker.Test/v1"},
		{"https://api.maker.test/v1", "https://api.maker.test:443/v1"},
		{"https://api.maker.test/v1", "https://api.maker.test:0443/v1"},
		{"https://api.maker.test/v1", "https://api.maker.test:/v1"},
		{"https://api.maker.test/v1", "https://api.maker.test./v1"},
		{"https://api.maker.test", "https://api.maker.test.:443/"},
		{"http://api.maker.test", "http://api.maker.test:80/"},
		{"http://[FE80::1]", "http://[fe80::1]:80/"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!are_same(pairs[i][0], pairs[i][1]))
			fail_msg("'%s' and '%s' are two places", pairs[i][0], pairs[i][1]);
}

static void other_addresses_are_other_places(void **state)
{
	static const char *const pairs[][2] = {
		{"https://api.maker.test", "http://api.maker.test"},
		{"https://api.maker.test", "https://api.maker.test:80"},
		{"http://api.maker.test", "http://api.maker.test:443"},
		{"https://api.maker.test/v1", "https://api.maker.test/v2"},
		{"https://api.maker.test/v1", "https://api.maker.test/V1"},
		{"https://api.maker.test", "https://api.maker.testing"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081"},
		{"http://[::1]", "http://[::2]"},
		{"http://host1", "http://host"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (are_same(pairs[i][0], pairs[i][1]))
			fail_msg("'%s' and '%s' are one place", pairs[i][0], pairs[i][1]);
}

/* Configuration lets none of these in; an old record could hold anything. */
static void what_is_no_address_is_a_place_all_the_same(void **state)
{
	(void)state;
	assert_true(are_same("", ""));
	assert_true(are_same("nonsense", "nonsense"));
	assert_false(are_same("nonsense", "https://"));
	assert_false(are_same("https://:1", "https://:2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_of_one_address_are_one_place),
		cmocka_unit_test(other_addresses_are_other_places),
		cmocka_unit_test(what_is_no_address_is_a_place_all_the_same),
	};

	return cmocka_run_group_tests_name("job.place", tests, NULL, NULL);
}
