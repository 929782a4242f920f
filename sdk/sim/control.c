#include "sim/control.h"

#include "base/limits.h"
#include "base/log.h"
#include "sim/faults.h"
#include "sim/hooks.h"
#include "sim/json.h"
#include "sim/server.h"

static int refuse(struct sim_reply *reply, int status, const char *message)
{
	return sim_reply_json(reply, status, json_pack("{s:{s:s}}", "error", "message", message));
}

static json_t *read_body(const struct sim_call *call)
{
	const struct buffer *body = &call->request->body;

	return body->len ? json_loadb(body->data, body->len, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static int get_charges_as_lines(struct sim *sim, struct sim_reply *reply)
{
	const json_t *rows = sim_charges_rows(sim->charges);
	int r;

	r = sim_reply_text(reply, 200, "application/jsonl", bytes_of(NULL, 0));
	for (size_t i = 0; r == 0 && i < json_array_size(rows); i++) {
		_cleanup_(freep) char *line = json_dumps(json_array_get(rows, i), JSON_COMPACT);

		r = line ? buffer_printf(&reply->body, "%s\n", line) : -ENOMEM;
	}
	return r < 0 ? err_trace(r) : 0;
}

static int get_charges(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const char *format = sim_fields_find(&call->request->query, "format");

	if (format && strcmp(format, "jsonl") == 0)
		return get_charges_as_lines(sim, reply);
	return sim_reply_json(reply, 200,
			      json_pack("{s:I,s:I,s:O}", "count", (json_int_t)sim_charges_count(sim->charges),
					"total_micros", (json_int_t)sim_charges_micros(sim->charges), "charges",
					(json_t *)(uintptr_t)sim_charges_rows(sim->charges)));
}

static int get_requests(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const char *after = sim_fields_find(&call->request->query, "after");

	return sim_reply_json(reply, 200, sim_requests_report(sim->requests, after ? strtoull(after, NULL, 10) : 0));
}

static int get_faults(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	(void)call;
	return sim_reply_json(reply, 200, sim_faults_report(sim->faults));
}

static int post_fault(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *rule = read_body(call);
	struct errmsg msg = {0};
	const char *id;
	int r;

	r = sim_faults_add(sim->faults, rule, &msg, &id);
	if (r == SIM_FAULTS_E_INVALID)
		return refuse(reply, 400, msg.text);
	return r < 0 ? err_trace(r) : sim_reply_json(reply, 201, json_pack("{s:s}", "id", id));
}

static int delete_faults(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	(void)call;
	sim_faults_clear(sim->faults);
	return sim_reply_json(reply, 200, sim_faults_report(sim->faults));
}

static int delete_fault(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	if (sim_faults_remove(sim->faults, call->id) != 0)
		return refuse(reply, 404, "there is no such fault");
	return sim_reply_json(reply, 200, sim_faults_report(sim->faults));
}

static json_t *count_states(struct sim *sim)
{
	int64_t now_ms = sim_clock_monotonic_ms(&sim->clock);
	struct sim_generation *generation = NULL;
	int counts[SIM_FAILED + 1] = {0};

	while ((generation = sim_generations_older(sim->generations, generation)) != NULL)
		counts[sim_generation_state(sim->generations, generation, now_ms)]++;
	return json_pack("{s:i,s:i,s:i,s:i}", "pending", counts[SIM_PENDING], "processing", counts[SIM_PROCESSING],
			 "completed", counts[SIM_COMPLETED], "failed", counts[SIM_FAILED]);
}

static int get_state(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct sim_render_count renders = sim_render_count(sim->render);

	(void)call;
	return sim_reply_json(
		reply, 200,
		json_pack("{s:s,s:I,s:I,s:o,s:{s:I,s:I},s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I},s:{s:I,s:I,s:I,s:I,s:I}}",
			  "version", FILMGATE_VERSION, "uptime_ms",
			  (json_int_t)(clock_monotonic_ms(&clock_system) - sim->started_ms), "clock_ahead_ms",
			  (json_int_t)sim->clock.ahead_ms, "videos", count_states(sim), "charges", "count",
			  (json_int_t)sim_charges_count(sim->charges), "total_micros",
			  (json_int_t)sim_charges_micros(sim->charges), "credit_left_micros",
			  (json_int_t)sim_credit_left_micros(sim), "idempotency_keys",
			  (json_int_t)sim_replays_count(sim->replays), "requests",
			  (json_int_t)sim_requests_total(sim->requests), "faults",
			  (json_int_t)sim_faults_count(sim->faults), "connections", "accepted",
			  (json_int_t)sim->connections->accepted, "open", (json_int_t)sim->connections->open, "taken",
			  (json_int_t)sim_raws_open(sim->raws), "renders", "waiting", (json_int_t)renders.waiting,
			  "running", (json_int_t)renders.running, "done", (json_int_t)renders.done, "cached",
			  (json_int_t)renders.cached, "failed", (json_int_t)renders.failed));
}

static int post_reset(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	int r;

	r = sim_charges_reset(sim->charges, sim_clock_utc_ms(&sim->clock));
	if (r < 0)
		return err_trace(r);
	sim_generations_reset(sim->generations);
	sim_replays_reset(sim->replays);
	sim_assets_reset(sim->assets);
	sim_requests_reset(sim->requests);
	sim_faults_clear(sim->faults);
	sim_hooks_reset(sim->hooks);
	sim->clock.ahead_ms = 0;
	sim->credit_micros = sim->options->credit_micros;
	log_info("reset");
	return get_state(sim, call, reply);
}

static int post_clock(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *body = read_body(call);
	json_int_t advance_ms;

	if (json_unpack_ex(body, NULL, JSON_STRICT, "{s:I}", "advance_ms", &advance_ms) < 0 || advance_ms < 0)
		return refuse(reply, 400, "the body is {\"advance_ms\": N}, not negative");
	if (advance_ms > LIMIT_SIM_AHEAD_MS - sim->clock.ahead_ms)
		return refuse(reply, 400,
			      "the clock can be a hundred years ahead and no more; POST /_sim/reset sets it back");
	sim->clock.ahead_ms += advance_ms;
	return get_state(sim, call, reply);
}

static int post_credit(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *body = read_body(call);
	json_int_t left_micros;

	if (json_unpack_ex(body, NULL, JSON_STRICT, "{s:I}", "left_micros", &left_micros) < 0 || left_micros < 0)
		return refuse(reply, 400, "the body is {\"left_micros\": N}, not negative");
	if (left_micros > LIMIT_SIM_CREDIT_MICROS)
		return refuse(reply, 400, "'left_micros' is more than a billion dollars");
	sim->credit_micros = left_micros + sim_charges_micros(sim->charges);
	return get_state(sim, call, reply);
}

/* "completed" ends the wait; the file may still be in the making. The others are final whatever it was. */
static int force(struct sim *sim, struct sim_generation *generation, const char *status, const char *code,
		 const char *message)
{
	int64_t now_ms = sim_clock_monotonic_ms(&sim->clock);
	generation->begins_ms = now_ms;
	generation->ready_ms = now_ms;
	generation->is_cancelled = strcmp(status, "cancelled") == 0;
	if (strcmp(status, "completed") == 0)
		return sim_generation_fail(generation, NULL, NULL);
	return sim_generation_fail(generation, code ? code : "generation_failed",
				   message ? message : "Generation did not finish.");
}

static int post_video(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *body = read_body(call);
	struct sim_generation *generation = sim_generations_find(sim->generations, call->id);
	const char *status = NULL, *code = NULL, *message = NULL;
	int is_moderated = 0, r;

	if (!generation)
		return refuse(reply, 404, "there is no such video");
	if (json_unpack_ex(body, NULL, JSON_STRICT, "{s?s,s?s,s?s,s?b}", "status", &status, "failure_code", &code,
			   "failure_message", &message, "moderated", &is_moderated) == 0 &&
	    is_moderated) {
		status = "failed";
		code = code ? code : "content_policy_violation";
		message = message ? message : "The content violates our policy";
	}
	if (!status ||
	    (strcmp(status, "completed") != 0 && strcmp(status, "failed") != 0 && strcmp(status, "cancelled") != 0))
		return refuse(reply, 400,
			      "the body is {\"status\": \"completed\", \"failed\" or \"cancelled\", \"failure_code\", "
			      "\"failure_message\"} or {\"moderated\": true}");
	r = force(sim, generation, status, code, message);
	return r < 0 ? err_trace(r) : sim_reply_json(reply, 200, json_pack("{s:s}", "id", generation->id));
}

static int get_webhooks(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	(void)call;
	return sim_reply_json(reply, 200, sim_hooks_report(sim->hooks));
}

static int post_webhook_fault(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *fault = read_body(call);
	struct errmsg msg = {0};
	int r = sim_hooks_add_fault(sim->hooks, fault, &msg);

	if (r == SIM_HOOKS_E_INVALID)
		return refuse(reply, 400, msg.text);
	return r < 0 ? err_trace(r) : sim_reply_json(reply, 201, json_pack("{s:b}", "added", 1));
}

static const struct sim_route routes[] = {
	{"GET", "/_sim/webhooks", get_webhooks},   {"POST", "/_sim/webhooks/faults", post_webhook_fault},
	{"GET", "/_sim/charges", get_charges},     {"GET", "/_sim/requests", get_requests},
	{"GET", "/_sim/faults", get_faults},       {"POST", "/_sim/faults", post_fault},
	{"DELETE", "/_sim/faults", delete_faults}, {"DELETE", "/_sim/faults/{id}", delete_fault},
	{"GET", "/_sim/state", get_state},         {"POST", "/_sim/reset", post_reset},
	{"POST", "/_sim/clock", post_clock},       {"POST", "/_sim/credit", post_credit},
	{"POST", "/_sim/videos/{id}", post_video}, {NULL, NULL, NULL},
};

bool sim_control_owns(const char *path)
{
	return strncmp(path, "/_sim/", 6) == 0;
}

int sim_control_serve(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct sim_route *route = sim_route_find(routes, call->request, call);

	return route ? route->handle(sim, call, reply) : refuse(reply, 404, "there is nothing here; see README.md");
}
