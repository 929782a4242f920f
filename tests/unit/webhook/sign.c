/*
 * Signatures against what the libraries of Standard Webhooks are tested with.
 */
#include "webhook/sign.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define BODY "{\"test\": 2432232314}"

static const struct sign_message message = {
	.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
	.time_s = 1614265330,
	.body = {BODY, sizeof(BODY) - 1},
};

static void the_published_signature_is_ours(void **state)
{
	_cleanup_(buffer_finish) struct buffer key = {0}, signature = {0};

	(void)state;
	assert_int_equal(sign_read_secret(bytes_of_text(SECRET), &key), 0);
	assert_int_equal(key.len, 24);
	assert_int_equal(sign_append(&message, buffer_bytes(&key), &signature), 0);
	assert_string_equal(signature.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void each_secret_signs_with_a_blank_between(void **state)
{
	_cleanup_(buffer_finish) struct buffer key = {0}, other = {0}, alone = {0}, both = {0};

	(void)state;
	assert_int_equal(sign_read_secret(bytes_of_text(SECRET), &key), 0);
	assert_int_equal(sign_read_secret(bytes_of_text("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &other), 0);
	assert_int_equal(sign_append(&message, buffer_bytes(&other), &alone), 0);
	assert_int_equal(sign_append(&message, buffer_bytes(&key), &both), 0);
	assert_int_equal(sign_append(&message, buffer_bytes(&other), &both), 0);
	assert_non_null(strstr(both.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,"));
	assert_string_equal(strchr(both.data, ' ') + 1, alone.data);
}

static void what_is_no_secret_is_told(void **state)
{
	static const char *const never[] = {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64",
					    "whsec_AAA"};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		_cleanup_(buffer_finish) struct buffer key = {0};

		assert_int_equal(sign_read_secret(bytes_of_text(never[i]), &key), SIGN_E_SECRET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_signature_is_ours),
		cmocka_unit_test(each_secret_signs_with_a_blank_between),
		cmocka_unit_test(what_is_no_secret_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
