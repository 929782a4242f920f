/*
 * POST /v3/videos: the one request that buys.
 *
 * It carries an Idempotency-Key, which HeyGen honours for 24 hours per route: a repetition replays the first answer,
 * whatever its body. So a reply that proves nothing (5xx, unreadable, 409 while the first call still runs) is trouble
 * with an unknown purchase, and the daemon sends again with the same key.
 */
#include "heygen.h"

#define IN_PROGRESS_PAUSE_MS 5000u

/* {"type": "url", …} or {"type": "asset_id", …} at @pointer, from one of the job's media. Absent media do nothing. */
static void put_asset(const struct fg_host *h, struct fg_step *s, fg_node out, const char *pointer, fg_node media)
{
	fg_node url = h->at(s, media, "/url");
	fg_node asset_id = h->at(s, media, "/provider_handle");
	fg_node asset = h->object(s);

	if (url == FG_ABSENT && asset_id == FG_ABSENT)
		return;
	h->put_text(s, asset, "/type", url != FG_ABSENT ? "url" : "asset_id");
	h->put(s, asset, "/url", url);
	h->put(s, asset, "/asset_id", asset_id);
	h->put(s, out, pointer, asset);
}

/* Who speaks: an avatar that HeyGen knows, or a picture. */
static void put_speaker(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node job = h->document(s, FG_DOC_JOB);
	fg_node picture = h->media(s, "source", 0);

	if (!h->is(s, h->at(s, job, "/model"), "image")) {
		h->put_text(s, body, "/type", "avatar");
		h->put(s, body, "/avatar_id", h->at(s, job, "/parameters/avatar_id"));
		return;
	}
	h->put_text(s, body, "/type", "image");
	put_asset(h, s, body, "/image", picture != FG_ABSENT ? picture : h->media(s, "first_frame", 0));
}

static void put_speech(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");

	h->put(s, body, "/script", h->at(s, parameters, "/script/text"));
	h->put(s, body, "/audio_url", h->at(s, parameters, "/script/audio/url"));
	h->put(s, body, "/audio_asset_id", h->at(s, parameters, "/script/audio/provider_handle"));
	h->put(s, body, "/voice_id", h->at(s, parameters, "/voice_id"));
}

static void put_background(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node background = h->at(s, h->document(s, FG_DOC_JOB), "/parameters/background");
	fg_node color = h->at(s, background, "/color");
	fg_node picture = h->at(s, background, "/media");

	if (color != FG_ABSENT)
		h->put_text(s, body, "/background/type", "color");
	else if (picture != FG_ABSENT)
		h->put_text(s, body, "/background/type", "image");
	h->put(s, body, "/background/value", color);
	h->put(s, body, "/background/url", h->at(s, picture, "/url"));
	h->put(s, body, "/background/asset_id", h->at(s, picture, "/provider_handle"));
}

static void put_frame(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");
	fg_node ratio = h->at(s, parameters, "/aspect_ratio");

	if (h->is(s, ratio, "adaptive"))
		h->put_text(s, body, "/aspect_ratio", "auto");
	else
		h->put(s, body, "/aspect_ratio", ratio);
	h->put(s, body, "/resolution", h->at(s, parameters, "/resolution"));
	put_background(h, s, body);
}

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

static int32_t submit(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);
	fg_node headers = h->object(s);

	put_speaker(h, s, body);
	put_speech(h, s, body);
	put_frame(h, s, body);
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
