/*
 * The head of a reply, line by line as it arrives: status and headers of the final reply, with interim (1xx) replies
 * dropped and trailers ignored, all of them within one limit of bytes and lines.
 */
#ifndef FG_HTTP_HEAD_H
#define FG_HTTP_HEAD_H

#include "http/http.h"

enum {
	_HEAD_E_OK,
	HEAD_E_TOO_LARGE,
};

struct head {
	struct buffer lines; /* of the block that is being read, each as it came */
	size_t limit_bytes;
	size_t seen_bytes;
	size_t seen_lines;
	int status;       /* of the block that is being read */
	bool is_http1;    /* 0.9 is never spoken, 2 frames its bodies itself */
	bool is_complete; /* the empty line behind the headers of a final reply was seen */
};

void head_init(struct head *head, size_t limit_bytes);
void head_finish(struct head *head);

/* One line with its line end. 0, HEAD_E_TOO_LARGE or -ENOMEM. */
int head_add_line(struct head *head, struct bytes line);

/*
 * Moves the headers of a complete head into @outcome: headers, header_count, and the memory behind them in outcome->head;
 * also status, declared_bytes and content_range. 0 or -ENOMEM.
 */
int head_move(struct head *head, struct http_outcome *outcome);

/* The value of the first header of that name, trimmed; inside @head, until it changes. Data NULL: there is none. */
struct bytes head_value(const struct head *head, const char *name);
/* Does nothing but the end of the connection end the body, where one is expected at all? */
bool head_ends_by_close(const struct head *head);
int64_t head_declared_bytes(const struct head *head);
struct http_range head_content_range(const struct head *head);

#endif
