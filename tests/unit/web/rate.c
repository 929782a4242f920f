#include "web/rate.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define PER_SECOND 10
#define PAUSE_MS (1000 / PER_SECOND)

static void assert_client(const char *forwarded, const char *expected)
{
	struct rate_client client = rate_client_read(forwarded);
	char text[RATE_CLIENT_SIZE];

	rate_client_write(&client, text);
	assert_string_equal(text, expected);
}

static void the_proxy_is_believed_and_nobody_before_it(void **state)
{
	(void)state;
	assert_client(NULL, "this machine");
	assert_client("203.0.113.7", "203.0.113.7");
	assert_client("evil, 198.51.100.1,203.0.113.7", "203.0.113.7");
	assert_client("198.51.100.1 , \t203.0.113.7 ", "203.0.113.7");
	assert_client("::ffff:203.0.113.7", "203.0.113.7");
	assert_client("255.255.255.255", "255.255.255.255");
}

static void a_network_of_ipv6_is_one_client(void **state)
{
	(void)state;
	assert_client("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
	assert_client("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::");
	assert_client("2001:db8:1:3::1", "2001:db8:1:3::");
}

static void what_is_no_address_is_nobody(void **state)
{
	static const char *const values[] = {"",
					     ",",
					     "unknown",
					     "203.0.113.7,",
					     "203.0.113.256",
					     "203.0.113.7:80",
					     "[2001:db8::1]",
					     "2001:db8::1%eth0",
					     "_hidden",
					     "1111111111111111111111111111111111111111111111111111111111111111111111"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_client(values[i], "this machine");
}

static int64_t take(struct rates *rates, const char *who, int64_t now_ms)
{
	struct rate_client client = rate_client_read(who);
	bool is_news;

	return rates_take(rates, &client, now_ms, &is_news);
}

static void a_seconds_worth_at_once_then_evenly(void **state)
{
	struct rates *rates = rates_new(PER_SECOND);

	(void)state;
	assert_non_null(rates);
	for (int i = 0; i < PER_SECOND; i++)
		assert_int_equal(take(rates, "192.0.2.1", 5000), 0);
	assert_int_equal(take(rates, "192.0.2.1", 5000), PAUSE_MS);
	assert_int_equal(take(rates, "192.0.2.1", 5000 + PAUSE_MS - 1), 1);
	assert_int_equal(take(rates, "192.0.2.1", 5000 + PAUSE_MS), 0);
	assert_int_equal(take(rates, "192.0.2.1", 5000 + PAUSE_MS), PAUSE_MS);
	/* To be refused costs nothing, and a long pause brings no more than a second's worth. */
	for (int i = 0; i < PER_SECOND; i++)
		assert_int_equal(take(rates, "192.0.2.1", 900000), 0);
	assert_int_equal(take(rates, "192.0.2.1", 900000), PAUSE_MS);
	assert_int_equal(take(rates, "192.0.2.2", 900000), 0);
	rates_free(rates);
}

static void an_even_pace_is_never_refused(void **state)
{
	struct rates *rates = rates_new(PER_SECOND);

	(void)state;
	for (int64_t at_ms = 1; at_ms < 100000; at_ms += PAUSE_MS)
		assert_int_equal(take(rates, NULL, at_ms), 0);
	rates_free(rates);
}

static void it_is_news_once_a_minute(void **state)
{
	const struct rate_client client = {{0}};
	struct rates *rates = rates_new(1);
	bool is_news;

	(void)state;
	assert_int_equal(rates_take(rates, &client, 1000, &is_news), 0);
	assert_false(is_news);
	assert_int_equal(rates_take(rates, &client, 1000, &is_news), 1000);
	assert_true(is_news);
	assert_int_equal(rates_take(rates, &client, 1001, &is_news), 999);
	assert_false(is_news);
	assert_int_equal(rates_take(rates, &client, 1000 + LIMIT_WEB_TELL_MS, &is_news), 0);
	assert_int_equal(rates_take(rates, &client, 1000 + LIMIT_WEB_TELL_MS, &is_news), 1000);
	assert_true(is_news);
	rates_free(rates);
}

static void fill(struct rates *rates, int64_t now_ms)
{
	for (int i = 0; i < LIMIT_WEB_CLIENTS; i++) {
		struct rate_client client = {{0x20, 1, (uint8_t)(i >> 8), (uint8_t)i}};
		bool is_news;

		assert_int_equal(rates_take(rates, &client, now_ms, &is_news), 0);
	}
}

/* Whoever changes addresses gains nothing once all places are taken, and the places are free again soon. */
static void a_crowd_is_counted_as_one(void **state)
{
	struct rates *rates = rates_new(PER_SECOND);

	(void)state;
	fill(rates, 5000);
	for (int i = 0; i < PER_SECOND / 2; i++) {
		assert_int_equal(take(rates, "192.0.2.1", 5000), 0);
		assert_int_equal(take(rates, "192.0.2.2", 5000), 0);
	}
	assert_int_equal(take(rates, "192.0.2.3", 5000), PAUSE_MS);
	assert_int_equal(take(rates, "2001:0:0:0::", 5000), 0);
	/* In time all places are free again. */
	assert_int_equal(take(rates, "192.0.2.3", 5000 + LIMIT_WEB_SWEEP_MS), 0);
	fill(rates, 9000);
	rates_free(rates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_proxy_is_believed_and_nobody_before_it),
		cmocka_unit_test(a_network_of_ipv6_is_one_client),
		cmocka_unit_test(what_is_no_address_is_nobody),
		cmocka_unit_test(a_seconds_worth_at_once_then_evenly),
		cmocka_unit_test(an_even_pace_is_never_refused),
		cmocka_unit_test(it_is_news_once_a_minute),
		cmocka_unit_test(a_crowd_is_counted_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
