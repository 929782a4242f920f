/*
 * Where the body of one request comes from: pieces of memory and of files, one behind the other, read once from front
 * to back. A file is read while it is sent and never whole in memory; its length is known before, and a file that turns
 * out to be another ends the request.
 */
#ifndef FG_HTTP_SUPPLY_H
#define FG_HTTP_SUPPLY_H

#include "http/http.h"

#include <sys/types.h>

struct supply_piece;

struct supply {
	struct supply_piece *pieces;
	size_t count;
	size_t at;         /* the piece that is being read */
	uint64_t position; /* in it, of what is sent */
	uint64_t size_bytes;
	char *raw;            /* what a window is made of */
	struct buffer window; /* encoded bytes of the piece at `at` */
	uint64_t window_from; /* where in it they begin */
};

/* Copies the memory and duplicates the descriptors of @request. 0, -ENOMEM, -EMFILE, or -ESTALE: a file's size is not
 * what the piece says. Leaves something that supply_finish() takes in any case. */
int supply_init(struct supply *supply, const struct http_request *request);
void supply_finish(struct supply *supply);

/* How long the body of @request is; UINT64_MAX: longer than can be said. */
uint64_t supply_size_of(const struct http_request *request);

/* The next bytes, as many as there are up to @len; 0: at the end. -ENODATA when a file ends too early, or another errno
 * of reading it. */
ssize_t supply_read(struct supply *supply, char *data, size_t len);

#endif
