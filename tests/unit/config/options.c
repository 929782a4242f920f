/*
 * Walks the table: each row is tried at its limits, one step outside, and with a value of a wrong type. A new row is
 * tested by being there.
 */
#include "parse.h"

#include "base/limits.h"

#include <stdio.h>

static char text[200000];

static bool is_of_price(const char *name)
{
	return strncmp(name, "providers.prices.", 17) == 0;
}

/* A price table with one row, in which the option has @value. */
static void write_price(const char *leaf, const char *value, char *member, size_t size)
{
	snprintf(member, size, "prices = ({ %s%s%s%s = %s; });", strcmp(leaf, "model") == 0 ? "" : "model = \"m\"; ",
		 strcmp(leaf, "amount") == 0 ? "" : "amount = \"1\"; ",
		 strcmp(leaf, "currency") == 0 ? "" : "currency = \"USD\"; ", leaf, value);
}

static bool is_of_budget(const char *name)
{
	return strncmp(name, "budgets.", 8) == 0;
}

/* A file with one budget, in which the option has @value. A provider that it names is there. */
static const char *file_with_budget(const char *leaf, const char *value)
{
	snprintf(text, sizeof(text), "budgets = ({ %s%s%s%s = %s; }); providers = ({ id = %s; plugin = \"p\"; });",
		 strcmp(leaf, "name") == 0 ? "" : "name = \"b\"; ",
		 strcmp(leaf, "amount") == 0 ? "" : "amount = \"1\"; ",
		 strcmp(leaf, "currency") == 0 ? "" : "currency = \"USD\"; ", leaf, value,
		 strcmp(leaf, "provider") == 0 && *value == '"' && value[1] != '"' ? value : "\"a\"");
	return text;
}

#define WHSEC "{ s_env = \"FILMGATE_TEST_WHSEC\"; }"

static bool is_of_webhook(const char *name)
{
	return strncmp(name, "webhooks.", 9) == 0;
}

/* A file with one webhook, in which the option has @value. */
static const char *file_with_webhook(const char *leaf, const char *value)
{
	snprintf(text, sizeof(text), "webhooks = ({ %s%s%s%s = %s; });",
		 strcmp(leaf, "name") == 0 ? "" : "name = \"w\"; ",
		 strcmp(leaf, "url") == 0 ? "" : "url = \"https://a.test/\"; ",
		 strcmp(leaf, "signing") == 0 ? "" : "signing = " WHSEC "; ", leaf, value);
	return text;
}

/* A whole file in which the option called @name has @value. */
static const char *file_with(const char *name, const char *value)
{
	bool is_provider = strncmp(name, "providers.", 10) == 0;
	const char *leaf = is_provider ? name + 10 : name;
	const char *dot = strchr(leaf, '.');
	char member[100000];

	if (is_of_budget(name))
		return file_with_budget(name + 8, value);
	if (is_of_webhook(name))
		return file_with_webhook(name + 9, value);
	if (dot)
		snprintf(member, sizeof(member), "%.*s = { %s = %s; };", (int)(dot - leaf), leaf, dot + 1, value);
	else
		snprintf(member, sizeof(member), "%s = %s;", leaf, value);
	if (dot && is_of_price(name))
		write_price(dot + 1, value, member, sizeof(member));
	/* Its neighbour must not be the one that is refused. */
	if (strcmp(name, "providers.poll.initial_ms") == 0)
		snprintf(member, sizeof(member), "poll = { initial_ms = %s; max_ms = 3600000; };", value);
	if (strcmp(name, "providers.poll.max_ms") == 0)
		snprintf(member, sizeof(member), "poll = { initial_ms = 10; max_ms = %s; };", value);
	snprintf(text, sizeof(text), is_provider ? "providers = ({ %s%s%s });" : "%s%s%s",
		 is_provider && strcmp(leaf, "id") != 0 ? "id = \"a\"; " : "",
		 is_provider && strcmp(leaf, "plugin") != 0 ? "plugin = \"p\"; " : "", member);
	return text;
}

static void *field(const struct option *row)
{
	bool is_provider = strncmp(row->name, "providers.", 10) == 0;

	if (is_of_budget(row->name))
		return (char *)config->budgets + row->offset;
	if (is_of_webhook(row->name))
		return (char *)config->webhooks + row->offset;
	if (is_of_price(row->name))
		return (char *)config->providers[0].prices + row->offset;
	return (is_provider ? (char *)config->providers : (char *)config) + row->offset;
}

static const char *refused_words(const struct option *row)
{
	static char words[100];

	snprintf(words, sizeof(words), "x.conf:1: error: %s: ", row->name);
	return words;
}

static void try_integer(const struct option *row)
{
	char value[40];

	for (int step = -1; step <= 1; step += 2) {
		int64_t limit = step < 0 ? row->min : row->max;

		snprintf(value, sizeof(value), "%lld", (long long)limit);
		must_parse(file_with(row->name, value));
		assert_true(*(int64_t *)field(row) == limit);
		snprintf(value, sizeof(value), "%lld", (long long)(limit + step));
		must_refuse(file_with(row->name, value), refused_words(row));
		assert_non_null(strstr(report_text(), "is out of range: take "));
	}
	must_refuse(file_with(row->name, "\"1\""), refused_words(row));
	must_refuse(file_with(row->name, "1.5"), refused_words(row));
}

/* A text of @len bytes that the row's own check takes. */
static const char *text_of(const struct option *row, size_t len)
{
	static const char *const beginnings[] = {"",
						 "/",
						 "127.0.0.1:1",
						 "127.",
						 "https://",
						 "https://h/",
						 "credits",
						 "2026-11-22",
						 "1000000.000000",
						 "9000000000000.000000",
						 "k23456789012345678901234567890123456789012345678901234567890123="};
	static char value[100000];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		n = strlen(beginnings[i]);
		if (n > len)
			continue;
		snprintf(value, sizeof(value), "\"%s", beginnings[i]);
		memset(value + 1 + n, strcmp(beginnings[i], "127.") == 0 ? '1' : 'a', len - n);
		if (strcmp(beginnings[i], "127.") == 0 && len > n + 2)
			memcpy(value + 1 + len - 2, ":1", 2);
		value[1 + len] = '\0';
		if (!row->check || !row->check(value + 1))
			break;
	}
	if (strcmp(row->name, "webhooks.retries") == 0)
		for (size_t i = 0; i < len; i++)
			value[1 + i] = i % 7 == 6 ? ' ' : '1';
	value[1 + len] = '"';
	value[2 + len] = '\0';
	return value;
}

static void try_text(const struct option *row)
{
	char *taken;

	must_parse(file_with(row->name, text_of(row, (size_t)row->max)));
	taken = *(char **)field(row);
	assert_int_equal(strlen(taken), row->max);
	must_refuse(file_with(row->name, text_of(row, (size_t)row->max + 1)), refused_words(row));
	assert_non_null(strstr(report_text(), "shorten it to"));

	if (row->min > 0) {
		must_refuse(file_with(row->name, "\"\""), refused_words(row));
	} else {
		must_parse(file_with(row->name, "\"\""));
		assert_null(*(char **)field(row));
	}
	must_refuse(file_with(row->name, "1"), refused_words(row));
}

static void try_choice(const struct option *row)
{
	char value[100];
	int i;

	for (i = 0; row->choices[i]; i++) {
		snprintf(value, sizeof(value), "\"%s\"", row->choices[i]);
		must_parse(file_with(row->name, value));
		assert_int_equal(*(int *)field(row), i);
	}
	must_refuse(file_with(row->name, "\"nonsense\""), refused_words(row));
	assert_non_null(strstr(report_text(), row->choices[i - 1]));
	must_refuse(file_with(row->name, "1"), refused_words(row));
}

static void try_bool(const struct option *row)
{
	must_parse(file_with(row->name, "true"));
	assert_true(*(bool *)field(row));
	must_parse(file_with(row->name, "false"));
	assert_false(*(bool *)field(row));
	must_refuse(file_with(row->name, "1"), refused_words(row));
}

/* @n times @member, between brackets. */
static const char *aggregate(const char *open, const char *member, size_t n, const char *close)
{
	static char value[100000];
	size_t len = (size_t)snprintf(value, sizeof(value), "%s", open);

	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(value + len, sizeof(value) - len, member, i);
		if (*open != '{' && i + 1 < n)
			len += (size_t)snprintf(value + len, sizeof(value) - len, ",");
	}
	snprintf(value + len, sizeof(value) - len, "%s", close);
	return value;
}

static void try_members(const struct option *row, const char *open, const char *member, const char *close)
{
	size_t max = (size_t)row->max;

	must_parse(file_with(row->name, aggregate(open, member, max, close)));
	must_refuse(file_with(row->name, aggregate(open, member, max + 1, close)), refused_words(row));
	assert_non_null(strstr(report_text(), "members: take "));
	must_refuse(file_with(row->name, "1"), refused_words(row));
}

static const char *text_member(const struct option *row)
{
	if (strcmp(row->name, "plugin_dirs") == 0)
		return "\"/d%zu\"";
	if (strcmp(row->name, "web.hosts") == 0)
		return "\"h%zu.example.com\"";
	if (strcmp(row->name, "web.models") == 0)
		return "\"m%zu=veo/x\"";
	if (strcmp(row->name, "webhooks.events") == 0)
		return "\"job.failed\"";
	return strcmp(row->name, "providers.prices.when") == 0 ? "\"p%zu=1\"" : "\"https://h%zu\"";
}

static void try_row(const struct option *row)
{
	setenv("FILMGATE_TEST_WHSEC", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
	switch (row->type) {
	case OPTION_INTEGER:
		return try_integer(row);
	case OPTION_TEXT:
		return try_text(row);
	case OPTION_CHOICE:
		return try_choice(row);
	case OPTION_BOOL:
		return try_bool(row);
	case OPTION_TEXTS:
		return try_members(row, "[", text_member(row), "]");
	case OPTION_FREE:
		return try_members(row, "{", "m%zu = 1;", "}");
	case OPTION_SECRETS:
		setenv("FILMGATE_TEST_KEY", "value", 1);
		return try_members(row, "{", "s%zu_env = \"FILMGATE_TEST_KEY\";", "}");
	case OPTION_SIGNING:
		return try_members(row, "{", "s%zu_env = \"FILMGATE_TEST_WHSEC\";", "}");
	case OPTION_KEYS:
		setenv("FILMGATE_TEST_KEY", "value", 1);
		return try_members(row, "(", "{ s%zu_env = \"FILMGATE_TEST_KEY\"; }", ")");
	case OPTION_PROVIDERS:
		return try_members(row, "(", "{ id = \"p%zu\"; plugin = \"p\"; }", ")");
	case OPTION_PRICES:
		return try_members(row, "(", "{ model = \"m%zu\"; amount = \"1\"; currency = \"USD\"; }", ")");
	case OPTION_BUDGETS:
		return try_members(row, "(", "{ name = \"b%zu\"; amount = \"1\"; currency = \"USD\"; }", ")");
	case OPTION_WEBHOOKS:
		return try_members(row, "(", "{ name = \"w%zu\"; url = \"https://a.test/\"; signing = " WHSEC "; }",
				   ")");
	case OPTION_GROUP:
		must_parse(file_with(row->name, "{ }"));
		must_refuse(file_with(row->name, "1"), refused_words(row));
		must_refuse(file_with(row->name, "{ unheard_of = 1; }"), "unheard_of' is no option: here may stand ");
		return;
	}
	fail_msg("'%s' has an unknown type", row->name);
}

static void every_option_is_taken_at_its_limits_and_refused_beyond(void **state)
{
	(void)state;
	assert_true(config_options_n > 30);
	for (size_t i = 0; i < config_options_n; i++)
		try_row(&config_options[i]);
}

static void every_option_says_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_options_n; i++) {
		const struct option *row = &config_options[i];

		assert_true(strlen(row->help) > 10 && row->help[strlen(row->help) - 1] == '.');
		assert_true(strlen(row->name) + 2 <= OPTION_NAME_SIZE);
		assert_true(row->fallback || row->sample);
		assert_int_equal(row->type == OPTION_CHOICE, row->choices != NULL);
	}
}

static void numbers_carry_their_unit_in_the_name(void **state)
{
	static const char *const counts[] = {"queued_jobs", "watchers", "streams", "exchanges", "transfers",
					     "concurrency", "rate",     "breaker", NULL};

	(void)state;
	for (size_t i = 0; i < config_options_n; i++) {
		const char *name = config_options[i].name, *last = strrchr(name, '_'), *dot = strrchr(name, '.');
		bool is_known = config_options[i].type != OPTION_INTEGER ||
				(last && (!strcmp(last, "_s") || !strcmp(last, "_ms") || !strcmp(last, "_bytes")));

		for (size_t k = 0; counts[k] && !is_known; k++)
			is_known = strcmp(dot ? dot + 1 : name, counts[k]) == 0;
		if (!is_known)
			fail_msg("'%s' is a number without a unit", name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_option_is_taken_at_its_limits_and_refused_beyond, parse_teardown),
		cmocka_unit_test(every_option_says_what_it_is),
		cmocka_unit_test(numbers_carry_their_unit_in_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
