#include "artifact/claim.h"

#include <assert.h>

struct claim {
	struct claim *next;
	struct digest sha256;
	uint32_t holders;
	bool is_collecting; /* then there are no holders */
	struct collection wish;
};

void claims_init(struct claims *claims)
{
	*claims = (struct claims){0};
	pthread_mutex_init(&claims->mutex, NULL);
	pthread_cond_init(&claims->collected, NULL);
}

void claims_finish(struct claims *claims)
{
	for (size_t i = 0; i < 256; i++) {
		while (claims->buckets[i]) {
			struct claim *claim = claims->buckets[i];

			claims->buckets[i] = claim->next;
			free(claim);
		}
	}
	pthread_cond_destroy(&claims->collected);
	pthread_mutex_destroy(&claims->mutex);
}

/* The place of the pointer to it; what is there is NULL when nobody claims the content. */
static struct claim **find(struct claims *claims, const struct digest *sha256)
{
	struct claim **place = &claims->buckets[sha256->bytes[0]];

	while (*place && memcmp(&(*place)->sha256, sha256, sizeof(*sha256)) != 0)
		place = &(*place)->next;
	return place;
}

static struct claim *add(struct claims *claims, const struct digest *sha256)
{
	struct claim **place = find(claims, sha256);

	if (!*place) {
		*place = calloc(1, sizeof(**place));
		if (*place)
			(*place)->sha256 = *sha256;
	}
	return *place;
}

static void forget(struct claim **place)
{
	struct claim *claim = *place;

	*place = claim->next;
	free(claim);
}

int claims_take(struct claims *claims, const struct digest *sha256)
{
	struct claim *claim;

	pthread_mutex_lock(&claims->mutex);
	while ((claim = *find(claims, sha256)) && claim->is_collecting)
		pthread_cond_wait(&claims->collected, &claims->mutex);
	claim = add(claims, sha256);
	if (claim)
		claim->holders++;
	pthread_mutex_unlock(&claims->mutex);
	return claim ? 0 : err_origin(-ENOMEM);
}

void claims_drop(struct claims *claims, const struct digest *sha256, struct collection *ret)
{
	struct claim **place;

	*ret = (struct collection){0};
	pthread_mutex_lock(&claims->mutex);
	place = find(claims, sha256);
	assert(*place && (*place)->holders > 0);
	if (--(*place)->holders == 0) {
		*ret = (*place)->wish;
		forget(place);
	}
	pthread_mutex_unlock(&claims->mutex);
}

int claims_take_alone(struct claims *claims, const struct digest *sha256, const struct collection *wish)
{
	struct claim *claim;
	int r = 0;

	pthread_mutex_lock(&claims->mutex);
	claim = *find(claims, sha256);
	if (claim) {
		if (!claim->is_collecting)
			claim->wish = *wish;
		r = CLAIM_E_HELD;
	} else {
		claim = add(claims, sha256);
		if (claim)
			claim->is_collecting = true;
		else
			r = err_origin(-ENOMEM);
	}
	pthread_mutex_unlock(&claims->mutex);
	return r;
}

void claims_drop_alone(struct claims *claims, const struct digest *sha256)
{
	struct claim **place;

	pthread_mutex_lock(&claims->mutex);
	place = find(claims, sha256);
	assert(*place && (*place)->is_collecting);
	forget(place);
	pthread_cond_broadcast(&claims->collected);
	pthread_mutex_unlock(&claims->mutex);
}
