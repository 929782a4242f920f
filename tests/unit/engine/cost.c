/*
 * What an order was expected to cost, and what it came to: who says so, and what nobody knows.
 */
#include "engine/rig.h"

#include "job/price.h"

/* The clip's price is 0.2 EUR a second; the video is 1.5 seconds long. */
#define DELIVERED_MICROS 300000

static const struct job_cost *cost_of(struct rig *rig, const struct job_ref *job)
{
	return &look(rig, job)->cost;
}

static void assert_cost(struct rig *rig, const struct job_ref *job, enum job_cost_source source, int64_t micros,
			const char *currency)
{
	const struct job_cost *cost = cost_of(rig, job);

	assert_int_equal(cost->source, source);
	assert_int_equal(cost->amount_micros, micros);
	assert_string_equal(cost->currency, currency);
	assert_false(cost->is_provisional);
}

static void finish_with(struct rig *rig, const char *words)
{
	reply(rig, 200, words);
	deliver(rig, a_video());
}

static struct job_ref running_with(struct rig *rig, const char *words)
{
	struct job_ref job = order(rig);

	reply(rig, 201, words);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	return job;
}

static void a_job_keeps_the_quote_with_which_it_was_accepted(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = create(
		rig, &(struct engine_create){.parameters = "{\"prompt\":\"a fox\",\"duration_ms\":8000}"});
	struct job_ref job = answer->view.job->ref;
	const struct job_quote *quote;

	assert_answer(answer, 0);
	crash_and_restart(rig);
	answer = get(rig, &job);
	quote = &answer->view.job->quote;
	assert_int_equal(quote->kind, JOB_QUOTE_EXACT);
	assert_int_equal(quote->amount_micros, 1600000);
	assert_string_equal(quote->currency, "EUR");
	assert_string_equal(quote->rule, "plugin maker 1.0, as of 2026-11-22: 0.2 EUR a second");
}

static void a_look_at_an_order_shows_its_quote_and_keeps_nothing(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = create(rig, &(struct engine_create){.validate_only = true});

	assert_answer(answer, 0);
	assert_int_equal(answer->view.job->quote.kind, JOB_QUOTE_UNKNOWN);
	assert_int_equal(answer->view.job->quote.unit_micros, 200000);
	assert_int_equal(open_requests(rig), 0);
}

static void the_operators_price_goes_before_the_plugins(void **state)
{
	static const char table[] = "[{\"model\":\"clip\",\"when\":{},\"per_video_micros\":5,"
				    "\"currency\":\"credits\",\"line\":12}]";
	struct rig *rig = *state;
	struct job_prices *prices = NULL;
	struct errmsg error = {""};
	struct answer *answer;

	assert_int_equal(job_prices_new(plugin_manifest(&rig->plugins[0])->capabilities, bytes_of_text(table), &prices,
					&error),
			 0);
	rig->providers[0].prices = prices;
	answer = create(rig, &(struct engine_create){.validate_only = true});
	assert_answer(answer, 0);
	assert_int_equal(answer->view.job->quote.source, JOB_PRICE_SOURCE_OPERATOR);
	assert_int_equal(answer->view.job->quote.amount_micros, 5);
	rig->providers[0].prices = job_prices_free(prices);
}

static void without_a_figure_the_cost_is_what_was_delivered_at_the_quoted_price(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_with(rig, "accepted id=v1");

	assert_int_equal(cost_of(rig, &job)->source, JOB_COST_NONE);
	finish_with(rig, "done video=https://maker.test/file/1");
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_cost(rig, &job, JOB_COST_COMPUTED, DELIVERED_MICROS, "EUR");
	crash_and_restart(rig);
	assert_cost(rig, &job, JOB_COST_COMPUTED, DELIVERED_MICROS, "EUR");
}

static void the_providers_own_figure_goes_before_ours(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_with(rig, "accepted id=v1");

	finish_with(rig, "done video=https://maker.test/file/1 cost=123456");
	assert_cost(rig, &job, JOB_COST_PROVIDER, 123456, "USD");
}

static void what_the_plugin_computed_is_called_that(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_with(rig, "accepted id=v1");

	finish_with(rig, "done video=https://maker.test/file/1 computed=7");
	assert_cost(rig, &job, JOB_COST_PLUGIN, 7, "USD");
}

static void a_figure_at_the_order_is_provisional_until_the_end(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_with(rig, "accepted id=v1 cost=99");

	assert_int_equal(cost_of(rig, &job)->amount_micros, 99);
	assert_true(cost_of(rig, &job)->is_provisional);
	crash_and_restart(rig);
	assert_true(cost_of(rig, &job)->is_provisional);
	sleep_over(rig, &job);
	finish_with(rig, "done video=https://maker.test/file/1");
	assert_cost(rig, &job, JOB_COST_PROVIDER, 99, "USD");
}

/* Its video is kept, and nothing stands still for a figure that no ledger adds up. */
static void a_figure_beyond_reason_is_not_believed_and_said_aloud(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_with(rig, "accepted id=v1");
	const struct job_status *status;

	finish_with(rig, "done video=https://maker.test/file/1 cost=1000000000000000");
	assert_cost(rig, &job, JOB_COST_PROVIDER, LIMIT_JOB_COST_MICROS, "USD");
	assert_int_equal(look(rig, &job)->n_notes, 0);

	job = running_with(rig, "accepted id=v1 cost=1000000000000001");
	assert_int_equal(cost_of(rig, &job)->source, JOB_COST_NONE);
	assert_int_equal(look(rig, &job)->n_notes, 1);
	finish_with(rig, "done video=https://maker.test/file/1 cost=9223372036854775807");
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_cost(rig, &job, JOB_COST_COMPUTED, DELIVERED_MICROS, "EUR");
	status = look(rig, &job);
	assert_int_equal(status->n_notes, 1);
	assert_string_equal(status->notes[0].field, "cost");
	assert_string_equal(status->notes[0].from, "1000000000000001 millionths of USD");
	assert_non_null(strstr(status->notes[0].message, "what the provider said that it cost is not believed"));
	assert_int_equal(status->money.settlement, JOB_SETTLEMENT_FINAL);
}

static void a_failure_costs_nothing_only_where_nothing_was_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 400, "failed reason=invalid_input bought=none");
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
	assert_cost(rig, &job, JOB_COST_NOTHING, 0, "EUR");

	job = running_with(rig, "accepted id=v1");
	reply(rig, 200, "failed reason=moderated bought=made");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_MADE);
	assert_int_equal(cost_of(rig, &job)->source, JOB_COST_NONE);

	job = running_with(rig, "accepted id=v1 cost=99");
	reply(rig, 200, "failed reason=moderated bought=made");
	assert_int_equal(cost_of(rig, &job)->amount_micros, 99);
	assert_true(cost_of(rig, &job)->is_provisional);

	job = running_with(rig, "accepted id=v1 cost=99");
	reply(rig, 200, "failed reason=provider_fault bought=none");
	assert_cost(rig, &job, JOB_COST_NOTHING, 0, "EUR");

	job = running_with(rig, "accepted id=v1");
	reply(rig, 200, "failed reason=provider_fault bought=unknown");
	assert_int_equal(cost_of(rig, &job)->source, JOB_COST_NONE);
}

static void what_was_never_sent_cost_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	assert_answer(cancel(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_cost(rig, &job, JOB_COST_NOTHING, 0, "EUR");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		story(a_job_keeps_the_quote_with_which_it_was_accepted),
		story(a_look_at_an_order_shows_its_quote_and_keeps_nothing),
		story(the_operators_price_goes_before_the_plugins),
		story(without_a_figure_the_cost_is_what_was_delivered_at_the_quoted_price),
		story(the_providers_own_figure_goes_before_ours),
		story(what_the_plugin_computed_is_called_that),
		story(a_figure_at_the_order_is_provisional_until_the_end),
		story(a_figure_beyond_reason_is_not_believed_and_said_aloud),
		story(a_failure_costs_nothing_only_where_nothing_was_bought),
		story(what_was_never_sent_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
