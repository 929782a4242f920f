/*
 * What is read is written so that it reads the same again, in both forms; the canonical form is a fixed point.
 */
#include "base/json.h"
#include "base/err.h"
#include "fuzz.h"

#include <assert.h>

static void reads_back(const struct json *json, json_node root, enum json_form form)
{
	_cleanup_(buffer_finish) struct buffer text = {0}, again = {0};
	_cleanup_(json_freep) struct json *other = json_new(NULL);
	json_node copy;

	assert(other && json_write(json, root, form, &text) == 0);
	assert(json_parse(other, buffer_bytes(&text), JSON_DUPLICATES_REFUSE, &copy, NULL) == 0);
	assert(json_equal(json, root, other, copy));
	assert(json_write(other, copy, form, &again) == 0);
	assert(bytes_equal(buffer_bytes(&text), buffer_bytes(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct errmsg error = {0};
	json_node root, strict;
	int r = json_parse(json, bytes_of(data, size), JSON_DUPLICATES_LAST_WINS, &root, &error);

	assert((r == 0) == (error.text[0] == '\0') && json_fault(json) == 0);
	if (r != 0)
		return 0;
	reads_back(json, root, JSON_FORM_PLAIN);
	reads_back(json, root, JSON_FORM_CANONICAL);
	assert(json_equal(json, root, json, json_copy(json, json, root)));
	r = json_parse(json, bytes_of(data, size), JSON_DUPLICATES_REFUSE, &strict, NULL);
	assert(r == JSON_E_DUPLICATE || (r == 0 && json_equal(json, root, json, strict)));
	return 0;
}
