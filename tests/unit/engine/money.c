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
		story(what_was_never_sent_posts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
