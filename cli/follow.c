#include "follow.h"

#include "field.h"
#include "interrupt.h"
#include "patience.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/bytes.h"
#include "base/err.h"

#define STATE(name) FILMGATE__V1__JOB_STATE__JOB_STATE_##name

#define RETRY_FOR_MS 60000
/* A stream that lived so long was a connection, even if no event passed through it. */
#define SURELY_CONNECTED_MS 15000

/* What is to be done after a stream has ended. */
enum next { NEXT_DONE, NEXT_AGAIN };

struct watch {
	const struct follow *follow;
	struct patience patience;
	int64_t end_ms; /* monotonic; negative: none */
	enum exit_code code;
	/* one job */
	const char *job;
	uint64_t revision;
	Filmgate__V1__JobState state;
	/* all jobs */
	char *token;
	enum exit_code (*on_gap)(void *userdata);
};

static struct watch watch_of(const struct follow *follow)
{
	int64_t now_ms = clock_monotonic_ms(follow->cli->clock);
	struct watch watch = {
		.follow = follow,
		.patience = patience_of(follow->cli, RETRY_FOR_MS),
		.end_ms = follow->timeout_ms < 0 ? -1 : now_ms + follow->timeout_ms,
		.code = EXIT_OK,
	};

	watch.patience.was_reached = follow->is_daemon_known;
	return watch;
}

static int64_t time_left(const struct watch *watch)
{
	int64_t left_ms = watch->end_ms - clock_monotonic_ms(watch->follow->cli->clock);

	if (watch->end_ms < 0)
		return -1;
	return left_ms > 0 ? left_ms : 0;
}

static enum next finish(struct watch *watch, enum exit_code code)
{
	watch->code = code;
	return NEXT_DONE;
}

static enum next say_how_to_go_on(struct watch *watch, enum exit_code code, const char *why)
{
	const char *uuid = watch->job ? cli_short_name(watch->job) : NULL;
	char state[FIELD_NAME_SIZE] = "";

	if (watch->state)
		render_state(watch->state, state);
	if (uuid) {
		say_error("%s: job %s goes on%s%s%s", why, watch->job, *state ? " (" : "", state, *state ? ")" : "");
		say_more("go on watching: filmgate watch %s", uuid);
		if (watch->state == STATE(UNCERTAIN))
			render_say_how_to_decide(uuid);
		else
			say_more("stop the job:   filmgate cancel %s", uuid);
	} else {
		say_error("%s", why);
	}
	return finish(watch, code);
}

static enum next after_gap(struct watch *watch)
{
	watch->revision = 0;
	free(watch->token);
	watch->token = NULL;
	if (watch->job)
		return NEXT_AGAIN;
	say_note("some changes were missed: the daemon no longer has them");
	if (watch->on_gap)
		watch->code = watch->on_gap(watch->follow->userdata);
	return watch->code == EXIT_OK ? NEXT_AGAIN : NEXT_DONE;
}

static enum next after_status(struct watch *watch, const struct status *status)
{
	struct cli *cli = watch->follow->cli;
	bool may_wait = true;

	switch (status_reason(status)) {
	case FILMGATE__V1__ERROR_REASON__ERROR_REASON_CURSOR_EXPIRED:
		return after_gap(watch);
	case FILMGATE__V1__ERROR_REASON__ERROR_REASON_WATCHER_TOO_SLOW:
		return NEXT_AGAIN;
	case FILMGATE__V1__ERROR_REASON__ERROR_REASON_TOO_MANY_WATCHERS:
	case FILMGATE__V1__ERROR_REASON__ERROR_REASON_STORE_UNAVAILABLE:
		break;
	default:
		may_wait = status_is_broken(status);
	}
	if (may_wait && time_left(watch) == 0)
		return say_how_to_go_on(watch, EXIT_TIMED_OUT, "time is over");
	if (may_wait && patience_lasts(&watch->patience, status))
		return NEXT_AGAIN;
	if (interrupt_came())
		return say_how_to_go_on(watch, EXIT_INTERRUPTED, "interrupted");
	return finish(watch, status_say(status, "cannot watch", cli->server.shown));
}

static enum next after_end(struct watch *watch)
{
	struct status odd = {.message = (char *)(uintptr_t) "the watch ended before the job did"};

	if (watch->job && render_is_final(watch->state))
		return finish(watch, render_exit_code(watch->state));
	/* Against the contract: not in a hurry, and not for ever. */
	if (patience_lasts(&watch->patience, &odd))
		return NEXT_AGAIN;
	say_error("cannot watch: %s", odd.message);
	return finish(watch, EXIT_FAILED);
}

static enum next after_outcome(struct watch *watch, int outcome, const struct status *status)
{
	switch (outcome) {
	case CLIENT_E_STATUS:
		return after_status(watch, status);
	case CLIENT_E_END:
		return after_end(watch);
	case CLIENT_E_TIMEOUT:
		return say_how_to_go_on(watch, EXIT_TIMED_OUT, "time is over");
	case CLIENT_E_INTERRUPTED:
		return say_how_to_go_on(watch, EXIT_INTERRUPTED, "interrupted");
	default:
		return finish(watch, cli_say(watch->follow->cli, outcome, status, "cannot watch"));
	}
}

/* Nothing moves it but a person, who is told now and not when somebody wonders why it takes so long. */
static void say_uncertain(struct watch *watch)
{
	say_error("job %s is UNCERTAIN: it may have been bought, and nothing is sent until you decide",
		  cli_short_name(watch->job));
	render_say_how_to_decide(cli_short_name(watch->job));
	if (watch->code == EXIT_OK && watch->follow->ends_uncertain)
		watch->code = EXIT_JOB_UNCERTAIN;
}

/* Takes what the event says about where we are, and hands it on. */
static int take_event(struct watch *watch, const Filmgate__V1__JobEvent *event)
{
	bool has_become_uncertain = false;

	if (*event->resume_token && !watch->job) {
		char *token = strdup(event->resume_token);

		if (!token)
			return err_origin(-ENOMEM);
		free(watch->token);
		watch->token = token;
	}
	patience_restore(&watch->patience);
	if (watch->job) {
		has_become_uncertain = event->status && event->status->state == STATE(UNCERTAIN) &&
				       watch->state != STATE(UNCERTAIN);
		watch->revision = event->revision;
		watch->state = event->status ? event->status->state : watch->state;
	}
	watch->code = watch->follow->fn(event, watch->follow->userdata);
	if (has_become_uncertain)
		say_uncertain(watch);
	return 0;
}

/* Reads one stream to its end, or until an event's function has had enough (0 with a code). */
static int read_stream(struct watch *watch, struct client_stream *stream, struct status *status)
{
	int64_t began_ms = clock_monotonic_ms(watch->follow->cli->clock);
	int r;

	for (;;) {
		_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
		const Filmgate__V1__JobEvent *event;

		r = client_stream_next(stream, time_left(watch), &message, status);
		if (r)
			break;
		event = watch->job ? ((Filmgate__V1__WatchJobResponse *)message)->event
				   : ((Filmgate__V1__WatchJobsResponse *)message)->event;
		if (!event)
			continue;
		r = take_event(watch, event);
		if (r || watch->code != EXIT_OK)
			return r;
		/* The stream's OK follows; it need not arrive for the outcome to be known. */
		if (watch->job && render_is_final(watch->state))
			return CLIENT_E_END;
	}
	if (clock_monotonic_ms(watch->follow->cli->clock) - began_ms > SURELY_CONNECTED_MS)
		patience_restore(&watch->patience);
	return r;
}

static int open_stream(struct watch *watch, Filmgate__V1__JobFilter *filter, struct client_stream **ret)
{
	const ProtobufCServiceDescriptor *service = &filmgate__v1__job_service__descriptor;
	Filmgate__V1__WatchJobRequest one = FILMGATE__V1__WATCH_JOB_REQUEST__INIT;
	Filmgate__V1__WatchJobsRequest all = FILMGATE__V1__WATCH_JOBS_REQUEST__INIT;

	if (watch->job) {
		one.name = (char *)(uintptr_t)watch->job;
		one.after_revision = watch->revision;
		return client_stream_open(watch->follow->cli->client, service, "WatchJob", &one.base, ret);
	}
	if (watch->token)
		all.resume_token = watch->token;
	all.filter = filter;
	return client_stream_open(watch->follow->cli->client, service, "WatchJobs", &all.base, ret);
}

static enum exit_code run(struct watch *watch, Filmgate__V1__JobFilter *filter)
{
	enum next next;

	do {
		_cleanup_(client_stream_freep) struct client_stream *stream = NULL;
		_cleanup_(status_finish) struct status status = {0};
		int r = open_stream(watch, filter, &stream);

		if (r == 0)
			r = read_stream(watch, stream, &status);
		if (r == 0)
			break;
		next = after_outcome(watch, r, &status);
	} while (next == NEXT_AGAIN);
	free(watch->token);
	return watch->code;
}

enum exit_code follow_job(const struct follow *follow, const char *job)
{
	struct watch watch = watch_of(follow);

	watch.job = job;
	return run(&watch, NULL);
}

enum exit_code follow_all(const struct follow *follow, Filmgate__V1__JobFilter *filter,
			  enum exit_code (*on_gap)(void *userdata))
{
	struct watch watch = watch_of(follow);

	watch.on_gap = on_gap;
	return run(&watch, filter);
}
