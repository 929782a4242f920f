/*
 * The class of a paid request, from the two things that are known of it: what the transport saw, and what the plugin
 * read. One table; the page in ARCHITECTURE.md is printed from it.
 */
#ifndef FG_ENGINE_CLASSES_H
#define FG_ENGINE_CLASSES_H

#include "http/http.h"
#include "job/job.h"
#include "plugin/runner.h"

/* What the transport saw of a request, whatever words it has for it. */
enum send_sight {
	SEND_SAW_NOTHING_LEAVE, /* not one byte of it: name, connection, TLS, or what was to be sent */
	SEND_SAW_IT_LEAVE,      /* it may have arrived, and no complete reply came */
	SEND_SAW_A_REPLY,       /* complete, of any status */
	_SEND_SIGHT_N
};

/* What the plugin read in the reply. */
enum send_reading {
	SEND_READ_NOTHING,   /* it was not asked: there is no reply, or not the whole of what it wanted to see */
	SEND_READ_ID,        /* the provider's id, or the video itself */
	SEND_READ_REFUSAL,   /* nothing was bought: bad input, key, credit, rate */
	SEND_READ_PURCHASE,  /* it failed, and was bought all the same */
	SEND_READ_DOUBT,     /* a failure that says nothing of the purchase: a gateway's page, 5xx, still in progress */
	SEND_READ_PATIENCE,  /* the provider is still at it */
	SEND_READ_NO_ANSWER, /* the plugin failed on it */
	_SEND_READING_N
};

enum send_sight send_sight_of(const struct http_outcome *outcome);
/* Of what a plugin answers to a reply of @http_status; not of an exchange that buys nothing, which reads on. */
enum send_reading send_reading_of(const struct plugin_answer *answer, int http_status);

/* Asserts that the two go together. */
enum job_send_class send_class_of(enum send_sight sight, enum send_reading reading);

/* The table as one of Markdown. 0 or negative errno. */
int send_print_classes(struct buffer *out);

#endif
