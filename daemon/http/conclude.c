/*
 * From libcurl's result and what was recorded on the way to an outcome. libcurl's code never decides whether anything
 * left: may_have_left does.
 */
#include "http/call.h"

#include "base/err.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/url.h"

/* CURLE_TOO_LARGE, which headers before 8.6 do not name. */
#define CODE_TOO_LARGE 100

struct row {
	CURLcode code;
	int error;
};

static const struct row rows[] = {
	{CURLE_OK, -EPROTO}, /* as an end without a whole reply */
	{CURLE_UNSUPPORTED_PROTOCOL, -EPROTONOSUPPORT},
	{CURLE_FAILED_INIT, -ENOMEM},
	{CURLE_URL_MALFORMAT, -EINVAL},
	{CURLE_NOT_BUILT_IN, -ENOTSUP},
	{CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH},
	{CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
	{CURLE_COULDNT_CONNECT, -ECONNREFUSED},
	{CURLE_WEIRD_SERVER_REPLY, -EPROTO},
	{CURLE_REMOTE_ACCESS_DENIED, -EACCES},
	{CURLE_HTTP2, -EPROTO},
	{CURLE_PARTIAL_FILE, -ECONNRESET},
	{CURLE_HTTP_RETURNED_ERROR, -EPROTO},
	{CURLE_WRITE_ERROR, -EIO},
	{CURLE_UPLOAD_FAILED, -EPIPE},
	{CURLE_READ_ERROR, -EIO},
	{CURLE_OUT_OF_MEMORY, -ENOMEM},
	{CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
	{CURLE_RANGE_ERROR, -EPROTO},
	{CURLE_HTTP_POST_ERROR, -EPROTO},
	{CURLE_SSL_CONNECT_ERROR, -EPROTO},
	{CURLE_BAD_DOWNLOAD_RESUME, -EPROTO},
	{CURLE_FUNCTION_NOT_FOUND, -ENOTSUP},
	{CURLE_ABORTED_BY_CALLBACK, -ECONNABORTED},
	{CURLE_BAD_FUNCTION_ARGUMENT, -EINVAL},
	{CURLE_INTERFACE_FAILED, -EADDRNOTAVAIL},
	{CURLE_TOO_MANY_REDIRECTS, -ELOOP},
	{CURLE_UNKNOWN_OPTION, -ENOTSUP},
	{CURLE_SETOPT_OPTION_SYNTAX, -EINVAL},
	{CURLE_GOT_NOTHING, -ECONNRESET},
	{CURLE_SSL_ENGINE_NOTFOUND, -ENOTSUP},
	{CURLE_SSL_ENGINE_SETFAILED, -ENOTSUP},
	{CURLE_SEND_ERROR, -EPIPE},
	{CURLE_RECV_ERROR, -ECONNRESET},
	{CURLE_SSL_CERTPROBLEM, -EKEYREJECTED},
	{CURLE_SSL_CIPHER, -EPROTO},
	{CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED},
	{CURLE_BAD_CONTENT_ENCODING, -EPROTO},
	{CURLE_FILESIZE_EXCEEDED, -EFBIG},
	{CURLE_USE_SSL_FAILED, -EPROTO},
	{CURLE_SEND_FAIL_REWIND, -ECONNABORTED},
	{CURLE_SSL_ENGINE_INITFAILED, -ENOTSUP},
	{CURLE_LOGIN_DENIED, -EACCES},
	{CURLE_SSL_CACERT_BADFILE, -ENOKEY},
	{CURLE_REMOTE_FILE_NOT_FOUND, -ENOENT},
	{CURLE_SSL_SHUTDOWN_FAILED, -EPROTO},
	{CURLE_AGAIN, -EAGAIN},
	{CURLE_SSL_CRL_BADFILE, -ENOKEY},
	{CURLE_SSL_ISSUER_ERROR, -EKEYREJECTED},
	{CURLE_CHUNK_FAILED, -EPROTO},
	{CURLE_NO_CONNECTION_AVAILABLE, -EBUSY},
	{CURLE_SSL_PINNEDPUBKEYNOTMATCH, -EKEYREJECTED},
	{CURLE_SSL_INVALIDCERTSTATUS, -EKEYREJECTED},
	{CURLE_HTTP2_STREAM, -ECONNRESET},
	{CURLE_RECURSIVE_API_CALL, -EDEADLK},
	{CURLE_AUTH_ERROR, -EACCES},
	{CURLE_HTTP3, -EPROTO},
	{CURLE_QUIC_CONNECT_ERROR, -EPROTO},
	{CURLE_PROXY, -EPROTO},
	{CURLE_SSL_CLIENTCERT, -EKEYREJECTED},
	{CURLE_UNRECOVERABLE_POLL, -EIO},
};

int call_errno_of(CURLcode code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return rows[i].error;
	return 0;
}

/* Nothing left: the reasons that make another attempt pointless, else a failure to get there. */
static enum http_kind unsent_kind(const struct call *call, CURLcode code)
{
	if (call->stop == CALL_STOP_ADDRESS || (*call->refused_address && call->sockets_opened == 0))
		return HTTP_ADDRESS_REFUSED;
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_LOGIN_DENIED)
		return HTTP_INVALID;
	return HTTP_NOT_SENT;
}

static enum http_kind kind_of(const struct call *call, CURLcode code)
{
	switch (call->stop) {
	case CALL_STOP_INVALID:
		return HTTP_INVALID;
	case CALL_STOP_CANCELLED:
	case CALL_STOP_DRAINED:
		return HTTP_ABORTED;
	case CALL_STOP_HEADERS:
	case CALL_STOP_BODY:
		return HTTP_TOO_LARGE;
	case CALL_STOP_STORE:
		return HTTP_NOT_STORED;
	case CALL_STOP_UNREADABLE:
		return HTTP_UNREADABLE;
	default:
		break;
	}
	if (!call->may_have_left)
		return unsent_kind(call, code);
	if (code == CURLE_OK && call->stop == CALL_STOP_NONE && call->head.is_complete)
		return HTTP_REPLY;
	/* How libcurl reports one header line above its own 100 KB. */
	if ((code == CURLE_OUT_OF_MEMORY || (int)code == CODE_TOO_LARGE) && !call->head.is_complete)
		return HTTP_TOO_LARGE;
	return HTTP_AMBIGUOUS;
}

static int error_of(const struct call *call, enum http_kind kind, CURLcode code)
{
	switch (kind) {
	case HTTP_REPLY:
		return 0;
	case HTTP_INVALID:
		return -EINVAL;
	case HTTP_ABORTED:
		return -ECANCELED;
	case HTTP_TOO_LARGE:
		return -EMSGSIZE;
	case HTTP_ADDRESS_REFUSED:
		return -EACCES;
	case HTTP_NOT_STORED:
		return call->store_error;
	case HTTP_UNREADABLE:
		return -EBADMSG;
	default:
		break;
	}
	if (call->stop == CALL_STOP_IDLE)
		return -ETIMEDOUT;
	if (call->stop == CALL_STOP_SUPPLY)
		return call->supply_error;
	return call_errno_of(code) ? call_errno_of(code) : -EPROTO;
}

/* Our own words where we know better. libcurl's detailed text is used only before anything left: later ones could
 * quote what was sent. */
static const char *reason_of(const struct call *call, CURLcode code)
{
	switch (call->stop) {
	case CALL_STOP_SECOND_PASS:
		return "the connection ended without a reply, and the request is not sent twice";
	case CALL_STOP_NO_REPLY:
		return "the server switched protocols";
	case CALL_STOP_OTHER_RANGE:
		return "the reply answers another byte range than the one asked for";
	case CALL_STOP_SUPPLY:
		return "a file that belongs to it could not be read to its end";
	case CALL_STOP_IDLE:
		return "the transfer stood still";
	default:
		break;
	}
	if (!call->may_have_left && *call->error_text)
		return call->error_text;
	return code == CURLE_OK ? "the reply ended inside its headers" : curl_easy_strerror(code);
}

static void write_message(const struct call *call, struct http_outcome *outcome, CURLcode code)
{
	const char *origin = call->origin;
	char *text = outcome->message;
	size_t size = sizeof(outcome->message);

	switch (outcome->kind) {
	case HTTP_NOT_SENT:
		snprintf(text, size, "%s could not be reached: %s", origin, reason_of(call, code));
		break;
	case HTTP_AMBIGUOUS:
		snprintf(text, size, "the request to %s may have arrived, but no complete reply came: %s", origin,
			 reason_of(call, code));
		break;
	case HTTP_TOO_LARGE:
		snprintf(text, size, "%s answered with more %s than is accepted", origin,
			 call->stop == CALL_STOP_BODY ? "bytes of body" : "headers");
		break;
	case HTTP_ADDRESS_REFUSED:
		snprintf(
			text, size,
			"%s is at %s, which is not on the public Internet; if it is meant, set allow_private_network = "
			"true for this provider",
			origin, call->refused_address);
		break;
	case HTTP_ABORTED:
		snprintf(text, size, "the request to %s was %s %s it may have left", origin,
			 call->stop == CALL_STOP_DRAINED ? "given up at shutdown" : "cancelled",
			 call->may_have_left ? "after" : "before");
		break;
	case HTTP_NOT_STORED:
		snprintf(text, size, "the reply of %s could not be stored: %s", origin, log_errno(call->store_error));
		break;
	case HTTP_UNREADABLE:
		snprintf(text, size, "the reply of %.90s cannot be used: %.130s", origin, call->sink.why.text);
		break;
	case HTTP_INVALID:
		if (*text == '\0')
			snprintf(text, size, "the URL cannot be used");
		break;
	default:
		break;
	}
}

static void find_location(const struct call *call, struct http_outcome *outcome)
{
	const char *location = http_outcome_header(outcome, "location");

	if (outcome->status >= 300 && outcome->status <= 399 && location)
		(void)url_resolve(call->url, location, &outcome->location);
}

/* A head that cannot be kept for want of memory leaves a reply without its status, which is none. */
static void move_reply(struct call *call, struct http_outcome *outcome)
{
	if (!call->head.is_complete)
		return;
	outcome->ends_by_close = !call->sink.is_bodiless && head_ends_by_close(&call->head);
	if (head_move(&call->head, outcome) < 0) {
		outcome->kind = HTTP_NOT_STORED;
		call->store_error = -ENOMEM;
		return;
	}
	find_location(call, outcome);
	outcome->is_in_file = call->sink.is_in_file;
	outcome->file_offset = call->sink.file_offset;
	outcome->bytes_written = call->sink.bytes_written;
	outcome->body = call->sink.memory;
	call->sink.memory = (struct buffer){0};
}

static void log_outcome(const struct call *call, const struct http_outcome *outcome)
{
	log_debug("http exchange", "method", call->method, "origin", call->origin, "kind",
		  http_kind_name(outcome->kind), "status", log_int(outcome->status), "duration_ms",
		  log_int(outcome->duration_ms), "headers", call->log_headers, "message", outcome->message);
}

struct http_outcome *call_conclude(struct call *call, CURLcode code)
{
	struct http_outcome *outcome = call->outcome;

	if (call->flags & HTTP_ONCE)
		FAILPOINT(SEND_AFTER_BYTES);
	/* A transfer that ended well without passing on_leave() would be news; it certainly is not one that never left. */
	if (call->easy && code == CURLE_OK && call->stop == CALL_STOP_NONE)
		call->may_have_left = true;
	if (code == CURLE_OK && call->stop == CALL_STOP_NONE && call->head.is_complete)
		call_stop_for_sink(call, sink_end(&call->sink));
	outcome->may_have_left = call->may_have_left;
	outcome->kind = kind_of(call, code);
	if (call->easy)
		outcome->duration_ms = call_now_ms(call) - call->started_ms;
	move_reply(call, outcome);
	outcome->error = error_of(call, outcome->kind, code);
	write_message(call, outcome, code);
	log_outcome(call, outcome);
	call->outcome = NULL;
	return outcome;
}
