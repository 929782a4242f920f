#include "sim/openai_order.h"

#include "sim/sniff.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_MOST 60
#define SIDE_MOST 4096

#define complain(complaint, at, ...) \
	((complaint)->param = (at), errmsg_set(&(complaint)->message, __VA_ARGS__), SIM_OPENAI_ORDER_E_INVALID)

static const char *text_at(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* ---- forms: RFC 7578 ---- */

static struct bytes after(struct bytes text, size_t n)
{
	return bytes_of((const char *)text.data + n, text.len - n);
}

/* The value of name="…" or filename="…" in a part's head; the caller frees it. */
static char *parameter_of(struct bytes head, const char *name)
{
	char key[32];
	const char *begin, *end;

	snprintf(key, sizeof(key), "; %s=\"", name);
	begin = memmem(head.data, head.len, key, strlen(key));
	if (!begin)
		return NULL;
	begin += strlen(key);
	end = memchr(begin, '"', head.len - (size_t)(begin - (const char *)head.data));
	return end ? strndup(begin, (size_t)(end - begin)) : NULL;
}

/* The value of a part's Content-Type; the caller frees it. */
static char *type_of(struct bytes head)
{
	_cleanup_(freep) char *text = strndup(head.data, head.len);
	const char *line = text ? strcasestr(text, "\r\nContent-Type:") : NULL;

	if (!line)
		return NULL;
	line += strlen("\r\nContent-Type:");
	line += strspn(line, " \t");
	return strndup(line, strcspn(line, "; \t\r"));
}

static json_t *describe_file(const char *filename, struct bytes head, struct bytes content)
{
	_cleanup_(freep) char *type = type_of(head);

	return json_pack("{s:s,s:I,s:s?,s:s?}", "filename", filename, "bytes", (json_int_t)content.len, "media_type",
			 type, "sniffed", sim_sniff(content));
}

/* "a[b]" is the member b of a. */
static void put_value(json_t *body, char *name, json_t *value)
{
	char *bracket = strchr(name, '[');
	json_t *inner;

	if (!bracket || name[strlen(name) - 1] != ']') {
		json_object_set_new(body, name, value);
		return;
	}
	name[strlen(name) - 1] = '\0';
	*bracket = '\0';
	inner = json_object_get(body, name);
	if (!json_is_object(inner)) {
		inner = json_object();
		json_object_set_new(body, name, inner);
	}
	json_object_set_new(inner, bracket + 1, value);
}

static bool add_part(json_t *body, struct bytes part)
{
	const char *gap = memmem(part.data, part.len, "\r\n\r\n", 4);
	_cleanup_(freep) char *name = NULL, *filename = NULL;
	struct bytes head, content;
	json_t *value;

	if (!gap)
		return false;
	head = bytes_of(part.data, (size_t)(gap - (const char *)part.data));
	content = after(part, head.len + 4);
	name = parameter_of(head, "name");
	filename = parameter_of(head, "filename");
	value = filename ? describe_file(filename, head, content) : json_stringn(content.data, content.len);
	if (!name || !*name || !value) {
		json_decref(value);
		return false;
	}
	put_value(body, name, value);
	return true;
}

static json_t *read_form(struct bytes text, const char *boundary)
{
	char mark[128];
	json_t *body = json_object();
	const char *next;
	size_t len = (size_t)snprintf(mark, sizeof(mark), "\r\n--%s", boundary);
	bool is_good = len < sizeof(mark) && text.len > len && memcmp(text.data, mark + 2, len - 2) == 0;

	if (is_good)
		text = after(text, len - 2);
	while (is_good && !(text.len >= 2 && memcmp(text.data, "--", 2) == 0)) {
		next = text.len > 2 ? memmem(text.data, text.len, mark, len) : NULL;
		is_good = next && add_part(body, bytes_of((const char *)text.data + 2,
							  next > (const char *)text.data + 2
								  ? (size_t)(next - (const char *)text.data) - 2
								  : 0));
		if (is_good)
			text = after(text, (size_t)(next - (const char *)text.data) + len);
	}
	if (is_good)
		return body;
	json_decref(body);
	return NULL;
}

json_t *sim_openai_body_read(const struct sim_request *request)
{
	const char *type = sim_fields_find(&request->headers, "Content-Type");
	const char *boundary = type ? strstr(type, "boundary=") : NULL;
	struct bytes text = buffer_bytes(&request->body);
	json_t *body;

	if (type && boundary && strncasecmp(type, "multipart/form-data", 19) == 0)
		return read_form(text, boundary + strlen("boundary="));
	body = text.len ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (json_is_object(body))
		return body;
	json_decref(body);
	return NULL;
}

/* ---- OpenAI ---- */

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool read_size(const char *text, struct sim_openai_order *order)
{
	char *end;

	order->width = (int)strtol(text, &end, 10);
	if (*end != 'x')
		return false;
	order->height = (int)strtol(end + 1, &end, 10);
	return !*end && order->width >= 16 && order->width <= SIDE_MOST && order->height >= 16 &&
	       order->height <= SIDE_MOST;
}

static int read_prompt(const json_t *body, struct sim_openai_complaint *complaint, struct sim_openai_order *order)
{
	order->prompt = text_at(body, "prompt");
	if (!order->prompt || !*order->prompt)
		return complain(complaint, "prompt", "Missing required parameter: 'prompt'.");
	return 0;
}

/* A file must be a picture, and the one that its part says. */
static int check_file(const json_t *file, struct sim_openai_complaint *complaint)
{
	static const char *const types[] = {"image/png", "image/jpeg", "image/webp", NULL};
	const char *sniffed = text_at(file, "sniffed"), *said = text_at(file, "media_type");

	if (!sniffed || !is_one_of(sniffed, types))
		return complain(
			complaint, "input_reference",
			"Invalid file: input_reference must be a JPEG, PNG or WebP picture, not %lld bytes of %s.",
			(long long)json_integer_value(json_object_get(file, "bytes")),
			sniffed ? sniffed : "something else");
	if (said && strcasecmp(said, sniffed) != 0)
		return complain(complaint, "input_reference", "Invalid file: it is %s, and its part says '%.60s'.",
				sniffed, said);
	return 0;
}

static int check_reference(const json_t *body, struct sim_openai_complaint *complaint)
{
	const json_t *reference = json_object_get(body, "input_reference");

	if (text_at(reference, "filename"))
		return check_file(reference, complaint);
	if (!reference || !text_at(reference, "file_id") != !text_at(reference, "image_url"))
		return 0;
	return complain(complaint, "input_reference",
			"input_reference is a file, or has one of file_id and image_url.");
}

/* What Sora made; what other models of a gateway make is their own affair. */
static int check_sora(const char *seconds, const char *size, struct sim_openai_complaint *complaint)
{
	static const char *const lengths[] = {"4", "8", "12", NULL};
	static const char *const sizes[] = {"720x1280", "1280x720", "1024x1792", "1792x1024", NULL};

	if (!is_one_of(seconds, lengths))
		return complain(complaint, "seconds",
				"Invalid value: '%.40s'. Supported values are: '4', '8', and '12'.", seconds);
	if (!is_one_of(size, sizes))
		return complain(complaint, "size", "Invalid value: '%.40s'.", size);
	return 0;
}

int sim_openai_order_read(const json_t *body, struct sim_openai_complaint *complaint, struct sim_openai_order *ret)
{
	const json_t *asked = json_object_get(body, "seconds");
	const char *seconds = asked ? json_string_value(asked) : "4";
	const char *size = json_object_get(body, "size") ? text_at(body, "size") : "720x1280";
	struct sim_openai_order order = {.model = text_at(body, "model") ? text_at(body, "model") : "sora-2"};
	char *end;
	int r = read_prompt(body, complaint, &order);

	if (r)
		return r;
	if (!seconds)
		return complain(complaint, "seconds", "seconds must be a string");
	order.seconds = (int)strtol(seconds, &end, 10);
	if (*end || order.seconds < 1 || order.seconds > SECONDS_MOST)
		return complain(complaint, "seconds", "Invalid value: '%.40s'.", seconds);
	if (!size || !read_size(size, &order))
		return complain(complaint, "size", "Invalid value: '%.40s'.", size ? size : "");
	r = check_reference(body, complaint);
	if (r == 0 && strncmp(order.model, "sora-", 5) == 0)
		r = check_sora(seconds, size, complaint);
	if (r)
		return r;
	*ret = order;
	return 0;
}

/* ---- OpenRouter ---- */

static void fit_shape(const json_t *body, struct sim_openai_order *order)
{
	const char *ratio = text_at(body, "aspect_ratio"), *resolution = text_at(body, "resolution");
	int shorter = resolution && strcmp(resolution, "1080p") == 0 ? 1080 : 720;
	bool is_upright = ratio && strcmp(ratio, "9:16") == 0;

	order->width = is_upright ? shorter : shorter * 16 / 9;
	order->height = is_upright ? shorter * 16 / 9 : shorter;
}

int sim_openrouter_order_read(const json_t *body, struct sim_openai_complaint *complaint, struct sim_openai_order *ret)
{
	const json_t *duration = json_object_get(body, "duration");
	const char *size = text_at(body, "size");
	struct sim_openai_order order = {.model = text_at(body, "model"), .prompt = text_at(body, "prompt")};
	json_int_t seconds = duration ? json_integer_value(duration) : 5;

	if (!order.model || !*order.model)
		return complain(complaint, "model", "Invalid request parameters: model");
	if (!order.prompt || !*order.prompt)
		return complain(complaint, "prompt", "Invalid request parameters: prompt");
	if (seconds < 1 || seconds > SECONDS_MOST)
		return complain(complaint, "duration", "Invalid request parameters: duration");
	order.seconds = (int)seconds;
	fit_shape(body, &order);
	if (size && !read_size(size, &order))
		return complain(complaint, "size", "Invalid request parameters: size");
	*ret = order;
	return 0;
}
