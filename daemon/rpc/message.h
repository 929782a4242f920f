/*
 * Between gRPC's buffers and the api's messages.
 */
#ifndef FG_RPC_MESSAGE_H
#define FG_RPC_MESSAGE_H

#include "api/message.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

/* message_unpack() of a received buffer, which stays the caller's. */
int message_receive(const ProtobufCMessageDescriptor *type, grpc_byte_buffer *buffer, struct arena *arena,
		    ProtobufCMessage **ret, struct problem *problem);

/* The caller's to unref. Neither fails: libgrpc aborts when it has no memory. */
grpc_slice message_slice(struct packed *take);
grpc_slice message_pack_slice(const ProtobufCMessage *message);

#endif
