/*
 * What goes to standard error: errors and notes for a person, one line each. Data goes to standard output and never
 * passes through here.
 *
 * Text that comes from a provider may hold anything: control characters are shown as "?" so that no reply can steer
 * the terminal.
 */
#ifndef FG_CLI_SAY_H
#define FG_CLI_SAY_H

#include <stdbool.h>

/* Notes are dropped from now on; errors are not. */
void say_quietly(void);
/* Is standard error a terminal that wants to see progress? */
bool say_is_live(void);

/* "filmgate: …" */
__attribute__((format(printf, 1, 2))) void say_error(const char *format, ...);
/* An indented line that belongs to the error before it. */
__attribute__((format(printf, 1, 2))) void say_more(const char *format, ...);
/* A line that --quiet drops. */
__attribute__((format(printf, 1, 2))) void say_note(const char *format, ...);
/* A line on a live terminal that the next one replaces; nothing elsewhere. */
__attribute__((format(printf, 1, 2))) void say_progress(const char *format, ...);

/* Replaces every control character, C0, DEL and C1, and what turns the direction of writing or ends a line, in place; a line feed by a space, so that a line stays one. */
void say_make_safe(char *text);

#endif
