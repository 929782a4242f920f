/*
 * Everything that one simulator consists of, and what a provider is.
 *
 * A provider is one file with a table of routes. It sees a whole request, answers with a reply, and knows nothing of
 * sockets or faults but what struct sim_twist tells it.
 */
#ifndef FG_SIM_SIM_H
#define FG_SIM_SIM_H

#include "sim/assets.h"
#include "sim/charges.h"
#include "sim/clock.h"
#include "sim/generations.h"
#include "sim/google.h"
#include "sim/links.h"
#include "sim/message.h"
#include "sim/options.h"
#include "sim/render.h"
#include "sim/replays.h"
#include "sim/requests.h"

struct sim_faults;
struct sim_hooks;
struct sim_raws;

struct sim {
	const struct sim_options *options;
	struct sim_clock clock;
	struct sim_render *render;
	struct sim_generations *generations;
	struct sim_replays *replays;
	struct sim_assets *assets;
	struct sim_charges *charges;
	struct sim_links *links;
	struct sim_google *google;
	struct sim_faults *faults;
	struct sim_requests *requests;
	struct sim_hooks *hooks;
	const struct sim_raws *raws;
	struct sim_connection_count *connections;
	int64_t credit_micros; /* what the wallet held before the charges */
	int64_t started_ms;
};

/* What a fault changes inside the provider rather than on the wire. Zeroed: nothing. */
struct sim_twist {
	const char *failure_code; /* the video that is made or looked at fails with this */
	const char *failure_message;
	bool is_link_expired;
	bool is_link_missing;
	/* Of Veo's operations, decided when they are ordered. */
	int filtered;       /* how many samples a content rule keeps back */
	int operation_code; /* the gRPC code that the operation fails with; 0: it does not */
	bool is_empty;      /* done, without a video and without a reason */
	uint64_t padding;   /* of a poll: each video inside the reply is that many bytes longer */
	/* Of an order: what is delivered is another video; it is charged, and described, as it was ordered. 0: as ordered. */
	int seconds, width, height;
	bool is_black, is_still;
};

struct sim_call {
	const struct sim_request *request;
	char id[192]; /* the path's parameter; empty if it has none */
	struct sim_twist twist;
	unsigned int account; /* whose key it has: 0, or 1 for the second one */
	int64_t late_ms;      /* how much later than @delay_ms a fault lets the reply leave */
	int64_t delay_ms;     /* set by the route: how long the provider takes to reply */
};

struct sim_route {
	const char *method;
	const char *pattern; /* segments; {…} stands for one that is the parameter */
	/* Fills the inert @reply. A negative errno becomes the provider's 500. */
	int (*handle)(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
};

struct sim_provider {
	const char *name;
	const char *const *prefixes;    /* of its paths; ends with NULL */
	const struct sim_route *routes; /* ends with a NULL method */
	/* Before every route: leaves @reply alone to let the call pass. */
	int (*admit)(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
	/* An error in the provider's shape; @param may be NULL. */
	int (*refuse)(struct sim_reply *reply, int status, const char *code, const char *message, const char *param);
	/* The codes it uses for what every HTTP server must be able to say. */
	const char *code_not_found, *code_bad_request, *code_too_large, *code_rate_limit, *code_internal;
};

extern const struct sim_provider sim_heygen;
extern const struct sim_provider sim_veo;
extern const struct sim_provider sim_openai;
extern const struct sim_provider sim_openrouter;

/* The provider whose paths these are; the first one for all others. */
const struct sim_provider *sim_provider_of(const char *path);
/* NULL: no route. Fills @call->id. */
const struct sim_route *sim_route_find(const struct sim_route *routes, const struct sim_request *request,
				       struct sim_call *call);

/* Makes a rendered picture as cheap and as short as the options want it. */
void sim_fit_picture(const struct sim *sim, struct sim_picture *picture);
/* Renders the picture, or what @twist makes of it, and puts what was ordered into the table: @model, completed by when it
 * happens. */
int sim_order(struct sim *sim, const struct sim_twist *twist, const struct sim_picture *picture,
	      struct sim_generation *model, struct sim_generation **ret);
/* Between @range->min and ->max, decided by seed, @number and @salt alone. */
int64_t sim_pick_ms(const struct sim *sim, const struct sim_range *range, uint64_t number, uint64_t salt);
int64_t sim_credit_left_micros(const struct sim *sim);

#endif
