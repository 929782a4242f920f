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
}

static void what_no_budget_can_be_is_said(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"budgets = ({ " REST "});", "budgets.name: is missing"},
		{"budgets = ({ name = \"a\"; currency = \"USD\"; });", "budgets.amount: is missing"},
		{"budgets = ({ name = \"a\"; amount = \"1\"; });", "budgets.currency: is missing"},
		{"budgets = ({ name = \"a\"; " REST "}, { name = \"a\"; " REST "});", "'a' is there twice"},
		{"budgets = ({ name = \"a\"; provider = \"other\"; " REST "}); " PROVIDER, "'other' of the budget 'a'"},
		{"budgets = ({ name = \"a\"; provider = \"maker\"; label = \"k=v\"; " REST "}); " PROVIDER,
		 "has a provider and a label"},
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
		cmocka_unit_test(what_no_budget_can_be_is_said),
	};

	return cmocka_run_group_tests_name("config.budget", tests, NULL, NULL);
}
