#include "store/tenants.h"

#include "base/err.h"

void tenants_init(struct tenants *tenants)
{
	*tenants = (struct tenants){0};
	pthread_mutex_init(&tenants->mutex, NULL);
}

void tenants_finish(struct tenants *tenants)
{
	free(tenants->list);
	pthread_mutex_destroy(&tenants->mutex);
}

void tenants_forget(struct tenants *tenants)
{
	pthread_mutex_lock(&tenants->mutex);
	tenants->n = 0;
	pthread_mutex_unlock(&tenants->mutex);
}

static size_t place_of(const struct tenants *tenants, uint64_t tenant)
{
	size_t low = 0, high = tenants->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tenants->list[middle] < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int tenants_add(struct tenants *tenants, uint32_t tenant)
{
	uint32_t *list;
	size_t place;

	pthread_mutex_lock(&tenants->mutex);
	place = place_of(tenants, tenant);
	list = tenants->list;
	if (place == tenants->n || list[place] != tenant) {
		list = reallocarray(tenants->list, tenants->n + 1, sizeof(*list));
		if (list) {
			memmove(list + place + 1, list + place, (tenants->n - place) * sizeof(*list));
			list[place] = tenant;
			tenants->list = list;
			tenants->n++;
		}
	}
	pthread_mutex_unlock(&tenants->mutex);
	return list ? 0 : err_origin(-ENOMEM);
}

bool tenants_next(struct tenants *tenants, uint64_t from, uint32_t *ret)
{
	bool found;
	size_t place;

	pthread_mutex_lock(&tenants->mutex);
	place = place_of(tenants, from);
	found = place < tenants->n;
	if (found)
		*ret = tenants->list[place];
	pthread_mutex_unlock(&tenants->mutex);
	return found;
}
