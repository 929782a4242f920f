/*
 * Acceptance: which requests are the same, which are refused, and what is kept of each.
 */
#include "engine/rig.h"

/* The request that all others here differ from. */
static const struct job_label labels[] = {LABEL("a", "1"), LABEL("b", "2")};
static const struct engine_create base = {
	.request_id = "r-1",
	.parameters = "{\"prompt\":\"a fox\",\"seed\":7}",
	.display_name = "fox",
	.labels = labels,
	.n_labels = 2,
	.priority = 1,
	.timeout_ms = 60000,
};

static void assert_same_job(struct rig *rig, const struct engine_create *again, const struct job_ref *job)
{
	struct answer *answer = create(rig, again);

	assert_answer(answer, 0);
	assert_true(answer->is_replay);
	assert_true(job_ref_equal(&answer->view.job->ref, job));
}

static void a_job_begins_as_it_was_asked_for(void **state)
{
	struct rig *rig = *state;
	struct answer *answer;

	rig->providers[0].concurrency = 0;
	answer = create(rig, &base);
	assert_answer(answer, 0);
	assert_false(answer->is_replay);
	assert_int_equal(answer->view.status->revision, 1);
	assert_int_equal(answer->view.status->state, JOB_STATE_QUEUED);
	assert_int_equal(answer->view.status->priority, 1);
	assert_string_equal(answer->view.status->display_name, "fox");
	assert_string_equal(answer->view.status->labels[1].value, "2");
	assert_int_equal(answer->view.job->created_ms, now_ms());
	assert_int_equal(answer->view.job->deadline_ms, now_ms() + 60000);
	assert_string_equal(answer->view.job->request_id, "r-1");
	assert_string_equal(look(rig, &answer->view.job->ref)->display_name, "fox");
}

static void what_the_creator_left_out_is_the_providers(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = create(rig, &(struct engine_create){0});
	char id[ID_TEXT_SIZE];

	id_format(&answer->view.job->ref.id, id);
	assert_string_equal(answer->view.job->request_id, id);
	assert_int_equal(answer->view.job->deadline_ms, now_ms() + rig->providers[0].default_timeout_ms);
}

/* ---- the same request ---- */

static void the_same_request_again_is_the_same_job(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &base);

	assert_same_job(rig, &base, &job);
	pass(rig, 1000);
	crash_and_restart(rig);
	assert_same_job(rig, &base, &job);
	assert_int_equal(look(rig, &job)->n_attempts, 1);
}

static void the_order_of_labels_and_members_says_nothing(void **state)
{
	struct job_label turned[] = {LABEL("b", "2"), LABEL("a", "1")};
	struct engine_create other = base;
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &base);

	other.labels = turned;
	other.parameters = " { \"seed\" : 7 , \"prompt\" : \"a \\u0066ox\" } ";
	assert_same_job(rig, &other, &job);
}

static void an_empty_name_is_no_name(void **state)
{
	struct engine_create other = base;
	struct rig *rig = *state;
	struct job_ref job;

	other.display_name = "";
	job = order_with(rig, &other);
	other.display_name = NULL;
	assert_same_job(rig, &other, &job);
}

static void every_word_of_a_request_counts(void **state)
{
	static const struct job_label other_value[] = {LABEL("a", "1"), LABEL("b", "3")};
	static const struct job_label moved[] = {LABEL("a", "12"), LABEL("b", "")};
	struct rig *rig = *state;
	struct engine_create others[8];

	order_with(rig, &base);
	for (size_t i = 0; i < 8; i++)
		others[i] = base;
	others[0].parameters = "{\"prompt\":\"a fox\",\"seed\":8}";
	others[1].parameters = "{\"prompt\":\"a fox\"}";
	others[2].display_name = "vixen";
	others[3].labels = other_value;
	others[4].labels = moved;
	others[5].priority = 2;
	others[6].timeout_ms = 60001;
	others[7].provider = "plain";
	for (size_t i = 0; i < 8; i++)
		assert_answer(create(rig, &others[i]), ENGINE_E_REQUEST_REUSED);
}

static void a_retry_is_the_same_retry_whatever_became_of_the_job(void **state)
{
	static const struct job_label film[] = {{(char *)"team", (char *)"film"}};
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	struct answer *first = retry(rig, &job, "again"), *second;

	assert_answer(first, 0);
	assert_answer(
		update(rig, &(struct engine_update){.ref = job, .has_labels = true, .labels = film, .n_labels = 1}), 0);
	second = retry(rig, &job, "again");
	assert_answer(second, 0);
	assert_true(second->is_replay);
	assert_memory_equal(&second->view.job->ref, &first->view.job->ref, sizeof(job));
}

/* A later release must find equal what this one accepted: whoever changes this digest raises its version. */
static void the_digest_of_a_request_stays_what_it_is(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = create(rig, &base);
	char text[DIGEST_TEXT_SIZE];

	digest_format(&answer->view.job->request_digest, text);
	assert_string_equal(text, "a8f408bcb49afc4d7ce7bbf5a969ad995e550ef352ef2b3decd3ca8675f803a0");
}

static void another_tenant_has_its_own_ids(void **state)
{
	struct engine_create other = base;
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &base), theirs;

	other.tenant = 2;
	theirs = order_with(rig, &other);
	assert_false(job_ref_equal(&job, &theirs));
}

static void a_deleted_jobs_request_id_makes_no_other(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &base);

	reply(rig, 422, "failed reason=invalid_input");
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_answer(create(rig, &base), ENGINE_E_JOB_DELETED);
	crash_and_restart(rig);
	assert_answer(create(rig, &base), ENGINE_E_JOB_DELETED);
	assert_int_equal(purchases(rig), 1);
}

/* ---- refused ---- */

static void what_does_not_fit_is_refused_with_the_fields_name(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = create(rig, &(struct engine_create){.parameters = "{\"seed\":1}"});

	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "parameters.prompt");
	answer = create(rig, &(struct engine_create){.model = "other"});
	assert_answer(answer, ENGINE_E_INVALID);
	answer = create(rig, &(struct engine_create){.provider = "nobody"});
	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "provider");
	assert_non_null(strstr(answer->text, "'maker', 'plain'"));
	assert_int_equal(engine_position(rig->engine).sequence, 0);
}

static void a_question_keeps_nothing(void **state)
{
	struct engine_create question = base;
	struct rig *rig = *state;
	struct answer *answer;

	question.validate_only = true;
	answer = create(rig, &question);
	assert_answer(answer, 0);
	assert_int_equal(answer->view.status->revision, 0);
	assert_string_equal(answer->view.job->parameters, "{\"prompt\":\"a fox\",\"seed\":7}");
	assert_answer(get(rig, &answer->view.job->ref), ENGINE_E_NOT_FOUND);
	assert_int_equal(engine_position(rig->engine).sequence, 0);
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
	assert_answer(create(rig, &base), 0);
	assert_int_equal(purchases(rig), 1);
}

static void the_queue_is_full_exactly_at_its_limit(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig_crash(rig);
	rig->config.max_queued = 3;
	rig->providers[0].concurrency = 0;
	rig_start(rig);
	job = order_with(rig, &base);
	order(rig);
	order_with(rig, &(struct engine_create){.provider = "maker"});
	assert_answer(create(rig, &(struct engine_create){0}), ENGINE_E_QUEUE_FULL);
	assert_answer(create(rig, &(struct engine_create){.provider = "plain"}), ENGINE_E_QUEUE_FULL);
	assert_int_equal(provider(rig, "maker")->provider.queued, 3);

	cancel(rig, &job);
	order(rig);
	assert_answer(create(rig, &(struct engine_create){0}), ENGINE_E_QUEUE_FULL);
}

/* What was refused or replayed takes no place. */
static void a_repeated_request_takes_no_place_in_the_queue(void **state)
{
	struct engine_create other = base;
	struct rig *rig = *state;

	rig_crash(rig);
	rig->config.max_queued = 2;
	rig->providers[0].concurrency = 0;
	rig_start(rig);
	order_with(rig, &base);
	other.priority = 2;
	for (int i = 0; i < 3; i++) {
		assert_answer(create(rig, &base), 0);
		assert_answer(create(rig, &other), ENGINE_E_REQUEST_REUSED);
	}
	assert_int_equal(provider(rig, "maker")->provider.queued, 1);
	order(rig);
	assert_answer(create(rig, &(struct engine_create){0}), ENGINE_E_QUEUE_FULL);
}

/* ---- retry ---- */

static void an_uncertain_job_is_decided_before_it_is_retried(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	struct answer *answer = retry(rig, &job, "r-2");

	assert_answer(answer, ENGINE_E_STATE);
	assert_non_null(strstr(answer->text, "UNCERTAIN"));
	assert_non_null(strstr(answer->text, "'filmgate resolve' decides it"));
}

static void a_retry_is_a_new_job_with_the_same_words(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &base);
	struct answer *answer;

	answer = retry(rig, &job, "r-2");
	assert_answer(answer, ENGINE_E_STATE);
	assert_non_null(strstr(answer->text, "wait for it, or cancel it"));
	reply(rig, 422, "failed reason=moderated");
	answer = retry(rig, &job, "r-2");
	assert_answer(answer, 0);
	assert_memory_equal(&answer->view.job->retry_of, &job.id, sizeof(job.id));
	assert_string_equal(answer->view.job->parameters, "{\"prompt\":\"a fox\",\"seed\":7}");
	assert_string_equal(answer->view.status->display_name, "fox");
	assert_int_equal(answer->view.job->deadline_ms, now_ms() + 60000);
	assert_state(rig, &job, JOB_STATE_FAILED);
	assert_true(retry(rig, &job, "r-2")->is_replay);
	assert_int_equal(purchases(rig), 2);
}

static void a_retry_of_nothing_is_not_found(void **state)
{
	struct rig *rig = *state;
	struct job_ref nobody = {.tenant = JOB_TENANT_DEFAULT, .id = id_new(now_ms())};

	assert_answer(retry(rig, &nobody, "r-2"), ENGINE_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_job_begins_as_it_was_asked_for),
		story(what_the_creator_left_out_is_the_providers),
		story(the_same_request_again_is_the_same_job),
		story(the_order_of_labels_and_members_says_nothing),
		story(an_empty_name_is_no_name),
		story(every_word_of_a_request_counts),
		story(a_retry_is_the_same_retry_whatever_became_of_the_job),
		story(the_digest_of_a_request_stays_what_it_is),
		story(another_tenant_has_its_own_ids),
		story(a_deleted_jobs_request_id_makes_no_other),
		story(what_does_not_fit_is_refused_with_the_fields_name),
		story(a_question_keeps_nothing),
		story(the_queue_is_full_exactly_at_its_limit),
		story(a_repeated_request_takes_no_place_in_the_queue),
		story(an_uncertain_job_is_decided_before_it_is_retried),
		story(a_retry_is_a_new_job_with_the_same_words),
		story(a_retry_of_nothing_is_not_found),
	};

	return cmocka_run_group_tests_name("engine.request", tests, NULL, NULL);
}
