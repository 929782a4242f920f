/*
 * Between bytes and protobuf-c's messages.
 */
#ifndef FG_API_MESSAGE_H
#define FG_API_MESSAGE_H

#include "api/arena.h"
#include "api/packed.h"
#include "api/prescan.h"

/* Scans and unpacks @bytes into @arena. In every map the entries end up sorted by key, and of equal keys only the
 * last one stays, as protobuf wants it. 0, a PRESCAN_E_ outcome with @problem filled, or -ENOMEM. The bytes may go
 * afterwards. */
int message_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes, struct arena *arena,
		   ProtobufCMessage **ret, struct problem *problem);
/* Never fails: without memory the process aborts. */
struct packed *message_pack(const ProtobufCMessage *message);

#endif
