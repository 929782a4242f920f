/*
 * GET /v3/voices, /v3/avatars and /v3/avatars/looks: what orders name by id, one page after the other. A look is what an
 * order's avatar_id wants; an avatar is the group that its looks belong to. What HeyGen says of a thing beside what every
 * list has is kept whole, as extra.
 */
#include "heygen.h"

#define PAGE 50 /* the most that avatars take */

static const struct list {
	const char *kind, *path;
	const char *id, *language, *gender, *preview; /* pointers into an element, or NULL */
	const char *tags[2];
} lists[] = {
	{"voices", "/v3/voices", "/voice_id", "/language", "/gender", "/preview_audio_url", {"/type", NULL}},
	{"avatars", "/v3/avatars", "/id", NULL, "/gender", "/preview_image_url", {"/ownership", NULL}},
	{"looks", "/v3/avatars/looks", "/id", NULL, "/gender", "/preview_image_url", {"/avatar_type", "/status"}},
};

static const struct list *find_list(const struct fg_host *h, struct fg_step *s)
{
	fg_node kind = h->at(s, h->document(s, FG_DOC_STEP), "/catalogue/kind");
	const struct list *list = lists;

	while (list < lists + sizeof(lists) / sizeof(lists[0]) - 1 && !h->is(s, kind, list->kind))
		list++;
	return list;
}

static int32_t ask(const struct fg_host *h, struct fg_step *s, const struct list *list)
{
	fg_node query = h->object(s);

	h->put_integer(s, query, "/limit", PAGE);
	h->put(s, query, "/token", h->at(s, h->document(s, FG_DOC_STEP), "/catalogue/next"));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = HEYGEN_PHASE_REPLY, .method = "GET",
					  .auth = "key", .url = h->path(s, list->path, FG_ABSENT, query)));
}

/* A text that is there and is not empty. */
static void put_text_of(const struct fg_host *h, struct fg_step *s, fg_node entry, const char *pointer, fg_node value)
{
	if (h->kind(s, value) == FG_KIND_TEXT && h->text(s, value).size)
		h->put(s, entry, pointer, value);
}

static void add_entry(const struct fg_host *h, struct fg_step *s, const struct list *list, fg_node entries,
		      fg_node item)
{
	fg_node id = h->at(s, item, list->id), entry = h->object(s);

	/* What has no id cannot be ordered. */
	if (h->kind(s, id) != FG_KIND_TEXT || h->text(s, id).size == 0)
		return;
	h->put(s, entry, "/id", id);
	put_text_of(h, s, entry, "/name", h->at(s, item, "/name"));
	if (list->language)
		put_text_of(h, s, entry, "/language", h->at(s, item, list->language));
	put_text_of(h, s, entry, "/gender", h->at(s, item, list->gender));
	put_text_of(h, s, entry, "/preview_url", h->at(s, item, list->preview));
	for (int i = 0; i < 2 && list->tags[i]; i++)
		if (h->text(s, h->at(s, item, list->tags[i])).size) {
			if (h->kind(s, h->at(s, entry, "/tags")) != FG_KIND_ARRAY)
				h->put(s, entry, "/tags", h->array(s));
			put_text_of(h, s, entry, "/tags/-", h->at(s, item, list->tags[i]));
		}
	h->put(s, entry, "/extra", item);
	h->append(s, entries, entry);
}

static int32_t report(const struct fg_host *h, struct fg_step *s, const struct list *list, fg_node reply)
{
	fg_node out = h->object(s), entries = h->array(s), data = h->at(s, reply, "/data");

	for (uint64_t i = 0; i < h->count(s, data); i++)
		add_entry(h, s, list, entries, h->item(s, data, i));
	h->put(s, out, "/entries", entries);
	if (h->boolean(s, h->at(s, reply, "/has_more"), 0))
		put_text_of(h, s, out, "/next", h->at(s, reply, "/next_token"));
	return h->report(s, out);
}

int32_t heygen_catalogue(const struct fg_host *h, struct fg_step *s)
{
	const struct list *list = find_list(h, s);
	fg_node reply = h->document(s, FG_DOC_REPLY);
	struct heygen_problem problem;

	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return ask(h, s, list);
	if (h->status(s) == 200 && h->kind(s, h->at(s, reply, "/data")) == FG_KIND_ARRAY)
		return report(h, s, list, reply);
	problem = heygen_problem_of_reply(h, s);
	return heygen_answer_problem(h, s, &problem);
}
