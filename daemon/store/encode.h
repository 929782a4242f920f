/*
 * What the files share that write records: a message on the stack, filled with borrowed pointers, packed once.
 */
#ifndef FG_STORE_ENCODE_H
#define FG_STORE_ENCODE_H

#include "base/bytes.h"
#include "job/job.h"

#include <filmgate/store/v1/records.pb-c.h>

#define M(name) Filmgate__Store__V1__##name
#define INIT(name) FILMGATE__STORE__V1__##name##__INIT

/* One zeroed block, handed out piece by piece; every piece is a multiple of a pointer's size. */
struct scratch {
	char *data;
	size_t used;
};

/* Of @size bytes in all. 0 or -ENOMEM. */
int scratch_init(struct scratch *scratch, size_t size);
void scratch_finish(struct scratch *scratch);
void *scratch_take(struct scratch *scratch, size_t size);

/* The record of the message, behind what is there. As buffer_append(). */
int encode_append(struct buffer *out, const ProtobufCMessage *message);
/* Borrowed, as is what the next two take. */
char *encode_text(const char *text);
ProtobufCBinaryData encode_binary(const void *data, size_t len);
/* A digest or an id of zeros is absent. */
ProtobufCBinaryData encode_binary_if_set(const uint8_t *data, size_t len);

/* What a later version wrote (job.h), into the message; @field lives as long. The size is that which it takes of a scratch
 * block. */
size_t encode_unknown_size(const char *unknown);
void encode_unknown(ProtobufCMessage *message, ProtobufCMessageUnknownField *field, const char *unknown,
		    struct scratch *scratch);
/* Likewise. */
size_t encode_labels_size(size_t n);
M(Label) * *encode_labels(const struct job_label *labels, size_t n, struct scratch *scratch);

#endif
