/*
 * Fallbacks: who goes on with another provider, when, and who never does.
 */
#include "engine/rig.h"

#include "engine/breaker.h"

#define REFUSED "failed reason=invalid_input bought=none"

static const struct engine_route to_plain[] = {{.provider = "plain", .model = "clip"}};
static const struct engine_route to_maker[] = {{.provider = "maker", .model = "clip"}};

/* Of "maker", and then of "plain". */
static struct job_ref order_both(struct rig *rig)
{
	return order_with(rig, &(struct engine_create){.fallbacks = to_plain, .n_fallbacks = 1});
}

static const struct job *job_of(struct rig *rig, const struct job_ref *job)
{
	return get(rig, job)->view.job;
}

static void assert_at(struct rig *rig, const struct job_ref *job, const char *provider)
{
	assert_string_equal(job_of(rig, job)->provider, provider);
	assert_string_equal(job_ordered(job_of(rig, job)).provider, "maker");
}

static void assert_asks(struct rig *rig, const char *url)
{
	assert_string_equal(the_request(rig)->url, url);
}

static uint64_t count_in(struct rig *rig, size_t lane, enum job_state state)
{
	settle(rig);
	return metric_value(&rig->engine->lanes[lane].figures.jobs[state]);
}

static void what_one_refuses_is_ordered_from_the_next(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);
	const struct job_status *status;

	assert_at(rig, &job, "maker");
	assert_asks(rig, "https://maker.test/buy");
	reply(rig, 400, REFUSED);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_at(rig, &job, "plain");
	assert_asks(rig, "https://plain.test/buy");
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_string_equal(history(rig, &job), "queued preparing starting queued preparing starting running");

	status = look(rig, &job);
	assert_int_equal(status->n_attempts, 2);
	assert_string_equal(status->attempts[0].provider, "maker");
	assert_int_equal(status->attempts[0].failure.reason, JOB_REASON_INVALID_INPUT);
	assert_int_equal(status->attempts[0].failure.purchase, JOB_PURCHASE_NOTHING);
	assert_string_equal(status->attempts[1].provider, "plain");
	assert_string_equal(status->attempts[1].model, "clip");
	assert_int_equal(status->attempts[1].ended_ms, 0);
	assert_int_equal(status->n_notes, 1);
	assert_int_equal(status->notes[0].severity, JOB_NOTE_INFO);
	assert_string_equal(status->notes[0].from, "maker");
	assert_string_equal(status->notes[0].to, "plain");
	assert_int_equal(purchases(rig), 2);
}

static void each_is_counted_where_it_is(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	assert_int_equal(count_in(rig, 0, JOB_STATE_STARTING), 1);
	reply(rig, 400, REFUSED);
	assert_int_equal(count_in(rig, 0, JOB_STATE_STARTING), 0);
	assert_int_equal(count_in(rig, 0, JOB_STATE_QUEUED), 0);
	assert_int_equal(count_in(rig, 1, JOB_STATE_STARTING), 1);
	assert_int_equal(count_in(rig, 1, JOB_STATE_QUEUED), 0);
	assert_int_equal(provider(rig, "maker")->provider.running, 0);
	assert_int_equal(provider(rig, "plain")->provider.running, 1);
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
	assert_int_equal(provider(rig, "plain")->provider.queued, 0);
	reply(rig, 400, REFUSED);
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
	assert_int_equal(count_in(rig, 1, JOB_STATE_FAILED), 1);
	assert_int_equal(count_in(rig, 0, JOB_STATE_FAILED), 0);
	assert_int_equal(provider(rig, "plain")->provider.running, 0);
}

static void the_last_refusal_is_the_jobs(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	reply(rig, 400, REFUSED);
	reply(rig, 402, "failed reason=no_credit bought=none");
	assert_failed(rig, &job, JOB_REASON_NO_CREDIT, JOB_PURCHASE_NOTHING);
	assert_int_equal(look(rig, &job)->n_attempts, 2);
	assert_int_equal(look(rig, &job)->cost.source, JOB_COST_NOTHING);
}

static void one_without_fallbacks_fails_as_ever(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	assert_int_equal(job_of(rig, &job)->n_routes, 0);
	reply(rig, 400, REFUSED);
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
}

/* ---- never after ambiguous ---- */

static void a_lost_reply_is_no_refusal(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain",
								     .fallbacks = to_maker,
								     .n_fallbacks = 1,
								     .on_uncertain = JOB_UNCERTAIN_FAIL});

	lose_reply(rig);
	assert_failed(rig, &job, JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN);
	assert_string_equal(job_of(rig, &job)->provider, "plain");
	assert_int_equal(purchases(rig), 1);
}

/* The first attempt may have been bought, whatever becomes of the second. */
static void nor_is_the_refusal_of_an_order_made_again_in_doubt(void **state)
{
	static const char *const words[] = {REFUSED, "failed reason=auth", "failed reason=no_credit bought=none"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain",
									     .fallbacks = to_maker,
									     .n_fallbacks = 1,
									     .on_uncertain = JOB_UNCERTAIN_RESUBMIT});

		lose_reply(rig);
		pass_until(rig, look(rig, &job)->wait_until_ms);
		assert_state(rig, &job, JOB_STATE_STARTING);
		reply(rig, 403, words[i]);
		assert_string_equal(job_of(rig, &job)->provider, "plain");
		cancel(rig, &job);
		pass(rig, 2 * LIMIT_ENGINE_CREDENTIAL_MS);
	}
}

/* "maker" honours keys: the doubt goes on, and a refused key says nothing about the send before it. */
static void nor_is_a_refusal_while_an_earlier_send_is_undecided(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	lose_reply(rig);
	sleep_over(rig, &job);
	reply(rig, 401, "failed reason=auth");
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_at(rig, &job, "maker");
	for (int i = 0; i < LIMIT_ENGINE_ROUTE_TRIES + 1; i++) {
		sleep_over(rig, &job);
		refuse_to_connect(rig);
		assert_state(rig, &job, JOB_STATE_STARTING);
	}
	assert_at(rig, &job, "maker");
	sleep_over(rig, &job);
	reply(rig, 400, REFUSED);
	/* The key would have been replayed: nothing was bought after all. */
	assert_at(rig, &job, "plain");
}

static void what_was_bought_is_waited_for(void **state)
{
	static const char *const words[] = {"failed reason=moderated bought=made",
					    "failed reason=provider_fault bought=unknown"};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2; i++) {
		struct job_ref job = order_both(rig);

		reply(rig, 201, "accepted id=v1");
		sleep_over(rig, &job);
		reply(rig, 200, words[i]);
		assert_state(rig, &job, JOB_STATE_FAILED);
		assert_at(rig, &job, "maker");
	}
}

static void a_failure_that_cost_nothing_is_as_good_as_a_refusal(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=none");
	assert_at(rig, &job, "plain");
	assert_asks(rig, "https://plain.test/buy");
	reply(rig, 201, "accepted id=v2");
	sleep_over(rig, &job);
	/* Of the two, the plugin is shown its own. */
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, "v2");
}

/* What failed at the first is no video of the second, which does not know it. */
static void a_deletion_asks_the_provider_that_it_was_at_last(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=none");
	reply(rig, 400, REFUSED);
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE), 0);
	assert_int_equal(open_requests(rig), 0);
}

static void tries_at_the_same_place_come_first(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(
		rig, &(struct engine_create){.fallbacks = to_plain, .n_fallbacks = 1, .retry_if_uncharged = 1});

	reply(rig, 422, "failed reason=moderated bought=none");
	assert_at(rig, &job, "maker");
	pass_until(rig, look(rig, &job)->wait_until_ms);
	reply(rig, 422, "failed reason=moderated bought=none");
	assert_at(rig, &job, "plain");
}

static void whoever_is_to_be_cancelled_goes_nowhere(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	cancel(rig, &job);
	reply(rig, 400, REFUSED);
	assert_true(job_state_is_terminal(look(rig, &job)->state));
	assert_at(rig, &job, "maker");
	assert_int_equal(purchases(rig), 1);
}

/* Who has cancelled wants no other one, though the one there could not be stopped. */
static void nor_does_whoever_was_cancelled_too_late(void **state)
{
	struct rig *rig = *state;

	for (int wished = 0; wished < 2; wished++) {
		struct job_ref job = order_both(rig);

		if (wished)
			cancel(rig, &job);
		reply(rig, 201, "accepted id=v1");
		if (!wished)
			cancel(rig, &job);
		reply(rig, 409, "cancelled achieved=too_late");
		assert_state(rig, &job, JOB_STATE_RUNNING);
		crash_and_restart(rig);
		sleep_over(rig, &job);
		reply(rig, 200, "failed reason=moderated bought=none");
		assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_NOTHING);
		assert_at(rig, &job, "maker");
	}
	assert_int_equal(purchases(rig), 2);
}

/* ---- what passes, and what lasts ---- */

static void one_that_cannot_be_reached_is_tried_a_few_times(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	for (int i = 1; i < LIMIT_ENGINE_ROUTE_TRIES; i++) {
		refuse_to_connect(rig);
		assert_state(rig, &job, JOB_STATE_QUEUED);
		assert_at(rig, &job, "maker");
		pass_until(rig, look(rig, &job)->wait_until_ms);
	}
	refuse_to_connect(rig);
	assert_at(rig, &job, "plain");
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(look(rig, &job)->attempts[0].failure.reason, JOB_REASON_UNAVAILABLE);
}

static void the_count_survives_a_restart_and_begins_anew_elsewhere(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	for (int i = 1; i < LIMIT_ENGINE_ROUTE_TRIES; i++) {
		refuse_to_connect(rig);
		pass_until(rig, look(rig, &job)->wait_until_ms);
	}
	refuse_to_connect(rig);
	crash_and_restart(rig);
	assert_at(rig, &job, "plain");
	assert_int_equal(look(rig, &job)->misses, 0);
}

static void a_short_pause_is_waited_for_and_a_long_one_is_not(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	reply_later(rig, 429, LIMIT_ENGINE_ROUTE_WAIT_MS / 1000, "trouble reason=rate_limited after=60000");
	assert_at(rig, &job, "maker");
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_RATE_LIMIT);
	pass(rig, LIMIT_ENGINE_ROUTE_WAIT_MS + 1);
	assert_asks(rig, "https://maker.test/buy");
	reply(rig, 429, "trouble reason=rate_limited after=60001");
	assert_at(rig, &job, "plain");
}

static void a_refused_key_moves_all_who_may_and_nobody_else(void **state)
{
	struct rig *rig = *state;
	struct job_ref first, may, stays;

	rig->providers[0].concurrency = 1;
	crash_and_restart(rig);
	first = order_both(rig);
	may = order_both(rig);
	stays = order(rig);
	assert_state(rig, &may, JOB_STATE_QUEUED);
	reply(rig, 401, "failed reason=auth");
	settle(rig);
	assert_at(rig, &first, "plain");
	assert_at(rig, &may, "plain");
	assert_at(rig, &stays, "maker");
	assert_int_equal(look(rig, &stays)->wait, JOB_WAIT_CREDENTIAL);
	assert_int_equal(open_requests(rig), 2);
	assert_int_equal(provider(rig, "maker")->provider.queued, 1);
	/* Who comes now goes on, too, a moment later. */
	may = order_both(rig);
	pass(rig, LIMIT_ENGINE_ROUTE_SWEEP_MS);
	assert_at(rig, &may, "plain");
	/* Nothing was tried at the first: there is no attempt of it. */
	assert_int_equal(look(rig, &may)->n_attempts, 1);
	assert_string_equal(look(rig, &may)->attempts[0].provider, "plain");
}

static void an_open_breaker_moves_who_waits_behind_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref first, second;

	rig->providers[0].breaker_failures = 1;
	rig->providers[0].concurrency = 1;
	crash_and_restart(rig);
	first = order(rig);
	second = order_both(rig);
	refuse_to_connect(rig);
	settle(rig);
	assert_at(rig, &first, "maker");
	assert_at(rig, &second, "plain");
}

/* At the start, and when its pause is over, though nothing wakes that provider. */
static void whoever_waits_for_a_plugin_that_is_gone_goes_elsewhere(void **state)
{
	struct rig *rig = *state;
	struct job_ref ready, pausing;

	rig->providers[0].concurrency = 1;
	crash_and_restart(rig);
	pausing = order_both(rig);
	refuse_to_connect(rig);
	assert_true(look(rig, &pausing)->wait_until_ms > 0);
	order(rig);
	ready = order_both(rig);
	rig->providers[0].plugin = NULL;
	rig->providers[0].problem = "its key is malformed";
	crash_and_restart(rig);
	assert_at(rig, &ready, "plain");
	pass(rig, LIMIT_ENGINE_BACKOFF_CAP_MS);
	assert_at(rig, &pausing, "plain");
}

/* "maker", "plain" and "third", or @without "plain" the others alone, from the next start on. */
static void configure_three(struct rig *rig, bool without)
{
	static struct engine_provider_config providers[3];

	providers[0] = rig->providers[0];
	providers[1] = providers[2] = rig->providers[1];
	providers[without ? 1 : 2].id = "third";
	rig->config.providers = providers;
	rig->config.n_providers = without ? 2 : 3;
	crash_and_restart(rig);
}

static const struct engine_route to_plain_and_third[] = {{.provider = "plain", .model = "clip"},
							 {.provider = "third", .model = "clip"}};

static void one_that_is_configured_no_more_is_passed_over(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	configure_three(rig, false);
	job = order_with(rig, &(struct engine_create){.fallbacks = to_plain_and_third, .n_fallbacks = 2});
	reply(rig, 503, "trouble reason=unavailable bought=none");
	configure_three(rig, true);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	reply(rig, 400, REFUSED);
	assert_at(rig, &job, "third");
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(look(rig, &job)->n_attempts, 2);
}

/* It may be there again one day; and what passes is better waited for at a provider that is. */
static void one_that_is_not_configured_is_gone_to_last_and_after_a_refusal_alone(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	reply(rig, 503, "trouble reason=unavailable bought=none");
	rig->config.n_providers = 1;
	crash_and_restart(rig);
	for (int i = 0; i < LIMIT_ENGINE_ROUTE_TRIES + 1; i++) {
		pass_until(rig, look(rig, &job)->wait_until_ms);
		refuse_to_connect(rig);
		assert_at(rig, &job, "maker");
	}
	pass_until(rig, look(rig, &job)->wait_until_ms);
	reply(rig, 400, REFUSED);
	assert_at(rig, &job, "plain");
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_PLUGIN_MISSING);
	rig->config.n_providers = 2;
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
}

static void a_full_house_is_waited_for(void **state)
{
	struct rig *rig = *state;
	struct job_ref first, second;

	rig->providers[0].concurrency = 1;
	crash_and_restart(rig);
	first = order_both(rig);
	second = order_both(rig);
	pass(rig, RIG_HOUR_MS / 2);
	assert_at(rig, &first, "maker");
	assert_at(rig, &second, "maker");
	assert_int_equal(look(rig, &second)->wait, JOB_WAIT_CAPACITY);
}

static void a_disk_that_is_slow_is_waited_for(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	job = order_both(rig);
	for (int i = 0; i < LIMIT_ENGINE_ROUTE_TRIES; i++) {
		break_disk(rig);
		reply(rig, 200, "buy");
		pass(rig, LIMIT_ENGINE_INTENT_MS + 1);
		mend_disk(rig);
		assert_state(rig, &job, JOB_STATE_QUEUED);
		assert_at(rig, &job, "maker");
		pass_until(rig, look(rig, &job)->wait_until_ms);
	}
	reply(rig, 200, "buy");
	assert_asks(rig, "https://maker.test/buy");
	assert_int_equal(purchases(rig), 1);
}

/* ---- money ---- */

static void assert_counted(struct rig *rig, size_t lane, uint64_t reserved_micros)
{
	const struct figures *figures = &rig->engine->lanes[lane].figures;

	settle(rig);
	assert_int_equal(figures->n_currencies ? figures->money[0].reserved_micros : 0, reserved_micros);
}

#define EIGHT_SECONDS "{\"prompt\":\"a fox\",\"duration_ms\":8000}" /* 1.6 EUR */

static struct job_ref order_priced(struct rig *rig)
{
	return order_with(
		rig, &(struct engine_create){.parameters = EIGHT_SECONDS, .fallbacks = to_plain, .n_fallbacks = 1});
}

static void what_is_reserved_is_the_routes(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_priced(rig);

	assert_counted(rig, 0, 1600000);
	assert_counted(rig, 1, 0);
	reply(rig, 400, REFUSED);
	assert_counted(rig, 0, 0);
	assert_counted(rig, 1, 1600000);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_PENDING);
	assert_int_equal(look(rig, &job)->money.attempt, 2);
	reply(rig, 400, REFUSED);
	assert_counted(rig, 1, 0);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_NONE);
}

/* That of the first has room, that of the second has none while another order holds it. */
static void a_budget_is_that_of_the_route(void **state)
{
	static const struct engine_budget budget = {.name = "plain",
						    .currency = "EUR",
						    .limit_micros = 2000000,
						    .period = LEDGER_PER_DAY,
						    .provider = "plain"};
	struct rig *rig = *state;
	struct job_ref holder, job;

	rig->config.budgets = &budget;
	rig->config.n_budgets = 1;
	crash_and_restart(rig);
	holder = order_with(rig, &(struct engine_create){.provider = "plain", .parameters = EIGHT_SECONDS});
	assert_state(rig, &holder, JOB_STATE_STARTING);
	job = order_priced(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	reply_to(rig, &job, 400, REFUSED);
	assert_at(rig, &job, "plain");
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BUDGET);
	reply_to(rig, &holder, 400, REFUSED);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(look(rig, &job)->money.reserved_micros, 1600000);
}

static void an_order_that_a_fallbacks_budget_can_never_take_is_refused(void **state)
{
	static const struct engine_budget budget = {.name = "plain",
						    .currency = "EUR",
						    .limit_micros = 1000000,
						    .period = LEDGER_PER_DAY,
						    .provider = "plain"};
	struct rig *rig = *state;
	struct answer *answer;

	rig->config.budgets = &budget;
	rig->config.n_budgets = 1;
	crash_and_restart(rig);
	answer = create(rig,
			&(struct engine_create){.parameters = EIGHT_SECONDS, .fallbacks = to_plain, .n_fallbacks = 1});
	assert_answer(answer, ENGINE_E_INVALID);
	assert_non_null(strstr(answer->text, "for the fallback to 'plain'"));
	assert_non_null(strstr(answer->text, "the whole budget 'plain'"));
}

/* ---- on disk ---- */

static void a_move_is_whole_or_not_at_all(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	rig_photograph(rig);
	reply(rig, 400, REFUSED);
	assert_at(rig, &job, "plain");
	crash_and_restart(rig);
	/* The reply was not stored: "maker" is asked again, under the same key. */
	assert_at(rig, &job, "maker");
	sleep_over(rig, &job);
	assert_asks(rig, "https://maker.test/buy");
	reply(rig, 400, REFUSED);
	crash_and_restart(rig);
	assert_at(rig, &job, "plain");
	assert_int_equal(look(rig, &job)->attempts[0].failure.reason, JOB_REASON_INVALID_INPUT);
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
}

static void a_change_that_was_not_stored_moves_nobody(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);

	break_disk(rig);
	reply(rig, 400, REFUSED);
	crash_and_restart(rig);
	assert_at(rig, &job, "maker");
}

static void a_retry_has_the_same_routes_from_the_first(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_both(rig);
	struct answer *again;

	reply(rig, 400, REFUSED);
	reply(rig, 400, REFUSED);
	again = retry(rig, &job, "again");
	assert_answer(again, 0);
	assert_string_equal(again->view.job->provider, "maker");
	assert_int_equal(again->view.job->n_routes, 2);
	assert_string_equal(again->view.job->routes[1].provider, "plain");
}

/* ---- acceptance ---- */

static void fallbacks_are_part_of_the_request(void **state)
{
	struct rig *rig = *state;
	struct engine_create asked = {.request_id = "r1", .fallbacks = to_plain, .n_fallbacks = 1};

	assert_answer(create(rig, &asked), 0);
	assert_true(create(rig, &asked)->is_replay);
	asked.n_fallbacks = 0;
	assert_answer(create(rig, &asked), ENGINE_E_REQUEST_REUSED);
}

static void a_fallback_must_be_usable_and_take_the_order(void **state)
{
	static const struct engine_route unknown = {.provider = "nobody", .model = "clip"},
					 twice = {.provider = "maker", .model = ""},
					 model = {.provider = "plain", .model = "opera"};
	static const struct {
		const struct engine_route *route;
		const char *field, *text;
	} rows[] = {
		{&unknown, "fallbacks[0].provider", "there is no provider 'nobody'"},
		{&twice, "fallbacks[0]", "named twice"},
		{&model, "fallbacks[0].model", "for the fallback to 'plain'"},
	};
	struct rig *rig = *state;
	struct answer *answer;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = create(rig, &(struct engine_create){.fallbacks = rows[i].route, .n_fallbacks = 1});
		assert_answer(answer, ENGINE_E_INVALID);
		assert_string_equal(answer->field, rows[i].field);
		assert_non_null(strstr(answer->text, rows[i].text));
	}
	rig->providers[1].plugin = NULL;
	rig->providers[1].problem = "its key is malformed";
	crash_and_restart(rig);
	answer = create(rig, &(struct engine_create){.fallbacks = to_plain, .n_fallbacks = 1});
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_non_null(strstr(answer->text, "'plain'"));
	assert_non_null(strstr(answer->text, "its key is malformed"));
	assert_non_null(strstr(answer->text, "leave this fallback out"));
}

static void each_plugin_is_asked_about_the_order(void **state)
{
	struct rig *rig = *state;
	struct answer *answer;

	rig->plugins[1].begin[PLUGIN_VERB_CHECK] = "failed reason=invalid_input message=no-foxes-here";
	rig->providers[1].checks = &rig->checkers[1];
	crash_and_restart(rig);
	answer = create(rig, &(struct engine_create){.fallbacks = to_plain, .n_fallbacks = 1});
	assert_answer(answer, ENGINE_E_INVALID);
	assert_non_null(strstr(answer->text, "for the fallback to 'plain'"));
	assert_non_null(strstr(answer->text, "no-foxes-here"));
	assert_answer(create(rig, &(struct engine_create){0}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(what_one_refuses_is_ordered_from_the_next),
		story(each_is_counted_where_it_is),
		story(the_last_refusal_is_the_jobs),
		story(one_without_fallbacks_fails_as_ever),
		story(a_lost_reply_is_no_refusal),
		story(nor_is_the_refusal_of_an_order_made_again_in_doubt),
		story(nor_is_a_refusal_while_an_earlier_send_is_undecided),
		story(what_was_bought_is_waited_for),
		story(a_failure_that_cost_nothing_is_as_good_as_a_refusal),
		story(a_deletion_asks_the_provider_that_it_was_at_last),
		story(tries_at_the_same_place_come_first),
		story(whoever_is_to_be_cancelled_goes_nowhere),
		story(nor_does_whoever_was_cancelled_too_late),
		story(one_that_cannot_be_reached_is_tried_a_few_times),
		story(the_count_survives_a_restart_and_begins_anew_elsewhere),
		story(a_short_pause_is_waited_for_and_a_long_one_is_not),
		story(a_refused_key_moves_all_who_may_and_nobody_else),
		story(an_open_breaker_moves_who_waits_behind_it),
		story(whoever_waits_for_a_plugin_that_is_gone_goes_elsewhere),
		story(one_that_is_configured_no_more_is_passed_over),
		story(one_that_is_not_configured_is_gone_to_last_and_after_a_refusal_alone),
		story(a_full_house_is_waited_for),
		story(a_disk_that_is_slow_is_waited_for),
		story(what_is_reserved_is_the_routes),
		story(a_budget_is_that_of_the_route),
		story(an_order_that_a_fallbacks_budget_can_never_take_is_refused),
		story(a_move_is_whole_or_not_at_all),
		story(a_change_that_was_not_stored_moves_nobody),
		story(a_retry_has_the_same_routes_from_the_first),
		story(fallbacks_are_part_of_the_request),
		story(a_fallback_must_be_usable_and_take_the_order),
		story(each_plugin_is_asked_about_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
