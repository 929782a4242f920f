#include "engine/lift.h"

#include "engine/key.h"
#include "engine/media.h"
#include "engine/token.h"

#include "base/json.h"
#include "plugin/runner.h"

#include <assert.h>
#include <sys/random.h>

/* ---- replies ---- */

static struct plugin_header *headers_of(const struct http_outcome *outcome)
{
	struct plugin_header *headers = take_memory((outcome->header_count + 1) * sizeof(*headers));

	for (size_t i = 0; i < outcome->header_count; i++)
		headers[i] = (struct plugin_header){.name = outcome->headers[i].name,
						    .value = outcome->headers[i].value};
	return headers;
}

struct reply *reply_of_outcome(struct http_outcome *take, int64_t now_utc_ms)
{
	struct reply *reply = take_memory(sizeof(*reply));

	reply->outcome = take;
	reply->facts = (struct plugin_reply){
		.status = take->status,
		.headers = headers_of(take),
		.n_headers = take->header_count,
		.body = buffer_bytes(&take->body),
		.elapsed_ms = take->duration_ms,
		.retry_after_ms = http_retry_after_ms(take, now_utc_ms),
	};
	return reply;
}

struct reply *reply_free(struct reply *reply)
{
	if (!reply)
		return NULL;
	free((void *)(uintptr_t)reply->facts.headers);
	for (size_t i = 0; reply->lifted && i < reply->facts.n_lifted; i++)
		free(reply->lifted[i]);
	free(reply->lifted);
	http_outcome_free(reply->outcome);
	json_free(reply->meta);
	buffer_finish(&reply->body);
	free(reply);
	return NULL;
}

static void set_text(struct json *json, json_node object, const char *name, const char *value)
{
	json_set(json, object, bytes_of_text(name), json_make_text(json, bytes_of_text(value)));
}

static void set_integer(struct json *json, json_node object, const char *name, int64_t value)
{
	json_set(json, object, bytes_of_text(name), json_make_integer(json, value));
}

/* A header that is no text cannot be kept in JSON; no provider's answer hangs on one. */
void reply_write_meta(const struct reply *reply, struct buffer *ret)
{
	struct json *json = json_new(NULL);
	json_node root = json_object(json), headers = json_array(json);

	set_integer(json, root, "status", reply->facts.status);
	set_integer(json, root, "elapsed_ms", reply->facts.elapsed_ms);
	set_integer(json, root, "retry_after_ms", reply->facts.retry_after_ms);
	for (size_t i = 0; i < reply->facts.n_headers; i++) {
		const struct plugin_header *header = &reply->facts.headers[i];
		json_node pair = json_array(json);

		if (!bytes_are_text(bytes_of_text(header->name)) || !bytes_are_text(bytes_of_text(header->value)))
			continue;
		json_append(json, pair, json_make_text(json, bytes_of_text(header->name)));
		json_append(json, pair, json_make_text(json, bytes_of_text(header->value)));
		json_append(json, headers, pair);
	}
	json_put(json, root, "/headers", headers);
	if (json_fault(json) != 0 || json_write(json, root, JSON_FORM_PLAIN, ret) != 0)
		abort();
	json_free(json);
}

struct reply *reply_of_record(struct bytes meta, struct bytes body)
{
	struct reply *reply = take_memory(sizeof(*reply));
	struct plugin_header *headers;
	json_node root, list, pair;
	size_t n = 0;

	reply->meta = json_new(NULL);
	if (!reply->meta || json_parse(reply->meta, meta, JSON_DUPLICATES_REFUSE, &root, NULL) != 0 ||
	    buffer_append(&reply->body, body.data, body.len) < 0)
		return reply_free(reply);
	list = json_at(reply->meta, root, "/headers");
	headers = take_memory((json_count(reply->meta, list) + 1) * sizeof(*headers));
	for (pair = json_first(reply->meta, list); pair; pair = json_next(reply->meta, pair))
		headers[n++] = (struct plugin_header){
			.name = json_text(reply->meta, json_item(reply->meta, pair, 0)).data,
			.value = json_text(reply->meta, json_item(reply->meta, pair, 1)).data,
		};
	reply->facts = (struct plugin_reply){
		.status = (int)json_integer(reply->meta, json_at(reply->meta, root, "/status"), 0),
		.headers = headers,
		.n_headers = n,
		.body = buffer_bytes(&reply->body),
		.elapsed_ms = json_integer(reply->meta, json_at(reply->meta, root, "/elapsed_ms"), 0),
		.retry_after_ms = json_integer(reply->meta, json_at(reply->meta, root, "/retry_after_ms"), -1),
	};
	return reply;
}

/* ---- steps ---- */

/* A step with copies of everything it reads: the entry may change, or go, while the plugin computes. */
struct call {
	struct plugin_step step;
	struct token_waiter waiter;
	struct engine *engine;
	struct figures *figures;
	struct buffer job;
	char *state, *key, *remote_id, *remote_kind, *facts, *next, *list_next;
	char *url, *subscription_id;
	struct reply *reply;
	struct media *media;
	void (*fn)(void *userdata, struct plugin_answer *take);
	void *userdata;
};

static void show_media(struct call *call, struct media *media)
{
	if (!media)
		return;
	call->media = media_ref(media);
	call->step.assets = media->assets;
	call->step.n_assets = media->n;
}

void step_write_job(const struct job *job, const char *title, struct buffer *ret)
{
	struct json *json = json_new(NULL);
	json_node root = json_object(json), parameters = JSON_ABSENT;
	char id[ID_TEXT_SIZE];

	id_format(&job->ref.id, id);
	set_text(json, root, "id", id);
	set_text(json, root, "model", job->model ? job->model : "");
	if (title)
		set_text(json, root, "title", title);
	if (json_parse(json, bytes_of_text(job->parameters), JSON_DUPLICATES_LAST_WINS, &parameters, NULL) != 0 ||
	    json_put(json, root, "/parameters", parameters) != 0 || json_fault(json) != 0 ||
	    json_write(json, root, JSON_FORM_PLAIN, ret) != 0)
		abort();
	json_free(json);
}

#define STEM_BYTES 16
#define STEM_TEXT_SIZE (2 * STEM_BYTES + 1)

/*
 * What all keys of an order begin with: made of the client's request and of where it was made, not of the job. A store
 * that was restored from a copy does not know what was accepted after that was made; a client that repeats such a
 * request makes a new job there, which orders under the same keys. Two requests of one id are never alive in one store.
 */
static void write_stem(const struct entry *entry, char text[static STEM_TEXT_SIZE])
{
	_cleanup_(digester_freep) struct digester *digester = digester_new();
	char whole[DIGEST_TEXT_SIZE];
	const struct job *job = entry->job;
	uint64_t origin = store_origin(entry->engine->store);
	struct digest digest;

	if (!digester)
		abort();
	digester_add(digester, &origin, sizeof(origin));
	digester_add(digester, &job->ref.tenant, sizeof(job->ref.tenant));
	digester_add(digester, job->request_digest.bytes, sizeof(job->request_digest.bytes));
	digester_add(digester, job->request_id, strlen(job->request_id));
	digest = digester_end(digester);
	digest_format(&digest, whole);
	memcpy(text, whole, STEM_TEXT_SIZE - 1);
	text[STEM_TEXT_SIZE - 1] = '\0';
}

/*
 * The key of the attempt's purchase: that of the doubt, if there is one, so that a repeat says the same; else a new
 * one, since a provider may replay its refusal of an old one. No time and no chance is in it: a store that was restored
 * from a copy orders under the same keys what was ordered after the copy was made.
 */
static char *key_of(const struct entry *entry, uint32_t attempt)
{
	const struct job_send *last = job_current_send(entry->status);
	char stem[STEM_TEXT_SIZE], key[STEM_TEXT_SIZE + 32];
	uint32_t number = 1;

	for (size_t i = 0; i < entry->status->n_sends; i++) {
		const struct job_send *send = &entry->status->sends[i];

		if (send->attempt == attempt && (send->class == JOB_SEND_PENDING || send->class == JOB_SEND_AMBIGUOUS))
			return take_text(send->idempotency_key);
	}
	if (last && last->attempt == attempt)
		number = last->class == JOB_SEND_NOT_SENT ? last->number : last->number + 1;
	write_stem(entry, stem);
	snprintf(key, sizeof(key), "%s.%u.%u", stem, attempt, number);
	return take_text(key);
}

static void show_job(struct call *call, struct entry *entry)
{
	const struct job_status *status = entry->status;
	const struct job_attempt *attempt = job_current_attempt(status);
	const struct job_send *send = job_current_send(status);
	const struct job_remote *remote = job_newest_remote(entry->job, status);
	struct plugin_step *step = &call->step;

	step_write_job(entry->job, status->display_name, &call->job);
	step->job = buffer_bytes(&call->job);
	call->state = take_text(status->plugin_state);
	step->state = bytes_of_text(call->state);
	step->attempt = attempt ? attempt->number : 0;
	step->send = send && send->attempt == step->attempt ? send->number : 0;
	step->polls = entry->polls;
	/* What an earlier attempt left there is none of a later one's. */
	if (remote && (remote->attempt == step->attempt || job_state_is_terminal(status->state))) {
		call->remote_id = take_text(remote->id);
		call->remote_kind = take_text(remote->kind);
	}
	step->remote_id = call->remote_id;
	step->remote_kind = call->remote_kind;
	if (send && send->class == JOB_SEND_ACCEPTED)
		step->accepted_at_ms = send->decided_ms;
	if (step->verb == PLUGIN_VERB_RECONCILE) {
		call->facts = take_text(entry->facts);
		step->facts = bytes_of_text(call->facts);
	}
	if (step->verb != PLUGIN_VERB_START)
		return;
	if (step->phase == 0) {
		free(entry->key);
		entry->key = key_of(entry, step->attempt);
	}
	show_media(call, entry->media);
	call->key = take_text(entry->key);
	step->idempotency_key = call->key;
	/* The reply to a purchase may lead to anything but another purchase. */
	step->has_bought = status->state == JOB_STATE_STARTING && step->phase != 0;
}

static void show_remote(struct call *call, const char *remote_id)
{
	free(call->remote_id);
	call->remote_id = take_text(remote_id);
	call->step.remote_id = call->remote_id;
	call->step.remote_kind = NULL;
}

static void free_call(struct call *call)
{
	buffer_finish(&call->job);
	free(call->state);
	free(call->key);
	free(call->remote_id);
	free(call->remote_kind);
	free(call->facts);
	free(call->next);
	free(call->list_next);
	free(call->url);
	free(call->subscription_id);
	reply_free(call->reply);
	media_unref(call->media);
	free(call);
}

/* [runner thread] */
static void on_step(struct plugin_step *step, struct plugin_answer *take)
{
	struct call *call = (struct call *)(void *)step;

	if (!take)
		abort();
	if (take->kind == PLUGIN_ANSWER_FAULT)
		metric_add(&call->figures->plugin_faults, 1);
	call->fn(call->userdata, take);
	free_call(call);
}

static void go_on(struct token_waiter *waiter, struct plugin_answer *trouble)
{
	struct call *call = (struct call *)((char *)waiter - offsetof(struct call, waiter));

	if (trouble)
		on_step(&call->step, trouble);
	else
		plugin_runner_post(call->engine->config.plugins, &call->step);
}

static struct call *new_call(struct lane *lane, const struct engine_key *key, enum plugin_verb verb, uint32_t phase,
			     struct reply *take)
{
	struct call *call = take_memory(sizeof(*call));

	call->engine = lane->engine;
	call->figures = &lane->figures;
	call->waiter.go_on = go_on;
	call->reply = take;
	call->step = (struct plugin_step){
		.account = key->account,
		.verb = verb,
		.phase = phase,
		.reply = take ? &take->facts : NULL,
		.now_ms = now_utc(lane->engine),
		.fn = on_step,
	};
	if (getrandom(call->step.random, sizeof(call->step.random), 0) != (ssize_t)sizeof(call->step.random))
		abort();
	return call;
}

static void begin_call(struct lane *lane, struct call *call)
{
	const struct reply *reply = call->reply;

	if (reply && reply->facts.status == 401)
		token_refused(call->step.account);
	/* Never between a reply and its reader: what a purchase came to must not hang on a token. */
	if (reply || !token_wait(lane, call->step.account, &call->waiter))
		plugin_runner_post(lane->engine->config.plugins, &call->step);
}

void step_call(const struct step_subject *subject, enum plugin_verb verb, uint32_t phase, struct reply *take,
	       void (*fn)(void *userdata, struct plugin_answer *take), void *userdata)
{
	const struct engine_key key = subject->entry ? key_of_job(subject->lane, subject->entry->status)
						     : key_current(subject->lane);
	struct call *call = new_call(subject->lane, &key, verb, phase, take);

	call->fn = fn;
	call->userdata = userdata;
	if (subject->entry)
		show_job(call, subject->entry);
	if (subject->remote_id)
		show_remote(call, subject->remote_id);
	call->next = take_text(subject->catalogue_next);
	call->step.catalogue_kind = subject->catalogue_kind;
	call->step.catalogue_next = call->next;
	call->list_next = take_text(subject->list_next);
	call->step.list_next = call->list_next;
	call->url = take_text(subject->subscription_url);
	call->subscription_id = take_text(subject->subscription_id);
	call->step.subscription_action = subject->subscription_action;
	call->step.subscription_url = call->url;
	call->step.subscription_id = call->subscription_id;
	begin_call(subject->lane, call);
}

void step_call_forward(struct lane *lane, const struct step_forward *forward, uint32_t phase, struct reply *take,
		       void (*fn)(void *userdata, struct plugin_answer *take), void *userdata)
{
	const struct engine_key key = key_current(lane);
	struct call *call = new_call(lane, &key, PLUGIN_VERB_UPLOAD, phase, take);

	call->fn = fn;
	call->userdata = userdata;
	call->state = take_text(forward->state);
	call->step.state = bytes_of_text(call->state);
	show_media(call, forward->media);
	begin_call(lane, call);
}

struct answered {
	struct arrival arrival;
	struct plugin_answer *answer;
	void (*then)(struct entry *entry, struct plugin_answer *take);
};

static void handle_answered(struct entry *entry, struct arrival *arrival)
{
	struct answered *answered = (struct answered *)(void *)arrival;
	struct plugin_answer *answer = answered->answer;
	void (*then)(struct entry *, struct plugin_answer *) = answered->then;

	free(answered);
	then(entry, answer);
}

static void discard_answered(struct arrival *arrival)
{
	struct answered *answered = (struct answered *)(void *)arrival;

	plugin_answer_free(answered->answer);
	free(answered);
}

/* [runner thread] */
static void on_answer(void *userdata, struct plugin_answer *take)
{
	struct answered *answered = userdata;

	answered->answer = take;
	arrival_post(&answered->arrival);
}

/* Without them there is no step: what came instead, a trouble or a failure, is its answer. */
static void begin_with_media(struct entry *entry, struct plugin_answer *take)
{
	void (*then)(struct entry *, struct plugin_answer *) = steal(entry->after_media);

	if (take)
		then(entry, take);
	else
		step_run(entry, PLUGIN_VERB_START, 0, NULL, then);
}

void step_run(struct entry *entry, enum plugin_verb verb, uint32_t phase, struct reply *take,
	      void (*then)(struct entry *entry, struct plugin_answer *take))
{
	struct answered *answered;

	if (verb == PLUGIN_VERB_START && !take && media_is_needed(entry)) {
		entry->after_media = then;
		media_load(entry, begin_with_media);
		return;
	}
	entry_start_activity(entry, ACTIVITY_STEP);
	answered = entry_expect(entry, sizeof(*answered), handle_answered, discard_answered);
	answered->then = then;
	step_call(&(struct step_subject){.lane = entry->lane, .entry = entry}, verb, phase, take, on_answer, answered);
}

/* "/parameters/seed" is "parameters.seed" to everybody else. */
void step_write_field(const char *pointer, struct buffer *ret)
{
	for (const char *p = pointer + (*pointer == '/'); *p; p++)
		buffer_append(ret, *p == '/' ? "." : p, 1);
}

bool step_keep_notes(struct job_status *status, const struct plugin_answer *answer)
{
	bool is_new = false;

	for (size_t i = 0; i < answer->n_notes; i++) {
		const struct plugin_note *note = &answer->notes[i];
		struct buffer field = {.limit = LIMIT_PLUGIN_WORDS};
		int r;

		step_write_field(note->pointer ? note->pointer : "", &field);
		r = job_add_note(status, (enum job_severity)note->severity, field.data ? field.data : "",
				 note->sentence, "", "");
		buffer_finish(&field);
		if (r < 0)
			abort();
		is_new |= r > 0;
	}
	return is_new;
}

void step_keep_state(struct entry *entry, const struct plugin_answer *answer)
{
	/* What is new among them goes along with the next commit. */
	entry->is_state_changed |= step_keep_notes(entry->status, answer);
	if (!answer->state || (entry->status->plugin_state && strcmp(entry->status->plugin_state, answer->state) == 0))
		return;
	entry->is_state_changed = true;
	if (job_set_text(&entry->status->plugin_state, answer->state) < 0)
		abort();
	entry->status->plugin_state_version = plugin_manifest(entry->lane->config->plugin)->state_version;
}

const char *step_text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

/* ---- exchanges ---- */

bool exchange_buys(const struct plugin_exchange *exchange)
{
	return exchange->effect == PLUGIN_EFFECT_BUYS || exchange->effect == PLUGIN_EFFECT_BUYS_WITH_KEY;
}

int64_t exchange_key_window_ms(const struct lane *lane, const struct plugin_exchange *exchange)
{
	return exchange->effect == PLUGIN_EFFECT_BUYS_WITH_KEY ? plugin_manifest(lane->config->plugin)->key_window_ms
							       : 0;
}

void exchange_headers_copy(const struct plugin_header *from, size_t n, struct exchange_headers *ret)
{
	*ret = (struct exchange_headers){0};
	ret->items = take_memory((n + 1) * sizeof(*ret->items));
	for (size_t i = 0; i < n; i++)
		ret->items[i] = (struct http_header){
			.name = from[i].name, .value = from[i].value, .is_secret = from[i].is_secret};
}

void exchange_headers_finish(struct exchange_headers *headers)
{
	free(headers->items);
	free(headers->pieces);
	*headers = (struct exchange_headers){0};
}

static struct http_piece piece_of(const struct plugin_piece *piece, const struct media *media)
{
	const struct media_item *item = piece->asset ? media_find(media, piece->asset) : NULL;

	/* The step had them from the same set. */
	assert(item || !piece->asset);
	return (struct http_piece){
		.text = piece->text,
		.is_file = item != NULL,
		.is_base64 = piece->is_base64,
		.fd = item ? item->fd : -1,
		.size_bytes = item ? item->size_bytes : 0,
	};
}

/* Whoever reads files while it sends must not hold up polls and submits: that is the other loop's work. */
static void add_pieces(const struct plugin_exchange *exchange, const struct media *media,
		       struct exchange_headers *headers, struct http_request *ret)
{
	uint64_t file_bytes = 0;

	headers->pieces = take_memory((exchange->n_pieces + 1) * sizeof(*headers->pieces));
	for (size_t i = 0; i < exchange->n_pieces; i++) {
		headers->pieces[i] = piece_of(&exchange->pieces[i], media);
		file_bytes += headers->pieces[i].size_bytes;
	}
	ret->pieces = headers->pieces;
	ret->piece_count = exchange->n_pieces;
	if (file_bytes)
		ret->lane = HTTP_LANE_TRANSFER;
	ret->timeout_ms += (int64_t)(file_bytes / LIMIT_ENGINE_PIECE_BYTES_PER_MS);
}

void exchange_request(const struct lane *lane, const struct plugin_exchange *exchange, const struct media *media,
		      struct exchange_headers *headers, struct http_request *ret)
{
	const struct engine_provider_config *config = lane->config;

	exchange_headers_copy(exchange->headers, exchange->n_headers, headers);
	*ret = (struct http_request){
		.method = exchange->method,
		.url = exchange->url,
		.headers = headers->items,
		.header_count = exchange->n_headers,
		.body = exchange->body,
		.flags = config->allow_private_network ? HTTP_PRIVATE_NETWORK : 0,
		.lane = HTTP_LANE_EXCHANGE,
		.version = config->uses_http2 ? HTTP_VERSION_2 : HTTP_VERSION_1_1,
		.timeout_ms = exchange->timeout_ms      ? exchange->timeout_ms
			      : exchange_buys(exchange) ? config->submit_timeout_ms
							: config->exchange_timeout_ms,
		.max_body_bytes = config->max_reply_bytes,
	};
	add_pieces(exchange, media, headers, ret);
	if (exchange->reply_limit_bytes && exchange->reply_limit_bytes < ret->max_body_bytes)
		ret->max_body_bytes = exchange->reply_limit_bytes;
}

struct got {
	struct arrival arrival;
	struct figures *figures;
	struct http_outcome *outcome;
	struct lift *lift;
	bool is_of_provider; /* it was sent there, and not to where files lie */
	void (*then)(struct entry *entry, struct http_outcome *take);
};

static void handle_got(struct entry *entry, struct arrival *arrival)
{
	struct got *got = (struct got *)(void *)arrival;
	struct http_outcome *outcome = got->outcome;
	void (*then)(struct entry *, struct http_outcome *) = got->then;

	lift_free(entry->lift);
	entry->lift = got->lift;
	if (got->is_of_provider)
		breaker_note(entry, outcome);
	free(got);
	then(entry, outcome);
}

static void discard_got(struct arrival *arrival)
{
	struct got *got = (struct got *)(void *)arrival;

	http_outcome_free(got->outcome);
	lift_free(got->lift);
	free(got);
}

/* [http thread] */
static void on_done(struct http_outcome *outcome, void *userdata)
{
	struct got *got = userdata;

	metric_add(&got->figures->exchanges[outcome->kind], 1);
	got->outcome = outcome;
	arrival_post(&got->arrival);
}

void exchange_explain(int why, struct errmsg *ret)
{
	if (why == HTTP_E_STOPPING)
		errmsg_set(ret, "the daemon is shutting down; ask again when it is back");
	else if (why == HTTP_E_BUSY)
		errmsg_set(ret, "too many requests wait to be sent; try again later");
	else
		errmsg_set(ret, "the request could not be made: %s", log_errno(why));
}

/* A request that http/ does not take never left, and ends as that. */
static struct http_outcome *not_taken(int why)
{
	struct http_outcome *outcome = take_memory(sizeof(*outcome));
	struct errmsg words;

	outcome->kind = HTTP_NOT_SENT;
	outcome->error = why < 0 ? why : -EAGAIN;
	outcome->declared_bytes = -1;
	exchange_explain(why, &words);
	snprintf(outcome->message, sizeof(outcome->message), "%.*s", (int)sizeof(outcome->message) - 1, words.text);
	return outcome;
}

/* A plugin writes addresses there with the configured one before them. */
static bool is_of_provider(const struct lane *lane, const char *url)
{
	return lane && strncmp(url, lane->config->base_url, strlen(lane->config->base_url)) == 0;
}

static void send_request(struct entry *entry, enum activity activity, const struct http_request *request,
			 struct lift *take_lift, void (*then)(struct entry *entry, struct http_outcome *take))
{
	struct got *got;
	int r;

	entry_start_activity(entry, activity);
	got = entry_expect(entry, sizeof(*got), handle_got, discard_got);
	got->figures = figures_of(entry);
	got->then = then;
	got->lift = take_lift;
	got->is_of_provider = is_of_provider(entry->lane, request->url);
	r = http_send(entry->engine->config.http, request, on_done, got, &entry->http_id);
	if (r == 0)
		return;
	got->is_of_provider = false;
	on_done(not_taken(r), got);
}

void exchange_send(struct entry *entry, enum activity activity, const struct http_request *request,
		   void (*then)(struct entry *entry, struct http_outcome *take))
{
	send_request(entry, activity, request, NULL, then);
}

void exchange_run(struct entry *entry, const struct plugin_exchange *exchange, uint32_t flags,
		  void (*then)(struct entry *entry, struct http_outcome *take))
{
	struct exchange_headers headers;
	struct http_request request;
	struct lift *lift;

	exchange_request(entry->lane, exchange, entry->media, &headers, &request);
	request.flags |= flags;
	lift = lift_new(entry, exchange, &request);
	send_request(entry, ACTIVITY_EXCHANGE, &request, lift, then);
	exchange_headers_finish(&headers);
}
