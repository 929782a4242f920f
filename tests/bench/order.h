/* The order that a benchmark repeats: one CreateJobRequest, packed once, with a new request_id each time. */
#ifndef FG_TESTS_BENCH_ORDER_H
#define FG_TESTS_BENCH_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct order {
	uint8_t bytes[1024];
	size_t len;
	size_t id_at;   /* where the digits of the request_id begin */
	uint64_t first; /* numbers of different runs do not meet */
};

void order_init(struct order *order);
/* Writes the @n-th order of this run into @ret, which has room for order->len bytes. */
void order_copy(const struct order *order, uint64_t n, uint8_t *ret);

#endif
