#include "heygen/rig.h"

#include "base/err.h"
#include "base/json.h"
#include "replays.h"

#include <strings.h>

struct rig rig;

static const struct plugin_secret secret = {.name = "api_key", .value = RIG_SECRET};

int rig_set_up(void **state)
{
	struct plugin_account_spec spec = {.id = "studio", .secrets = &secret, .n_secrets = 1};
	const char *folders[] = {HEYGEN_PLUGIN_DIR};
	struct errmsg error = {0};

	(void)state;
	if (plugin_load("heygen", folders, 1, &rig.plugin, &error) == 0 &&
	    plugin_account_new(rig.plugin, &spec, &rig.encrypted, &error) == 0) {
		spec.base_url = "http://127.0.0.1:9";
		if (plugin_account_new(rig.plugin, &spec, &rig.account, &error) == 0) {
			spec.options = bytes_of_text("{\"absence_after_s\":30}");
			if (plugin_account_new(rig.plugin, &spec, &rig.trusting, &error) == 0)
				return 0;
		}
	}
	print_error("%s\n", error.text);
	return -1;
}

void rig_configure(const char *options)
{
	struct plugin_account_spec spec = {.id = "studio",
					   .base_url = "http://127.0.0.1:9",
					   .secrets = &secret,
					   .n_secrets = 1,
					   .options = bytes_of_text(options)};
	struct errmsg error = {0};

	plugin_account_free(rig.trusting);
	if (plugin_account_new(rig.plugin, &spec, &rig.trusting, &error) != 0)
		fail_msg("%s", error.text);
	rig.is_trusting = true;
}

int rig_tear_down(void **state)
{
	(void)state;
	rig.account = plugin_account_free(rig.account);
	rig.trusting = plugin_account_free(rig.trusting);
	rig.encrypted = plugin_account_free(rig.encrypted);
	rig.plugin = plugin_free(rig.plugin);
	return 0;
}

int rig_reset(void **state)
{
	(void)state;
	rig.is_encrypted = rig.is_trusting = false;
	rig.facts = NULL;
	rig.now_ms = RIG_NOW_MS;
	rig.retry_after_ms = -1;
	rig.remote_id = "v_1";
	rig.assets = NULL;
	rig.n_assets = 0;
	rig.catalogue_kind = rig.catalogue_next = rig.list_next = NULL;
	rig.subscription_action = rig.subscription_url = rig.subscription_id = NULL;
	rig.secrets = NULL;
	rig.model = "avatar";
	rig.parameters = "\"avatar_id\":\"a\",\"script\":{\"text\":\"hi\"}";
	return 0;
}

char *rig_job(const char *model, const char *title, const char *parameters)
{
	struct buffer text = {0};

	assert_int_equal(
		buffer_printf(&text, "{\"id\":\"0190aa\",\"model\":\"%s\",\"parameters\":{%s}", model, parameters), 0);
	if (title)
		assert_int_equal(buffer_printf(&text, ",\"title\":\"%s\"", title), 0);
	assert_int_equal(buffer_append_text(&text, "}"), 0);
	return text.data;
}

static struct plugin_answer *run(enum plugin_verb verb, uint32_t phase, const char *job, const char *state,
				 const struct plugin_reply *reply)
{
	bool has_remote = verb != PLUGIN_VERB_START && verb != PLUGIN_VERB_RECONCILE;
	struct plugin_step step = {
		.facts = bytes_of_text(rig.facts),
		.account = rig.is_encrypted  ? rig.encrypted
			   : rig.is_trusting ? rig.trusting
					     : rig.account,
		.verb = verb,
		.phase = phase,
		.job = bytes_of_text(job),
		.state = bytes_of_text(state),
		.reply = reply,
		.now_ms = rig.now_ms,
		.attempt = 1,
		.send = 1,
		/* As the daemon does after a restart: the key is the state's to keep. */
		.idempotency_key = verb == PLUGIN_VERB_RECONCILE ? NULL : RIG_KEY,
		.remote_id = has_remote ? rig.remote_id : NULL,
		.catalogue_kind = rig.catalogue_kind,
		.catalogue_next = rig.catalogue_next,
		.list_next = rig.list_next,
		.subscription_action = rig.subscription_action,
		.subscription_url = rig.subscription_url,
		.subscription_id = rig.subscription_id,
		.remote_kind = has_remote ? "video" : NULL,
		.accepted_at_ms = has_remote ? RIG_NOW_MS - 1000 : 0,
		.has_bought = reply != NULL || verb != PLUGIN_VERB_START,
		.assets = rig.assets,
		.n_assets = rig.n_assets,
	};
	struct plugin_answer *answer = plugin_step_run(&step);

	assert_non_null(answer);
	if (answer->kind == PLUGIN_ANSWER_FAULT)
		fail_msg("the plugin broke a rule: %s", answer->fault);
	assert_step_replays(rig.plugin, &step, answer, rig.secrets);
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

struct plugin_answer *rig_begin(enum plugin_verb verb, const char *job, const char *state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *check = NULL;
	struct plugin_answer *answer = run(verb, 0, job, state, NULL);

	if (verb != PLUGIN_VERB_START)
		return answer;
	check = run(PLUGIN_VERB_CHECK, 0, job, NULL, NULL);
	assert_checked_alike(answer, check);
	return answer;
}

struct plugin_answer *rig_reply(enum plugin_verb verb, const char *state, int status, const char *body)
{
	return rig_reply_in(verb, 1, state, status, body);
}

struct plugin_answer *rig_reply_in(enum plugin_verb verb, uint32_t phase, const char *state, int status,
				   const char *body)
{
	const struct plugin_header headers[] = {
		{.name = "Content-Type", .value = *body == '<' ? "text/html" : "application/json"},
		{.name = "X-Request-Id", .value = "req-7"},
	};
	const struct plugin_reply reply = {
		.status = status,
		.headers = headers,
		.n_headers = 2,
		.body = bytes_of_text(body),
		.elapsed_ms = 31000,
		.retry_after_ms = rig.retry_after_ms,
	};
	_cleanup_(freep) char *job = rig_job(rig.model, NULL, rig.parameters);

	return run(verb, phase, job, state, &reply);
}

char *rig_sample(const char *name)
{
	return answers_sample("heygen", name);
}
