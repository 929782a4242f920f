#include "cli.h"
#include "commands.h"
#include "filter.h"
#include "grid.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/err.h"

#define LIMIT_DEFAULT 50
#define PAGE_MAX 1000

/* What is printed while pages come in. A grid must see all rows before it knows its widths; the rest goes out at once. */
struct printer {
	enum output_format format;
	struct grid *grid;
	uint64_t count;
};

static const struct grid_column columns[] = {
	{"JOB", false},     {"STATE", false}, {"PROVIDER", false}, {"MODEL", false},
	{"CREATED", false}, {"NAME", true},   {"DETAIL", true},
};

static int add_row(struct printer *printer, const Filmgate__V1__Job *job)
{
	_cleanup_(buffer_finish) struct buffer detail = {0}, name = {0};
	const char *provider = strchr(job->provider, '/');
	char state[FIELD_NAME_SIZE] = "?";
	struct words created = {""};
	int r = buffer_append_text(&name, job->display_name);

	if (r)
		return r;
	say_make_safe(name.data);
	if (job->status) {
		render_state(job->status->state, state);
		render_detail(job->status, &detail);
	}
	if (job->create_time)
		created = words_of_local_time(job->create_time->seconds);
	return grid_add(printer->grid,
			(const char *const[]){cli_short_name(job->name), state, provider ? provider + 1 : job->provider,
					      job->model, created.text, name.data, detail.data ? detail.data : ""},
			1, job->status ? render_state_color(job->status->state) : NULL);
}

static enum exit_code print_job(struct printer *printer, const Filmgate__V1__Job *job)
{
	int r;

	printer->count++;
	switch (printer->format) {
	case FORMAT_NAME:
		printf("%s\n", job->name);
		return EXIT_OK;
	case FORMAT_JSON:
		fputs(printer->count == 1 ? "[\n" : ",\n", stdout);
		return render_document(&job->base, DOCUMENT_LAYOUT_INDENTED);
	case FORMAT_JSONL:
		return render_document(&job->base, DOCUMENT_LAYOUT_LINE);
	case FORMAT_TABLE:
		break;
	}
	r = add_row(printer, job);
	if (r)
		say_error("%s", strerror(-r));
	return r ? EXIT_FAILED : EXIT_OK;
}

static void print_end(struct printer *printer)
{
	if (printer->format == FORMAT_JSON)
		fputs(printer->count ? "]\n" : "[]\n", stdout);
	if (printer->format == FORMAT_TABLE)
		grid_print(printer->grid);
	if (printer->format == FORMAT_TABLE && printer->count == 0)
		say_note("no jobs");
}

/* Fetches page after page; @most is 0 for all. *ret_more: there are jobs beyond. */
static enum exit_code print_pages(struct cli *cli, Filmgate__V1__JobFilter *filter, uint64_t most,
				  struct printer *printer, bool *ret_more)
{
	_cleanup_(freep) char *token = NULL;
	enum exit_code code = EXIT_OK;

	do {
		_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
		Filmgate__V1__ListJobsRequest request = FILMGATE__V1__LIST_JOBS_REQUEST__INIT;
		uint64_t left = most ? most - printer->count : PAGE_MAX;
		Filmgate__V1__ListJobsResponse *page;

		request.filter = filter;
		request.page_size = (int32_t)(left < PAGE_MAX ? left : PAGE_MAX);
		if (token)
			request.page_token = token;
		code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "ListJobs", &request.base,
			       "cannot list jobs", &message);
		if (code != EXIT_OK)
			return code;
		page = (void *)message;
		for (size_t i = 0; code == EXIT_OK && i < page->n_jobs; i++)
			code = print_job(printer, page->jobs[i]);
		code = cli_next_page(code, page->next_page_token, &token);
	} while (code == EXIT_OK && *token && (!most || printer->count < most) && !ferror(stdout));
	*ret_more = token && *token;
	return code;
}

static enum exit_code print_counts(const struct cli *cli, const Filmgate__V1__CountJobsResponse *counts)
{
	char state[FIELD_NAME_SIZE];

	switch (arguments_format(&cli->arguments)) {
	case FORMAT_JSON:
		return render_document(&counts->base, DOCUMENT_LAYOUT_INDENTED);
	case FORMAT_JSONL:
		return render_document(&counts->base, DOCUMENT_LAYOUT_LINE);
	default:
		break;
	}
	for (size_t i = 0; i < counts->n_counts; i++) {
		render_state(counts->counts[i]->state, state);
		printf("%-12s %llu\n", state, (unsigned long long)counts->counts[i]->count);
	}
	if (counts->n_counts == 0)
		say_note("no jobs");
	if (counts->partial)
		say_note("there are more than a million jobs; the newest were counted");
	return EXIT_OK;
}

static enum exit_code count_jobs(struct cli *cli, Filmgate__V1__JobFilter *filter)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__CountJobsRequest request = FILMGATE__V1__COUNT_JOBS_REQUEST__INIT;
	enum exit_code code;

	request.filter = filter;
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "CountJobs", &request.base, "cannot count jobs",
		       &message);
	return code == EXIT_OK ? print_counts(cli, (void *)message) : code;
}

enum exit_code command_list(struct cli *cli)
{
	_cleanup_(filter_freep) Filmgate__V1__JobFilter *filter = NULL;
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));
	int64_t most = arguments_number(&cli->arguments, OPTION_LIMIT, LIMIT_DEFAULT);
	struct printer printer = {.format = arguments_format(&cli->arguments), .grid = grid};
	bool has_more = false;
	enum exit_code code;

	if (!grid)
		return EXIT_FAILED;
	code = filter_build(cli, &filter);
	if (code != EXIT_OK)
		return code;
	if (arguments_has(&cli->arguments, OPTION_COUNT))
		return count_jobs(cli, filter);
	code = print_pages(cli, filter, (uint64_t)most, &printer, &has_more);
	if (code != EXIT_OK)
		return code;
	print_end(&printer);
	if (has_more)
		say_note("there are more; --limit N shows as many, --limit 0 all");
	return EXIT_OK;
}
