/*
 * Where a job stands in line, and when it will probably be done: what is known of that when somebody asks.
 */
#include "engine/rig.h"

/* ---- in line ---- */

static void assert_place(struct rig *rig, const struct job_ref *job, uint32_t place, bool is_open)
{
	const struct job_status *status = look(rig, job);

	assert_int_equal(status->queue_place, place);
	assert_int_equal(status->is_queue_place_open, is_open);
}

static void a_queued_job_has_its_place_by_priority_and_age(void **state)
{
	struct rig *rig = *state;
	struct job_ref first, second, urgent;

	rig->providers[0].concurrency = 0;
	first = order(rig);
	pass(rig, 1);
	second = order(rig);
	assert_place(rig, &first, 1, false);
	assert_place(rig, &second, 2, false);
	pass(rig, 1);
	urgent = order_with(rig, &(struct engine_create){.priority = 5});
	assert_place(rig, &urgent, 1, false);
	assert_place(rig, &first, 2, false);
	assert_place(rig, &second, 3, false);
	assert_answer(cancel(rig, &first), 0);
	assert_place(rig, &second, 2, false);
	assert_place(rig, &first, 0, false);
}

static void the_lines_of_two_providers_are_two(void **state)
{
	struct rig *rig = *state;
	struct job_ref here, there;

	rig->providers[0].concurrency = rig->providers[1].concurrency = 0;
	here = order(rig);
	there = order_with(rig, &(struct engine_create){.provider = "plain"});
	assert_place(rig, &here, 1, false);
	assert_place(rig, &there, 1, false);
}

static void who_waits_for_a_moment_or_is_under_way_is_not_in_line(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	assert_place(rig, &job, 0, false);
	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_place(rig, &job, 0, false);
}

static void no_more_than_the_limit_are_counted(void **state)
{
	struct rig *rig = *state;
	struct job_ref last;

	rig->providers[0].concurrency = 0;
	rig->engine->config.max_queued = LIMIT_ENGINE_PLACES + 1;
	for (int i = 1; i < LIMIT_ENGINE_PLACES; i++)
		await_answer(create_unsettled(rig, &(struct engine_create){0}));
	pass(rig, 1);
	last = order(rig);
	assert_place(rig, &last, LIMIT_ENGINE_PLACES, false);
	order_with(rig, &(struct engine_create){.priority = 1});
	assert_place(rig, &last, LIMIT_ENGINE_PLACES, true);
}

/* ---- forecasts ---- */

/* A job that takes @seconds from its start. */
static void take(struct rig *rig, int64_t seconds)
{
	struct job_ref job = order(rig);

	reply(rig, 201, "accepted id=v1");
	pass(rig, seconds * 1000);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(look(rig, &job)->finished_ms - look(rig, &job)->started_ms, seconds * 1000);
	assert_int_equal(look(rig, &job)->forecast.samples, 0);
}

static void take_many(struct rig *rig, int n)
{
	/* So that one poll comes when the job is to end. */
	rig->providers[0].poll_first_ms = 1000;
	for (int i = 1; i <= n; i++)
		take(rig, 1 + i % 2);
}

static void twenty_jobs_make_a_forecast_and_nineteen_none(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].poll_first_ms = 1000;
	take_many(rig, 19);
	job = order(rig);
	assert_int_equal(look(rig, &job)->forecast.samples, 0);
	assert_answer(cancel(rig, &job), 0);
	reply(rig, 400, "failed reason=invalid_input bought=none");
	take(rig, 9);
	job = order(rig);
	assert_int_equal(look(rig, &job)->forecast.samples, 20);
	assert_int_equal(look(rig, &job)->forecast.p50_ms, 2000);
	assert_int_equal(look(rig, &job)->forecast.p90_ms, 2000);
}

static void a_forecast_outlives_a_restart(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	take_many(rig, 20);
	crash_and_restart(rig);
	settle(rig);
	job = order(rig);
	assert_int_equal(look(rig, &job)->forecast.samples, 20);
	assert_int_equal(look(rig, &job)->forecast.p50_ms, 1000);
	assert_int_equal(look(rig, &job)->forecast.p90_ms, 2000);
	reply(rig, 201, "accepted id=v1");
	assert_int_equal(look(rig, &job)->forecast.samples, 20);
}

static void another_provider_has_a_history_of_its_own(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	take_many(rig, 20);
	job = order_with(rig, &(struct engine_create){.provider = "plain"});
	assert_int_equal(look(rig, &job)->forecast.samples, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		story(a_queued_job_has_its_place_by_priority_and_age),
		story(the_lines_of_two_providers_are_two),
		story(who_waits_for_a_moment_or_is_under_way_is_not_in_line),
		story(no_more_than_the_limit_are_counted),
		story(twenty_jobs_make_a_forecast_and_nineteen_none),
		story(a_forecast_outlives_a_restart),
		story(another_provider_has_a_history_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
