#include "cli.h"
#include "commands.h"
#include "document.h"
#include "grid.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/err.h"

#include <filmgate/v1/provider_service.pb-c.h>

#define LIMIT_DEFAULT 50
#define PAGE_MAX 1000

/* ---- the kinds ---- */

static const char *title_of(const struct json *json, json_node capabilities, const char *kind)
{
	json_node kinds = json_member(json, capabilities, bytes_of_text("catalogue"));

	return json_string(json, json_at(json, json_member(json, kinds, bytes_of_text(kind)), "/title"));
}

static enum exit_code print_kinds(const Filmgate__V1__Provider *provider)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root;

	if (!json)
		return EXIT_FAILED;
	root = provider->capabilities ? document_of_struct(json, provider->capabilities) : JSON_ABSENT;
	for (size_t i = 0; i < provider->n_catalog_kinds; i++)
		render_line("%s  %s", provider->catalog_kinds[i], title_of(json, root, provider->catalog_kinds[i]));
	if (provider->n_catalog_kinds == 0)
		say_note("%s lists nothing: its ids are given as the provider shows them", provider->name);
	return EXIT_OK;
}

static enum exit_code show_kinds(struct cli *cli, char *name)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__GetProviderRequest request = FILMGATE__V1__GET_PROVIDER_REQUEST__INIT;
	const Filmgate__V1__Provider *provider;
	enum output_format format = arguments_format(&cli->arguments);
	enum exit_code code;

	request.name = name;
	code = cli_ask(cli, &filmgate__v1__provider_service__descriptor, "GetProvider", &request.base,
		       "cannot read the provider", &message);
	if (code != EXIT_OK)
		return code;
	provider = ((Filmgate__V1__GetProviderResponse *)message)->provider;
	if (format == FORMAT_TABLE)
		return print_kinds(provider);
	if (format == FORMAT_NAME) {
		for (size_t i = 0; i < provider->n_catalog_kinds; i++)
			render_line("%s", provider->catalog_kinds[i]);
		return EXIT_OK;
	}
	render_for_programs(format, &provider->base, provider->name, &code);
	return code;
}

/* ---- the entries ---- */

struct printer {
	enum output_format format;
	struct grid *grid;
	uint64_t count;
};

static const struct grid_column columns[] = {
	{"ID", false}, {"NAME", true}, {"LANGUAGE", false}, {"GENDER", false}, {"TAGS", true}};

/* Cells come from a stranger. */
static int add_row(struct grid *grid, const Filmgate__V1__CatalogEntry *entry)
{
	struct buffer cells[5] = {{0}};
	int r = buffer_append_text(&cells[0], entry->id);

	if (r == 0)
		r = buffer_append_text(&cells[1], entry->display_name);
	if (r == 0)
		r = buffer_append_text(&cells[2], entry->language);
	if (r == 0)
		r = buffer_append_text(&cells[3], entry->gender);
	for (size_t i = 0; r == 0 && i < entry->n_tags; i++)
		r = buffer_printf(&cells[4], "%s%s", i ? ", " : "", entry->tags[i]);
	if (r == 0 && !cells[4].data)
		r = buffer_append_text(&cells[4], "");
	for (size_t i = 0; r == 0 && i < 5; i++)
		say_make_safe(cells[i].data);
	if (r == 0)
		r = grid_add(grid,
			     (const char *const[]){cells[0].data, cells[1].data, cells[2].data, cells[3].data,
						   cells[4].data},
			     0, NULL);
	for (size_t i = 0; i < 5; i++)
		buffer_finish(&cells[i]);
	return r;
}

static enum exit_code print_entry(struct printer *printer, const Filmgate__V1__CatalogEntry *entry)
{
	printer->count++;
	switch (printer->format) {
	case FORMAT_NAME:
		render_line("%s", entry->id);
		return EXIT_OK;
	case FORMAT_JSON:
		fputs(printer->count == 1 ? "[\n" : ",\n", stdout);
		return render_document(&entry->base, DOCUMENT_LAYOUT_INDENTED);
	case FORMAT_JSONL:
		return render_document(&entry->base, DOCUMENT_LAYOUT_LINE);
	case FORMAT_TABLE:
		break;
	}
	if (add_row(printer->grid, entry) == 0)
		return EXIT_OK;
	say_error("%s", strerror(ENOMEM));
	return EXIT_FAILED;
}

static void print_end(struct printer *printer, uint32_t total)
{
	if (printer->format == FORMAT_JSON)
		fputs(printer->count ? "]\n" : "[]\n", stdout);
	if (printer->format == FORMAT_TABLE)
		grid_print(printer->grid);
	if (printer->format == FORMAT_TABLE && printer->count == 0)
		say_note("nothing matches");
	if (printer->count < total)
		say_note("%llu of %u; --limit N shows as many, --limit 0 all", (unsigned long long)printer->count,
			 total);
}

/* A list that is not what was asked for is said once, with its age. */
static void say_problem(struct cli *cli, const Filmgate__V1__ListCatalogEntriesResponse *page)
{
	int64_t now_ms = clock_utc_ms(cli->clock);
	int64_t age_ms = page->fetch_time ? now_ms - page->fetch_time->seconds * 1000 : 0;

	if (*page->problem)
		say_note("this list is %s old: %s", words_of_duration(age_ms > 0 ? age_ms / 1000 * 1000 : 0).text,
			 page->problem);
}

static enum exit_code print_page(struct cli *cli, struct printer *printer, uint64_t most,
				 Filmgate__V1__ListCatalogEntriesRequest *request, char **token, uint32_t *ret_total)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	const Filmgate__V1__ListCatalogEntriesResponse *page;
	uint64_t left = most ? most - printer->count : PAGE_MAX;
	bool is_first = !*token;
	enum exit_code code;

	request->page_size = (int32_t)(left < PAGE_MAX ? left : PAGE_MAX);
	if (*token)
		request->page_token = *token;
	code = cli_ask(cli, &filmgate__v1__provider_service__descriptor, "ListCatalogEntries", &request->base,
		       "cannot list what the provider offers", &message);
	if (code != EXIT_OK)
		return code;
	page = (const void *)message;
	if (is_first)
		say_problem(cli, page);
	for (size_t i = 0; code == EXIT_OK && i < page->n_entries; i++)
		code = print_entry(printer, page->entries[i]);
	*ret_total = page->total_count;
	return cli_next_page(code, page->next_page_token, token);
}

static enum exit_code show_entries(struct cli *cli, char *name, char *kind)
{
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));
	_cleanup_(freep) char *token = NULL;
	Filmgate__V1__ListCatalogEntriesRequest request = FILMGATE__V1__LIST_CATALOG_ENTRIES_REQUEST__INIT;
	Google__Protobuf__Duration age = GOOGLE__PROTOBUF__DURATION__INIT;
	uint64_t most = (uint64_t)arguments_number(&cli->arguments, OPTION_LIMIT, LIMIT_DEFAULT);
	int64_t age_ms = arguments_number(&cli->arguments, OPTION_MAX_AGE, -1);
	struct printer printer = {.format = arguments_format(&cli->arguments), .grid = grid};
	uint32_t total = 0;
	enum exit_code code;

	if (!grid)
		return EXIT_FAILED;
	request.name = name;
	request.kind = kind;
	if (arguments_has(&cli->arguments, OPTION_LANGUAGE))
		request.language = (char *)(uintptr_t)arguments_text(&cli->arguments, OPTION_LANGUAGE);
	if (arguments_has(&cli->arguments, OPTION_QUERY))
		request.query = (char *)(uintptr_t)arguments_text(&cli->arguments, OPTION_QUERY);
	age.seconds = age_ms / 1000;
	age.nanos = (int32_t)(age_ms % 1000 * 1000000);
	request.max_age = age_ms >= 0 ? &age : NULL;
	do {
		code = print_page(cli, &printer, most, &request, &token, &total);
		/* The list is fresh by now; once more would be another list. */
		request.max_age = NULL;
	} while (code == EXIT_OK && *token && (!most || printer.count < most) && !ferror(stdout));
	if (code == EXIT_OK)
		print_end(&printer, total);
	return code;
}

enum exit_code command_catalog(struct cli *cli)
{
	_cleanup_(freep) char *name = cli_provider_name(cli->arguments.operands[0]);

	if (!name)
		return EXIT_USAGE;
	cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	if (cli->arguments.n_operands == 1)
		return show_kinds(cli, name);
	return show_entries(cli, name, cli->arguments.operands[1]);
}
