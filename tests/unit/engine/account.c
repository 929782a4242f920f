/*
 * Limits of an account: slots and rate, counted together where providers share a credential.
 */
#include "engine/rig.h"

#define REFUSED "failed reason=invalid_input" /* an end that frees a slot */

static struct job_ref order_at(struct rig *rig, const char *provider)
{
	return order_with(rig, &(struct engine_create){.provider = provider});
}

/* "maker" and "plain" with one credential at one place. */
static void share(struct rig *rig)
{
	rig_crash(rig);
	rig->providers[0].account_digest = rig->providers[1].account_digest = digest_of(bytes_of_text("key"));
	rig->providers[1].base_url = rig->providers[0].base_url;
	rig_start(rig);
}

static uint32_t running(struct rig *rig)
{
	return provider(rig, "maker")->provider.running + provider(rig, "plain")->provider.running;
}

/* ---- slots ---- */

static void one_account_runs_as_many_as_its_largest_provider_may(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[4];

	rig->providers[0].concurrency = 2;
	rig->providers[1].concurrency = 1;
	share(rig);
	jobs[0] = order_at(rig, "maker");
	jobs[1] = order_at(rig, "maker");
	jobs[2] = order_at(rig, "plain");
	assert_int_equal(running(rig), 2);
	assert_int_equal(look(rig, &jobs[2])->wait, JOB_WAIT_CAPACITY);
	jobs[3] = order_at(rig, "maker");
	reply_to(rig, &jobs[0], 422, REFUSED);
	/* Who shares goes first, though "maker" has a job that waits, too. */
	assert_state(rig, &jobs[2], JOB_STATE_STARTING);
	assert_state(rig, &jobs[3], JOB_STATE_QUEUED);
	reply_to(rig, &jobs[2], 422, REFUSED);
	assert_state(rig, &jobs[3], JOB_STATE_STARTING);
	assert_int_equal(running(rig), 2);
}

/* One job at each, and one slot each: how many run? */
static uint32_t run_both(struct rig *rig, const char *key, const char *base_url)
{
	rig->providers[0].concurrency = rig->providers[1].concurrency = 1;
	share(rig);
	rig_crash(rig);
	rig->providers[1].account_digest = digest_of(bytes_of_text(key));
	rig->providers[1].base_url = base_url;
	rig_start(rig);
	order_at(rig, "maker");
	order_at(rig, "plain");
	return running(rig);
}

static void another_credential_is_another_account(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(run_both(rig, "another key", rig->providers[0].base_url), 2);
}

static void another_place_is_another_account(void **state)
{
	assert_int_equal(run_both(*state, "key", "https://other.test"), 2);
}

static void a_place_is_the_same_however_it_is_spelled(void **state)
{
	assert_int_equal(run_both(*state, "key", "HTTPS://MAKER.test:443/"), 1);
}

/* ---- what the provider says of the account ---- */

static void a_pause_for_the_account_holds_all_of_it(void **state)
{
	static const struct {
		int status;
		const char *words;
		enum job_wait why;
	} rows[] = {
		{429, "trouble reason=rate_limited", JOB_WAIT_RATE_LIMIT},
		{401, "trouble reason=auth", JOB_WAIT_CREDENTIAL},
	};
	struct rig *rig = *state;

	share(rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct job_ref job = order_at(rig, "maker"), other;

		reply_later(rig, rows[i].status, 70, rows[i].words);
		other = order_at(rig, "plain");
		assert_state(rig, &other, JOB_STATE_QUEUED);
		assert_int_equal(look(rig, &other)->wait, rows[i].why);
		assert_int_equal(look(rig, &other)->wait_until_ms, now_ms() + 70000);
		pass(rig, 70000);
		assert_state(rig, &other, JOB_STATE_STARTING);
		reply_to(rig, &job, 422, REFUSED);
		reply_to(rig, &other, 422, REFUSED);
	}
}

static void a_full_disk_is_no_matter_of_the_account(void **state)
{
	struct rig *rig = *state;
	struct job_ref job, other;

	share(rig);
	rig->providers[0].expected_bytes = INT64_MAX;
	job = order_at(rig, "maker");
	other = order_at(rig, "plain");
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_DISK);
	assert_state(rig, &other, JOB_STATE_STARTING);
}

/* ---- rate ---- */

static void starts_keep_their_distance(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[4];
	int64_t begin_ms = now_ms();

	rig->providers[0].rate = 4;
	for (int i = 0; i < 4; i++) {
		jobs[i] = order(rig);
		pass(rig, 1);
	}
	for (int i = 1; i < 4; i++) {
		pass_until(rig, begin_ms + i * 15000 - 1);
		assert_int_equal(purchases(rig), i);
		assert_int_equal(look(rig, &jobs[i])->wait, JOB_WAIT_RATE_LIMIT);
		assert_int_equal(look(rig, &jobs[i])->wait_until_ms, begin_ms + i * 15000);
		pass(rig, 1);
		assert_int_equal(purchases(rig), i + 1);
	}
	/* It was idle: the next goes at once. */
	pass(rig, 60000);
	order(rig);
	assert_int_equal(purchases(rig), 5);
}

static void one_account_keeps_its_smallest_rate(void **state)
{
	struct rig *rig = *state;
	struct job_ref other;

	rig->providers[0].rate = 60;
	rig->providers[1].rate = 6;
	share(rig);
	order_at(rig, "maker");
	other = order_at(rig, "plain");
	assert_int_equal(look(rig, &other)->wait, JOB_WAIT_RATE_LIMIT);
	assert_int_equal(look(rig, &other)->wait_until_ms, now_ms() + 10000);
	pass(rig, 10000);
	assert_state(rig, &other, JOB_STATE_STARTING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(one_account_runs_as_many_as_its_largest_provider_may),
		story(another_credential_is_another_account),
		story(another_place_is_another_account),
		story(a_place_is_the_same_however_it_is_spelled),
		story(a_pause_for_the_account_holds_all_of_it),
		story(a_full_disk_is_no_matter_of_the_account),
		story(starts_keep_their_distance),
		story(one_account_keeps_its_smallest_rate),
	};

	return cmocka_run_group_tests_name("engine.account", tests, NULL, NULL);
}
