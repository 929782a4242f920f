/*
 * What a rendered video shows and how long it is. Pure: text in, text out.
 */
#ifndef FG_SIM_PICTURE_H
#define FG_SIM_PICTURE_H

#include "base/bytes.h"
#include "base/digest.h"

enum sim_format { SIM_FORMAT_MP4, SIM_FORMAT_WEBM };

/* All that matters to the rendered file; equal pictures share one. */
struct sim_picture {
	const char *text;
	int width, height;
	int fps;
	int seconds;
	enum sim_format format;
	uint32_t color;    /* 0xrrggbb */
	bool is_clear;     /* no background: webm with alpha */
	bool has_captions; /* a second file with captions in the picture */
	bool is_small;     /* rendered as cheaply as possible */
	bool is_black;     /* nothing is seen */
	bool is_still;     /* nothing moves */
};

struct sim_layout {
	struct buffer lines; /* the text broken into lines */
	int font_px;
};

struct sim_digest_text {
	char text[DIGEST_TEXT_SIZE];
};

/* The name of the picture's file: a hash of everything in it. */
struct sim_digest_text sim_picture_key(const struct sim_picture *picture);
/* How long a voice needs for @text at @speed_permille of normal: 2.5 words a second, at least one second. */
int sim_picture_seconds(const char *text, int speed_permille);
/* The largest font in which the whole text fits the frame, and the text broken for it. */
int sim_picture_layout(const struct sim_picture *picture, struct sim_layout *ret);
void sim_layout_finish(struct sim_layout *layout);
/* SubRip cues of at most ten words, spread over the length by their letters. */
int sim_picture_subtitle(const struct sim_picture *picture, struct buffer *srt);

#endif
