#include "plugin/recording.h"

#include "base/limits.h"
#include "plugin/step_inside.h"

#include <assert.h>

/* What is not written is what a replay does not need: `observer`, `fn` and `next`. */
#if __SIZEOF_POINTER__ == 8
static_assert(sizeof(struct plugin_step) == 256 && sizeof(struct plugin_reply) == 72 &&
		      sizeof(struct plugin_asset) == 40,
	      "a step has a new member: write it and read it here, or a replay lacks it; then mend this number");
#endif

struct plugin_recording {
	struct json *json;
	json_node root;
	struct plugin_step step;
	struct plugin_reply reply;
	struct plugin_header *headers;
	struct plugin_account_spec account;
	struct plugin_secret *secrets;
	const char **origins, **lifted;
	struct plugin_asset *assets;
	struct buffer *asset_headers;
	struct buffer job, facts, state, body, options, answer;
};

/* ---- writing ---- */

static void put_text(struct json *json, json_node out, const char *pointer, const char *text)
{
	if (text)
		json_put(json, out, pointer, json_make_text(json, bytes_of_text(text)));
}

static void put_number(struct json *json, json_node out, const char *pointer, int64_t value)
{
	json_put(json, out, pointer, json_make_integer(json, value));
}

static void describe_account(struct json *json, json_node out, const struct plugin_account *account)
{
	json_node origins = json_array(json), secrets = json_array(json);

	put_text(json, out, "/plugin/name", plugin_name(account->plugin));
	put_text(json, out, "/plugin/version", account->plugin->manifest->version);
	put_text(json, out, "/account/id", account->id);
	put_text(json, out, "/account/base_url", account->base_url);
	for (size_t i = 0; i < account->origins.n; i++)
		json_append(json, origins, json_make_text(json, bytes_of_text(account->origins.list[i])));
	for (size_t i = 0; i < account->n_secrets; i++)
		json_append(json, secrets, json_make_text(json, bytes_of_text(account->secrets[i].name)));
	json_put(json, out, "/account/origins", origins);
	json_put(json, out, "/account/secrets", secrets);
	json_put(json, out, "/account/options",
		 json_copy(json, account->json, json_at(account->json, account->document, "/options")));
}

static void describe_step(struct json *json, json_node out, const struct plugin_step *step)
{
	char hex[2 * PLUGIN_RANDOM_SIZE + 1];

	for (size_t i = 0; i < PLUGIN_RANDOM_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", step->random[i]);
	put_text(json, out, "/step/verb", plugin_verb_name(step->verb));
	put_number(json, out, "/step/phase", step->phase);
	put_number(json, out, "/step/now_ms", step->now_ms);
	put_text(json, out, "/step/random", hex);
	put_number(json, out, "/step/attempt", step->attempt);
	put_number(json, out, "/step/send", step->send);
	put_text(json, out, "/step/idempotency_key", step->idempotency_key);
	put_text(json, out, "/step/remote_id", step->remote_id);
	put_text(json, out, "/step/remote_kind", step->remote_kind);
	put_text(json, out, "/step/catalogue_kind", step->catalogue_kind);
	put_text(json, out, "/step/catalogue_next", step->catalogue_next);
	put_text(json, out, "/step/list_next", step->list_next);
	put_text(json, out, "/step/subscription_action", step->subscription_action);
	put_text(json, out, "/step/subscription_url", step->subscription_url);
	put_text(json, out, "/step/subscription_id", step->subscription_id);
	put_number(json, out, "/step/polls", step->polls);
	put_number(json, out, "/step/accepted_at_ms", step->accepted_at_ms);
	json_put(json, out, "/step/has_bought", json_make_boolean(json, step->has_bought));
}

static json_node words_of(struct json *json, struct bytes text)
{
	struct plugin_answer *answer = plugin_answer_new();
	json_node node = JSON_ABSENT;

	if (answer)
		node = json_make_text(json, bytes_of_text(plugin_answer_words(answer, text, LIMIT_PLUGIN_BODY_TEXT)));
	plugin_answer_free(answer);
	return node;
}

/* A header is written down as far as it is text, as a plugin sees it. */
static json_node headers_of(struct json *json, const struct plugin_reply *reply)
{
	json_node list = json_array(json);

	for (size_t i = 0; i < reply->n_headers; i++) {
		json_node header = json_object(json);
		bool is_secret = plugin_redact_is_secret_name(bytes_of_text(reply->headers[i].name));

		json_put(json, header, "/name", words_of(json, bytes_of_text(reply->headers[i].name)));
		json_put(json, header, "/value",
			 words_of(json, bytes_of_text(is_secret ? PLUGIN_REDACTED : reply->headers[i].value)));
		json_append(json, list, header);
	}
	return list;
}

/* The body as the plugin gets it: a value, or the beginning of a text. */
static void describe_reply(struct json *json, json_node out, const struct plugin_reply *reply)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct bytes body = reply->body;
	json_node value = JSON_ABSENT;

	put_number(json, out, "/reply/status", reply->status);
	put_number(json, out, "/reply/elapsed_ms", reply->elapsed_ms);
	put_number(json, out, "/reply/retry_after_ms", reply->retry_after_ms);
	json_put(json, out, "/reply/headers", headers_of(json, reply));
	if (reply->n_lifted)
		json_put(json, out, "/reply/lifted", json_array(json));
	for (size_t i = 0; i < reply->n_lifted; i++)
		json_append(json, json_at(json, out, "/reply/lifted"),
			    json_make_text(json, bytes_of_text(reply->lifted[i])));
	if (body.len >= 3 && memcmp(body.data, bom, 3) == 0)
		body = bytes_of((const char *)body.data + 3, body.len - 3);
	if (body.len == 0)
		return;
	if (json_parse(json, body, JSON_DUPLICATES_LAST_WINS, &value, NULL) == 0)
		json_put(json, out, "/reply/json", value);
	else
		json_put(json, out, "/reply/text", words_of(json, reply->body));
}

/* A document that the daemon wrote; what it could not have read is left out, as the step was answered without it. */
static void put_document(struct json *json, json_node out, const char *pointer, struct bytes text)
{
	json_node value = JSON_ABSENT;

	if (text.len && json_parse(json, text, JSON_DUPLICATES_LAST_WINS, &value, NULL) == 0)
		json_put(json, out, pointer, value);
}

/* Never their content: a name is its digest. */
static void describe_assets(struct json *json, json_node out, const struct plugin_step *step)
{
	json_node list = json_array(json);

	for (size_t i = 0; i < step->n_assets; i++) {
		const struct plugin_asset *asset = &step->assets[i];
		json_node row = json_object(json);

		put_text(json, row, "/name", asset->name);
		put_text(json, row, "/media_type", asset->media_type);
		put_number(json, row, "/size_bytes", (int64_t)asset->size_bytes);
		put_text(json, row, "/handle", asset->handle);
		if (asset->headers)
			put_document(json, row, "/headers", bytes_of_text(asset->headers));
		json_append(json, list, row);
	}
	if (step->n_assets)
		json_put(json, out, "/assets", list);
}

/* ---- what a provider calls files ---- */

static bool ends_with(struct bytes name, const char *end)
{
	size_t len = strlen(end);

	return name.len >= len && strncasecmp((const char *)name.data + name.len - len, end, len) == 0;
}

/* How long or of which kind a message is does not identify anything. */
static bool is_framing(struct bytes name)
{
	return ends_with(name, "content-type") || ends_with(name, "content-length") || ends_with(name, "host");
}

static int add_headers(struct plugin_redactor *redactor, const struct json *json, json_node headers)
{
	int r = 0;

	for (json_node n = json_first(json, headers); r == 0 && n; n = json_next(json, n))
		if (!is_framing(json_key(json, n)))
			r = plugin_redactor_add(redactor, json_text(json, n));
	return r;
}

/*
 * While a file is brought there, its handle is found in replies and states before anybody knows that it is one; so what
 * is named like one is taken for one. The depth of @json is bounded by its arena.
 */
static int add_named(struct plugin_redactor *redactor, const struct json *json, json_node node)
{
	bool is_object = json_kind(json, node) == JSON_KIND_OBJECT;
	int r = 0;

	for (json_node n = json_first(json, node); r == 0 && n; n = json_next(json, n)) {
		struct bytes name = is_object ? json_key(json, n) : bytes_of(NULL, 0);

		if (is_object && ends_with(name, "headers") && json_kind(json, n) == JSON_KIND_OBJECT)
			r = add_headers(redactor, json, n);
		else if (is_object && (ends_with(name, "id") || ends_with(name, "uri") || ends_with(name, "handle")))
			r = plugin_redactor_add(redactor, json_text(json, n));
		if (r == 0)
			r = add_named(redactor, json, n);
	}
	return r;
}

/* @root has the documents of the step. */
static int add_handles(struct plugin_redactor *redactor, const struct plugin_step *step, const struct json *json,
		       json_node root)
{
	static const char *const places[] = {"/reply/json", "/state", "/answer"};
	json_node list = json_at(json, root, "/assets");
	int r = 0;

	for (json_node n = json_first(json, list); r == 0 && n; n = json_next(json, n)) {
		r = plugin_redactor_add(redactor, json_text(json, json_at(json, n, "/handle")));
		if (r == 0)
			r = add_headers(redactor, json, json_at(json, n, "/headers"));
	}
	for (size_t i = 0; r == 0 && step->verb == PLUGIN_VERB_UPLOAD && i < sizeof(places) / sizeof(places[0]); i++)
		r = add_named(redactor, json, json_at(json, root, places[i]));
	return r;
}

/* The handles alone, which later steps are searched for; an upload's reply names much else. */
static int learn(struct plugin_redactor *known, const struct plugin_step *step, const struct json *json, json_node root)
{
	json_node list = json_at(json, root, "/assets"), report = json_at(json, root, "/answer/report");
	int r = 0;

	for (json_node n = json_first(json, list); r == 0 && n; n = json_next(json, n)) {
		r = plugin_redactor_add(known, json_text(json, json_at(json, n, "/handle")));
		if (r == 0)
			r = add_headers(known, json, json_at(json, n, "/headers"));
	}
	if (r == 0 && step->verb == PLUGIN_VERB_UPLOAD) {
		r = plugin_redactor_add(known, json_text(json, json_at(json, report, "/handle")));
		if (r == 0)
			r = add_headers(known, json, json_at(json, report, "/headers"));
	}
	plugin_redactor_forget(known, LIMIT_REDACT_KNOWN);
	return r;
}

/* Everything at once, so that nothing is forgotten; of what comes out, what @pointer names is written. */
static int write_redacted(const struct plugin_step *step, const struct plugin_redactor *known, const struct json *json,
			  json_node root, const char *pointer, struct buffer *out)
{
	_cleanup_(plugin_redactor_freep) struct plugin_redactor *redactor = plugin_redactor_new(step->account);
	_cleanup_(json_freep) struct json *clean = json_new(NULL);
	json_node copy = JSON_ABSENT;
	int r;

	if (!redactor || !clean)
		return err_origin(-ENOMEM);
	r = add_handles(redactor, step, json, root);
	if (r == 0 && known)
		r = plugin_redactor_join(redactor, known);
	if (r == 0)
		r = plugin_redact_json(redactor, json, root, clean, &copy);
	if (r == 0)
		r = json_fault(json) ? json_fault(json) : json_fault(clean);
	if (r == 0)
		r = json_write(clean, json_at(clean, copy, pointer), JSON_FORM_PLAIN, out);
	return r > 0 ? err_origin(-EMSGSIZE) : r;
}

/* @answer NULL: all but the answer; @pointer as above. */
static int write_step(const struct plugin_step *step, const struct plugin_answer *answer, struct plugin_redactor *known,
		      const char *pointer, struct buffer *out)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root, described;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	root = json_object(json);
	put_number(json, root, "/format", PLUGIN_RECORDING_FORMAT);
	describe_account(json, root, step->account);
	describe_step(json, root, step);
	put_document(json, root, "/facts", step->facts);
	put_document(json, root, "/job", step->job);
	put_document(json, root, "/state", step->state);
	describe_assets(json, root, step);
	if (step->reply)
		describe_reply(json, root, step->reply);
	if (answer) {
		described = plugin_answer_json(json, answer);
		if (!described)
			return err_origin(-ENOMEM);
		json_put(json, root, "/answer", described);
	}
	r = known ? learn(known, step, json, root) : 0;
	return r < 0 ? r : write_redacted(step, known, json, root, pointer, out);
}

int plugin_recording_write(const struct plugin_step *step, const struct plugin_answer *answer,
			   struct plugin_redactor *known, struct buffer *out)
{
	return write_step(step, answer, known, "", out);
}

int plugin_recording_write_answer(const struct plugin_step *step, const struct plugin_answer *answer,
				  struct buffer *out)
{
	return write_step(step, answer, NULL, "/answer", out);
}

/* ---- reading ---- */

static json_node at(const struct plugin_recording *recording, const char *pointer)
{
	return json_at(recording->json, recording->root, pointer);
}

/* NULL when it is not said. */
static const char *text_at(const struct plugin_recording *recording, const char *pointer)
{
	return at(recording, pointer) ? json_string(recording->json, at(recording, pointer)) : NULL;
}

static int64_t number_at(const struct plugin_recording *recording, const char *pointer, int64_t least, int64_t most)
{
	int64_t value = json_integer(recording->json, at(recording, pointer), 0);

	return value < least ? least : value > most ? most : value;
}

static int refuse(struct errmsg *error, const char *where, const char *what)
{
	errmsg_set(error, "%s: %s", where, what);
	return PLUGIN_RECORDING_E_INVALID;
}

static int read_verb(struct plugin_recording *recording, struct errmsg *error)
{
	for (enum plugin_verb verb = 0; verb < _PLUGIN_VERB_N; verb++) {
		if (!json_text_is(recording->json, at(recording, "/step/verb"), plugin_verb_name(verb)))
			continue;
		recording->step.verb = verb;
		return 0;
	}
	return refuse(error, "/step/verb", "is no verb of this daemon");
}

static int read_random(struct plugin_recording *recording, struct errmsg *error)
{
	struct bytes hex = json_text(recording->json, at(recording, "/step/random"));
	const char *p = hex.data;

	if (hex.len != sizeof(recording->step.random) * 2)
		return refuse(error, "/step/random", "is not 64 hexadecimal digits");
	for (size_t i = 0; i < sizeof(recording->step.random); i++) {
		int high = bytes_hex_value(p[2 * i]), low = bytes_hex_value(p[2 * i + 1]);

		if (high < 0 || low < 0)
			return refuse(error, "/step/random", "is not 64 hexadecimal digits");
		recording->step.random[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int read_step(struct plugin_recording *recording, struct errmsg *error)
{
	struct plugin_step *step = &recording->step;
	int r = read_verb(recording, error);

	step->phase = (uint32_t)number_at(recording, "/step/phase", 0, UINT32_MAX);
	step->now_ms = number_at(recording, "/step/now_ms", 0, INT64_MAX);
	step->attempt = (uint32_t)number_at(recording, "/step/attempt", 0, UINT32_MAX);
	step->send = (uint32_t)number_at(recording, "/step/send", 0, UINT32_MAX);
	step->idempotency_key = text_at(recording, "/step/idempotency_key");
	step->remote_id = text_at(recording, "/step/remote_id");
	step->remote_kind = text_at(recording, "/step/remote_kind");
	step->catalogue_kind = text_at(recording, "/step/catalogue_kind");
	step->catalogue_next = text_at(recording, "/step/catalogue_next");
	step->list_next = text_at(recording, "/step/list_next");
	step->subscription_action = text_at(recording, "/step/subscription_action");
	step->subscription_url = text_at(recording, "/step/subscription_url");
	step->subscription_id = text_at(recording, "/step/subscription_id");
	step->polls = (uint32_t)number_at(recording, "/step/polls", 0, UINT32_MAX);
	step->accepted_at_ms = number_at(recording, "/step/accepted_at_ms", 0, INT64_MAX);
	step->has_bought = json_boolean(recording->json, at(recording, "/step/has_bought"), false);
	return r ? r : read_random(recording, error);
}

/* Texts of an array; NULL, and out of memory, is told from an empty one by the list's own end. */
static int read_texts(const struct plugin_recording *recording, const char *pointer, const char ***ret, size_t *ret_n)
{
	json_node list = at(recording, pointer);

	*ret = calloc(json_count(recording->json, list) + 1, sizeof(**ret));
	if (!*ret)
		return err_origin(-ENOMEM);
	for (json_node n = json_first(recording->json, list); n; n = json_next(recording->json, n))
		(*ret)[(*ret_n)++] = json_string(recording->json, n);
	return 0;
}

static int read_account(struct plugin_recording *recording)
{
	struct plugin_account_spec *spec = &recording->account;
	_cleanup_(freep) const char **names = NULL;
	int r;

	spec->id = text_at(recording, "/account/id");
	if (!spec->id)
		spec->id = "recorded";
	spec->base_url = text_at(recording, "/account/base_url");
	spec->is_replay = true;
	r = read_texts(recording, "/account/origins", &recording->origins, &spec->n_origins);
	if (r == 0)
		r = read_texts(recording, "/account/secrets", &names, &spec->n_secrets);
	if (r)
		return r;
	recording->secrets = calloc(spec->n_secrets + 1, sizeof(*recording->secrets));
	if (!recording->secrets)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < spec->n_secrets; i++)
		recording->secrets[i] = (struct plugin_secret){.name = names[i], .value = PLUGIN_REDACTED};
	spec->origins = recording->origins;
	spec->secrets = recording->secrets;
	r = at(recording, "/account/options") ? json_write(recording->json, at(recording, "/account/options"),
							   JSON_FORM_PLAIN, &recording->options)
					      : 0;
	spec->options = buffer_bytes(&recording->options);
	return r;
}

static int read_reply(struct plugin_recording *recording)
{
	struct plugin_reply *reply = &recording->reply;
	json_node list = at(recording, "/reply/headers"), json = at(recording, "/reply/json");

	if (!at(recording, "/reply"))
		return 0;
	recording->headers = calloc(json_count(recording->json, list) + 1, sizeof(*recording->headers));
	if (!recording->headers)
		return err_origin(-ENOMEM);
	for (json_node n = json_first(recording->json, list); n; n = json_next(recording->json, n))
		recording->headers[reply->n_headers++] = (struct plugin_header){
			.name = json_string(recording->json, json_at(recording->json, n, "/name")),
			.value = json_string(recording->json, json_at(recording->json, n, "/value")),
		};
	if (read_texts(recording, "/reply/lifted", &recording->lifted, &reply->n_lifted))
		return err_origin(-ENOMEM);
	reply->lifted = recording->lifted;
	reply->headers = recording->headers;
	reply->status = (int)number_at(recording, "/reply/status", 0, 999);
	reply->elapsed_ms = number_at(recording, "/reply/elapsed_ms", 0, INT64_MAX);
	reply->retry_after_ms = number_at(recording, "/reply/retry_after_ms", -1, INT64_MAX);
	reply->body = json_text(recording->json, at(recording, "/reply/text"));
	recording->step.reply = reply;
	if (!json)
		return 0;
	if (json_write(recording->json, json, JSON_FORM_PLAIN, &recording->body) != 0)
		return err_origin(-ENOMEM);
	reply->body = buffer_bytes(&recording->body);
	return 0;
}

static int read_asset(struct plugin_recording *recording, json_node row, size_t i, struct errmsg *error)
{
	const struct json *json = recording->json;
	json_node handle = json_at(json, row, "/handle"), headers = json_at(json, row, "/headers");
	const char *name = json_string(json, json_at(json, row, "/name"));
	int64_t size = json_integer(json, json_at(json, row, "/size_bytes"), -1);
	int r = 0;

	if (strncmp(name, PLUGIN_ASSET_PREFIX, strlen(PLUGIN_ASSET_PREFIX)) != 0 || size < 0)
		return refuse(error, "/assets",
			      "has one that is not called " PLUGIN_ASSET_PREFIX "…, or without a size");
	if (headers)
		r = json_write(json, headers, JSON_FORM_PLAIN, &recording->asset_headers[i]);
	recording->assets[i] = (struct plugin_asset){
		.name = name,
		.media_type = json_string(json, json_at(json, row, "/media_type")),
		.size_bytes = (uint64_t)size,
		.handle = handle ? json_string(json, handle) : NULL,
		.headers = recording->asset_headers[i].data,
	};
	return r;
}

static int read_assets(struct plugin_recording *recording, struct errmsg *error)
{
	json_node list = at(recording, "/assets");
	size_t n = json_count(recording->json, list), i = 0;
	int r = 0;

	if (n == 0)
		return 0;
	if (n > STEP_UPLOADS)
		return refuse(error, "/assets", "are more than a step can have");
	recording->assets = calloc(n, sizeof(*recording->assets));
	recording->asset_headers = calloc(n, sizeof(*recording->asset_headers));
	if (!recording->assets || !recording->asset_headers)
		return err_origin(-ENOMEM);
	recording->step.assets = recording->assets;
	recording->step.n_assets = n;
	for (json_node row = json_first(recording->json, list); r == 0 && row; row = json_next(recording->json, row))
		r = read_asset(recording, row, i++, error);
	return r;
}

static int read_document(const struct plugin_recording *recording, const char *pointer, struct buffer *out,
			 struct bytes *ret)
{
	int r = at(recording, pointer) ? json_write(recording->json, at(recording, pointer), JSON_FORM_PLAIN, out) : 0;

	*ret = buffer_bytes(out);
	return r;
}

static int check_format(const struct plugin_recording *recording, struct errmsg *error)
{
	if (json_kind(recording->json, recording->root) != JSON_KIND_OBJECT || !at(recording, "/format"))
		return refuse(error, "/format", "is missing: no recording of a step");
	if (json_integer(recording->json, at(recording, "/format"), -1) != PLUGIN_RECORDING_FORMAT)
		return refuse(error, "/format", "is none that this version reads: record again");
	return 0;
}

int plugin_recording_read(struct bytes text, struct plugin_recording **ret, struct errmsg *error)
{
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = calloc(1, sizeof(*recording));
	struct bytes answer;
	int r;

	if (!recording)
		return err_origin(-ENOMEM);
	recording->json = json_new(NULL);
	if (!recording->json)
		return err_origin(-ENOMEM);
	r = json_parse(recording->json, text, JSON_DUPLICATES_REFUSE, &recording->root, error);
	if (r)
		return r < 0 ? err_trace(r) : PLUGIN_RECORDING_E_INVALID;
	r = check_format(recording, error);
	if (r == 0)
		r = read_step(recording, error);
	if (r == 0)
		r = read_account(recording);
	if (r == 0)
		r = read_reply(recording);
	if (r == 0)
		r = read_assets(recording, error);
	if (r == 0)
		r = read_document(recording, "/facts", &recording->facts, &recording->step.facts);
	if (r == 0)
		r = read_document(recording, "/job", &recording->job, &recording->step.job);
	if (r == 0)
		r = read_document(recording, "/state", &recording->state, &recording->step.state);
	if (r == 0)
		r = read_document(recording, "/answer", &recording->answer, &answer);
	if (r)
		return r;
	*ret = steal(recording);
	return 0;
}

struct plugin_recording *plugin_recording_free(struct plugin_recording *recording)
{
	if (!recording)
		return NULL;
	json_free(recording->json);
	free(recording->headers);
	free(recording->secrets);
	free(recording->origins);
	free(recording->lifted);
	for (size_t i = 0; recording->asset_headers && i < recording->step.n_assets; i++)
		buffer_finish(&recording->asset_headers[i]);
	free(recording->asset_headers);
	free(recording->assets);
	buffer_finish(&recording->facts);
	buffer_finish(&recording->job);
	buffer_finish(&recording->state);
	buffer_finish(&recording->body);
	buffer_finish(&recording->options);
	buffer_finish(&recording->answer);
	free(recording);
	return NULL;
}

void plugin_recording_freep(struct plugin_recording **recording)
{
	plugin_recording_free(*recording);
}

const char *plugin_recording_plugin(const struct plugin_recording *recording)
{
	return json_string(recording->json, at(recording, "/plugin/name"));
}

const struct plugin_account_spec *plugin_recording_account(const struct plugin_recording *recording)
{
	return &recording->account;
}

const struct plugin_step *plugin_recording_step(const struct plugin_recording *recording)
{
	return &recording->step;
}

struct bytes plugin_recording_answer(const struct plugin_recording *recording)
{
	return buffer_bytes(&recording->answer);
}
