/*
 * Forecasts from our own history: how long jobs of a provider's model took from start to end. The histories belong to the
 * engine thread; who reads a job on another thread finds the result in one word, so there is nothing to lock.
 *
 * They live in memory and are made anew at each start, from the newest jobs in the store. That read runs beside
 * everything else: until it is there, there is no forecast.
 */
#include "engine/internal.h"

#include "job/validate.h"

/* p50 and p90 in tenths of a second, 26 bits each (77 days), and the count in 12. */
#define TENTH_MS 100
#define SPAN_BITS 26
#define SPAN_MAX ((UINT64_C(1) << SPAN_BITS) - 1)

static uint64_t pack_span(int64_t ms)
{
	uint64_t tenths = (uint64_t)ms / TENTH_MS;

	return tenths < SPAN_MAX ? tenths : SPAN_MAX;
}

static uint64_t pack(const struct job_forecast *forecast)
{
	return pack_span(forecast->p50_ms) << (64 - SPAN_BITS) | pack_span(forecast->p90_ms) << (64 - 2 * SPAN_BITS) |
	       forecast->samples;
}

_Static_assert(LIMIT_JOB_HISTORY < 1 << (64 - 2 * SPAN_BITS), "the count has twelve bits");

static struct model_history *find(const struct lane *lane, const char *model)
{
	const struct job_capabilities *capabilities;
	const char *name;

	if (!lane->config->plugin)
		return NULL;
	capabilities = plugin_manifest(lane->config->plugin)->capabilities;
	for (size_t i = 0; i < lane->n_histories && (name = job_capabilities_model(capabilities, i)); i++)
		if (strcmp(name, model) == 0)
			return &lane->histories[i];
	return NULL;
}

void forecast_init(struct lane *lane)
{
	if (!lane->config->plugin)
		return;
	while (job_capabilities_model(plugin_manifest(lane->config->plugin)->capabilities, lane->n_histories))
		lane->n_histories++;
	lane->histories = take_memory((lane->n_histories + 1) * sizeof(*lane->histories));
}

void forecast_finish(struct lane *lane)
{
	free(lane->histories);
	lane->histories = NULL;
	lane->n_histories = 0;
}

static void learn(struct lane *lane, const char *model, int64_t span_ms)
{
	struct model_history *of_model = find(lane, model);
	struct job_forecast forecast;

	if (!of_model)
		return;
	job_history_add(&of_model->history, span_ms);
	forecast = job_history_forecast(&of_model->history);
	atomic_store(&of_model->forecast, pack(&forecast));
}

/* How long a job took that was somewhere else before says nothing about this provider. */
void forecast_learn(struct lane *lane, const struct job *job, const struct job_status *status)
{
	if (job->route == 0 && status->started_ms)
		learn(lane, job->model, status->finished_ms - status->started_ms);
}

struct job_forecast forecast_look(const struct lane *lane, const char *model)
{
	const struct model_history *of_model = find(lane, model);
	uint64_t packed = of_model ? atomic_load(&of_model->forecast) : 0;

	return (struct job_forecast){
		.p50_ms = (int64_t)(packed >> (64 - SPAN_BITS)) * TENTH_MS,
		.p90_ms = (int64_t)(packed >> (64 - 2 * SPAN_BITS) & SPAN_MAX) * TENTH_MS,
		.samples = (uint32_t)(packed & ((UINT64_C(1) << (64 - 2 * SPAN_BITS)) - 1)),
	};
}

/* ---- at the start ---- */

struct lesson {
	struct lane *lane;
	char *model;
	int64_t started_ms, finished_ms;
};

struct lessons {
	struct loop_message message;
	struct engine *engine;
	struct store_filter filter;
	struct store_list_query query;
	int64_t before_ms; /* what ends later is learnt when it does */
	struct lesson *items;
	size_t n;
};

static void free_lessons(struct lessons *lessons)
{
	for (size_t i = 0; i < lessons->n; i++)
		free(lessons->items[i].model);
	free(lessons->items);
	free(lessons);
}

static int compare_lessons(const void *a, const void *b)
{
	int64_t x = ((const struct lesson *)a)->finished_ms, y = ((const struct lesson *)b)->finished_ms;

	return (x > y) - (x < y);
}

/* [engine thread] */
static void on_lessons(struct loop_message *message)
{
	struct lessons *lessons = loop_message_owner(message, struct lessons, message);

	if (atomic_load(&lessons->engine->phase) != ENGINE_PHASE_STOPPED) {
		if (lessons->n > 1)
			qsort(lessons->items, lessons->n, sizeof(lessons->items[0]), compare_lessons);
		for (size_t i = 0; i < lessons->n; i++)
			learn(lessons->items[i].lane, lessons->items[i].model,
			      lessons->items[i].finished_ms - lessons->items[i].started_ms);
	}
	free_lessons(lessons);
}

/* [reader thread] */
static void on_listed(void *userdata, int outcome, struct job_view *views, size_t n, struct id scanned_to, bool more)
{
	struct lessons *lessons = userdata;

	(void)scanned_to;
	(void)more;
	if (outcome != 0)
		log_warning("no forecasts from earlier jobs: they cannot be read", "outcome", log_int(outcome));
	lessons->items = take_memory((n + 1) * sizeof(*lessons->items));
	for (size_t i = 0; i < n; i++) {
		struct lane *lane = lane_find(lessons->engine, views[i].job->provider);
		const struct job_status *status = views[i].status;

		if (lane && views[i].job->route == 0 && status->started_ms && status->finished_ms < lessons->before_ms)
			lessons->items[lessons->n++] = (struct lesson){
				.lane = lane,
				.model = take_text(views[i].job->model),
				.started_ms = status->started_ms,
				.finished_ms = status->finished_ms,
			};
		job_view_finish(&views[i]);
	}
	loop_post(lessons->engine->loop, &lessons->message);
}

void forecast_load(struct engine *engine)
{
	struct lessons *lessons = take_memory(sizeof(*lessons));

	lessons->message.run = on_lessons;
	lessons->engine = engine;
	lessons->before_ms = now_utc(engine);
	lessons->filter.states = 1u << JOB_STATE_SUCCEEDED;
	lessons->query = (struct store_list_query){
		.tenant = JOB_TENANT_DEFAULT,
		.filter = &lessons->filter,
		.limit = LIMIT_STORE_PAGE,
	};
	store_list_jobs(engine->store, &lessons->query, on_listed, lessons);
}
