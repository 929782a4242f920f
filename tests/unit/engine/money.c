/*
 * What each exit of a purchase posts: reserved once before it leaves, settled once, released when nothing was bought.
 */
#include "engine/rig.h"

#define EIGHT_SECONDS "{\"prompt\":\"a fox\",\"duration_ms\":8000}" /* 1.6 EUR, as the clip's price says */

struct listing {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there;
	char text[2048];
	struct store_ledger_check check;
};

static void tell(struct listing *listing)
{
	pthread_mutex_lock(&listing->mutex);
	listing->is_there = true;
	pthread_cond_signal(&listing->changed);
	pthread_mutex_unlock(&listing->mutex);
}

static void hear(struct listing *listing)
{
	pthread_mutex_lock(&listing->mutex);
	while (!listing->is_there)
		pthread_cond_wait(&listing->changed, &listing->mutex);
	pthread_mutex_unlock(&listing->mutex);
}

static void on_entries(void *userdata, int outcome, const struct ledger_entry *entries, size_t n, bool more)
{
	struct listing *listing = userdata;
	size_t len = 0;

	assert_int_equal(outcome, 0);
	assert_false(more);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(listing->text + len, sizeof(listing->text) - len, "%s%s %lld %s%s",
					i ? ", " : "", ledger_kind_name(entries[i].kind),
					(long long)entries[i].amount_micros, entries[i].currency,
					entries[i].flags & LEDGER_IS_UNCONFIRMED ? "?" : "");
	tell(listing);
}

static void on_check(void *userdata, int outcome, const struct store_ledger_check *found)
{
	struct listing *listing = userdata;

	assert_int_equal(outcome, 0);
	listing->check = *found;
	tell(listing);
}

static void assert_posted(struct rig *rig, const struct job_ref *job, const char *expected)
{
	struct listing listing = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	const struct store_ledger_query query = {.is_single = true, .ref = *job};

	settle(rig);
	store_list_ledger(rig->engine->store, &query, on_entries, &listing);
	hear(&listing);
	assert_string_equal(listing.text, expected);
	listing.is_there = false;
	store_check_ledger(rig->engine->store, job->tenant, on_check, &listing);
	hear(&listing);
	assert_int_equal(listing.check.leaked, 0);
	assert_int_equal(listing.check.unbalanced, 0);
}

static struct job_ref order_clip(struct rig *rig)
{
	return order_with(rig, &(struct engine_create){.parameters = EIGHT_SECONDS});
}

static struct job_ref run_clip(struct rig *rig)
{
	struct job_ref job = order_clip(rig);

	reply(rig, 201, "accepted id=v1");
	assert_posted(rig, &job, "reserve 1600000 EUR");
	return job;
}

#define RESERVED "reserve 1600000 EUR"
#define RELEASED RESERVED ", release 1600000 EUR"

static void a_purchase_is_reserved_before_it_leaves(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_clip(rig);

	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_posted(rig, &job, RESERVED);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_PENDING);
	assert_int_equal(look(rig, &job)->money.reserved_micros, 1600000);
}

/* If the reservation cannot be written, nothing is sent. */
static void what_cannot_be_reserved_is_not_sent(void **state)
{
	struct rig *rig = *state;

	break_disk(rig);
	create(rig, &(struct engine_create){.parameters = EIGHT_SECONDS});
	assert_int_equal(purchases(rig), 0);
}

static void success_settles_what_was_delivered_and_releases_the_rest(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	assert_posted(rig, &job, RESERVED);
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_posted(rig, &job, RESERVED ", settle 300000 EUR, release 1300000 EUR");
	crash_and_restart(rig);
	assert_posted(rig, &job, RESERVED ", settle 300000 EUR, release 1300000 EUR");
}

static void what_the_provider_charges_in_another_currency_is_posted_in_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=123456");
	deliver(rig, a_video());
	assert_posted(rig, &job, RELEASED ", excess 123456 USD");
}

struct refusal {
	int status;
	const char *words;
	const char *posted;
};

static void an_answer_to_the_purchase_posts_what_it_says_was_bought(void **state)
{
	static const struct refusal refusals[] = {
		{400, "failed reason=invalid_input bought=none", RELEASED},
		{429, "failed reason=rate_limited bought=none after=5000", RELEASED},
		{402, "failed reason=no_credit bought=made", RESERVED ", settle 1600000 EUR?"},
		{500, "failed reason=provider_fault bought=unknown", RESERVED},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct job_ref job = order_clip(rig);

		reply_to(rig, &job, refusals[i].status, refusals[i].words);
		assert_posted(rig, &job, refusals[i].posted);
		pass(rig, 10000);
	}
}

static void what_did_not_leave_is_released_and_reserved_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_clip(rig);

	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_posted(rig, &job, RELEASED);
	pass(rig, 120000);
	assert_posted(rig, &job, RELEASED ", " RESERVED);
}

static void a_repeat_under_the_same_key_and_a_restart_reserve_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_clip(rig);

	lose_reply(rig);
	assert_posted(rig, &job, RESERVED);
	sleep_over(rig, &job);
	assert_int_equal(purchases(rig), 2);
	assert_posted(rig, &job, RESERVED);
	crash_and_restart(rig);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_posted(rig, &job, RESERVED);
}

static void polls_updates_and_a_cancel_that_is_too_late_post_nothing(void **state)
{
	static const struct job_label label = LABEL("team", "red");
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "wait permille=500 status=busy");
	assert_answer(update(rig,
			     &(struct engine_update){.ref = job, .has_labels = true, .labels = &label, .n_labels = 1}),
		      0);
	assert_posted(rig, &job, RESERVED);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_answer(cancel(rig, &job), 0);
	assert_posted(rig, &job, RESERVED ", settle 300000 EUR, release 1300000 EUR");
}

static void a_failure_after_the_purchase_is_spent_unless_nothing_was_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=made");
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");
	assert_true(look(rig, &job)->money.is_unconfirmed);

	job = run_clip(rig);
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=provider_fault bought=none");
	assert_posted(rig, &job, RELEASED);
}

static struct job_ref uncertain_clip(struct rig *rig)
{
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain", .parameters = EIGHT_SECONDS});

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_posted(rig, &job, RESERVED);
	return job;
}

static void what_a_person_decides_is_posted(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_clip(rig);

	assert_answer(resolve(rig, &(struct engine_resolve){.ref = job, .resolution = ENGINE_RESOLUTION_GIVE_UP}), 0);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");

	job = uncertain_clip(rig);
	assert_answer(resolve(rig, &(struct engine_resolve){.ref = job, .resolution = ENGINE_RESOLUTION_ABSENT}), 0);
	/* It is ordered again at once, as another attempt. */
	assert_posted(rig, &job, RELEASED ", " RESERVED);
}

/* Nobody knows whether the first was bought, so it counts as spent; the second is a purchase of its own. */
static void what_is_ordered_again_in_doubt_is_reserved_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain",
								     .parameters = EIGHT_SECONDS,
								     .on_uncertain = JOB_UNCERTAIN_RESUBMIT});

	lose_reply(rig);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?, " RESERVED);
	reply(rig, 422, "failed reason=moderated bought=none");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_UNKNOWN);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?, " RELEASED);
}

static void what_cost_nothing_is_released_before_it_is_tried_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig,
					&(struct engine_create){.parameters = EIGHT_SECONDS, .retry_if_uncharged = 1});

	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=none");
	assert_posted(rig, &job, RELEASED);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_posted(rig, &job, RELEASED ", " RESERVED);
}

static void what_was_never_sent_posts_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order_clip(rig);
	assert_answer(cancel(rig, &job), 0);
	assert_posted(rig, &job, "");
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_NONE);
}

/* ---- an end that the provider does not hear of ---- */

static struct job_ref detached_clip(struct rig *rig)
{
	struct job_ref job = run_clip(rig);

	rig->plugins[0].cannot[PLUGIN_VERB_CANCEL] = true;
	assert_answer(cancel(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_posted(rig, &job, RESERVED);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_PENDING);
	assert_int_equal(open_requests(rig), 0);
	return job;
}

static void assert_settled(struct rig *rig, const struct job_ref *job, const char *posted, bool is_unconfirmed)
{
	assert_posted(rig, job, posted);
	assert_int_equal(look(rig, job)->money.is_unconfirmed, is_unconfirmed);
	assert_int_equal(look(rig, job)->money.awaited_until_ms, 0);
	crash_and_restart(rig);
	assert_false(is_asleep(rig, job));
	assert_posted(rig, job, posted);
}

static void what_a_detached_job_came_to_is_heard_later_and_across_a_restart(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);
	uint64_t revision;

	crash_and_restart(rig);
	assert_int_equal(sleep_over(rig, &job), LIMIT_ENGINE_AWAIT_FIRST_MS);
	revision = look(rig, &job)->revision;
	reply(rig, 200, "wait permille=500 status=busy");
	assert_int_equal(look(rig, &job)->revision, revision);
	assert_true(sleep_over(rig, &job) > LIMIT_ENGINE_AWAIT_FIRST_MS);
	reply(rig, 500, "fault");
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=123456");
	assert_int_equal(open_requests(rig), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_int_equal(look(rig, &job)->revision, revision + 1);
	assert_settled(rig, &job, RELEASED ", excess 123456 USD", false);
}

static void a_detached_job_that_failed_for_nothing_costs_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.parameters = EIGHT_SECONDS,
								     .timeout_ms = RIG_HOUR_MS});

	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	pass(rig, RIG_HOUR_MS);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
	assert_posted(rig, &job, RESERVED);
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=provider_fault bought=none");
	assert_state(rig, &job, JOB_STATE_EXPIRED);
	assert_settled(rig, &job, RELEASED, false);
}

static void what_nobody_says_in_a_day_counts_as_spent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 503, "trouble reason=unavailable");
	pass(rig, LIMIT_ENGINE_AWAIT_MS);
	assert_int_equal(open_requests(rig), 0);
	assert_settled(rig, &job, RESERVED ", settle 1600000 EUR?", true);
}

static void a_detached_job_that_is_deleted_is_settled_with_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);

	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");
	pass(rig, LIMIT_ENGINE_AWAIT_MS);
	assert_int_equal(open_requests(rig), 0);
}

static struct request *oldest_request(struct rig *rig)
{
	struct request *request;

	pthread_mutex_lock(&rig->http.mutex);
	for (request = rig->http.requests; request && request->is_ended;)
		request = request->next;
	pthread_mutex_unlock(&rig->http.mutex);
	assert_non_null(request);
	return request;
}

struct ledger_check_answer {
	atomic_uint times;
	int outcome;
	char text[128];
};

static void on_ledger_check(void *userdata, int outcome, const struct engine_error *error,
			    const struct store_ledger_check *found)
{
	struct ledger_check_answer *answer = userdata;

	answer->outcome = outcome;
	snprintf(answer->text, sizeof(answer->text), "%s", error ? error->text : "");
	assert_true(outcome != 0 || found->jobs == 1);
	atomic_fetch_add(&answer->times, 1);
}

static bool is_checked(struct rig *rig, void *userdata)
{
	struct ledger_check_answer *answer = userdata;

	(void)rig;
	return atomic_load(&answer->times) > 0;
}

/* Each keeps one of few reader threads: two would leave none for anybody else. */
static void one_check_of_the_ledger_at_a_time(void **state)
{
	struct rig *rig = *state;

	order_clip(rig);
	for (int i = 0; i < 2; i++) {
		struct ledger_check_answer first = {0}, second = {0};

		hold_readers(rig);
		engine_check_ledger(rig->engine, JOB_TENANT_DEFAULT, on_ledger_check, &first);
		engine_check_ledger(rig->engine, JOB_TENANT_DEFAULT, on_ledger_check, &second);
		assert_int_equal(atomic_load(&second.times), 1);
		assert_int_equal(second.outcome, ENGINE_E_STATE);
		assert_non_null(strstr(second.text, "checked already"));
		release_readers(rig);
		await_engine(rig, is_checked, &first);
		assert_int_equal(first.outcome, 0);
	}
}

#define MANY (LIMIT_ENGINE_AWAIT_AT_ONCE + 3)

static void so_many_are_asked_about_at_once_and_each_has_its_turn(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[MANY];

	for (size_t i = 0; i < MANY; i++)
		jobs[i] = detached_clip(rig);
	crash_and_restart(rig);
	pass(rig, LIMIT_ENGINE_AWAIT_FIRST_MS);
	assert_int_equal(open_requests(rig), LIMIT_ENGINE_AWAIT_AT_ONCE);
	pass(rig, LIMIT_ENGINE_AWAIT_TURN_MS);
	assert_int_equal(open_requests(rig), LIMIT_ENGINE_AWAIT_AT_ONCE);
	assert_answer(delete_job(rig, &jobs[0], ENGINE_DELETE_KEEP_REMOTE), 0);
	for (size_t left = MANY - 1; left > 0; left--) {
		pass(rig, LIMIT_ENGINE_AWAIT_TURN_MS);
		assert_int_equal(open_requests(rig),
				 left < LIMIT_ENGINE_AWAIT_AT_ONCE ? left : LIMIT_ENGINE_AWAIT_AT_ONCE);
		answer_request(rig, oldest_request(rig),
			       &(struct said){.status = 200, .body = "done video=https://maker.test/file/1 cost=1"});
	}
	assert_int_equal(open_requests(rig), 0);
	for (size_t i = 1; i < MANY; i++)
		assert_int_equal(look(rig, &jobs[i])->money.settlement, JOB_SETTLEMENT_FINAL);
}

static void what_it_came_to_is_not_asked_without_end(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);

	sleep_over(rig, &job);
	for (int i = 0; i < LIMIT_ENGINE_POLL_HOPS; i++)
		reply(rig, 200, "read");
	assert_int_equal(open_requests(rig), 0);
	assert_true(sleep_over(rig, &job) > LIMIT_ENGINE_AWAIT_FIRST_MS);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=123456");
	assert_settled(rig, &job, RELEASED ", excess 123456 USD", false);
}

/* ---- budgets ---- */

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
	rig->providers[0].concurrency = 1;
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
		story(a_purchase_is_reserved_before_it_leaves),
		story(what_cannot_be_reserved_is_not_sent),
		story(success_settles_what_was_delivered_and_releases_the_rest),
		story(what_the_provider_charges_in_another_currency_is_posted_in_it),
		story(an_answer_to_the_purchase_posts_what_it_says_was_bought),
		story(what_did_not_leave_is_released_and_reserved_anew),
		story(a_repeat_under_the_same_key_and_a_restart_reserve_nothing),
		story(polls_updates_and_a_cancel_that_is_too_late_post_nothing),
		story(a_failure_after_the_purchase_is_spent_unless_nothing_was_bought),
		story(what_a_person_decides_is_posted),
		story(what_is_ordered_again_in_doubt_is_reserved_again),
		story(what_cost_nothing_is_released_before_it_is_tried_again),
		story(what_was_never_sent_posts_nothing),
		story(what_a_detached_job_came_to_is_heard_later_and_across_a_restart),
		story(a_detached_job_that_failed_for_nothing_costs_nothing),
		story(what_nobody_says_in_a_day_counts_as_spent),
		story(so_many_are_asked_about_at_once_and_each_has_its_turn),
		story(one_check_of_the_ledger_at_a_time),
		story(what_it_came_to_is_not_asked_without_end),
		story(a_detached_job_that_is_deleted_is_settled_with_it),
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
