#include "base/json_lift.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define TEXTS 300

/* What was taken out, in its order. */
struct taken {
	size_t n;
	char *pointers[TEXTS];
	struct buffer bytes[TEXTS];
	struct buffer rest;
	bool is_open;
	int refuse; /* what write() answers */
};

static int on_begin(void *userdata, const char *pointer)
{
	struct taken *taken = userdata;

	assert_false(taken->is_open);
	assert_true(taken->n < TEXTS);
	taken->is_open = true;
	taken->pointers[taken->n++] = strdup(pointer);
	return 0;
}

static int on_write(void *userdata, struct bytes bytes)
{
	struct taken *taken = userdata;

	assert_true(taken->is_open && bytes.len > 0);
	return taken->refuse ? taken->refuse : buffer_append(&taken->bytes[taken->n - 1], bytes.data, bytes.len);
}

static int on_end(void *userdata)
{
	struct taken *taken = userdata;

	assert_true(taken->is_open);
	taken->is_open = false;
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

/* Feeds @text, the first piece of @first bytes, each other one of @piece, each in memory of its own size. */
static int run(struct taken *taken, const char *const *places, size_t n, struct bytes text, size_t first, size_t piece)
{
	const struct json_lift_sink sink = {on_begin, on_write, on_end, taken};
	_cleanup_(json_lift_freep) struct json_lift *lift = NULL;
	int r = 0;

	assert_int_equal(json_lift_new(places, n, &sink, &lift), 0);
	for (size_t at = 0, size = first; at < text.len && r == 0; at += size, size = piece) {
		char *copy;

		size = size < text.len - at ? size : text.len - at;
		copy = malloc(size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, (const char *)text.data + at, size);
		r = json_lift_feed(lift, bytes_of(copy, size), &taken->rest);
		free(copy);
	}
	r = r ? r : json_lift_end(lift);
	assert_int_equal(json_lift_feed(lift, bytes_of(" ", 1), &taken->rest), r);
	assert_int_equal(json_lift_end(lift), r);
	if (r == 0)
		taken->rest.len--;
	return r;
}

/* In two pieces, cut at every byte, and byte by byte: always the same outcome. */
static void assert_lifted(const char *const *places, size_t n, const char *text, const char *rest,
			  const char *const (*expected)[2], size_t n_expected)
{
	struct bytes all = bytes_of_text(text);

	for (size_t cut = 0; cut <= all.len; cut++) {
		_cleanup_(taken_finish) struct taken taken = {0};
		int r = run(&taken, places, n, all, cut, cut ? SIZE_MAX : 1);

		if (!rest) {
			assert_int_equal(r, JSON_LIFT_E_BASE64);
			continue;
		}
		assert_int_equal(r, 0);
		assert_true(bytes_equal(buffer_bytes(&taken.rest), bytes_of_text(rest)));
		assert_int_equal(taken.n, n_expected);
		for (size_t i = 0; i < n_expected; i++) {
			assert_string_equal(taken.pointers[i], expected[i][0]);
			assert_true(bytes_equal(buffer_bytes(&taken.bytes[i]), bytes_of_text(expected[i][1])));
		}
	}
}

#define LIFTED(places, text, rest, ...)                                                         \
	assert_lifted(places, COUNT(places), text, rest, (const char *const[][2]){__VA_ARGS__}, \
		      COUNT(((const char *const[][2]){__VA_ARGS__})))
#define UNTOUCHED(places, text) assert_lifted(places, COUNT(places), text, text, NULL, 0)
#define REFUSED(places, text) assert_lifted(places, COUNT(places), text, NULL, NULL, 0)

static const char *const videos[] = {"/response/videos/*/bytesBase64Encoded"};

static void a_text_at_a_place_is_taken_out(void **state)
{
	(void)state;
	LIFTED(videos,
	       "{\"name\":\"o\",\"done\":true,\"response\":{\"videos\":[{\"mimeType\":\"video/mp4\","
	       "\"bytesBase64Encoded\":\"eGZ0eXA=\"},{\"bytesBase64Encoded\" : \"YWJj\"}],\"n\":17454220438242315174}}",
	       "{\"name\":\"o\",\"done\":true,\"response\":{\"videos\":[{\"mimeType\":\"video/mp4\","
	       "\"bytesBase64Encoded\":\"\"},{\"bytesBase64Encoded\" : \"\"}],\"n\":17454220438242315174}}",
	       {"/response/videos/0/bytesBase64Encoded", "xftyp"}, {"/response/videos/1/bytesBase64Encoded", "abc"});
}

static void a_star_is_every_index_and_every_name(void **state)
{
	static const char *const places[] = {"/a/*", "/b/*/*/c", "/*/only"};

	(void)state;
	LIFTED(places, "{\"a\":[\"YQ==\",[\"YQ==\"],\"Yg==\"],\"b\":{\"x\":[{\"c\":\"Yw==\"},{\"d\":\"Yw==\"}]}}",
	       "{\"a\":[\"\",[\"YQ==\"],\"\"],\"b\":{\"x\":[{\"c\":\"\"},{\"d\":\"Yw==\"}]}}", {"/a/0", "a"},
	       {"/a/2", "b"}, {"/b/x/0/c", "c"});
	LIFTED(places, "{\"a\":{\"k\":\"YQ==\",\"\":\"Yg==\"},\"z\":{\"only\":\"Yw==\"}}",
	       "{\"a\":{\"k\":\"\",\"\":\"\"},\"z\":{\"only\":\"\"}}", {"/a/k", "a"}, {"/a/", "b"}, {"/z/only", "c"});
}

static void a_number_names_an_element_and_a_member(void **state)
{
	static const char *const places[] = {"/a/1"};

	(void)state;
	LIFTED(places, "{\"a\":[\"YQ==\",\"Yg==\",\"Yw==\"]}", "{\"a\":[\"YQ==\",\"\",\"Yw==\"]}", {"/a/1", "b"});
	LIFTED(places, "{\"a\":{\"1\":\"Yg==\"}}", "{\"a\":{\"1\":\"\"}}", {"/a/1", "b"});
}

static void names_are_compared_unescaped_and_told_as_a_pointer(void **state)
{
	static const char *const places[] = {"/a~1b~0c/*"};

	(void)state;
	LIFTED(places, "{\"a\\/b~c\":{\"\\u0041/~\\\"\":\"YQ==\"}}", "{\"a\\/b~c\":{\"\\u0041/~\\\"\":\"\"}}",
	       {"/a~1b~0c/A~1~0\"", "a"});
	LIFTED(places,
	       "{\"\\u0061/b~c\":{\"\\ud83d\\ude00\":\"YQ==\",\"\xc3\xa9\":\"Yg==\",\"\\u00e9\\u20ac\":\"Yw==\"}}",
	       "{\"\\u0061/b~c\":{\"\\ud83d\\ude00\":\"\",\"\xc3\xa9\":\"\",\"\\u00e9\\u20ac\":\"\"}}",
	       {"/a~1b~0c/\xf0\x9f\x98\x80", "a"}, {"/a~1b~0c/\xc3\xa9", "b"}, {"/a~1b~0c/\xc3\xa9\xe2\x82\xac", "c"});
}

/* A pointer cannot say them, so nobody could ask for what was taken out there. */
static void names_that_no_pointer_can_say_are_no_place(void **state)
{
	static const char *const places[] = {"/*"};
	char longest[LIMIT_JSON_POINTER_TOKEN + 64], longer[LIMIT_JSON_POINTER_TOKEN + 64];
	char pointer[LIMIT_JSON_POINTER_TOKEN + 2];
	char rest[LIMIT_JSON_POINTER_TOKEN + 64];

	(void)state;
	UNTOUCHED(places, "{\"a\\u0000\":\"YQ==\",\"\\ud83d\":\"YQ==\",\"\\ude00\":\"YQ==\",\"\\ud83dx\":\"YQ==\","
			  "\"\\ud83d\\ud83d\":\"YQ==\",\"\\ud83d\\u0041\":\"YQ==\"}");
	memset(pointer, 'k', sizeof(pointer));
	snprintf(longest, sizeof(longest), "{\"%.*s\":\"YQ==\"}", LIMIT_JSON_POINTER_TOKEN, pointer);
	snprintf(longer, sizeof(longer), "{\"%.*s\":\"YQ==\"}", LIMIT_JSON_POINTER_TOKEN + 1, pointer);
	snprintf(rest, sizeof(rest), "{\"%.*s\":\"\"}", LIMIT_JSON_POINTER_TOKEN, pointer);
	pointer[0] = '/';
	pointer[LIMIT_JSON_POINTER_TOKEN + 1] = '\0';
	UNTOUCHED(places, longer);
	LIFTED(places, longest, rest, {pointer, "a"});
}

static void what_is_no_text_stays(void **state)
{
	(void)state;
	UNTOUCHED(videos, "{\"response\":{\"videos\":[{\"bytesBase64Encoded\":null},{\"bytesBase64Encoded\":-1.5e3},"
			  "{\"bytesBase64Encoded\":{\"a\":\"YQ==\"}},{\"bytesBase64Encoded\":[\"YQ==\"]},"
			  "{\"bytesBase64Encoded\":true},\"YQ==\",7,[]]}}");
	UNTOUCHED(videos, "{\"response\":{\"videos\":{\"bytesBase64Encoded\":\"YQ==\"}}}");
	UNTOUCHED(videos, "{\"videos\":[{\"bytesBase64Encoded\":\"YQ==\"}],\"response\":{\"videos\":\"YQ==\"}}");
	UNTOUCHED(videos, "\"YQ==\"");
	UNTOUCHED(videos, "[{\"response\":1}]");
	UNTOUCHED(videos, "{}");
	UNTOUCHED(videos, "");
}

static void an_empty_text_is_taken_out_too(void **state)
{
	static const char *const places[] = {"/a"};

	(void)state;
	LIFTED(places, "{\"a\":\"\"}", "{\"a\":\"\"}", {"/a", ""});
}

static void escapes_in_it_are_read(void **state)
{
	static const char *const places[] = {"/a"};

	(void)state;
	LIFTED(places, "{\"a\":\"\\/\\/8\\u003D\"}", "{\"a\":\"\"}", {"/a", "\xff\xff"});
	LIFTED(places, "{\"a\":\"YWJ\\u006a\\u002b\\/\\/\\/\"}", "{\"a\":\"\"}", {"/a", "abc\xfb\xff\xff"});
}

/* The reader lets the last one win; whoever takes them hears of all of them, in their order. */
static void a_member_that_comes_twice_is_taken_out_twice(void **state)
{
	static const char *const places[] = {"/a"};

	(void)state;
	LIFTED(places, "{\"a\":\"YQ==\",\"b\":1,\"a\":\"Yg==\"}", "{\"a\":\"\",\"b\":1,\"a\":\"\"}", {"/a", "a"},
	       {"/a", "b"});
}

static void what_is_not_base64_is_refused(void **state)
{
	static const char *const places[] = {"/a"};

	(void)state;
	REFUSED(places, "{\"a\":\"not base64\"}");
	REFUSED(places, "{\"a\":\"YQ=\"}");
	REFUSED(places, "{\"a\":\"YR==\"}");
	REFUSED(places, "{\"a\":\"YW_-\"}");
	REFUSED(places, "{\"a\":\"YWJj\\nYWJj\"}");
	REFUSED(places, "{\"a\":\"YWJj\\u0100\"}");
	REFUSED(places, "{\"a\":\"YWJj\\x\"}");
	REFUSED(places, "{\"a\":\"YWJj\\u00zz\"}");
	REFUSED(places, "{\"a\":\"\xc3\xa9\xc3\xa9\"}");
	REFUSED(places, "{\"a\":\"YWJj");
	REFUSED(places, "{\"a\":\"YWJj\\");
	REFUSED(places, "{\"a\":\"");
}

/* The reader of the reply says that it is none. */
static void what_is_not_json_is_let_through(void **state)
{
	static const char *const places[] = {"/a", "/*/a"};

	(void)state;
	UNTOUCHED(places, "<html><body a=\"YQ==\">{\"a\":\"YQ==\"}</body></html>");
	UNTOUCHED(places, "{a:\"YQ==\"}");
	UNTOUCHED(places, "}{\"a\":\"YQ==\"}");
	UNTOUCHED(places, "[{],{\"a\":\"YQ==\"}]");
	UNTOUCHED(places, "{\"b\"\"a\":\"YQ==\"}");
	UNTOUCHED(places, "{\"b\":1 2,\"a\":\"YQ==\"}");
	UNTOUCHED(places, "{\"b\\x\":1,\"a\":\"YQ==\"}");
	UNTOUCHED(places, "{\"b\":1\"a\":\"YQ==\"}");
	UNTOUCHED(places, "{\"b\":1}\x01{\"a\":\"YQ==\"}");
	UNTOUCHED(places, "{} {\"a\":\"YQ==\"}");
	UNTOUCHED(places, "{\"b\":{}");
}

static void a_byte_order_mark_is_passed_over(void **state)
{
	static const char *const places[] = {"/a"};

	(void)state;
	LIFTED(places, "\xef\xbb\xbf {\"a\":\"YQ==\"}", "\xef\xbb\xbf {\"a\":\"\"}", {"/a", "a"});
	UNTOUCHED(places, "\xef\xbb{\"a\":\"YQ==\"}");
	UNTOUCHED(places, "{\xef\xbb\xbf\"a\":\"YQ==\"}");
}

/* As deep as the reader goes; one deeper it refuses the document, and nothing is taken out of it any more. */
static void depth_is_the_readers(void **state)
{
	static const char *const places[] = {"/z"};

	(void)state;
	for (int depth = LIMIT_JSON_DEPTH - 1; depth <= LIMIT_JSON_DEPTH; depth++) {
		_cleanup_(json_freep) struct json *json = json_new(NULL);
		_cleanup_(buffer_finish) struct buffer text = {0};
		_cleanup_(taken_finish) struct taken taken = {0};
		json_node root;
		int r;

		buffer_append_text(&text, "{\"deep\":");
		for (int i = 0; i < depth; i++)
			buffer_append_text(&text, "[");
		for (int i = 0; i < depth; i++)
			buffer_append_text(&text, "]");
		buffer_append_text(&text, ",\"z\":\"YQ==\"}");
		assert_int_equal(run(&taken, places, 1, buffer_bytes(&text), SIZE_MAX, SIZE_MAX), 0);
		r = json_parse(json, buffer_bytes(&text), JSON_DUPLICATES_REFUSE, &root, NULL);
		assert_int_equal(r, depth < LIMIT_JSON_DEPTH ? 0 : JSON_E_DEPTH);
		assert_int_equal(taken.n, depth < LIMIT_JSON_DEPTH);
	}
}

static void there_is_a_most_of_texts(void **state)
{
	static const char *const places[] = {"/*"};

	(void)state;
	for (size_t n = LIMIT_JSON_LIFT_TEXTS; n <= LIMIT_JSON_LIFT_TEXTS + 1; n++) {
		_cleanup_(buffer_finish) struct buffer text = {0};
		_cleanup_(taken_finish) struct taken taken = {0};

		for (size_t i = 0; i < n; i++)
			buffer_append_text(&text, i ? ",\"YQ==\"" : "[\"YQ==\"");
		buffer_append_text(&text, "]");
		assert_int_equal(run(&taken, places, 1, buffer_bytes(&text), 7, 7),
				 n <= LIMIT_JSON_LIFT_TEXTS ? 0 : JSON_LIFT_E_TEXTS);
	}
}

static void the_sinks_word_and_the_limit_of_memory_are_final(void **state)
{
	static const char *const places[] = {"/a"};
	_cleanup_(taken_finish) struct taken refusing = {.refuse = _JSON_LIFT_E_N + 3}, small = {.rest = {.limit = 20}};

	(void)state;
	assert_int_equal(run(&refusing, places, 1, bytes_of_text("{\"a\":\"YQ==\"}"), 3, 3), _JSON_LIFT_E_N + 3);
	assert_int_equal(run(&small, places, 1, bytes_of_text("{\"a\":\"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4\",\"b\":1}"),
			     SIZE_MAX, SIZE_MAX),
			 0);
	small.rest.len = 0;
	assert_int_equal(run(&small, places, 1, bytes_of_text("{\"b\":\"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4\"}"), SIZE_MAX,
			     SIZE_MAX),
			 -EMSGSIZE);
}

static void places_have_limits_too(void **state)
{
	_cleanup_(buffer_finish) struct buffer place = {0};

	(void)state;
	for (int i = 0; i < LIMIT_JSON_LIFT_TOKENS; i++)
		buffer_append_text(&place, "/a");
	assert_true(json_lift_place_is_valid(place.data));
	buffer_append_text(&place, "/a");
	assert_false(json_lift_place_is_valid(place.data));
	assert_true(json_lift_place_is_valid("/"));
	assert_true(json_lift_place_is_valid("/*"));
	assert_false(json_lift_place_is_valid(""));
	assert_false(json_lift_place_is_valid("a"));
	assert_false(json_lift_place_is_valid("/a~2"));
}

/* ---- any document ---- */

struct maker {
	struct buffer text;
	uint64_t random;
};

static uint32_t pick(struct maker *maker, uint32_t below)
{
	maker->random = maker->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(maker->random >> 33) % below;
}

static void add(struct maker *maker, const char *text)
{
	static const char *const spaces[] = {"", "", "", " ", "\n\t", "\r\n  "};

	assert_int_equal(buffer_append_text(&maker->text, text), 0);
	assert_int_equal(buffer_append_text(&maker->text, spaces[pick(maker, COUNT(spaces))]), 0);
}

static void add_base64(struct maker *maker)
{
	uint8_t bytes[400];
	size_t n = pick(maker, 20) ? pick(maker, 12) : pick(maker, sizeof(bytes));
	struct buffer text = {0};

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)pick(maker, 256);
	base64_append(&text, bytes_of(bytes, n));
	buffer_append(&maker->text, "\"", 1);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '/' && pick(maker, 2))
			buffer_append(&maker->text, "\\/", 2);
		else if (pick(maker, 40) == 0)
			buffer_printf(&maker->text, "\\u%04x", (unsigned int)text.data[i]);
		else
			buffer_append(&maker->text, text.data + i, 1);
	buffer_finish(&text);
	add(maker, "\"");
}

static void add_value(struct maker *maker, int depth);

static void add_members(struct maker *maker, int depth)
{
	static const char *const names[] = {"a", "b", "\\u0061b", "~", "a\\/b", "", "\xc3\xa9", "\\ud83d\\ude00"};
	uint32_t from = pick(maker, COUNT(names)), n = pick(maker, COUNT(names));

	add(maker, "{");
	for (uint32_t i = 0; i < n; i++) {
		buffer_printf(&maker->text, "\"%s\"", names[(from + i) % COUNT(names)]);
		add(maker, "");
		add(maker, ":");
		add_value(maker, depth - 1);
		if (i + 1 < n)
			add(maker, ",");
	}
	add(maker, "}");
}

static void add_elements(struct maker *maker, int depth)
{
	uint32_t n = pick(maker, 5);

	add(maker, "[");
	for (uint32_t i = 0; i < n; i++) {
		add_value(maker, depth - 1);
		if (i + 1 < n)
			add(maker, ",");
	}
	add(maker, "]");
}

static void add_value(struct maker *maker, int depth)
{
	static const char *const scalars[] = {"null", "true", "false", "0", "-12.5e+3", "17454220438242315174"};

	switch (pick(maker, depth > 0 ? 4 : 2)) {
	case 0:
		add(maker, scalars[pick(maker, COUNT(scalars))]);
		break;
	case 1:
		add_base64(maker);
		break;
	case 2:
		add_members(maker, depth);
		break;
	default:
		add_elements(maker, depth);
	}
}

static void put_back(struct json *json, json_node root, const struct taken *taken)
{
	for (size_t i = 0; i < taken->n; i++) {
		struct buffer text = {0};
		json_node node = json_at(json, root, taken->pointers[i]);

		assert_int_equal(json_kind(json, node), JSON_KIND_TEXT);
		assert_int_equal(json_text(json, node).len, 0);
		assert_int_equal(base64_append(&text, buffer_bytes(&taken->bytes[i])), 0);
		assert_int_equal(json_put(json, root, taken->pointers[i], json_make_text(json, buffer_bytes(&text))),
				 0);
		buffer_finish(&text);
	}
}

/* Every text at a place, found by walking the tree. */
static size_t count_at(const struct json *json, json_node node, const char *place)
{
	size_t n = 0, len = strcspn(place + (*place == '/'), "/");
	char token[64] = "/";

	if (*place == '\0')
		return json_kind(json, node) == JSON_KIND_TEXT;
	memcpy(token + 1, place + 1, len);
	token[1 + len] = '\0';
	if (strcmp(token, "/*") != 0)
		return json_at(json, node, token) ? count_at(json, json_at(json, node, token), place + 1 + len) : 0;
	for (json_node child = json_first(json, node); child; child = json_next(json, child))
		n += count_at(json, child, place + 1 + len);
	return n;
}

static void whatever_the_document_it_is_the_same_with_the_texts_put_back(void **state)
{
	static const char *const places[] = {"/a", "/*/ab/*", "/*/*/*", "/a~1b/1", "/\xf0\x9f\x98\x80/~0"};
	struct maker maker = {.random = 20261130};
	size_t lifted = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		_cleanup_(json_freep) struct json *json = json_new(NULL);
		_cleanup_(taken_finish) struct taken taken = {0};
		size_t which = pick(&maker, COUNT(places));
		json_node whole, rest;

		maker.text.len = 0;
		if (pick(&maker, 8))
			add_members(&maker, 4);
		else
			add_elements(&maker, 4);
		assert_int_equal(run(&taken, &places[which], 1, buffer_bytes(&maker.text), pick(&maker, 40),
				     1 + pick(&maker, 40)),
				 0);
		assert_int_equal(json_parse(json, buffer_bytes(&maker.text), JSON_DUPLICATES_REFUSE, &whole, NULL), 0);
		assert_int_equal(json_parse(json, buffer_bytes(&taken.rest), JSON_DUPLICATES_REFUSE, &rest, NULL), 0);
		assert_int_equal(taken.n, count_at(json, whole, places[which]));
		put_back(json, rest, &taken);
		assert_true(json_equal(json, whole, json, rest));
		lifted += taken.n;
	}
	assert_true(lifted > 1000);
	buffer_finish(&maker.text);
}

/* More than one helping of the decoder. */
static void a_large_text_is_handed_on_in_helpings(void **state)
{
	static const char *const places[] = {"/a"};
	size_t sizes[] = {49149, 49150, 49151, 49152, 49153, 200001};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		_cleanup_(buffer_finish) struct buffer bytes = {0}, text = {0};
		_cleanup_(taken_finish) struct taken taken = {0};

		assert_int_equal(buffer_reserve(&bytes, sizes[i]), 0);
		for (; bytes.len < sizes[i]; bytes.len++)
			bytes.data[bytes.len] = (char)(bytes.len * 31);
		buffer_append_text(&text, "{\"a\":\"");
		base64_append(&text, buffer_bytes(&bytes));
		buffer_append_text(&text, "\"}");
		assert_int_equal(run(&taken, places, 1, buffer_bytes(&text), 1001, 16384), 0);
		assert_true(bytes_equal(buffer_bytes(&taken.bytes[0]), buffer_bytes(&bytes)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_at_a_place_is_taken_out),
		cmocka_unit_test(a_star_is_every_index_and_every_name),
		cmocka_unit_test(a_number_names_an_element_and_a_member),
		cmocka_unit_test(names_are_compared_unescaped_and_told_as_a_pointer),
		cmocka_unit_test(names_that_no_pointer_can_say_are_no_place),
		cmocka_unit_test(what_is_no_text_stays),
		cmocka_unit_test(an_empty_text_is_taken_out_too),
		cmocka_unit_test(escapes_in_it_are_read),
		cmocka_unit_test(a_member_that_comes_twice_is_taken_out_twice),
		cmocka_unit_test(what_is_not_base64_is_refused),
		cmocka_unit_test(what_is_not_json_is_let_through),
		cmocka_unit_test(a_byte_order_mark_is_passed_over),
		cmocka_unit_test(depth_is_the_readers),
		cmocka_unit_test(there_is_a_most_of_texts),
		cmocka_unit_test(the_sinks_word_and_the_limit_of_memory_are_final),
		cmocka_unit_test(places_have_limits_too),
		cmocka_unit_test(whatever_the_document_it_is_the_same_with_the_texts_put_back),
		cmocka_unit_test(a_large_text_is_handed_on_in_helpings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
