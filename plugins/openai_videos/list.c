/*
 * GET /videos: the account's videos, newest first, a page at a time, each as a poll shows it. The next page begins behind
 * the last video of this one. OpenRouter has no list, and not every gateway passes it on.
 */
#include "openai_videos.h"

#define PAGE_SIZE 100

int32_t openai_ask_videos(const struct fg_host *h, struct fg_step *s, fg_node after)
{
	fg_node query = h->object(s);

	h->put_integer(s, query, "/limit", PAGE_SIZE);
	h->put_text(s, query, "/order", "desc");
	h->put(s, query, "/after", after);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = OPENAI_PHASE_REPLY, .method = "GET",
					  .auth = openai_auth(h, s), .url = h->path(s, "/videos", FG_ABSENT, query)));
}

int openai_is_page(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");

	return h->status(s) == 200 && h->kind(s, data) == FG_KIND_ARRAY;
}

int openai_has_no_list(const struct fg_host *h, struct fg_step *s)
{
	uint32_t status = h->status(s);

	return status == 404 || status == 405 || status == 501;
}

fg_node openai_page_end(const struct fg_host *h, struct fg_step *s)
{
	fg_node page = h->document(s, FG_DOC_REPLY), data = h->at(s, page, "/data");

	return h->at(s, h->item(s, data, h->count(s, data) - 1), "/id");
}

static void add_entry(const struct fg_host *h, struct fg_step *s, fg_node entries, fg_node video)
{
	int64_t created_ms = h->time_ms(s, h->at(s, video, "/created_at"), 0);
	fg_node id = h->at(s, video, "/id"), entry = h->object(s);

	if (h->kind(s, id) != FG_KIND_TEXT)
		return;
	h->put(s, entry, "/id", id);
	h->put_text(s, entry, "/kind", "video");
	if (created_ms > 0)
		h->put_integer(s, entry, "/created_at_ms", created_ms);
	/* It has no title; what was asked for is the next best. */
	h->put(s, entry, "/title", h->cut(s, h->at(s, video, "/prompt"), 200));
	h->put(s, entry, "/status", h->at(s, video, "/status"));
	h->append(s, entries, entry);
}

static int32_t report(const struct fg_host *h, struct fg_step *s)
{
	fg_node page = h->document(s, FG_DOC_REPLY), data = h->at(s, page, "/data");
	fg_node out = h->object(s), entries = h->array(s), last = openai_page_end(h, s);

	for (uint64_t i = 0; i < h->count(s, data); i++)
		add_entry(h, s, entries, h->item(s, data, i));
	h->put(s, out, "/entries", entries);
	if (h->boolean(s, h->at(s, page, "/has_more"), 0) && h->kind(s, last) == FG_KIND_TEXT && h->text(s, last).size)
		h->put(s, out, "/next", last);
	return h->report(s, out);
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s, struct fg_text why)
{
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT, .message = why));
}

int32_t openai_list(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text complaint = openai_complaint(h, s);
	struct openai_problem problem;

	if (complaint.size)
		return refuse(h, s, complaint);
	if (openai_is_openrouter(h, s))
		return refuse(h, s, fg_text_of("OpenRouter documents no list of videos"));
	if (h->phase(s) != OPENAI_PHASE_REPLY)
		return openai_ask_videos(h, s, h->at(s, h->document(s, FG_DOC_STEP), "/list/next"));
	if (openai_is_page(h, s))
		return report(h, s);
	problem = openai_problem_of_reply(h, s);
	problem.field = NULL;
	if (openai_has_no_list(h, s))
		problem.reason = FG_REASON_INVALID_INPUT;
	return openai_answer_problem(h, s, &problem);
}
