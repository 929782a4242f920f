/*
 * What clients and proxies say in the headers of a request: a number of eight bytes, the size of the file that is asked
 * for, then one text, which is tried as each of them.
 */
#include "base/bytes.h"
#include "base/err.h"
#include "fuzz.h"
#include "web/guard.h"
#include "web/range.h"
#include "web/rate.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void try_range(const char *text, uint64_t size)
{
	uint64_t from = 0, until = 0;
	enum range_verdict verdict = range_parse(text, size, &from, &until);

	assert(verdict == RANGE_WHOLE || verdict == RANGE_PART || verdict == RANGE_UNREACHABLE);
	assert(verdict != RANGE_PART || (from < until && until <= size));
}

/* Whoever is read is written as an address that leads back to him. */
static void try_forwarded(const char *text)
{
	struct rate_client client = rate_client_read(text), again;
	const struct rate_client nobody = {0};
	char name[RATE_CLIENT_SIZE];

	rate_client_write(&client, name);
	assert(*name);
	again = rate_client_read(name);
	assert(memcmp(&client, &again, sizeof(client)) == 0);
	assert((memcmp(&client, &nobody, sizeof(client)) == 0) == (strcmp(name, "this machine") == 0));
}

static void try_host(const char *text)
{
	static const char *const items[] = {"video.example.com"};
	const struct guard_list names = {items, 1};

	/* No name that others gave themselves, however it is written, is ours. */
	if (guard_is_host(&names, text))
		assert(strcasestr(text, "video.example.com") || strcasestr(text, "localhost") || strstr(text, "127.") ||
		       strstr(text, "[::1]"));
	guard_is_same_origin(text, "https://video.example.com");
	assert(!guard_find_origin(&names, text) || strcasecmp(text, items[0]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = NULL;
	uint64_t file_size;

	if (size < sizeof(file_size))
		return -1;
	memcpy(&file_size, data, sizeof(file_size));
	/* As long as it is, so that who reads behind its end is seen. */
	text = bytes_dup_text(bytes_of(data + sizeof(file_size), size - sizeof(file_size)));
	if (!text)
		abort();
	try_range(text, file_size);
	range_matches(text, "\"0123456789abcdef\"");
	try_forwarded(text);
	try_host(text);
	return 0;
}
