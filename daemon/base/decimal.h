/*
 * Decimal numbers as text, read and written exactly: money, seconds and seeds never pass through a double.
 */
#ifndef FG_BASE_DECIMAL_H
#define FG_BASE_DECIMAL_H

#include "base/bytes.h"

#define DECIMAL_SCALE_MAX 18
#define DECIMAL_TEXT_SIZE 24 /* sign, 19 digits, point, a leading zero, NUL */

enum {
	_DECIMAL_E_OK,
	DECIMAL_E_MALFORMED, /* not a number in JSON's form */
	DECIMAL_E_INEXACT,   /* has digits behind the scale */
	DECIMAL_E_RANGE,     /* does not fit */
};

/* The number times ten to the @scale (0 to DECIMAL_SCALE_MAX): "0.0385" at 6 is 38500. Exponents are understood. */
int decimal_parse(struct bytes text, unsigned int scale, int64_t *ret);
/* A whole number up to UINT64_MAX. */
int decimal_parse_unsigned(struct bytes text, uint64_t *ret);
/* Is this a number in JSON's grammar (RFC 8259, section 6)? */
bool decimal_is_number(struct bytes text);
/* @value divided by ten to the @scale, without trailing zeros behind the point. */
void decimal_format(int64_t value, unsigned int scale, char text[static DECIMAL_TEXT_SIZE]);

#endif
