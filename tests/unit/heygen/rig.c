#include "heygen/rig.h"

#include "base/err.h"
#include "base/json.h"
#include "replays.h"

#include <strings.h>

struct rig rig;

int rig_set_up(void **state)
{
	static const struct plugin_secret secret = {.name = "api_key", .value = RIG_SECRET};
	struct plugin_account_spec spec = {.id = "studio", .secrets = &secret, .n_secrets = 1};
	const char *folders[] = {HEYGEN_PLUGIN_DIR};
	struct errmsg error = {0};

	(void)state;
	if (plugin_load("heygen", folders, 1, &rig.plugin, &error) == 0 &&
	    plugin_account_new(rig.plugin, &spec, &rig.encrypted, &error) == 0) {
		spec.base_url = "http://127.0.0.1:9";
		if (plugin_account_new(rig.plugin, &spec, &rig.account, &error) == 0)
			return 0;
	}
	print_error("%s\n", error.text);
	return -1;
}

int rig_tear_down(void **state)
{
	(void)state;
	rig.account = plugin_account_free(rig.account);
	rig.encrypted = plugin_account_free(rig.encrypted);
	rig.plugin = plugin_free(rig.plugin);
	return 0;
}

int rig_reset(void **state)
{
	(void)state;
	rig.is_encrypted = false;
	rig.now_ms = RIG_NOW_MS;
	rig.retry_after_ms = -1;
	rig.remote_id = "v_1";
	rig.assets = NULL;
	rig.n_assets = 0;
	rig.catalogue_kind = rig.catalogue_next = NULL;
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
	struct plugin_step step = {
		.account = rig.is_encrypted ? rig.encrypted : rig.account,
		.verb = verb,
		.phase = phase,
		.job = bytes_of_text(job),
		.state = bytes_of_text(state),
		.reply = reply,
		.now_ms = rig.now_ms,
		.attempt = 1,
		.send = 1,
		.idempotency_key = RIG_KEY,
		.remote_id = verb == PLUGIN_VERB_START ? NULL : rig.remote_id,
		.catalogue_kind = rig.catalogue_kind,
		.catalogue_next = rig.catalogue_next,
		.remote_kind = verb == PLUGIN_VERB_START ? NULL : "video",
		.accepted_at_ms = verb == PLUGIN_VERB_START ? 0 : RIG_NOW_MS - 1000,
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

struct plugin_answer *rig_begin(enum plugin_verb verb, const char *job, const char *state)
{
	return run(verb, 0, job, state, NULL);
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

void rig_assert_json(const char *text, const char *expected)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node a, b;

	assert_int_equal(json_parse(json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &a, NULL), 0);
	assert_int_equal(json_parse(json, bytes_of_text(expected), JSON_DUPLICATES_REFUSE, &b, NULL), 0);
	if (!json_equal(json, a, json, b))
		fail_msg("%s\n is not %s", text, expected);
}

void rig_assert_body(const struct plugin_answer *answer, const char *expected)
{
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	text = bytes_dup_text(answer->exchange.body);
	assert_non_null(text);
	rig_assert_json(text, expected);
}

const struct plugin_header *rig_header(const struct plugin_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->exchange.n_headers; i++)
		if (strcasecmp(answer->exchange.headers[i].name, name) == 0)
			return &answer->exchange.headers[i];
	return NULL;
}

void rig_assert_failure(const struct plugin_answer *answer, enum plugin_answer_kind kind, enum plugin_reason reason,
			enum plugin_bought bought)
{
	if (answer->kind != kind || answer->failure.reason != reason || answer->failure.bought != bought)
		fail_msg("answered %s, reason %d, bought %d ('%s' %s)", plugin_answer_name(answer->kind),
			 (int)answer->failure.reason, (int)answer->failure.bought, answer->failure.code,
			 answer->failure.message);
}

char *rig_sample(const char *name)
{
	const char *folder = getenv("FILMGATE_SAMPLES");
	struct buffer path = {0}, text = {0};
	char block[4096];
	FILE *file;
	size_t n;

	assert_int_equal(buffer_printf(&path, "%s/heygen/%s", folder ? folder : "", name), 0);
	file = fopen(path.data, "re");
	if (!file) {
		print_message("no recorded body %s here: skipped\n", name);
		buffer_finish(&path);
		return NULL;
	}
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		assert_int_equal(buffer_append(&text, block, n), 0);
	fclose(file);
	buffer_finish(&path);
	return text.data;
}
