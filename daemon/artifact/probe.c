#include "artifact/probe.h"
#include "base/limits.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/*
 * A role of artifact.proto names kinds of media; the bytes must be one of them. Whatever no rule here knows is refused:
 * a web page that a provider sent with status 200 must never be stored as the video that was paid for.
 */

#define QUOTED 40 /* bytes of a file that are quoted when it is not what it should be */

enum {
	KIND_VIDEO = 1,
	KIND_SOUND = 2,
	KIND_STILL = 4,
	KIND_TEXT = 8,
	KIND_ANY = 15,
};

/* Those of artifact.proto and of the plugins' header, each of them. */
static const struct role {
	const char *name;
	unsigned int kinds;
} roles[] = {
	{"video", KIND_VIDEO},
	{"captioned_video", KIND_VIDEO},
	{"watermarked_video", KIND_VIDEO},
	{"thumbnail", KIND_STILL},
	{"preview", KIND_STILL | KIND_VIDEO},
	{"subtitles", KIND_TEXT},
	{"last_frame", KIND_STILL},
	{"audio", KIND_SOUND},
	{"data", KIND_ANY},
	{"asset", KIND_VIDEO | KIND_SOUND | KIND_STILL}, /* what a user gives to work from */
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static unsigned int kinds_of(const char *role)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (strcmp(roles[i].name, role) == 0)
			return roles[i].kinds;
	return ends_with(role, "video") ? KIND_VIDEO : KIND_ANY;
}

int64_t probe_duration_ms(uint64_t units, uint64_t units_per_s)
{
	if (units_per_s == 0 || units / units_per_s > LIMIT_ARTIFACT_DURATION_MS / 1000)
		return 0;
	return (int64_t)(units / units_per_s * 1000 + units % units_per_s * 1000 / units_per_s);
}

/* ---- words ---- */

/* The first bytes, such that a person can read them and no terminal obeys them. */
static void quote(const struct source *source, char *ret, size_t size)
{
	uint8_t bytes[QUOTED];
	size_t n = source->size < sizeof(bytes) ? (size_t)source->size : sizeof(bytes), at = 0;

	ret[0] = '\0';
	if (source_read(source, 0, bytes, n))
		return;
	for (size_t i = 0; i < n && at + 5 < size; i++)
		at += (size_t)snprintf(ret + at, size - at, bytes[i] >= 0x20 && bytes[i] < 0x7f ? "%c" : "\\x%02x",
				       bytes[i]);
}

static bool is_page(const struct source *source)
{
	static const char *const begins[] = {"<!doctype", "<html", "<head", "<body", "<?xml", "<!--"};
	char text[64] = "";
	size_t n = source->size < sizeof(text) - 1 ? (size_t)source->size : sizeof(text) - 1;
	const char *begin = text;

	if (source_read(source, 0, text, n))
		return false;
	if (strncmp(begin, "\xef\xbb\xbf", 3) == 0)
		begin += 3;
	begin += strspn(begin, " \t\r\n");
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (strncasecmp(begin, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static int refuse(const struct source *source, const char *role, const char *found, struct errmsg *msg)
{
	char quoted[QUOTED * 4 + 1];

	quote(source, quoted, sizeof(quoted));
	errmsg_set(msg, "the file for '%.32s' is %s; its %llu bytes begin with '%s'", role, found,
		   (unsigned long long)source->size, quoted);
	return ARTIFACT_E_NOT_MEDIA;
}

/* ---- sounds ---- */

static const char *sound_type(const struct source *source)
{
	uint8_t bytes[12];

	if (source_read(source, 0, bytes, sizeof(bytes)))
		return NULL;
	if (memcmp(bytes, "ID3", 3) == 0 || (bytes[0] == 0xff && (bytes[1] & 0xe6) == 0xe2))
		return "audio/mpeg";
	if (bytes[0] == 0xff && (bytes[1] & 0xf6) == 0xf0) /* ADTS */
		return "audio/aac";
	if (memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WAVE", 4) == 0)
		return "audio/wav";
	if (memcmp(bytes, "OggS", 4) == 0)
		return "audio/ogg";
	if (memcmp(bytes, "fLaC", 4) == 0)
		return "audio/flac";
	return NULL;
}

/* ---- which it is ---- */

static int probe_film(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	return mp4_is_begun(source) ? mp4_probe(source, ret, msg) : webm_probe(source, ret, msg);
}

static unsigned int kind_of(const struct source *source, const struct probe *probe)
{
	if (image_is_begun(source))
		return KIND_STILL;
	if (strncmp(probe->media_type, "video/", 6) == 0)
		return probe->has_picture ? KIND_VIDEO : KIND_SOUND;
	return strncmp(probe->media_type, "audio/", 6) == 0 ? KIND_SOUND : KIND_TEXT;
}

static int look(const struct source *source, unsigned int kinds, struct probe *ret, struct errmsg *msg)
{
	if (mp4_is_begun(source) || webm_is_begun(source))
		return probe_film(source, ret, msg);
	if (image_is_begun(source))
		return image_probe(source, ret, msg);
	*ret = (struct probe){.media_type = sound_type(source)};
	if (ret->media_type)
		return 0;
	if (kinds & KIND_TEXT)
		return text_probe(source, ret, msg);
	errmsg_set(msg, "no media that is known here");
	return ARTIFACT_E_NOT_MEDIA;
}

int probe_source(const struct source *source, const char *role, struct probe *ret, struct errmsg *msg)
{
	unsigned int kinds = kinds_of(role);
	struct errmsg words = {""};
	struct probe probe = {0};
	int r;

	if (source->size == 0) {
		errmsg_set(msg, "the file for '%.32s' is empty", role);
		return ARTIFACT_E_NOT_MEDIA;
	}
	if (is_page(source))
		return refuse(source, role, "a web page or XML", msg);
	r = look(source, kinds, &probe, &words);
	if (r == ARTIFACT_E_NOT_MEDIA)
		return refuse(source, role, words.text, msg);
	if (r) {
		*msg = words;
		return r;
	}
	if (!(kind_of(source, &probe) & kinds))
		return refuse(source, role, probe.media_type, msg);
	*ret = probe;
	return 0;
}
