/*
 * What Google's refusals and failures mean.
 *
 * A reply that is refused says {"error": {code, message, status, details}}, sometimes in an array of one; a front end
 * says it with a page. There the HTTP status decides. An operation that failed says {code, message} with a gRPC code.
 * Words are only asked where Google has no other sign: whether a bad request was a forbidden one (a support code), and
 * whether an exhausted resource comes back (a depleted balance does not).
 *
 * About a purchase, "none" is said only where Google says that it refused. A 2xx without a name, a 5xx and whatever a
 * front end may have made of one are "unknown".
 */
#include "veo.h"

/* A gateway's page is of no use beyond its beginning. */
#define PAGE_CHARACTERS 200

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"
#define LONGEST_PAUSE_MS INT64_C(86400000)

#define REFUSED(reason) FG_REASON_##reason, FG_BOUGHT_NONE
#define UNDECIDED(reason) FG_REASON_##reason, FG_BOUGHT_UNKNOWN

struct meaning {
	uint32_t from; /* the first row that the code is at least */
	uint32_t reason;
	uint32_t bought;
};

/* HTTP, of a reply. */
static const struct meaning statuses[] = {
	{500, UNDECIDED(UNAVAILABLE)},  {499, UNDECIDED(UNAVAILABLE)},  {430, REFUSED(PROVIDER_FAULT)},
	{429, REFUSED(RATE_LIMITED)},   {423, REFUSED(PROVIDER_FAULT)}, {422, REFUSED(INVALID_INPUT)},
	{414, REFUSED(PROVIDER_FAULT)}, {413, REFUSED(INVALID_INPUT)},  {410, REFUSED(PROVIDER_FAULT)},
	{409, UNDECIDED(UNAVAILABLE)},  {408, UNDECIDED(UNAVAILABLE)},  {404, REFUSED(PROVIDER_FAULT)},
	{403, REFUSED(AUTH)},           {402, REFUSED(NO_CREDIT)},      {401, REFUSED(AUTH)},
	{400, REFUSED(INVALID_INPUT)},  {0, UNDECIDED(UNAVAILABLE)},
};

/* gRPC, of an operation. Only of a bad argument it is sure that nothing was made. */
static const struct meaning codes[] = {
	{17, UNDECIDED(PROVIDER_FAULT)}, {16, UNDECIDED(AUTH)},
	{13, UNDECIDED(PROVIDER_FAULT)}, {11, REFUSED(INVALID_INPUT)},
	{10, UNDECIDED(PROVIDER_FAULT)}, {9, UNDECIDED(INVALID_INPUT)},
	{8, UNDECIDED(PROVIDER_FAULT)},  {7, UNDECIDED(AUTH)},
	{6, UNDECIDED(PROVIDER_FAULT)},  {5, UNDECIDED(INVALID_INPUT)},
	{4, UNDECIDED(TIMEOUT)},         {3, REFUSED(INVALID_INPUT)},
	{2, UNDECIDED(PROVIDER_FAULT)},  {1, UNDECIDED(CANCELLED)},
	{0, UNDECIDED(PROVIDER_FAULT)},
};

/* Of an exhausted resource that waiting does not bring back. */
static const struct {
	const char *words;
	uint32_t reason;
} depletions[] = {
	{"credits are depleted", FG_REASON_NO_CREDIT},
	{"prepayment", FG_REASON_NO_CREDIT},
	{"check your billing", FG_REASON_NO_CREDIT},
	{"billing account", FG_REASON_NO_CREDIT},
	{"limit: 0,", FG_REASON_QUOTA},
};

static const char *const support_words[] = {"support codes: ", "support code: "};

struct fg_text veo_support_code(struct fg_text message)
{
	struct fg_text code = {NULL, 0};

	for (size_t i = 0; i < VEO_COUNT(support_words) && code.size == 0; i++) {
		code = fg_text_from(message,
				    fg_text_find(message, support_words[i]) + fg_text_of(support_words[i]).size);
		for (uint64_t n = 0; n <= code.size; n++)
			if (n == code.size || code.data[n] < '0' || code.data[n] > '9')
				code.size = n;
	}
	return code;
}

fg_node veo_error(const struct fg_host *h, struct fg_step *s)
{
	fg_node reply = h->document(s, FG_DOC_REPLY);
	fg_node error = h->at(s, h->kind(s, reply) == FG_KIND_ARRAY ? h->item(s, reply, 0) : reply, "/error");

	return h->kind(s, error) == FG_KIND_OBJECT ? error : FG_ABSENT;
}

static void decide(struct veo_problem *problem, const struct meaning *row, uint32_t code)
{
	while (code < row->from)
		row++;
	problem->reason = row->reason;
	problem->bought = row->bought;
}

/* ---- of a reply ---- */

/* "58s" or "1.5s" in milliseconds; 0 when it is none, or longer than anybody waits. */
static uint64_t read_delay_ms(const struct fg_host *h, struct fg_step *s, fg_node delay)
{
	struct fg_text text = h->text(s, delay);
	int64_t ms = 0;
	int64_t unit = 1000;
	uint64_t i = 0;

	for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9' && ms < LONGEST_PAUSE_MS; i++)
		ms = ms * 10 + (text.data[i] - '0') * 1000;
	if (i && i < text.size && text.data[i] == '.')
		for (i++; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
			ms += (text.data[i] - '0') * (unit /= 10);
	return fg_text_is(fg_text_from(text, i), "s") && ms <= LONGEST_PAUSE_MS ? (uint64_t)ms : 0;
}

/* The member @name of the first of the error's details that has it and, unless @type is NULL, is of that type. */
static fg_node detail(const struct fg_host *h, struct fg_step *s, fg_node error, const char *type, const char *pointer)
{
	fg_node details = h->at(s, error, "/details");
	fg_node found = FG_ABSENT;

	for (uint64_t i = 0; found == FG_ABSENT && i < h->count(s, details); i++) {
		fg_node one = h->item(s, details, i);

		if (!type || h->is(s, h->at(s, one, "/@type"), type))
			found = h->at(s, one, pointer);
	}
	return found;
}

static int is_depleted(struct veo_problem *problem)
{
	for (size_t i = 0; i < VEO_COUNT(depletions); i++) {
		if (!fg_text_has(problem->message, depletions[i].words))
			continue;
		problem->reason = depletions[i].reason;
		return 1;
	}
	return 0;
}

/* The Gemini API calls a wrong key a bad request. */
static int is_bad_key(const struct fg_host *h, struct fg_step *s, fg_node error, struct fg_text message)
{
	return h->is(s, detail(h, s, error, NULL, "/reason"), "API_KEY_INVALID") ||
	       fg_text_has(message, "API key not valid") || fg_text_has(message, "API key expired");
}

static void read_bad_request(const struct fg_host *h, struct fg_step *s, fg_node error, struct veo_problem *problem)
{
	struct fg_text support = veo_support_code(problem->message);

	if (support.size) {
		problem->reason = FG_REASON_MODERATED;
		problem->code = support;
	} else if (is_bad_key(h, s, error, problem->message)) {
		problem->reason = FG_REASON_AUTH;
	} else if (h->is(s, h->at(s, error, "/status"), "FAILED_PRECONDITION") &&
		   fg_text_has(problem->message, "billing")) {
		problem->reason = FG_REASON_NO_CREDIT;
	}
}

static void read_error(const struct fg_host *h, struct fg_step *s, fg_node error, struct veo_problem *problem)
{
	switch (h->status(s)) {
	case 400:
		read_bad_request(h, s, error, problem);
		break;
	case 403:
		if (h->is(s, detail(h, s, error, NULL, "/reason"), "BILLING_DISABLED"))
			problem->reason = FG_REASON_NO_CREDIT;
		break;
	case 404:
		/* Google knows the path, but no such model, or not in this region. */
		problem->reason = FG_REASON_INVALID_INPUT;
		problem->field = "/model";
		break;
	case 429:
		if (!is_depleted(problem))
			problem->retry_after_ms = read_delay_ms(h, s, detail(h, s, error, RETRY_INFO, "/retryDelay"));
		break;
	default:
		break;
	}
}

struct veo_problem veo_problem_of_reply(const struct fg_host *h, struct fg_step *s)
{
	fg_node error = veo_error(h, s);
	struct veo_problem problem = {0};

	decide(&problem, statuses, h->status(s));
	problem.code = h->text(s, h->at(s, error, "/status"));
	problem.message = h->text(s, h->at(s, error, "/message"));
	if (error != FG_ABSENT)
		read_error(h, s, error, &problem);
	else
		problem.message = h->text(s, h->cut(s, h->make_text(s, h->body_text(s)), PAGE_CHARACTERS));
	return problem;
}

/* ---- of an operation ---- */

struct veo_problem veo_problem_of_operation(const struct fg_host *h, struct fg_step *s, fg_node error)
{
	int64_t code = h->integer(s, h->at(s, error, "/code"), 2);
	struct veo_problem problem = {0};

	decide(&problem, codes, code >= 0 && code <= UINT32_MAX ? (uint32_t)code : 2);
	problem.code = h->text(s, h->at(s, error, "/code"));
	problem.message = h->text(s, h->at(s, error, "/message"));
	if (code == 8)
		is_depleted(&problem);
	if (problem.reason == FG_REASON_INVALID_INPUT && veo_support_code(problem.message).size) {
		problem.reason = FG_REASON_MODERATED;
		problem.code = veo_support_code(problem.message);
	}
	return problem;
}

/* ---- answers ---- */

static int32_t answer(const struct fg_host *h, struct fg_step *s, const struct veo_problem *problem, int is_final)
{
	return (is_final ? h->failed
			 : h->trouble)(s, FG_FAILURE(.reason = problem->reason, .bought = problem->bought,
						     .retry_after_ms = problem->retry_after_ms, .code = problem->code,
						     .message = problem->message, .field = fg_text_of(problem->field)));
}

int32_t veo_answer_failed(const struct fg_host *h, struct fg_step *s, const struct veo_problem *problem)
{
	return answer(h, s, problem, 1);
}

int32_t veo_answer_trouble(const struct fg_host *h, struct fg_step *s, const struct veo_problem *problem)
{
	return answer(h, s, problem, 0);
}

int32_t veo_answer_problem(const struct fg_host *h, struct fg_step *s, const struct veo_problem *problem)
{
	return answer(h, s, problem, problem->reason < FG_REASON_RATE_LIMITED);
}
