#include "arguments.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct parsed {
	char *argv[32];
	int argc;
	struct arguments arguments;
	struct errmsg error;
	int outcome;
};

/* Splits at single spaces. */
static struct parsed *parse(const char *line)
{
	static struct parsed parsed;
	static char text[512];
	char *rest = text, *word;

	arguments_finish(&parsed.arguments);
	parsed = (struct parsed){0};
	snprintf(text, sizeof(text), "filmgate %s", line);
	while ((word = strsep(&rest, " ")) && *word)
		parsed.argv[parsed.argc++] = word;
	parsed.outcome = arguments_parse(parsed.argc, parsed.argv, &parsed.arguments, &parsed.error);
	return &parsed;
}

static int forget(void **state)
{
	(void)state;
	parse("version");
	arguments_finish(&parse("version")->arguments);
	return 0;
}

static void must_refuse(const char *line, const char *says)
{
	struct parsed *p = parse(line);

	assert_int_equal(p->outcome, ARGUMENTS_E_USAGE);
	if (!strstr(p->error.text, says))
		fail_msg("%s: '%s' does not say '%s'", line, p->error.text, says);
}

static void global_options_stand_before_or_behind_the_command(void **state)
{
	const struct parsed *p = parse("-s a:1 list --quiet --server b:2");

	(void)state;
	assert_int_equal(p->outcome, 0);
	assert_string_equal(p->arguments.command->name, "list");
	assert_string_equal(arguments_text(&p->arguments, OPTION_SERVER), "b:2");
	assert_true(arguments_has(&p->arguments, OPTION_QUIET));
}

static void options_and_operands_mix(void **state)
{
	const struct parsed *p = parse("submit heygen -l a=1 prompt --label=b=2 -q");

	(void)state;
	assert_int_equal(p->outcome, 0);
	assert_int_equal(p->arguments.n_operands, 2);
	assert_string_equal(p->arguments.operands[1], "prompt");
	assert_int_equal(p->arguments.n_given, 3);
	assert_string_equal(p->arguments.given[1].text, "b=2");
}

static void words_behind_two_dashes_are_operands(void **state)
{
	const struct parsed *p = parse("submit heygen -- --not-an-option");

	(void)state;
	assert_int_equal(p->outcome, 0);
	assert_string_equal(p->arguments.operands[1], "--not-an-option");
}

static void the_same_letter_means_what_the_command_says(void **state)
{
	const struct parsed *p = parse("submit x -o file.mp4 --format json");

	(void)state;
	assert_string_equal(arguments_text(&p->arguments, OPTION_OUTPUT), "file.mp4");
	assert_int_equal(arguments_format(&p->arguments), FORMAT_JSON);
	p = parse("list -o jsonl");
	assert_false(arguments_has(&p->arguments, OPTION_OUTPUT));
	assert_int_equal(arguments_format(&p->arguments), FORMAT_JSONL);
	p = parse("list");
	assert_int_equal(arguments_format(&p->arguments), FORMAT_TABLE);
}

static void waiting_may_have_a_limit(void **state)
{
	const struct parsed *p = parse("submit x --wait");

	(void)state;
	assert_int_equal(arguments_number(&p->arguments, OPTION_WAIT, 7), -1);
	p = parse("submit x -w=1m");
	assert_int_equal(arguments_number(&p->arguments, OPTION_WAIT, 0), 60000);
	p = parse("submit x --wait=1m");
	assert_int_equal(arguments_number(&p->arguments, OPTION_WAIT, 7), 60000);
	p = parse("submit x");
	assert_int_equal(arguments_number(&p->arguments, OPTION_WAIT, 7), 7);
}

static void a_command_of_two_words_is_found(void **state)
{
	const struct parsed *p = parse("providers check x");

	(void)state;
	assert_string_equal(p->arguments.command->name, "providers check");
	assert_int_equal(p->arguments.n_operands, 1);
	assert_string_equal(parse("providers")->arguments.command->name, "providers");
	assert_string_equal(parse("providers -o json")->arguments.command->name, "providers");
}

static void numbers_have_the_limits_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(parse("submit x --priority -100")->outcome, 0);
	assert_int_equal(arguments_number(&parse("submit x --priority 100")->arguments, OPTION_PRIORITY, 0), 100);
	must_refuse("submit x --priority 101", "'101' is not a whole number from -100 to 100");
	must_refuse("submit x --priority high", "'high'");
	must_refuse("list --limit -1", "0 to");
}

static void mistakes_are_explained(void **state)
{
	(void)state;
	must_refuse("lst", "did you mean 'list'");
	must_refuse("frobnicate", "there is no command 'frobnicate'");
	must_refuse("submit x --lable a=b", "did you mean '--label'");
	must_refuse("submit x --nonsense", "there is no option '--nonsense'");
	must_refuse("submit x -Z", "there is no option '-Z'");
	must_refuse("list -o tabel", "did you mean 'table'");
	must_refuse("submit x --label", "'--label' needs a value");
	must_refuse("submit x -l", "'-l' needs a value");
	must_refuse("submit x --label a", "'a' is not KEY=VALUE");
	must_refuse("list --quiet=yes", "'--quiet' takes no value");
	must_refuse("submit x --wait=soon", "'soon' is not a duration");
	must_refuse("get", "get needs JOB");
	must_refuse("get a b", "'b' is one word too many");
	must_refuse("providers chek x", "'chek' is one word too many");
}

static void help_needs_no_operands(void **state)
{
	const struct parsed *p = parse("get --help");

	(void)state;
	assert_int_equal(p->outcome, 0);
	assert_true(arguments_has(&p->arguments, OPTION_HELP));
}

/* Each cluster holds more options than there are words. */
static void many_letters_in_one_word_are_many_options(void **state)
{
	const struct parsed *p = parse("-qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq list -qqqqqqqqqqqqqqqqqqqqqqqq");

	(void)state;
	assert_int_equal(p->outcome, 0);
	assert_int_equal(p->arguments.n_given, 60);
}

static void every_row_of_the_table_is_consistent(void **state)
{
	(void)state;
	for (const struct command *c = table_commands; c->name; c++) {
		assert_non_null(c->run);
		assert_true(c->operands_min <= c->operands_max);
		for (const struct option_row *const *a = c->options; a && *a; a++) {
			assert_true((*a)->type != OPTION_TYPE_CHOICE || (*a)->choices);
			assert_true(((*a)->type == OPTION_TYPE_FLAG) == ((*a)->metavar == NULL));
			for (const struct option_row *const *b = a + 1; *b; b++) {
				assert_true(!(*a)->letter || (*a)->letter != (*b)->letter);
				assert_string_not_equal((*a)->name, (*b)->name);
			}
			for (const struct option_row *const *g = table_global_options; *g; g++) {
				assert_true(!(*a)->letter || (*a)->letter != (*g)->letter);
				assert_string_not_equal((*a)->name, (*g)->name);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(global_options_stand_before_or_behind_the_command),
		cmocka_unit_test(options_and_operands_mix),
		cmocka_unit_test(words_behind_two_dashes_are_operands),
		cmocka_unit_test(the_same_letter_means_what_the_command_says),
		cmocka_unit_test(waiting_may_have_a_limit),
		cmocka_unit_test(a_command_of_two_words_is_found),
		cmocka_unit_test(numbers_have_the_limits_of_the_table),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(help_needs_no_operands),
		cmocka_unit_test(many_letters_in_one_word_are_many_options),
		cmocka_unit_test(every_row_of_the_table_is_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
