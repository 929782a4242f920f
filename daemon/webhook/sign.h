/*
 * Signatures by the Standard Webhooks specification. Pure; any thread.
 */
#ifndef FG_WEBHOOK_SIGN_H
#define FG_WEBHOOK_SIGN_H

#include "base/bytes.h"

enum {
	_SIGN_E_OK,
	SIGN_E_SECRET, /* none of the form whsec_BASE64 */
};

/* The key in the text of a secret, appended to @ret: 0, SIGN_E_SECRET or -ENOMEM. */
int sign_read_secret(struct bytes secret, struct buffer *ret);

/* What is signed, in each attempt with its own time. */
struct sign_message {
	const char *id;
	int64_t time_s; /* UTC */
	struct bytes body;
};
/* Appends "v1,BASE64"; a blank before it when @ret has something already. 0 or -ENOMEM. */
int sign_append(const struct sign_message *message, struct bytes key, struct buffer *ret);

#endif
