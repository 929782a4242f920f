/*
 * Inputs of the user's own: they are in the order that is sent, or are brought to the provider before it, once; and
 * nothing is bought twice by it.
 */
#include "engine/rig.h"

#include "engine/media.h"

#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>

#define HOUR RIG_HOUR_MS

/* Nobody asks about it during the test. */
#define ACCEPTED(id) "accepted id=" id " after=80000000"

static const char fox[] = "the picture of a fox";

/* ---- an asset that is there ---- */

struct deed {
	struct submission submission;
	atomic_int outcome; /* 99: not yet */
};

static void on_committed(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct deed *deed = (struct deed *)(void *)submission;

	(void)engine;
	atomic_store(&deed->outcome, store_commit_outcome(commit));
}

static bool is_done(struct rig *rig, void *userdata)
{
	struct deed *deed = userdata;

	(void)rig;
	return atomic_load(&deed->outcome) != 99;
}

static void commit_now(struct rig *rig, struct store_commit *commit)
{
	struct deed deed = {.submission.on_committed = on_committed, .outcome = 99};

	store_submit(rig->engine->store, commit, &deed.submission);
	await_engine(rig, is_done, &deed);
	assert_int_equal(atomic_load(&deed.outcome), 0);
}

static struct digest put_asset(struct rig *rig, const char *content)
{
	struct asset asset = {.sha256 = digest_of(bytes_of_text(content)),
			      .id = id_new(now_ms()),
			      .size_bytes = strlen(content),
			      .media_type = "image/png",
			      .created_ms = now_ms()};
	struct store_commit *commit = store_commit_new();
	char path[PATH_MAX], *slash;
	FILE *file;

	artifact_path(rig, &asset.sha256, path);
	slash = strrchr(path, '/');
	*slash = '\0';
	mkdir(path, 0700);
	*slash = '/';
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	store_commit_put_asset(commit, JOB_TENANT_DEFAULT, &asset);
	commit_now(rig, commit);
	return asset.sha256;
}

static void forget_handle(struct rig *rig, const struct digest *sha256)
{
	struct store_commit *commit = store_commit_new();

	store_commit_delete_handle(commit, JOB_TENANT_DEFAULT, sha256, &rig->providers[0].account_digest);
	commit_now(rig, commit);
}

static const char *order_of(const struct digest *sha256)
{
	static char text[512];
	char hex[DIGEST_TEXT_SIZE];

	digest_format(sha256, hex);
	snprintf(text, sizeof(text),
		 "{\"prompt\":\"p\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"asset\":\"assets/%s\"}]}",
		 hex);
	return text;
}

static struct job_ref order_fox(struct rig *rig)
{
	struct digest sha256 = put_asset(rig, fox);

	return order_with(rig, &(struct engine_create){.parameters = order_of(&sha256)});
}

static struct job_ref order_again(struct rig *rig)
{
	struct digest sha256 = digest_of(bytes_of_text(fox));

	return order_with(rig, &(struct engine_create){.parameters = order_of(&sha256)});
}

static void assert_asks(struct rig *rig, const char *method, const char *ending, const char *content)
{
	const struct request *request = the_request(rig);

	assert_string_equal(request->method, method);
	assert_true(request_ends_with(request, ending));
	if (!request->body || !strstr(request->body, content))
		fail_msg("'%s' has no '%s'", request->body ? request->body : "", content);
}

#define UPLOADED(handle) "report text={\"handle\":\"" handle "\"}"

static size_t uploads(struct rig *rig)
{
	return times_asked(&rig->runner, PLUGIN_VERB_UPLOAD);
}

/* ---- inside the order ---- */

static void an_input_is_sent_inside_the_order(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "carry";
	job = order_fox(rig);
	assert_asks(rig, "POST", "/buy", "[base64: the picture of a fox]");
	assert_true(the_request(rig)->flags & HTTP_ONCE);
	assert_int_equal(the_request(rig)->lane, HTTP_LANE_TRANSFER);
	reply(rig, 201, ACCEPTED("v1"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 1);
}

/* The repeat is built from the store and the file, and says the same. */
static void an_order_with_an_input_is_repeated_after_a_crash(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;
	char key[128];

	rig->plugins[0].begin[PLUGIN_VERB_START] = "carry";
	job = order_fox(rig);
	snprintf(key, sizeof(key), "%s", request_header(the_request(rig), "Idempotency-Key"));
	crash_and_restart(rig);
	sleep_over(rig, &job);
	assert_asks(rig, "POST", "/buy", "[base64: the picture of a fox]");
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
	reply(rig, 201, ACCEPTED("v1"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* Missing, and cut short: there is such an asset all the same. */
static void an_input_whose_file_is_damaged_ends_the_order_with_the_truth(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 2; i++) {
		struct digest sha256 = put_asset(rig, i ? fox : "the picture of a hen");
		char path[PATH_MAX], name[ASSET_NAME_SIZE];
		const char *message;
		struct job_ref job;

		artifact_path(rig, &sha256, path);
		assert_int_equal(i ? unlink(path) : truncate(path, 3), 0);
		job = order_with(rig, &(struct engine_create){.parameters = order_of(&sha256)});
		assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
		assert_int_equal(rig->http.count, 0);
		asset_name_format(&sha256, name);
		message = look(rig, &job)->failure.message;
		assert_non_null(strstr(message, name));
		assert_non_null(strstr(message, "damaged"));
		assert_non_null(strstr(message, "upload the file again"));
	}
}

/* ---- brought before the order ---- */

static void an_input_is_brought_before_it_is_named(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	assert_asks(rig, "PUT", "/upload", "[raw: the picture of a fox]");
	assert_false(the_request(rig)->flags & HTTP_ONCE);
	assert_state(rig, &job, JOB_STATE_PREPARING);
	reply(rig, 200, UPLOADED("h1"));
	assert_asks(rig, "POST", "/buy", "handle=h1");
	reply(rig, 201, ACCEPTED("v1"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_string_equal(history(rig, &job), "queued preparing starting running");
	assert_int_equal(purchases(rig), 1);
}

static void the_next_order_uses_what_is_there_already_also_after_a_restart(void **state)
{
	struct rig *rig = *state;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	order_fox(rig);
	reply(rig, 200, UPLOADED("h1"));
	reply(rig, 201, ACCEPTED("v1"));
	crash_and_restart(rig);
	order_again(rig);
	assert_asks(rig, "POST", "/buy", "handle=h1");
	assert_int_equal(uploads(rig), 2); /* one question and its answer */
}

static void orders_at_once_bring_it_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref first, second;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	first = order_fox(rig);
	second = order_again(rig);
	assert_int_equal(open_requests(rig), 1);
	reply(rig, 200, UPLOADED("h1"));
	assert_int_equal(open_requests(rig), 2);
	reply_to(rig, &first, 201, ACCEPTED("v1"));
	reply_to(rig, &second, 201, ACCEPTED("v2"));
	assert_state(rig, &first, JOB_STATE_RUNNING);
	assert_state(rig, &second, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 2);
}

static void after_an_upload_it_is_not_said_that_nothing_was_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	rig->plugins[0].begin[PLUGIN_VERB_START] = "failed reason=invalid_input message=no-such-avatar";
	reply(rig, 200, UPLOADED("h1"));
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
	assert_string_equal(look(rig, &job)->failure.message, "the order cannot be made: no-such-avatar");
}

static void an_upload_goes_on_when_its_order_is_cancelled(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	cancel(rig, &job);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	reply(rig, 200, UPLOADED("h1"));
	order_again(rig);
	assert_asks(rig, "POST", "/buy", "handle=h1");
}

static void what_expires_is_brought_again_in_time(void **state)
{
	struct rig *rig = *state;
	char words[256];

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	order_fox(rig);
	snprintf(words, sizeof(words), "report text={\"handle\":\"h1\",\"expires_at_ms\":%lld}",
		 (long long)(now_ms() + HOUR));
	reply(rig, 200, words);
	reply(rig, 201, ACCEPTED("v1"));
	pass(rig, HOUR - LIMIT_ENGINE_HANDLE_SPARE_MS - 1000);
	order_again(rig);
	assert_asks(rig, "POST", "/buy", "handle=h1");
	reply(rig, 201, ACCEPTED("v2"));
	pass(rig, 2000);
	order_again(rig);
	assert_asks(rig, "PUT", "/upload", "[raw:");
}

/* Nothing was stored of it, nothing was bought: it begins anew. */
static void a_crash_during_an_upload_begins_it_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_PREPARING);
	assert_asks(rig, "PUT", "/upload", "[raw: the picture of a fox]");
	reply(rig, 200, UPLOADED("h2"));
	assert_asks(rig, "POST", "/buy", "handle=h2");
	assert_int_equal(purchases(rig), 1);
}

static void an_upload_that_is_refused_ends_the_order_with_nothing_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	reply(rig, 413, "failed reason=invalid_input message=too-large");
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
	assert_string_equal(look(rig, &job)->failure.provider_message, "too-large");
	assert_int_equal(purchases(rig), 0);
}

static void an_upload_that_fails_for_now_is_tried_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BACKOFF);
	pass(rig, LIMIT_ENGINE_BACKOFF_CAP_MS);
	assert_asks(rig, "PUT", "/upload", "[raw:");
	reply(rig, 503, "trouble reason=unavailable");
	pass(rig, LIMIT_ENGINE_BACKOFF_CAP_MS);
	reply(rig, 200, UPLOADED("h1"));
	assert_asks(rig, "POST", "/buy", "handle=h1");
}

static void an_upload_buys_nothing_whatever_the_plugin_says(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	rig->plugins[0].begin[PLUGIN_VERB_UPLOAD] = "buy";
	job = order_fox(rig);
	assert_failed(rig, &job, JOB_REASON_PLUGIN_FAULT, JOB_PURCHASE_NOTHING);
	assert_int_equal(rig->http.count, 0);
}

static void an_upload_has_a_state_and_an_end(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	reply(rig, 200, "bring state={\"id\":7}");
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_UPLOAD)->state ? "" : "none", "none");
	reply(rig, 200, "bring");
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_UPLOAD)->state, "{\"id\":7}");
	for (int i = 3; i < LIMIT_ENGINE_VERB_HOPS; i++)
		reply(rig, 200, "bring");
	assert_state(rig, &job, JOB_STATE_PREPARING);
	reply(rig, 200, "bring");
	assert_failed(rig, &job, JOB_REASON_PLUGIN_FAULT, JOB_PURCHASE_NOTHING);
}

/* ---- the provider has forgotten it ---- */

static void what_the_provider_has_forgotten_is_brought_anew_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	order_fox(rig);
	reply(rig, 200, UPLOADED("h1"));
	reply(rig, 201, ACCEPTED("v1"));
	pass(rig, 1000);
	job = order_again(rig);
	assert_asks(rig, "POST", "/buy", "handle=h1");
	reply(rig, 404, "trouble reason=not_found bought=none");
	assert_state(rig, &job, JOB_STATE_QUEUED);
	pass(rig, LIMIT_ENGINE_BACKOFF_CAP_MS);
	reply(rig, 200, UPLOADED("h2"));
	assert_string_equal(history(rig, &job), "queued preparing starting queued preparing starting");
	reply(rig, 404, "trouble reason=not_found bought=none");
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
}

/* A handle that is needed to say what the first send said is used, expired or not; without it nothing is repeated. */
static void a_doubt_keeps_its_handle(void **state)
{
	struct rig *rig = *state;
	struct digest sha256 = digest_of(bytes_of_text(fox));
	struct job_ref job;
	char words[256];

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	snprintf(words, sizeof(words), "report text={\"handle\":\"h1\",\"expires_at_ms\":%lld}",
		 (long long)(now_ms() + HOUR));
	reply(rig, 200, words);
	lose_reply(rig);
	rig_crash(rig);
	clock_jump(2 * HOUR);
	rig_start(rig);
	settle(rig);
	if (is_asleep(rig, &job))
		sleep_over(rig, &job);
	assert_asks(rig, "POST", "/buy", "handle=h1");
	lose_reply(rig);
	forget_handle(rig, &sha256);
	rig_crash(rig);
	rig_start(rig);
	settle(rig);
	if (is_asleep(rig, &job))
		sleep_over(rig, &job);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(open_requests(rig), 0);
}

/* ---- stopping ---- */

static struct {
	atomic_int calls_until; /* the slow one; 0 and below: there is none */
	store_assets_fn *fn;
	void *userdata;
	sem_t is_read, may_go_on;
} slow_read;

void __real_store_get_assets(struct store *store, uint32_t tenant, const struct digest *sha256, size_t n,
			     store_assets_fn *fn, void *userdata);
void __wrap_store_get_assets(struct store *store, uint32_t tenant, const struct digest *sha256, size_t n,
			     store_assets_fn *fn, void *userdata);

/* [reader thread] */
static void on_slow_read(void *userdata, int outcome, struct asset *assets, size_t n)
{
	(void)userdata;
	sem_post(&slow_read.is_read);
	sem_wait(&slow_read.may_go_on);
	slow_read.fn(slow_read.userdata, outcome, assets, n);
}

void __wrap_store_get_assets(struct store *store, uint32_t tenant, const struct digest *sha256, size_t n,
			     store_assets_fn *fn, void *userdata)
{
	bool is_slow = atomic_fetch_sub(&slow_read.calls_until, 1) == 1;

	if (is_slow) {
		slow_read.fn = fn;
		slow_read.userdata = userdata;
	}
	__real_store_get_assets(store, tenant, sha256, n, is_slow ? on_slow_read : fn, userdata);
}

/* The room that opens files is closed before the store, whose reader asks it to. */
static void an_end_waits_for_an_input_that_is_being_opened(void **state)
{
	struct rig *rig = *state;
	struct digest sha256 = put_asset(rig, fox);
	struct answer *answer;
	struct job_ref job;

	sem_init(&slow_read.is_read, 0, 0);
	sem_init(&slow_read.may_go_on, 0, 0);
	rig->plugins[0].begin[PLUGIN_VERB_START] = "carry";
	/* The first is asked when the order is accepted. */
	atomic_store(&slow_read.calls_until, 2);
	answer = create_unsettled(rig, &(struct engine_create){.parameters = order_of(&sha256)});
	await_answer(answer);
	job = answer->view.job->ref;
	sem_wait(&slow_read.is_read);
	stop_unsettled(rig, 0);
	await_drain_turns(rig, 1);
	clock_jump(LIMIT_ENGINE_DRAIN_MARGIN_MS);
	await_drain_turns(rig, 2);
	sem_post(&slow_read.may_go_on);
	stop_end(rig);
	assert_int_equal(purchases(rig), 0);
	rig_start(rig);
	assert_asks(rig, "POST", "/buy", "[base64: the picture of a fox]");
	reply(rig, 201, ACCEPTED("v1"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sem_destroy(&slow_read.is_read);
	sem_destroy(&slow_read.may_go_on);
}

static void a_stop_during_an_upload_is_resumed_by_the_next_start(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "name";
	job = order_fox(rig);
	stop_begin(rig, 1000);
	stop_end(rig);
	rig_photograph(rig);
	rig_crash(rig);
	rig_start(rig);
	settle(rig);
	pass(rig, LIMIT_ENGINE_BACKOFF_CAP_MS);
	reply(rig, 200, UPLOADED("h1"));
	assert_asks(rig, "POST", "/buy", "handle=h1");
	reply(rig, 201, ACCEPTED("v1"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(an_input_is_sent_inside_the_order),
		story(an_order_with_an_input_is_repeated_after_a_crash),
		story(an_input_whose_file_is_damaged_ends_the_order_with_the_truth),
		story(an_input_is_brought_before_it_is_named),
		story(the_next_order_uses_what_is_there_already_also_after_a_restart),
		story(orders_at_once_bring_it_once),
		story(after_an_upload_it_is_not_said_that_nothing_was_sent),
		story(an_upload_goes_on_when_its_order_is_cancelled),
		story(what_expires_is_brought_again_in_time),
		story(a_crash_during_an_upload_begins_it_anew),
		story(an_upload_that_is_refused_ends_the_order_with_nothing_bought),
		story(an_upload_that_fails_for_now_is_tried_again),
		story(an_upload_buys_nothing_whatever_the_plugin_says),
		story(an_upload_has_a_state_and_an_end),
		story(what_the_provider_has_forgotten_is_brought_anew_once),
		story(a_doubt_keeps_its_handle),
		story(an_end_waits_for_an_input_that_is_being_opened),
		story(a_stop_during_an_upload_is_resumed_by_the_next_start),
	};

	return cmocka_run_group_tests_name("engine.forward", tests, NULL, NULL);
}
