#include "walk.h"

#include "base/limits.h"
#include "plugin/recording.h"

#define NOW_MS INT64_C(1795368960000) /* 2026-11-22 */

struct path {
	struct plugin_step step;
	struct buffer state, body;
	struct plugin_reply reply;
	char remote_id[LIMIT_PLUGIN_WORDS + 1];
	bool is_over;
};

static void finish_path(struct path *path)
{
	buffer_finish(&path->state);
	buffer_finish(&path->body);
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
	int r = plugin_recording_write(step, NULL, &text);

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

/* What the daemon might ask next of an order that was taken. */
static enum plugin_verb next_verb(struct walker *walker)
{
	enum plugin_verb verb = PLUGIN_VERB_POLL;

	if (dice_percent(&walker->dice, 60))
		return verb;
	do
		verb = (enum plugin_verb)dice_below(&walker->dice, _PLUGIN_VERB_N);
	while (!can_call(walker, verb) || verb == PLUGIN_VERB_START);
	return verb;
}

static void begin_verb(struct path *path, enum plugin_verb verb)
{
	path->step.verb = verb;
	path->step.phase = 0;
	path->step.reply = NULL;
	path->step.has_bought = false;
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

/* From one answer to the next step. */
static int go_on(struct walker *walker, struct path *path, const struct plugin_answer *answer)
{
	int r = take_state(path, answer);

	path->step.now_ms += 5000;
	switch (answer->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		walker->has_exchanged = true;
		path->step.has_bought = path->step.has_bought || answer->exchange.effect <= PLUGIN_EFFECT_BUYS_WITH_KEY;
		path->step.phase = answer->exchange.phase;
		path->reply = reply_make(&walker->learned, &walker->dice, &path->body);
		path->step.reply = &path->reply;
		return r;
	case PLUGIN_ANSWER_ACCEPTED:
		if (r == 0)
			r = remember_accepted(walker, path, answer);
		begin_verb(path, next_verb(walker));
		return r;
	case PLUGIN_ANSWER_WAIT:
		path->step.polls++;
		begin_verb(path, path->step.verb);
		return r;
	default:
		/* Ended, or in trouble: what else may be asked of it. */
		path->is_over = path->step.verb == PLUGIN_VERB_START || dice_percent(&walker->dice, 30);
		begin_verb(path, next_verb(walker));
		return r;
	}
}

int walk(struct walker *walker)
{
	_cleanup_(finish_path) struct path path = {0};
	const struct orders *orders = walker->orders;
	bool begins = !walker->has_exchanged || dice_percent(&walker->dice, 60);
	int r = 0;

	path.step = (struct plugin_step){
		.account = walker->account,
		.verb = PLUGIN_VERB_START,
		.job = orders->n ? bytes_of_text(orders->jobs[dice_below(&walker->dice, orders->n)])
				 : bytes_of_text("{\"id\":\"j\",\"parameters\":{}}"),
		.now_ms = NOW_MS,
		.random = {1, 2, 3},
		.attempt = 1,
		.send = 1,
		.idempotency_key = "01a20485-7299-7846-85db-7f80b5b82330.1.1",
		.observer = &walker->learned.observer,
	};
	if (!begins) {
		if (walker->accepted_state)
			r = buffer_append_text(&path.state, walker->accepted_state);
		path.step.state = buffer_bytes(&path.state);
		path.step.remote_id = "id-1";
		begin_verb(&path, next_verb(walker));
	}
	for (size_t i = 0; r == 0 && !path.is_over && i < WALK_STEPS; i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

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
