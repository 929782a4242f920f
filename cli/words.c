#include "words.h"

#include "base/bytes.h"
#include "base/decimal.h"
#include "base/instant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Longest first where one begins like another. */
static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

static const struct unit *find_unit(const char *text)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strncmp(text, units[i].name, strlen(units[i].name)))
			return &units[i];
	return NULL;
}

/* One "1.5h" of a sum; *text moves behind it. */
static int parse_term(const char **text, int64_t *ret_ms)
{
	size_t len = strspn(*text, "0123456789.");
	const char *rest = *text + len;
	const struct unit *unit = *rest ? find_unit(rest) : &units[1];
	int64_t thousandths, ms;
	int r;

	if (!unit)
		return WORDS_E_MALFORMED;
	r = decimal_parse(bytes_of(*text, len), 3, &thousandths);
	if (r)
		return r == DECIMAL_E_MALFORMED ? WORDS_E_MALFORMED : WORDS_E_RANGE;
	if (__builtin_mul_overflow(thousandths, unit->ms, &ms) || ms % 1000)
		return WORDS_E_RANGE;
	*text = *rest ? rest + strlen(unit->name) : rest;
	*ret_ms = ms / 1000;
	return 0;
}

int words_parse_duration(const char *text, int64_t *ret_ms)
{
	int64_t total = 0;

	do {
		int64_t term;
		int r = parse_term(&text, &term);

		if (r)
			return r;
		if (__builtin_add_overflow(total, term, &total))
			return WORDS_E_RANGE;
	} while (*text);
	*ret_ms = total;
	return 0;
}

/* mktime() would make the first of December of the 31st of November. */
static bool is_day(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = tm->tm_year + 1900;
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return tm->tm_mday <= days[tm->tm_mon] + (is_leap && tm->tm_mon == 1);
}

static int parse_local(const char *text, int64_t *ret_ms)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
					    "%Y-%m-%dT%H:%M:%S"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, forms[i], &tm);

		if (end && *end == '\0') {
			if (!is_day(&tm))
				return WORDS_E_MALFORMED;
			*ret_ms = (int64_t)mktime(&tm) * 1000;
			return 0;
		}
	}
	return WORDS_E_MALFORMED;
}

int words_parse_instant(const char *text, int64_t now_ms, int64_t *ret_ms)
{
	int64_t ago_ms;
	int r;

	if (parse_local(text, ret_ms) == 0 || instant_parse(bytes_of_text(text), ret_ms) == 0)
		return 0;
	r = words_parse_duration(text, &ago_ms);
	if (r)
		return r;
	*ret_ms = now_ms - ago_ms;
	return 0;
}

struct words words_of_duration(int64_t ms)
{
	struct words words;
	int64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(words.text, sizeof(words.text), "%" PRId64 " ms", ms);
	else if (s < 60)
		snprintf(words.text, sizeof(words.text), "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
	else if (s < 3600)
		snprintf(words.text, sizeof(words.text), "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(words.text, sizeof(words.text), "%" PRId64 " h %02" PRId64 " min", s / 3600, s / 60 % 60);
	else
		snprintf(words.text, sizeof(words.text), "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
	return words;
}

struct words words_of_size(uint64_t bytes)
{
	static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	struct words words;
	uint64_t tenths = bytes < UINT64_MAX / 10 ? bytes * 10 : UINT64_MAX;
	size_t n = 0;

	if (bytes < 1000) {
		snprintf(words.text, sizeof(words.text), "%" PRIu64 " B", bytes);
		return words;
	}
	for (; tenths >= 10000 && n + 1 < sizeof(names) / sizeof(names[0]); n++)
		tenths /= 1000;
	snprintf(words.text, sizeof(words.text), "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, names[n]);
	return words;
}

struct words words_of_local_time(int64_t utc_seconds)
{
	struct words words = {""};
	time_t seconds = (time_t)utc_seconds;
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(words.text, sizeof(words.text), "%Y-%m-%d %H:%M:%S", &tm);
	return words;
}

struct words words_of_instant(int64_t utc_seconds, int32_t nanos)
{
	struct words words = {""};
	time_t seconds = (time_t)utc_seconds;
	char *end = words.text;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return words;
	end += strftime(words.text, sizeof(words.text), "%Y-%m-%dT%H:%M:%S", &tm);
	if (nanos > 0 && nanos < 1000000000) {
		int digits = nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
		int value = digits == 3 ? nanos / 1000000 : digits == 6 ? nanos / 1000 : nanos;

		end += snprintf(end, 16, ".%0*d", digits, value);
	}
	end[0] = 'Z';
	end[1] = '\0';
	return words;
}
