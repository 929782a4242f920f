#include "cli.h"
#include "commands.h"
#include "filter.h"
#include "follow.h"
#include "output.h"
#include "render.h"
#include "say.h"
#include "view.h"
#include "words.h"

#include "base/err.h"

#define SHOWN_AT_FIRST 20

/* How events are shown: in place, as lines, or as documents. */
struct watcher {
	struct cli *cli;
	enum output_format format;
	struct view *view;               /* NULL: not in place */
	Filmgate__V1__JobFilter *filter; /* of the list that the view begins with */
	bool is_listed;
};

static bool is_deleted(const Filmgate__V1__JobEvent *event)
{
	return event->kind == FILMGATE__V1__JOB_EVENT_KIND__JOB_EVENT_KIND_DELETED;
}

static enum exit_code print_line(const Filmgate__V1__JobEvent *event)
{
	_cleanup_(buffer_finish) struct buffer detail = {0};
	Filmgate__V1__JobState state = event->status ? event->status->state : 0;
	const char *color = render_state_color(state);
	char word[FIELD_NAME_SIZE];

	render_state(state, word);
	if (event->status)
		render_detail(event->status, &detail);
	printf("%s  %s  %s%s%s%s%s\n", event->time ? words_of_local_time(event->time->seconds).text : "",
	       cli_short_name(event->job), color, is_deleted(event) ? "DELETED" : word, *color ? "\033[0m" : "",
	       detail.len ? "  " : "", detail.len ? detail.data : "");
	return EXIT_OK;
}

static enum exit_code print_name(const Filmgate__V1__JobEvent *event)
{
	printf("%s\n", event->job);
	return EXIT_OK;
}

static enum exit_code put(struct watcher *watcher, const char *job, const Filmgate__V1__JobStatus *status)
{
	_cleanup_(buffer_finish) struct buffer detail = {0};

	if (!status)
		return EXIT_OK;
	render_detail(status, &detail);
	return view_put(watcher->view, job, status->state, detail.data ? detail.data : "") ? EXIT_FAILED : EXIT_OK;
}

/* The newest jobs, as the contract says to begin: after the bookmark, so that no change falls between. */
static enum exit_code list_first(struct watcher *watcher)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__ListJobsRequest request = FILMGATE__V1__LIST_JOBS_REQUEST__INIT;
	const Filmgate__V1__ListJobsResponse *page;
	enum exit_code code;

	request.filter = watcher->filter;
	request.page_size = SHOWN_AT_FIRST;
	code = cli_ask(watcher->cli, &filmgate__v1__job_service__descriptor, "ListJobs", &request.base,
		       "cannot list jobs", &message);
	if (code != EXIT_OK)
		return code;
	page = (const void *)message;
	for (size_t i = 0; code == EXIT_OK && i < page->n_jobs; i++)
		code = put(watcher, page->jobs[i]->name, page->jobs[i]->status);
	view_draw(watcher->view);
	watcher->is_listed = true;
	return code;
}

static enum exit_code on_gap(void *userdata)
{
	struct watcher *watcher = userdata;

	watcher->is_listed = false;
	return EXIT_OK;
}

static enum exit_code show_in_place(struct watcher *watcher, const Filmgate__V1__JobEvent *event)
{
	enum exit_code code;

	if (is_deleted(event)) {
		view_remove(watcher->view, event->job);
		code = EXIT_OK;
	} else {
		code = put(watcher, event->job, event->status);
	}
	view_draw(watcher->view);
	return code;
}

static enum exit_code on_event(const Filmgate__V1__JobEvent *event, void *userdata)
{
	struct watcher *watcher = userdata;
	enum exit_code code;

	if (event->kind == FILMGATE__V1__JOB_EVENT_KIND__JOB_EVENT_KIND_BOOKMARK)
		return watcher->view && !watcher->is_listed ? list_first(watcher) : EXIT_OK;
	if (watcher->view)
		code = show_in_place(watcher, event);
	else if (watcher->format == FORMAT_TABLE)
		code = print_line(event);
	else if (watcher->format == FORMAT_NAME)
		code = print_name(event);
	else
		code = render_document(&event->base, DOCUMENT_LAYOUT_LINE);
	/* Nobody would see what comes after. */
	return code == EXIT_OK ? output_flush() : code;
}

enum exit_code command_watch(struct cli *cli)
{
	_cleanup_(filter_freep) Filmgate__V1__JobFilter *filter = NULL;
	_cleanup_(view_freep) struct view *view = NULL;
	struct watcher watcher = {.cli = cli, .format = arguments_format(&cli->arguments)};
	struct follow follow = {.cli = cli, .fn = on_event, .userdata = &watcher, .timeout_ms = -1};
	_cleanup_(freep) char *name = NULL;
	enum exit_code code = filter_build(cli, &filter);

	if (code != EXIT_OK)
		return code;
	if (watcher.format == FORMAT_TABLE && isatty(STDOUT_FILENO)) {
		view = view_new();
		if (!view)
			return EXIT_FAILED;
	}
	watcher.view = view;
	watcher.filter = filter;
	if (cli->arguments.n_operands == 0)
		return follow_all(&follow, filter, on_gap);

	for (size_t i = 0; i < cli->arguments.n_given; i++) {
		enum option_id id = cli->arguments.given[i].row->id;

		if (id == OPTION_STATE || id == OPTION_PROVIDER || id == OPTION_MODEL || id == OPTION_LABEL) {
			say_error("--%s chooses among all jobs: leave it out, or the job",
				  cli->arguments.given[i].row->name);
			return EXIT_USAGE;
		}
	}
	name = cli_job_name(cli->arguments.operands[0]);
	return name ? follow_job(&follow, name) : EXIT_USAGE;
}
