/*
 * Between gRPC's byte buffers and protobuf-c's messages.
 */
#ifndef FG_RPC_MESSAGE_H
#define FG_RPC_MESSAGE_H

#include "rpc/arena.h"
#include "rpc/prescan.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

/* Scans and unpacks @bytes into @arena. In every map the entries end up sorted by key, and of equal keys only the
 * last one stays, as protobuf wants it. 0, a PRESCAN_E_ outcome with @problem filled, or -ENOMEM. The bytes may go
 * afterwards. */
int message_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes, struct arena *arena,
		   ProtobufCMessage **ret, struct problem *problem);
/* The same of a received buffer, which stays the caller's. */
int message_receive(const ProtobufCMessageDescriptor *type, grpc_byte_buffer *buffer, struct arena *arena,
		    ProtobufCMessage **ret, struct problem *problem);

/* The caller's to unref. Never fails: libgrpc aborts when it has no memory. */
grpc_slice message_pack(const ProtobufCMessage *message);

#endif
