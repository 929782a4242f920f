/*
 * Instants as the simulator's reports write them: 2026-11-22T10:00:00.123Z.
 */
#ifndef FG_SIM_STAMP_H
#define FG_SIM_STAMP_H

#include <stdint.h>

#define SIM_STAMP_SIZE 32

struct sim_stamp {
	char text[SIM_STAMP_SIZE];
};

struct sim_stamp sim_stamp_of(int64_t utc_ms);

#endif
