#include "web/fake_engine.h"

#include <pthread.h>
#include <string.h>

#define PLACES 128

struct waiting {
	engine_health_fn *health_fn;
	engine_measure_fn *measure_fn;
	void *userdata;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct waiting waiting[PLACES];
static size_t n_waiting;
static bool is_held;
static struct engine_health says;

void fake_reset(void)
{
	pthread_mutex_lock(&mutex);
	n_waiting = 0;
	is_held = false;
	says = (struct engine_health){0};
	pthread_mutex_unlock(&mutex);
}

void fake_health(struct engine_health health)
{
	pthread_mutex_lock(&mutex);
	says = health;
	pthread_mutex_unlock(&mutex);
}

void fake_hold(void)
{
	pthread_mutex_lock(&mutex);
	is_held = true;
	pthread_mutex_unlock(&mutex);
}

void fake_await(size_t n)
{
	pthread_mutex_lock(&mutex);
	while (n_waiting < n)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void answer(const struct waiting *question)
{
	struct engine_provider_figures providers[2] = {{.id = "maker"}};
	struct engine_figures figures = {.providers = providers, .n_providers = 2, .is_store_healthy = true};

	if (question->health_fn) {
		struct engine_health health;

		pthread_mutex_lock(&mutex);
		health = says;
		pthread_mutex_unlock(&mutex);
		question->health_fn(question->userdata, &health);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < ENGINE_OPEN_STATES; k++)
			providers[i].open[k].name = "open";
		for (size_t k = 0; k < ENGINE_FINAL_STATES; k++)
			providers[i].ended[k].name = "ended";
		for (size_t k = 0; k < ENGINE_EXCHANGE_OUTCOMES; k++)
			providers[i].exchanges[k].name = "outcome";
		for (size_t k = 0; k < ENGINE_HINT_OUTCOMES; k++)
			providers[i].hints[k].name = "outcome";
		providers[i].poll_lateness.buckets = providers[i].submit.buckets = &metric_durations_ms;
	}
	figures.store.commits.buckets = &metric_sizes;
	figures.store.write_ms.buckets = &metric_durations_ms;
	question->measure_fn(question->userdata, 0, &figures);
}

static void ask(const struct waiting *question)
{
	bool waits;

	pthread_mutex_lock(&mutex);
	waits = is_held && n_waiting < PLACES;
	if (waits)
		waiting[n_waiting++] = *question;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	if (!waits)
		answer(question);
}

void fake_release(void)
{
	struct waiting all[PLACES];
	size_t n;

	pthread_mutex_lock(&mutex);
	n = n_waiting;
	memcpy(all, waiting, n * sizeof(all[0]));
	n_waiting = 0;
	is_held = false;
	pthread_mutex_unlock(&mutex);
	for (size_t i = 0; i < n; i++)
		answer(&all[i]);
}

void engine_examine(struct engine *engine, engine_health_fn *fn, void *userdata)
{
	(void)engine;
	ask(&(struct waiting){.health_fn = fn, .userdata = userdata});
}

void engine_measure(struct engine *engine, engine_measure_fn *fn, void *userdata)
{
	(void)engine;
	ask(&(struct waiting){.measure_fn = fn, .userdata = userdata});
}

/* "maker" calls with its name as signature; its plugin repeats what the body says. "busy" has too many. */
void engine_take_hint(struct engine *engine, const struct engine_hint *hint, engine_hint_fn *fn, void *userdata)
{
	const char *signature = hint->header(hint->userdata, "x-Signature");
	char *body = bytes_dup_text(hint->body);

	(void)engine;
	if (!body)
		fn(userdata, ENGINE_E_DRAINING, 0, NULL);
	else if (strcmp(hint->provider, "busy") == 0)
		fn(userdata, ENGINE_E_QUEUE_FULL, 0, NULL);
	else if (strcmp(hint->provider, "maker") != 0)
		fn(userdata, ENGINE_E_NOT_FOUND, 0, NULL);
	else if (!signature || strcmp(signature, "maker") != 0)
		fn(userdata, ENGINE_E_CREDENTIAL, 0, NULL);
	else
		fn(userdata, 0, *body ? 200 : 204, *body ? body : NULL);
	free(body);
}
