/*
 * Asking the engine, and what a story is told with.
 */
#include "engine/rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

/* ---- answers ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* over every answer */
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;

struct answer *new_answer(struct rig *rig)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	assert_non_null(answer);
	*answer = (struct answer){.next = rig->answers, .fd = -1};
	rig->answers = answer;
	return answer;
}

static void arrive(struct answer *answer, int outcome, const struct engine_error *error)
{
	answer->outcome = outcome;
	if (error) {
		snprintf(answer->text, sizeof(answer->text), "%s", error->text);
		answer->n_violations = error->n_violations;
		if (error->n_violations)
			snprintf(answer->field, sizeof(answer->field), "%s", error->violations[0].field);
	}
	answer->times++;
	answer->is_there = true;
	pthread_cond_broadcast(&answered);
}

static void on_job(void *userdata, int outcome, const struct engine_error *error, struct job_view *take, bool replayed)
{
	struct answer *answer = userdata;

	pthread_mutex_lock(&mutex);
	if (outcome == 0) {
		answer->view = *take;
		*take = (struct job_view){0};
	}
	answer->is_replay = replayed;
	arrive(answer, outcome, error);
	pthread_mutex_unlock(&mutex);
}

static void on_done(void *userdata, int outcome, const struct engine_error *error)
{
	pthread_mutex_lock(&mutex);
	arrive(userdata, outcome, error);
	pthread_mutex_unlock(&mutex);
}

static void on_artifact(void *userdata, int outcome, const struct engine_error *error,
			const struct job_artifact *artifact, int fd)
{
	struct answer *answer = userdata;

	pthread_mutex_lock(&mutex);
	if (artifact)
		answer->n = artifact->size_bytes;
	answer->fd = fd;
	arrive(answer, outcome, error);
	pthread_mutex_unlock(&mutex);
}

static void on_providers(void *userdata, int outcome, const struct engine_error *error,
			 const struct engine_provider *providers, size_t n)
{
	struct answer *answer = userdata;

	pthread_mutex_lock(&mutex);
	answer->n = n;
	if (n) {
		answer->provider = providers[0];
		snprintf(answer->problem, sizeof(answer->problem), "%s",
			 providers[0].problem ? providers[0].problem : "");
	}
	arrive(answer, outcome, error);
	pthread_mutex_unlock(&mutex);
}

static void on_check(void *userdata, int outcome, const struct engine_error *error, const char *report)
{
	struct answer *answer = userdata;

	pthread_mutex_lock(&mutex);
	if (report)
		snprintf(answer->report, sizeof(answer->report), "%s", report);
	arrive(answer, outcome, error);
	pthread_mutex_unlock(&mutex);
}

void await_answer(struct answer *answer)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&mutex);
	while (!answer->is_there)
		if (pthread_cond_timedwait(&answered, &mutex, &until) != 0)
			abort();
	pthread_mutex_unlock(&mutex);
}

void assert_answer(const struct answer *answer, int outcome)
{
	assert_true(answer->is_there);
	assert_int_equal(answer->times, 1);
	if (answer->outcome != outcome)
		fail_msg("outcome %d, not %d: %s", answer->outcome, outcome, answer->text);
}

/* ---- verbs ---- */

struct answer *create_unsettled(struct rig *rig, const struct engine_create *asked)
{
	struct answer *answer = new_answer(rig);
	struct engine_create whole = *asked;

	whole.tenant = asked->tenant ? asked->tenant : JOB_TENANT_DEFAULT;
	whole.provider = asked->provider ? asked->provider : "maker";
	whole.model = asked->model ? asked->model : "clip";
	whole.parameters = asked->parameters ? asked->parameters : "{\"prompt\":\"a fox\"}";
	engine_create_job(rig->engine, &whole, on_job, answer);
	return answer;
}

struct answer *create(struct rig *rig, const struct engine_create *asked)
{
	struct answer *answer = create_unsettled(rig, asked);

	await_answer(answer);
	settle(rig);
	return answer;
}

struct job_ref adopt_listed(struct rig *rig, const char *remote_id)
{
	const struct engine_adopt adopt = {.tenant = JOB_TENANT_DEFAULT, .provider = "maker", .remote_id = remote_id};
	struct answer *answer = new_answer(rig);
	char report[256];

	snprintf(report, sizeof(report), "report text={\"entries\":[{\"id\":\"%s\"}]}", remote_id);
	engine_adopt_video(rig->engine, &adopt, on_job, answer);
	settle(rig);
	reply(rig, 200, report);
	await_answer(answer);
	settle(rig);
	assert_answer(answer, 0);
	return answer->view.job->ref;
}

struct answer *retry(struct rig *rig, const struct job_ref *job, const char *request_id)
{
	struct answer *answer = new_answer(rig);

	engine_retry_job(rig->engine, job, request_id, on_job, answer);
	await_answer(answer);
	settle(rig);
	return answer;
}

struct answer *cancel_unsettled(struct rig *rig, const struct job_ref *job)
{
	struct answer *answer = new_answer(rig);

	engine_cancel_job(rig->engine, job, on_job, answer);
	return answer;
}

struct answer *resolve_unsettled(struct rig *rig, const struct engine_resolve *resolve)
{
	struct answer *answer = new_answer(rig);

	engine_resolve_job(rig->engine, resolve, on_job, answer);
	return answer;
}

struct answer *resolve(struct rig *rig, const struct engine_resolve *asked)
{
	struct answer *answer = resolve_unsettled(rig, asked);

	await_answer(answer);
	settle(rig);
	return answer;
}

struct answer *cancel(struct rig *rig, const struct job_ref *job)
{
	struct answer *answer = cancel_unsettled(rig, job);

	settle(rig);
	return answer;
}

struct answer *resume(struct rig *rig, const struct job_ref *job)
{
	struct answer *answer = new_answer(rig);

	engine_resume_job(rig->engine, job, on_job, answer);
	settle(rig);
	return answer;
}

struct answer *update(struct rig *rig, const struct engine_update *asked)
{
	struct answer *answer = new_answer(rig);

	engine_update_job(rig->engine, asked, on_job, answer);
	settle(rig);
	return answer;
}

struct answer *delete_job(struct rig *rig, const struct job_ref *job, enum engine_delete how)
{
	struct answer *answer = new_answer(rig);

	engine_delete_job(rig->engine, job, how, on_done, answer);
	settle(rig);
	return answer;
}

struct answer *get(struct rig *rig, const struct job_ref *job)
{
	struct answer *answer = new_answer(rig);

	engine_get_job(rig->engine, job, on_job, answer);
	await_answer(answer);
	return answer;
}

struct answer *open_artifact(struct rig *rig, const struct job_ref *job, uint32_t index)
{
	struct answer *answer = new_answer(rig);

	engine_open_artifact(rig->engine, job, index, on_artifact, answer);
	await_answer(answer);
	return answer;
}

struct answer *provider(struct rig *rig, const char *id)
{
	struct answer *answer = new_answer(rig);

	engine_list_providers(rig->engine, id, on_providers, answer);
	await_answer(answer);
	return answer;
}

struct answer *check_unsettled(struct rig *rig, const char *id)
{
	struct answer *answer = new_answer(rig);

	engine_check_provider(rig->engine, id, on_check, answer);
	return answer;
}

struct answer *check_provider(struct rig *rig, const char *id)
{
	struct answer *answer = check_unsettled(rig, id);

	settle(rig);
	return answer;
}

struct job_ref order_with(struct rig *rig, const struct engine_create *asked)
{
	struct answer *answer = create(rig, asked);

	assert_answer(answer, 0);
	return answer->view.job->ref;
}

struct job_ref order(struct rig *rig)
{
	return order_with(rig, &(struct engine_create){0});
}

/* ---- looking ---- */

const struct job_status *look(struct rig *rig, const struct job_ref *job)
{
	struct answer *answer = get(rig, job);

	assert_answer(answer, 0);
	return answer->view.status;
}

const struct job_send *last_send(const struct job_status *status)
{
	assert_true(status->n_sends > 0);
	return &status->sends[status->n_sends - 1];
}

/* [reader thread] Revisions must be without a gap: one word for each that moved. */
static void on_events(void *userdata, int outcome, const struct store_event *events, size_t n, uint64_t tail)
{
	struct answer *answer = userdata;
	enum job_state last = 0;

	(void)tail;
	pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < n; i++) {
		struct store_snapshot *snapshot = NULL;
		size_t len = strlen(answer->text);

		if (events[i].revision != i + 1 || store_event_read(&events[i], &snapshot) != 0) {
			outcome = -ENODATA;
			break;
		}
		if (snapshot->status->state != last)
			snprintf(answer->text + len, sizeof(answer->text) - len, "%s%s", len ? " " : "",
				 job_state_name(snapshot->status->state));
		last = snapshot->status->state;
		store_snapshot_free(snapshot);
	}
	arrive(answer, outcome, NULL);
	pthread_mutex_unlock(&mutex);
}

const char *history(struct rig *rig, const struct job_ref *job)
{
	struct answer *answer = new_answer(rig);

	store_events_of_job(rig->engine->store, job, 0, 0, on_events, answer);
	await_answer(answer);
	assert_answer(answer, 0);
	return answer->text;
}

void assert_state(struct rig *rig, const struct job_ref *job, enum job_state state)
{
	assert_string_equal(job_state_name(look(rig, job)->state), job_state_name(state));
}

void assert_failed(struct rig *rig, const struct job_ref *job, enum job_reason reason, enum job_purchase purchase)
{
	const struct job_status *status = look(rig, job);

	assert_string_equal(job_state_name(status->state), job_state_name(JOB_STATE_FAILED));
	assert_int_equal(status->failure.reason, reason);
	assert_int_equal(status->failure.purchase, purchase);
}

/* ---- the provider's side ---- */

static struct request *find_request(struct rig *rig, const char *body_part, size_t *ret_open)
{
	struct request *found = NULL;

	*ret_open = 0;
	pthread_mutex_lock(&rig->http.mutex);
	for (struct request *request = rig->http.requests; request; request = request->next) {
		if (request->is_ended)
			continue;
		++*ret_open;
		if (!body_part || (request->body && strstr(request->body, body_part)))
			found = request;
	}
	pthread_mutex_unlock(&rig->http.mutex);
	return found;
}

size_t open_requests(struct rig *rig)
{
	size_t open;

	find_request(rig, NULL, &open);
	return open;
}

struct request *the_request(struct rig *rig)
{
	size_t open;
	struct request *request = find_request(rig, NULL, &open);

	assert_int_equal(open, 1);
	return request;
}

struct request *request_of(struct rig *rig, const struct job_ref *job)
{
	char id[ID_TEXT_SIZE];
	struct request *request;
	size_t open;

	id_format(&job->id, id);
	request = find_request(rig, id, &open);
	assert_non_null(request);
	return request;
}

size_t purchases(struct rig *rig)
{
	size_t n = 0;

	pthread_mutex_lock(&rig->http.mutex);
	for (const struct request *request = rig->http.requests; request; request = request->next)
		n += (request->flags & HTTP_ONCE) != 0;
	pthread_mutex_unlock(&rig->http.mutex);
	return n;
}

void answer_request(struct rig *rig, struct request *request, const struct said *said)
{
	fake_http_end(&rig->http, request, said);
	settle(rig);
}

void reply(struct rig *rig, int status, const char *words)
{
	answer_request(rig, the_request(rig), &(struct said){.status = status, .body = words});
}

void reply_to(struct rig *rig, const struct job_ref *job, int status, const char *words)
{
	answer_request(rig, request_of(rig, job), &(struct said){.status = status, .body = words});
}

void reply_later(struct rig *rig, int status, int64_t retry_after_s, const char *words)
{
	char headers[64];

	snprintf(headers, sizeof(headers), "Retry-After: %lld", (long long)retry_after_s);
	answer_request(rig, the_request(rig), &(struct said){.status = status, .headers = headers, .body = words});
}

void lose_reply(struct rig *rig)
{
	answer_request(rig, the_request(rig),
		       &(struct said){.kind = HTTP_AMBIGUOUS, .error = -ECONNRESET, .may_have_left = true});
}

void refuse_to_connect(struct rig *rig)
{
	answer_request(rig, the_request(rig), &(struct said){.kind = HTTP_NOT_SENT, .error = -ECONNREFUSED});
}

struct job_ref running_job(struct rig *rig)
{
	struct job_ref job = order(rig);

	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	return job;
}

struct job_ref storing_job(struct rig *rig)
{
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	assert_state(rig, &job, JOB_STATE_STORING);
	return job;
}

struct job_ref succeeded_job(struct rig *rig)
{
	struct job_ref job = storing_job(rig);

	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	return job;
}

struct job_ref uncertain_job(struct rig *rig)
{
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain"});

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	return job;
}

/* [reader thread] */
static void on_reply(void *userdata, int outcome, struct bytes meta, struct bytes body)
{
	struct answer *answer = userdata;

	(void)meta;
	pthread_mutex_lock(&mutex);
	snprintf(answer->text, sizeof(answer->text), "%.*s", (int)body.len, body.len ? (const char *)body.data : "");
	arrive(answer, outcome, NULL);
	pthread_mutex_unlock(&mutex);
}

char *stored_reply(struct rig *rig, const struct job_ref *job)
{
	const struct job_send *send = last_send(look(rig, job));
	struct answer *answer = new_answer(rig);

	store_get_reply(rig->engine->store, job, send->attempt, send->number, on_reply, answer);
	await_answer(answer);
	return answer->outcome == 0 ? strdup(answer->text) : NULL;
}

void deliver(struct rig *rig, struct bytes file)
{
	answer_request(rig, the_request(rig), &(struct said){.status = 200, .file = file});
}

/* ftyp, moov with one picture track (1.5 s of 640 x 360), mdat. */
struct bytes a_video(void)
{
	static const char video[] =
		"\0\0\0\30ftypisom\0\0\2\0isommp41"
		"\0\0\0\244moov\0\0\0\34mvhd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\350\0\0\5\334"
		"\0\0\0\200trak\0\0\0\134tkhd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\200\0\0\1\150\0\0"
		"\0\0\0\34mdia\0\0\0\24hdlr\0\0\0\0\0\0\0\0vide"
		"\0\0\0\30mdat0123456789abcdef";

	return bytes_of(video, sizeof(video) - 1);
}
