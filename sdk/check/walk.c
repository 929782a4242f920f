#include "walk.h"

#include "base/limits.h"
#include "plugin/recording.h"
#include "told.h"

#include <assert.h>

#define NOW_MS INT64_C(1795368960000) /* 2026-11-22 */
#define KEY "01a20485-7299-7846-85db-7f80b5b82330.1.1"
#define LOST_PERCENT 15 /* of the orders whose reply never comes, where that can be looked up */

struct path {
	struct plugin_step step;
	struct buffer state, body;
	struct plugin_reply reply;
	struct told told;
	const char *job;
	int64_t sent_ms;
	char remote_id[LIMIT_PLUGIN_WORDS + 1];
	bool is_over;
};

static void finish_path(struct path *path)
{
	buffer_finish(&path->state);
	buffer_finish(&path->body);
	told_finish(&path->told);
}

static int found(struct walker *walker, const struct plugin_step *step, const char *what, const char *more)
{
	errmsg_set(&walker->finding, "step %llu, %s phase %u%s: %s%s%.300s", (unsigned long long)walker->steps,
		   plugin_verb_name(step->verb), step->phase, step->reply ? ", on a reply" : "", what,
		   *more ? ": " : "", more);
	return WALK_E_FOUND;
}

static int write_answer(const struct plugin_step *step, const struct plugin_answer *answer, struct buffer *out)
{
	return answer ? plugin_recording_write_answer(step, answer, out) : err_origin(-ENOMEM);
}

/* One step, twice: 0 and the answer, which the caller frees; else as walk(). */
static int run_step(struct walker *walker, const struct plugin_step *step, struct plugin_answer **ret)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = NULL, *second = NULL;
	_cleanup_(buffer_finish) struct buffer one = {0}, other = {0}, text = {0};
	int r = plugin_recording_write(step, NULL, NULL, &text);

	if (r < 0)
		return r;
	child_stands_in(walker->desk, buffer_bytes(&text));
	walker->desk->steps = ++walker->steps;
	walker->reached[step->verb] = true;
	first = plugin_step_run(step);
	second = plugin_step_run(step);
	r = write_answer(step, first, &one);
	if (r == 0)
		r = write_answer(step, second, &other);
	if (r)
		return r;
	if (first->kind == PLUGIN_ANSWER_FAULT)
		return found(walker, step, "it breaks a rule", first->fault);
	if (!bytes_equal(buffer_bytes(&one), buffer_bytes(&other)))
		return found(walker, step, "the same step has two answers", other.data);
	*ret = steal(first);
	return 0;
}

static bool can_call(const struct walker *walker, enum plugin_verb verb)
{
	return plugin_can(walker->plugin, verb) && plugin_verb_is_called(verb);
}

/* What the daemon might ask next of an order that was taken; the rest has its own occasions. */
static enum plugin_verb next_verb(struct walker *walker)
{
	enum plugin_verb verb = PLUGIN_VERB_POLL;

	if (dice_percent(&walker->dice, 60))
		return verb;
	do
		verb = (enum plugin_verb)dice_below(&walker->dice, _PLUGIN_VERB_N);
	while (!can_call(walker, verb) || verb == PLUGIN_VERB_START || verb == PLUGIN_VERB_UPLOAD ||
	       verb == PLUGIN_VERB_RECONCILE);
	return verb;
}

/* Each verb is told what the daemon tells it. */
static void begin_verb(struct path *path, enum plugin_verb verb)
{
	bool orders = verb == PLUGIN_VERB_START, has_files = orders || verb == PLUGIN_VERB_CHECK;

	path->step.verb = verb;
	path->step.phase = 0;
	path->step.reply = NULL;
	path->step.has_bought = false;
	path->step.idempotency_key = orders ? KEY : NULL;
	path->step.assets = has_files ? path->told.files : NULL;
	path->step.n_assets = has_files ? path->told.n_files : 0;
	path->step.facts = bytes_of(NULL, 0);
	path->step.list_next = verb == PLUGIN_VERB_LIST && path->step.polls % 2 ? "page-2" : NULL;
	path->step.job = verb == PLUGIN_VERB_WEBHOOK ? bytes_of(NULL, 0) : bytes_of_text(path->job);
	path->step.state = verb == PLUGIN_VERB_WEBHOOK ? bytes_of(NULL, 0) : buffer_bytes(&path->state);
	path->step.subscription_action = verb != PLUGIN_VERB_SUBSCRIBE ? NULL
					 : path->step.polls % 2        ? PLUGIN_SUBSCRIPTION_END
								       : PLUGIN_SUBSCRIPTION_BEGIN;
	path->step.subscription_url = verb == PLUGIN_VERB_SUBSCRIBE ? "https://films.example.com/v1/webhooks/p" : NULL;
	path->step.subscription_id = verb == PLUGIN_VERB_SUBSCRIBE && path->step.polls % 2 ? "id-1" : NULL;
}

/* The provider's call is there from the beginning, and has no status. */
static void take_call(struct walker *walker, struct path *path)
{
	if (path->step.verb != PLUGIN_VERB_WEBHOOK || path->step.reply)
		return;
	path->reply = reply_make(&walker->learned, &walker->dice, &path->body);
	path->reply.status = 0;
	path->reply.retry_after_ms = -1;
	path->step.reply = &path->reply;
}

static int tell_facts(struct walker *walker, struct path *path)
{
	int r;

	if (path->step.verb != PLUGIN_VERB_RECONCILE)
		return 0;
	r = told_facts(&path->told, &walker->dice, path->job, path->sent_ms, path->step.reply != NULL);
	path->step.facts = buffer_bytes(&path->told.facts);
	return r;
}

static void begin_reconcile(struct path *path)
{
	path->sent_ms = path->step.now_ms - 40000;
	begin_verb(path, PLUGIN_VERB_RECONCILE);
}

static int take_reply(struct walker *walker, struct path *path, const struct plugin_exchange *exchange)
{
	path->step.phase = exchange->phase;
	path->reply = reply_make(&walker->learned, &walker->dice, &path->body);
	path->step.reply = &path->reply;
	return told_lift(&path->told, exchange, &path->reply, &path->body);
}

static bool is_purchase(const struct plugin_answer *answer)
{
	return answer->kind == PLUGIN_ANSWER_EXCHANGE && answer->exchange.effect <= PLUGIN_EFFECT_BUYS_WITH_KEY;
}

static int take_state(struct path *path, const struct plugin_answer *answer)
{
	int r;

	if (!answer->state)
		return 0;
	path->state.len = 0;
	r = buffer_append_text(&path->state, answer->state);
	path->step.state = buffer_bytes(&path->state);
	return r;
}

static int remember_accepted(struct walker *walker, struct path *path, const struct plugin_answer *answer)
{
	const struct plugin_remote *remote = answer->kind == PLUGIN_ANSWER_ACCEPTED ? answer->accepted.remotes : NULL;

	snprintf(path->remote_id, sizeof(path->remote_id), "%s", remote ? remote->id : "");
	path->step.remote_id = path->remote_id;
	path->step.accepted_at_ms = path->step.now_ms;
	free(walker->accepted_state);
	walker->accepted_state = bytes_dup_text(path->step.state);
	return walker->accepted_state ? 0 : err_origin(-ENOMEM);
}

/* Brings @file, or does not: then it has a handle by other means, so that the order goes on. */
static int bring(struct walker *walker, struct path *path, struct plugin_asset *file)
{
	_cleanup_(finish_path) struct path way = {0};
	int r = 0;

	way.step = (struct plugin_step){.account = walker->account,
					.verb = PLUGIN_VERB_UPLOAD,
					.now_ms = path->step.now_ms,
					.random = {4, 5, 6},
					.assets = file,
					.n_assets = 1,
					.observer = &walker->learned.observer};
	for (size_t i = 0; i < WALK_STEPS; i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		r = run_step(walker, &way.step, &answer);
		if (r)
			return r;
		assert(answer);
		r = take_state(&way, answer);
		if (r)
			return r;
		if (answer->kind != PLUGIN_ANSWER_EXCHANGE) {
			told_handle(&path->told, file, answer->report);
			return 0;
		}
		r = take_reply(walker, &way, &answer->exchange);
		if (r)
			return r;
	}
	told_handle(&path->told, file, NULL);
	return 0;
}

/* What start asked for; then it is asked again. */
static int bring_all(struct walker *walker, struct path *path, const struct plugin_answer *answer)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < answer->n_uploads; i++) {
		struct plugin_asset *file = told_file(&path->told, answer->uploads[i]);

		r = file ? bring(walker, path, file) : 0;
	}
	begin_verb(path, PLUGIN_VERB_START);
	return r;
}

/* From one answer to the next step. */
static int go_on(struct walker *walker, struct path *path, const struct plugin_answer *answer)
{
	int r = take_state(path, answer);

	path->step.now_ms += 5000;
	if (r)
		return r;
	switch (answer->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		walker->has_exchanged = walker->has_exchanged || path->step.verb == PLUGIN_VERB_START;
		if (is_purchase(answer) && can_call(walker, PLUGIN_VERB_RECONCILE) &&
		    dice_percent(&walker->dice, LOST_PERCENT)) {
			begin_reconcile(path);
			return 0;
		}
		path->step.has_bought = path->step.has_bought || is_purchase(answer);
		return take_reply(walker, path, &answer->exchange);
	case PLUGIN_ANSWER_UPLOAD:
		return bring_all(walker, path, answer);
	case PLUGIN_ANSWER_ACCEPTED:
		r = remember_accepted(walker, path, answer);
		begin_verb(path, next_verb(walker));
		return r;
	case PLUGIN_ANSWER_WAIT:
		path->step.polls++;
		begin_verb(path, path->step.verb);
		return 0;
	default:
		/* Ended, or in trouble: what else may be asked of it. */
		path->is_over = path->step.verb == PLUGIN_VERB_START || path->step.verb == PLUGIN_VERB_RECONCILE ||
				dice_percent(&walker->dice, 30);
		begin_verb(path, next_verb(walker));
		return 0;
	}
}

/* An order, or what the daemon asks of one that was taken before: also where no order can be, since the operator may
 * have taken an option away that it was made with. */
static int begin_walk(struct walker *walker, struct path *path)
{
	const struct orders *orders = walker->orders;
	bool asks = dice_percent(&walker->dice, 40);
	int r = 0;

	path->job = orders->n ? orders->jobs[dice_below(&walker->dice, orders->n)] : "{\"id\":\"j\",\"parameters\":{}}";
	path->step = (struct plugin_step){
		.account = walker->account,
		.job = bytes_of_text(path->job),
		.now_ms = NOW_MS,
		.random = {1, 2, 3},
		.attempt = 1,
		.send = 1,
		.observer = &walker->learned.observer,
	};
	told_files(&path->told, orders, path->job);
	begin_verb(path, PLUGIN_VERB_START);
	if (!asks)
		return 0;
	if (walker->accepted_state)
		r = buffer_append_text(&path->state, walker->accepted_state);
	path->step.state = buffer_bytes(&path->state);
	if (can_call(walker, PLUGIN_VERB_RECONCILE) && dice_percent(&walker->dice, LOST_PERCENT)) {
		begin_reconcile(path);
		return r;
	}
	path->step.remote_id = "id-1";
	begin_verb(path, next_verb(walker));
	return r;
}

int walk(struct walker *walker)
{
	_cleanup_(finish_path) struct path path = {0};
	int r = begin_walk(walker, &path);

	for (size_t i = 0; r == 0 && !path.is_over && i < WALK_STEPS; i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		r = tell_facts(walker, &path);
		take_call(walker, &path);
		if (r == 0)
			r = run_step(walker, &path.step, &answer);
		if (r == 0)
			r = go_on(walker, &path, answer);
	}
	return r;
}

void walker_finish(struct walker *walker)
{
	learned_finish(&walker->learned);
	free(walker->accepted_state);
}
