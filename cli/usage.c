/*
 * filmgate usage, filmgate ledger: what was reserved and spent, and the entries that it comes from.
 */
#include "cli.h"
#include "commands.h"
#include "document.h"
#include "field.h"
#include "grid.h"
#include "money.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/decimal.h"
#include "base/err.h"

#include <filmgate/v1/usage_service.pb-c.h>

#define GROUP(name) FILMGATE__V1__USAGE_GROUP__USAGE_GROUP_##name
#define PAGE_MAX 1000
#define LIMIT_DEFAULT 50
#define COLUMNS 11

static const struct grid_column columns[COLUMNS] = {
	{"DATE", false},        {"PROVIDER", false},  {"MODEL", true},     {"LABEL", true},
	{"CURRENCY", false},    {"SPENT", false},     {"RESERVED", false}, {"ABOVE QUOTE", false},
	{"UNCONFIRMED", false}, {"PURCHASES", false}, {"UNPRICED", false},
};
static const char *const names[COLUMNS] = {"date",     "provider",    "model",       "label",     "currency", "spent",
					   "reserved", "above_quote", "unconfirmed", "purchases", "unpriced"};

/* What a row says, in the order of the columns. */
struct cells {
	char numbers[COLUMNS][DECIMAL_TEXT_SIZE];
	const char *texts[COLUMNS];
};

static void put_amount(struct cells *cells, size_t at, uint64_t micros)
{
	decimal_format(micros <= INT64_MAX ? (int64_t)micros : INT64_MAX, 6, cells->numbers[at]);
	cells->texts[at] = cells->numbers[at];
}

static void put_count(struct cells *cells, size_t at, uint64_t count)
{
	snprintf(cells->numbers[at], sizeof(cells->numbers[at]), "%llu", (unsigned long long)count);
	cells->texts[at] = cells->numbers[at];
}

static void fill_cells(struct cells *cells, const Filmgate__V1__UsageRow *row)
{
	const char *slash = strchr(row->provider, '/');

	cells->texts[0] = row->date;
	cells->texts[1] = slash ? slash + 1 : row->provider;
	cells->texts[2] = row->model;
	cells->texts[3] = row->label_value;
	cells->texts[4] = row->currency_code;
	put_amount(cells, 5, row->spent_micros);
	put_amount(cells, 6, row->reserved_micros);
	put_amount(cells, 7, row->excess_micros);
	put_amount(cells, 8, row->unconfirmed_micros);
	put_count(cells, 9, row->purchase_count);
	put_count(cells, 10, row->unpriced_count);
}

/* RFC 4180. A spreadsheet takes what begins with these for a formula; a label is anybody's text. */
static void print_csv_text(const char *text)
{
	bool is_formula = *text && strchr("=+-@\t\r", *text);

	if (!is_formula && !strpbrk(text, ",\"\r\n")) {
		fputs(text, stdout);
		return;
	}
	fputs(is_formula ? "\"'" : "\"", stdout);
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void print_csv(const Filmgate__V1__GetUsageResponse *reply)
{
	for (size_t i = 0; i < COLUMNS; i++)
		printf("%s%s", i ? "," : "", names[i]);
	fputs("\r\n", stdout);
	for (size_t n = 0; n < reply->n_rows; n++) {
		struct cells cells;

		fill_cells(&cells, reply->rows[n]);
		for (size_t i = 0; i < COLUMNS; i++) {
			if (i)
				putchar(',');
			print_csv_text(cells.texts[i]);
		}
		fputs("\r\n", stdout);
	}
}

static enum exit_code print_json(const Filmgate__V1__GetUsageResponse *reply)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node list;

	if (!json)
		return EXIT_FAILED;
	list = json_array(json);
	for (size_t i = 0; i < reply->n_rows; i++)
		json_append(json, list, document_of_message(json, &reply->rows[i]->base));
	if (document_print(json, list, DOCUMENT_LAYOUT_INDENTED, stdout) == 0)
		return EXIT_OK;
	say_error("cannot write the daemon's reply as JSON");
	return EXIT_FAILED;
}

static enum exit_code print_lines(const Filmgate__V1__GetUsageResponse *reply)
{
	enum exit_code code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && i < reply->n_rows; i++)
		code = render_document(&reply->rows[i]->base, DOCUMENT_LAYOUT_LINE);
	return code;
}

/* Columns that say nothing of anything are left out. */
static enum exit_code print_table(const Filmgate__V1__GetUsageResponse *reply,
				  const Filmgate__V1__GetUsageRequest *asked)
{
	const bool is_shown[COLUMNS] = {asked->by_day,
					asked->group == GROUP(PROVIDER) || asked->group == GROUP(MODEL),
					asked->group == GROUP(MODEL),
					asked->group == GROUP(LABEL),
					true,
					true,
					true,
					true,
					true,
					true,
					true};
	struct grid_column shown[COLUMNS];
	_cleanup_(grid_freep) struct grid *grid = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		if (is_shown[i])
			shown[n++] = columns[i];
	grid = grid_new(shown, n);
	for (size_t k = 0; grid && r == 0 && k < reply->n_rows; k++) {
		_cleanup_(buffer_finish) struct buffer model = {0}, label = {0};
		const char *texts[COLUMNS];
		struct cells cells;

		fill_cells(&cells, reply->rows[k]);
		if (buffer_append_text(&model, cells.texts[2]) || buffer_append_text(&label, cells.texts[3]))
			return EXIT_FAILED;
		say_make_safe(model.data);
		say_make_safe(label.data);
		cells.texts[2] = model.data;
		cells.texts[3] = label.data;
		n = 0;
		for (size_t i = 0; i < COLUMNS; i++)
			if (is_shown[i])
				texts[n++] = cells.texts[i];
		r = grid_add(grid, texts, 0, NULL);
	}
	if (!grid || r)
		return EXIT_FAILED;
	grid_print(grid);
	if (reply->n_rows == 0)
		say_note("nothing was reserved or spent in that time");
	return EXIT_OK;
}

static bool read_group(const char *word, size_t len, Filmgate__V1__GetUsageRequest *request)
{
	if (request->group)
		return false;
	if (len == 8 && !strncmp(word, "provider", 8))
		request->group = GROUP(PROVIDER);
	else if (len == 5 && !strncmp(word, "model", 5))
		request->group = GROUP(MODEL);
	else if (len > 6 && !strncmp(word, "label:", 6)) {
		request->group = GROUP(LABEL);
		request->label_key = strndup(word + 6, len - 6);
	}
	return request->group && request->label_key;
}

/* "day,provider": the request's fields; false, said, when it is something else. */
static bool read_groups(const char *by, Filmgate__V1__GetUsageRequest *request)
{
	for (const char *word = by; word && *word;) {
		size_t len = strcspn(word, ",");

		if (len == 3 && !strncmp(word, "day", 3)) {
			request->by_day = true;
		} else if (!read_group(word, len, request)) {
			say_error("'%s' is nothing to count by; write day, and one of provider, model and label:KEY, "
				  "with a comma between",
				  by);
			return false;
		}
		word += len + (word[len] == ',');
	}
	return true;
}

static void forget_label(Filmgate__V1__GetUsageRequest *request)
{
	if (request->group == GROUP(LABEL))
		free(request->label_key);
}

enum exit_code command_usage(struct cli *cli)
{
	enum { TABLE, JSON, JSONL, CSV };
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__GetUsageRequest request = FILMGATE__V1__GET_USAGE_REQUEST__INIT;
	const Filmgate__V1__GetUsageResponse *reply;
	int64_t format = arguments_number(&cli->arguments, OPTION_FORMAT, TABLE);
	enum exit_code code;

	if (!read_groups(arguments_text(&cli->arguments, OPTION_BY), &request)) {
		forget_label(&request);
		return EXIT_USAGE;
	}
	if (arguments_has(&cli->arguments, OPTION_FROM))
		request.from_date = (char *)(uintptr_t)arguments_text(&cli->arguments, OPTION_FROM);
	if (arguments_has(&cli->arguments, OPTION_TO))
		request.to_date = (char *)(uintptr_t)arguments_text(&cli->arguments, OPTION_TO);
	code = cli_ask(cli, &filmgate__v1__usage_service__descriptor, "GetUsage", &request.base,
		       "cannot read the usage", &message);
	forget_label(&request);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	if (format == CSV)
		print_csv(reply);
	return format == CSV     ? EXIT_OK
	       : format == JSON  ? print_json(reply)
	       : format == JSONL ? print_lines(reply)
				 : print_table(reply, &request);
}

/* ---- the ledger ---- */

/* The daemon reads all jobs there are. */
#define CHECK_DEADLINE_MS (2 * INT64_C(3600000))

static enum exit_code check(struct cli *cli)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__CheckLedgerRequest request = FILMGATE__V1__CHECK_LEDGER_REQUEST__INIT;
	const Filmgate__V1__CheckLedgerResponse *found;
	enum exit_code code;

	cli->deadline_ms = CHECK_DEADLINE_MS;
	code = cli_ask(cli, &filmgate__v1__usage_service__descriptor, "CheckLedger", &request.base,
		       "cannot check the ledger", &message);
	if (code != EXIT_OK)
		return code;
	found = (const void *)message;
	if (!render_for_programs(arguments_format(&cli->arguments), &found->base, "ledger", &code))
		render_line("%llu entries, %llu jobs: %llu currencies out of balance, %llu reservations leaked",
			    (unsigned long long)found->entry_count, (unsigned long long)found->job_count,
			    (unsigned long long)found->unbalanced_count, (unsigned long long)found->leaked_count);
	return code == EXIT_OK && (found->unbalanced_count || found->leaked_count) ? EXIT_FAILED : code;
}

static int add_entry(struct grid *grid, const Filmgate__V1__LedgerEntry *entry)
{
	_cleanup_(buffer_finish) struct buffer amount = {0};
	char kind[FIELD_NAME_SIZE], debit[FIELD_NAME_SIZE], credit[FIELD_NAME_SIZE], sequence[24];

	field_enum_word(&filmgate__v1__ledger_entry_kind__descriptor, (int)entry->kind, kind);
	field_enum_word(&filmgate__v1__ledger_account__descriptor, (int)entry->debit, debit);
	field_enum_word(&filmgate__v1__ledger_account__descriptor, (int)entry->credit, credit);
	snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)entry->sequence);
	/* What it came to nobody has said: it is not nothing. */
	if (entry->kind == FILMGATE__V1__LEDGER_ENTRY_KIND__LEDGER_ENTRY_KIND_SETTLE && entry->unpriced &&
	    entry->unconfirmed && !entry->amount_micros)
		buffer_append_text(&amount, "not known");
	else
		money_amount(entry->amount_micros, entry->currency_code, &amount);
	say_make_safe(amount.data);
	return grid_add(grid,
			(const char *const[]){sequence, entry->date, kind, credit, debit, amount.data,
					      entry->unconfirmed ? "not confirmed"
					      : entry->unpriced  ? "no price known"
								 : "",
					      cli_short_name(entry->job)},
			0, NULL);
}

static enum exit_code show_entry(enum output_format format, struct grid *grid, const Filmgate__V1__LedgerEntry *entry,
				 bool is_first)
{
	if (format == FORMAT_TABLE)
		return add_entry(grid, entry) ? EXIT_FAILED : EXIT_OK;
	if (format == FORMAT_NAME) {
		printf("%llu\n", (unsigned long long)entry->sequence);
		return EXIT_OK;
	}
	if (format == FORMAT_JSON)
		fputs(is_first ? "[\n" : ",\n", stdout);
	return render_document(&entry->base, format == FORMAT_JSON ? DOCUMENT_LAYOUT_INDENTED : DOCUMENT_LAYOUT_LINE);
}

static enum exit_code list(struct cli *cli, char *job, struct grid *grid)
{
	uint64_t most = (uint64_t)arguments_number(&cli->arguments, OPTION_LIMIT, LIMIT_DEFAULT), count = 0, last = 0;
	enum output_format format = arguments_format(&cli->arguments);
	enum exit_code code = EXIT_OK;
	bool has_more = true;

	while (code == EXIT_OK && has_more && (!most || count < most) && !ferror(stdout)) {
		_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
		Filmgate__V1__ListLedgerEntriesRequest request = FILMGATE__V1__LIST_LEDGER_ENTRIES_REQUEST__INIT;
		uint64_t left = most ? most - count : PAGE_MAX;
		const Filmgate__V1__ListLedgerEntriesResponse *page;

		if (job)
			request.job = job;
		request.page_size = (int32_t)(left < PAGE_MAX ? left : PAGE_MAX);
		request.after_sequence = last;
		code = cli_ask(cli, &filmgate__v1__usage_service__descriptor, "ListLedgerEntries", &request.base,
			       "cannot list the ledger", &message);
		if (code != EXIT_OK)
			return code;
		page = (const void *)message;
		for (size_t i = 0; code == EXIT_OK && i < page->n_entries; i++) {
			code = show_entry(format, grid, page->entries[i], count++ == 0);
			last = page->entries[i]->sequence;
		}
		has_more = page->more && page->n_entries;
	}
	if (code == EXIT_OK && format == FORMAT_JSON)
		fputs(count ? "]\n" : "[]\n", stdout);
	if (code == EXIT_OK && format == FORMAT_TABLE)
		grid_print(grid);
	if (code == EXIT_OK && has_more)
		say_note("there are more; --limit N shows as many, --limit 0 all");
	return code;
}

enum exit_code command_ledger(struct cli *cli)
{
	static const struct grid_column of_entries[] = {{"NO", false},   {"DAY", false}, {"WHAT", false},
							{"FROM", false}, {"TO", false},  {"AMOUNT", false},
							{"NOTE", true},  {"JOB", false}};
	_cleanup_(grid_freep) struct grid *grid = grid_new(of_entries, sizeof(of_entries) / sizeof(of_entries[0]));
	_cleanup_(freep) char *job = NULL;

	if (!grid)
		return EXIT_FAILED;
	if (arguments_has(&cli->arguments, OPTION_CHECK))
		return check(cli);
	if (cli->arguments.n_operands) {
		job = cli_job_name(cli->arguments.operands[0]);
		if (!job)
			return EXIT_USAGE;
	}
	return list(cli, job, grid);
}
