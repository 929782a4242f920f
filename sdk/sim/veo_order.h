/*
 * The body of …:predictLongRunning, checked as far as Google's reference and its own client tell. Unknown members are let
 * through on Vertex AI; the Gemini API refuses what only Vertex AI knows.
 */
#ifndef FG_SIM_VEO_ORDER_H
#define FG_SIM_VEO_ORDER_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum {
	_SIM_VEO_ORDER_E_OK,
	SIM_VEO_ORDER_E_INVALID, /* see the message */
};

/* Texts are borrowed from the body. */
struct sim_veo_order {
	const char *prompt;  /* NULL: none */
	const char *storage; /* "bucket/folder/…", as it came behind gs://; NULL: none, as always on the Gemini API */
	int seconds;         /* as it was ordered: the operation fails when Veo does not make it so long */
	bool has_odd_seconds;
	int samples;
	int width, height;
};

int sim_veo_order_read(const json_t *body, bool is_gemini, struct errmsg *msg, struct sim_veo_order *ret);

#endif
