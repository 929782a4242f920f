#include "plugin/url.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_resolves(const char *base, const char *reference, const char *expected)
{
	struct buffer out = {0};

	assert_int_equal(plugin_url_resolve(bytes_of_text(base), bytes_of_text(reference), &out), 0);
	assert_string_equal(out.data, expected);
	buffer_finish(&out);
}

static void assert_refused(const char *reference)
{
	struct buffer out = {0};

	assert_int_equal(plugin_url_resolve(bytes_of_text("https://a.example/v1"), bytes_of_text(reference), &out),
			 PLUGIN_URL_E_INVALID);
	buffer_finish(&out);
}

static void assert_origin(const char *url, const char *expected)
{
	struct buffer out = {0};

	assert_int_equal(plugin_url_origin(bytes_of_text(url), &out), 0);
	assert_string_equal(out.data, expected);
	buffer_finish(&out);
}

/* The examples of RFC 3986, section 5.4, without schemes that are none of ours. */
static void references_resolve_as_the_standard_says(void **state)
{
	static const char base[] = "http://a/b/c/d;p?q";
	static const char *const cases[][2] = {
		{"g", "http://a/b/c/g"},
		{"./g", "http://a/b/c/g"},
		{"g/", "http://a/b/c/g/"},
		{"/g", "http://a/g"},
		{"//g", "http://g/"},
		{"?y", "http://a/b/c/d;p?y"},
		{"g?y", "http://a/b/c/g?y"},
		{"#s", "http://a/b/c/d;p?q"},
		{"g#s", "http://a/b/c/g"},
		{"g?y#s", "http://a/b/c/g?y"},
		{";x", "http://a/b/c/;x"},
		{"g;x", "http://a/b/c/g;x"},
		{"", "http://a/b/c/d;p?q"},
		{".", "http://a/b/c/"},
		{"./", "http://a/b/c/"},
		{"..", "http://a/b/"},
		{"../", "http://a/b/"},
		{"../g", "http://a/b/g"},
		{"../..", "http://a/"},
		{"../../", "http://a/"},
		{"../../g", "http://a/g"},
		{"../../../g", "http://a/g"},
		{"/./g", "http://a/g"},
		{"/../g", "http://a/g"},
		{"g.", "http://a/b/c/g."},
		{"..g", "http://a/b/c/..g"},
		{"./../g", "http://a/b/g"},
		{"g/./h", "http://a/b/c/g/h"},
		{"g/../h", "http://a/b/c/h"},
		{"g;x=1/../y", "http://a/b/c/y"},
		{"g?y/../x", "http://a/b/c/g?y/../x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_resolves(base, cases[i][0], cases[i][1]);
}

static void urls_that_providers_give_keep_their_signature(void **state)
{
	static const char signed_url[] =
		"https://files.example/v/1.mp4?X-Amz-Signature=a%2Fb%2B&Expires=1795368960&Key-Pair-Id=K~1";

	(void)state;
	assert_resolves("https://api.example/v1", signed_url, signed_url);
	assert_resolves("https://openrouter.ai/api/v1", "/api/v1/videos/x", "https://openrouter.ai/api/v1/videos/x");
	assert_resolves("https://a.example", "HTTPS://B.example:8443", "https://B.example:8443/");
	assert_resolves("https://a.example", "x y\"\xc3\xa9\\{}", "https://a.example/x%20y%22%C3%A9%5C%7B%7D");
	assert_resolves("https://a.example", "?p=1", "https://a.example/?p=1");
}

static void what_has_two_readings_is_refused(void **state)
{
	static const char *const odd[] = {"https://user@a.example/",
					  "https://a.example:pw@b.example/",
					  "https://",
					  "https:///x",
					  "https://a b/",
					  "https://a.example:0/",
					  "https://a.example:65536/",
					  "https://a.example:/",
					  "https://a.example\\@b.example/",
					  "https://a.example%2f/",
					  "gs://bucket/o",
					  "data:text/plain,x",
					  "file:///etc/passwd",
					  "https:a.example",
					  "https://[::1",
					  "https://[]/",
					  "https://[::1]x/",
					  "//",
					  "a\r\nb",
					  "https://\xc3\xa9.example/"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_refused(odd[i]);
}

static void origins_compare_as_text(void **state)
{
	(void)state;
	assert_origin("https://API.Example/v1?x", "https://api.example:443");
	assert_origin("https://api.example:443", "https://api.example:443");
	assert_origin("http://127.0.0.1:8080/x", "http://127.0.0.1:8080");
	assert_origin("http://[::1]:8080", "http://[::1]:8080");
	assert_origin("http://api.example#@evil.example", "http://api.example:80");
}

static void a_url_ends_at_its_limit(void **state)
{
	static char url[LIMIT_PLUGIN_URL + 2] = "https://a.example/";
	struct plugin_url parsed;

	(void)state;
	memset(url + 18, 'x', LIMIT_PLUGIN_URL - 18);
	assert_int_equal(plugin_url_parse(bytes_of(url, LIMIT_PLUGIN_URL), &parsed), 0);
	url[LIMIT_PLUGIN_URL] = 'x';
	assert_int_equal(plugin_url_parse(bytes_of(url, LIMIT_PLUGIN_URL + 1), &parsed), PLUGIN_URL_E_INVALID);
}

static void escaping_leaves_only_unreserved_characters(void **state)
{
	struct buffer out = {0};

	(void)state;
	assert_int_equal(plugin_url_escape(bytes_of("a/b?c d\0~.-_%", 13), &out), 0);
	assert_string_equal(out.data, "a%2Fb%3Fc%20d%00~.-_%25");
	buffer_finish(&out);
}

static void a_query_parameter_is_found_and_decoded(void **state)
{
	static const char url[] = "https://a/x?Expires=179&b=c%20d+e&b=2&empty&=n#?Expires=1";
	struct buffer out = {0};

	(void)state;
	assert_int_equal(plugin_url_query(bytes_of_text(url), bytes_of_text("Expires"), &out), 0);
	assert_string_equal(out.data, "179");
	out.len = 0;
	assert_int_equal(plugin_url_query(bytes_of_text(url), bytes_of_text("b"), &out), 0);
	assert_string_equal(out.data, "c d e");
	out.len = 0;
	assert_int_equal(plugin_url_query(bytes_of_text(url), bytes_of_text("empty"), &out), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(plugin_url_query(bytes_of_text(url), bytes_of_text("expires"), &out), PLUGIN_URL_E_MISSING);
	assert_int_equal(plugin_url_query(bytes_of_text("https://a#?b=1"), bytes_of_text("b"), &out),
			 PLUGIN_URL_E_MISSING);
	buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_resolve_as_the_standard_says),
		cmocka_unit_test(urls_that_providers_give_keep_their_signature),
		cmocka_unit_test(what_has_two_readings_is_refused),
		cmocka_unit_test(origins_compare_as_text),
		cmocka_unit_test(a_url_ends_at_its_limit),
		cmocka_unit_test(escaping_leaves_only_unreserved_characters),
		cmocka_unit_test(a_query_parameter_is_found_and_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
