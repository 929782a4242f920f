/*
 * Budgets: who waits for room, who has it when there is some, and what never has any.
 */
#include "engine/posted.h"

static void with_budgets(struct rig *rig, const struct engine_budget *budgets, size_t n)
{
	rig->config.budgets = budgets;
	rig->config.n_budgets = n;
	crash_and_restart(rig);
}

static struct job_ref order_labelled(struct rig *rig, const char *team)
{
	const struct job_label label = LABEL("team", (uintptr_t)team);

	return order_with(rig, &(struct engine_create){.parameters = EIGHT_SECONDS,
						       .labels = &label,
						       .n_labels = 1,
						       .timeout_ms = 72 * RIG_HOUR_MS});
}

static void assert_waits_for_money(struct rig *rig, const struct job_ref *job)
{
	assert_state(rig, job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, job)->wait, JOB_WAIT_BUDGET);
}

static void what_a_budget_has_no_room_for_waits_until_there_is_some(void **state)
{
	static const struct engine_budget budgets[] = {
		{.name = "all", .currency = "EUR", .limit_micros = 2000000, .period = LEDGER_PER_DAY},
		{.name = "usd", .currency = "USD", .limit_micros = 1, .period = LEDGER_PER_DAY}};
	struct rig *rig = *state;
	struct job_ref first, second;

	with_budgets(rig, budgets, 2);
	first = order_labelled(rig, "red");
	second = order_labelled(rig, "red");
	assert_waits_for_money(rig, &second);
	assert_posted(rig, &second, "");
	assert_int_equal(purchases(rig), 1);
	assert_true(look(rig, &second)->wait_until_ms > now_ms());
	crash_and_restart(rig);
	assert_waits_for_money(rig, &second);

	sleep_over(rig, &first);
	reply_to(rig, &first, 400, "failed reason=invalid_input bought=none");
	assert_posted(rig, &first, RELEASED);
	pass(rig, 2 * LIMIT_ENGINE_BUDGET_MS);
	assert_state(rig, &second, JOB_STATE_STARTING);
	assert_posted(rig, &second, RESERVED);
}

static struct job_ref order_seconds(struct rig *rig, unsigned int seconds)
{
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "{\"prompt\":\"a fox\",\"duration_ms\":%u}", seconds * 1000);
	return order_with(rig, &(struct engine_create){.parameters = parameters});
}

static size_t count_tries(struct rig *rig, const struct job_ref *jobs, size_t n)
{
	size_t tries = 0;

	for (size_t i = 0; i < n; i++)
		tries += strstr(history(rig, &jobs[i]), "preparing") != NULL;
	return tries;
}

/* Without a moment's passing: money that is free again wakes who waits, and who got in wakes the next. */
static void room_is_used_when_it_comes_by_those_who_wait_first(void **state)
{
	static const struct engine_budget budget = {
		.name = "all", .currency = "EUR", .limit_micros = 1600000, .period = LEDGER_PER_DAY};
	struct rig *rig = *state;
	struct job_ref first, waiters[3];

	with_budgets(rig, &budget, 1);
	first = order_clip(rig);
	for (size_t i = 0; i < 3; i++) {
		waiters[i] = order_seconds(rig, 2);
		assert_waits_for_money(rig, &waiters[i]);
	}
	reply_to(rig, &first, 400, "failed reason=invalid_input bought=none");
	for (size_t i = 0; i < 3; i++)
		assert_state(rig, &waiters[i], JOB_STATE_STARTING);
	assert_posted(rig, &waiters[2], "reserve 400000 EUR");
}

static void what_was_settled_below_its_reservation_makes_room_too(void **state)
{
	static const struct engine_budget budget = {
		.name = "all", .currency = "EUR", .limit_micros = 2000000, .period = LEDGER_PER_MONTH};
	struct rig *rig = *state;
	struct job_ref first, second;

	with_budgets(rig, &budget, 1);
	first = order_clip(rig);
	second = order_clip(rig);
	assert_waits_for_money(rig, &second);
	reply_to(rig, &first, 201, "accepted id=v1");
	sleep_over(rig, &first);
	reply(rig, 200, "done video=https://maker.test/file/1");
	assert_waits_for_money(rig, &second);
	deliver(rig, a_video());
	assert_posted(rig, &first, RESERVED ", settle 300000 EUR, release 1300000 EUR");
	assert_state(rig, &second, JOB_STATE_STARTING);
}

static void a_turn_that_its_job_does_not_take_is_the_next_ones(void **state)
{
	static const struct engine_budget budget = {
		.name = "all", .currency = "EUR", .limit_micros = 1600000, .period = LEDGER_PER_DAY};
	struct rig *rig = *state;
	struct job_ref first, second, third;

	with_budgets(rig, &budget, 1);
	first = order_clip(rig);
	second = order_clip(rig);
	third = order_clip(rig);
	assert_answer(cancel(rig, &second), 0);
	reply_to(rig, &first, 400, "failed reason=invalid_input bought=none");
	assert_state(rig, &third, JOB_STATE_STARTING);
}

static void what_is_too_dear_does_not_hold_up_what_is_cheaper(void **state)
{
	static const struct engine_budget budget = {
		.name = "all", .currency = "EUR", .limit_micros = 2000000, .period = LEDGER_PER_DAY};
	struct rig *rig = *state;
	struct job_ref dear, cheap;

	with_budgets(rig, &budget, 1);
	order_clip(rig);
	dear = order_clip(rig);
	cheap = order_seconds(rig, 2);
	assert_waits_for_money(rig, &dear);
	assert_state(rig, &cheap, JOB_STATE_STARTING);
}

/* A hundred thousand must not each find out for themselves. */
static void a_providers_queue_stands_still_when_a_budget_is_used_up(void **state)
{
	static const struct engine_budget budget = {
		.name = "all", .currency = "EUR", .limit_micros = 1600000, .period = LEDGER_PER_DAY};
	struct rig *rig = *state;
	struct job_ref first, waiters[12];
	size_t n = sizeof(waiters) / sizeof(waiters[0]);

	with_budgets(rig, &budget, 1);
	first = order_clip(rig);
	for (size_t i = 0; i < n; i++) {
		waiters[i] = order_clip(rig);
		assert_waits_for_money(rig, &waiters[i]);
	}
	assert_int_equal(count_tries(rig, waiters, n), LIMIT_ENGINE_BUDGET_TRIES);
	pass(rig, LIMIT_ENGINE_BUDGET_MS);
	assert_true(count_tries(rig, waiters, n) <= LIMIT_ENGINE_BUDGET_TRIES + rig->providers[0].concurrency);
	reply_to(rig, &first, 400, "failed reason=invalid_input bought=none");
	assert_int_equal(purchases(rig), 2);
}

static void a_new_day_has_room(void **state)
{
	static const struct engine_budget budget = {.name = "maker",
						    .currency = "EUR",
						    .limit_micros = 1600000,
						    .period = LEDGER_PER_DAY,
						    .provider = "maker"};
	struct rig *rig = *state;
	struct job_ref first, second;

	with_budgets(rig, &budget, 1);
	first = order_labelled(rig, "red");
	reply_to(rig, &first, 402, "failed reason=no_credit bought=made");
	second = order_labelled(rig, "red");
	assert_waits_for_money(rig, &second);
	for (int hours = 0; hours < 26 && look(rig, &second)->state == JOB_STATE_QUEUED; hours++)
		pass(rig, RIG_HOUR_MS);
	assert_state(rig, &second, JOB_STATE_STARTING);
	assert_true(ledger_day(now_ms()) > ledger_day(RIG_NOW_MS));
	assert_posted(rig, &second, RESERVED);
}

static void a_labels_budget_holds_up_its_own_jobs_alone(void **state)
{
	static const struct engine_budget budget = {.name = "red",
						    .currency = "EUR",
						    .limit_micros = 1600000,
						    .period = LEDGER_PER_MONTH,
						    .label_key = "team",
						    .label_value = "red"};
	struct rig *rig = *state;
	struct job_ref first, second, other;

	with_budgets(rig, &budget, 1);
	first = order_labelled(rig, "red");
	second = order_labelled(rig, "red");
	other = order_labelled(rig, "blue");
	assert_state(rig, &first, JOB_STATE_STARTING);
	assert_waits_for_money(rig, &second);
	assert_state(rig, &other, JOB_STATE_STARTING);
}

static struct answer *relabel(struct rig *rig, const struct job_ref *job, const char *team)
{
	const struct job_label label = LABEL("team", (uintptr_t)team);

	return update(rig, &(struct engine_update){.ref = *job, .has_labels = true, .labels = &label, .n_labels = 1});
}

static void what_is_relabelled_out_of_a_budget_waits_for_it_no_more(void **state)
{
	static const struct engine_budget budget = {.name = "red",
						    .currency = "EUR",
						    .limit_micros = 1600000,
						    .period = LEDGER_PER_MONTH,
						    .label_key = "team",
						    .label_value = "red"};
	struct rig *rig = *state;
	struct job_ref first, second, third;

	with_budgets(rig, &budget, 1);
	first = order_labelled(rig, "red");
	second = order_labelled(rig, "red");
	third = order_labelled(rig, "red");
	assert_waits_for_money(rig, &second);
	/* At once, not when its patience is over. */
	assert_answer(relabel(rig, &second, "blue"), 0);
	assert_state(rig, &second, JOB_STATE_STARTING);
	/* Its turn is not lost to those behind it. */
	reply_to(rig, &first, 400, "failed reason=invalid_input bought=none");
	assert_state(rig, &third, JOB_STATE_STARTING);
}

static void what_is_relabelled_into_a_budget_has_to_fit_into_it(void **state)
{
	static const struct engine_budget budget = {.name = "small",
						    .currency = "EUR",
						    .limit_micros = 1599999,
						    .period = LEDGER_PER_DAY,
						    .label_key = "team",
						    .label_value = "red"};
	struct rig *rig = *state;
	struct answer *answer;
	struct job_ref job;

	with_budgets(rig, &budget, 1);
	rig->providers[0].concurrency = 0;
	job = order_labelled(rig, "blue");
	answer = relabel(rig, &job, "red");
	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "labels");
	assert_non_null(strstr(answer->text, "'small'"));
	assert_string_equal(look(rig, &job)->labels[0].value, "blue");
	/* What was bought already is bought. */
	rig->providers[0].concurrency = 2;
	job = order_labelled(rig, "blue");
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_answer(relabel(rig, &job, "red"), 0);
}

static void what_no_budget_will_ever_have_room_for_is_refused_and_named(void **state)
{
	static const struct engine_budget budgets[] = {
		{.name = "small", .currency = "EUR", .limit_micros = 1599999, .period = LEDGER_PER_DAY},
		{.name = "strict",
		 .currency = "EUR",
		 .limit_micros = 9000000,
		 .period = LEDGER_PER_DAY,
		 .provider = "plain",
		 .refuses_unpriced = true}};
	struct rig *rig = *state;
	struct answer *answer = create(rig, &(struct engine_create){.request_id = "r1", .parameters = EIGHT_SECONDS});

	assert_answer(answer, 0);
	with_budgets(rig, budgets, 2);
	answer = create(rig, &(struct engine_create){.parameters = EIGHT_SECONDS});
	assert_answer(answer, ENGINE_E_INVALID);
	assert_non_null(strstr(answer->text, "'small'"));
	assert_string_equal(answer->field, "parameters");
	assert_answer(create(rig, &(struct engine_create){.parameters = EIGHT_SECONDS, .validate_only = true}),
		      ENGINE_E_INVALID);
	/* What was accepted stays accepted. */
	answer = create(rig, &(struct engine_create){.request_id = "r1", .parameters = EIGHT_SECONDS});
	assert_answer(answer, 0);
	assert_true(answer->is_replay);
	/* Its length, and with it its price, is not known. */
	answer = create(rig, &(struct engine_create){.provider = "plain"});
	assert_answer(answer, ENGINE_E_INVALID);
	assert_non_null(strstr(answer->text, "'strict'"));
	assert_answer(create(rig, &(struct engine_create){0}), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		story(what_a_budget_has_no_room_for_waits_until_there_is_some),
		story(room_is_used_when_it_comes_by_those_who_wait_first),
		story(what_was_settled_below_its_reservation_makes_room_too),
		story(a_turn_that_its_job_does_not_take_is_the_next_ones),
		story(what_is_too_dear_does_not_hold_up_what_is_cheaper),
		story(a_providers_queue_stands_still_when_a_budget_is_used_up),
		story(a_new_day_has_room),
		story(a_labels_budget_holds_up_its_own_jobs_alone),
		story(what_is_relabelled_out_of_a_budget_waits_for_it_no_more),
		story(what_is_relabelled_into_a_budget_has_to_fit_into_it),
		story(what_no_budget_will_ever_have_room_for_is_refused_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
