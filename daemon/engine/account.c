/*
 * Limits of an account. Several configured providers may be one account: the same secrets at the same place, a gateway
 * with several models for example. Then their jobs count together against the largest number that one of them may run at
 * once, and their starts against the smallest rate; what the provider says of the account to one of them holds for all
 * (lane_block()).
 *
 * The rate is kept by distance: a start may follow the one before after a minute divided by the rate. So no minute,
 * whenever it begins, has more of them.
 */
#include "engine/account.h"

#include "engine/run.h"

#define MINUTE_MS 60000

/* ---- who shares ---- */

static bool is_same_account(const struct engine_provider_config *a, const struct engine_provider_config *b)
{
	struct digest place_a, place_b;

	if (!a->plugin || !b->plugin || memcmp(&a->account_digest, &b->account_digest, sizeof(struct digest)) != 0)
		return false;
	place_a = send_place_of(a->base_url);
	place_b = send_place_of(b->base_url);
	return memcmp(&place_a, &place_b, sizeof(place_a)) == 0;
}

void account_init(struct lane *lane)
{
	lane->account = lane;
	for (struct lane *other = lane->engine->lanes; other < lane; other++)
		if (is_same_account(other->config, lane->config)) {
			lane->account = other->account;
			return;
		}
}

void account_each_other(struct lane *lane, void (*fn)(struct lane *other, void *userdata), void *userdata)
{
	struct engine *engine = lane->engine;
	size_t at = (size_t)(lane - engine->lanes);

	for (size_t i = 1; i < engine->n_lanes; i++) {
		struct lane *other = &engine->lanes[(at + i) % engine->n_lanes];

		if (other->account == lane->account)
			fn(other, userdata);
	}
}

/* ---- slots and rate ---- */

struct limits {
	uint32_t running, concurrency;
	uint32_t rate; /* starts a minute; 0: no limit */
};

static struct limits limits_of(const struct lane *lane)
{
	const struct engine *engine = lane->engine;
	struct limits limits = {0};

	for (size_t i = 0; i < engine->n_lanes; i++) {
		const struct lane *other = &engine->lanes[i];

		if (other->account != lane->account)
			continue;
		limits.running += atomic_load(&other->running);
		if (other->config->concurrency > limits.concurrency)
			limits.concurrency = other->config->concurrency;
		if (other->config->rate && (limits.rate == 0 || other->config->rate < limits.rate))
			limits.rate = other->config->rate;
	}
	return limits;
}

bool account_has_slot(const struct lane *lane)
{
	struct limits limits = limits_of(lane);

	return atomic_load(&lane->running) < lane->config->concurrency && limits.running < limits.concurrency;
}

static int64_t now_of(const struct lane *lane)
{
	return clock_monotonic_ms(lane->engine->config.clock);
}

int64_t account_pause_ms(const struct lane *lane)
{
	int64_t left_ms = lane->account->next_start_ms - now_of(lane);

	return left_ms > 0 ? left_ms : 0;
}

static void move_next_start(struct lane *lane, int64_t pause_ms)
{
	lane->account->next_start_ms = now_of(lane) + pause_ms;
	atomic_store(&lane->account->next_start_utc_ms, now_utc(lane->engine) + pause_ms);
}

void account_tell_again(struct lane *lane)
{
	atomic_store(&lane->account->next_start_utc_ms, now_utc(lane->engine) + account_pause_ms(lane));
}

void account_note_start(struct lane *lane)
{
	struct limits limits = limits_of(lane);

	if (limits.rate)
		move_next_start(lane, (MINUTE_MS + limits.rate - 1) / limits.rate);
}

void account_undo_start(struct lane *lane)
{
	if (limits_of(lane).rate)
		move_next_start(lane, 0);
	lane_kick(lane);
}

enum job_wait account_wait(const struct lane *lane, int64_t *ret_until_ms)
{
	int64_t until_ms = atomic_load(&lane->account->next_start_utc_ms);

	*ret_until_ms = 0;
	if (!account_has_slot(lane))
		return JOB_WAIT_CAPACITY;
	if (until_ms <= now_utc(lane->engine))
		return JOB_WAIT_NONE;
	*ret_until_ms = until_ms;
	return JOB_WAIT_RATE_LIMIT;
}
