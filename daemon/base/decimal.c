#include "base/decimal.h"

#include <assert.h>
#include <stdio.h>

/* A number taken apart: digits without point or sign, and where the point stands in them. */
struct parts {
	bool is_negative;
	const char *whole;
	size_t whole_len;
	const char *fraction;
	size_t fraction_len;
	int64_t exponent;
};

static size_t count_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - start);
}

/* Exponents beyond a few thousand all mean the same here, out of range, so the value stops growing there. */
static bool parse_exponent(const char *p, const char *end, int64_t *ret)
{
	bool is_negative = p < end && *p == '-';
	int64_t value = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end || count_digits(p, end) != (size_t)(end - p))
		return false;
	for (; p < end; p++)
		if (value < 100000)
			value = value * 10 + (*p - '0');
	*ret = is_negative ? -value : value;
	return true;
}

static bool take_apart(struct bytes text, struct parts *ret)
{
	const char *p = text.data, *end;
	struct parts parts = {0};

	if (text.len == 0)
		return false;
	end = p + text.len;
	if (*p == '-') {
		parts.is_negative = true;
		p++;
	}
	parts.whole = p;
	parts.whole_len = count_digits(p, end);
	if (parts.whole_len == 0 || (parts.whole_len > 1 && *p == '0'))
		return false;
	p += parts.whole_len;
	if (p < end && *p == '.') {
		parts.fraction = ++p;
		parts.fraction_len = count_digits(p, end);
		if (parts.fraction_len == 0)
			return false;
		p += parts.fraction_len;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		if (!parse_exponent(p + 1, end, &parts.exponent))
			return false;
		p = end;
	}
	*ret = parts;
	return p == end;
}

bool decimal_is_number(struct bytes text)
{
	struct parts parts;

	return take_apart(text, &parts);
}

static char digit_at(const struct parts *parts, size_t i)
{
	return i < parts->whole_len ? parts->whole[i] : parts->fraction[i - parts->whole_len];
}

/*
 * The digits up to position @point + scale, as an unsigned number; zeros are added where the text has no more digits.
 * Digits behind that position must be zeros.
 */
static int scaled(const struct parts *parts, unsigned int scale, uint64_t *ret)
{
	size_t len = parts->whole_len + parts->fraction_len;
	int64_t keep = (int64_t)parts->whole_len + parts->exponent + scale;
	uint64_t value = 0;

	for (size_t i = 0; i < len && (int64_t)i < keep; i++) {
		unsigned int digit = (unsigned int)(digit_at(parts, i) - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return DECIMAL_E_RANGE;
		value = value * 10 + digit;
	}
	for (size_t i = keep < 0 ? 0 : (size_t)keep; i < len; i++)
		if (digit_at(parts, i) != '0')
			return DECIMAL_E_INEXACT;
	for (int64_t i = (int64_t)len; i < keep && value; i++) {
		if (value > UINT64_MAX / 10)
			return DECIMAL_E_RANGE;
		value *= 10;
	}
	*ret = value;
	return 0;
}

int decimal_parse(struct bytes text, unsigned int scale, int64_t *ret)
{
	struct parts parts;
	uint64_t value;
	int r;

	assert(scale <= DECIMAL_SCALE_MAX);
	if (!take_apart(text, &parts))
		return DECIMAL_E_MALFORMED;
	r = scaled(&parts, scale, &value);
	if (r)
		return r;
	if (value > (uint64_t)INT64_MAX + parts.is_negative)
		return DECIMAL_E_RANGE;
	*ret = parts.is_negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int decimal_parse_unsigned(struct bytes text, uint64_t *ret)
{
	struct parts parts;
	uint64_t value;
	int r;

	if (!take_apart(text, &parts))
		return DECIMAL_E_MALFORMED;
	r = scaled(&parts, 0, &value);
	if (r)
		return r;
	if (parts.is_negative && value)
		return DECIMAL_E_RANGE;
	*ret = value;
	return 0;
}

void decimal_format(int64_t value, unsigned int scale, char text[static DECIMAL_TEXT_SIZE])
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[DECIMAL_TEXT_SIZE];
	size_t n = 0;
	char *out = text;

	assert(scale <= DECIMAL_SCALE_MAX);
	for (; scale && magnitude % 10 == 0; scale--)
		magnitude /= 10;
	do {
		digits[n++] = (char)('0' + magnitude % 10);
		magnitude /= 10;
	} while (magnitude || n <= scale);

	if (value < 0)
		*out++ = '-';
	while (n) {
		*out++ = digits[--n];
		if (n == scale && n)
			*out++ = '.';
	}
	*out = '\0';
}
