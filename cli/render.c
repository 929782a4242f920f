#include "render.h"

#include "say.h"
#include "words.h"

#include "base/clock.h"
#include "base/err.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define STATE(name) FILMGATE__V1__JOB_STATE__JOB_STATE_##name
#define WAIT(name) FILMGATE__V1__JOB_WAIT_REASON__JOB_WAIT_REASON_##name
#define CANCEL(name) FILMGATE__V1__CANCEL_OUTCOME__CANCEL_OUTCOME_##name
#define PURCHASED(name) FILMGATE__V1__PURCHASED__PURCHASED_##name

/* As clocks of two machines differ. */
#define OVERDUE_MS 60000

#define GREEN "\033[32m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define CYAN "\033[36m"

bool render_is_colored(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (!no || !*no);
}

const char *render_state_color(Filmgate__V1__JobState state)
{
	if (!render_is_colored())
		return "";
	switch (state) {
	case STATE(SUCCEEDED):
		return GREEN;
	case STATE(FAILED):
	case STATE(EXPIRED):
		return RED;
	case STATE(CANCELLED):
	case STATE(UNCERTAIN):
		return YELLOW;
	case STATE(STARTING):
	case STATE(RUNNING):
	case STATE(STORING):
		return CYAN;
	default:
		return "";
	}
}

void render_state(Filmgate__V1__JobState state, char word[static FIELD_NAME_SIZE])
{
	field_enum_word(&filmgate__v1__job_state__descriptor, (int)state, word);
	for (char *p = word; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

bool render_is_final(Filmgate__V1__JobState state)
{
	return state == STATE(SUCCEEDED) || state == STATE(FAILED) || state == STATE(CANCELLED) ||
	       state == STATE(EXPIRED);
}

enum exit_code render_exit_code(Filmgate__V1__JobState state)
{
	if (state == STATE(SUCCEEDED))
		return EXIT_OK;
	return state == STATE(CANCELLED) ? EXIT_JOB_CANCELLED : EXIT_JOB_FAILED;
}

static const char *wait_words(Filmgate__V1__JobWaitReason reason)
{
	switch (reason) {
	case WAIT(CAPACITY):
		return "as many jobs as allowed are under way there";
	case WAIT(RATE_LIMIT):
		return "the provider's rate limit";
	case WAIT(BACKOFF):
		return "a pause after a failed exchange";
	case WAIT(DISK):
		return "disk space";
	case WAIT(PLUGIN_MISSING):
		return "the provider's plugin, which is not loaded";
	case WAIT(PROVIDER_CREDENTIAL):
		return "a credential that the provider accepts";
	case WAIT(HELD):
		return "its release: the data was restored from a copy; 'filmgate resume' releases it";
	case WAIT(TOKEN):
		return "an access token, which could not be had";
	case WAIT(BUDGET):
		return "room in a budget";
	case WAIT(BREAKER):
		return "the provider, which only fails";
	case WAIT(SCHEDULE):
		return "the time for which it was ordered";
	default:
		return "something this program has no word for";
	}
}

static void detail_wait(const Filmgate__V1__JobWait *wait, struct buffer *out)
{
	buffer_printf(out, "waits for %s", wait_words(wait->reason));
	if (wait->until_time)
		buffer_printf(out, ", until %s", words_of_local_time(wait->until_time->seconds).text);
	/* Nobody waits so long for a time: something else keeps it, a provider that cannot be used, say. */
	if (wait->until_time && wait->until_time->seconds * 1000 + OVERDUE_MS < clock_utc_ms(&clock_system))
		buffer_append_text(out, ", which is over: 'filmgate providers' shows whether its provider can be used");
}

/* What the newest exchange that may buy came to, where the job waits because of it. */
static void detail_last_send(const Filmgate__V1__JobStatus *status, struct buffer *out)
{
	const Filmgate__V1__Attempt *attempt = status->n_attempts ? status->attempts[status->n_attempts - 1] : NULL;
	const Filmgate__V1__Send *send = attempt && attempt->n_sends ? attempt->sends[attempt->n_sends - 1] : NULL;
	char word[FIELD_NAME_SIZE];

	if (!send || status->wait->reason != WAIT(BACKOFF))
		return;
	field_enum_word(&filmgate__v1__send_class__descriptor, (int)send->class_, word);
	for (char *p = word; *p; p++)
		*p = *p == '_' ? ' ' : *p;
	buffer_printf(out, "; the order was %s", word);
	if (send->http_status)
		buffer_printf(out, ", HTTP %u", send->http_status);
}

static void detail_progress(const Filmgate__V1__JobProgress *progress, struct buffer *out)
{
	const char *comma = "";

	if (progress->source) {
		buffer_printf(out, "%u %%", progress->percent);
		comma = ", ";
	}
	if (progress->provider_queue_position) {
		buffer_printf(out, "%sno. %u in the provider's queue", comma, progress->provider_queue_position);
		comma = ", ";
	}
	if (*progress->provider_state)
		buffer_printf(out, "%s%s", comma, progress->provider_state);
}

static void detail_artifact(const Filmgate__V1__Artifact *artifact, struct buffer *out)
{
	if (artifact->duration)
		buffer_printf(
			out, "%s, ",
			words_of_duration(artifact->duration->seconds * 1000 + artifact->duration->nanos / 1000000)
				.text);
	if (artifact->width)
		buffer_printf(out, "%ux%u, ", artifact->width, artifact->height);
	buffer_printf(out, "%s", words_of_size(artifact->size_bytes).text);
}

static void detail_success(const Filmgate__V1__JobStatus *status, struct buffer *out)
{
	if (status->n_artifacts)
		detail_artifact(status->artifacts[0], out);
	if (status->n_artifacts > 1)
		buffer_printf(out, ", and %zu more files", status->n_artifacts - 1);
	for (size_t i = 0; i < status->n_missing_roles; i++)
		buffer_printf(out, "%s%s", i ? ", " : "; missing: ", status->missing_roles[i]);
	for (size_t i = 0; i < status->n_mismatches; i++)
		buffer_printf(out, "%s%s", i ? ", " : "; not as ordered: ", status->mismatches[i]->field);
}

static void detail_failure(const Filmgate__V1__JobStatus *status, struct buffer *out)
{
	const Filmgate__V1__JobFailure *failure = status->failure;
	bool is_cancelled = status->cancel && status->state == STATE(CANCELLED);
	char word[FIELD_NAME_SIZE];

	/* The daemon's own sentence about a cancel says more than the bare outcome. */
	if (is_cancelled)
		buffer_append_text(out, failure && *failure->message ? failure->message
								     : render_cancel(status->cancel->outcome, status));
	if (is_cancelled || !failure)
		return;
	field_enum_word(&filmgate__v1__failure_reason__descriptor, (int)failure->reason, word);
	buffer_printf(out, "%s: %s", word, *failure->message ? failure->message : failure->provider_message);
	if (failure->purchased == PURCHASED(MADE))
		buffer_append_text(out, "; it is charged all the same");
	if (failure->purchased == PURCHASED(UNKNOWN))
		buffer_append_text(out, "; whether it is charged is not known");
}

void render_detail(const Filmgate__V1__JobStatus *status, struct buffer *out)
{
	size_t before = out->len;

	if (status->state == STATE(SUCCEEDED))
		detail_success(status, out);
	else if (render_is_final(status->state))
		detail_failure(status, out);
	else if (status->state == STATE(UNCERTAIN))
		buffer_append_text(
			out,
			"a paid request left and its fate is unknown; nothing is sent again until 'filmgate resolve' decides it");
	else if (status->wait) {
		detail_wait(status->wait, out);
		detail_last_send(status, out);
	} else if (status->progress)
		detail_progress(status->progress, out);
	if (!render_is_final(status->state) && status->cancel)
		buffer_printf(out, "%scancel requested", out->len > before ? "; " : "");
	if (out->data)
		say_make_safe(out->data + before);
}

void render_note(const Filmgate__V1__Note *note, struct buffer *out)
{
	char word[FIELD_NAME_SIZE];

	field_enum_word(&filmgate__v1__note_severity__descriptor, (int)note->severity, word);
	buffer_printf(out, "%s%s%s", word, *note->field ? " " : "", note->field);
	if (*note->from)
		buffer_printf(out, " from %s", note->from);
	if (*note->to)
		buffer_printf(out, " to %s", note->to);
	if (*note->message)
		buffer_printf(out, ": %s", note->message);
}

void render_say_notes(const Filmgate__V1__JobStatus *status)
{
	for (size_t i = 0; status && i < status->n_notes; i++) {
		_cleanup_(buffer_finish) struct buffer words = {0};

		render_note(status->notes[i], &words);
		if (words.data)
			say_note("%s", words.data);
	}
}

void render_say_how_to_decide(const char *uuid)
{
	say_more("look into the provider's account, then decide:");
	say_more("it is there:     filmgate resolve %s --found REMOTE_ID", uuid);
	say_more("it is not there: filmgate resolve %s --absent, which orders it again", uuid);
	say_more("nobody knows:    filmgate resolve %s --give-up; 'filmgate retry' then orders it anew", uuid);
}

/* Of a job that was not sent here: it is from a copy of the store, or an earlier attempt is in doubt. */
static bool may_be_unsent(const Filmgate__V1__JobStatus *status)
{
	return status && status->failure && status->failure->purchased == PURCHASED(UNKNOWN);
}

const char *render_cancel(Filmgate__V1__CancelOutcome outcome, const Filmgate__V1__JobStatus *status)
{
	switch (outcome) {
	case CANCEL(NEVER_SENT):
		return "never sent: it costs nothing";
	case CANCEL(CANCELLED_UPSTREAM):
		return "stopped at the provider";
	case CANCEL(DETACHED):
		return may_be_unsent(status) ? "given up here; whether it was ordered is not known: look at the "
					       "provider's account"
					     : "given up here; the provider goes on and bills it";
	case CANCEL(TOO_LATE):
		return "too late: nothing changes";
	case CANCEL(REQUESTED):
		if (status && status->state == STATE(UNCERTAIN))
			return "noted; nobody asks the provider: it applies when 'filmgate resolve' has decided the job";
		return "noted; it is decided when the provider has answered";
	default:
		return "the daemon did not say what it achieved";
	}
}

void render_line(const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return;
	}
	say_make_safe(text);
	puts(text);
}

enum exit_code render_document(const ProtobufCMessage *message, enum document_layout layout)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	int r = json ? document_print(json, document_of_message(json, message), layout, stdout) : -ENOMEM;

	if (r == 0)
		return EXIT_OK;
	say_error("cannot write the daemon's reply as JSON: %s", r < 0 ? strerror(-r) : json_outcome_text(r));
	return EXIT_FAILED;
}

bool render_for_programs(enum output_format format, const ProtobufCMessage *message, const char *name,
			 enum exit_code *ret)
{
	switch (format) {
	case FORMAT_TABLE:
		return false;
	case FORMAT_NAME:
		printf("%s\n", name);
		*ret = EXIT_OK;
		return true;
	case FORMAT_JSON:
		*ret = render_document(message, DOCUMENT_LAYOUT_INDENTED);
		return true;
	case FORMAT_JSONL:
		*ret = render_document(message, DOCUMENT_LAYOUT_LINE);
		return true;
	}
	assert(false);
	return false;
}
