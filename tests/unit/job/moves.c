#include "job/job.h"

#include "base/err.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <cmocka.h>

#define IS(name) (1u << JOB_STATE_##name)

/* The table once more, by hand from the design, so that a slip in one of the two shows. */
static const uint32_t allowed[_JOB_STATE_COUNT] = {
	[JOB_STATE_QUEUED] = IS(PREPARING) | IS(CANCELLED) | IS(EXPIRED) | IS(FAILED),
	[JOB_STATE_PREPARING] = IS(STARTING) | IS(QUEUED) | IS(CANCELLED) | IS(EXPIRED) | IS(FAILED),
	[JOB_STATE_STARTING] = IS(RUNNING) | IS(FAILED) | IS(QUEUED) | IS(UNCERTAIN),
	[JOB_STATE_UNCERTAIN] = IS(RUNNING) | IS(QUEUED) | IS(FAILED),
	[JOB_STATE_RUNNING] = IS(STORING) | IS(FAILED) | IS(CANCELLED) | IS(EXPIRED) | IS(QUEUED),
	[JOB_STATE_STORING] = IS(SUCCEEDED) | IS(RUNNING) | IS(FAILED),
};

/* Does fn(userdata) abort? Asked of a child with a closed mouth, since the sanitizer and assert() speak. */
static bool aborts(void (*fn)(void *), void *userdata)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		fn(userdata);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

struct move {
	enum job_state from;
	enum job_state to;
};

static void move_once(void *userdata)
{
	struct move *move = userdata;
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();

	status->state = move->from;
	job_move(status, move->to, 1000);
}

static void every_pair_of_states_is_allowed_or_aborts(void **state)
{
	(void)state;
	for (enum job_state from = JOB_STATE_QUEUED; from < _JOB_STATE_COUNT; from++) {
		for (enum job_state to = JOB_STATE_QUEUED; to < _JOB_STATE_COUNT; to++) {
			struct move move = {from, to};
			bool is_allowed = allowed[from] & (1u << to);

			assert_int_equal(job_may_move(from, to), is_allowed);
			assert_int_equal(aborts(move_once, &move), !is_allowed);
		}
	}
}

static void a_finished_job_moves_nowhere(void **state)
{
	(void)state;
	for (enum job_state from = JOB_STATE_QUEUED; from < _JOB_STATE_COUNT; from++)
		for (enum job_state to = JOB_STATE_QUEUED; to < _JOB_STATE_COUNT; to++)
			if (job_state_is_terminal(from))
				assert_false(job_may_move(from, to));
}

static void every_open_state_has_a_way_to_an_end(void **state)
{
	uint32_t ends = IS(SUCCEEDED) | IS(FAILED) | IS(CANCELLED) | IS(EXPIRED);

	(void)state;
	for (enum job_state from = JOB_STATE_QUEUED; from < _JOB_STATE_COUNT; from++) {
		assert_int_equal(job_state_is_terminal(from), (ends >> from) & 1);
		if (!job_state_is_terminal(from))
			assert_true(job_may_move(from, JOB_STATE_FAILED));
	}
}

static void an_undecided_send_cannot_be_cancelled_or_expire(void **state)
{
	(void)state;
	assert_false(job_may_move(JOB_STATE_STARTING, JOB_STATE_CANCELLED));
	assert_false(job_may_move(JOB_STATE_STARTING, JOB_STATE_EXPIRED));
	assert_false(job_may_move(JOB_STATE_UNCERTAIN, JOB_STATE_CANCELLED));
	assert_false(job_may_move(JOB_STATE_UNCERTAIN, JOB_STATE_EXPIRED));
}

static void a_wish_to_cancel_is_too_late_at_any_other_end(void **state)
{
	static const enum job_state ends[] = {JOB_STATE_SUCCEEDED, JOB_STATE_FAILED};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(job_status_freep) struct job_status *status = job_status_new();

		status->state = JOB_STATE_STORING;
		status->cancel_outcome = JOB_CANCEL_REQUESTED;
		job_move(status, ends[i], 1000);
		assert_int_equal(status->cancel_outcome, JOB_CANCEL_TOO_LATE);
	}
}

static void what_a_cancel_achieved_stays(void **state)
{
	static const struct {
		enum job_state to;
		enum job_cancel_outcome outcome;
	} moves[] = {
		{JOB_STATE_CANCELLED, JOB_CANCEL_DETACHED},
		{JOB_STATE_FAILED, JOB_CANCEL_NONE},
		{JOB_STATE_STORING, JOB_CANCEL_REQUESTED},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		_cleanup_(job_status_freep) struct job_status *status = job_status_new();

		status->state = JOB_STATE_RUNNING;
		status->cancel_outcome = moves[i].outcome;
		job_move(status, moves[i].to, 1000);
		assert_int_equal(status->cancel_outcome, moves[i].outcome);
	}
}

static void a_state_outside_the_table_moves_nowhere(void **state)
{
	(void)state;
	assert_false(job_may_move((enum job_state)0, JOB_STATE_QUEUED));
	assert_false(job_may_move(JOB_STATE_QUEUED, (enum job_state)0));
	assert_false(job_may_move(_JOB_STATE_COUNT, JOB_STATE_FAILED));
	assert_false(job_may_move(JOB_STATE_QUEUED, (enum job_state)40));
	assert_false(job_state_is_terminal((enum job_state)40));
}

static void only_worked_on_states_are_active(void **state)
{
	uint32_t active = IS(PREPARING) | IS(STARTING) | IS(RUNNING) | IS(STORING);

	(void)state;
	for (enum job_state s = JOB_STATE_QUEUED; s < _JOB_STATE_COUNT; s++)
		assert_int_equal(job_state_is_active(s), (active >> s) & 1);
}

static void a_move_raises_the_revision_by_one_and_never_turns_time_back(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();

	(void)state;
	job_touch(status, 5000);
	assert_int_equal(status->revision, 1);
	assert_int_equal(status->updated_ms, 5000);
	job_move(status, JOB_STATE_PREPARING, 4000);
	assert_int_equal(status->revision, 2);
	assert_int_equal(status->updated_ms, 5000);
	assert_int_equal(status->started_ms, 5000);
	job_move(status, JOB_STATE_QUEUED, 6000);
	job_move(status, JOB_STATE_PREPARING, 7000);
	assert_int_equal(status->started_ms, 5000);
	assert_int_equal(status->finished_ms, 0);
	job_move(status, JOB_STATE_FAILED, 6500);
	assert_int_equal(status->revision, 5);
	assert_int_equal(status->finished_ms, 7000);
	assert_int_equal(status->state, JOB_STATE_FAILED);
}

static void a_job_that_never_started_has_no_start(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();

	(void)state;
	job_move(status, JOB_STATE_CANCELLED, 10);
	assert_int_equal(status->started_ms, 0);
	assert_int_equal(status->finished_ms, 10);
}

static void leaving_the_queue_ends_the_wait_and_leaving_storage_drops_the_outputs(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();

	(void)state;
	status->wait = JOB_WAIT_BACKOFF;
	status->wait_until_ms = 99;
	job_move(status, JOB_STATE_PREPARING, 10);
	assert_int_equal(status->wait, JOB_WAIT_NONE);
	assert_int_equal(status->wait_until_ms, 0);
	status->wait = JOB_WAIT_RATE_LIMIT;
	job_move(status, JOB_STATE_QUEUED, 10);
	assert_int_equal(status->wait, JOB_WAIT_RATE_LIMIT);

	status->state = JOB_STATE_STORING;
	assert_int_equal(job_set_text(&status->outputs, "[]"), 0);
	job_move(status, JOB_STATE_RUNNING, 10);
	assert_null(status->outputs);
}

/* A status that holds every invariant, in @state. */
static struct job_status *sound(enum job_state state)
{
	struct job_status *status = job_status_new();
	struct job_send *send;

	job_touch(status, 100);
	job_add_attempt(status)->number = 1;
	send = job_add_send(status);
	send->attempt = 1;
	send->number = 1;
	job_add_remote(status)->attempt = 1;
	status->state = state;
	if (job_state_is_terminal(state))
		status->finished_ms = 100;
	if (state == JOB_STATE_FAILED)
		status->failure.reason = JOB_REASON_LOST;
	if (state == JOB_STATE_STORING)
		job_set_text(&status->outputs, "[]");
	return status;
}

static void check(void *userdata)
{
	job_status_check(userdata);
}

static void a_sound_status_passes_in_every_state(void **state)
{
	(void)state;
	for (enum job_state s = JOB_STATE_QUEUED; s < _JOB_STATE_COUNT; s++) {
		_cleanup_(job_status_freep) struct job_status *status = sound(s);

		job_status_check(status);
	}
}

static void break_revision(struct job_status *status)
{
	status->revision = 0;
}

static void break_end(struct job_status *status)
{
	status->finished_ms = status->finished_ms ? 0 : 100;
}

static void break_time(struct job_status *status)
{
	status->started_ms = status->updated_ms + 1;
}

static void break_outputs(struct job_status *status)
{
	job_set_text(&status->outputs, status->outputs ? NULL : "[]");
}

static void break_priority(struct job_status *status)
{
	status->priority = JOB_PRIORITY_MAX + 1;
}

static void break_progress(struct job_status *status)
{
	status->progress_percent = 101;
}

static void break_attempt_number(struct job_status *status)
{
	status->attempts[0].number = 2;
}

static void break_send(struct job_status *status)
{
	status->sends[0].attempt = 2;
}

static void break_remote(struct job_status *status)
{
	status->remotes[0].attempt = 0;
}

static void break_artifact(struct job_status *status)
{
	job_add_artifact(status)->index = 0;
}

static void break_labels(struct job_status *status)
{
	const struct job_label labels[] = {{(char *)"a", (char *)"1"}, {(char *)"b", (char *)"2"}};
	struct job_label swapped;

	job_set_labels(status, labels, 2);
	swapped = status->labels[0];
	status->labels[0] = status->labels[1];
	status->labels[1] = swapped;
}

static void each_broken_invariant_is_caught(void **state)
{
	static void (*const breaks[])(struct job_status *) = {
		break_revision, break_end,      break_time,     break_outputs,
		break_priority, break_progress, break_labels,   break_attempt_number,
		break_send,     break_remote,   break_artifact,
	};

	(void)state;
	for (enum job_state s = JOB_STATE_QUEUED; s < _JOB_STATE_COUNT; s++) {
		for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
			_cleanup_(job_status_freep) struct job_status *status = sound(s);

			breaks[i](status);
			assert_true(aborts(check, status));
		}
	}
}

static void what_a_state_needs_is_checked(void **state)
{
	_cleanup_(job_status_freep) struct job_status *failed = sound(JOB_STATE_FAILED);
	_cleanup_(job_status_freep) struct job_status *starting = sound(JOB_STATE_STARTING);
	_cleanup_(job_status_freep) struct job_status *uncertain = sound(JOB_STATE_UNCERTAIN);
	_cleanup_(job_status_freep) struct job_status *running = sound(JOB_STATE_RUNNING);
	_cleanup_(job_status_freep) struct job_status *cancelled = sound(JOB_STATE_CANCELLED);

	(void)state;
	failed->failure.reason = JOB_REASON_NONE;
	assert_true(aborts(check, failed));
	starting->n_sends = 0;
	assert_true(aborts(check, starting));
	uncertain->n_sends = 0;
	assert_true(aborts(check, uncertain));
	running->n_sends = running->n_remotes = running->n_attempts = 0;
	assert_true(aborts(check, running));
	cancelled->wait = JOB_WAIT_DISK;
	assert_true(aborts(check, cancelled));

	running->n_attempts = running->n_remotes = running->n_sends = 1;
	starting->n_sends = uncertain->n_sends = 1;
}

static char *read_document(const char *name)
{
	const char *root = getenv("FILMGATE_SOURCE_DIR");
	struct buffer path = {0};
	struct buffer text = {0};
	FILE *file;
	char block[4096];
	size_t n;

	assert_non_null(root);
	assert_int_equal(buffer_printf(&path, "%s/%s", root, name), 0);
	file = fopen(path.data, "re");
	assert_non_null(file);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		assert_int_equal(buffer_append(&text, block, n), 0);
	fclose(file);
	buffer_finish(&path);
	return text.data;
}

static void the_picture_in_the_documents_is_the_table(void **state)
{
	static const char head[] = "<!-- moves -->\n```mermaid\n";
	static const char tail[] = "```\n<!-- /moves -->\n";
	_cleanup_(freep) char *document = read_document("ARCHITECTURE.md");
	struct buffer picture = {0};
	char *block, *end;

	(void)state;
	assert_int_equal(job_print_moves(&picture), 0);
	block = strstr(document, head);
	assert_non_null(block);
	block += sizeof(head) - 1;
	end = strstr(block, tail);
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(block, picture.data);
	buffer_finish(&picture);
}

static void the_picture_shows_each_allowed_move_once(void **state)
{
	struct buffer picture = {0};
	size_t lines = 0, moves = 0;

	(void)state;
	assert_int_equal(job_print_moves(&picture), 0);
	for (const char *p = picture.data; (p = strchr(p, '\n')); p++)
		lines++;
	for (size_t i = 0; i < _JOB_STATE_COUNT; i++)
		moves += (size_t)__builtin_popcount(allowed[i]);
	/* Two beginnings: that of an order, and that of what is adopted. */
	assert_int_equal(lines, 1 + 2 + moves + 4);
	assert_non_null(strstr(picture.data, "    STARTING --> UNCERTAIN\n"));
	assert_null(strstr(picture.data, "STARTING --> CANCELLED"));
	buffer_finish(&picture);
}

static void a_picture_that_does_not_fit_is_an_error(void **state)
{
	struct buffer picture = {.limit = 100};

	(void)state;
	assert_int_equal(job_print_moves(&picture), -EMSGSIZE);
	buffer_finish(&picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_states_is_allowed_or_aborts),
		cmocka_unit_test(a_finished_job_moves_nowhere),
		cmocka_unit_test(every_open_state_has_a_way_to_an_end),
		cmocka_unit_test(an_undecided_send_cannot_be_cancelled_or_expire),
		cmocka_unit_test(a_wish_to_cancel_is_too_late_at_any_other_end),
		cmocka_unit_test(what_a_cancel_achieved_stays),
		cmocka_unit_test(a_state_outside_the_table_moves_nowhere),
		cmocka_unit_test(only_worked_on_states_are_active),
		cmocka_unit_test(a_move_raises_the_revision_by_one_and_never_turns_time_back),
		cmocka_unit_test(a_job_that_never_started_has_no_start),
		cmocka_unit_test(leaving_the_queue_ends_the_wait_and_leaving_storage_drops_the_outputs),
		cmocka_unit_test(a_sound_status_passes_in_every_state),
		cmocka_unit_test(each_broken_invariant_is_caught),
		cmocka_unit_test(what_a_state_needs_is_checked),
		cmocka_unit_test(the_picture_in_the_documents_is_the_table),
		cmocka_unit_test(the_picture_shows_each_allowed_move_once),
		cmocka_unit_test(a_picture_that_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests_name("job.moves", tests, NULL, NULL);
}
