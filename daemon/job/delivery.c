/*
 * An order against the facts of a file. A mismatch is what somebody paid for and did not get, so what providers round is
 * none:
 *
 *   length      models make whole groups of pictures and clips of a few frames more: HeyGen's five seconds are 5.042,
 *               others' six are 5.64. Half a second, or a twentieth of a long video. Not of an order that works on a
 *               video: there the length may be what is added to it (Veo's seven seconds more).
 *   pixels      exactly those, but for the odd one that codecs have no room for
 *   a tier      names lines, or stands for so many pixels whatever the shape: 720p is 1280x768 to one, 960x960 to another,
 *               1470x630 to a third, HeyGen's 1080p is 1890x1080. So the shorter side or the area is near. Words other
 *               than "720p" and "4k" mean too many things.
 *   shape       sides are multiples of 8 or 16: HeyGen's 16:9 at 480p is 832x480, 2.5 % off. The nearest shapes that are
 *               sold, 4:3 and 5:4, are 6 % apart.
 *   frame rate  24 may be 23.976; 25 is not 24
 *   black       all but the fades; a night has lights in it
 *   still       all but nothing: a speaker's lips move even where all else stands
 */
#include "job/delivery.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WORDS 64 /* bytes of what was ordered or produced, as text */

struct comparison {
	const struct json *json;
	json_node order;
	const struct job_artifact *artifact;
	struct job_status *status;
	int fault;
};

static json_node ordered(const struct comparison *comparison, const char *pointer)
{
	return json_at(comparison->json, comparison->order, pointer);
}

static void add(struct comparison *comparison, const char *field, const char *what, const char *ordered,
		const char *produced)
{
	char message[WORDS * 2 + 128];
	struct job_mismatch mismatch = {
		.artifact = comparison->artifact->index,
		.field = (char *)(uintptr_t)field,
		.ordered = (char *)(uintptr_t)ordered,
		.produced = (char *)(uintptr_t)produced,
		.message = message,
	};

	if (*ordered)
		snprintf(message, sizeof(message), "%s: %s was ordered, %s came", what, ordered, produced);
	else
		snprintf(message, sizeof(message), "%s: %s", what, produced);
	if (comparison->fault == 0)
		comparison->fault = job_add_mismatch(comparison->status, &mismatch);
}

/* By more than so much of what was wanted? */
static bool is_off(uint64_t found, uint64_t wanted, uint64_t percent)
{
	uint64_t off = found > wanted ? found - wanted : wanted - found;

	return off * 100 > wanted * percent;
}

/* ---- length ---- */

static bool works_on_video(const struct comparison *comparison)
{
	json_node media = json_first(comparison->json, ordered(comparison, "/media"));

	for (; media; media = json_next(comparison->json, media))
		if (json_text_is(comparison->json, json_at(comparison->json, media, "/kind"), "video") &&
		    json_text_is(comparison->json, json_at(comparison->json, media, "/role"), "source"))
			return true;
	return false;
}

static void seconds(int64_t ms, char ret[static WORDS])
{
	char number[DECIMAL_TEXT_SIZE];

	decimal_format(ms, 3, number);
	snprintf(ret, WORDS, "%s s", number);
}

static void compare_duration(struct comparison *comparison)
{
	int64_t wanted_ms = json_integer(comparison->json, ordered(comparison, "/duration_ms"), 0);
	int64_t found_ms = comparison->artifact->duration_ms;
	int64_t may_be_off_ms = wanted_ms / 100 * LIMIT_JOB_DURATION_OFF_PERCENT;
	char was[WORDS], is[WORDS];

	if (wanted_ms <= 0 || found_ms <= 0 || works_on_video(comparison))
		return;
	if (may_be_off_ms < LIMIT_JOB_DURATION_OFF_MS)
		may_be_off_ms = LIMIT_JOB_DURATION_OFF_MS;
	if (found_ms >= wanted_ms - may_be_off_ms && found_ms <= wanted_ms + may_be_off_ms)
		return;
	seconds(wanted_ms, was);
	seconds(found_ms, is);
	add(comparison, "duration", "the length", was, is);
}

/* ---- the picture's size ---- */

static void pixels(const struct job_artifact *artifact, char ret[static WORDS])
{
	snprintf(ret, WORDS, "%" PRIu32 "x%" PRIu32, artifact->width, artifact->height);
}

static void compare_size(struct comparison *comparison)
{
	int64_t width = json_integer(comparison->json, ordered(comparison, "/size/width"), 0);
	int64_t height = json_integer(comparison->json, ordered(comparison, "/size/height"), 0);
	const struct job_artifact *artifact = comparison->artifact;
	char was[WORDS], is[WORDS];

	if (width <= 0 || height <= 0)
		return;
	if (llabs(width - artifact->width) <= width % 2 && llabs(height - artifact->height) <= height % 2)
		return;
	snprintf(was, sizeof(was), "%" PRId64 "x%" PRId64, width, height);
	pixels(artifact, is);
	add(comparison, "size", "the picture's size", was, is);
}

/* The lines of "720p"; "4k" has 2160. 0: a word that names none. */
static uint64_t lines_of(const char *tier)
{
	size_t digits = strspn(tier, "0123456789");
	uint64_t lines = 0;

	if (strcmp(tier, "4k") == 0)
		return 2160;
	if (digits == 0 || digits > 5 || strcmp(tier + digits, "p") != 0 ||
	    decimal_parse_unsigned(bytes_of(tier, digits), &lines) != 0)
		return 0;
	return lines;
}

static void compare_tier(struct comparison *comparison)
{
	const struct job_artifact *artifact = comparison->artifact;
	const char *tier = json_string(comparison->json, ordered(comparison, "/resolution"));
	uint64_t lines = lines_of(tier), area = (uint64_t)artifact->width * artifact->height;
	char is[WORDS];

	if (lines == 0 ||
	    !is_off(artifact->width < artifact->height ? artifact->width : artifact->height, lines,
		    LIMIT_JOB_SIDE_OFF_PERCENT) ||
	    !is_off(area, lines * lines * 16 / 9, LIMIT_JOB_AREA_OFF_PERCENT))
		return;
	pixels(artifact, is);
	add(comparison, "resolution", "the resolution", tier, is);
}

static bool parse_shape(const char *text, uint64_t *ret_width, uint64_t *ret_height)
{
	size_t width = strspn(text, "0123456789"), height;

	if (text[width] != ':')
		return false;
	height = strspn(text + width + 1, "0123456789");
	return width <= 5 && height <= 5 && text[width + 1 + height] == '\0' &&
	       decimal_parse_unsigned(bytes_of(text, width), ret_width) == 0 &&
	       decimal_parse_unsigned(bytes_of(text + width + 1, height), ret_height) == 0 && *ret_width > 0 &&
	       *ret_height > 0;
}

static void compare_shape(struct comparison *comparison)
{
	const struct job_artifact *artifact = comparison->artifact;
	const char *shape = json_string(comparison->json, ordered(comparison, "/aspect_ratio"));
	uint64_t width, height;
	char is[WORDS];

	/* Exact pixels say more than a shape. */
	if (ordered(comparison, "/size") || !parse_shape(shape, &width, &height) ||
	    !is_off(artifact->width * height, artifact->height * width, LIMIT_JOB_SHAPE_OFF_PERCENT))
		return;
	pixels(artifact, is);
	add(comparison, "aspect_ratio", "the shape", shape, is);
}

/* ---- the rest ---- */

static void compare_frame_rate(struct comparison *comparison)
{
	int64_t fps = json_integer(comparison->json, ordered(comparison, "/fps"), 0);
	uint32_t found = comparison->artifact->frame_rate_millihertz;
	char was[WORDS], is[DECIMAL_TEXT_SIZE];

	if (fps <= 0 || fps > LIMIT_ARTIFACT_FRAME_RATE_MILLIHERTZ / 1000 || found == 0 ||
	    !is_off(found, (uint64_t)fps * 1000, LIMIT_JOB_FPS_OFF_PERCENT))
		return;
	snprintf(was, sizeof(was), "%" PRId64, fps);
	decimal_format(found, 3, is);
	add(comparison, "fps", "pictures a second", was, is);
}

static void compare_sound(struct comparison *comparison)
{
	json_node audio = ordered(comparison, "/audio");
	enum job_sound found = comparison->artifact->sound;

	if (json_text_is(comparison->json, audio, "on") && found == JOB_SOUND_OFF)
		add(comparison, "audio", "sound", "on", "off");
	if (json_text_is(comparison->json, audio, "off") && found == JOB_SOUND_ON)
		add(comparison, "audio", "sound", "off", "on");
}

static bool is_nearly_all(int64_t part_ms, int64_t whole_ms)
{
	return whole_ms > 0 && part_ms >= whole_ms / 100 * LIMIT_JOB_DEAD_PERCENT;
}

/* What is black stands still as well: that is said once. */
static void look_at_picture(struct comparison *comparison)
{
	const struct job_artifact *artifact = comparison->artifact;
	int64_t whole_ms = artifact->duration_ms;
	bool is_black = artifact->is_looked_at && is_nearly_all(artifact->black_ms, whole_ms);
	bool is_frozen = artifact->is_looked_at && is_nearly_all(artifact->frozen_ms, whole_ms);
	char of[WORDS - 16], is[WORDS];

	if (!is_black && !is_frozen)
		return;
	seconds(whole_ms, is);
	snprintf(of, sizeof(of), "%.40s", is);
	seconds(is_black ? artifact->black_ms : artifact->frozen_ms, is);
	snprintf(is + strlen(is), sizeof(is) - strlen(is), " of %s", of);
	if (is_black)
		add(comparison, "black", "the picture is black", "", is);
	else
		add(comparison, "frozen", "the picture stands still", "", is);
}

bool job_is_compared(const struct job_artifact *artifact)
{
	return artifact->role && strcmp(artifact->role, "video") == 0;
}

int job_compare_delivery(const char *parameters, const struct job_artifact *artifact, struct job_status *status)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct comparison comparison = {.artifact = artifact, .status = status};
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	r = json_parse(json, bytes_of_text(parameters), JSON_DUPLICATES_REFUSE, &comparison.order, NULL);
	if (r < 0)
		return err_trace(r);
	comparison.json = json;
	compare_duration(&comparison);
	if (artifact->width > 0 && artifact->height > 0) {
		compare_size(&comparison);
		compare_tier(&comparison);
		compare_shape(&comparison);
	}
	compare_frame_rate(&comparison);
	compare_sound(&comparison);
	look_at_picture(&comparison);
	return comparison.fault;
}
