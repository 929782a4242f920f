/*
 * From text to message to text, for the tests of this room.
 */
#ifndef FG_TESTS_PROTOJSON_TEXT_H
#define FG_TESTS_PROTOJSON_TEXT_H

#include "base/err.h"
#include "protojson/protojson.h"

#include <every.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define EVERY (&every__every__descriptor)

static void *take_memory(void *userdata, size_t len)
{
	size_t *left = userdata;

	if (left && (*left)-- == 0)
		return NULL;
	return malloc(len);
}

static void release_memory(void *userdata, void *pointer)
{
	(void)userdata;
	free(pointer);
}

static inline int read_with(const ProtobufCMessageDescriptor *type, struct bytes text, unsigned flags,
			    size_t *allocations, ProtobufCMessage **ret, struct protojson_problem *problem)
{
	ProtobufCAllocator allocator = {.alloc = take_memory, .free = release_memory, .allocator_data = allocations};

	*problem = (struct protojson_problem){.text = ""};
	return protojson_read(type, text, flags, &allocator, ret, problem);
}

static inline Every__Every *must_read(const char *text)
{
	struct protojson_problem problem;
	ProtobufCMessage *message = NULL;
	int r = read_with(EVERY, bytes_of_text(text), 0, NULL, &message, &problem);

	if (r)
		fail_msg("%s: %d at '%s': %s", text, r, problem.field, problem.text);
	return (Every__Every *)message;
}

static inline void must_write(const ProtobufCMessage *message, unsigned flags, const char *expected)
{
	_cleanup_(buffer_finish) struct buffer out = {0};

	assert_int_equal(protojson_write(message, flags, &out), 0);
	assert_string_equal(out.data, expected);
}

/* Reads @text, and what is written of that is @expected. */
static inline void must_become(const char *text, const char *expected)
{
	Every__Every *message = must_read(text);

	must_write(&message->base, 0, expected);
	every__every__free_unpacked(message, NULL);
}

static inline void must_refuse_bytes(struct bytes text, int outcome, const char *field, const char *words)
{
	struct protojson_problem problem;
	ProtobufCMessage *message = NULL;
	int r = read_with(EVERY, text, 0, NULL, &message, &problem);

	if (r == 0)
		fail_msg("%.*s was read", (int)text.len, (const char *)text.data);
	assert_int_equal(r, outcome);
	assert_null(message);
	assert_string_equal(problem.field, field);
	if (!strstr(problem.text, words))
		fail_msg("'%s' does not say '%s'", problem.text, words);
}

static inline void must_refuse(const char *text, int outcome, const char *field, const char *words)
{
	must_refuse_bytes(bytes_of_text(text), outcome, field, words);
}

#endif
