#include "base/label.h"

#include "base/quote.h"

#include <string.h>

bool label_is_key(struct bytes key)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_./-";
	const char *text = key.data;

	for (size_t i = 0; i < key.len; i++)
		if (text[i] == '\0' || !strchr(allowed, text[i]))
			return false;
	return key.len >= 1 && key.len <= LABEL_KEY_MAX;
}

uint32_t label_find_hidden(const char *text, size_t *ret_at)
{
	struct bytes rest = bytes_of_text(text);

	for (size_t len; rest.len; rest = bytes_of((const char *)rest.data + len, rest.len - len)) {
		uint32_t code = quote_hidden(rest);

		*ret_at = strlen(text) - rest.len;
		if (code)
			return code;
		len = bytes_utf8_length(rest);
		if (len == 0)
			break;
	}
	return 0;
}

bool label_is_value(const char *value)
{
	size_t at;

	return strlen(value) <= LABEL_VALUE_MAX && label_find_hidden(value, &at) == 0;
}
