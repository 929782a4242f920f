#include "engine/trouble.h"

#include "engine/ops.h"

#include <utlist.h>

void trouble_explain(const struct engine *engine, struct errmsg *why)
{
	/* At the very end there is none. */
	if (engine->store)
		store_explain_trouble(engine->store, why);
	else
		errmsg_set(why, "the daemon ended before its store could be written to; ask again when it is back");
}

bool trouble_takes_changes(const struct engine *engine, struct errmsg *why)
{
	if (store_is_healthy(engine->store))
		return true;
	store_explain_trouble(engine->store, why);
	return false;
}

bool trouble_accepts(const struct engine *engine, struct errmsg *why)
{
	if (store_is_healthy(engine->store) && !store_is_short(engine->store))
		return true;
	store_explain_trouble(engine->store, why);
	return false;
}

/* ---- who waits ---- */

void trouble_answer(struct entry *entry)
{
	struct errmsg why;

	if (entry->op && entry->is_committing && op_is_asked(entry->op) && !trouble_takes_changes(entry->engine, &why))
		op_refuse(steal(entry->op), ENGINE_E_STORE, why.text);
}

/* What has begun goes on, and nobody waits for it any more; what has not will not. */
static void answer_all(struct engine *engine)
{
	struct entry *entry, *next;
	struct op *waiting, *op, *next_op;
	struct errmsg why;

	HASH_ITER(hh, engine->entries, entry, next) {
		trouble_answer(entry);
		if (trouble_takes_changes(engine, &why))
			return;
		waiting = steal(entry->ops);
		LL_FOREACH_SAFE(waiting, op, next_op) {
			if (op_is_asked(op))
				op_refuse(op, ENGINE_E_STORE, why.text);
			else
				entry_queue_op(entry, op);
		}
	}
}

void trouble_on_undecided(void *userdata, const struct store_commit *first)
{
	(void)userdata;
	for (const struct store_commit *commit = first; commit; commit = store_commit_next(commit)) {
		struct submission *submission = store_commit_userdata(commit);

		if (submission->on_delayed)
			submission->on_delayed(submission);
	}
}

/* ---- what goes on again ---- */

static void on_trouble_message(struct loop_message *message)
{
	struct engine *engine = loop_message_owner(message, struct engine, trouble_message);

	/* What changes from here on is told by another message. */
	atomic_store(&engine->is_trouble_posted, false);
	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING)
		return;
	if (!store_is_healthy(engine->store)) {
		answer_all(engine);
		return;
	}
	deadline_pump(engine);
	for (size_t i = 0; i < engine->n_lanes; i++)
		lane_kick(&engine->lanes[i]);
}

void trouble_on_change(void *userdata)
{
	struct engine *engine = userdata;

	if (atomic_exchange(&engine->is_trouble_posted, true))
		return;
	engine->trouble_message.run = on_trouble_message;
	loop_post(engine->loop, &engine->trouble_message);
}
