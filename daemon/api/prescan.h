/*
 * Looks over the bytes of a request before protobuf-c unpacks them.
 *
 * protobuf-c has no limit on nesting (34 KB overflow the stack), multiplies a message of empty submessages by 56,
 * cuts strings at a NUL and lets any bytes pass as text. So nothing from outside is unpacked that has not passed here:
 * one walk over the tags, led by the descriptor, without memory of its own.
 */
#ifndef FG_API_PRESCAN_H
#define FG_API_PRESCAN_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

enum {
	_PRESCAN_E_OK,
	PRESCAN_E_MALFORMED, /* broken encoding, too deep, too many fields, text that is none */
	PRESCAN_E_ENUM,      /* a value that the enum does not have */
};

/* What is wrong, for the person who sent it. */
struct problem {
	char field[192]; /* path from the request: "job.parameters.media[2].url"; may be empty */
	char text[256];
};

struct prescan {
	uint32_t fields; /* seen, with every element of a packed list */
	bool has_maps;   /* keys may come twice: see maps_settle() */
};

/* 0, or a PRESCAN_E_ value with @problem filled. */
int prescan_message(const ProtobufCMessageDescriptor *type, struct bytes message, struct prescan *ret,
		    struct problem *problem);

/* Is this the type of a map's entries? protobuf-c does not say so itself; a test compares with the descriptors. */
bool prescan_type_is_map_entry(const ProtobufCMessageDescriptor *type);

#endif
