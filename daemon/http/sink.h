/*
 * Where the body of one reply goes: memory or the caller's file, decided once its head is complete.
 */
#ifndef FG_HTTP_SINK_H
#define FG_HTTP_SINK_H

#include "http/head.h"

enum {
	_SINK_E_OK,
	SINK_E_TOO_LARGE,   /* or declared to become so */
	SINK_E_OTHER_RANGE, /* a 206 for bytes that were not asked for; nothing was written */
	SINK_E_UNREADABLE,  /* by the filter's word, which is in why */
};

struct sink {
	struct buffer memory;
	uint64_t max_memory_bytes;
	uint64_t max_file_bytes;
	uint64_t resume_from;
	uint64_t file_offset;
	uint64_t bytes_written;
	int fd;           /* borrowed; -1: memory only */
	bool is_bodiless; /* set in sink_open() too: a reply to HEAD, 204 and 304 have no body whatever they declare */
	bool is_in_file;
	struct http_filter filter; /* write NULL: none */
	bool is_filtered;
	struct errmsg why;
};

/* Takes what @request says about its body's destination. */
void sink_init(struct sink *sink, const struct http_request *request);
void sink_finish(struct sink *sink);

/* All: 0, an outcome above, or a negative errno of the file. */
int sink_open(struct sink *sink, const struct head *head);
int sink_write(struct sink *sink, struct bytes bytes);
/* The reply is complete. */
int sink_end(struct sink *sink);

#endif
