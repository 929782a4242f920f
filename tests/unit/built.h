/*
 * A table of a provider's calls names, for each that is built, the test that shows it. That test has to be there.
 */
#ifndef FG_TESTS_UNIT_BUILT_H
#define FG_TESTS_UNIT_BUILT_H

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

/* tests/unit/@file.c has a test of this name. */
static inline void assert_test_exists(const char *file, const char *test)
{
	struct buffer path = {0}, text = {0}, wanted = {0};
	char block[4096];
	FILE *source;
	size_t n;

	assert_int_equal(buffer_printf(&path, "%s/tests/unit/%s.c", getenv("FILMGATE_SOURCE_DIR"), file), 0);
	source = fopen(path.data, "re");
	if (!source)
		fail_msg("there is no %s", path.data);
	assert_int_equal(buffer_append_text(&text, ""), 0);
	while ((n = fread(block, 1, sizeof(block), source)) > 0)
		assert_int_equal(buffer_append(&text, block, n), 0);
	fclose(source);
	assert_int_equal(buffer_printf(&wanted, "static void %s(void **state)", test), 0);
	if (!strstr(text.data, wanted.data))
		fail_msg("%s has no %s", path.data, test);
	buffer_finish(&path);
	buffer_finish(&text);
	buffer_finish(&wanted);
}

#endif
