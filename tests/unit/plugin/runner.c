#include "plugin/runner.h"

#include "plugin/fixtures.h"

#include <pthread.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_is_answered_once_on_a_thread_of_the_runner),
		cmocka_unit_test(a_runner_that_was_never_used_ends),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
