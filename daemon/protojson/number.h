/*
 * Floating point numbers as ProtoJSON writes them: with the fewest digits that read back as the same number, and three
 * words for what JSON has no number for.
 */
#ifndef FG_PROTOJSON_NUMBER_H
#define FG_PROTOJSON_NUMBER_H

#include "base/bytes.h"

/* As buffer_append(). */
int number_append_double(struct buffer *out, double number);
int number_append_float(struct buffer *out, float number);

/* A number of JSON, which a quoted one has to be, too, that the type can hold; it is rounded to the nearest. Of a quoted
 * one also the words. False: it is not that. @text ends with a NUL that is not counted. */
bool number_read_double(struct bytes text, bool is_quoted, double *ret);
bool number_read_float(struct bytes text, bool is_quoted, float *ret);

/* Is this number of JSON written as a whole one whose digits @number has lost? What any writer of ProtoJSON makes of a
 * double is not. */
bool number_was_rounded(struct bytes text, double number);

#endif
