#include "openai_videos/rig.h"

#include "base/err.h"
#include "base/json.h"
#include "replays.h"

struct rig rig;

struct plugin_account *rig_open(const char *options)
{
	const struct plugin_secret secret = {.name = "api_key", .value = RIG_KEY};
	char text[1000];
	struct plugin_account_spec spec = {
		.id = "gateway",
		.base_url = RIG_BASE,
		.secrets = &secret,
		.n_secrets = 1,
		.options = bytes_of(text, (size_t)snprintf(text, sizeof(text), "{%s}", options)),
	};
	struct plugin_account *account = NULL;
	struct errmsg error = {0};

	if (plugin_account_new(rig.plugin, &spec, &account, &error))
		fail_msg("%s", error.text);
	return account;
}

int rig_set_up(void **state)
{
	const char *folders[] = {OPENAI_VIDEOS_PLUGIN_DIR};
	struct errmsg error = {0};

	(void)state;
	if (plugin_load("openai_videos", folders, 1, &rig.plugin, &error)) {
		print_error("%s\n", error.text);
		return -1;
	}
	rig.openai = rig_open("\"model\":\"sora-2\"");
	rig.multipart = rig_open("\"model\":\"sora-2\",\"submit\":\"multipart\"");
	rig.openrouter = rig_open("\"model\":\"google/veo-3.1\",\"dialect\":\"openrouter\"");
	rig.trusting = rig_open("\"model\":\"sora-2\",\"absence_after_s\":30");
	return 0;
}

int rig_tear_down(void **state)
{
	(void)state;
	rig.openai = plugin_account_free(rig.openai);
	rig.multipart = plugin_account_free(rig.multipart);
	rig.openrouter = plugin_account_free(rig.openrouter);
	rig.trusting = plugin_account_free(rig.trusting);
	rig.plugin = plugin_free(rig.plugin);
	return 0;
}

int rig_reset(void **state)
{
	(void)state;
	rig.account = rig.openai;
	rig.now_ms = RIG_NOW_MS;
	rig.retry_after_ms = -1;
	rig.facts = NULL;
	rig.remote_id = RIG_ID;
	rig.list_next = NULL;
	rig.asset = NULL;
	return 0;
}

static struct plugin_answer *run(enum plugin_verb verb, const char *parameters, const char *state,
				 const struct plugin_reply *reply)
{
	_cleanup_(buffer_finish) struct buffer job = {0};
	bool has_remote = verb != PLUGIN_VERB_START && verb != PLUGIN_VERB_RECONCILE && verb != PLUGIN_VERB_CHECK;
	struct plugin_step step = {
		.account = rig.account,
		.verb = verb,
		.phase = reply ? 1 : 0,
		.state = bytes_of_text(state),
		.reply = reply,
		.now_ms = rig.now_ms,
		.attempt = 1,
		.send = 1,
		.idempotency_key = "fg-key",
		.remote_id = has_remote ? rig.remote_id : NULL,
		.remote_kind = has_remote ? "video" : NULL,
		.facts = bytes_of_text(rig.facts),
		.list_next = rig.list_next,
		.assets = rig.asset,
		.n_assets = rig.asset ? 1 : 0,
		.has_bought = reply != NULL || verb != PLUGIN_VERB_START,
	};
	struct plugin_answer *answer;

	assert_int_equal(buffer_printf(&job, "{\"id\":\"0190aa\",\"model\":\"video\",\"parameters\":{%s}}",
				       parameters ? parameters : "\"prompt\":\"a cat\""),
			 0);
	step.job = buffer_bytes(&job);
	answer = plugin_step_run(&step);
	assert_non_null(answer);
	if (answer->kind == PLUGIN_ANSWER_FAULT)
		fail_msg("the plugin broke a rule: %s", answer->fault);
	assert_step_replays(rig.plugin, &step, answer, NULL);
	return answer;
}

struct plugin_answer *rig_begin(enum plugin_verb verb, const char *parameters)
{
	return run(verb, parameters, NULL, NULL);
}

struct plugin_answer *rig_resume(enum plugin_verb verb, const char *state)
{
	return run(verb, NULL, state, NULL);
}

struct plugin_answer *rig_reply(enum plugin_verb verb, const char *state, int status, const char *body)
{
	const struct plugin_header header = {.name = "Content-Type",
					     .value = *body == '<' ? "text/html" : "application/json"};
	const struct plugin_reply reply = {
		.status = status,
		.headers = &header,
		.n_headers = 1,
		.body = bytes_of_text(body),
		.elapsed_ms = 900,
		.retry_after_ms = rig.retry_after_ms,
	};

	return run(verb, NULL, state, &reply);
}

char *rig_sample(const char *name)
{
	return answers_sample(".", name);
}
