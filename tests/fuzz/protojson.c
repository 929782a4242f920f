/*
 * What is read is written so that it reads the same again, and what is refused is refused with words. The first byte says
 * which type it is and whether what is not known is ignored.
 */
#include "protojson/protojson.h"
#include "base/err.h"
#include "fuzz.h"

#include <assert.h>
#include <every.pb-c.h>
#include <filmgate/v1/job_service.pb-c.h>
#include <filmgate/v1/provider_service.pb-c.h>

static void *allocate(void *userdata, size_t len)
{
	(void)userdata;
	return malloc(len);
}

static void release(void *userdata, void *pointer)
{
	(void)userdata;
	free(pointer);
}

static ProtobufCAllocator allocator = {.alloc = allocate, .free = release};

/* A row of it is named by an input's first byte: new ones go to the end. */
static const ProtobufCMessageDescriptor *const types[] = {
	&every__every__descriptor,
	&filmgate__v1__create_job_request__descriptor,
	&filmgate__v1__list_jobs_request__descriptor,
	&filmgate__v1__update_job_request__descriptor,
	&filmgate__v1__get_provider_response__descriptor,
};

/* Into memory of its own size, so that a sanitizer sees who leaves it. */
static uint8_t *pack(const ProtobufCMessage *message, size_t *len)
{
	uint8_t *packed = malloc(protobuf_c_message_get_packed_size(message));

	*len = protobuf_c_message_pack(message, packed);
	return packed;
}

static void reads_back(const ProtobufCMessage *message)
{
	_cleanup_(buffer_finish) struct buffer text = {0}, again = {0};
	struct protojson_problem problem = {.text = ""};
	size_t len, other_len;
	_cleanup_(freep) uint8_t *packed = pack(message, &len), *other_packed = NULL;
	ProtobufCMessage *other;
	int r = protojson_write(message, 0, &text);

	assert(r == 0);
	r = protojson_read(message->descriptor, buffer_bytes(&text), 0, &allocator, &other, &problem);
	assert(r == 0);
	other_packed = pack(other, &other_len);
	assert(len == other_len && memcmp(packed, other_packed, len) == 0);
	r = protojson_write(other, 0, &again);
	assert(r == 0 && bytes_equal(buffer_bytes(&text), buffer_bytes(&again)));
	protobuf_c_message_free_unpacked(other, &allocator);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct protojson_problem problem = {.text = ""};
	unsigned flags = size && data[0] & 0x80 ? PROTOJSON_MAY_IGNORE_UNKNOWN : 0;
	ProtobufCMessage *message;
	size_t row;
	int r;

	if (size == 0)
		return -1;
	row = (data[0] & 0x0f) % (sizeof(types) / sizeof(types[0]));
	r = protojson_read(types[row], bytes_of(data + 1, size - 1), flags, &allocator, &message, &problem);
	assert(r == 0 || r == PROTOJSON_E_MALFORMED || r == PROTOJSON_E_VALUE);
	assert((r == 0) == (problem.text[0] == '\0'));
	assert(bytes_are_text(bytes_of_text(problem.field)) && bytes_are_text(bytes_of_text(problem.text)));
	if (r)
		return 0;
	reads_back(message);
	protobuf_c_message_free_unpacked(message, &allocator);
	return 0;
}
