/*
 * filmgate.v1.JobService but for the watches: decode, one engine verb, encode.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/inside.h"
#include "api/params.h"
#include "api/text.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/quote.h"

#include <filmgate/v1/job_service.pb-c.h>

/* A call on its way through the engine; in the call's arena. */
struct asked {
	struct call *call;
	const char *name;     /* of the job, for errors; NULL when it is not about one */
	const char *provider; /* of an order; else NULL */
	const char *json;     /* of parameters, to show them again without reading them back */
	Filmgate__V1__JobParameters *parameters;
	/* Makes the reply: @replayed as the engine says. Answers the call. */
	void (*reply)(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed);
};

static struct asked *ask(struct call *call, const char *name,
			 void (*reply)(struct asked *, Filmgate__V1__Job *, const struct job_status *, bool))
{
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));

	*asked = (struct asked){.call = call, .name = name, .reply = reply};
	return asked;
}

static struct engine *engine_of(const struct call *call)
{
	return call->api->engine;
}

static void fail(struct asked *asked, int outcome, const struct engine_error *error)
{
	bool is_providers = outcome == ENGINE_E_PROVIDER && asked->provider;
	bool is_fallbacks = is_providers && error && error->provider;
	enum resource resource = is_providers ? RESOURCE_PROVIDER : asked->name ? RESOURCE_JOB : RESOURCE_NONE;
	const char *name = is_fallbacks   ? name_of_provider(&asked->call->arena, error->provider)
			   : is_providers ? asked->provider
					  : asked->name;
	struct failure failure = failure_of_engine(outcome, error, resource, name);

	failure.field_prefix = asked->name ? NULL : "job.";
	call_fail(asked->call, &failure);
}

static void on_job(void *userdata, int outcome, const struct engine_error *error, struct job_view *take, bool replayed)
{
	struct asked *asked = userdata;
	Filmgate__V1__Job *job;
	int r;

	if (outcome) {
		fail(asked, outcome, error);
		return;
	}
	r = convert_job(&asked->call->arena, take, asked->json, asked->parameters, &job);
	if (r < 0)
		call_fail_internal(asked->call, r);
	else
		asked->reply(asked, job, take->status, replayed);
	job_view_finish(take);
}

static bool parse_name(struct call *call, const char *name, struct job_ref *ret)
{
	struct violations violations = {.arena = &call->arena};

	ret->tenant = JOB_TENANT_DEFAULT;
	check_job_name("name", name, &violations, &ret->id);
	return !call_refuse(call, &violations);
}

/* ---- CreateJob ---- */

static void reply_created(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed)
{
	Filmgate__V1__CreateJobResponse response = FILMGATE__V1__CREATE_JOB_RESPONSE__INIT;

	(void)status;
	response.job = job;
	response.replayed = replayed;
	call_reply(asked->call, &response.base);
}

static void check_fallbacks(const Filmgate__V1__Job *job, struct engine_create *create, struct violations *violations)
{
	struct engine_route *fallbacks = arena_need(violations->arena, (job->n_fallbacks + 1) * sizeof(*fallbacks));

	if (job->n_fallbacks >= LIMIT_JOB_ROUTES) {
		violations_add(violations, "job.fallbacks", "has %zu entries; at most %d are possible",
			       job->n_fallbacks, LIMIT_JOB_ROUTES - 1);
		return;
	}
	for (size_t i = 0; i < job->n_fallbacks; i++) {
		/* A violation keeps the field's name. */
		const char *provider = arena_printf(violations->arena, "job.fallbacks[%zu].provider", i);
		const char *model = arena_printf(violations->arena, "job.fallbacks[%zu].model", i);

		fallbacks[i] = (struct engine_route){
			.provider = check_provider_name(provider, job->fallbacks[i]->provider, violations),
			.model = job->fallbacks[i]->model,
		};
		if (strlen(job->fallbacks[i]->model) > 255)
			violations_add(violations, model, "has more than 255 bytes");
	}
	create->fallbacks = fallbacks;
	create->n_fallbacks = job->n_fallbacks;
}

static void check_order(const Filmgate__V1__CreateJobRequest *request, struct engine_create *create,
			struct violations *violations)
{
	static const struct path root = {.name = "job", .index = -1};
	const Filmgate__V1__Job *job = request->job;

	create->provider = check_provider_name("job.provider", job->provider, violations);
	if (strlen(job->model) > 255)
		violations_add(violations, "job.model", "has more than 255 bytes");
	check_fallbacks(job, create, violations);
	check_display_name("job.display_name", job->display_name, violations);
	check_priority("job.priority", job->priority, violations);
	create->labels = check_labels("job.labels", job->labels, job->n_labels, violations);
	create->timeout_ms = check_timeout(request->timeout, violations);
	create->not_before_ms = check_instant(job->not_before_time, "job.not_before_time", violations);
	if (job->retry_if_uncharged > LIMIT_ENGINE_UNCHARGED)
		violations_add(violations, "job.retry_if_uncharged", "%u is not possible; 0 to %d are",
			       job->retry_if_uncharged, LIMIT_ENGINE_UNCHARGED);
	check_request_id(request->request_id, violations);
	if (job->webhook && !*job->webhook->url)
		violations_add(violations, "job.webhook.url", "is required");
	if (job->parameters)
		params_check(job->parameters, &(struct path){.up = &root, .name = "parameters", .index = -1},
			     violations);
}

/* The canonical document, in the call's arena. */
static int write_parameters(struct asked *asked, Filmgate__V1__JobParameters *parameters)
{
	struct buffer json = {0};
	int r = parameters ? params_write_json(parameters, &json) : buffer_append_text(&json, "{}");

	if (r == 0) {
		asked->parameters = parameters;
		asked->json = arena_dup_text(&asked->call->arena, json.data);
	}
	buffer_finish(&json);
	return r;
}

void handle_create_job(struct call *call, const void *message)
{
	const Filmgate__V1__CreateJobRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	struct engine_create create = {.tenant = JOB_TENANT_DEFAULT};
	struct asked *asked = ask(call, NULL, reply_created);
	int r;

	if (!request->job) {
		call_fail_field(call, "job", "is required");
		return;
	}
	check_order(request, &create, &violations);
	if (call_refuse(call, &violations))
		return;
	r = write_parameters(asked, request->job->parameters);
	if (r < 0) {
		call_fail_internal(call, r);
		return;
	}
	asked->provider = request->job->provider;
	create.request_id = request->request_id;
	create.model = request->job->model;
	create.parameters = asked->json;
	create.display_name = request->job->display_name;
	create.n_labels = request->job->n_labels;
	create.priority = request->job->priority;
	create.validate_only = request->validate_only;
	create.retry_if_uncharged = request->job->retry_if_uncharged;
	create.on_mismatch = (enum job_on_mismatch)request->job->on_mismatch;
	create.on_uncertain = (enum job_uncertain)request->job->on_uncertain;
	create.webhook_url = request->job->webhook ? request->job->webhook->url : NULL;
	create.may_adapt = request->validation == FILMGATE__V1__VALIDATION__VALIDATION_ADAPT;
	engine_create_job(engine_of(call), &create, on_job, asked);
}

/* ---- GetJob ---- */

static void reply_got(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed)
{
	Filmgate__V1__GetJobResponse response = FILMGATE__V1__GET_JOB_RESPONSE__INIT;

	(void)status;
	(void)replayed;
	response.job = job;
	call_reply(asked->call, &response.base);
}

void handle_get_job(struct call *call, const void *message)
{
	const Filmgate__V1__GetJobRequest *request = message;
	struct job_ref ref;

	if (parse_name(call, request->name, &ref))
		engine_get_job(engine_of(call), &ref, on_job, ask(call, request->name, reply_got));
}

/* ---- UpdateJob ---- */

static void reply_updated(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed)
{
	Filmgate__V1__UpdateJobResponse response = FILMGATE__V1__UPDATE_JOB_RESPONSE__INIT;

	(void)status;
	(void)replayed;
	response.job = job;
	call_reply(asked->call, &response.base);
}

static void check_mask(const Google__Protobuf__FieldMask *mask, struct engine_update *update,
		       struct violations *violations)
{
	if (!mask || mask->n_paths == 0)
		violations_add(violations, "update_mask", "is required: name at least one field");
	for (size_t i = 0; mask && i < mask->n_paths; i++) {
		if (strcmp(mask->paths[i], "display_name") == 0)
			update->has_display_name = true;
		else if (strcmp(mask->paths[i], "labels") == 0)
			update->has_labels = true;
		else if (strcmp(mask->paths[i], "priority") == 0)
			update->has_priority = true;
		else
			violations_add(violations, "update_mask",
				       "'%s' cannot be changed; display_name, labels and priority can",
				       quote(mask->paths[i]).text);
	}
}

static void check_update(const Filmgate__V1__Job *job, struct engine_update *update, struct violations *violations)
{
	update->ref.tenant = JOB_TENANT_DEFAULT;
	check_job_name("job.name", job->name, violations, &update->ref.id);
	if (update->has_display_name)
		check_display_name("job.display_name", job->display_name, violations);
	if (update->has_labels)
		update->labels = check_labels("job.labels", job->labels, job->n_labels, violations);
	if (update->has_priority)
		check_priority("job.priority", job->priority, violations);
}

void handle_update_job(struct call *call, const void *message)
{
	const Filmgate__V1__UpdateJobRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	struct engine_update update = {.expected_revision = request->expected_revision};

	if (!request->job) {
		call_fail_field(call, "job", "is required");
		return;
	}
	check_mask(request->update_mask, &update, &violations);
	check_update(request->job, &update, &violations);
	if (call_refuse(call, &violations))
		return;
	update.display_name = request->job->display_name;
	update.n_labels = update.has_labels ? request->job->n_labels : 0;
	update.priority = request->job->priority;
	engine_update_job(engine_of(call), &update, on_job, ask(call, request->job->name, reply_updated));
}

/* ---- CancelJob ---- */

static void reply_cancelled(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed)
{
	Filmgate__V1__CancelJobResponse response = FILMGATE__V1__CANCEL_JOB_RESPONSE__INIT;

	(void)replayed;
	response.job = job;
	response.outcome = convert_cancel_outcome(status->cancel_outcome);
	call_reply(asked->call, &response.base);
}

void handle_cancel_job(struct call *call, const void *message)
{
	const Filmgate__V1__CancelJobRequest *request = message;
	struct job_ref ref;

	if (parse_name(call, request->name, &ref))
		engine_cancel_job(engine_of(call), &ref, on_job, ask(call, request->name, reply_cancelled));
}

/* ---- RetryJob ---- */

static void reply_retried(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed)
{
	Filmgate__V1__RetryJobResponse response = FILMGATE__V1__RETRY_JOB_RESPONSE__INIT;

	(void)status;
	response.job = job;
	response.replayed = replayed;
	call_reply(asked->call, &response.base);
}

void handle_retry_job(struct call *call, const void *message)
{
	const Filmgate__V1__RetryJobRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	struct job_ref ref = {.tenant = JOB_TENANT_DEFAULT};

	check_job_name("name", request->name, &violations, &ref.id);
	check_request_id(request->request_id, &violations);
	if (!call_refuse(call, &violations))
		engine_retry_job(engine_of(call), &ref, request->request_id, on_job,
				 ask(call, request->name, reply_retried));
}

/* ---- ResolveJob ---- */

static void reply_resolved(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed)
{
	Filmgate__V1__ResolveJobResponse response = FILMGATE__V1__RESOLVE_JOB_RESPONSE__INIT;

	(void)status;
	(void)replayed;
	response.job = job;
	call_reply(asked->call, &response.base);
}

static void check_resolution(const Filmgate__V1__ResolveJobRequest *request, struct engine_resolve *resolve,
			     struct violations *violations)
{
	switch (request->resolution) {
	case FILMGATE__V1__RESOLUTION__RESOLUTION_FOUND:
		resolve->resolution = ENGINE_RESOLUTION_FOUND;
		resolve->remote_id = request->remote_id;
		check_remote_id("remote_id", request->remote_id, violations);
		return;
	case FILMGATE__V1__RESOLUTION__RESOLUTION_ABSENT:
		resolve->resolution = ENGINE_RESOLUTION_ABSENT;
		break;
	case FILMGATE__V1__RESOLUTION__RESOLUTION_GIVE_UP:
		resolve->resolution = ENGINE_RESOLUTION_GIVE_UP;
		break;
	default:
		violations_add(violations, "resolution", "is required: RESOLUTION_FOUND, _ABSENT or _GIVE_UP");
		return;
	}
	if (*request->remote_id)
		violations_add(violations, "remote_id", "belongs to RESOLUTION_FOUND only");
}

void handle_resolve_job(struct call *call, const void *message)
{
	const Filmgate__V1__ResolveJobRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	struct engine_resolve resolve = {.ref.tenant = JOB_TENANT_DEFAULT,
					 .expected_revision = request->expected_revision};

	check_job_name("name", request->name, &violations, &resolve.ref.id);
	check_resolution(request, &resolve, &violations);
	if (!call_refuse(call, &violations))
		engine_resolve_job(engine_of(call), &resolve, on_job, ask(call, request->name, reply_resolved));
}

/* ---- ResumeJob ---- */

static void reply_resumed(struct asked *asked, Filmgate__V1__Job *job, const struct job_status *status, bool replayed)
{
	Filmgate__V1__ResumeJobResponse response = FILMGATE__V1__RESUME_JOB_RESPONSE__INIT;

	(void)status;
	(void)replayed;
	response.job = job;
	call_reply(asked->call, &response.base);
}

void handle_resume_job(struct call *call, const void *message)
{
	const Filmgate__V1__ResumeJobRequest *request = message;
	struct job_ref ref;

	if (parse_name(call, request->name, &ref))
		engine_resume_job(engine_of(call), &ref, on_job, ask(call, request->name, reply_resumed));
}

/* ---- DeleteJob ---- */

static void on_deleted(void *userdata, int outcome, const struct engine_error *error)
{
	Filmgate__V1__DeleteJobResponse response = FILMGATE__V1__DELETE_JOB_RESPONSE__INIT;
	struct asked *asked = userdata;

	if (outcome)
		fail(asked, outcome, error);
	else
		call_reply(asked->call, &response.base);
}

void handle_delete_job(struct call *call, const void *message)
{
	const Filmgate__V1__DeleteJobRequest *request = message;
	enum engine_delete how = request->provider_copy == FILMGATE__V1__PROVIDER_COPY__PROVIDER_COPY_REMOVE
					 ? ENGINE_DELETE_REMOVE_REMOTE
					 : ENGINE_DELETE_KEEP_REMOTE;
	struct job_ref ref;

	if (parse_name(call, request->name, &ref))
		engine_delete_job(engine_of(call), &ref, how, on_deleted, ask(call, request->name, NULL));
}
