/*
 * POST /v3/videos and POST /v3/models/videos: the one request that buys.
 *
 * It carries an Idempotency-Key, which HeyGen honours for 24 hours per route: a repetition replays the first answer,
 * whatever its body. So a reply that proves nothing (5xx, unreadable, 409 while the first call still runs) is trouble
 * with an unknown purchase, and the daemon sends again with the same key.
 */
#include "heygen.h"

#define IN_PROGRESS_PAUSE_MS 5000u
#define TITLE_CHARACTERS 48

/* Where the orders of a model go. */
static const struct family {
	const char *model; /* NULL: every other */
	const char *path;
	int has_title;
	void (*put)(const struct fg_host *h, struct fg_step *s, fg_node body);
} families[] = {
	{"heygen-video-1", HEYGEN_MODEL_VIDEOS, 0, heygen_put_generation},
	{"cinematic", HEYGEN_VIDEOS, 1, heygen_put_cinematic},
	{NULL, HEYGEN_VIDEOS, 1, heygen_put_speech},
};

static const struct family *family_of(const struct fg_host *h, struct fg_step *s)
{
	fg_node model = h->at(s, h->document(s, FG_DOC_JOB), "/model");
	const struct family *family = families;

	while (family->model && !h->is(s, model, family->model))
		family++;
	return family;
}

/*
 * The user's title, and the key behind it: by that the list shows the order, should its reply be lost (reconcile.c). Of
 * how long a title may be nothing is published, and one that HeyGen cut would lose the key; so a long one is cut here,
 * and with the key it has about a hundred characters.
 */
static fg_node marked_title(const struct fg_host *h, struct fg_step *s)
{
	fg_node title = h->at(s, h->document(s, FG_DOC_JOB), "/title");
	fg_node words = h->array(s);

	if (h->text(s, title).size)
		h->append(s, words, h->cut(s, title, TITLE_CHARACTERS));
	h->append(s, words, h->at(s, h->document(s, FG_DOC_STEP), "/idempotency_key"));
	return h->join(s, words, " ");
}

/* Under another key it is another purchase: the one before was refused. States of before there were marks have none. */
static int is_kept(const struct fg_host *h, struct fg_step *s, fg_node kept)
{
	fg_node mark = h->at(s, kept, "/mark");

	if (mark != FG_ABSENT)
		return heygen_is_same_text(h->text(s, mark),
					   h->text(s, h->at(s, h->document(s, FG_DOC_STEP), "/idempotency_key")));
	return h->at(s, kept, "/path") != FG_ABSENT || h->at(s, kept, "/title") != FG_ABSENT;
}

/*
 * The job's title can be edited while a submit is undecided, and a repetition must be the same request to the byte.
 * So the first build keeps the title in the state ("" for none), and every later one takes it from there.
 */
static fg_node keep_order(const struct fg_host *h, struct fg_step *s, const struct family *family)
{
	fg_node kept = h->document(s, FG_DOC_STATE);

	if (is_kept(h, s, kept))
		return kept;
	kept = h->state(s);
	h->put_text(s, kept, "/path", family->path);
	h->put_text(s, kept, "/title", "");
	h->put(s, kept, "/mark", h->at(s, h->document(s, FG_DOC_STEP), "/idempotency_key"));
	if (family->has_title)
		h->put(s, kept, "/title", marked_title(h, s));
	return kept;
}

static int32_t submit(const struct fg_host *h, struct fg_step *s)
{
	const struct family *family = family_of(h, s);
	fg_node title = h->at(s, keep_order(h, s, family), "/title");
	fg_node body = h->object(s);
	fg_node headers = h->object(s);

	family->put(h, s, body);
	if (h->text(s, title).size)
		h->put(s, body, "/title", title);
	h->put_extras(s, body, "");
	h->put(s, headers, "/Idempotency-Key", h->at(s, h->document(s, FG_DOC_STEP), "/idempotency_key"));

	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS_WITH_KEY, .phase = HEYGEN_PHASE_REPLY,
					  .body_kind = FG_BODY_JSON, .method = "POST", .auth = "key",
					  .url = h->path(s, family->path, FG_ABSENT, FG_ABSENT), .headers = headers,
					  .body = body));
}

static const char *refusal_of(const struct fg_host *h, struct fg_step *s)
{
	return family_of(h, s)->put == heygen_put_generation ? heygen_refuse_generation(h, s) : NULL;
}

static int32_t refuse_order(const struct fg_host *h, struct fg_step *s, const char *why)
{
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT, .bought = FG_BOUGHT_NONE,
				       .message = fg_text_of(why), .field = fg_text_of("/parameters/media")));
}

static int32_t begin(const struct fg_host *h, struct fg_step *s)
{
	const char *why = refusal_of(h, s);

	return why ? refuse_order(h, s, why) : submit(h, s);
}

/*
 * The same as start would say, before the order is accepted; its body is written for what the daemon then finds wrong
 * with it. Without an order it is about the configuration alone.
 */
int32_t heygen_check(const struct fg_host *h, struct fg_step *s)
{
	fg_node job = h->document(s, FG_DOC_JOB);
	const struct family *family = family_of(h, s);
	const char *why = refusal_of(h, s), *complaint = heygen_complaint(h, s);
	fg_node body;

	if (complaint)
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT, .bought = FG_BOUGHT_NONE,
					       .message = fg_text_of(complaint)));
	if (why)
		return refuse_order(h, s, why);
	if (h->at(s, job, "/model") != FG_ABSENT) {
		body = h->object(s);
		family->put(h, s, body);
		if (family->has_title)
			h->put(s, body, "/title", h->at(s, job, "/title"));
		h->put_extras(s, body, "");
	}
	return h->report(s, h->object(s));
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

/* Is there an input that the daemon uploads, and can upload again? */
static int has_upload(const struct fg_host *h, struct fg_step *s)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");
	fg_node media = h->at(s, parameters, "/media");

	for (uint64_t n = 0; n < h->count(s, media); n++)
		if (h->at(s, h->item(s, media, n), "/asset") != FG_ABSENT)
			return 1;
	return h->at(s, parameters, "/script/audio/asset") != FG_ABSENT ||
	       h->at(s, parameters, "/background/media/asset") != FG_ABSENT;
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s)
{
	struct heygen_problem problem = heygen_problem_of_reply(h, s);
	uint64_t pause_ms = 0;
	int is_final;

	/* An asset can be deleted at HeyGen, and what was uploaded for an earlier order with it. */
	if (fg_text_is(problem.code, "asset_not_found") && has_upload(h, s))
		problem.reason = FG_REASON_NOT_FOUND;
	is_final = problem.reason < FG_REASON_RATE_LIMITED;
	if (problem.reason == FG_REASON_IN_PROGRESS && h->retry_after_ms(s) == 0)
		pause_ms = IN_PROGRESS_PAUSE_MS;
	if (fg_text_is(problem.code, "avatar_not_found"))
		h->note(s, FG_NOTE_INFO, "/parameters/avatar_id",
			"HeyGen does not find an avatar that is still in training either.");
	if (fg_text_is(problem.code, "resource_not_ready"))
		h->note(s, FG_NOTE_INFO, "/parameters/avatar_id",
			"HeyGen has not finished what the order names, such as an avatar in training; it is asked again.");

	return (is_final ? h->failed : h->trouble)(
		s, FG_FAILURE(.reason = problem.reason, .bought = problem.bought, .retry_after_ms = pause_ms,
			      .code = problem.code, .message = problem.message, .field = fg_text_of(problem.field)));
}

int32_t heygen_start(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");
	uint32_t status = h->status(s);

	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return begin(h, s);
	if (status >= 200 && status < 300 && h->text(s, h->at(s, data, "/video_id")).size)
		return accept_video(h, s, data);
	return refuse(h, s);
}
