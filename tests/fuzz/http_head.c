#include "base/err.h"
#include "base/limits.h"
#include "fuzz.h"
#include "http/head.h"

#include <assert.h>

static void check_range(struct http_range range)
{
	if (!range.is_present)
		return;
	assert(range.first >= -1 && range.last >= range.first);
	assert((range.first == -1) == (range.last == -1));
	assert(range.total == -1 || range.total > range.last);
}

static void check_moved(const struct http_outcome *outcome, struct bytes type, bool has_type)
{
	const char *value = http_outcome_header(outcome, "content-type");
	int64_t wait_ms = http_retry_after_ms(outcome, INT64_C(1700000000000));

	assert(outcome->status >= 200 && outcome->status <= 999);
	assert(outcome->header_count <= LIMIT_HTTP_REPLY_HEADERS);
	for (size_t i = 0; i < outcome->header_count; i++) {
		assert(!strpbrk(outcome->headers[i].name, "\r\n:"));
		assert(!strpbrk(outcome->headers[i].value, "\r\n"));
	}
	assert(has_type == (value != NULL) && (!value || strlen(value) == type.len));
	assert(wait_ms >= -1 && wait_ms <= LIMIT_HTTP_RETRY_AFTER_MS);
}

static void look_at(struct head *head)
{
	struct http_outcome *outcome = calloc(1, sizeof(*outcome));
	struct bytes type = head_value(head, "Content-Type");
	bool has_type = type.data != NULL;

	if (!outcome)
		abort();
	assert(head_declared_bytes(head) >= -1);
	check_range(head_content_range(head));
	head_ends_by_close(head);
	if (head->is_complete) {
		assert(head_move(head, outcome) == 0);
		check_moved(outcome, type, has_type);
	}
	http_outcome_free(outcome);
}

/* A line that nothing lies behind, as libcurl hands it over. */
static int add_line(struct head *head, struct bytes line)
{
	char *copy = malloc(line.len);
	int r;

	if (!copy)
		abort();
	memcpy(copy, line.data, line.len);
	r = head_add_line(head, bytes_of(copy, line.len));
	free(copy);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	struct head head;
	int r = 0;

	head_init(&head, LIMIT_HTTP_REPLY_HEADER_BYTES);
	while (r == 0 && data < end) {
		const uint8_t *newline = memchr(data, '\n', (size_t)(end - data));
		const uint8_t *next = newline ? newline + 1 : end;

		r = add_line(&head, bytes_of(data, (size_t)(next - data)));
		data = next;
	}
	assert(r == 0 || r == HEAD_E_TOO_LARGE);
	if (r == 0)
		look_at(&head);
	head_finish(&head);
	return 0;
}
