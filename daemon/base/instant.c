#include "base/instant.h"

struct cursor {
	const char *p;
	const char *end;
};

struct parts {
	int64_t year, month, day, hour, minute, second, ms, offset_minutes;
};

static bool take(struct cursor *cursor, char expected)
{
	if (cursor->p == cursor->end || *cursor->p != expected)
		return false;
	cursor->p++;
	return true;
}

static bool take_digits(struct cursor *cursor, int n, int64_t *ret)
{
	int64_t value = 0;

	for (; n; n--, cursor->p++) {
		if (cursor->p == cursor->end || *cursor->p < '0' || *cursor->p > '9')
			return false;
		value = value * 10 + (*cursor->p - '0');
	}
	*ret = value;
	return true;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar; years are counted from March, so that leap days come
 * last (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_possible(const struct parts *parts)
{
	static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (parts->year < 1 || parts->month < 1 || parts->month > 12 || parts->day < 1)
		return false;
	if (parts->day > days[parts->month - 1] + (parts->month == 2 && is_leap(parts->year)))
		return false;
	return parts->hour < 24 && parts->minute < 60 && parts->second <= 60;
}

static int finish(const struct parts *parts, int64_t *ret_ms)
{
	int64_t minutes;

	if (!is_possible(parts))
		return INSTANT_E_MALFORMED;
	minutes = days_from_civil(parts->year, parts->month, parts->day) * 1440 + parts->hour * 60 + parts->minute;
	*ret_ms = (minutes - parts->offset_minutes) * 60000 + parts->second * 1000 + parts->ms;
	return 0;
}

static bool take_clock(struct cursor *cursor, struct parts *parts)
{
	return take_digits(cursor, 2, &parts->hour) && take(cursor, ':') && take_digits(cursor, 2, &parts->minute) &&
	       take(cursor, ':') && take_digits(cursor, 2, &parts->second);
}

static bool take_fraction(struct cursor *cursor, struct parts *parts)
{
	int64_t weight = 100, digit;

	if (!take(cursor, '.'))
		return true;
	if (!take_digits(cursor, 1, &digit))
		return false;
	do {
		parts->ms += digit * weight;
		weight /= 10;
	} while (take_digits(cursor, 1, &digit));
	return true;
}

static bool take_offset(struct cursor *cursor, struct parts *parts)
{
	bool is_west;
	int64_t hours, minutes;

	if (take(cursor, 'Z') || take(cursor, 'z'))
		return true;
	is_west = take(cursor, '-');
	if (!is_west && !take(cursor, '+'))
		return false;
	if (!take_digits(cursor, 2, &hours) || !take(cursor, ':') || !take_digits(cursor, 2, &minutes))
		return false;
	parts->offset_minutes = (hours * 60 + minutes) * (is_west ? -1 : 1);
	return hours < 24 && minutes < 60;
}

static bool read_rfc3339(struct cursor cursor, struct parts *parts)
{
	return take_digits(&cursor, 4, &parts->year) && take(&cursor, '-') && take_digits(&cursor, 2, &parts->month) &&
	       take(&cursor, '-') && take_digits(&cursor, 2, &parts->day) &&
	       (take(&cursor, 'T') || take(&cursor, 't') || take(&cursor, ' ')) && take_clock(&cursor, parts) &&
	       take_fraction(&cursor, parts) && take_offset(&cursor, parts) && cursor.p == cursor.end;
}

static bool take_month(struct cursor *cursor, struct parts *parts)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (cursor->end - cursor->p < 3)
		return false;
	for (parts->month = 1; parts->month <= 12; parts->month++)
		if (memcmp(cursor->p, names + 3 * (parts->month - 1), 3) == 0)
			break;
	cursor->p += 3;
	return parts->month <= 12;
}

static bool read_http_date(struct cursor cursor, struct parts *parts)
{
	if (cursor.end - cursor.p != 29)
		return false;
	cursor.p += 3; /* the name of the day says nothing that the date does not */
	return take(&cursor, ',') && take(&cursor, ' ') && take_digits(&cursor, 2, &parts->day) && take(&cursor, ' ') &&
	       take_month(&cursor, parts) && take(&cursor, ' ') && take_digits(&cursor, 4, &parts->year) &&
	       take(&cursor, ' ') && take_clock(&cursor, parts) && memcmp(cursor.p, " GMT", 4) == 0;
}

int instant_parse(struct bytes text, int64_t *ret_ms)
{
	struct parts rfc3339 = {0}, http = {0};
	struct cursor cursor;

	if (text.len == 0)
		return INSTANT_E_MALFORMED;
	cursor = (struct cursor){.p = text.data, .end = (const char *)text.data + text.len};
	if (read_rfc3339(cursor, &rfc3339))
		return finish(&rfc3339, ret_ms);
	if (read_http_date(cursor, &http))
		return finish(&http, ret_ms);
	return INSTANT_E_MALFORMED;
}
