/*
 * Durations, instants, sizes: how a person writes and reads them. Pure, but for the time zone. [any-thread]
 */
#ifndef FG_CLI_WORDS_H
#define FG_CLI_WORDS_H

#include <stdint.h>

enum {
	_WORDS_E_OK,
	WORDS_E_MALFORMED,
	WORDS_E_RANGE, /* does not fit, or finer than a millisecond */
};

/* Text that lives in the value itself. */
struct words {
	char text[48];
};

/* "90" and "90s" are seconds; "1500ms", "1.5s", "10m", "2h", "3d", and sums such as "1h30m". Not negative. */
int words_parse_duration(const char *text, int64_t *ret_ms);

/*
 * RFC 3339 ("2026-11-22T17:00:00Z", offsets too), local time without a zone ("2026-11-22", "2026-11-22 17:00",
 * "2026-11-22T17:00:05"), or a duration, which means so long before @now_ms. Milliseconds since 1970, UTC.
 */
int words_parse_instant(const char *text, int64_t now_ms, int64_t *ret_ms);

/* "850 ms", "4.2 s", "1 min 05 s", "2 h 03 min", "3 d 4 h". */
struct words words_of_duration(int64_t ms);
/* "812 B", "4.2 MB"; powers of ten, as disks are sold. */
struct words words_of_size(uint64_t bytes);
/* "2026-11-22 17:00:05" in local time. */
struct words words_of_local_time(int64_t utc_seconds);
/* RFC 3339 in UTC with as many digits behind the point, 0, 3, 6 or 9, as @nanos needs. */
struct words words_of_instant(int64_t utc_seconds, int32_t nanos);

#endif
