#include "http/http.h"

#include "base/limits.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

#define LAST_DATE_S INT64_C(253402300799) /* the end of the year 9999; libcurl reads much later ones */

struct http_outcome *http_outcome_free(struct http_outcome *outcome)
{
	if (!outcome)
		return NULL;
	buffer_finish(&outcome->body);
	free(outcome->location);
	free(outcome->headers);
	free(outcome->head);
	free(outcome);
	return NULL;
}

const char *http_outcome_header(const struct http_outcome *outcome, const char *name)
{
	for (size_t i = 0; i < outcome->header_count; i++)
		if (strcasecmp(outcome->headers[i].name, name) == 0)
			return outcome->headers[i].value;
	return NULL;
}

const char *http_kind_name(enum http_kind kind)
{
	static const char *const names[_HTTP_KIND_N] = {
		[HTTP_REPLY] = "reply",
		[HTTP_NOT_SENT] = "not sent",
		[HTTP_AMBIGUOUS] = "ambiguous",
		[HTTP_TOO_LARGE] = "too large",
		[HTTP_ADDRESS_REFUSED] = "address refused",
		[HTTP_ABORTED] = "aborted",
		[HTTP_INVALID] = "invalid",
		[HTTP_NOT_STORED] = "not stored",
		[HTTP_UNREADABLE] = "unreadable",
	};

	return kind < _HTTP_KIND_N ? names[kind] : "unknown";
}

static int64_t within_limit(int64_t wait_ms)
{
	if (wait_ms < 0)
		return 0;
	return wait_ms < LIMIT_HTTP_RETRY_AFTER_MS ? wait_ms : LIMIT_HTTP_RETRY_AFTER_MS;
}

/* Digits, and digits behind a point as some providers send them, times @scale; -1 when it is anything else. */
static int64_t parse_decimal(const char *text, int64_t scale)
{
	int64_t whole = 0;
	int64_t fraction = 0;

	if (!isdigit((unsigned char)*text))
		return -1;
	for (; isdigit((unsigned char)*text); text++)
		if (whole < LIMIT_HTTP_RETRY_AFTER_MS)
			whole = whole * 10 + (*text - '0');
	if (*text == '.') {
		int64_t unit = scale;

		for (text++; isdigit((unsigned char)*text); text++) {
			unit /= 10;
			fraction += unit * (*text - '0');
		}
	}
	return *text == '\0' ? whole * scale + fraction : -1;
}

/* Milliseconds since 1970; -1 when it is no date. */
static int64_t parse_date(const char *text)
{
	time_t seconds = isalpha((unsigned char)*text) ? curl_getdate(text, NULL) : -1;

	return seconds < 0 || seconds > LAST_DATE_S ? -1 : (int64_t)seconds * 1000;
}

int64_t http_retry_after_ms(const struct http_outcome *outcome, int64_t now_utc_ms)
{
	const char *precise = http_outcome_header(outcome, "retry-after-ms");
	const char *usual = http_outcome_header(outcome, "retry-after");
	const char *date = http_outcome_header(outcome, "date");
	int64_t wait_ms = precise ? parse_decimal(precise, 1) : -1;
	int64_t until_ms, sent_ms;

	if (wait_ms < 0 && usual)
		wait_ms = parse_decimal(usual, 1000);
	if (wait_ms >= 0 || !usual)
		return wait_ms < 0 ? -1 : within_limit(wait_ms);

	until_ms = parse_date(usual);
	if (until_ms < 0)
		return -1;
	sent_ms = date ? parse_date(date) : -1;
	return within_limit(until_ms - (sent_ms < 0 ? now_utc_ms : sent_ms));
}
