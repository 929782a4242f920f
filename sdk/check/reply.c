#include "reply.h"

#include "base/err.h"

static void remember(struct words *words, struct bytes text)
{
	if (words->n == WORDS_MOST || text.len > 256)
		return;
	for (size_t i = 0; i < words->n; i++)
		if (bytes_equal(bytes_of_text(words->list[i]), text))
			return;
	words->list[words->n] = bytes_dup_text(text);
	if (words->list[words->n])
		words->n++;
}

static struct learned *of(struct plugin_observer *observer)
{
	return (struct learned *)(void *)observer;
}

static void looks_at(struct plugin_observer *observer, const char *pointer)
{
	if (*pointer)
		remember(&of(observer)->pointers, bytes_of_text(pointer));
}

static void compares(struct plugin_observer *observer, const char *expected)
{
	remember(&of(observer)->texts, bytes_of_text(expected));
}

void learned_begin(struct learned *learned)
{
	*learned = (struct learned){.observer = {.looks_at = looks_at, .compares = compares}};
}

static void forget(struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->list[i]);
	words->n = 0;
}

void learned_finish(struct learned *learned)
{
	forget(&learned->pointers);
	forget(&learned->texts);
}

static void read_node(struct learned *learned, const struct json *json, json_node node)
{
	if (json_kind(json, node) == JSON_KIND_TEXT && bytes_are_text(json_text(json, node)))
		remember(&learned->texts, json_text(json, node));
	for (json_node n = json_first(json, node); n; n = json_next(json, n)) {
		_cleanup_(buffer_finish) struct buffer pointer = {0};
		const char *name = json_name(json, n);

		if (json_kind(json, node) == JSON_KIND_OBJECT && !strpbrk(name, "/~") &&
		    buffer_printf(&pointer, "/%s", name) == 0)
			remember(&learned->pointers, buffer_bytes(&pointer));
		read_node(learned, json, n);
	}
}

void learned_read(struct learned *learned, struct bytes document)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root = JSON_ABSENT;

	if (json && json_parse(json, document, JSON_DUPLICATES_LAST_WINS, &root, NULL) == 0)
		read_node(learned, json, root);
}

/* ---- bodies ---- */

struct maker {
	const struct learned *learned;
	struct dice *dice;
	struct json *json;
};

static const char *word_of(const struct maker *maker, const struct words *words, const char *fallback)
{
	return words->n ? words->list[dice_below(maker->dice, words->n)] : fallback;
}

static json_node text_value(const struct maker *maker)
{
	static const char *const usual[] = {
		"",
		"id-1",
		"completed",
		"failed",
		"https://files.example/v.mp4?Expires=1795368960&Signature=abc",
		"http://127.0.0.1/x",
		"/relative?x=1",
		"//host/x",
		"javascript:alert(1)",
		"2026-11-22T17:16:00Z",
		"17454220438242315174",
		"-1",
		"0.0385",
		"1e400",
		"a/b/../c",
		"%00%2f",
		"\xe2\x80\xae reversed \xf0\x9f\x8e\xac",
		"line\nbreak\ttab",
	};
	size_t n = sizeof(usual) / sizeof(usual[0]);

	if (dice_percent(maker->dice, 50))
		return json_make_text(maker->json, bytes_of_text(word_of(maker, &maker->learned->texts, "done")));
	return json_make_text(maker->json, bytes_of_text(usual[dice_below(maker->dice, n)]));
}

static json_node number_value(const struct maker *maker)
{
	static const char *const usual[] = {"0",
					    "1",
					    "-1",
					    "3",
					    "100",
					    "429",
					    "0.5",
					    "1e400",
					    "1e2",
					    "-0.0",
					    "2147483648",
					    "9223372036854775807",
					    "9223372036854775808",
					    "17454220438242315174",
					    "1795368960"};

	return json_make_number(maker->json,
				bytes_of_text(usual[dice_below(maker->dice, sizeof(usual) / sizeof(usual[0]))]));
}

static json_node object_value(const struct maker *maker, unsigned int depth);

static json_node any_value(const struct maker *maker, unsigned int depth)
{
	json_node list;

	switch (dice_below(maker->dice, depth < 4 ? 10 : 7)) {
	case 0:
		return json_null(maker->json);
	case 1:
		return json_make_boolean(maker->json, dice_percent(maker->dice, 50));
	case 2:
		return number_value(maker);
	case 7:
		list = json_array(maker->json);
		for (uint64_t i = dice_below(maker->dice, 4); i > 0; i--)
			json_append(maker->json, list, any_value(maker, depth + 1));
		return list;
	case 8:
	case 9:
		return object_value(maker, depth + 1);
	default:
		return text_value(maker);
	}
}

static json_node object_value(const struct maker *maker, unsigned int depth)
{
	json_node out = json_object(maker->json);

	for (uint64_t i = dice_below(maker->dice, 8); i > 0; i--)
		json_put(maker->json, out, word_of(maker, &maker->learned->pointers, "/id"), any_value(maker, depth));
	return out;
}

/* Some or nearly all of what was ever looked for, each with a value: what leads deepest into a plugin. */
static json_node whole_value(const struct maker *maker)
{
	unsigned int share = 10 + (unsigned int)dice_below(maker->dice, 85);
	json_node out = json_object(maker->json);

	for (size_t i = 0; i < maker->learned->pointers.n; i++)
		if (dice_percent(maker->dice, share))
			json_put(maker->json, out, maker->learned->pointers.list[i],
				 dice_percent(maker->dice, 70) ? text_value(maker) : any_value(maker, 2));
	return out;
}

static void write_json(const struct learned *learned, struct dice *dice, struct buffer *body)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct maker maker = {.learned = learned, .dice = dice, .json = json};

	if (!json)
		return;
	/* A body that cannot be written is an empty one, which is as good. */
	if (json_write(json, dice_percent(dice, 50) ? whole_value(&maker) : any_value(&maker, 0), JSON_FORM_PLAIN,
		       body))
		body->len = 0;
}

static void spoil(struct dice *dice, struct buffer *body)
{
	for (uint64_t i = 1 + dice_below(dice, 4); i > 0 && body->len; i--) {
		size_t at = dice_below(dice, body->len);

		if (dice_percent(dice, 20))
			body->len = at;
		else
			body->data[at] = (char)dice_throw(dice);
	}
}

static void write_body(const struct learned *learned, struct dice *dice, struct buffer *body)
{
	static const char page[] = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
	uint64_t kind = dice_below(dice, 100);

	body->len = 0;
	if (kind < 8)
		return;
	if (kind < 16) {
		buffer_append_text(body, page);
		return;
	}
	write_json(learned, dice, body);
	if (kind < 30)
		spoil(dice, body);
}

struct plugin_reply reply_make(const struct learned *learned, struct dice *dice, struct buffer *body)
{
	static const int statuses[] = {200, 200, 200, 200, 200, 201, 202, 204, 302, 400, 401, 402, 403,
				       404, 408, 409, 410, 413, 422, 423, 429, 500, 501, 502, 503, 504};
	static const struct plugin_header json[] = {{"Content-Type", "application/json; charset=utf-8", false},
						    {"X-Request-Id", "req-1", false},
						    {"Retry-After", "3", false}};
	static const struct plugin_header page[] = {{"Content-Type", "text/html", false}};
	bool is_json = dice_percent(dice, 80), waits = dice_percent(dice, 20);

	write_body(learned, dice, body);
	return (struct plugin_reply){
		.status = statuses[dice_below(dice, sizeof(statuses) / sizeof(statuses[0]))],
		.headers = is_json ? json : page,
		.n_headers = is_json ? (waits ? 3 : 2) : 1,
		.body = buffer_bytes(body),
		.elapsed_ms = 40,
		.retry_after_ms = is_json && waits ? 3000 : -1,
	};
}
