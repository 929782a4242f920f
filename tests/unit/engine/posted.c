#include "engine/posted.h"

struct listing {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there;
	char text[2048];
	struct store_ledger_check check;
};

static void tell(struct listing *listing)
{
	pthread_mutex_lock(&listing->mutex);
	listing->is_there = true;
	pthread_cond_signal(&listing->changed);
	pthread_mutex_unlock(&listing->mutex);
}

static void hear(struct listing *listing)
{
	pthread_mutex_lock(&listing->mutex);
	while (!listing->is_there)
		pthread_cond_wait(&listing->changed, &listing->mutex);
	pthread_mutex_unlock(&listing->mutex);
}

static void on_entries(void *userdata, int outcome, const struct ledger_entry *entries, size_t n, bool more)
{
	struct listing *listing = userdata;
	size_t len = 0;

	assert_int_equal(outcome, 0);
	assert_false(more);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(listing->text + len, sizeof(listing->text) - len, "%s%s %lld %s%s",
					i ? ", " : "", ledger_kind_name(entries[i].kind),
					(long long)entries[i].amount_micros, entries[i].currency,
					entries[i].flags & LEDGER_IS_UNCONFIRMED ? "?" : "");
	tell(listing);
}

static void on_check(void *userdata, int outcome, const struct store_ledger_check *found)
{
	struct listing *listing = userdata;

	assert_int_equal(outcome, 0);
	listing->check = *found;
	tell(listing);
}

void assert_posted(struct rig *rig, const struct job_ref *job, const char *expected)
{
	struct listing listing = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	const struct store_ledger_query query = {.is_single = true, .ref = *job};

	settle(rig);
	store_list_ledger(rig->engine->store, &query, on_entries, &listing);
	hear(&listing);
	assert_string_equal(listing.text, expected);
	listing.is_there = false;
	store_check_ledger(rig->engine->store, job->tenant, on_check, &listing);
	hear(&listing);
	assert_int_equal(listing.check.leaked, 0);
	assert_int_equal(listing.check.unbalanced, 0);
}

struct job_ref order_clip(struct rig *rig)
{
	return order_with(rig, &(struct engine_create){.parameters = EIGHT_SECONDS});
}
