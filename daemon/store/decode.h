/*
 * What the files share that read records: from the value of a key to the message in it, and out of the message.
 */
#ifndef FG_STORE_DECODE_H
#define FG_STORE_DECODE_H

#include "base/bytes.h"
#include "job/job.h"

#include <filmgate/store/v1/records.pb-c.h>

#define M(name) Filmgate__Store__V1__##name

static inline void message_freep(void *pointer)
{
	ProtobufCMessage *message = *(ProtobufCMessage **)pointer;

	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
}

/* The message in the value, behind the record's version. As the functions of records.h. */
int decode_frame(struct bytes value, struct bytes *ret);
/* @ret: a pointer to the message's. As the functions of records.h. */
int decode_message(struct bytes value, const ProtobufCMessageDescriptor *descriptor, void *ret);
/* Moves the text out of the message. NULL for an empty one. */
char *decode_text(char **field);
/* Likewise. Never NULL but for lack of memory. */
char *decode_text_or_empty(char **field);
/* Absent is all zeros. 0 or -EBADMSG. */
int decode_binary(ProtobufCBinaryData from, uint8_t *to, size_t size);
/* What a later version wrote, as job.h has it; NULL: nothing. 0, -EBADMSG or -ENOMEM. */
int decode_unknown(const ProtobufCMessage *message, char **ret);
/* Moves the labels out of the message. 0 or -ENOMEM. */
int decode_labels(M(Label) * *from, size_t n, struct job_label **list, size_t *n_list);

#endif
