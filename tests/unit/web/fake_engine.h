/*
 * An engine that says what the test wants, at once on the asking thread or when it is told to.
 */
#ifndef FG_TESTS_UNIT_WEB_FAKE_ENGINE_H
#define FG_TESTS_UNIT_WEB_FAKE_ENGINE_H

#include "engine/engine.h"

void fake_reset(void);
/* From here on, what it answers. [any-thread] */
void fake_health(struct engine_health health);
/* From here on questions wait for fake_release(). [any-thread] */
void fake_hold(void);
/* Returns when @n questions wait. */
void fake_await(size_t n);
/* Answers what waits, on this thread. */
void fake_release(void);

#endif
