/*
 * /livez, /readyz and /metrics: for whoever watches over the daemon.
 */
#include "base/limits.h"
#include "engine/engine.h"
#include "web/metrics.h"
#include "web/routes.h"

enum { OK = 200, INTERNAL = 500, UNAVAILABLE = 503 };

/* That the engine's thread is dead is what the question was about. */
static void on_late(struct exchange *exchange)
{
	log_warning("the engine does not answer", "path", exchange_path(exchange));
	exchange_say(exchange, UNAVAILABLE, "engine: it did not answer within %d seconds", LIMIT_WEB_ANSWER_MS / 1000);
}

static struct question *ask(struct exchange *exchange)
{
	return exchange_ask(exchange, LIMIT_WEB_ANSWER_MS, on_late);
}

static void finish(struct question *take, unsigned int status, int r)
{
	struct reply *reply = &take->reply;

	reply->status = status;
	if (!reply->media_type)
		reply->media_type = TEXT_MEDIA_TYPE;
	if (r < 0) {
		log_error("a page could not be written", "error", log_errno(r));
		reply_finish(reply);
		*reply = (struct reply){.status = INTERNAL, .media_type = TEXT_MEDIA_TYPE};
	}
	question_answer(take);
}

/* ---- /livez and /readyz ---- */

/* [engine thread] That there is an answer says it. */
static void on_life(void *userdata, const struct engine_health *health)
{
	struct question *question = userdata;

	(void)health;
	finish(question, OK, buffer_append_text(&question->reply.body, "ok\n"));
}

void run_life(struct exchange *exchange)
{
	struct question *question = ask(exchange);

	if (question)
		engine_examine(exchange_config(exchange)->engine, on_life, question);
}

/* [engine thread] */
static void on_readiness(void *userdata, const struct engine_health *health)
{
	struct question *question = userdata;
	struct buffer *body = &question->reply.body;
	const struct {
		bool is_true;
		const char *words;
	} conditions[] = {
		{health->is_draining, "draining: the daemon is shutting down\n"},
		{health->is_store_unhealthy,
		 "store: a write failed, and nothing is accepted until its disk can be written to again, which the daemon "
		 "finds out by itself; make room there if it is full, else look at it\n"},
		{health->is_store_short,
		 "disk: what is free on the store's disk is for the jobs under way; make room there\n"},
		{health->is_queue_full, "queue: as many jobs wait as limits.queued_jobs allows\n"},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (conditions[i].is_true)
			r = buffer_append_text(body, conditions[i].words);
	if (r == 0 && body->len == 0)
		finish(question, OK, buffer_append_text(body, "ok\n"));
	else
		finish(question, UNAVAILABLE, r);
}

void run_readiness(struct exchange *exchange)
{
	struct question *question = ask(exchange);

	if (question)
		engine_examine(exchange_config(exchange)->engine, on_readiness, question);
}

/* ---- /metrics ---- */

/* The process's figures are read on the web's thread, behind the engine's. */
static void on_measured(struct exchange *exchange, struct question *question)
{
	const struct web_config *config = exchange_config(exchange);
	struct reply *reply = &question->reply;
	struct exposition exposition = {.out = &reply->body};

	if (reply->status == OK) {
		metrics_write_process(&exposition, config->version, config->started_ms);
		if (config->webhooks)
			metrics_write_webhooks(&exposition, config->webhooks);
		if (exposition.error)
			reply->status = INTERNAL;
	}
	exchange_reply(exchange, reply);
}

/* [engine thread or a reader's] Written right here, since the figures go when this returns. */
static void on_figures(void *userdata, int outcome, const struct engine_figures *figures)
{
	struct question *question = userdata;
	struct exposition exposition = {.out = &question->reply.body};

	if (outcome > 0) {
		finish(question, UNAVAILABLE,
		       buffer_append_text(&question->reply.body, "draining: the daemon is shutting down\n"));
		return;
	}
	if (outcome == 0)
		metrics_write_engine(&exposition, figures);
	question->reply.media_type = EXPOSITION_MEDIA_TYPE;
	finish(question, OK, outcome < 0 ? outcome : exposition.error);
}

void run_metrics(struct exchange *exchange)
{
	struct question *question = ask(exchange);

	if (!question)
		return;
	question->on_answer = on_measured;
	engine_measure(exchange_config(exchange)->engine, on_figures, question);
}
