/*
 * What HeyGen may send: a byte that chooses verb and status, the plugin's state up to the first NUL, and the body of
 * the reply. Whatever it is, the plugin must not break a rule, and must not give up what was paid for.
 */
#include "fuzz.h"
#include "plugin_reply.h"

static const struct plugin_account *open_account(void)
{
	static struct plugin_account *account;
	static const struct plugin_secret secret = {.name = "api_key", .value = "k"};
	static const struct plugin_account_spec spec = {.id = "fuzz", .secrets = &secret, .n_secrets = 1};

	if (!account)
		account = open_account_of(open_plugin("heygen", HEYGEN_PLUGIN_DIR), &spec);
	return account;
}

static void check(const struct plugin_answer *answer, enum plugin_verb verb, int status)
{
	enum plugin_answer_kind kind = answer->kind;

	if (kind == PLUGIN_ANSWER_FAULT)
		complain(answer->fault);
	assert(kind != PLUGIN_ANSWER_EXCHANGE);
	if (verb == PLUGIN_VERB_START && kind == PLUGIN_ANSWER_FAILED)
		assert(answer->failure.bought == PLUGIN_BOUGHT_NONE);
	if (verb == PLUGIN_VERB_START && kind == PLUGIN_ANSWER_ACCEPTED)
		assert(status < 300 && answer->accepted.n_remotes == 1 && answer->accepted.remotes[0].id[0]);
	if (verb == PLUGIN_VERB_POLL && kind == PLUGIN_ANSWER_FAILED)
		assert(status == 200 || (status == 404 && answer->failure.reason == PLUGIN_REASON_LOST));
	if (verb == PLUGIN_VERB_POLL && kind == PLUGIN_ANSWER_DONE)
		assert(status == 200 && strcmp(answer->done.outputs[0].role, "video") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum plugin_verb verbs[] = {PLUGIN_VERB_START, PLUGIN_VERB_POLL, PLUGIN_VERB_REMOVE,
						 PLUGIN_VERB_ACCOUNT};
	static const int statuses[] = {200, 201, 204, 302, 400, 401, 402, 403, 404, 409, 413, 429, 500, 502, 503, 504};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	struct plugin_reply reply = {.retry_after_ms = -1};
	struct plugin_step step = {
		.account = open_account(),
		.phase = 1,
		.job = bytes_of_text("{\"model\":\"avatar\",\"parameters\":{\"avatar_id\":\"a\"}}"),
		.reply = &reply,
		.now_ms = INT64_C(1795000000000),
		.attempt = 1,
		.send = 1,
		.idempotency_key = "key",
		.has_bought = true,
	};

	if (size < 1)
		return -1;
	step.verb = verbs[data[0] & 3];
	step.remote_id = step.verb == PLUGIN_VERB_START ? NULL : "v_1";
	reply.status = statuses[data[0] >> 4];
	if (!take_input(data, size, &step, &reply))
		return -1;

	answer = plugin_step_run(&step);
	assert(answer);
	check(answer, step.verb, reply.status);
	return 0;
}
