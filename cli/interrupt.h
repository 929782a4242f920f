/*
 * Ctrl-C, and SIGTERM, by which a script ends the program. The first one sets a flag that every wait looks at, so that
 * it is said how to go on; the second one ends the program at once. Nothing that runs in the daemon is touched by
 * either.
 */
#ifndef FG_CLI_INTERRUPT_H
#define FG_CLI_INTERRUPT_H

#include <stdbool.h>

/* How long any wait may go without looking at the flag. */
#define INTERRUPT_SLICE_MS 100

/* Once, before the first thread. Also keeps a reader that goes away (SIGPIPE) from ending the program. */
void interrupt_start(void);
bool interrupt_came(void);

#endif
