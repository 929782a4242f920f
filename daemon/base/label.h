/*
 * What a label may be. Jobs carry them, requests filter by them, budgets count by them: one rule for all.
 */
#ifndef FG_BASE_LABEL_H
#define FG_BASE_LABEL_H

#include "base/bytes.h"

#define LABEL_KEY_MAX 63    /* bytes */
#define LABEL_VALUE_MAX 255 /* bytes of UTF-8 */

/* 1 to LABEL_KEY_MAX of [a-z0-9_./-]? */
bool label_is_key(struct bytes key);
/* What lists show must not move the cursor, nor turn what stands beside it: the first control or invisible character of
 * @text, whose place goes to @ret_at. 0: there is none, or what comes is no UTF-8. */
uint32_t label_find_hidden(const char *text, size_t *ret_at);
/* At most LABEL_VALUE_MAX bytes with nothing hidden in them? UTF-8 is for the caller to see to. */
bool label_is_value(const char *value);

#endif
