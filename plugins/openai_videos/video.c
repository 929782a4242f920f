/*
 * GET and DELETE of a bought video.
 *
 * A video is paid for once it is accepted. So nothing that only says "this request failed" ends the job: not a refused
 * key, not a throttle, not a gateway's page. What ends it is the provider's own word in `status`, that the video's time
 * there is over, or the provider's own 404 for longer than a lagging index can explain.
 */
#include "openai_videos.h"

/* How long the provider must go on saying that it does not know a video which it has accepted. */
#define LOST_AFTER_MS 600000

/* ---- asking ---- */

static struct fg_text base_url(const struct fg_host *h, struct fg_step *s)
{
	return h->text(s, h->at(s, h->document(s, FG_DOC_ACCOUNT), "/base_url"));
}

/* Below base_url, where the key may go? */
static int is_ours(struct fg_text url, struct fg_text base)
{
	int is_same = url.size > base.size && url.data[base.size] == '/';

	for (uint64_t i = 0; is_same && i < base.size; i++)
		is_same = url.data[i] == base.data[i];
	return is_same;
}

/* A polling URL is followed on its own host only: relative, or below base_url. Any other is not worth a key. */
static fg_node polling_url(const struct fg_host *h, struct fg_step *s)
{
	fg_node kept = h->at(s, h->document(s, FG_DOC_STATE), "/polling");
	fg_node url = h->at(s, kept, "/url");
	struct fg_text text = h->text(s, url);
	struct fg_text ours = h->text(s, h->at(s, kept, "/id"));
	struct fg_text asked = h->text(s, h->at(s, h->document(s, FG_DOC_STEP), "/remote/id"));
	int is_path = fg_text_begins(text, "/") && !fg_text_begins(text, "//") && !fg_text_begins(text, "/\\");

	if (ours.size == 0 || ours.size != asked.size || memcmp(ours.data, asked.data, ours.size) != 0)
		return FG_ABSENT;
	return is_path || is_ours(text, base_url(h, s)) ? h->link(s, url, FG_ABSENT) : FG_ABSENT;
}

static int32_t ask(const struct fg_host *h, struct fg_step *s, const char *method, uint32_t effect)
{
	fg_node url = effect == FG_EFFECT_SAFE ? polling_url(h, s) : FG_ABSENT;

	if (url == FG_ABSENT)
		url = h->path(s, "/videos/{/remote/id}", h->document(s, FG_DOC_STEP), FG_ABSENT);
	return h->exchange(s, FG_EXCHANGE(.effect = effect, .phase = OPENAI_PHASE_REPLY, .method = method,
					  .auth = openai_auth(h, s), .url = url));
}

/* ---- results ---- */

static fg_node add_output(const struct fg_host *h, struct fg_step *s, fg_node outputs, const char *role, fg_node url,
			  int64_t expires_ms)
{
	fg_node output = h->object(s);

	h->put_text(s, output, "/role", role);
	h->put(s, output, "/url", url);
	if (is_ours(h->text(s, url), base_url(h, s)))
		h->put_text(s, output, "/auth", openai_auth(h, s));
	if (expires_ms > 0)
		h->put_integer(s, output, "/expires_at_ms", expires_ms);
	h->append(s, outputs, output);
	return h->item(s, outputs, h->count(s, outputs) - 1);
}

static void add_content(const struct fg_host *h, struct fg_step *s, fg_node outputs, const char *role,
			const char *variant, int64_t expires_ms)
{
	fg_node query = h->object(s);

	if (variant)
		h->put_text(s, query, "/variant", variant);
	add_output(h, s, outputs, role,
		   h->path(s, "/videos/{/remote/id}/content", h->document(s, FG_DOC_STEP), variant ? query : FG_ABSENT),
		   expires_ms);
}

/* What the reply names by itself; several are samples. */
static void add_named(const struct fg_host *h, struct fg_step *s, fg_node video, fg_node outputs)
{
	fg_node urls = h->at(s, video, "/unsigned_urls");

	for (uint64_t i = 0; i < h->count(s, urls); i++) {
		fg_node url = h->link(s, h->item(s, urls, i), FG_ABSENT);

		if (url != FG_ABSENT)
			h->put_integer(s, add_output(h, s, outputs, "video", url, 0), "/index", (int64_t)i);
	}
}

static void add_variants(const struct fg_host *h, struct fg_step *s, fg_node outputs, int64_t expires_ms)
{
	add_content(h, s, outputs, "video", NULL, expires_ms);
	if (h->boolean(s, openai_option(h, s, "/thumbnail"), 0))
		add_content(h, s, outputs, "thumbnail", "thumbnail", expires_ms);
	if (h->boolean(s, openai_option(h, s, "/spritesheet"), 0))
		add_content(h, s, outputs, "preview", "spritesheet", expires_ms);
}

/* US dollars, with more digits than money has: rounded up. */
static fg_node cost_of(const struct fg_host *h, struct fg_step *s, fg_node video)
{
	int64_t nanos = h->decimal(s, h->at(s, video, "/usage/cost"), 9, -1);
	fg_node cost = h->object(s);

	if (nanos < 0)
		return FG_ABSENT;
	h->put_integer(s, cost, "/amount_micros", nanos / 1000 + (nanos % 1000 != 0));
	h->put_text(s, cost, "/currency", "USD");
	h->put_text(s, cost, "/source", "provider");
	return cost;
}

static int32_t expired(const struct fg_host *h, struct fg_step *s)
{
	return h->failed(s,
			 FG_FAILURE(.reason = FG_REASON_LOST, .bought = FG_BOUGHT_MADE, .code = fg_text_of("expired"),
				    .message = fg_text_of("the provider finished the video and keeps it no longer")));
}

static int32_t finish(const struct fg_host *h, struct fg_step *s, fg_node video)
{
	int64_t expires_ms = h->time_ms(s, h->at(s, video, "/expires_at"), 0);
	fg_node outputs = h->array(s);

	add_named(h, s, video, outputs);
	if (h->count(s, outputs) == 0 && expires_ms > 0 && expires_ms <= openai_now_ms(h, s))
		return expired(h, s);
	if (h->count(s, outputs) == 0)
		add_variants(h, s, outputs, expires_ms);
	return h->done(s, FG_DONE(.outputs = outputs, .cost = cost_of(h, s, video)));
}

/* ---- states ---- */

static int32_t go_on(const struct fg_host *h, struct fg_step *s, fg_node video, struct fg_text status)
{
	int64_t permille = h->decimal(s, h->at(s, video, "/progress"), 1, -1);
	int is_queued = fg_text_is(status, "queued") || fg_text_is(status, "pending");
	int is_running = fg_text_is(status, "in_progress") || fg_text_is(status, "processing");
	int has_progress = is_running && permille >= 0 && permille <= 1000;

	return h->wait(s, FG_WAIT(.stage = is_queued    ? FG_STAGE_QUEUED
					   : is_running ? FG_STAGE_RUNNING
							: FG_STAGE_UNKNOWN,
				  .has = has_progress ? FG_WAIT_HAS_PROGRESS : 0,
				  .progress_permille = has_progress ? (uint32_t)permille : 0, .status = status));
}

static int32_t end_without_video(const struct fg_host *h, struct fg_step *s, fg_node video, struct fg_text status)
{
	struct openai_problem problem = openai_problem_of_video(h, s, video);

	if (fg_text_is(status, "cancelled") || fg_text_is(status, "canceled"))
		problem.reason = FG_REASON_CANCELLED;
	if (fg_text_is(status, "expired"))
		problem.reason = FG_REASON_TIMEOUT;
	if (!problem.code.size)
		problem.code = status;
	return openai_answer_failed(h, s, &problem);
}

static int32_t read_status(const struct fg_host *h, struct fg_step *s, fg_node video)
{
	struct fg_text status = h->text(s, h->at(s, video, "/status"));

	if (fg_text_is(status, "completed"))
		return finish(h, s, video);
	if (fg_text_is(status, "failed") || fg_text_is(status, "cancelled") || fg_text_is(status, "canceled") ||
	    fg_text_is(status, "expired"))
		return end_without_video(h, s, video, status);
	return go_on(h, s, video, status);
}

/* Remembers since when the provider does not know the video; 0 when it does. */
static void keep_missing_since(const struct fg_host *h, struct fg_step *s, int64_t since_ms)
{
	fg_node kept = h->at(s, h->document(s, FG_DOC_STATE), "/missing_since_ms");

	if (h->integer(s, kept, 0) != since_ms)
		h->put_integer(s, h->state(s), "/missing_since_ms", since_ms);
}

static int32_t not_found(const struct fg_host *h, struct fg_step *s, struct openai_problem *problem)
{
	int64_t now_ms = openai_now_ms(h, s);
	int64_t since_ms = h->integer(s, h->at(s, h->document(s, FG_DOC_STATE), "/missing_since_ms"), 0);

	/* Also when the clock was set back: the waiting begins again. */
	if (since_ms <= 0 || since_ms > now_ms)
		since_ms = now_ms;
	keep_missing_since(h, s, since_ms);
	problem->reason = now_ms - since_ms >= LOST_AFTER_MS ? FG_REASON_LOST : FG_REASON_NOT_FOUND;
	return openai_answer_problem(h, s, problem);
}

int32_t openai_poll(const struct fg_host *h, struct fg_step *s)
{
	fg_node video = h->document(s, FG_DOC_REPLY);
	uint32_t status = h->status(s);
	struct openai_problem problem;

	if (h->phase(s) != OPENAI_PHASE_REPLY)
		return ask(h, s, "GET", FG_EFFECT_SAFE);
	if (status >= 200 && status < 300 && h->text(s, h->at(s, video, "/status")).size) {
		keep_missing_since(h, s, 0);
		return read_status(h, s, video);
	}
	problem = openai_problem_of_reply(h, s);
	problem.bought = FG_BOUGHT_UNKNOWN;
	problem.field = NULL;
	/* A front end that does not know the path says 404, too, but not in the gateway's words. */
	if (status == 404 && openai_has_error(h, s))
		return not_found(h, s, &problem);
	return openai_answer_trouble(h, s, &problem);
}

/* ---- deleting ---- */

int32_t openai_remove(const struct fg_host *h, struct fg_step *s)
{
	fg_node deleted = h->at(s, h->document(s, FG_DOC_REPLY), "/deleted");
	uint32_t status = h->status(s);
	struct openai_problem problem;
	fg_node report;

	if (openai_is_openrouter(h, s))
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT,
					       .message = fg_text_of("OpenRouter documents no way to delete a video; "
								     "delete the job without it")));
	if (h->phase(s) != OPENAI_PHASE_REPLY)
		return ask(h, s, "DELETE", FG_EFFECT_IDEMPOTENT);
	if (status != 204 && !(status == 200 && h->boolean(s, deleted, 0)) &&
	    !(status == 404 && openai_has_error(h, s))) {
		problem = openai_problem_of_reply(h, s);
		problem.field = NULL;
		return openai_answer_problem(h, s, &problem);
	}
	report = h->object(s);
	h->put_boolean(s, report, "/removed", 1);
	return h->report(s, report);
}
