/*
 * An allocator that fails on the n-th call, for walking every error path of a constructor:
 *
 *     do {
 *             allocator_fail(++nth);
 *             r = thing_new(&thing);
 *     } while (allocator_failed());
 *
 * A test that wants it names filmgate_allocator among its LIBS. Only calls from our own objects are reached; shared
 * libraries keep their allocator.
 */
#ifndef FG_TESTS_UNIT_ALLOCATOR_H
#define FG_TESTS_UNIT_ALLOCATOR_H

#include <stdbool.h>

/* From here on the @nth call fails (counted from 1), all others succeed. 0: none fails. */
void allocator_fail(int nth);
/* Has that call come? Also switches the failure off. */
bool allocator_failed(void);

#endif
