/*
 * GET and DELETE of a bought video: how it is doing, its fresh link, and its end. Each family of orders has a path of
 * its own, and no video of one is known below the other.
 *
 * A video is paid for once it is accepted. So nothing that only says "this request failed" ends the job: not a refused
 * key, not an empty balance, not a gateway's page. What ends it is HeyGen's own word in `status`, or HeyGen's own 404
 * for longer than a lagging index can explain.
 */
#include "heygen.h"

/* How long HeyGen must go on saying that it does not know a video which it has accepted. */
#define LOST_AFTER_MS 600000

/* How long a finished video is held back for what was ordered beside it. */
#define LATE_AFTER_MS 600000

/* The CDN's links name the second in which they end. */
#define EXPIRY_PARAMETER "Expires"
#define EXPIRY_MAX_S 32503680000 /* the year 3000 */

static int is_generation(const struct fg_host *h, struct fg_step *s)
{
	return h->is(s, h->at(s, h->document(s, FG_DOC_STATE), "/path"), HEYGEN_MODEL_VIDEOS);
}

static int32_t ask(const struct fg_host *h, struct fg_step *s, const char *method, uint32_t effect)
{
	const char *path = is_generation(h, s) ? HEYGEN_MODEL_VIDEOS "/{/remote/id}" : HEYGEN_VIDEOS "/{/remote/id}";
	fg_node url = h->path(s, path, h->document(s, FG_DOC_STEP), FG_ABSENT);

	return h->exchange(s, FG_EXCHANGE(.effect = effect, .phase = HEYGEN_PHASE_REPLY, .method = method,
					  .auth = "key", .url = url));
}

static int32_t poll_trouble(const struct fg_host *h, struct fg_step *s, const struct heygen_problem *problem)
{
	return h->trouble(s, FG_FAILURE(.reason = problem->reason, .bought = FG_BOUGHT_UNKNOWN, .code = problem->code,
					.message = problem->message));
}

static uint32_t stage_of(struct fg_text status)
{
	if (fg_text_is(status, "waiting") || fg_text_is(status, "pending") || fg_text_is(status, "queued"))
		return FG_STAGE_QUEUED;
	return fg_text_is(status, "processing") ? FG_STAGE_RUNNING : FG_STAGE_UNKNOWN;
}

/* What a finished video may have beside it, and the extra that orders it; NULL: HeyGen gives it unasked, or does not. */
static const struct product {
	const char *member, *role, *order;
} products[] = {
	{"/video_url", "video", NULL},
	{"/captioned_video_url", "captioned_video", "/parameters/extras/caption/style"},
	{"/subtitle_url", "subtitles", "/parameters/extras/caption"},
	{"/thumbnail_url", "thumbnail", NULL},
	{"/gif_url", "preview", NULL},
};

static void add_output(const struct fg_host *h, struct fg_step *s, fg_node outputs, const char *role, fg_node url)
{
	int64_t expires_s = h->integer(s, h->query(s, url, EXPIRY_PARAMETER), 0);
	fg_node output = h->object(s);

	h->put_text(s, output, "/role", role);
	h->put(s, output, "/url", url);
	if (expires_s > 0 && expires_s < EXPIRY_MAX_S)
		h->put_integer(s, output, "/expires_at_ms", expires_s * 1000);
	h->append(s, outputs, output);
}

static void add_missing(const struct fg_host *h, struct fg_step *s, fg_node missing, const char *role)
{
	fg_node entry = h->object(s);

	h->put_text(s, entry, "/role", role);
	h->put_integer(s, entry, "/reason", FG_REASON_PROVIDER_FAULT);
	h->put_text(s, entry, "/message", "HeyGen finished the video and did not deliver this.");
	h->append(s, missing, entry);
}

/* Sorts what the poll offers; what was ordered and is not there goes into @missing. */
static void read_products(const struct fg_host *h, struct fg_step *s, fg_node data, fg_node outputs, fg_node missing)
{
	fg_node job = h->document(s, FG_DOC_JOB);

	for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
		const struct product *product = &products[i];
		fg_node url = h->link(s, h->at(s, data, product->member), FG_ABSENT);

		if (url != FG_ABSENT)
			add_output(h, s, outputs, product->role, url);
		else if (product->order && h->at(s, job, product->order) != FG_ABSENT)
			add_missing(h, s, missing, product->role);
	}
}

/* Captions are made behind the video: they are waited for, but the video does not wait for ever. */
static int is_late(const struct fg_host *h, struct fg_step *s)
{
	int64_t now_ms = h->integer(s, h->at(s, h->document(s, FG_DOC_STEP), "/now_ms"), 0);
	int64_t since_ms = h->integer(s, h->at(s, h->document(s, FG_DOC_STATE), "/finished_since_ms"), 0);

	if (since_ms > 0 && since_ms <= now_ms)
		return now_ms - since_ms >= LATE_AFTER_MS;
	h->put_integer(s, h->state(s), "/finished_since_ms", now_ms);
	return 0;
}

static int32_t finish(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	fg_node url = h->link(s, h->at(s, data, "/video_url"), FG_ABSENT);
	fg_node outputs = h->array(s);
	fg_node missing = h->array(s);

	read_products(h, s, data, outputs, missing);
	/* The link can lag behind the status; and each poll makes a fresh one, should this be no link. */
	if (url == FG_ABSENT || (h->count(s, missing) && !is_late(h, s)))
		return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING, .status = h->text(s, h->at(s, data, "/status"))));
	return h->done(s, FG_DONE(.outputs = outputs, .missing = missing));
}

static int32_t fail(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	struct heygen_problem problem = heygen_problem_of_video(h, s, data);

	return h->failed(s, FG_FAILURE(.reason = problem.reason, .bought = problem.bought, .code = problem.code,
				       .message = problem.message, .field = fg_text_of(problem.field)));
}

static int32_t read_status(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	struct fg_text status = h->text(s, h->at(s, data, "/status"));

	if (fg_text_is(status, "completed"))
		return finish(h, s, data);
	if (fg_text_is(status, "failed"))
		return fail(h, s, data);
	if (fg_text_is(status, "cancelled") || fg_text_is(status, "canceled"))
		return h->failed(s,
				 FG_FAILURE(.reason = FG_REASON_CANCELLED, .bought = FG_BOUGHT_UNKNOWN, .code = status,
					    .message = h->text(s, h->at(s, data, "/failure_message"))));
	return h->wait(s, FG_WAIT(.stage = stage_of(status), .status = status));
}

/* Remembers since when HeyGen does not know the video; 0 when it does. */
static void keep_missing_since(const struct fg_host *h, struct fg_step *s, int64_t since_ms)
{
	fg_node kept = h->at(s, h->document(s, FG_DOC_STATE), "/missing_since_ms");

	if (h->integer(s, kept, 0) != since_ms)
		h->put_integer(s, h->state(s), "/missing_since_ms", since_ms);
}

static int32_t not_found(const struct fg_host *h, struct fg_step *s, struct heygen_problem *problem)
{
	int64_t now_ms = h->integer(s, h->at(s, h->document(s, FG_DOC_STEP), "/now_ms"), 0);
	int64_t since_ms = h->integer(s, h->at(s, h->document(s, FG_DOC_STATE), "/missing_since_ms"), 0);

	/* Also when the clock was set back: the waiting begins again. */
	if (since_ms <= 0 || since_ms > now_ms)
		since_ms = now_ms;
	keep_missing_since(h, s, since_ms);
	if (now_ms - since_ms >= LOST_AFTER_MS)
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_LOST, .bought = FG_BOUGHT_UNKNOWN,
					       .code = problem->code, .message = problem->message));
	problem->reason = FG_REASON_NOT_FOUND;
	return poll_trouble(h, s, problem);
}

static int is_unknown_video(const struct fg_host *h, struct fg_step *s, const struct heygen_problem *problem)
{
	return h->status(s) == 404 &&
	       (fg_text_is(problem->code, "video_not_found") || fg_text_is(problem->code, "not_found") ||
		fg_text_is(problem->code, "resource_not_found"));
}

int32_t heygen_poll(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");
	struct heygen_problem problem;

	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return ask(h, s, "GET", FG_EFFECT_SAFE);
	if (h->status(s) == 200 && h->text(s, h->at(s, data, "/status")).size) {
		keep_missing_since(h, s, 0);
		return read_status(h, s, data);
	}

	problem = heygen_problem_of_reply(h, s);
	if (is_unknown_video(h, s, &problem))
		return not_found(h, s, &problem);
	return poll_trouble(h, s, &problem);
}

static int is_deleted(const struct fg_host *h, struct fg_step *s)
{
	fg_node deleted = h->at(s, h->document(s, FG_DOC_REPLY), "/data/deleted");

	return h->status(s) == 204 || (h->status(s) == 200 && h->boolean(s, deleted, 0));
}

int32_t heygen_remove(const struct fg_host *h, struct fg_step *s)
{
	struct heygen_problem problem;
	fg_node report;

	if (is_generation(h, s))
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT,
					       .message = fg_text_of("HeyGen documents no way to delete a video of "
								     "heygen-video-1; delete the job without it")));
	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return ask(h, s, "DELETE", FG_EFFECT_IDEMPOTENT);

	problem = heygen_problem_of_reply(h, s);
	if (!is_deleted(h, s) && !is_unknown_video(h, s, &problem))
		return heygen_answer_problem(h, s, &problem);
	report = h->object(s);
	h->put_boolean(s, report, "/removed", 1);
	return h->report(s, report);
}
