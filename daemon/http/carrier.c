#include "http/carrier.h"

#include "base/err.h"
#include "http/multi.h"

#include <utlist.h>

#define BUCKETS 1024

struct lane {
	struct call *waiting; /* first come, first served */
	size_t running;
	size_t cap;
};

struct carrier {
	struct loop *loop;
	struct multi *multi;
	const char *thread_name;
	atomic_size_t *waiting;
	/* By id, all that were submitted and are not concluded. The table never grows, so that no call can be lost to
	 * want of memory; at LIMIT_HTTP_WAITING a chain has a hundred links, and only a cancel walks it. */
	struct call *buckets[BUCKETS];
	size_t call_count;
	struct lane lanes[_HTTP_LANE_N];
	bool is_draining;
	int64_t drain_limit_ms;
	struct loop_message drain_message;
	struct loop_timer drain_timer;
};

struct cancel {
	struct loop_message message;
	struct carrier *carrier;
	uint64_t id;
};

static struct call **bucket_of(struct carrier *carrier, uint64_t id)
{
	return &carrier->buckets[id / _HTTP_LANE_N % BUCKETS];
}

static void enlist(struct carrier *carrier, struct call *call)
{
	DL_APPEND2(*bucket_of(carrier, call->id), call, bucket_prev, bucket_next);
	carrier->call_count++;
}

static void strike_off(struct carrier *carrier, struct call *call)
{
	DL_DELETE2(*bucket_of(carrier, call->id), call, bucket_prev, bucket_next);
	carrier->call_count--;
}

static struct call *find_call(struct carrier *carrier, uint64_t id)
{
	struct call *call;

	DL_FOREACH2(*bucket_of(carrier, id), call, bucket_next)
	if (call->id == id)
		return call;
	return NULL;
}

/* Accounts for @call, hands its outcome out, and forgets it. */
static void conclude(struct call *call, CURLcode code)
{
	struct carrier *carrier = call->carrier;
	http_done_fn on_done = call->on_done;
	void *userdata = call->userdata;
	struct http_outcome *outcome;

	loop_timer_cancel(&call->idle);
	strike_off(carrier, call);
	outcome = call_conclude(call, code);
	call_free(call);
	on_done(outcome, userdata);
}

static void leave_queue(struct carrier *carrier, struct call *call)
{
	DL_DELETE(carrier->lanes[call->lane].waiting, call);
	atomic_fetch_sub(carrier->waiting, 1);
}

/* Either adds the call to the transfers under way, or concludes it as not sent. */
static void start(struct carrier *carrier, struct call *call)
{
	int r = call_prepare(call);

	call->started_ms = call_now_ms(call);
	if (r == 0)
		r = multi_add(carrier->multi, call->easy);
	if (r == 0)
		carrier->lanes[call->lane].running++;
	else
		conclude(call, r == -ENOMEM ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT);
}

static void start_waiting(struct carrier *carrier, struct lane *lane)
{
	while (lane->waiting && lane->running < lane->cap && !carrier->is_draining) {
		struct call *call = lane->waiting;

		leave_queue(carrier, call);
		start(carrier, call);
	}
}

static void stop_if_drained(struct carrier *carrier)
{
	if (carrier->is_draining && carrier->call_count == 0) {
		loop_timer_cancel(&carrier->drain_timer);
		loop_stop(carrier->loop);
	}
}

static void finish(struct call *call, CURLcode code)
{
	struct carrier *carrier = call->carrier;
	struct lane *lane = &carrier->lanes[call->lane];

	lane->running--;
	conclude(call, code);
	start_waiting(carrier, lane);
	stop_if_drained(carrier);
}

static void on_transfer_done(CURL *easy, CURLcode code, void *userdata)
{
	void *call = NULL;

	(void)userdata;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
	finish(call, code);
}

/* Ends a call that waits or runs, for a reason of ours. */
static void abort_call(struct carrier *carrier, struct call *call, enum call_stop stop)
{
	call_stop(call, stop);
	if (call->easy) {
		multi_remove(carrier->multi, call->easy);
		finish(call, CURLE_ABORTED_BY_CALLBACK);
	} else {
		leave_queue(carrier, call);
		conclude(call, CURLE_ABORTED_BY_CALLBACK);
	}
}

static void on_idle(void *userdata)
{
	struct call *call = userdata;
	int64_t still_ms = call_now_ms(call) - call->marked_ms;

	if (still_ms < call->idle_timeout_ms)
		loop_timer_arm(&call->idle, call->idle_timeout_ms - still_ms);
	else
		abort_call(call->carrier, call, CALL_STOP_IDLE);
}

static void run_submit(struct loop_message *message)
{
	struct call *call = loop_message_owner(message, struct call, message);
	struct carrier *carrier = call->carrier;
	struct lane *lane = &carrier->lanes[call->lane];

	loop_timer_init(&call->idle, carrier->loop, on_idle, call);
	enlist(carrier, call);
	DL_APPEND(lane->waiting, call);
	if (carrier->is_draining)
		abort_call(carrier, call, CALL_STOP_DRAINED);
	else if (call->stop != CALL_STOP_NONE)
		abort_call(carrier, call, call->stop);
	else
		start_waiting(carrier, lane);
}

void carrier_submit(struct carrier *carrier, struct call *call)
{
	call->carrier = carrier;
	call->message.run = run_submit;
	loop_post(carrier->loop, &call->message);
}

static void run_cancel(struct loop_message *message)
{
	_cleanup_(freep) struct cancel *cancel = loop_message_owner(message, struct cancel, message);
	struct call *call = find_call(cancel->carrier, cancel->id);

	if (call)
		abort_call(cancel->carrier, call, CALL_STOP_CANCELLED);
}

int carrier_cancel(struct carrier *carrier, uint64_t id)
{
	struct cancel *cancel = calloc(1, sizeof(*cancel));

	if (!cancel)
		return err_origin(-ENOMEM);
	*cancel = (struct cancel){.message.run = run_cancel, .carrier = carrier, .id = id};
	loop_post(carrier->loop, &cancel->message);
	return 0;
}

/* A callback only posts, so that walking the table while its entries go is safe. */
static void abort_all(struct carrier *carrier, bool spare_paid)
{
	struct call *call, *next;

	for (int i = 0; i < BUCKETS; i++)
		DL_FOREACH_SAFE2(carrier->buckets[i], call, next, bucket_next)
	if (!spare_paid || !(call->flags & HTTP_ONCE) || !call->may_have_left)
		abort_call(carrier, call, CALL_STOP_DRAINED);
}

static void on_drain_limit(void *userdata)
{
	abort_all(userdata, false);
}

static void run_drain(struct loop_message *message)
{
	struct carrier *carrier = loop_message_owner(message, struct carrier, drain_message);

	carrier->is_draining = true;
	abort_all(carrier, true);
	if (carrier->call_count)
		loop_timer_arm(&carrier->drain_timer, carrier->drain_limit_ms);
	stop_if_drained(carrier);
}

void carrier_drain(struct carrier *carrier, int64_t limit_ms)
{
	carrier->drain_limit_ms = limit_ms;
	carrier->drain_message.run = run_drain;
	loop_post(carrier->loop, &carrier->drain_message);
}

int carrier_new(const struct carrier_config *config, struct carrier **ret)
{
	struct carrier *carrier = calloc(1, sizeof(*carrier));
	int r;

	if (!carrier)
		return err_origin(-ENOMEM);
	carrier->thread_name = config->thread_name;
	carrier->waiting = config->waiting;
	for (int i = 0; i < _HTTP_LANE_N; i++)
		carrier->lanes[i].cap = config->lane_caps[i];

	r = loop_new(&carrier->loop);
	if (r == 0)
		r = multi_new(carrier->loop, on_transfer_done, carrier, &carrier->multi);
	if (r < 0) {
		carrier_free(carrier);
		return err_trace(r);
	}
	loop_timer_init(&carrier->drain_timer, carrier->loop, on_drain_limit, carrier);
	*ret = carrier;
	return 0;
}

int carrier_start(struct carrier *carrier)
{
	return loop_start(carrier->loop, carrier->thread_name);
}

void carrier_join(struct carrier *carrier)
{
	loop_join(carrier->loop);
}

struct carrier *carrier_free(struct carrier *carrier)
{
	if (!carrier)
		return NULL;
	assert(carrier->call_count == 0);
	carrier->is_draining = true;
	multi_free(carrier->multi);
	loop_free(carrier->loop);
	free(carrier);
	return NULL;
}
