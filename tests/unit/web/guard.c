#include "web/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const names[] = {"video.example.com"};
static const struct guard_list hosts = {names, 1}, none = {0};

static void its_own_names_are_known(void **state)
{
	static const char *const good[] = {"127.0.0.1", "127.0.0.1:8981",    "127.1.2.3:1",
					   "localhost", "LocalHost:8981",    "[::1]",
					   "[::1]:80",  "video.example.com", "VIDEO.example.com:443"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!guard_is_host(&hosts, good[i]))
			fail_msg("'%s' is not known", good[i]);
}

static void other_names_are_not(void **state)
{
	static const char *const bad[] = {"",
					  "evil.example",
					  "localhost.evil.example",
					  "127.0.0.1.evil.example",
					  "127.0.0.1:80:80",
					  "127.0.0.1:8x",
					  "127.0.0.1:-1",
					  "[::1",
					  "[::1]evil",
					  "[::2]",
					  "10.0.0.1",
					  "128.0.0.1",
					  "video.example.com.",
					  "xvideo.example.com",
					  "video.example.com:443/",
					  "localhost, evil.example"};

	(void)state;
	assert_false(guard_is_host(&hosts, NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (guard_is_host(&hosts, bad[i]))
			fail_msg("'%s' is known", bad[i]);
	assert_false(guard_is_host(&none, "video.example.com"));
}

static void pages_of_its_own_are_told_from_others(void **state)
{
	(void)state;
	assert_true(guard_is_same_origin("127.0.0.1:8981", "http://127.0.0.1:8981"));
	assert_true(guard_is_same_origin("video.example.com", "https://VIDEO.example.com"));
	assert_false(guard_is_same_origin("127.0.0.1:8981", "http://127.0.0.1:8982"));
	assert_false(guard_is_same_origin("127.0.0.1:8981", "http://127.0.0.1"));
	assert_false(guard_is_same_origin("127.0.0.1:8981", "127.0.0.1:8981"));
	assert_false(guard_is_same_origin("127.0.0.1:8981", "ftp://127.0.0.1:8981"));
	assert_false(guard_is_same_origin("127.0.0.1:8981", "null"));
	assert_false(guard_is_same_origin(NULL, "http://127.0.0.1:8981"));
}

static void other_sites_are_let_in_by_their_whole_origin(void **state)
{
	static const char *const sites[] = {"https://app.example.com", "http://localhost:3000"};
	const struct guard_list origins = {sites, 2};

	(void)state;
	assert_string_equal(guard_find_origin(&origins, "https://app.example.com"), sites[0]);
	assert_string_equal(guard_find_origin(&origins, "http://localhost:3000"), sites[1]);
	assert_null(guard_find_origin(&origins, "http://app.example.com"));
	assert_null(guard_find_origin(&origins, "https://app.example.com:8443"));
	assert_null(guard_find_origin(&origins, "https://app.example.com.evil.example"));
	assert_null(guard_find_origin(&origins, "null"));
	assert_null(guard_find_origin(&none, "https://app.example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_own_names_are_known),
		cmocka_unit_test(other_names_are_not),
		cmocka_unit_test(pages_of_its_own_are_told_from_others),
		cmocka_unit_test(other_sites_are_let_in_by_their_whole_origin),
	};

	return cmocka_run_group_tests_name("web.guard", tests, NULL, NULL);
}
