/*
 * The ledger on disk: entries in their order, balances that are their sums, budgets that two commits of one batch cannot
 * both fill, and stores that are older than all that.
 */
#include "base/limits.h"
#include "capture.h"
#include "store/fixture.h"
#include "store/internal.h"
#include "store/records.h"

#define DAY 20231114 /* of FIXTURE_NOW */

/* ---- jobs that move ---- */

static void price(struct job_view *view, int64_t micros)
{
	view->job->quote.kind = JOB_QUOTE_EXACT;
	view->job->quote.amount_micros = micros;
	assert_int_equal(job_set_text(&view->job->quote.currency, "EUR"), 0);
}

static void label(struct job_view *view, const char *value)
{
	const struct job_label label = {.key = (char *)"team", .value = (char *)(uintptr_t)value};

	assert_int_equal(job_set_labels(view->status, &label, 1), 0);
}

static struct job_view put_priced(struct fixture *fixture, int64_t micros, const char *team)
{
	struct job_view view = make_job(fixture);

	price(&view, micros);
	if (team)
		label(&view, team);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	return view;
}

static void set_state(struct job_status *status, void *userdata)
{
	status->state = *(enum job_state *)userdata;
	status->finished_ms = job_state_is_terminal(status->state) ? FIXTURE_NOW : 0;
}

/* The next revision in that state, with what it means for money. */
static struct store_commit *moving(struct fixture *fixture, struct job_view *view, enum job_state to)
{
	struct ledger_entries entries;
	struct store_commit *commit = revision(fixture, view, set_state, &to);
	const struct job_index after = store_index_of(view->job, view->status);

	/* The state record again, with the money: the last one holds. */
	assert_int_equal(ledger_follow(view->job, view->status, FIXTURE_NOW, &entries), 0);
	assert_int_equal(store_commit_put_status(commit, view->job, &after, view->status), 0);
	for (size_t i = 0; i < entries.n; i++)
		assert_int_equal(store_commit_post(commit, &entries.all[i]), 0);
	return commit;
}

static void go(struct fixture *fixture, struct job_view *view, enum job_state to)
{
	assert_int_equal(commit_now(fixture, moving(fixture, view, to)), 0);
}

static void cost(struct job_view *view, int64_t micros, const char *currency)
{
	assert_int_equal(job_set_cost(view->status, JOB_COST_PROVIDER, micros, currency), 0);
}

/* ---- what the store says ---- */

struct reading {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there, has_more;
	int outcome;
	size_t n;
	char text[4096];
	uint64_t last;
	struct store_ledger_check check;
};

static void begin(struct reading *reading)
{
	*reading = (struct reading){.outcome = INT_MIN};
	pthread_mutex_init(&reading->mutex, NULL);
	pthread_cond_init(&reading->changed, NULL);
}

static void end(struct reading *reading)
{
	pthread_mutex_lock(&reading->mutex);
	reading->is_there = true;
	pthread_cond_signal(&reading->changed);
	pthread_mutex_unlock(&reading->mutex);
}

static void wait_for(struct reading *reading)
{
	pthread_mutex_lock(&reading->mutex);
	while (!reading->is_there)
		pthread_cond_wait(&reading->changed, &reading->mutex);
	pthread_mutex_unlock(&reading->mutex);
}

__attribute__((format(printf, 2, 3))) static void say(struct reading *reading, const char *format, ...)
{
	size_t len = strlen(reading->text);
	va_list list;

	va_start(list, format);
	vsnprintf(reading->text + len, sizeof(reading->text) - len, format, list);
	va_end(list);
}

static void on_usage(void *userdata, int outcome, const struct store_usage *rows, size_t n)
{
	struct reading *reading = userdata;

	reading->outcome = outcome;
	reading->n = n;
	for (size_t i = 0; i < n; i++)
		say(reading, "%u %s %s=%s r%lld s%lld j%lld|", rows[i].day, rows[i].currency, rows[i].name,
		    rows[i].value, (long long)rows[i].balance.reserved_micros, (long long)rows[i].balance.spent_micros,
		    (long long)rows[i].balance.jobs);
	end(reading);
}

/* Valid until the next one. */
static const char *usage(struct fixture *fixture, const struct store_usage_query *query)
{
	static struct reading reading;

	begin(&reading);
	store_get_usage(fixture->store, query, on_usage, &reading);
	wait_for(&reading);
	assert_int_equal(reading.outcome, 0);
	return reading.text;
}

static const char *usage_of(struct fixture *fixture, enum ledger_dimension dimension)
{
	return usage(fixture, &(struct store_usage_query){.tenant = JOB_TENANT_DEFAULT,
							  .dimension = dimension,
							  .label = "team",
							  .from = 20230101,
							  .to = 20331231});
}

static void on_ledger(void *userdata, int outcome, const struct ledger_entry *entries, size_t n, bool more)
{
	struct reading *reading = userdata;

	reading->outcome = outcome;
	reading->n = n;
	reading->has_more = more;
	for (size_t i = 0; i < n; i++) {
		say(reading, "%s %lld|", ledger_kind_name(entries[i].kind), (long long)entries[i].amount_micros);
		reading->last = entries[i].sequence;
	}
	end(reading);
}

static struct reading list(struct fixture *fixture, const struct store_ledger_query *query)
{
	struct reading reading;

	begin(&reading);
	store_list_ledger(fixture->store, query, on_ledger, &reading);
	wait_for(&reading);
	assert_int_equal(reading.outcome, 0);
	return reading;
}

static void on_check(void *userdata, int outcome, const struct store_ledger_check *found)
{
	struct reading *reading = userdata;

	reading->outcome = outcome;
	reading->check = *found;
	end(reading);
}

static struct store_ledger_check check(struct fixture *fixture)
{
	struct reading reading;

	begin(&reading);
	store_check_ledger(fixture->store, JOB_TENANT_DEFAULT, on_check, &reading);
	wait_for(&reading);
	assert_int_equal(reading.outcome, 0);
	return reading.check;
}

static void assert_sound(struct fixture *fixture)
{
	struct store_ledger_check found = check(fixture);

	assert_int_equal(found.unbalanced, 0);
	assert_int_equal(found.leaked, 0);
}

/* ---- entries and balances ---- */

static void what_is_posted_is_counted_by_provider_model_and_label(void **state)
{
	struct fixture *fixture = *state;
	struct job_view red = put_priced(fixture, 1000, "red"), blue = put_priced(fixture, 500, "blue");
	char expected[128];

	go(fixture, &red, JOB_STATE_STARTING);
	go(fixture, &blue, JOB_STATE_STARTING);
	cost(&red, 400, "EUR");
	go(fixture, &red, JOB_STATE_SUCCEEDED);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(usage_of(fixture, LEDGER_OF_ALL), "0 EUR = r500 s400 j2|");
		snprintf(expected, sizeof(expected), "0 EUR %s= r500 s400 j2|", red.job->provider);
		assert_string_equal(usage_of(fixture, LEDGER_OF_PROVIDER), expected);
		snprintf(expected, sizeof(expected), "0 EUR %s=%s r500 s400 j2|", red.job->provider, red.job->model);
		assert_string_equal(usage_of(fixture, LEDGER_OF_MODEL), expected);
		assert_string_equal(usage_of(fixture, LEDGER_OF_LABEL),
				    "0 EUR team=blue r500 s0 j1|0 EUR team=red r0 s400 j1|");
		assert_sound(fixture);
		fixture_reopen(fixture);
	}
	job_view_finish(&red);
	job_view_finish(&blue);
}

static void days_are_shown_one_by_one_or_together(void **state)
{
	struct fixture *fixture = *state;
	struct store_usage_query query = {
		.tenant = JOB_TENANT_DEFAULT, .dimension = LEDGER_OF_ALL, .from = DAY - 1, .to = DAY, .by_day = true};
	struct job_view view = put_priced(fixture, 1000, NULL), other = put_priced(fixture, 7, NULL);

	go(fixture, &view, JOB_STATE_STARTING);
	cost(&view, 9, "USD");
	go(fixture, &view, JOB_STATE_SUCCEEDED);
	go(fixture, &other, JOB_STATE_STARTING);
	assert_string_equal(usage(fixture, &query), "20231114 EUR = r7 s0 j1|20231114 USD = r0 s9 j1|");
	query.currency = "USD";
	assert_string_equal(usage(fixture, &query), "20231114 USD = r0 s9 j1|");
	query.to = DAY - 1;
	assert_string_equal(usage(fixture, &query), "");
	query.from = DAY + 1;
	query.to = DAY + 1;
	assert_string_equal(usage(fixture, &query), "");
	job_view_finish(&view);
	job_view_finish(&other);
}

static void entries_are_listed_in_pages_and_by_job_and_outlive_it(void **state)
{
	struct fixture *fixture = *state;
	struct job_view first = put_priced(fixture, 1000, NULL), second = put_priced(fixture, 500, NULL);
	struct store_ledger_query query = {.tenant = JOB_TENANT_DEFAULT, .limit = 2};
	struct reading reading;

	go(fixture, &first, JOB_STATE_STARTING);
	go(fixture, &second, JOB_STATE_STARTING);
	cost(&first, 400, "EUR");
	go(fixture, &first, JOB_STATE_SUCCEEDED);
	assert_int_equal(commit_now(fixture, deletion(fixture, &first)), 0);
	fixture_reopen(fixture);
	reading = list(fixture, &query);
	assert_string_equal(reading.text, "reserve 1000|reserve 500|");
	assert_true(reading.has_more);
	query.after = reading.last;
	reading = list(fixture, &query);
	assert_string_equal(reading.text, "settle 400|release 600|");
	assert_false(reading.has_more);

	query = (struct store_ledger_query){.tenant = JOB_TENANT_DEFAULT, .is_single = true, .ref = first.job->ref};
	assert_string_equal(list(fixture, &query).text, "reserve 1000|settle 400|release 600|");
	/* Sequences go on behind the last one. */
	go(fixture, &second, JOB_STATE_QUEUED);
	query = (struct store_ledger_query){.tenant = JOB_TENANT_DEFAULT, .after = reading.last};
	assert_string_equal(list(fixture, &query).text, "release 500|");
	job_view_finish(&first);
	job_view_finish(&second);
}

/* ---- budgets ---- */

static struct store_commit *within(struct store_commit *commit, int64_t limit)
{
	const struct ledger_scope scope = {.dimension = LEDGER_OF_ALL,
					   .period = LEDGER_PER_MONTH,
					   .start = 20231101,
					   .currency = "EUR",
					   .name = "",
					   .value = ""};

	assert_int_equal(store_commit_keep_budget(commit, JOB_TENANT_DEFAULT, &scope, limit), 0);
	return commit;
}

static void two_commits_of_one_batch_cannot_both_take_the_last_of_a_budget(void **state)
{
	struct fixture *fixture = *state;
	struct job_view a = put_priced(fixture, 600, NULL), b = put_priced(fixture, 600, NULL),
			c = put_priced(fixture, 400, NULL);
	struct ticket tickets[3];

	hold(fixture);
	submit(&tickets[0], fixture, within(moving(fixture, &a, JOB_STATE_STARTING), 1000));
	submit(&tickets[1], fixture, within(within(moving(fixture, &b, JOB_STATE_STARTING), 5000), 1000));
	submit(&tickets[2], fixture, within(moving(fixture, &c, JOB_STATE_STARTING), 1000));
	release(fixture);
	assert_int_equal(await(&tickets[0]), 0);
	assert_int_equal(await(&tickets[1]), STORE_E_OVER_BUDGET);
	assert_int_equal(store_commit_over_budget(tickets[1].commit)->budget, 1);
	assert_int_equal(store_commit_over_budget(tickets[1].commit)->used_micros, 600);
	/* What fits exactly, fits. */
	assert_int_equal(await(&tickets[2]), 0);
	assert_null(store_commit_over_budget(tickets[2].commit));
	for (size_t i = 0; i < 3; i++)
		finish(&tickets[i]);
	assert_string_equal(usage_of(fixture, LEDGER_OF_ALL), "0 EUR = r1000 s0 j2|");
	/* The job that was refused is as it was: its revision is the old one. */
	b.status->revision--;
	b.status->money = (struct job_money){.currency = b.status->money.currency};
	go(fixture, &a, JOB_STATE_QUEUED);
	assert_int_equal(commit_now(fixture, within(moving(fixture, &b, JOB_STATE_STARTING), 1000)), 0);
	assert_sound(fixture);
	job_view_finish(&a);
	job_view_finish(&b);
	job_view_finish(&c);
}

static void a_settlement_above_a_budget_is_posted(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_priced(fixture, 600, NULL);

	assert_int_equal(commit_now(fixture, within(moving(fixture, &view, JOB_STATE_STARTING), 600)), 0);
	cost(&view, 5000, "EUR");
	assert_int_equal(commit_now(fixture, within(moving(fixture, &view, JOB_STATE_SUCCEEDED), 5000)), 0);
	assert_string_equal(usage_of(fixture, LEDGER_OF_ALL), "0 EUR = r0 s5000 j1|");
	assert_sound(fixture);
	job_view_finish(&view);
}

static void a_reservation_that_no_sum_holds_is_refused_and_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct job_view huge = put_priced(fixture, INT64_MAX, NULL), one = put_priced(fixture, 1, NULL);
	struct ticket ticket;

	go(fixture, &huge, JOB_STATE_STARTING);
	submit(&ticket, fixture, moving(fixture, &one, JOB_STATE_STARTING));
	assert_int_equal(await(&ticket), STORE_E_OVER_BUDGET);
	assert_int_equal(store_commit_over_budget(ticket.commit)->budget, 0);
	finish(&ticket);
	assert_string_equal(usage_of(fixture, LEDGER_OF_ALL), "0 EUR = r9223372036854775807 s0 j1|");
	/* Neither does an end: it is not dropped, but refused aloud. */
	cost(&huge, INT64_MAX, "USD");
	go(fixture, &huge, JOB_STATE_SUCCEEDED);
	one.status->revision--;
	one.status->money = (struct job_money){.currency = one.status->money.currency};
	go(fixture, &one, JOB_STATE_STARTING);
	cost(&one, 1, "USD");
	assert_int_equal(commit_now(fixture, moving(fixture, &one, JOB_STATE_SUCCEEDED)), -EOVERFLOW);
	job_view_finish(&huge);
	job_view_finish(&one);
}

/* ---- any history ---- */

#define JOBS 12

static enum job_state next_state(enum job_state from, unsigned int *seed)
{
	static const enum job_state after[] = {JOB_STATE_QUEUED,    JOB_STATE_STARTING, JOB_STATE_UNCERTAIN,
					       JOB_STATE_RUNNING,   JOB_STATE_STORING,  JOB_STATE_SUCCEEDED,
					       JOB_STATE_CANCELLED, JOB_STATE_FAILED};

	return job_state_is_terminal(from) ? from : after[(size_t)rand_r(seed) % (sizeof(after) / sizeof(after[0]))];
}

static void random_cost(struct job_view *view, unsigned int *seed)
{
	static const char *const currencies[] = {"EUR", "EUR", "USD", "credits"};
	static const enum job_cost_source sources[] = {JOB_COST_NONE, JOB_COST_PROVIDER, JOB_COST_COMPUTED,
						       JOB_COST_NOTHING};
	enum job_cost_source source = sources[rand_r(seed) % 4];

	assert_int_equal(job_set_cost(view->status, source, source == JOB_COST_NOTHING ? 0 : rand_r(seed) % 2000,
				      currencies[rand_r(seed) % 4]),
			 0);
	view->status->cost.is_provisional = rand_r(seed) % 3 == 0;
}

static void whatever_happens_the_ledger_balances(void **state)
{
	struct fixture *fixture = *state;
	struct job_view views[JOBS];
	unsigned int seed = 20261130;

	for (size_t i = 0; i < JOBS; i++) {
		views[i] = put_priced(fixture, rand_r(&seed) % 1000, i % 2 ? "red" : "blue");
		if (i % 5 == 0)
			views[i].job->quote.kind = JOB_QUOTE_UNKNOWN;
	}
	for (int step = 0; step < 300; step++) {
		struct job_view *view = &views[rand_r(&seed) % JOBS];

		random_cost(view, &seed);
		if (rand_r(&seed) % 4 == 0) {
			assert_int_equal(ledger_keep_labels(view->status), 0);
			label(view, rand_r(&seed) % 2 ? "green" : "red");
		}
		go(fixture, view, next_state(view->status->state, &seed));
		if (step % 60 == 0) {
			assert_sound(fixture);
			fixture_reopen(fixture);
		}
	}
	assert_sound(fixture);
	for (size_t i = 0; i < JOBS; i++)
		job_view_finish(&views[i]);
}

static void the_check_finds_what_is_wrong(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_priced(fixture, 600, NULL);
	struct store_ledger_check found;
	struct ledger_entries entries;
	struct store_commit *commit;

	/* A purchase without a reservation, as a daemon without a ledger makes it. */
	move(fixture, &view, JOB_STATE_STARTING);
	found = check(fixture);
	assert_int_equal(found.jobs, 1);
	assert_int_equal(found.leaked, 1);
	/* A reservation that no job holds. */
	assert_int_equal(ledger_follow(view.job, view.status, FIXTURE_NOW, &entries), 0);
	view.status->money.settlement = JOB_SETTLEMENT_NONE;
	view.status->money.reserved_micros = 0;
	commit = revision(fixture, &view, NULL, NULL);
	assert_int_equal(store_commit_post(commit, &entries.all[0]), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	found = check(fixture);
	assert_int_equal(found.entries, 1);
	assert_int_equal(found.unbalanced, 0);
	assert_int_equal(found.leaked, 2);
	job_view_finish(&view);
}

static void shift_balance(struct fixture *fixture, const struct ledger_scope *scope, int64_t by)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct backend_batch *batch = backend_batch_new();
	struct ledger_balance balance;
	struct key key;

	key_balance(&key, JOB_TENANT_DEFAULT, scope);
	assert_int_equal(backend_get(fixture->store->backend, key_bytes(&key), &value), 0);
	assert_int_equal(record_read_ledger_balance(value.bytes, &balance), 0);
	balance.reserved_micros += by;
	assert_int_equal(record_write_ledger_balance(&record, &balance), 0);
	backend_batch_put(batch, key_bytes(&key), buffer_bytes(&record));
	assert_int_equal(backend_write(fixture->store->backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
}

/* Budgets rest on each of them. */
static void the_check_finds_a_balance_that_is_not_the_sum_of_its_entries(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_priced(fixture, 600, "red");
	const struct ledger_entry entry = {
		.day = DAY,
		.provider = view.job->provider,
		.model = view.job->model,
		.currency = "EUR",
		.labels = view.status->labels,
		.n_labels = view.status->n_labels,
	};
	struct ledger_scope scope, other;
	size_t n = 0;

	go(fixture, &view, JOB_STATE_STARTING);
	assert_sound(fixture);
	for (; ledger_scope_at(&entry, n, &scope); n++) {
		shift_balance(fixture, &scope, 1);
		assert_int_equal(check(fixture).unbalanced, 1);
		/* Nor does it help that another one is wrong the other way round. */
		assert_true(ledger_scope_at(&entry, n == 0 ? 1 : n - 1, &other));
		shift_balance(fixture, &other, -1);
		assert_int_equal(check(fixture).unbalanced, 1);
		shift_balance(fixture, &other, 1);
		shift_balance(fixture, &scope, -1);
		assert_sound(fixture);
	}
	assert_int_equal(n, 8);
	job_view_finish(&view);
}

static void put_raw(struct fixture *fixture, const struct key *key, const char *record)
{
	struct backend_batch *batch = backend_batch_new();

	backend_batch_put(batch, key_bytes(key), bytes_of_text(record));
	assert_int_equal(backend_write(fixture->store->backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
}

static int outcome_of_check(struct fixture *fixture)
{
	struct reading reading;

	begin(&reading);
	store_check_ledger(fixture->store, JOB_TENANT_DEFAULT, on_check, &reading);
	wait_for(&reading);
	return reading.outcome;
}

static int outcome_of_usage(struct fixture *fixture)
{
	struct reading reading;

	begin(&reading);
	store_get_usage(fixture->store,
			&(struct store_usage_query){
				.tenant = JOB_TENANT_DEFAULT, .dimension = LEDGER_OF_ALL, .from = DAY, .to = DAY},
			on_usage, &reading);
	wait_for(&reading);
	return reading.outcome;
}

static int outcome_of_list(struct fixture *fixture)
{
	struct reading reading;

	begin(&reading);
	store_list_ledger(fixture->store, &(struct store_ledger_query){.tenant = JOB_TENANT_DEFAULT}, on_ledger,
			  &reading);
	wait_for(&reading);
	return reading.outcome;
}

static void a_record_that_cannot_be_read_is_named_in_the_log(void **state)
{
	static const struct ledger_scope scope = {.dimension = LEDGER_OF_ALL,
						  .period = LEDGER_PER_DAY,
						  .start = DAY,
						  .currency = "EUR",
						  .name = "",
						  .value = ""};
	struct fixture *fixture = *state;
	struct job_view view = put_priced(fixture, 600, NULL);
	struct key key;
	char log[4096];

	go(fixture, &view, JOB_STATE_STARTING);
	key_ledger(&key, JOB_TENANT_DEFAULT, 1);
	put_raw(fixture, &key, "\x01\xff\xff");
	for (int i = 0; i < 2; i++) {
		capture_start();
		assert_int_equal(i ? outcome_of_check(fixture) : outcome_of_list(fixture), -EBADMSG);
		capture_end(log, sizeof(log));
		assert_non_null(strstr(log, "record=\"ledger entry 1\""));
		assert_non_null(strstr(log, "backup"));
	}
	key_balance(&key, JOB_TENANT_DEFAULT, &scope);
	put_raw(fixture, &key, "\x01\xff\xff");
	capture_start();
	assert_int_equal(outcome_of_usage(fixture), -EBADMSG);
	capture_end(log, sizeof(log));
	assert_non_null(strstr(log, "record=\"key "));
	job_view_finish(&view);
}

static void what_would_read_for_long_gives_up_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_priced(fixture, 600, NULL);

	go(fixture, &view, JOB_STATE_STARTING);
	store_end_reads(fixture->store);
	assert_int_equal(outcome_of_check(fixture), -ECANCELED);
	assert_int_equal(outcome_of_usage(fixture), -ECANCELED);
	/* What is short is answered. */
	assert_int_equal(outcome_of_list(fixture), 0);
	job_view_finish(&view);
}

/* Of a store whose jobs have run for months, most is events. */
static void the_check_reads_nothing_but_balances_jobs_and_entries(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_priced(fixture, 600, "red");
	uint64_t keys;

	go(fixture, &view, JOB_STATE_STARTING);
	keys = check(fixture).keys;
	assert_true(keys > 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(commit_now(fixture, revision(fixture, &view, NULL, NULL)), 0);
	assert_int_equal(check(fixture).keys, keys);
	assert_sound(fixture);
	job_view_finish(&view);
}

/* ---- the format before ---- */

static void make_format_3(struct fixture *fixture)
{
	struct record_meta meta = {.format = 3, .epoch = 7, .created_ms = 8};
	struct backend_batch *batch = backend_batch_new();
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct key key;

	assert_int_equal(record_write_meta(&record, &meta), 0);
	key_tenant(&key, KEY_META, 0);
	backend_batch_put(batch, key_bytes(&key), buffer_bytes(&record));
	assert_int_equal(backend_write(fixture->store->backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
}

static void a_store_of_format_3_gets_its_opening_entries_once(void **state)
{
	struct fixture *fixture = *state;
	struct store_ledger_query query = {.tenant = JOB_TENANT_DEFAULT};
	struct job_view running = put_priced(fixture, 600, NULL), done = put_priced(fixture, 500, "red"),
			queued = put_priced(fixture, 400, NULL), failed = put_priced(fixture, 300, NULL);
	struct answer answer;

	move(fixture, &running, JOB_STATE_RUNNING);
	cost(&done, 70, "USD");
	done.status->finished_ms = FIXTURE_NOW;
	move(fixture, &done, JOB_STATE_SUCCEEDED);
	failed.status->finished_ms = FIXTURE_NOW;
	move(fixture, &failed, JOB_STATE_FAILED);
	for (int i = 0; i < 2; i++) {
		/* The second time as after an upgrade that was cut off before its end. */
		make_format_3(fixture);
		fixture_reopen(fixture);
		assert_string_equal(usage_of(fixture, LEDGER_OF_ALL), "0 EUR = r600 s0 j1|0 USD = r0 s70 j1|");
		assert_string_equal(usage_of(fixture, LEDGER_OF_LABEL), "0 USD team=red r0 s70 j1|");
		assert_int_equal(list(fixture, &query).n, 2);
		assert_sound(fixture);
	}
	get_job(fixture, &running.job->ref, &answer);
	assert_int_equal(answer.view.status->money.reserved_micros, 600);
	assert_int_equal(answer.view.status->revision, running.status->revision);
	go(fixture, &answer.view, JOB_STATE_FAILED);
	free_answer(&answer);
	assert_sound(fixture);
	job_view_finish(&running);
	job_view_finish(&done);
	job_view_finish(&queued);
	job_view_finish(&failed);
}

/* Back to the version before in the middle of an upgrade: that one ends jobs and carries along what they hold. */
static void what_an_older_daemon_ended_meanwhile_holds_nothing_any_more(void **state)
{
	struct fixture *fixture = *state;
	struct job_view done = put_priced(fixture, 600, NULL), again = put_priced(fixture, 500, NULL),
			running = put_priced(fixture, 400, NULL);

	go(fixture, &done, JOB_STATE_RUNNING);
	go(fixture, &again, JOB_STATE_STARTING);
	go(fixture, &running, JOB_STATE_RUNNING);
	cost(&done, 70, "EUR");
	done.status->finished_ms = FIXTURE_NOW;
	move(fixture, &done, JOB_STATE_SUCCEEDED);
	move(fixture, &again, JOB_STATE_QUEUED);
	assert_int_equal(check(fixture).leaked, 2);
	for (int i = 0; i < 2; i++) {
		make_format_3(fixture);
		fixture_reopen(fixture);
		assert_string_equal(usage_of(fixture, LEDGER_OF_ALL), "0 EUR = r400 s70 j2|");
		assert_sound(fixture);
	}
	job_view_finish(&done);
	job_view_finish(&again);
	job_view_finish(&running);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_posted_is_counted_by_provider_model_and_label),
		TEST(days_are_shown_one_by_one_or_together),
		TEST(entries_are_listed_in_pages_and_by_job_and_outlive_it),
		TEST(two_commits_of_one_batch_cannot_both_take_the_last_of_a_budget),
		TEST(a_settlement_above_a_budget_is_posted),
		TEST(a_reservation_that_no_sum_holds_is_refused_and_leaves_nothing),
		TEST(whatever_happens_the_ledger_balances),
		TEST(the_check_finds_what_is_wrong),
		TEST(the_check_finds_a_balance_that_is_not_the_sum_of_its_entries),
		TEST(a_record_that_cannot_be_read_is_named_in_the_log),
		TEST(what_would_read_for_long_gives_up_at_the_end),
		TEST(the_check_reads_nothing_but_balances_jobs_and_entries),
		TEST(a_store_of_format_3_gets_its_opening_entries_once),
		TEST(what_an_older_daemon_ended_meanwhile_holds_nothing_any_more),
	};

	return cmocka_run_group_tests_name("store.ledger", tests, NULL, NULL);
}
