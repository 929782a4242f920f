/*
 * Webhook endpoints: GET and POST /v3/webhooks/endpoints, POST …/{id}/rotate-secret, DELETE …/{id}. HeyGen tells the
 * secret of one only when it is made, and when the secret is exchanged: so one that calls our URL already, perhaps since
 * the reply that made it was lost, gets a new secret, and no second one is made.
 */
#include "heygen.h"

#define ENDPOINTS "/v3/webhooks/endpoints"

#define PHASE_LISTED 1u
#define PHASE_MADE 2u
#define PHASE_FOUND 3u
#define PHASE_ENDED 4u

static fg_node step_of(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->at(s, h->document(s, FG_DOC_STEP), pointer);
}

static int32_t answer_problem(const struct fg_host *h, struct fg_step *s)
{
	struct heygen_problem problem = heygen_problem_of_reply(h, s);

	return heygen_answer_problem(h, s, &problem);
}

static fg_node id_of(const struct fg_host *h, struct fg_step *s, fg_node endpoint)
{
	return h->at(s, endpoint, "/endpoint_id");
}

/* All events, so that none is missed that HeyGen has added since; what is about no video is passed over. */
static int32_t make(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	h->put(s, body, "/url", step_of(h, s, "/subscription/url"));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = PHASE_MADE, .method = "POST",
					  .auth = "key", .url = h->path(s, ENDPOINTS, FG_ABSENT, FG_ABSENT),
					  .body_kind = FG_BODY_JSON, .body = body));
}

static int32_t rotate(const struct fg_host *h, struct fg_step *s, fg_node endpoint)
{
	return h->exchange(
		s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = PHASE_MADE, .method = "POST", .auth = "key",
			       .url = h->path(s, ENDPOINTS "/{endpoint_id}/rotate-secret", endpoint, FG_ABSENT)));
}

static int32_t ask_list(const struct fg_host *h, struct fg_step *s, uint32_t phase)
{
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = phase, .method = "GET", .auth = "key",
					  .url = h->path(s, ENDPOINTS, FG_ABSENT, FG_ABSENT)));
}

/* The array of endpoints in a reply to the list; absent when it is none. */
static fg_node list_of(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");
	fg_node list = h->kind(s, data) == FG_KIND_ARRAY ? data : h->at(s, data, "/endpoints");

	return h->status(s) == 200 && h->kind(s, list) == FG_KIND_ARRAY ? list : FG_ABSENT;
}

/* That calls our URL, with an id; absent when there is none. */
static fg_node find_ours(const struct fg_host *h, struct fg_step *s, fg_node list)
{
	struct fg_text url = h->text(s, step_of(h, s, "/subscription/url"));

	for (uint64_t i = 0; i < h->count(s, list); i++) {
		fg_node endpoint = h->item(s, list, i);

		if (heygen_is_same_text(h->text(s, h->at(s, endpoint, "/url")), url) &&
		    h->text(s, id_of(h, s, endpoint)).size)
			return endpoint;
	}
	return FG_ABSENT;
}

static int32_t choose(const struct fg_host *h, struct fg_step *s)
{
	fg_node list = list_of(h, s), ours = find_ours(h, s, list);

	if (!list)
		return answer_problem(h, s);
	return ours ? rotate(h, s, ours) : make(h, s);
}

static int32_t report(const struct fg_host *h, struct fg_step *s, fg_node endpoint)
{
	fg_node out = h->object(s);

	h->put(s, out, "/id", id_of(h, s, endpoint));
	return h->report(s, out);
}

/* A new secret may come without the id that it is of. */
static int32_t take_made(const struct fg_host *h, struct fg_step *s)
{
	fg_node made = h->at(s, h->document(s, FG_DOC_REPLY), "/data");

	if (h->status(s) < 200 || h->status(s) > 299)
		return answer_problem(h, s);
	return h->text(s, id_of(h, s, made)).size ? report(h, s, made) : ask_list(h, s, PHASE_FOUND);
}

static int32_t take_found(const struct fg_host *h, struct fg_step *s)
{
	fg_node ours = find_ours(h, s, list_of(h, s));

	return ours ? report(h, s, ours) : answer_problem(h, s);
}

static int32_t end(const struct fg_host *h, struct fg_step *s)
{
	/* Gone already is gone. */
	if (h->phase(s) == PHASE_ENDED)
		return (h->status(s) >= 200 && h->status(s) <= 299) || h->status(s) == 404 ? h->report(s, h->object(s))
											   : answer_problem(h, s);
	return h->exchange(
		s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = PHASE_ENDED, .method = "DELETE", .auth = "key",
			       .url = h->path(s, ENDPOINTS "/{id}", step_of(h, s, "/subscription"), FG_ABSENT)));
}

int32_t heygen_subscribe(const struct fg_host *h, struct fg_step *s)
{
	if (h->is(s, step_of(h, s, "/subscription/action"), "end"))
		return end(h, s);
	switch (h->phase(s)) {
	case PHASE_LISTED:
		return choose(h, s);
	case PHASE_MADE:
		return take_made(h, s);
	case PHASE_FOUND:
		return take_found(h, s);
	default:
		return ask_list(h, s, PHASE_LISTED);
	}
}
