/*
 * What a fuzz target is: one function over bytes from outside, which must come back, whatever they are. It returns 0
 * (keep the input) or -1 (of no interest), leaves nothing behind, and opens neither file nor socket.
 */
#ifndef FG_TESTS_FUZZ_FUZZ_H
#define FG_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
