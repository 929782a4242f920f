#include "engine/classes.h"

#include "base/err.h"

struct row {
	enum send_sight sight;
	enum send_reading reading;
	enum job_send_class class;
	const char *next; /* for the documents: what the job does */
};

#define ON_DOUBT "repeats, looks, or the policy"

/* Whatever is not here cannot be: nobody reads a reply that did not come. */
static const struct row rows[] = {
	{SEND_SAW_NOTHING_LEAVE, SEND_READ_NOTHING, JOB_SEND_NOT_SENT, "QUEUED, with backoff"},
	{SEND_SAW_IT_LEAVE, SEND_READ_NOTHING, JOB_SEND_AMBIGUOUS, ON_DOUBT},
	{SEND_SAW_A_REPLY, SEND_READ_ID, JOB_SEND_ACCEPTED, "RUNNING"},
	{SEND_SAW_A_REPLY, SEND_READ_REFUSAL, JOB_SEND_REFUSED, "FAILED, or QUEUED for as long as it says"},
	{SEND_SAW_A_REPLY, SEND_READ_PURCHASE, JOB_SEND_ACCEPTED, "FAILED, with what it cost"},
	{SEND_SAW_A_REPLY, SEND_READ_DOUBT, JOB_SEND_AMBIGUOUS, ON_DOUBT},
	{SEND_SAW_A_REPLY, SEND_READ_PATIENCE, JOB_SEND_AMBIGUOUS, ON_DOUBT},
	{SEND_SAW_A_REPLY, SEND_READ_NOTHING, JOB_SEND_AMBIGUOUS, ON_DOUBT},
	{SEND_SAW_A_REPLY, SEND_READ_NO_ANSWER, JOB_SEND_AMBIGUOUS, "UNCERTAIN"},
};

enum send_sight send_sight_of(const struct http_outcome *outcome)
{
	if (outcome->kind == HTTP_REPLY)
		return SEND_SAW_A_REPLY;
	return outcome->may_have_left ? SEND_SAW_IT_LEAVE : SEND_SAW_NOTHING_LEAVE;
}

/* The house rule, where the plugin cannot tell: a 4xx to the purchase itself took no order, anything else may have. */
static enum job_purchase purchase_of(const struct plugin_answer *answer, int http_status)
{
	switch (answer->failure.bought) {
	case PLUGIN_BOUGHT_NONE:
		return JOB_PURCHASE_NOTHING;
	case PLUGIN_BOUGHT_MADE:
		return JOB_PURCHASE_MADE;
	case PLUGIN_BOUGHT_HOUSE_RULE:
		return http_status >= 400 && http_status < 500 ? JOB_PURCHASE_NOTHING : JOB_PURCHASE_UNKNOWN;
	default:
		return JOB_PURCHASE_UNKNOWN;
	}
}

static enum send_reading reading_of_failure(const struct plugin_answer *answer, int http_status)
{
	if (answer->failure.reason == PLUGIN_REASON_IN_PROGRESS)
		return SEND_READ_DOUBT;
	switch (purchase_of(answer, http_status)) {
	case JOB_PURCHASE_NOTHING:
		return SEND_READ_REFUSAL;
	case JOB_PURCHASE_MADE:
		return SEND_READ_PURCHASE;
	default:
		return SEND_READ_DOUBT;
	}
}

enum send_reading send_reading_of(const struct plugin_answer *answer, int http_status)
{
	switch (answer->kind) {
	case PLUGIN_ANSWER_ACCEPTED:
	case PLUGIN_ANSWER_DONE:
		return SEND_READ_ID;
	case PLUGIN_ANSWER_FAILED:
	case PLUGIN_ANSWER_TROUBLE:
		return reading_of_failure(answer, http_status);
	case PLUGIN_ANSWER_WAIT:
		return SEND_READ_PATIENCE;
	default:
		return SEND_READ_NO_ANSWER;
	}
}

enum job_send_class send_class_of(enum send_sight sight, enum send_reading reading)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].sight == sight && rows[i].reading == reading)
			return rows[i].class;
	abort();
}

static const char *const sights[_SEND_SIGHT_N] = {
	[SEND_SAW_NOTHING_LEAVE] = "not a byte left: name, connect, TLS",
	[SEND_SAW_IT_LEAVE] = "it may have left, no complete reply",
	[SEND_SAW_A_REPLY] = "a complete reply",
};

static const char *const readings[_SEND_READING_N] = {
	[SEND_READ_NOTHING] = "",
	[SEND_READ_ID] = "the provider's id, or the video",
	[SEND_READ_REFUSAL] = "a refusal: nothing was bought",
	[SEND_READ_PURCHASE] = "a failure that was bought",
	[SEND_READ_DOUBT] = "a failure that decides nothing: 5xx, a page",
	[SEND_READ_PATIENCE] = "that it is still at it",
	[SEND_READ_NO_ANSWER] = "nothing it understands",
};

static const char *const classes[] = {
	[JOB_SEND_NOT_SENT] = "not sent",
	[JOB_SEND_REFUSED] = "refused",
	[JOB_SEND_ACCEPTED] = "accepted",
	[JOB_SEND_AMBIGUOUS] = "ambiguous",
};

/* A reply without a reading is one that the plugin wanted to see the rest of. */
static const char *reading_in_page(const struct row *row)
{
	if (row->reading != SEND_READ_NOTHING)
		return readings[row->reading];
	return row->sight == SEND_SAW_A_REPLY ? "that it must ask further, and that failed" : "is not asked";
}

int send_print_classes(struct buffer *out)
{
	int r = buffer_append_text(out,
				   "| the transport saw | the plugin reads | class | the job |\n|---|---|---|---|\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && r == 0; i++)
		r = buffer_printf(out, "| %s | %s | %s | %s |\n", sights[rows[i].sight], reading_in_page(&rows[i]),
				  classes[rows[i].class], rows[i].next);
	return r < 0 ? err_trace(r) : 0;
}
