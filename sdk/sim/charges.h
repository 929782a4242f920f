/*
 * The truth about charges: one row per generation that the provider would have billed, on disk before the reply that
 * tells of it. An append-only file of JSON lines; a reset adds a marker after which the count begins again.
 */
#ifndef FG_SIM_CHARGES_H
#define FG_SIM_CHARGES_H

#include "base/bytes.h"
#include "base/err.h"

#include <jansson.h>

enum {
	_SIM_CHARGES_E_OK,
	SIM_CHARGES_E_DAMAGED, /* a whole line that is not ours: see the message */
};

struct sim_charge {
	const char *provider;
	const char *video_id;
	const char *idempotency_key; /* NULL: none was sent */
	const char *text;            /* prompt or script; NULL: none */
	struct bytes body;           /* of the request; the row keeps its SHA-256 */
	const char *type;
	int64_t seconds;
	int64_t cost_micros; /* of a US dollar */
	int64_t utc_ms;
};

struct sim_charges;

/* Opens or creates @path and counts what it holds. A last line without its end is cut off: its reply never left. */
int sim_charges_open(const char *path, struct errmsg *msg, struct sim_charges **ret);
struct sim_charges *sim_charges_free(struct sim_charges *charges);
void sim_charges_freep(struct sim_charges **charges);

/* On 0 the row is synced. On anything else it is neither in the file nor in the report. */
int sim_charges_add(struct sim_charges *charges, const struct sim_charge *charge);
int sim_charges_reset(struct sim_charges *charges, int64_t utc_ms);

size_t sim_charges_count(const struct sim_charges *charges);
int64_t sim_charges_micros(const struct sim_charges *charges);
/* The rows since the last reset, oldest first; borrowed. */
const json_t *sim_charges_rows(const struct sim_charges *charges);

#endif
