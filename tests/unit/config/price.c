#include "parse.h"

#include "allocator.h"

#define PRICES(rows) "providers = ({ id = \"a\"; plugin = \"p\";\nprices = (" rows "); });"
#define REST "amount = \"0.0833\"; currency = \"USD\""

static void a_table_is_what_job_reads(void **state)
{
	const struct config_provider *provider;

	(void)state;
	must_parse(PRICES("{ model = \"avatar\"; when = [ \"resolution=4k|1080p\", \"media.source=unset\", \"fps=24\", "
			  "\"extras.loop=true\", \"audio=on\" ]; " REST "; valid_from = \"2026-09-01\"; "
			  "valid_until = \"2026-12-31\"; },\n"
			  "{ model = \"still\"; amount = \"7\"; currency = \"credits\"; unit = \"video\"; }"));
	provider = &config->providers[0];
	assert_int_equal(provider->n_prices, 2);
	assert_string_equal(
		provider->price_table,
		"[{\"model\":\"avatar\",\"when\":{\"resolution\":[\"4k\",\"1080p\"],\"media.source\":{\"present\":false},"
		"\"fps\":24,\"extras.loop\":true,\"audio\":\"on\"},\"per_second_micros\":83300,\"currency\":\"USD\","
		"\"from\":\"2026-09-01\",\"until\":\"2026-12-31\",\"line\":2},"
		"{\"model\":\"still\",\"when\":{},\"per_video_micros\":7000000,\"currency\":\"credits\",\"line\":3}]");
}

static void no_table_is_none(void **state)
{
	(void)state;
	must_parse("providers = ({ id = \"a\"; plugin = \"p\"; });");
	assert_null(config->providers[0].price_table);
	must_parse(PRICES(""));
	assert_null(config->providers[0].price_table);
}

static void what_is_wrong_with_a_price_is_said_with_its_line(void **state)
{
	static const struct {
		const char *row, *words;
	} cases[] = {
		{"{ " REST "; }", "x.conf:2: error: providers.prices.model: is missing"},
		{"{ model = \"m\"; currency = \"USD\"; }", "providers.prices.amount: is missing"},
		{"{ model = \"m\"; amount = \"0.08\"; }", "providers.prices.currency: is missing"},
		{"{ model = \"m\"; " REST "; price = 1; }", "'providers.prices.price' is no option"},
		{"{ model = \"m\"; amount = 0.08; currency = \"USD\"; }", "amount: has the wrong type"},
		{"{ model = \"m\"; amount = \"-1\"; currency = \"USD\"; }", "'-1' is no amount"},
		{"{ model = \"m\"; amount = \"0.0000001\"; currency = \"USD\"; }", "'0.0000001' is no amount"},
		{"{ model = \"m\"; amount = \"1000000.1\"; currency = \"USD\"; }", "'1000000.1' is no amount"},
		{"{ model = \"m\"; amount = \"1\"; currency = \"usd\"; }", "'usd' is no currency"},
		{"{ model = \"m\"; " REST "; unit = \"minute\"; }", "'minute' is not one of second, video"},
		{"{ model = \"m\"; " REST "; when = [ \"4k\" ]; }", "'4k' is no condition: write PARAMETER=VALUE"},
		{"{ model = \"m\"; " REST "; when = [ \"a=1\", \"a=2\" ]; }", "are about the same: write it as one"},
		{"{ model = \"m\"; " REST "; valid_from = \"2026-02-30\"; }", "'2026-02-30' is no day"},
		{"{ model = \"m\"; " REST "; valid_from = \"2026-12-31\"; valid_until = \"2026-12-30\"; }",
		 "ends before it begins"},
		{"7", "holds something else than groups"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(buffer_finish) struct buffer text = {0};

		buffer_printf(&text, "providers = ({ id = \"a\"; plugin = \"p\";\nprices = (%s); });", cases[i].row);
		must_refuse(text.data, cases[i].words);
	}
}

static void a_table_has_its_limit(void **state)
{
	_cleanup_(buffer_finish) struct buffer text = {0};

	(void)state;
	buffer_append_text(&text, "providers = ({ id = \"a\"; plugin = \"p\"; prices = (");
	for (int i = 0; i < 256; i++)
		buffer_append_text(&text, "{ model = \"m\"; " REST "; },\n");
	text.len -= 2;
	buffer_append_text(&text, "); });");
	must_parse(text.data);
	assert_int_equal(config->providers[0].n_prices, 256);
	text.len -= strlen("); });");
	buffer_append_text(&text, ", { model = \"m\"; " REST "; }); });");
	must_refuse(text.data, "providers.prices: has 257 members: take up to 256");
}

static void every_lack_of_memory_is_survived(void **state)
{
	static const char text[] = PRICES("{ model = \"m\"; when = [ \"a=1|2\", \"b=set\" ]; " REST "; }");
	int nth = 0, r;

	(void)state;
	do {
		parse_teardown(NULL);
		allocator_fail(++nth);
		r = config_parse(bytes_of_text(text), "x.conf", secret_read, &config, &report);
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(r == 0, config != NULL);
	} while (allocator_failed());
	assert_int_equal(r, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, parse_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_table_is_what_job_reads),
		TEST(no_table_is_none),
		TEST(what_is_wrong_with_a_price_is_said_with_its_line),
		TEST(a_table_has_its_limit),
		TEST(every_lack_of_memory_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
