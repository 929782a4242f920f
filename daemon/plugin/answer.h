/*
 * What a step answered, as plain data. Everything in it lives until plugin_answer_free() and belongs to the answer;
 * texts are NUL-terminated and, unless a comment says otherwise, "" when there is nothing to say.
 */
#ifndef FG_PLUGIN_ANSWER_H
#define FG_PLUGIN_ANSWER_H

#include "base/digest.h"

enum plugin_answer_kind {
	PLUGIN_ANSWER_FAULT, /* the plugin broke the rules; `fault` says how. Nothing else is set */
	PLUGIN_ANSWER_EXCHANGE,
	PLUGIN_ANSWER_WAIT,
	PLUGIN_ANSWER_ACCEPTED,
	PLUGIN_ANSWER_DONE,
	PLUGIN_ANSWER_FAILED,
	PLUGIN_ANSWER_TROUBLE,
	PLUGIN_ANSWER_CANCELLED,
	PLUGIN_ANSWER_ABSENT,
	PLUGIN_ANSWER_UNKNOWN,
	PLUGIN_ANSWER_REPORT,
	PLUGIN_ANSWER_RESPOND, /* of webhook: nothing to learn */
	PLUGIN_ANSWER_HINT,    /* of webhook: something happened to `response.remote_id` */
	PLUGIN_ANSWER_UPLOAD, /* of start: `uploads` lack a handle; with them it is to be asked again. Nothing else is set */
	_PLUGIN_ANSWER_N
};

enum plugin_effect {
	PLUGIN_EFFECT_BUYS,
	PLUGIN_EFFECT_BUYS_WITH_KEY,
	PLUGIN_EFFECT_SAFE,
	PLUGIN_EFFECT_IDEMPOTENT,
	_PLUGIN_EFFECT_N
};

/* The numbers of FG_REASON_…; below 20 those of enum job_reason, too. */
enum plugin_reason {
	PLUGIN_REASON_UNKNOWN = 0,
	PLUGIN_REASON_INVALID_INPUT = 1,
	PLUGIN_REASON_MODERATED = 2,
	PLUGIN_REASON_NO_CREDIT = 3,
	PLUGIN_REASON_AUTH = 4,
	PLUGIN_REASON_PROVIDER_FAULT = 5,
	PLUGIN_REASON_LOST = 6,
	PLUGIN_REASON_TIMEOUT = 7,
	PLUGIN_REASON_ARTIFACT_BAD = 8,
	PLUGIN_REASON_CANCELLED = 9,
	PLUGIN_REASON_QUOTA = 10,
	PLUGIN_REASON_RATE_LIMITED = 20,
	PLUGIN_REASON_CONCURRENCY = 21,
	PLUGIN_REASON_UNAVAILABLE = 22,
	PLUGIN_REASON_NOT_FOUND = 23,
	PLUGIN_REASON_IN_PROGRESS = 24,
	PLUGIN_REASON_TOKEN = 99, /* the daemon's own, no plugin's: an access token could not be had */
};

enum plugin_bought {
	PLUGIN_BOUGHT_HOUSE_RULE,
	PLUGIN_BOUGHT_NONE,
	PLUGIN_BOUGHT_MADE,
	PLUGIN_BOUGHT_UNKNOWN,
	_PLUGIN_BOUGHT_N
};

enum plugin_stage {
	PLUGIN_STAGE_UNKNOWN,
	PLUGIN_STAGE_QUEUED,
	PLUGIN_STAGE_THROTTLED,
	PLUGIN_STAGE_RUNNING,
	_PLUGIN_STAGE_N
};

enum plugin_cancel {
	PLUGIN_CANCEL_UNKNOWN,
	PLUGIN_CANCEL_ACHIEVED,
	PLUGIN_CANCEL_TOO_LATE,
	PLUGIN_CANCEL_NOT_POSSIBLE,
	_PLUGIN_CANCEL_N
};

struct plugin_header {
	const char *name;
	const char *value;
	bool is_secret; /* never into a log, a recording or a fingerprint */
};

/* A piece of a body: a text, or the content of an asset. */
struct plugin_piece {
	struct bytes text;
	const char *asset;   /* its name; NULL: a text */
	bool is_base64;      /* how its content is sent */
	uint64_t size_bytes; /* of its content; 0 of a text */
};

/* A request, whole: what is sent is exactly this. */
struct plugin_exchange {
	enum plugin_effect effect;
	uint32_t phase; /* of the step that reads the reply */
	const char *method;
	const char *url;       /* absolute; may hold a secret */
	const char *shown_url; /* for logs: without query */
	const struct plugin_header *headers;
	size_t n_headers;
	struct bytes body;                 /* data NULL: none */
	const struct plugin_piece *pieces; /* of the body, behind that */
	size_t n_pieces;
	int64_t timeout_ms;         /* 0: the daemon's */
	uint64_t reply_limit_bytes; /* 0: the daemon's */
	const char *const *lift;    /* places of base/json_lift.h, valid ones; whose texts become outputs */
	size_t n_lift;              /* 0: none; never of a purchase */
	bool has_credential;
	/* SHA-256 over method, URL, headers and body (of an asset its name, which is its digest), without the credential and without the text of the idempotency key:
	 * equal exactly when a resend would say the same as the first send did. */
	struct digest fingerprint;
};

struct plugin_wait {
	enum plugin_stage stage;
	int64_t after_ms;       /* 0: the manifest's pacing */
	int progress_permille;  /* -1: none */
	int64_t queue_position; /* -1: none */
	const char *status;
};

struct plugin_remote {
	const char *id;
	const char *kind;
	const char *language;
};

struct plugin_cost {
	bool is_known;
	int64_t amount_micros;
	const char *currency;
	bool is_from_provider; /* else computed by the plugin */
};

struct plugin_accepted {
	enum plugin_stage stage;
	int64_t after_ms;                    /* 0: the manifest's pacing */
	const struct plugin_remote *remotes; /* at least one */
	size_t n_remotes;
	struct plugin_cost cost;
	const char *status;
};

/* Something to download, or what was lifted out of the reply: then there is neither URL nor header. */
struct plugin_output {
	const char *role;
	const char *url; /* absolute; often signed, so as good as a secret; NULL: lifted */
	const char *shown_url;
	const char *lifted;                  /* one of the reply's; NULL: it has a URL */
	const struct plugin_header *headers; /* the credential, if it needs one */
	size_t n_headers;
	const char *media_type;
	const char *language;
	uint32_t index;
	int64_t expires_at_ms; /* 0: not said */
};

struct plugin_missing {
	const char *role;
	enum plugin_reason reason;
	const char *language;
	uint32_t index;
	const char *code;
	const char *message;
};

struct plugin_done {
	const struct plugin_output *outputs;
	size_t n_outputs;
	const struct plugin_missing *missing;
	size_t n_missing;
	struct plugin_cost cost;
	const struct plugin_remote *remotes; /* a start that was done at once; else none */
	size_t n_remotes;
};

/* Of FAILED and TROUBLE. */
struct plugin_failure {
	enum plugin_reason reason;
	enum plugin_bought bought;
	int64_t retry_after_ms; /* 0: not said */
	const char *code;
	const char *message;
	const char *request_id;
	const char *field; /* pointer into the job document */
};

struct plugin_cancelled {
	enum plugin_cancel achieved;
	enum plugin_bought bought;
	const char *message;
};

/* Of RESPOND and HINT. */
struct plugin_response {
	uint32_t status;       /* 200 to 299 */
	const char *body;      /* JSON; NULL: none */
	const char *remote_id; /* of HINT */
};

enum plugin_severity { PLUGIN_NOTE_IGNORED = 1, PLUGIN_NOTE_ADJUSTED = 2, PLUGIN_NOTE_CUT = 3, PLUGIN_NOTE_INFO = 4 };

struct plugin_note {
	enum plugin_severity severity;
	const char *pointer; /* into the job document */
	const char *sentence;
};

struct plugin_answer_memory;

struct plugin_answer {
	enum plugin_answer_kind kind;
	const char *fault;
	struct plugin_exchange exchange;
	struct plugin_wait wait;
	struct plugin_accepted accepted;
	struct plugin_done done;
	struct plugin_failure failure;
	struct plugin_cancelled cancelled;
	struct plugin_response response;
	const char *report;         /* of REPORT: a JSON object */
	const char *const *uploads; /* of UPLOAD: names of assets */
	size_t n_uploads;
	const char *state; /* the new state as JSON, to be committed with the answer; NULL: unchanged */
	const struct plugin_note *notes;
	size_t n_notes;
	struct plugin_answer_memory *memory;
};

/* A copy of a FAILED, TROUBLE or FAULT, without state and notes. Aborts when out of memory. */
struct plugin_answer *plugin_answer_copy_failure(const struct plugin_answer *answer);
/* A TROUBLE that the daemon itself has on a plugin's way. Aborts when out of memory. */
struct plugin_answer *plugin_answer_trouble(enum plugin_reason reason, const char *message);
struct plugin_answer *plugin_answer_free(struct plugin_answer *answer);
void plugin_answer_freep(struct plugin_answer **answer);
const char *plugin_answer_name(enum plugin_answer_kind kind); /* "exchange", … */

#endif
