/*
 * A free read that proves the credential. Vertex AI: the bucket's list of objects, cut to one, which proves the token,
 * the bucket, and that the token may go there; a model costs too much to ask. Without a bucket: an operation that does
 * not exist, which Google says after it has looked at the token. The Gemini API: the model.
 */
#include "veo.h"

static int32_t ask_storage(const struct fg_host *h, struct fg_step *s)
{
	fg_node name = veo_storage_name(h, s, h->text(s, veo_option(h, s, "/storage_uri")));
	fg_node query = h->object(s);
	fg_node url;

	h->put_integer(s, query, "/maxResults", 1);
	h->put(s, query, "/prefix", h->at(s, name, "/object"));
	url = veo_storage_url(h, s, "/storage/v1/b/{bucket}/o", name, query);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = VEO_PHASE_REPLY, .method = "GET",
					  .auth = "google", .url = url));
}

#define NO_OPERATION "/operations/00000000-0000-0000-0000-000000000000"

static fg_node name_of_none(const struct fg_host *h, struct fg_step *s)
{
	fg_node parts = h->array(s);

	h->append(s, parts, h->make_text(s, fg_text_of("projects/")));
	h->append(s, parts, veo_option(h, s, "/project"));
	h->append(s, parts, h->make_text(s, fg_text_of("/locations/")));
	h->append(s, parts, veo_option(h, s, "/location"));
	h->append(s, parts, h->make_text(s, fg_text_of("/publishers/google/models/")));
	h->append(s, parts, veo_model(h, s));
	h->append(s, parts, h->make_text(s, fg_text_of(NO_OPERATION)));
	return h->join(s, parts, "");
}

static int32_t ask_operation(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	h->put(s, body, "/operationName", name_of_none(h, s));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = VEO_PHASE_REPLY, .method = "POST",
					  .auth = "google", .body_kind = FG_BODY_JSON, .body = body,
					  .url = veo_model_url(h, s, ":fetchPredictOperation")));
}

static int32_t ask_vertex(const struct fg_host *h, struct fg_step *s)
{
	return veo_option(h, s, "/storage_uri") != FG_ABSENT ? ask_storage(h, s) : ask_operation(h, s);
}

/* Google's own "not found" for an operation that nobody ordered; a front end's page is none. */
static int is_expected_absence(const struct fg_host *h, struct fg_step *s)
{
	return !veo_is_gemini(h, s) && veo_option(h, s, "/storage_uri") == FG_ABSENT && h->status(s) == 404 &&
	       veo_error(h, s) != FG_ABSENT;
}

static int32_t ask_model(const struct fg_host *h, struct fg_step *s)
{
	fg_node values = h->object(s);

	h->put(s, values, "/model", veo_option(h, s, "/generate_model"));
	return h->exchange(s,
			   FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = VEO_PHASE_REPLY, .method = "GET",
				       .auth = "key", .url = h->path(s, "/v1beta/models/{model}", values, FG_ABSENT)));
}

static int32_t report(const struct fg_host *h, struct fg_step *s)
{
	static const char *const shown[] = {"/surface", "/project", "/location", "/storage_uri"};
	uint64_t count = veo_is_gemini(h, s) ? 1 : VEO_COUNT(shown);
	fg_node report = h->object(s);

	for (uint64_t i = 0; i < count; i++)
		h->put(s, report, shown[i], veo_option(h, s, shown[i]));
	return h->report(s, report);
}

int32_t veo_account(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text complaint = veo_complaint(h, s);
	struct veo_problem problem = {0};

	if (complaint.size) {
		problem.reason = FG_REASON_INVALID_INPUT;
		problem.message = complaint;
		return veo_answer_failed(h, s, &problem);
	}
	if (h->phase(s) != VEO_PHASE_REPLY)
		return veo_is_gemini(h, s) ? ask_model(h, s) : ask_vertex(h, s);
	if (is_expected_absence(h, s))
		return report(h, s);
	if (h->status(s) == 200 && h->kind(s, h->document(s, FG_DOC_REPLY)) == FG_KIND_OBJECT)
		return report(h, s);
	problem = veo_problem_of_reply(h, s);
	problem.field = NULL;
	return veo_answer_problem(h, s, &problem);
}
