/*
 * What anybody may POST to /v1/webhooks/heygen: headers up to the first empty line, then the body. With whatever they are
 * the verification comes back; and of what HeyGen signed, the plugin makes a hint or nothing, and never a fault.
 */
#include "fuzz.h"
#include "plugin_reply.h"

#include "base/digest.h"
#include "plugin/webhook.h"

#define SECRET "whsec_fuzz"
#define NOW_MS INT64_C(1795000000000)

struct call {
	char *text; /* headers, each "Name: value" and a NUL */
	size_t len;
	struct bytes body;
};

static const struct plugin_account *open_account(void)
{
	static struct plugin_account *account;
	static const struct plugin_secret secrets[] = {{"api_key", "k"}, {"webhook_secret", SECRET}};
	static const struct plugin_account_spec spec = {.id = "fuzz", .secrets = secrets, .n_secrets = 2};

	if (!account)
		account = open_account_of(open_plugin("heygen", HEYGEN_PLUGIN_DIR), &spec);
	return account;
}

static const char *find(void *userdata, const char *name)
{
	const struct call *call = userdata;
	size_t len = strlen(name);

	for (const char *at = call->text; at < call->text + call->len; at += strlen(at) + 1)
		if (strncasecmp(at, name, len) == 0 && strncmp(at + len, ": ", 2) == 0)
			return at + len + 2;
	return NULL;
}

/* Of the right call, which only the body is of. */
static const char *find_right(void *userdata, const char *name)
{
	static char signature[DIGEST_TEXT_SIZE];
	const struct call *call = userdata;
	struct digest mac = digest_hmac(bytes_of_text(SECRET), call->body);

	if (strcmp(name, "Heygen-Timestamp") == 0)
		return "1795000000";
	if (strcmp(name, "Heygen-Event-Id") == 0)
		return "e";
	digest_format(&mac, signature);
	return signature;
}

static void check_verdict(const struct call *call)
{
	struct plugin_webhook_call as_it_came = {
		.body = call->body, .header = find, .userdata = (void *)(uintptr_t)call};
	struct plugin_webhook_call right = {
		.body = call->body, .header = find_right, .userdata = (void *)(uintptr_t)call};
	const char *id, *said = find((void *)(uintptr_t)call, "Heygen-Signature");
	int r = plugin_webhook_verify(open_account(), &as_it_came, NOW_MS, &id);

	assert(r >= 0 && r <= PLUGIN_WEBHOOK_E_FORGED);
	/* One passes that says what the right one says, and none other. */
	if (r == 0)
		assert(said && strstr(said, find_right((void *)(uintptr_t)call, "Heygen-Signature")));
	assert(plugin_webhook_verify(open_account(), &right, NOW_MS, &id) == 0);
}

static void check_answer(const struct call *call)
{
	struct plugin_reply reply = {.body = call->body, .retry_after_ms = -1};
	struct plugin_step step = {
		.account = open_account(), .verb = PLUGIN_VERB_WEBHOOK, .reply = &reply, .now_ms = NOW_MS};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = plugin_step_run(&step);

	assert(answer);
	if (answer->kind == PLUGIN_ANSWER_FAULT)
		complain(answer->fault);
	assert(answer->kind == PLUGIN_ANSWER_HINT || answer->kind == PLUGIN_ANSWER_RESPOND);
	assert(answer->response.status == 204);
	assert((answer->kind == PLUGIN_ANSWER_HINT) == (*answer->response.remote_id != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memmem(data, size, "\n\n", 2);
	struct call call = {0};

	if (!end)
		return -1;
	call.len = (size_t)(end - data) + 1;
	call.text = bytes_dup_text(bytes_of(data, call.len));
	assert(call.text);
	for (size_t i = 0; i < call.len; i++)
		if (call.text[i] == '\n')
			call.text[i] = '\0';
	call.body = bytes_of(end + 2, size - (size_t)(end - data) - 2);
	check_verdict(&call);
	check_answer(&call);
	free(call.text);
	return 0;
}
