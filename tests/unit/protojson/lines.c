/*
 * The mapper for a test in another language: one case a line on standard input, "write TYPE HEX" or "read TYPE HEX", and
 * one answer a line on standard output: "ok HEX", or "no OUTCOME FIELD TEXT". TAB stands between.
 */
#include "base/err.h"
#include "protojson/protojson.h"

#include <every.pb-c.h>
#include <filmgate/v1/artifact_service.pb-c.h>
#include <filmgate/v1/asset_service.pb-c.h>
#include <filmgate/v1/backup_service.pb-c.h>
#include <filmgate/v1/job_service.pb-c.h>
#include <filmgate/v1/orphan_service.pb-c.h>
#include <filmgate/v1/provider_service.pb-c.h>
#include <filmgate/v1/usage_service.pb-c.h>
#include <filmgate/v1/webhook_service.pb-c.h>
#include <stdio.h>

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

static const ProtobufCMessageDescriptor *find_type(const char *name)
{
	static const ProtobufCServiceDescriptor *const services[] = {
		&filmgate__v1__artifact_service__descriptor, &filmgate__v1__asset_service__descriptor,
		&filmgate__v1__backup_service__descriptor,   &filmgate__v1__job_service__descriptor,
		&filmgate__v1__orphan_service__descriptor,   &filmgate__v1__provider_service__descriptor,
		&filmgate__v1__usage_service__descriptor,    &filmgate__v1__webhook_service__descriptor,
	};

	if (strcmp(name, every__every__descriptor.name) == 0)
		return &every__every__descriptor;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		for (unsigned j = 0; j < services[i]->n_methods; j++) {
			const ProtobufCMethodDescriptor *method = &services[i]->methods[j];

			if (strcmp(method->input->name, name) == 0)
				return method->input;
			if (strcmp(method->output->name, name) == 0)
				return method->output;
		}
	fprintf(stderr, "there is no type '%s'\n", name);
	exit(2);
}

static size_t unhex(char *text)
{
	size_t n = 0;

	for (; text[2 * n]; n++)
		text[n] = (char)(bytes_hex_value(text[2 * n]) << 4 | bytes_hex_value(text[2 * n + 1]));
	return n;
}

static void answer(const void *data, size_t len)
{
	const unsigned char *bytes = data;

	printf("ok\t");
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void write_case(const ProtobufCMessageDescriptor *type, const void *data, size_t len)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, len, data);
	int r = message ? protojson_write(message, 0, &out) : -EBADMSG;

	protobuf_c_message_free_unpacked(message, NULL);
	if (r)
		printf("no\t%d\t\t\n", r);
	else
		answer(out.data, out.len);
}

static void read_case(const ProtobufCMessageDescriptor *type, const void *data, size_t len)
{
	struct protojson_problem problem = {.text = ""};
	_cleanup_(freep) uint8_t *packed = NULL;
	ProtobufCMessage *message;
	int r = protojson_read(type, bytes_of(data, len), 0, &allocator, &message, &problem);

	if (r) {
		printf("no\t%d\t%s\t%s\n", r, problem.field, problem.text);
		return;
	}
	packed = malloc(protobuf_c_message_get_packed_size(message) + 1);
	if (!packed)
		exit(2);
	answer(packed, protobuf_c_message_pack(message, packed));
	protobuf_c_message_free_unpacked(message, &allocator);
}

int main(void)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		char *direction = line, *type, *text;
		size_t n;

		line[len - 1] = '\0';
		type = strchr(direction, '\t');
		text = type ? strchr(type + 1, '\t') : NULL;
		if (!text)
			return 2;
		*type++ = '\0';
		*text++ = '\0';
		n = unhex(text);
		if (strcmp(direction, "write") == 0)
			write_case(find_type(type), text, n);
		else
			read_case(find_type(type), text, n);
		fflush(stdout);
	}
	return 0;
}
