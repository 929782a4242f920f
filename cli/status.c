#include "status.h"

#include "field.h"
#include "say.h"
#include "wire.h"
#include "words.h"

#include "base/err.h"

#include <google/protobuf/any.pb-c.h>
#include <google/rpc/status.pb-c.h>

#define PROVIDER_FIELD "job.provider"

static const char *const code_names[] = {
	"OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
	"NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
	"ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
	"DATA_LOSS", "UNAUTHENTICATED",
};

/* How the program ends; what is not here is EXIT_UNREACHABLE or EXIT_FAILED. */
static const struct {
	int code;
	enum exit_code exit_code;
} exit_codes[] = {
	{STATUS_OK, EXIT_OK},
	{STATUS_INVALID_ARGUMENT, EXIT_USAGE},
	{STATUS_NOT_FOUND, EXIT_NOT_FOUND},
	{STATUS_PERMISSION_DENIED, EXIT_AUTH},
	{STATUS_UNAUTHENTICATED, EXIT_AUTH},
	{STATUS_DEADLINE_EXCEEDED, EXIT_TIMED_OUT},
};

/* What to do next, where the daemon's message alone does not say it. */
static const struct {
	Filmgate__V1__ErrorReason reason;
	const char *next;
	const char *field; /* only if that, or something in it, is wrong; NULL: always */
	const char *of;    /* only if the daemon names such a resource; NULL: always */
} next_steps[] = {
#define REASON(name) FILMGATE__V1__ERROR_REASON__ERROR_REASON_##name
	{REASON(INVALID_REQUEST), "'filmgate providers' shows the configured ones", PROVIDER_FIELD, NULL},
	{REASON(INVALID_REQUEST), "'filmgate providers get NAME' says what its models take", "job.model", NULL},
	{REASON(INVALID_REQUEST), "'filmgate providers get NAME' says what its models take", "job.parameters", NULL},
	{REASON(REQUEST_ID_REUSED), "choose another --request-id, or leave it out", NULL, NULL},
	{REASON(JOB_DELETED), "choose another --request-id, or leave it out", NULL, NULL},
	{REASON(JOB_NOT_FOUND), "'filmgate list' shows the jobs that there are", NULL, NULL},
	{REASON(ARTIFACT_NOT_FOUND), "'filmgate get JOB' shows a job's artifacts", NULL, NULL},
	{REASON(PROVIDER_NOT_FOUND), "'filmgate providers' shows the configured ones", NULL, NULL},
	{REASON(REVISION_MISMATCH), "somebody else has changed the job meanwhile: look at it and try again", NULL,
	 NULL},
	{REASON(VIDEO_OWNED), "'filmgate get JOB' shows that job", NULL, NULL},
	{REASON(WRONG_STATE), "'filmgate get JOB' shows where the job stands", NULL, "filmgate.v1.Job"},
	{REASON(PROVIDER_FAILED), "when that is mended, 'filmgate providers check NAME' proves its key and connection",
	 NULL, NULL},
	{REASON(CURSOR_EXPIRED), "watch again from now", NULL, NULL},
	{REASON(TOO_MANY_WATCHERS), "try again when other watchers have gone", NULL, NULL},
	{REASON(ARTIFACT_DAMAGED), "the daemon's log names the file", NULL, NULL},
	{REASON(QUEUE_FULL), "try again when some jobs are done", NULL, NULL},
	{REASON(ASSET_NOT_FOUND), "'filmgate assets' shows those that there are", NULL, NULL},
	{REASON(DELIVERY_NOT_FOUND), "'filmgate webhooks' shows those that there are", NULL, NULL},
	{REASON(TOO_MANY_UPLOADS), "try again when another upload has ended", NULL, NULL},
	{REASON(DRAINING), "try again when the daemon is back", NULL, NULL},
	{REASON(STORE_UNAVAILABLE), "the daemon's log says what is wrong with its data directory; then try again", NULL,
	 NULL},
	{REASON(INTERNAL), "the daemon's log has more", NULL, NULL},
#undef REASON
};

static Google__Rpc__Status *unpack_details(struct bytes details)
{
	if (details.len == 0 || !wire_is_shallow(&google__rpc__status__descriptor, details))
		return NULL;
	return google__rpc__status__unpack(NULL, details.len, details.data);
}

static bool is_of(const Google__Protobuf__Any *any, const ProtobufCMessageDescriptor *of)
{
	const char *slash = strrchr(any->type_url, '/');

	return slash && !strcmp(slash + 1, of->name);
}

/* Each of them appears once in what the daemon sends; a second one is left out. */
static void take_detail(struct status *status, const Google__Protobuf__Any *any)
{
	const ProtobufCBinaryData *value = &any->value;

	if (is_of(any, &google__rpc__error_info__descriptor) && !status->info)
		status->info = google__rpc__error_info__unpack(NULL, value->len, value->data);
	if (is_of(any, &google__rpc__bad_request__descriptor) && !status->wrong)
		status->wrong = google__rpc__bad_request__unpack(NULL, value->len, value->data);
	if (is_of(any, &google__rpc__resource_info__descriptor) && !status->resource)
		status->resource = google__rpc__resource_info__unpack(NULL, value->len, value->data);
	if (is_of(any, &google__rpc__retry_info__descriptor) && !status->retry_ms) {
		Google__Rpc__RetryInfo *retry = google__rpc__retry_info__unpack(NULL, value->len, value->data);

		if (retry && retry->retry_delay && retry->retry_delay->seconds < 86400)
			status->retry_ms = retry->retry_delay->seconds * 1000 + retry->retry_delay->nanos / 1000000;
		google__rpc__retry_info__free_unpacked(retry, NULL);
	}
}

int status_set(struct status *status, int code, struct bytes message, struct bytes details)
{
	Google__Rpc__Status *unpacked;
	char *text = bytes_dup_text(message);

	if (!text)
		return err_origin(-ENOMEM);
	status_finish(status);
	status->code = code;
	status->message = text;
	unpacked = unpack_details(details);
	for (size_t i = 0; unpacked && i < unpacked->n_details; i++)
		take_detail(status, unpacked->details[i]);
	google__rpc__status__free_unpacked(unpacked, NULL);
	return 0;
}

void status_finish(struct status *status)
{
	free(status->message);
	google__rpc__error_info__free_unpacked(status->info, NULL);
	google__rpc__bad_request__free_unpacked(status->wrong, NULL);
	google__rpc__resource_info__free_unpacked(status->resource, NULL);
	*status = (struct status){0};
}

Filmgate__V1__ErrorReason status_reason(const struct status *status)
{
	int reason;

	if (status->info && !strcmp(status->info->domain, "filmgate") &&
	    field_enum_value(&filmgate__v1__error_reason__descriptor, bytes_of_text(status->info->reason), &reason))
		return (Filmgate__V1__ErrorReason)reason;
	return FILMGATE__V1__ERROR_REASON__ERROR_REASON_UNSPECIFIED;
}

bool status_is_unreachable(const struct status *status)
{
	return status->code == STATUS_UNAVAILABLE &&
	       (!status->info || status_reason(status) == FILMGATE__V1__ERROR_REASON__ERROR_REASON_DRAINING);
}

bool status_is_broken(const struct status *status)
{
	if (status->info)
		return status_is_unreachable(status);
	return status->code == STATUS_UNAVAILABLE || status->code == STATUS_UNKNOWN ||
	       status->code == STATUS_INTERNAL || status->code == STATUS_CANCELLED;
}

bool status_is_undecided(const struct status *status)
{
	return status_is_broken(status) || (status->code == STATUS_DEADLINE_EXCEEDED && !status->info) ||
	       status_reason(status) == FILMGATE__V1__ERROR_REASON__ERROR_REASON_STORE_UNAVAILABLE;
}

bool status_is_unsent(const struct status *status)
{
	/* What gRPC says when it had no connection to give the call to; a call that it had given away breaks otherwise. */
	static const char *const words[] = {"failed to connect to all addresses", "DNS resolution failed"};

	if (status->info || status->code != STATUS_UNAVAILABLE || !status->message)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(status->message, words[i], strlen(words[i])))
			return true;
	return false;
}

static bool is_wrong(const struct status *status, const char *field)
{
	size_t len = strlen(field);

	for (size_t i = 0; status->wrong && i < status->wrong->n_field_violations; i++) {
		const char *wrong = status->wrong->field_violations[i]->field;

		if (!strncmp(wrong, field, len) && (wrong[len] == '\0' || wrong[len] == '.' || wrong[len] == '['))
			return true;
	}
	return false;
}

enum exit_code status_exit_code(const struct status *status)
{
	/* In an order, a provider that is not there is a wrong field; to a script it is what it is elsewhere. */
	if (is_wrong(status, PROVIDER_FIELD) && status->wrong->n_field_violations == 1)
		return EXIT_NOT_FOUND;
	for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++)
		if (exit_codes[i].code == status->code)
			return exit_codes[i].exit_code;
	return status_is_unreachable(status) ? EXIT_UNREACHABLE : EXIT_FAILED;
}

const char *status_code_name(int code)
{
	if (code < 0 || (size_t)code >= sizeof(code_names) / sizeof(code_names[0]))
		return "an unknown code";
	return code_names[code];
}

static void say_next_step(const struct status *status, const char *server)
{
	Filmgate__V1__ErrorReason reason = status_reason(status);

	for (size_t i = 0; i < sizeof(next_steps) / sizeof(next_steps[0]); i++) {
		const char *field = next_steps[i].field, *of = next_steps[i].of;

		if (next_steps[i].reason != reason || (field && !is_wrong(status, field)))
			continue;
		if (of && (!status->resource || strcmp(status->resource->resource_type, of) != 0))
			continue;
		say_more("next: %s", next_steps[i].next);
		break;
	}
	if (status->retry_ms > 0)
		say_more("next: not before %s", words_of_duration(status->retry_ms).text);
	if (status->info)
		return;
	if (status->code == STATUS_UNAVAILABLE)
		say_more("next: is filmgated running at %s? --server or FILMGATE_SERVER names another address", server);
	if (status->code == STATUS_DEADLINE_EXCEEDED)
		say_more("next: give it more time with --deadline, or look at the daemon's log");
	if (status_exit_code(status) == EXIT_AUTH)
		say_more("next: ask whoever runs the daemon at %s for access", server);
}

/* Is it @violation again, with its field in front or without? */
static bool repeats(const char *message, const Google__Rpc__BadRequest__FieldViolation *violation)
{
	size_t len = strlen(violation->field);

	if (!strncmp(message, violation->field, len) && !strncmp(message + len, ": ", 2))
		message += len + 2;
	return !strcmp(message, violation->description);
}

/* The daemon's message may be the first violation: those are all said below. */
static const char *summary(const struct status *status)
{
	if (!status->message || !*status->message)
		return "no reason given";
	if (status->wrong && status->wrong->n_field_violations &&
	    repeats(status->message, status->wrong->field_violations[0]))
		return "the request is wrong";
	return status->message;
}

enum exit_code status_say(const struct status *status, const char *what, const char *server)
{
	const char *reason = status->info ? status->info->reason : NULL;
	size_t violations = status->wrong ? status->wrong->n_field_violations : 0;

	say_error("%s: %s%s%s%s: %s", what, status_code_name(status->code), reason ? " (" : "", reason ? reason : "",
		  reason ? ")" : "", summary(status));
	for (size_t i = 0; i < violations; i++)
		say_more("%s: %s", status->wrong->field_violations[i]->field,
			 status->wrong->field_violations[i]->description);
	say_next_step(status, server);
	return status_exit_code(status);
}
