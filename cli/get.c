#include "cli.h"
#include "commands.h"
#include "grid.h"
#include "money.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/decimal.h"
#include "base/err.h"

#include <filmgate/v1/job_service.pb-c.h>

/* The label's column is as wide as the longest label. */
#define print_line(label, format, ...) render_line("%-12s " format, label, __VA_ARGS__)

static void print_text(const char *label, const char *text)
{
	if (*text)
		print_line(label, "%s", text);
}

static void print_time(const char *label, const Google__Protobuf__Timestamp *time)
{
	if (time)
		print_line(label, "%s", words_of_local_time(time->seconds).text);
}

static void print_state(const Filmgate__V1__JobStatus *status)
{
	_cleanup_(buffer_finish) struct buffer detail = {0};
	const char *color = render_state_color(status->state);
	char state[FIELD_NAME_SIZE];

	render_state(status->state, state);
	render_detail(status, &detail);
	printf("%-12s %s%s%s%s%s\n", "state", color, state, *color ? "\033[0m" : "", detail.len ? "  " : "",
	       detail.len ? detail.data : "");
}

static void print_money(const Filmgate__V1__Job *job)
{
	_cleanup_(buffer_finish) struct buffer quote = {0}, cost = {0}, held = {0};

	money_quote(job->quote, &quote);
	if (quote.data)
		print_line("quote", "%s", quote.data);
	if (job->quote && *job->quote->rule)
		print_line("", "%s", job->quote->rule);
	money_cost(job, &cost);
	if (cost.data)
		print_line("cost", "%s", cost.data);
	money_held(job->status ? job->status->money : NULL, &held);
	if (held.data)
		print_line("ledger", "%s", held.data);
}

static void print_outlook(const Filmgate__V1__JobStatus *status)
{
	const Filmgate__V1__JobForecast *forecast = status->forecast;

	if (status->queue_position)
		print_line("in line", "no. %u%s", status->queue_position->position,
			   status->queue_position->or_later ? " or later" : "");
	if (forecast && forecast->p50_time && forecast->p90_time) {
		print_line("forecast", "usually done by %s", words_of_local_time(forecast->p50_time->seconds).text);
		print_line("", "nine in ten by %s, of the last %u like it",
			   words_of_local_time(forecast->p90_time->seconds).text, forecast->sample_count);
	}
}

static void print_failure(const Filmgate__V1__JobFailure *failure)
{
	print_text("their code", failure->provider_code);
	print_text("their words", failure->provider_message);
	print_text("their id", failure->provider_request_id);
}

static void print_send(const Filmgate__V1__Attempt *attempt, const Filmgate__V1__Send *send)
{
	char class[FIELD_NAME_SIZE], http[32] = "";

	field_enum_word(&filmgate__v1__send_class__descriptor, (int)send->class_, class);
	if (send->http_status)
		snprintf(http, sizeof(http), ", HTTP %u", send->http_status);
	print_line("  send", "%u.%u  %s  %s%s%s%s", attempt->number, send->number,
		   send->create_time ? words_of_local_time(send->create_time->seconds).text : "", class, http,
		   *send->idempotency_key ? ", key " : "", send->idempotency_key);
}

/* @is_elsewhere: not all attempts were made where the job was ordered. */
static void print_attempt(const Filmgate__V1__Attempt *attempt, bool is_elsewhere)
{
	print_line("attempt", "%u  %s%s%s%s%s", attempt->number,
		   attempt->start_time ? words_of_local_time(attempt->start_time->seconds).text : "",
		   attempt->end_time ? " to " : "",
		   attempt->end_time ? words_of_local_time(attempt->end_time->seconds).text : "",
		   is_elsewhere ? "  " : "", is_elsewhere ? attempt->provider : "");
	for (size_t i = 0; i < attempt->n_sends; i++)
		print_send(attempt, attempt->sends[i]);
	for (size_t i = 0; i < attempt->n_remotes; i++)
		print_line("  remote", "%s  %s", attempt->remotes[i]->remote_id, attempt->remotes[i]->kind);
	if (attempt->failure)
		print_text("  failed", attempt->failure->message);
}

static void print_artifact(const Filmgate__V1__Artifact *artifact)
{
	char extra[128] = "", rate[DECIMAL_TEXT_SIZE];

	if (artifact->width)
		snprintf(extra, sizeof(extra), "  %ux%u", artifact->width, artifact->height);
	if (artifact->duration)
		snprintf(extra + strlen(extra), sizeof(extra) - strlen(extra), "  %s",
			 words_of_duration(artifact->duration->seconds * 1000 + artifact->duration->nanos / 1000000)
				 .text);
	print_line("file", "%s", artifact->name);
	if (artifact->frame_rate_millihertz) {
		decimal_format(artifact->frame_rate_millihertz, 3, rate);
		snprintf(extra + strlen(extra), sizeof(extra) - strlen(extra), "  %s fps", rate);
	}
	if (artifact->audio == FILMGATE__V1__TOGGLE__TOGGLE_OFF)
		snprintf(extra + strlen(extra), sizeof(extra) - strlen(extra), "  no sound");
	print_line("", "%s  %s  %s%s", artifact->role, artifact->media_type, words_of_size(artifact->size_bytes).text,
		   extra);
	print_line("", "sha256 %s", artifact->sha256);
}

static void print_status(const Filmgate__V1__JobStatus *status, bool is_elsewhere)
{
	print_outlook(status);
	for (size_t i = 0; i < status->n_notes; i++) {
		_cleanup_(buffer_finish) struct buffer words = {0};

		render_note(status->notes[i], &words);
		if (words.data)
			print_line(i ? "" : "notes", "%s", words.data);
	}
	for (size_t i = 0; i < status->n_mismatches; i++)
		print_line(i ? "" : "mismatch", "%s: %s", cli_short_name(status->mismatches[i]->artifact),
			   status->mismatches[i]->message);
	print_time("started", status->start_time);
	print_time("finished", status->finish_time);
	if (status->cancel)
		print_line("cancel", "%s", render_cancel(status->cancel->outcome, status));
	if (status->failure)
		print_failure(status->failure);
	if (status->attempt_count > status->n_attempts)
		print_line("attempts", "%u, the newest %zu are shown", status->attempt_count, status->n_attempts);
	for (size_t i = 0; i < status->n_attempts; i++)
		print_attempt(status->attempts[i], is_elsewhere);
	for (size_t i = 0; i < status->n_artifacts; i++)
		print_artifact(status->artifacts[i]);
}

/* The parameters are shown as the document in which they would be written. */
static void print_parameters(const Filmgate__V1__JobParameters *parameters)
{
	if (!parameters)
		return;
	printf("%-12s ", "parameters");
	render_document(&parameters->base, DOCUMENT_LAYOUT_INDENTED);
}

static void print_choices(const Filmgate__V1__Job *job)
{
	const char *uuid = cli_short_name(job->name);

	if (!job->status || job->status->state != FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN)
		return;
	if (job->status->failure)
		print_text("why", job->status->failure->message);
	print_line("decide", "filmgate resolve %s --found REMOTE_ID", uuid);
	print_line("", "filmgate resolve %s --absent", uuid);
	print_line("", "filmgate resolve %s --give-up", uuid);
}

static const char *policy_words(Filmgate__V1__OnUncertain policy)
{
	switch (policy) {
	case FILMGATE__V1__ON_UNCERTAIN__ON_UNCERTAIN_HOLD:
		return "held for a person to decide";
	case FILMGATE__V1__ON_UNCERTAIN__ON_UNCERTAIN_FAIL:
		return "fails";
	case FILMGATE__V1__ON_UNCERTAIN__ON_UNCERTAIN_RESUBMIT:
		return "ordered again: it may be paid for twice";
	default:
		return "a policy that this program does not know";
	}
}

static void print_route(const char *label, const char *provider, const char *model)
{
	print_line(label, "%s%s%s", provider, *model ? ", model " : "", model);
}

static bool has_gone_on(const Filmgate__V1__Job *job)
{
	return job->status && *job->status->provider &&
	       (strcmp(job->status->provider, job->provider) != 0 || strcmp(job->status->model, job->model) != 0);
}

static const char *mismatch_words(Filmgate__V1__OnMismatch policy)
{
	switch (policy) {
	case FILMGATE__V1__ON_MISMATCH__ON_MISMATCH_ACCEPT:
		return "is accepted, and nobody looks";
	case FILMGATE__V1__ON_MISMATCH__ON_MISMATCH_FLAG:
		return "is shown here";
	case FILMGATE__V1__ON_MISMATCH__ON_MISMATCH_FAIL:
		return "fails the job";
	default:
		return "a policy that this program does not know";
	}
}

static void print_job(const Filmgate__V1__Job *job)
{
	print_line("job", "%s", job->name);
	print_text("name", job->display_name);
	if (job->status)
		print_state(job->status);
	print_choices(job);
	print_route("provider", job->provider, job->model);
	for (size_t i = 0; i < job->n_fallbacks; i++)
		print_route(i ? "" : "fallbacks", job->fallbacks[i]->provider, job->fallbacks[i]->model);
	if (has_gone_on(job))
		print_route("now at", job->status->provider, job->status->model);
	print_time("created", job->create_time);
	print_time("not before", job->not_before_time);
	print_time("deadline", job->expire_time);
	print_text("retry of", job->retry_of);
	if (job->adopted)
		print_text("adopted", "bought elsewhere");
	if (job->priority)
		print_line("priority", "%d", job->priority);
	for (size_t i = 0; i < job->n_labels; i++)
		print_line(i ? "" : "labels", "%s=%s", job->labels[i]->key, job->labels[i]->value);
	if (job->retry_if_uncharged)
		print_line("tries", "up to %u more when it failed and cost nothing", job->retry_if_uncharged);
	if (job->on_uncertain)
		print_line("in doubt", "%s", policy_words(job->on_uncertain));
	if (job->on_mismatch)
		print_line("otherwise", "what comes otherwise than ordered %s", mismatch_words(job->on_mismatch));
	if (job->webhook)
		print_text("webhook", job->webhook->url);
	print_money(job);
	if (job->status)
		print_status(job->status, has_gone_on(job));
	print_parameters(job->parameters);
}

enum exit_code command_get(struct cli *cli)
{
	_cleanup_(freep) char *name = cli_job_name(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	Filmgate__V1__Job *job;
	enum exit_code code;

	if (!name)
		return EXIT_USAGE;
	code = cli_get_job(cli, name, &reply, &job);
	if (code != EXIT_OK)
		return code;
	if (!render_for_programs(arguments_format(&cli->arguments), &job->base, job->name, &code))
		print_job(job);
	return code;
}
