/*
 * The body of POST /v1/videos and of POST /api/v1/videos, as JSON or as a form, checked as far as OpenAI's and
 * OpenRouter's published interfaces tell. Unknown members are let through.
 */
#ifndef FG_SIM_OPENAI_ORDER_H
#define FG_SIM_OPENAI_ORDER_H

#include "base/err.h"
#include "sim/message.h"

enum {
	_SIM_OPENAI_ORDER_E_OK,
	SIM_OPENAI_ORDER_E_INVALID, /* see the complaint */
};

struct sim_openai_complaint {
	struct errmsg message;
	const char *param; /* static; NULL: the whole */
};

/* Texts are borrowed from the body. */
struct sim_openai_order {
	const char *model;
	const char *prompt;
	int seconds;
	int width, height;
};

/* The body as one JSON object; a form's values are texts, a[b] is a member of a, and a file is {"filename", "bytes",
 * "media_type": as its part says, or null, "sniffed": what it is, or null}. NULL when it is neither. */
json_t *sim_openai_body_read(const struct sim_request *request);
int sim_openai_order_read(const json_t *body, struct sim_openai_complaint *complaint, struct sim_openai_order *ret);
int sim_openrouter_order_read(const json_t *body, struct sim_openai_complaint *complaint, struct sim_openai_order *ret);

#endif
