#include "api/check.h"
#include "api/message.h"
#include "api/params.h"
#include "base/err.h"
#include "fuzz.h"

#include <assert.h>
#include <filmgate/v1/artifact_service.pb-c.h>
#include <filmgate/v1/asset_service.pb-c.h>
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

static void look_at_job(const Filmgate__V1__Job *job, struct violations *violations)
{
	struct id id;

	if (!job)
		return;
	check_job_name("job.name", job->name, violations, &id);
	check_provider_name("job.provider", job->provider, violations);
	check_display_name("job.display_name", job->display_name, violations);
	check_priority("job.priority", job->priority, violations);
	check_labels("job.labels", job->labels, job->n_labels, violations);
	if (job->parameters)
		go_round(violations->arena, job->parameters);
}

static void look_at_create(const void *message, struct violations *violations)
{
	const Filmgate__V1__CreateJobRequest *request = message;

	check_request_id(request->request_id, violations);
	check_timeout(request->timeout, violations);
	look_at_job(request->job, violations);
}

static void look_at_list(const void *message, struct violations *violations)
{
	check_filter(((const Filmgate__V1__ListJobsRequest *)message)->filter, violations);
}

static void look_at_update(const void *message, struct violations *violations)
{
	look_at_job(((const Filmgate__V1__UpdateJobRequest *)message)->job, violations);
}

static void look_at_watch(const void *message, struct violations *violations)
{
	check_filter(((const Filmgate__V1__WatchJobsRequest *)message)->filter, violations);
}

static void look_at_upload(const void *message, struct violations *violations)
{
	const Filmgate__V1__UploadAssetRequest *request = message;

	if (request->content_case == FILMGATE__V1__UPLOAD_ASSET_REQUEST__CONTENT_METADATA)
		check_display_name("metadata.display_name", request->metadata->display_name, violations);
}

static void look_at_asset(const void *message, struct violations *violations)
{
	struct digest digest;
	char name[ASSET_NAME_SIZE];
	const char *asked = ((const Filmgate__V1__GetAssetRequest *)message)->name;

	(void)violations;
	if (!asset_name_parse(bytes_of_text(asked), &digest))
		return;
	asset_name_format(&digest, name);
	assert(strcmp(name, asked) == 0);
}

static void look_at_retry(const void *message, struct violations *violations)
{
	const Filmgate__V1__RetryJobRequest *request = message;
	struct id id;

	check_job_name("name", request->name, violations, &id);
	check_request_id(request->request_id, violations);
}

static void look_at_resolve(const void *message, struct violations *violations)
{
	const Filmgate__V1__ResolveJobRequest *request = message;
	struct id id;

	check_job_name("name", request->name, violations, &id);
	check_remote_id("remote_id", request->remote_id, violations);
}

/* An input's first byte is a row of it: new ones go to the end. */
static const struct {
	const ProtobufCMessageDescriptor *type;
	void (*look_at)(const void *message, struct violations *violations);
} requests[] = {
	{&filmgate__v1__create_job_request__descriptor, look_at_create},
	{&filmgate__v1__list_jobs_request__descriptor, look_at_list},
	{&filmgate__v1__update_job_request__descriptor, look_at_update},
	{&filmgate__v1__watch_jobs_request__descriptor, look_at_watch},
	{&grpc__reflection__v1__server_reflection_request__descriptor, NULL},
	{&filmgate__v1__upload_asset_request__descriptor, look_at_upload},
	{&filmgate__v1__get_asset_request__descriptor, look_at_asset},
	{&filmgate__v1__list_assets_request__descriptor, NULL},
	{&filmgate__v1__retry_job_request__descriptor, look_at_retry},
	{&filmgate__v1__resolve_job_request__descriptor, look_at_resolve},
	{&filmgate__v1__watch_job_request__descriptor, NULL},
	{&filmgate__v1__read_artifact_request__descriptor, NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem problem = {.text = ""};
	struct arena arena = {0};
	struct violations violations = {.arena = &arena};
	ProtobufCMessage *message;
	size_t row;
	int r;

	if (size == 0)
		return -1;
	row = data[0] % (sizeof(requests) / sizeof(requests[0]));
	r = message_unpack(requests[row].type, bytes_of(data + 1, size - 1), &arena, &message, &problem);
	assert(r == 0 || r == PRESCAN_E_MALFORMED || r == PRESCAN_E_ENUM);
	assert((r == 0) == (problem.text[0] == '\0'));
	assert(bytes_are_text(bytes_of_text(problem.field)));
	if (r == 0 && requests[row].look_at)
		requests[row].look_at(message, &violations);
	for (size_t i = 0; i < violations.n; i++)
		assert(violations.items[i].field && bytes_are_text(bytes_of_text(violations.items[i].text)));
	arena_finish(&arena);
	return 0;
}
