/*
 * What refusals and failures mean. A reply that is refused says {"error": {code, message, type, param}}, where code is a
 * word, a number that repeats the HTTP status, or null; a gateway may say {"detail": …}, and a front end says it with a
 * page. A video that failed says {"error": {code, message}}, or a text alone.
 *
 * A telling word in code or type decides first, then the HTTP status. About a purchase, "none" is said only of a status
 * that refuses; a 2xx without an id, a 5xx and what a front end may have made of one are "unknown".
 */
#include "openai_videos.h"

/* A gateway's page is of no use beyond its beginning. */
#define PAGE_CHARACTERS 200

#define REFUSED(reason) FG_REASON_##reason, FG_BOUGHT_NONE
#define UNDECIDED(reason) FG_REASON_##reason, FG_BOUGHT_UNKNOWN

static const struct {
	uint32_t from; /* the first row that the status is at least */
	uint32_t reason;
	uint32_t bought;
} statuses[] = {
	{500, UNDECIDED(UNAVAILABLE)},  {499, UNDECIDED(UNAVAILABLE)},  {430, REFUSED(PROVIDER_FAULT)},
	{429, REFUSED(RATE_LIMITED)},   {423, REFUSED(PROVIDER_FAULT)}, {422, REFUSED(INVALID_INPUT)},
	{414, REFUSED(PROVIDER_FAULT)}, {413, REFUSED(INVALID_INPUT)},  {410, REFUSED(PROVIDER_FAULT)},
	{409, UNDECIDED(UNAVAILABLE)},  {408, UNDECIDED(UNAVAILABLE)},  {404, REFUSED(PROVIDER_FAULT)},
	{403, REFUSED(AUTH)},           {402, REFUSED(NO_CREDIT)},      {401, REFUSED(AUTH)},
	{400, REFUSED(INVALID_INPUT)},  {0, UNDECIDED(UNAVAILABLE)},
};

/* Parts of codes and types, in the order in which they decide. */
static const struct {
	const char *part;
	uint32_t reason;
} words[] = {
	{"moderation", FG_REASON_MODERATED},
	{"content_policy", FG_REASON_MODERATED},
	{"content_filter", FG_REASON_MODERATED},
	{"policy_violation", FG_REASON_MODERATED},
	{"safety", FG_REASON_MODERATED},
	{"insufficient_quota", FG_REASON_NO_CREDIT},
	{"insufficient_credit", FG_REASON_NO_CREDIT},
	{"billing", FG_REASON_NO_CREDIT},
	{"budget_exceeded", FG_REASON_QUOTA},
	{"invalid_api_key", FG_REASON_AUTH},
	{"model_not_found", FG_REASON_INVALID_INPUT},
};

/* The gateway's `param`, and where that stands in the job. */
static const struct {
	const char *name;
	const char *field;
} parameters[] = {
	{"model", "/model"},
	{"prompt", "/parameters/prompt"},
	{"seconds", "/parameters/duration_ms"},
	{"duration", "/parameters/duration_ms"},
	{"size", "/parameters/size"},
	{"resolution", "/parameters/resolution"},
	{"aspect_ratio", "/parameters/aspect_ratio"},
	{"seed", "/parameters/seed"},
	{"input_reference", "/parameters/media"},
	{"frame_images", "/parameters/media"},
	{"input_references", "/parameters/media"},
};

static const char *field_of(struct fg_text param)
{
	for (size_t i = 0; i < OPENAI_COUNT(parameters); i++)
		if (fg_text_is(param, parameters[i].name))
			return parameters[i].field;
	return NULL;
}

/* The reason that a code or a type names; @fallback when neither does. */
static uint32_t reason_of(struct fg_text code, struct fg_text type, uint32_t fallback)
{
	for (size_t i = 0; i < OPENAI_COUNT(words); i++)
		if (fg_text_has(code, words[i].part) || fg_text_has(type, words[i].part))
			return words[i].reason;
	return fallback;
}

int openai_has_error(const struct fg_host *h, struct fg_step *s)
{
	fg_node error = h->at(s, h->document(s, FG_DOC_REPLY), "/error");

	return h->text(s, error).size > 0 || h->text(s, h->at(s, error, "/message")).size > 0;
}

/* The first of the places that has a text. */
static struct fg_text text_at(const struct fg_host *h, struct fg_step *s, fg_node node, const char *const *places,
			      size_t n)
{
	struct fg_text text = h->text(s, FG_ABSENT);

	for (size_t i = 0; i < n && text.size == 0; i++)
		text = h->text(s, h->at(s, node, places[i]));
	return text;
}

static struct fg_text words_of_reply(const struct fg_host *h, struct fg_step *s)
{
	static const char *const places[] = {"/error/message", "/error", "/detail", "/message"};
	struct fg_text text = text_at(h, s, h->document(s, FG_DOC_REPLY), places, OPENAI_COUNT(places));

	if (text.size)
		return text;
	return h->text(s, h->cut(s, h->make_text(s, h->body_text(s)), PAGE_CHARACTERS));
}

static void decide_by_status(uint32_t status, struct openai_problem *problem)
{
	size_t i = 0;

	while (status < statuses[i].from)
		i++;
	problem->reason = statuses[i].reason;
	problem->bought = statuses[i].bought;
}

struct openai_problem openai_problem_of_reply(const struct fg_host *h, struct fg_step *s)
{
	fg_node error = h->at(s, h->document(s, FG_DOC_REPLY), "/error");
	struct fg_text type = h->text(s, h->at(s, error, "/type"));
	struct openai_problem problem = {0};

	decide_by_status(h->status(s), &problem);
	problem.code = h->text(s, h->at(s, error, "/code"));
	problem.message = words_of_reply(h, s);
	problem.field = field_of(h->text(s, h->at(s, error, "/param")));
	/* That nothing was bought is no guess to make of a server's own failure. */
	if (problem.bought == FG_BOUGHT_NONE)
		problem.reason = reason_of(problem.code, type, problem.reason);
	if (fg_text_has(problem.code, "model_not_found"))
		problem.field = "/model";
	if (!problem.code.size)
		problem.code = type;
	return problem;
}

struct openai_problem openai_problem_of_video(const struct fg_host *h, struct fg_step *s, fg_node video)
{
	static const char *const places[] = {"/error/message", "/error"};
	struct openai_problem problem = {0};

	problem.code = h->text(s, h->at(s, video, "/error/code"));
	problem.message = text_at(h, s, video, places, OPENAI_COUNT(places));
	problem.reason = reason_of(problem.code, h->text(s, h->at(s, video, "/error/type")), FG_REASON_PROVIDER_FAULT);
	/* Whether a failed video is charged is documented nowhere. */
	problem.bought = FG_BOUGHT_UNKNOWN;
	return problem;
}

/* ---- answers ---- */

static int32_t answer(const struct fg_host *h, struct fg_step *s, const struct openai_problem *problem, int is_final)
{
	return (is_final ? h->failed : h->trouble)(s, FG_FAILURE(.reason = problem->reason, .bought = problem->bought,
								 .code = problem->code, .message = problem->message,
								 .field = fg_text_of(problem->field)));
}

int32_t openai_answer_failed(const struct fg_host *h, struct fg_step *s, const struct openai_problem *problem)
{
	return answer(h, s, problem, 1);
}

int32_t openai_answer_trouble(const struct fg_host *h, struct fg_step *s, const struct openai_problem *problem)
{
	return answer(h, s, problem, 0);
}

int32_t openai_answer_problem(const struct fg_host *h, struct fg_step *s, const struct openai_problem *problem)
{
	return answer(h, s, problem, problem->reason < FG_REASON_RATE_LIMITED);
}
