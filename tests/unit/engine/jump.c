/*
 * The clock on the wall is set, by a day, while the daemon runs and while it does not. What is measured within a run
 * does not notice; a pause keeps its length; what is meant as an instant stays one.
 */
#include "engine/rig.h"

#define DAY_MS (24 * RIG_HOUR_MS)

/* Until the engine has looked at the clock. */
static void be_noticed(struct rig *rig)
{
	pass(rig, LIMIT_ENGINE_CLOCK_MS);
}

static int64_t updated(struct rig *rig, const struct job_ref *job)
{
	return look(rig, job)->updated_ms;
}

static void a_pause_keeps_its_length_when_the_clock_goes_back(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	int64_t before_ms;

	refuse_to_connect(rig);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BACKOFF);
	before_ms = updated(rig, &job);
	set_back(DAY_MS);
	be_noticed(rig);
	pass(rig, LIMIT_ENGINE_BACKOFF_BASE_MS);
	assert_true(open_requests(rig) == 1);
	assert_true(updated(rig, &job) >= before_ms);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_pause_keeps_its_length_when_the_clock_went_back_meanwhile(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	refuse_to_connect(rig);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BACKOFF);
	rig_photograph(rig);
	rig_crash(rig);
	set_back(DAY_MS);
	rig_start(rig);
	pass(rig, LIMIT_ENGINE_BACKOFF_BASE_MS);
	assert_true(open_requests(rig) == 1);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_scheduled_start_is_an_instant(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.not_before_ms = now_ms() + 2 * DAY_MS});

	set_back(DAY_MS);
	be_noticed(rig);
	pass(rig, 2 * DAY_MS);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(open_requests(rig), 0);
	set_back(-DAY_MS);
	be_noticed(rig);
	assert_int_equal(open_requests(rig), 1);
}

/* Not for an hour after it, which is the longest that its timer waits. */
static void a_deadline_that_a_jump_has_passed_is_noticed(void **state)
{
	struct rig *rig = *state;
	struct job_ref late = order_with(rig, &(struct engine_create){.not_before_ms = now_ms() + 3 * DAY_MS});
	struct job_ref patient = order_with(rig, &(struct engine_create){.timeout_ms = 2 * DAY_MS});
	struct job_ref job;

	reply(rig, 201, "accepted id=v1 after=3600000");
	job = order_with(rig, &(struct engine_create){.timeout_ms = DAY_MS});
	reply(rig, 201, "accepted id=v2 after=3600000");
	set_back(-DAY_MS);
	be_noticed(rig);
	assert_int_equal(look(rig, &job)->state, JOB_STATE_EXPIRED);
	assert_int_equal(look(rig, &patient)->state, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &late)->state, JOB_STATE_QUEUED);
}

/* The key's age would be negative, or beyond its window. */
static void a_key_is_not_trusted_across_a_day(void **state)
{
	struct rig *rig = *state;

	for (int back = 0; back < 2; back++) {
		struct job_ref job = order(rig);
		int64_t before_ms;

		lose_reply(rig);
		assert_state(rig, &job, JOB_STATE_STARTING);
		before_ms = updated(rig, &job);
		set_back(back ? DAY_MS : -DAY_MS);
		sleep_over(rig, &job);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_int_equal(open_requests(rig), 0);
		assert_true(updated(rig, &job) >= before_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_pause_keeps_its_length_when_the_clock_goes_back),
		story(a_pause_keeps_its_length_when_the_clock_went_back_meanwhile),
		story(a_scheduled_start_is_an_instant),
		story(a_deadline_that_a_jump_has_passed_is_noticed),
		story(a_key_is_not_trusted_across_a_day),
	};

	return cmocka_run_group_tests_name("engine.jump", tests, NULL, NULL);
}
