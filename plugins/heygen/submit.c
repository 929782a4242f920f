/*
 * POST /v3/videos: the one request that buys.
 *
 * It carries an Idempotency-Key, which HeyGen honours for 24 hours per route: a repetition replays the first answer,
 * whatever its body. So a reply that proves nothing (5xx, unreadable, 409 while the first call still runs) is trouble
 * with an unknown purchase, and the daemon sends again with the same key.
 */
#include "heygen.h"

#define IN_PROGRESS_PAUSE_MS 5000u

/*
 * The job's title can be edited while a submit is undecided, and a repetition must be the same request to the byte.
 * So the first build keeps the title in the state ("" for none), and every later one takes it from there.
 */
static void put_title(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node kept = h->at(s, h->document(s, FG_DOC_STATE), "/title");

	if (kept == FG_ABSENT) {
		fg_node state = h->state(s);

		h->put_text(s, state, "/title", "");
		h->put(s, state, "/title", h->at(s, h->document(s, FG_DOC_JOB), "/title"));
		kept = h->at(s, state, "/title");
	}
	if (h->text(s, kept).size)
		h->put(s, body, "/title", kept);
}

static void put_order(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	if (h->is(s, h->at(s, h->document(s, FG_DOC_JOB), "/model"), "cinematic"))
		heygen_put_cinematic(h, s, body);
	else
		heygen_put_speech(h, s, body);
}

static int32_t submit(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);
	fg_node headers = h->object(s);

	put_order(h, s, body);
	put_title(h, s, body);
	h->put_extras(s, body, "");
	h->put(s, headers, "/Idempotency-Key", h->at(s, h->document(s, FG_DOC_STEP), "/idempotency_key"));

	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS_WITH_KEY, .phase = HEYGEN_PHASE_REPLY,
					  .body_kind = FG_BODY_JSON, .method = "POST", .auth = "key",
					  .url = h->path(s, "/v3/videos", FG_ABSENT, FG_ABSENT), .headers = headers,
					  .body = body));
}

static int32_t accept_video(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	fg_node remotes = h->array(s);
	fg_node remote = h->object(s);

	h->put(s, remote, "/id", h->at(s, data, "/video_id"));
	h->put_text(s, remote, "/kind", "video");
	h->append(s, remotes, remote);
	return h->accepted(s, FG_ACCEPTED(.stage = FG_STAGE_QUEUED, .remotes = remotes,
					  .status = h->text(s, h->at(s, data, "/status"))));
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s)
{
	struct heygen_problem problem = heygen_problem_of_reply(h, s);
	uint64_t pause_ms = 0;
	int is_final = problem.reason < FG_REASON_RATE_LIMITED;

	if (problem.reason == FG_REASON_IN_PROGRESS && h->retry_after_ms(s) == 0)
		pause_ms = IN_PROGRESS_PAUSE_MS;
	if (heygen_text_is(problem.code, "avatar_not_found"))
		h->note(s, FG_NOTE_INFO, "/parameters/avatar_id",
			"HeyGen does not find an avatar that is still in training either.");

	return (is_final ? h->failed : h->trouble)(s, FG_FAILURE(.reason = problem.reason, .bought = problem.bought,
								 .retry_after_ms = pause_ms, .code = problem.code,
								 .message = problem.message,
								 .field = heygen_text_of(problem.field)));
}

int32_t heygen_start(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");
	uint32_t status = h->status(s);

	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return submit(h, s);
	if (status >= 200 && status < 300 && h->text(s, h->at(s, data, "/video_id")).size)
		return accept_video(h, s, data);
	return refuse(h, s);
}
