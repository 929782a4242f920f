/*
 * What a plugin of this tree says that its models take, out of its manifest as it lies there.
 */
#ifndef FG_TESTS_UNIT_MANIFESTS_H
#define FG_TESTS_UNIT_MANIFESTS_H

#include "base/err.h"
#include "job/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* 0, or not; then it is said why. */
static inline int manifest_read(const char *plugin, struct job_capabilities **ret)
{
	struct buffer path = {0}, text = {0};
	struct errmsg error = {0};
	char block[4096];
	FILE *file;
	size_t n;
	int r;

	buffer_printf(&path, "%s/plugins/%s/manifest.json", getenv("FILMGATE_SOURCE_DIR"), plugin);
	file = fopen(path.data, "re");
	buffer_finish(&path);
	if (!file)
		return -1;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		if (buffer_append(&text, block, n) < 0)
			abort();
	fclose(file);
	r = job_capabilities_new(buffer_bytes(&text), ret, &error);
	if (r)
		print_error("%s\n", error.text);
	buffer_finish(&text);
	return r;
}

#endif
