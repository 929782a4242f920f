#include "sim/generations.h"

#include "base/id.h"
#include "base/limits.h"

struct sim_generations {
	struct sim_render *render;
	struct sim_generation *table; /* in the order of creation */
	struct sim_generation *open;
	uint64_t last_number;
};

int sim_generations_new(struct sim_render *render, struct sim_generations **ret)
{
	struct sim_generations *generations = calloc(1, sizeof(*generations));

	if (!generations)
		return err_origin(-ENOMEM);
	generations->render = render;

	*ret = generations;
	return 0;
}

static void close_one(struct sim_generations *generations, struct sim_generation *generation)
{
	if (!generation->is_open)
		return;
	if (generation->prev_open)
		generation->prev_open->next_open = generation->next_open;
	else
		generations->open = generation->next_open;
	if (generation->next_open)
		generation->next_open->prev_open = generation->prev_open;
	generation->is_open = false;
}

static void generation_free(struct sim_generation *generation)
{
	free(generation->title);
	free(generation->text);
	free(generation->name);
	free(generation->place);
	free(generation->failure_code);
	free(generation->failure_message);
	free(generation);
}

void sim_generations_remove(struct sim_generations *generations, struct sim_generation *generation)
{
	close_one(generations, generation);
	HASH_DEL(generations->table, generation);
	generation_free(generation);
}

void sim_generations_reset(struct sim_generations *generations)
{
	while (generations->table)
		sim_generations_remove(generations, generations->table);
	generations->last_number = 0;
}

struct sim_generations *sim_generations_free(struct sim_generations *generations)
{
	if (!generations)
		return NULL;
	sim_generations_reset(generations);
	free(generations);
	return NULL;
}

static int copy_text(const char *from, char **ret)
{
	char *copy = from ? strdup(from) : NULL;

	if (from && !copy)
		return err_origin(-ENOMEM);

	free(*ret);
	*ret = copy;
	return 0;
}

int sim_generation_fail(struct sim_generation *generation, const char *code, const char *message)
{
	int r;

	r = copy_text(code, &generation->failure_code);
	r = r ? r : copy_text(message, &generation->failure_message);
	return r < 0 ? err_trace(r) : 0;
}

int sim_generation_set_name(struct sim_generation *generation, const char *name)
{
	int r = copy_text(name, &generation->name);

	return r < 0 ? err_trace(r) : 0;
}

/* "v_" and the id's digits without dashes, as the provider's look. */
static void make_id(struct sim_generation *generation)
{
	struct id id = id_new(generation->created_utc_ms);
	char text[ID_TEXT_SIZE];
	size_t n = 2;

	id_format(&id, text);
	memcpy(generation->id, "v_", 2);
	for (const char *p = text; *p; p++)
		if (*p != '-')
			generation->id[n++] = *p;
	generation->id[n] = '\0';
}

int sim_generations_add(struct sim_generations *generations, const struct sim_generation *model,
			struct sim_generation **ret)
{
	struct sim_generation *generation = malloc(sizeof(*generation));
	int r;

	if (!generation)
		return err_origin(-ENOMEM);
	*generation = *model;
	generation->title = generation->text = generation->name = generation->place = NULL;
	generation->failure_code = generation->failure_message = NULL;
	r = copy_text(model->title, &generation->title);
	r = r ? r : copy_text(model->text, &generation->text);
	r = r ? r : copy_text(model->place, &generation->place);
	r = r ? r : sim_generation_fail(generation, model->failure_code, model->failure_message);
	if (r < 0) {
		generation_free(generation);
		return err_trace(r);
	}
	make_id(generation);
	generation->number = ++generations->last_number;
	if (HASH_COUNT(generations->table) >= LIMIT_SIM_GENERATIONS)
		sim_generations_remove(generations, generations->table);
	HASH_ADD_STR(generations->table, id, generation);
	generation->is_open = true;
	generation->prev_open = NULL;
	generation->next_open = generations->open;
	if (generations->open)
		generations->open->prev_open = generation;
	generations->open = generation;

	*ret = generation;
	return 0;
}

struct sim_generation *sim_generations_find(struct sim_generations *generations, const char *id)
{
	struct sim_generation *found;

	HASH_FIND_STR(generations->table, id, found);
	return found;
}

struct sim_generation *sim_generations_older(struct sim_generations *generations, struct sim_generation *after)
{
	if (after)
		return after->hh.prev;
	if (!generations->table)
		return NULL;
	return ELMT_FROM_HH(generations->table->hh.tbl, generations->table->hh.tbl->tail);
}

enum sim_generation_state sim_generation_state(struct sim_generations *generations,
					       const struct sim_generation *generation, int64_t now_ms)
{
	enum sim_render_state rendering;
	int64_t done_ms;

	if (now_ms < generation->begins_ms)
		return SIM_PENDING;
	if (now_ms < generation->ready_ms)
		return SIM_PROCESSING;
	if (generation->failure_code)
		return SIM_FAILED;
	rendering = sim_render_state(generations->render, generation->picture, &done_ms);
	if (rendering == SIM_RENDER_FAILED)
		return SIM_FAILED;
	return rendering == SIM_RENDER_DONE ? SIM_COMPLETED : SIM_PROCESSING;
}

int64_t sim_generation_completed_utc_ms(struct sim_generations *generations, const struct sim_generation *generation)
{
	int64_t done_ms;

	sim_render_state(generations->render, generation->picture, &done_ms);
	return generation->created_utc_ms - generation->created_ms +
	       (done_ms > generation->ready_ms ? done_ms : generation->ready_ms);
}

size_t sim_generations_in_flight(struct sim_generations *generations, int64_t now_ms, int64_t *ret_ready_ms)
{
	struct sim_generation *next;
	int64_t ready_ms = INT64_MAX;
	size_t count = 0;

	for (struct sim_generation *one = generations->open; one; one = next) {
		next = one->next_open;
		if (sim_generation_state(generations, one, now_ms) >= SIM_COMPLETED) {
			close_one(generations, one);
			continue;
		}
		count++;
		if (one->ready_ms < ready_ms)
			ready_ms = one->ready_ms;
	}

	*ret_ready_ms = ready_ms;
	return count;
}
