#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <cmocka.h>

static const char *const private_addresses[] = {
	"0.0.0.0",
	"0.255.255.255",
	"10.0.0.0",
	"10.255.255.255",
	"100.64.0.0",
	"100.127.255.255",
	"127.0.0.1",
	"127.255.255.255",
	"169.254.0.0",
	"169.254.169.254",
	"172.16.0.0",
	"172.31.255.255",
	"192.0.0.8",
	"192.0.2.1",
	"192.88.99.1",
	"192.168.0.0",
	"192.168.255.255",
	"198.18.0.0",
	"198.19.255.255",
	"198.51.100.7",
	"203.0.113.7",
	"224.0.0.1",
	"239.255.255.255",
	"240.0.0.1",
	"255.255.255.255",
	"::",
	"::1",
	"::7f00:1",
	"::ffff:127.0.0.1",
	"::ffff:10.1.2.3",
	"::ffff:169.254.169.254",
	"64:ff9b::10.0.0.1",
	"64:ff9b:1::808:808",
	"100::1",
	"2001::1",
	"2001:2::1",
	"2001:1ff:ffff::1",
	"2001:db8::1",
	"2002:a00:1::1",
	"2002:7f00:1::1",
	"3fff:fff::1",
	"4000::1",
	"fc00::1",
	"fd00:ec2::254",
	"fe80::1",
	"fec0::1",
	"ff02::1",
};

/* The neighbours of the blocks above. */
static const char *const public_addresses[] = {
	"1.1.1.1",         "9.255.255.255",    "11.0.0.0",        "100.63.255.255",  "100.128.0.0",
	"126.255.255.255", "128.0.0.0",        "169.253.255.255", "169.255.0.0",     "172.15.255.255",
	"172.32.0.0",      "192.0.1.1",        "192.0.3.1",       "192.167.255.255", "192.169.0.0",
	"198.17.255.255",  "198.20.0.0",       "198.51.101.1",    "203.0.114.1",     "223.255.255.255",
	"::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2001:200::1",     "2001:db9::1",     "2001:4860:4860::8888",
	"2002:808:808::1", "2606:4700::1",     "3fff:1000::1",
};

static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *in4 = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
	}
	return storage;
}

static void check(const char *text, bool is_private)
{
	struct sockaddr_storage storage = address_of(text);
	char bracketed[80];

	if (address_is_private((const struct sockaddr *)&storage) != is_private)
		fail_msg("%s is taken for %s", text, is_private ? "public" : "private");
	assert_int_equal(address_text_is_private(text), is_private);
	if (storage.ss_family == AF_INET6) {
		snprintf(bracketed, sizeof(bracketed), "[%s]", text);
		assert_int_equal(address_text_is_private(bracketed), is_private);
	}
}

static void what_is_not_global_unicast_is_private(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(private_addresses) / sizeof(private_addresses[0]); i++)
		check(private_addresses[i], true);
}

static void the_rest_of_the_internet_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(public_addresses) / sizeof(public_addresses[0]); i++)
		check(public_addresses[i], false);
}

static void other_families_are_private(void **state)
{
	const struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	assert_true(address_is_private((const struct sockaddr *)&local));
}

static void localhost_and_names_below_it_are_private(void **state)
{
	(void)state;
	assert_true(address_text_is_private("localhost"));
	assert_true(address_text_is_private("LocalHost."));
	assert_true(address_text_is_private("app.localhost"));
	assert_false(address_text_is_private("mylocalhost"));
	assert_false(address_text_is_private("localhost.example"));
	assert_false(address_text_is_private("provider.example"));
	assert_false(address_text_is_private(""));
	assert_true(address_text_is_private("fe80::1%eth0"));
}

static void addresses_are_written_for_people(void **state)
{
	struct sockaddr_storage storage = address_of("10.0.0.1");
	const struct sockaddr_un local = {.sun_family = AF_UNIX};
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	address_format((const struct sockaddr *)&storage, text);
	assert_string_equal(text, "10.0.0.1");
	storage = address_of("fe80::1");
	address_format((const struct sockaddr *)&storage, text);
	assert_string_equal(text, "fe80::1");
	address_format((const struct sockaddr *)&local, text);
	assert_string_equal(text, "(address family 1)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_global_unicast_is_private),
		cmocka_unit_test(the_rest_of_the_internet_is_not),
		cmocka_unit_test(other_families_are_private),
		cmocka_unit_test(localhost_and_names_below_it_are_private),
		cmocka_unit_test(addresses_are_written_for_people),
	};

	return cmocka_run_group_tests_name("http.address", tests, NULL, NULL);
}
