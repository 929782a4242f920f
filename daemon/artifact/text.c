#include "artifact/probe.h"
#include "base/json.h"
#include "base/limits.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Subtitles and other texts: WebVTT, SubRip, SubStation Alpha (SSA and ASS) and JSON. */

static int refuse(struct errmsg *msg, const char *why)
{
	errmsg_set(msg, "%s", why);
	return ARTIFACT_E_NOT_MEDIA;
}

static bool is_json(struct bytes text)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root;

	return json && json_parse(json, text, JSON_DUPLICATES_LAST_WINS, &root, NULL) == 0;
}

/* A number alone on the first line, a time with an arrow on the second. */
static bool is_subrip(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	const char *line = text + digits;

	if (digits == 0)
		return false;
	line += strspn(line, " \t\r");
	if (*line++ != '\n')
		return false;
	return isdigit((unsigned char)*line) && memmem(line, strcspn(line, "\n"), "-->", 3);
}

static const char *type_of(struct bytes text)
{
	const char *begin = text.data;

	if (strncmp(begin, "\xef\xbb\xbf", 3) == 0)
		begin += 3;
	if (strncmp(begin, "WEBVTT", 6) == 0 && strchr(" \t\r\n", begin[6]))
		return "text/vtt";
	begin += strspn(begin, " \t\r\n");
	if (is_subrip(begin))
		return "application/x-subrip";
	if (strncasecmp(begin, "[script info]", 13) == 0)
		return "text/x-ssa";
	if ((*begin == '{' || *begin == '[') && is_json(text))
		return "application/json";
	return NULL;
}

int text_probe(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	_cleanup_(freep) char *text = NULL;
	const char *type;
	int r;

	if (source->size > LIMIT_ARTIFACT_TEXT)
		return refuse(msg, "the text is longer than 8 MiB, which no subtitles are");
	text = calloc(1, (size_t)source->size + 1);
	if (!text)
		return err_origin(-ENOMEM);
	r = source_read(source, 0, text, (size_t)source->size);
	if (r)
		return r;
	if (!bytes_are_text(bytes_of(text, (size_t)source->size)))
		return refuse(msg, "the file is no text in UTF-8");
	type = type_of(bytes_of(text, (size_t)source->size));
	if (!type)
		return refuse(msg, "the text is neither WebVTT, nor SubRip, nor SubStation Alpha, nor JSON");
	*ret = (struct probe){.media_type = type};
	return 0;
}
