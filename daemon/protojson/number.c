#include "protojson/number.h"

#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: up to here every whole number is a double */
#define EXACT_FLOAT_MAX 16777216.0f  /* 2^24: and a float */

static const char *word_of(double number)
{
	if (isnan(number))
		return "\"NaN\"";
	return number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

/* In the form of "%g". */
static void shortest_double(double number, char text[static 32])
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, 32, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			return;
	}
}

int number_append_double(struct buffer *out, double number)
{
	char text[32];

	if (!isfinite(number))
		return buffer_append_text(out, word_of(number));
	if (floor(number) == number && fabs(number) <= EXACT_MAX)
		return buffer_printf(out, "%.0f", number);
	shortest_double(number, text);
	return buffer_append_text(out, text);
}

int number_append_float(struct buffer *out, float number)
{
	char text[32];

	if (!isfinite(number))
		return buffer_append_text(out, word_of((double)number));
	if (floorf(number) == number && fabsf(number) <= EXACT_FLOAT_MAX)
		return buffer_printf(out, "%.0f", (double)number);
	for (int digits = 1; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)number);
		if (strtof(text, NULL) == number)
			break;
	}
	return buffer_append_text(out, text);
}

static bool read_word(struct bytes text, double *ret)
{
	static const struct {
		const char *word;
		double number;
	} words[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal(text, bytes_of_text(words[i].word))) {
			*ret = words[i].number;
			return true;
		}
	return false;
}

bool number_read_double(struct bytes text, bool is_quoted, double *ret)
{
	if (is_quoted && read_word(text, ret))
		return true;
	if (!decimal_is_number(text))
		return false;
	*ret = strtod(text.data, NULL);
	return isfinite(*ret);
}

bool number_read_float(struct bytes text, bool is_quoted, float *ret)
{
	double word;

	if (is_quoted && read_word(text, &word)) {
		*ret = (float)word;
		return true;
	}
	if (!decimal_is_number(text))
		return false;
	*ret = strtof(text.data, NULL);
	return isfinite(*ret);
}

/* The digits of a number but for sign, point, exponent and zeros at the end; @text is changed. */
static size_t significant(char *text)
{
	size_t n = 0;

	for (const char *p = text; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			text[n++] = *p;
	while (n && text[n - 1] == '0')
		n--;
	return n;
}

/* From 2^53 on a writer prints either the double's exact value or its shortest digits and zeros. */
bool number_was_rounded(struct bytes text, double number)
{
	char exact[328], shortest[32];
	const char *digits = text.data;
	size_t len = text.len;

	if (fabs(number) < EXACT_MAX || strpbrk(digits, ".eE"))
		return false;
	snprintf(exact, sizeof(exact), "%.0f", number);
	if (bytes_equal(text, bytes_of_text(exact)))
		return false;
	shortest_double(number, shortest);
	if (*digits == '-') {
		digits++;
		len--;
	}
	while (len && digits[len - 1] == '0')
		len--;
	return !bytes_equal(bytes_of(digits, len), bytes_of(shortest, significant(shortest)));
}
