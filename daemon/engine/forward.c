#include "engine/forward.h"

#include "base/failpoint.h"
#include "base/json.h"
#include "engine/media.h"
#include "engine/step.h"
#include "engine/trouble.h"

#include <utlist.h>

/*
 * A run hops between threads as those of verb.c do: it is never freed while a step, an exchange or its commit is under
 * way, and engine_stop() waits for it.
 */
struct forward {
	struct loop_message message;
	struct engine *engine;
	struct lane *lane;
	struct forward *prev, *next; /* among those of the lane */
	uint32_t tenant;
	struct media *media; /* the one asset */
	struct forwarded *waiters;
	char *state;
	uint32_t phase, hops;
	struct plugin_answer *answer;
	struct http_outcome *outcome;
	struct store_handle handle; /* while it is being stored */
	struct submission submission;
};

/* For one entry that waits. */
struct forwarded {
	struct arrival arrival;
	struct forwarded *next;
	struct store_handle handle;
	struct plugin_answer *failure;
	char name[ASSET_NAME_SIZE];
	void (*then)(struct entry *entry, struct plugin_answer *take);
};

static void take_step(struct forward *forward, struct reply *take);

/* ---- those who wait ---- */

static void discard_forwarded(struct arrival *arrival)
{
	struct forwarded *forwarded = (struct forwarded *)(void *)arrival;

	store_handle_finish(&forwarded->handle);
	plugin_answer_free(forwarded->failure);
	free(forwarded);
}

static void handle_forwarded(struct entry *entry, struct arrival *arrival)
{
	struct forwarded *forwarded = (struct forwarded *)(void *)arrival;
	struct media_item *item = media_find(entry->media, forwarded->name);
	struct plugin_answer *failure = steal(forwarded->failure);
	void (*then)(struct entry *, struct plugin_answer *) = forwarded->then;

	if (!failure && item)
		media_set_handle(entry->media, item, &forwarded->handle);
	discard_forwarded(arrival);
	then(entry, failure);
}

static void tell(struct forward *forward, const struct store_handle *handle, const struct plugin_answer *failure)
{
	struct forwarded *waiters = steal(forward->waiters), *waiter, *next;

	LL_FOREACH_SAFE(waiters, waiter, next) {
		if (failure)
			waiter->failure = plugin_answer_copy_failure(failure);
		else
			waiter->handle = (struct store_handle){.handle = take_text(handle->handle),
							       .headers = take_text(handle->headers),
							       .uploaded_ms = handle->uploaded_ms,
							       .expires_ms = handle->expires_ms};
		arrival_post(&waiter->arrival);
	}
}

/* ---- ends ---- */

static void free_forward(struct forward *forward)
{
	DL_DELETE(forward->lane->forwards, forward);
	forward->engine->verb_runs--;
	media_unref(forward->media);
	plugin_answer_free(forward->answer);
	http_outcome_free(forward->outcome);
	store_handle_finish(&forward->handle);
	free(forward->state);
	free(forward);
}

static const char *name_of(const struct forward *forward)
{
	return forward->media->items[0].name;
}

static void fail(struct forward *forward, const struct plugin_answer *failure)
{
	log_warning("an input could not be brought to the provider", "provider", forward->lane->config->id, "asset",
		    name_of(forward), "why",
		    failure->kind == PLUGIN_ANSWER_FAULT ? failure->fault : failure->failure.message);
	tell(forward, NULL, failure);
	free_forward(forward);
}

static void fail_for_now(struct forward *forward, const char *why)
{
	struct plugin_answer *trouble = plugin_answer_trouble(PLUGIN_REASON_UNAVAILABLE, why);

	fail(forward, trouble);
	plugin_answer_free(trouble);
}

/* The fault is the plugin's, and said in our words. */
static void fail_as_fault(struct forward *forward, const char *why)
{
	struct plugin_answer *fault = plugin_answer_trouble(PLUGIN_REASON_UNKNOWN, why);

	fault->kind = PLUGIN_ANSWER_FAULT;
	fault->fault = fault->failure.message;
	fail(forward, fault);
	plugin_answer_free(fault);
}

/* As leave() of verb.c: an answer that outlasted the engine. */
static bool leave(struct forward *forward)
{
	struct forwarded *waiters, *waiter, *next;

	if (atomic_load(&forward->engine->phase) != ENGINE_PHASE_STOPPED)
		return false;
	waiters = steal(forward->waiters);
	LL_FOREACH_SAFE(waiters, waiter, next)
		discard_forwarded(&waiter->arrival);
	free_forward(forward);
	return true;
}

/* ---- what the plugin reported ---- */

static void on_committed(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct forward *forward = (struct forward *)((char *)submission - offsetof(struct forward, submission));
	struct errmsg why;

	if (leave(forward))
		return;
	if (store_commit_outcome(commit) == STORE_E_ASSET_MISSING) {
		fail_for_now(forward, "the asset was deleted meanwhile: no job needs it any more");
		return;
	}
	if (store_commit_outcome(commit) != 0) {
		trouble_explain(engine, &why);
		fail_for_now(forward, why.text);
		return;
	}
	FAILPOINT(FORWARD_AFTER_HANDLE);
	tell(forward, &forward->handle, NULL);
	free_forward(forward);
}

/* The plugin's room has looked at it: it is an object with a handle. */
static struct store_handle read_report(const struct forward *forward)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(buffer_finish) struct buffer headers = {0};
	json_node root = JSON_ABSENT, node;
	struct store_handle handle = {.uploaded_ms = now_utc(forward->engine)};

	if (!json || json_parse(json, bytes_of_text(forward->answer->report), JSON_DUPLICATES_REFUSE, &root, NULL) != 0)
		abort();
	handle.handle = take_text(json_string(json, json_at(json, root, "/handle")));
	handle.expires_ms = json_integer(json, json_at(json, root, "/expires_at_ms"), 0);
	node = json_at(json, root, "/headers");
	if (json_count(json, node) && json_write(json, node, JSON_FORM_PLAIN, &headers) != 0)
		abort();
	handle.headers = take_text(headers.data);
	return handle;
}

static void keep(struct forward *forward)
{
	struct store_commit *commit = store_commit_new();

	if (!commit)
		abort();
	FAILPOINT(FORWARD_BEFORE_HANDLE);
	forward->handle = read_report(forward);
	store_commit_put_handle(commit, forward->tenant, &forward->media->items[0].sha256,
				&forward->lane->config->account_digest, &forward->handle);
	forward->submission.on_committed = on_committed;
	log_info("an input was brought to the provider", "provider", forward->lane->config->id, "asset",
		 name_of(forward));
	store_commit_be_patient(commit);
	store_submit(forward->engine->store, commit, &forward->submission);
}

/* ---- steps and exchanges ---- */

static void on_outcome_message(struct loop_message *message)
{
	struct forward *forward = loop_message_owner(message, struct forward, message);
	struct http_outcome *outcome;

	if (leave(forward))
		return;
	outcome = steal(forward->outcome);
	if (outcome->kind == HTTP_REPLY) {
		take_step(forward, reply_of_outcome(outcome, now_utc(forward->engine)));
		return;
	}
	fail_for_now(forward, outcome->message);
	http_outcome_free(outcome);
}

/* [http thread] */
static void on_outcome(struct http_outcome *outcome, void *userdata)
{
	struct forward *forward = userdata;

	forward->outcome = outcome;
	forward->message.run = on_outcome_message;
	loop_post(forward->engine->loop, &forward->message);
}

static void exchange(struct forward *forward)
{
	const struct plugin_exchange *asked = &forward->answer->exchange;
	struct http_request request;
	struct exchange_headers headers;
	struct errmsg why;
	int r;

	if (exchange_buys(asked) || forward->hops++ >= LIMIT_ENGINE_VERB_HOPS) {
		fail_as_fault(forward, "the plugin asked for an exchange that has no place in an upload");
		return;
	}
	forward->phase = asked->phase;
	exchange_request(forward->lane, asked, forward->media, &headers, &request);
	r = http_send(forward->engine->config.http, &request, on_outcome, forward, NULL);
	exchange_headers_finish(&headers);
	if (r == 0)
		return;
	exchange_explain(r, &why);
	fail_for_now(forward, why.text);
}

static void keep_state(struct forward *forward)
{
	if (!forward->answer->state)
		return;
	free(forward->state);
	forward->state = take_text(forward->answer->state);
}

static void on_answer_message(struct loop_message *message)
{
	struct forward *forward = loop_message_owner(message, struct forward, message);

	if (leave(forward))
		return;
	keep_state(forward);
	switch (forward->answer->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		exchange(forward);
		break;
	case PLUGIN_ANSWER_REPORT:
		keep(forward);
		break;
	case PLUGIN_ANSWER_FAILED:
	case PLUGIN_ANSWER_TROUBLE:
	case PLUGIN_ANSWER_FAULT:
		fail(forward, forward->answer);
		break;
	default:
		fail_as_fault(forward, "the plugin gave an answer that has no meaning in an upload");
	}
}

/* [runner thread] */
static void on_answer(void *userdata, struct plugin_answer *take)
{
	struct forward *forward = userdata;

	forward->answer = take;
	forward->message.run = on_answer_message;
	loop_post(forward->engine->loop, &forward->message);
}

static void take_step(struct forward *forward, struct reply *take)
{
	const struct step_forward about = {.media = forward->media, .state = forward->state};

	forward->answer = plugin_answer_free(forward->answer);
	step_call_forward(forward->lane, &about, forward->phase, take, on_answer, forward);
}

/* ---- beginning ---- */

static struct forward *find(const struct lane *lane, uint32_t tenant, const char *name)
{
	struct forward *forward;

	DL_FOREACH(lane->forwards, forward)
		if (forward->tenant == tenant && strcmp(name_of(forward), name) == 0)
			return forward;
	return NULL;
}

static struct forward *start(struct entry *entry, const struct media_item *item)
{
	struct media *media = media_single(item);
	struct forward *forward;

	if (!media)
		return NULL;
	forward = take_memory(sizeof(*forward));
	forward->engine = entry->engine;
	forward->lane = entry->lane;
	forward->tenant = entry->ref.tenant;
	forward->media = media;
	DL_APPEND(entry->lane->forwards, forward);
	entry->engine->verb_runs++;
	return forward;
}

void forward_begin(struct entry *entry, const char *name, void (*then)(struct entry *entry, struct plugin_answer *take))
{
	const struct media_item *item = media_find(entry->media, name);
	struct forward *forward = find(entry->lane, entry->ref.tenant, name);
	struct forward *begun = forward ? NULL : start(entry, item);
	struct forwarded *waiter;

	if (!forward && !begun) {
		then(entry, plugin_answer_trouble(PLUGIN_REASON_UNAVAILABLE, "too many files are open"));
		return;
	}
	forward = forward ? forward : begun;
	entry_start_activity(entry, ACTIVITY_FORWARD);
	waiter = entry_expect(entry, sizeof(*waiter), handle_forwarded, discard_forwarded);
	snprintf(waiter->name, sizeof(waiter->name), "%s", item->name);
	waiter->then = then;
	LL_APPEND(forward->waiters, waiter);
	if (begun)
		take_step(begun, NULL);
}

/* ---- forgetting ---- */

bool forward_forget(struct entry *entry)
{
	const struct job_attempt *attempt = job_current_attempt(entry->status);
	bool has_old = false;

	/* A reply from before a restart: how old they are is not known any more. */
	for (size_t i = 0; !entry->media && i < entry->job->n_assets; i++) {
		has_old = true;
		store_commit_delete_handle(entry->change, entry->ref.tenant, &entry->job->assets[i],
					   &entry->lane->config->account_digest);
	}
	for (size_t i = 0; entry->media && i < entry->media->n; i++) {
		const struct media_item *item = &entry->media->items[i];

		if (!item->handle.handle || item->handle.uploaded_ms >= attempt->started_ms)
			continue;
		has_old = true;
		store_commit_delete_handle(entry->change, entry->ref.tenant, &item->sha256,
					   &entry->lane->config->account_digest);
	}
	return has_old;
}
