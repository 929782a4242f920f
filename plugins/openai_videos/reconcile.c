/*
 * An order whose reply was lost: is it in the list?
 *
 * The interface takes nothing of ours along but the order itself, so the list can only show what looks alike: the same
 * prompt, not another model, length or size, made while the order was on its way. That is ours when exactly one looks alike,
 * no other job of this daemon that is undecided ordered the same words, and all that the span may hold was seen. What
 * another job of this daemon owns is set aside first.
 *
 * Every video in the list that was made at about that time is
 *
 *   alike       as above
 *   suspicious  it could be ours: it does not say its prompt or its time, or the time is only nearly right
 *   foreign     it says another prompt, model, length or size
 *
 * That the order never arrived is proven only where the operator vouches for the list (option absence_after_s): when
 * that long after the send the list holds nothing at all of about that time which is not another job's. A foreign one
 * stands against it, too: who knows what a gateway does to a prompt.
 */
#include "openai_videos.h"

/* The provider's clock and ours: nearly right, and about that time. The daemon knows of others ten minutes around. */
#define CLOSE_MS 60000
#define WIDE_MS 540000

/* Without a word of the operator: how long a list may lag before nobody looks again, and how often it is read. */
#define PATIENCE_MS 120000
#define PAUSE_MS 20000
#define ON_ITS_WAY_MS 15000

#define IDS_MOST 64

struct span {
	int64_t from_ms, to_ms;
};

enum likeness { ALIKE, SUSPICIOUS, FOREIGN, LIKENESSES };

static const char *const lists[LIKENESSES] = {"/look/alike", "/look/suspicious", "/look/foreign"};

static struct span span_of_sends(const struct fg_host *h, struct fg_step *s)
{
	fg_node sends = h->at(s, h->document(s, FG_DOC_STEP), "/sends");
	struct span span = {openai_now_ms(h, s), 0};

	for (uint64_t i = 0; i < h->count(s, sends); i++) {
		fg_node send = h->item(s, sends, i);
		int64_t sent_ms = h->integer(s, h->at(s, send, "/sent_at_ms"), 0);
		int64_t decided_ms = h->integer(s, h->at(s, send, "/decided_at_ms"), 0);

		if (sent_ms < span.from_ms)
			span.from_ms = sent_ms;
		if (decided_ms > span.to_ms)
			span.to_ms = decided_ms;
	}
	if (span.to_ms < span.from_ms)
		span.to_ms = openai_now_ms(h, s);
	return span;
}

/* ---- one video of the list ---- */

static int is_same_text(struct fg_text a, struct fg_text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Both say it, and not the same. */
static int contradicts(const struct fg_host *h, struct fg_step *s, fg_node ours, fg_node theirs)
{
	struct fg_text a = h->text(s, ours);
	struct fg_text b = h->text(s, theirs);

	return a.size && b.size && !is_same_text(a, b);
}

#define DAY "-0000-00-00"

static int ends_with_day(struct fg_text name)
{
	static const char day[] = DAY;
	const char *end;

	if (name.size < sizeof(day))
		return 0;
	end = name.data + name.size - (sizeof(day) - 1);
	for (size_t i = 0; day[i]; i++)
		if (day[i] == '-' ? end[i] != '-' : end[i] < '0' || end[i] > '9')
			return 0;
	return 1;
}

/* Of "openai/sora-2-2025-10-06", "sora-2": without a maker before it and a day behind it. */
static struct fg_text bare_model(struct fg_text name)
{
	for (uint64_t i = name.size; i > 0; i--)
		if (name.data[i - 1] == '/') {
			name.data += i;
			name.size -= i;
			break;
		}
	if (ends_with_day(name))
		name.size -= sizeof(DAY) - 1;
	return name;
}

static int is_other_model(const struct fg_host *h, struct fg_step *s, fg_node ours, fg_node theirs)
{
	struct fg_text a = h->text(s, ours);
	struct fg_text b = h->text(s, theirs);

	return a.size && b.size && !is_same_text(bare_model(a), bare_model(b));
}

static enum likeness likeness_of(const struct fg_host *h, struct fg_step *s, fg_node video, fg_node order,
				 const struct span *span)
{
	int64_t created_ms = h->time_ms(s, h->at(s, video, "/created_at"), 0);
	fg_node prompt = h->at(s, video, "/prompt");

	if (h->text(s, prompt).size == 0)
		return SUSPICIOUS;
	if (contradicts(h, s, h->at(s, order, "/prompt"), prompt) ||
	    is_other_model(h, s, h->at(s, order, "/model"), h->at(s, video, "/model")) ||
	    contradicts(h, s, h->at(s, order, "/seconds"), h->at(s, video, "/seconds")) ||
	    contradicts(h, s, h->at(s, order, "/size"), h->at(s, video, "/size")))
		return FOREIGN;
	return created_ms >= span->from_ms - CLOSE_MS && created_ms <= span->to_ms + CLOSE_MS ? ALIKE : SUSPICIOUS;
}

/* ---- a page ---- */

static fg_node kept(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->at(s, h->document(s, FG_DOC_STATE), pointer);
}

static void keep_id(const struct fg_host *h, struct fg_step *s, fg_node state, enum likeness likeness, fg_node id)
{
	fg_node list = h->at(s, state, lists[likeness]);

	if (h->count(s, list) >= IDS_MOST || h->text(s, id).size == 0)
		h->put_boolean(s, state, "/look/is_overfull", 1);
	else
		h->append(s, list, id);
}

/*
 * Sorts a page into the state. Returns whether the end of what matters is seen: the list ends, or goes on with what is
 * older than the span, as long as it has been in order.
 */
static int read_page(const struct fg_host *h, struct fg_step *s, fg_node page)
{
	struct span span = span_of_sends(h, s);
	fg_node order = openai_order(h, s);
	fg_node data = h->at(s, page, "/data");
	fg_node state = h->state(s);
	int64_t last_ms = h->integer(s, kept(h, s, "/look/last_ms"), INT64_MAX);
	int is_in_order = h->boolean(s, kept(h, s, "/look/is_in_order"), 1);

	for (uint64_t i = 0; i < h->count(s, data); i++) {
		fg_node video = h->item(s, data, i);
		int64_t created_ms = h->time_ms(s, h->at(s, video, "/created_at"), 0);

		is_in_order = is_in_order && created_ms > 0 && created_ms <= last_ms;
		last_ms = created_ms;
		if (created_ms > 0 && (created_ms < span.from_ms - WIDE_MS || created_ms > span.to_ms + WIDE_MS))
			continue;
		keep_id(h, s, state, likeness_of(h, s, video, order, &span), h->at(s, video, "/id"));
	}
	h->put_integer(s, state, "/look/last_ms", last_ms);
	h->put_boolean(s, state, "/look/is_in_order", is_in_order);
	return h->count(s, data) == 0 || !h->boolean(s, h->at(s, page, "/has_more"), 1) ||
	       (is_in_order && last_ms < span.from_ms - WIDE_MS);
}

/* ---- asking ---- */

static int32_t begin(const struct fg_host *h, struct fg_step *s)
{
	fg_node look = h->object(s);

	if (openai_is_openrouter(h, s) || openai_complaint(h, s).size)
		return h->unknown(s);
	h->put(s, look, "/alike", h->array(s));
	h->put(s, look, "/suspicious", h->array(s));
	h->put(s, look, "/foreign", h->array(s));
	h->put(s, h->state(s), "/look", look);
	return openai_ask_videos(h, s, FG_ABSENT);
}

/* ---- deciding ---- */

static fg_node others(const struct fg_host *h, struct fg_step *s)
{
	return h->at(s, h->document(s, FG_DOC_STEP), "/others");
}

static int is_taken(const struct fg_host *h, struct fg_step *s, fg_node id)
{
	for (uint64_t i = 0; i < h->count(s, others(h, s)); i++)
		if (is_same_text(h->text(s, h->at(s, h->item(s, others(h, s), i), "/remote_id")), h->text(s, id)))
			return 1;
	return 0;
}

/* How many of a kind nobody owns; the last of them. */
static uint64_t count_free(const struct fg_host *h, struct fg_step *s, enum likeness likeness, fg_node *ret_last)
{
	fg_node list = h->at(s, h->state(s), lists[likeness]);
	uint64_t n = 0;

	for (uint64_t i = 0; i < h->count(s, list); i++) {
		if (is_taken(h, s, h->item(s, list, i)))
			continue;
		*ret_last = h->item(s, list, i);
		n++;
	}
	return n;
}

/* Another job of this daemon whose order reads the same, and of which nobody knows yet which video is its own. */
static int has_rival(const struct fg_host *h, struct fg_step *s, int is_on_its_way)
{
	struct fg_text prompt = h->text(s, openai_parameter(h, s, "/prompt"));

	for (uint64_t i = 0; i < h->count(s, others(h, s)); i++) {
		fg_node other = h->item(s, others(h, s), i);

		if (h->text(s, h->at(s, other, "/remote_id")).size == 0 &&
		    is_same_text(h->text(s, h->at(s, other, "/parameters/prompt")), prompt) &&
		    (!is_on_its_way || h->boolean(s, h->at(s, other, "/is_on_its_way"), 0)))
			return 1;
	}
	return 0;
}

static int32_t pause(const struct fg_host *h, struct fg_step *s, int64_t ms)
{
	return h->wait(s, FG_WAIT(.after_ms = (uint64_t)ms));
}

/* A list may lag: nothing in it is no answer at once. */
static int32_t answer_nothing(const struct fg_host *h, struct fg_step *s, int is_empty)
{
	int64_t proof_ms = 1000 * openai_absence_after_s(h, s);
	int64_t patience_ms = proof_ms > 0 ? proof_ms : PATIENCE_MS;
	int64_t left_ms = span_of_sends(h, s).to_ms + patience_ms - openai_now_ms(h, s);
	int64_t step_ms = patience_ms / 10 > PAUSE_MS ? patience_ms / 10 : PAUSE_MS;

	if (left_ms > 0)
		return pause(h, s, left_ms < step_ms ? left_ms : step_ms);
	return is_empty && proof_ms > 0 ? h->absent(s) : h->unknown(s);
}

static int32_t adopt(const struct fg_host *h, struct fg_step *s, fg_node id)
{
	fg_node remotes = h->array(s);
	fg_node remote = h->object(s);

	h->put(s, remote, "/id", id);
	h->put_text(s, remote, "/kind", "video");
	h->append(s, remotes, remote);
	return h->accepted(s, FG_ACCEPTED(.stage = FG_STAGE_QUEUED, .remotes = remotes));
}

static int32_t decide(const struct fg_host *h, struct fg_step *s)
{
	fg_node found = FG_ABSENT;
	fg_node unused = FG_ABSENT;
	uint64_t alike = count_free(h, s, ALIKE, &found);
	uint64_t suspicious = count_free(h, s, SUSPICIOUS, &unused);
	uint64_t foreign = count_free(h, s, FOREIGN, &unused);

	if (h->boolean(s, h->at(s, h->state(s), "/look/is_overfull"), 0) ||
	    h->boolean(s, h->at(s, h->document(s, FG_DOC_STEP), "/others_left_out"), 1))
		return h->unknown(s);
	if (alike == 0 && suspicious == 0)
		return answer_nothing(h, s, foreign == 0);
	if (has_rival(h, s, 1))
		return pause(h, s, ON_ITS_WAY_MS);
	return alike == 1 && suspicious == 0 && !has_rival(h, s, 0) ? adopt(h, s, found) : h->unknown(s);
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s)
{
	struct openai_problem problem = openai_problem_of_reply(h, s);

	if (openai_has_no_list(h, s))
		return h->unknown(s);
	problem.field = NULL;
	if (problem.reason == FG_REASON_INVALID_INPUT)
		return openai_answer_failed(h, s, &problem);
	return openai_answer_trouble(h, s, &problem);
}

int32_t openai_reconcile(const struct fg_host *h, struct fg_step *s)
{
	fg_node last;

	if (h->phase(s) != OPENAI_PHASE_REPLY)
		return begin(h, s);
	if (!openai_is_page(h, s))
		return refuse(h, s);
	if (read_page(h, s, h->document(s, FG_DOC_REPLY)))
		return decide(h, s);
	last = openai_page_end(h, s);
	/* A gateway that does not turn the page: what is behind it is never seen. */
	if (h->text(s, last).size == 0 || is_same_text(h->text(s, last), h->text(s, kept(h, s, "/look/after"))))
		return h->unknown(s);
	h->put(s, h->state(s), "/look/after", last);
	return openai_ask_videos(h, s, last);
}
