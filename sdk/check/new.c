/*
 * Writes the template of the SDK, which is part of this program, under another name.
 */
#include "check.h"
#include "template.h"

#include "base/err.h"
#include "base/write.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Appends @text with @from replaced by @to. */
static int replace(struct bytes text, const char *from, const char *to, struct buffer *out)
{
	const char *p = text.data, *end = p + text.len, *next;
	int r = 0;

	while (r == 0 && (next = memmem(p, (size_t)(end - p), from, strlen(from))) != NULL) {
		r = buffer_append(out, p, (size_t)(next - p));
		if (r == 0)
			r = buffer_append_text(out, to);
		p = next + strlen(from);
	}
	return r ? r : buffer_append(out, p, (size_t)(end - p));
}

/* "kling-2" is "Kling-2" to people, until they write what it is. */
static int fill_in(struct bytes text, const char *name, struct buffer *out)
{
	_cleanup_(buffer_finish) struct buffer once = {0};
	char title[64];
	int r = replace(text, TEMPLATE_NAME, name, &once);

	snprintf(title, sizeof(title), "%s", name);
	title[0] = (char)toupper((unsigned char)title[0]);
	return r ? r : replace(buffer_bytes(&once), TEMPLATE_TITLE, title, out);
}

static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int write_file(const char *folder, const struct template_file *file, const char *name)
{
	_cleanup_(buffer_finish) struct buffer path = {0}, text = {0};
	_cleanup_(closep) int fd = -1;
	int r = buffer_printf(&path, "%s/%s", folder, file->path);

	if (r == 0)
		r = fill_in(bytes_of(file->data, file->size), name, &text);
	if (r == 0)
		r = make_folders(path.data);
	if (r == 0)
		fd = open(path.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (r == 0)
		r = fd < 0 ? -errno : write_fully(fd, buffer_bytes(&text));
	if (r)
		tell("%s cannot be written: %s", path.data ? path.data : folder, strerror(-r));
	return r;
}

static bool is_name(const char *name)
{
	return islower((unsigned char)name[0]) && strlen(name) <= 32 &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static bool is_free(const char *folder)
{
	struct stat st;

	if (lstat(folder, &st) < 0 && errno == ENOENT)
		return true;
	tell("'%s' is there already; name another folder: filmgate plugin new NAME DIR", folder);
	return false;
}

int new_run(const char *name, const char *folder)
{
	if (!folder)
		folder = name;
	if (!is_name(name)) {
		tell("'%s' is not a name for a plugin: at most 32 of a to z, 0 to 9, - and _, beginning with a letter",
		     name);
		return 2;
	}
	if (!is_free(folder))
		return 2;
	for (const struct template_file *file = template_files; file->path; file++)
		if (write_file(folder, file, name))
			return 1;
	printf("%s\n", folder);
	fprintf(stderr,
		"next: cmake -S %s -B %s/build && cmake --build %s/build && ctest --test-dir %s/build\n"
		"then: put your provider's paths into provider.c and its limits into manifest.json\n",
		folder, folder, folder, folder);
	return 0;
}

int embed_run(const char *path)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = NULL;
	struct errmsg error = {""};
	int r;

	if (!read_whole(path, LIMIT_PLUGIN_MANIFEST, &text))
		return 2;
	r = plugin_manifest_parse(buffer_bytes(&text), &manifest, &error);
	if (r) {
		tell("%s: %s", path, error.text[0] ? error.text : strerror(-r));
		return 1;
	}
	printf("/* Made from the manifest of %s; do not edit. */\nstatic const char fg_manifest[] = {", manifest->name);
	for (size_t i = 0; i < text.len; i++)
		printf("%s'\\x%02x',", i % 16 ? "" : "\n\t", (unsigned char)text.data[i]);
	printf("\n\t0,\n};\n#define FG_MANIFEST_SIZE (sizeof(fg_manifest) - 1)\n");
	return 0;
}
