/*
 * The breaker of a lane. It counts exchanges that came to nothing (no reply, or one of the server's own failures) and were
 * followed by no other: so many, and nothing is started there for a while. Then one job is, and no other while nothing was
 * heard of that one: what is sent to a provider that does not answer may have been bought. With each failure of such a
 * probe the pause doubles. What runs goes on to ask, and any reply closes the breaker, a refusal too.
 *
 * It is a lane's own and not an account's, since it is about a place that fails. A restart closes it.
 */
#include "engine/breaker.h"

#include "engine/internal.h"
#include "engine/route.h"

static int64_t now_of(const struct lane *lane)
{
	return clock_monotonic_ms(lane->engine->config.clock);
}

static int64_t pause_of(const struct breaker *breaker)
{
	int64_t pause_ms = LIMIT_ENGINE_BREAKER_MS;

	for (uint32_t i = 1; i < breaker->opened && pause_ms < LIMIT_ENGINE_BREAKER_CAP_MS; i++)
		pause_ms *= 2;
	return pause_ms < LIMIT_ENGINE_BREAKER_CAP_MS ? pause_ms : LIMIT_ENGINE_BREAKER_CAP_MS;
}

static void open_breaker(struct lane *lane)
{
	struct breaker *breaker = &lane->breaker;
	int64_t pause_ms;

	breaker->opened++;
	breaker->is_probing = false;
	pause_ms = pause_of(breaker);
	breaker->until_ms = now_of(lane) + pause_ms;
	atomic_store(&breaker->until_utc_ms, now_utc(lane->engine) + pause_ms);
	atomic_store(&breaker->is_open, true);
	metric_add(&lane->figures.breaker_opened, 1);
	log_warning("provider only fails; nothing is started there for now", "provider", lane->config->id, "failures",
		    log_int(breaker->failures), "for_ms", log_int(pause_ms));
	route_sweep(lane);
}

void breaker_tell_again(struct lane *lane)
{
	struct breaker *breaker = &lane->breaker;

	if (atomic_load(&breaker->until_utc_ms))
		atomic_store(&breaker->until_utc_ms, now_utc(lane->engine) + breaker->until_ms - now_of(lane));
}

static void close_breaker(struct lane *lane)
{
	struct breaker *breaker = &lane->breaker;

	breaker->failures = 0;
	if (breaker->opened == 0)
		return;
	breaker->opened = 0;
	breaker->is_probing = false;
	atomic_store(&breaker->is_open, false);
	log_info("provider answers again", "provider", lane->config->id);
	lane_kick(lane);
}

static void note_failure(struct lane *lane, const struct job_ref *job)
{
	struct breaker *breaker = &lane->breaker;
	bool is_probe = breaker->is_probing && job_ref_equal(&breaker->probe, job);

	breaker->failures++;
	if (breaker->opened ? is_probe : breaker->failures >= lane->config->breaker_failures)
		open_breaker(lane);
}

/* What failed here, on our disk for example, and what was given up by us says nothing about the provider. */
void breaker_note(struct entry *entry, const struct http_outcome *outcome)
{
	struct lane *lane = entry->lane;

	if (!lane || lane->config->breaker_failures == 0)
		return;
	if (outcome->kind == HTTP_NOT_SENT || outcome->kind == HTTP_AMBIGUOUS ||
	    (outcome->kind == HTTP_REPLY && outcome->status >= 500))
		note_failure(lane, &entry->ref);
	else if (outcome->kind == HTTP_REPLY)
		close_breaker(lane);
}

int64_t breaker_pause_ms(const struct lane *lane)
{
	const struct breaker *breaker = &lane->breaker;
	int64_t left_ms = breaker->until_ms - now_of(lane);

	if (breaker->opened == 0)
		return 0;
	if (breaker->is_probing)
		return LIMIT_ENGINE_BREAKER_CAP_MS;
	return left_ms > 0 ? left_ms : 0;
}

void breaker_note_start(struct lane *lane, const struct job_ref *job)
{
	struct breaker *breaker = &lane->breaker;

	if (breaker->opened == 0)
		return;
	breaker->is_probing = true;
	breaker->probe = *job;
	atomic_store(&breaker->until_utc_ms, 0);
}

/* It was cancelled, or its plugin refused it before anything was sent: the next one is the probe. */
void breaker_note_end(struct lane *lane, const struct job_ref *job)
{
	struct breaker *breaker = &lane->breaker;

	if (breaker->is_probing && job_ref_equal(&breaker->probe, job))
		breaker->is_probing = false;
}

bool breaker_is_open(const struct lane *lane, int64_t *ret_until_ms)
{
	*ret_until_ms = atomic_load(&lane->breaker.until_utc_ms);
	return atomic_load(&lane->breaker.is_open);
}
