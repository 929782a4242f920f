#include "web/connect.h"

#include "api/message.h"
#include "api/methods.h"
#include "api/prescan.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "base/quote.h"
#include "protojson/protojson.h"
#include "web/routes.h"

#include <google/rpc/error_details.pb-c.h>
#include <strings.h>

#define TYPE_URL "type.googleapis.com/"

/* ---- errors ---- */

static const struct {
	const char *name;
	unsigned int status; /* as the protocol's table has it */
} codes[] = {
	[CODE_CANCELLED] = {"canceled", 499},
	[CODE_UNKNOWN] = {"unknown", 500},
	[CODE_INVALID_ARGUMENT] = {"invalid_argument", 400},
	[CODE_DEADLINE_EXCEEDED] = {"deadline_exceeded", 504},
	[CODE_NOT_FOUND] = {"not_found", 404},
	[CODE_ALREADY_EXISTS] = {"already_exists", 409},
	[CODE_PERMISSION_DENIED] = {"permission_denied", 403},
	[CODE_RESOURCE_EXHAUSTED] = {"resource_exhausted", 429},
	[CODE_FAILED_PRECONDITION] = {"failed_precondition", 400},
	[CODE_ABORTED] = {"aborted", 409},
	[CODE_OUT_OF_RANGE] = {"out_of_range", 400},
	[CODE_UNIMPLEMENTED] = {"unimplemented", 501},
	[CODE_INTERNAL] = {"internal", 500},
	[CODE_UNAVAILABLE] = {"unavailable", 503},
	[CODE_DATA_LOSS] = {"data_loss", 500},
	[CODE_UNAUTHENTICATED] = {"unauthenticated", 401},
};

static size_t row_of(enum code code)
{
	return (size_t)code < sizeof(codes) / sizeof(codes[0]) && codes[code].name ? (size_t)code : CODE_UNKNOWN;
}

const char *connect_code_name(enum code code)
{
	return codes[row_of(code)].name;
}

unsigned int connect_http_status(enum code code)
{
	return codes[row_of(code)].status;
}

/* The protocol leaves out what fills the last group up. */
static int append_base64(struct buffer *out, struct bytes bytes)
{
	int r = base64_append(out, bytes);

	while (r == 0 && out->len && out->data[out->len - 1] == '=')
		out->data[--out->len] = '\0';
	return r;
}

/* What people read of a detail, whose bytes are for programs. */
static int append_debug(struct buffer *out, const char *type, struct bytes value)
{
	static const ProtobufCMessageDescriptor *const types[] = {&google__rpc__error_info__descriptor,
								  &google__rpc__resource_info__descriptor,
								  &google__rpc__retry_info__descriptor,
								  &google__rpc__bad_request__descriptor};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		ProtobufCMessage *message;
		int r;

		if (strcmp(types[i]->name, type) != 0)
			continue;
		message = protobuf_c_message_unpack(types[i], NULL, value.len, value.data);
		if (!message)
			return err_origin(-ENOMEM);
		r = buffer_append_text(out, ",\"debug\":");
		if (r == 0)
			r = protojson_write(message, 0, out);
		protobuf_c_message_free_unpacked(message, NULL);
		return r > 0 ? err_fold(r) : r;
	}
	return 0;
}

static int append_detail(struct buffer *out, const Google__Protobuf__Any *any, bool is_first)
{
	const char *type = strncmp(any->type_url, TYPE_URL, strlen(TYPE_URL)) == 0 ? any->type_url + strlen(TYPE_URL)
										   : any->type_url;
	struct bytes value = bytes_of(any->value.data, any->value.len);
	int r = buffer_printf(out, "%s{\"type\":\"%s\",\"value\":\"", is_first ? "" : ",", type);

	if (r == 0)
		r = append_base64(out, value);
	if (r == 0)
		r = buffer_append_text(out, "\"");
	if (r == 0)
		r = append_debug(out, type, value);
	return r < 0 ? r : buffer_append_text(out, "}");
}

int connect_write_error(const Google__Rpc__Status *status, struct buffer *out)
{
	int r = buffer_printf(out, "{\"code\":\"%s\",\"message\":", connect_code_name((enum code)status->code));

	if (r == 0)
		r = json_append_text(out, bytes_of_text(status->message));
	if (r == 0)
		r = buffer_append_text(out, ",\"details\":[");
	for (size_t i = 0; r == 0 && i < status->n_details; i++)
		r = append_detail(out, status->details[i], i == 0);
	if (r == 0)
		r = buffer_append_text(out, "]}");
	return r < 0 ? err_trace(r) : 0;
}

static int64_t retry_after_s(const Google__Rpc__Status *status)
{
	for (size_t i = 0; i < status->n_details; i++) {
		const ProtobufCBinaryData *value = &status->details[i]->value;
		Google__Rpc__RetryInfo *info;
		int64_t seconds = 0;

		if (strcmp(status->details[i]->type_url, TYPE_URL "google.rpc.RetryInfo") != 0)
			continue;
		info = google__rpc__retry_info__unpack(NULL, value->len, value->data);
		if (info && info->retry_delay)
			seconds = info->retry_delay->seconds + (info->retry_delay->nanos > 0);
		google__rpc__retry_info__free_unpacked(info, NULL);
		return seconds;
	}
	return 0;
}

static void say_status(struct reply *ret, const Google__Rpc__Status *status)
{
	int64_t retry_s = retry_after_s(status);

	*ret = (struct reply){.status = connect_http_status((enum code)status->code), .media_type = "application/json"};
	if (connect_write_error(status, &ret->body) < 0) {
		buffer_finish(&ret->body);
		ret->body = (struct buffer){0};
	}
	if (retry_s > 0)
		reply_header(ret, "Retry-After", "%lld", (long long)retry_s);
}

void connect_fail(struct reply *ret, const struct failure *failure)
{
	struct arena arena = {0};

	say_status(ret, failure_status(failure, &arena));
	arena_finish(&arena);
}

/* Where the contract is not ours. */
static void fail_code(struct exchange *exchange, enum code code, unsigned int http_status, const char *text)
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	struct reply reply;

	status.code = (int32_t)code;
	status.message = (char *)text;
	say_status(&reply, &status);
	reply.status = http_status;
	exchange_reply(exchange, &reply);
}

/* ---- messages ---- */

int connect_write_message(const ProtobufCMessage *message, enum connect_form form, struct buffer *out)
{
	size_t len;
	int r;

	if (form == CONNECT_JSON) {
		r = protojson_write(message, 0, out);
		return r > 0 ? err_fold(r) : r;
	}
	len = protobuf_c_message_get_packed_size(message);
	r = buffer_reserve(out, len);
	if (r < 0)
		return err_trace(r);
	out->len += protobuf_c_message_pack(message, (uint8_t *)out->data + out->len);
	return 0;
}

int connect_write_packed(const ProtobufCMessageDescriptor *type, struct packed *packed, enum connect_form form,
			 struct buffer *out)
{
	ProtobufCMessage *message;
	int r;

	if (form == CONNECT_PROTO)
		return buffer_append(out, packed_data(packed), packed_len(packed));
	message = protobuf_c_message_unpack(type, NULL, packed_len(packed), packed_data(packed));
	if (!message)
		return err_origin(-ENOMEM);
	r = connect_write_message(message, form, out);
	protobuf_c_message_free_unpacked(message, NULL);
	return r;
}

static int read_json(const struct method *method, struct bytes bytes, struct arena *arena, ProtobufCMessage **ret,
		     struct failure *ret_failure)
{
	struct engine_violation *violation = arena_need(arena, sizeof(*violation));
	struct protojson_problem *problem = arena_need(arena, sizeof(*problem));
	ProtobufCAllocator allocator = arena_allocator(arena);
	int r = protojson_read(method->request, bytes, 0, &allocator, ret, problem);

	if (r == 0)
		return 0;
	*ret_failure = (struct failure){.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INTERNAL};
	if (r < 0) {
		log_error("a request could not be read", "error", log_errno(r));
		return 1;
	}
	ret_failure->reason = r == PROTOJSON_E_VALUE ? FILMGATE__V1__ERROR_REASON__ERROR_REASON_INVALID_REQUEST
						     : FILMGATE__V1__ERROR_REASON__ERROR_REASON_MALFORMED_MESSAGE;
	ret_failure->text = problem->text;
	if (problem->field[0]) {
		*violation = (struct engine_violation){.field = problem->field, .text = problem->text};
		ret_failure->violations = violation;
		ret_failure->n_violations = 1;
	}
	return 1;
}

int connect_read_message(const struct method *method, enum connect_form form, struct bytes bytes, struct arena *arena,
			 ProtobufCMessage **ret, struct failure *ret_failure)
{
	struct engine_violation *violation;
	struct problem *problem;
	int r;

	if (form == CONNECT_JSON)
		return read_json(method, bytes, arena, ret, ret_failure);
	violation = arena_need(arena, sizeof(*violation));
	problem = arena_need(arena, sizeof(*problem));
	r = message_unpack(method->request, bytes, arena, ret, problem);
	if (r)
		*ret_failure = failure_of_problem(r, problem, violation);
	return r != 0;
}

/* ---- a request ---- */

struct content {
	const char *media_type;
	enum connect_form form;
	bool is_stream;
};

static const struct content contents[] = {
	{"application/json", CONNECT_JSON, false},
	{"application/proto", CONNECT_PROTO, false},
	{"application/connect+json", CONNECT_JSON, true},
	{"application/connect+proto", CONNECT_PROTO, true},
};

/* Parameters beside charset=utf-8 have no meaning here. */
static const struct content *find_content(const char *media_type)
{
	size_t len = media_type ? strcspn(media_type, "; \t") : 0;

	if (!media_type)
		return NULL;
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if (strlen(contents[i].media_type) == len && strncasecmp(contents[i].media_type, media_type, len) == 0)
			return &contents[i];
	return NULL;
}

static void refuse_content(struct exchange *exchange, const struct method *method, const char *media_type)
{
	struct reply reply = {.status = 415, .media_type = TEXT_MEDIA_TYPE};
	const char *possible = method->shape == METHOD_UNARY ? "application/json, application/proto"
							     : "application/connect+json, application/connect+proto";

	reply_header(&reply, "Accept-Post", "%s", possible);
	if (buffer_printf(&reply.body, "'%s' is not taken by %s, but one of: %s\n",
			  quote(media_type ? media_type : "").text, method->path, possible) < 0)
		buffer_finish(&reply.body);
	exchange_reply(exchange, &reply);
}

static bool is_identity(const char *encoding)
{
	return !encoding || !*encoding || strcasecmp(encoding, "identity") == 0;
}

/* False: it has been answered. */
static bool check_protocol(struct exchange *exchange, bool is_stream, int64_t *ret_timeout_ms)
{
	const char *version = exchange_header(exchange, "Connect-Protocol-Version");
	const char *encoding = exchange_header(exchange, is_stream ? "Connect-Content-Encoding" : "Content-Encoding");
	const char *timeout = exchange_header(exchange, "Connect-Timeout-Ms");
	size_t digits = timeout ? strspn(timeout, "0123456789") : 0;

	*ret_timeout_ms = timeout ? strtoll(timeout, NULL, 10) : -1;
	if (version && strcmp(version, "1") != 0)
		fail_code(exchange, CODE_INVALID_ARGUMENT, 400, "Connect-Protocol-Version has to be 1");
	else if (!is_identity(encoding))
		fail_code(exchange, CODE_UNIMPLEMENTED, 501,
			  "the request is compressed, which is not understood here: leave Content-Encoding out");
	else if (timeout && (digits == 0 || digits > 10 || timeout[digits]))
		fail_code(exchange, CODE_INVALID_ARGUMENT, 400,
			  "Connect-Timeout-Ms has to be a number of milliseconds with 1 to 10 digits");
	else
		return true;
	return false;
}

void run_connect(struct exchange *exchange)
{
	const struct method *method = api_find_method(exchange_path(exchange));
	const char *media_type = exchange_header(exchange, "Content-Type");
	const struct content *content = find_content(media_type);
	int64_t timeout_ms;

	if (!method)
		fail_code(exchange, CODE_UNIMPLEMENTED, 404,
			  "there is no such method; proto/filmgate/v1 has those that are");
	else if (method->shape == METHOD_BIDI)
		fail_code(exchange, CODE_UNIMPLEMENTED, 501,
			  "a method that takes a stream of requests is there over gRPC only");
	else if (!content || content->is_stream != (method->shape != METHOD_UNARY))
		refuse_content(exchange, method, media_type);
	else if (!check_protocol(exchange, content->is_stream, &timeout_ms))
		return;
	else if (content->is_stream)
		connect_stream_begin(exchange, method, content->form, timeout_ms);
	else
		unary_begin(exchange, method, content->form, timeout_ms);
}
