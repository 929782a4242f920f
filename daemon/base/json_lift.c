/*
 * A lexer of JSON's structure, one byte at a time: enough of it to know at which pointer each value stands, and no more.
 * Only names on the way to a place are read, and of texts only those at a place; everything else is copied in runs.
 *
 * For each open container, `alive` has a bit for each place that leads into it. A container with no bit costs no path,
 * no key and no comparison, which is nearly all of an ordinary reply.
 */
#include "base/json_lift.h"

#include "base/base64_reader.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"

#include <assert.h>
#include <stdio.h>

#define DECODED 49152 /* bytes handed to the sink at a time */
#define NOT_ADDRESSABLE SIZE_MAX

enum state {
	STATE_BEGIN, /* before the root: a byte order mark may come */
	STATE_VALUE, /* a value, or the end of an empty array */
	STATE_KEY,   /* a name, or the end of an empty object */
	STATE_COLON,
	STATE_SCALAR, /* in a number, true, false or null */
	STATE_AFTER,  /* behind a value */
	STATE_IN_KEY,
	STATE_IN_TEXT,
	STATE_IN_LIFTED,
	STATE_PASS, /* not JSON any more */
};

struct place {
	char *text;
	size_t begins[LIMIT_JSON_LIFT_TOKENS + 1]; /* of each token behind its slash; and behind the end */
	size_t n;
};

struct frame {
	bool is_array;
	uint64_t index;    /* of an array: of the value that comes */
	uint32_t alive;    /* places that lead here and beyond */
	size_t path_len;   /* of the pointer to this container */
	uint32_t in_child; /* of an object: places that lead through the name that was read last */
};

/* An escape in a text: what of it has been read. */
struct escape {
	uint8_t digits; /* 0: none; 1: the backslash; from 2 on: digits of \uXXXX still to come, plus 2 */
	uint32_t code;
};

struct json_lift {
	struct json_lift_sink sink;
	struct place places[LIMIT_JSON_LIFT_PLACES];
	size_t n_places;

	enum state state;
	int outcome;
	size_t mark; /* bytes of a byte order mark that have come */
	struct frame frames[LIMIT_JSON_DEPTH];
	size_t depth;
	struct buffer path; /* the pointer to the innermost container, or to the child whose name was read */
	struct escape escape;
	char key[LIMIT_JSON_POINTER_TOKEN];
	size_t key_len;     /* NOT_ADDRESSABLE: longer, or not to be said in a pointer */
	uint32_t surrogate; /* the first half of a pair; 0: none */

	size_t n_texts;
	struct base64_reader reader;
	size_t decoded_len;
	uint8_t decoded[DECODED + 3];
};

/* ---- places ---- */

static int split(const char *text, size_t begins[LIMIT_JSON_LIFT_TOKENS + 1], size_t *ret)
{
	size_t n = 0, i = 0;

	for (; text[i]; i++) {
		if (text[i] != '/')
			continue;
		if (n == LIMIT_JSON_LIFT_TOKENS)
			return -1;
		begins[n++] = i + 1;
	}
	begins[n] = i + 1;
	*ret = n;
	return n ? 0 : -1;
}

bool json_lift_place_is_valid(const char *place)
{
	size_t begins[LIMIT_JSON_LIFT_TOKENS + 1], n;

	return json_pointer_is_valid(place) && split(place, begins, &n) == 0;
}

int json_lift_new(const char *const *places, size_t n, const struct json_lift_sink *sink, struct json_lift **ret)
{
	_cleanup_(json_lift_freep) struct json_lift *lift = calloc(1, sizeof(*lift));

	if (!lift)
		return err_origin(-ENOMEM);
	assert(n > 0 && n <= LIMIT_JSON_LIFT_PLACES);
	lift->sink = *sink;
	for (; lift->n_places < n; lift->n_places++) {
		struct place *place = &lift->places[lift->n_places];
		int r = split(places[lift->n_places], place->begins, &place->n);

		assert(r == 0);
		place->text = strdup(places[lift->n_places]);
		if (!place->text)
			return err_origin(-ENOMEM);
	}
	*ret = steal(lift);
	return 0;
}

struct json_lift *json_lift_free(struct json_lift *lift)
{
	if (!lift)
		return NULL;
	for (size_t i = 0; i < lift->n_places; i++)
		free(lift->places[i].text);
	buffer_finish(&lift->path);
	free(lift);
	return NULL;
}

void json_lift_freep(struct json_lift **lift)
{
	json_lift_free(*lift);
}

/* Of the places in @alive, those whose token at @depth is @token, which is escaped as in a pointer. */
static uint32_t through(const struct json_lift *lift, uint32_t alive, size_t depth, struct bytes token)
{
	uint32_t found = 0;

	for (size_t i = 0; i < lift->n_places; i++) {
		const struct place *place = &lift->places[i];
		struct bytes own;

		if (!(alive & UINT32_C(1) << i) || depth >= place->n)
			continue;
		own = bytes_of(place->text + place->begins[depth], place->begins[depth + 1] - place->begins[depth] - 1);
		if (bytes_equal(own, bytes_of("*", 1)) || bytes_equal(own, token))
			found |= UINT32_C(1) << i;
	}
	return found;
}

/* Of the places in @alive, those that end with their token at @depth, or else go on. */
static uint32_t ending(const struct json_lift *lift, uint32_t alive, size_t depth, bool ends)
{
	uint32_t found = 0;

	for (size_t i = 0; i < lift->n_places; i++)
		if ((alive & UINT32_C(1) << i) && (lift->places[i].n == depth + 1) == ends)
			found |= UINT32_C(1) << i;
	return found;
}

/* ---- where we are ---- */

static struct frame *top(struct json_lift *lift)
{
	return lift->depth ? &lift->frames[lift->depth - 1] : NULL;
}

static int enter(struct json_lift *lift, struct bytes token, uint32_t *ret_alive)
{
	struct frame *frame = top(lift);
	int r = 0;

	*ret_alive = through(lift, frame->alive, lift->depth - 1, token);
	lift->path.len = frame->path_len;
	if (*ret_alive)
		r = buffer_append(&lift->path, "/", 1);
	if (*ret_alive && r == 0)
		r = buffer_append(&lift->path, token.data, token.len);
	return r;
}

/* The places that lead through the value that begins here; the path is its pointer if there are any. */
static int begin_child(struct json_lift *lift, uint32_t *ret_alive)
{
	struct frame *frame = top(lift);
	char index[24];
	int n;

	*ret_alive = 0;
	if (!frame || !frame->alive)
		return 0;
	if (!frame->is_array) {
		*ret_alive = frame->in_child;
		return 0;
	}
	n = snprintf(index, sizeof(index), "%llu", (unsigned long long)frame->index);
	return enter(lift, bytes_of(index, (size_t)n), ret_alive);
}

/* Deeper than the reader goes: it will refuse the document. */
static int push(struct json_lift *lift, bool is_array)
{
	uint32_t alive;
	int r = begin_child(lift, &alive);

	if (r != 0)
		return r;
	if (lift->depth == LIMIT_JSON_DEPTH) {
		lift->state = STATE_PASS;
		return 0;
	}
	alive = lift->depth ? ending(lift, alive, lift->depth - 1, false) : UINT32_MAX;
	lift->frames[lift->depth++] = (struct frame){.is_array = is_array, .alive = alive, .path_len = lift->path.len};
	lift->state = is_array ? STATE_VALUE : STATE_KEY;
	return 0;
}

static int pop(struct json_lift *lift, bool is_array)
{
	struct frame *frame = top(lift);

	if (!frame || frame->is_array != is_array) {
		lift->state = STATE_PASS;
		return 0;
	}
	lift->depth--;
	lift->state = STATE_AFTER;
	return 0;
}

/* ---- names ---- */

static void add_to_key(struct json_lift *lift, const char *data, size_t len)
{
	if (lift->key_len == NOT_ADDRESSABLE)
		return;
	if (lift->surrogate || len > sizeof(lift->key) - lift->key_len) {
		lift->key_len = NOT_ADDRESSABLE;
		return;
	}
	memcpy(lift->key + lift->key_len, data, len);
	lift->key_len += len;
}

static size_t encode(uint32_t code, char utf8[4])
{
	if (code < 0x80) {
		utf8[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		utf8[0] = (char)(0xc0 | code >> 6);
		utf8[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		utf8[0] = (char)(0xe0 | code >> 12);
		utf8[1] = (char)(0x80 | (code >> 6 & 0x3f));
		utf8[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	utf8[0] = (char)(0xf0 | code >> 18);
	utf8[1] = (char)(0x80 | (code >> 12 & 0x3f));
	utf8[2] = (char)(0x80 | (code >> 6 & 0x3f));
	utf8[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static void add_code_to_key(struct json_lift *lift, uint32_t code)
{
	bool is_second = code >= 0xdc00 && code <= 0xdfff;
	char utf8[4];

	if (code >= 0xd800 && code <= 0xdbff && !lift->surrogate) {
		lift->surrogate = code;
		return;
	}
	if (lift->surrogate && is_second) {
		code = 0x10000 + ((lift->surrogate - 0xd800) << 10) + (code - 0xdc00);
		lift->surrogate = 0;
	} else if (lift->surrogate || is_second || code == 0) {
		lift->key_len = NOT_ADDRESSABLE;
		return;
	}
	add_to_key(lift, utf8, encode(code, utf8));
}

/* The name is whole: it goes to the end of the path, escaped. */
static int end_key(struct json_lift *lift)
{
	char escaped[2 * LIMIT_JSON_POINTER_TOKEN];
	struct frame *frame = top(lift);
	size_t len = 0;

	lift->state = STATE_COLON;
	frame->in_child = 0;
	if (!frame->alive || lift->key_len == NOT_ADDRESSABLE || lift->surrogate)
		return 0;
	for (size_t i = 0; i < lift->key_len; i++) {
		char c = lift->key[i];

		if (c == '~' || c == '/')
			escaped[len++] = '~';
		escaped[len++] = c == '~' ? '0' : c == '/' ? '1' : c;
	}
	return enter(lift, bytes_of(escaped, len), &frame->in_child);
}

/* ---- lifted texts ---- */

static int flush(struct json_lift *lift)
{
	size_t len = lift->decoded_len;

	lift->decoded_len = 0;
	return len ? lift->sink.write(lift->sink.userdata, bytes_of(lift->decoded, len)) : 0;
}

static int begin_lifted(struct json_lift *lift)
{
	if (lift->n_texts++ == LIMIT_JSON_LIFT_TEXTS)
		return JSON_LIFT_E_TEXTS;
	lift->reader = (struct base64_reader){0};
	lift->state = STATE_IN_LIFTED;
	return lift->sink.begin(lift->sink.userdata, lift->path.data);
}

static int end_lifted(struct json_lift *lift)
{
	int r = base64_reader_end(&lift->reader) == 0 ? flush(lift) : JSON_LIFT_E_BASE64;

	lift->state = STATE_AFTER;
	return r ? r : lift->sink.end(lift->sink.userdata);
}

static int decode(struct json_lift *lift, const char *data, size_t len)
{
	while (len) {
		size_t n = (DECODED - lift->decoded_len) / 3 * 4, before = lift->decoded_len;
		int r = 0;

		n = n < len ? n : len;
		if (base64_reader_add(&lift->reader, bytes_of(data, n), lift->decoded, &lift->decoded_len) != 0)
			return JSON_LIFT_E_BASE64;
		assert(lift->decoded_len >= before && lift->decoded_len <= sizeof(lift->decoded));
		data += n;
		len -= n;
		if (lift->decoded_len > DECODED - 3)
			r = flush(lift);
		if (r)
			return r;
	}
	return 0;
}

/* ---- texts ---- */

static int begin_text(struct json_lift *lift)
{
	uint32_t alive;
	int r = begin_child(lift, &alive);

	lift->escape = (struct escape){0};
	lift->state = STATE_IN_TEXT;
	if (r == 0 && alive && ending(lift, alive, lift->depth - 1, true))
		r = begin_lifted(lift);
	return r;
}

static void begin_key(struct json_lift *lift)
{
	lift->escape = (struct escape){0};
	lift->key_len = top(lift)->alive ? 0 : NOT_ADDRESSABLE;
	lift->surrogate = 0;
	lift->state = STATE_IN_KEY;
}

static int end_text(struct json_lift *lift)
{
	if (lift->state == STATE_IN_KEY)
		return end_key(lift);
	if (lift->state == STATE_IN_LIFTED)
		return end_lifted(lift);
	lift->state = STATE_AFTER;
	return 0;
}

/* Plain characters of a text. */
static int take_characters(struct json_lift *lift, const char *data, size_t len)
{
	if (lift->state == STATE_IN_LIFTED)
		return decode(lift, data, len);
	if (lift->state == STATE_IN_KEY)
		add_to_key(lift, data, len);
	return 0;
}

static int take_code(struct json_lift *lift, uint32_t code)
{
	char c = (char)code;

	if (lift->state == STATE_IN_LIFTED)
		return code < 0x80 ? decode(lift, &c, 1) : JSON_LIFT_E_BASE64;
	if (lift->state == STATE_IN_KEY)
		add_code_to_key(lift, code);
	return 0;
}

/* One byte behind a backslash. What is no escape is no JSON, and inside a lifted text no base64. */
static int take_escaped(struct json_lift *lift, char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	struct escape *escape = &lift->escape;
	const char *found = c ? strchr(from, c) : NULL;
	int digit = bytes_hex_value(c);

	if (escape->digits == 1 && c == 'u') {
		*escape = (struct escape){.digits = 6};
		return 0;
	}
	if (escape->digits == 1 && found) {
		escape->digits = 0;
		return take_code(lift, (unsigned char)to[found - from]);
	}
	if (escape->digits > 2 && digit >= 0) {
		escape->code = escape->code << 4 | (uint32_t)digit;
		if (--escape->digits > 2)
			return 0;
		escape->digits = 0;
		return take_code(lift, escape->code);
	}
	if (lift->state == STATE_IN_LIFTED)
		return JSON_LIFT_E_BASE64;
	lift->state = STATE_PASS;
	return 0;
}

static bool is_in_text(const struct json_lift *lift)
{
	return lift->state == STATE_IN_KEY || lift->state == STATE_IN_TEXT || lift->state == STATE_IN_LIFTED;
}

/* Takes some of @data, one byte at least, of a text; how many goes to @ret. */
static int step_in_text(struct json_lift *lift, const char *data, size_t len, size_t *ret)
{
	size_t n = 0;

	*ret = 1;
	if (lift->escape.digits)
		return take_escaped(lift, *data);
	if (*data == '"')
		return end_text(lift);
	if (*data == '\\') {
		lift->escape.digits = 1;
		return 0;
	}
	while (n < len && data[n] != '"' && data[n] != '\\')
		n++;
	*ret = n;
	return take_characters(lift, data, n);
}

/* ---- structure ---- */

static int refuse(struct json_lift *lift)
{
	lift->state = STATE_PASS;
	return 0;
}

static int step_comma(struct json_lift *lift)
{
	struct frame *frame = top(lift);

	if (!frame)
		return refuse(lift);
	frame->index++;
	lift->state = frame->is_array ? STATE_VALUE : STATE_KEY;
	return 0;
}

/* The UTF-8 byte order mark, which the reader of replies passes over. */
static bool is_mark(struct json_lift *lift, char c)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (lift->state != STATE_BEGIN || lift->mark >= 3 || c != mark[lift->mark])
		return false;
	lift->mark++;
	return true;
}

static int step_closing(struct json_lift *lift, char c)
{
	bool is_array = c == ']';

	if (lift->state != STATE_AFTER && lift->state != (is_array ? STATE_VALUE : STATE_KEY))
		return refuse(lift);
	return pop(lift, is_array);
}

static int step_opening(struct json_lift *lift, char c)
{
	bool is_value = lift->state == STATE_BEGIN || lift->state == STATE_VALUE;

	if (c == '"' && lift->state == STATE_KEY) {
		begin_key(lift);
		return 0;
	}
	if (!is_value)
		return refuse(lift);
	return c == '"' ? begin_text(lift) : push(lift, c == '[');
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int step_structure(struct json_lift *lift, char c)
{
	if (lift->state == STATE_SCALAR && (is_space(c) || strchr("{}[],:\"", c)))
		lift->state = STATE_AFTER;
	if (is_mark(lift, c))
		return 0;
	if (lift->mark % 3 != 0)
		return refuse(lift);
	switch (c) {
	case ' ':
	case '\t':
	case '\n':
	case '\r':
		return 0;
	case '{':
	case '[':
	case '"':
		return step_opening(lift, c);
	case '}':
	case ']':
		return step_closing(lift, c);
	case ',':
		return lift->state == STATE_AFTER ? step_comma(lift) : refuse(lift);
	case ':':
		if (lift->state != STATE_COLON)
			return refuse(lift);
		lift->state = STATE_VALUE;
		return 0;
	default:
		if (lift->state != STATE_BEGIN && lift->state != STATE_VALUE && lift->state != STATE_SCALAR)
			return refuse(lift);
		lift->state = STATE_SCALAR;
		return 0;
	}
}

/* ---- bytes in ---- */

static int step(struct json_lift *lift, const char *data, size_t len, size_t *ret)
{
	*ret = 1;
	if (lift->state == STATE_PASS)
		*ret = len;
	else if (is_in_text(lift))
		return step_in_text(lift, data, len, ret);
	else
		return step_structure(lift, *data);
	return 0;
}

/* What does not belong to a lifted text is copied; the quotes around one do not. */
static int feed(struct json_lift *lift, const char *data, size_t len, struct buffer *out)
{
	size_t copied = 0, at = 0, n = 0;

	while (at < len) {
		bool was_lifting = lift->state == STATE_IN_LIFTED;
		int r = step(lift, data + at, len - at, &n);

		if (r)
			return r;
		at += n;
		if (!was_lifting && lift->state == STATE_IN_LIFTED)
			r = buffer_append(out, data + copied, at - copied);
		if (r)
			return r;
		if (lift->state == STATE_IN_LIFTED)
			copied = at;
		else if (was_lifting)
			copied = at - 1;
	}
	return buffer_append(out, data + copied, at - copied);
}

int json_lift_feed(struct json_lift *lift, struct bytes piece, struct buffer *out)
{
	if (lift->outcome == 0 && piece.len)
		lift->outcome = feed(lift, piece.data, piece.len, out);
	return lift->outcome;
}

int json_lift_end(struct json_lift *lift)
{
	if (lift->outcome == 0 && lift->state == STATE_IN_LIFTED)
		lift->outcome = JSON_LIFT_E_BASE64;
	return lift->outcome;
}
