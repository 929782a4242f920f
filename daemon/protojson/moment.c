#include "protojson/moment.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_SECOND INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */
#define LONGEST_S INT64_C(315576000000)
#define NANOS_MAX 999999999
#define DAY_S 86400

struct cursor {
	const char *at;
	const char *end;
};

static bool take(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static bool is_at_digit(const struct cursor *cursor)
{
	return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

/* Exactly @n digits, of a number from @min to @max. */
static bool take_number(struct cursor *cursor, int n, int min, int max, int *ret)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!is_at_digit(cursor))
			return false;
		value = value * 10 + (*cursor->at++ - '0');
	}
	*ret = value;
	return value >= min && value <= max;
}

/* A point and 1 to 9 digits, or neither. */
static bool take_fraction(struct cursor *cursor, int32_t *ret_nanos)
{
	int32_t nanos = 0;
	int n = 0;

	*ret_nanos = 0;
	if (!take(cursor, '.'))
		return true;
	for (; n < 9 && is_at_digit(cursor); n++)
		nanos = nanos * 10 + (*cursor->at++ - '0');
	if (n == 0)
		return false;
	for (; n < 9; n++)
		nanos *= 10;
	*ret_nanos = nanos;
	return true;
}

static bool is_leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 in the Gregorian calendar, of a @year from 1 on. Years begin in March here, so that the day that
 * leap years have is their last one. */
static int64_t days_of_date(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static void date_of_days(int64_t days, int *year, int *month, int *day)
{
	int64_t shifted = days + 719468, era = shifted / 146097, rest = shifted % 146097;
	int64_t year_of_era = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
	int64_t day_of_year = rest - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * march + 2) / 5 + 1);
	*month = (int)(march < 10 ? march + 3 : march - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static bool take_date_and_time(struct cursor *cursor, int64_t *ret_seconds)
{
	int year, month, day, hour, minute, second;

	if (!take_number(cursor, 4, 1, 9999, &year) || !take(cursor, '-') || !take_number(cursor, 2, 1, 12, &month) ||
	    !take(cursor, '-') || !take_number(cursor, 2, 1, days_of_month(year, month), &day) || !take(cursor, 'T'))
		return false;
	if (!take_number(cursor, 2, 0, 23, &hour) || !take(cursor, ':') || !take_number(cursor, 2, 0, 59, &minute) ||
	    !take(cursor, ':') || !take_number(cursor, 2, 0, 59, &second))
		return false;
	*ret_seconds = days_of_date(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
	return true;
}

static bool take_offset(struct cursor *cursor, int64_t *ret_seconds)
{
	int hours, minutes, sign = 1;

	*ret_seconds = 0;
	if (take(cursor, 'Z'))
		return true;
	if (take(cursor, '-'))
		sign = -1;
	else if (!take(cursor, '+'))
		return false;
	if (!take_number(cursor, 2, 0, 23, &hours) || !take(cursor, ':') || !take_number(cursor, 2, 0, 59, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool is_timestamp(const struct moment *moment)
{
	return moment->seconds >= FIRST_SECOND && moment->seconds <= LAST_SECOND && moment->nanos >= 0 &&
	       moment->nanos <= NANOS_MAX;
}

static bool is_duration(const struct moment *moment)
{
	return moment->seconds >= -LONGEST_S && moment->seconds <= LONGEST_S && moment->nanos >= -NANOS_MAX &&
	       moment->nanos <= NANOS_MAX && !(moment->seconds > 0 && moment->nanos < 0) &&
	       !(moment->seconds < 0 && moment->nanos > 0);
}

static struct cursor cursor_of(struct bytes text)
{
	return (struct cursor){.at = text.data, .end = (const char *)text.data + text.len};
}

bool moment_read_timestamp(struct bytes text, struct moment *ret)
{
	struct cursor cursor = cursor_of(text);
	int64_t offset;

	if (!take_date_and_time(&cursor, &ret->seconds) || !take_fraction(&cursor, &ret->nanos) ||
	    !take_offset(&cursor, &offset))
		return false;
	ret->seconds -= offset;
	return cursor.at == cursor.end && is_timestamp(ret);
}

bool moment_read_duration(struct bytes text, struct moment *ret)
{
	struct cursor cursor = cursor_of(text);
	bool is_negative = take(&cursor, '-');
	const char *first = cursor.at;
	int64_t seconds = 0;

	for (; is_at_digit(&cursor) && seconds <= LONGEST_S; cursor.at++)
		seconds = seconds * 10 + (*cursor.at - '0');
	if (cursor.at == first || (*first == '0' && cursor.at > first + 1))
		return false;
	if (!take_fraction(&cursor, &ret->nanos) || !take(&cursor, 's') || cursor.at != cursor.end)
		return false;
	ret->seconds = is_negative ? -seconds : seconds;
	ret->nanos = is_negative ? -ret->nanos : ret->nanos;
	return is_duration(ret);
}

/* The fewest of 0, 3, 6 and 9 digits that say it. */
static void write_fraction(int32_t nanos, char *text, size_t size)
{
	if (nanos == 0)
		text[0] = '\0';
	else if (nanos % 1000000 == 0)
		snprintf(text, size, ".%03d", nanos / 1000000);
	else if (nanos % 1000 == 0)
		snprintf(text, size, ".%06d", nanos / 1000);
	else
		snprintf(text, size, ".%09d", nanos);
}

bool moment_write_timestamp(const struct moment *moment, char text[static MOMENT_TEXT_SIZE])
{
	int64_t since_first, days;
	int year, month, day, second;
	char fraction[16];

	if (!is_timestamp(moment))
		return false;
	since_first = moment->seconds - FIRST_SECOND;
	days = since_first / DAY_S + FIRST_SECOND / DAY_S;
	second = (int)(since_first % DAY_S);
	date_of_days(days, &year, &month, &day);
	write_fraction(moment->nanos, fraction, sizeof(fraction));
	snprintf(text, MOMENT_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month, day, second / 3600,
		 second / 60 % 60, second % 60, fraction);
	return true;
}

bool moment_write_duration(const struct moment *moment, char text[static MOMENT_TEXT_SIZE])
{
	bool is_negative = moment->seconds < 0 || moment->nanos < 0;
	char fraction[16];

	if (!is_duration(moment))
		return false;
	write_fraction(abs(moment->nanos), fraction, sizeof(fraction));
	snprintf(text, MOMENT_TEXT_SIZE, "%s%lld%ss", is_negative ? "-" : "", llabs(moment->seconds), fraction);
	return true;
}
