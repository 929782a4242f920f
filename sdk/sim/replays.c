#include "sim/replays.h"

#include "base/err.h"
#include "base/limits.h"
#include "sim/table.h"

struct replay {
	UT_hash_handle hh;
	char *key;
	int64_t utc_ms;
	int64_t answered_ms;
	int status;
	char *body;
};

struct sim_replays {
	struct replay *table; /* in the order of insertion */
	int64_t window_ms;
};

int sim_replays_new(int64_t window_ms, struct sim_replays **ret)
{
	struct sim_replays *replays = calloc(1, sizeof(*replays));

	if (!replays)
		return err_origin(-ENOMEM);
	replays->window_ms = window_ms;

	*ret = replays;
	return 0;
}

static void forget(struct sim_replays *replays, struct replay *replay)
{
	HASH_DEL(replays->table, replay);
	free(replay->key);
	free(replay->body);
	free(replay);
}

void sim_replays_reset(struct sim_replays *replays)
{
	while (replays->table)
		forget(replays, replays->table);
}

struct sim_replays *sim_replays_free(struct sim_replays *replays)
{
	if (!replays)
		return NULL;
	sim_replays_reset(replays);
	free(replays);
	return NULL;
}

size_t sim_replays_count(const struct sim_replays *replays)
{
	return HASH_COUNT(replays->table);
}

int sim_replays_find(struct sim_replays *replays, const char *key, int64_t utc_ms, struct sim_reply *reply)
{
	struct replay *found;

	HASH_FIND_STR(replays->table, key, found);
	if (!found)
		return SIM_REPLAYS_E_UNKNOWN;
	if (utc_ms - found->utc_ms >= replays->window_ms) {
		forget(replays, found);
		return SIM_REPLAYS_E_UNKNOWN;
	}
	if (utc_ms < found->answered_ms)
		return SIM_REPLAYS_E_RUNNING;
	return sim_reply_text(reply, found->status, "application/json", bytes_of_text(found->body));
}

int sim_replays_add(struct sim_replays *replays, const char *key, int64_t utc_ms, int64_t answered_ms,
		    const struct sim_reply *reply)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return err_origin(-ENOMEM);
	replay->key = strdup(key);
	replay->body = bytes_dup_text(buffer_bytes(&reply->body));
	if (!replay->key || !replay->body) {
		free(replay->key);
		free(replay->body);
		free(replay);
		return err_origin(-ENOMEM);
	}
	replay->utc_ms = utc_ms;
	replay->answered_ms = answered_ms;
	replay->status = reply->status;
	if (HASH_COUNT(replays->table) >= LIMIT_SIM_REPLAYS)
		forget(replays, replays->table);
	HASH_ADD_KEYPTR(hh, replays->table, replay->key, strlen(replay->key), replay);
	return 0;
}
