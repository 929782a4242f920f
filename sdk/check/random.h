/*
 * Numbers that look random and are the same for the same seed.
 */
#ifndef FG_SDK_CHECK_RANDOM_H
#define FG_SDK_CHECK_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state; /* not 0 */
};

static inline uint64_t dice_throw(struct dice *dice)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return dice->state;
}

/* 0 to @n - 1; 0 when @n is 0. */
static inline uint64_t dice_below(struct dice *dice, uint64_t n)
{
	return n ? (dice_throw(dice) >> 11) % n : 0;
}

static inline bool dice_percent(struct dice *dice, unsigned int percent)
{
	return dice_below(dice, 100) < percent;
}

#endif
