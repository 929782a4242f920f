#include "plugin/runner.h"

#include "plugin/fixtures.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define STEPS 400

struct order {
	struct plugin_step step;
	char job[128];
	struct plugin_answer *answer;
	pthread_t thread;
	int calls;
};

static struct plugin *toy;
static struct plugin_account *account;
static atomic_int finished;

static int load(void **state)
{
	(void)state;
	toy = fixture_plugin("toy");
	account = fixture_account(toy, NULL);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_account_free(account);
	plugin_free(toy);
	return 0;
}

static void on_answer(struct plugin_step *step, struct plugin_answer *take)
{
	struct order *order = (struct order *)(void *)step;

	order->answer = take;
	order->thread = pthread_self();
	order->calls++;
	atomic_fetch_add(&finished, 1);
}

static void prepare(struct order *order, int i)
{
	snprintf(order->job, sizeof(order->job), "{\"model\":\"m\",\"parameters\":{\"prompt\":\"p%d\"}}", i);
	order->step = fixture_step(account, PLUGIN_VERB_START, order->job);
	order->step.fn = on_answer;
}

static void every_step_is_answered_once_on_a_thread_of_the_runner(void **state)
{
	_cleanup_(freep) struct order *orders = calloc(STEPS, sizeof(*orders));
	struct plugin_runner *runner = NULL;

	(void)state;
	assert_non_null(orders);
	assert_int_equal(plugin_runner_new(3, &runner), 0);
	atomic_store(&finished, 0);
	for (int i = 0; i < STEPS; i++) {
		prepare(&orders[i], i);
		plugin_runner_post(runner, &orders[i].step);
	}
	/* Ending the runner runs what waits. */
	plugin_runner_free(runner);
	assert_int_equal(atomic_load(&finished), STEPS);
	for (int i = 0; i < STEPS; i++) {
		char prompt[32];

		snprintf(prompt, sizeof(prompt), "\"p%d\"", i);
		assert_int_equal(orders[i].calls, 1);
		assert_false(pthread_equal(orders[i].thread, pthread_self()));
		assert_non_null(orders[i].answer);
		assert_int_equal(orders[i].answer->kind, PLUGIN_ANSWER_EXCHANGE);
		assert_non_null(strstr(orders[i].answer->exchange.body.data, prompt));
		plugin_answer_free(orders[i].answer);
	}
}

static void a_runner_that_was_never_used_ends(void **state)
{
	struct plugin_runner *runner = NULL;

	(void)state;
	assert_int_equal(plugin_runner_new(2, &runner), 0);
	assert_null(plugin_runner_free(runner));
	assert_null(plugin_runner_free(NULL));
}

/* ---- a plugin that does not come back, until the test lets it ---- */

struct gate {
	struct plugin_observer observer;
	sem_t is_inside, may_go;
	bool was_held;
};

static void hold(struct plugin_observer *observer, const char *pointer)
{
	struct gate *gate = (struct gate *)(void *)observer;

	(void)pointer;
	if (gate->was_held)
		return;
	gate->was_held = true;
	sem_post(&gate->is_inside);
	sem_wait(&gate->may_go);
}

static void compares(struct plugin_observer *observer, const char *expected)
{
	(void)observer;
	(void)expected;
}

static void a_plugin_that_does_not_come_back_is_left_when_its_time_is_over(void **state)
{
	struct gate gate = {.observer = {.looks_at = hold, .compares = compares}};
	struct plugin_runner *runner = NULL;
	struct order order = {0};

	(void)state;
	sem_init(&gate.is_inside, 0, 0);
	sem_init(&gate.may_go, 0, 0);
	assert_int_equal(plugin_runner_new(2, &runner), 0);
	prepare(&order, 1);
	order.step.observer = &gate.observer;
	plugin_runner_post(runner, &order.step);
	sem_wait(&gate.is_inside);
	assert_int_equal(plugin_runner_end(runner, 0), PLUGIN_RUNNER_E_LATE);
	assert_int_equal(plugin_runner_end(runner, 1), PLUGIN_RUNNER_E_LATE);
	assert_int_equal(order.calls, 0);
	/* It comes back after all: nothing of the runner was freed. */
	sem_post(&gate.may_go);
	assert_int_equal(plugin_runner_end(runner, 60000), 0);
	assert_int_equal(order.calls, 1);
	plugin_answer_free(order.answer);
	sem_destroy(&gate.is_inside);
	sem_destroy(&gate.may_go);
}

static void what_waits_is_run_before_a_bounded_end(void **state)
{
	struct plugin_runner *runner = NULL;
	struct order orders[8] = {0};

	(void)state;
	assert_int_equal(plugin_runner_new(1, &runner), 0);
	for (int i = 0; i < 8; i++) {
		prepare(&orders[i], i);
		plugin_runner_post(runner, &orders[i].step);
	}
	plugin_runner_stop(runner);
	assert_int_equal(plugin_runner_end(runner, 60000), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(orders[i].calls, 1);
		plugin_answer_free(orders[i].answer);
	}
	plugin_runner_stop(NULL);
	assert_int_equal(plugin_runner_end(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_is_answered_once_on_a_thread_of_the_runner),
		cmocka_unit_test(a_runner_that_was_never_used_ends),
		cmocka_unit_test(a_plugin_that_does_not_come_back_is_left_when_its_time_is_over),
		cmocka_unit_test(what_waits_is_run_before_a_bounded_end),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
