#include "web/exposition.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void print(struct exposition *exposition, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (exposition->error == 0)
		exposition->error = buffer_append_text(exposition->out, text);
}

static void put(struct exposition *exposition, const char *text)
{
	if (exposition->error == 0)
		exposition->error = buffer_append_text(exposition->out, text);
}

/* Backslashes and line ends, and quotes where the text stands between them. */
static void put_escaped(struct exposition *exposition, const char *text, const char *escaped)
{
	while (*text && exposition->error == 0) {
		size_t plain = strcspn(text, escaped);

		exposition->error = buffer_append(exposition->out, text, plain);
		text += plain;
		if (*text)
			print(exposition, "\\%c", *text == '\n' ? 'n' : *text);
		text += *text != '\0';
	}
}

void exposition_family(struct exposition *exposition, const char *name, const char *type, const char *help)
{
	exposition->family = name;
	print(exposition, "# HELP %s ", name);
	put_escaped(exposition, help, "\\\n");
	print(exposition, "\n# TYPE %s %s\n", name, type);
}

/* Up to the blank before the value. @le: a histogram's bound, or NULL. */
static void begin_sample(struct exposition *exposition, const char *suffix, const struct exposition_label *labels,
			 const char *le)
{
	const char *separator = "{";

	put(exposition, exposition->family);
	put(exposition, suffix);
	for (; labels && labels->name; labels++) {
		print(exposition, "%s%s=\"", separator, labels->name);
		put_escaped(exposition, labels->value, "\\\"\n");
		put(exposition, "\"");
		separator = ",";
	}
	if (le)
		print(exposition, "%sle=\"%s\"", separator, le);
	put(exposition, le || *separator == ',' ? "} " : " ");
}

#define FRACTION_DIGITS 19 /* of the largest power of ten in a uint64_t */

/* A decimal without an end of zeros. */
static void write_fraction(char *out, size_t size, uint64_t value, uint64_t per_unit)
{
	uint64_t rest = value % per_unit;
	int digits = 0;

	for (uint64_t n = per_unit; n > 1 && digits < FRACTION_DIGITS; n /= 10)
		digits++;
	for (; digits && rest % 10 == 0; digits--)
		rest /= 10;
	if (digits)
		snprintf(out, size, "%" PRIu64 ".%0*" PRIu64, value / per_unit, digits, rest);
	else
		snprintf(out, size, "%" PRIu64, value / per_unit);
}

void exposition_integer(struct exposition *exposition, const struct exposition_label *labels, uint64_t value)
{
	begin_sample(exposition, "", labels, NULL);
	print(exposition, "%" PRIu64 "\n", value);
}

void exposition_fraction(struct exposition *exposition, const struct exposition_label *labels, uint64_t value,
			 uint64_t per_unit)
{
	char text[48];

	write_fraction(text, sizeof(text), value, per_unit);
	begin_sample(exposition, "", labels, NULL);
	print(exposition, "%s\n", text);
}

void exposition_histogram(struct exposition *exposition, const struct exposition_label *labels,
			  const struct metric_reading *reading)
{
	const struct metric_buckets *buckets = reading->buckets;
	char text[48];

	for (size_t i = 0; i < buckets->n; i++) {
		write_fraction(text, sizeof(text), buckets->bounds[i], buckets->per_unit);
		begin_sample(exposition, "_bucket", labels, text);
		print(exposition, "%" PRIu64 "\n", reading->at_most[i]);
	}
	begin_sample(exposition, "_bucket", labels, "+Inf");
	print(exposition, "%" PRIu64 "\n", reading->n);
	write_fraction(text, sizeof(text), reading->sum, buckets->per_unit);
	begin_sample(exposition, "_sum", labels, NULL);
	print(exposition, "%s\n", text);
	begin_sample(exposition, "_count", labels, NULL);
	print(exposition, "%" PRIu64 "\n", reading->n);
}
