#include "sim/desk.h"

#include "base/id.h"
#include "base/log.h"
#include "sim/actions.h"
#include "sim/control.h"
#include "sim/faults.h"
#include "sim/files.h"

static int add_request_id(struct sim *sim, struct sim_reply *reply)
{
	struct id id = id_new(sim_clock_utc_ms(&sim->clock));
	char text[ID_TEXT_SIZE];

	id_format(&id, text);
	return sim_fields_add(&reply->headers, "X-Request-Id", text);
}

static int ask_provider(struct sim *sim, const struct sim_provider *provider, struct sim_call *call,
			struct sim_reply *reply)
{
	const struct sim_route *route = sim_route_find(provider->routes, call->request, call);
	int r;

	r = provider->admit(sim, call, reply);
	if (r < 0 || reply->status)
		return r;
	if (!route)
		return provider->refuse(reply, 404, provider->code_not_found, "There is no such resource", NULL);
	r = route->handle(sim, call, reply);
	if (r >= 0)
		return r;
	log_error("provider failed", "path", call->request->path, "error", log_errno(r));
	sim_reply_finish(reply);
	return provider->refuse(reply, 500, provider->code_internal, "something went wrong", NULL);
}

static int ask(struct sim *sim, const struct sim_provider *provider, struct sim_call *call, struct sim_reply *reply)
{
	if (call->request->host == SIM_HOST_FILES)
		return sim_files_serve(sim, call, reply);
	return ask_provider(sim, provider, call, reply);
}

/* What a reader of /_sim/requests learns about the answer: its status, or how the connection ends without one. */
static void note(json_t *row, const struct sim_answer *answer, const struct sim_fault_hit *hit)
{
	if (answer->reply.status)
		json_object_set_new(row, "status", json_integer(answer->reply.status));
	if (hit)
		json_object_set_new(row, "fault", json_string(hit->id));
}

static int serve_public(struct sim *sim, const struct sim_request *request, struct sim_answer *answer)
{
	const struct sim_provider *provider = sim_provider_of(request->path);
	json_t *row = sim_requests_add(sim->requests, request, sim_clock_utc_ms(&sim->clock));
	struct sim_call call = {.request = request};
	struct sim_fault_hit hit;
	bool is_hit = sim_faults_take(sim->faults, request, &hit);
	int r = 0;

	if (is_hit) {
		call.twist = sim_action_twist(hit.action);
		call.late_ms = sim_action_delay_ms(hit.action);
	}
	if (!is_hit || sim_action_processes(hit.action))
		r = ask(sim, provider, &call, &answer->reply);
	if (r == 0 && is_hit)
		r = sim_action_apply(hit.action, provider, request, answer);
	if (r < 0)
		return err_trace(r);
	answer->delay_ms = call.delay_ms + call.late_ms;
	note(row, answer, is_hit ? &hit : NULL);
	if (is_hit)
		log_info("fault", "id", hit.id, "type", json_string_value(json_object_get(hit.action, "type")),
			 "method", request->method, "path", request->path);
	return 0;
}

int sim_desk_serve(void *userdata, const struct sim_request *request, struct sim_answer *answer)
{
	struct sim *sim = userdata;
	struct sim_call call = {.request = request};
	int r;

	if (request->host == SIM_HOST_API && sim_control_owns(request->path))
		r = sim_control_serve(sim, &call, &answer->reply);
	else
		r = serve_public(sim, request, answer);
	if (r < 0)
		return err_trace(r);
	log_debug("request", "method", request->method, "path", request->path, "status", log_int(answer->reply.status));
	return add_request_id(sim, &answer->reply);
}

int sim_desk_refuse(void *userdata, int status, const char *why, struct sim_reply *reply)
{
	const struct sim_provider *provider = sim_provider_of("");
	const char *code = provider->code_bad_request;
	int r;

	if (status == 413)
		code = provider->code_too_large;
	if (status == 500)
		code = provider->code_internal;
	r = provider->refuse(reply, status, code, why, NULL);
	return r < 0 ? err_trace(r) : add_request_id(userdata, reply);
}
