/*
 * The body of POST /v3/videos, checked as HeyGen's schema of July 2026 says (types avatar, image and cinematic_avatar). Unknown members
 * are let through, as the real service does.
 */
#ifndef FG_SIM_HEYGEN_ORDER_H
#define FG_SIM_HEYGEN_ORDER_H

#include "base/err.h"
#include "sim/picture.h"

#include <jansson.h>

enum {
	_SIM_HEYGEN_ORDER_E_OK,
	SIM_HEYGEN_ORDER_E_INVALID, /* see the complaint */
};

/* Texts are borrowed from the body. */
struct sim_heygen_order {
	const char *type;
	const char *title;  /* NULL: none */
	const char *text;   /* what the picture shows: script, prompt, or the recording's URL or asset id */
	const char *script; /* NULL: nothing is read aloud */
	int seconds;        /* 0: as long as the script, or the recording, takes */
	int width, height, fps;
	const char *ratio; /* of POST /v3/models/videos, and static; and the seed, -1 for none */
	int64_t seed;
	int speed_permille;
	int64_t price_micros; /* of the whole video; 0: by the second */
	enum sim_format format;
	bool has_color;
	uint32_t color;
	bool has_subtitle;
	bool has_caption_style;
};

struct sim_heygen_complaint {
	struct errmsg message;
	const char *param; /* dotted path of the member; NULL: the body as a whole */
};

int sim_heygen_order_read(const json_t *body, struct sim_heygen_complaint *complaint, struct sim_heygen_order *ret);
/* The same of POST /v3/models/videos, as HeyGen's published client writes it. */
int sim_heygen_model_order_read(const json_t *body, struct sim_heygen_complaint *complaint,
				struct sim_heygen_order *ret);

#endif
