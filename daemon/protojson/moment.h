/*
 * google.protobuf.Timestamp and Duration as ProtoJSON writes them: "2026-11-30T21:00:00.250Z" and "-1.500s", with no, 3,
 * 6 or 9 digits behind the point.
 */
#ifndef FG_PROTOJSON_MOMENT_H
#define FG_PROTOJSON_MOMENT_H

#include "base/bytes.h"

/* protobuf's own shape of both. */
struct moment {
	int64_t seconds;
	int32_t nanos;
};

#define MOMENT_TEXT_SIZE 48

/* RFC 3339 in upper case, with "Z" or an offset, up to 9 digits behind the point, in the years 1 to 9999 of UTC. No leap
 * seconds: a Timestamp has none. False: it is not that. */
bool moment_read_timestamp(struct bytes text, struct moment *ret);
/* Up to 315,576,000,000 seconds, about ten thousand years, in either direction. */
bool moment_read_duration(struct bytes text, struct moment *ret);

/* False: out of these ranges, nanoseconds out of theirs, or a duration of mixed signs. */
bool moment_write_timestamp(const struct moment *moment, char text[static MOMENT_TEXT_SIZE]);
bool moment_write_duration(const struct moment *moment, char text[static MOMENT_TEXT_SIZE]);

#endif
