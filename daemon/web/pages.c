#include "web/pages.h"

#include "web/metrics.h"

#define TEXT "text/plain; charset=utf-8"

enum { OK = 200, UNAVAILABLE = 503 };

/* ---- /livez and /readyz ---- */

/* [engine thread] */
static void on_health(void *userdata, const struct engine_health *health)
{
	struct question *question = userdata;

	question->health = *health;
	question_answer(question);
}

static void ask_health(struct engine *engine, struct question *take)
{
	engine_examine(engine, on_health, take);
}

/* That there is an answer says it. */
static int write_life(const struct web_config *config, const struct question *answer, struct buffer *ret)
{
	int r = buffer_append_text(ret, "ok\n");

	(void)config;
	(void)answer;
	return r < 0 ? r : OK;
}

static int write_readiness(const struct web_config *config, const struct question *answer, struct buffer *ret)
{
	const struct engine_health *health = &answer->health;
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

	(void)config;
	for (size_t i = 0; r == 0 && i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (conditions[i].is_true)
			r = buffer_append_text(ret, conditions[i].words);
	if (r < 0)
		return r;
	if (ret->len)
		return UNAVAILABLE;
	r = buffer_append_text(ret, "ok\n");
	return r < 0 ? r : OK;
}

/* ---- /metrics ---- */

/* [engine thread or a reader's] Written right here, since the figures go when this returns. */
static void on_measured(void *userdata, int outcome, const struct engine_figures *figures)
{
	struct question *question = userdata;
	struct exposition exposition = {.out = &question->text};

	if (outcome == 0)
		metrics_write_engine(&exposition, figures);
	question->outcome = outcome ? outcome : exposition.error;
	question_answer(question);
}

static void ask_metrics(struct engine *engine, struct question *take)
{
	engine_measure(engine, on_measured, take);
}

static int write_metrics(const struct web_config *config, const struct question *answer, struct buffer *ret)
{
	struct exposition exposition = {.out = ret};
	int r;

	if (answer->outcome < 0)
		return answer->outcome;
	if (answer->outcome > 0) {
		r = buffer_append_text(ret, "draining: the daemon is shutting down\n");
		return r < 0 ? r : UNAVAILABLE;
	}
	exposition.error = buffer_append(ret, answer->text.data, answer->text.len);
	metrics_write_process(&exposition, config->version, config->started_ms);
	return exposition.error ? exposition.error : OK;
}

static const struct page pages[] = {
	{"/livez", TEXT, ask_health, write_life},
	{"/readyz", TEXT, ask_health, write_readiness},
	{"/metrics", EXPOSITION_MEDIA_TYPE, ask_metrics, write_metrics},
};

const struct page *page_find(const char *path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}
