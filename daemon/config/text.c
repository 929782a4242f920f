/*
 * The file before libconfig sees it. libconfig 1.5 opens whatever an @include names (a device, say), and reads the
 * integer 3000000000 as -1294967296 and 8589934592 as -1 unless an L follows. So a small lexer walks the text first,
 * with libconfig's own idea of comments, strings and names; it copies everything and adds what is missing.
 */
#include "base/limits.h"
#include "config/options.h"

#include <ctype.h>

struct lexer {
	const char *text; /* ends with a NUL */
	size_t at;
	unsigned int line;
	int depth;
	struct buffer *out;
	const char *path;
	struct config_report *report;
};

static int copy(struct lexer *lexer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		lexer->line += lexer->text[lexer->at + i] == '\n';
	lexer->at += len;
	return buffer_append(lexer->out, lexer->text + lexer->at - len, len);
}

static size_t string_length(const char *text)
{
	size_t len = 1;

	while (text[len] && text[len] != '"')
		len += text[len] == '\\' && text[len + 1] ? 2 : 1;
	return text[len] ? len + 1 : len;
}

static size_t comment_length(const char *text)
{
	const char *end;

	if (text[0] == '#' || text[1] == '/')
		return strcspn(text, "\n");
	end = strstr(text + 2, "*/");
	return end ? (size_t)(end - text) + 2 : strlen(text);
}

static size_t word_length(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || (text[len] && strchr("_*-.", text[len])))
		len++;
	return len;
}

/* A number as far as its digits and letters go; only whole ones are of interest here. */
static int copy_number(struct lexer *lexer)
{
	const char *begin = lexer->text + lexer->at;
	char *end;
	unsigned long long value;
	size_t len = word_length(begin);
	bool is_hex = begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X');
	int r;

	errno = 0;
	value = strtoull(begin, &end, is_hex ? 16 : 10);
	if (end != begin + len && *end != 'L')
		return copy(lexer, len);
	if (errno == ERANGE || value > INT64_MAX)
		config_error(lexer->report, lexer->path, lexer->line, "'%.*s' is too large a number",
			     (int)(len < 100 ? len : 100), begin);
	r = copy(lexer, len);
	if (r == 0 && *end != 'L' && value > INT32_MAX)
		r = buffer_append(lexer->out, "L", 1);
	return r;
}

/* libconfig's parser calls what is too deep for it "memory exhausted". */
static void note_depth(struct lexer *lexer, char c)
{
	if (strchr("{([", c) && lexer->depth++ == LIMIT_CONFIG_DEPTH)
		config_error(lexer->report, lexer->path, lexer->line,
			     "groups and lists are nested deeper than %d: no option is", LIMIT_CONFIG_DEPTH);
	if (strchr("})]", c))
		lexer->depth--;
}

static int copy_token(struct lexer *lexer)
{
	const char *p = lexer->text + lexer->at;

	if (*p == '"')
		return copy(lexer, string_length(p));
	if (*p == '#' || (*p == '/' && (p[1] == '/' || p[1] == '*')))
		return copy(lexer, comment_length(p));
	if (isdigit((unsigned char)*p))
		return copy_number(lexer);
	if (isalpha((unsigned char)*p) || *p == '*' || *p == '_' || *p == '.')
		return copy(lexer, word_length(p));
	if (*p == '@')
		config_error(lexer->report, lexer->path, lexer->line,
			     "'@' stands for nothing here: keep everything in one file, @include is not supported");
	note_depth(lexer, *p);
	return copy(lexer, 1);
}

/* The line of the first byte that is no text, or 0. */
static unsigned int first_bad_line(struct bytes text)
{
	const char *data = text.data;
	unsigned int line = 1;

	for (size_t i = 0, n; i < text.len; i += n) {
		n = bytes_utf8_length(bytes_of(data + i, text.len - i));
		if (n == 0)
			return line;
		line += data[i] == '\n';
	}
	return 0;
}

int config_text_prepare(struct bytes text, const char *path, struct buffer *ret, struct config_report *report)
{
	_cleanup_(freep) char *copied = NULL;
	struct lexer lexer = {.line = 1, .out = ret, .path = path, .report = report};
	unsigned int bad = first_bad_line(text);
	size_t errors = report->errors;
	int r;

	if (bad) {
		config_error(report, path, bad, "is not UTF-8 text");
		return CONFIG_E_INVALID;
	}
	copied = bytes_dup_text(text);
	if (!copied)
		return err_origin(-ENOMEM);

	lexer.text = copied;
	r = buffer_append(ret, "", 0);
	while (r == 0 && copied[lexer.at])
		r = copy_token(&lexer);
	if (r < 0)
		return err_trace(r);
	if (lexer.line > LIMIT_CONFIG_LINES)
		config_error(report, path, 0, "has more than %d lines", LIMIT_CONFIG_LINES);
	return report->errors > errors ? CONFIG_E_INVALID : 0;
}
