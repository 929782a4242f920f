/*
 * An order whose reply was lost, and that no key protects any more: is it in the list?
 *
 * GET /v3/videos lists all videos of the account, and finds those whose title has a text in it. Each order of POST
 * /v3/videos bears its own idempotency key at the end of its title (submit.c), which is unique. So what is found is the
 * order itself and not one that looks alike. callback_id would be as good, but no list and no poll shows it, only a
 * webhook does. Of heygen-video-1 there is no list, and its orders have no title: nobody can tell.
 *
 * The account is others', too, and titles can be edited and copied. So a video is *ours* when its title ends with the
 * key and it was not made at another time, and *strange* when the key is anywhere else in its title: a copy, or a title
 * that was taken over from another one. One of ours, and nothing strange, is adopted. Anything else that bears the key
 * is for a person, whatever the policy: nobody but the order itself brought the key there, so it was bought.
 *
 * A list that shows nothing proves nothing by itself: it may lag, and videos can be deleted and renamed. That the order
 * never arrived is proven only where the operator vouches for it (option absence_after_s).
 */
#include "heygen.h"

/* Without a word of the operator: how long a list may lag before nobody looks again, and how often it is read. */
#define PATIENCE_MS 120000
#define PAUSE_MS 20000
#define PATIENCE_MOST_S 86400 /* for longer the daemon looks for no lost order */

/* Around the sends: for clocks that differ, and a request that was on its way for long. */
#define BEFORE_MS 600000
#define AFTER_MS 3600000

#define FOUND_MOST 8

static fg_node step(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->at(s, h->document(s, FG_DOC_STEP), pointer);
}

static fg_node kept(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->at(s, h->document(s, FG_DOC_STATE), pointer);
}

static int32_t ask(const struct fg_host *h, struct fg_step *s, fg_node token)
{
	return heygen_ask_videos(h, s, kept(h, s, "/mark"), token);
}

static int32_t begin(const struct fg_host *h, struct fg_step *s)
{
	fg_node look = h->object(s);

	/* An earlier version of this plugin sent the user's title alone. */
	if (!h->is(s, kept(h, s, "/path"), HEYGEN_VIDEOS) || h->text(s, kept(h, s, "/mark")).size == 0)
		return h->unknown(s);
	h->put(s, look, "/found", h->array(s));
	h->put(s, h->state(s), "/look", look);
	return ask(h, s, FG_ABSENT);
}

/* ---- a page ---- */

static int has_text(struct fg_text text, struct fg_text part)
{
	for (uint64_t i = 0; part.size && i + part.size <= text.size; i++)
		if (memcmp(text.data + i, part.data, part.size) == 0)
			return 1;
	return 0;
}

/* As a word of its own. */
static int ends_with(struct fg_text text, struct fg_text part)
{
	uint64_t rest = text.size - part.size;

	return part.size && part.size <= text.size && memcmp(text.data + rest, part.data, part.size) == 0 &&
	       (rest == 0 || text.data[rest - 1] == ' ');
}

static int is_of_that_time(const struct fg_host *h, struct fg_step *s, fg_node video)
{
	int64_t created_ms = h->time_ms(s, h->at(s, video, "/created_at"), 0);
	fg_node sends = step(h, s, "/sends");

	if (created_ms <= 0)
		return 1;
	for (uint64_t i = 0; i < h->count(s, sends); i++) {
		int64_t sent_ms = h->integer(s, h->at(s, h->item(s, sends, i), "/sent_at_ms"), 0);

		if (created_ms >= sent_ms - BEFORE_MS && created_ms <= sent_ms + AFTER_MS)
			return 1;
	}
	return 0;
}

/* Pages that moved while they were read show a video twice. */
static void keep_id(const struct fg_host *h, struct fg_step *s, fg_node id)
{
	fg_node found = h->at(s, h->state(s), "/look/found");

	for (uint64_t i = 0; i < h->count(s, found); i++)
		if (heygen_is_same_text(h->text(s, h->item(s, found, i)), h->text(s, id)))
			return;
	if (h->count(s, found) < FOUND_MOST)
		h->append(s, found, id);
}

/* Whatever the filter does: only what bears the mark counts. */
static void read_page(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	struct fg_text mark = h->text(s, kept(h, s, "/mark"));

	for (uint64_t i = 0; i < h->count(s, data); i++) {
		fg_node video = h->item(s, data, i);
		fg_node id = h->at(s, video, "/id");
		struct fg_text title = h->text(s, h->at(s, video, "/title"));

		if (ends_with(title, mark) && is_of_that_time(h, s, video) && h->text(s, id).size)
			keep_id(h, s, id);
		else if (has_text(title, mark))
			h->put_boolean(s, h->state(s), "/look/is_strange", 1);
	}
}

/* ---- deciding ---- */

static int is_taken(const struct fg_host *h, struct fg_step *s, fg_node id)
{
	fg_node others = step(h, s, "/others");
	struct fg_text ours = h->text(s, id);

	for (uint64_t i = 0; i < h->count(s, others); i++) {
		if (heygen_is_same_text(h->text(s, h->at(s, h->item(s, others, i), "/remote_id")), ours))
			return 1;
	}
	return 0;
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

/* When the last of the order's sends was given up. */
static int64_t decided_ms(const struct fg_host *h, struct fg_step *s)
{
	fg_node sends = step(h, s, "/sends");
	int64_t last_ms = 0;

	for (uint64_t i = 0; i < h->count(s, sends); i++) {
		int64_t at_ms = h->integer(s, h->at(s, h->item(s, sends, i), "/decided_at_ms"), 0);

		last_ms = at_ms > last_ms ? at_ms : last_ms;
	}
	return last_ms;
}

/* Negative: more or less than it may be, or no whole number. */
static int64_t proof_s_of(const struct fg_host *h, struct fg_step *s)
{
	fg_node option = h->at(s, h->document(s, FG_DOC_ACCOUNT), "/options/absence_after_s");
	int64_t proof_s = option == FG_ABSENT ? 0 : h->integer(s, option, -1);

	return proof_s <= PATIENCE_MOST_S ? proof_s : -1;
}

const char *heygen_complaint(const struct fg_host *h, struct fg_step *s)
{
	return proof_s_of(h, s) < 0 ? "the option 'absence_after_s' of the provider takes whole seconds from 0 to "
				      "86400, a day: for longer no lost order is looked for"
				    : NULL;
}

static int32_t answer_nothing(const struct fg_host *h, struct fg_step *s)
{
	int64_t proof_ms = 1000 * proof_s_of(h, s);
	int64_t now_ms = h->integer(s, step(h, s, "/now_ms"), 0);
	int64_t since_ms = decided_ms(h, s);
	int64_t patience_ms = proof_ms > 0 ? proof_ms : PATIENCE_MS;
	int64_t left_ms = (since_ms > 0 ? since_ms : now_ms) + patience_ms - now_ms;
	int64_t pause_ms = patience_ms / 10 > PAUSE_MS ? patience_ms / 10 : PAUSE_MS;

	if (left_ms > 0)
		return h->wait(s, FG_WAIT(.after_ms = (uint64_t)(left_ms < pause_ms ? left_ms : pause_ms)));
	return proof_ms > 0 && since_ms > 0 ? h->absent(s) : h->unknown(s);
}

/* It was bought: no policy may order it again. */
static int32_t leave_to_a_person(const struct fg_host *h, struct fg_step *s, const char *why)
{
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_LOST, .bought = FG_BOUGHT_MADE, .message = fg_text_of(why)));
}

static int32_t decide(const struct fg_host *h, struct fg_step *s)
{
	fg_node found = h->at(s, h->state(s), "/look/found");
	int is_strange = h->boolean(s, h->at(s, h->state(s), "/look/is_strange"), 0);
	fg_node id = h->item(s, found, 0);

	if (h->count(s, found) == 0)
		return is_strange ? leave_to_a_person(h, s, "a video bears its key, and not as it was ordered")
				  : answer_nothing(h, s);
	if (h->count(s, found) > 1 || is_strange)
		return leave_to_a_person(h, s, "several videos bear its key in their titles");
	if (is_taken(h, s, id))
		return leave_to_a_person(h, s, "the video that bears its key in its title belongs to another job");
	return adopt(h, s, id);
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s)
{
	struct heygen_problem problem = heygen_problem_of_reply(h, s);

	if (heygen_has_no_list(h, s, &problem))
		return h->unknown(s);
	return h->trouble(s, FG_FAILURE(.reason = problem.reason, .bought = FG_BOUGHT_UNKNOWN, .code = problem.code,
					.message = problem.message));
}

int32_t heygen_reconcile(const struct fg_host *h, struct fg_step *s)
{
	fg_node page = h->document(s, FG_DOC_REPLY);
	fg_node data = h->at(s, page, "/data");
	fg_node next = h->at(s, page, "/next_token");
	struct fg_text token = h->text(s, next);
	struct fg_text last = h->text(s, kept(h, s, "/look/page"));

	if (h->phase(s) != HEYGEN_PHASE_REPLY)
		return begin(h, s);
	if (!heygen_is_page(h, s))
		return refuse(h, s);
	read_page(h, s, data);
	if (token.size == 0)
		return h->boolean(s, h->at(s, page, "/has_more"), 0) ? h->unknown(s) : decide(h, s);
	/* Pages that do not turn: what is behind them is never seen. */
	if (heygen_is_same_text(token, last))
		return h->unknown(s);
	h->put(s, h->state(s), "/look/page", next);
	return ask(h, s, next);
}
