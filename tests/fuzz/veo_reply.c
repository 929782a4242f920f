/*
 * What Google may send: a byte that chooses verb, surface and status, the plugin's state up to the first NUL, and the body
 * of the reply, out of which the plugin's own places are lifted as the daemon does. Whatever it is, the plugin must not
 * break a rule, and must not give up what was paid for.
 */
#include "base/err.h"
#include "base/json.h"
#include "base/json_lift.h"
#include "base/limits.h"
#include "fuzz.h"
#include "key_file.h"
#include "plugin/mint.h"
#include "plugin_reply.h"

#include <assert.h>

#define NOW_MS INT64_C(1795000000000)
#define OPERATION "projects/p1/locations/us-central1/publishers/google/models/veo-3.1-generate-001/operations/7"

enum { SURFACE_VERTEX, SURFACE_GEMINI, SURFACE_N };

static struct plugin_account *account_new(const struct plugin *plugin, bool is_gemini)
{
	static const char *const origins[] = {"https://storage.googleapis.com"};
	_cleanup_(freep) char *key_file = make_key_file();
	const struct plugin_secret secret = {.name = is_gemini ? "api_key" : "service_account",
					     .value = is_gemini ? "k" : key_file};
	const struct plugin_account_spec spec = {
		.id = "fuzz",
		.base_url = "http://127.0.0.1:9",
		.secrets = &secret,
		.n_secrets = 1,
		.origins = origins,
		.n_origins = is_gemini ? 0 : 1,
		.options = bytes_of_text(is_gemini ? "{\"surface\":\"gemini\"}" : "{\"project\":\"p1\"}"),
	};
	struct bytes token = bytes_of_text("{\"access_token\":\"t\",\"expires_in\":3599}");
	struct plugin_account *account = open_account_of(plugin, &spec);
	struct errmsg error = {0};

	if (!is_gemini && plugin_mint_take(account, 200, token, NOW_MS, &error) != 0)
		complain(error.text);
	return account;
}

static const struct plugin_account *account_of(int surface)
{
	static struct plugin_account *accounts[SURFACE_N];
	static struct plugin *plugin;

	if (!plugin)
		plugin = open_plugin("veo", VEO_PLUGIN_DIR);
	if (!accounts[surface])
		accounts[surface] = account_new(plugin, surface == SURFACE_GEMINI);
	return accounts[surface];
}

static struct plugin_step step_of(int surface, enum plugin_verb verb)
{
	return (struct plugin_step){
		.account = account_of(surface),
		.verb = verb,
		.job = bytes_of_text("{\"id\":\"0190aa\",\"model\":\"veo-3.1-generate-001\",\"parameters\":"
				     "{\"prompt\":\"a cat\",\"sample_count\":2}}"),
		.now_ms = NOW_MS,
		.attempt = 1,
		.send = 1,
		.idempotency_key = "key",
		.remote_id = verb == PLUGIN_VERB_START ? NULL : OPERATION,
		.has_bought = true,
	};
}

/* ---- lifting ---- */

struct lifted {
	size_t n;
	char *pointers[LIMIT_JSON_LIFT_TEXTS];
	struct buffer rest;
};

static int on_begin(void *userdata, const char *pointer)
{
	struct lifted *lifted = userdata;

	for (size_t i = 0; i < lifted->n; i++)
		if (strcmp(lifted->pointers[i], pointer) == 0)
			return 0;
	lifted->pointers[lifted->n++] = strdup(pointer);
	return 0;
}

static int on_write(void *userdata, struct bytes bytes)
{
	(void)userdata;
	(void)bytes;
	return 0;
}

static int on_end(void *userdata)
{
	(void)userdata;
	return 0;
}

static void lifted_finish(struct lifted *lifted)
{
	for (size_t i = 0; i < lifted->n; i++)
		free(lifted->pointers[i]);
	buffer_finish(&lifted->rest);
}

/* Not 0: the exchange has failed, and the plugin never hears of it. */
static int lift(int surface, struct bytes body, struct lifted *lifted)
{
	static struct plugin_answer *polls[SURFACE_N];
	const struct json_lift_sink sink = {on_begin, on_write, on_end, lifted};
	struct plugin_step step = step_of(surface, PLUGIN_VERB_POLL);
	_cleanup_(json_lift_freep) struct json_lift *reader = NULL;
	int r;

	if (!polls[surface])
		polls[surface] = plugin_step_run(&step);
	assert(polls[surface]->kind == PLUGIN_ANSWER_EXCHANGE);
	r = json_lift_new(polls[surface]->exchange.lift, polls[surface]->exchange.n_lift, &sink, &reader);
	r = r ? r : json_lift_feed(reader, body, &lifted->rest);
	return r ? r : json_lift_end(reader);
}

/* ---- what may come of it ---- */

static void check(const struct plugin_answer *answer, enum plugin_verb verb, int status)
{
	enum plugin_answer_kind kind = answer->kind;

	if (kind == PLUGIN_ANSWER_FAULT)
		complain(answer->fault);
	assert(kind != PLUGIN_ANSWER_EXCHANGE);
	if (verb == PLUGIN_VERB_START && kind == PLUGIN_ANSWER_FAILED)
		assert(status >= 300 && answer->failure.bought == PLUGIN_BOUGHT_NONE);
	if (verb == PLUGIN_VERB_START && kind == PLUGIN_ANSWER_ACCEPTED)
		assert(status < 300 && answer->accepted.n_remotes == 1 && answer->accepted.remotes[0].id[0]);
	if (verb == PLUGIN_VERB_POLL && kind == PLUGIN_ANSWER_FAILED)
		assert(status == 200 || (status == 404 && answer->failure.reason == PLUGIN_REASON_LOST));
	if (verb == PLUGIN_VERB_POLL && kind == PLUGIN_ANSWER_DONE)
		assert(status == 200 && strcmp(answer->done.outputs[0].role, "video") == 0 &&
		       !answer->done.outputs[0].url != !answer->done.outputs[0].lifted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum plugin_verb verbs[] = {PLUGIN_VERB_START, PLUGIN_VERB_POLL, PLUGIN_VERB_POLL,
						 PLUGIN_VERB_ACCOUNT};
	static const int statuses[] = {200, 201, 204, 302, 400, 401, 402, 403, 404, 409, 413, 429, 499, 500, 503, 504};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	_cleanup_(lifted_finish) struct lifted lifted = {0};
	struct plugin_reply reply = {.retry_after_ms = -1, .lifted = (const char *const *)lifted.pointers};
	struct plugin_step step;
	int surface;

	if (size < 1)
		return -1;
	surface = data[0] & 4 ? SURFACE_GEMINI : SURFACE_VERTEX;
	step = step_of(surface, verbs[data[0] & 3]);
	reply.status = statuses[data[0] >> 4];
	step.phase = 1;
	step.reply = &reply;
	if (!take_input(data, size, &step, &reply))
		return -1;
	if (step.verb == PLUGIN_VERB_POLL && reply.status < 300) {
		if (lift(surface, reply.body, &lifted) != 0)
			return 0;
		reply.body = buffer_bytes(&lifted.rest);
		reply.n_lifted = lifted.n;
	}

	answer = plugin_step_run(&step);
	assert(answer);
	check(answer, step.verb, reply.status);
	return 0;
}
