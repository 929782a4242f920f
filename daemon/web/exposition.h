/*
 * Prometheus' text format 0.0.4: families of samples. Pure; writes into a buffer.
 */
#ifndef FG_WEB_EXPOSITION_H
#define FG_WEB_EXPOSITION_H

#include "base/bytes.h"
#include "base/metrics.h"

#define EXPOSITION_MEDIA_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition {
	struct buffer *out;
	int error;          /* the first that the buffer reported; nothing is written after it */
	const char *family; /* the one begun last */
};

/* Of the sample, ended by a NULL name; values are any UTF-8. */
struct exposition_label {
	const char *name;
	const char *value;
};

/* Begins a family; the samples that follow are its. @type: "counter", "gauge" or "histogram". */
void exposition_family(struct exposition *exposition, const char *name, const char *type, const char *help);
void exposition_integer(struct exposition *exposition, const struct exposition_label *labels, uint64_t value);
/* @value / @per_unit, a power of ten. */
void exposition_fraction(struct exposition *exposition, const struct exposition_label *labels, uint64_t value,
			 uint64_t per_unit);
void exposition_histogram(struct exposition *exposition, const struct exposition_label *labels,
			  const struct metric_reading *reading);

#endif
