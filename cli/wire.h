/*
 * protobuf-c's decoder has no limit on nesting: 34 KB of nested messages overflow the stack. So every reply is looked
 * through before it is decoded.
 */
#ifndef FG_CLI_WIRE_H
#define FG_CLI_WIRE_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

#define WIRE_DEPTH_MAX 200 /* messages in messages; a capability document needs about 60 */

/* Is it at most WIRE_DEPTH_MAX deep, and well formed as far as that question goes? */
bool wire_is_shallow(const ProtobufCMessageDescriptor *message, struct bytes bytes);

#endif
