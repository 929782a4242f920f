/*
 * A provider's webhook is a hint: it says which video there is news of, and that is all that is taken from it. Calls are
 * lost, come twice, late and in any order, and whoever has seen one may send it again, since not every provider signs the
 * time. So the only thing that one changes is when its job is asked about next, and not by more than the provider's own
 * pace allows (poll_pull()). A job whose webhooks never arrive is polled as if there were none.
 *
 * A call is checked on the thread of the door that it came through, so that what is forged costs nobody else anything; a
 * good one goes through the engine's queue to the plugin, and its answer back. It holds no job, and no job's step waits
 * for it. A video that no job has yet may be one whose order is still being written down: it is remembered for a while.
 */
#include "engine/run.h"

#include "engine/step.h"

#include "plugin/webhook.h"

struct hint {
	struct loop_message message;
	struct lane *lane;
	struct reply *reply; /* the call, as a step reads it */
	struct plugin_answer *answer;
	engine_hint_fn *fn;
	void *userdata;
};

/* ---- told too early ---- */

struct hint_memory {
	struct {
		struct digest video;
		int64_t told_ms; /* monotonic */
		bool is_there;
	} videos[LIMIT_ENGINE_HINTS_EARLY];
	size_t next;
};

static void remember(struct lane *lane, const char *remote_id)
{
	struct hint_memory *memory = lane->hints ? lane->hints : take_memory(sizeof(*memory));
	struct digest video = digest_of(bytes_of_text(remote_id));

	lane->hints = memory;
	for (size_t i = 0; i < LIMIT_ENGINE_HINTS_EARLY; i++)
		if (memory->videos[i].is_there && memcmp(&memory->videos[i].video, &video, sizeof(video)) == 0)
			return;
	memory->videos[memory->next].video = video;
	memory->videos[memory->next].told_ms = clock_monotonic_ms(lane->engine->config.clock);
	memory->videos[memory->next].is_there = true;
	memory->next = (memory->next + 1) % LIMIT_ENGINE_HINTS_EARLY;
}

/* Once. */
static bool recall(struct lane *lane, const struct digest *video)
{
	struct hint_memory *memory = lane->hints;
	int64_t since_ms = clock_monotonic_ms(lane->engine->config.clock) - LIMIT_ENGINE_HINTS_EARLY_MS;

	for (size_t i = 0; memory && i < LIMIT_ENGINE_HINTS_EARLY; i++) {
		if (!memory->videos[i].is_there || memcmp(&memory->videos[i].video, video, sizeof(*video)) != 0)
			continue;
		memory->videos[i].is_there = false;
		return memory->videos[i].told_ms >= since_ms;
	}
	return false;
}

bool hint_was_early(const struct entry *entry)
{
	const struct job_remote *remote = job_newest_remote(entry->job, entry->status);
	struct engine *engine = entry->engine;
	struct digest video;
	bool was_early = false;

	if (!remote || !remote->id || !entry->lane)
		return false;
	video = digest_of(bytes_of_text(remote->id));
	/* It came through the door of any provider of the account. */
	for (size_t i = 0; i < engine->n_lanes; i++)
		if (engine->lanes[i].account == entry->lane->account)
			was_early |= recall(&engine->lanes[i], &video);
	return was_early;
}

void hint_finish(struct lane *lane)
{
	free(lane->hints);
	lane->hints = NULL;
}

/* ---- the job ---- */

static bool is_about(const struct entry *entry, const struct lane *lane, const char *remote_id)
{
	const struct job_remote *remote;

	if (!entry->job || !entry->status || !entry->lane || entry->lane->account != lane->account)
		return false;
	remote = job_newest_remote(entry->job, entry->status);
	return remote && remote->id && strcmp(remote->id, remote_id) == 0;
}

/* Every job that is running is in memory. */
static enum hint_outcome pull(struct lane *lane, const char *remote_id)
{
	struct entry *entry, *next;

	HASH_ITER(hh, lane->engine->entries, entry, next) {
		bool is_running;

		if (!is_about(entry, lane, remote_id))
			continue;
		is_running = entry->status->state == JOB_STATE_RUNNING;
		if (poll_pull(entry))
			return HINT_PULLED;
		return is_running ? HINT_EARLY : HINT_UNMATCHED;
	}
	remember(lane, remote_id);
	return HINT_UNMATCHED;
}

/* ---- what the plugin makes of it ---- */

static void end(struct hint *take, int outcome, unsigned int status, const char *body)
{
	take->fn(take->userdata, outcome, status, body);
	take->lane->n_hints--;
	reply_free(take->reply);
	plugin_answer_free(take->answer);
	free(take);
}

static void count(struct lane *lane, enum hint_outcome outcome)
{
	metric_add(&lane->figures.hints[outcome], 1);
}

/* To call again would change nothing, so it is told that all is well. */
static void end_fault(struct hint *take)
{
	const struct plugin_answer *answer = take->answer;

	log_error("plugin fault in a webhook; it is passed over", "provider", take->lane->config->id, "why",
		  answer->kind == PLUGIN_ANSWER_FAULT ? answer->fault : plugin_answer_name(answer->kind));
	if (answer->kind != PLUGIN_ANSWER_FAULT)
		metric_add(&take->lane->figures.plugin_faults, 1);
	count(take->lane, HINT_FAULT);
	end(take, 0, 204, NULL);
}

static void on_answer_message(struct loop_message *message)
{
	struct hint *hint = loop_message_owner(message, struct hint, message);
	const struct plugin_response *response = &hint->answer->response;
	enum hint_outcome outcome = HINT_IGNORED;

	hint->lane->engine->verb_runs--;
	if (atomic_load(&hint->lane->engine->phase) != ENGINE_PHASE_SERVING) {
		end(hint, ENGINE_E_DRAINING, 0, NULL);
		return;
	}
	if (hint->answer->kind != PLUGIN_ANSWER_RESPOND && hint->answer->kind != PLUGIN_ANSWER_HINT) {
		end_fault(hint);
		return;
	}
	if (hint->answer->kind == PLUGIN_ANSWER_HINT)
		outcome = pull(hint->lane, response->remote_id);
	count(hint->lane, outcome);
	end(hint, 0, response->status, response->body);
}

/* [runner thread] */
static void on_answer(void *userdata, struct plugin_answer *take)
{
	struct hint *hint = userdata;

	hint->answer = take;
	hint->message.run = on_answer_message;
	loop_post(hint->lane->engine->loop, &hint->message);
}

static void on_hint(struct loop_message *message)
{
	struct hint *hint = loop_message_owner(message, struct hint, message);
	struct lane *lane = hint->lane;

	if (atomic_load(&lane->engine->phase) != ENGINE_PHASE_SERVING) {
		lane->n_hints++;
		end(hint, ENGINE_E_DRAINING, 0, NULL);
		return;
	}
	if (lane->n_hints++ >= LIMIT_ENGINE_HINTS) {
		count(lane, HINT_REFUSED);
		end(hint, ENGINE_E_QUEUE_FULL, 0, NULL);
		return;
	}
	lane->engine->verb_runs++;
	step_call(&(struct step_subject){.lane = lane}, PLUGIN_VERB_WEBHOOK, 0, steal(hint->reply), on_answer, hint);
}

/* ---- is it the provider's? ---- */

bool hint_can_call(const struct lane *lane)
{
	const struct engine_provider_config *config = lane->config;

	return config->plugin && plugin_can(config->plugin, PLUGIN_VERB_WEBHOOK) &&
	       plugin_manifest(config->plugin)->webhook.is_declared;
}

/* The better of two reasons why it is not: the one that says that another secret is there, and is not this call's. */
static int better(int a, int b)
{
	return a == 0 || (a != PLUGIN_WEBHOOK_E_SECRET && b != 0) ? a : b;
}

/* With the configuration's secret, those of its previous keys, or the one that was made when we registered. */
static int verify(const struct lane *lane, const struct plugin_webhook_call *call)
{
	const struct engine_provider_config *config = lane->config;
	const char *secret = registration_secret(lane), *id;
	int64_t now_ms = now_utc(lane->engine);
	int r = plugin_webhook_verify(config->account, call, now_ms, &id);

	for (size_t i = 0; r > 0 && i < config->n_previous_keys; i++)
		r = better(r, plugin_webhook_verify(config->previous_keys[i].account, call, now_ms, &id));
	if (r > 0 && secret)
		r = better(r, plugin_webhook_verify_with(config->plugin, secret, call, now_ms, &id));
	return r;
}

/* Now and then a line, however many come: anybody may send them. */
static bool is_to_be_told(struct lane *lane)
{
	int64_t now_ms = clock_monotonic_ms(lane->engine->config.clock);
	int64_t told_ms = atomic_load(&lane->hint_told_ms);

	if (told_ms && now_ms - told_ms < LIMIT_ENGINE_HINTS_TELL_MS)
		return false;
	return atomic_compare_exchange_strong(&lane->hint_told_ms, &told_ms, now_ms ? now_ms : 1);
}

static int refuse(struct lane *lane, int why)
{
	static const struct {
		enum hint_outcome outcome;
		const char *words;
	} reasons[] = {
		[PLUGIN_WEBHOOK_E_UNSIGNED] = {HINT_UNSIGNED, "it lacks a header that the provider signs with"},
		[PLUGIN_WEBHOOK_E_STALE] = {HINT_STALE, "its time is too far from this machine's: is the clock right?"},
		[PLUGIN_WEBHOOK_E_FORGED] = {HINT_FORGED,
					     "its signature is not made with our secret: it is forged, or the "
					     "secret was changed at the provider"},
	};

	if (why == PLUGIN_WEBHOOK_E_SECRET || why == PLUGIN_WEBHOOK_E_UNDECLARED) {
		if (is_to_be_told(lane))
			log_warning(
				"a webhook came, and there is no secret to know it by: run 'filmgate webhooks register', or "
				"write the provider's secret into its secrets",
				"provider", lane->config->id);
		return ENGINE_E_NOT_FOUND;
	}
	count(lane, reasons[why].outcome);
	if (is_to_be_told(lane))
		log_warning("a webhook was refused; more of this provider are only counted for a minute", "provider",
			    lane->config->id, "why", reasons[why].words);
	return ENGINE_E_CREDENTIAL;
}

/* What a plugin sees of the head: nothing that its manifest does not name. */
static struct reply *reply_of_call(const struct lane *lane, const struct engine_hint *hint)
{
	const struct plugin_webhook *recipe = &plugin_manifest(lane->config->plugin)->webhook;
	const char *const names[] = {"Content-Type", recipe->id_header, recipe->timestamp_header};
	struct plugin_header headers[sizeof(names) / sizeof(names[0])];
	struct reply call = {.facts = {.headers = headers, .retry_after_ms = -1}};
	struct buffer meta = {0};
	struct reply *reply;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = *names[i] ? hint->header(hint->userdata, names[i]) : NULL;

		if (value)
			headers[call.facts.n_headers++] = (struct plugin_header){.name = names[i], .value = value};
	}
	reply_write_meta(&call, &meta);
	reply = reply_of_record(buffer_bytes(&meta), hint->body);
	buffer_finish(&meta);
	if (!reply)
		abort();
	return reply;
}

void engine_take_hint(struct engine *engine, const struct engine_hint *hint, engine_hint_fn *fn, void *userdata)
{
	const struct plugin_webhook_call call = {
		.body = hint->body, .header = hint->header, .userdata = hint->userdata};
	struct lane *lane = lane_find(engine, hint->provider);
	struct hint *made;
	int r;

	if (!lane || !hint_can_call(lane)) {
		fn(userdata, ENGINE_E_NOT_FOUND, 0, NULL);
		return;
	}
	r = verify(lane, &call);
	if (r < 0)
		abort();
	if (r > 0) {
		fn(userdata, refuse(lane, r), 0, NULL);
		return;
	}
	made = take_memory(sizeof(*made));
	*made = (struct hint){.message.run = on_hint,
			      .lane = lane,
			      .reply = reply_of_call(lane, hint),
			      .fn = fn,
			      .userdata = userdata};
	loop_post(engine->loop, &made->message);
}
