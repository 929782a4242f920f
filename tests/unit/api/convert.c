/* What a job is on the wire beside its life: money, notes, and what is only known when somebody asks. */
#include "api/convert.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define P(name) FILMGATE__V1__##name

struct bench {
	struct arena arena;
	struct job_view view;
	Filmgate__V1__Job *job; /* as last shown */
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	*state = bench;
	if (!bench)
		return -1;
	bench->view = (struct job_view){.job = job_new(), .status = job_status_new()};
	if (!bench->view.job || !bench->view.status)
		return -1;
	bench->view.job->ref.id = id_new(1795000000000);
	bench->view.status->revision = 1;
	return job_set_text(&bench->view.job->provider, "maker");
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	job_view_finish(&bench->view);
	arena_finish(&bench->arena);
	free(bench);
	return 0;
}

static Filmgate__V1__Job *show(struct bench *bench)
{
	assert_int_equal(convert_job(&bench->arena, &bench->view, NULL, NULL, &bench->job), 0);
	return bench->job;
}

static void what_is_not_known_is_absent(void **state)
{
	Filmgate__V1__Job *job = show(*state);

	assert_null(job->quote);
	assert_null(job->status->cost);
	assert_int_equal(job->status->n_notes, 0);
	assert_null(job->status->queue_position);
	assert_null(job->status->forecast);
}

static void a_key_is_shown_of_a_send_that_carried_it(void **state)
{
	struct bench *bench = *state;
	struct job_attempt *attempt = job_add_attempt(bench->view.status);
	struct job_send *send = job_add_send(bench->view.status);

	assert_true(attempt && send);
	send->attempt = attempt->number = 1;
	send->number = 1;
	assert_int_equal(job_set_text(&send->idempotency_key, "k-1"), 0);
	assert_string_equal(show(bench)->status->attempts[0]->sends[0]->idempotency_key, "");
	send->key_window_ms = 1;
	assert_string_equal(show(bench)->status->attempts[0]->sends[0]->idempotency_key, "k-1");
}

static void a_quote_has_its_price_and_where_it_comes_from(void **state)
{
	struct bench *bench = *state;
	struct job_quote *quote = &bench->view.job->quote;
	const Filmgate__V1__Quote *shown;

	*quote = (struct job_quote){.kind = JOB_QUOTE_ESTIMATE,
				    .source = JOB_PRICE_SOURCE_OPERATOR,
				    .unit = JOB_PRICE_UNIT_SECOND,
				    .unit_micros = 400000,
				    .amount_micros = INT64_MAX,
				    .length_ms = 8500,
				    .samples = 2};
	assert_int_equal(job_set_text(&quote->currency, "USD"), 0);
	assert_int_equal(job_set_text(&quote->rule, "line 12"), 0);
	assert_int_equal(job_set_text(&quote->as_of, "2026-11-22"), 0);
	shown = show(bench)->quote;
	assert_int_equal(shown->kind, P(QUOTE_KIND__QUOTE_KIND_ESTIMATE));
	assert_int_equal(shown->source, P(PRICE_SOURCE__PRICE_SOURCE_OPERATOR));
	assert_int_equal(shown->unit, P(PRICE_UNIT__PRICE_UNIT_SECOND));
	assert_true(shown->unit_micros == 400000);
	assert_true(shown->amount_micros == INT64_MAX);
	assert_int_equal(shown->duration->seconds, 8);
	assert_int_equal(shown->duration->nanos, 500000000);
	assert_int_equal(shown->sample_count, 2);
	assert_string_equal(shown->currency_code, "USD");
	assert_string_equal(shown->rule, "line 12");
	assert_string_equal(shown->as_of, "2026-11-22");
}

static void an_unknown_quote_is_there_and_says_that_nothing_is_known(void **state)
{
	struct bench *bench = *state;
	const Filmgate__V1__Quote *shown;

	bench->view.job->quote = (struct job_quote){.kind = JOB_QUOTE_UNKNOWN, .samples = 1};
	shown = show(bench)->quote;
	assert_int_equal(shown->kind, P(QUOTE_KIND__QUOTE_KIND_UNKNOWN));
	assert_int_equal(shown->source, P(PRICE_SOURCE__PRICE_SOURCE_UNSPECIFIED));
	assert_int_equal(shown->unit, P(PRICE_UNIT__PRICE_UNIT_UNSPECIFIED));
	assert_true(shown->amount_micros == 0);
	assert_null(shown->duration);
	assert_string_equal(shown->currency_code, "");
	assert_string_equal(shown->as_of, "");
}

static void a_cost_says_who_says_so(void **state)
{
	static const struct {
		enum job_cost_source source;
		Filmgate__V1__CostSource shown;
	} rows[] = {
		{JOB_COST_PROVIDER, P(COST_SOURCE__COST_SOURCE_PROVIDER)},
		{JOB_COST_PLUGIN, P(COST_SOURCE__COST_SOURCE_PLUGIN)},
		{JOB_COST_COMPUTED, P(COST_SOURCE__COST_SOURCE_COMPUTED)},
		{JOB_COST_NOTHING, P(COST_SOURCE__COST_SOURCE_NOTHING)},
	};
	struct bench *bench = *state;
	struct job_status *status = bench->view.status;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const Filmgate__V1__JobCost *shown;

		assert_int_equal(job_set_cost(status, rows[i].source, 123456, "EUR"), 0);
		status->cost.is_provisional = i == 0;
		shown = show(bench)->status->cost;
		assert_int_equal(shown->source, rows[i].shown);
		assert_true(shown->amount_micros == 123456);
		assert_string_equal(shown->currency_code, "EUR");
		assert_int_equal(shown->provisional, i == 0);
	}
	/* Nothing was bought, of a job without a price: a cost of 0 of no currency, which is not the same as none. */
	assert_int_equal(job_set_cost(status, JOB_COST_NOTHING, 0, NULL), 0);
	assert_non_null(show(bench)->status->cost);
	assert_string_equal(bench->job->status->cost->currency_code, "");
}

static void notes_come_in_their_order_with_all_they_say(void **state)
{
	struct bench *bench = *state;
	Filmgate__V1__Note **shown;

	assert_int_equal(job_add_note(bench->view.status, JOB_NOTE_ADJUSTED, "parameters.duration_ms", "rounded up",
				      "5000", "6000"),
			 1);
	assert_int_equal(job_add_note(bench->view.status, JOB_NOTE_IGNORED, "parameters.fps", "", "30", ""), 1);
	assert_int_equal(job_add_note(bench->view.status, JOB_NOTE_CUT, "parameters.prompt", "", "a", "b"), 1);
	assert_int_equal(job_add_note(bench->view.status, JOB_NOTE_INFO, "", "worth knowing", "", ""), 1);
	shown = show(bench)->status->notes;
	assert_int_equal(bench->job->status->n_notes, 4);
	assert_int_equal(shown[0]->severity, P(NOTE_SEVERITY__NOTE_SEVERITY_ADJUSTED));
	assert_string_equal(shown[0]->field, "parameters.duration_ms");
	assert_string_equal(shown[0]->message, "rounded up");
	assert_string_equal(shown[0]->from, "5000");
	assert_string_equal(shown[0]->to, "6000");
	assert_int_equal(shown[1]->severity, P(NOTE_SEVERITY__NOTE_SEVERITY_IGNORED));
	assert_string_equal(shown[1]->to, "");
	assert_int_equal(shown[2]->severity, P(NOTE_SEVERITY__NOTE_SEVERITY_CUT));
	assert_int_equal(shown[3]->severity, P(NOTE_SEVERITY__NOTE_SEVERITY_INFO));
	assert_string_equal(shown[3]->field, "");
}

static void a_place_in_line_is_that_one_or_a_later_one(void **state)
{
	struct bench *bench = *state;
	struct job_status *status = bench->view.status;

	status->queue_place = 1;
	assert_int_equal(show(bench)->status->queue_position->position, 1);
	assert_false(bench->job->status->queue_position->or_later);
	status->queue_place = 1000;
	status->is_queue_place_open = true;
	assert_int_equal(show(bench)->status->queue_position->position, 1000);
	assert_true(bench->job->status->queue_position->or_later);
}

static void a_forecast_counts_from_when_the_job_began(void **state)
{
	struct bench *bench = *state;
	struct job_status *status = bench->view.status;
	const Filmgate__V1__JobForecast *shown;

	status->started_ms = 1795000000250;
	status->forecast = (struct job_forecast){.p50_ms = 60000, .p90_ms = 61900, .samples = 20};
	shown = show(bench)->status->forecast;
	assert_true(shown->p50_time->seconds == 1795000060);
	assert_int_equal(shown->p50_time->nanos, 250000000);
	assert_true(shown->p90_time->seconds == 1795000062);
	assert_int_equal(shown->p90_time->nanos, 150000000);
	assert_int_equal(shown->sample_count, 20);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(what_is_not_known_is_absent),
		on_bench(a_key_is_shown_of_a_send_that_carried_it),
		on_bench(a_quote_has_its_price_and_where_it_comes_from),
		on_bench(an_unknown_quote_is_there_and_says_that_nothing_is_known),
		on_bench(a_cost_says_who_says_so),
		on_bench(notes_come_in_their_order_with_all_they_say),
		on_bench(a_place_in_line_is_that_one_or_a_later_one),
		on_bench(a_forecast_counts_from_when_the_job_began),
	};

	return cmocka_run_group_tests_name("api.convert", tests, NULL, NULL);
}
