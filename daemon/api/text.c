#include "api/text.h"

#include "base/err.h"

#define JOBS "jobs/"
#define ARTIFACTS "/artifacts/"
#define PROVIDERS "providers/"
#define PROVIDER_ID_MAX 63

char *text_cut(struct arena *arena, const char *text, size_t max)
{
	size_t len = text ? strnlen(text, max + 1) : 0;
	char *copy;

	if (len > max) {
		len = max;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	copy = arena_need(arena, len + 1);
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return text_clean(arena, copy);
}

char *text_clean(struct arena *arena, const char *text)
{
	char *copy;

	if (!text)
		return (char *)"";
	if (bytes_are_text(bytes_of_text(text)))
		return (char *)text;
	copy = arena_dup_text(arena, text);
	for (char *p = copy; *p;) {
		size_t most = strnlen(p, 4), n = 1;

		while (n < most && !bytes_are_text(bytes_of(p, n)))
			n++;
		if (!bytes_are_text(bytes_of(p, n))) {
			*p = '?';
			n = 1;
		}
		p += n;
	}
	return copy;
}

char *name_of_job(struct arena *arena, const struct id *id)
{
	char *name = arena_need(arena, sizeof(JOBS) - 1 + ID_TEXT_SIZE);

	memcpy(name, JOBS, sizeof(JOBS) - 1);
	id_format(id, name + sizeof(JOBS) - 1);
	return name;
}

char *name_of_artifact(struct arena *arena, const struct id *id, uint32_t index)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	return arena_printf(arena, JOBS "%s" ARTIFACTS "%u", text, index);
}

char *name_of_provider(struct arena *arena, const char *id)
{
	size_t prefix = sizeof(PROVIDERS) - 1, len = strlen(id);
	char *name = arena_need(arena, prefix + len + 1);

	memcpy(name, PROVIDERS, prefix);
	memcpy(name + prefix, id, len + 1);
	return name;
}

/* Names have one spelling: lower-case digits, so that a name can be compared as text. */
static bool parse_id(const char *text, size_t len, struct id *ret)
{
	char copy[ID_TEXT_SIZE], canonical[ID_TEXT_SIZE];
	struct id id;

	if (len != ID_TEXT_SIZE - 1)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (id_parse(copy, &id) != 0)
		return false;
	id_format(&id, canonical);
	if (memcmp(copy, canonical, len) != 0)
		return false;
	*ret = id;
	return true;
}

bool name_parse_job(const char *name, struct id *ret)
{
	size_t prefix = sizeof(JOBS) - 1;

	return strncmp(name, JOBS, prefix) == 0 && parse_id(name + prefix, strlen(name + prefix), ret);
}

bool name_parse_artifact(const char *name, struct id *ret, uint32_t *ret_index)
{
	size_t prefix = sizeof(JOBS) - 1;
	const char *middle = strstr(name, ARTIFACTS), *digits;
	unsigned long index;
	char *end;

	if (strncmp(name, JOBS, prefix) != 0 || !middle || middle < name + prefix)
		return false;
	digits = middle + sizeof(ARTIFACTS) - 1;
	if (*digits < '1' || *digits > '9' || strlen(digits) > 9)
		return false;
	index = strtoul(digits, &end, 10);
	if (*end || !parse_id(name + prefix, (size_t)(middle - name) - prefix, ret))
		return false;
	*ret_index = (uint32_t)index;
	return true;
}

const char *name_parse_provider(const char *name)
{
	size_t prefix = sizeof(PROVIDERS) - 1, len;

	if (strncmp(name, PROVIDERS, prefix) != 0)
		return NULL;
	len = strlen(name + prefix);
	return len >= 1 && len <= PROVIDER_ID_MAX && !strchr(name + prefix, '/') ? name + prefix : NULL;
}

Google__Protobuf__Timestamp *timestamp_of(struct arena *arena, int64_t utc_ms)
{
	Google__Protobuf__Timestamp *timestamp;
	int64_t rest = utc_ms % 1000;

	if (utc_ms == 0)
		return NULL;
	timestamp = arena_need(arena, sizeof(*timestamp));
	google__protobuf__timestamp__init(timestamp);
	timestamp->seconds = utc_ms / 1000 - (rest < 0);
	timestamp->nanos = (int32_t)(rest < 0 ? rest + 1000 : rest) * 1000000;
	return timestamp;
}

bool timestamp_parse(const Google__Protobuf__Timestamp *timestamp, int64_t *ret_ms)
{
	if (timestamp->seconds < -62135596800 || timestamp->seconds > 253402300799)
		return false;
	if (timestamp->nanos < 0 || timestamp->nanos > 999999999)
		return false;
	*ret_ms = timestamp->seconds * 1000 + (timestamp->nanos + 999999) / 1000000;
	return true;
}
