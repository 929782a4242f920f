/*
 * <filmgate/provider.h>: what a provider plugin and the Filmgate daemon say to each other.
 *
 * A plugin turns bytes into bytes. It is handed one step (the job, the account, its own state from last time, the
 * reply that just came) and answers with exactly one of: perform this exchange, wait, accepted, done, failed, … The
 * daemon does all input and output: connections, TLS, time-outs, retries, redirects, secrets, downloads, storage. A
 * plugin needs no thread, no clock, no random numbers, no HTTP library, and keeps nothing between two steps.
 *
 *     static int32_t poll_video(const struct fg_host *h, struct fg_step *s)
 *     {
 *         fg_node state = h->document(s, FG_DOC_STATE);
 *         fg_node reply = h->document(s, FG_DOC_REPLY);
 *
 *         if (h->phase(s) == 0)
 *             return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .method = "GET", .auth = "key", .phase = 1,
 *                                               .url = h->path(s, "/v1/videos/{id}", state, FG_ABSENT)));
 *         if (!h->is(s, h->at(s, reply, "/status"), "done"))
 *             return h->wait(s, FG_WAIT(.status = h->text(s, h->at(s, reply, "/status"))));
 *         …
 *     }
 *
 * Ownership   Nothing crosses that the other side must free. Everything the host hands out (nodes, texts, the step)
 *             belongs to the host and is valid until the verb returns. Everything the plugin hands in is copied before
 *             the call returns. The plugin's own table and manifest must live as long as the plugin is loaded.
 * Threads     One verb call at a time per job, any number of jobs at once: a verb may run on several threads with
 *             different steps. Host functions may only be called inside a verb, on its thread, with its step. They
 *             read the step or append to its answer; none blocks.
 * Errors      They stick. A host function that is misused (an unknown constant, a malformed pointer, writing into
 *             what may only be read, more than the host's limits) records the first fault with words and returns
 *             something harmless; the step then ends as a *plugin fault* whatever the verb answers. So nothing needs
 *             to be checked on the way. Absent values are no fault: node 0 goes into every function.
 * Money       A plugin fault on the reply to a buying exchange never fails the job: it makes it UNCERTAIN.
 * Strings     `const char *` ends with NUL and is UTF-8: names, pointers, methods. `struct fg_text` carries its
 *             length, may contain NUL, and is UTF-8.
 * Zero        is the careful value of every field: an exchange with effect 0 buys, a failure with bought 0 leaves the
 *             decision to the daemon.
 * Growth      Structures only grow at the end and start with the size that their writer's compiler knew. Constants
 *             keep their values. An incompatible future is another entry symbol. Fields and functions that are newer
 *             than a plugin are zero or unknown to it; a plugin that calls newer functions says so in
 *             needs_host_minor.
 *
 * This is version 0: it may still change with every release of the daemon.
 *
 * C99 without extensions, C++11; 64-bit targets.
 */
#ifndef FILMGATE_PROVIDER_H
#define FILMGATE_PROVIDER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FG_ABI_MAJOR 0u
#define FG_ABI_MINOR 0u

struct fg_host;
struct fg_step; /* opaque; one call of one verb */

/* Text of known length. data may be NULL only when size is 0. */
struct fg_text {
	const char *data;
	uint64_t size; /* bytes */
};

/*
 * A value in a JSON document of this step: an object, an array, a text, a number, a boolean or null. Valid until the
 * verb returns and meaningless in any other step. 0 is "absent": what was not there. Every function accepts it.
 */
typedef uint32_t fg_node;
#define FG_ABSENT 0u

/* What kind() answers. */
#define FG_KIND_ABSENT 0u
#define FG_KIND_NULL 1u
#define FG_KIND_BOOLEAN 2u
#define FG_KIND_NUMBER 3u
#define FG_KIND_TEXT 4u
#define FG_KIND_ARRAY 5u
#define FG_KIND_OBJECT 6u

/*
 * The documents of a step. Their keys are part of this ABI and are listed in sdk/DOCUMENTS.md.
 *
 * JOB      what the user ordered: /id, /model, /parameters/… in canonical names, with their /media and /extras
 * ACCOUNT  what the operator configured: /id, /base_url, /options/… ; never a secret
 * STATE    what this plugin wrote last for this job; an empty object at first
 * REPLY    the JSON body of the reply that this step reads; absent when there is none or when it is not JSON
 * STEP     facts of this call: /verb, /phase, /now_ms, /attempt, /send, /idempotency_key, /random, /remote/id, …
 */
#define FG_DOC_JOB 1u
#define FG_DOC_ACCOUNT 2u
#define FG_DOC_STATE 3u
#define FG_DOC_REPLY 4u
#define FG_DOC_STEP 5u

/*
 * What an exchange does at the provider. Never derived from the method: some providers poll by POST. At most one
 * buying exchange per attempt; a second one is a plugin fault.
 */
#define FG_EFFECT_BUYS 0u          /* costs money, and sending it twice costs twice */
#define FG_EFFECT_BUYS_WITH_KEY 1u /* costs money; the provider honours the key in it, which the host checks is there */
#define FG_EFFECT_SAFE 2u          /* changes nothing: may be sent again at will */
#define FG_EFFECT_IDEMPOTENT 3u    /* changes something, but twice is the same as once (cancel, delete) */

/*
 * The body of an exchange, from the node in `body`.
 * NONE       no body; `body` is absent
 * JSON       any node; application/json
 * FORM       an object of texts, numbers and booleans; application/x-www-form-urlencoded, in the order written
 * MULTIPART  an array of parts in the order sent, each {name, value | media, filename?, media_type?}; a value that is
 *            an object or array is sent as JSON
 * TEXT       a text, sent as it is; name its type in `headers`
 * MEDIA      a media object of the job, its raw bytes
 */
#define FG_BODY_NONE 0u
#define FG_BODY_JSON 1u
#define FG_BODY_FORM 2u
#define FG_BODY_MULTIPART 3u
#define FG_BODY_TEXT 4u
#define FG_BODY_MEDIA 5u

/* How put_media() writes an input. The host carries the bytes; a plugin never sees them. */
#define FG_MEDIA_URL 0u      /* a public URL */
#define FG_MEDIA_HANDLE 1u   /* what the provider calls it, since an upload of the user's or of the verb upload */
#define FG_MEDIA_DATA_URI 2u /* data:TYPE;base64,… */
#define FG_MEDIA_BASE64 3u   /* bare base64 */

/* What note() reports to the user about a parameter. */
#define FG_NOTE_IGNORED 1u  /* the provider has no such parameter: it was left out */
#define FG_NOTE_ADJUSTED 2u /* rounded, clamped or replaced by the nearest value that the provider takes */
#define FG_NOTE_CUT 3u      /* a text was longer than the provider takes */
#define FG_NOTE_INFO 4u     /* worth knowing, nothing was lost */

/*
 * Why something failed. Below 20: reasons that end an attempt. From 20 on: throttles, only allowed in trouble(), since
 * nothing failed for good.
 */
#define FG_REASON_UNKNOWN 0u        /* the plugin cannot tell; counts as PROVIDER_FAULT */
#define FG_REASON_INVALID_INPUT 1u  /* the same request will never be taken */
#define FG_REASON_MODERATED 2u      /* input or output refused by a content rule */
#define FG_REASON_NO_CREDIT 3u      /* balance, plan or trial used up */
#define FG_REASON_AUTH 4u           /* key missing, wrong, or without this right */
#define FG_REASON_PROVIDER_FAULT 5u /* the provider's own error */
#define FG_REASON_LOST 6u           /* the provider no longer knows the job */
#define FG_REASON_TIMEOUT 7u        /* the provider gave up on it */
#define FG_REASON_ARTIFACT_BAD 8u   /* finished, but nothing usable came out */
#define FG_REASON_CANCELLED 9u      /* cancelled there, by us or by somebody else */
#define FG_REASON_QUOTA 10u         /* a plan's quota that waiting does not cure */
#define FG_REASON_RATE_LIMITED 20u  /* too many requests in this span of time, be it a second or a day */
#define FG_REASON_CONCURRENCY 21u   /* too many jobs running there */
#define FG_REASON_UNAVAILABLE 22u   /* down, overloaded, or an unreadable reply */
#define FG_REASON_NOT_FOUND 23u     /* not found or expired: the job, or only its link */
#define FG_REASON_IN_PROGRESS 24u   /* a request with the same key is still being answered */

/* What a failure cost. */
#define FG_BOUGHT_HOUSE_RULE 0u /* the daemon decides from status and effect: 4xx none, anything else unknown */
#define FG_BOUGHT_NONE 1u       /* certainly nothing was ordered or charged */
#define FG_BOUGHT_MADE 2u       /* ordered and charged, although it failed */
#define FG_BOUGHT_UNKNOWN 3u    /* cannot be told from what the provider said */

/* What the provider does with the job now; for people, and for the queue's figures. */
#define FG_STAGE_UNKNOWN 0u
#define FG_STAGE_QUEUED 1u
#define FG_STAGE_THROTTLED 2u /* held back by our own limit there */
#define FG_STAGE_RUNNING 3u

/* What a cancel achieved. */
#define FG_CANCEL_UNKNOWN 0u      /* asked, not confirmed: keep polling */
#define FG_CANCEL_ACHIEVED 1u     /* it will not finish */
#define FG_CANCEL_TOO_LATE 2u     /* it was finished already */
#define FG_CANCEL_NOT_POSSIBLE 3u /* the provider will not stop it now */

/* The value of an answer that was recorded; the verb returns it. */
#define FG_ANSWERED 1

/*
 * exchange(): perform this, then call the same verb again with the reply and with `phase`. The state written in this
 * step is stored before a buying exchange leaves. The plugin is not called when no complete reply came: the daemon
 * knows what to do then.
 */
struct fg_exchange {
	uint32_t struct_size;
	uint32_t effect;            /* FG_EFFECT_… */
	uint32_t phase;             /* for the step that reads the reply; the plugin's own numbering, not 0 */
	uint32_t body_kind;         /* FG_BODY_… */
	const char *method;         /* "GET", "POST", "PUT", "PATCH", "DELETE" */
	const char *auth;           /* the name of an auth scheme of the manifest; NULL sends no credential */
	const char *body_to;        /* NULL, or the role under which a 2xx body that is not JSON becomes an output */
	uint64_t reply_limit_bytes; /* 0: the daemon's limit; a plugin can only ask for less */
	uint32_t timeout_ms;        /* 0: the daemon's time-out for this effect */
	uint32_t flags;             /* FG_EXCHANGE_… */
	fg_node url;                /* a text from path() or link() */
	fg_node headers;            /* absent, or an object of texts; no credential, no Host, no Content-Length */
	fg_node body;
	/*
	 * Absent, or an array of 1 to 32 pointer patterns ("/videos/∗/data", a ∗ being an asterisk, for every index or
	 * name): base64 texts (RFC 4648, section 4, with padding) that are taken out of a 2xx reply into outputs while it
	 * streams, whatever their size. REPLY has empty texts there; what is no text stays as it is. They count for
	 * limits.video_bytes, not for the reply's limit. Only of poll and result, and not of a purchase. A text that is no
	 * base64 fails the exchange, which is then tried again, and never the job.
	 */
	fg_node lift;
};
#define FG_EXCHANGE_LONG_POLL 1u /* the provider holds the connection; timeout_ms says how long */

/* wait(): nothing to do now. The same verb is called again with phase 0. */
struct fg_wait {
	uint32_t struct_size;
	uint32_t stage;             /* FG_STAGE_… */
	uint64_t after_ms;          /* 0: Retry-After of the reply, else the pacing of the manifest */
	uint32_t has;               /* which of the two below are known: FG_WAIT_HAS_… */
	uint32_t progress_permille; /* 0 to 1000, from the provider, never guessed */
	uint64_t queue_position;    /* how many are before it */
	struct fg_text status;      /* the provider's own word */
};
#define FG_WAIT_HAS_PROGRESS 1u
#define FG_WAIT_HAS_QUEUE_POSITION 2u

/* accepted(): the provider has taken the order (start), or has had it all along (reconcile). */
struct fg_accepted {
	uint32_t struct_size;
	uint32_t stage;    /* FG_STAGE_… */
	uint64_t after_ms; /* first poll; 0: the pacing of the manifest */
	fg_node remotes;   /* array, at least one {id, kind?, language?}: what poll will be asked about */
	fg_node cost;      /* absent, or as in fg_done: what the provider says it will cost */
	struct fg_text status;
};

/*
 * done(): finished; these are the outputs. Also from start, when the reply was the result already.
 *
 * outputs  array of {role, and exactly one of url | lifted, auth?, media_type?, language?, index?, expires_at_ms?}.
 *          role is "video", "captioned_video", "watermarked_video", "thumbnail", "preview", "subtitles", "audio",
 *          "last_frame" or "data". auth names a scheme to download with; without it no credential is sent. lifted is
 *          the pointer of a text that lift took out, or "" for the body that body_to kept. index counts samples.
 * missing  absent, or an array of {role, reason, language?, index?, code?, message?}: ordered and not delivered; reason
 *          is a number, FG_REASON_…
 * cost     absent, or {amount_micros, currency, source}: currency is ISO 4217 or "credits"; source is "provider" (its
 *          own figure) or "computed" (from delivered seconds and a price list).
 * remotes  as in fg_accepted; only for a start that is done at once.
 */
struct fg_done {
	uint32_t struct_size;
	fg_node outputs;
	fg_node missing;
	fg_node cost;
	fg_node remotes;
	uint32_t flags; /* none yet: 0 */
};

/* failed() and trouble(). */
struct fg_failure {
	uint32_t struct_size;
	uint32_t reason;           /* FG_REASON_… */
	uint32_t bought;           /* FG_BOUGHT_… */
	uint32_t flags;            /* none yet: 0 */
	uint64_t retry_after_ms;   /* 0: what Retry-After or retry-after-ms of the reply says, if anything */
	struct fg_text code;       /* the provider's own code, for people and for searching */
	struct fg_text message;    /* the provider's own words */
	struct fg_text request_id; /* empty: the header that the manifest names */
	struct fg_text field;      /* INVALID_INPUT: pointer into the job document, if it is known */
};

/* cancelled(). */
struct fg_cancelled {
	uint32_t struct_size;
	uint32_t achieved; /* FG_CANCEL_… */
	uint32_t bought;   /* FG_BOUGHT_…: is it charged all the same? */
	uint32_t flags;    /* none yet: 0 */
	struct fg_text message;
};

/* respond() and hint(): what the provider's webhook call is answered with, and what it told us. */
struct fg_response {
	uint32_t struct_size;
	uint32_t status;          /* HTTP status, 200 to 299; 0: 204 */
	fg_node body;             /* absent or JSON, at most 4 KiB */
	uint32_t flags;           /* none yet: 0 */
	struct fg_text remote_id; /* hint(): which job to poll now; as poll knows it, one line */
};

/*
 * What the host offers. `h` is valid inside the verb call only. Comments name what is returned when the node is
 * absent or of another kind as "else …".
 */
struct fg_host {
	uint32_t struct_size;
	uint32_t minor; /* of the host; at least the plugin's needs_host_minor */

	/* ---- reading ---- */

	/* The root of a document, FG_DOC_…; absent if this step has none. May only be read. */
	fg_node (*document)(struct fg_step *s, uint32_t which);
	/* Why this verb is called: 0 to begin, else the phase of the exchange whose reply came. */
	uint32_t (*phase)(struct fg_step *s);
	/* The reply's HTTP status, else 0. */
	uint32_t (*status)(struct fg_step *s);
	/* A header of the reply by its name in any case; several are joined with ", ". Else empty. */
	struct fg_text (*header)(struct fg_step *s, const char *name);
	/* How long the reply asks to wait (Retry-After in either form, retry-after-ms), else 0. */
	uint64_t (*retry_after_ms)(struct fg_step *s);
	/* The beginning of a reply body that is not JSON, at most 64 KiB, cut at a character; else empty. */
	struct fg_text (*body_text)(struct fg_step *s);

	/* The value at a JSON Pointer (RFC 6901) below @node; "" is @node itself. Else absent. */
	fg_node (*at)(struct fg_step *s, fg_node node, const char *pointer);
	/* The n-th element or member from 0, else absent. */
	fg_node (*item)(struct fg_step *s, fg_node node, uint64_t n);
	/* The name of the n-th member of an object, else empty. */
	struct fg_text (*key)(struct fg_step *s, fg_node node, uint64_t n);
	/* How many elements or members, else 0. */
	uint64_t (*count)(struct fg_step *s, fg_node node);
	/* FG_KIND_… */
	uint32_t (*kind)(struct fg_step *s, fg_node node);
	/* A text's characters, or a number exactly as it was written ("17454220438242315174"); else empty. */
	struct fg_text (*text)(struct fg_step *s, fg_node node);
	/* 1 if this is a text (or number) that reads exactly so; else 0. */
	int32_t (*is)(struct fg_step *s, fg_node node, const char *expected);
	/* A number, or a text that is one, without fraction and within int64_t; else @fallback. Never rounds. */
	int64_t (*integer)(struct fg_step *s, fg_node node, int64_t fallback);
	/* The same times ten to the @scale (0 to 18): "0.0385" at 6 is 38500. Digits beyond are @fallback, not rounded. */
	int64_t (*decimal)(struct fg_step *s, fg_node node, uint32_t scale, int64_t fallback);
	/* 1 for true and for the text "on", 0 for false and "off"; else @fallback. */
	int32_t (*boolean)(struct fg_step *s, fg_node node, int32_t fallback);
	/* An instant in ms since 1970: RFC 3339 or HTTP date as text, seconds since 1970 as number; else @fallback. */
	int64_t (*time_ms)(struct fg_step *s, fg_node node, int64_t fallback);
	/* The n-th entry of the job's /parameters/media with this role, from 0; else absent. */
	fg_node (*media)(struct fg_step *s, const char *role, uint64_t n);
	/* The decoded value of a query parameter of a URL, as a text node; else absent. */
	fg_node (*query)(struct fg_step *s, fg_node url, const char *name);

	/* ---- writing ---- */

	/* New values, to be filled and to be put somewhere. */
	fg_node (*object)(struct fg_step *s);
	fg_node (*array)(struct fg_step *s);
	fg_node (*make_text)(struct fg_step *s, struct fg_text value);
	fg_node (*make_integer)(struct fg_step *s, int64_t value);
	/* @value divided by ten to the @scale, in its shortest form: 5000 at 3 is 5, 5042 at 3 is 5.042. */
	fg_node (*make_decimal)(struct fg_step *s, int64_t value, uint32_t scale);
	/* The texts and numbers of an array, one behind the other with @separator between. */
	fg_node (*join)(struct fg_step *s, fg_node array, const char *separator);
	/* The longest beginning of at most @characters code points; the node itself if it is no longer. */
	fg_node (*cut)(struct fg_step *s, fg_node text, uint64_t characters);

	/*
	 * Put a copy of @node at @pointer below @out, which this step has made. Objects on the way are made; "-" behind an
	 * array appends; what stood there is replaced. An absent @node or @out does nothing, so an optional parameter is
	 * one line.
	 */
	void (*put)(struct fg_step *s, fg_node out, const char *pointer, fg_node node);
	void (*put_text)(struct fg_step *s, fg_node out, const char *pointer, const char *value);
	void (*put_integer)(struct fg_step *s, fg_node out, const char *pointer, int64_t value);
	void (*put_boolean)(struct fg_step *s, fg_node out, const char *pointer, int32_t value);
	void (*append)(struct fg_step *s, fg_node array, fg_node node);
	/*
	 * A media object of the job (an entry of /parameters/media, /parameters/script/audio, …) in one of the forms
	 * FG_MEDIA_…. A medium that the user gave in another form is the user's error. Absent media do nothing.
	 *
	 * DATA_URI and BASE64 take an asset, a file that the daemon holds, and go into JSON, multipart and text bodies:
	 * where they stand is a mark that must not be altered, in place of which the host sends the bytes. HANDLE takes the
	 * user's provider_handle as well as an asset; an asset that the provider has not yet is brought there by the verb
	 * upload, once for all orders of this account, after which start is begun anew. Assets are in check, start
	 * and upload only, and check has nothing brought.
	 */
	void (*put_media)(struct fg_step *s, fg_node out, const char *pointer, fg_node media, uint32_t form);
	/*
	 * The job's /parameters/extras, member by member and deeply, into the object at @pointer ("" is @out). Call it
	 * last: a member that is set already is the user's error, and the step then ends as INVALID_INPUT before anything
	 * is sent.
	 */
	void (*put_extras)(struct fg_step *s, fg_node out, const char *pointer);

	/*
	 * The new state, which begins as a copy of the old; an object of at most 64 KiB of JSON. It is stored together
	 * with the answer. Without a call the old one stays.
	 */
	fg_node (*state)(struct fg_step *s);

	/*
	 * A URL below the account's base_url: its path, then @path, in which {name} is replaced by the escaped member of
	 * @values ({/a/b}: by what is at that pointer). A member that is absent or empty is a plugin fault. A @path that
	 * begins with "https://" stands alone. @query is absent or an object of texts, numbers and booleans, or of arrays
	 * of them, which repeat.
	 */
	fg_node (*path)(struct fg_step *s, const char *path, fg_node values, fg_node query);
	/*
	 * A URL that the provider gave, resolved against base_url if it is relative (RFC 3986); @query is added to it.
	 * Absent when that is none which may be called: not http or https, too long, or plain http unasked.
	 */
	fg_node (*link)(struct fg_step *s, fg_node url, fg_node query);

	/* Tell the user what became of a parameter: FG_NOTE_…, pointer into the job document, one sentence. */
	void (*note)(struct fg_step *s, uint32_t severity, const char *pointer, const char *sentence);

	/* ---- answers: exactly one, and the verb returns its value ---- */

	/* start, poll, result, cancel, remove, reconcile, upload, catalogue, account, list, subscribe */
	int32_t (*exchange)(struct fg_step *s, const struct fg_exchange *exchange);
	/* start (before the purchase), poll, result, cancel, reconcile */
	int32_t (*wait)(struct fg_step *s, const struct fg_wait *wait);
	/* start, reconcile */
	int32_t (*accepted)(struct fg_step *s, const struct fg_accepted *accepted);
	/* start, poll, result, reconcile */
	int32_t (*done)(struct fg_step *s, const struct fg_done *done);
	/*
	 * The attempt failed. From start: refused for good. From poll and result: the provider said that the job itself
	 * failed. From any other verb: what it was asked to do is refused.
	 */
	int32_t (*failed)(struct fg_step *s, const struct fg_failure *failure);
	/*
	 * Only this exchange failed; the job did not. After a buying exchange: refused for now when nothing was bought, and
	 * undecided when that is unknown. NOT_FOUND from start, when nothing was bought: the provider does not know the
	 * handle of an asset any more; it is uploaded anew, once. Otherwise the daemon tries again later, within its own
	 * bounds.
	 */
	int32_t (*trouble)(struct fg_step *s, const struct fg_failure *failure);
	/* cancel */
	int32_t (*cancelled)(struct fg_step *s, const struct fg_cancelled *cancelled);
	/* reconcile: a reply proved that the order never arrived; it may be sent again */
	int32_t (*absent)(struct fg_step *s);
	/* reconcile: it cannot be told */
	int32_t (*unknown)(struct fg_step *s);
	/* account, catalogue, check, list, remove, subscribe, upload: an object, see sdk/DOCUMENTS.md */
	int32_t (*report)(struct fg_step *s, fg_node report);
	/* webhook: a handshake, nothing to learn */
	int32_t (*respond)(struct fg_step *s, const struct fg_response *response);
	/* webhook: something happened to remote_id; poll it */
	int32_t (*hint)(struct fg_step *s, const struct fg_response *response);
};

/*
 * What a provider can do, step by step. Answers with exactly one of the host's answers and returns its value. Any
 * other value is a plugin fault, and so is a second answer.
 */
typedef int32_t fg_verb(const struct fg_host *h, struct fg_step *s);

/*
 * The plugin. Static and constant. A verb that is NULL is the truth about what the provider cannot do.
 */
struct fg_plugin {
	uint32_t struct_size;
	uint32_t needs_host_minor; /* the newest function or constant that this plugin cannot do without */
	const char *manifest;      /* JSON, see sdk/MANIFEST.md */
	uint64_t manifest_size;    /* bytes */
	fg_verb *start;            /* required: order the job; free preparations first, then one buying exchange */
	fg_verb *poll;   /* required unless start is always done at once: how is /remote/id of the step doing? */
	fg_verb *result; /* fresh links to the outputs of a finished job; NULL: poll gives them */
	fg_verb *cancel; /* stop it */
	fg_verb *remove; /* delete it there, after it is stored here */
	/*
	 * An order whose reply was lost, and that no key protects: is it there? Begun again after a while when an exchange
	 * fails or it waits, and given up in the end. To adopt what may be another job's is worse than unknown(): see
	 * /others in sdk/DOCUMENTS.md. failed() with FG_BOUGHT_MADE: it was bought, but which of what is there is it cannot
	 * be told; then a person decides, whatever was chosen for purchases in doubt.
	 */
	fg_verb *reconcile;
	fg_verb *upload; /* bring one asset, /input of the step, to the provider; free, and the same however often */
	/*
	 * The provider called us: REPLY is the body of its call, /subscription nothing, header() has Content-Type and what
	 * the manifest's webhook names, and status() is 0. The daemon has checked that it is the provider, so what is odd
	 * here is a kind of event that is of no interest: respond(). hint() says which video it is about, and the daemon
	 * asks poll how that is doing, whatever the call says of it: calls are lost, repeated and late. It is of no job, so
	 * it has neither JOB nor STATE, runs beside the job's own verbs, and must not exchange.
	 */
	fg_verb *webhook;
	fg_verb *catalogue; /* one page of the avatars, voices, … of /catalogue/kind of the step */
	fg_verb *account;   /* a free read that proves the key and shows the balance */
	/*
	 * At acceptance, after the manifest: may this order be ordered here? report() without violations accepts it,
	 * failed() and violations refuse it, with the plugin's words for whoever orders. It must not exchange, and what it
	 * writes into state() is not kept. Without /model in JOB: is the configuration all right? failed() makes the
	 * provider unusable, with these words for the operator. Start may be reached without it, so it refuses the same.
	 */
	fg_verb *check;
	/*
	 * One page of the videos that are in the account, whoever ordered them: for people who look for what no job of this
	 * daemon owns. What poll answers about by id alone, without the JOB and the STATE of an order, belongs in it, and
	 * nothing else does. failed() with INVALID_INPUT: this account's provider has no such list.
	 */
	fg_verb *list;
	/*
	 * Has the provider call a URL, or no longer call it: /subscription/action of the step is "begin" or "end",
	 * /subscription/url where it is to call. begin() is the same however often it is done: what is there for that URL
	 * is used again. The secret that the provider signs with is taken out of the reply before this verb reads it, at
	 * webhook.register.secret of the manifest, and reported by nobody. report() of {"id"}: what the provider calls it,
	 * which is /subscription/id when it ends; of "end" an empty object, also when it was gone already.
	 */
	fg_verb *subscribe;
};

/*
 * The one symbol that a plugin exports; the digit is the major version. Pure: no allocation, no thread, no output, and
 * the same pointer every time. A return of NULL is refused.
 */
#if defined(__GNUC__) || defined(__clang__)
#define FG_EXPORT __attribute__((visibility("default")))
#else
#define FG_EXPORT
#endif

FG_EXPORT const struct fg_plugin *fg_provider_v0(void);
#define FG_ENTRY_SYMBOL "fg_provider_v0"

#ifndef __cplusplus
/*
 * Arguments of answers by name: h->done(s, FG_DONE(.outputs = outputs)). What is not named is zero. They live to the
 * end of the block, longer than the call needs. C++ authors fill a zeroed structure and set struct_size themselves.
 */
#define FG_EXCHANGE(...) (&(const struct fg_exchange){.struct_size = sizeof(struct fg_exchange), __VA_ARGS__})
#define FG_WAIT(...) (&(const struct fg_wait){.struct_size = sizeof(struct fg_wait), __VA_ARGS__})
#define FG_ACCEPTED(...) (&(const struct fg_accepted){.struct_size = sizeof(struct fg_accepted), __VA_ARGS__})
#define FG_DONE(...) (&(const struct fg_done){.struct_size = sizeof(struct fg_done), __VA_ARGS__})
#define FG_FAILURE(...) (&(const struct fg_failure){.struct_size = sizeof(struct fg_failure), __VA_ARGS__})
#define FG_CANCELLED(...) (&(const struct fg_cancelled){.struct_size = sizeof(struct fg_cancelled), __VA_ARGS__})
#define FG_RESPONSE(...) (&(const struct fg_response){.struct_size = sizeof(struct fg_response), __VA_ARGS__})
#endif

#ifdef __cplusplus
}
#endif

#endif
