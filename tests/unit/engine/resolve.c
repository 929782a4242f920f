/*
 * A person decides what the engine could not find out: what that makes of the job, its sends and its time.
 */
#include "engine/rig.h"

#include <stdio.h>

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

/* The provider is asked about @remote_id, and says this of it. */
static struct answer *find(struct rig *rig, const struct job_ref *job, const char *remote_id, int status,
			   const char *words)
{
	struct answer *answer = resolve_unsettled(rig, &(struct engine_resolve){.ref = *job,
										.resolution = ENGINE_RESOLUTION_FOUND,
										.remote_id = remote_id});

	settle(rig);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, remote_id);
	if (status)
		reply(rig, status, words);
	else
		lose_reply(rig);
	await_answer(answer);
	settle(rig);
	return answer;
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

	assert_answer(find(rig, &job, "found/7", 200, "wait"), 0);
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

	find(rig, &found, "found7", 200, "wait");
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
	find(rig, &found, "found7", 200, "wait");
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
	find(rig, &found, "found7", 200, "wait");
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

static void assert_undecided(struct rig *rig, const struct job_ref *job, uint64_t revision)
{
	assert_state(rig, job, JOB_STATE_UNCERTAIN);
	assert_int_equal(look(rig, job)->revision, revision);
	assert_int_equal(look(rig, job)->n_remotes, 0);
	assert_sends(look(rig, job), JOB_SEND_AMBIGUOUS);
	assert_int_equal(open_requests(rig), 0);
}

static void an_id_that_the_provider_does_not_know_decides_nothing(void **state)
{
	static const struct {
		int status;
		const char *words;
	} rows[] = {
		{404, "trouble reason=not_found message=no-such-video"},
		{400, "trouble reason=invalid_input message=no-such-video"},
		{404, "failed reason=lost message=no-such-video"},
	};
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer *answer = find(rig, &job, "typo", rows[i].status, rows[i].words);

		assert_answer(answer, ENGINE_E_INVALID);
		assert_string_equal(answer->field, "remote_id");
		assert_non_null(strstr(answer->text, "the provider does not know 'typo'"));
		assert_non_null(strstr(answer->text, "no-such-video"));
		assert_undecided(rig, &job, revision);
	}
	assert_answer(find(rig, &job, "v1", 200, "wait"), 0);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 1);
}

static void a_provider_that_cannot_be_asked_decides_nothing(void **state)
{
	static const struct {
		int status;
		const char *words;
		int outcome;
	} rows[] = {
		{0, NULL, ENGINE_E_UNREACHABLE},
		{401, "trouble reason=auth", ENGINE_E_CREDENTIAL},
		{429, "trouble reason=rate_limited", ENGINE_E_PROVIDER},
		{503, "trouble reason=unavailable", ENGINE_E_PROVIDER},
	};
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer *answer = find(rig, &job, "v1", rows[i].status, rows[i].words);

		assert_answer(answer, rows[i].outcome);
		assert_non_null(strstr(answer->text, "nothing was decided: try again later"));
		assert_undecided(rig, &job, revision);
	}
}

/* Each comes of nobody's having asked the provider; what the plugin says of it by itself is no word of the provider's. */
static void whoever_was_not_asked_knows_nothing(void **state)
{
	static const struct {
		enum http_kind kind;
		const char *begin;
		int outcome;
		const char *text;
	} rows[] = {
		{HTTP_ADDRESS_REFUSED, "read", ENGINE_E_PROVIDER, "nothing was sent to the provider"},
		{HTTP_INVALID, "read", ENGINE_E_PROVIDER, "nothing was sent to the provider"},
		{HTTP_TOO_LARGE, "read", ENGINE_E_PROVIDER, "the provider's reply is of no use"},
		{HTTP_REPLY, "failed reason=moderated message=a-guess", ENGINE_E_PROVIDER, "a-guess"},
		{HTTP_REPLY, "failed reason=auth message=no-project", ENGINE_E_CREDENTIAL, "no-project"},
		{HTTP_REPLY, "fault", ENGINE_E_PROVIDER, "the fake plugin was told to fail"},
		{HTTP_REPLY, "buy", ENGINE_E_PROVIDER, "an exchange that has no place here"},
		{HTTP_REPLY, "wait", ENGINE_E_PROVIDER, "the plugin did not ask the provider"},
		{HTTP_REPLY, "done video=https://plain.test/file/1", ENGINE_E_PROVIDER,
		 "the plugin did not ask the provider"},
	};
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct engine_resolve found = {.ref = job, .resolution = ENGINE_RESOLUTION_FOUND, .remote_id = "v1"};
		struct answer *answer;

		rig->plugins[1].begin[PLUGIN_VERB_POLL] = rows[i].begin;
		answer = resolve_unsettled(rig, &found);
		settle(rig);
		if (rows[i].kind != HTTP_REPLY)
			answer_request(rig, the_request(rig), &(struct said){.kind = rows[i].kind});
		await_answer(answer);
		settle(rig);
		assert_answer(answer, rows[i].outcome);
		assert_non_null(strstr(answer->text, rows[i].text));
		assert_non_null(strstr(answer->text, "nothing was decided: try again later"));
		assert_undecided(rig, &job, revision);
	}
}

/* Nothing is learnt of the video from a reply about the key. */
static void a_key_that_is_refused_for_good_decides_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	assert_answer(find(rig, &job, "v1", 403, "failed reason=auth"), ENGINE_E_CREDENTIAL);
	assert_undecided(rig, &job, revision);
}

/* The plugin wants to know more, and does not get it. */
static void a_look_that_was_not_finished_decides_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	uint64_t revision = look(rig, &job)->revision;
	struct engine_resolve found = {.ref = job, .resolution = ENGINE_RESOLUTION_FOUND, .remote_id = "v1"};
	struct answer *answer = resolve_unsettled(rig, &found);

	settle(rig);
	reply(rig, 200, "read");
	answer_request(rig, the_request(rig), &(struct said){.kind = HTTP_ADDRESS_REFUSED});
	await_answer(answer);
	settle(rig);
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_undecided(rig, &job, revision);

	answer = resolve_unsettled(rig, &found);
	settle(rig);
	for (int i = 0; i < LIMIT_ENGINE_VERB_HOPS; i++)
		reply(rig, 200, "read");
	await_answer(answer);
	settle(rig);
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_undecided(rig, &job, revision);
}

/* It is the id that is wrong, whoever says so. */
static void an_id_that_the_plugin_does_not_take_decides_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	uint64_t revision = look(rig, &job)->revision;
	struct answer *answer;

	rig->plugins[1].begin[PLUGIN_VERB_POLL] = "trouble reason=invalid_input message=no-id-of-ours";
	answer = decide(rig, &job, ENGINE_RESOLUTION_FOUND, "v1");
	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "remote_id");
	assert_non_null(strstr(answer->text, "the plugin does not take 'v1'"));
	assert_non_null(strstr(answer->text, "no-id-of-ours"));
	assert_undecided(rig, &job, revision);
}

static void what_the_provider_knows_is_found_whatever_became_of_it(void **state)
{
	static const char *const words[] = {
		"done video=https://maker.test/file/1",
		"failed reason=moderated",
		"failed reason=lost bought=made",
		"fault",
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = uncertain_job(rig);
		char id[8];

		snprintf(id, sizeof(id), "v%zu", i);
		assert_answer(find(rig, &job, id, 200, words[i]), 0);
		assert_state(rig, &job, JOB_STATE_RUNNING);
		assert_int_equal(look(rig, &job)->n_remotes, 1);
	}
}

/* Of "maker", whose ids have forms. */
static void an_id_of_another_form_is_not_asked_about(void **state)
{
	static const char *const others[] = {"p/1", "p//o/2", "p/1/o/", "p/1/o/2/3", "p/1/o/2 ", "q/1/o/2", "o/"};
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	uint64_t revision;

	reply(rig, 200, "fault");
	revision = look(rig, &job)->revision;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct answer *answer = decide(rig, &job, ENGINE_RESOLUTION_FOUND, others[i]);

		assert_answer(answer, ENGINE_E_INVALID);
		assert_string_equal(answer->field, "remote_id");
		assert_non_null(
			strstr(answer->text, "is no id of a video of this provider, which looks like p/*/o/* or o/*"));
		assert_undecided(rig, &job, revision);
	}
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_POLL), 0);
	assert_answer(find(rig, &job, "p/1/o/2", 200, "wait"), 0);
}

static void where_nobody_can_ask_the_person_is_believed(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);

	rig->plugins[1].cannot[PLUGIN_VERB_POLL] = true;
	assert_answer(decide(rig, &job, ENGINE_RESOLUTION_FOUND, "found7"), 0);
	assert_string_equal(look(rig, &job)->remotes[0].id, "found7");
	rig->plugins[1].cannot[PLUGIN_VERB_POLL] = false;
}

/* ---- what is another job's ---- */

static void assert_owned(struct rig *rig, const struct answer *answer, const struct job_ref *job,
			 const struct job_ref *owner)
{
	char name[ID_TEXT_SIZE + 8], id[ID_TEXT_SIZE];

	id_format(&owner->id, id);
	snprintf(name, sizeof(name), "jobs/%s", id);
	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "remote_id");
	assert_non_null(strstr(answer->text, name));
	assert_non_null(strstr(answer->text, "nothing was decided"));
	assert_state(rig, job, JOB_STATE_UNCERTAIN);
	assert_int_equal(look(rig, job)->n_remotes, 0);
	assert_sends(look(rig, job), JOB_SEND_AMBIGUOUS);
}

static void an_id_that_is_pasted_twice_is_the_first_ones(void **state)
{
	struct rig *rig = *state;
	struct job_ref first = uncertain_job(rig), second = uncertain_job(rig);
	size_t polls;

	assert_answer(find(rig, &first, "v1", 200, "wait"), 0);
	polls = times_asked(&rig->runner, PLUGIN_VERB_POLL);
	assert_owned(rig, decide(rig, &second, ENGINE_RESOLUTION_FOUND, "v1"), &second, &first);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_POLL), polls);
	assert_answer(find(rig, &second, "v2", 200, "wait"), 0);
	assert_state(rig, &second, JOB_STATE_RUNNING);
}

static void an_id_that_is_pasted_twice_at_once_is_one_jobs(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[] = {uncertain_job(rig), uncertain_job(rig)};
	struct answer *answers[2];

	for (size_t i = 0; i < 2; i++)
		answers[i] = resolve_unsettled(rig, &(struct engine_resolve){.ref = jobs[i],
									     .resolution = ENGINE_RESOLUTION_FOUND,
									     .remote_id = "v1"});
	settle(rig);
	assert_int_equal(open_requests(rig), 2);
	for (struct request *request = rig->http.requests; request; request = request->next)
		if (!request->is_ended)
			answer_request(rig, request, &(struct said){.status = 200, .body = "wait"});
	for (size_t i = 0; i < 2; i++)
		await_answer(answers[i]);
	settle(rig);
	assert_int_equal((answers[0]->outcome == 0) + (answers[1]->outcome == 0), 1);
	for (size_t i = 0; i < 2; i++)
		if (answers[i]->outcome != 0)
			assert_owned(rig, answers[i], &jobs[i], &jobs[1 - i]);
}

/* It is in memory no more, and its record may be gone; what was ordered an hour before may have been decided since. */
static void what_an_ended_job_has_is_not_found_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref first = uncertain_job(rig), second;

	pass(rig, RIG_HOUR_MS);
	second = uncertain_job(rig);
	assert_answer(find(rig, &first, "v1", 200, "wait"), 0);
	sleep_over(rig, &first);
	reply(rig, 200, "done video=https://plain.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &first, JOB_STATE_SUCCEEDED);
	assert_owned(rig, find(rig, &second, "v1", 200, "wait"), &second, &first);
	crash_and_restart(rig);
	assert_owned(rig, find(rig, &second, "v1", 200, "wait"), &second, &first);
	assert_answer(delete_job(rig, &first, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_owned(rig, find(rig, &second, "v1", 200, "wait"), &second, &first);

	rig->plugins[1].cannot[PLUGIN_VERB_POLL] = true;
	assert_owned(rig, decide(rig, &second, ENGINE_RESOLUTION_FOUND, "v1"), &second, &first);
	rig->plugins[1].cannot[PLUGIN_VERB_POLL] = false;
}

/* Whoever looks into the account long afterwards sees the newest first. */
static void what_was_ordered_after_the_doubt_is_not_found(void **state)
{
	struct rig *rig = *state;
	struct job_ref lost = uncertain_job(rig), later;

	pass(rig, 5 * RIG_HOUR_MS);
	later = order_with(rig, &(struct engine_create){.provider = "plain"});
	reply(rig, 201, "done id=v9 video=https://plain.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &later, JOB_STATE_SUCCEEDED);
	pass(rig, 5 * RIG_HOUR_MS);
	assert_owned(rig, find(rig, &lost, "v9", 200, "wait"), &lost, &later);
}

static void another_provider_may_have_the_same_id(void **state)
{
	struct rig *rig = *state;
	struct job_ref plain = uncertain_job(rig), other = order(rig);

	reply(rig, 201, "accepted id=o/1 after=80000000");
	assert_state(rig, &other, JOB_STATE_RUNNING);
	assert_answer(find(rig, &plain, "o/1", 200, "wait"), 0);
}

static bool are_owners_unread;

void __real_store_find_owners(struct store *store, const struct store_owners_query *query, store_owners_fn *fn,
			      void *userdata);
void __wrap_store_find_owners(struct store *store, const struct store_owners_query *query, store_owners_fn *fn,
			      void *userdata);

void __wrap_store_find_owners(struct store *store, const struct store_owners_query *query, store_owners_fn *fn,
			      void *userdata)
{
	if (are_owners_unread)
		fn(userdata, -EIO, NULL, 0);
	else
		__real_store_find_owners(store, query, fn, userdata);
}

static void what_cannot_be_looked_up_here_decides_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	uint64_t revision = look(rig, &job)->revision;
	struct answer *answer;

	are_owners_unread = true;
	answer = find(rig, &job, "v1", 200, "wait");
	are_owners_unread = false;
	assert_answer(answer, ENGINE_E_STORE);
	assert_non_null(strstr(answer->text, "whether 'v1' is another job's could not be read"));
	assert_undecided(rig, &job, revision);
	assert_answer(find(rig, &job, "v1", 200, "wait"), 0);
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
		story(an_id_that_the_provider_does_not_know_decides_nothing),
		story(a_provider_that_cannot_be_asked_decides_nothing),
		story(whoever_was_not_asked_knows_nothing),
		story(a_key_that_is_refused_for_good_decides_nothing),
		story(a_look_that_was_not_finished_decides_nothing),
		story(an_id_that_the_plugin_does_not_take_decides_nothing),
		story(what_the_provider_knows_is_found_whatever_became_of_it),
		story(an_id_of_another_form_is_not_asked_about),
		story(an_id_that_is_pasted_twice_is_the_first_ones),
		story(an_id_that_is_pasted_twice_at_once_is_one_jobs),
		story(what_an_ended_job_has_is_not_found_again),
		story(what_was_ordered_after_the_doubt_is_not_found),
		story(another_provider_may_have_the_same_id),
		story(what_cannot_be_looked_up_here_decides_nothing),
		story(where_nobody_can_ask_the_person_is_believed),
	};

	return cmocka_run_group_tests_name("engine.resolve", tests, NULL, NULL);
}
