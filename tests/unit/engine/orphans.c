/*
 * What is in a provider's account and no job's: told, and adopted, once, without a purchase and without an entry in the
 * books.
 */
#include "engine/rig.h"

#include "engine/held.h"

#define LIST(entries) "report text={\"entries\":[" entries "]}"
#define V(id, more) "{\"id\":\"" id "\"" more "}"

/* Answers come from readers of the store, too. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void tell(unsigned int *times)
{
	(*times)++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

static void await(struct rig *rig, const unsigned int *times)
{
	pthread_mutex_lock(&mutex);
	while (*times == 0)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
	settle(rig);
}

struct listed {
	unsigned int times;
	int outcome;
	char text[512];
	char ids[256]; /* "v1 v2?01a2… v3-01a2…": ? is a maybe, - a deleted job */
	uint32_t owned, unusable, next_offset;
	bool has_more;
	char next[64];
};

static void add_id(struct listed *listed, const struct engine_orphan *orphan)
{
	size_t len = strlen(listed->ids);

	snprintf(listed->ids + len, sizeof(listed->ids) - len, "%s%s%s%s", len ? " " : "", orphan->remote_id,
		 orphan->has_maybe_job ? "?" : "", orphan->has_deleted_job ? "-" : "");
}

static void on_orphans(void *userdata, int outcome, const struct engine_error *error,
		       const struct engine_orphans *orphans)
{
	struct listed *listed = userdata;

	pthread_mutex_lock(&mutex);
	listed->outcome = outcome;
	if (error) {
		snprintf(listed->text, sizeof(listed->text), "%s", error->text);
		tell(&listed->times);
		return;
	}
	listed->owned = orphans->owned;
	listed->unusable = orphans->unusable;
	listed->has_more = orphans->has_more;
	listed->next_offset = orphans->next_offset;
	snprintf(listed->next, sizeof(listed->next), "%s", orphans->next_page ? orphans->next_page : "");
	for (size_t i = 0; i < orphans->n; i++)
		add_id(listed, &orphans->orphans[i]);
	tell(&listed->times);
}

static struct listed *ask(struct rig *rig, const char *provider, const char *page, uint32_t offset, uint32_t limit)
{
	static struct listed listed;

	listed = (struct listed){0};
	engine_list_orphans(rig->engine,
			    &(struct engine_orphans_query){.tenant = JOB_TENANT_DEFAULT,
							   .provider = provider,
							   .page = page,
							   .offset = offset,
							   .limit = limit},
			    on_orphans, &listed);
	settle(rig);
	return &listed;
}

static struct listed *list_at(struct rig *rig, const char *provider, const char *report)
{
	struct listed *listed = ask(rig, provider, NULL, 0, 100);

	reply(rig, 200, report);
	await(rig, &listed->times);
	assert_int_equal(listed->times, 1);
	return listed;
}

static struct listed *list(struct rig *rig, const char *report)
{
	return list_at(rig, "maker", report);
}

struct adopted {
	unsigned int times;
	int outcome;
	char text[512], field[32];
	bool has_job, is_replay;
	struct id job; /* of the error */
	struct job_view view;
};

static void on_adopted(void *userdata, int outcome, const struct engine_error *error, struct job_view *take,
		       bool replayed)
{
	struct adopted *adopted = userdata;

	pthread_mutex_lock(&mutex);
	adopted->outcome = outcome;
	adopted->is_replay = replayed;
	if (outcome == 0) {
		adopted->view = *take;
		tell(&adopted->times);
		return;
	}
	snprintf(adopted->text, sizeof(adopted->text), "%s", error->text);
	if (error->n_violations)
		snprintf(adopted->field, sizeof(adopted->field), "%s", error->violations[0].field);
	adopted->has_job = error->job != NULL;
	if (error->job)
		adopted->job = *error->job;
	tell(&adopted->times);
}

static void adopt_with(struct rig *rig, struct engine_adopt adopt, struct adopted *ret)
{
	*ret = (struct adopted){0};
	adopt.tenant = JOB_TENANT_DEFAULT;
	if (!adopt.provider)
		adopt.provider = "maker";
	engine_adopt_video(rig->engine, &adopt, on_adopted, ret);
	settle(rig);
}

static void finish(struct adopted *adopted)
{
	job_view_finish(&adopted->view);
}

/* Refused as @outcome, with these words. */
static void assert_refused(struct rig *rig, struct adopted *adopted, int outcome, const char *words)
{
	await(rig, &adopted->times);
	assert_int_equal(adopted->times, 1);
	assert_int_equal(adopted->outcome, outcome);
	if (!strstr(adopted->text, words))
		fail_msg("'%s' is not in: %s", words, adopted->text);
	finish(adopted);
}

static struct job_ref adopt(struct rig *rig, const char *remote_id, const char *report)
{
	struct adopted adopted;
	struct job_ref ref;

	adopt_with(rig, (struct engine_adopt){.remote_id = remote_id}, &adopted);
	reply(rig, 200, report);
	await(rig, &adopted.times);
	assert_int_equal(adopted.times, 1);
	assert_int_equal(adopted.outcome, 0);
	ref = adopted.view.job->ref;
	finish(&adopted);
	return ref;
}

static void check_books(struct rig *rig, const struct job_ref *ref)
{
	const struct job_status *status = look(rig, ref);

	assert_int_equal(status->n_sends, 0);
	assert_int_equal(status->money.settlement, JOB_SETTLEMENT_NONE);
	assert_int_equal(status->cost.source, JOB_COST_NONE);
	assert_int_equal(purchases(rig), 0);
}

/* ---- listing ---- */

static void what_jobs_own_is_left_out(void **state)
{
	struct rig *rig = *state;
	struct listed *listed;

	order(rig);
	reply(rig, 201, "accepted id=o/own");
	listed = list(rig, LIST(V("o/own", "") "," V("o/x1", "")));
	assert_int_equal(listed->outcome, 0);
	assert_string_equal(listed->ids, "o/x1");
	assert_int_equal(listed->owned, 1);
	assert_false(listed->has_more);
	assert_int_equal(purchases(rig), 1);
}

static void a_page_is_cut_and_turned(void **state)
{
	struct rig *rig = *state;
	struct listed *listed = ask(rig, "maker", NULL, 0, 2);

	reply(rig, 200,
	      "report text={\"entries\":[" V("o/a", "") "," V("o/b", "") "," V("o/c", "") "],\"next\":\"p2\"}");
	await(rig, &listed->times);
	assert_string_equal(listed->ids, "o/a o/b");
	assert_true(listed->has_more);
	assert_string_equal(listed->next, "");
	assert_int_equal(listed->next_offset, 2);
	listed = ask(rig, "maker", listed->next, 2, 2);
	reply(rig, 200,
	      "report text={\"entries\":[" V("o/a", "") "," V("o/b", "") "," V("o/c", "") "],\"next\":\"p2\"}");
	await(rig, &listed->times);
	assert_string_equal(listed->ids, "o/c");
	assert_string_equal(listed->next, "p2");
	assert_int_equal(listed->next_offset, 0);
	listed = ask(rig, "maker", "p2", 0, 2);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_LIST)->catalogue, "list/p2");
	reply(rig, 200, LIST(""));
	await(rig, &listed->times);
	assert_string_equal(listed->ids, "");
	assert_false(listed->has_more);
	/* Nothing turns a page that is the same again, or has become shorter. */
	listed = ask(rig, "maker", "p2", 0, 2);
	reply(rig, 200, "report text={\"entries\":[],\"next\":\"p2\"}");
	await(rig, &listed->times);
	assert_int_equal(listed->outcome, ENGINE_E_PROVIDER);
	listed = ask(rig, "maker", "p2", 9, 2);
	reply(rig, 200, LIST(V("o/a", "")));
	await(rig, &listed->times);
	assert_string_equal(listed->ids, "");
	assert_false(listed->has_more);
}

static void what_cannot_be_asked_about_is_left_out(void **state)
{
	struct rig *rig = *state;
	char report[1024], giant[300];
	struct listed *listed;

	memset(giant, 'g', sizeof(giant) - 1);
	memcpy(giant, "o/", 2);
	giant[sizeof(giant) - 1] = '\0';
	snprintf(report, sizeof(report),
		 LIST(V("o/a", "") "," V("o/a", "") "," V("", "") "," V("o/c\\u0007", "") "," V(
			 "n\\u0000x", "") ",{\"id\":7},7,"
					  "null,{\"id\":\"%s\"}," V("o/b", ",\"title\":7,\"created_at_ms\":\"x\"")),
		 giant);
	listed = list(rig, report);
	assert_string_equal(listed->ids, "o/a o/b");
	assert_int_equal(listed->unusable, 7);
}

static void who_cannot_list_says_so(void **state)
{
	struct rig *rig = *state;
	struct adopted adopted;
	struct listed *listed;

	rig->plugins[0].cannot[PLUGIN_VERB_LIST] = true;
	listed = ask(rig, "maker", NULL, 0, 10);
	assert_int_equal(listed->outcome, ENGINE_E_STATE);
	assert_non_null(strstr(listed->text, "the provider 'maker' has no list of its videos"));
	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1"}, &adopted);
	assert_refused(rig, &adopted, ENGINE_E_STATE, "has no list of its videos");
	rig->plugins[0].cannot[PLUGIN_VERB_LIST] = false;
	listed = ask(rig, "maker", NULL, 0, 10);
	reply(rig, 404, "failed reason=invalid_input message=none");
	await(rig, &listed->times);
	assert_int_equal(listed->outcome, ENGINE_E_STATE);
	assert_int_equal(ask(rig, "nobody", NULL, 0, 10)->outcome, ENGINE_E_NOT_FOUND);
	rig->providers[0].plugin = NULL;
	assert_int_equal(ask(rig, "maker", NULL, 0, 10)->outcome, ENGINE_E_PROVIDER);
	rig->providers[0].plugin = &rig->plugins[0];
}

static void a_provider_that_fails_is_said(void **state)
{
	struct rig *rig = *state;
	struct listed *listed = ask(rig, "maker", NULL, 0, 10);

	refuse_to_connect(rig);
	assert_int_equal(listed->outcome, ENGINE_E_UNREACHABLE);
	listed = ask(rig, "maker", NULL, 0, 10);
	reply(rig, 500, "trouble reason=unavailable message=down");
	await(rig, &listed->times);
	assert_int_equal(listed->outcome, ENGINE_E_PROVIDER);
	assert_non_null(strstr(listed->text, "down"));
	listed = ask(rig, "maker", NULL, 0, 10);
	reply(rig, 401, "failed reason=auth message=no");
	await(rig, &listed->times);
	assert_int_equal(listed->outcome, ENGINE_E_CREDENTIAL);
}

/* ---- adopting ---- */

static void what_is_adopted_goes_its_way_and_costs_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt(
		rig, "o/x1",
		LIST(V("o/x1", ",\"title\":\"T\\u0007\\u202eitle\",\"status\":\"busy\",\"kind\":\"video\"")));
	const struct job_status *status = look(rig, &job);

	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(status->revision, 1);
	assert_string_equal(status->display_name, "Title");
	assert_string_equal(status->remotes[0].id, "o/x1");
	assert_string_equal(status->remote_state, "busy");
	assert_string_equal(history(rig, &job), "running");
	sleep_over(rig, &job);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, "o/x1");
	reply(rig, 200, "wait status=busy");
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=5000");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	check_books(rig, &job);
	assert_string_equal(list(rig, LIST(V("o/x1", "")))->ids, "");
	assert_answer(retry(rig, &job, NULL), ENGINE_E_STATE);
}

static void one_that_failed_there_fails_and_costs_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt(rig, "o/x1", LIST(V("o/x1", "")));

	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=made");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_MADE);
	check_books(rig, &job);
}

static void it_takes_no_slot(void **state)
{
	struct rig *rig = *state;
	struct answer *found;

	adopt(rig, "o/x1", LIST(V("o/x1", "")));
	found = provider(rig, "maker");
	assert_int_equal(found->provider.running, 0);
}

static void it_is_resumed_after_a_crash(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt(rig, "o/x1", LIST(V("o/x1", "")));

	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(provider(rig, "maker")->provider.running, 0);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	check_books(rig, &job);
}

static void a_copy_of_the_store_does_not_hold_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt(rig, "o/x1", LIST(V("o/x1", "")));

	rig->config.is_copy = true;
	crash_and_restart(rig);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
}

static void a_cancel_detaches_it_and_nothing_is_awaited(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt(rig, "o/x1", LIST(V("o/x1", "")));

	rig->plugins[0].cannot[PLUGIN_VERB_CANCEL] = true;
	assert_answer(cancel(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_DETACHED);
	assert_int_equal(look(rig, &job)->money.awaited_until_ms, 0);
	check_books(rig, &job);
}

static void what_is_owned_is_refused_with_its_owner(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt(rig, "o/x1", LIST(V("o/x1", "")));
	struct adopted adopted;

	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1", .is_forced = true}, &adopted);
	reply(rig, 200, LIST(V("o/x1", "")));
	await(rig, &adopted.times);
	assert_memory_equal(&adopted.job, &job.id, sizeof(job.id));
	assert_true(adopted.has_job);
	assert_refused(rig, &adopted, ENGINE_E_OWNED, "'o/x1' is the video of jobs/");
}

/* What was asked of the store so far is answered. */
static void await_reads(struct rig *rig)
{
	hold_readers(rig);
	release_readers(rig);
	settle(rig);
}

static void answer_all(struct rig *rig, const char *report)
{
	size_t n = 0;

	for (struct request *request = rig->http.requests; request; request = request->next)
		if (!request->is_ended) {
			fake_http_end(&rig->http, request, &(struct said){.status = 200, .body = report});
			n++;
		}
	assert_int_equal(n, 2);
}

static void two_at_the_same_moment_make_one_job(void **state)
{
	struct rig *rig = *state;
	struct adopted one, two;
	struct adopted *made, *refused;

	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1"}, &one);
	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1"}, &two);
	/* Both ask the store for the owner before either has begun to be one. */
	hold_readers(rig);
	answer_all(rig, LIST(V("o/x1", "")));
	release_readers(rig);
	await(rig, &one.times);
	await(rig, &two.times);
	assert_int_equal(one.times + two.times, 2);
	made = one.outcome == 0 ? &one : &two;
	refused = one.outcome == 0 ? &two : &one;
	assert_int_equal(made->outcome, 0);
	assert_int_equal(refused->outcome, ENGINE_E_OWNED);
	assert_memory_equal(&refused->job, &made->view.job->ref.id, sizeof(struct id));
	finish(made);
	finish(refused);
}

/* Its first sender has given it up, or sent it again: it is one request all the same. */
static void one_request_that_comes_twice_at_once_is_answered_once(void **state)
{
	const struct engine_adopt request = {.remote_id = "o/x1", .request_id = "r1"};
	struct rig *rig = *state;
	struct adopted one, two;

	adopt_with(rig, request, &one);
	adopt_with(rig, request, &two);
	/* Whether the id is known is asked first; only then the provider. */
	await_reads(rig);
	hold_readers(rig);
	answer_all(rig, LIST(V("o/x1", "")));
	release_readers(rig);
	await(rig, &one.times);
	await(rig, &two.times);
	assert_int_equal(one.outcome, 0);
	assert_int_equal(two.outcome, 0);
	assert_int_not_equal(one.is_replay, two.is_replay);
	assert_true(job_ref_equal(&one.view.job->ref, &two.view.job->ref));
	finish(&one);
	finish(&two);
}

/* The second is in the list when the first has been made of it. */
static void one_that_is_still_looking_is_answered_with_what_the_other_made(void **state)
{
	const struct engine_adopt request = {.remote_id = "o/x1", .request_id = "r1"};
	struct rig *rig = *state;
	struct adopted one, two;
	struct request *first, *second;

	adopt_with(rig, request, &one);
	await_reads(rig);
	first = the_request(rig);
	adopt_with(rig, request, &two);
	await_reads(rig);
	for (second = rig->http.requests; second == first || second->is_ended;)
		second = second->next;
	fake_http_end(&rig->http, first, &(struct said){.status = 200, .body = LIST(V("o/x1", ""))});
	await(rig, &one.times);
	assert_int_equal(one.outcome, 0);
	fake_http_end(&rig->http, second, &(struct said){.status = 200, .body = LIST(V("o/x1", ""))});
	await(rig, &two.times);
	assert_int_equal(two.outcome, 0);
	assert_true(two.is_replay);
	assert_true(job_ref_equal(&one.view.job->ref, &two.view.job->ref));
	finish(&one);
	finish(&two);
}

static void a_request_is_answered_once(void **state)
{
	struct rig *rig = *state;
	const struct engine_adopt request = {.remote_id = "o/x1", .request_id = "r1"};
	struct engine_adopt other = request;
	struct adopted one, two;

	adopt_with(rig, request, &one);
	await_reads(rig);
	reply(rig, 200, LIST(V("o/x1", "")));
	await(rig, &one.times);
	assert_int_equal(one.outcome, 0);
	assert_false(one.is_replay);
	adopt_with(rig, request, &two);
	await(rig, &two.times);
	assert_int_equal(two.times, 1);
	assert_int_equal(two.outcome, 0);
	assert_true(two.is_replay);
	assert_true(job_ref_equal(&one.view.job->ref, &two.view.job->ref));
	finish(&one);
	finish(&two);
	other.remote_id = "o/x2";
	adopt_with(rig, other, &two);
	assert_refused(rig, &two, ENGINE_E_REQUEST_REUSED, "different request");
	/* An order has its ids in the same place. */
	assert_answer(create(rig, &(struct engine_create){.request_id = "r1"}), ENGINE_E_REQUEST_REUSED);
}

static void what_is_not_listed_is_refused(void **state)
{
	struct rig *rig = *state;
	struct adopted adopted;

	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x9"}, &adopted);
	reply(rig, 200, "report text={\"entries\":[" V("o/a", "") "],\"next\":\"p2\"}");
	reply(rig, 200, LIST(V("o/b", "")));
	await(rig, &adopted.times);
	assert_string_equal(adopted.field, "remote_id");
	assert_refused(rig, &adopted, ENGINE_E_INVALID,
		       "'o/x9' is not among the 2 videos that the provider 'maker' lists");
	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x9", .model = "none"}, &adopted);
	assert_string_equal(adopted.field, "model");
	assert_refused(rig, &adopted, ENGINE_E_INVALID, "has no model 'none'");
}

static void a_deleted_job_s_is_adopted_by_force_alone(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt(rig, "o/x1", LIST(V("o/x1", "")));
	struct adopted adopted;

	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=made");
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_string_equal(list(rig, LIST(V("o/x1", "")))->ids, "o/x1-");
	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1"}, &adopted);
	reply(rig, 200, LIST(V("o/x1", "")));
	assert_refused(rig, &adopted, ENGINE_E_STATE, "which was deleted here");
	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1", .is_forced = true}, &adopted);
	reply(rig, 200, LIST(V("o/x1", "")));
	await(rig, &adopted.times);
	assert_int_equal(adopted.outcome, 0);
	finish(&adopted);
}

#define AT(ms) ",\"created_at_ms\":" #ms

static void what_may_be_an_undecided_job_s_is_not_adopted_unasked(void **state)
{
	struct rig *rig = *state;
	struct job_ref doubt = uncertain_job(rig);
	struct adopted adopted;

	/* Of that time, of no time that is known, and of the day before. */
	assert_string_equal(list_at(rig, "plain",
				    LIST(V("o/a", AT(1795000000000)) "," V("o/b", "") "," V("o/c", AT(1794900000000))))
				    ->ids,
			    "o/a? o/b? o/c");
	adopt_with(rig, (struct engine_adopt){.provider = "plain", .remote_id = "o/a"}, &adopted);
	reply(rig, 200, LIST(V("o/a", AT(1795000000000))));
	await(rig, &adopted.times);
	assert_memory_equal(&adopted.job, &doubt.id, sizeof(doubt.id));
	assert_refused(rig, &adopted, ENGINE_E_STATE, "'filmgate resolve ");
	adopt_with(rig, (struct engine_adopt){.provider = "plain", .remote_id = "o/c"}, &adopted);
	reply(rig, 200, LIST(V("o/c", AT(1794900000000))));
	await(rig, &adopted.times);
	assert_int_equal(adopted.outcome, 0);
	finish(&adopted);
	/* Who gave up looks for it no more. */
	assert_answer(resolve(rig, &(struct engine_resolve){.ref = doubt, .resolution = ENGINE_RESOLUTION_GIVE_UP}), 0);
	assert_string_equal(list_at(rig, "plain", LIST(V("o/a", AT(1795000000000))))->ids, "o/a?");
	adopt_with(rig, (struct engine_adopt){.provider = "plain", .remote_id = "o/a"}, &adopted);
	reply(rig, 200, LIST(V("o/a", AT(1795000000000))));
	await(rig, &adopted.times);
	assert_int_equal(adopted.outcome, 0);
	finish(&adopted);
}

static void force_adopts_what_may_be_another_s(void **state)
{
	struct rig *rig = *state;
	struct job_ref doubt = uncertain_job(rig);
	struct engine_resolve found = {.ref = doubt, .resolution = ENGINE_RESOLUTION_FOUND, .remote_id = "o/a"};
	struct adopted adopted;
	struct answer *answer;

	adopt_with(rig, (struct engine_adopt){.provider = "plain", .remote_id = "o/a", .is_forced = true}, &adopted);
	reply(rig, 200, LIST(V("o/a", "")));
	await(rig, &adopted.times);
	assert_int_equal(adopted.outcome, 0);
	finish(&adopted);
	/* From then on it is no other's, in memory and after it has ended. */
	answer = resolve(rig, &found);
	assert_answer(answer, ENGINE_E_INVALID);
	assert_non_null(strstr(answer->text, "'o/a' is the video of jobs/"));
}

static void a_disk_that_fails_adopts_nothing(void **state)
{
	struct rig *rig = *state;
	struct adopted adopted;

	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1"}, &adopted);
	break_disk(rig);
	reply(rig, 200, LIST(V("o/x1", "")));
	assert_refused(rig, &adopted, ENGINE_E_STORE, "the store takes no writes");
	crash_and_restart(rig);
	assert_string_equal(list(rig, LIST(V("o/x1", "")))->ids, "o/x1");
}

static void the_end_of_the_daemon_adopts_nothing(void **state)
{
	struct rig *rig = *state;
	struct adopted adopted;

	engine_drain(rig->engine);
	adopt_with(rig, (struct engine_adopt){.remote_id = "o/x1"}, &adopted);
	assert_refused(rig, &adopted, ENGINE_E_DRAINING, "shutting down");
	assert_int_equal(ask(rig, "maker", NULL, 0, 10)->outcome, ENGINE_E_DRAINING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(what_jobs_own_is_left_out),
		story(a_page_is_cut_and_turned),
		story(what_cannot_be_asked_about_is_left_out),
		story(who_cannot_list_says_so),
		story(a_provider_that_fails_is_said),
		story(what_is_adopted_goes_its_way_and_costs_nothing),
		story(one_that_failed_there_fails_and_costs_nothing),
		story(it_takes_no_slot),
		story(it_is_resumed_after_a_crash),
		story(a_copy_of_the_store_does_not_hold_it),
		story(a_cancel_detaches_it_and_nothing_is_awaited),
		story(what_is_owned_is_refused_with_its_owner),
		story(two_at_the_same_moment_make_one_job),
		story(one_request_that_comes_twice_at_once_is_answered_once),
		story(one_that_is_still_looking_is_answered_with_what_the_other_made),
		story(a_request_is_answered_once),
		story(what_is_not_listed_is_refused),
		story(a_deleted_job_s_is_adopted_by_force_alone),
		story(what_may_be_an_undecided_job_s_is_not_adopted_unasked),
		story(force_adopts_what_may_be_another_s),
		story(a_disk_that_fails_adopts_nothing),
		story(the_end_of_the_daemon_adopts_nothing),
	};

	return cmocka_run_group_tests_name("engine.orphans", tests, NULL, NULL);
}
