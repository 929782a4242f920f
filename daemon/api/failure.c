#include "api/failure.h"

#include "api/arena.h"
#include "api/prescan.h"
#include "api/text.h"
#include "api/violations.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"

#include <google/rpc/error_details.pb-c.h>

/* What the contract promises beside the code and the ErrorInfo. */
enum details { BARE = 0, FIELDS = 1, RESOURCE = 2, RETRY = 4 };

struct row {
	enum code code;
	enum details details;
	const char *text;
};

#define RETRY_AFTER_MS 1000 /* where RetryInfo is promised and nobody knows better */

#define ROW(reason) [FILMGATE__V1__ERROR_REASON__ERROR_REASON_##reason]
static const struct row rows[] = {
	ROW(MALFORMED_MESSAGE) = {CODE_INVALID_ARGUMENT, FIELDS, "the request cannot be read"},
	ROW(INVALID_REQUEST) = {CODE_INVALID_ARGUMENT, FIELDS, "the request is not valid"},
	ROW(REQUEST_ID_REUSED) = {CODE_ALREADY_EXISTS, BARE, "the request_id belongs to a different order"},
	ROW(JOB_DELETED) = {CODE_ALREADY_EXISTS, BARE, "the request_id belongs to a job that was deleted"},
	ROW(JOB_NOT_FOUND) = {CODE_NOT_FOUND, RESOURCE, "there is no such job"},
	ROW(ARTIFACT_NOT_FOUND) = {CODE_NOT_FOUND, RESOURCE, "there is no such artifact"},
	ROW(PROVIDER_NOT_FOUND) = {CODE_NOT_FOUND, RESOURCE, "no such provider is configured"},
	ROW(REVISION_MISMATCH) = {CODE_ABORTED, RESOURCE, "the job has changed since; read it again"},
	ROW(WRONG_STATE) = {CODE_FAILED_PRECONDITION, RESOURCE, "not possible for the job as it stands"},
	ROW(PROVIDER_FAILED) = {CODE_UNAVAILABLE, RESOURCE, "the provider refused or could not be reached"},
	ROW(CURSOR_EXPIRED) = {CODE_OUT_OF_RANGE, BARE,
			       "the events after this point are not kept; read or list again and watch from there"},
	ROW(WATCHER_TOO_SLOW) = {CODE_RESOURCE_EXHAUSTED, BARE,
				 "the watcher reads too slowly; watch again from the last event received"},
	ROW(TOO_MANY_WATCHERS) = {CODE_RESOURCE_EXHAUSTED, RETRY, "too many watches and reads are open"},
	ROW(OFFSET_OUT_OF_RANGE) = {CODE_OUT_OF_RANGE, BARE, "the offset is beyond the artifact's end"},
	ROW(ARTIFACT_DAMAGED) = {CODE_DATA_LOSS, RESOURCE, "the artifact's file is missing or damaged"},
	ROW(QUEUE_FULL) = {CODE_RESOURCE_EXHAUSTED, RETRY, "the daemon has too much to do; try again later"},
	ROW(DRAINING) = {CODE_UNAVAILABLE, RETRY, "the daemon is shutting down"},
	ROW(STORE_UNAVAILABLE) = {CODE_UNAVAILABLE, BARE, "the data directory cannot be written or read now"},
	ROW(ASSET_NOT_FOUND) = {CODE_NOT_FOUND, RESOURCE, "there is no such asset"},
	ROW(ASSET_IN_USE) = {CODE_FAILED_PRECONDITION, RESOURCE, "a job that has not ended uses the asset"},
	ROW(ASSET_REFUSED) = {CODE_INVALID_ARGUMENT, BARE, "the file is nothing that an asset may be"},
	ROW(TOO_MANY_UPLOADS) = {CODE_RESOURCE_EXHAUSTED, RETRY, "too many uploads are open"},
	ROW(UPLOAD_IDLE) = {CODE_ABORTED, BARE, "nothing was sent for too long; upload the file again"},
	ROW(UPLOAD_TOO_SLOW) = {CODE_RESOURCE_EXHAUSTED, BARE,
				"too little was sent for the time it took; upload the file again over a faster line"},
	ROW(VIDEO_OWNED) = {CODE_ALREADY_EXISTS, RESOURCE, "the video is a job's already"},
	ROW(DELIVERY_NOT_FOUND) = {CODE_NOT_FOUND, RESOURCE, "there is no such delivery of a webhook"},
	ROW(INTERNAL) = {CODE_INTERNAL, BARE, "a fault of the daemon; its log has more"},
};
#undef ROW

#define OUTCOME(outcome, reason) [ENGINE_E_##outcome] = FILMGATE__V1__ERROR_REASON__ERROR_REASON_##reason
static const Filmgate__V1__ErrorReason reasons[_ENGINE_E_COUNT] = {
	OUTCOME(NOT_FOUND, JOB_NOT_FOUND),
	OUTCOME(INVALID, INVALID_REQUEST),
	OUTCOME(REQUEST_REUSED, REQUEST_ID_REUSED),
	OUTCOME(JOB_DELETED, JOB_DELETED),
	OUTCOME(REVISION, REVISION_MISMATCH),
	OUTCOME(STATE, WRONG_STATE),
	OUTCOME(QUEUE_FULL, QUEUE_FULL),
	OUTCOME(DRAINING, DRAINING),
	OUTCOME(STORE, STORE_UNAVAILABLE),
	OUTCOME(CURSOR_EXPIRED, CURSOR_EXPIRED),
	OUTCOME(PROVIDER, PROVIDER_FAILED),
	OUTCOME(CREDENTIAL, PROVIDER_FAILED),
	OUTCOME(UNREACHABLE, PROVIDER_FAILED),
	OUTCOME(DAMAGED, ARTIFACT_DAMAGED),
	OUTCOME(ASSET_REFUSED, ASSET_REFUSED),
	OUTCOME(ASSET_USED, ASSET_IN_USE),
	OUTCOME(UPLOADS, TOO_MANY_UPLOADS),
	OUTCOME(PLUGIN, INTERNAL),
	OUTCOME(OWNED, VIDEO_OWNED),
};
#undef OUTCOME

static const struct row *find_row(Filmgate__V1__ErrorReason reason)
{
	size_t i = (size_t)reason;

	if (i >= sizeof(rows) / sizeof(rows[0]) || !rows[i].text)
		i = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INTERNAL;
	return &rows[i];
}

enum code code_of_reason(Filmgate__V1__ErrorReason reason)
{
	return find_row(reason)->code;
}

const char *name_of_reason(Filmgate__V1__ErrorReason reason)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&filmgate__v1__error_reason__descriptor,
									       (int)reason);

	return value ? value->name + strlen("ERROR_REASON_") : "INTERNAL";
}

static const struct {
	const char *type;
	Filmgate__V1__ErrorReason not_found;
} resources[] = {
	[RESOURCE_NONE] = {"", FILMGATE__V1__ERROR_REASON__ERROR_REASON_JOB_NOT_FOUND},
	[RESOURCE_JOB] = {"filmgate.v1.Job", FILMGATE__V1__ERROR_REASON__ERROR_REASON_JOB_NOT_FOUND},
	[RESOURCE_ARTIFACT] = {"filmgate.v1.Artifact", FILMGATE__V1__ERROR_REASON__ERROR_REASON_ARTIFACT_NOT_FOUND},
	[RESOURCE_PROVIDER] = {"filmgate.v1.Provider", FILMGATE__V1__ERROR_REASON__ERROR_REASON_PROVIDER_NOT_FOUND},
	[RESOURCE_ASSET] = {"filmgate.v1.Asset", FILMGATE__V1__ERROR_REASON__ERROR_REASON_ASSET_NOT_FOUND},
	[RESOURCE_DELIVERY] = {"filmgate.v1.Delivery", FILMGATE__V1__ERROR_REASON__ERROR_REASON_DELIVERY_NOT_FOUND},
};

struct failure failure_of_engine(int outcome, const struct engine_error *error, enum resource resource,
				 const char *name)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INTERNAL,
				  .resource = resource,
				  .resource_name = name};

	if (outcome <= 0 || outcome >= _ENGINE_E_COUNT) {
		log_error("a call failed", "error", log_errno(outcome), "detail", error ? error->text : NULL);
		return failure;
	}
	failure.reason = outcome == ENGINE_E_NOT_FOUND ? resources[resource].not_found : reasons[outcome];
	if (error) {
		failure.text = error->text;
		failure.violations = error->violations;
		failure.n_violations = error->n_violations;
		failure.retry_after_ms = error->retry_after_ms;
	}
	return failure;
}

struct failure failure_of_problem(int outcome, const struct problem *problem, struct engine_violation *violation)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INTERNAL};

	if (outcome <= 0) {
		log_error("a request could not be unpacked", "error", log_errno(outcome));
		return failure;
	}
	failure.reason = outcome == PRESCAN_E_ENUM ? FILMGATE__V1__ERROR_REASON__ERROR_REASON_INVALID_REQUEST
						   : FILMGATE__V1__ERROR_REASON__ERROR_REASON_MALFORMED_MESSAGE;
	failure.text = problem->text;
	if (problem->field[0]) {
		*violation = (struct engine_violation){.field = problem->field, .text = problem->text};
		failure.violations = violation;
		failure.n_violations = 1;
	}
	return failure;
}

struct failure failure_of_violations(const struct violations *violations)
{
	return (struct failure){.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INVALID_REQUEST,
				.violations = violations->items,
				.n_violations = violations->n};
}

/* ---- details ---- */

#define DETAILS_MAX 4

struct packing {
	struct arena *arena;
	Google__Rpc__Status *status;
	size_t left; /* of LIMIT_RPC_STATUS_DETAILS */
};

/* Adds @message as one detail, unless it does not fit any more. */
static void add_detail(struct packing *packing, const char *url, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	Google__Protobuf__Any *any = arena_need(packing->arena, sizeof(*any));
	uint8_t *data = arena_need(packing->arena, len);

	if (len + strlen(url) + 12 > packing->left)
		return;
	google__protobuf__any__init(any);
	any->type_url = (char *)url;
	protobuf_c_message_pack(message, data);
	any->value = (ProtobufCBinaryData){.data = data, .len = len};
	packing->status->details[packing->status->n_details++] = any;
	packing->left -= len + strlen(url) + 12;
}

static void add_error_info(struct packing *packing, const struct failure *failure)
{
	Google__Rpc__ErrorInfo__MetadataEntry entry = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry *entries[] = {&entry};
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;

	info.reason = (char *)name_of_reason(failure->reason);
	info.domain = (char *)"filmgate";
	if (failure->metadata_key) {
		entry.key = (char *)failure->metadata_key;
		entry.value = (char *)failure->metadata_value;
		info.n_metadata = 1;
		info.metadata = entries;
	}
	add_detail(packing, "type.googleapis.com/google.rpc.ErrorInfo", &info.base);
}

static void add_resource(struct packing *packing, const struct failure *failure)
{
	Google__Rpc__ResourceInfo info = GOOGLE__RPC__RESOURCE_INFO__INIT;

	if (failure->resource == RESOURCE_NONE || !failure->resource_name)
		return;
	info.resource_type = (char *)resources[failure->resource].type;
	info.resource_name = (char *)failure->resource_name;
	add_detail(packing, "type.googleapis.com/google.rpc.ResourceInfo", &info.base);
}

static void add_retry(struct packing *packing, const struct failure *failure)
{
	int64_t after_ms = failure->retry_after_ms ? failure->retry_after_ms : RETRY_AFTER_MS;
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;

	delay.seconds = after_ms / 1000;
	delay.nanos = (int32_t)(after_ms % 1000 * 1000000);
	info.retry_delay = &delay;
	add_detail(packing, "type.googleapis.com/google.rpc.RetryInfo", &info.base);
}

/* Beside the job, a request has fields of its own, which the engine names just as they are. */
static bool has_prefix(const struct failure *failure, const char *field)
{
	const char *prefix = failure->field_prefix;

	return prefix && strncmp(field, prefix, strlen(prefix)) != 0 && strcmp(field, "request_id") != 0 &&
	       strcmp(field, "timeout") != 0;
}

static const char *prefix_for(const struct failure *failure, const char *field)
{
	return has_prefix(failure, field) ? failure->field_prefix : "";
}

static Google__Rpc__BadRequest__FieldViolation *make_violation(struct packing *packing, const struct failure *failure,
							       const struct engine_violation *from)
{
	Google__Rpc__BadRequest__FieldViolation *violation = arena_need(packing->arena, sizeof(*violation));

	google__rpc__bad_request__field_violation__init(violation);
	violation->field = arena_printf(packing->arena, "%s%s", prefix_for(failure, from->field), from->field);
	violation->description = text_cut(packing->arena, from->text, LIMIT_RPC_STATUS_TEXT);
	return violation;
}

/* As many as fit; the rest would make the trailers larger than clients accept. */
static void add_violations(struct packing *packing, const struct failure *failure)
{
	Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
	size_t left = packing->left > 256 ? packing->left - 256 : 0;

	bad.field_violations = arena_need_pointers(packing->arena, failure->n_violations);
	for (size_t i = 0; i < failure->n_violations; i++) {
		Google__Rpc__BadRequest__FieldViolation *violation = make_violation(packing, failure,
										    &failure->violations[i]);
		size_t len = protobuf_c_message_get_packed_size(&violation->base) + 8;

		if (len > left)
			break;
		left -= len;
		bad.field_violations[bad.n_field_violations++] = violation;
	}
	if (bad.n_field_violations)
		add_detail(packing, "type.googleapis.com/google.rpc.BadRequest", &bad.base);
}

/* Whoever sees only the message is to know the field as well: the first one, where there are more. */
static char *write_message(struct packing *packing, const struct failure *failure, const struct row *row)
{
	const struct engine_violation *first = failure->violations;
	const char *text = failure->text ? failure->text : row->text;

	if (row->details & FIELDS && failure->n_violations)
		text = arena_printf(packing->arena, "%s%s: %s", prefix_for(failure, first->field), first->field,
				    first->text);
	return text_cut(packing->arena, text, LIMIT_RPC_STATUS_TEXT);
}

Google__Rpc__Status *failure_status(const struct failure *failure, struct arena *arena)
{
	const struct row *row = find_row(failure->reason);
	struct packing packing = {
		.arena = arena, .status = arena_need(arena, sizeof(*packing.status)), .left = LIMIT_RPC_STATUS_DETAILS};
	Google__Rpc__Status *status = packing.status;

	google__rpc__status__init(status);
	status->code = (int32_t)row->code;
	status->message = write_message(&packing, failure, row);
	status->details = arena_need_pointers(arena, DETAILS_MAX);
	packing.left -= strlen(status->message);
	add_error_info(&packing, failure);
	if (row->details & RESOURCE)
		add_resource(&packing, failure);
	if (row->details & RETRY || failure->retry_after_ms)
		add_retry(&packing, failure);
	if (row->details & FIELDS)
		add_violations(&packing, failure);
	return status;
}
