#include "sim/sim.h"

enum { SALT_RENDER = 1 };

static const struct sim_provider *const providers[] = {&sim_heygen, &sim_veo, &sim_openai, &sim_openrouter};

const struct sim_provider *sim_provider_of(const char *path)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		for (const char *const *prefix = providers[i]->prefixes; *prefix; prefix++)
			if (strncmp(path, *prefix, strlen(*prefix)) == 0)
				return providers[i];
	return providers[0];
}

static bool is_match(const char *pattern, const char *path, struct sim_call *call)
{
	while (*pattern && *path) {
		size_t len;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0 || len >= sizeof(call->id))
			return false;
		memcpy(call->id, path, len);
		call->id[len] = '\0';
		path += len;
		pattern += strcspn(pattern, "}") + 1;
	}
	return !*pattern && !*path;
}

const struct sim_route *sim_route_find(const struct sim_route *routes, const struct sim_request *request,
				       struct sim_call *call)
{
	/* Who answers GET answers HEAD: the transport leaves the body out. */
	const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;

	for (; routes->method; routes++) {
		call->id[0] = '\0';
		if (strcmp(routes->method, method) == 0 && is_match(routes->pattern, request->path, call))
			return routes;
	}
	return NULL;
}

/* splitmix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

int64_t sim_pick_ms(const struct sim *sim, const struct sim_range *range, uint64_t number, uint64_t salt)
{
	uint64_t width = (uint64_t)(range->max - range->min) + 1;

	return range->min + (int64_t)(mix(mix(mix((uint64_t)sim->options->seed) + number) + salt) % width);
}

int64_t sim_credit_left_micros(const struct sim *sim)
{
	return sim->credit_micros - sim_charges_micros(sim->charges);
}

void sim_fit_picture(const struct sim *sim, struct sim_picture *picture)
{
	const struct sim_options *options = sim->options;

	picture->is_small = options->small;
	if (picture->seconds > options->max_seconds)
		picture->seconds = (int)options->max_seconds;
	if (!options->small)
		return;
	picture->width = (picture->width / 20 + 1) & ~1;
	picture->height = (picture->height / 20 + 1) & ~1;
	picture->fps = 5;
}

/* What is burned in: all of @text, or as many words of it as the options say. NULL: no memory. */
static char *burned_text(const struct sim *sim, const char *text)
{
	int64_t words = sim->options->burn_words;
	size_t len = 0;

	if (words == 0)
		return strdup(text);
	for (; words > 0 && text[len]; words--) {
		len += strspn(text + len, " \t\n");
		len += strcspn(text + len, " \t\n");
	}
	return strndup(text, len);
}

static void twist_picture(const struct sim_twist *twist, struct sim_picture *picture)
{
	if (twist->seconds)
		picture->seconds = twist->seconds;
	if (twist->width)
		picture->width = twist->width;
	if (twist->height)
		picture->height = twist->height;
	picture->is_black = twist->is_black;
	picture->is_still = twist->is_still;
}

int sim_order(struct sim *sim, const struct sim_twist *twist, const struct sim_picture *picture,
	      struct sim_generation *model, struct sim_generation **ret)
{
	int64_t now_ms = sim_clock_monotonic_ms(&sim->clock), length_ms;
	_cleanup_(freep) char *text = burned_text(sim, picture->text);
	struct sim_picture burned = *picture;
	struct sim_digest_text key;
	int r;

	if (!text)
		return err_origin(-ENOMEM);
	burned.text = text;
	twist_picture(twist, &burned);
	key = sim_picture_key(&burned);
	model->text = (char *)(uintptr_t)picture->text;
	model->created_utc_ms = sim_clock_utc_ms(&sim->clock);
	model->created_ms = now_ms;
	model->format = picture->format;
	model->seconds = picture->seconds;
	memcpy(model->picture, key.text, sizeof(model->picture));
	r = sim_render_order(sim->render, &burned);
	r = r ? r : sim_generations_add(sim->generations, model, ret);
	if (r < 0)
		return err_trace(r);
	length_ms = sim_pick_ms(sim, &sim->options->render_ms, (*ret)->number, SALT_RENDER);
	(*ret)->begins_ms = now_ms + (length_ms / 10 < 1000 ? length_ms / 10 : 1000);
	(*ret)->ready_ms = now_ms + length_ms;
	return 0;
}
