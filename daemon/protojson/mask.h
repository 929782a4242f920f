/*
 * The paths of a google.protobuf.FieldMask: "job.display_name" in the message, "job.displayName" in ProtoJSON, where
 * they stand in one text with commas between.
 */
#ifndef FG_PROTOJSON_MASK_H
#define FG_PROTOJSON_MASK_H

#include "base/bytes.h"

/* Appends the path in the other form. 0, or as buffer_append(). */
int mask_append_json(struct buffer *out, const char *path);
int mask_append_original(struct buffer *out, struct bytes json_path);

/* Names with points between, which the other form can say: so that nothing is lost on the way there and back. */
bool mask_is_path(struct bytes path);
bool mask_is_json_path(struct bytes json_path);

#endif
