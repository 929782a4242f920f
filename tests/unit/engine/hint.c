/*
 * Webhooks of a provider: what they change, which is when a job is asked about, and all that they do not.
 */
#include "engine/rig.h"

#include "capture.h"

#define SECRET "whsec"

struct told {
	unsigned int times;
	int outcome;
	unsigned int status;
};

static void on_told(void *userdata, int outcome, unsigned int status, const char *body)
{
	struct told *told = userdata;

	assert_null(body);
	told->times++;
	told->outcome = outcome;
	told->status = status;
}

static const char *find_header(void *userdata, const char *name)
{
	return strcmp(name, "signature") == 0 ? userdata : NULL;
}

static void call_unsettled(struct rig *rig, const char *provider, const char *signature, const char *words,
			   struct told *ret)
{
	const struct engine_hint hint = {.provider = provider,
					 .body = bytes_of_text(words),
					 .header = find_header,
					 .userdata = (void *)(uintptr_t)signature};

	*ret = (struct told){0};
	engine_take_hint(rig->engine, &hint, on_told, ret);
}

static int call(struct rig *rig, const char *provider, const char *signature, const char *words)
{
	struct told told;

	call_unsettled(rig, provider, signature, words, &told);
	settle(rig);
	assert_int_equal(told.times, 1);
	if (told.outcome == 0)
		assert_int_equal(told.status, 204);
	return told.outcome;
}

static void configure(struct rig *rig)
{
	rig->plugins[0].webhook_secret = SECRET;
	rig->plugins[1].webhook_secret = SECRET;
}

static int setup(void **state)
{
	int r = rig_setup(state);

	configure(*state);
	return r;
}

#define with_secret(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

struct measured {
	pthread_mutex_t mutex;
	bool is_there;
	uint64_t hints[ENGINE_HINT_OUTCOMES];
};

static void on_figures(void *userdata, int outcome, const struct engine_figures *figures)
{
	struct measured *measured = userdata;

	assert_int_equal(outcome, 0);
	pthread_mutex_lock(&measured->mutex);
	for (size_t i = 0; i < ENGINE_HINT_OUTCOMES; i++)
		measured->hints[i] = figures->providers[0].hints[i].value;
	measured->is_there = true;
	pthread_mutex_unlock(&measured->mutex);
}

static uint64_t counted(struct rig *rig, enum hint_outcome outcome)
{
	struct measured measured = {.mutex = PTHREAD_MUTEX_INITIALIZER};
	bool is_there = false;

	engine_measure(rig->engine, on_figures, &measured);
	while (!is_there) {
		settle(rig);
		pthread_mutex_lock(&measured.mutex);
		is_there = measured.is_there;
		pthread_mutex_unlock(&measured.mutex);
	}
	return measured.hints[outcome];
}

/* It sleeps for 1000 ms by then, and was never asked about. */
static void a_webhook_asks_about_its_job_at_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	assert_int_equal(open_requests(rig), 0);
	assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), 0);
	assert_int_equal(look(rig, &job)->revision, revision);
	assert_int_equal(sleep_over(rig, &job), 1);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(purchases(rig), 1);
	assert_int_equal(counted(rig, HINT_PULLED), 1);
}

/* What it claims is for nobody: the poll says how the video is. */
static void what_a_webhook_claims_is_not_believed(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	call(rig, "maker", SECRET, "hint id=v1 video=https://evil.test/x status=completed");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	reply(rig, 200, "wait status=rendering");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_string_equal(look(rig, &job)->remote_state, "rendering");
}

/* The pause grows to 8000 ms without them; with them it stays at the least one, 1000 ms. */
static void a_flood_of_them_asks_no_more_often_than_the_provider_allows(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	uint64_t asked = 0;

	call(rig, "maker", SECRET, "hint id=v1");
	sleep_over(rig, &job);
	reply(rig, 200, "wait");
	for (int tenth = 0; tenth < 100; tenth++) {
		for (int i = 0; i < 5; i++)
			assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), 0);
		pass(rig, 100);
		if (open_requests(rig) == 0)
			continue;
		asked++;
		reply(rig, 200, "wait");
	}
	assert_in_range(asked, 9, 10);
}

static void what_comes_during_a_poll_is_asked_after_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	for (int i = 0; i < 3; i++) {
		sleep_over(rig, &job);
		reply(rig, 200, "wait");
	}
	assert_true(sleep_over(rig, &job) > 1000);
	assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), 0);
	assert_int_equal(counted(rig, HINT_EARLY), 1);
	reply(rig, 200, "wait");
	assert_int_equal(sleep_over(rig, &job), 1000);
	reply(rig, 200, "wait");
	assert_true(sleep_over(rig, &job) > 1000);
	reply(rig, 200, "wait");
}

static void assert_undisturbed(struct rig *rig, const struct job_ref *job)
{
	assert_int_equal(open_requests(rig), 0);
	assert_int_equal(sleep_over(rig, job), 1000);
	reply(rig, 200, "wait");
}

static void what_is_not_signed_as_it_must_be_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	assert_int_equal(call(rig, "maker", "another", "hint id=v1"), ENGINE_E_CREDENTIAL);
	assert_int_equal(call(rig, "maker", NULL, "hint id=v1"), ENGINE_E_CREDENTIAL);
	assert_int_equal(call(rig, "maker", "old", "hint id=v1"), ENGINE_E_CREDENTIAL);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_WEBHOOK), 0);
	assert_int_equal(counted(rig, HINT_FORGED), 1);
	assert_int_equal(counted(rig, HINT_UNSIGNED), 1);
	assert_int_equal(counted(rig, HINT_STALE), 1);
	assert_undisturbed(rig, &job);
}

/* To whoever calls, it is all the same. */
static void a_video_that_no_job_has_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	assert_int_equal(call(rig, "maker", SECRET, "hint id=v2"), 0);
	assert_int_equal(call(rig, "plain", SECRET, "hint id=v1"), 0);
	assert_int_equal(call(rig, "maker", SECRET, "respond"), 0);
	assert_int_equal(counted(rig, HINT_UNMATCHED), 1);
	assert_int_equal(counted(rig, HINT_IGNORED), 1);
	assert_undisturbed(rig, &job);
}

static void one_that_has_ended_stays_as_it_is(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), 0);
	assert_int_equal(look(rig, &job)->revision, revision);
	assert_int_equal(open_requests(rig), 0);
}

static void one_that_comes_before_the_purchase_is_known_is_remembered(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), 0);
	assert_state(rig, &job, JOB_STATE_STARTING);
	reply(rig, 201, "accepted id=v1");
	assert_int_equal(sleep_over(rig, &job), 1);
	reply(rig, 200, "wait");
	assert_int_equal(sleep_over(rig, &job), 1000);
	reply(rig, 200, "wait");
}

static void that_is_forgotten_after_a_while(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	call(rig, "maker", SECRET, "hint id=v1");
	pass(rig, LIMIT_ENGINE_HINTS_EARLY_MS + 1000);
	job = running_job(rig);
	assert_undisturbed(rig, &job);
}

static void a_poll_that_failed_is_repeated_in_its_own_time(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 429, "trouble reason=rate_limited after=30000");
	call(rig, "maker", SECRET, "hint id=v1");
	assert_int_equal(sleep_over(rig, &job), 30000);
	reply(rig, 200, "wait");
	assert_int_equal(sleep_over(rig, &job), 8000);
	reply(rig, 200, "wait");
}

static void without_a_secret_or_a_verb_nobody_calls(void **state)
{
	struct rig *rig = *state;

	rig->plugins[0].webhook_secret = NULL;
	assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), ENGINE_E_NOT_FOUND);
	rig->plugins[0].webhook_secret = SECRET;
	rig->plugins[0].cannot[PLUGIN_VERB_WEBHOOK] = true;
	assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), ENGINE_E_NOT_FOUND);
	assert_int_equal(call(rig, "nobody", SECRET, "hint id=v1"), ENGINE_E_NOT_FOUND);
	assert_int_equal(call(rig, "", SECRET, "hint id=v1"), ENGINE_E_NOT_FOUND);
}

static void a_plugin_that_breaks_a_rule_is_passed_over(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	char log[1024];

	capture_start();
	call(rig, "maker", SECRET, "fault");
	call(rig, "maker", SECRET, "wait");
	capture_end(log, sizeof(log));
	assert_non_null(strstr(log, "plugin fault in a webhook"));
	assert_int_equal(counted(rig, HINT_FAULT), 2);
	assert_undisturbed(rig, &job);
}

static void too_many_at_once_are_refused(void **state)
{
	struct rig *rig = *state;
	struct told told[LIMIT_ENGINE_HINTS + 1];

	fake_runner_hold(&rig->runner);
	for (size_t i = 0; i < LIMIT_ENGINE_HINTS + 1; i++)
		call_unsettled(rig, "maker", SECRET, "hint id=v1", &told[i]);
	settle(rig);
	assert_int_equal(told[LIMIT_ENGINE_HINTS].times, 1);
	assert_int_equal(told[LIMIT_ENGINE_HINTS].outcome, ENGINE_E_QUEUE_FULL);
	fake_runner_release(&rig->runner);
	settle(rig);
	for (size_t i = 0; i < LIMIT_ENGINE_HINTS; i++)
		assert_int_equal(told[i].times, 1);
	assert_int_equal(counted(rig, HINT_REFUSED), 1);
	assert_int_equal(call(rig, "maker", SECRET, "hint id=v1"), 0);
}

static size_t count_lines(const char *log, const char *words)
{
	size_t n = 0;

	for (; (log = strstr(log, words)); log++)
		n++;
	return n;
}

static void refused_ones_are_one_line_of_the_log_a_minute(void **state)
{
	struct rig *rig = *state;
	char log[4096];

	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	pass(rig, LIMIT_ENGINE_HINTS_TELL_MS);
	capture_start();
	for (int i = 0; i < 100; i++)
		call(rig, "maker", "another", "hint id=v1");
	pass(rig, LIMIT_ENGINE_HINTS_TELL_MS);
	call(rig, "maker", "another", "hint id=v1");
	capture_end(log, sizeof(log));
	assert_int_equal(count_lines(log, "a webhook was refused"), 2);
	assert_null(strstr(log, SECRET));
}

static void who_calls_a_daemon_that_ends_is_told_so(void **state)
{
	struct rig *rig = *state;
	struct told told;

	fake_runner_hold(&rig->runner);
	call_unsettled(rig, "maker", SECRET, "hint id=v1", &told);
	settle(rig);
	stop_unsettled(rig, 60000);
	await_drain_turns(rig, 1);
	fake_runner_release(&rig->runner);
	stop_end(rig);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.outcome, ENGINE_E_DRAINING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_secret(a_webhook_asks_about_its_job_at_once),
		with_secret(what_a_webhook_claims_is_not_believed),
		with_secret(a_flood_of_them_asks_no_more_often_than_the_provider_allows),
		with_secret(what_comes_during_a_poll_is_asked_after_it),
		with_secret(what_is_not_signed_as_it_must_be_changes_nothing),
		with_secret(a_video_that_no_job_has_changes_nothing),
		with_secret(one_that_has_ended_stays_as_it_is),
		with_secret(one_that_comes_before_the_purchase_is_known_is_remembered),
		with_secret(that_is_forgotten_after_a_while),
		with_secret(a_poll_that_failed_is_repeated_in_its_own_time),
		with_secret(without_a_secret_or_a_verb_nobody_calls),
		with_secret(a_plugin_that_breaks_a_rule_is_passed_over),
		with_secret(too_many_at_once_are_refused),
		with_secret(refused_ones_are_one_line_of_the_log_a_minute),
		with_secret(who_calls_a_daemon_that_ends_is_told_so),
	};

	return cmocka_run_group_tests_name("engine.hint", tests, NULL, NULL);
}
