/*
 * Orders that are changed to fit, and notes: what was changed is kept, shown, and part of no other request.
 */
#include "engine/rig.h"

/* The clip takes at most ten seconds, and no resolution. */
static const struct engine_create long_order = {
	.request_id = "r-1",
	.parameters = "{\"prompt\":\"a fox\",\"duration_ms\":12000,\"resolution\":\"4k\"}",
	.may_adapt = true,
};

static void assert_notes(const struct job_status *status)
{
	assert_int_equal(status->n_notes, 2);
	assert_int_equal(status->notes[0].severity, JOB_NOTE_ADJUSTED);
	assert_string_equal(status->notes[0].field, "parameters.duration_ms");
	assert_string_equal(status->notes[0].from, "12000");
	assert_string_equal(status->notes[0].to, "10000");
	assert_int_equal(status->notes[1].severity, JOB_NOTE_IGNORED);
	assert_string_equal(status->notes[1].field, "parameters.resolution");
	assert_string_equal(status->notes[1].from, "4k");
	assert_string_equal(status->notes[1].to, "");
}

static void without_leave_nothing_is_changed(void **state)
{
	struct engine_create strict = long_order;
	struct rig *rig = *state;

	strict.may_adapt = false;
	assert_answer(create(rig, &strict), ENGINE_E_INVALID);
}

static void what_was_changed_is_kept_beside_what_is_ordered(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &long_order);
	struct answer *answer;

	crash_and_restart(rig);
	answer = get(rig, &job);
	assert_string_equal(answer->view.job->parameters, "{\"duration_ms\":10000,\"prompt\":\"a fox\"}");
	assert_int_equal(answer->view.job->quote.amount_micros, 2000000);
	assert_notes(answer->view.status);
}

static void a_look_at_an_order_shows_what_would_be_changed(void **state)
{
	struct engine_create look = long_order;
	struct rig *rig = *state;
	struct answer *answer;

	look.validate_only = true;
	answer = create(rig, &look);
	assert_answer(answer, 0);
	assert_notes(answer->view.status);
}

static void a_request_is_the_same_by_what_it_asked(void **state)
{
	struct engine_create other = long_order;
	struct rig *rig = *state;
	struct answer *answer;

	order_with(rig, &long_order);
	answer = create(rig, &long_order);
	assert_answer(answer, 0);
	assert_true(answer->is_replay);
	/* What it became is another request. */
	other.parameters = "{\"duration_ms\":10000,\"prompt\":\"a fox\"}";
	assert_answer(create(rig, &other), ENGINE_E_REQUEST_REUSED);
	other.may_adapt = false;
	assert_answer(create(rig, &other), ENGINE_E_REQUEST_REUSED);
}

static void leave_to_change_makes_another_request(void **state)
{
	struct engine_create once = {.request_id = "r-2", .may_adapt = true};
	struct rig *rig = *state;

	order_with(rig, &once);
	once.may_adapt = false;
	assert_answer(create(rig, &once), ENGINE_E_REQUEST_REUSED);
}

static void what_the_plugin_notes_is_kept_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	uint64_t revision;

	reply(rig, 201, "accepted id=v1 note=dropped");
	assert_int_equal(look(rig, &job)->n_notes, 1);
	assert_int_equal(look(rig, &job)->notes[0].severity, JOB_NOTE_IGNORED);
	assert_string_equal(look(rig, &job)->notes[0].field, "parameters.prompt");
	assert_string_equal(look(rig, &job)->notes[0].message, "dropped");
	sleep_over(rig, &job);
	reply(rig, 200, "wait note=later");
	assert_int_equal(look(rig, &job)->n_notes, 2);
	revision = look(rig, &job)->revision;
	sleep_over(rig, &job);
	reply(rig, 200, "wait note=later");
	assert_int_equal(look(rig, &job)->revision, revision);
	crash_and_restart(rig);
	assert_string_equal(look(rig, &job)->notes[1].message, "later");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		story(without_leave_nothing_is_changed),
		story(what_was_changed_is_kept_beside_what_is_ordered),
		story(a_look_at_an_order_shows_what_would_be_changed),
		story(a_request_is_the_same_by_what_it_asked),
		story(leave_to_change_makes_another_request),
		story(what_the_plugin_notes_is_kept_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
