#include "base/err.h"
#include "fuzz.h"
#include "rpc/check.h"
#include "rpc/message.h"
#include "rpc/params.h"

#include <assert.h>
#include <filmgate/v1/provider_service.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>

/* What passes the checks becomes a document, and the document the same parameters again. */
static void go_round(struct arena *arena, const Filmgate__V1__JobParameters *params)
{
	const struct path at = {.name = "parameters", .index = -1};
	struct violations violations = {.arena = arena};
	Filmgate__V1__JobParameters *again;
	struct buffer first = {0}, second = {0};
	int r;

	params_check(params, &at, &violations);
	for (size_t i = 0; i < violations.n; i++)
		assert(violations.items[i].field && violations.items[i].text);
	if (violations.n)
		return;
	r = params_write_json(params, &first);
	assert(r == 0);
	r = params_read_json(first.data, arena, &again);
	assert(r == 0);
	r = params_write_json(again, &second);
	assert(r == 0 && strcmp(first.data, second.data) == 0);
	buffer_finish(&first);
	buffer_finish(&second);
}

static void look_at(struct arena *arena, const ProtobufCMessage *message)
{
	struct violations violations = {.arena = arena};

	if (message->descriptor == &filmgate__v1__create_job_request__descriptor) {
		const Filmgate__V1__CreateJobRequest *request = (const Filmgate__V1__CreateJobRequest *)message;

		check_request_id(request->request_id, &violations);
		check_timeout(request->timeout, &violations);
		if (request->job)
			check_labels("job.labels", request->job->labels, request->job->n_labels, &violations);
		if (request->job && request->job->parameters)
			go_round(arena, request->job->parameters);
	} else if (message->descriptor == &filmgate__v1__list_jobs_request__descriptor) {
		check_filter(((const Filmgate__V1__ListJobsRequest *)message)->filter, &violations);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&filmgate__v1__create_job_request__descriptor, &filmgate__v1__list_jobs_request__descriptor,
		&filmgate__v1__update_job_request__descriptor, &filmgate__v1__watch_jobs_request__descriptor,
		&grpc__reflection__v1__server_reflection_request__descriptor};
	struct problem problem = {.text = ""};
	struct arena arena = {0};
	ProtobufCMessage *message;
	int r;

	if (size == 0)
		return -1;
	r = message_unpack(types[data[0] % (sizeof(types) / sizeof(types[0]))], bytes_of(data + 1, size - 1), &arena,
			   &message, &problem);
	assert(r == 0 || r == PRESCAN_E_MALFORMED || r == PRESCAN_E_ENUM);
	assert((r == 0) == (problem.text[0] == '\0'));
	assert(bytes_are_text(bytes_of_text(problem.field)));
	if (r == 0)
		look_at(&arena, message);
	arena_finish(&arena);
	return 0;
}
