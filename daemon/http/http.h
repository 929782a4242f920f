/*
 * The outgoing HTTP client. One http_send() puts at most one request on the wire and ends in exactly one outcome that
 * says whether the request may have left: that is what the rules about money are built on.
 *
 * What never happens here: a retry, a followed redirect, a silent resend by the library below (each would be a second
 * request), a decompressed reply (`Accept-Encoding: identity` is sent: a bomb cannot go off, and Content-Length, Range
 * and hashes speak of the bytes that are stored), a cookie, a credential from a URL, an environment variable, a signal.
 */
#ifndef FG_HTTP_HTTP_H
#define FG_HTTP_HTTP_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

enum {
	_HTTP_E_OK,
	HTTP_E_STOPPING, /* http_drain() was called */
	HTTP_E_BUSY,     /* as many requests wait as max_waiting allows */
};

struct http;

/* Zero takes the limit of base/limits.h. Borrowed until http_new() returns. */
struct http_config {
	const struct clock *clock;  /* NULL: clock_system */
	const char *user_agent;     /* NULL: none is sent */
	const char *ca_bundle_path; /* NULL: the system's */
	/* NULL: none, whatever the environment says. Everything goes through it, and since the proxy looks the names up,
	 * private addresses can then only be refused where the URL itself names one. */
	const char *proxy;
	int64_t connect_timeout_ms; /* name lookup, connect and TLS; 0: 15 s */
	size_t max_exchanges;       /* in flight in each lane */
	size_t max_transfers;
	size_t max_waiting;
};

/* Which cap counts it, and which thread carries it: file downloads have their own. */
enum http_lane { HTTP_LANE_EXCHANGE, HTTP_LANE_TRANSFER, _HTTP_LANE_N };

enum http_flag {
	/* Must not be sent twice: a connection of its own, closed afterwards, and http_drain() waits for it. */
	HTTP_ONCE = 1 << 0,
	/* The operator allows this request to reach loopback, private and link-local addresses. */
	HTTP_PRIVATE_NETWORK = 1 << 1,
};

/*
 * HTTP/2 is offered over TLS together with HTTP/1.1, and the server chooses; without TLS it is begun at once, as a
 * server must be known to expect. A connection carries one request at a time in either, and what libcurl would repeat by
 * itself (a stream that was refused, or that a GOAWAY left out) ends as HTTP_AMBIGUOUS.
 */
enum http_version { HTTP_VERSION_1_1, HTTP_VERSION_2 };

enum http_sink { HTTP_SINK_MEMORY, HTTP_SINK_FILE, HTTP_SINK_FILTER };

/*
 * What the body of a 2xx reply passes through on its way to memory. Called on the thread that carries the request, one
 * piece after the other, never after on_done; must not block longer than a write to a file does.
 *
 * write appends to @memory what is to stay there, whose limit is max_body_bytes; end comes behind the last piece of a
 * complete reply. Both return 0; -EMSGSIZE, beyond that limit; another negative errno, when what was to be stored
 * elsewhere could not be; or HTTP_FILTER_E_UNREADABLE, with the reason in @why.
 */
enum { _HTTP_FILTER_E_OK, HTTP_FILTER_E_UNREADABLE };
struct http_filter {
	int (*write)(void *userdata, struct bytes piece, struct buffer *memory, struct errmsg *why);
	int (*end)(void *userdata, struct errmsg *why);
	void *userdata;
};

/* A piece of a body: memory, or a whole file, which is read while it is sent and may be sent as base64. */
struct http_piece {
	struct bytes text;
	bool is_file, is_base64;
	int fd;              /* of a regular file; its offset is neither used nor moved */
	uint64_t size_bytes; /* of the file; one of another size is not sent */
};

struct http_header {
	const char *name;
	const char *value;
	bool is_secret; /* the log shows the name only */
};

/* Borrowed until http_send() returns, which copies all of it but the reply's file. Zero is each field's careful value. */
struct http_request {
	const char *method; /* upper case; "HEAD" and "GET" carry no body */
	const char *url;    /* absolute, http or https, sent byte for byte as written */
	const struct http_header *headers;
	size_t header_count;
	struct bytes body;
	/* Further pieces of the body, behind `body`, with the Content-Length of all. They are sent once, like it: a file that
	 * ends too early, or cannot be read, ends the request in the middle. */
	const struct http_piece *pieces;
	size_t piece_count;
	uint32_t flags; /* enum http_flag */
	enum http_lane lane;
	enum http_version version;
	int64_t timeout_ms;      /* from leaving the lane's queue to the last byte; 0: LIMIT_HTTP_TIMEOUT_MS */
	int64_t idle_timeout_ms; /* without LIMIT_HTTP_IDLE_BYTES of progress; 0: only timeout_ms counts */
	size_t max_header_bytes; /* 0: LIMIT_HTTP_REPLY_HEADER_BYTES */
	uint64_t max_body_bytes; /* in memory, 0: LIMIT_HTTP_REPLY_BODY; in a file, its size afterwards, 0: no limit */

	/*
	 * HTTP_SINK_FILE: the body of a 2xx reply is written to @fd, which stays the caller's, open until on_done. Byte k
	 * of the resource lands at offset k. Any other reply's body goes to memory and leaves the file alone.
	 */
	enum http_sink sink;
	int fd;
	/* The file already has this many bytes: only the rest is asked for. A server that answers with the whole (200) is
	 * taken at its word: the file is truncated to nothing first. */
	uint64_t resume_from;
	const char *if_range; /* ETag or date of those bytes; NULL: none */

	struct http_filter filter; /* HTTP_SINK_FILTER; its userdata lives until on_done */
};

enum http_kind {
	HTTP_REPLY,           /* a complete reply of any status from 200 on */
	HTTP_NOT_SENT,        /* name lookup, connect or TLS failed before the first byte of the request */
	HTTP_AMBIGUOUS,       /* may have left, and no complete reply came back */
	HTTP_TOO_LARGE,       /* the reply passed a limit: headers, body or file */
	HTTP_ADDRESS_REFUSED, /* the host is a private address; nothing was sent */
	HTTP_ABORTED,         /* http_cancel() or http_drain() */
	HTTP_INVALID,         /* the request could not be what was meant; nothing was sent */
	HTTP_NOT_STORED,      /* the file, or what the filter writes to, refused the bytes; error says why */
	HTTP_UNREADABLE,      /* the filter refused them, or the end of the reply; message says why */
	_HTTP_KIND_N
};

/* "bytes first-last/total"; -1 where the reply does not say. */
struct http_range {
	bool is_present;
	int64_t first, last, total;
};

struct http_outcome {
	enum http_kind kind;
	int error; /* 0 for HTTP_REPLY, else the negative errno that comes nearest: -ETIMEDOUT, -ECONNRESET, -ENOSPC */
	/* The request may have reached the server. Never true for NOT_SENT, ADDRESS_REFUSED and INVALID. */
	bool may_have_left;

	/* Set once a complete head of a final reply was read, whatever went wrong afterwards; else 0 and none. */
	int status;
	struct http_header *headers; /* in order; names as the server wrote them, values trimmed */
	size_t header_count;
	int64_t declared_bytes; /* Content-Length; -1: not said */
	/* Nothing but the end of the connection ended the body (no length, not chunked, HTTP/1). That is a complete reply
	 * by RFC 9112, and yet nobody can tell whether it was cut short: not even TLS, since libcurl 7.88 takes a bare end
	 * of the connection for an end of TLS. */
	bool ends_by_close;
	struct http_range content_range;
	char *location; /* where a 3xx points, absolute, http or https; NULL: nowhere usable */

	bool is_in_file;    /* the body went to the file, else it is in body */
	struct buffer body; /* as far as it came */
	uint64_t file_offset;
	uint64_t bytes_written; /* of this reply's body, to the file or to memory */

	int64_t duration_ms; /* since it left the lane's queue */
	char message[256];   /* for a person, one line, free of secrets; empty for HTTP_REPLY */

	char *head; /* the memory behind headers */
};

/* Called exactly once, on a thread of this room (or in http_free()); must not block. The outcome is now the callee's. */
typedef void (*http_done_fn)(struct http_outcome *outcome, void *userdata);

/* Starts two loop threads: one for exchanges, one for transfers. */
int http_new(const struct http_config *config, struct http **ret);
/*
 * From here on http_send() answers HTTP_E_STOPPING and what has not left is aborted, as is what may be repeated.
 * HTTP_ONCE requests that may have left are waited for, for at most @limit_ms. Returns at once; the first call counts.
 * [any-thread]
 */
void http_drain(struct http *http, int64_t limit_ms);
/* http_drain(), then waits until every on_done has been called. Not from on_done. */
void http_stop(struct http *http, int64_t limit_ms);
/* Stops with a limit of 0 what was not stopped before. Nobody may be in http_send() or call it again. */
struct http *http_free(struct http *http);
void http_freep(struct http **http);

/*
 * Sends @request. On 0 on_done will be called, possibly before this returns; @ret_id (may be NULL) names the request
 * for http_cancel() and is set before that. HTTP_E_STOPPING, HTTP_E_BUSY or a negative errno: on_done is never called.
 * [any-thread]
 */
int http_send(struct http *http, const struct http_request *request, http_done_fn on_done, void *userdata,
	      uint64_t *ret_id);
/* Ends the request as HTTP_ABORTED unless it has ended by then. 0 or -ENOMEM. [any-thread] */
int http_cancel(struct http *http, uint64_t id);

/*
 * Whether @url names a private address, in any spelling, or localhost, so that without HTTP_PRIVATE_NETWORK each
 * request to it ends as HTTP_ADDRESS_REFUSED. Other names are not looked up. [any-thread]
 */
bool http_url_is_private(const char *url);

/* What can be said of an address that a user gave, before anybody looks it up. */
enum http_reach {
	HTTP_REACH_PUBLIC,
	HTTP_REACH_PRIVATE, /* a private address in any spelling, or a name that means something inside a house only */
	HTTP_REACH_UNREADABLE, /* no absolute http or https URL, or with a user name, or a host that is not in ASCII */
};
/* For addresses that are handed on to others, who read them in their own way: so it is stricter than http_send(), which
 * looks at what it is about to connect to. */
enum http_reach http_url_reach(const char *url);

struct http_outcome *http_outcome_free(struct http_outcome *outcome);
/* The first header of that name in any case, or NULL; valid until http_outcome_free(). */
const char *http_outcome_header(const struct http_outcome *outcome, const char *name);
const char *http_kind_name(enum http_kind kind);

/*
 * How long the reply asks to wait, from `retry-after-ms` or `Retry-After` (seconds, or a date, which is measured
 * against the reply's own Date where it has one, else against @now_utc_ms): 0 to LIMIT_HTTP_RETRY_AFTER_MS, or -1 when
 * it does not say or cannot be read.
 */
int64_t http_retry_after_ms(const struct http_outcome *outcome, int64_t now_utc_ms);

#endif
