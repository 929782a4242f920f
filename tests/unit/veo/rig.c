#include "veo/rig.h"

#include "base/err.h"
#include "base/json.h"
#include "base/json_lift.h"
#include "key_file.h"
#include "plugin/mint.h"
#include "replays.h"

#include <strings.h>

struct rig rig;

static char *key_file;

struct plugin_account *rig_open(const char *base_url, const char *options, bool is_google)
{
	static const char *const origins[] = {"https://storage.googleapis.com"};
	const struct plugin_secret secret = {.name = is_google ? "service_account" : "api_key",
					     .value = is_google ? key_file : RIG_KEY};
	char text[1000];
	struct plugin_account_spec spec = {
		.id = "studio",
		.base_url = base_url,
		.secrets = &secret,
		.n_secrets = 1,
		.origins = origins,
		.n_origins = is_google,
		.options = bytes_of(text, (size_t)snprintf(text, sizeof(text), "{%s}", options)),
	};
	struct plugin_account *account = NULL;
	struct errmsg error = {0};

	if (plugin_account_new(rig.plugin, &spec, &account, &error))
		fail_msg("%s", error.text);
	if (is_google)
		assert_int_equal(
			plugin_mint_take(account, 200,
					 bytes_of_text("{\"access_token\":\"" RIG_TOKEN "\",\"expires_in\":3599}"),
					 RIG_NOW_MS, &error),
			0);
	return account;
}

int rig_set_up(void **state)
{
	const char *folders[] = {VEO_PLUGIN_DIR};
	struct errmsg error = {0};

	(void)state;
	key_file = make_key_file();
	if (plugin_load("veo", folders, 1, &rig.plugin, &error)) {
		print_error("%s\n", error.text);
		return -1;
	}
	rig.vertex = rig_open(RIG_BASE, RIG_OPTIONS, true);
	rig.gemini = rig_open(RIG_BASE, "\"surface\":\"gemini\"", false);
	return 0;
}

int rig_tear_down(void **state)
{
	(void)state;
	rig.vertex = plugin_account_free(rig.vertex);
	rig.gemini = plugin_account_free(rig.gemini);
	rig.plugin = plugin_free(rig.plugin);
	free(key_file);
	return 0;
}

int rig_reset(void **state)
{
	(void)state;
	rig.account = rig.vertex;
	rig.job = NULL;
	rig.now_ms = RIG_NOW_MS;
	rig.retry_after_ms = -1;
	rig.assets = NULL;
	rig.n_assets = 0;
	rig.remote_id = RIG_OPERATION;
	return 0;
}

char *rig_job(const char *model, const char *parameters)
{
	struct buffer text = {0};

	assert_int_equal(buffer_printf(&text, "{\"id\":\"" RIG_JOB "\",\"model\":\"%s\",\"parameters\":{%s}}", model,
				       parameters),
			 0);
	return text.data;
}

static struct plugin_answer *run(enum plugin_verb verb, const char *job, const char *state,
				 const struct plugin_reply *reply)
{
	_cleanup_(freep) char *usual = rig_job(RIG_MODEL, "\"prompt\":\"a cat\"");
	struct plugin_step step = {
		.account = rig.account,
		.verb = verb,
		.phase = reply ? 1 : 0,
		.job = bytes_of_text(job ? job : usual),
		.state = bytes_of_text(state),
		.reply = reply,
		.now_ms = rig.now_ms,
		.attempt = 1,
		.send = 1,
		.idempotency_key = "fg-key",
		.assets = rig.assets,
		.n_assets = rig.n_assets,
		.remote_id = verb == PLUGIN_VERB_START ? NULL : rig.remote_id,
		.remote_kind = verb == PLUGIN_VERB_START ? NULL : "operation",
		.accepted_at_ms = verb == PLUGIN_VERB_START ? 0 : RIG_NOW_MS - 1000,
		.has_bought = reply != NULL || verb != PLUGIN_VERB_START,
	};
	struct plugin_answer *answer = plugin_step_run(&step);

	assert_non_null(answer);
	if (answer->kind == PLUGIN_ANSWER_FAULT)
		fail_msg("the plugin broke a rule: %s", answer->fault);
	assert_step_replays(rig.plugin, &step, answer, NULL);
	return answer;
}

/* What start would refuse before anything is sent, the check refuses in the same words; what it would send, the check
 * takes. */
static void assert_checked_alike(const struct plugin_answer *start, const struct plugin_answer *check)
{
	if (start->kind != PLUGIN_ANSWER_FAILED) {
		assert_int_equal(check->kind, PLUGIN_ANSWER_REPORT);
		assert_string_equal(check->report, "{}");
		return;
	}
	assert_int_equal(check->kind, PLUGIN_ANSWER_FAILED);
	assert_string_equal(check->failure.message, start->failure.message);
	assert_string_equal(check->failure.field, start->failure.field);
}

struct plugin_answer *rig_begin(enum plugin_verb verb, const char *job)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *check = NULL;
	struct plugin_answer *answer = run(verb, job, NULL, NULL);

	if (verb != PLUGIN_VERB_START)
		return answer;
	check = run(PLUGIN_VERB_CHECK, job, NULL, NULL);
	assert_checked_alike(answer, check);
	return answer;
}

/* ---- lifting ---- */

#define LIFTED 16

struct lifted {
	size_t n;
	const char *pointers[LIFTED];
	struct buffer rest;
};

static int on_begin(void *userdata, const char *pointer)
{
	struct lifted *lifted = userdata;

	assert_true(lifted->n < LIFTED);
	lifted->pointers[lifted->n++] = strdup(pointer);
	return 0;
}

static int on_write(void *userdata, struct bytes bytes)
{
	(void)userdata;
	assert_true(bytes.len > 0);
	return 0;
}

static int on_end(void *userdata)
{
	(void)userdata;
	return 0;
}

static void lift(const char *body, struct lifted *lifted)
{
	const struct json_lift_sink sink = {on_begin, on_write, on_end, lifted};
	_cleanup_(plugin_answer_freep) struct plugin_answer *poll = run(PLUGIN_VERB_POLL, rig.job, NULL, NULL);
	_cleanup_(json_lift_freep) struct json_lift *reader = NULL;

	assert_int_equal(poll->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(json_lift_new(poll->exchange.lift, poll->exchange.n_lift, &sink, &reader), 0);
	assert_int_equal(json_lift_feed(reader, bytes_of_text(body), &lifted->rest), 0);
	assert_int_equal(json_lift_end(reader), 0);
}

static void lifted_finish(struct lifted *lifted)
{
	for (size_t i = 0; i < lifted->n; i++)
		free((void *)(uintptr_t)lifted->pointers[i]);
	buffer_finish(&lifted->rest);
}

struct plugin_answer *rig_reply(enum plugin_verb verb, const char *state, int status, const char *body)
{
	_cleanup_(lifted_finish) struct lifted lifted = {0};
	bool is_lifting = verb == PLUGIN_VERB_POLL && status == 200;
	const struct plugin_header header = {.name = "Content-Type",
					     .value = *body == '<' ? "text/html" : "application/json"};
	struct plugin_reply reply = {
		.status = status,
		.headers = &header,
		.n_headers = 1,
		.body = bytes_of_text(body),
		.elapsed_ms = 900,
		.retry_after_ms = rig.retry_after_ms,
		.lifted = lifted.pointers,
	};

	if (is_lifting) {
		lift(body, &lifted);
		reply.body = buffer_bytes(&lifted.rest);
		reply.n_lifted = lifted.n;
	}
	return run(verb, rig.job, state, &reply);
}

void rig_assert_inline(const struct plugin_answer *answer, const char *expected)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct plugin_answer whole = *answer;

	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(buffer_append(&text, answer->exchange.body.data, answer->exchange.body.len), 0);
	for (size_t i = 0; i < answer->exchange.n_pieces; i++) {
		const struct plugin_piece *piece = &answer->exchange.pieces[i];

		assert_true(!piece->asset || piece->is_base64);
		if (piece->asset)
			assert_int_equal(buffer_printf(&text, "{%s}", piece->asset), 0);
		else
			assert_int_equal(buffer_append(&text, piece->text.data, piece->text.len), 0);
	}
	whole.exchange.body = buffer_bytes(&text);
	rig_assert_body(&whole, expected);
}

char *rig_sample(const char *name)
{
	return answers_sample("veo", name);
}
