/*
 * filmgate webhooks: what the daemon tells others.
 */
#include "cli.h"
#include "commands.h"
#include "field.h"
#include "grid.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/err.h"

#include <filmgate/v1/webhook_service.pb-c.h>

#define LIMIT_DEFAULT 50
#define PAGE_MAX 1000

static const struct grid_column columns[] = {
	{"DELIVERY", false}, {"STATE", false}, {"TYPE", false}, {"TRIES", false},
	{"LAST", false},     {"NEXT", false},  {"NOTE", true},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct printer {
	enum output_format format;
	struct grid *grid;
	uint64_t count, most; /* most 0: all */
};

static struct words time_of(const Google__Protobuf__Timestamp *timestamp)
{
	return timestamp ? words_of_local_time(timestamp->seconds) : (struct words){""};
}

static int add_row(struct grid *grid, const Filmgate__V1__Delivery *delivery)
{
	_cleanup_(buffer_finish) struct buffer problem = {0};
	struct words last = time_of(delivery->try_time), next = time_of(delivery->next_time);
	char state[FIELD_NAME_SIZE], tries[16];
	int r = buffer_append_text(&problem, delivery->problem);

	if (r < 0)
		return r;
	say_make_safe(problem.data);
	field_enum_word(&filmgate__v1__delivery_state__descriptor, (int)delivery->state, state);
	snprintf(tries, sizeof(tries), "%u", delivery->try_count);
	return grid_add(grid,
			(const char *const[]){delivery->name, state, delivery->type, tries, last.text, next.text,
					      problem.data},
			0, NULL);
}

static enum exit_code print_delivery(struct printer *printer, const Filmgate__V1__Delivery *delivery)
{
	printer->count++;
	switch (printer->format) {
	case FORMAT_NAME:
		render_line("%s", delivery->name);
		return EXIT_OK;
	case FORMAT_JSON:
		fputs(printer->count == 1 ? "[\n" : ",\n", stdout);
		return render_document(&delivery->base, DOCUMENT_LAYOUT_INDENTED);
	case FORMAT_JSONL:
		return render_document(&delivery->base, DOCUMENT_LAYOUT_LINE);
	case FORMAT_TABLE:
		break;
	}
	if (add_row(printer->grid, delivery) == 0)
		return EXIT_OK;
	say_error("%s", strerror(ENOMEM));
	return EXIT_FAILED;
}

/* What the options choose. @job is the heap's, and in the request. */
static bool fill_request(const struct cli *cli, Filmgate__V1__ListDeliveriesRequest *request, char **job)
{
	const struct arguments *arguments = &cli->arguments;
	const char *endpoint = arguments_text(arguments, OPTION_ENDPOINT), *of = arguments_text(arguments, OPTION_JOB);

	request->state = (Filmgate__V1__DeliveryState)(arguments_number(arguments, OPTION_STATE, -1) + 1);
	if (endpoint)
		request->endpoint = (char *)(uintptr_t)endpoint;
	*job = of ? cli_job_name(of) : NULL;
	if (of && !*job)
		return false;
	if (*job)
		request->job = *job;
	return true;
}

static enum exit_code ask_page(struct cli *cli, Filmgate__V1__ListDeliveriesRequest *request, const char *token,
			       ProtobufCMessage **ret)
{
	if (token)
		request->page_token = (char *)(uintptr_t)token;
	return cli_ask(cli, &filmgate__v1__webhook_service__descriptor, "ListDeliveries", &request->base,
		       "cannot list webhooks", ret);
}

static enum exit_code print_page(struct cli *cli, struct printer *printer, Filmgate__V1__ListDeliveriesRequest *request,
				 char **token)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	uint64_t left = printer->most ? printer->most - printer->count : PAGE_MAX;
	const Filmgate__V1__ListDeliveriesResponse *page;
	enum exit_code code;

	request->page_size = (int32_t)(left < PAGE_MAX ? left : PAGE_MAX);
	code = ask_page(cli, request, *token, &message);
	if (code != EXIT_OK)
		return code;
	page = (const void *)message;
	for (size_t i = 0; code == EXIT_OK && i < page->n_deliveries; i++)
		code = print_delivery(printer, page->deliveries[i]);
	return cli_next_page(code, page->next_page_token, token);
}

enum exit_code command_webhooks(struct cli *cli)
{
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, COLUMNS);
	_cleanup_(freep) char *token = NULL, *job = NULL;
	Filmgate__V1__ListDeliveriesRequest request = FILMGATE__V1__LIST_DELIVERIES_REQUEST__INIT;
	struct printer printer = {
		.format = arguments_format(&cli->arguments),
		.grid = grid,
		.most = (uint64_t)arguments_number(&cli->arguments, OPTION_LIMIT, LIMIT_DEFAULT),
	};
	enum exit_code code;

	if (!grid || !fill_request(cli, &request, &job))
		return grid ? EXIT_USAGE : EXIT_FAILED;
	do
		code = print_page(cli, &printer, &request, &token);
	while (code == EXIT_OK && *token && (!printer.most || printer.count < printer.most) && !ferror(stdout));
	if (code != EXIT_OK)
		return code;
	if (printer.format == FORMAT_JSON)
		fputs(printer.count ? "]\n" : "[]\n", stdout);
	if (printer.format == FORMAT_TABLE)
		grid_print(grid);
	if (printer.count == 0)
		say_note("there are none");
	else if (*token)
		say_note("there may be more; --limit N shows as many, --limit 0 all");
	return EXIT_OK;
}

/* ---- show ---- */

static void print_one(const Filmgate__V1__Delivery *delivery)
{
	char state[FIELD_NAME_SIZE];

	field_enum_word(&filmgate__v1__delivery_state__descriptor, (int)delivery->state, state);
	render_line("%-10s %s", "delivery", delivery->name);
	render_line("%-10s %s", "message", delivery->message_id);
	render_line("%-10s %s", "state", state);
	render_line("%-10s %s", "type", delivery->type);
	render_line("%-10s %s, revision %llu", "job", delivery->job, (unsigned long long)delivery->revision);
	if (*delivery->url)
		render_line("%-10s %s", "address", delivery->url);
	render_line("%-10s %u", "tries", delivery->try_count);
	if (delivery->try_time)
		render_line("%-10s %s", "last", time_of(delivery->try_time).text);
	if (delivery->next_time)
		render_line("%-10s %s", "next", time_of(delivery->next_time).text);
	if (delivery->http_status)
		render_line("%-10s %d %s", "reply", delivery->http_status, delivery->reply);
	if (*delivery->problem)
		render_line("%-10s %s", "problem", delivery->problem);
	render_line("%s", "");
	render_line("%s", delivery->body);
}

enum exit_code command_webhooks_show(struct cli *cli)
{
	Filmgate__V1__GetDeliveryRequest request = FILMGATE__V1__GET_DELIVERY_REQUEST__INIT;
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	const Filmgate__V1__Delivery *delivery;
	enum exit_code code;

	request.name = (char *)(uintptr_t)cli->arguments.operands[0];
	code = cli_ask(cli, &filmgate__v1__webhook_service__descriptor, "GetDelivery", &request.base,
		       "cannot show the webhook", &message);
	if (code != EXIT_OK)
		return code;
	delivery = ((const Filmgate__V1__GetDeliveryResponse *)(const void *)message)->delivery;
	if (!render_for_programs(arguments_format(&cli->arguments), &delivery->base, delivery->name, &code))
		print_one(delivery);
	return code;
}

/* ---- redeliver ---- */

static enum exit_code redeliver(struct cli *cli, const char *name)
{
	Filmgate__V1__RedeliverDeliveryRequest request = FILMGATE__V1__REDELIVER_DELIVERY_REQUEST__INIT;
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	enum exit_code code;

	request.name = (char *)(uintptr_t)name;
	code = cli_ask(cli, &filmgate__v1__webhook_service__descriptor, "RedeliverDelivery", &request.base,
		       "cannot send it again", &message);
	if (code == EXIT_OK)
		render_line("%s", name);
	return code;
}

/* Each once, however soon it is given up again: newest first, and behind what was there at the beginning nothing comes. */
static enum exit_code redeliver_dead(struct cli *cli)
{
	Filmgate__V1__ListDeliveriesRequest request = FILMGATE__V1__LIST_DELIVERIES_REQUEST__INIT;
	_cleanup_(freep) char *token = NULL, *job = NULL;
	enum exit_code code;
	uint64_t count = 0;

	if (!fill_request(cli, &request, &job))
		return EXIT_USAGE;
	request.state = FILMGATE__V1__DELIVERY_STATE__DELIVERY_STATE_DEAD;
	request.page_size = PAGE_MAX;
	do {
		_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
		const Filmgate__V1__ListDeliveriesResponse *page;

		code = ask_page(cli, &request, token, &message);
		if (code != EXIT_OK)
			return code;
		page = (const void *)message;
		for (size_t i = 0; code == EXIT_OK && i < page->n_deliveries; i++, count++)
			code = redeliver(cli, page->deliveries[i]->name);
		code = cli_next_page(code, page->next_page_token, &token);
	} while (code == EXIT_OK && *token);
	if (code == EXIT_OK && count == 0)
		say_note("none were given up");
	return code;
}

enum exit_code command_webhooks_redeliver(struct cli *cli)
{
	bool is_all = arguments_has(&cli->arguments, OPTION_DEAD);
	int n = cli->arguments.n_operands;
	enum exit_code worst = EXIT_OK;

	if (is_all == (n > 0)) {
		say_error("name deliveries, as 'filmgate webhooks' shows them, or --dead");
		return EXIT_USAGE;
	}
	if (is_all)
		return redeliver_dead(cli);
	for (int i = 0; i < n; i++) {
		enum exit_code code = redeliver(cli, cli->arguments.operands[i]);

		if (worst == EXIT_OK)
			worst = code;
	}
	return worst;
}
