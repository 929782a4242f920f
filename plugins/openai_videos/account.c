/*
 * A free read that proves the key: the list, cut to one. OpenRouter has none; there a video is asked for that is not
 * there, which is refused to whoever has no key, and not found by whoever has.
 */
#include "openai_videos.h"

static int32_t ask(const struct fg_host *h, struct fg_step *s)
{
	fg_node query = h->object(s);
	const char *path = "/videos";

	if (openai_is_openrouter(h, s))
		path = "/videos/filmgate-asks-whether-the-key-is-right";
	else
		h->put_integer(s, query, "/limit", 1);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = OPENAI_PHASE_REPLY, .method = "GET",
					  .auth = openai_auth(h, s), .url = h->path(s, path, FG_ABSENT, query)));
}

static int is_proof(const struct fg_host *h, struct fg_step *s)
{
	if (openai_is_openrouter(h, s))
		return h->status(s) == 404 && openai_has_error(h, s);
	return h->status(s) == 200 && h->kind(s, h->at(s, h->document(s, FG_DOC_REPLY), "/data")) == FG_KIND_ARRAY;
}

int32_t openai_account(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text complaint = openai_complaint(h, s);
	struct openai_problem problem = {0};
	fg_node report;

	if (complaint.size) {
		problem.reason = FG_REASON_INVALID_INPUT;
		problem.message = complaint;
		return openai_answer_failed(h, s, &problem);
	}
	if (h->phase(s) != OPENAI_PHASE_REPLY)
		return ask(h, s);
	if (is_proof(h, s)) {
		report = h->object(s);
		h->put(s, report, "/model", openai_option(h, s, "/model"));
		h->put(s, report, "/dialect", openai_option(h, s, "/dialect"));
		return h->report(s, report);
	}
	problem = openai_problem_of_reply(h, s);
	problem.field = NULL;
	return openai_answer_problem(h, s, &problem);
}
