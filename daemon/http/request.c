/*
 * What a request may say. Headers come from plugins and, through them, from anybody: a value with a line break would
 * be a second request, and a framing header of theirs beside libcurl's own would let two servers see two requests.
 */
#include "http/call.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdarg.h>
#include <strings.h>

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

/* Written here or by libcurl, never by the caller. */
static const char *const reserved_headers[] = {
	"connection",
	"content-length",
	"expect",
	"host",
	"if-range",
	"keep-alive",
	"range",
	"te",
	"trailer",
	"upgrade",
	"proxy-connection",
	"transfer-encoding",
};

__attribute__((format(printf, 2, 3))) static int refuse(struct call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(call->outcome->message, sizeof(call->outcome->message), format, args);
	va_end(args);
	return CALL_STOP_INVALID;
}

static bool is_token(const char *text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (const char *c = text; *c; c++) {
		bool is_alphanumeric = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z');

		if (!is_alphanumeric && !strchr(others, *c))
			return false;
	}
	return *text != '\0';
}

static bool is_value(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
			return false;
	return true;
}

static bool is_reserved(const char *name)
{
	for (size_t i = 0; i < sizeof(reserved_headers) / sizeof(reserved_headers[0]); i++)
		if (strcasecmp(name, reserved_headers[i]) == 0)
			return true;
	return false;
}

static int add_line(struct call *call, const char *line)
{
	struct curl_slist *longer = curl_slist_append(call->headers, line);

	if (!longer)
		return err_origin(-ENOMEM);
	call->headers = longer;
	return 0;
}

/* libcurl reads "Name:" as "leave your own out" and "Name;" as "send it empty". */
static int add_header(struct call *call, const char *name, const char *value)
{
	_cleanup_(buffer_finish) struct buffer line = {0};
	int r;

	value += strspn(value, " \t");
	r = buffer_printf(&line, *value ? "%s: %s" : "%s;", name, value);
	return r < 0 ? err_trace(r) : add_line(call, line.data);
}

static int copy_header(struct call *call, const struct http_header *header)
{
	if (!header->name || !header->value || !is_token(header->name))
		return refuse(call, "a header's name is not a token");
	if (!is_value(header->value))
		return refuse(call, "header '%.64s' contains a control character", header->name);
	if (strlen(header->name) + strlen(header->value) > LIMIT_HTTP_REQUEST_HEADER)
		return refuse(call, "header '%.64s' is longer than %d bytes", header->name, LIMIT_HTTP_REQUEST_HEADER);
	if (is_reserved(header->name))
		return refuse(call, "header '%.64s' is not the caller's to set", header->name);
	return add_header(call, header->name, header->value);
}

static bool has_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return true;
	return false;
}

static int add_range(struct call *call, const struct http_request *request)
{
	char range[48];
	int r;

	if (request->sink != HTTP_SINK_FILE || request->resume_from == 0)
		return 0;
	if (request->if_range && !is_value(request->if_range))
		return refuse(call, "the validator of a resumed download contains a control character");
	snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)request->resume_from);
	r = add_header(call, "Range", range);
	if (r == 0 && request->if_range)
		r = add_header(call, "If-Range", request->if_range);
	return r;
}

/* What libcurl would add by itself is taken out: a type nobody stated, and the pause of Expect: 100-continue. */
static int add_own_headers(struct call *call, const struct http_request *request)
{
	int r = add_line(call, "Expect:");

	if (r == 0 && !has_header(request, "Content-Type"))
		r = add_line(call, "Content-Type:");
	if (r == 0 && !has_header(request, "Accept-Encoding"))
		r = add_header(call, "Accept-Encoding", "identity");
	return r == 0 ? add_range(call, request) : r;
}

static int note_for_log(struct call *call, const struct http_request *request)
{
	struct buffer text = {0};
	int r = buffer_append_text(&text, "");

	for (size_t i = 0; i < request->header_count && r == 0; i++) {
		const struct http_header *header = &request->headers[i];

		r = buffer_printf(&text, "%s%s: %s", i ? "; " : "", header->name,
				  header->is_secret ? "[secret]" : header->value);
	}
	call->log_headers = text.data;
	return r;
}

static int copy_headers(struct call *call, const struct http_request *request)
{
	int r = 0;

	if (request->header_count > LIMIT_HTTP_REQUEST_HEADERS)
		return refuse(call, "%zu headers, but at most %d are sent", request->header_count,
			      LIMIT_HTTP_REQUEST_HEADERS);
	for (size_t i = 0; i < request->header_count && r == 0; i++)
		r = copy_header(call, &request->headers[i]);
	if (r == 0 && log_enabled(LOG_LEVEL_DEBUG))
		r = note_for_log(call, request);
	return r == 0 ? add_own_headers(call, request) : r;
}

static bool is_method(const char *method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(method, methods[i]) == 0)
			return true;
	return false;
}

static int copy_body(struct call *call, const struct http_request *request)
{
	int r = supply_init(&call->supply, request);

	return r == -ESTALE ? refuse(call, "a file is not of the size that it was said to have") : r;
}

int call_copy_request(struct call *call, const struct http_request *request)
{
	uint64_t size_bytes = supply_size_of(request);
	bool is_bodiless = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
	int r;

	if (!is_method(request->method))
		return refuse(call, "'%.16s' is not a method that is sent", request->method);
	if (is_bodiless && size_bytes)
		return refuse(call, "%s carries no body", request->method);
	if (request->sink == HTTP_SINK_FILE && strcmp(request->method, "HEAD") == 0)
		return refuse(call, "HEAD brings nothing to put into a file");
	if (size_bytes > LIMIT_HTTP_REQUEST_BODY)
		return refuse(call, "a body of %llu bytes is larger than what is sent", (unsigned long long)size_bytes);

	call->method = strdup(request->method);
	if (!call->method)
		return err_origin(-ENOMEM);
	r = copy_body(call, request);
	return r == 0 ? copy_headers(call, request) : r;
}
