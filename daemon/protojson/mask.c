#include "protojson/mask.h"

#include "protojson/shape.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int mask_append_json(struct buffer *out, const char *path)
{
	return shape_append_json_name(out, path);
}

int mask_append_original(struct buffer *out, struct bytes json_path)
{
	const char *p = json_path.data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_path.len; i++) {
		char c = is_upper(p[i]) ? (char)(p[i] - 'A' + 'a') : p[i];

		if (is_upper(p[i]))
			r = buffer_append(out, "_", 1);
		if (r == 0)
			r = buffer_append(out, &c, 1);
	}
	return r;
}

/* Walks over names that begin with a lower-case letter; @may_follow is about every other character of a name. */
static bool is_path(struct bytes path, bool (*may_follow)(const char *p, const char *end))
{
	const char *p = path.data, *end = p + path.len;

	while (p < end) {
		if (!is_lower(*p++))
			return false;
		for (; p < end && *p != '.'; p++)
			if (!may_follow(p, end))
				return false;
		if (p == end)
			return true;
		p++;
	}
	return false;
}

static bool may_follow_in_original(const char *p, const char *end)
{
	return is_lower(*p) || is_digit(*p) || (*p == '_' && p + 1 < end && is_lower(p[1]));
}

static bool may_follow_in_json(const char *p, const char *end)
{
	(void)end;
	return is_lower(*p) || is_digit(*p) || is_upper(*p);
}

bool mask_is_path(struct bytes path)
{
	return is_path(path, may_follow_in_original);
}

bool mask_is_json_path(struct bytes json_path)
{
	return is_path(json_path, may_follow_in_json);
}
