#include "parse.h"

#include <stdlib.h>

#define SIGNING "signing = { current_env = \"WHSEC\"; }; "
#define URL "url = \"https://a.test/x\"; "

static int set_up(void **state)
{
	(void)state;
	setenv("WHSEC", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
	setenv("NOSEC", "whsec_short", 1);
	setenv("FEWSEC", "whsec_AAAA", 1);
	return 0;
}

static void webhooks_are_taken_as_they_stand(void **state)
{
	(void)state;
	must_parse(
		"webhooks = ({ name = \"studio\"; " URL SIGNING "}, { name = \"jobs\"; " SIGNING
		"events = [ \"job.failed\", \"job.uncertain\" ]; retries = \"1 2\"; allow_private_network = true; });");
	assert_int_equal(config->n_webhooks, 2);
	assert_string_equal(config->webhooks[0].url, "https://a.test/x");
	assert_int_equal(config->webhooks[0].signing.n_secrets, 1);
	assert_int_equal(config->webhooks[0].events.n, 0);
	assert_string_equal(config->webhooks[0].retries, "5 300 1800 7200 18000 36000 36000");
	assert_null(config->webhooks[1].url);
	assert_int_equal(config->webhooks[1].events.n, 2);
	assert_true(config->webhooks[1].allow_private_network);
}

static void what_no_webhook_can_be_is_said_and_no_secret_with_it(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"webhooks = ({ " URL SIGNING "});", "webhooks.name: is missing"},
		{"webhooks = ({ name = \"a\"; " URL "});", "webhooks.signing: names no secret"},
		{"webhooks = ({ name = \"a\"; " URL "signing = { k_env = \"NOSEC\"; }; });",
		 "is no secret to sign with"},
		{"webhooks = ({ name = \"a\"; " URL "signing = { k_env = \"FEWSEC\"; }; });",
		 "is no secret to sign with"},
		{"webhooks = ({ name = \"a\"; " URL SIGNING "},\n{ name = \"a\"; " URL SIGNING "});",
		 "x.conf:2: error: webhooks.name: 'a' is there twice"},
		{"webhooks = ({ name = \"a\"; " SIGNING "}, { name = \"b\"; " SIGNING "});", "a second entry has none"},
		{"webhooks = ({ name = \"a\"; url = \"http://a.test/\"; " SIGNING "});", "goes over http"},
		{"webhooks = ({ name = \"a\"; url = \"https://u:p@a.test/\"; " SIGNING "});",
		 "has a user or a password"},
		{"webhooks = ({ name = \"a\"; url = \"ftp://a.test/\"; " SIGNING "});", "is no URL"},
		{"webhooks = ({ name = \"a\"; events = [ \"job.done\" ]; " URL SIGNING "});", "is no event"},
		{"webhooks = ({ name = \"a\"; retries = \"5,6\"; " URL SIGNING "});", "are no pauses"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		must_refuse(cases[i].text, cases[i].words);
		assert_null(strstr(report_text(), "whsec_short"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(webhooks_are_taken_as_they_stand, parse_teardown),
		cmocka_unit_test_teardown(what_no_webhook_can_be_is_said_and_no_secret_with_it, parse_teardown),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
