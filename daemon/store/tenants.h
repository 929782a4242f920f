/*
 * Which tenants there are: each has a Tenant record from its first job on. Kept in memory, since finding them by
 * scanning would step over every deleted key. Any thread.
 */
#ifndef FG_STORE_TENANTS_H
#define FG_STORE_TENANTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tenants {
	pthread_mutex_t mutex;
	uint32_t *list; /* rising */
	size_t n;
};

void tenants_init(struct tenants *tenants);
void tenants_finish(struct tenants *tenants);
/* 0 or -ENOMEM. */
int tenants_add(struct tenants *tenants, uint32_t tenant);
void tenants_forget(struct tenants *tenants);
/* The first at or behind @from, which is wider than a tenant so that a loop can step behind the last. False: none. */
bool tenants_next(struct tenants *tenants, uint64_t from, uint32_t *ret);

static inline bool tenants_has(struct tenants *tenants, uint32_t tenant)
{
	uint32_t next;

	return tenants_next(tenants, tenant, &next) && next == tenant;
}

#endif
