/*
 * filmgate assets: what was given to the daemon to work from.
 */
#include "cli.h"
#include "commands.h"
#include "field.h"
#include "grid.h"
#include "render.h"
#include "say.h"
#include "upload.h"
#include "words.h"

#include "base/err.h"

#define LIMIT_DEFAULT 50
#define PAGE_MAX 1000

static const struct grid_column columns[] = {
	{"ASSET", false}, {"KIND", false},    {"TYPE", false}, {"SIZE", false},
	{"FRAME", false}, {"CREATED", false}, {"NAME", true},
};

struct shelf {
	enum output_format format;
	struct grid *grid;
	uint64_t count;
};

static int add_row(struct shelf *shelf, const Filmgate__V1__Asset *asset)
{
	_cleanup_(buffer_finish) struct buffer name = {0};
	struct words created = {""}, frame = {""};
	char kind[FIELD_NAME_SIZE];
	int r = buffer_append_text(&name, asset->display_name);

	if (r)
		return r;
	say_make_safe(name.data);
	field_enum_word(&filmgate__v1__media_kind__descriptor, (int)asset->kind, kind);
	if (asset->width)
		snprintf(frame.text, sizeof(frame.text), "%ux%u", asset->width, asset->height);
	if (asset->create_time)
		created = words_of_local_time(asset->create_time->seconds);
	return grid_add(shelf->grid,
			(const char *const[]){asset->name, kind, asset->media_type,
					      words_of_size(asset->size_bytes).text, frame.text, created.text,
					      name.data},
			0, NULL);
}

static enum exit_code show(struct shelf *shelf, const Filmgate__V1__Asset *asset)
{
	int r;

	shelf->count++;
	switch (shelf->format) {
	case FORMAT_NAME:
		printf("%s\n", asset->name);
		return EXIT_OK;
	case FORMAT_JSON:
		fputs(shelf->count == 1 ? "[" : ",\n", stdout);
		return render_document(&asset->base, DOCUMENT_LAYOUT_INDENTED);
	case FORMAT_JSONL:
		return render_document(&asset->base, DOCUMENT_LAYOUT_LINE);
	case FORMAT_TABLE:
		break;
	}
	r = add_row(shelf, asset);
	if (r)
		say_error("%s", strerror(-r));
	return r ? EXIT_FAILED : EXIT_OK;
}

static void end_show(struct shelf *shelf)
{
	if (shelf->format == FORMAT_JSON)
		fputs(shelf->count ? "]\n" : "[]\n", stdout);
	if (shelf->format == FORMAT_TABLE)
		grid_print(shelf->grid);
}

static enum exit_code show_pages(struct cli *cli, uint64_t most, struct shelf *shelf, bool *ret_more)
{
	_cleanup_(freep) char *token = NULL;
	enum exit_code code = EXIT_OK;

	do {
		_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
		Filmgate__V1__ListAssetsRequest request = FILMGATE__V1__LIST_ASSETS_REQUEST__INIT;
		uint64_t left = most ? most - shelf->count : PAGE_MAX;
		const Filmgate__V1__ListAssetsResponse *page;

		request.page_size = (int32_t)(left < PAGE_MAX ? left : PAGE_MAX);
		if (token)
			request.page_token = token;
		code = cli_ask(cli, &filmgate__v1__asset_service__descriptor, "ListAssets", &request.base,
			       "cannot list assets", &message);
		if (code != EXIT_OK)
			return code;
		page = (const void *)message;
		for (size_t i = 0; code == EXIT_OK && i < page->n_assets; i++)
			code = show(shelf, page->assets[i]);
		code = cli_next_page(code, page->next_page_token, &token);
	} while (code == EXIT_OK && *token && (!most || shelf->count < most) && !ferror(stdout));
	*ret_more = token && *token;
	return code;
}

enum exit_code command_assets(struct cli *cli)
{
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct shelf shelf = {.format = arguments_format(&cli->arguments), .grid = grid};
	int64_t most = arguments_number(&cli->arguments, OPTION_LIMIT, LIMIT_DEFAULT);
	bool has_more = false;
	enum exit_code code = grid ? show_pages(cli, (uint64_t)most, &shelf, &has_more) : EXIT_FAILED;

	if (code != EXIT_OK)
		return code;
	end_show(&shelf);
	if (shelf.format == FORMAT_TABLE && shelf.count == 0)
		say_note("no assets");
	if (has_more)
		say_note("there are more; --limit N shows as many, --limit 0 all");
	return EXIT_OK;
}

/* Each file, whatever became of those before it, unless nobody answers any more. The status of the first that failed. */
enum exit_code command_assets_upload(struct cli *cli)
{
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct shelf shelf = {.format = arguments_format(&cli->arguments), .grid = grid};
	const char *name = arguments_text(&cli->arguments, OPTION_NAME);
	enum exit_code all = grid ? EXIT_OK : EXIT_FAILED;

	for (int i = 0; grid && i < cli->arguments.n_operands; i++) {
		Filmgate__V1__UploadAssetResponse *response = NULL;
		enum exit_code code = upload_file(cli, cli->arguments.operands[i], name, &response);

		if (code == EXIT_OK) {
			code = show(&shelf, response->asset);
			say_note("%s %s", cli->arguments.operands[i],
				 response->existed ? "was there already; nothing was sent" : "was uploaded");
			protobuf_c_message_free_unpacked(&response->base, NULL);
		}
		if (all == EXIT_OK)
			all = code;
		if (code == EXIT_UNREACHABLE || code == EXIT_INTERRUPTED)
			break;
	}
	if (shelf.count)
		end_show(&shelf);
	return all;
}

/* "assets/SHA256" of that or of the digits alone; NULL, said, if it is neither. */
static char *asset_name(const char *argument)
{
	const char *digits = !strncmp(argument, "assets/", 7) ? argument + 7 : argument;
	struct buffer name = {0};

	if (strlen(digits) == 64 && strspn(digits, "0123456789abcdef") == 64 &&
	    buffer_printf(&name, "assets/%s", digits) == 0)
		return name.data;
	say_error("'%.100s' is not an asset; write assets/SHA256 or its 64 digits, as 'filmgate assets' shows it",
		  argument);
	return NULL;
}

enum exit_code command_assets_get(struct cli *cli)
{
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));
	_cleanup_(freep) char *name = asset_name(cli->arguments.operands[0]);
	struct shelf shelf = {.format = arguments_format(&cli->arguments), .grid = grid};
	Filmgate__V1__GetAssetResponse *response = NULL;
	enum exit_code code;

	if (!name || !grid)
		return name ? EXIT_FAILED : EXIT_USAGE;
	code = upload_get(cli, name, &response);
	if (code != EXIT_OK)
		return code;
	if (shelf.format == FORMAT_JSON)
		code = render_document(&response->asset->base, DOCUMENT_LAYOUT_INDENTED);
	else
		code = show(&shelf, response->asset);
	if (shelf.format == FORMAT_TABLE)
		end_show(&shelf);
	protobuf_c_message_free_unpacked(&response->base, NULL);
	return code;
}

static enum exit_code delete_asset(struct cli *cli, char *name)
{
	Filmgate__V1__DeleteAssetRequest request = FILMGATE__V1__DELETE_ASSET_REQUEST__INIT;
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	struct errmsg what;
	enum exit_code code;

	request.name = name;
	errmsg_set(&what, "cannot delete %s", name);
	code = cli_ask(cli, &filmgate__v1__asset_service__descriptor, "DeleteAsset", &request.base, what.text, &reply);
	if (code == EXIT_OK)
		say_note("deleted %s", name);
	return code;
}

/* Nothing is deleted if one of them is no name. */
enum exit_code command_assets_delete(struct cli *cli)
{
	enum exit_code all = EXIT_OK;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < cli->arguments.n_operands; i++) {
			_cleanup_(freep) char *name = asset_name(cli->arguments.operands[i]);
			enum exit_code code;

			if (!name)
				return EXIT_USAGE;
			if (round == 0)
				continue;
			code = delete_asset(cli, name);
			if (all == EXIT_OK)
				all = code;
			if (code == EXIT_UNREACHABLE || code == EXIT_INTERRUPTED)
				return all;
		}
	return all;
}
