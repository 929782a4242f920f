#include "engine/verb.h"

#include "engine/lift.h"
#include "engine/request.h"

#include "plugin/webhook.h"

/*
 * A run hops between threads: the plugin's answer and the exchange's outcome each come as a message that carries the
 * run itself, which is therefore never freed while either is under way. engine_stop() waits for every run.
 */
struct verb_run {
	struct loop_message message;
	struct engine *engine;
	struct step_subject subject;
	enum plugin_verb verb;
	uint32_t phase;
	uint32_t hops;
	bool was_asked; /* the last exchange that the plugin wanted has brought a reply */
	struct plugin_answer *answer;
	struct http_outcome *outcome;
	struct lift *lift;                                                   /* of the exchange under way, or NULL */
	void (*then)(struct entry *entry, const struct verb_result *result); /* of a job */
	verb_told_fn *told;                                                  /* of nobody's */
	void *userdata;
};

static const char draining[] = "the daemon is shutting down; ask again when it is back";

static void take_step(struct verb_run *run, struct reply *take);

bool verb_is_offered(const struct lane *lane, enum plugin_verb verb)
{
	return lane->config->plugin && plugin_can(lane->config->plugin, verb);
}

static void end(struct verb_run *run, const struct verb_result *result)
{
	struct entry *entry = run->subject.entry;
	struct verb_result told = *result;

	told.was_asked = run->was_asked;
	run->engine->verb_runs--;
	if (entry) {
		entry->verb = NULL;
		run->then(entry, &told);
	} else {
		run->told(run->userdata, &told);
	}
	plugin_answer_free(run->answer);
	lift_free(run->lift);
	free(run);
	if (entry)
		entry_pump(entry);
}

static void end_bad(struct verb_run *run, int outcome, const char *why)
{
	end(run, &(struct verb_result){.outcome = outcome, .text = why});
}

/*
 * An answer that comes after the engine's end: from a plugin that outlasted the drain's limit. There is no store any
 * more; whoever asked about a job hears of the end when its entry goes.
 */
static bool leave(struct verb_run *run)
{
	if (atomic_load(&run->engine->phase) != ENGINE_PHASE_STOPPED)
		return false;
	if (run->subject.entry)
		run->subject.entry->verb = NULL;
	else
		run->told(run->userdata, &(struct verb_result){.outcome = ENGINE_E_DRAINING, .text = draining});
	plugin_answer_free(run->answer);
	http_outcome_free(run->outcome);
	lift_free(run->lift);
	free(run);
	return true;
}

/* ---- the exchange ---- */

/* Only what may be better the next time is out of reach: an address that is refused stays refused. */
static void end_unanswered(struct verb_run *run, const struct http_outcome *outcome)
{
	struct errmsg why;

	switch (outcome->kind) {
	case HTTP_ADDRESS_REFUSED:
	case HTTP_INVALID:
		errmsg_set(&why, "nothing was sent to the provider: %s", outcome->message);
		end_bad(run, ENGINE_E_PROVIDER, why.text);
		break;
	case HTTP_TOO_LARGE:
	case HTTP_UNREADABLE:
		errmsg_set(&why, "the provider's reply is of no use: %s", outcome->message);
		end_bad(run, ENGINE_E_PROVIDER, why.text);
		break;
	case HTTP_ABORTED:
		/* Nobody cancels these but the end of the daemon. */
		end_bad(run, ENGINE_E_DRAINING, draining);
		break;
	default:
		errmsg_set(&why, "the provider could not be reached: %s", outcome->message);
		end_bad(run, ENGINE_E_UNREACHABLE, why.text);
	}
}

/* What the provider will sign with is nobody's but the engine's: no plugin and no recording has it. */
static void capture(struct verb_run *run, struct http_outcome *outcome)
{
	const struct plugin_manifest *manifest;
	char *secret = NULL;

	if (!run->subject.secret || outcome->status < 200 || outcome->status > 299)
		return;
	manifest = plugin_manifest(run->subject.lane->config->plugin);
	if (plugin_webhook_capture(manifest, &outcome->body, &secret) < 0)
		abort();
	if (!secret)
		return;
	if (*run->subject.secret)
		explicit_bzero(*run->subject.secret, strlen(*run->subject.secret));
	free(*run->subject.secret);
	*run->subject.secret = secret;
}

static void on_outcome_message(struct loop_message *message)
{
	struct verb_run *run = loop_message_owner(message, struct verb_run, message);
	struct http_outcome *outcome;
	struct reply *reply;

	if (leave(run))
		return;
	outcome = steal(run->outcome);
	if (outcome->kind == HTTP_REPLY) {
		run->was_asked = true;
		capture(run, outcome);
		reply = reply_of_outcome(outcome, now_utc(run->engine));
		lift_describe(run->lift, reply);
		run->lift = lift_free(run->lift);
		take_step(run, reply);
		return;
	}
	end_unanswered(run, outcome);
	http_outcome_free(outcome);
}

/* [http thread] */
static void on_outcome(struct http_outcome *outcome, void *userdata)
{
	struct verb_run *run = userdata;

	metric_add(&run->subject.lane->figures.exchanges[outcome->kind], 1);
	run->outcome = outcome;
	run->message.run = on_outcome_message;
	loop_post(run->engine->loop, &run->message);
}

static void exchange(struct verb_run *run)
{
	const struct plugin_exchange *asked = &run->answer->exchange;
	struct http_request request;
	struct exchange_headers headers;
	struct errmsg why;
	int r;

	run->was_asked = false;
	if (exchange_buys(asked) || run->hops++ >= LIMIT_ENGINE_VERB_HOPS) {
		end_bad(run, ENGINE_E_PROVIDER, "the plugin asked for an exchange that has no place here");
		return;
	}
	run->phase = asked->phase;
	exchange_request(run->subject.lane, asked, NULL, &headers, &request);
	/* The plugin sees what it sees in a poll; the video itself is for the job's own poll to bring. */
	run->lift = lift_new_for_nothing(run->subject.lane, asked, &request);
	r = http_send(run->engine->config.http, &request, on_outcome, run, NULL);
	exchange_headers_finish(&headers);
	if (r == 0)
		return;
	exchange_explain(r, &why);
	end_bad(run, r == HTTP_E_STOPPING ? ENGINE_E_DRAINING : ENGINE_E_UNREACHABLE, why.text);
}

/* ---- the plugin's answer ---- */

static void end_cancelled(struct verb_run *run)
{
	static const enum job_cancel_outcome achieved[] = {
		[PLUGIN_CANCEL_UNKNOWN] = JOB_CANCEL_DETACHED,
		[PLUGIN_CANCEL_ACHIEVED] = JOB_CANCEL_UPSTREAM,
		[PLUGIN_CANCEL_TOO_LATE] = JOB_CANCEL_TOO_LATE,
		[PLUGIN_CANCEL_NOT_POSSIBLE] = JOB_CANCEL_DETACHED,
	};

	end(run, &(struct verb_result){.cancel = achieved[run->answer->cancelled.achieved]});
}

/* Nobody but a reply of the provider's speaks for it: without one it is the plugin, or a token that is not there. */
static const char *who_refused(const struct verb_run *run)
{
	if (run->hops)
		return "the provider refused";
	return run->answer->failure.reason == PLUGIN_REASON_TOKEN
		       ? "nothing was sent to the provider, for want of an access token"
		       : "nothing was sent to the provider";
}

static void end_failed(struct verb_run *run)
{
	const struct plugin_failure *failure = &run->answer->failure;
	struct errmsg why;

	errmsg_set(&why, "%s: %s%s%s", who_refused(run), failure->code, *failure->code && *failure->message ? ": " : "",
		   failure->message);
	end(run, &(struct verb_result){
			 .outcome = failure->reason == PLUGIN_REASON_AUTH ? ENGINE_E_CREDENTIAL : ENGINE_E_PROVIDER,
			 .text = why.text,
			 .failure = failure,
			 .is_final = run->answer->kind == PLUGIN_ANSWER_FAILED,
		 });
}

static void end_odd(struct verb_run *run)
{
	metric_add(&run->subject.lane->figures.plugin_faults, 1);
	end_bad(run, ENGINE_E_PROVIDER, "the plugin gave an answer that has no meaning here");
}

static void on_answer_message(struct loop_message *message)
{
	struct verb_run *run = loop_message_owner(message, struct verb_run, message);

	if (leave(run))
		return;
	switch (run->answer->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		exchange(run);
		break;
	case PLUGIN_ANSWER_CANCELLED:
		end_cancelled(run);
		break;
	case PLUGIN_ANSWER_REPORT:
		end(run, &(struct verb_result){.report = run->answer->report});
		break;
	case PLUGIN_ANSWER_WAIT:
		if (run->verb == PLUGIN_VERB_POLL)
			end(run, &(struct verb_result){.report = "{}"});
		else
			end_odd(run);
		break;
	case PLUGIN_ANSWER_DONE:
		end(run, &(struct verb_result){.report = "{}"});
		break;
	case PLUGIN_ANSWER_FAILED:
	case PLUGIN_ANSWER_TROUBLE:
		end_failed(run);
		break;
	case PLUGIN_ANSWER_FAULT:
		end_bad(run, ENGINE_E_PROVIDER, run->answer->fault);
		break;
	default:
		end_odd(run);
	}
}

/* [runner thread] */
static void on_answer(void *userdata, struct plugin_answer *take)
{
	struct verb_run *run = userdata;

	run->answer = take;
	run->message.run = on_answer_message;
	loop_post(run->engine->loop, &run->message);
}

static void take_step(struct verb_run *run, struct reply *take)
{
	run->answer = plugin_answer_free(run->answer);
	step_call(&run->subject, run->verb, run->phase, take, on_answer, run);
}

static void run_of_job(struct entry *entry, enum plugin_verb verb, const char *remote_id,
		       void (*then)(struct entry *entry, const struct verb_result *result))
{
	struct verb_run *run = take_memory(sizeof(*run));

	run->engine = entry->engine;
	run->subject = (struct step_subject){.lane = entry->lane, .entry = entry, .remote_id = remote_id};
	run->verb = verb;
	run->then = then;
	entry->verb = run;
	entry->engine->verb_runs++;
	take_step(run, NULL);
}

void verb_run_job(struct entry *entry, enum plugin_verb verb,
		  void (*then)(struct entry *entry, const struct verb_result *result))
{
	run_of_job(entry, verb, NULL, then);
}

void verb_run_look(struct entry *entry, const char *remote_id,
		   void (*then)(struct entry *entry, const struct verb_result *result))
{
	run_of_job(entry, PLUGIN_VERB_POLL, remote_id, then);
}

/* ---- verbs of no job ---- */

void verb_run(const struct step_subject *subject, enum plugin_verb verb, verb_told_fn *told, void *userdata)
{
	struct verb_run *run = take_memory(sizeof(*run));

	*run = (struct verb_run){
		.engine = subject->lane->engine, .subject = *subject, .verb = verb, .told = told, .userdata = userdata};
	run->engine->verb_runs++;
	if (atomic_load(&run->engine->phase) != ENGINE_PHASE_SERVING)
		end_bad(run, ENGINE_E_DRAINING, draining);
	else
		take_step(run, NULL);
}

/* ---- the account: a free read that proves the key ---- */

struct check {
	struct loop_message message;
	struct lane *lane;
	engine_check_fn *fn;
	void *userdata;
};

static void on_told(void *userdata, const struct verb_result *result)
{
	struct check *check = userdata;
	struct engine_error error = {.text = result->text ? result->text : ""};

	check->fn(check->userdata, result->outcome, result->outcome ? &error : NULL, result->report);
	free(check);
}

static void on_check(struct loop_message *message)
{
	struct check *check = loop_message_owner(message, struct check, message);

	verb_run(&(struct step_subject){.lane = check->lane}, PLUGIN_VERB_ACCOUNT, on_told, check);
}

void engine_check_provider(struct engine *engine, const char *id, engine_check_fn *fn, void *userdata)
{
	struct lane *lane = lane_find(engine, id);
	struct errmsg why;
	struct engine_error error = {.text = why.text};
	struct check *check;

	if (!lane) {
		request_name_providers(engine, id, &why);
		fn(userdata, ENGINE_E_NOT_FOUND, &error, NULL);
		return;
	}
	if (!lane->config->plugin) {
		errmsg_set(&why, "it cannot be used: %.360s; mend that and restart the daemon",
			   lane->config->problem ? lane->config->problem : "its plugin is not loaded");
		error.text = why.text;
		fn(userdata, ENGINE_E_PROVIDER, &error, NULL);
		return;
	}
	if (!verb_is_offered(lane, PLUGIN_VERB_ACCOUNT)) {
		error.text = "its plugin has no way to check the account";
		fn(userdata, ENGINE_E_STATE, &error, NULL);
		return;
	}
	check = take_memory(sizeof(*check));
	*check = (struct check){.message.run = on_check, .lane = lane, .fn = fn, .userdata = userdata};
	loop_post(engine->loop, &check->message);
}
