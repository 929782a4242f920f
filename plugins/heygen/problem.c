/*
 * What HeyGen's refusals and failures mean.
 *
 * Three generations of codes are about: lower-case words (v3), upper-case words (MOVIO_PAYMENT_INSUFFICIENT_CREDIT,
 * seen as failure_code of v3 polls) and numbers (400105). A code decides first; words that no table has are searched
 * for a telling part; where that says nothing, the HTTP status decides. A gateway's page has no code.
 *
 * About a purchase, "none" is said only where HeyGen says that it refused, or the status that nobody looked at the
 * request. A 2xx without an order number, a 409, a 5xx and a 400 that may be a gateway's are "unknown": the daemon
 * sends again with the same key, to which HeyGen itself answers.
 */
#include "heygen.h"

#include <string.h>

/* A gateway's page is of no use beyond its beginning. */
#define PAGE_CHARACTERS 200

#define REFUSED(reason) FG_REASON_##reason, FG_BOUGHT_NONE
#define UNDECIDED(reason) FG_REASON_##reason, FG_BOUGHT_UNKNOWN

struct meaning {
	const char *code;
	uint32_t reason;
	uint32_t bought;
	const char *field;
};

static const struct meaning codes[] = {
	{"invalid_parameter", REFUSED(INVALID_INPUT), NULL},
	{"invalid_request", REFUSED(INVALID_INPUT), NULL},
	{"validation_error", REFUSED(INVALID_INPUT), NULL},
	{"download_failed", REFUSED(INVALID_INPUT), NULL},
	{"payload_too_large", REFUSED(INVALID_INPUT), NULL},
	{"avatar_not_usable", REFUSED(INVALID_INPUT), "/parameters/avatar_id"},
	{"avatar_consent_required", REFUSED(INVALID_INPUT), "/parameters/avatar_id"},
	{"avatar_not_found", REFUSED(INVALID_INPUT), "/parameters/avatar_id"},
	{"voice_not_usable", REFUSED(INVALID_INPUT), "/parameters/voice_id"},
	{"voice_not_found", REFUSED(INVALID_INPUT), "/parameters/voice_id"},
	{"script_too_short", REFUSED(INVALID_INPUT), "/parameters/script/text"},
	{"script_too_long", REFUSED(INVALID_INPUT), "/parameters/script/text"},
	{"tts_text_invalid", REFUSED(INVALID_INPUT), "/parameters/script/text"},
	{"asset_not_found", REFUSED(INVALID_INPUT), NULL},
	{"asset_not_available", REFUSED(INVALID_INPUT), NULL},
	{"template_not_found", REFUSED(INVALID_INPUT), NULL},
	{"webhook_not_found", REFUSED(INVALID_INPUT), NULL},
	{"video_not_found", REFUSED(INVALID_INPUT), NULL},
	{"resource_not_found", REFUSED(INVALID_INPUT), NULL},
	{"resource_access_denied", REFUSED(INVALID_INPUT), NULL},
	{"not_found", REFUSED(INVALID_INPUT), NULL},

	{"content_policy_violation", REFUSED(MODERATED), NULL},

	{"insufficient_credit", REFUSED(NO_CREDIT), NULL},
	{"trial_limit_exceeded", REFUSED(NO_CREDIT), NULL},
	{"trial_video_limit_exceeded", REFUSED(NO_CREDIT), NULL},
	{"subscription_required", REFUSED(NO_CREDIT), NULL},
	{"plan_upgrade_required", REFUSED(NO_CREDIT), NULL},
	/* Sent with 429 like a rate limit, but no waiting cures it. */
	{"quota_exceeded", REFUSED(QUOTA), NULL},

	{"unauthorized", REFUSED(AUTH), NULL},
	{"authentication_failed", REFUSED(AUTH), NULL},
	{"forbidden", REFUSED(AUTH), NULL},
	{"insufficient_api_key_scope", REFUSED(AUTH), NULL},
	{"phone_verification_required", REFUSED(AUTH), NULL},
	{"ai_vendor_access_restricted", REFUSED(AUTH), NULL},

	{"rate_limit_exceeded", REFUSED(RATE_LIMITED), NULL},
	{"resource_not_ready", REFUSED(UNAVAILABLE), NULL},
	/* The first request with this key may be buying at this moment. */
	{"request_in_progress", UNDECIDED(IN_PROGRESS), NULL},
	{"conflict", UNDECIDED(IN_PROGRESS), NULL},

	{"internal_error", UNDECIDED(UNAVAILABLE), NULL},
	{"service_unavailable", UNDECIDED(UNAVAILABLE), NULL},
	{"voice_provider_error", UNDECIDED(UNAVAILABLE), NULL},
	{"gateway_timeout", UNDECIDED(UNAVAILABLE), NULL},

	{"400105", REFUSED(MODERATED), NULL},
	{"400168", REFUSED(MODERATED), NULL},
	{"400680", REFUSED(MODERATED), NULL},
	{"401003", REFUSED(MODERATED), NULL},
	{"402007", REFUSED(MODERATED), NULL},
	{"402008", REFUSED(MODERATED), NULL},
	{"402009", REFUSED(MODERATED), NULL},
	{"400664", REFUSED(NO_CREDIT), NULL},
	{"400144", REFUSED(INVALID_INPUT), "/parameters/avatar_id"},
	{"400116", REFUSED(INVALID_INPUT), "/parameters/voice_id"},
	{"400150", REFUSED(INVALID_INPUT), "/parameters/script"},
	{"40119", REFUSED(INVALID_INPUT), NULL},
};

/* Parts of codes that no table has; the older ones are upper-case words with a company's name in front. */
static const struct meaning parts[] = {
	{"insufficient_credit", REFUSED(NO_CREDIT), NULL},
	{"payment", REFUSED(NO_CREDIT), NULL},
	{"subscription", REFUSED(NO_CREDIT), NULL},
	{"plan_upgrade", REFUSED(NO_CREDIT), NULL},
	{"trial_limit", REFUSED(NO_CREDIT), NULL},
	{"quota", REFUSED(QUOTA), NULL},
	{"moderation", REFUSED(MODERATED), NULL},
	{"content_policy", REFUSED(MODERATED), NULL},
	{"policy_violation", REFUSED(MODERATED), NULL},
	{"nsfw", REFUSED(MODERATED), NULL},
	{"key_scope", REFUSED(AUTH), NULL},
	{"permission_denied", REFUSED(AUTH), NULL},
	{"in_training", REFUSED(INVALID_INPUT), "/parameters/avatar_id"},
	{"avatar_not_found", REFUSED(INVALID_INPUT), "/parameters/avatar_id"},
	{"voice_not_found", REFUSED(INVALID_INPUT), "/parameters/voice_id"},
};

/*
 * What a status means where no code is known.
 *
 * 400, 413 and 422 speak of the request only if HeyGen says them, which a code shows: the same numbers on a gateway's
 * page, to a repeat, would pass for HeyGen's word that the first send was not taken either. Other refusals are said before
 * a request is looked at, whoever says them: no order was taken with it, and none of them ends a doubt about an
 * earlier one.
 */
static const struct status_meaning {
	uint32_t status;
	uint32_t reason;
	uint32_t bought;
	int needs_code;
} statuses[] = {
	{400, REFUSED(INVALID_INPUT), 1},  {401, REFUSED(AUTH), 0},           {402, REFUSED(NO_CREDIT), 0},
	{403, REFUSED(AUTH), 0},           {404, REFUSED(PROVIDER_FAULT), 0}, {405, REFUSED(PROVIDER_FAULT), 0},
	{408, UNDECIDED(UNAVAILABLE), 0},  {409, UNDECIDED(IN_PROGRESS), 0},  {410, REFUSED(PROVIDER_FAULT), 0},
	{413, REFUSED(INVALID_INPUT), 1},  {414, REFUSED(PROVIDER_FAULT), 0}, {415, REFUSED(PROVIDER_FAULT), 0},
	{422, REFUSED(INVALID_INPUT), 1},  {429, REFUSED(RATE_LIMITED), 0},   {431, REFUSED(PROVIDER_FAULT), 0},
	{451, REFUSED(PROVIDER_FAULT), 0},
};

/* HeyGen's `param`, up to its first dot, and where that stands in the job. */
static const struct parameter {
	const char *name;
	const char *field;
} parameters[] = {
	{"avatar_id", "/parameters/avatar_id"},
	{"voice_id", "/parameters/voice_id"},
	{"script", "/parameters/script/text"},
	{"audio_url", "/parameters/script/audio"},
	{"audio_asset_id", "/parameters/script/audio"},
	{"image", "/parameters/media"},
	{"aspect_ratio", "/parameters/aspect_ratio"},
	{"resolution", "/parameters/resolution"},
	{"background", "/parameters/background"},
	{"title", "/title"},
	{"voice_settings", "/parameters/extras/voice_settings"},
	{"engine", "/parameters/extras/engine"},
	{"motion_prompt", "/parameters/extras/motion_prompt"},
	{"expressiveness", "/parameters/extras/expressiveness"},
	{"fit", "/parameters/extras/fit"},
	{"output_format", "/parameters/extras/output_format"},
	{"remove_background", "/parameters/extras/remove_background"},
	{"caption", "/parameters/extras/caption"},
	{"watermark", "/parameters/extras/watermark"},
	{"prompt", "/parameters/prompt"},
	{"references", "/parameters/media"},
	{"duration", "/parameters/duration_ms"},
	{"auto_duration", "/parameters/extras/auto_duration"},
	{"enhance_prompt", "/parameters/prompt_rewrite"},
	{"prompt_enhancement", "/parameters/prompt_rewrite"},
	{"reference_images", "/parameters/media"},
	{"reference_videos", "/parameters/media"},
	{"reference_audio", "/parameters/media"},
	{"seed", "/parameters/seed"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct meaning *meaning_of_part(struct fg_text code)
{
	for (size_t i = 0; i < COUNT(parts); i++)
		if (fg_text_has(code, parts[i].code))
			return &parts[i];
	return NULL;
}

static const struct meaning *meaning_of(struct fg_text code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (fg_text_is(code, codes[i].code))
			return &codes[i];
	return NULL;
}

static const char *field_of(struct fg_text param)
{
	for (size_t i = 0; i < COUNT(parameters); i++) {
		uint64_t size = strlen(parameters[i].name);

		if (fg_text_begins(param, parameters[i].name) &&
		    (param.size == size || param.data[size] == '.' || param.data[size] == '['))
			return parameters[i].field;
	}
	return NULL;
}

/* The first of three places that has a text. */
static struct fg_text text_at(const struct fg_host *h, struct fg_step *s, fg_node node, const char *const pointers[3])
{
	struct fg_text text = h->text(s, FG_ABSENT);

	for (int i = 0; i < 3 && text.size == 0; i++)
		text = h->text(s, h->at(s, node, pointers[i]));
	return text;
}

static struct fg_text words_of_reply(const struct fg_host *h, struct fg_step *s)
{
	static const char *const places[3] = {"/error/message", "/error", "/message"};
	struct fg_text words = text_at(h, s, h->document(s, FG_DOC_REPLY), places);

	if (words.size)
		return words;
	return h->text(s, h->cut(s, h->make_text(s, h->body_text(s)), PAGE_CHARACTERS));
}

/* HeyGen's codes are words, or numbers of five digits and more; a gateway's JSON repeats the status, or counts. */
static int is_heygens(struct fg_text code)
{
	for (uint64_t i = 0; i < code.size; i++)
		if (code.data[i] < '0' || code.data[i] > '9')
			return 1;
	return code.size >= 5;
}

static struct status_meaning meaning_of_status(uint32_t status, int has_code, int is_error)
{
	static const struct status_meaning refused = {0, REFUSED(PROVIDER_FAULT), 0};
	static const struct status_meaning unreadable = {0, UNDECIDED(UNAVAILABLE), 0};

	for (size_t i = 0; i < COUNT(statuses); i++)
		if (statuses[i].status == status && (has_code || !statuses[i].needs_code))
			return statuses[i];
	return is_error && status >= 400 && status < 500 ? refused : unreadable;
}

/* HeyGen's own error without a code is a refusal, but of what is not said: it ends no doubt. */
static void decide_by_status(const struct fg_host *h, struct fg_step *s, struct heygen_problem *problem)
{
	int has_code = is_heygens(problem->code);
	int has_words = h->text(s, h->at(s, h->document(s, FG_DOC_REPLY), "/error/message")).size > 0;
	struct status_meaning meaning = meaning_of_status(h->status(s), has_code,
							  has_code || (has_words && !problem->code.size));

	problem->reason = meaning.reason;
	problem->bought = meaning.bought;
}

struct heygen_problem heygen_problem_of_reply(const struct fg_host *h, struct fg_step *s)
{
	static const char *const places[3] = {"/error/code", "/code", "/error/error_code"};
	fg_node reply = h->document(s, FG_DOC_REPLY);
	struct heygen_problem problem = {0};
	const struct meaning *meaning;

	problem.code = text_at(h, s, reply, places);
	problem.message = words_of_reply(h, s);
	problem.field = field_of(h->text(s, h->at(s, reply, "/error/param")));
	meaning = meaning_of(problem.code);
	/* That nothing was bought is no guess to make of a server's own failure. */
	if (!meaning && h->status(s) < 500)
		meaning = meaning_of_part(problem.code);
	if (!meaning) {
		decide_by_status(h, s, &problem);
		return problem;
	}
	problem.reason = meaning->reason;
	problem.bought = meaning->bought;
	if (!problem.field)
		problem.field = meaning->field;
	return problem;
}

struct heygen_problem heygen_problem_of_video(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	static const char *const code_places[3] = {"/failure_code", "/error/code", "/error_code"};
	static const char *const word_places[3] = {"/failure_message", "/error/message", "/error/detail"};
	struct heygen_problem problem = {0};
	const struct meaning *meaning;

	problem.code = text_at(h, s, data, code_places);
	problem.message = text_at(h, s, data, word_places);
	meaning = meaning_of(problem.code);
	if (!meaning)
		meaning = meaning_of_part(problem.code.size ? problem.code : problem.message);
	problem.reason = meaning && meaning->reason < FG_REASON_RATE_LIMITED ? meaning->reason
									     : FG_REASON_PROVIDER_FAULT;
	/* HeyGen documents no rule for refunds; only what could not be paid for was certainly not charged. */
	problem.bought = problem.reason == FG_REASON_NO_CREDIT ? FG_BOUGHT_NONE : FG_BOUGHT_UNKNOWN;
	problem.field = meaning ? meaning->field : NULL;
	return problem;
}

int32_t heygen_answer_problem(const struct fg_host *h, struct fg_step *s, const struct heygen_problem *problem)
{
	int is_final = problem->reason < FG_REASON_RATE_LIMITED;

	return (is_final ? h->failed
			 : h->trouble)(s, FG_FAILURE(.reason = problem->reason, .code = problem->code,
						     .message = problem->message, .field = fg_text_of(problem->field)));
}
