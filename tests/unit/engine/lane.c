/*
 * The queue of a provider: who goes next, how many at once, and when it looks again.
 */
#include "engine/rig.h"

#define REFUSED "failed reason=invalid_input" /* an end that frees a slot */

/* The order in which the purchases of @n jobs left, by their position in @jobs; 0 for those that did not. */
static void order_of_purchases(struct rig *rig, const struct job_ref *jobs, size_t n, size_t *ret)
{
	size_t place = 0;

	memset(ret, 0, n * sizeof(*ret));
	for (const struct request *request = rig->http.requests; request; request = request->next) {
		char id[ID_TEXT_SIZE];

		place++;
		for (size_t i = 0; i < n; i++) {
			id_format(&jobs[i].id, id);
			if (request->body && strstr(request->body, id))
				ret[i] = place;
		}
	}
}

static struct job_ref order_of_priority(struct rig *rig, int32_t priority)
{
	pass(rig, 1);
	return order_with(rig, &(struct engine_create){.priority = priority});
}

static void one_lane(struct rig *rig, uint32_t concurrency)
{
	rig->providers[0].concurrency = concurrency;
}

static void the_more_urgent_goes_first_and_the_older_among_equals(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[5];
	size_t places[5];

	one_lane(rig, 1);
	jobs[0] = order_of_priority(rig, 0);
	jobs[1] = order_of_priority(rig, 0);
	jobs[2] = order_of_priority(rig, -1);
	jobs[3] = order_of_priority(rig, 7);
	jobs[4] = order_of_priority(rig, 0);
	for (int i = 0; i < 5; i++)
		reply(rig, 422, REFUSED);
	order_of_purchases(rig, jobs, 5, places);
	assert_int_equal(places[0], 1);
	assert_int_equal(places[3], 2);
	assert_int_equal(places[1], 3);
	assert_int_equal(places[4], 4);
	assert_int_equal(places[2], 5);
}

static void a_job_whose_priority_is_raised_overtakes(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[3];
	size_t places[3];

	one_lane(rig, 1);
	for (size_t i = 0; i < 3; i++)
		jobs[i] = order_of_priority(rig, 0);
	assert_answer(update(rig, &(struct engine_update){.ref = jobs[2], .has_priority = true, .priority = 1}), 0);
	reply(rig, 422, REFUSED);
	reply(rig, 422, REFUSED);
	order_of_purchases(rig, jobs, 3, places);
	assert_int_equal(places[2], 2);
	assert_int_equal(places[1], 3);
}

/* More jobs than memory holds of the queue, in their order, and never more at once than allowed. */
static void many_jobs_go_through_few_slots_in_their_order(void **state)
{
	enum { MANY = 2 * LIMIT_ENGINE_WINDOW + 10, SLOTS = 3 };
	struct rig *rig = *state;
	struct job_ref jobs[MANY];
	size_t places[MANY];

	one_lane(rig, 0);
	for (size_t i = 0; i < MANY; i++)
		jobs[i] = order_of_priority(rig, 0);
	one_lane(rig, SLOTS);
	order_with(rig, &(struct engine_create){.priority = -5});
	for (size_t i = 0; i < MANY; i++) {
		size_t open = open_requests(rig);

		assert_true(open <= SLOTS && open == provider(rig, "maker")->provider.running);
		answer_request(rig, request_of(rig, &jobs[i]), &(struct said){.status = 422, .body = REFUSED});
	}
	order_of_purchases(rig, jobs, MANY, places);
	/* Those that begin at the same time are as quick as their reading is. */
	for (size_t i = 0; i < MANY; i++)
		assert_in_range(places[i] + SLOTS, i + 2, i + 2 * SLOTS);
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
}

static void what_is_urgent_overtakes_a_full_window(void **state)
{
	struct rig *rig = *state;
	struct job_ref urgent;
	size_t place;

	one_lane(rig, 1);
	for (size_t i = 0; i < LIMIT_ENGINE_WINDOW + 5; i++)
		order_of_priority(rig, 0);
	reply(rig, 422, REFUSED);
	urgent = order_of_priority(rig, 1);
	reply(rig, 422, REFUSED);
	order_of_purchases(rig, &urgent, 1, &place);
	assert_int_equal(place, 3);
}

/* Every end gives its slot to the next. */
static void each_end_frees_its_slot(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 1;
	rig->providers[1].concurrency = 1;
	for (int i = 0; i < 2; i++)
		succeeded_job(rig);
	/* What those that have ended came to is asked for without a slot, and here without a request. */
	rig->plugins[0].begin[PLUGIN_VERB_POLL] = "wait";
	for (int i = 0; i < 2; i++)
		uncertain_job(rig);
	for (int i = 0; i < 2; i++) {
		job = running_job(rig);
		cancel(rig, &job);
		reply(rig, 200, "cancelled achieved=achieved");
	}
	for (int i = 0; i < 2; i++) {
		job = running_job(rig);
		pass(rig, RIG_HOUR_MS);
		assert_state(rig, &job, JOB_STATE_EXPIRED);
	}
	order(rig);
	refuse_to_connect(rig);
	assert_int_equal(provider(rig, "maker")->provider.running, 0);
	assert_int_equal(provider(rig, "plain")->provider.running, 0);
}

static void who_waits_for_a_slot_says_so(void **state)
{
	struct rig *rig = *state;
	struct job_ref running, waiting;

	one_lane(rig, 1);
	running = order(rig);
	waiting = order(rig);
	assert_int_equal(look(rig, &waiting)->wait, JOB_WAIT_CAPACITY);
	assert_int_equal(look(rig, &running)->wait, JOB_WAIT_NONE);
	assert_int_equal(provider(rig, "maker")->provider.queued, 1);
	assert_int_equal(provider(rig, "maker")->provider.running, 1);
}

static void a_delayed_job_lets_the_others_go_first_and_wakes_in_time(void **state)
{
	struct rig *rig = *state;
	struct job_ref delayed, other;
	int64_t until_ms;

	one_lane(rig, 1);
	delayed = order(rig);
	reply_later(rig, 503, 20, "trouble reason=unavailable bought=none");
	until_ms = look(rig, &delayed)->wait_until_ms;
	assert_int_equal(until_ms, now_ms() + 20000);
	other = order(rig);
	assert_state(rig, &other, JOB_STATE_STARTING);
	reply(rig, 422, REFUSED);
	assert_int_equal(queue_wakes_in(rig, "maker"), 20000);
	pass_until(rig, until_ms);
	assert_state(rig, &delayed, JOB_STATE_STARTING);
}

static void the_earlier_of_two_delays_wakes_first(void **state)
{
	struct rig *rig = *state;
	struct job_ref late = order(rig), early;

	reply_later(rig, 503, 90, "trouble reason=unavailable bought=none");
	early = order(rig);
	reply_later(rig, 503, 30, "trouble reason=unavailable bought=none");
	pass(rig, 30000);
	assert_state(rig, &early, JOB_STATE_STARTING);
	assert_state(rig, &late, JOB_STATE_QUEUED);
	reply(rig, 422, REFUSED);
	pass(rig, 60000);
	assert_state(rig, &late, JOB_STATE_STARTING);
}

static void a_blocked_provider_starts_nothing_and_hinders_no_other(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	order(rig);
	reply_later(rig, 429, 10, "trouble reason=concurrency");
	for (int i = 0; i < 3; i++)
		order(rig);
	assert_int_equal(open_requests(rig), 0);
	job = order_with(rig, &(struct engine_create){.provider = "plain"});
	assert_state(rig, &job, JOB_STATE_STARTING);
	pass(rig, 9999);
	assert_int_equal(open_requests(rig), 1);
	pass(rig, 1);
	assert_int_equal(open_requests(rig), 5);
}

/* The longer of two blocks counts. */
static void a_shorter_block_does_not_open_a_longer_one(void **state)
{
	struct rig *rig = *state;
	struct job_ref first = order(rig), second = order(rig);

	answer_request(
		rig, request_of(rig, &first),
		&(struct said){.status = 429, .headers = "Retry-After: 60", .body = "trouble reason=rate_limited"});
	answer_request(
		rig, request_of(rig, &second),
		&(struct said){.status = 429, .headers = "Retry-After: 5", .body = "trouble reason=rate_limited"});
	pass(rig, 5000);
	assert_int_equal(open_requests(rig), 0);
	pass(rig, 55000);
	assert_int_equal(open_requests(rig), 2);
}

/* ---- backoff ---- */

/* Whatever is asked of it would fail, and be asked again at once. */
static void a_store_that_failed_starts_nothing(void **state)
{
	struct rig *rig = *state;

	one_lane(rig, 1);
	for (int i = 0; i < 2 * LIMIT_ENGINE_WINDOW; i++)
		order(rig);
	break_disk(rig);
	reply(rig, 429, "trouble reason=unavailable");
	assert_int_equal(open_requests(rig), 0);
}

/* It was due when the queue was read, and is not any more. */
static bool is_queue_being_read(struct rig *rig, void *userdata)
{
	(void)userdata;
	return rig->engine->lanes[0].is_scanning;
}

static void a_clock_that_goes_back_loses_nobody_in_the_queue(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	int64_t until_ms;

	refuse_to_connect(rig);
	until_ms = look(rig, &job)->wait_until_ms;
	hold_readers(rig);
	pass_unsettled(rig, until_ms - now_ms());
	await_engine(rig, is_queue_being_read, NULL);
	set_back(RIG_HOUR_MS / 2);
	release_readers(rig);
	settle(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	pass_until(rig, until_ms);
	assert_int_equal(open_requests(rig), 1);
}

static void a_backoff_is_anywhere_between_nothing_and_its_bound(void **state)
{
	static const int64_t bounds[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	struct engine engine = {.jitter = 1};

	(void)state;
	for (uint32_t tries = 0; tries < 8; tries++) {
		int64_t least = INT64_MAX, most = 0;

		for (int i = 0; i < 2000; i++) {
			int64_t ms = backoff_ms(&engine, tries, 1000, 60000);

			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		assert_true(least >= 1 && least < bounds[tries] / 20);
		assert_true(most <= bounds[tries] && most > bounds[tries] - bounds[tries] / 20);
	}
	assert_true(backoff_ms(&engine, UINT32_MAX, 1000, 60000) <= 60000);
	assert_true(backoff_ms(&engine, 0, 5000, 100) <= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(the_more_urgent_goes_first_and_the_older_among_equals),
		story(a_job_whose_priority_is_raised_overtakes),
		story(many_jobs_go_through_few_slots_in_their_order),
		story(what_is_urgent_overtakes_a_full_window),
		story(each_end_frees_its_slot),
		story(who_waits_for_a_slot_says_so),
		story(a_delayed_job_lets_the_others_go_first_and_wakes_in_time),
		story(the_earlier_of_two_delays_wakes_first),
		story(a_blocked_provider_starts_nothing_and_hinders_no_other),
		story(a_shorter_block_does_not_open_a_longer_one),
		story(a_store_that_failed_starts_nothing),
		story(a_clock_that_goes_back_loses_nobody_in_the_queue),
		cmocka_unit_test(a_backoff_is_anywhere_between_nothing_and_its_bound),
	};

	return cmocka_run_group_tests_name("engine.lane", tests, NULL, NULL);
}
