/*
 * What a step is told beside its documents: the files of an order, what a lost order is looked up with, and what was
 * lifted out of a reply.
 */
#ifndef FG_SDK_CHECK_TOLD_H
#define FG_SDK_CHECK_TOLD_H

#include "order.h"
#include "reply.h"

#define TOLD_FILES 8    /* of one order; more of them are not there any more */
#define TOLD_HANDLE 512 /* bytes of a handle, and of the headers that go with it */
#define TOLD_LIFTED 16

struct told {
	struct plugin_asset files[TOLD_FILES];
	size_t n_files;
	char handles[TOLD_FILES][TOLD_HANDLE], headers[TOLD_FILES][TOLD_HANDLE];
	struct buffer facts;
	char *lifted[TOLD_LIFTED];
	size_t n_lifted;
};

void told_finish(struct told *told);
/* The files that @job names; it outlives @told. */
void told_files(struct told *told, const struct orders *orders, const char *job);
/* The file of this name; NULL: there is none. */
struct plugin_asset *told_file(struct told *told, const char *name);
/* Gives @file the handle of @report, what an upload came to; NULL: a made-up one. */
void told_handle(struct told *told, struct plugin_asset *file, const char *report);
/* What reconcile is told of an order that left at @sent_ms; more of it with a reply. 0 or -ENOMEM. */
int told_facts(struct told *told, struct dice *dice, const char *job, int64_t sent_ms, bool has_reply);
/* Takes out of @reply, whose body lies in @body, what @exchange lifts, as the daemon does. 0 or -ENOMEM. */
int told_lift(struct told *told, const struct plugin_exchange *exchange, struct plugin_reply *reply,
	      struct buffer *body);

#endif
