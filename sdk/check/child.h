/*
 * Code that nobody knows yet runs in a child process with limits, so that a crash, an exit or a hang of it is a finding
 * and not the end of this program. The limits are against accidents: the child runs with this user's rights.
 */
#ifndef FG_SDK_CHECK_CHILD_H
#define FG_SDK_CHECK_CHILD_H

#include "base/bytes.h"

#define CHILD_TEXT 2048       /* bytes of what a child has to say */
#define CHILD_STEP 262144     /* bytes of the step that it stands in */
#define CHILD_CPU_S 30        /* beyond what the caller allows */
#define CHILD_MEMORY_MIB 2048 /* of address space */
#define CHILD_FILES 64        /* open at once */
#define CHILD_HANG_MS 10000   /* without a sign of life */

/* Shared with the parent, who reads it when the child has ended. */
struct child_desk {
	volatile uint64_t beat;       /* the child counts; one that stands still hangs */
	volatile uint64_t steps;      /* for the report */
	volatile uint32_t step_len;   /* 0: none */
	char step[CHILD_STEP];        /* the recording of the step that runs, or the file that is read */
	volatile uint32_t outcome;    /* the child's own: 0 is well */
	volatile uint32_t has_spoken; /* it came to its end */
	char text[CHILD_TEXT];        /* its words, NUL-terminated */
};

/* In the child: fills in @desk->outcome and @desk->text. */
typedef void child_fn(struct child_desk *desk, void *userdata);

enum {
	_CHILD_E_OK,
	CHILD_E_DIED, /* @why says how: a signal, an exit, a hang */
};

/* NULL when out of memory. */
struct child_desk *child_desk_new(void);
void child_desk_free(struct child_desk *desk);
/* Sign of life, and what is being done now; @step may be empty. In the child. */
void child_stands_in(struct child_desk *desk, struct bytes step);
/* In the child: its last words. */
__attribute__((format(printf, 3, 4))) void child_says(struct child_desk *desk, uint32_t outcome, const char *format,
						      ...);

/*
 * Runs @fn in a child that may use @seconds of processor time beyond the ordinary. 0 and @desk is filled in, the outcome
 * from above, or negative errno.
 */
int child_run(struct child_desk *desk, unsigned int seconds, child_fn *fn, void *userdata, char why[static 256]);

#endif
