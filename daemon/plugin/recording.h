/*
 * One step as a document: (verb, phase, documents, facts) in, one answer out. What a recording is, what a replay reads,
 * and how two answers are compared.
 *
 * {"format": 1, "plugin": {name, version}, "account": {id, base_url, origins, options, secrets}, "step": {…},
 *  "facts": {…}, "job": {…}, "state": {…}, "assets": [{name, media_type, size_bytes, handle, headers}],
 *  "reply": {status, elapsed_ms, retry_after_ms, headers, lifted, json | text}, "answer": {…}}
 *
 * Secrets are not in it: an account has their names only, headers that carry one have none of it, and everything went
 * through plugin/redact.h. Nor is what the provider calls the user's files: a handle is redacted wherever it stands, in
 * the steps that bring it or order with it and in all that are written after them with the same memory, and in a step of
 * `upload` whatever a member named …id, …uri or …handle says, and what goes into headers. Of files
 * themselves there are digest, size and media type. Prompts and other words of users are.
 */
#ifndef FG_PLUGIN_RECORDING_H
#define FG_PLUGIN_RECORDING_H

#include "plugin/redact.h"
#include "plugin/step.h"

#define PLUGIN_RECORDING_FORMAT 1

enum {
	_PLUGIN_RECORDING_E_OK,
	PLUGIN_RECORDING_E_INVALID, /* no recording, or of a later format; the message says where */
};

/*
 * Appends the document as one line. @answer NULL: of a step that has none yet. @known: the handles that earlier steps
 * showed, to which this one's are added, at most LIMIT_REDACT_KNOWN; NULL: only this step's are looked for. 0, -EMSGSIZE
 * (the buffer's limit), or -ENOMEM. [any-thread, @known one at a time]
 */
int plugin_recording_write(const struct plugin_step *step, const struct plugin_answer *answer,
			   struct plugin_redactor *known, struct buffer *out);
/* The member "answer" alone, redacted in the same way. */
int plugin_recording_write_answer(const struct plugin_step *step, const struct plugin_answer *answer,
				  struct buffer *out);

struct plugin_recording;

/* 0, the outcome from above with @error set, or -ENOMEM. */
int plugin_recording_read(struct bytes text, struct plugin_recording **ret, struct errmsg *error);
struct plugin_recording *plugin_recording_free(struct plugin_recording *recording);
void plugin_recording_freep(struct plugin_recording **recording);

/* All that is handed out lives as long as the recording. */
const char *plugin_recording_plugin(const struct plugin_recording *recording);
/* The account that it was made with; PLUGIN_REDACTED stands for each secret, and no token is minted. */
const struct plugin_account_spec *plugin_recording_account(const struct plugin_recording *recording);
/* The step again, but for its account, which is the caller's to set. A body that was JSON is the same value, though not
 * of the same size. */
const struct plugin_step *plugin_recording_step(const struct plugin_recording *recording);
/* As plugin_recording_write_answer() wrote it; empty: none was recorded. */
struct bytes plugin_recording_answer(const struct plugin_recording *recording);

#endif
