/*
 * Replies that a provider might send: built from what the plugin was seen to look for, and then spoiled.
 */
#ifndef FG_SDK_CHECK_REPLY_H
#define FG_SDK_CHECK_REPLY_H

#include "plugin/step.h"
#include "random.h"

#define WORDS_MOST 512 /* pointers, and expected texts, that are remembered */

struct words {
	char *list[WORDS_MOST];
	size_t n;
};

/* Grows while a plugin runs; give its observer to the steps. */
struct learned {
	struct plugin_observer observer;
	struct words pointers, texts;
};

void learned_begin(struct learned *learned);
void learned_finish(struct learned *learned);
/* Remembers the texts and names of a document that was recorded. */
void learned_read(struct learned *learned, struct bytes document);

/* A reply; its body lies in @body, which is emptied first. */
struct plugin_reply reply_make(const struct learned *learned, struct dice *dice, struct buffer *body);

#endif
