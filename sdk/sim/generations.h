/*
 * What was ordered and what became of it, whichever provider plays the shop. State is not moved by timers: it follows
 * from the instants below, the renderer and the clock whenever somebody looks.
 */
#ifndef FG_SIM_GENERATIONS_H
#define FG_SIM_GENERATIONS_H

#include "sim/render.h"
#include "sim/table.h"

#define SIM_VIDEO_ID_SIZE 48

enum sim_generation_state { SIM_PENDING, SIM_PROCESSING, SIM_COMPLETED, SIM_FAILED };

struct sim_generation {
	UT_hash_handle hh;
	struct sim_generation *prev_open, *next_open;
	bool is_open; /* was pending or processing when last looked at */
	char id[SIM_VIDEO_ID_SIZE];
	uint64_t number; /* from 1, in the order of creation */
	const char *provider;
	const char *collection; /* static: below which path of the provider it is found */
	unsigned int account;   /* which of them ordered it, and alone can see it */
	char *title;            /* NULL: none */
	char *text;             /* what was ordered: prompt or script, whole; NULL: none */
	int64_t created_utc_ms;
	/* Monotonic instants of the simulator's clock. */
	int64_t created_ms;
	int64_t begins_ms; /* pending before, processing after */
	int64_t ready_ms;  /* earliest end */
	char picture[DIGEST_TEXT_SIZE];
	enum sim_format format;
	int seconds;
	int width, height; /* as ordered, however small it is rendered */
	const char *ratio; /* static; NULL: not told */
	int64_t seed;      /* negative: none was ordered */
	bool has_subtitle;
	bool has_caption; /* burned in: a captioned file is offered beside the plain one */
	/* Of Veo's operations. */
	char *name;         /* NULL: none */
	char *place;        /* "bucket/folder/", below which its samples lie; NULL: at the API, or inline */
	bool is_inline;     /* they come inside the reply to a poll */
	int samples;        /* ordered */
	int filtered;       /* of them */
	bool is_empty;      /* done, without a video and without a reason */
	char *failure_code; /* not NULL: fails at ready_ms */
	char *failure_message;
	bool is_told;      /* hooks.c: its end was told of */
	bool is_cancelled; /* with a failure code: it ends as cancelled where the provider has such a state */
};

struct sim_generations;

int sim_generations_new(struct sim_render *render, struct sim_generations **ret);
struct sim_generations *sim_generations_free(struct sim_generations *generations);
void sim_generations_reset(struct sim_generations *generations);

/*
 * A copy of what @model says (texts are copied too), with an id, a number and a place in the table. Beyond
 * LIMIT_SIM_GENERATIONS the oldest is forgotten. @ret is valid until it is removed.
 */
int sim_generations_add(struct sim_generations *generations, const struct sim_generation *model,
			struct sim_generation **ret);
/* NULL: there is none of that id. */
struct sim_generation *sim_generations_find(struct sim_generations *generations, const char *id);
void sim_generations_remove(struct sim_generations *generations, struct sim_generation *generation);
/* From the newest to the oldest; NULL at the end. @after NULL: the newest. */
struct sim_generation *sim_generations_older(struct sim_generations *generations, struct sim_generation *after);

enum sim_generation_state sim_generation_state(struct sim_generations *generations,
					       const struct sim_generation *generation, int64_t now_ms);
/* Unix milliseconds; only of a completed one. */
int64_t sim_generation_completed_utc_ms(struct sim_generations *generations, const struct sim_generation *generation);
/* Copies it: the name of a long-running operation, which has the id in it. */
int sim_generation_set_name(struct sim_generation *generation, const char *name);
/* Copies both texts; NULL takes a failure back. */
int sim_generation_fail(struct sim_generation *generation, const char *code, const char *message);

/* How many are pending or processing; the second result is the earliest ready_ms among them, INT64_MAX if none. */
size_t sim_generations_in_flight(struct sim_generations *generations, int64_t now_ms, int64_t *ret_ready_ms);

#endif
