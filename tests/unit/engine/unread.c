/*
 * Jobs that the store cannot read: whoever asks is told to look into the log, and there it is, once, with the job's id.
 */
#include "engine/rig.h"

#include "capture.h"

/* How often @text holds @part. */
static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* Each asks something of a job that ended, and returns its answer. */
static struct answer *ask_for_deletion(struct rig *rig, const struct job_ref *job)
{
	return delete_job(rig, job, ENGINE_DELETE_KEEP_REMOTE);
}

static struct answer *ask_for_artifact(struct rig *rig, const struct job_ref *job)
{
	return open_artifact(rig, job, 1);
}

static struct answer *ask_for_repeat(struct rig *rig, const struct job_ref *job)
{
	return retry(rig, job, "r-2");
}

static struct answer *ask_for_creation(struct rig *rig, const struct job_ref *job)
{
	(void)job;
	return create(rig, &(struct engine_create){.request_id = "r-1"});
}

static void who_asks_is_answered_and_the_log_names_the_job(void **state)
{
	static struct answer *(*const questions[])(struct rig *, const struct job_ref *) = {
		get, cancel, ask_for_deletion, ask_for_artifact, ask_for_repeat, ask_for_creation,
	};
	static const int outcomes[] = {-EIO, STORE_E_NEWER_FORMAT};
	static const char *const words[] = {"why=\"Input/output error\"",
					    "why=\"a later version of filmgated wrote it\""};
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.request_id = "r-1"});
	struct answer *answer;
	char log[4096], name[ID_TEXT_SIZE];

	reply(rig, 422, "failed reason=invalid_input");
	id_format(&job.id, name);
	for (size_t i = 0; i < 2 * sizeof(questions) / sizeof(questions[0]); i++) {
		spoil_jobs(outcomes[i % 2]);
		capture_start();
		answer = questions[i / 2](rig, &job);
		capture_end(log, sizeof(log));
		assert_answer(answer, ENGINE_E_STORE);
		assert_string_equal(answer->text, "the job cannot be read from the store; the daemon's log says why");
		assert_int_equal(count(log, name), 1);
		assert_int_equal(count(log, words[i % 2]), 1);
	}
}

static void who_asks_for_nobody_leaves_no_trace(void **state)
{
	struct rig *rig = *state;
	struct job_ref nobody = {.tenant = JOB_TENANT_DEFAULT, .id = id_new(now_ms())};
	struct answer *answer;
	char log[1024];

	capture_start();
	answer = get(rig, &nobody);
	assert_answer(answer, ENGINE_E_NOT_FOUND);
	assert_non_null(strstr(answer->text, "there is no jobs/"));
	assert_answer(cancel(rig, &nobody), ENGINE_E_NOT_FOUND);
	assert_int_equal(capture_end(log, sizeof(log)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(who_asks_is_answered_and_the_log_names_the_job),
		story(who_asks_for_nobody_leaves_no_trace),
	};

	return cmocka_run_group_tests_name("engine.unread", tests, NULL, NULL);
}
