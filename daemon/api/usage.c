/*
 * filmgate.v1.UsageService.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/inside.h"
#include "api/text.h"
#include "base/err.h"
#include "base/instant.h"
#include "base/label.h"
#include "base/limits.h"
#include "base/quote.h"

#include <filmgate/v1/usage_service.pb-c.h>

#define GROUP(name) FILMGATE__V1__USAGE_GROUP__USAGE_GROUP_##name

_Static_assert((int)FILMGATE__V1__LEDGER_ENTRY_KIND__LEDGER_ENTRY_KIND_EXCESS == (int)LEDGER_EXCESS, "kinds");
_Static_assert((int)LEDGER_EXCESS + 1 == (int)_LEDGER_KIND_COUNT, "a new kind needs its place in the contract");
_Static_assert((int)FILMGATE__V1__LEDGER_ACCOUNT__LEDGER_ACCOUNT_SPENT == (int)LEDGER_SPENT, "accounts");

static char *date_of(struct arena *arena, uint32_t day)
{
	char *text = arena_need(arena, 16);

	if (day)
		snprintf(text, 16, "%04u-%02u-%02u", day / 10000 % 10000, day / 100 % 100, day % 100);
	else
		*text = '\0';
	return text;
}

static uint64_t amount_of(int64_t micros)
{
	return micros > 0 ? (uint64_t)micros : 0;
}

/* @outcome is the store's, which knows no other trouble here than its own, and has logged which record it is. */
static void fail(struct call *call, int outcome)
{
	static const struct engine_error damaged = {
		.text = "the ledger has a record that cannot be read; the daemon's log says which one, and what to do"};
	static const struct engine_error ending = {.text = "the daemon is shutting down; ask again when it is back"};

	if (outcome == -ECANCELED)
		call_fail_engine(call, ENGINE_E_DRAINING, &ending, RESOURCE_NONE, NULL);
	else if (outcome > 0 || outcome == -EBADMSG)
		call_fail_engine(call, ENGINE_E_STORE, &damaged, RESOURCE_NONE, NULL);
	else
		call_fail_engine(call, outcome, NULL, RESOURCE_NONE, NULL);
}

/* ---- GetUsage ---- */

struct usage {
	struct call *call;
	struct store_usage_query query;
};

/* @fallback for an empty text. */
static uint32_t check_date(const char *field, const char *text, uint32_t fallback, struct violations *violations)
{
	char instant[32];
	int64_t ms;

	if (!*text)
		return fallback;
	snprintf(instant, sizeof(instant), "%.10sT00:00:00Z", text);
	if (strlen(text) == 10 && instant_parse(bytes_of_text(instant), &ms) == 0)
		return ledger_day(ms);
	violations_add(violations, field, "'%.40s' is no day: write it as 2026-11-22",
		       text_clean(violations->arena, text));
	return fallback;
}

static enum ledger_dimension dimension_of(const Filmgate__V1__GetUsageRequest *request, struct violations *violations)
{
	switch (request->group) {
	case GROUP(UNSPECIFIED):
		return LEDGER_OF_ALL;
	case GROUP(PROVIDER):
		return LEDGER_OF_PROVIDER;
	case GROUP(MODEL):
		return LEDGER_OF_MODEL;
	case GROUP(LABEL):
		return LEDGER_OF_LABEL;
	default:
		violations_add(violations, "group", "%d is no group that this daemon knows", (int)request->group);
		return LEDGER_OF_ALL;
	}
}

static void check_usage(const Filmgate__V1__GetUsageRequest *request, int64_t now_ms, struct store_usage_query *query,
			struct violations *violations)
{
	bool needs_label = request->group == GROUP(LABEL);

	query->tenant = JOB_TENANT_DEFAULT;
	query->dimension = dimension_of(request, violations);
	query->by_day = request->by_day;
	query->label = request->label_key;
	query->currency = *request->currency_code ? request->currency_code : NULL;
	query->to = check_date("to_date", request->to_date, ledger_day(now_ms), violations);
	query->from = check_date("from_date", request->from_date, ledger_month(query->to), violations);
	if (needs_label != (*request->label_key != '\0'))
		violations_add(violations, "label_key",
			       needs_label ? "is missing: name the label whose values are to be counted"
					   : "is only for the group LABEL");
	else if (needs_label && !label_is_key(bytes_of_text(request->label_key)))
		violations_add(violations, "label_key",
			       "'%s' is the key of no label; 1 to %d characters of [a-z0-9_./-] are",
			       quote(request->label_key).text, LABEL_KEY_MAX);
	if (violations->n == 0 && query->from > query->to)
		violations_add(violations, "from_date", "is after to_date");
}

static Filmgate__V1__UsageRow *convert_row(struct arena *arena, const struct store_usage *from,
					   enum ledger_dimension dimension)
{
	Filmgate__V1__UsageRow *row = arena_need(arena, sizeof(*row));

	filmgate__v1__usage_row__init(row);
	row->date = date_of(arena, from->day);
	row->currency_code = arena_dup_text(arena, from->currency);
	if (dimension == LEDGER_OF_PROVIDER || dimension == LEDGER_OF_MODEL)
		row->provider = name_of_provider(arena, from->name);
	if (dimension == LEDGER_OF_MODEL)
		row->model = arena_dup_text(arena, from->value);
	if (dimension == LEDGER_OF_LABEL)
		row->label_value = arena_dup_text(arena, from->value);
	row->currency_code = text_clean(arena, row->currency_code);
	row->model = text_clean(arena, row->model);
	row->label_value = text_clean(arena, row->label_value);
	row->reserved_micros = amount_of(from->balance.reserved_micros);
	row->spent_micros = amount_of(from->balance.spent_micros);
	row->excess_micros = amount_of(from->balance.excess_micros);
	row->unconfirmed_micros = amount_of(from->balance.unconfirmed_micros);
	row->purchase_count = amount_of(from->balance.jobs);
	row->unpriced_count = amount_of(from->balance.unpriced_jobs);
	return row;
}

/* [reader thread] */
static void on_usage(void *userdata, int outcome, const struct store_usage *rows, size_t n)
{
	Filmgate__V1__GetUsageResponse response = FILMGATE__V1__GET_USAGE_RESPONSE__INIT;
	struct usage *usage = userdata;
	struct call *call = usage->call;

	if (outcome == STORE_E_TOO_MUCH) {
		call_fail_field(call, "from_date",
				"there are more than %d rows: ask for fewer days, without by_day, for one "
				"currency_code, or group by what has fewer values",
				LIMIT_STORE_USAGE_ROWS);
		return;
	}
	if (outcome == STORE_E_TOO_WIDE) {
		call_fail_field(call, "from_date",
				"more than %d balances lie between these days, however few rows they make: ask for "
				"fewer days at a time and add the answers up, or group by what has fewer values",
				LIMIT_STORE_USAGE_SCAN);
		return;
	}
	if (outcome) {
		fail(call, outcome);
		return;
	}
	response.rows = arena_need_pointers(&call->arena, n);
	for (size_t i = 0; i < n; i++)
		response.rows[response.n_rows++] = convert_row(&call->arena, &rows[i], usage->query.dimension);
	call_reply(call, &response.base);
}

void handle_get_usage(struct call *call, const void *message)
{
	struct usage *usage = arena_need(&call->arena, sizeof(*usage));
	struct violations violations = {.arena = &call->arena};

	*usage = (struct usage){.call = call};
	check_usage(message, clock_utc_ms(call->api->clock), &usage->query, &violations);
	if (!call_refuse(call, &violations))
		engine_get_usage(call->api->engine, &usage->query, on_usage, usage);
}

/* ---- ListLedgerEntries ---- */

static Filmgate__V1__LedgerEntry *convert_entry(struct arena *arena, const struct ledger_entry *from)
{
	Filmgate__V1__LedgerEntry *entry = arena_need(arena, sizeof(*entry));

	filmgate__v1__ledger_entry__init(entry);
	entry->sequence = from->sequence;
	entry->create_time = timestamp_of(arena, from->time_ms);
	entry->kind = (Filmgate__V1__LedgerEntryKind)from->kind;
	entry->debit = (Filmgate__V1__LedgerAccount)from->debit;
	entry->credit = (Filmgate__V1__LedgerAccount)from->credit;
	entry->amount_micros = amount_of(from->amount_micros);
	entry->currency_code = text_clean(arena, from->currency);
	entry->date = date_of(arena, from->day);
	entry->job = name_of_job(arena, &from->ref.id);
	entry->attempt = from->attempt;
	entry->provider = name_of_provider(arena, from->provider);
	entry->model = text_clean(arena, from->model);
	entry->unpriced = from->flags & LEDGER_IS_UNPRICED;
	entry->unconfirmed = from->flags & LEDGER_IS_UNCONFIRMED;
	return entry;
}

/* [reader thread] */
static void on_entries(void *userdata, int outcome, const struct ledger_entry *entries, size_t n, bool more)
{
	Filmgate__V1__ListLedgerEntriesResponse response = FILMGATE__V1__LIST_LEDGER_ENTRIES_RESPONSE__INIT;
	struct call *call = userdata;

	if (outcome) {
		fail(call, outcome);
		return;
	}
	response.entries = arena_need_pointers(&call->arena, n);
	for (size_t i = 0; i < n; i++)
		response.entries[response.n_entries++] = convert_entry(&call->arena, &entries[i]);
	response.more = more;
	call_reply(call, &response.base);
}

void handle_list_ledger_entries(struct call *call, const void *message)
{
	const Filmgate__V1__ListLedgerEntriesRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	struct store_ledger_query query = {.tenant = JOB_TENANT_DEFAULT, .after = request->after_sequence};

	query.ref.tenant = JOB_TENANT_DEFAULT;
	query.is_single = *request->job != '\0';
	if (query.is_single)
		check_job_name("job", request->job, &violations, &query.ref.id);
	if (request->page_size < 0)
		violations_add(&violations, "page_size", "%d is negative", request->page_size);
	query.limit = request->page_size == 0                 ? LIMIT_RPC_PAGE_DEFAULT
		      : request->page_size > LIMIT_STORE_PAGE ? LIMIT_STORE_PAGE
							      : (uint32_t)request->page_size;
	if (query.after == UINT64_MAX)
		violations_add(&violations, "after_sequence", "is no sequence of an entry");
	if (!call_refuse(call, &violations))
		engine_list_ledger(call->api->engine, &query, on_entries, call);
}

/* ---- CheckLedger ---- */

/* [reader thread], or the caller's */
static void on_checked(void *userdata, int outcome, const struct engine_error *error,
		       const struct store_ledger_check *found)
{
	Filmgate__V1__CheckLedgerResponse response = FILMGATE__V1__CHECK_LEDGER_RESPONSE__INIT;

	if (outcome) {
		call_fail_engine(userdata, outcome, error, RESOURCE_NONE, NULL);
		return;
	}
	response.entry_count = found->entries;
	response.job_count = found->jobs;
	response.unbalanced_count = found->unbalanced;
	response.leaked_count = found->leaked;
	call_reply(userdata, &response.base);
}

void handle_check_ledger(struct call *call, const void *message)
{
	(void)message;
	engine_check_ledger(call->api->engine, JOB_TENANT_DEFAULT, on_checked, call);
}
