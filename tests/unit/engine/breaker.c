/*
 * A provider that only fails is left alone, but for one job at a time that tries it.
 */
#include "engine/rig.h"

#include <errno.h>
#include <semaphore.h>

#define REFUSED "failed reason=invalid_input" /* an end that frees a slot */

enum { FAILURES = 3 };

static struct engine_provider_figures figures;

/* [reader thread] */
static void on_figures(void *userdata, int outcome, const struct engine_figures *measured)
{
	assert_int_equal(outcome, 0);
	figures = measured->providers[0];
	sem_post(userdata);
}

static struct engine_provider_figures measure(struct rig *rig)
{
	sem_t is_there;

	assert_int_equal(sem_init(&is_there, 0, 0), 0);
	engine_measure(rig->engine, on_figures, &is_there);
	while (sem_wait(&is_there) < 0)
		assert_int_equal(errno, EINTR);
	sem_destroy(&is_there);
	return figures;
}

/* As many jobs fail as it takes; they wait for their next try. */
static void fail_often(struct rig *rig, struct job_ref jobs[FAILURES])
{
	rig->providers[0].breaker_failures = FAILURES;
	for (int i = 0; i < FAILURES; i++) {
		jobs[i] = order(rig);
		refuse_to_connect(rig);
	}
}

static void a_provider_that_only_fails_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct job_ref failed[FAILURES], job;

	fail_often(rig, failed);
	job = order(rig);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BREAKER);
	assert_int_equal(look(rig, &job)->wait_until_ms, now_ms() + LIMIT_ENGINE_BREAKER_MS);
	assert_non_null(strstr(provider(rig, "maker")->problem, "it only fails"));
	assert_int_equal(measure(rig).breaker_open, 1);
	assert_int_equal(measure(rig).breaker_opened, 1);
	assert_int_equal(purchases(rig), FAILURES);
	pass(rig, LIMIT_ENGINE_BREAKER_MS - 1);
	assert_int_equal(purchases(rig), FAILURES);
}

static void one_job_tries_it_and_a_reply_lets_all_go_on(void **state)
{
	struct rig *rig = *state;
	struct job_ref failed[FAILURES];

	fail_often(rig, failed);
	for (int i = 0; i < 4; i++)
		order(rig);
	pass(rig, LIMIT_ENGINE_BREAKER_MS);
	assert_int_equal(open_requests(rig), 1);
	/* A refusal is a reply. */
	reply(rig, 422, REFUSED);
	assert_true(open_requests(rig) >= 3);
	assert_string_equal(provider(rig, "maker")->problem, "");
	assert_int_equal(measure(rig).breaker_open, 0);
}

static void a_probe_that_fails_doubles_the_pause_to_a_limit(void **state)
{
	struct rig *rig = *state;
	struct job_ref failed[FAILURES], job;
	int64_t pause_ms = LIMIT_ENGINE_BREAKER_MS;

	fail_often(rig, failed);
	for (int i = 0; i < 8; i++) {
		pass(rig, pause_ms);
		assert_int_equal(open_requests(rig), 1);
		refuse_to_connect(rig);
		pause_ms = 2 * pause_ms < LIMIT_ENGINE_BREAKER_CAP_MS ? 2 * pause_ms : LIMIT_ENGINE_BREAKER_CAP_MS;
		job = order_with(rig, &(struct engine_create){.timeout_ms = 24 * RIG_HOUR_MS, .priority = -100});
		assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BREAKER);
		assert_int_equal(look(rig, &job)->wait_until_ms, now_ms() + pause_ms);
	}
	assert_int_equal(measure(rig).breaker_opened, 9);
}

/* It may have bought: nothing more is sent to a provider that does not answer. */
static void while_the_probe_is_unanswered_there_is_no_other(void **state)
{
	struct rig *rig = *state;
	struct job_ref failed[FAILURES], job;

	fail_often(rig, failed);
	job = order(rig);
	pass(rig, LIMIT_ENGINE_BREAKER_MS);
	assert_int_equal(open_requests(rig), 1);
	pass(rig, 10 * LIMIT_ENGINE_BREAKER_MS);
	assert_int_equal(open_requests(rig), 1);
	if (look(rig, &job)->state == JOB_STATE_QUEUED)
		assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BREAKER);
	reply(rig, 422, REFUSED);
	assert_true(open_requests(rig) >= 2);
}

static void a_probe_of_which_nothing_will_be_heard_is_followed_by_another(void **state)
{
	struct rig *rig = *state;
	struct job_ref failed[FAILURES], first, second;

	fail_often(rig, failed);
	for (int i = 0; i < FAILURES; i++)
		cancel(rig, &failed[i]);
	rig->plugins[0].begin[PLUGIN_VERB_START] = "wait after=3600000";
	first = order(rig);
	pass(rig, LIMIT_ENGINE_BREAKER_MS);
	assert_state(rig, &first, JOB_STATE_PREPARING);
	rig->plugins[0].begin[PLUGIN_VERB_START] = "buy";
	second = order(rig);
	assert_int_equal(look(rig, &second)->wait, JOB_WAIT_BREAKER);
	assert_int_equal(look(rig, &second)->wait_until_ms, 0);
	cancel(rig, &first);
	assert_state(rig, &second, JOB_STATE_STARTING);
	assert_int_equal(measure(rig).breaker_open, 1);
}

/* The files lie elsewhere, and it is the provider that is asked for the next job. */
static void a_link_that_does_not_serve_is_none_of_its_failures(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rig->providers[0].breaker_failures = 1;
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://cdn.test/file/1");
	refuse_to_connect(rig);
	assert_int_equal(measure(rig).breaker_open, 0);
}

/* Whatever else is open. */
static void answer_poll(struct rig *rig, int status, const char *words)
{
	struct request *request = rig->http.requests;

	while (request && (request->is_ended || !request_ends_with(request, "/poll")))
		request = request->next;
	assert_non_null(request);
	answer_request(rig, request, &(struct said){.status = status, .body = words});
}

static void what_fails_beside_the_probe_does_not_count(void **state)
{
	struct rig *rig = *state;
	struct job_ref ran = running_job(rig), failed[FAILURES];

	fail_often(rig, failed);
	pass(rig, LIMIT_ENGINE_BREAKER_MS);
	assert_state(rig, &ran, JOB_STATE_RUNNING);
	answer_poll(rig, 500, "trouble reason=unavailable");
	assert_int_equal(measure(rig).breaker_opened, 1);
}

/* What runs is asked about all the same, and an answer is an answer. */
static void a_poll_that_is_answered_closes_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref ran = running_job(rig), failed[FAILURES], job;

	fail_often(rig, failed);
	job = order(rig);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BREAKER);
	sleep_over(rig, &ran);
	reply(rig, 200, "wait");
	assert_state(rig, &job, JOB_STATE_STARTING);
}

static void errors_of_its_own_count_and_what_it_refuses_does_not(void **state)
{
	static const struct {
		int status;
		const char *words;
		bool counts;
	} rows[] = {
		{500, "trouble reason=unavailable bought=none", true},
		{503, "trouble reason=unavailable bought=none", true},
		{429, "trouble reason=rate_limited after=1", false},
		{422, REFUSED, false},
		{404, REFUSED, false},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct job_ref job;

		crash_and_restart(rig); /* which closes it */
		rig->providers[0].breaker_failures = 1;
		job = order(rig);
		reply(rig, rows[i].status, rows[i].words);
		assert_int_equal(measure(rig).breaker_open, rows[i].counts);
		cancel(rig, &job);
	}
}

static void a_reply_in_between_begins_the_count_anew(void **state)
{
	struct rig *rig = *state;

	rig->providers[0].breaker_failures = FAILURES;
	for (int i = 0; i < 3 * FAILURES; i++) {
		order(rig);
		if (i % FAILURES == 0)
			reply(rig, 422, REFUSED);
		else
			refuse_to_connect(rig);
	}
	assert_int_equal(measure(rig).breaker_open, 0);
}

static void without_a_number_there_is_none(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 30; i++) {
		order(rig);
		refuse_to_connect(rig);
	}
	assert_int_equal(measure(rig).breaker_open, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_provider_that_only_fails_is_left_alone),
		story(one_job_tries_it_and_a_reply_lets_all_go_on),
		story(a_probe_that_fails_doubles_the_pause_to_a_limit),
		story(while_the_probe_is_unanswered_there_is_no_other),
		story(a_probe_of_which_nothing_will_be_heard_is_followed_by_another),
		story(a_link_that_does_not_serve_is_none_of_its_failures),
		story(what_fails_beside_the_probe_does_not_count),
		story(a_poll_that_is_answered_closes_it),
		story(errors_of_its_own_count_and_what_it_refuses_does_not),
		story(a_reply_in_between_begins_the_count_anew),
		story(without_a_number_there_is_none),
	};

	return cmocka_run_group_tests_name("engine.breaker", tests, NULL, NULL);
}
