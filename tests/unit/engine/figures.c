/*
 * What is counted: each story ends with the numbers that an operator would see of it.
 */
#include "engine/rig.h"

#include <pthread.h>

struct measured {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there;
	int outcome;
	struct engine_figures figures;
	struct engine_provider_figures providers[RIG_PROVIDERS + 1];
	struct engine_budget_figures budgets[2];
};

static void on_measured(void *userdata, int outcome, const struct engine_figures *figures)
{
	struct measured *measured = userdata;

	pthread_mutex_lock(&measured->mutex);
	measured->outcome = outcome;
	if (figures) {
		measured->figures = *figures;
		assert_int_equal(figures->n_providers, RIG_PROVIDERS + 1);
		memcpy(measured->providers, figures->providers, sizeof(measured->providers));
		assert_true(figures->n_budgets <= 2);
		for (size_t i = 0; i < figures->n_budgets; i++)
			measured->budgets[i] = figures->budgets[i];
	}
	measured->is_there = true;
	pthread_cond_signal(&measured->changed);
	pthread_mutex_unlock(&measured->mutex);
}

static struct measured measure(struct rig *rig)
{
	struct measured measured = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

	settle(rig);
	engine_measure(rig->engine, on_measured, &measured);
	pthread_mutex_lock(&measured.mutex);
	while (!measured.is_there)
		pthread_cond_wait(&measured.changed, &measured.mutex);
	pthread_mutex_unlock(&measured.mutex);
	assert_int_equal(measured.outcome, 0);
	return measured;
}

/* Of "maker". */
static struct engine_provider_figures figures(struct rig *rig)
{
	struct measured measured = measure(rig);

	assert_string_equal(measured.providers[0].id, "maker");
	assert_null(measured.providers[RIG_PROVIDERS].id);
	return measured.providers[0];
}

static uint64_t count_in(const struct engine_count *counts, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(counts[i].name, name) == 0)
			return counts[i].value;
	fail_msg("nothing is counted as '%s'", name);
	return 0;
}

#define in(provider, name) count_in((provider).open, ENGINE_OPEN_STATES, name)
#define ended(provider, name) count_in((provider).ended, ENGINE_FINAL_STATES, name)
#define exchanges(provider, name) count_in((provider).exchanges, ENGINE_EXCHANGE_OUTCOMES, name)

static uint64_t sum(const struct engine_count *counts, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += counts[i].value;
	return total;
}

/* The job is in that state, and no other is anywhere. */
static void assert_alone_in(struct rig *rig, const char *state)
{
	struct engine_provider_figures now = figures(rig);

	assert_int_equal(in(now, state), 1);
	assert_int_equal(sum(now.open, ENGINE_OPEN_STATES), 1);
}

static void a_job_is_counted_where_it_is(void **state)
{
	struct rig *rig = *state;
	struct engine_provider_figures now;
	struct job_ref job;
	uint64_t video = a_video().len;

	order(rig);
	assert_alone_in(rig, "starting");
	reply(rig, 422, "failed reason=invalid_input");
	now = figures(rig);
	assert_int_equal(sum(now.open, ENGINE_OPEN_STATES), 0);
	assert_int_equal(ended(now, "failed"), 1);

	job = running_job(rig);
	assert_alone_in(rig, "running");
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	assert_alone_in(rig, "storing");
	deliver(rig, a_video());
	now = figures(rig);
	assert_int_equal(now.accepted, 2);
	assert_int_equal(ended(now, "succeeded"), 1);
	assert_int_equal(now.artifacts, 1);
	assert_int_equal(now.artifact_bytes, video);
	assert_int_equal(in(now, "storing"), 0);
}

static void an_uncertain_job_is_counted_across_a_restart(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	struct engine_provider_figures now = measure(rig).providers[1];

	assert_int_equal(in(now, "uncertain"), 1);
	assert_int_equal(sum(now.open, ENGINE_OPEN_STATES), 1);
	assert_int_equal(now.ambiguous_sends, 1);
	crash_and_restart(rig);
	now = measure(rig).providers[1];
	assert_int_equal(in(now, "uncertain"), 1);
	assert_int_equal(now.ambiguous_sends, 0);
	assert_answer(resolve(rig, &(struct engine_resolve){.ref = job, .resolution = ENGINE_RESOLUTION_GIVE_UP}), 0);
	now = measure(rig).providers[1];
	assert_int_equal(sum(now.open, ENGINE_OPEN_STATES), 0);
	assert_int_equal(ended(now, "failed"), 1);
}

/* Of one currency. */
static void assert_money(struct rig *rig, uint64_t reserved_micros, uint64_t spent_micros, uint64_t used_micros)
{
	struct measured measured = measure(rig);
	const struct engine_money *money = &measured.providers[0].money[0];

	assert_int_equal(measured.providers[0].n_currencies, 1);
	assert_string_equal(money->currency, "EUR");
	assert_int_equal(money->reserved_micros, reserved_micros);
	assert_int_equal(money->spent_micros, spent_micros);
	assert_int_equal(measured.figures.n_budgets, 2);
	assert_string_equal(measured.budgets[0].name, "all");
	assert_int_equal(measured.budgets[0].limit_micros, 2000000);
	assert_int_equal(measured.budgets[0].used_micros, used_micros);
	assert_int_equal(measured.budgets[1].used_micros, 0);
}

static void money_is_counted_as_it_moves_and_what_is_reserved_across_a_restart(void **state)
{
	static const struct engine_budget budgets[] = {
		{.name = "all", .currency = "EUR", .limit_micros = 2000000, .period = LEDGER_PER_DAY},
		{.name = "plain",
		 .currency = "EUR",
		 .limit_micros = 1,
		 .period = LEDGER_PER_MONTH,
		 .provider = "plain"}};
	struct rig *rig = *state;
	struct job_ref job;

	rig->config.budgets = budgets;
	rig->config.n_budgets = 2;
	crash_and_restart(rig);
	job = order_with(rig, &(struct engine_create){.parameters = "{\"prompt\":\"a fox\",\"duration_ms\":8000}"});
	reply(rig, 201, "accepted id=v1");
	assert_money(rig, 1600000, 0, 1600000);
	crash_and_restart(rig);
	assert_money(rig, 1600000, 0, 1600000);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_money(rig, 0, 300000, 300000);
	pass(rig, 24 * RIG_HOUR_MS);
	assert_money(rig, 0, 300000, 0);
}

static void what_waits_is_counted_and_has_an_age(void **state)
{
	struct rig *rig = *state;
	struct engine_provider_figures now;

	for (uint32_t i = 0; i < rig->providers[0].concurrency + 2; i++)
		order(rig);
	assert_true(figures(rig).oldest_ms < 1000);
	pass(rig, 1500);
	now = figures(rig);
	assert_int_equal(in(now, "queued"), 2);
	assert_int_equal(now.slots, rig->providers[0].concurrency);
	assert_int_equal(now.slots_used, now.slots);
	assert_in_range(now.oldest_ms, 1500, 1510);
	crash_and_restart(rig);
	assert_int_equal(in(figures(rig), "queued"), 2);
}

static void jobs_of_a_provider_that_is_gone_have_their_own_row(void **state)
{
	struct rig *rig = *state;
	struct measured now;

	running_job(rig);
	rig_crash(rig);
	rig->providers[0].id = "renamed";
	rig_start(rig);
	now = measure(rig);
	assert_int_equal(in(now.providers[0], "running"), 0);
	assert_int_equal(in(now.providers[RIG_PROVIDERS], "running"), 1);
}

static void a_lost_reply_is_an_ambiguous_send(void **state)
{
	struct rig *rig = *state;
	struct engine_provider_figures now;

	order(rig);
	lose_reply(rig);
	now = figures(rig);
	assert_int_equal(now.ambiguous_sends, 1);
	assert_int_equal(exchanges(now, "ambiguous"), 1);
	assert_int_equal(now.submit.n, 0);
	assert_int_equal(in(now, "starting"), 1);
}

static void a_request_that_never_left_is_none(void **state)
{
	struct rig *rig = *state;
	struct engine_provider_figures now;

	order(rig);
	refuse_to_connect(rig);
	now = figures(rig);
	assert_int_equal(now.ambiguous_sends, 0);
	assert_int_equal(exchanges(now, "not_sent"), 1);
	assert_int_equal(in(now, "queued"), 1);
}

static void a_plugin_fault_is_counted(void **state)
{
	struct rig *rig = *state;

	order(rig);
	reply(rig, 200, "fault");
	assert_int_equal(figures(rig).plugin_faults, 1);
}

static void a_poll_is_measured_against_the_instant_it_was_due(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct engine_provider_figures now;

	assert_int_equal(figures(rig).submit.n, 1);
	sleep_over(rig, &job);
	pass(rig, 700);
	reply(rig, 200, "wait");
	now = figures(rig);
	assert_int_equal(now.poll_lateness.n, 1);
	assert_int_equal(now.poll_lateness.sum, 700);
	sleep_over(rig, &job);
	reply(rig, 200, "wait");
	now = figures(rig);
	assert_int_equal(now.poll_lateness.n, 2);
	assert_int_equal(now.poll_lateness.sum, 700);
}

/* ---- health ---- */

static void on_health(void *userdata, const struct engine_health *health)
{
	*(struct engine_health *)userdata = *health;
}

static struct engine_health examine(struct rig *rig)
{
	struct engine_health health;

	engine_examine(rig->engine, on_health, &health);
	settle(rig);
	return health;
}

static void health_says_what_stands_in_the_way(void **state)
{
	struct rig *rig = *state;
	struct engine_health health = examine(rig);

	assert_false(health.is_draining || health.is_store_unhealthy || health.is_queue_full);
	break_disk(rig);
	assert_answer(create(rig, &(struct engine_create){0}), ENGINE_E_STORE);
	health = examine(rig);
	assert_true(health.is_store_unhealthy);
	assert_false(health.is_draining);
	engine_drain(rig->engine);
	assert_true(examine(rig).is_draining);
	assert_true(measure(rig).figures.is_draining);
	assert_false(measure(rig).figures.is_store_healthy);
}

static void a_full_queue_is_part_of_it(void **state)
{
	struct rig *rig = *state;

	rig_crash(rig);
	rig->config.max_queued = 1;
	rig->providers[0].concurrency = 1;
	rig_start(rig);
	order(rig);
	assert_false(examine(rig).is_queue_full);
	order(rig);
	assert_true(examine(rig).is_queue_full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_job_is_counted_where_it_is),
		story(an_uncertain_job_is_counted_across_a_restart),
		story(money_is_counted_as_it_moves_and_what_is_reserved_across_a_restart),
		story(what_waits_is_counted_and_has_an_age),
		story(jobs_of_a_provider_that_is_gone_have_their_own_row),
		story(a_lost_reply_is_an_ambiguous_send),
		story(a_request_that_never_left_is_none),
		story(a_plugin_fault_is_counted),
		story(a_poll_is_measured_against_the_instant_it_was_due),
		story(health_says_what_stands_in_the_way),
		story(a_full_queue_is_part_of_it),
	};

	return cmocka_run_group_tests_name("engine.figures", tests, NULL, NULL);
}
