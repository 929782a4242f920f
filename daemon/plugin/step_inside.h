/*
 * A step while it runs: what stands behind the opaque `struct fg_step` of the SDK. Shared by the files of this room.
 *
 * All documents and everything the plugin makes lie in one arena, so a node id is all that crosses. Ids below
 * first_own are what the step was given and may only be read.
 */
#ifndef FG_PLUGIN_STEP_INSIDE_H
#define FG_PLUGIN_STEP_INSIDE_H

#include "base/limits.h"
#include "plugin/account_inside.h"
#include "plugin/redact.h"
#include "plugin/step.h"
#include "plugin/table.h"

#define STEP_DOCUMENTS 6 /* FG_DOC_… from 1 */
#define STEP_NONCE_SIZE 32
#define STEP_UPLOADS (LIMIT_JOB_MEDIA + 2) /* an order's media, its script's sound and its background */

struct fg_step {
	const struct plugin_step *input;
	struct json *json;
	json_node documents[STEP_DOCUMENTS];
	json_node first_own;
	json_node state; /* the new state, once the plugin asked for it */
	struct plugin_answer *answer;
	bool has_answered;
	/* The order itself is wrong in a way that only showed while the request was built: ends as INVALID_INPUT. */
	const char *refusal;
	const char *refusal_field;
	struct buffer scratch; /* texts that have to be built before the arena takes them */
	/* media.c: what marks the place of an asset's bytes; assets whose handles were written, and which lack one. */
	char nonce[STEP_NONCE_SIZE];
	const struct plugin_asset *handles[STEP_UPLOADS], *uploads[STEP_UPLOADS];
	size_t n_handles, n_uploads;
	/* Where item() and key() stand, so that walking a list by index is not quadratic. */
	json_node cursor_list, cursor_node;
	uint64_t cursor_index;
};

extern const struct fg_host plugin_host;

static inline const struct plugin_manifest *step_manifest(const struct fg_step *s)
{
	return s->input->account->plugin->manifest;
}

/* The plugin broke a rule; the first fault stands. */
__attribute__((format(printf, 2, 3))) void step_fault(struct fg_step *s, const char *format, ...);
/* The order is wrong; the first reason stands. */
__attribute__((format(printf, 3, 4))) void step_refuse(struct fg_step *s, const char *field, const char *format, ...);
/* Did a call fail? Remembers when it was for want of memory: such a step has no answer at all. */
bool step_failed(struct fg_step *s, int outcome);
/* Is @node one of this step's? A fault if not. */
bool step_owns(struct fg_step *s, fg_node node);
/* Turns a fault of the arena or of a put into one of the step. @what names the host function. */
void step_check_json(struct fg_step *s, int outcome, const char *what);
/* May the plugin write into @out? False for an absent one, false and a fault for what it has not made. */
bool step_may_write(struct fg_step *s, fg_node out, const char *what);
/* Puts @made, a fresh root. */
void step_put(struct fg_step *s, fg_node out, const char *pointer, json_node made, const char *what);
/* The bytes of a text that the plugin handed in; false, and a fault, when its size cannot be right. */
bool step_text(struct fg_step *s, struct fg_text text, const char *what, struct bytes *ret);

/* ---- answer.c ---- */

/* Zeroed memory of the answer; NULL, remembered, when there is none. */
void *plugin_answer_alloc(struct plugin_answer *answer, size_t count, size_t size);
/* A copy; "" when out of memory, remembered. */
const char *plugin_answer_text(struct plugin_answer *answer, struct bytes text);
/* A copy of foreign words: at most @limit bytes, cut at a character, what is no text replaced by "?". */
const char *plugin_answer_words(struct plugin_answer *answer, struct bytes text, size_t limit);
bool plugin_answer_is_out_of_memory(const struct plugin_answer *answer);
void plugin_answer_set_out_of_memory(struct plugin_answer *answer);
struct plugin_answer *plugin_answer_new(void);

/* ---- answer_json.c ---- */

/* The answer as a tree; not redacted yet, but for headers. JSON_ABSENT when out of memory. */
json_node plugin_answer_json(struct json *json, const struct plugin_answer *answer);

/* ---- host_read.c, host_write.c, host_url.c, host_answer.c, media.c: the members of plugin_host ---- */

fg_node host_document(struct fg_step *s, uint32_t which);
uint32_t host_phase(struct fg_step *s);
uint32_t host_status(struct fg_step *s);
struct fg_text host_header(struct fg_step *s, const char *name);
uint64_t host_retry_after_ms(struct fg_step *s);
struct fg_text host_body_text(struct fg_step *s);
fg_node host_at(struct fg_step *s, fg_node node, const char *pointer);
fg_node host_item(struct fg_step *s, fg_node node, uint64_t n);
struct fg_text host_key(struct fg_step *s, fg_node node, uint64_t n);
uint64_t host_count(struct fg_step *s, fg_node node);
uint32_t host_kind(struct fg_step *s, fg_node node);
struct fg_text host_text(struct fg_step *s, fg_node node);
int32_t host_is(struct fg_step *s, fg_node node, const char *expected);
int64_t host_integer(struct fg_step *s, fg_node node, int64_t fallback);
int64_t host_decimal(struct fg_step *s, fg_node node, uint32_t scale, int64_t fallback);
int32_t host_boolean(struct fg_step *s, fg_node node, int32_t fallback);
int64_t host_time_ms(struct fg_step *s, fg_node node, int64_t fallback);
fg_node host_media(struct fg_step *s, const char *role, uint64_t n);

fg_node host_object(struct fg_step *s);
fg_node host_array(struct fg_step *s);
fg_node host_make_text(struct fg_step *s, struct fg_text value);
fg_node host_make_integer(struct fg_step *s, int64_t value);
fg_node host_make_decimal(struct fg_step *s, int64_t value, uint32_t scale);
fg_node host_join(struct fg_step *s, fg_node array, const char *separator);
fg_node host_cut(struct fg_step *s, fg_node text, uint64_t characters);
void host_put(struct fg_step *s, fg_node out, const char *pointer, fg_node node);
void host_put_text(struct fg_step *s, fg_node out, const char *pointer, const char *value);
void host_put_integer(struct fg_step *s, fg_node out, const char *pointer, int64_t value);
void host_put_boolean(struct fg_step *s, fg_node out, const char *pointer, int32_t value);
void host_append(struct fg_step *s, fg_node array, fg_node node);
void host_put_media(struct fg_step *s, fg_node out, const char *pointer, fg_node media, uint32_t form);
void host_put_extras(struct fg_step *s, fg_node out, const char *pointer);
fg_node host_state(struct fg_step *s);
void host_note(struct fg_step *s, uint32_t severity, const char *pointer, const char *sentence);

fg_node host_query(struct fg_step *s, fg_node url, const char *name);
fg_node host_path(struct fg_step *s, const char *path, fg_node values, fg_node query);
fg_node host_link(struct fg_step *s, fg_node url, fg_node query);
/* Appends the members of an object as name=value&…, escaped; a fault for what is no scalar. */
void host_append_pairs(struct fg_step *s, struct buffer *out, fg_node object, const char *what);

int32_t host_exchange(struct fg_step *s, const struct fg_exchange *exchange);
int32_t host_wait(struct fg_step *s, const struct fg_wait *wait);
int32_t host_accepted(struct fg_step *s, const struct fg_accepted *accepted);
int32_t host_done(struct fg_step *s, const struct fg_done *done);
int32_t host_failed(struct fg_step *s, const struct fg_failure *failure);
int32_t host_trouble(struct fg_step *s, const struct fg_failure *failure);
int32_t host_cancelled(struct fg_step *s, const struct fg_cancelled *cancelled);
int32_t host_absent(struct fg_step *s);
int32_t host_unknown(struct fg_step *s);
int32_t host_report(struct fg_step *s, fg_node report);
int32_t host_respond(struct fg_step *s, const struct fg_response *response);
int32_t host_hint(struct fg_step *s, const struct fg_response *response);

/* ---- media.c ---- */

void plugin_media_begin(struct fg_step *s);
/* Says in JOB what the assets of the order are; once, before the plugin sees it. */
void plugin_media_describe(struct fg_step *s);
/* /input of STEP. */
json_node plugin_media_input(struct fg_step *s);
/* What @media names; NULL when it names no asset of this step. */
const struct plugin_asset *plugin_media_asset(const struct fg_step *s, json_node media);
/* Marks the place of the bytes of @media, as they are. As buffer_append(); what is wrong with @media is said. */
int plugin_media_append_raw(struct fg_step *s, struct buffer *out, json_node media);
bool plugin_media_is_in(const struct fg_step *s, struct bytes text);
/* Makes body and pieces of @whole, which lives as long as the answer. */
void plugin_media_cut(struct fg_step *s, struct bytes whole, struct plugin_exchange *exchange);
/* Adds @text with what an asset is in place of its mark: the same in every step. */
void plugin_media_digest(struct fg_step *s, struct digester *digester, struct bytes text);

/* ---- exchange.c, lift.c, fingerprint.c, body.c, credential.c ---- */

/* Builds answer->exchange; what is wrong becomes a fault. */
void plugin_exchange_build(struct fg_step *s, const struct fg_exchange *exchange);

/* lift.c: what an exchange lifts, into answer->exchange; and whether @pointer is what the reply's exchange lifted. What
 * is wrong becomes a fault. */
void plugin_lift_build(struct fg_step *s, const struct fg_exchange *exchange);
const char *plugin_lift_find(struct fg_step *s, json_node pointer);

/* Of an exchange that has no credential yet; @key may be NULL. 0 or -ENOMEM. */
int plugin_exchange_fingerprint(const struct plugin_exchange *exchange, const char *key, struct digest *ret);

/* Headers while they are collected. */
struct plugin_header_list {
	struct plugin_header *headers;
	size_t n;
	size_t capacity;
};
/* A fault at LIMIT_PLUGIN_HEADERS. */
void plugin_headers_add(struct fg_step *s, struct plugin_header_list *list, const char *name, const char *value,
			bool is_secret);
/* An object of headers that a plugin may set? */
bool plugin_headers_are_plugins(struct fg_step *s, json_node headers);
/* The body of @kind from @node, in the answer's memory, and the Content-Type that goes with it (NULL: none). */
struct bytes plugin_body_build(struct fg_step *s, uint32_t kind, json_node node, const char **ret_type);
/* Encrypted, or plain by the operator's choice: for origins that they name, and around a base_url that is plain. */
bool plugin_may_reach(struct fg_step *s, const char *url);
/* A URL made absolute and checked; NULL and a fault when it is none that may be called. */
const char *plugin_target(struct fg_step *s, struct bytes text, const char *what);
/* The same without its query, for logs. */
const char *plugin_shown(struct fg_step *s, const char *url);
/*
 * Adds the credential of @scheme for @url, as a header or as a new *@url. False and a fault when there is no such
 * scheme, when the URL's origin may not have it, or when the secret is not configured.
 */
bool plugin_credential_add(struct fg_step *s, const char *scheme, const char **url, struct plugin_header_list *list);

#endif
