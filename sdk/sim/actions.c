#include "sim/actions.h"

#include "base/limits.h"
#include "sim/json.h"

#include <microhttpd.h>
#include <sys/random.h>

#define FILLER 65536

enum type { TYPE_COUNT, TYPE_TEXT, TYPE_BOOL, TYPE_HEADERS, TYPE_BODY };

struct member {
	const char *name;
	enum type type;
	bool is_required;
};

/* Does the provider see the request before the action happens? Where it is open, the member "charge" decides. */
enum charging { CHARGES_NOT, CHARGES_ALWAYS, CHARGES_UNLESS_TOLD, CHARGES_IF_TOLD };

struct scene {
	const json_t *action;
	const struct sim_provider *provider;
	const struct sim_request *request;
	struct sim_answer *answer;
};

struct kind {
	const char *name;
	enum charging charging;
	int (*apply)(const struct scene *scene); /* NULL: nothing on the wire */
	struct member members[5];
};

static int64_t count_of(const json_t *action, const char *name, int64_t standard)
{
	const json_t *value = json_object_get(action, name);

	return value ? json_integer_value(value) : standard;
}

static const char *text_of(const json_t *action, const char *name, const char *standard)
{
	const char *value = json_string_value(json_object_get(action, name));

	return value ? value : standard;
}

static bool flag_of(const json_t *action, const char *name, bool standard)
{
	const json_t *value = json_object_get(action, name);

	return value ? json_is_true(value) : standard;
}

/* The provider's reply, if there was one, is gone. */
static int say(const struct scene *scene, int status, const char *content_type, const char *body)
{
	return sim_reply_text(&scene->answer->reply, status, content_type, bytes_of_text(body));
}

static int apply_status(const struct scene *scene)
{
	int status = (int)count_of(scene->action, "status", 500);
	const json_t *body = json_object_get(scene->action, "body"), *headers, *value;
	struct sim_fields *fields = &scene->answer->reply.headers;
	const char *text = json_is_string(body) ? json_string_value(body) : "", *name;
	int r;

	headers = json_object_get(scene->action, "headers");
	if (json_is_object(body) || json_is_array(body))
		r = sim_reply_json(&scene->answer->reply, status, json_deep_copy(body));
	else
		r = say(scene, status, *text == '<' ? "text/html" : "text/plain", text);
	if (r == 0 && json_object_get(headers, "Content-Type"))
		sim_fields_finish(fields);
	json_object_foreach((json_t *)(uintptr_t)headers, name, value)
		r = r ? r : sim_fields_add(fields, name, json_string_value(value));
	return r < 0 ? err_trace(r) : 0;
}

static int apply_retry_after(const struct scene *scene)
{
	int64_t seconds = count_of(scene->action, "seconds", 1);
	time_t then = time(NULL) + (time_t)seconds;
	struct tm utc;
	char text[40];
	int r;

	r = scene->provider->refuse(&scene->answer->reply, 429,
				    text_of(scene->action, "code", scene->provider->code_rate_limit),
				    "too many requests", NULL);
	if (r < 0)
		return err_trace(r);
	snprintf(text, sizeof(text), "%lld", (long long)seconds);
	if (flag_of(scene->action, "http_date", false))
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &utc));
	return sim_fields_add(&scene->answer->reply.headers, "Retry-After", text);
}

static int apply_error_in_200(const struct scene *scene)
{
	return sim_reply_json(&scene->answer->reply, 200,
			      json_pack("{s:n,s:{s:s,s:s}}", "data", "error", "code",
					text_of(scene->action, "code", "trial_video_limit_exceeded"), "message",
					text_of(scene->action, "message", "Trial video limit exceeded")));
}

static int apply_redirect(const struct scene *scene)
{
	int r;

	r = say(scene, (int)count_of(scene->action, "status", 302), "text/plain", "");
	return r < 0 ? err_trace(r)
		     : sim_fields_add(&scene->answer->reply.headers, "Location",
				      text_of(scene->action, "location", ""));
}

static int apply_not_a_video(const struct scene *scene)
{
	bool is_random = strcmp(text_of(scene->action, "content", "html"), "random") == 0;
	size_t len = (size_t)count_of(scene->action, "bytes", FILLER);
	struct sim_reply *reply = &scene->answer->reply;
	int r;

	r = say(scene, 200, text_of(scene->action, "content_type", is_random ? "video/mp4" : "text/html"),
		is_random ? "" : "<!DOCTYPE html><html><body><h1>Sign in to continue</h1></body></html>\n");
	if (r < 0 || !is_random)
		return r < 0 ? err_trace(r) : 0;
	r = buffer_reserve(&reply->body, len);
	if (r < 0)
		return err_trace(r);
	while (reply->body.len < len) {
		ssize_t n = getrandom(reply->body.data + reply->body.len, len - reply->body.len, 0);

		if (n < 0)
			return err_origin(-errno);
		reply->body.len += (size_t)n;
	}
	return 0;
}

static int end_with(const struct scene *scene, enum sim_ending ending)
{
	scene->answer->is_raw = true;
	scene->answer->plan.ending = ending;
	return 0;
}

static int apply_close(const struct scene *scene)
{
	return end_with(scene, SIM_ENDING_FIN);
}

static int apply_reset(const struct scene *scene)
{
	return end_with(scene, SIM_ENDING_RST);
}

static int apply_hang(const struct scene *scene)
{
	return end_with(scene, SIM_ENDING_HANG);
}

static int apply_refused_stream(const struct scene *scene)
{
	scene->answer->is_refused = true;
	return 0;
}

static int apply_truncate(const struct scene *scene)
{
	struct sim_reply *reply = &scene->answer->reply;
	int64_t keep = count_of(scene->action, "at", (int64_t)(sim_reply_body_len(reply) / 2));
	int r;

	r = sim_plan_add_reply(&scene->answer->plan, reply, scene->request->method, (uint64_t)keep);
	if (r < 0)
		return err_trace(r);
	return end_with(scene, flag_of(scene->action, "reset", false) ? SIM_ENDING_RST : SIM_ENDING_FIN);
}

static int apply_trickle(const struct scene *scene)
{
	struct sim_plan *plan = &scene->answer->plan;
	int r;

	plan->bytes_per_second = (uint64_t)count_of(scene->action, "bytes_per_second", 10);
	r = sim_plan_add_reply(plan, &scene->answer->reply, scene->request->method, UINT64_MAX);
	return r < 0 ? err_trace(r) : end_with(scene, SIM_ENDING_FIN);
}

/* @prefix and then one letter, over and over, FILLER bytes of it. */
static int fill(struct sim_plan *plan, const char *prefix, const char *suffix, size_t len)
{
	int r;

	r = buffer_append_text(&plan->filler, prefix);
	while (r == 0 && plan->filler.len < len - strlen(suffix))
		r = buffer_append(&plan->filler, "a", 1);
	return r < 0 ? r : buffer_append_text(&plan->filler, suffix);
}

static int apply_endless_headers(const struct scene *scene)
{
	struct sim_plan *plan = &scene->answer->plan;
	int r;

	r = say(scene, 200, "application/json", "");
	r = r ? r : sim_plan_add_head(plan, &scene->answer->reply);
	r = r ? r : fill(plan, "X-Endless: ", "\r\n", 1024);
	if (r < 0)
		return err_trace(r);
	plan->filler_len = (uint64_t)count_of(scene->action, "bytes", INT64_MAX);
	return end_with(scene, SIM_ENDING_FIN);
}

static int apply_gigabyte(const struct scene *scene)
{
	static const char begin[] = "{\"data\":{\"video_id\":\"";
	uint64_t len = (uint64_t)count_of(scene->action, "bytes", 1 << 30);
	struct sim_plan *plan = &scene->answer->plan;
	int r;

	r = say(scene, 200, "application/json", "");
	r = r ? r : sim_plan_add_head(plan, &scene->answer->reply);
	if (r == 0 && flag_of(scene->action, "announced", true))
		r = buffer_printf(&plan->head, "Content-Length: %llu\r\n",
				  (unsigned long long)(len + sizeof(begin) - 1));
	r = r ? r : buffer_printf(&plan->head, "\r\n%s", begin);
	r = r ? r : fill(plan, "", "", FILLER);
	if (r < 0)
		return err_trace(r);
	plan->filler_len = len;
	return end_with(scene, SIM_ENDING_FIN);
}

#define FAILURE                                     \
	{"failure_code", TYPE_TEXT, false},         \
	{                                           \
		"failure_message", TYPE_TEXT, false \
	}

static const struct kind kinds[] = {
	{"delay", CHARGES_ALWAYS, NULL, {{0}}},
	{"status",
	 CHARGES_IF_TOLD,
	 apply_status,
	 {{"status", TYPE_COUNT, true}, {"body", TYPE_BODY, false}, {"headers", TYPE_HEADERS, false}}},
	{"retry_after",
	 CHARGES_IF_TOLD,
	 apply_retry_after,
	 {{"seconds", TYPE_COUNT, false}, {"code", TYPE_TEXT, false}, {"http_date", TYPE_BOOL, false}}},
	{"error_in_200",
	 CHARGES_IF_TOLD,
	 apply_error_in_200,
	 {{"code", TYPE_TEXT, false}, {"message", TYPE_TEXT, false}}},
	{"redirect", CHARGES_IF_TOLD, apply_redirect, {{"location", TYPE_TEXT, true}, {"status", TYPE_COUNT, false}}},
	{"not_a_video",
	 CHARGES_IF_TOLD,
	 apply_not_a_video,
	 {{"content", TYPE_TEXT, false}, {"content_type", TYPE_TEXT, false}, {"bytes", TYPE_COUNT, false}}},
	{"close_before", CHARGES_NOT, apply_close, {{0}}},
	{"close_after", CHARGES_ALWAYS, apply_close, {{0}}},
	{"keepalive_close", CHARGES_ALWAYS, apply_close, {{0}}},
	{"reset_before", CHARGES_NOT, apply_reset, {{0}}},
	{"reset_after", CHARGES_ALWAYS, apply_reset, {{0}}},
	{"drop_reply_before_charge", CHARGES_NOT, apply_hang, {{0}}},
	{"drop_reply_after_charge", CHARGES_ALWAYS, apply_hang, {{0}}},
	{"truncate", CHARGES_ALWAYS, apply_truncate, {{"at", TYPE_COUNT, false}, {"reset", TYPE_BOOL, false}}},
	{"trickle", CHARGES_ALWAYS, apply_trickle, {{"bytes_per_second", TYPE_COUNT, false}}},
	{"endless_headers", CHARGES_UNLESS_TOLD, apply_endless_headers, {{"bytes", TYPE_COUNT, false}}},
	{"gigabyte",
	 CHARGES_UNLESS_TOLD,
	 apply_gigabyte,
	 {{"bytes", TYPE_COUNT, false}, {"announced", TYPE_BOOL, false}}},
	{"refused_stream", CHARGES_IF_TOLD, apply_refused_stream, {{0}}},
	{"moderate", CHARGES_ALWAYS, NULL, {FAILURE}},
	{"credit_failure", CHARGES_ALWAYS, NULL, {FAILURE}},
	{"expire_link", CHARGES_ALWAYS, NULL, {{0}}},
	{"link_lag", CHARGES_ALWAYS, NULL, {{0}}},
	{"filter_samples",
	 CHARGES_ALWAYS,
	 NULL,
	 {{"samples", TYPE_COUNT, false}, {"failure_message", TYPE_TEXT, false}}},
	{"fail_operation",
	 CHARGES_ALWAYS,
	 NULL,
	 {{"grpc_code", TYPE_COUNT, true}, {"failure_message", TYPE_TEXT, false}}},
	{"empty_result", CHARGES_ALWAYS, NULL, {{0}}},
	{"pad_video", CHARGES_ALWAYS, NULL, {{"bytes", TYPE_COUNT, true}}},
	{"other_video",
	 CHARGES_ALWAYS,
	 NULL,
	 {{"seconds", TYPE_COUNT, false},
	  {"width", TYPE_COUNT, false},
	  {"height", TYPE_COUNT, false},
	  {"picture", TYPE_TEXT, false}}},
};

static const struct kind *kind_of(const json_t *action)
{
	const char *name = json_string_value(json_object_get(action, "type"));

	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static bool is_line(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && !text[strcspn(text, "\r\n")];
}

static bool are_headers(const json_t *value)
{
	const json_t *one;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)value, name,
			    one) if (!is_line(one) || name[strcspn(name, ": \r\n")] || !*name) return false;
	return json_is_object(value);
}

static bool fits(const json_t *value, enum type type)
{
	switch (type) {
	case TYPE_COUNT:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case TYPE_TEXT:
		return is_line(value);
	case TYPE_BOOL:
		return json_is_boolean(value);
	case TYPE_HEADERS:
		return are_headers(value);
	case TYPE_BODY:
		return json_is_string(value) || json_is_object(value) || json_is_array(value);
	}
	return false;
}

static const struct member *member_of(const struct kind *kind, const char *name)
{
	static const struct member everywhere = {"delay_ms", TYPE_COUNT, false}, open = {"charge", TYPE_BOOL, false};

	if (strcmp(name, everywhere.name) == 0)
		return &everywhere;
	if (strcmp(name, open.name) == 0 && kind->charging >= CHARGES_UNLESS_TOLD)
		return &open;
	for (const struct member *member = kind->members; member->name; member++)
		if (strcmp(member->name, name) == 0)
			return member;
	return NULL;
}

static int check_members(const json_t *action, const struct kind *kind, struct errmsg *msg)
{
	const json_t *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)action, name, value)
	{
		const struct member *member;

		if (strcmp(name, "type") == 0)
			continue;
		member = member_of(kind, name);
		if (!member || !fits(value, member->type)) {
			errmsg_set(msg,
				   member ? "'%s' of action '%s' has the wrong type" : "'%s' is not a member of '%s'",
				   name, kind->name);
			return SIM_ACTION_E_INVALID;
		}
	}
	for (const struct member *member = kind->members; member->name; member++)
		if (member->is_required && !json_object_get(action, member->name)) {
			errmsg_set(msg, "action '%s' needs '%s'", kind->name, member->name);
			return SIM_ACTION_E_INVALID;
		}
	return 0;
}

static int check_rubbish(const json_t *action, const char *content, struct errmsg *msg)
{
	if (json_object_get(action, "bytes") && strcmp(content, "random") != 0)
		errmsg_set(msg, "'bytes' needs \"content\": \"random\"");
	else if (count_of(action, "bytes", 0) > LIMIT_SIM_NOT_A_VIDEO)
		errmsg_set(msg, "'bytes' must be at most %d", LIMIT_SIM_NOT_A_VIDEO);
	else
		return 0;
	return SIM_ACTION_E_INVALID;
}

/* What can be rendered, in a time that a test waits for. */
static int check_other_video(const json_t *action, struct errmsg *msg)
{
	const char *picture = text_of(action, "picture", "black");
	int64_t width = count_of(action, "width", 16), height = count_of(action, "height", 16);

	if (count_of(action, "seconds", 1) < 1 || count_of(action, "seconds", 1) > LIMIT_SIM_OTHER_S)
		errmsg_set(msg, "'seconds' must be between 1 and %d", LIMIT_SIM_OTHER_S);
	else if (width < 16 || width > LIMIT_SIM_OTHER_SIDE || width % 2 || height < 16 ||
		 height > LIMIT_SIM_OTHER_SIDE || height % 2)
		errmsg_set(msg, "'width' and 'height' must be even, and between 16 and %d", LIMIT_SIM_OTHER_SIDE);
	else if (strcmp(picture, "black") != 0 && strcmp(picture, "still") != 0)
		errmsg_set(msg, "'picture' must be 'black' or 'still'");
	else
		return 0;
	return SIM_ACTION_E_INVALID;
}

/* Limits that keep what a fault asks for within what HTTP and this process can do. */
static int check_bounds(const json_t *action, const struct kind *kind, struct errmsg *msg)
{
	int64_t status = count_of(action, "status", 302);
	const char *content = text_of(action, "content", "html");

	if (status < 200 || status > 599)
		errmsg_set(msg, "'status' must be between 200 and 599");
	else if (count_of(action, "bytes_per_second", 1) < 1)
		errmsg_set(msg, "'bytes_per_second' must be at least 1");
	else if (count_of(action, "delay_ms", 0) > LIMIT_SIM_DELAY_MS)
		errmsg_set(msg, "'delay_ms' must be at most %d", LIMIT_SIM_DELAY_MS);
	else if (strcmp(content, "html") != 0 && strcmp(content, "random") != 0)
		errmsg_set(msg, "'content' must be 'html' or 'random'");
	else if (count_of(action, "seconds", 0) > LIMIT_SIM_RETRY_S)
		errmsg_set(msg, "'seconds' must be at most %d", LIMIT_SIM_RETRY_S);
	else if (count_of(action, "samples", 0) > LIMIT_SIM_SAMPLES)
		errmsg_set(msg, "'samples' must be at most %d", LIMIT_SIM_SAMPLES);
	else if (count_of(action, "grpc_code", 1) < 1 || count_of(action, "grpc_code", 1) > 16)
		errmsg_set(msg, "'grpc_code' must be between 1 and 16");
	else if (strcmp(kind->name, "pad_video") == 0 &&
		 (count_of(action, "bytes", 0) < 8 || count_of(action, "bytes", 0) > LIMIT_SIM_PADDING))
		errmsg_set(msg, "'bytes' must be between 8 and %d", LIMIT_SIM_PADDING);
	else if (strcmp(kind->name, "other_video") == 0)
		return check_other_video(action, msg);
	else if (kind->apply == apply_not_a_video)
		return check_rubbish(action, content, msg);
	else
		return 0;
	return SIM_ACTION_E_INVALID;
}

int sim_action_check(const json_t *action, struct errmsg *msg)
{
	const struct kind *kind = kind_of(action);
	int r;

	if (!kind) {
		const char *name = json_string_value(json_object_get(action, "type"));

		errmsg_set(msg, "'%s' is not an action's 'type'; see README.md for the list", name ? name : "");
		return SIM_ACTION_E_INVALID;
	}
	r = check_members(action, kind, msg);
	return r ? r : check_bounds(action, kind, msg);
}

bool sim_action_processes(const json_t *action)
{
	enum charging charging = kind_of(action)->charging;

	if (charging < CHARGES_UNLESS_TOLD)
		return charging == CHARGES_ALWAYS;
	return flag_of(action, "charge", charging == CHARGES_UNLESS_TOLD);
}

bool sim_action_wants_reuse(const json_t *action)
{
	return strcmp(kind_of(action)->name, "keepalive_close") == 0;
}

bool sim_action_wants_http2(const json_t *action)
{
	return strcmp(kind_of(action)->name, "refused_stream") == 0;
}

int64_t sim_action_delay_ms(const json_t *action)
{
	return count_of(action, "delay_ms", 0);
}

struct sim_twist sim_action_twist(const json_t *action)
{
	const char *name = kind_of(action)->name;
	struct sim_twist twist = {
		.is_link_expired = strcmp(name, "expire_link") == 0,
		.is_link_missing = strcmp(name, "link_lag") == 0,
		.is_empty = strcmp(name, "empty_result") == 0,
	};

	if (strcmp(name, "filter_samples") == 0) {
		twist.filtered = (int)count_of(action, "samples", LIMIT_SIM_SAMPLES);
		twist.failure_message = text_of(action, "failure_message", NULL);
	}
	if (strcmp(name, "pad_video") == 0)
		twist.padding = (uint64_t)count_of(action, "bytes", 0);
	if (strcmp(name, "other_video") == 0) {
		twist.seconds = (int)count_of(action, "seconds", 0);
		twist.width = (int)count_of(action, "width", 0);
		twist.height = (int)count_of(action, "height", 0);
		twist.is_black = strcmp(text_of(action, "picture", ""), "black") == 0;
		twist.is_still = strcmp(text_of(action, "picture", ""), "still") == 0;
	}
	if (strcmp(name, "fail_operation") == 0) {
		twist.operation_code = (int)count_of(action, "grpc_code", 13);
		twist.failure_message = text_of(action, "failure_message", "The operation failed.");
	}
	if (strcmp(name, "moderate") == 0) {
		twist.failure_code = text_of(action, "failure_code", "content_policy_violation");
		twist.failure_message = text_of(action, "failure_message", "The content violates our policy");
	}
	if (strcmp(name, "credit_failure") == 0) {
		twist.failure_code = text_of(action, "failure_code", "MOVIO_PAYMENT_INSUFFICIENT_CREDIT");
		twist.failure_message = text_of(action, "failure_message", "Insufficient credit");
	}
	return twist;
}

int sim_action_apply(const json_t *action, const struct sim_provider *provider, const struct sim_request *request,
		     struct sim_answer *answer)
{
	const struct kind *kind = kind_of(action);
	struct scene scene = {.action = action, .provider = provider, .request = request, .answer = answer};
	int r;

	r = kind->apply ? kind->apply(&scene) : 0;
	return r < 0 ? err_trace(r) : 0;
}
