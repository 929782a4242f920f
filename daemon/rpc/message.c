#include "rpc/message.h"

#include "base/err.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>

int message_receive(const ProtobufCMessageDescriptor *type, grpc_byte_buffer *buffer, struct arena *arena,
		    ProtobufCMessage **ret, struct problem *problem)
{
	grpc_byte_buffer_reader reader;
	grpc_slice slice;
	int r;

	/* The usual small message is one slice already: no copy. */
	if (buffer->type == GRPC_BB_RAW && buffer->data.raw.compression == GRPC_COMPRESS_NONE &&
	    buffer->data.raw.slice_buffer.count == 1) {
		slice = buffer->data.raw.slice_buffer.slices[0];
		return message_unpack(type, bytes_of(GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice)), arena, ret,
				      problem);
	}
	if (!grpc_byte_buffer_reader_init(&reader, buffer))
		return err_origin(-EINVAL);
	slice = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	r = message_unpack(type, bytes_of(GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice)), arena, ret, problem);
	grpc_slice_unref(slice);
	return r;
}

static void unref_packed(void *userdata)
{
	packed_unref(userdata);
}

grpc_slice message_slice(struct packed *take)
{
	return grpc_slice_new_with_user_data(packed_data(take), packed_len(take), unref_packed, take);
}

grpc_slice message_pack_slice(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	return slice;
}
