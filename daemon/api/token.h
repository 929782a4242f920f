/*
 * The opaque texts that clients hand back: where a page begins, where a watch goes on, what a link leads to.
 *
 * Inside: a version and a kind, the values, and the first bytes of a SHA-256 over all that, in base64url. The check is
 * against slips (cut, mixed up), not against forgery: such a token opens nothing that a list would not. A link does: what
 * it says is signed.
 */
#ifndef FG_API_TOKEN_H
#define FG_API_TOKEN_H

#include "base/digest.h"
#include "base/id.h"
#include "job/job.h"

#define TOKEN_TEXT_SIZE 64 /* and the NUL */

enum {
	_TOKEN_E_OK,
	TOKEN_E_MALFORMED,    /* none of ours, or damaged */
	TOKEN_E_OTHER_FILTER, /* a page token of another filter */
};

/* @filter: the digest of the filter that the page was made with. */
void token_write_page(const struct id *after, const struct digest *filter, char text[static TOKEN_TEXT_SIZE]);
int token_read_page(const char *text, const struct digest *filter, struct id *ret_after);

void token_write_resume(uint64_t epoch, uint64_t sequence, char text[static TOKEN_TEXT_SIZE]);
int token_read_resume(const char *text, uint64_t *ret_epoch, uint64_t *ret_sequence);

#define TOKEN_LINK_SIZE 72 /* and the NUL */
struct token_link {
	struct job_ref ref;
	uint32_t index;  /* of the job's artifact */
	int64_t until_s; /* UTC, since 1970 */
};
void token_write_link(struct bytes key, const struct token_link *link, char text[static TOKEN_LINK_SIZE]);
/* Whatever the time is. TOKEN_E_MALFORMED: it was not made with @key, either. */
int token_read_link(struct bytes key, const char *text, struct token_link *ret);

#endif
