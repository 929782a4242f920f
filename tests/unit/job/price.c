#include "job/price.h"

#include "allocator.h"
#include "base/err.h"
#include "job/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define DAY INT64_C(86400000)
#define NOW INT64_C(1795305600000) /* 2026-11-22, 00:00 UTC */

static const char manifest[] =
	"{\"models\":[{\"name\":\"clip\",\"parameters\":{\"prompt\":{},\"script.text\":{},\"script.audio\":{},"
	"\"duration_ms\":{\"default\":5000},\"resolution\":{\"values\":[\"720p\",\"4k\"],\"default\":\"720p\"},"
	"\"audio\":{\"default\":\"on\"},\"sample_count\":{\"default\":1}},"
	"\"media\":[{\"role\":\"source\",\"kind\":\"video\"}],"
	"\"length\":[{\"when\":{\"script.text\":{\"present\":true}},\"is\":\"speech\",\"bytes_per_second\":10},"
	"{\"when\":{\"media.source\":{\"present\":true}},\"is\":\"unknown\"},{\"is\":\"duration\"}],"
	"\"prices\":["
	"{\"when\":{\"resolution\":\"4k\",\"audio\":\"off\"},\"per_second_micros\":300000,\"currency\":\"USD\","
	"\"as_of\":\"2026-09-02\",\"source\":\"the price page\"},"
	"{\"when\":{\"resolution\":\"4k\"},\"per_second_micros\":400000,\"currency\":\"USD\",\"as_of\":\"2026-09-02\","
	"\"until\":\"2026-11-22\"},"
	"{\"when\":{\"resolution\":\"4k\"},\"per_second_micros\":500000,\"currency\":\"USD\",\"as_of\":\"2026-09-02\","
	"\"from\":\"2026-11-24\"},"
	"{\"when\":{\"resolution\":\"720p\"},\"per_second_micros\":66700,\"currency\":\"USD\",\"as_of\":\"2026-09-02\"}]},"
	"{\"name\":\"still\",\"parameters\":{\"sample_count\":{}},\"prices\":["
	"{\"per_video_micros\":7000000,\"currency\":\"credits\",\"as_of\":\"2026-07-22\"}]},"
	"{\"name\":\"free\",\"parameters\":{}}]}";

static struct job_capabilities *capabilities;
static struct job_prices *operators;
static struct job_quote quote;

static int setup(void **state)
{
	struct errmsg error = {0};

	(void)state;
	if (job_capabilities_new(bytes_of_text(manifest), &capabilities, &error) == 0)
		return 0;
	print_error("%s\n", error.text);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	capabilities = job_capabilities_free(capabilities);
	operators = job_prices_free(operators);
	job_quote_finish(&quote);
	return 0;
}

static int ask(const char *model, const char *parameters, int64_t now_ms)
{
	struct job_pricing pricing = {.capabilities = capabilities, .operators = operators, .plugin = "test 1.2"};

	job_quote_finish(&quote);
	return job_quote_order(&pricing, model, parameters, now_ms, &quote);
}

static void assert_quote(enum job_quote_kind kind, int64_t amount_micros, const char *rule)
{
	if (quote.kind != kind || quote.amount_micros != amount_micros || strcmp(quote.rule, rule) != 0)
		fail_msg("kind %d, amount %lld, rule '%s'", quote.kind, (long long)quote.amount_micros, quote.rule);
}

static void the_first_rule_that_fits_is_the_price(void **state)
{
	(void)state;
	assert_int_equal(ask("clip", "{\"resolution\":\"4k\",\"audio\":\"off\",\"duration_ms\":8000}", NOW), 0);
	assert_quote(
		JOB_QUOTE_EXACT, 2400000,
		"plugin test 1.2, as of 2026-09-02 (the price page): resolution '4k', audio 'off': 0.3 USD a second");
	assert_int_equal(quote.source, JOB_PRICE_SOURCE_PLUGIN);
	assert_int_equal(quote.unit, JOB_PRICE_UNIT_SECOND);
	assert_int_equal(quote.unit_micros, 300000);
	assert_int_equal(quote.length_ms, 8000);
	assert_string_equal(quote.as_of, "2026-09-02");
	assert_int_equal(ask("clip", "{\"resolution\":\"4k\"}", NOW), 0);
	assert_int_equal(quote.unit_micros, 400000);
}

static void what_is_unset_is_priced_as_the_provider_makes_it(void **state)
{
	(void)state;
	assert_int_equal(ask("clip", "{}", NOW), 0);
	assert_quote(JOB_QUOTE_EXACT, 333500,
		     "plugin test 1.2, as of 2026-09-02: resolution '720p': 0.0667 USD a second");
	assert_int_equal(quote.samples, 1);
}

static void every_sample_is_paid_for(void **state)
{
	(void)state;
	assert_int_equal(ask("clip", "{\"sample_count\":4}", NOW), 0);
	assert_int_equal(quote.amount_micros, 4 * 333500);
	assert_int_equal(quote.samples, 4);
	assert_int_equal(ask("still", "{\"sample_count\":3}", NOW), 0);
	assert_quote(JOB_QUOTE_EXACT, 21000000, "plugin test 1.2, as of 2026-07-22: 7 credits a video");
	assert_int_equal(quote.unit, JOB_PRICE_UNIT_VIDEO);
	assert_int_equal(quote.length_ms, 0);
}

static void a_rule_holds_on_its_days(void **state)
{
	(void)state;
	assert_int_equal(ask("clip", "{\"resolution\":\"4k\"}", NOW + DAY - 1), 0);
	assert_int_equal(quote.unit_micros, 400000);
	assert_int_equal(ask("clip", "{\"resolution\":\"4k\"}", NOW + DAY), 0);
	assert_int_equal(quote.kind, JOB_QUOTE_UNKNOWN);
	assert_int_equal(ask("clip", "{\"resolution\":\"4k\"}", NOW + 2 * DAY - 1), 0);
	assert_int_equal(quote.kind, JOB_QUOTE_UNKNOWN);
	assert_int_equal(ask("clip", "{\"resolution\":\"4k\"}", NOW + 2 * DAY), 0);
	assert_int_equal(quote.unit_micros, 500000);
}

static void the_length_of_speech_is_an_estimate(void **state)
{
	(void)state;
	assert_int_equal(ask("clip", "{\"script\":{\"text\":\"Good morning, all.\"}}", NOW), 0);
	assert_quote(JOB_QUOTE_ESTIMATE, 120060,
		     "plugin test 1.2, as of 2026-09-02: resolution '720p': 0.0667 USD a second, the length estimated "
		     "from the script at 10 bytes of text a second");
	assert_int_equal(quote.length_ms, 1800);
}

static void a_length_that_nobody_knows_is_not_guessed(void **state)
{
	(void)state;
	assert_int_equal(ask("clip", "{\"media\":[{\"role\":\"source\",\"kind\":\"video\"}]}", NOW), 0);
	assert_quote(JOB_QUOTE_UNKNOWN, 0,
		     "plugin test 1.2, as of 2026-09-02: resolution '720p': 0.0667 USD a second, but its length is not "
		     "known beforehand");
	assert_int_equal(quote.unit_micros, 66700);
	assert_string_equal(quote.currency, "USD");
	assert_int_equal(quote.length_ms, 0);
}

static void without_a_rule_the_price_is_not_known(void **state)
{
	(void)state;
	assert_int_equal(ask("free", "{}", NOW), 0);
	assert_quote(JOB_QUOTE_UNKNOWN, 0,
		     "no price is known: neither providers.prices nor plugin test 1.2 has a rule for such an order");
	assert_null(quote.currency);
	assert_int_equal(quote.source, JOB_PRICE_SOURCE_NONE);
}

/* ---- the operator's table ---- */

#define ROW(model, when, rest) "{\"model\":\"" model "\",\"when\":{" when "},\"currency\":\"EUR\",\"line\":12," rest "}"

static void take(const char *table)
{
	struct errmsg error = {""};

	operators = job_prices_free(operators);
	if (job_prices_new(capabilities, bytes_of_text(table), &operators, &error) != 0)
		fail_msg("%s", error.text);
}

static void the_operators_rules_go_before_the_plugins(void **state)
{
	(void)state;
	take("[" ROW("still", "", "\"per_video_micros\":1") "," ROW(
		"clip", "\"resolution\":\"4k\"", "\"per_second_micros\":250000,\"from\":\"2026-11-01\"") "]");
	assert_int_equal(ask("clip", "{\"resolution\":\"4k\"}", NOW), 0);
	assert_quote(JOB_QUOTE_EXACT, 1250000,
		     "providers.prices, line 12 of the configuration: resolution '4k': 0.25 EUR a second");
	assert_int_equal(quote.source, JOB_PRICE_SOURCE_OPERATOR);
	assert_string_equal(quote.as_of, "2026-11-01");
	assert_int_equal(ask("clip", "{}", NOW), 0);
	assert_int_equal(quote.source, JOB_PRICE_SOURCE_PLUGIN);
}

static void an_operators_rule_that_fits_nothing_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *row, *words;
	} cases[] = {
		{ROW("clop", "", "\"per_video_micros\":1"),
		 "names the model 'clop', which this provider does not have"},
		{ROW("clip", "\"resolutoin\":\"4k\"", "\"per_video_micros\":1"),
		 "prices.when.resolutoin is nothing that this model takes"},
		{ROW("clip", "\"media.source\":\"x\"", "\"per_video_micros\":1"), "can only be {\"present\": …}"},
		{ROW("clip", "", "\"per_video_micros\":1,\"per_second_micros\":1"), "needs exactly one of"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job_prices *prices = NULL;
		struct errmsg error = {""};
		char table[512];

		snprintf(table, sizeof(table), "[%s]", cases[i].row);
		assert_int_equal(job_prices_new(capabilities, bytes_of_text(table), &prices, &error),
				 JOB_VALIDATE_E_MANIFEST);
		assert_null(prices);
		if (!strstr(error.text, "line 12 of the configuration: ") || !strstr(error.text, cases[i].words))
			fail_msg("'%s' has no '%s'", error.text, cases[i].words);
	}
}

/* ---- manifests ---- */

static void refuse(const char *members, const char *words)
{
	struct job_capabilities *taken = NULL;
	struct errmsg error = {""};
	char text[1024];

	snprintf(text, sizeof(text), "{\"models\":[{\"name\":\"m\",\"parameters\":{\"audio\":{}},%s}]}", members);
	assert_int_equal(job_capabilities_new(bytes_of_text(text), &taken, &error), JOB_VALIDATE_E_MANIFEST);
	if (!strstr(error.text, words))
		fail_msg("'%s' has no '%s'", error.text, words);
}

static void a_price_that_is_misspelt_is_refused_when_the_plugin_is_loaded(void **state)
{
#define PRICE(members) "\"prices\":[{" members "}]"
#define GOOD "\"per_video_micros\":1,\"currency\":\"USD\""
	(void)state;
	refuse(PRICE(GOOD), "models[0].prices[0].as_of is missing");
	refuse(PRICE(GOOD ",\"as_of\":\"2026\""), "models[0].prices[0].as_of is not a date");
	refuse(PRICE(GOOD ",\"as_of\":\"2026-02-30\""), "as_of is no day of the calendar");
	refuse(PRICE(GOOD ",\"as_of\":\"2026-02-03\",\"when\":{\"fps\":1}"),
	       "when.fps is nothing that this model takes");
	refuse(PRICE(GOOD ",\"as_of\":\"2026-02-03\",\"from\":\"2026-02-03\",\"until\":\"2026-02-02\""),
	       "from is after until");
	refuse(PRICE(GOOD ",\"as_of\":\"2026-02-03\",\"model\":\"m\""), "prices[0].model is not known");
	refuse(PRICE("\"per_video_micros\":-1,\"currency\":\"USD\",\"as_of\":\"2026-02-03\""), "has an amount that");
	refuse(PRICE("\"per_video_micros\":1000000000001,\"currency\":\"USD\",\"as_of\":\"2026-02-03\""),
	       "has an amount that");
	refuse(PRICE("\"per_video_micros\":1,\"currency\":\"dollar\",\"as_of\":\"2026-02-03\""), "has a currency that");
	refuse("\"length\":[{\"is\":\"long\"}]", "models[0].length[0] is none of duration, speech, unknown");
	refuse("\"length\":[{\"is\":\"speech\"}]", "needs bytes_per_second, 1 to 1000");
	refuse("\"length\":[{\"is\":\"unknown\",\"bytes_per_second\":1}]", "needs bytes_per_second, 1 to 1000");
}

static void load(const char *plugin)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct errmsg error = {""};
	char path[512], block[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), PLUGINS "/%s/manifest.json", plugin);
	file = fopen(path, "re");
	assert_non_null(file);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		buffer_append(&text, block, n);
	fclose(file);
	capabilities = job_capabilities_free(capabilities);
	if (job_capabilities_new(buffer_bytes(&text), &capabilities, &error) != 0)
		fail_msg("%s", error.text);
}

static void assert_price(const char *model, const char *parameters, enum job_quote_kind kind, int64_t amount_micros)
{
	assert_int_equal(ask(model, parameters, NOW), 0);
	if (quote.kind != kind || quote.amount_micros != amount_micros)
		fail_msg("%s %s: kind %d, amount %lld: %s", model, parameters, quote.kind,
			 (long long)quote.amount_micros, quote.rule);
}

static void veo_costs_by_resolution_sound_and_samples(void **state)
{
	(void)state;
	load("veo");
	assert_price("veo-3.1-generate-001", "{}", JOB_QUOTE_EXACT, 3200000);
	assert_price("veo-3.1-generate-001", "{\"audio\":\"off\"}", JOB_QUOTE_EXACT, 1600000);
	assert_price("veo-3.1-generate-001", "{\"resolution\":\"4k\",\"sample_count\":2}", JOB_QUOTE_EXACT, 9600000);
	assert_price("veo-3.1-fast-generate-001", "{\"resolution\":\"1080p\",\"duration_ms\":4000}", JOB_QUOTE_EXACT,
		     480000);
	assert_price("veo-3.1-fast-generate-001", "{\"resolution\":\"4k\",\"audio\":\"off\"}", JOB_QUOTE_EXACT,
		     2000000);
	assert_price("veo-3.1-lite-generate-001", "{\"audio\":\"on\",\"resolution\":\"1080p\"}", JOB_QUOTE_EXACT,
		     640000);
	/* How Google bills a video that goes on is not known. */
	assert_price("veo-3.1-generate-001", "{\"media\":[{\"role\":\"source\",\"kind\":\"video\"}]}",
		     JOB_QUOTE_UNKNOWN, 0);
	assert_null(quote.currency);
}

static void heygen_costs_by_model_engine_and_resolution(void **state)
{
	static const char script[] = "{\"script\":{\"text\":\"123456789012345\"},\"resolution\":\"%s\"%s}";
	char parameters[256];

	(void)state;
	load("heygen");
	snprintf(parameters, sizeof(parameters), script, "1080p", "");
	assert_price("avatar", parameters, JOB_QUOTE_ESTIMATE, 66700);
	assert_price("image", parameters, JOB_QUOTE_ESTIMATE, 50000);
	snprintf(parameters, sizeof(parameters), script, "4k", ",\"extras\":{\"engine\":{\"type\":\"avatar_iv\"}}");
	assert_price("avatar", parameters, JOB_QUOTE_ESTIMATE, 83300);
	snprintf(parameters, sizeof(parameters), script, "720p", ",\"extras\":{\"engine\":{\"type\":\"avatar_iii\"}}");
	assert_price("avatar", parameters, JOB_QUOTE_ESTIMATE, 16700);
	snprintf(parameters, sizeof(parameters), script, "720p", ",\"extras\":{\"engine\":{\"type\":\"avatar_v\"}}");
	assert_price("avatar", parameters, JOB_QUOTE_UNKNOWN, 0);
	assert_null(quote.currency);
	assert_price("avatar", "{\"script\":{\"audio\":{\"url\":\"https://a/a.mp3\"}}}", JOB_QUOTE_UNKNOWN, 0);
	assert_int_equal(quote.unit_micros, 66700);
	assert_price("cinematic", "{\"duration_ms\":4000}", JOB_QUOTE_EXACT, 7000000);
	assert_price("heygen-video-1", "{}", JOB_QUOTE_UNKNOWN, 0);
}

/* ---- arithmetic and settlement ---- */

static void amounts_are_rounded_half_up_and_never_wrap(void **state)
{
	int64_t amount = 0;

	(void)state;
	assert_true(job_price_times(1, 499, &amount));
	assert_int_equal(amount, 0);
	assert_true(job_price_times(1, 500, &amount));
	assert_int_equal(amount, 1);
	assert_true(job_price_times(LIMIT_JOB_PRICE_MICROS, INT64_C(1000000), &amount));
	assert_int_equal(amount, LIMIT_JOB_PRICE_MICROS * 1000);
	assert_false(job_price_times(INT64_MAX, 2, &amount));
	assert_false(job_price_times(INT64_MAX, 1, &amount));
	assert_false(job_price_times(-1, 1, &amount));
	assert_false(job_price_times(1, -1, &amount));
}

static void add_video(struct job_status *status, const char *role, int64_t duration_ms)
{
	struct job_artifact *artifact = job_add_artifact(status);

	assert_non_null(artifact);
	assert_int_equal(job_set_text(&artifact->role, role), 0);
	artifact->duration_ms = duration_ms;
}

static void the_videos_are_counted_and_nothing_beside_them(void **state)
{
	struct job_quote second = {.unit = JOB_PRICE_UNIT_SECOND, .unit_micros = 100000, .currency = (char *)"USD"};
	struct job_quote video = {.unit = JOB_PRICE_UNIT_VIDEO, .unit_micros = 3, .currency = (char *)"USD"};
	struct job_status *status = job_status_new();

	(void)state;
	add_video(status, "video", 4004);
	add_video(status, "captioned_video", 4004);
	add_video(status, "thumbnail", 0);
	add_video(status, "video", 4000);
	assert_int_equal(job_settle(status, &second, JOB_PURCHASE_MADE), 0);
	assert_int_equal(status->cost.source, JOB_COST_COMPUTED);
	assert_int_equal(status->cost.amount_micros, 800400);
	status->cost.source = JOB_COST_NONE;
	assert_int_equal(job_settle(status, &video, JOB_PURCHASE_MADE), 0);
	assert_int_equal(status->cost.amount_micros, 6);
	job_status_free(status);
}

static void a_cost_that_cannot_be_computed_is_not_said(void **state)
{
	struct job_quote second = {.unit = JOB_PRICE_UNIT_SECOND, .unit_micros = 100000, .currency = (char *)"USD"};
	struct job_quote unknown = {.kind = JOB_QUOTE_UNKNOWN};
	struct job_status *status = job_status_new();

	(void)state;
	assert_int_equal(job_settle(status, &second, JOB_PURCHASE_MADE), 0);
	assert_int_equal(status->cost.source, JOB_COST_NONE);
	add_video(status, "video", 4000);
	assert_int_equal(job_settle(status, &unknown, JOB_PURCHASE_MADE), 0);
	assert_int_equal(status->cost.source, JOB_COST_NONE);
	add_video(status, "video", 0);
	assert_int_equal(job_settle(status, &second, JOB_PURCHASE_MADE), 0);
	assert_int_equal(status->cost.source, JOB_COST_NONE);
	job_status_free(status);
}

/* So many rules of a model, and of a configuration, and no more. */
static void rules_are_taken_up_to_a_number(void **state)
{
	static const char rule[] = "{\"per_video_micros\":7000000,\"currency\":\"credits\",\"as_of\":\"2026-07-22\"}";
	static const char row[] = "{\"model\":\"still\",\"per_video_micros\":1,\"currency\":\"USD\",\"line\":3}";

	(void)state;
	for (int more = 0; more < 2; more++) {
		_cleanup_(buffer_finish) struct buffer model = {0};
		_cleanup_(buffer_finish) struct buffer table = {0};
		struct job_capabilities *read = NULL;
		struct job_prices *prices = NULL;
		struct errmsg error = {""};

		buffer_append_text(&model, "{\"models\":[{\"name\":\"still\",\"parameters\":{},\"prices\":[");
		buffer_append_text(&table, "[");
		for (int i = 0; i < LIMIT_JOB_PRICES + more; i++) {
			buffer_printf(&model, "%s%s", i ? "," : "", rule);
			buffer_printf(&table, "%s%s", i ? "," : "", row);
		}
		buffer_append_text(&model, "]}]}");
		buffer_append_text(&table, "]");
		assert_int_equal(job_capabilities_new(buffer_bytes(&model), &read, &error) != 0, more);
		assert_true(!more || strstr(error.text, "models[0].prices has more than 256 rules"));
		job_capabilities_free(read);
		error.text[0] = '\0';
		assert_int_equal(job_prices_new(capabilities, buffer_bytes(&table), &prices, &error) != 0, more);
		if (more ? !strstr(error.text, "prices is not a list of at most 256 rules") : *error.text != '\0')
			fail_msg("%s", error.text);
		job_prices_free(prices);
	}
}

static void running_out_of_memory_leaves_nothing_behind(void **state)
{
	int nth = 0, r;

	(void)state;
	do {
		allocator_fail(++nth);
		r = ask("clip", "{\"script\":{\"text\":\"a\"}}", NOW);
		assert_true(r == 0 || r == -ENOMEM);
	} while (allocator_failed());
	assert_int_equal(r, 0);
	assert_in_range(nth, 4, 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_first_rule_that_fits_is_the_price),
		TEST(what_is_unset_is_priced_as_the_provider_makes_it),
		TEST(every_sample_is_paid_for),
		TEST(a_rule_holds_on_its_days),
		TEST(the_length_of_speech_is_an_estimate),
		TEST(a_length_that_nobody_knows_is_not_guessed),
		TEST(without_a_rule_the_price_is_not_known),
		TEST(the_operators_rules_go_before_the_plugins),
		TEST(an_operators_rule_that_fits_nothing_is_refused_with_its_line),
		TEST(a_price_that_is_misspelt_is_refused_when_the_plugin_is_loaded),
		TEST(veo_costs_by_resolution_sound_and_samples),
		TEST(heygen_costs_by_model_engine_and_resolution),
		TEST(amounts_are_rounded_half_up_and_never_wrap),
		TEST(the_videos_are_counted_and_nothing_beside_them),
		TEST(a_cost_that_cannot_be_computed_is_not_said),
		TEST(rules_are_taken_up_to_a_number),
		TEST(running_out_of_memory_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
