/*
 * What is refused before it could leave, and what becomes of a request when memory runs out on the way.
 */
#include "http/call.h"

#include "allocator.h"
#include "base/limits.h"
#include "http/fixture.h"
#include "http/url.h"

static const struct settings settings = {.clock = &clock_system, .connect_timeout_ms = 1000};

static struct http_request plain(void)
{
	return (struct http_request){.method = "POST", .url = "https://provider.example/v3", .flags = HTTP_ONCE};
}

/* The outcome of a call that never goes anywhere. */
static struct http_outcome *conclude(const struct http_request *request)
{
	struct call *call = NULL;
	struct http_outcome *outcome;

	assert_int_equal(call_new(&settings, request, &call), 0);
	outcome = call_conclude(call, CURLE_ABORTED_BY_CALLBACK);
	call_free(call);
	return outcome;
}

static void must_refuse(const struct http_request *request, const char *words)
{
	struct http_outcome *outcome = conclude(request);

	assert_kind(outcome, HTTP_INVALID);
	if (!strstr(outcome->message, words))
		fail_msg("'%s' does not say '%s'", outcome->message, words);
	http_outcome_free(outcome);
}

static void must_accept(const struct http_request *request)
{
	struct call *call = NULL;

	assert_int_equal(call_new(&settings, request, &call), 0);
	if (call->stop != CALL_STOP_NONE)
		fail_msg("refused: %s", call->outcome->message);
	call_free(call);
}

static void urls_that_are_not_plain_http_are_refused(void **state)
{
	static const char *const urls[] = {
		"",
		"/v3/videos",
		"provider.example/v3",
		"ftp://provider.example/",
		"file:///etc/passwd",
		"gopher://provider.example/",
		"https://",
		"https:///path",
		"https:provider.example/",
		"https:/provider.example/",
		"https:\\\\provider.example/",
		"https://\\provider.example/",
		"https://?x",
		"https://#x",
		"https://user@provider.example/",
		"https://user:word@provider.example/",
		"https://:word@provider.example/",
		"https://provider.example:99999/",
		"https://provider.example:port/",
		"https://provider.example/a b",
		"https://provider.example/\r\nX: y",
		"https://provider.example/\x01",
		"https://[::1/",
		"https://provider example/",
		" https://provider.example/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct http_request request = plain();

		request.url = urls[i];
		must_refuse(&request, "URL");
	}
}

static void a_refusal_does_not_repeat_the_url(void **state)
{
	struct http_request request = plain();
	struct http_outcome *outcome;

	(void)state;
	request.url = "https://user:sesame@provider.example/";
	outcome = conclude(&request);
	assert_null(strstr(outcome->message, "sesame"));
	http_outcome_free(outcome);
}

static void a_url_has_a_longest_length(void **state)
{
	struct http_request request = plain();
	char url[LIMIT_HTTP_URL + 2];

	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, "https://provider.example/", 25);
	url[LIMIT_HTTP_URL] = '\0';
	request.url = url;
	must_accept(&request);
	url[LIMIT_HTTP_URL] = 'a';
	url[LIMIT_HTTP_URL + 1] = '\0';
	must_refuse(&request, "URL");
}

static void must_refuse_header(const char *name, const char *value, const char *words)
{
	const struct http_header headers[] = {{.name = "X-Good", .value = "good"}, {.name = name, .value = value}};
	struct http_request request = plain();

	request.headers = headers;
	request.header_count = 2;
	must_refuse(&request, words);
}

static void headers_that_could_be_another_request_are_refused(void **state)
{
	static const char *const reserved[] = {"Host",       "content-length", "Transfer-Encoding",
					       "CONNECTION", "Expect",         "Upgrade",
					       "TE",         "Trailer",        "Keep-Alive",
					       "Range",      "If-Range"};

	(void)state;
	must_refuse_header("X", "a\r\nB: c", "control character");
	must_refuse_header("X", "a\nB: c", "control character");
	must_refuse_header("X", "a\rB", "control character");
	must_refuse_header("X", "a\x7f", "control character");
	must_refuse_header("X: y\r\nZ", "a", "not a token");
	must_refuse_header("X Y", "a", "not a token");
	must_refuse_header("X:", "a", "not a token");
	must_refuse_header("", "a", "not a token");
	must_refuse_header(NULL, "a", "not a token");
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		must_refuse_header(reserved[i], "x", "not the caller's");
}

static void a_refusal_does_not_repeat_a_value(void **state)
{
	const struct http_header header = {.name = "Authorization", .value = "sesame\n", .is_secret = true};
	struct http_request request = plain();
	struct http_outcome *outcome;

	(void)state;
	request.headers = &header;
	request.header_count = 1;
	outcome = conclude(&request);
	assert_kind(outcome, HTTP_INVALID);
	assert_null(strstr(outcome->message, "sesame"));
	http_outcome_free(outcome);
}

static void headers_have_a_longest_length_and_a_largest_number(void **state)
{
	struct http_header headers[LIMIT_HTTP_REQUEST_HEADERS + 1];
	struct http_request request = plain();
	char value[LIMIT_HTTP_REQUEST_HEADER + 1];

	(void)state;
	memset(value, 'v', sizeof(value));
	value[LIMIT_HTTP_REQUEST_HEADER - 1] = '\0';
	for (size_t i = 0; i <= LIMIT_HTTP_REQUEST_HEADERS; i++)
		headers[i] = (struct http_header){.name = "X", .value = value};
	request.headers = headers;
	request.header_count = LIMIT_HTTP_REQUEST_HEADERS;
	must_accept(&request);
	request.header_count++;
	must_refuse(&request, "at most");

	value[LIMIT_HTTP_REQUEST_HEADER - 1] = 'v';
	value[LIMIT_HTTP_REQUEST_HEADER] = '\0';
	request.header_count = 1;
	must_refuse(&request, "longer than");
}

static void methods_and_bodies_must_fit(void **state)
{
	static const char *const methods[] = {"CONNECT", "TRACE", "get", "GET /", "", "POST\r\n"};
	struct http_request request = plain();

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		request.method = methods[i];
		must_refuse(&request, "not a method");
	}
	request.body = bytes_of_text("x");
	request.method = "GET";
	must_refuse(&request, "no body");
	request.method = "HEAD";
	must_refuse(&request, "no body");
	request.body = bytes_of(NULL, 0);
	request.sink = HTTP_SINK_FILE;
	must_refuse(&request, "file");
	request.method = "GET";
	request.resume_from = 5;
	request.if_range = "a\r\nb";
	must_refuse(&request, "validator");
}

static void a_body_has_a_largest_size(void **state)
{
	struct http_request request = plain();

	(void)state;
	/* Refused by its length: not a byte of it is read. */
	request.body = bytes_of("x", LIMIT_HTTP_REQUEST_BODY + 1);
	must_refuse(&request, "larger");
}

static void a_request_that_finds_no_memory_leaves_none_behind(void **state)
{
	const struct http_header headers[] = {{.name = "X-Api-Key", .value = "sesame"}, {.name = "A", .value = ""}};
	struct http_request request = plain();
	struct call *call = NULL;
	int nth = 0;
	int r;

	(void)state;
	request.headers = headers;
	request.header_count = 2;
	request.body = bytes_of_text("{}");
	do {
		allocator_fail(++nth);
		r = call_new(&settings, &request, &call);
		assert_true(r == 0 || (r == -ENOMEM && !call));
	} while (allocator_failed());
	assert_int_equal(r, 0);
	assert_true(nth > 8);
	call_free(call);
}

static void every_end_of_an_http_transfer_has_an_errno(void **state)
{
	/* How libcurl names the codes that only other protocols, or no living version, can end with. */
	static const char *const foreign[] = {"FTP",           "LDAP",      "RTSP",           "SSH layer",    "file://",
					      "Quote command", "Disk full", "already exists", "Unknown error"};

	(void)state;
	for (int code = 0; code < CURL_LAST; code++) {
		const char *text = curl_easy_strerror((CURLcode)code);
		bool is_foreign = false;

		for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
			is_foreign |= strstr(text, foreign[i]) != NULL;
		if (!is_foreign && call_errno_of((CURLcode)code) >= 0)
			fail_msg("no errno for %d, '%s'", code, text);
	}
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (int kind = 0; kind < _HTTP_KIND_N; kind++) {
		assert_non_null(http_kind_name((enum http_kind)kind));
		for (int other = 0; other < kind; other++)
			assert_string_not_equal(http_kind_name((enum http_kind)kind),
						http_kind_name((enum http_kind)other));
	}
}

static void check_origin(const char *url, const char *expected)
{
	char *origin = NULL;

	assert_int_equal(url_origin(url, &origin), 0);
	assert_string_equal(origin, expected);
	free(origin);
}

static void an_origin_is_said_in_one_way_only(void **state)
{
	(void)state;
	check_origin("https://API.Provider.example/v3?x=1#y", "https://api.provider.example:443");
	check_origin("HTTP://provider.example:8080", "http://provider.example:8080");
	check_origin("http://2130706433/", "http://127.0.0.1:80");
	check_origin("http://[::1]:81/", "http://[::1]:81");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_that_are_not_plain_http_are_refused),
		cmocka_unit_test(a_refusal_does_not_repeat_the_url),
		cmocka_unit_test(a_url_has_a_longest_length),
		cmocka_unit_test(headers_that_could_be_another_request_are_refused),
		cmocka_unit_test(a_refusal_does_not_repeat_a_value),
		cmocka_unit_test(headers_have_a_longest_length_and_a_largest_number),
		cmocka_unit_test(methods_and_bodies_must_fit),
		cmocka_unit_test(a_body_has_a_largest_size),
		cmocka_unit_test(a_request_that_finds_no_memory_leaves_none_behind),
		cmocka_unit_test(every_end_of_an_http_transfer_has_an_errno),
		cmocka_unit_test(every_kind_has_a_name),
		cmocka_unit_test(an_origin_is_said_in_one_way_only),
	};

	return cmocka_run_group_tests_name("http.request", tests, NULL, NULL);
}
