/*
 * One call as libcurl is told about it.
 *
 * libcurl may send a request a second time by itself and report success: on a reused connection that ends before the
 * first byte of a reply, and over HTTP/2, which is never spoken, on REFUSED_STREAM (measured with 7.88.1). Every pass
 * runs CURLOPT_PREREQFUNCTION after the connection stands and before the first byte: on_leave() notes the first and
 * aborts the second, for every request, paid or not. It is the only evidence that is used; libcurl's byte counters can
 * read 0 when all has arrived. Behind it stand a refused second connection and a body that cannot be rewound.
 */
#include "http/call.h"

#include "base/err.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "http/address.h"

#define TRANSFER_BUFFER_BYTES (256L * 1024)

#define SET(option, value)                                                \
	do {                                                              \
		if (code == CURLE_OK)                                     \
			code = curl_easy_setopt(easy, (option), (value)); \
	} while (0)

static void note_progress(struct call *call, size_t bytes)
{
	call->bytes_moved += bytes;
	if (call->idle_timeout_ms > 0 && call->bytes_moved - call->bytes_marked >= LIMIT_HTTP_IDLE_BYTES) {
		call->bytes_marked = call->bytes_moved;
		call->marked_ms = call_now_ms(call);
	}
}

static bool may_reach_private(const struct call *call)
{
	return (call->flags & HTTP_PRIVATE_NETWORK) || call->settings->proxy;
}

/* Also the one place where sockets are made, so that no child of the daemon inherits one. */
static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *call = userdata;

	(void)purpose;
	if (call->may_have_left) {
		call_stop(call, CALL_STOP_SECOND_PASS);
		return CURL_SOCKET_BAD;
	}
	if (!may_reach_private(call) && address_is_private(&address->addr)) {
		address_format(&address->addr, call->refused_address);
		return CURL_SOCKET_BAD;
	}
	call->sockets_opened++;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection that another request was allowed to open must not carry this one where it may not go. */
static int on_leave(void *userdata, char *remote, char *local, int remote_port, int local_port)
{
	struct call *call = userdata;

	(void)local;
	(void)remote_port;
	(void)local_port;
	if (call->may_have_left) {
		call_stop(call, CALL_STOP_SECOND_PASS);
		return CURL_PREREQFUNC_ABORT;
	}
	if (!may_reach_private(call) && address_text_is_private(remote)) {
		snprintf(call->refused_address, sizeof(call->refused_address), "%s", remote);
		call_stop(call, CALL_STOP_ADDRESS);
		return CURL_PREREQFUNC_ABORT;
	}

	if (call->flags & HTTP_ONCE)
		FAILPOINT(SEND_BEFORE_BYTES);
	call->may_have_left = true;
	call->marked_ms = call_now_ms(call);
	if (call->idle_timeout_ms > 0)
		loop_timer_arm(&call->idle, call->idle_timeout_ms);
	return CURL_PREREQFUNC_OK;
}

int call_stop_for_sink(struct call *call, int r)
{
	if (r == SINK_E_TOO_LARGE)
		call_stop(call, CALL_STOP_BODY);
	else if (r == SINK_E_OTHER_RANGE)
		call_stop(call, CALL_STOP_OTHER_RANGE);
	else if (r == SINK_E_UNREADABLE)
		call_stop(call, CALL_STOP_UNREADABLE);
	else if (r < 0) {
		call->store_error = r;
		call_stop(call, CALL_STOP_STORE);
	}
	return r;
}

/* Returning anything but the number of bytes makes libcurl end the transfer. */
static size_t on_header(char *data, size_t size, size_t count, void *userdata)
{
	struct call *call = userdata;
	size_t len = size * count;
	bool was_complete = call->head.is_complete;
	int r = head_add_line(&call->head, bytes_of(data, len));

	note_progress(call, len);
	if (r > 0) {
		call_stop(call, CALL_STOP_HEADERS);
		return 0;
	}
	if (r == 0 && !was_complete && call->head.is_complete)
		r = sink_open(&call->sink, &call->head);
	return call_stop_for_sink(call, r) == 0 ? len : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *userdata)
{
	struct call *call = userdata;
	size_t len = size * count;

	note_progress(call, len);
	if (!call->head.is_complete) {
		call_stop(call, CALL_STOP_NO_REPLY);
		return CURL_WRITEFUNC_ERROR;
	}
	return call_stop_for_sink(call, sink_write(&call->sink, bytes_of(data, len))) == 0 ? len : CURL_WRITEFUNC_ERROR;
}

static size_t on_read(char *data, size_t size, size_t count, void *userdata)
{
	struct call *call = userdata;
	ssize_t n = supply_read(&call->supply, data, size * count);

	if (n < 0) {
		call->supply_error = (int)n;
		call_stop(call, CALL_STOP_SUPPLY);
		return CURL_READFUNC_ABORT;
	}
	note_progress(call, (size_t)n);
	return (size_t)n;
}

static int on_seek(void *userdata, curl_off_t offset, int origin)
{
	(void)userdata;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

static CURLcode set_callbacks(CURL *easy, struct call *call)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_ERRORBUFFER, call->error_text);
	SET(CURLOPT_PREREQFUNCTION, on_leave);
	SET(CURLOPT_PREREQDATA, call);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(CURLOPT_OPENSOCKETDATA, call);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, call);
	SET(CURLOPT_SEEKFUNCTION, on_seek);
	return code;
}

/* What libcurl may not do by itself. */
static CURLcode set_restraints(CURL *easy, const struct call *call)
{
	bool is_once = call->flags & HTTP_ONCE;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_FRESH_CONNECT, is_once ? 1L : 0L);
	SET(CURLOPT_FORBID_REUSE, is_once ? 1L : 0L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* A name server that is silent would otherwise hold the whole loop until its thread gives up. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	return code;
}

static CURLcode set_connection(CURL *easy, const struct call *call)
{
	const struct settings *settings = call->settings;
	CURLcode code = CURLE_OK;

	/* Empty, not NULL: NULL would have libcurl ask the environment. */
	SET(CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->ca_bundle_path)
		SET(CURLOPT_CAINFO, settings->ca_bundle_path);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	if (call->lane == HTTP_LANE_TRANSFER)
		SET(CURLOPT_BUFFERSIZE, TRANSFER_BUFFER_BYTES);
	return code;
}

static bool has_body_method(const struct call *call)
{
	return call->supply.size_bytes || strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0 ||
	       strcmp(call->method, "PATCH") == 0;
}

static long version_of(const struct call *call)
{
	if (call->version == HTTP_VERSION_1_1)
		return CURL_HTTP_VERSION_1_1;
	return strncmp(call->origin, "https:", 6) == 0 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

static CURLcode set_request(CURL *easy, const struct call *call)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_URL, call->url);
	SET(CURLOPT_HTTP_VERSION, version_of(call));
	if (call->settings->user_agent)
		SET(CURLOPT_USERAGENT, call->settings->user_agent);
	SET(CURLOPT_HTTPHEADER, call->headers);
	if (strcmp(call->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
	} else if (has_body_method(call)) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->supply.size_bytes);
		SET(CURLOPT_CUSTOMREQUEST, call->method);
	} else {
		SET(CURLOPT_HTTPGET, 1L);
		SET(CURLOPT_CUSTOMREQUEST, call->method);
	}
	return code;
}

int call_prepare(struct call *call)
{
	CURL *easy = curl_easy_init();
	CURLcode code;

	if (!easy)
		return err_origin(-ENOMEM);
	code = set_callbacks(easy, call);
	if (code == CURLE_OK)
		code = set_restraints(easy, call);
	if (code == CURLE_OK)
		code = set_connection(easy, call);
	if (code == CURLE_OK)
		code = set_request(easy, call);
	if (code != CURLE_OK) {
		curl_easy_cleanup(easy);
		return err_origin(code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -ENOTSUP);
	}
	call->easy = easy;
	return 0;
}
