/*
 * How an ordered video is doing: POST …:fetchPredictOperation on Vertex AI, GET of the operation on the Gemini API.
 *
 * What was accepted may be paid for. So nothing that only says "this request failed" ends the job: not a refused token,
 * not a throttle, not a gateway's page. What ends it is an operation that is done, or Google's own 404 for longer than a
 * lagging index can explain.
 */
#include "veo.h"

/* How long Google must go on saying that it does not know an operation which it has named. */
#define LOST_AFTER_MS 600000

/* projects/P/locations/L/publishers/google/models/M/operations/O has ten segments. */
static const char *const places[] = {"/{0}", "/{1}", "/{2}", "/{3}", "/{4}",  "/{5}",
				     "/{6}", "/{7}", "/{8}", "/{9}", "/{10}", "/{11}"};

/*
 * A URL from a resource's name, each segment of it escaped for itself: @prefix, the name without its last @less
 * segments, @suffix. Absent when the name is none: it may have been typed by a person.
 */
static fg_node url_of_name(const struct fg_host *h, struct fg_step *s, struct fg_text name, const char *const affix[2],
			   uint64_t less)
{
	char template[128] = "";
	fg_node segments = h->array(s);
	uint64_t count;

	while (name.size) {
		struct fg_text segment = {name.data, fg_text_find(name, "/")};

		if (segment.size == 0 || fg_text_is(segment, ".") || fg_text_is(segment, ".."))
			return FG_ABSENT;
		h->append(s, segments, h->make_text(s, segment));
		name = fg_text_from(name, segment.size + 1);
	}
	count = h->count(s, segments);
	if (count <= less || count > VEO_COUNT(places))
		return FG_ABSENT;
	fg_text_add(template, sizeof(template), affix[0]);
	for (uint64_t i = 0; i < count - less; i++)
		fg_text_add(template, sizeof(template), places[i]);
	fg_text_add(template, sizeof(template), affix[1]);
	return h->path(s, template, segments, FG_ABSENT);
}

/*
 * Everything before /operations/ in the name is the model's own resource; so a job is found again even after the
 * options or the model's name were changed. A name that begins otherwise is asked about at the model as configured.
 * Absent when that is not configured any more.
 */
static fg_node vertex_url(const struct fg_host *h, struct fg_step *s, struct fg_text name)
{
	static const char *const affix[2] = {"/v1", ":fetchPredictOperation"};
	fg_node url = FG_ABSENT;

	if (fg_text_begins(name, "projects/") && fg_text_has(name, "/operations/"))
		url = url_of_name(h, s, name, affix, 2);
	return url != FG_ABSENT || veo_place_complaint(h, s) ? url : veo_model_url(h, s, affix[1]);
}

/* The job may be paid for: it waits until the operator has put back what they took away. */
static int32_t cannot_ask(const struct fg_host *h, struct fg_step *s)
{
	struct veo_problem problem = {.reason = FG_REASON_UNAVAILABLE, .bought = FG_BOUGHT_UNKNOWN};

	problem.message = fg_text_of(veo_place_complaint(h, s));
	return veo_answer_trouble(h, s, &problem);
}

static int32_t ask_vertex(const struct fg_host *h, struct fg_step *s, fg_node name)
{
	fg_node url = vertex_url(h, s, h->text(s, name));
	fg_node body = h->object(s);

	if (url == FG_ABSENT)
		return cannot_ask(h, s);
	h->put(s, body, "/operationName", name);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = VEO_PHASE_REPLY, .method = "POST",
					  .body_kind = FG_BODY_JSON, .auth = "google", .body = body,
					  .lift = veo_inline_places(h, s), .url = url));
}

static int32_t ask_gemini(const struct fg_host *h, struct fg_step *s, fg_node name)
{
	static const char *const affix[2] = {"/v1beta", ""};
	fg_node url = url_of_name(h, s, h->text(s, name), affix, 0);

	if (url == FG_ABSENT)
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_LOST, .bought = FG_BOUGHT_UNKNOWN,
					       .message = fg_text_of("this is not the name of an operation")));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = VEO_PHASE_REPLY, .method = "GET",
					  .auth = "key", .url = url, .lift = veo_inline_places(h, s)));
}

/* Remembers since when Google does not know the operation; 0 when it does. */
static void keep_missing_since(const struct fg_host *h, struct fg_step *s, int64_t since_ms)
{
	fg_node kept = h->at(s, h->document(s, FG_DOC_STATE), "/missing_since_ms");

	if (h->integer(s, kept, 0) != since_ms)
		h->put_integer(s, h->state(s), "/missing_since_ms", since_ms);
}

static int32_t not_found(const struct fg_host *h, struct fg_step *s, struct veo_problem *problem)
{
	int64_t now_ms = h->integer(s, h->at(s, h->document(s, FG_DOC_STEP), "/now_ms"), 0);
	int64_t since_ms = h->integer(s, h->at(s, h->document(s, FG_DOC_STATE), "/missing_since_ms"), 0);

	/* Also when the clock was set back: the waiting begins again. */
	if (since_ms <= 0 || since_ms > now_ms)
		since_ms = now_ms;
	keep_missing_since(h, s, since_ms);
	problem->bought = FG_BOUGHT_UNKNOWN;
	problem->field = NULL;
	problem->reason = now_ms - since_ms >= LOST_AFTER_MS ? FG_REASON_LOST : FG_REASON_NOT_FOUND;
	return veo_answer_problem(h, s, problem);
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s)
{
	struct veo_problem problem = veo_problem_of_reply(h, s);

	/* A front end that does not know the path says 404, too, but not in Google's words. */
	if (h->status(s) == 404 && veo_error(h, s) != FG_ABSENT)
		return not_found(h, s, &problem);
	problem.bought = FG_BOUGHT_UNKNOWN;
	return veo_answer_trouble(h, s, &problem);
}

/* While it runs, "done" is false, or absent as proto3 has it. */
static int32_t read_operation(const struct fg_host *h, struct fg_step *s, fg_node operation)
{
	keep_missing_since(h, s, 0);
	if (h->boolean(s, h->at(s, operation, "/done"), 0))
		return veo_finish(h, s, operation);
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
}

int32_t veo_poll(const struct fg_host *h, struct fg_step *s)
{
	fg_node name = h->at(s, h->document(s, FG_DOC_STEP), "/remote/id");
	fg_node operation = h->document(s, FG_DOC_REPLY);

	if (h->phase(s) != VEO_PHASE_REPLY)
		return veo_is_gemini(h, s) ? ask_gemini(h, s, name) : ask_vertex(h, s, name);
	if (h->status(s) == 200 &&
	    (h->boolean(s, h->at(s, operation, "/done"), 0) || h->text(s, h->at(s, operation, "/name")).size))
		return read_operation(h, s, operation);
	return refuse(h, s);
}
