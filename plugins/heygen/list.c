/*
 * GET /v3/videos: the account's videos, newest first, a page at a time. All that are in it are asked about by GET
 * /v3/videos/{id}, whatever made them: avatars, pictures, agents and HeyGen's own web page. Videos of heygen-video-1 and
 * translations have lists and ids of their own and are not among them.
 */
#include "heygen.h"

int32_t heygen_ask_videos(const struct fg_host *h, struct fg_step *s, fg_node title, fg_node token)
{
	fg_node query = h->object(s);

	h->put_integer(s, query, "/limit", HEYGEN_LIST_PAGE);
	h->put(s, query, "/title", title);
	h->put(s, query, "/token", token);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = HEYGEN_PHASE_REPLY, .method = "GET",
					  .auth = "key", .url = h->path(s, HEYGEN_VIDEOS, FG_ABSENT, query)));
}

int heygen_is_page(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");

	return h->status(s) == 200 && h->kind(s, data) == FG_KIND_ARRAY;
}

/* Gateways and older versions may have none, or none that takes this question. */
int heygen_has_no_list(const struct fg_host *h, struct fg_step *s, const struct heygen_problem *problem)
{
	uint32_t status = h->status(s);

	return status == 404 || status == 405 || status == 501 || problem->reason == FG_REASON_INVALID_INPUT;
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
	h->put(s, entry, "/title", h->at(s, video, "/title"));
	h->put(s, entry, "/status", h->at(s, video, "/status"));
	h->append(s, entries, entry);
}

static int32_t report(const struct fg_host *h, struct fg_step *s)
{
	fg_node reply = h->document(s, FG_DOC_REPLY), data = h->at(s, reply, "/data");
	fg_node out = h->object(s), entries = h->array(s), next = h->at(s, reply, "/next_token");

	for (uint64_t i = 0; i < h->count(s, data); i++)
		add_entry(h, s, entries, h->item(s, data, i));
	h->put(s, out, "/entries", entries);
	if (h->kind(s, next) == FG_KIND_TEXT && h->text(s, next).size)
		h->put(s, out, "/next", next);
	return h->report(s, out);
}

int32_t heygen_list(const struct fg_host *h, struct fg_step *s)
{
	struct heygen_problem problem;

	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return heygen_ask_videos(h, s, FG_ABSENT, h->at(s, h->document(s, FG_DOC_STEP), "/list/next"));
	if (heygen_is_page(h, s))
		return report(h, s);
	problem = heygen_problem_of_reply(h, s);
	if (heygen_has_no_list(h, s, &problem))
		problem.reason = FG_REASON_INVALID_INPUT;
	return heygen_answer_problem(h, s, &problem);
}
