/*
 * One JSON text, for those who write a document without a tree.
 */
#ifndef FG_BASE_JSON_TEXT_H
#define FG_BASE_JSON_TEXT_H

#include "base/bytes.h"

/* Appends @text, which is UTF-8, with its quotation marks: what RFC 8259 demands is escaped and nothing else. As
 * buffer_append(). */
int json_append_text(struct buffer *out, struct bytes text);

#endif
