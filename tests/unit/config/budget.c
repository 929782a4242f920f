#include "parse.h"

#define PROVIDER "providers = ({ id = \"maker\"; plugin = \"p\"; });"
#define REST "amount = \"50.00\"; currency = \"USD\"; "

static void budgets_are_taken_as_they_stand(void **state)
{
	(void)state;
	must_parse("budgets = ({ name = \"all\"; " REST
		   "}, { name = \"team\"; period = \"month\"; label = \"team=a=b\"; "
		   "unpriced = \"refuse\"; " REST "}, { name = \"m\"; provider = \"maker\"; " REST "}); " PROVIDER);
	assert_int_equal(config->n_budgets, 3);
	assert_string_equal(config->budgets[0].amount, "50.00");
	assert_int_equal(config->budgets[0].period, CONFIG_PERIOD_DAY);
	assert_int_equal(config->budgets[0].unpriced, CONFIG_UNPRICED_ALLOW);
	assert_null(config->budgets[0].provider);
	assert_int_equal(config->budgets[1].period, CONFIG_PERIOD_MONTH);
	assert_int_equal(config->budgets[1].unpriced, CONFIG_UNPRICED_REFUSE);
	assert_string_equal(config->budgets[1].label, "team=a=b");
	assert_string_equal(config->budgets[2].provider, "maker");
	/* A month in yen, and whatever the ledger can count. */
	must_parse("budgets = ({ name = \"a\"; amount = \"2000000\"; currency = \"JPY\"; }, { name = \"b\"; "
		   "amount = \"9223372036854.775807\"; currency = \"JPY\"; });");
}

static void a_label_is_one_that_a_job_can_have(void **state)
{
	static const char *const never[] = {"A=b", "a b=c", " team=red", "ü=x", "a=\\nx", "a=\xe2\x80\xaex"};
	char text[600], value[300];

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		snprintf(text, sizeof(text), "budgets = ({ name = \"a\"; label = \"%s\"; " REST "});", never[i]);
		must_refuse(text, "that no job can have");
	}
	for (int len = 255; len <= 256; len++) {
		snprintf(value, sizeof(value), "%0*d", len, 0);
		snprintf(text, sizeof(text), "budgets = ({ name = \"a\"; label = \"a=%s\"; " REST "});", value);
		if (len == 255)
			must_parse(text);
		else
			must_refuse(text, "that no job can have");
	}
}

static void what_no_budget_can_be_is_said(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"budgets = ({ " REST "});", "budgets.name: is missing"},
		{"budgets = ({ name = \"a\"; currency = \"USD\"; });", "budgets.amount: is missing"},
		{"budgets = ({ name = \"a\"; amount = \"1\"; });", "budgets.currency: is missing"},
		{"budgets = ({ name = \"a\"; " REST "},\n{ name = \"a\"; " REST "});",
		 "x.conf:2: error: budgets.name: 'a' is there twice"},
		{"budgets = ({ name = \"a\"; provider = \"other\"; " REST "}); " PROVIDER,
		 "x.conf:1: error: budgets.provider: 'other' of the budget 'a'"},
		{"budgets = ({ name = \"a\"; provider = \"maker\"; label = \"k=v\"; " REST "}); " PROVIDER,
		 "x.conf:1: error: budgets: 'a' has a provider and a label"},
		{"budgets = ({ name = \"a\"; amount = \"9223372036854.775808\"; currency = \"USD\"; });",
		 "is no amount"},
		{"budgets = ({ name = \"a\"; label = \"team\"; " REST "});", "'team' is no label: write KEY=VALUE"},
		{"budgets = (1);", "budgets: member 1 is no group"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		must_refuse(cases[i].text, cases[i].words);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(budgets_are_taken_as_they_stand),
		cmocka_unit_test(a_label_is_one_that_a_job_can_have),
		cmocka_unit_test(what_no_budget_can_be_is_said),
	};

	return cmocka_run_group_tests_name("config.budget", tests, NULL, NULL);
}
