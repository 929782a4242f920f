#include "engine/fake_plugin.h"

#include "base/err.h"
#include "base/limits.h"

#include <stdio.h>

#define WORDS_SIZE 2048
#define OUTPUTS 4

/* An answer and all that it points to. */
struct plugin_answer_memory {
	char words[WORDS_SIZE]; /* taken apart in place */
	char url[512];
	char body[WORDS_SIZE];
	char key[128];
	struct plugin_header headers[2];
	struct plugin_remote remote;
	struct plugin_output outputs[OUTPUTS];
	struct plugin_piece pieces[4];
	char names[4][128];
	const char *uploads[1];
	struct plugin_note note;
	const char *place;
};

/* ---- plugins ---- */

static void take_manifest(struct plugin *plugin, const char *name, int window_s)
{
	struct buffer text = {0};
	struct errmsg error = {""};
	int r;

	buffer_printf(&text,
		      "{\"name\":\"%s\",\"title\":\"%s\",\"version\":\"1.0\",\"abi\":0,\"state_version\":1,"
		      "\"base_url\":\"https://%s.test\",",
		      name, name, name);
	if (window_s)
		buffer_printf(
			&text,
			"\"idempotency\":{\"window_s\":%d,\"scope\":\"route\"},\"remote_ids\":[\"p/*/o/*\",\"o/*\"],",
			window_s);
	buffer_append_text(&text, "\"catalogue\":{\"voices\":{\"title\":\"Voices\"},\"looks\":{\"title\":\"Looks\"}},");
	buffer_printf(&text, "\"models\":[{\"name\":\"clip\",\"parameters\":{\"prompt\":{\"required\":true},"
			     "\"seed\":{},\"negative_prompt\":{},\"duration_ms\":{\"max\":10000}},\"media\":[{"
			     "\"role\":\"first_frame\",\"kind\":\"image\",\"forms\":[\"url\",\"asset\"],"
			     "\"media_types\":[\"image/png\"],\"max_bytes\":100}],\"outputs\":[{\"role\":\"video\"}],"
			     "\"prices\":[{\"per_second_micros\":200000,\"currency\":\"EUR\","
			     "\"as_of\":\"2026-11-22\"}]}]}");
	r = plugin_manifest_parse(buffer_bytes(&text), &plugin->manifest, &error);
	if (r != 0) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	buffer_finish(&text);
}

void fake_plugin_init(struct plugin *plugin, const char *name, int window_s)
{
	*plugin = (struct plugin){.has_keys = window_s > 0, .salt = ""};
	take_manifest(plugin, name, window_s);
	plugin->base_url = plugin->manifest->base_url;
	plugin->manifest->webhook.is_declared = true;
	for (int verb = 0; verb < _PLUGIN_VERB_N; verb++)
		plugin->begin[verb] = verb == PLUGIN_VERB_START ? "buy" : verb == PLUGIN_VERB_UPLOAD ? "bring" : "read";
	plugin->begin[PLUGIN_VERB_CHECK] = "report text={}";
	plugin->cannot[PLUGIN_VERB_RECONCILE] = true;
}

void fake_plugin_finish(struct plugin *plugin)
{
	plugin_manifest_free(plugin->manifest);
}

const struct plugin_manifest *plugin_manifest(const struct plugin *plugin)
{
	return plugin->manifest;
}

bool plugin_can(const struct plugin *plugin, enum plugin_verb verb)
{
	return !plugin->cannot[verb];
}

static const char *verb_word(enum plugin_verb verb)
{
	static const char *const words[_PLUGIN_VERB_N] = {
		[PLUGIN_VERB_START] = "start",         [PLUGIN_VERB_POLL] = "poll",
		[PLUGIN_VERB_CANCEL] = "cancel",       [PLUGIN_VERB_REMOVE] = "remove",
		[PLUGIN_VERB_ACCOUNT] = "account",     [PLUGIN_VERB_UPLOAD] = "upload",
		[PLUGIN_VERB_RECONCILE] = "reconcile", [PLUGIN_VERB_CATALOGUE] = "catalogue",
		[PLUGIN_VERB_LIST] = "list",           [PLUGIN_VERB_SUBSCRIBE] = "subscribe",
	};

	return words[verb];
}

/* ---- words ---- */

/* Cuts the next word off; NULL when there is none. */
static char *next_word(char **at)
{
	char *word = *at;

	while (*word == ' ')
		word++;
	if (!*word)
		return NULL;
	*at = word + strcspn(word, " ");
	if (**at)
		*(*at)++ = '\0';
	return word;
}

static size_t index_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (words[i] && strcmp(words[i], word) == 0)
			return i;
	fprintf(stderr, "the fake plugin does not know the word '%s'\n", word);
	abort();
}

static enum plugin_reason reason_of(const char *word)
{
	static const char *const words[] = {
		"unknown",      "invalid_input",
		"moderated",    "no_credit",
		"auth",         "provider_fault",
		"lost",         "timeout",
		"artifact_bad", "cancelled",
		"quota",        NULL,
		NULL,           NULL,
		NULL,           NULL,
		NULL,           NULL,
		NULL,           NULL,
		"rate_limited", "concurrency",
		"unavailable",  "not_found",
		"in_progress",
	};

	return (enum plugin_reason)index_of(word, words, sizeof(words) / sizeof(words[0]));
}

static enum plugin_bought bought_of(const char *word)
{
	static const char *const words[] = {"house_rule", "none", "made", "unknown"};

	return (enum plugin_bought)index_of(word, words, 4);
}

static enum plugin_cancel achieved_of(const char *word)
{
	static const char *const words[] = {"unknown", "achieved", "too_late", "not_possible"};

	return (enum plugin_cancel)index_of(word, words, 4);
}

static void add_output(struct plugin_answer *answer, const char *role, const char *url)
{
	struct plugin_output *output = &answer->memory->outputs[answer->done.n_outputs++];

	*output = (struct plugin_output){.role = role};
	if (strncmp(url, "lift:", 5) == 0)
		output->lifted = url + 5;
	else
		output->url = output->shown_url = url;
	answer->done.outputs = answer->memory->outputs;
}

static void add_secret(struct plugin_answer *answer)
{
	answer->memory->headers[0] = (struct plugin_header){.name = "X-Api-Key", .value = "secret", .is_secret = true};
	for (size_t i = 0; i < answer->done.n_outputs; i++) {
		answer->memory->outputs[i].headers = answer->memory->headers;
		answer->memory->outputs[i].n_headers = 1;
	}
}

static void set_cost(struct plugin_answer *answer, const char *value, bool is_from_provider)
{
	answer->accepted.cost = answer->done.cost = (struct plugin_cost){
		.is_known = true,
		.amount_micros = strtoll(value, NULL, 10),
		.currency = "USD",
		.is_from_provider = is_from_provider,
	};
}

static void set_note(struct plugin_answer *answer, const char *value)
{
	answer->memory->note = (struct plugin_note){
		.severity = PLUGIN_NOTE_IGNORED, .pointer = "/parameters/prompt", .sentence = value};
	answer->notes = &answer->memory->note;
	answer->n_notes = 1;
}

static void set_lift(struct plugin_answer *answer, const char *place)
{
	answer->memory->place = place;
	answer->exchange.lift = &answer->memory->place;
	answer->exchange.n_lift = 1;
}

/* One "name=value" of any kind of answer. */
static void obey_pair(struct plugin_answer *answer, const char *name, const char *value)
{
	if (strcmp(name, "state") == 0)
		answer->state = value;
	else if (strcmp(name, "after") == 0)
		answer->wait.after_ms = answer->accepted.after_ms = answer->failure.retry_after_ms = strtoll(value,
													     NULL, 10);
	else if (strcmp(name, "permille") == 0)
		answer->wait.progress_permille = (int)strtol(value, NULL, 10);
	else if (strcmp(name, "status") == 0)
		answer->wait.status = answer->accepted.status = value;
	else if (strcmp(name, "id") == 0)
		answer->memory->remote.id = strcmp(value, "-") == 0 ? NULL : value;
	else if (strcmp(name, "reason") == 0)
		answer->failure.reason = reason_of(value);
	else if (strcmp(name, "bought") == 0)
		answer->failure.bought = bought_of(value);
	else if (strcmp(name, "code") == 0)
		answer->failure.code = value;
	else if (strcmp(name, "message") == 0)
		answer->failure.message = value;
	else if (strcmp(name, "field") == 0)
		answer->failure.field = value;
	else if (strcmp(name, "achieved") == 0)
		answer->cancelled.achieved = achieved_of(value);
	else if (strcmp(name, "cost") == 0 || strcmp(name, "computed") == 0)
		set_cost(answer, value, *name == 'c' && name[2] == 's');
	else if (strcmp(name, "note") == 0)
		set_note(answer, value);
	else if (strcmp(name, "text") == 0)
		answer->report = value;
	else if (strcmp(name, "lift") == 0)
		set_lift(answer, value);
	else
		add_output(answer, name, value);
}

static void obey_words(struct plugin_answer *answer, char *at)
{
	char *word, *equals;

	while ((word = next_word(&at))) {
		equals = strchr(word, '=');
		if (equals) {
			*equals = '\0';
			obey_pair(answer, word, equals + 1);
		} else if (strcmp(word, "secret") == 0) {
			add_secret(answer);
		} else {
			index_of(word, NULL, 0);
		}
	}
}

/* ---- answers ---- */

/* An account is its plugin here. */
static const struct plugin *plugin_of(const struct plugin_step *step)
{
	return (const struct plugin *)(const void *)step->account;
}

static void ask_for(struct plugin_answer *answer, const struct plugin_step *step, const char *method, const char *path)
{
	struct plugin_answer_memory *memory = answer->memory;

	snprintf(memory->url, sizeof(memory->url), "%s/%s", plugin_of(step)->base_url, path);
	answer->exchange = (struct plugin_exchange){
		.effect = PLUGIN_EFFECT_SAFE,
		.phase = step->phase + 1,
		.method = method,
		.url = memory->url,
		.shown_url = memory->url,
	};
}

static void buy(struct plugin_answer *answer, const struct plugin_step *step)
{
	struct plugin_answer_memory *memory = answer->memory;
	const struct plugin *plugin = plugin_of(step);
	struct plugin_exchange *exchange = &answer->exchange;

	ask_for(answer, step, "POST", "buy");
	snprintf(memory->body, sizeof(memory->body), "%.*s%s", (int)step->job.len, (const char *)step->job.data,
		 plugin->salt);
	exchange->body = bytes_of_text(memory->body);
	exchange->fingerprint = digest_of(exchange->body);
	exchange->effect = PLUGIN_EFFECT_BUYS;
	if (!plugin->has_keys)
		return;
	exchange->effect = PLUGIN_EFFECT_BUYS_WITH_KEY;
	snprintf(memory->key, sizeof(memory->key), "%s", step->idempotency_key ? step->idempotency_key : "");
	memory->headers[0] = (struct plugin_header){.name = "Idempotency-Key", .value = memory->key};
	exchange->headers = memory->headers;
	exchange->n_headers = 1;
}

/* The body goes on with the step's assets. */
static void add_pieces(struct plugin_answer *answer, const struct plugin_step *step, bool is_base64)
{
	struct plugin_answer_memory *memory = answer->memory;

	for (size_t i = 0; i < step->n_assets && i < 4; i++) {
		snprintf(memory->names[i], sizeof(memory->names[i]), "%s", step->assets[i].name);
		memory->pieces[i] = (struct plugin_piece){.asset = memory->names[i], .is_base64 = is_base64};
		answer->exchange.n_pieces = i + 1;
	}
	answer->exchange.pieces = memory->pieces;
}

static void name_assets(struct plugin_answer *answer, const struct plugin_step *step)
{
	struct plugin_answer_memory *memory = answer->memory;

	buy(answer, step);
	for (size_t i = 0; i < step->n_assets; i++) {
		const struct plugin_asset *asset = &step->assets[i];
		size_t len = strlen(memory->body);

		if (!asset->handle) {
			snprintf(memory->names[0], sizeof(memory->names[0]), "%s", asset->name);
			memory->uploads[0] = memory->names[0];
			answer->kind = PLUGIN_ANSWER_UPLOAD;
			answer->uploads = memory->uploads;
			answer->n_uploads = 1;
			return;
		}
		snprintf(memory->body + len, sizeof(memory->body) - len, " handle=%s", asset->handle);
	}
	answer->exchange.body = bytes_of_text(memory->body);
	answer->exchange.fingerprint = digest_of(answer->exchange.body);
}

static const char *const kinds[] = {
	[PLUGIN_ANSWER_FAULT] = "fault",         [PLUGIN_ANSWER_WAIT] = "wait",
	[PLUGIN_ANSWER_ACCEPTED] = "accepted",   [PLUGIN_ANSWER_DONE] = "done",
	[PLUGIN_ANSWER_FAILED] = "failed",       [PLUGIN_ANSWER_TROUBLE] = "trouble",
	[PLUGIN_ANSWER_CANCELLED] = "cancelled", [PLUGIN_ANSWER_REPORT] = "report",
	[PLUGIN_ANSWER_ABSENT] = "absent",       [PLUGIN_ANSWER_UNKNOWN] = "unknown",
	[PLUGIN_ANSWER_RESPOND] = "respond",     [PLUGIN_ANSWER_HINT] = "hint",
};

const char *plugin_answer_name(enum plugin_answer_kind kind)
{
	return kind == PLUGIN_ANSWER_EXCHANGE ? "exchange" : kinds[kind];
}

static void fill_answer(struct plugin_answer *answer, const struct plugin_step *step, const char *kind)
{
	answer->kind = PLUGIN_ANSWER_EXCHANGE;
	if (strcmp(kind, "buy") == 0)
		buy(answer, step);
	else if (strcmp(kind, "read") == 0)
		ask_for(answer, step, "GET", verb_word(step->verb));
	else if (strcmp(kind, "carry") == 0) {
		buy(answer, step);
		add_pieces(answer, step, true);
	} else if (strcmp(kind, "name") == 0) {
		name_assets(answer, step);
	} else if (strcmp(kind, "bring") == 0) {
		ask_for(answer, step, "PUT", verb_word(step->verb));
		add_pieces(answer, step, false);
	} else
		answer->kind = (enum plugin_answer_kind)index_of(kind, kinds, sizeof(kinds) / sizeof(kinds[0]));
	if (answer->kind == PLUGIN_ANSWER_FAULT)
		answer->fault = "the fake plugin was told to fail";
}

static struct plugin_answer *answer_new(void)
{
	struct plugin_answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		abort();
	answer->memory = calloc(1, sizeof(*answer->memory));
	if (!answer->memory)
		abort();
	answer->wait = (struct plugin_wait){.progress_permille = -1, .queue_position = -1, .status = ""};
	answer->accepted.status = "";
	answer->failure = (struct plugin_failure){.code = "", .message = "", .request_id = "", .field = ""};
	answer->cancelled.message = "";
	answer->memory->remote = (struct plugin_remote){.kind = "video", .language = ""};
	return answer;
}

/* The words of a reply, which may be JSON around them. */
static struct bytes words_in(struct bytes body)
{
	static const char name[] = "\"words\":\"";
	const char *begin = body.len ? memmem(body.data, body.len, name, sizeof(name) - 1) : NULL;

	if (!begin)
		return body;
	begin += sizeof(name) - 1;
	return bytes_of(begin, strcspn(begin, "\""));
}

/* As the real host checks it. */
static void check_lifted(const struct plugin_answer *answer, const struct plugin_step *step)
{
	size_t n = step->reply ? step->reply->n_lifted : 0;

	for (size_t i = 0; i < answer->done.n_outputs; i++) {
		const char *lifted = answer->done.outputs[i].lifted;
		size_t k = 0;

		while (lifted && k < n && strcmp(step->reply->lifted[k], lifted) != 0)
			k++;
		if (lifted && k == n)
			abort();
	}
}

static struct plugin_answer *answer_of(const struct plugin_step *step)
{
	struct plugin_answer *answer = answer_new();
	struct plugin_answer_memory *memory = answer->memory;
	struct bytes words = step->reply ? words_in(step->reply->body)
					 : bytes_of_text(plugin_of(step)->begin[step->verb]);
	char *at = memory->words, *kind;

	snprintf(memory->words, sizeof(memory->words), "%.*s", (int)words.len, (const char *)words.data);
	kind = next_word(&at);
	if (step->reply && step->reply->retry_after_ms > 0)
		answer->failure.retry_after_ms = step->reply->retry_after_ms;
	fill_answer(answer, step, kind ? kind : "fault");
	obey_words(answer, at);
	check_lifted(answer, step);
	answer->response = (struct plugin_response){.status = 204, .remote_id = memory->remote.id};
	if (memory->remote.id) {
		answer->accepted.remotes = answer->done.remotes = &memory->remote;
		answer->accepted.n_remotes = answer->done.n_remotes = 1;
	}
	return answer;
}

struct plugin_answer *plugin_answer_free(struct plugin_answer *answer)
{
	if (answer)
		free(answer->memory);
	free(answer);
	return NULL;
}

struct plugin_answer *plugin_answer_copy_failure(const struct plugin_answer *answer)
{
	struct plugin_answer *copy = answer_new();

	copy->kind = answer->kind;
	snprintf(copy->memory->words, sizeof(copy->memory->words), "%s",
		 answer->fault ? answer->fault : answer->failure.message);
	copy->fault = answer->fault ? copy->memory->words : NULL;
	copy->failure = answer->failure;
	copy->failure.message = copy->memory->words;
	copy->failure.code = "";
	return copy;
}

struct plugin_answer *plugin_answer_trouble(enum plugin_reason reason, const char *message)
{
	struct plugin_answer *answer = answer_new();

	snprintf(answer->memory->words, sizeof(answer->memory->words), "%s", message);
	answer->kind = PLUGIN_ANSWER_TROUBLE;
	answer->failure.reason = reason;
	answer->failure.bought = PLUGIN_BOUGHT_NONE;
	answer->failure.message = answer->memory->words;
	return answer;
}

/* ---- tokens: good for an hour ---- */

static struct plugin *minter(const struct plugin_account *account)
{
	return (struct plugin *)(uintptr_t)account;
}

bool plugin_mint_is_needed(const struct plugin_account *account)
{
	return minter(account)->mints;
}

bool plugin_mint_is_fresh(const struct plugin_account *account, int64_t now_ms)
{
	return now_ms < minter(account)->token_until_ms;
}

int plugin_mint_ask(const struct plugin_account *account, int64_t now_ms, struct plugin_mint_request *ret)
{
	(void)account;
	(void)now_ms;
	*ret = (struct plugin_mint_request){.url = "https://tokens.test/"};
	return buffer_append_text(&ret->body, "assertion");
}

void plugin_mint_request_finish(struct plugin_mint_request *request)
{
	buffer_finish(&request->body);
}

int plugin_mint_take(const struct plugin_account *account, int status, struct bytes body, int64_t now_ms,
		     struct errmsg *why)
{
	(void)body;
	if (status == 200) {
		minter(account)->token_until_ms = now_ms + 3600000;
		return 0;
	}
	errmsg_set(why, "no token: %d", status);
	return status == 400 ? PLUGIN_MINT_E_REFUSED : PLUGIN_MINT_E_UNAVAILABLE;
}

void plugin_mint_drop(const struct plugin_account *account)
{
	minter(account)->token_until_ms = 0;
}

/* ---- webhooks: the signature is the secret ---- */

int plugin_webhook_verify_with(const struct plugin *plugin, const char *secret, const struct plugin_webhook_call *call,
			       int64_t now_ms, const char **ret_id)
{
	const char *signature = call->header(call->userdata, "signature");

	(void)plugin;
	(void)now_ms;
	*ret_id = NULL;
	if (!secret)
		return PLUGIN_WEBHOOK_E_SECRET;
	if (!signature)
		return PLUGIN_WEBHOOK_E_UNSIGNED;
	if (strcmp(signature, "old") == 0)
		return PLUGIN_WEBHOOK_E_STALE;
	return strcmp(signature, secret) == 0 ? 0 : PLUGIN_WEBHOOK_E_FORGED;
}

int plugin_webhook_verify(const struct plugin_account *account, const struct plugin_webhook_call *call, int64_t now_ms,
			  const char **ret_id)
{
	const struct plugin *plugin = minter(account);

	return plugin_webhook_verify_with(plugin, plugin->webhook_secret, call, now_ms, ret_id);
}

bool plugin_webhook_is_configured(const struct plugin_account *account)
{
	return minter(account)->webhook_secret != NULL;
}

/* "…secret=WORD": that is cut off. */
int plugin_webhook_capture(const struct plugin_manifest *manifest, struct buffer *body, char **ret_secret)
{
	char *at = body->data ? strstr(body->data, " secret=") : NULL;

	(void)manifest;
	*ret_secret = at ? strdup(at + strlen(" secret=")) : NULL;
	if (!at)
		return 0;
	body->len = (size_t)(at - body->data);
	body->data[body->len] = '\0';
	return 0;
}

/* ---- the runner ---- */

void fake_runner_init(struct plugin_runner *runner)
{
	*runner = (struct plugin_runner){.mutex = PTHREAD_MUTEX_INITIALIZER};
}

void fake_runner_finish(struct plugin_runner *runner)
{
	while (runner->asked) {
		struct asked *next = runner->asked->next;

		free(runner->asked->key);
		free(runner->asked->state);
		free(runner->asked->remote_id);
		free(runner->asked->reply);
		free(runner->asked->facts);
		free(runner->asked->job);
		free(runner->asked);
		runner->asked = next;
	}
	pthread_mutex_destroy(&runner->mutex);
}

static void note(struct plugin_runner *runner, const struct plugin_step *step)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (!asked)
		abort();
	asked->verb = step->verb;
	asked->phase = step->phase;
	asked->key = step->idempotency_key ? strdup(step->idempotency_key) : NULL;
	asked->state = step->state.len ? bytes_dup_text(step->state) : NULL;
	asked->remote_id = step->remote_id ? strdup(step->remote_id) : NULL;
	asked->reply_status = step->reply ? step->reply->status : 0;
	asked->reply = step->reply ? bytes_dup_text(step->reply->body) : NULL;
	asked->has_bought = step->has_bought;
	asked->facts = step->facts.len ? bytes_dup_text(step->facts) : NULL;
	asked->job = step->job.len ? bytes_dup_text(step->job) : NULL;
	for (size_t i = 0; i < step->n_assets; i++)
		snprintf(asked->assets + strlen(asked->assets), sizeof(asked->assets) - strlen(asked->assets),
			 "%s %s\n", step->assets[i].media_type, step->assets[i].name);
	if (step->verb == PLUGIN_VERB_SUBSCRIBE)
		snprintf(asked->catalogue, sizeof(asked->catalogue), "%s/%s/%s", step->subscription_action,
			 step->subscription_url ? step->subscription_url : "",
			 step->subscription_id ? step->subscription_id : "");
	else if (step->verb == PLUGIN_VERB_LIST)
		snprintf(asked->catalogue, sizeof(asked->catalogue), "list/%s", step->list_next ? step->list_next : "");
	else
		snprintf(asked->catalogue, sizeof(asked->catalogue), "%s/%s",
			 step->catalogue_kind ? step->catalogue_kind : "",
			 step->catalogue_next ? step->catalogue_next : "");
	if (runner->last)
		runner->last->next = asked;
	else
		runner->asked = asked;
	runner->last = asked;
	runner->n_asked++;
}

/* True: it waits. */
static bool hold_step(struct plugin_runner *runner, struct plugin_step *step)
{
	bool is_held;

	pthread_mutex_lock(&runner->mutex);
	note(runner, step);
	is_held = runner->is_held;
	if (is_held) {
		step->next = runner->held;
		runner->held = step;
		runner->n_held++;
	}
	pthread_mutex_unlock(&runner->mutex);
	return is_held;
}

void plugin_runner_post(struct plugin_runner *runner, struct plugin_step *step)
{
	if (runner->on_step)
		runner->on_step(runner->userdata, step);
	if (!hold_step(runner, step))
		step->fn(step, answer_of(step));
}

void fake_runner_hold(struct plugin_runner *runner)
{
	pthread_mutex_lock(&runner->mutex);
	runner->is_held = true;
	pthread_mutex_unlock(&runner->mutex);
}

void fake_runner_pass(struct plugin_runner *runner)
{
	struct plugin_step *step;

	pthread_mutex_lock(&runner->mutex);
	step = runner->held;
	if (!step)
		abort();
	runner->held = step->next;
	runner->n_held--;
	pthread_mutex_unlock(&runner->mutex);
	step->fn(step, answer_of(step));
}

void fake_runner_release(struct plugin_runner *runner)
{
	struct plugin_step *step;

	pthread_mutex_lock(&runner->mutex);
	step = runner->held;
	runner->held = NULL;
	runner->n_held = 0;
	runner->is_held = false;
	pthread_mutex_unlock(&runner->mutex);
	while (step) {
		struct plugin_step *next = step->next;

		step->fn(step, answer_of(step));
		step = next;
	}
}

const struct asked *last_asked(struct plugin_runner *runner, enum plugin_verb verb)
{
	const struct asked *found = NULL;

	pthread_mutex_lock(&runner->mutex);
	for (const struct asked *asked = runner->asked; asked; asked = asked->next)
		if (asked->verb == verb)
			found = asked;
	pthread_mutex_unlock(&runner->mutex);
	return found;
}

size_t times_asked(struct plugin_runner *runner, enum plugin_verb verb)
{
	size_t n = 0;

	pthread_mutex_lock(&runner->mutex);
	for (const struct asked *asked = runner->asked; asked; asked = asked->next)
		n += asked->verb == verb;
	pthread_mutex_unlock(&runner->mutex);
	return n;
}
