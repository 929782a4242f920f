#include "web/range.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The digits at @text; false: there are none, or too many. */
static bool read_number(const char **text, uint64_t *ret)
{
	const char *at = *text;
	uint64_t number = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret = number;
	if (at == *text)
		return false;
	*text = at;
	return true;
}

static bool is_end(const char *text)
{
	return text[strspn(text, " \t")] == '\0';
}

/* The last @count bytes. */
static enum range_verdict read_suffix(const char *at, uint64_t size, uint64_t *ret_from, uint64_t *ret_until)
{
	uint64_t count;

	if (!read_number(&at, &count) || !is_end(at))
		return RANGE_WHOLE;
	if (count == 0 || size == 0)
		return RANGE_UNREACHABLE;
	*ret_from = count < size ? size - count : 0;
	*ret_until = size;
	return RANGE_PART;
}

enum range_verdict range_parse(const char *header, uint64_t size, uint64_t *ret_from, uint64_t *ret_until)
{
	uint64_t from, last = UINT64_MAX;
	const char *at;

	if (!header || strncasecmp(header, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	at = header + 6 + strspn(header + 6, " \t");
	if (*at == '-')
		return read_suffix(at + 1, size, ret_from, ret_until);
	if (!read_number(&at, &from) || *at++ != '-')
		return RANGE_WHOLE;
	if (!is_end(at) && (!read_number(&at, &last) || !is_end(at) || last < from))
		return RANGE_WHOLE;
	if (from >= size)
		return RANGE_UNREACHABLE;
	*ret_from = from;
	*ret_until = last < size - 1 ? last + 1 : size;
	return RANGE_PART;
}

bool range_matches(const char *header, const char *etag)
{
	size_t len = strlen(etag);
	const char *at;

	if (!header)
		return false;
	if (strcmp(header, "*") == 0)
		return true;
	/* The mark itself stands in no other one: it is of hexadecimal digits between quotation marks. */
	at = strstr(header, etag);
	return at && (at[len] == '\0' || at[len] == ',' || at[len] == ' ' || at[len] == '\t');
}
