/*
 * The table on paper: the sample file and the help. Nothing here knows an option by name.
 */
#include "base/limits.h"
#include "config/options.h"

#include <ctype.h>

int config_append_json(struct buffer *buffer, const char *text)
{
	int r = buffer_append_text(buffer, "\"");

	for (const char *c = text; *c && r == 0; c++) {
		if (*c == '"' || *c == '\\')
			r = buffer_printf(buffer, "\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			r = buffer_printf(buffer, "\\u%04x", (unsigned int)*c);
		else
			r = buffer_append(buffer, c, 1);
	}
	return r == 0 ? buffer_append_text(buffer, "\"") : r;
}

static bool is_list(enum option_type type)
{
	return type == OPTION_PROVIDERS || type == OPTION_PRICES || type == OPTION_BUDGETS || type == OPTION_WEBHOOKS;
}

static bool is_nested(enum option_type type)
{
	return type == OPTION_GROUP || is_list(type);
}

/* What may be written, for a person. */
static void print_takes(FILE *file, const struct option *row)
{
	switch (row->type) {
	case OPTION_INTEGER:
		fprintf(file, "%lld to %lld", (long long)row->min, (long long)row->max);
		break;
	case OPTION_BOOL:
		fputs("true or false", file);
		break;
	case OPTION_CHOICE:
		for (int i = 0; row->choices[i]; i++)
			fprintf(file, "%s\"%s\"", i ? ", " : "", row->choices[i]);
		break;
	case OPTION_TEXT:
		fprintf(file, "text of %lld to %lld bytes", (long long)row->min, (long long)row->max);
		break;
	case OPTION_TEXTS:
		fprintf(file, "%lld to %lld texts", (long long)row->min, (long long)row->max);
		break;
	case OPTION_PROVIDERS:
	case OPTION_PRICES:
	case OPTION_BUDGETS:
	case OPTION_WEBHOOKS:
	case OPTION_KEYS:
		fprintf(file, "up to %lld groups", (long long)row->max);
		break;
	case OPTION_GROUP:
		fputs("a group", file);
		break;
	case OPTION_SECRETS:
	case OPTION_SIGNING:
	case OPTION_FREE:
		fprintf(file, "a group of up to %lld", (long long)row->max);
		break;
	}
}

/* The value as it stands in a file. */
static void print_value(FILE *file, const struct option *row)
{
	bool is_text = row->type == OPTION_TEXT || row->type == OPTION_CHOICE;

	if (row->sample)
		fputs(row->sample, file);
	else if (row->type == OPTION_TEXTS)
		fprintf(file, *row->fallback ? "[ \"%s\" ]" : "[ ]", row->fallback);
	else if (row->type == OPTION_SECRETS || row->type == OPTION_FREE)
		fputs("{ }", file);
	else
		fprintf(file, is_text ? "\"%s\"" : "%s", row->fallback);
}

/* Where a sample is being written. @mark is "#" inside an example that is commented out, and one more in one within. */
struct page {
	FILE *file;
	const char *mark;
	int depth;
};

static void indent(const struct page *page)
{
	fputs(page->mark, page->file);
	for (int i = 0; i < page->depth; i++)
		fputc('\t', page->file);
}

static void print_prose(const struct page *page, const struct option *row)
{
	const char *help = row->help;

	while (*help) {
		size_t len = strcspn(help, "\n");

		indent(page);
		fprintf(page->file, "# %.*s\n", (int)len, help);
		help += len + (help[len] == '\n');
	}
	if (is_nested(row->type))
		return;
	indent(page);
	fputs("# Takes ", page->file);
	print_takes(page->file, row);
	fputs(row->fallback ? ".\n" : "; required.\n", page->file);
}

static void print_group(const struct page *page, const char *prefix);

static void print_nested(const struct page *page, const struct option *row)
{
	const char *deeper = *page->mark ? "##" : "#";
	struct page inner = {page->file, is_list(row->type) ? deeper : page->mark, page->depth + 1};
	struct page outer = {page->file, inner.mark, page->depth};
	char prefix[OPTION_NAME_SIZE];
	const char *name = strrchr(row->name, '.');

	snprintf(prefix, sizeof(prefix), "%s.", row->name);
	indent(&outer);
	fprintf(page->file, "%s = %s\n", name ? name + 1 : row->name, is_list(row->type) ? "({" : "{");
	print_group(&inner, prefix);
	indent(&outer);
	fputs(is_list(row->type) ? "});\n" : "};\n", page->file);
}

static void print_group(const struct page *page, const char *prefix)
{
	const char *gap = "";

	for (size_t i = 0; i < config_options_n; i++) {
		const struct option *row = &config_options[i];
		const char *leaf = option_leaf(row, prefix);

		if (!leaf)
			continue;
		fputs(gap, page->file);
		gap = page->depth == 0 ? "\n" : "";
		print_prose(page, row);
		if (is_nested(row->type)) {
			print_nested(page, row);
			continue;
		}
		indent(page);
		fprintf(page->file, "%s = ", leaf);
		print_value(page->file, row);
		fputs(";\n", page->file);
	}
}

void config_print_sample(FILE *file)
{
	struct page page = {file, "", 0};

	fputs("# Configuration of filmgated. Every option is here with its default; what is left out keeps it.\n"
	      "# Names ending in _ms, _s and _bytes are milliseconds, seconds and bytes.\n\n",
	      file);
	print_group(&page, "");
}

void config_print_help(FILE *file)
{
	for (size_t i = 0; i < config_options_n; i++) {
		const struct option *row = &config_options[i];

		fprintf(file, "%s%s\n    Takes ", i ? "\n" : "", row->name);
		print_takes(file, row);
		if (!row->fallback)
			fputs("; required", file);
		else if (*row->fallback)
			fprintf(file, "; default %s", row->fallback);
		fputs(".\n    ", file);
		for (const char *c = row->help; *c; c++)
			fputs(*c == '\n' ? "\n    " : (char[]){*c, '\0'}, file);
		fputc('\n', file);
	}
}
