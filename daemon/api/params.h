/*
 * filmgate.v1.JobParameters and the canonical JSON document that plugins, capability documents and the store know.
 *
 * The rules stand at the top of parameters.proto: keys are field names, an enum is its short word in lower case, a
 * Duration is an integer of milliseconds under the name with "_ms", what is unset is absent. Both directions are led
 * by the descriptor: a new field of a known kind needs no line here.
 */
#ifndef FG_API_PARAMS_H
#define FG_API_PARAMS_H

#include "api/violations.h"
#include "base/bytes.h"

#include <filmgate/v1/parameters.pb-c.h>

/* Everything that the contract says of the parameters whatever the model; fields are named below @at. */
void params_check(const Filmgate__V1__JobParameters *params, const struct path *at, struct violations *violations);

/* Appends the document, keys sorted. 0 or negative errno. @params has passed params_check(). */
int params_write_json(const Filmgate__V1__JobParameters *params, struct buffer *out);

/* Back again. 0; -EBADMSG: not such a document; -ENOMEM. Members that this version does not know are left out. */
int params_read_json(const char *document, struct arena *arena, Filmgate__V1__JobParameters **ret);

/* The short word of an enum's value, lower-case: "first_frame"; into @word. */
#define PARAMS_WORD_SIZE 40
void params_enum_word(const ProtobufCEnumDescriptor *type, int value, char word[static PARAMS_WORD_SIZE]);

/* A duration in whole milliseconds; false if it is finer, out of protobuf's range, or of mixed signs. */
struct Google__Protobuf__Duration;
bool duration_to_ms(const struct Google__Protobuf__Duration *duration, int64_t *ret_ms);

#endif
