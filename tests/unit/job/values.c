#include "job/job.h"

#include "allocator.h"
#include "base/err.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int fill_failure(struct job_failure *failure)
{
	failure->reason = JOB_REASON_NO_CREDIT;
	failure->purchase = JOB_PURCHASE_NOTHING;
	return job_set_text(&failure->message, "buy credit") || job_set_text(&failure->provider_code, "402") ||
	       job_set_text(&failure->provider_message, "insufficient") ||
	       job_set_text(&failure->provider_request_id, "req-1");
}

static int fill_job(struct job *job)
{
	job->ref.tenant = JOB_TENANT_DEFAULT;
	job->ref.id.bytes[3] = 7;
	job->created_ms = 1000;
	job->deadline_ms = 2000;
	job->patience_ms = 600;
	return job_set_text(&job->request_id, "r-1") || job_set_text(&job->provider, "studio") ||
	       job_set_text(&job->model, "avatar") || job_set_text(&job->parameters, "{\"script\":{}}") ||
	       job_set_text(&job->quote.currency, "USD") || job_set_text(&job->quote.rule, "plugin heygen") ||
	       job_set_text(&job->quote.as_of, "2026-11-22");
}

static int fill_lists(struct job_status *status)
{
	struct job_attempt *attempt = job_add_attempt(status);
	struct job_send *send = job_add_send(status);
	struct job_remote *remote = job_add_remote(status);
	struct job_artifact *artifact = job_add_artifact(status);

	if (!attempt || !send || !remote || !artifact)
		return -ENOMEM;
	attempt->number = send->attempt = send->number = remote->attempt = artifact->index = 1;
	return fill_failure(&attempt->failure) || job_set_text(&send->idempotency_key, "key-1") ||
	       job_set_text(&send->base_url, "http://127.0.0.1:1") || job_set_text(&remote->id, "v_1") ||
	       job_set_text(&remote->kind, "video") || job_set_text(&artifact->role, "video") ||
	       job_set_text(&artifact->language, "en") || job_set_text(&artifact->media_type, "video/mp4") ||
	       job_add_missing(status, "subtitles") || job_add_missing(status, "thumbnail");
}

static int fill_status(struct job_status *status)
{
	const struct job_label labels[] = {{(char *)"team", (char *)"film"}, {(char *)"cost", (char *)"low"}};

	status->revision = 3;
	return fill_failure(&status->failure) || fill_lists(status) || job_set_labels(status, labels, 2) ||
	       job_set_text(&status->display_name, "A name") || job_set_text(&status->remote_state, "processing") ||
	       job_set_text(&status->plugin_state, "{}") || job_set_text(&status->outputs, "[]") ||
	       job_set_cost(status, JOB_COST_PROVIDER, 5, "USD") ||
	       job_add_note(status, JOB_NOTE_CUT, "parameters.prompt", "too long", "ab", "a") < 0 ||
	       job_add_mismatch(status, &(struct job_mismatch){.field = (char *)(uintptr_t) "duration",
							       .ordered = (char *)(uintptr_t) "8 s",
							       .produced = (char *)(uintptr_t) "4 s",
							       .message = (char *)(uintptr_t) "half"});
}

static void assert_own_text(const char *a, const char *b)
{
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_string_equal(a, b);
}

static void assert_own_failure(const struct job_failure *a, const struct job_failure *b)
{
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->purchase, b->purchase);
	assert_own_text(a->message, b->message);
	assert_own_text(a->provider_code, b->provider_code);
	assert_own_text(a->provider_message, b->provider_message);
	assert_own_text(a->provider_request_id, b->provider_request_id);
}

static void a_copied_job_shares_no_text(void **state)
{
	_cleanup_(job_freep) struct job *job = job_new();
	_cleanup_(job_freep) struct job *copy = NULL;

	(void)state;
	assert_int_equal(fill_job(job), 0);
	copy = job_copy(job);
	assert_non_null(copy);
	assert_true(job_ref_equal(&job->ref, &copy->ref));
	assert_int_equal(copy->deadline_ms, 2000);
	assert_int_equal(copy->patience_ms, 600);
	assert_own_text(copy->request_id, job->request_id);
	assert_own_text(copy->provider, job->provider);
	assert_own_text(copy->model, job->model);
	assert_own_text(copy->parameters, job->parameters);
	assert_own_text(copy->quote.currency, job->quote.currency);
	assert_own_text(copy->quote.rule, job->quote.rule);
	assert_own_text(copy->quote.as_of, job->quote.as_of);
}

/* The deadline moves when a job's time begins anew; records of before kept only that. */
static void how_long_it_may_take_is_what_was_ordered(void **state)
{
	struct job job = {.created_ms = 1000, .deadline_ms = 4000};

	(void)state;
	assert_int_equal(job_patience_ms(&job), 3000);
	job.not_before_ms = 2000;
	assert_int_equal(job_patience_ms(&job), 2000);
	job.patience_ms = 500;
	assert_int_equal(job_patience_ms(&job), 500);
}

static void a_copied_status_shares_nothing(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	_cleanup_(job_status_freep) struct job_status *copy = NULL;

	(void)state;
	assert_int_equal(fill_status(status), 0);
	copy = job_status_copy(status);
	assert_non_null(copy);
	assert_int_equal(copy->revision, 3);
	assert_own_failure(&copy->failure, &status->failure);
	assert_own_text(copy->display_name, status->display_name);
	assert_own_text(copy->remote_state, status->remote_state);
	assert_own_text(copy->plugin_state, status->plugin_state);
	assert_own_text(copy->outputs, status->outputs);
	assert_own_text(copy->cost.currency, status->cost.currency);
	assert_int_equal(copy->n_notes, 1);
	assert_own_text(copy->notes[0].to, status->notes[0].to);
	assert_int_equal(copy->n_labels, 2);
	assert_own_text(copy->labels[1].value, status->labels[1].value);
	assert_int_equal(copy->n_missing, 2);
	assert_own_text(copy->missing[1], status->missing[1]);
	assert_int_equal(copy->n_attempts, 1);
	assert_own_failure(&copy->attempts[0].failure, &status->attempts[0].failure);
	assert_own_text(copy->sends[0].idempotency_key, status->sends[0].idempotency_key);
	assert_own_text(copy->sends[0].base_url, status->sends[0].base_url);
	assert_own_text(copy->remotes[0].id, status->remotes[0].id);
	assert_own_text(copy->remotes[0].kind, status->remotes[0].kind);
	assert_own_text(copy->artifacts[0].role, status->artifacts[0].role);
	assert_own_text(copy->artifacts[0].language, status->artifacts[0].language);
	assert_own_text(copy->artifacts[0].media_type, status->artifacts[0].media_type);
	assert_own_text(copy->mismatches[0].field, status->mismatches[0].field);
	assert_own_text(copy->mismatches[0].message, status->mismatches[0].message);
}

static void notes_are_kept_once_and_within_their_limits(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	char text[LIMIT_JOB_NOTE_BYTES + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + LIMIT_JOB_NOTE_BYTES - 1, "\xc3\xa9", 3);
	assert_int_equal(job_add_note(status, JOB_NOTE_CUT, "f", "m", text, ""), 1);
	assert_int_equal(strlen(status->notes[0].from), LIMIT_JOB_NOTE_BYTES - 1);
	assert_int_equal(job_add_note(status, JOB_NOTE_INFO, "f", "m", "", ""), 0);
	for (int i = 1; i < LIMIT_JOB_NOTES; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(job_add_note(status, JOB_NOTE_INFO, "f", text, "", ""), 1);
	}
	assert_int_equal(job_add_note(status, JOB_NOTE_INFO, "f", "one more", "", ""), 0);
	assert_int_equal(status->n_notes, LIMIT_JOB_NOTES);
}

static void a_copy_of_an_empty_status_has_no_lists(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	_cleanup_(job_status_freep) struct job_status *copy = job_status_copy(status);

	(void)state;
	assert_non_null(copy);
	assert_null(copy->attempts);
	assert_null(copy->display_name);
	assert_int_equal(copy->progress_percent, -1);
	assert_int_equal(copy->queue_position, -1);
	assert_int_equal(copy->state, JOB_STATE_QUEUED);
}

/* A filled status and job with their copies; false when memory ran out on the way. Leaks are the sanitizer's. */
static bool make_everything(void)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	_cleanup_(job_status_freep) struct job_status *copy = NULL;
	_cleanup_(job_freep) struct job *job = job_new();
	_cleanup_(job_freep) struct job *job_again = NULL;

	if (!status || !job || fill_status(status) != 0 || fill_job(job) != 0)
		return false;
	copy = job_status_copy(status);
	job_again = job_copy(job);
	return copy && job_again;
}

static void running_out_of_memory_anywhere_leaves_nothing_behind(void **state)
{
	bool is_done, has_failed;
	int nth = 0;

	(void)state;
	do {
		allocator_fail(++nth);
		is_done = make_everything();
		has_failed = allocator_failed();
		assert_true(is_done != has_failed);
	} while (has_failed);
	assert_true(nth > 60);
}

static void a_failed_replacement_keeps_the_old_value(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	const struct job_label label = {(char *)"a", (char *)"b"};
	struct job_failure other = {0};

	(void)state;
	assert_int_equal(fill_status(status), 0);
	assert_int_equal(fill_failure(&other), 0);
	allocator_fail(1);
	assert_int_equal(job_set_text(&status->display_name, "B"), -ENOMEM);
	allocator_fail(1);
	assert_int_equal(job_set_labels(status, &label, 1), -ENOMEM);
	allocator_fail(2);
	assert_int_equal(job_add_missing(status, "gif"), -ENOMEM);
	allocator_fail(3);
	assert_int_equal(job_failure_copy(&other, &status->failure), -ENOMEM);
	allocator_fail(1);
	assert_null(job_add_attempt(status));
	assert_true(allocator_failed());

	assert_string_equal(status->display_name, "A name");
	assert_int_equal(status->n_labels, 2);
	assert_int_equal(status->n_missing, 2);
	assert_int_equal(status->n_attempts, 1);
	assert_string_equal(status->failure.message, "buy credit");
	job_failure_finish(&other);
}

static void labels_are_sorted_by_key(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	const struct job_label labels[] = {
		{(char *)"zebra", (char *)"1"}, {(char *)"ant", (char *)"2"}, {(char *)"ants", (char *)"3"}};

	(void)state;
	assert_int_equal(job_set_labels(status, labels, 3), 0);
	assert_string_equal(status->labels[0].key, "ant");
	assert_string_equal(status->labels[0].value, "2");
	assert_string_equal(status->labels[1].key, "ants");
	assert_string_equal(status->labels[2].key, "zebra");
	assert_int_equal(job_set_labels(status, NULL, 0), 0);
	assert_null(status->labels);
}

static void a_label_key_that_comes_twice_is_refused(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	const struct job_label good = {(char *)"team", (char *)"film"};
	const struct job_label twice[] = {
		{(char *)"a", (char *)"1"}, {(char *)"b", (char *)"2"}, {(char *)"a", (char *)"3"}};

	(void)state;
	assert_int_equal(job_set_labels(status, &good, 1), 0);
	assert_int_equal(job_set_labels(status, twice, 3), JOB_E_DUPLICATE);
	assert_int_equal(status->n_labels, 1);
	assert_string_equal(status->labels[0].key, "team");
}

static void the_current_send_belongs_to_the_live_attempt(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	struct job_send *send;

	(void)state;
	assert_null(job_current_attempt(status));
	assert_null(job_current_send(status));
	job_add_attempt(status)->number = 1;
	assert_null(job_current_send(status));
	send = job_add_send(status);
	send->attempt = 1;
	send->number = 1;
	assert_ptr_equal(job_current_send(status), send);
	job_add_attempt(status)->number = 2;
	assert_int_equal(job_current_attempt(status)->number, 2);
	assert_null(job_current_send(status));
}

static void a_finished_failure_is_inert(void **state)
{
	struct job_failure failure = {0};
	struct job_failure copy = {0};

	(void)state;
	assert_int_equal(fill_failure(&failure), 0);
	assert_int_equal(fill_failure(&copy), 0);
	assert_int_equal(job_failure_copy(&failure, &copy), 0);
	assert_own_failure(&copy, &failure);
	job_failure_finish(&failure);
	job_failure_finish(&failure);
	assert_null(failure.message);
	assert_int_equal(failure.reason, JOB_REASON_NONE);
	job_failure_finish(&copy);
}

static void references_differ_by_tenant_and_by_id(void **state)
{
	struct job_ref a = {.tenant = 1, .id.bytes = {1}};
	struct job_ref other_tenant = {.tenant = 2, .id.bytes = {1}};
	struct job_ref other_id = {.tenant = 1, .id.bytes = {2}};

	(void)state;
	assert_true(job_ref_equal(&a, &a));
	assert_false(job_ref_equal(&a, &other_tenant));
	assert_false(job_ref_equal(&a, &other_id));
}

static void freeing_nothing_is_allowed(void **state)
{
	struct job_view view = {0};

	(void)state;
	assert_null(job_free(NULL));
	assert_null(job_status_free(NULL));
	job_view_finish(&view);
	view.job = job_new();
	view.status = job_status_new();
	job_view_finish(&view);
	assert_null(view.job);
	assert_null(view.status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copied_job_shares_no_text),
		cmocka_unit_test(how_long_it_may_take_is_what_was_ordered),
		cmocka_unit_test(a_copied_status_shares_nothing),
		cmocka_unit_test(notes_are_kept_once_and_within_their_limits),
		cmocka_unit_test(a_copy_of_an_empty_status_has_no_lists),
		cmocka_unit_test(running_out_of_memory_anywhere_leaves_nothing_behind),
		cmocka_unit_test(a_failed_replacement_keeps_the_old_value),
		cmocka_unit_test(labels_are_sorted_by_key),
		cmocka_unit_test(a_label_key_that_comes_twice_is_refused),
		cmocka_unit_test(the_current_send_belongs_to_the_live_attempt),
		cmocka_unit_test(a_finished_failure_is_inert),
		cmocka_unit_test(references_differ_by_tenant_and_by_id),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests_name("job.values", tests, NULL, NULL);
}
