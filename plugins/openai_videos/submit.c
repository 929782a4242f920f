/*
 * POST /videos: the one request that buys. There is no idempotency key, so a reply that proves nothing (5xx, a gateway's
 * page, a 2xx without an id) is an unknown purchase, which reconcile.c looks for.
 */
#include "openai_videos.h"

/* Why nothing can be bought by this order, whatever the gateway says; the message is empty where something can. */
static struct openai_problem refusal_of(const struct fg_host *h, struct fg_step *s)
{
	struct openai_problem problem = {0};
	struct openai_refusal refusal;

	problem.reason = FG_REASON_INVALID_INPUT;
	problem.bought = FG_BOUGHT_NONE;
	problem.message = openai_complaint(h, s);
	if (problem.message.size)
		return problem;
	refusal = openai_refuse_order(h, s);
	if (refusal.why)
		problem.message = fg_text_of(refusal.why);
	problem.field = refusal.field;
	return problem;
}

/*
 * The same as start would say, before the order is accepted; its body is written for what the daemon then finds wrong
 * with it. Without an order it is about the configuration alone.
 */
int32_t openai_check(const struct fg_host *h, struct fg_step *s)
{
	struct openai_problem refusal = refusal_of(h, s);

	if (refusal.message.size)
		return openai_answer_failed(h, s, &refusal);
	openai_order(h, s);
	return h->report(s, h->object(s));
}

static int32_t submit(const struct fg_host *h, struct fg_step *s)
{
	struct openai_problem refusal = refusal_of(h, s);
	int is_multipart = openai_is_multipart(h, s);
	fg_node body;

	if (refusal.message.size)
		return openai_answer_failed(h, s, &refusal);
	body = openai_order(h, s);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS, .phase = OPENAI_PHASE_REPLY, .method = "POST",
					  .body_kind = is_multipart ? FG_BODY_MULTIPART : FG_BODY_JSON,
					  .auth = openai_auth(h, s), .url = h->path(s, "/videos", FG_ABSENT, FG_ABSENT),
					  .body = is_multipart ? openai_parts(h, s, body) : body));
}

static int32_t accept_video(const struct fg_host *h, struct fg_step *s, fg_node video)
{
	fg_node remotes = h->array(s);
	fg_node remote = h->object(s);
	fg_node polling_url = h->at(s, video, "/polling_url");

	h->put(s, remote, "/id", h->at(s, video, "/id"));
	h->put_text(s, remote, "/kind", "video");
	h->append(s, remotes, remote);
	if (h->text(s, polling_url).size) {
		h->put(s, h->state(s), "/polling/id", h->at(s, video, "/id"));
		h->put(s, h->state(s), "/polling/url", polling_url);
	}
	return h->accepted(s, FG_ACCEPTED(.stage = FG_STAGE_QUEUED, .remotes = remotes,
					  .status = h->text(s, h->at(s, video, "/status"))));
}

int32_t openai_start(const struct fg_host *h, struct fg_step *s)
{
	fg_node video = h->document(s, FG_DOC_REPLY);
	fg_node id = h->at(s, video, "/id");
	uint32_t status = h->status(s);
	struct openai_problem problem;

	if (h->phase(s) != OPENAI_PHASE_REPLY)
		return submit(h, s);
	if (status >= 200 && status < 300 && h->kind(s, id) == FG_KIND_TEXT && h->text(s, id).size)
		return accept_video(h, s, video);
	problem = openai_problem_of_reply(h, s);
	return openai_answer_problem(h, s, &problem);
}
