#include "cli.h"
#include "commands.h"
#include "grid.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/err.h"

#include <filmgate/v1/orphan_service.pb-c.h>

#define LIMIT_DEFAULT 50
#define PAGE_MAX 1000

struct printer {
	enum output_format format;
	struct grid *grid;
	uint64_t count, most; /* most 0: all */
	uint64_t unusable;
};

static const struct grid_column columns[] = {
	{"REMOTE ID", false}, {"MADE", false}, {"STATE", false}, {"TITLE", true}, {"NOTE", true}};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int add_note(struct buffer *cell, const Filmgate__V1__Orphan *orphan)
{
	int r = buffer_append_text(cell, "");

	if (r == 0 && *orphan->deleted_job)
		r = buffer_printf(cell, "was %s, deleted here", orphan->deleted_job);
	if (r == 0 && *orphan->maybe_job)
		r = buffer_printf(cell, "%smaybe of %s", *orphan->deleted_job ? "; " : "", orphan->maybe_job);
	return r;
}

/* Cells come from a stranger. */
static int add_row(struct grid *grid, const Filmgate__V1__Orphan *orphan)
{
	struct buffer cells[COLUMNS] = {{0}};
	const char *texts[COLUMNS];
	int r = buffer_append_text(&cells[0], orphan->remote_id);

	if (r == 0)
		r = buffer_append_text(
			&cells[1], orphan->create_time ? words_of_local_time(orphan->create_time->seconds).text : "");
	if (r == 0)
		r = buffer_append_text(&cells[2], orphan->remote_state);
	if (r == 0)
		r = buffer_append_text(&cells[3], orphan->title);
	if (r == 0)
		r = add_note(&cells[4], orphan);
	for (size_t i = 0; r == 0 && i < COLUMNS; i++) {
		say_make_safe(cells[i].data);
		texts[i] = cells[i].data;
	}
	if (r == 0)
		r = grid_add(grid, texts, 0, NULL);
	for (size_t i = 0; i < COLUMNS; i++)
		buffer_finish(&cells[i]);
	return r;
}

static enum exit_code print_orphan(struct printer *printer, const Filmgate__V1__Orphan *orphan)
{
	printer->count++;
	switch (printer->format) {
	case FORMAT_NAME:
		render_line("%s", orphan->remote_id);
		return EXIT_OK;
	case FORMAT_JSON:
		fputs(printer->count == 1 ? "[\n" : ",\n", stdout);
		return render_document(&orphan->base, DOCUMENT_LAYOUT_INDENTED);
	case FORMAT_JSONL:
		return render_document(&orphan->base, DOCUMENT_LAYOUT_LINE);
	case FORMAT_TABLE:
		break;
	}
	if (add_row(printer->grid, orphan) == 0)
		return EXIT_OK;
	say_error("%s", strerror(ENOMEM));
	return EXIT_FAILED;
}

static void print_end(const struct printer *printer, bool has_more)
{
	if (printer->format == FORMAT_JSON)
		fputs(printer->count ? "]\n" : "[]\n", stdout);
	if (printer->format == FORMAT_TABLE)
		grid_print(printer->grid);
	if (printer->count == 0 && !has_more)
		say_note("every video in the account is a job's");
	if (has_more)
		say_note("there may be more; --limit N shows as many, --limit 0 all");
	if (printer->unusable)
		say_note("%llu have no id that the provider can be asked about, and are left out",
			 (unsigned long long)printer->unusable);
}

static enum exit_code print_page(struct cli *cli, struct printer *printer, Filmgate__V1__ListOrphansRequest *request,
				 char **token)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	const Filmgate__V1__ListOrphansResponse *page;
	uint64_t left = printer->most ? printer->most - printer->count : PAGE_MAX;
	enum exit_code code;

	request->page_size = (int32_t)(left < PAGE_MAX ? left : PAGE_MAX);
	if (*token)
		request->page_token = *token;
	code = cli_ask(cli, &filmgate__v1__orphan_service__descriptor, "ListOrphans", &request->base,
		       "cannot list what no job owns", &message);
	if (code != EXIT_OK)
		return code;
	page = (const void *)message;
	printer->unusable += page->unusable_count;
	for (size_t i = 0; code == EXIT_OK && i < page->n_orphans; i++)
		code = print_orphan(printer, page->orphans[i]);
	return cli_next_page(code, page->next_page_token, token);
}

enum exit_code command_orphans(struct cli *cli)
{
	_cleanup_(freep) char *name = cli_provider_name(cli->arguments.operands[0]);
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, COLUMNS);
	_cleanup_(freep) char *token = NULL;
	Filmgate__V1__ListOrphansRequest request = FILMGATE__V1__LIST_ORPHANS_REQUEST__INIT;
	struct printer printer = {
		.format = arguments_format(&cli->arguments),
		.grid = grid,
		.most = (uint64_t)arguments_number(&cli->arguments, OPTION_LIMIT, LIMIT_DEFAULT),
	};
	enum exit_code code;

	if (!name)
		return EXIT_USAGE;
	if (!grid)
		return EXIT_FAILED;
	cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	request.provider = name;
	do
		code = print_page(cli, &printer, &request, &token);
	while (code == EXIT_OK && *token && (!printer.most || printer.count < printer.most) && !ferror(stdout));
	if (code == EXIT_OK)
		print_end(&printer, *token != '\0');
	return code;
}
