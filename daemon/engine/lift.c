#include "engine/lift.h"

#include "base/err.h"
#include "base/json_lift.h"
#include "base/write.h"

#define NAME_SIZE (ID_TEXT_SIZE + 48)

enum { LIFT_E_TOO_LARGE = _JSON_LIFT_E_N };

struct text {
	char *pointer;
	char name[NAME_SIZE];
	bool is_taken; /* the job's */
};

/* Made on the engine's thread, filled on one of http/'s, and the engine's again with the outcome. */
struct lift {
	struct engine *engine;
	struct json_lift *reader;
	bool is_for_nothing; /* no files: only the pointers are kept */
	char prefix[ID_TEXT_SIZE + 24];
	uint64_t max_bytes;      /* of one text */
	uint64_t reserved_bytes; /* for the job, before it was bought */
	uint64_t total_bytes;    /* of all texts so far */
	struct text *texts;
	size_t n;
	struct artifact_staging *staging; /* of the last one, while it comes */
	uint64_t size;
};

/* ---- [http thread] ---- */

/* A member that comes twice has its last value: the file begins anew. */
static struct text *find_or_add(struct lift *lift, const char *pointer)
{
	struct text *text;

	for (size_t i = 0; i < lift->n; i++)
		if (strcmp(lift->texts[i].pointer, pointer) == 0)
			return &lift->texts[i];
	text = reallocarray(lift->texts, lift->n + 1, sizeof(*text));
	if (!text)
		abort();
	lift->texts = text;
	text += lift->n;
	*text = (struct text){.pointer = take_text(pointer)};
	snprintf(text->name, sizeof(text->name), "%s-%zu", lift->prefix, lift->n++);
	return text;
}

static int on_begin(void *userdata, const char *pointer)
{
	struct lift *lift = userdata;
	const struct text *text = find_or_add(lift, pointer);
	int r;

	if (lift->is_for_nothing)
		return 0;
	/* Never into a file that an earlier run left, and that may be an artifact by now. */
	artifact_unstage(lift->engine->config.artifacts, text->name);
	r = artifact_stage(lift->engine->config.artifacts, text->name, &lift->staging);
	lift->size = 0;
	return r > 0 ? -ENOSPC : r;
}

/* Beyond what is the job's the disk is everybody's: a reply of any number of files does not fill it to the brim. */
static int check_room(struct lift *lift, uint64_t len)
{
	struct artifact_store *artifacts = lift->engine->config.artifacts;
	int r;

	lift->total_bytes += len;
	if (lift->total_bytes <= lift->reserved_bytes)
		return 0;
	r = artifact_reserve(artifacts, len);
	if (r == 0)
		artifact_release(artifacts, len);
	return r > 0 ? -ENOSPC : r;
}

static int on_write(void *userdata, struct bytes bytes)
{
	struct lift *lift = userdata;
	int r;

	if (lift->is_for_nothing)
		return 0;
	if (bytes.len > lift->max_bytes - lift->size)
		return LIFT_E_TOO_LARGE;
	r = check_room(lift, bytes.len);
	return r ? r : write_fully_at(artifact_staging_fd(lift->staging), bytes, &lift->size);
}

static int on_end(void *userdata)
{
	struct lift *lift = userdata;

	lift->staging = artifact_staging_close(lift->staging);
	return 0;
}

static int explain(const struct lift *lift, int r, struct errmsg *why)
{
	const char *where = lift->n ? lift->texts[lift->n - 1].pointer : "";

	switch (r) {
	case JSON_LIFT_E_BASE64:
		errmsg_set(why, "the text at '%s' is not base64, or is cut short", where);
		return HTTP_FILTER_E_UNREADABLE;
	case JSON_LIFT_E_TEXTS:
		errmsg_set(why, "it carries more than %d files", LIMIT_JSON_LIFT_TEXTS);
		return HTTP_FILTER_E_UNREADABLE;
	case LIFT_E_TOO_LARGE:
		errmsg_set(why, "the file at '%s' is larger than limits.video_bytes allows", where);
		return HTTP_FILTER_E_UNREADABLE;
	default:
		return r;
	}
}

static int filter_write(void *userdata, struct bytes piece, struct buffer *memory, struct errmsg *why)
{
	struct lift *lift = userdata;

	return explain(lift, json_lift_feed(lift->reader, piece, memory), why);
}

static int filter_end(void *userdata, struct errmsg *why)
{
	struct lift *lift = userdata;

	return explain(lift, json_lift_end(lift->reader), why);
}

/* ---- [engine thread] ---- */

static struct lift *new_lift(struct engine *engine, const struct plugin_exchange *exchange,
			     struct http_request *request)
{
	struct lift *lift = take_memory(sizeof(*lift));
	const struct json_lift_sink sink = {.begin = on_begin, .write = on_write, .end = on_end, .userdata = lift};

	lift->engine = engine;
	if (json_lift_new(exchange->lift, exchange->n_lift, &sink, &lift->reader) < 0)
		abort();
	request->sink = HTTP_SINK_FILTER;
	request->filter = (struct http_filter){.write = filter_write, .end = filter_end, .userdata = lift};
	/* What carries a video takes its time, and is well as long as it moves. */
	request->idle_timeout_ms = request->timeout_ms;
	request->timeout_ms = LIMIT_ENGINE_FETCH_MS;
	return lift;
}

/* No two lifts of one process share a name: one that was given up may still be written to. */
struct lift *lift_new(struct entry *entry, const struct plugin_exchange *exchange, struct http_request *request)
{
	char id[ID_TEXT_SIZE];
	struct lift *lift;

	if (exchange->n_lift == 0)
		return NULL;
	lift = new_lift(entry->engine, exchange, request);
	lift->max_bytes = entry->lane->config->max_artifact_bytes;
	lift->reserved_bytes = entry->reserved_bytes;
	id_format(&entry->ref.id, id);
	snprintf(lift->prefix, sizeof(lift->prefix), "%s-lift%llu", id, (unsigned long long)++entry->engine->lifts);
	return lift;
}

struct lift *lift_new_for_nothing(const struct lane *lane, const struct plugin_exchange *exchange,
				  struct http_request *request)
{
	struct lift *lift;

	if (exchange->n_lift == 0)
		return NULL;
	lift = new_lift(lane->engine, exchange, request);
	lift->is_for_nothing = true;
	return lift;
}

/* At the engine's end the files stay: the next start's sweep removes what no job names. */
struct lift *lift_free(struct lift *lift)
{
	if (!lift)
		return NULL;
	artifact_staging_close(lift->staging);
	for (size_t i = 0; i < lift->n; i++) {
		if (!lift->texts[i].is_taken && !lift->is_for_nothing &&
		    atomic_load(&lift->engine->phase) != ENGINE_PHASE_STOPPED)
			artifact_unstage(lift->engine->config.artifacts, lift->texts[i].name);
		free(lift->texts[i].pointer);
	}
	free(lift->texts);
	json_lift_free(lift->reader);
	free(lift);
	return NULL;
}

void lift_describe(const struct lift *lift, struct reply *reply)
{
	if (!lift || lift->n == 0)
		return;
	reply->lifted = take_memory(lift->n * sizeof(*reply->lifted));
	for (size_t i = 0; i < lift->n; i++)
		reply->lifted[i] = take_text(lift->texts[i].pointer);
	reply->facts.lifted = (const char *const *)reply->lifted;
	reply->facts.n_lifted = lift->n;
}

static struct text *find(const struct lift *lift, const char *pointer)
{
	size_t i = 0;

	while (i < lift->n && strcmp(lift->texts[i].pointer, pointer) != 0)
		i++;
	assert(i < lift->n);
	return &lift->texts[i];
}

const char *lift_name(const struct lift *lift, const char *pointer)
{
	return find(lift, pointer)->name;
}

/* ---- syncing ---- */

struct synced {
	struct arrival arrival;
	int outcome;
	struct plugin_answer *answer;
	void (*then)(struct entry *entry, struct plugin_answer *take, int outcome);
};

static void discard_synced(struct arrival *arrival)
{
	struct synced *synced = (struct synced *)(void *)arrival;

	plugin_answer_free(synced->answer);
	free(synced);
}

static void handle_synced(struct entry *entry, struct arrival *arrival)
{
	struct synced synced = *(struct synced *)(void *)arrival;
	const struct plugin_done *done = &synced.answer->done;

	free(arrival);
	for (size_t i = 0; i < done->n_outputs && synced.outcome == 0; i++)
		if (done->outputs[i].lifted)
			find(entry->lift, done->outputs[i].lifted)->is_taken = true;
	if (synced.outcome != 0)
		entry->lift = lift_free(entry->lift);
	synced.then(entry, synced.answer, synced.outcome);
}

/* [worker thread] */
static void on_synced(void *userdata, int outcome)
{
	struct synced *synced = userdata;

	synced->outcome = outcome;
	arrival_post(&synced->arrival);
}

void lift_sync(struct entry *entry, struct plugin_answer *take,
	       void (*then)(struct entry *entry, struct plugin_answer *take, int outcome))
{
	const char **names = take_memory((take->done.n_outputs + 1) * sizeof(*names));
	struct synced *synced;
	size_t n = 0;

	for (size_t i = 0; i < take->done.n_outputs; i++)
		if (take->done.outputs[i].lifted)
			names[n++] = lift_name(entry->lift, take->done.outputs[i].lifted);
	entry_start_activity(entry, ACTIVITY_SEAL);
	synced = entry_expect(entry, sizeof(*synced), handle_synced, discard_synced);
	synced->answer = take;
	synced->then = then;
	if (artifact_sync(entry->engine->config.artifacts, names, n, on_synced, synced) < 0)
		abort();
	free(names);
}
