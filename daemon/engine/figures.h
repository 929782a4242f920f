/*
 * What the engine counts of each provider, and of the jobs whose provider is not configured. Added to where it happens,
 * on any thread; read by engine_measure() alone.
 */
#ifndef FG_ENGINE_FIGURES_H
#define FG_ENGINE_FIGURES_H

#include "base/metrics.h"
#include "engine/engine.h"
#include "http/http.h"
#include "job/ledger.h"

struct entry;

/* What became of a webhook of the provider's. */
enum hint_outcome {
	HINT_PULLED,    /* a job is asked about earlier for it */
	HINT_EARLY,     /* the job was asked about just now, or is being asked: it is when its pause is over */
	HINT_UNMATCHED, /* no job that is running has such a video */
	HINT_IGNORED,   /* it is about no video */
	HINT_FORGED,
	HINT_STALE,
	HINT_UNSIGNED,
	HINT_FAULT,   /* the plugin broke a rule */
	HINT_REFUSED, /* too many at once */
	_HINT_OUTCOME_COUNT
};

/* In one currency, on the engine's thread. */
struct money_figures {
	char currency[ENGINE_CURRENCY_SIZE];
	int64_t reserved_micros; /* now */
	int64_t spent_micros;    /* since the start */
};

struct figures {
	/* Committed. How many are in that state, or have come to it since the start where it is an end. */
	struct metric jobs[_JOB_STATE_COUNT];
	struct metric accepted;
	struct metric ambiguous_sends;
	struct metric plugin_faults;
	struct metric breaker_opened;
	struct metric artifacts, artifact_bytes;
	struct metric mismatches; /* of videos with what was ordered */
	struct metric exchanges[_HTTP_KIND_N];
	struct metric hints[_HINT_OUTCOME_COUNT];
	struct metric_histogram poll_lateness_ms; /* metric_durations_ms, both */
	struct metric_histogram submit_ms;
	struct money_figures money[ENGINE_CURRENCIES];
	size_t n_currencies;
};

struct figures *figures_of(const struct entry *entry);
/* A change was committed, of a job that was in @from before it, and whose figures were @before. */
void figures_note_change(const struct entry *entry, struct figures *before, enum job_state from);
/* An entry of the ledger was committed; or, at the start, a job holds a reservation. What does not fit, because there are
 * more currencies than are shown, is left out. */
void figures_note_money(struct figures *figures, const struct ledger_entry *posted);
void figures_note_held(struct figures *figures, const struct job_money *money);
/* The first request of a poll that was due at @due_ms of monotonic time has ended. */
void figures_note_poll(const struct entry *entry, int64_t due_ms, const struct http_outcome *outcome);

#endif
