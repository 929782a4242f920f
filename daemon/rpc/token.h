/*
 * The opaque texts that clients hand back: where a page begins, where a watch goes on.
 *
 * Inside: a version and a kind, the values, and the first bytes of a SHA-256 over all that, in base64url. The check is
 * against slips (cut, mixed up), not against forgery: a token opens nothing that a list would not.
 */
#ifndef FG_RPC_TOKEN_H
#define FG_RPC_TOKEN_H

#include "base/digest.h"
#include "base/id.h"

#define TOKEN_TEXT_SIZE 64 /* and the NUL */

enum {
	_TOKEN_E_OK,
	TOKEN_E_MALFORMED,   /* none of ours, or damaged */
	TOKEN_E_OTHER_FILTER, /* a page token of another filter */
};

/* @filter: the digest of the filter that the page was made with. */
void token_write_page(const struct id *after, const struct digest *filter, char text[static TOKEN_TEXT_SIZE]);
int token_read_page(const char *text, const struct digest *filter, struct id *ret_after);

void token_write_resume(uint64_t epoch, uint64_t sequence, char text[static TOKEN_TEXT_SIZE]);
int token_read_resume(const char *text, uint64_t *ret_epoch, uint64_t *ret_sequence);

#endif
