#include "http/head.h"

#include "base/err.h"
#include "base/limits.h"

#include <ctype.h>
#include <strings.h>

void head_init(struct head *head, size_t limit_bytes)
{
	*head = (struct head){.limit_bytes = limit_bytes};
}

void head_finish(struct head *head)
{
	buffer_finish(&head->lines);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(const char *from, const char *to)
{
	while (to > from && is_blank(to[-1]))
		to--;
	while (from < to && is_blank(*from))
		from++;
	return bytes_of(from, (size_t)(to - from));
}

/* "HTTP/1.1 200 OK", "HTTP/2 200 "; 0 when it is neither. */
static int parse_status(struct bytes line)
{
	const char *text = line.data;
	const char *space = memchr(text, ' ', line.len);
	int status = 0;

	if (!space || line.len - (size_t)(space - text) < 4)
		return 0;
	for (int i = 1; i <= 3; i++) {
		if (!isdigit((unsigned char)space[i]))
			return 0;
		status = status * 10 + (space[i] - '0');
	}
	return status;
}

static void end_block(struct head *head)
{
	if (head->status >= 200) {
		head->is_complete = true;
		return;
	}
	head->lines.len = 0;
	head->status = 0;
}

int head_add_line(struct head *head, struct bytes line)
{
	head->seen_bytes += line.len;
	head->seen_lines++;
	if (head->seen_bytes > head->limit_bytes || head->seen_lines > LIMIT_HTTP_REPLY_HEADERS)
		return HEAD_E_TOO_LARGE;
	if (head->is_complete)
		return 0;

	if (head->status == 0) {
		head->status = parse_status(line);
		head->is_http1 = line.len > 7 && memcmp(line.data, "HTTP/1.", 7) == 0;
		return 0;
	}
	if (trim(line.data, (const char *)line.data + line.len).len == 0) {
		end_block(head);
		return 0;
	}
	return buffer_append(&head->lines, line.data, line.len);
}

static struct bytes lines_of(const struct head *head)
{
	return head->lines.data ? buffer_bytes(&head->lines) : bytes_of_text("");
}

/* The next header at *@at: a line and the continuation lines below it (obsolete, RFC 9112 section 5.2). */
static bool next_header(const char **at, const char *end, struct bytes *ret_name, struct bytes *ret_value)
{
	while (*at < end) {
		const char *line = *at;
		const char *stop = line;
		const char *colon;

		do {
			const char *newline = memchr(stop, '\n', (size_t)(end - stop));

			stop = newline ? newline + 1 : end;
		} while (stop < end && (*stop == ' ' || *stop == '\t'));
		*at = stop;

		colon = memchr(line, ':', (size_t)(stop - line));
		if (!colon)
			continue;
		*ret_name = trim(line, colon);
		*ret_value = trim(colon + 1, stop);
		return true;
	}
	return false;
}

static bool is_named(struct bytes name, const char *wanted)
{
	return name.len == strlen(wanted) && strncasecmp(name.data, wanted, name.len) == 0;
}

struct bytes head_value(const struct head *head, const char *name)
{
	struct bytes lines = lines_of(head);
	const char *at = lines.data;
	const char *end = at + lines.len;
	struct bytes found, value;

	while (next_header(&at, end, &found, &value))
		if (is_named(found, name))
			return value;
	return bytes_of(NULL, 0);
}

bool head_ends_by_close(const struct head *head)
{
	struct bytes coding = head_value(head, "transfer-encoding");
	static const char chunked[] = "chunked";
	size_t len = sizeof(chunked) - 1;

	if (!head->is_http1 || head_value(head, "content-length").data)
		return false;
	return coding.len < len || strncasecmp((const char *)coding.data + coding.len - len, chunked, len) != 0;
}

/* Decimal digits up to @end, moving *@at behind them; -1 when there are none or too many. */
static int64_t parse_number(const char **at, const char *end)
{
	const char *start = *at;
	int64_t number = 0;

	while (*at < end && isdigit((unsigned char)**at)) {
		if (*at - start >= 18)
			return -1;
		number = number * 10 + (*(*at)++ - '0');
	}
	return *at == start ? -1 : number;
}

int64_t head_declared_bytes(const struct head *head)
{
	struct bytes value = head_value(head, "content-length");
	const char *at = value.data ? value.data : "";
	const char *end = at + value.len;
	int64_t number = parse_number(&at, end);

	return at == end ? number : -1;
}

static bool skip(const char **at, const char *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *at) < len || strncasecmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

struct http_range head_content_range(const struct head *head)
{
	const struct http_range none = {.first = -1, .last = -1, .total = -1};
	struct http_range range = none;
	struct bytes value = head_value(head, "content-range");
	const char *at = value.data ? value.data : "";
	const char *end = at + value.len;

	if (!skip(&at, end, "bytes "))
		return none;
	if (!skip(&at, end, "*")) {
		range.first = parse_number(&at, end);
		if (range.first < 0 || !skip(&at, end, "-"))
			return none;
		range.last = parse_number(&at, end);
		if (range.last < range.first)
			return none;
	}
	if (!skip(&at, end, "/"))
		return none;
	if (!skip(&at, end, "*")) {
		range.total = parse_number(&at, end);
		if (range.total <= range.last)
			return none;
	}
	if (at != end)
		return none;
	range.is_present = true;
	return range;
}

static size_t count_headers(const struct head *head)
{
	struct bytes lines = lines_of(head);
	const char *at = lines.data;
	const char *end = at + lines.len;
	struct bytes name, value;
	size_t count = 0;

	while (next_header(&at, end, &name, &value))
		count++;
	return count;
}

/* Ends @text with a NUL in place (what stood there was a colon, a blank or the buffer's own NUL) and makes continued
 * lines one. */
static const char *end_text(struct bytes text)
{
	char *start = (char *)(uintptr_t)text.data;

	start[text.len] = '\0';
	for (size_t i = 0; i < text.len; i++)
		if (start[i] == '\r' || start[i] == '\n' || start[i] == '\0')
			start[i] = ' ';
	return start;
}

int head_move(struct head *head, struct http_outcome *outcome)
{
	_cleanup_(freep) struct http_header *headers = calloc(count_headers(head) + 1, sizeof(*headers));
	struct bytes lines = lines_of(head);
	const char *at = lines.data;
	const char *end = at + lines.len;
	struct bytes name, value;
	size_t count = 0;

	if (!headers)
		return err_origin(-ENOMEM);
	outcome->status = head->status;
	outcome->declared_bytes = head_declared_bytes(head);
	outcome->content_range = head_content_range(head);
	while (next_header(&at, end, &name, &value))
		headers[count++] = (struct http_header){.name = end_text(name), .value = end_text(value)};

	outcome->header_count = count;
	outcome->headers = steal(headers);
	outcome->head = steal(head->lines.data);
	head->lines = (struct buffer){0};
	return 0;
}
