/*
 * What must not be written down: the secrets of an account in every form they travel in, tokens, and the signatures of
 * links. Used where recordings are made; logs are redacted where their values are made.
 *
 * Redacting is blunt on purpose: it may take out what was harmless, and does so in the same way each time, so that a
 * text that went through it once is not changed by a second time.
 */
#ifndef FG_PLUGIN_REDACT_H
#define FG_PLUGIN_REDACT_H

#include "base/json.h"

#define PLUGIN_REDACTED "REDACTED"

struct plugin_account;
struct plugin_redactor;

/* Knows the secrets of @account; a secret of fewer than LIMIT_REDACT_LEAST bytes is left alone where it stands in the
 * middle of a text. NULL @account: none yet. NULL when out of memory. */
struct plugin_redactor *plugin_redactor_new(const struct plugin_account *account);
/* One more: what a provider calls a file of the user's, say. As it is and as a URL writes it; one of fewer than
 * LIMIT_REDACT_HANDLE bytes is left alone, lest it be an ordinary word. 0 or -ENOMEM. */
int plugin_redactor_add(struct plugin_redactor *redactor, struct bytes secret);
/* All that @more knows. 0 or -ENOMEM. */
int plugin_redactor_join(struct plugin_redactor *redactor, const struct plugin_redactor *more);
/* Forgets the first that it was told, until it knows no more than @limit texts. */
void plugin_redactor_forget(struct plugin_redactor *redactor, size_t limit);
/* Overwrites what it knows. */
struct plugin_redactor *plugin_redactor_free(struct plugin_redactor *redactor);
void plugin_redactor_freep(struct plugin_redactor **redactor);

/* Appends @text without what must not be in it. As buffer_append(). */
int plugin_redact_text(const struct plugin_redactor *redactor, struct bytes text, struct buffer *out);
/* A copy of the tree in @into; members that are named like a credential lose their text whatever it is. 0 or -ENOMEM; a
 * fault of @into sticks there. */
int plugin_redact_json(const struct plugin_redactor *redactor, const struct json *from, json_node node,
		       struct json *into, json_node *ret);
/* Does a header, a member or a query parameter of this name carry a credential? */
bool plugin_redact_is_secret_name(struct bytes name);

#endif
