/*
 * grpc.reflection v1 and v1alpha: one handler, since both have the same messages.
 */
#include "rpc/reflection.h"

#include "rpc/message.h"
#include "rpc/methods.h"
#include "rpc/server.h"
#include "rpc/stream.h"

#include <grpc/reflection/v1/reflection.pb-c.h>
#include <grpc/status.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;

/* The response being built; lives in the arena of the request. */
struct answer {
	struct arena *arena;
	const struct reflection *index;
	reflection_response response;
};

static void answer_error(struct answer *answer, int32_t code, const char *text)
{
	Grpc__Reflection__V1__ErrorResponse *error = arena_need(answer->arena, sizeof(*error));

	grpc__reflection__v1__error_response__init(error);
	error->error_code = code;
	error->error_message = (char *)text;
	answer->response.error_response = error;
	answer->response.message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
}

static void count_file(void *userdata, struct bytes file)
{
	(void)file;
	(*(size_t *)userdata)++;
}

static void add_file(void *userdata, struct bytes file)
{
	Grpc__Reflection__V1__FileDescriptorResponse *files = userdata;

	files->file_descriptor_proto[files->n_file_descriptor_proto++] = (ProtobufCBinaryData){
		.data = (uint8_t *)file.data, .len = file.len};
}

/* With everything that it imports, so that one question is enough. */
static void answer_file(struct answer *answer, const struct reflection_file *file, const char *what)
{
	Grpc__Reflection__V1__FileDescriptorResponse *files = arena_need(answer->arena, sizeof(*files));
	size_t n = 0;

	if (!file) {
		answer_error(answer, GRPC_STATUS_NOT_FOUND, what);
		return;
	}
	reflection_walk(answer->index, file, count_file, &n);
	grpc__reflection__v1__file_descriptor_response__init(files);
	files->file_descriptor_proto = arena_need(answer->arena, n * sizeof(*files->file_descriptor_proto));
	reflection_walk(answer->index, file, add_file, files);
	answer->response.file_descriptor_response = files;
	answer->response.message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
}

static void answer_services(struct answer *answer)
{
	Grpc__Reflection__V1__ListServiceResponse *list = arena_need(answer->arena, sizeof(*list));
	size_t n = reflection_count_services(answer->index);

	grpc__reflection__v1__list_service_response__init(list);
	list->service = arena_need_pointers(answer->arena, n);
	for (size_t i = 0; i < n; i++) {
		list->service[i] = arena_need(answer->arena, sizeof(*list->service[i]));
		grpc__reflection__v1__service_response__init(list->service[i]);
		list->service[i]->name = (char *)reflection_service(answer->index, i);
	}
	list->n_service = n;
	answer->response.list_services_response = list;
	answer->response.message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
}

/* Nothing here has extensions: every known type has none. */
static void answer_extensions(struct answer *answer, const char *type)
{
	Grpc__Reflection__V1__ExtensionNumberResponse *numbers = arena_need(answer->arena, sizeof(*numbers));

	if (!reflection_find_symbol(answer->index, type)) {
		answer_error(answer, GRPC_STATUS_NOT_FOUND, "there is no such type");
		return;
	}
	grpc__reflection__v1__extension_number_response__init(numbers);
	numbers->base_type_name = (char *)type;
	answer->response.all_extension_numbers_response = numbers;
	answer->response.message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
}

static void answer_request(struct answer *answer, const reflection_request *request)
{
	switch (request->message_request_case) {
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
		answer_file(answer, reflection_find_file(answer->index, request->file_by_filename),
			    "there is no such file");
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
		answer_file(answer, reflection_find_symbol(answer->index, request->file_containing_symbol),
			    "there is no such symbol");
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
		answer_error(answer, GRPC_STATUS_NOT_FOUND, "there are no extensions");
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
		answer_extensions(answer, request->all_extension_numbers_of_type);
		return;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
		answer_services(answer);
		return;
	default:
		answer_error(answer, GRPC_STATUS_INVALID_ARGUMENT, "the request asks nothing");
	}
}

/* ---- the stream: one request, one response, until the client has no more ---- */

static void on_request(void *userdata, const void *request)
{
	struct stream *stream = userdata;
	struct answer answer = {.arena = &stream->call->arena, .index = stream_server(stream)->reflection};

	if (!request) {
		stream_finish(stream, NULL);
		return;
	}
	grpc__reflection__v1__server_reflection_response__init(&answer.response);
	answer.response.valid_host = ((const reflection_request *)request)->host;
	answer.response.original_request = (reflection_request *)request;
	answer_request(&answer, request);
	stream_send(stream, message_pack(&answer.response.base));
}

static void on_sent(void *userdata, uint32_t n)
{
	(void)n;
	stream_read(userdata);
}

static void on_closed(void *userdata)
{
	stream_unref(userdata);
}

void handle_reflection(struct stream *stream, const void *request)
{
	static const struct stream_events events = {
		.on_request = on_request, .on_sent = on_sent, .on_closed = on_closed};

	(void)request;
	stream_listen(stream, &events, stream);
	stream_read(stream);
}
