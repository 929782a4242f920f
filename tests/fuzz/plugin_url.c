/*
 * A base URL and, behind the first NUL, a reference: what resolves is a URL that resolves to itself, whose origin is
 * plain, and which holds nothing that could end a request line.
 */
#include "base/err.h"
#include "fuzz.h"
#include "plugin/url.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buffer_finish) struct buffer url = {0}, again = {0}, origin = {0}, value = {0};
	const uint8_t *end = memchr(data, '\0', size);
	size_t base = end ? (size_t)(end - data) : size;
	struct bytes reference = end ? bytes_of(end + 1, size - base - 1) : bytes_of(data, size);
	int r = plugin_url_resolve(bytes_of(data, base), reference, &url);

	assert(r == 0 || r == PLUGIN_URL_E_INVALID || r == -EMSGSIZE);
	plugin_url_query(reference, bytes_of_text("a"), &value);
	if (r != 0)
		return 0;
	for (size_t i = 0; i < url.len; i++)
		assert(url.data[i] > ' ' && url.data[i] < 0x7f && url.data[i] != '\\');
	r = plugin_url_origin(buffer_bytes(&url), &origin);
	/* Escaping may have made it longer than a URL may be. */
	assert(r == 0 || r == PLUGIN_URL_E_INVALID);
	if (r != 0)
		return 0;
	assert(strncmp(origin.data, "http", 4) == 0 && !strpbrk(origin.data, "@?#\\ ") &&
	       !strchr(origin.data + 8, '/'));
	assert(plugin_url_resolve(bytes_of_text("https://b.example"), buffer_bytes(&url), &again) == 0);
	assert(bytes_equal(buffer_bytes(&url), buffer_bytes(&again)));
	return 0;
}
