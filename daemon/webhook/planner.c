/*
 * From events to deliveries. Each event is looked at once for each endpoint: its deliveries and the note that it was
 * looked at are one commit. An event that nobody is to be told of is only noted now and then; to look at it again after a
 * crash finds the same.
 */
#include "webhook/inside.h"

#include "webhook/message.h"

#define AGAIN_MS 10000

/* ---- what comes from the watch's thread ---- */

struct heard {
	struct loop_message message;
	struct webhooks *webhooks;
	struct store_event event;
	char record[];
};

struct passed {
	struct loop_message message;
	struct webhooks *webhooks;
	uint64_t sequence;
};

struct ended {
	struct loop_message message;
	struct webhooks *webhooks;
	int outcome;
};

static void pass(struct webhooks *webhooks, uint64_t sequence)
{
	for (size_t i = 0; i < webhooks->n_endpoints; i++)
		if (webhooks->endpoints[i].read < sequence)
			webhooks->endpoints[i].read = sequence;
}

static void grant(struct webhooks *webhooks)
{
	if (webhooks->watch && !webhooks->is_closing)
		engine_watch_grant(webhooks->watch, 1);
}

bool planner_stop(struct webhooks *webhooks)
{
	if (!webhooks->watch)
		return false;
	if (!webhooks->is_closing)
		engine_watch_close(webhooks->watch);
	webhooks->is_closing = true;
	return true;
}

/* ---- one event ---- */

struct plan {
	struct loop_message message;
	struct webhooks *webhooks;
	struct store_commit *commit;
	int outcome;
	struct store_delivery all[LIMIT_WEBHOOK_ENDPOINTS];
	size_t n;
};

static bool wants(const struct endpoint *endpoint, const struct store_snapshot *snapshot, const char *type)
{
	bool is_wanted = endpoint->n_events == 0;

	for (size_t i = 0; i < endpoint->n_events; i++)
		is_wanted = is_wanted || strcmp(endpoint->events[i], type) == 0;
	return is_wanted && (endpoint->url || snapshot->webhook_url) && endpoint->read < snapshot->sequence;
}

static void plan_delivery(struct plan *plan, const struct endpoint *endpoint, const struct store_snapshot *snapshot,
			  uint64_t history, const struct buffer *body)
{
	struct webhooks *webhooks = plan->webhooks;
	struct store_delivery *delivery = &plan->all[plan->n++];
	char id[MESSAGE_ID_SIZE];

	message_id_of(history, &snapshot->ref.id, snapshot->status->revision, id);
	*delivery = (struct store_delivery){
		.key = {.tenant = snapshot->ref.tenant, .sequence = snapshot->sequence},
		.state = STORE_DELIVERY_PENDING,
		.message_id = need_text(id),
		.type = need_text(message_type_of(snapshot)),
		.job = snapshot->ref.id,
		.revision = snapshot->status->revision,
		.url = need_text(endpoint->url ? NULL : snapshot->webhook_url),
		.created_ms = clock_utc_ms(webhooks->clock),
		.next_ms = clock_utc_ms(webhooks->clock),
	};
	snprintf(delivery->key.endpoint, sizeof(delivery->key.endpoint), "%s", endpoint->name);
	if (buffer_append(&delivery->body, body->data, body->len) < 0)
		abort();
	if (metric_value(&webhooks->pending) >= LIMIT_WEBHOOK_PENDING) {
		delivery->state = STORE_DELIVERY_DEAD;
		delivery->ended_ms = delivery->created_ms;
		delivery->problem = need_text("as many wait to be delivered as the daemon keeps; it was not tried");
		metric_add(&webhooks->dead, 1);
	}
	store_commit_put_delivery(plan->commit, delivery);
	store_commit_put_delivery_cursor(plan->commit, &delivery->key);
}

static void free_plan(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		store_delivery_finish(&plan->all[i]);
	store_commit_free(plan->commit);
	free(plan);
}

static void on_planned(struct loop_message *message)
{
	struct plan *plan = loop_message_owner(message, struct plan, message);
	struct webhooks *webhooks = plan->webhooks;

	for (size_t i = 0; i < plan->n && plan->outcome == 0 && !webhooks->is_stopping; i++)
		if (plan->all[i].state == STORE_DELIVERY_PENDING)
			item_add(webhooks, &plan->all[i].key, plan->all[i].url, plan->all[i].next_ms);
	/* The store waits for its disk as long as it takes: it refuses only when it is being closed. */
	if (plan->outcome && !webhooks->is_stopping)
		log_error("webhooks were not stored; they come after the next start", "outcome",
			  log_int(plan->outcome));
	grant(webhooks);
	free_plan(plan);
}

/* [engine thread] */
static void on_kept(void *userdata, int outcome)
{
	struct plan *plan = userdata;

	plan->outcome = outcome;
	loop_post(plan->webhooks->loop, &plan->message);
}

static void fill_plan(struct plan *plan, const struct store_snapshot *snapshot, int64_t time_ms)
{
	uint64_t history = engine_position(plan->webhooks->engine).epoch;
	struct buffer body = {0};
	int r = message_write(snapshot, time_ms, history, &body);

	if (r == -ENOMEM)
		abort();
	if (r < 0)
		log_error("a job's change cannot be told", "error", log_errno(r), "sequence",
			  log_int((int64_t)snapshot->sequence));
	for (size_t i = 0; i < plan->webhooks->n_endpoints && r == 0; i++) {
		struct endpoint *endpoint = &plan->webhooks->endpoints[i];

		if (!wants(endpoint, snapshot, message_type_of(snapshot)))
			continue;
		plan_delivery(plan, endpoint, snapshot, history, &body);
		endpoint->read = endpoint->read_kept = snapshot->sequence;
	}
	buffer_finish(&body);
}

static void plan_event(struct webhooks *webhooks, const struct store_snapshot *snapshot, int64_t time_ms)
{
	struct plan *plan = need_memory(sizeof(*plan));

	plan->message.run = on_planned;
	plan->webhooks = webhooks;
	plan->commit = need_commit();
	if (message_type_of(snapshot))
		fill_plan(plan, snapshot, time_ms);
	pass(webhooks, snapshot->sequence);
	if (plan->n) {
		struct store_commit *commit = steal(plan->commit);

		engine_keep_deliveries(webhooks->engine, commit, on_kept, plan);
		return;
	}
	free_plan(plan);
	grant(webhooks);
}

static void on_heard(struct loop_message *message)
{
	struct heard *heard = loop_message_owner(message, struct heard, message);
	struct webhooks *webhooks = heard->webhooks;
	struct store_snapshot *snapshot = NULL;
	int r;

	if (!webhooks->is_stopping) {
		r = store_event_read(&heard->event, &snapshot);
		if (r == 0) {
			plan_event(webhooks, snapshot, heard->event.time_ms);
		} else {
			log_error("an event cannot be read: nobody is told of it", "sequence",
				  log_int((int64_t)heard->event.sequence), "outcome", log_int(r));
			grant(webhooks);
		}
		store_snapshot_free(snapshot);
	}
	free(heard);
}

/* [watch thread] */
static void on_event(void *userdata, const struct store_event *event)
{
	struct webhooks *webhooks = userdata;
	struct heard *heard = need_memory(sizeof(*heard) + event->record.len);

	heard->message.run = on_heard;
	heard->webhooks = webhooks;
	heard->event = *event;
	memcpy(heard->record, event->record.data, event->record.len);
	heard->event.record.data = heard->record;
	loop_post(webhooks->loop, &heard->message);
}

/* ---- what is passed over, and the end of a watch ---- */

static void on_passed_message(struct loop_message *message)
{
	struct passed *passed = loop_message_owner(message, struct passed, message);
	struct webhooks *webhooks = passed->webhooks;

	if (!webhooks->is_stopping) {
		pass(webhooks, passed->sequence);
		grant(webhooks);
	}
	free(passed);
}

/* [watch thread] */
static void on_passed(void *userdata, uint64_t sequence)
{
	struct passed *passed = need_memory(sizeof(*passed));

	*passed = (struct passed){.message.run = on_passed_message, .webhooks = userdata, .sequence = sequence};
	loop_post(passed->webhooks->loop, &passed->message);
}

/* Whatever it was, it begins anew when the watch is closed; but not when the daemon stops, which closes it itself. */
static void on_ended(struct loop_message *message)
{
	struct ended *ended = loop_message_owner(message, struct ended, message);
	struct webhooks *webhooks = ended->webhooks;

	if (!webhooks->is_stopping && ended->outcome != ENGINE_E_DRAINING) {
		if (ended->outcome == ENGINE_E_CURSOR_EXPIRED) {
			log_error("events that nobody was told of are not kept any more (events.retention_s); webhooks "
				  "go on with what happens now");
			pass(webhooks, engine_position(webhooks->engine).sequence);
		} else {
			log_error("the events cannot be followed for webhooks; it is tried again", "outcome",
				  log_int(ended->outcome));
		}
		planner_stop(webhooks);
	}
	free(ended);
}

/* [watch thread] */
static void on_end(void *userdata, int outcome, const struct engine_error *error)
{
	struct ended *ended = need_memory(sizeof(*ended));

	(void)error;
	*ended = (struct ended){.message.run = on_ended, .webhooks = userdata, .outcome = outcome};
	loop_post(ended->webhooks->loop, &ended->message);
}

static void on_closed_message(struct loop_message *message)
{
	struct webhooks *webhooks = loop_message_owner(message, struct webhooks, closed_message);

	webhooks->watch = NULL;
	webhooks->is_closing = false;
	if (webhooks->is_stopping)
		loop_stop(webhooks->loop);
	else
		loop_timer_arm(&webhooks->start_timer, AGAIN_MS);
}

/* [watch thread] */
static void on_closed(void *userdata)
{
	struct webhooks *webhooks = userdata;

	webhooks->closed_message.run = on_closed_message;
	loop_post(webhooks->loop, &webhooks->closed_message);
}

void planner_start(struct webhooks *webhooks)
{
	const struct store_filter filter = {
		.states = 1U << JOB_STATE_SUCCEEDED | 1U << JOB_STATE_FAILED | 1U << JOB_STATE_CANCELLED |
			  1U << JOB_STATE_EXPIRED | 1U << JOB_STATE_UNCERTAIN,
	};
	const struct engine_watcher watcher = {.on_event = on_event,
					       .on_passed = on_passed,
					       .on_end = on_end,
					       .on_closed = on_closed,
					       .userdata = webhooks};
	struct engine_watch_spec spec = {.tenant = JOB_TENANT_DEFAULT, .filter = &filter, .after_sequence = UINT64_MAX};
	int r;

	for (size_t i = 0; i < webhooks->n_endpoints; i++)
		if (webhooks->endpoints[i].read < spec.after_sequence)
			spec.after_sequence = webhooks->endpoints[i].read;
	r = webhooks->watch ? 0 : engine_watch_open(webhooks->engine, &spec, &watcher, &webhooks->watch);
	if (r == 0)
		engine_watch_grant(webhooks->watch, LIMIT_WEBHOOK_PLANNED);
	else if (r != ENGINE_E_DRAINING)
		loop_timer_arm(&webhooks->start_timer, AGAIN_MS);
}
