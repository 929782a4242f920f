/*
 * WatchJob and WatchJobs: the engine's watch on one side, a stream on the other.
 *
 * The engine delivers what it was granted, and the stream's queue has room for exactly that: LIMIT_RPC_FIFO grants at
 * first, one more for each message that the client's window took. So a client that does not read makes the engine
 * wait, not the daemon's memory grow, and nothing is ever dropped.
 *
 * Who lets go: the stream closes (end, cancel, lost connection) -> the engine's watch is closed -> its on_closed. The
 * watch object has a reference for each party that may still call.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/events.h"
#include "api/inside.h"
#include "api/message.h"
#include "api/stream.h"
#include "api/token.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"

#include <filmgate/v1/job_service.pb-c.h>

#define GRANT_STEP (LIMIT_RPC_FIFO / 4) /* grants go in lots, to wake the engine less often */

struct watch {
	struct stream *stream;
	struct api *api;
	atomic_uint refs;
	bool is_single;
	struct job_ref ref;
	uint64_t after_revision;
	uint64_t epoch;
	char name[48]; /* of the job, for errors */

	uint32_t extra;  /* messages sent that no grant was used for; stream thread after the start */
	uint32_t unused; /* grants not yet handed on; stream thread */

	pthread_mutex_t lock;
	struct engine_watch *engine_watch; /* NULL: not open yet */
	bool is_closed;                    /* the stream is; what opens later is closed at once */
};

static struct watch *watch_new(struct stream *stream)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		abort();
	watch->stream = stream;
	watch->api = stream->call->api;
	atomic_store(&watch->refs, 1);
	pthread_mutex_init(&watch->lock, NULL);
	return watch;
}

static void watch_unref(struct watch *watch)
{
	if (atomic_fetch_sub(&watch->refs, 1) != 1)
		return;
	stream_unref(watch->stream);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

static void end(struct watch *watch, int outcome, const struct engine_error *error)
{
	struct failure failure = failure_of_engine(outcome, error, watch->is_single ? RESOURCE_JOB : RESOURCE_NONE,
						   watch->is_single ? watch->name : NULL);

	stream_finish(watch->stream, &failure);
}

/* ---- from the engine, on the watch thread ---- */

static void on_event(void *userdata, const struct store_event *event)
{
	struct failure slow = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_WATCHER_TOO_SLOW};
	struct watch *watch = userdata;
	struct packed *message;
	bool is_final;
	int r;

	r = event_cache_get(watch->api->events, event, watch->epoch, &message, &is_final);
	if (r < 0) {
		end(watch, r, NULL);
		return;
	}
	/* Refused when the stream is over, or if more came than was granted. */
	if (!stream_send(watch->stream, message))
		stream_finish(watch->stream, &slow);
	else if (watch->is_single && is_final)
		stream_finish(watch->stream, NULL);
}

static bool send_event(struct watch *watch, Filmgate__V1__JobEvent *event)
{
	Filmgate__V1__WatchJobResponse response = FILMGATE__V1__WATCH_JOB_RESPONSE__INIT;

	response.event = event;
	return stream_send(watch->stream, message_pack(&response.base));
}

/* The token that the client has is not to outlive the events behind it. */
static void on_passed(void *userdata, uint64_t sequence)
{
	struct failure slow = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_WATCHER_TOO_SLOW};
	struct watch *watch = userdata;
	struct arena arena = {0};

	if (!send_event(watch, convert_bookmark(&arena, watch->epoch, sequence, clock_utc_ms(watch->api->clock))))
		stream_finish(watch->stream, &slow);
	arena_finish(&arena);
}

static void on_end(void *userdata, int outcome, const struct engine_error *error)
{
	end(userdata, outcome, error);
}

static void on_engine_closed(void *userdata)
{
	watch_unref(userdata);
}

static void open_watch(struct watch *watch, const struct engine_watch_spec *spec)
{
	const struct engine_watcher watcher = {.on_event = on_event,
					       .on_passed = on_passed,
					       .on_end = on_end,
					       .on_closed = on_engine_closed,
					       .userdata = watch};
	struct engine_watch *opened;
	bool is_closed;
	int r;

	atomic_fetch_add(&watch->refs, 1);
	r = engine_watch_open(watch->api->engine, spec, &watcher, &opened);
	if (r) {
		end(watch, r, NULL);
		watch_unref(watch);
		return;
	}
	/* Granted under the lock, so that a closing in between cannot take the watch away. */
	pthread_mutex_lock(&watch->lock);
	watch->engine_watch = opened;
	is_closed = watch->is_closed;
	if (!is_closed)
		engine_watch_grant(opened, LIMIT_RPC_FIFO);
	pthread_mutex_unlock(&watch->lock);
	if (is_closed)
		engine_watch_close(opened);
}

/* ---- from the stream, on its thread ---- */

static void on_sent(void *userdata, uint32_t n)
{
	struct watch *watch = userdata;

	if (watch->extra) {
		watch->extra--;
		return;
	}
	watch->unused += n;
	if (watch->unused < GRANT_STEP)
		return;
	pthread_mutex_lock(&watch->lock);
	if (watch->engine_watch) {
		engine_watch_grant(watch->engine_watch, watch->unused);
		watch->unused = 0;
	}
	pthread_mutex_unlock(&watch->lock);
}

static void on_closed(void *userdata)
{
	struct watch *watch = userdata;
	struct engine_watch *opened;

	pthread_mutex_lock(&watch->lock);
	watch->is_closed = true;
	opened = watch->engine_watch;
	pthread_mutex_unlock(&watch->lock);
	if (opened)
		engine_watch_close(opened);
	watch_unref(watch);
}

static const struct stream_events stream_side = {.on_sent = on_sent, .on_closed = on_closed};

/* ---- WatchJob ---- */

static void watch_from(struct watch *watch, uint64_t after_revision)
{
	stream_begin(watch->stream);
	open_watch(watch, &(struct engine_watch_spec){.tenant = watch->ref.tenant,
						      .is_single = true,
						      .ref = watch->ref,
						      .after_revision = after_revision});
}

static void on_view(void *userdata, int outcome, const struct engine_error *error, struct job_view *take, bool replayed)
{
	struct watch *watch = userdata;
	struct arena arena = {0};
	bool has_ended;
	uint64_t revision;

	(void)replayed;
	if (outcome) {
		end(watch, outcome, error);
		watch_unref(watch);
		return;
	}
	revision = take->status->revision;
	has_ended = job_state_is_terminal(take->status->state);
	if (watch->after_revision == 0)
		send_event(watch, convert_view_event(&arena, take));
	arena_finish(&arena);
	job_view_finish(take);

	if (watch->after_revision > revision)
		end(watch, ENGINE_E_CURSOR_EXPIRED, NULL);
	else if (has_ended && (watch->after_revision == 0 || watch->after_revision == revision))
		stream_finish(watch->stream, NULL);
	else
		watch_from(watch, watch->after_revision ? watch->after_revision : revision);
	watch_unref(watch);
}

static bool refuse(struct stream *stream, const struct violations *violations)
{
	struct failure failure;

	if (violations->n == 0)
		return false;
	failure = failure_of_violations(violations);
	stream_finish(stream, &failure);
	return true;
}

void handle_watch_job(struct stream *stream, const void *message)
{
	struct violations violations = {.arena = &stream->call->arena};
	const Filmgate__V1__WatchJobRequest *request = message;
	struct job_ref ref = {.tenant = JOB_TENANT_DEFAULT};
	struct watch *watch;

	check_job_name("name", request->name, &violations, &ref.id);
	if (refuse(stream, &violations))
		return;
	watch = watch_new(stream);
	watch->is_single = true;
	watch->ref = ref;
	watch->after_revision = request->after_revision;
	watch->extra = request->after_revision == 0;
	watch->epoch = engine_position(watch->api->engine).epoch;
	snprintf(watch->name, sizeof(watch->name), "%s", request->name);
	stream_listen(stream, &stream_side, watch);

	atomic_fetch_add(&watch->refs, 1);
	engine_get_job(watch->api->engine, &ref, on_view, watch);
}

/* ---- WatchJobs ---- */

/* Where to go on; ENGINE_E_CURSOR_EXPIRED for a token of another history, or of a future that never was. */
static int read_position(const char *token, const struct engine_position *now, struct violations *violations,
			 uint64_t *ret_sequence)
{
	uint64_t epoch, sequence;

	if (!*token) {
		*ret_sequence = now->sequence;
		return 0;
	}
	if (token_read_resume(token, &epoch, &sequence) != 0) {
		violations_add(violations, "resume_token", "is none of ours, or damaged");
		return ENGINE_E_INVALID;
	}
	if (epoch != now->epoch || sequence > now->sequence)
		return ENGINE_E_CURSOR_EXPIRED;
	*ret_sequence = sequence;
	return 0;
}

void handle_watch_jobs(struct stream *stream, const void *message)
{
	struct call *call = stream->call;
	struct violations violations = {.arena = &call->arena};
	const Filmgate__V1__WatchJobsRequest *request = message;
	struct engine_position now = engine_position(call->api->engine);
	struct engine_watch_spec spec = {.tenant = JOB_TENANT_DEFAULT};
	struct watch *watch;
	int r;

	spec.filter = &check_filter(request->filter, &violations)->filter;
	if (request->filter && *request->filter->query)
		violations_add(&violations, "filter.query",
			       "is for lists: an event does not have the texts of its job");
	r = read_position(request->resume_token, &now, &violations, &spec.after_sequence);
	if (refuse(stream, &violations))
		return;
	watch = watch_new(stream);
	watch->epoch = now.epoch;
	stream_listen(stream, &stream_side, watch);
	if (r) {
		end(watch, r, NULL);
		return;
	}
	if (*request->resume_token) {
		stream_begin(stream);
	} else {
		watch->extra = 1;
		send_event(watch,
			   convert_bookmark(&call->arena, now.epoch, now.sequence, clock_utc_ms(call->api->clock)));
	}
	open_watch(watch, &spec);
}
