#include "sim/hooks.h"

#include "base/digest.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/log.h"
#include "sim/json.h"
#include "sim/post.h"

#include <sys/random.h>
#include <utlist.h>

#define LOOK_MS 25
#define RETRIES 6
#define RETRY_MS 200
#define COPY_MS 50
#define OLD_S 600

enum fault { FAULT_NONE, FAULT_LOSE, FAULT_FORGE, FAULT_CHANGE, FAULT_OLD, FAULT_REPEAT, FAULT_DELAY, FAULT_REORDER };

static const char *const fault_names[] = {"none", "lose", "forge", "change", "old", "repeat", "delay", "reorder"};

struct rule {
	struct rule *next;
	enum fault fault;
	json_int_t times, copies, delay_ms;
};

struct sim_hook_endpoint {
	struct sim_hook_endpoint *next;
	char id[ID_TEXT_SIZE + 8];
	char secret[80];
	char *url;
	unsigned int account;
};

/* One that is to be sent. */
struct event {
	struct event *prev, *next;
	struct sim_hooks *hooks;
	struct sim_timer timer;
	struct sim_post *post;
	char id[ID_TEXT_SIZE], endpoint[ID_TEXT_SIZE + 8];
	char *url;
	unsigned int account;
	enum fault fault;
	json_int_t copies;
	int tries;
	char *body;
	json_t *row; /* of the report */
	bool is_held;
};

struct sim_hooks {
	struct sim *sim;
	struct sim_loop *loop;
	struct sim_timer timer;
	struct sim_hook_endpoint *endpoints;
	size_t n_endpoints;
	struct rule *rules;
	struct event *events;
	json_t *sent;
};

/* ---- life ---- */

static void free_event(struct event *event)
{
	sim_loop_forget(event->hooks->loop, &event->timer);
	sim_post_free(event->post);
	json_decref(event->row);
	free(event->url);
	free(event->body);
	free(event);
}

void sim_hooks_reset(struct sim_hooks *hooks)
{
	struct event *event, *next;
	struct rule *rule, *after;

	DL_FOREACH_SAFE(hooks->events, event, next) {
		DL_DELETE(hooks->events, event);
		free_event(event);
	}
	LL_FOREACH_SAFE(hooks->rules, rule, after)
		free(rule);
	hooks->rules = NULL;
	while (hooks->endpoints)
		sim_hooks_remove(hooks, hooks->endpoints);
	json_array_clear(hooks->sent);
}

struct sim_hooks *sim_hooks_free(struct sim_hooks *hooks)
{
	if (!hooks)
		return NULL;
	sim_hooks_reset(hooks);
	sim_loop_forget(hooks->loop, &hooks->timer);
	json_decref(hooks->sent);
	free(hooks);
	return NULL;
}

/* ---- sending ---- */

static void send_event(void *userdata);

static void on_sent(void *userdata, int status)
{
	struct event *event = userdata;
	bool is_taken = status >= 200 && status <= 299;

	event->post = NULL;
	json_object_set_new(event->row, "tries", json_integer(event->tries));
	json_object_set_new(event->row, "status", json_integer(status));
	if (is_taken && event->copies > 0) {
		event->copies--;
		sim_loop_after(event->hooks->loop, &event->timer, COPY_MS);
		return;
	}
	if (is_taken || event->tries > RETRIES) {
		DL_DELETE(event->hooks->events, event);
		free_event(event);
		return;
	}
	sim_loop_after(event->hooks->loop, &event->timer, RETRY_MS << event->tries);
}

/* A forged one is signed with a secret that is not the endpoint's, a changed one with the right one and before it was
 * changed. */
static void sign(const struct event *event, const char *secret, char text[static DIGEST_TEXT_SIZE])
{
	struct bytes key = bytes_of_text(event->fault == FAULT_FORGE ? "whsec_forged" : secret);
	struct digest mac = digest_hmac(key, bytes_of_text(event->body));

	digest_format(&mac, text);
}

static void send_event(void *userdata)
{
	struct event *event = userdata;
	struct sim_hook_endpoint *endpoint = sim_hooks_find(event->hooks, event->endpoint, event->account);
	int64_t now_s = sim_clock_utc_ms(&event->hooks->sim->clock) / 1000;
	char signature[DIGEST_TEXT_SIZE], headers[512];
	_cleanup_(freep) char *body = NULL;
	int r;

	if (!endpoint) {
		DL_DELETE(event->hooks->events, event);
		free_event(event);
		return;
	}
	sign(event, endpoint->secret, signature);
	if (event->fault == FAULT_OLD)
		now_s -= OLD_S;
	snprintf(headers, sizeof(headers), "Heygen-Signature: %s\r\nHeygen-Timestamp: %lld\r\nHeygen-Event-Id: %s\r\n",
		 signature, (long long)now_s, event->id);
	if (asprintf(&body, "%s%s", event->body, event->fault == FAULT_CHANGE ? " " : "") < 0)
		body = NULL;
	event->tries++;
	r = body ? sim_post_new(event->hooks->loop, event->url, headers, bytes_of_text(body), on_sent, event,
				&event->post)
		 : -ENOMEM;
	if (r == 0)
		return;
	log_warning("a webhook cannot be sent", "url", event->url, "why", log_errno(r));
	on_sent(event, 0);
}

/* ---- what is to be told ---- */

static struct rule take_rule(struct sim_hooks *hooks)
{
	struct rule *rule = hooks->rules, taken = {0};

	if (!rule)
		return taken;
	taken = *rule;
	if (--rule->times == 0) {
		LL_DELETE(hooks->rules, rule);
		free(rule);
	}
	return taken;
}

static char *write_body(struct sim *sim, const struct sim_generation *generation, const char *event_id, bool has_failed)
{
	const char *member = has_failed ? "msg" : "url";
	const char *value = has_failed ? generation->failure_message
				       : "https://files.example.com/not-to-be-believed.mp4";
	_cleanup_(sim_json_freep)
		json_t *body = json_pack("{s:s,s:s,s:I,s:{s:s,s:s?,s:s?}}", "event_id", event_id, "event_type",
					 has_failed ? "avatar_video.fail" : "avatar_video.success", "created_at",
					 (json_int_t)(sim_clock_utc_ms(&sim->clock) / 1000), "event_data", "video_id",
					 generation->id, member, value, "callback_id", NULL);

	return body ? json_dumps(body, JSON_COMPACT) : NULL;
}

/* Those that were held back come behind the one that is sent now. */
static void release_held(struct sim_hooks *hooks)
{
	struct event *event;

	DL_FOREACH(hooks->events, event) {
		if (event->is_held)
			sim_loop_after(hooks->loop, &event->timer, 2 * RETRY_MS);
		event->is_held = false;
	}
}

static void tell(struct sim_hooks *hooks, const struct sim_hook_endpoint *endpoint,
		 const struct sim_generation *generation, bool has_failed)
{
	struct rule rule = take_rule(hooks);
	struct event *event = calloc(1, sizeof(*event));
	struct id id = id_new(sim_clock_utc_ms(&hooks->sim->clock));

	if (!event)
		return;
	event->hooks = hooks;
	event->timer = (struct sim_timer){.fn = send_event, .userdata = event};
	id_format(&id, event->id);
	snprintf(event->endpoint, sizeof(event->endpoint), "%s", endpoint->id);
	event->account = endpoint->account;
	event->url = strdup(endpoint->url);
	event->fault = rule.fault;
	event->copies = rule.fault == FAULT_REPEAT ? rule.copies : 0;
	event->body = write_body(hooks->sim, generation, event->id, has_failed);
	event->row = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i}", "event_id", event->id, "video_id", generation->id,
			       "endpoint_id", endpoint->id, "fault", fault_names[rule.fault], "tries", 0, "status", 0);
	if (!event->url || !event->body || !event->row || json_array_append(hooks->sent, event->row) < 0 ||
	    rule.fault == FAULT_LOSE) {
		free_event(event);
		return;
	}
	DL_APPEND(hooks->events, event);
	event->is_held = rule.fault == FAULT_REORDER;
	if (event->is_held)
		return;
	sim_loop_after(hooks->loop, &event->timer, rule.fault == FAULT_DELAY ? rule.delay_ms : 0);
	release_held(hooks);
}

static void look_at(struct sim_hooks *hooks, struct sim_generation *generation, bool tells)
{
	enum sim_generation_state state;
	const struct sim_hook_endpoint *endpoint;

	if (generation->is_told || strcmp(generation->provider, sim_heygen.name) != 0 ||
	    strcmp(generation->collection, "/v3/videos") != 0)
		return;
	state = sim_generation_state(hooks->sim->generations, generation, sim_clock_monotonic_ms(&hooks->sim->clock));
	if (state != SIM_COMPLETED && state != SIM_FAILED)
		return;
	generation->is_told = true;
	LL_FOREACH(hooks->endpoints, endpoint) {
		if (tells && endpoint->account == generation->account)
			tell(hooks, endpoint, generation, state == SIM_FAILED);
	}
}

/* Nothing moves a video's state but the time and a look. */
static void look(struct sim_hooks *hooks, bool tells)
{
	struct sim_generation *generation = NULL;

	while ((generation = sim_generations_older(hooks->sim->generations, generation)) != NULL)
		look_at(hooks, generation, tells);
}

static void on_timer(void *userdata)
{
	struct sim_hooks *hooks = userdata;

	if (!hooks->endpoints)
		return;
	look(hooks, true);
	sim_loop_after(hooks->loop, &hooks->timer, LOOK_MS);
}

int sim_hooks_new(struct sim *sim, struct sim_loop *loop, struct sim_hooks **ret)
{
	struct sim_hooks *hooks = calloc(1, sizeof(*hooks));

	if (!hooks)
		return err_origin(-ENOMEM);
	hooks->sim = sim;
	hooks->loop = loop;
	hooks->timer = (struct sim_timer){.fn = on_timer, .userdata = hooks};
	hooks->sent = json_array();
	*ret = hooks;
	return 0;
}

/* ---- endpoints ---- */

void sim_hooks_rotate(struct sim_hook_endpoint *endpoint)
{
	uint8_t bytes[32];
	struct digest random;
	char text[DIGEST_TEXT_SIZE];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort();
	random = digest_of(bytes_of(bytes, sizeof(bytes)));
	digest_format(&random, text);
	snprintf(endpoint->secret, sizeof(endpoint->secret), "whsec_%s", text);
}

int sim_hooks_add(struct sim_hooks *hooks, const char *url, unsigned int account, struct sim_hook_endpoint **ret)
{
	struct sim_hook_endpoint *endpoint;
	struct id id = id_new(sim_clock_utc_ms(&hooks->sim->clock));
	char text[ID_TEXT_SIZE];

	if (hooks->n_endpoints >= LIMIT_SIM_ENDPOINTS)
		return SIM_HOOKS_E_INVALID;
	endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return err_origin(-ENOMEM);
	endpoint->url = strdup(url);
	if (!endpoint->url) {
		free(endpoint);
		return err_origin(-ENOMEM);
	}
	id_format(&id, text);
	snprintf(endpoint->id, sizeof(endpoint->id), "we_%s", text);
	endpoint->account = account;
	sim_hooks_rotate(endpoint);
	if (!hooks->endpoints)
		look(hooks, false);
	LL_APPEND(hooks->endpoints, endpoint);
	hooks->n_endpoints++;
	sim_loop_after(hooks->loop, &hooks->timer, LOOK_MS);
	*ret = endpoint;
	return 0;
}

struct sim_hook_endpoint *sim_hooks_find(struct sim_hooks *hooks, const char *id, unsigned int account)
{
	struct sim_hook_endpoint *endpoint;

	LL_FOREACH(hooks->endpoints, endpoint) {
		if (strcmp(endpoint->id, id) == 0 && endpoint->account == account)
			return endpoint;
	}
	return NULL;
}

void sim_hooks_remove(struct sim_hooks *hooks, struct sim_hook_endpoint *endpoint)
{
	LL_DELETE(hooks->endpoints, endpoint);
	hooks->n_endpoints--;
	free(endpoint->url);
	free(endpoint);
}

json_t *sim_hooks_describe(const struct sim_hook_endpoint *endpoint, bool with_secret)
{
	json_t *row = json_pack("{s:s,s:s,s:n,s:s}", "endpoint_id", endpoint->id, "url", endpoint->url, "events",
				"status", "enabled");

	if (row && with_secret)
		json_object_set_new(row, "secret", json_string(endpoint->secret));
	return row;
}

json_t *sim_hooks_list(const struct sim_hooks *hooks, unsigned int account)
{
	const struct sim_hook_endpoint *endpoint;
	json_t *list = json_array();

	LL_FOREACH(hooks->endpoints, endpoint) {
		if (endpoint->account == account)
			json_array_append_new(list, sim_hooks_describe(endpoint, false));
	}
	return list;
}

/* ---- what the control interface asks ---- */

int sim_hooks_add_fault(struct sim_hooks *hooks, const json_t *fault, struct errmsg *msg)
{
	struct rule rule = {.times = 1, .copies = 10, .delay_ms = 1000}, *made;
	const char *type = NULL;
	json_error_t error;

	if (json_unpack_ex((json_t *)(uintptr_t)fault, &error, JSON_STRICT, "{s:s,s?I,s?I,s?I}", "type", &type, "times",
			   &rule.times, "copies", &rule.copies, "delay_ms", &rule.delay_ms) < 0) {
		errmsg_set(msg, "%s", error.text);
		return SIM_HOOKS_E_INVALID;
	}
	for (size_t i = 1; i < sizeof(fault_names) / sizeof(fault_names[0]); i++)
		if (strcmp(fault_names[i], type) == 0)
			rule.fault = (enum fault)i;
	if (rule.fault == FAULT_NONE || rule.times < 1 || rule.copies < 0 || rule.copies > LIMIT_SIM_FAULTS ||
	    rule.delay_ms < 0 || rule.delay_ms > LIMIT_SIM_DELAY_MS) {
		errmsg_set(
			msg,
			"'type' is lose, forge, change, old, repeat, delay or reorder, 'times' at least 1, 'copies' and "
			"'delay_ms' not negative");
		return SIM_HOOKS_E_INVALID;
	}
	made = malloc(sizeof(*made));
	if (!made)
		return err_origin(-ENOMEM);
	*made = rule;
	LL_APPEND(hooks->rules, made);
	return 0;
}

json_t *sim_hooks_report(const struct sim_hooks *hooks)
{
	const struct sim_hook_endpoint *endpoint;
	json_t *list = json_array();

	LL_FOREACH(hooks->endpoints, endpoint)
		json_array_append_new(list, sim_hooks_describe(endpoint, true));
	return json_pack("{s:o,s:O}", "endpoints", list, "sent", hooks->sent);
}
