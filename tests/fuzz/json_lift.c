/*
 * A byte that chooses the place and the pieces, and a document. Whatever it is, the filter lets the same document through
 * with empty texts at the place, and has taken out what the reader would have found there.
 */
#include "base/json_lift.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"
#include "fuzz.h"

#include <assert.h>

struct taken {
	size_t n;
	char *pointers[LIMIT_JSON_LIFT_TEXTS];
	struct buffer bytes[LIMIT_JSON_LIFT_TEXTS];
	struct buffer rest;
};

static int on_begin(void *userdata, const char *pointer)
{
	struct taken *taken = userdata;
	size_t i = 0;

	/* One that comes again takes the place of the one before. */
	while (i < taken->n && strcmp(taken->pointers[i], pointer) != 0)
		i++;
	if (i < taken->n) {
		char *again = taken->pointers[i];

		buffer_finish(&taken->bytes[i]);
		memmove(&taken->pointers[i], &taken->pointers[i + 1], (taken->n - i - 1) * sizeof(*taken->pointers));
		memmove(&taken->bytes[i], &taken->bytes[i + 1], (taken->n - i - 1) * sizeof(*taken->bytes));
		taken->pointers[taken->n - 1] = again;
		taken->bytes[taken->n - 1] = (struct buffer){0};
		return 0;
	}
	taken->pointers[taken->n++] = strdup(pointer);
	return 0;
}

static int on_write(void *userdata, struct bytes bytes)
{
	struct taken *taken = userdata;

	return buffer_append(&taken->bytes[taken->n - 1], bytes.data, bytes.len);
}

static int on_end(void *userdata)
{
	(void)userdata;
	return 0;
}

static void taken_finish(struct taken *taken)
{
	for (size_t i = 0; i < taken->n; i++) {
		free(taken->pointers[i]);
		buffer_finish(&taken->bytes[i]);
	}
	buffer_finish(&taken->rest);
}

static int lift(struct taken *taken, const char *place, struct bytes text, size_t piece)
{
	const struct json_lift_sink sink = {on_begin, on_write, on_end, taken};
	_cleanup_(json_lift_freep) struct json_lift *reader = NULL;
	int r = json_lift_new(&place, 1, &sink, &reader);

	for (size_t at = 0; at < text.len && r == 0; at += piece) {
		size_t len = text.len - at < piece ? text.len - at : piece;

		r = json_lift_feed(reader, bytes_of((const char *)text.data + at, len), &taken->rest);
	}
	return r ? r : json_lift_end(reader);
}

/* Puts every text back; one whose place went with an earlier value of a member that came twice has none. */
static void put_back(struct json *json, json_node root, const struct taken *taken)
{
	for (size_t i = 0; i < taken->n; i++) {
		_cleanup_(buffer_finish) struct buffer text = {0};
		json_node node = json_at(json, root, taken->pointers[i]);

		if (json_kind(json, node) != JSON_KIND_TEXT)
			continue;
		assert(json_text(json, node).len == 0);
		assert(base64_append(&text, buffer_bytes(&taken->bytes[i])) == 0);
		assert(json_put(json, root, taken->pointers[i], json_make_text(json, buffer_bytes(&text))) == 0);
	}
}

/* The reader passes over a byte order mark before it begins; here, too. */
static struct bytes unmarked(struct bytes text)
{
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		return bytes_of((const char *)text.data + 3, text.len - 3);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const places[] = {
		"/a", "/*", "/response/videos/*/bytesBase64Encoded", "/*/*", "/a/0", "/*/a", "/a~1b/*", "/"};
	static const size_t pieces[] = {1, 2, 3, 5, 16, SIZE_MAX};
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(taken_finish) struct taken taken = {0};
	struct bytes text;
	json_node whole, rest;
	int r, had;

	if (size < 1)
		return -1;
	text = bytes_of(data + 1, size - 1);
	r = lift(&taken, places[data[0] & 7], text, pieces[(data[0] >> 3) % 6]);
	if (r != 0) {
		assert(r == JSON_LIFT_E_BASE64 || r == JSON_LIFT_E_TEXTS);
		return 0;
	}
	had = json_parse(json, unmarked(text), JSON_DUPLICATES_LAST_WINS, &whole, NULL);
	r = json_parse(json, unmarked(buffer_bytes(&taken.rest)), JSON_DUPLICATES_LAST_WINS, &rest, NULL);
	assert((had == 0) == (r == 0));
	if (had != 0)
		return 0;
	put_back(json, rest, &taken);
	assert(json_equal(json, whole, json, rest));
	return 0;
}
