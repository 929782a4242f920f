/*
 * A person decides what the engine could not find out: what that makes of the job, its sends and its time.
 */
#include "engine/rig.h"

static void assert_sends(const struct job_status *status, enum job_send_class class)
{
	assert_true(status->n_sends > 0);
	for (size_t i = 0; i < status->n_sends; i++)
		assert_int_equal(status->sends[i].class, class);
}

static struct answer *decide(struct rig *rig, const struct job_ref *job, enum engine_resolution resolution,
			     const char *remote_id)
{
	return resolve(rig, &(struct engine_resolve){.ref = *job, .resolution = resolution, .remote_id = remote_id});
}

static int64_t deadline_of(struct rig *rig, const struct job_ref *job)
{
	return get(rig, job)->view.job->deadline_ms;
}

static void what_was_found_is_fetched(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	const struct job_status *status;

	assert_answer(decide(rig, &job, ENGINE_RESOLUTION_FOUND, "found/7"), 0);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	status = look(rig, &job);
	assert_sends(status, JOB_SEND_ACCEPTED);
	assert_string_equal(status->remotes[0].id, "found/7");
	assert_int_equal(status->failure.reason, JOB_REASON_NONE);
	sleep_over(rig, &job);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, "found/7");
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(purchases(rig), 1);
}

static void what_is_absent_is_ordered_again_under_another_key(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	const struct job_status *status;
	char *key;

	reply(rig, 200, "fault");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	key = strdup(last_send(look(rig, &job))->idempotency_key);
	assert_answer(decide(rig, &job, ENGINE_RESOLUTION_ABSENT, NULL), 0);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(purchases(rig), 2);
	status = look(rig, &job);
	assert_int_equal(status->n_attempts, 2);
	assert_int_equal(status->attempts[0].failure.purchase, JOB_PURCHASE_NOTHING);
	assert_true(status->attempts[0].ended_ms > 0);
	assert_int_equal(status->sends[0].class, JOB_SEND_ABSENT);
	assert_int_equal(last_send(status)->attempt, 2);
	assert_string_not_equal(last_send(status)->idempotency_key, key);
	reply(rig, 201, "accepted id=v2");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	free(key);
}

static void what_is_given_up_has_failed_and_may_have_been_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);

	assert_answer(decide(rig, &job, ENGINE_RESOLUTION_GIVE_UP, NULL), 0);
	assert_failed(rig, &job, JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN);
	assert_int_equal(open_requests(rig), 0);
	assert_int_equal(provider(rig, "maker")->provider.running, 0);
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
}

static void a_decision_survives_a_crash(void **state)
{
	struct rig *rig = *state;
	struct job_ref found = uncertain_job(rig), given_up = uncertain_job(rig);

	decide(rig, &found, ENGINE_RESOLUTION_FOUND, "found7");
	decide(rig, &given_up, ENGINE_RESOLUTION_GIVE_UP, NULL);
	crash_and_restart(rig);
	assert_failed(rig, &given_up, JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN);
	assert_state(rig, &found, JOB_STATE_RUNNING);
	sleep_over(rig, &found);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, "found7");
}

/* It stood still while nobody knew. */
static void its_time_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref found = uncertain_job(rig), absent = uncertain_job(rig);
	int64_t patience_ms = deadline_of(rig, &found) - get(rig, &found)->view.job->created_ms;

	pass(rig, 2 * patience_ms);
	decide(rig, &found, ENGINE_RESOLUTION_FOUND, "found7");
	decide(rig, &absent, ENGINE_RESOLUTION_ABSENT, NULL);
	assert_state(rig, &found, JOB_STATE_RUNNING);
	assert_state(rig, &absent, JOB_STATE_STARTING);
	assert_int_equal(deadline_of(rig, &found), now_ms() + patience_ms);
	crash_and_restart(rig);
	assert_state(rig, &found, JOB_STATE_RUNNING);
	pass_until(rig, deadline_of(rig, &found));
	assert_state(rig, &found, JOB_STATE_EXPIRED);
}

static void a_wish_that_was_kept_takes_effect(void **state)
{
	struct rig *rig = *state;
	struct job_ref found = uncertain_job(rig), absent = uncertain_job(rig);

	cancel(rig, &found);
	cancel(rig, &absent);
	decide(rig, &absent, ENGINE_RESOLUTION_ABSENT, NULL);
	assert_state(rig, &absent, JOB_STATE_CANCELLED);
	assert_int_equal(look(rig, &absent)->cancel_outcome, JOB_CANCEL_NEVER_SENT);
	decide(rig, &found, ENGINE_RESOLUTION_FOUND, "found7");
	assert_true(request_ends_with(the_request(rig), "/cancel"));
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_CANCEL)->remote_id, "found7");
	reply(rig, 200, "cancelled achieved=achieved");
	assert_state(rig, &found, JOB_STATE_CANCELLED);
	assert_int_equal(purchases(rig), 2);
}

static void nothing_but_an_uncertain_job_is_decided(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[] = {succeeded_job(rig), running_job(rig)};
	struct job_ref nobody = jobs[0];
	struct engine_resolve late;

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		for (enum engine_resolution how = ENGINE_RESOLUTION_FOUND; how <= ENGINE_RESOLUTION_GIVE_UP; how++) {
			uint64_t revision = look(rig, &jobs[i])->revision;

			assert_answer(decide(rig, &jobs[i], how, "found7"), ENGINE_E_STATE);
			assert_int_equal(look(rig, &jobs[i])->revision, revision);
		}
	nobody.id.bytes[0] ^= 1;
	assert_answer(decide(rig, &nobody, ENGINE_RESOLUTION_GIVE_UP, NULL), ENGINE_E_NOT_FOUND);

	jobs[0] = uncertain_job(rig);
	late = (struct engine_resolve){.ref = jobs[0],
				       .expected_revision = look(rig, &jobs[0])->revision + 1,
				       .resolution = ENGINE_RESOLUTION_GIVE_UP};
	assert_answer(resolve(rig, &late), ENGINE_E_REVISION);
	assert_state(rig, &jobs[0], JOB_STATE_UNCERTAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(what_was_found_is_fetched),
		story(what_is_absent_is_ordered_again_under_another_key),
		story(what_is_given_up_has_failed_and_may_have_been_bought),
		story(a_decision_survives_a_crash),
		story(its_time_begins_anew),
		story(a_wish_that_was_kept_takes_effect),
		story(nothing_but_an_uncertain_job_is_decided),
	};

	return cmocka_run_group_tests_name("engine.resolve", tests, NULL, NULL);
}
