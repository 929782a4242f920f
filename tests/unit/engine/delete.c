/*
 * Deleting and updating: what others may change of a job.
 */
#include "engine/rig.h"

static void assert_gone(struct rig *rig, const struct job_ref *job)
{
	assert_answer(get(rig, job), ENGINE_E_NOT_FOUND);
}

/* Is the content still there? Collections are finished when the artifacts are closed. */
static bool is_stored(struct rig *rig, const struct digest *sha256)
{
	char path[PATH_MAX];

	crash_and_restart(rig);
	artifact_path(rig, sha256, path);
	return access(path, F_OK) == 0;
}

/* ---- delete ---- */

static void an_open_job_is_not_deleted(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[4];

	jobs[0] = uncertain_job(rig);
	jobs[1] = storing_job(rig);
	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	jobs[2] = order(rig);
	rig->providers[0].concurrency = 0;
	jobs[3] = order(rig);
	for (size_t i = 0; i < 4; i++) {
		struct answer *answer = delete_job(rig, &jobs[i], ENGINE_DELETE_KEEP_REMOTE);

		assert_answer(answer, ENGINE_E_STATE);
		assert_non_null(strstr(answer->text, i == 0 ? "'filmgate resolve' decides it" : "cancel it first"));
		assert_false(job_state_is_terminal(look(rig, &jobs[i])->state));
	}
}

static void what_is_deleted_is_gone_with_its_file(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	struct digest sha256 = look(rig, &job)->artifacts[0].sha256;
	struct answer *answer = open_artifact(rig, &job, 1);

	assert_answer(answer, 0);
	assert_int_equal(answer->n, a_video().len);
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_gone(rig, &job);
	assert_answer(open_artifact(rig, &job, 1), ENGINE_E_NOT_FOUND);
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), ENGINE_E_NOT_FOUND);
	assert_int_equal(open_requests(rig), 0);
	assert_false(is_stored(rig, &sha256));
}

static void a_file_that_another_job_names_stays(void **state)
{
	struct rig *rig = *state;
	struct job_ref first = succeeded_job(rig), second = succeeded_job(rig);
	struct digest sha256 = look(rig, &first)->artifacts[0].sha256;

	assert_memory_equal(&sha256, &look(rig, &second)->artifacts[0].sha256, sizeof(sha256));
	assert_answer(delete_job(rig, &first, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_true(is_stored(rig, &sha256));
	assert_answer(open_artifact(rig, &second, 1), 0);
	assert_answer(delete_job(rig, &second, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_false(is_stored(rig, &sha256));
}

static void the_providers_copy_goes_first(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	struct answer *answer = delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE);

	assert_false(answer->is_there);
	assert_true(request_ends_with(the_request(rig), "/remove"));
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_REMOVE)->remote_id, "v1");
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	reply(rig, 200, "done");
	assert_answer(answer, 0);
	assert_gone(rig, &job);
}

static void what_the_provider_keeps_is_kept_here(void **state)
{
	static const struct {
		struct said said;
		int outcome;
	} ends[] = {
		{{.status = 500, .body = "trouble reason=unavailable message=later"}, ENGINE_E_PROVIDER},
		{{.status = 403, .body = "failed reason=auth"}, ENGINE_E_CREDENTIAL},
		{{.status = 200, .body = "fault"}, ENGINE_E_PROVIDER},
		{{.kind = HTTP_NOT_SENT, .error = -ECONNREFUSED}, ENGINE_E_UNREACHABLE},
	};
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct answer *answer = delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE);

		answer_request(rig, the_request(rig), &ends[i].said);
		assert_answer(answer, ends[i].outcome);
		assert_non_null(strstr(answer->text, "; nothing was deleted: "));
		assert_non_null(strstr(answer->text, "delete the job without its remote copy"));
		assert_state(rig, &job, JOB_STATE_SUCCEEDED);
		assert_answer(open_artifact(rig, &job, 1), 0);
	}
}

static void a_provider_that_cannot_delete_says_so(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig), never_sent;

	rig->plugins[0].cannot[PLUGIN_VERB_REMOVE] = true;
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE), ENGINE_E_STATE);
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);

	never_sent = order(rig);
	reply(rig, 422, "failed reason=invalid_input");
	assert_answer(delete_job(rig, &never_sent, ENGINE_DELETE_REMOVE_REMOTE), 0);
	assert_gone(rig, &never_sent);
}

static void what_is_asked_behind_a_deletion_is_asked_of_nobody(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	struct answer *deletion = delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE);
	struct answer *behind[] = {
		cancel(rig, &job),
		update(rig, &(struct engine_update){.ref = job, .has_priority = true, .priority = 3}),
		delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE),
	};

	reply(rig, 200, "done");
	assert_answer(deletion, 0);
	for (size_t i = 0; i < 3; i++)
		assert_answer(behind[i], ENGINE_E_NOT_FOUND);
}

/* It has ended here, and its provider goes on: what it comes to is asked from time to time. */
static struct job_ref detached_job(struct rig *rig)
{
	struct job_ref job = running_job(rig);

	rig->plugins[0].cannot[PLUGIN_VERB_CANCEL] = true;
	assert_answer(cancel(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	sleep_over(rig, &job);
	assert_true(request_ends_with(the_request(rig), "/poll"));
	return job;
}

static void what_a_detached_job_came_to_is_not_asked_during_its_deletion(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_job(rig);
	struct request *question = the_request(rig);
	struct answer *deletion = delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE);

	assert_true(question->is_cancelled);
	assert_true(request_ends_with(the_request(rig), "/remove"));
	reply(rig, 200, "done");
	assert_answer(deletion, 0);
	assert_gone(rig, &job);
	pass(rig, LIMIT_ENGINE_AWAIT_MS);
	assert_int_equal(open_requests(rig), 0);
}

/* Nor does the answer of a step that was under way end it in between. */
static void nor_is_what_its_plugin_says_meanwhile_heard(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_job(rig);
	struct answer *deletion;

	fake_runner_hold(&rig->runner);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=5");
	deletion = delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE);
	fake_runner_release(&rig->runner);
	settle(rig);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_PENDING);
	reply(rig, 200, "done");
	assert_answer(deletion, 0);
	assert_gone(rig, &job);
}

static void it_is_asked_on_when_the_provider_keeps_its_copy(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_job(rig);
	struct answer *deletion = delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE);

	reply(rig, 500, "trouble reason=unavailable");
	assert_answer(deletion, ENGINE_E_PROVIDER);
	assert_int_equal(sleep_over(rig, &job), LIMIT_ENGINE_AWAIT_FIRST_MS);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=5");
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_FINAL);
}

/* ---- update ---- */

static void labels_name_and_priority_can_be_changed_in_every_state(void **state)
{
	struct rig *rig = *state;
	struct job_label label = LABEL("shot", "7");
	struct job_ref jobs[] = {succeeded_job(rig), uncertain_job(rig), running_job(rig), order(rig)};

	for (size_t i = 0; i < 4; i++) {
		enum job_state before = look(rig, &jobs[i])->state;
		uint64_t revision = look(rig, &jobs[i])->revision;
		const struct job_status *status;

		assert_answer(update(rig, &(struct engine_update){.ref = jobs[i],
								  .expected_revision = revision,
								  .has_display_name = true,
								  .display_name = "the fox",
								  .has_labels = true,
								  .labels = &label,
								  .n_labels = 1,
								  .has_priority = true,
								  .priority = 5}),
			      0);
		status = look(rig, &jobs[i]);
		assert_int_equal(status->state, before);
		assert_int_equal(status->revision, revision + 1);
		assert_string_equal(status->display_name, "the fox");
		assert_string_equal(status->labels[0].value, "7");
		assert_int_equal(status->priority, 5);
	}
	assert_int_equal(purchases(rig), 4);
}

static void what_is_not_named_stays(void **state)
{
	struct rig *rig = *state;
	struct job_label label = LABEL("shot", "7");
	struct job_ref job = order_with(
		rig, &(struct engine_create){.display_name = "fox", .labels = &label, .n_labels = 1, .priority = 2});

	assert_answer(update(rig, &(struct engine_update){.ref = job, .has_display_name = true}), 0);
	assert_null(look(rig, &job)->display_name);
	assert_int_equal(look(rig, &job)->n_labels, 1);
	assert_int_equal(look(rig, &job)->priority, 2);
}

static void an_update_of_another_revision_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	uint64_t revision = look(rig, &job)->revision;

	assert_answer(update(rig, &(struct engine_update){.ref = job,
							  .expected_revision = revision - 1,
							  .has_priority = true,
							  .priority = 5}),
		      ENGINE_E_REVISION);
	assert_int_equal(look(rig, &job)->revision, revision);
	assert_int_equal(look(rig, &job)->priority, 0);
}

static void an_update_does_not_disturb_a_purchase(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	assert_answer(update(rig, &(struct engine_update){.ref = job, .has_priority = true, .priority = 5}), 0);
	fake_runner_hold(&rig->runner);
	reply(rig, 201, "accepted id=v1");
	assert_answer(update(rig, &(struct engine_update){.ref = job, .has_priority = true, .priority = 6}), 0);
	fake_runner_release(&rig->runner);
	settle(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->priority, 6);
	assert_int_equal(purchases(rig), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(an_open_job_is_not_deleted),
		story(what_is_deleted_is_gone_with_its_file),
		story(a_file_that_another_job_names_stays),
		story(the_providers_copy_goes_first),
		story(what_the_provider_keeps_is_kept_here),
		story(a_provider_that_cannot_delete_says_so),
		story(what_is_asked_behind_a_deletion_is_asked_of_nobody),
		story(what_a_detached_job_came_to_is_not_asked_during_its_deletion),
		story(nor_is_what_its_plugin_says_meanwhile_heard),
		story(it_is_asked_on_when_the_provider_keeps_its_copy),
		story(labels_name_and_priority_can_be_changed_in_every_state),
		story(what_is_not_named_stays),
		story(an_update_of_another_revision_changes_nothing),
		story(an_update_does_not_disturb_a_purchase),
	};

	return cmocka_run_group_tests_name("engine.delete", tests, NULL, NULL);
}
