/*
 * Protocol buffer fields one at a time, for reading the first few of a record without unpacking it. Pure.
 */
#ifndef FG_STORE_WIRE_H
#define FG_STORE_WIRE_H

#include "base/bytes.h"

struct wire_field {
	uint32_t tag;
	uint64_t number;    /* of a varint; fixed-width fields are skipped over and read as 0 */
	struct bytes bytes; /* of a length-delimited field; a view */
};

/* Takes the next field off @left. False at the end and at anything malformed; @left is empty only at the end. */
bool wire_next(struct bytes *left, struct wire_field *ret);

#endif
