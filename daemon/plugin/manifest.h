/*
 * A plugin's manifest (sdk/MANIFEST.md), checked and taken apart. Immutable once made: any thread may read it.
 */
#ifndef FG_PLUGIN_MANIFEST_H
#define FG_PLUGIN_MANIFEST_H

#include "base/err.h"
#include "base/json.h"
#include "job/validate.h"

enum {
	_PLUGIN_MANIFEST_E_OK,
	PLUGIN_MANIFEST_E_INVALID, /* the message says where and what */
	PLUGIN_MANIFEST_E_FEATURE, /* requires something that this daemon does not offer */
};

enum plugin_auth_kind {
	PLUGIN_AUTH_NONE,
	PLUGIN_AUTH_HEADER, /* header_name: prefix secret */
	PLUGIN_AUTH_BEARER, /* Authorization: Bearer secret */
	PLUGIN_AUTH_BASIC,  /* Authorization: Basic base64(secret), the secret being user:password */
	PLUGIN_AUTH_QUERY,  /* ?name=secret */
	PLUGIN_AUTH_GOOGLE, /* Authorization: Bearer token, which plugin/mint.h makes of the secret for `scope` */
};

enum plugin_scope { PLUGIN_SCOPE_NONE, PLUGIN_SCOPE_ROUTE, PLUGIN_SCOPE_ACCOUNT };

/* Texts are views into the manifest's document, NUL-terminated, never NULL unless a comment says so. */
struct plugin_auth {
	const char *scheme; /* what an exchange calls it */
	enum plugin_auth_kind kind;
	const char *name;   /* of the header or query parameter */
	const char *prefix; /* of the header's value */
	const char *secret; /* name of the secret */
	const char *scope;  /* of a token */
	json_node origins;  /* array of texts, or absent */
};

/* How a webhook call proves itself. Texts are "" where the recipe has none. */
struct plugin_webhook {
	bool is_declared;
	bool is_key_base64; /* the key is what the secret, behind its prefix, stands for */
	bool is_base64;     /* the signature; else hexadecimal */
	const char *secret;
	const char *key_prefix; /* left out of the secret */
	const char *signature_header;
	const char *prefix; /* of a signature */
	const char *signs;  /* with {id}, {timestamp} and {body} */
	const char *timestamp_header;
	const char *id_header;
	const char *secret_pointer; /* into the reply to a registration; "": none is made by the verb subscribe */
	int64_t tolerance_s;
};

struct plugin_manifest {
	struct json *json;
	const char *text; /* the whole of it, as the plugin has it */

	const char *name;
	const char *title;
	const char *version;
	const char *base_url;
	const char *request_id_header; /* NULL: none */
	struct plugin_auth *auths;
	size_t n_auths;
	struct plugin_webhook webhook;
	struct job_capabilities *capabilities; /* what its models take */

	int64_t key_window_ms; /* how long the provider honours an idempotency key; 0: not at all */
	int64_t poll_first_ms, poll_min_ms, poll_max_ms;
	int64_t buys_timeout_ms, safe_timeout_ms; /* 0: the daemon's */

	json_node root;
	json_node origins;   /* array of texts, or absent */
	json_node headers;   /* object of texts, or absent */
	json_node catalogue; /* object by kind: what may be asked for; or absent */
	uint32_t state_version;
	uint32_t concurrency;
	enum plugin_scope key_scope;
};

/* 0, an outcome from above with @error set, or -ENOMEM. @text is copied. */
int plugin_manifest_parse(struct bytes text, struct plugin_manifest **ret, struct errmsg *error);
struct plugin_manifest *plugin_manifest_free(struct plugin_manifest *manifest);
void plugin_manifest_freep(struct plugin_manifest **manifest);

/* Can this plugin go on from a state that version @version of its state wrote? */
bool plugin_manifest_reads_state(const struct plugin_manifest *manifest, uint32_t version);
/* May the provider have given this id to a video? @ret_forms: what its ids look like, in words; "" when not declared. */
bool plugin_manifest_takes_remote(const struct plugin_manifest *manifest, const char *id, struct errmsg *ret_forms);
/* NULL: no scheme of that name. */
const struct plugin_auth *plugin_manifest_auth(const struct plugin_manifest *manifest, const char *scheme);
/* The scheme whose credentials are minted; NULL: none. */
const struct plugin_auth *plugin_manifest_minted(const struct plugin_manifest *manifest);

/* What the daemon carries out of what a manifest may require. The table ends with a name of NULL. */
struct plugin_feature {
	const char *name;
	bool is_offered;
	const char *what; /* for the message: "this daemon cannot …" */
};
extern const struct plugin_feature plugin_features[];
bool plugin_feature_is_offered(const char *name);

#endif
