/*
 * What is shown is a copy, so that whoever asked may go while the plugin computes. The plugin is asked on a thread of
 * its lane's own (engine_provider_config.checks) about one order at a time: the first of lane->checks is with it, the
 * others wait here, on the engine's thread. Who waits too long is told so and is not shown any more; what the plugin
 * says too late of the one that it has is dropped.
 *
 * A plugin that breaks the rules here is no reason to accept: its verb start would be asked next, with money at stake.
 * Whoever ordered still has the order, so to refuse it loses nothing.
 */
#include "engine/check.h"

#include "engine/step.h"

#include "base/json.h"
#include "plugin/runner.h"

#include <sys/random.h>
#include <utlist.h>

struct shown_asset {
	char name[ASSET_NAME_SIZE];
	char media_type[ASSET_MEDIA_TYPE_SIZE];
};

struct order_check {
	struct plugin_step step; /* first: the runner hands it back */
	struct loop_message message;
	struct loop_timer timer;
	struct lane *lane;
	struct buffer job;
	struct shown_asset *shown;
	struct plugin_asset *assets;
	struct plugin_answer *answer;
	check_told_fn *told; /* NULL: was told */
	void *userdata;
	struct order_check *prev, *next; /* of the lane */
};

static const char too_many[] = "too many orders wait for the plugin's judgement; nothing was sent. Try again later";

bool check_is_needed(const struct lane *lane)
{
	return lane->config->checks != NULL;
}

static void free_check(struct order_check *check)
{
	loop_timer_cancel(&check->timer);
	plugin_answer_free(check->answer);
	buffer_finish(&check->job);
	free(check->shown);
	free(check->assets);
	free(check);
}

static void tell(struct order_check *check, const struct check_result *result)
{
	check_told_fn *told = check->told;

	check->told = NULL;
	if (told)
		told(check->userdata, result);
}

static void tell_bad(struct order_check *check, int outcome, const char *text)
{
	tell(check, &(struct check_result){.outcome = outcome, .error.text = text});
}

/* ---- what the plugin says ---- */

/* The texts of violations, in memory that lives until the end of the tale. */
struct findings {
	struct engine_violation violations[LIMIT_JOB_VIOLATIONS];
	struct buffer fields[LIMIT_JOB_VIOLATIONS];
	size_t n;
};

static void findings_finish(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		buffer_finish(&findings->fields[i]);
}

static void add_finding(struct findings *findings, const char *pointer, const char *text)
{
	struct buffer *field = &findings->fields[findings->n];

	field->limit = LIMIT_PLUGIN_WORDS;
	step_write_field(pointer, field);
	/* What hangs on nothing in particular hangs on the order. */
	if (field->len == 0)
		buffer_append_text(field, "parameters");
	findings->violations[findings->n++] = (struct engine_violation){.field = field->data, .text = text};
}

static void tell_invalid(struct order_check *check, const struct findings *findings)
{
	tell(check, &(struct check_result){.outcome = ENGINE_E_INVALID,
					   .error = {.text = findings->violations[0].text,
						     .violations = findings->violations,
						     .n_violations = findings->n}});
}

static void tell_refused(struct order_check *check)
{
	const struct plugin_failure *failure = &check->answer->failure;
	_cleanup_(findings_finish) struct findings findings = {0};
	const char *words = *failure->message ? failure->message : failure->code;

	add_finding(&findings, failure->field, *words ? words : "the plugin refuses the order and does not say why");
	tell_invalid(check, &findings);
}

/* The report is as plugin/ has checked it. */
static void tell_reported(struct order_check *check)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(findings_finish) struct findings findings = {0};
	json_node root, list;

	if (!json || json_parse(json, bytes_of_text(check->answer->report), JSON_DUPLICATES_REFUSE, &root, NULL) != 0)
		abort();
	list = json_at(json, root, "/violations");
	for (json_node n = json_first(json, list); n && findings.n < LIMIT_JOB_VIOLATIONS; n = json_next(json, n))
		add_finding(&findings, json_string(json, json_at(json, n, "/pointer")),
			    json_string(json, json_at(json, n, "/message")));
	if (findings.n)
		tell_invalid(check, &findings);
	else
		tell(check, &(struct check_result){.answer = check->answer});
}

static void tell_fault(struct order_check *check)
{
	const struct plugin_answer *answer = check->answer;
	const char *fault = answer->fault ? answer->fault : plugin_answer_name(answer->kind);
	struct errmsg why;

	errmsg_set(&why,
		   "plugin '%.64s' broke a rule when it was asked about the order, which is not accepted; nothing was "
		   "sent: %.300s",
		   check->lane->config->plugin_name, fault);
	log_error("a plugin broke a rule when it was asked about an order", "provider", check->lane->config->id, "why",
		  fault);
	tell_bad(check, ENGINE_E_PLUGIN, why.text);
}

static void tell_answer(struct order_check *check)
{
	switch (check->answer->kind) {
	case PLUGIN_ANSWER_REPORT:
		tell_reported(check);
		break;
	case PLUGIN_ANSWER_FAILED:
		tell_refused(check);
		break;
	default:
		/* plugin/ makes a fault of everything else. */
		tell_fault(check);
	}
}

/* ---- asking ---- */

static struct order_check *leave_line(struct order_check *check)
{
	struct lane *lane = check->lane;

	DL_DELETE(lane->checks, check);
	lane->n_checks--;
	lane->check_bytes -= check->job.len;
	return check;
}

/* Its time begins now, however long it has waited for its turn. */
static void show_first(struct lane *lane)
{
	struct order_check *check = lane->checks;

	loop_timer_arm(&check->timer, LIMIT_ENGINE_CHECK_MS);
	plugin_runner_post(lane->config->checks, &check->step);
}

static void on_answer_message(struct loop_message *message)
{
	struct order_check *check = loop_message_owner(message, struct order_check, message);
	struct lane *lane = check->lane;

	leave_line(check);
	/* The end leaves nobody in the line, and lets nobody in. */
	if (lane->checks)
		show_first(lane);
	if (check->told)
		tell_answer(check);
	free_check(check);
}

/* [the lane's thread for checks] */
static void on_step(struct plugin_step *step, struct plugin_answer *take)
{
	struct order_check *check = (struct order_check *)(void *)step;

	if (!take)
		abort();
	if (take->kind == PLUGIN_ANSWER_FAULT)
		metric_add(&check->lane->figures.plugin_faults, 1);
	check->answer = take;
	check->message.run = on_answer_message;
	loop_post(check->lane->engine->loop, &check->message);
}

static void tell_silent(struct order_check *check)
{
	struct errmsg why;

	errmsg_set(
		&why,
		"plugin '%.64s' has not judged an order within %d seconds, so this one is not accepted; nothing was sent. "
		"Send it again later; if that does not help, restart the daemon",
		check->lane->config->plugin_name, LIMIT_ENGINE_CHECK_MS / 1000);
	tell_bad(check, ENGINE_E_PLUGIN, why.text);
}

static void on_late(void *userdata)
{
	struct order_check *check = userdata, *first = check->lane->checks;

	if (check == first) {
		log_error("a plugin does not answer to an order", "provider", check->lane->config->id, "plugin",
			  check->lane->config->plugin_name);
		tell_silent(check);
		return;
	}
	/* Nobody waits for the first any more: the plugin has had its time. */
	if (first->told)
		tell_bad(check, ENGINE_E_QUEUE_FULL, too_many);
	else
		tell_silent(check);
	free_check(leave_line(check));
}

static bool is_line_full(const struct lane *lane, const struct order_check *check)
{
	return lane->n_checks >= LIMIT_ENGINE_CHECKS || lane->check_bytes + check->job.len > LIMIT_ENGINE_CHECKS_BYTES;
}

static void begin(struct loop_message *message)
{
	struct order_check *check = loop_message_owner(message, struct order_check, message);
	struct lane *lane = check->lane;
	bool is_full = is_line_full(lane, check);

	if (is_full || atomic_load(&lane->engine->phase) != ENGINE_PHASE_SERVING) {
		tell_bad(check, is_full ? ENGINE_E_QUEUE_FULL : ENGINE_E_DRAINING,
			 is_full ? too_many : ENGINE_DRAINING);
		free_check(check);
		return;
	}
	DL_APPEND(lane->checks, check);
	lane->n_checks++;
	lane->check_bytes += check->job.len;
	if (check == lane->checks)
		show_first(lane);
	else
		loop_timer_arm(&check->timer, LIMIT_ENGINE_CHECK_MS);
}

static void show_assets(struct order_check *check, const struct check_order *order)
{
	check->shown = take_memory((order->n_assets + 1) * sizeof(*check->shown));
	check->assets = take_memory((order->n_assets + 1) * sizeof(*check->assets));
	for (size_t i = 0; i < order->n_assets; i++) {
		const struct asset *asset = &order->assets[i];
		struct shown_asset *shown = &check->shown[check->step.n_assets];

		if (!*asset->media_type)
			continue;
		asset_name_format(&asset->sha256, shown->name);
		memcpy(shown->media_type, asset->media_type, sizeof(shown->media_type));
		check->assets[check->step.n_assets++] = (struct plugin_asset){
			.name = shown->name, .media_type = shown->media_type, .size_bytes = asset->size_bytes};
	}
	check->step.assets = check->assets;
}

void check_ask(struct lane *lane, const struct check_order *order, check_told_fn *told, void *userdata)
{
	struct order_check *check = take_memory(sizeof(*check));

	check->lane = lane;
	check->told = told;
	check->userdata = userdata;
	check->message.run = begin;
	step_write_job(order->job, order->title, &check->job);
	check->step = (struct plugin_step){
		.account = lane->config->account,
		.verb = PLUGIN_VERB_CHECK,
		.job = buffer_bytes(&check->job),
		.now_ms = order->job->created_ms,
		.fn = on_step,
	};
	show_assets(check, order);
	if (getrandom(check->step.random, sizeof(check->step.random), 0) != (ssize_t)sizeof(check->step.random))
		abort();
	loop_timer_init(&check->timer, lane->engine->loop, on_late, check);
	loop_post(lane->engine->loop, &check->message);
}

void check_end_all(struct lane *lane)
{
	struct order_check *first = lane->checks;

	while (first && first->next) {
		tell_bad(first->next, ENGINE_E_DRAINING, ENGINE_DRAINING);
		free_check(leave_line(first->next));
	}
	if (!first)
		return;
	/* The plugin is reading it. */
	loop_timer_cancel(&first->timer);
	tell_bad(first, ENGINE_E_DRAINING, ENGINE_DRAINING);
}
