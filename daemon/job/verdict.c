/*
 * Words about what does not fit: where it stands, what it is, and which name was meant. Everything here may have come
 * from a stranger, so values are cut and made printable before they stand in a sentence.
 */
#include "job/capability.h"

#include "base/err.h"
#include "base/quote.h"

#include <stdarg.h>

#define GUESS_BYTES 63
#define LIST_ITEMS 40

/* The end of the last whole character within the first @len bytes; the text is well-formed UTF-8 but for its end. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t start = len;
	uint8_t lead;

	while (start > 0 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return len;
	lead = (uint8_t)text[start - 1];
	if (lead < 0x80)
		return len;
	return start - 1 + (lead >= 0xf0 ? 4u : lead >= 0xe0 ? 3u : 2u) > len ? start - 1 : len;
}

void job_line_add(struct job_line *line, const char *format, ...)
{
	size_t left = sizeof(line->text) - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, left, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= left)
		line->len = whole_characters(line->text, sizeof(line->text) - 1);
	else
		line->len += (size_t)n;
	line->text[line->len] = '\0';
}

void job_line_add_text(struct job_line *line, struct bytes text)
{
	job_line_add(line, "%s", quote_bytes(text, LIMIT_QUOTE).text);
}

void job_line_add_value(struct job_line *line, const struct json *json, json_node value)
{
	switch (json_kind(json, value)) {
	case JSON_KIND_TEXT:
		job_line_add(line, "'");
		job_line_add_text(line, json_text(json, value));
		job_line_add(line, "'");
		return;
	case JSON_KIND_NUMBER:
		job_line_add_text(line, json_text(json, value));
		return;
	case JSON_KIND_BOOLEAN:
		job_line_add(line, "%s", json_boolean(json, value, false) ? "true" : "false");
		return;
	case JSON_KIND_ARRAY:
		job_line_add(line, "a list");
		return;
	case JSON_KIND_OBJECT:
		job_line_add(line, "an object");
		return;
	case JSON_KIND_NULL:
	case JSON_KIND_ABSENT:
		job_line_add(line, "null");
		return;
	}
}

void job_line_add_list(struct job_line *line, const struct json *json, json_node array)
{
	uint32_t count = json_count(json, array), n = 0;

	for (json_node item = json_first(json, array); item && n < LIST_ITEMS; item = json_next(json, item), n++) {
		if (n > 0)
			job_line_add(line, "%s", n + 1 == count ? " or " : ", ");
		job_line_add_value(line, json, item);
	}
	if (n < count)
		job_line_add(line, ", …");
}

const char *job_name_of(const struct json *json, json_node member)
{
	struct bytes name = json_key(json, member);

	return name.len && !memchr(name.data, '\0', name.len) ? name.data : "?";
}

static void add_field(struct job_line *line, const struct job_field *field)
{
	if (field->parent)
		add_field(line, field->parent);
	if (!field->name) {
		job_line_add(line, "[%zu]", field->index);
		return;
	}
	if (line->len)
		job_line_add(line, ".");
	job_line_add(line, "%s", quote_bytes(bytes_of_text(field->name), LIMIT_QUOTE_NAME).text);
}

void job_verdict_add(struct job_verdict *verdict, const struct job_field *field, const char *format, ...)
{
	struct job_violation violation = {0};
	struct job_line path = {0};
	va_list args;

	if (verdict->n_violations == LIMIT_JOB_VIOLATIONS) {
		verdict->is_cut = true;
		return;
	}
	add_field(&path, field);
	violation.field = strdup(path.text);
	va_start(args, format);
	if (!violation.field || vasprintf(&violation.text, format, args) < 0) {
		free(violation.field);
		verdict->fault = err_origin(-ENOMEM);
	} else {
		verdict->violations[verdict->n_violations++] = violation;
	}
	va_end(args);
}

void job_verdict_add_input(struct job_verdict *verdict, const struct job_field *field, const struct job_input *input,
			   struct bytes url)
{
	struct job_input *added = &verdict->inputs[verdict->n_inputs];
	struct job_line path = {0};

	if (verdict->n_inputs == LIMIT_JOB_INPUTS)
		return;
	add_field(&path, field);
	*added = *input;
	added->field = strdup(path.text);
	added->url = url.data ? bytes_dup_text(url) : NULL;
	if (!added->field || (url.data && !added->url)) {
		free(added->field);
		free(added->url);
		verdict->fault = err_origin(-ENOMEM);
		return;
	}
	verdict->n_inputs++;
}

void job_verdict_finish(struct job_verdict *verdict)
{
	for (size_t i = 0; i < verdict->n_inputs; i++) {
		free(verdict->inputs[i].url);
		free(verdict->inputs[i].field);
	}
	for (size_t i = 0; i < verdict->n_violations; i++) {
		free(verdict->violations[i].text);
		free(verdict->violations[i].field);
	}
	free(verdict->canonical);
	free(verdict->asked);
	job_status_free(verdict->changes);
	*verdict = (struct job_verdict){0};
}

/* Levenshtein's distance of two short names, one row at a time. */
static size_t distance_of(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[GUESS_BYTES + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < shift ? change : shift;
		}
	}
	return row[b_len];
}

void job_guess_try(struct job_guess *guess, const char *candidate)
{
	size_t len = strlen(guess->name), candidate_len = strlen(candidate), most = len / 3 < 3 ? len / 3 : 3, distance;

	if (len > GUESS_BYTES || candidate_len > GUESS_BYTES)
		return;
	distance = distance_of(guess->name, len, candidate, candidate_len);
	if (distance > (most ? most : 1))
		return;
	if (!guess->best || distance < guess->distance) {
		guess->best = candidate;
		guess->distance = distance;
	}
}

void job_guess_add_to(const struct job_guess *guess, struct job_line *line)
{
	if (guess->best)
		job_line_add(line, "; did you mean '%s'?", guess->best);
}
