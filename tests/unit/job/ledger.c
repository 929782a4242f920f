/*
 * What a job's course means for money: one table of ends, and what sums do at their limits.
 */
#include "job/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOON INT64_C(1795000000000) /* 2026-11-18 */
#define DAY_MS INT64_C(86400000)

struct story {
	struct job *job;
	struct job_status *status;
	struct ledger_entries entries;
};

static int setup(void **state)
{
	struct story *story = calloc(1, sizeof(*story));
	struct job_attempt *attempt;

	story->job = job_new();
	story->status = job_status_new();
	assert_int_equal(job_set_text(&story->job->provider, "maker"), 0);
	assert_int_equal(job_set_text(&story->job->model, "clip"), 0);
	assert_int_equal(job_set_text(&story->job->quote.currency, "EUR"), 0);
	story->job->quote.kind = JOB_QUOTE_EXACT;
	story->job->quote.amount_micros = 1000;
	attempt = job_add_attempt(story->status);
	attempt->number = 1;
	*state = story;
	return 0;
}

static int teardown(void **state)
{
	struct story *story = *state;

	job_free(story->job);
	job_status_free(story->status);
	free(story);
	return 0;
}

static void follow_at(struct story *story, enum job_state to, int64_t now_ms)
{
	story->status->state = to;
	assert_int_equal(ledger_follow(story->job, story->status, now_ms, &story->entries), 0);
}

static void follow(struct story *story, enum job_state to)
{
	follow_at(story, to, NOON);
}

static void cost(struct story *story, enum job_cost_source source, int64_t micros, const char *currency)
{
	assert_int_equal(job_set_cost(story->status, source, micros, currency), 0);
}

/* "reserve 1000 EUR; settle …": what the last change posted. */
static const char *posted(const struct story *story)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < story->entries.n; i++) {
		const struct ledger_entry *entry = &story->entries.all[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %lld %s%s%s%s", i ? "; " : "",
					ledger_kind_name(entry->kind), (long long)entry->amount_micros, entry->currency,
					entry->flags & LEDGER_IS_UNPRICED ? " unpriced" : "",
					entry->flags & LEDGER_IS_UNCONFIRMED ? " unconfirmed" : "",
					entry->flags & LEDGER_IS_WHOLE ? " whole" : "");
	}
	return text;
}

static void a_purchase_reserves_its_quote_once(void **state)
{
	struct story *story = *state;

	follow(story, JOB_STATE_PREPARING);
	assert_string_equal(posted(story), "");
	follow(story, JOB_STATE_STARTING);
	assert_string_equal(posted(story), "reserve 1000 EUR");
	assert_int_equal(story->entries.all[0].day, 20261118);
	assert_int_equal(story->entries.all[0].attempt, 1);
	follow(story, JOB_STATE_STARTING);
	assert_string_equal(posted(story), "");
	follow(story, JOB_STATE_UNCERTAIN);
	follow(story, JOB_STATE_RUNNING);
	follow(story, JOB_STATE_STORING);
	follow(story, JOB_STATE_RUNNING);
	assert_string_equal(posted(story), "");
	assert_int_equal(story->status->money.reserved_micros, 1000);
}

struct end {
	enum job_state state;
	enum job_cost_source source;
	int64_t micros;
	const char *currency;
	bool is_provisional;
	const char *posted;
};

static void each_end_posts_what_it_came_to(void **state)
{
	static const struct end ends[] = {
		{JOB_STATE_SUCCEEDED, JOB_COST_COMPUTED, 1000, "EUR", false, "settle 1000 EUR"},
		{JOB_STATE_SUCCEEDED, JOB_COST_PROVIDER, 400, "EUR", false, "settle 400 EUR; release 600 EUR"},
		{JOB_STATE_SUCCEEDED, JOB_COST_PLUGIN, 0, "EUR", false, "settle 0 EUR; release 1000 EUR"},
		{JOB_STATE_SUCCEEDED, JOB_COST_PROVIDER, 1500, "EUR", false, "settle 1000 EUR; excess 500 EUR"},
		{JOB_STATE_FAILED, JOB_COST_PROVIDER, 1500, "EUR", true,
		 "settle 1000 EUR unconfirmed; excess 500 EUR unconfirmed"},
		{JOB_STATE_SUCCEEDED, JOB_COST_PROVIDER, 7, "USD", false, "release 1000 EUR whole; excess 7 USD whole"},
		{JOB_STATE_SUCCEEDED, JOB_COST_PROVIDER, 7, "USD", true,
		 "release 1000 EUR whole; excess 7 USD unconfirmed whole"},
		{JOB_STATE_FAILED, JOB_COST_NOTHING, 0, "EUR", false, "release 1000 EUR whole"},
		{JOB_STATE_FAILED, JOB_COST_NONE, 0, NULL, false, "settle 1000 EUR unconfirmed"},
		{JOB_STATE_EXPIRED, JOB_COST_NONE, 0, NULL, false, "settle 1000 EUR unconfirmed"},
		{JOB_STATE_CANCELLED, JOB_COST_NONE, 0, NULL, false, "settle 1000 EUR unconfirmed"},
	};
	struct story *story = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct end *end = &ends[i];

		follow(story, JOB_STATE_STARTING);
		assert_string_equal(posted(story), "reserve 1000 EUR");
		cost(story, end->source, end->micros, end->currency);
		story->status->cost.is_provisional = end->is_provisional;
		follow_at(story, end->state, NOON + DAY_MS);
		assert_string_equal(posted(story), end->posted);
		/* It counts on the day of its reservation. */
		for (size_t k = 0; k < story->entries.n; k++)
			assert_int_equal(story->entries.all[k].day, 20261118);
		assert_int_equal(story->status->money.reserved_micros, 0);
		follow(story, end->state);
		assert_string_equal(posted(story), "");
	}
}

static void what_goes_back_to_the_queue_is_released_and_reserved_anew(void **state)
{
	struct story *story = *state;

	follow(story, JOB_STATE_STARTING);
	follow(story, JOB_STATE_QUEUED);
	assert_string_equal(posted(story), "release 1000 EUR whole");
	follow(story, JOB_STATE_PREPARING);
	assert_string_equal(posted(story), "");
	follow_at(story, JOB_STATE_STARTING, NOON + DAY_MS);
	assert_string_equal(posted(story), "reserve 1000 EUR");
	assert_int_equal(story->entries.all[0].day, 20261119);
}

static void an_attempt_that_bought_is_settled_before_the_next(void **state)
{
	struct story *story = *state;

	follow(story, JOB_STATE_RUNNING);
	story->status->attempts[0].ended_ms = NOON;
	story->status->attempts[0].failure.purchase = JOB_PURCHASE_MADE;
	follow(story, JOB_STATE_QUEUED);
	assert_string_equal(posted(story), "settle 1000 EUR unconfirmed");
	follow(story, JOB_STATE_STARTING);
	assert_string_equal(posted(story), "reserve 1000 EUR");
}

static void an_order_without_a_price_reserves_nothing_and_is_counted(void **state)
{
	struct story *story = *state;
	struct ledger_balance balance = {0};

	story->job->quote.kind = JOB_QUOTE_UNKNOWN;
	follow(story, JOB_STATE_STARTING);
	assert_string_equal(posted(story), "reserve 0 EUR unpriced");
	assert_true(ledger_add(&balance, &story->entries.all[0]));
	assert_int_equal(balance.jobs, 1);
	assert_int_equal(balance.unpriced_jobs, 1);

	/* Once somebody says what it cost, its amount is known. */
	cost(story, JOB_COST_PROVIDER, 300, "EUR");
	follow(story, JOB_STATE_SUCCEEDED);
	assert_string_equal(posted(story), "settle 0 EUR unpriced; excess 300 EUR unpriced");
	for (size_t i = 0; i < story->entries.n; i++)
		assert_true(ledger_add(&balance, &story->entries.all[i]));
	assert_int_equal(balance.jobs, 1);
	assert_int_equal(balance.unpriced_jobs, 0);
	assert_int_equal(balance.spent_micros, 300);
	assert_int_equal(balance.excess_micros, 300);
}

static void labels_of_a_reservation_stay_with_it(void **state)
{
	const struct job_label red = {.key = (char *)"team", .value = (char *)"red"};
	const struct job_label blue = {.key = (char *)"team", .value = (char *)"blue"};
	struct story *story = *state;
	struct ledger_scope scope;

	assert_int_equal(job_set_labels(story->status, &red, 1), 0);
	assert_int_equal(ledger_keep_labels(story->status), 0);
	assert_false(story->status->money.has_labels);
	follow(story, JOB_STATE_STARTING);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ledger_keep_labels(story->status), 0);
		assert_int_equal(job_set_labels(story->status, &blue, 1), 0);
	}
	follow(story, JOB_STATE_FAILED);
	assert_true(ledger_scope_at(&story->entries.all[0], 6, &scope));
	assert_int_equal(scope.dimension, LEDGER_OF_LABEL);
	assert_string_equal(scope.value, "red");
	follow(story, JOB_STATE_STARTING);
	assert_string_equal(story->entries.all[0].labels[0].value, "blue");
}

static void an_older_job_opens_with_what_it_holds_or_cost(void **state)
{
	struct story *story = *state;
	struct job_send *send = job_add_send(story->status);

	send->attempt = 1;
	send->created_ms = NOON - 2 * DAY_MS;
	story->status->state = JOB_STATE_UNCERTAIN;
	assert_int_equal(ledger_open(story->job, story->status, NOON, &story->entries), 0);
	assert_string_equal(posted(story), "opening 1000 EUR");
	assert_int_equal(story->entries.all[0].debit, LEDGER_RESERVED);
	assert_int_equal(story->entries.all[0].day, 20261116);
	assert_int_equal(ledger_open(story->job, story->status, NOON, &story->entries), 0);
	assert_string_equal(posted(story), "");
	follow(story, JOB_STATE_QUEUED);
	assert_string_equal(posted(story), "release 1000 EUR whole");

	story->status->finished_ms = NOON - DAY_MS;
	story->status->state = JOB_STATE_SUCCEEDED;
	cost(story, JOB_COST_PROVIDER, 5, "USD");
	assert_int_equal(ledger_open(story->job, story->status, NOON, &story->entries), 0);
	assert_string_equal(posted(story), "opening 5 USD");
	assert_int_equal(story->entries.all[0].debit, LEDGER_SPENT);
	assert_int_equal(story->entries.all[0].day, 20261117);
	assert_int_equal(story->status->money.settlement, JOB_SETTLEMENT_FINAL);
}

static void an_older_job_that_cost_nothing_opens_with_nothing(void **state)
{
	struct story *story = *state;

	story->status->state = JOB_STATE_FAILED;
	story->status->finished_ms = NOON;
	assert_int_equal(ledger_open(story->job, story->status, NOON, &story->entries), 0);
	assert_string_equal(posted(story), "");
	cost(story, JOB_COST_NOTHING, 0, "EUR");
	assert_int_equal(ledger_open(story->job, story->status, NOON, &story->entries), 0);
	assert_string_equal(posted(story), "");
	story->status->state = JOB_STATE_QUEUED;
	assert_int_equal(ledger_open(story->job, story->status, NOON, &story->entries), 0);
	assert_string_equal(posted(story), "");
}

static void a_sum_that_does_not_fit_changes_nothing(void **state)
{
	struct ledger_entry entry = {
		.kind = LEDGER_RESERVE, .debit = LEDGER_RESERVED, .credit = LEDGER_BUDGET, .amount_micros = INT64_MAX};
	struct ledger_balance balance = {.spent_micros = 1}, before = balance;

	(void)state;
	/* Each of the two fits, their sum does not. */
	assert_false(ledger_add(&balance, &entry));
	assert_memory_equal(&balance, &before, sizeof(balance));
	entry.amount_micros--;
	assert_true(ledger_add(&balance, &entry));
	assert_true(ledger_used(&balance) == INT64_MAX);
	entry.amount_micros = 1;
	assert_false(ledger_add(&balance, &entry));
	before = (struct ledger_balance){.reserved_micros = INT64_MAX, .spent_micros = 1};
	assert_true(ledger_used(&before) == INT64_MAX);
}

static void days_and_months_are_those_of_utc(void **state)
{
	(void)state;
	assert_int_equal(ledger_day(0), 19700101);
	assert_int_equal(ledger_day(1772323199999), 20260228);
	assert_int_equal(ledger_day(1772323200000), 20260301);
	assert_int_equal(ledger_month(20260228), 20260201);
}

static void an_entry_belongs_to_the_whole_its_provider_model_and_labels(void **state)
{
	static const struct job_label label = {.key = (char *)"team", .value = (char *)"red"};
	const struct ledger_entry entry = {.day = 20261118,
					   .currency = "EUR",
					   .provider = "maker",
					   .model = "clip",
					   .labels = &label,
					   .n_labels = 1};
	char text[512] = "";
	struct ledger_scope scope;

	(void)state;
	for (size_t n = 0; ledger_scope_at(&entry, n, &scope); n++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d.%d %u %s %s=%s|", scope.dimension,
			 scope.period, scope.start, scope.currency, scope.name, scope.value);
	assert_string_equal(text, "1.1 20261118 EUR =|1.2 20261101 EUR =|"
				  "2.1 20261118 EUR maker=|2.2 20261101 EUR maker=|"
				  "3.1 20261118 EUR maker=clip|3.2 20261101 EUR maker=clip|"
				  "4.1 20261118 EUR team=red|4.2 20261101 EUR team=red|");
}

static void what_was_bought_elsewhere_is_in_no_books(void **state)
{
	static const enum job_state ends[] = {JOB_STATE_SUCCEEDED, JOB_STATE_FAILED, JOB_STATE_CANCELLED,
					      JOB_STATE_EXPIRED};
	struct story *story = *state;

	story->job->is_adopted = true;
	follow(story, JOB_STATE_RUNNING);
	assert_int_equal(story->entries.n, 0);
	follow(story, JOB_STATE_STORING);
	assert_int_equal(story->entries.n, 0);
	cost(story, JOB_COST_PROVIDER, 500, "EUR");
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		follow(story, ends[i]);
		assert_int_equal(story->entries.n, 0);
		assert_int_equal(story->status->money.settlement, JOB_SETTLEMENT_NONE);
	}
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORY(a_purchase_reserves_its_quote_once),
		STORY(each_end_posts_what_it_came_to),
		STORY(what_goes_back_to_the_queue_is_released_and_reserved_anew),
		STORY(an_attempt_that_bought_is_settled_before_the_next),
		STORY(an_order_without_a_price_reserves_nothing_and_is_counted),
		STORY(labels_of_a_reservation_stay_with_it),
		STORY(an_older_job_opens_with_what_it_holds_or_cost),
		STORY(an_older_job_that_cost_nothing_opens_with_nothing),
		STORY(what_was_bought_elsewhere_is_in_no_books),
		cmocka_unit_test(a_sum_that_does_not_fit_changes_nothing),
		cmocka_unit_test(days_and_months_are_those_of_utc),
		cmocka_unit_test(an_entry_belongs_to_the_whole_its_provider_model_and_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
