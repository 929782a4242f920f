#include "job/ledger.h"

#include "base/err.h"

uint32_t ledger_day(int64_t utc_ms)
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm tm = {0};

	gmtime_r(&seconds, &tm);
	return (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday);
}

uint32_t ledger_month(uint32_t day)
{
	return day - day % 100 + 1;
}

bool ledger_state_holds(enum job_state state)
{
	return state == JOB_STATE_STARTING || state == JOB_STATE_RUNNING || state == JOB_STATE_STORING ||
	       state == JOB_STATE_UNCERTAIN;
}

/* ---- a job's entries ---- */

static const struct {
	enum ledger_account debit, credit;
} moves[] = {
	[LEDGER_RESERVE] = {LEDGER_RESERVED, LEDGER_BUDGET},
	[LEDGER_SETTLE] = {LEDGER_SPENT, LEDGER_RESERVED},
	[LEDGER_RELEASE] = {LEDGER_BUDGET, LEDGER_RESERVED},
	[LEDGER_EXCESS] = {LEDGER_SPENT, LEDGER_BUDGET},
};

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static struct ledger_entry *add(struct ledger_entries *to, const struct job *job, const struct job_status *status,
				int64_t now_ms)
{
	const struct job_money *money = &status->money;
	struct ledger_entry *entry = &to->all[to->n++];

	*entry = (struct ledger_entry){
		.time_ms = now_ms,
		.day = money->day,
		.ref = job->ref,
		.attempt = money->attempt,
		.provider = job->provider,
		.model = job->model,
		.currency = text_of(money->currency),
		.labels = money->has_labels ? money->labels : status->labels,
		.n_labels = money->has_labels ? money->n_labels : status->n_labels,
	};
	return entry;
}

static struct ledger_entry *move(struct ledger_entries *to, const struct job *job, const struct job_status *status,
				 int64_t now_ms, enum ledger_kind kind, int64_t amount_micros)
{
	struct ledger_entry *entry = add(to, job, status, now_ms);

	entry->kind = kind;
	entry->debit = moves[kind].debit;
	entry->credit = moves[kind].credit;
	entry->amount_micros = amount_micros;
	if (status->money.is_unpriced)
		entry->flags |= LEDGER_IS_UNPRICED;
	return entry;
}

bool ledger_has_price(const struct job_quote *quote)
{
	return (quote->kind == JOB_QUOTE_EXACT || quote->kind == JOB_QUOTE_ESTIMATE) && quote->amount_micros >= 0;
}

/* What is known beforehand of what the purchase will cost, with nothing settled of it. */
static int hold(const struct job *job, struct job_status *status, int64_t sent_ms)
{
	const struct job_attempt *attempt = job_current_attempt(status);
	struct job_money *money = &status->money;
	int r = job_set_text(&money->currency, job->quote.currency);

	if (r < 0)
		return err_trace(r);
	money->settlement = JOB_SETTLEMENT_PENDING;
	money->attempt = attempt ? attempt->number : 0;
	money->day = ledger_day(sent_ms);
	money->is_unpriced = !ledger_has_price(&job->quote);
	money->reserved_micros = money->is_unpriced ? 0 : job->quote.amount_micros;
	money->settled_micros = money->excess_micros = 0;
	money->is_unconfirmed = false;
	money->awaited_until_ms = 0;
	job_drop_money_labels(status);
	return 0;
}

static int reserve(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	int r = hold(job, status, now_ms);

	if (r == 0)
		move(ret, job, status, now_ms, LEDGER_RESERVE, status->money.reserved_micros);
	return r;
}

static void release(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	struct job_money *money = &status->money;

	move(ret, job, status, now_ms, LEDGER_RELEASE, money->reserved_micros)->flags |= LEDGER_IS_WHOLE;
	money->reserved_micros = 0;
	money->settlement = JOB_SETTLEMENT_NONE;
}

/* Nobody says what it cost: the money may be gone, so it counts as gone. */
static void settle_unknown(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	struct job_money *money = &status->money;

	move(ret, job, status, now_ms, LEDGER_SETTLE, money->reserved_micros)->flags |= LEDGER_IS_UNCONFIRMED;
	money->settled_micros = money->reserved_micros;
	money->is_unconfirmed = true;
}

static void settle_known(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	struct job_money *money = &status->money;
	int64_t cost = status->cost.amount_micros, held = money->reserved_micros;
	uint32_t flags = status->cost.is_provisional ? LEDGER_IS_UNCONFIRMED : 0;

	move(ret, job, status, now_ms, LEDGER_SETTLE, cost < held ? cost : held)->flags |= flags;
	if (cost < held)
		move(ret, job, status, now_ms, LEDGER_RELEASE, held - cost);
	if (cost > held)
		move(ret, job, status, now_ms, LEDGER_EXCESS, cost - held)->flags |= flags;
	money->excess_micros = cost > held ? cost - held : 0;
	money->settled_micros = cost;
	money->is_unconfirmed = flags != 0;
}

/* It was quoted in one currency and cost another one: nothing of the first is left, nothing of the second was reserved.
 */
static int settle_other(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	struct job_money *money = &status->money;
	struct ledger_entry *entry;
	int r = job_set_text(&money->currency, status->cost.currency);

	if (r < 0)
		return err_trace(r);
	release(job, status, now_ms, ret);
	ret->all[0].currency = text_of(job->quote.currency);
	entry = move(ret, job, status, now_ms, LEDGER_EXCESS, status->cost.amount_micros);
	entry->flags = LEDGER_IS_WHOLE | (status->cost.is_provisional ? LEDGER_IS_UNCONFIRMED : 0);
	money->settled_micros = money->excess_micros = status->cost.amount_micros;
	money->is_unconfirmed = status->cost.is_provisional;
	return 0;
}

int ledger_settle(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	const struct job_cost *cost = &status->cost;
	struct job_money *money = &status->money;
	int r = 0;

	ret->n = 0;
	if (money->settlement != JOB_SETTLEMENT_PENDING)
		return 0;
	if (cost->source == JOB_COST_NONE || cost->amount_micros < 0)
		settle_unknown(job, status, now_ms, ret);
	else if (strcmp(text_of(cost->currency), text_of(money->currency)) == 0)
		settle_known(job, status, now_ms, ret);
	else
		r = settle_other(job, status, now_ms, ret);
	if (r < 0)
		return r;
	money->reserved_micros = 0;
	money->awaited_until_ms = 0;
	money->settlement = JOB_SETTLEMENT_FINAL;
	return 0;
}

/* In the attempt that has ended, while the job goes on. */
static bool has_attempt_bought(const struct job_status *status)
{
	const struct job_attempt *attempt = job_current_attempt(status);

	return attempt && attempt->ended_ms && attempt->failure.purchase != JOB_PURCHASE_NOTHING;
}

/* Although nobody knows that of an earlier one, which was settled when it ended. */
static bool has_attempt_bought_nothing(const struct job_status *status)
{
	const struct job_attempt *attempt = job_current_attempt(status);

	return attempt && attempt->ended_ms && attempt->failure.purchase == JOB_PURCHASE_NOTHING;
}

int ledger_follow(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	bool is_held = status->money.settlement == JOB_SETTLEMENT_PENDING;
	bool is_free = status->cost.source == JOB_COST_NOTHING;

	ret->n = 0;
	/* What was bought elsewhere was paid for elsewhere. */
	if (job->is_adopted)
		return 0;
	if (ledger_state_holds(status->state))
		return is_held ? 0 : reserve(job, status, now_ms, ret);
	if (!is_held || (job_state_is_terminal(status->state) && status->money.awaited_until_ms))
		return 0;
	if (!job_state_is_terminal(status->state))
		is_free = !has_attempt_bought(status);
	else if (status->cost.source == JOB_COST_NONE)
		is_free = has_attempt_bought_nothing(status);
	if (!is_free)
		return ledger_settle(job, status, now_ms, ret);
	release(job, status, now_ms, ret);
	return 0;
}

/* ---- of a job that is older ---- */

static int64_t first_sent_ms(const struct job_status *status)
{
	const struct job_attempt *attempt = job_current_attempt(status);

	for (size_t i = 0; attempt && i < status->n_sends; i++)
		if (status->sends[i].attempt == attempt->number && status->sends[i].created_ms > 0)
			return status->sends[i].created_ms;
	return status->updated_ms;
}

static void open_with(struct ledger_entries *to, const struct job *job, const struct job_status *status, int64_t now_ms,
		      enum ledger_account debit)
{
	bool is_spent = debit == LEDGER_SPENT;
	struct ledger_entry *entry = move(to, job, status, now_ms, LEDGER_RESERVE, 0);

	entry->kind = LEDGER_OPENING;
	entry->debit = debit;
	entry->amount_micros = is_spent ? status->money.settled_micros : status->money.reserved_micros;
	if (status->money.is_unconfirmed)
		entry->flags |= LEDGER_IS_UNCONFIRMED;
}

static int open_ended(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	int r;

	if (status->cost.source == JOB_COST_NONE || status->cost.source == JOB_COST_NOTHING ||
	    status->cost.amount_micros < 0)
		return 0;
	r = hold(job, status, status->finished_ms);
	if (r == 0)
		r = job_set_text(&status->money.currency, status->cost.currency);
	if (r < 0)
		return err_trace(r);
	status->money.settlement = JOB_SETTLEMENT_FINAL;
	status->money.reserved_micros = 0;
	status->money.is_unpriced = false;
	status->money.settled_micros = status->cost.amount_micros;
	status->money.is_unconfirmed = status->cost.is_provisional;
	open_with(ret, job, status, now_ms, LEDGER_SPENT);
	return 0;
}

int ledger_open(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret)
{
	int r;

	ret->n = 0;
	/* An upgrade that was cut off, and then a daemon without a ledger that went on: it moved jobs and posted nothing. */
	if (status->money.settlement == JOB_SETTLEMENT_PENDING)
		return ledger_follow(job, status, now_ms, ret);
	if (status->money.settlement != JOB_SETTLEMENT_NONE)
		return 0;
	if (job_state_is_terminal(status->state))
		return open_ended(job, status, now_ms, ret);
	if (!ledger_state_holds(status->state))
		return 0;
	r = hold(job, status, first_sent_ms(status));
	if (r == 0)
		open_with(ret, job, status, now_ms, LEDGER_RESERVED);
	return r;
}

int ledger_keep_labels(struct job_status *status)
{
	if (status->money.settlement != JOB_SETTLEMENT_PENDING || status->money.has_labels)
		return 0;
	return job_copy_money_labels(status);
}

/* ---- balances ---- */

static bool add_to(int64_t *sum, int64_t more)
{
	return !__builtin_add_overflow(*sum, more, sum);
}

/* How many purchases more there are, and how many whose amount is not known. */
static void count_jobs(const struct ledger_entry *entry, int64_t *ret_jobs, int64_t *ret_unpriced)
{
	int64_t unpriced = entry->flags & LEDGER_IS_UNPRICED ? 1 : 0;
	bool is_whole = entry->flags & LEDGER_IS_WHOLE, is_unknown = entry->flags & LEDGER_IS_UNCONFIRMED;

	*ret_jobs = *ret_unpriced = 0;
	if (entry->kind == LEDGER_OPENING || entry->kind == LEDGER_RESERVE) {
		*ret_jobs = 1;
		*ret_unpriced = unpriced;
	} else if (entry->kind == LEDGER_RELEASE && is_whole) {
		*ret_jobs = -1;
		*ret_unpriced = -unpriced;
	} else if (entry->kind == LEDGER_SETTLE && !is_unknown) {
		*ret_unpriced = -unpriced;
	} else if (entry->kind == LEDGER_EXCESS && is_whole) {
		*ret_jobs = 1;
	}
}

bool ledger_add(struct ledger_balance *balance, const struct ledger_entry *entry)
{
	struct ledger_balance more = {0};

	count_jobs(entry, &more.jobs, &more.unpriced_jobs);
	if (entry->debit == LEDGER_RESERVED)
		more.reserved_micros = entry->amount_micros;
	if (entry->credit == LEDGER_RESERVED)
		more.reserved_micros = -entry->amount_micros;
	if (entry->debit == LEDGER_SPENT) {
		more.spent_micros = entry->amount_micros;
		more.excess_micros = entry->kind == LEDGER_EXCESS ? entry->amount_micros : 0;
		more.unconfirmed_micros = entry->flags & LEDGER_IS_UNCONFIRMED ? entry->amount_micros : 0;
	}
	return ledger_join(balance, &more);
}

bool ledger_join(struct ledger_balance *to, const struct ledger_balance *more)
{
	struct ledger_balance sum = *to;
	int64_t used;

	if (!add_to(&sum.reserved_micros, more->reserved_micros) || !add_to(&sum.spent_micros, more->spent_micros) ||
	    !add_to(&sum.excess_micros, more->excess_micros) ||
	    !add_to(&sum.unconfirmed_micros, more->unconfirmed_micros) || !add_to(&sum.jobs, more->jobs) ||
	    !add_to(&sum.unpriced_jobs, more->unpriced_jobs) ||
	    __builtin_add_overflow(sum.reserved_micros, sum.spent_micros, &used))
		return false;
	*to = sum;
	return true;
}

int64_t ledger_used(const struct ledger_balance *balance)
{
	int64_t used;

	return __builtin_add_overflow(balance->reserved_micros, balance->spent_micros, &used) ? INT64_MAX : used;
}

bool ledger_scope_at(const struct ledger_entry *entry, size_t n, struct ledger_scope *ret)
{
	enum ledger_period period = n % 2 ? LEDGER_PER_MONTH : LEDGER_PER_DAY;
	size_t at = n / 2;

	if (at >= 3 + entry->n_labels)
		return false;
	*ret = (struct ledger_scope){
		.dimension = at < 3 ? (enum ledger_dimension)(LEDGER_OF_ALL + at) : LEDGER_OF_LABEL,
		.period = period,
		.start = period == LEDGER_PER_DAY ? entry->day : ledger_month(entry->day),
		.currency = entry->currency,
		.name = at == 0  ? ""
			: at < 3 ? entry->provider
				 : entry->labels[at - 3].key,
		.value = at < 2    ? ""
			 : at == 2 ? entry->model
				   : entry->labels[at - 3].value,
	};
	return true;
}

const char *ledger_kind_name(enum ledger_kind kind)
{
	static const char *const names[_LEDGER_KIND_COUNT] = {
		[LEDGER_OPENING] = "opening", [LEDGER_RESERVE] = "reserve", [LEDGER_SETTLE] = "settle",
		[LEDGER_RELEASE] = "release", [LEDGER_EXCESS] = "excess",
	};

	return kind > 0 && kind < _LEDGER_KIND_COUNT ? names[kind] : "unknown";
}
