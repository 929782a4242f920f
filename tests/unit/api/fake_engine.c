#include "fake_engine.h"

#include "base/err.h"
#include "base/json.h"
#include "fake_jobs.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

struct answer {
	struct answer *next;
	engine_job_fn *fn;
	void *userdata;
	struct job_view view;
	int outcome;
	bool replayed;
	bool is_write;
};

#define FAKE_PASSED 20 /* events passed over until the watcher is told */

struct engine_watch {
	struct engine *engine;
	struct engine_watch *next;
	struct engine_watch_spec spec;
	struct engine_watcher watcher;
	uint32_t states; /* of the filter */
	uint32_t grants;
	size_t position; /* of the next event to look at */
	bool is_closed;
	bool has_ended;
	unsigned int passed; /* events since the last that was not */
};

struct engine {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool is_ending;
	enum fake_hold held;
	atomic_bool is_serving;
	struct fake_jobs jobs;
	uint64_t trimmed;
	struct answer *first, **last;
	struct engine_watch *watches;
};

/* ---- the thread ---- */

static bool matches(const struct engine_watch *watch, const struct fake_event *event)
{
	if (watch->spec.is_single)
		return job_ref_equal(&watch->spec.ref, &event->event.ref) &&
		       event->event.revision > watch->spec.after_revision;
	return event->event.sequence > watch->spec.after_sequence &&
	       (watch->states == 0 || watch->states & 1u << event->snapshot.status->state);
}

static bool is_expired(const struct engine *engine, const struct engine_watch *watch)
{
	return !watch->is_closed && !watch->has_ended && !watch->spec.is_single &&
	       watch->spec.after_sequence < engine->trimmed;
}

/* One event to one watcher; false when there is nothing to do for it. */
static bool deliver(struct engine *engine, struct engine_watch *watch)
{
	if (is_expired(engine, watch)) {
		watch->has_ended = true;
		pthread_mutex_unlock(&engine->lock);
		watch->watcher.on_end(watch->watcher.userdata, ENGINE_E_CURSOR_EXPIRED, NULL);
		pthread_mutex_lock(&engine->lock);
		return true;
	}
	while (!watch->is_closed && watch->grants && watch->position < engine->jobs.n_events) {
		struct fake_event *event = engine->jobs.events[watch->position++];

		if (!matches(watch, event)) {
			if (watch->spec.is_single || event->event.sequence <= watch->spec.after_sequence ||
			    ++watch->passed < FAKE_PASSED)
				continue;
			watch->passed = 0;
			watch->grants--;
			pthread_mutex_unlock(&engine->lock);
			watch->watcher.on_passed(watch->watcher.userdata, event->event.sequence);
			pthread_mutex_lock(&engine->lock);
			return true;
		}
		watch->grants--;
		pthread_mutex_unlock(&engine->lock);
		watch->watcher.on_event(watch->watcher.userdata, &event->event);
		pthread_mutex_lock(&engine->lock);
		return true;
	}
	return false;
}

static bool drop_closed(struct engine *engine)
{
	for (struct engine_watch **link = &engine->watches; *link; link = &(*link)->next) {
		struct engine_watch *watch = *link;

		if (!watch->is_closed)
			continue;
		*link = watch->next;
		pthread_mutex_unlock(&engine->lock);
		watch->watcher.on_closed(watch->watcher.userdata);
		free(watch);
		pthread_mutex_lock(&engine->lock);
		return true;
	}
	return false;
}

/* New watches are put in front, so the walk is safe although the lock is let go on the way. */
static bool serve_watches(struct engine *engine)
{
	bool is_busy = false;

	for (struct engine_watch *watch = engine->watches; watch; watch = watch->next)
		is_busy |= deliver(engine, watch);
	return is_busy;
}

static void answer_all(struct engine *engine, struct answer *answer)
{
	pthread_mutex_unlock(&engine->lock);
	while (answer) {
		struct answer *next = answer->next;

		answer->fn(answer->userdata, answer->outcome, NULL, answer->outcome ? NULL : &answer->view,
			   answer->replayed);
		free(answer);
		answer = next;
	}
	pthread_mutex_lock(&engine->lock);
}

static void *run(void *userdata)
{
	struct engine *engine = userdata;

	pthread_mutex_lock(&engine->lock);
	while (!engine->is_ending || engine->first || engine->watches) {
		if (engine->first && (engine->held < (engine->first->is_write ? FAKE_HOLD_WRITES : FAKE_HOLD_ALL))) {
			struct answer *batch = engine->first;

			engine->first = NULL;
			engine->last = &engine->first;
			answer_all(engine, batch);
		} else if (!drop_closed(engine) && !serve_watches(engine)) {
			pthread_cond_wait(&engine->changed, &engine->lock);
		}
	}
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

struct engine *fake_engine_new(void)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	engine->last = &engine->first;
	atomic_store(&engine->is_serving, true);
	pthread_mutex_init(&engine->lock, NULL);
	pthread_cond_init(&engine->changed, NULL);
	assert(pthread_create(&engine->thread, NULL, run, engine) == 0);
	return engine;
}

struct engine *fake_engine_free(struct engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	engine->is_ending = true;
	engine->held = FAKE_HOLD_NOTHING;
	pthread_cond_signal(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
	pthread_join(engine->thread, NULL);

	fake_jobs_finish(&engine->jobs);
	pthread_cond_destroy(&engine->changed);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
	return NULL;
}

/* ---- what tests set ---- */

void fake_engine_set_file(struct engine *engine, const char *path)
{
	free(engine->jobs.file);
	engine->jobs.file = strdup(path);
}

void fake_engine_set_serving(struct engine *engine, bool is_serving)
{
	atomic_store(&engine->is_serving, is_serving);
}

void fake_engine_hold(struct engine *engine, enum fake_hold what)
{
	pthread_mutex_lock(&engine->lock);
	engine->held = what;
	pthread_cond_signal(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
}

void fake_engine_trim(struct engine *engine, uint64_t sequence)
{
	pthread_mutex_lock(&engine->lock);
	engine->trimmed = sequence;
	pthread_mutex_unlock(&engine->lock);
}

struct fake_counts fake_engine_count(struct engine *engine)
{
	struct fake_counts counts = {0};

	pthread_mutex_lock(&engine->lock);
	for (struct engine_watch *watch = engine->watches; watch; watch = watch->next) {
		counts.watches++;
		counts.grants += watch->grants;
	}
	for (struct answer *answer = engine->first; answer; answer = answer->next)
		counts.answers++;
	pthread_mutex_unlock(&engine->lock);
	return counts;
}

bool engine_is_serving(const struct engine *engine)
{
	return atomic_load(&((struct engine *)engine)->is_serving);
}

struct engine_position engine_position(const struct engine *engine)
{
	struct engine *self = (struct engine *)engine;
	struct engine_position position = {.epoch = FAKE_ENGINE_EPOCH};

	pthread_mutex_lock(&self->lock);
	position.sequence = self->jobs.n_events;
	pthread_mutex_unlock(&self->lock);
	return position;
}

/* ---- jobs ---- */

static void answer(struct engine *engine, int outcome, const struct job_view *view, bool replayed, bool is_write,
		   engine_job_fn *fn, void *userdata)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	*answer = (struct answer){
		.fn = fn, .userdata = userdata, .outcome = outcome, .replayed = replayed, .is_write = is_write};
	if (outcome == 0)
		answer->view = fake_view_copy(view);
	*engine->last = answer;
	engine->last = &answer->next;
	pthread_cond_signal(&engine->changed);
}

static bool fail_as_told(const char *provider, engine_job_fn *fn, void *userdata)
{
	const struct engine_violation violation = {.field = "parameters.prompt", .text = "as told"};
	const struct engine_error error = {.text = "as told", .violations = &violation, .n_violations = 1};
	int outcome = 0;

	if (strncmp(provider, "outcome-", 8) == 0)
		outcome = (int)strtol(provider + 8, NULL, 10);
	else if (strncmp(provider, "errno-", 6) == 0)
		outcome = -(int)strtol(provider + 6, NULL, 10);
	if (outcome)
		fn(userdata, outcome, &error, NULL, false);
	return outcome != 0;
}

void engine_create_job(struct engine *engine, const struct engine_create *create, engine_job_fn *fn, void *userdata)
{
	struct job_view view, *first;

	if (fail_as_told(create->provider, fn, userdata))
		return;
	pthread_mutex_lock(&engine->lock);
	first = fake_jobs_find_request(&engine->jobs, create->request_id);
	if (first) {
		bool is_equal = strcmp(first->job->parameters, create->parameters) == 0;

		answer(engine, is_equal ? 0 : ENGINE_E_REQUEST_REUSED, first, true, true, fn, userdata);
	} else {
		view = fake_job_make(create);
		if (!create->validate_only)
			fake_jobs_keep(&engine->jobs, view);
		answer(engine, 0, &view, false, true, fn, userdata);
		if (create->validate_only)
			job_view_finish(&view);
	}
	pthread_mutex_unlock(&engine->lock);
}

void engine_get_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata)
{
	struct job_view *view;

	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, ref);
	answer(engine, view ? 0 : ENGINE_E_NOT_FOUND, view, false, false, fn, userdata);
	pthread_mutex_unlock(&engine->lock);
}

void engine_retry_job(struct engine *engine, const struct job_ref *ref, const char *request_id, engine_job_fn *fn,
		      void *userdata)
{
	struct job_view *view, made;

	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, ref);
	if (view && job_state_is_terminal(view->status->state)) {
		made = fake_job_make(&(struct engine_create){.tenant = ref->tenant,
							     .request_id = request_id,
							     .provider = view->job->provider,
							     .model = view->job->model,
							     .parameters = view->job->parameters,
							     .display_name = view->status->display_name,
							     .labels = view->status->labels,
							     .n_labels = view->status->n_labels});
		made.job->retry_of = ref->id;
		fake_jobs_keep(&engine->jobs, made);
		answer(engine, 0, &made, false, true, fn, userdata);
	} else {
		answer(engine, view ? ENGINE_E_STATE : ENGINE_E_NOT_FOUND, NULL, false, true, fn, userdata);
	}
	pthread_mutex_unlock(&engine->lock);
}

void engine_update_job(struct engine *engine, const struct engine_update *update, engine_job_fn *fn, void *userdata)
{
	struct job_view *view;
	int outcome = 0;

	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, &update->ref);
	if (!view)
		outcome = ENGINE_E_NOT_FOUND;
	else if (update->expected_revision && update->expected_revision != view->status->revision)
		outcome = ENGINE_E_REVISION;
	else
		fake_jobs_update(&engine->jobs, view, update);
	answer(engine, outcome, view, false, true, fn, userdata);
	pthread_mutex_unlock(&engine->lock);
}

void engine_cancel_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata)
{
	struct job_view *view;

	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, ref);
	if (view && !job_state_is_terminal(view->status->state))
		fake_jobs_cancel(&engine->jobs, view);
	answer(engine, view ? 0 : ENGINE_E_NOT_FOUND, view, false, true, fn, userdata);
	pthread_mutex_unlock(&engine->lock);
}

void engine_resolve_job(struct engine *engine, const struct engine_resolve *resolve, engine_job_fn *fn, void *userdata)
{
	struct job_view *view;
	int outcome = 0;

	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, &resolve->ref);
	if (!view)
		outcome = ENGINE_E_NOT_FOUND;
	else if (view->status->state != JOB_STATE_UNCERTAIN)
		outcome = ENGINE_E_STATE;
	else if (resolve->expected_revision && resolve->expected_revision != view->status->revision)
		outcome = ENGINE_E_REVISION;
	else
		fake_jobs_resolve(&engine->jobs, view, resolve);
	answer(engine, outcome, view, false, true, fn, userdata);
	pthread_mutex_unlock(&engine->lock);
}

/* Nothing is held here. */
void engine_resume_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata)
{
	struct job_view *view;

	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, ref);
	answer(engine, view ? 0 : ENGINE_E_NOT_FOUND, view, false, true, fn, userdata);
	pthread_mutex_unlock(&engine->lock);
}

void engine_back_up(struct engine *engine, const char *path, engine_backup_fn *fn, void *userdata)
{
	struct engine_violation violation = {.field = "path", .text = "it is there already"};
	struct engine_error error = {.text = violation.text, .violations = &violation, .n_violations = 1};

	(void)engine;
	if (strcmp(path, "/there") == 0)
		fn(userdata, ENGINE_E_INVALID, &error, NULL);
	else if (strcmp(path, "/full") == 0)
		fn(userdata, ENGINE_E_STORE, &(struct engine_error){.text = "no space left"}, NULL);
	else if (strcmp(path, "/busy") == 0)
		fn(userdata, ENGINE_E_STATE, &(struct engine_error){.text = "another backup is being made"}, NULL);
	else
		fn(userdata, 0, NULL,
		   &(struct engine_backup){.path = path, .artifacts = 3, .artifact_bytes = UINT64_C(5000000000)});
}

/* "maker" has three, of which each page shows some; other providers do as their names say. */
void engine_list_orphans(struct engine *engine, const struct engine_orphans_query *query, engine_orphans_fn *fn,
			 void *userdata)
{
	static const struct engine_orphan all[] = {
		{.remote_id = "v1",
		 .title = "One",
		 .status = "completed",
		 .kind = "video",
		 .created_ms = 1790000000000},
		{.remote_id = "v2",
		 .title = "\xff",
		 .status = "",
		 .kind = "",
		 .has_maybe_job = true,
		 .has_deleted_job = true},
		{.remote_id = "v3", .title = "", .status = "", .kind = ""},
	};
	bool is_second = query->page && strcmp(query->page, "p&2") == 0;
	struct engine_orphans answer = {
		.orphans = is_second ? all + 2 : all + query->offset, .n = 1, .owned = 4, .unusable = 5};

	(void)engine;
	if (strcmp(query->provider, "none") == 0) {
		fn(userdata, ENGINE_E_NOT_FOUND, &(struct engine_error){.text = "there is no provider 'none'"}, NULL);
		return;
	}
	if (strcmp(query->provider, "mute") == 0) {
		fn(userdata, ENGINE_E_STATE, &(struct engine_error){.text = "it has no list"}, NULL);
		return;
	}
	answer.has_more = !is_second;
	answer.next_page = query->offset ? "p&2" : NULL;
	answer.next_offset = query->offset || is_second ? 0 : 1;
	fn(userdata, 0, NULL, &answer);
}

void engine_adopt_video(struct engine *engine, const struct engine_adopt *adopt, engine_job_fn *fn, void *userdata)
{
	static const struct id owner = {.bytes = {1}};
	struct engine_create create = {.tenant = adopt->tenant,
				       .request_id = adopt->request_id,
				       .provider = adopt->provider,
				       .model = adopt->model,
				       .parameters = "{}",
				       .display_name = adopt->is_forced ? "forced" : adopt->display_name,
				       .labels = adopt->labels,
				       .n_labels = adopt->n_labels};

	if (strcmp(adopt->remote_id, "owned") == 0)
		fn(userdata, ENGINE_E_OWNED, &(struct engine_error){.text = "it is a job's", .job = &owner},
		   &(struct job_view){0}, false);
	else
		engine_create_job(engine, &create, fn, userdata);
}

void engine_delete_job(struct engine *engine, const struct job_ref *ref, enum engine_delete how, engine_done_fn *fn,
		       void *userdata)
{
	struct job_view *view;
	int outcome = 0;

	(void)how;
	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, ref);
	if (!view)
		outcome = ENGINE_E_NOT_FOUND;
	else if (!job_state_is_terminal(view->status->state))
		outcome = ENGINE_E_STATE;
	else
		fake_jobs_delete(&engine->jobs, view);
	pthread_cond_signal(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
	fn(userdata, outcome, NULL);
}

void engine_list_jobs(struct engine *engine, const struct store_list_query *query, store_list_fn *fn, void *userdata)
{
	struct job_view *found = calloc(query->limit, sizeof(*found));
	struct id scanned_to = query->after;
	bool more = false;
	size_t n;

	pthread_mutex_lock(&engine->lock);
	n = fake_jobs_list(&engine->jobs, query, found, &scanned_to, &more);
	pthread_mutex_unlock(&engine->lock);
	fn(userdata, 0, found, n, scanned_to, more);
	free(found);
}

void engine_count_jobs(struct engine *engine, uint32_t tenant, const struct store_filter *filter, store_count_fn *fn,
		       void *userdata)
{
	uint64_t counts[_JOB_STATE_COUNT] = {[JOB_STATE_QUEUED] = 3, [JOB_STATE_UNCERTAIN] = 1};

	(void)engine;
	(void)tenant;
	/* With a filter there is one that fits. */
	if (filter)
		counts[JOB_STATE_QUEUED] = 1;
	fn(userdata, 0, counts, filter != NULL);
}

/* ---- watches ---- */

int engine_watch_open(struct engine *engine, const struct engine_watch_spec *spec, const struct engine_watcher *watcher,
		      struct engine_watch **ret)
{
	struct engine_watch *watch = calloc(1, sizeof(*watch));

	watch->engine = engine;
	watch->spec = *spec;
	watch->states = spec->filter ? spec->filter->states : 0;
	watch->spec.filter = NULL;
	watch->watcher = *watcher;
	pthread_mutex_lock(&engine->lock);
	watch->next = engine->watches;
	engine->watches = watch;
	pthread_cond_signal(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
	*ret = watch;
	return 0;
}

void engine_watch_grant(struct engine_watch *watch, uint32_t events)
{
	pthread_mutex_lock(&watch->engine->lock);
	watch->grants += events;
	pthread_cond_signal(&watch->engine->changed);
	pthread_mutex_unlock(&watch->engine->lock);
}

void engine_watch_close(struct engine_watch *watch)
{
	struct engine *engine = watch->engine;

	pthread_mutex_lock(&engine->lock);
	watch->is_closed = true;
	pthread_cond_signal(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
}

/* ---- artifacts and providers ---- */

void engine_open_still(struct engine *engine, const struct job_ref *ref, uint32_t index, enum engine_still still,
		       engine_artifact_fn *fn, void *userdata)
{
	assert(still == ENGINE_STILL_NONE);
	engine_open_artifact(engine, ref, index, fn, userdata);
}

void engine_open_artifact(struct engine *engine, const struct job_ref *ref, uint32_t index, engine_artifact_fn *fn,
			  void *userdata)
{
	struct job_view *view;
	struct job_view copy = {0};
	int fd = -1;

	pthread_mutex_lock(&engine->lock);
	view = fake_jobs_find(&engine->jobs, ref);
	if (view && index <= view->status->n_artifacts) {
		copy = fake_view_copy(view);
		fd = open(engine->jobs.file, O_RDONLY | O_CLOEXEC);
	}
	pthread_mutex_unlock(&engine->lock);
	fn(userdata, fd < 0 ? ENGINE_E_NOT_FOUND : 0, NULL, fd < 0 ? NULL : &copy.status->artifacts[index - 1], fd);
	if (copy.job)
		job_view_finish(&copy);
}

static const struct engine_provider fake_providers[] = {
	{.id = "demo",
	 .plugin = "demo",
	 .plugin_version = "1.2.3",
	 .base_url = "https://demo.example",
	 .manifest =
		 "{\"name\":\"demo\",\"big\":17454220438242315174,\"catalogue\":{\"voices\":{\"title\":\"Voices\"}},\"models\":[{\"name\":\"slow\"},{\"name\":"
		 "\"instant\"}]}",
	 .concurrency = 3,
	 .running = 1,
	 .queued = 2},
	{.id = "broken", .plugin = "gone", .problem = "the plugin 'gone' is not there"},
};

void engine_list_providers(struct engine *engine, const char *id, engine_providers_fn *fn, void *userdata)
{
	(void)engine;
	for (size_t i = 0; id && i < 2; i++)
		if (strcmp(fake_providers[i].id, id) == 0) {
			fn(userdata, 0, NULL, &fake_providers[i], 1);
			return;
		}
	fn(userdata, id ? ENGINE_E_NOT_FOUND : 0, NULL, id ? NULL : fake_providers, id ? 0 : 2);
}

/* "demo" has three voices; "broken" has an old list, "mute" lists nothing, "away" cannot be asked. */
void engine_list_catalogue(struct engine *engine, const struct engine_catalogue_query *query, engine_catalogue_fn *fn,
			   void *userdata)
{
	static const char text[] = "[{\"id\":\"v1\",\"name\":\"Sara\",\"language\":\"English\",\"gender\":\"female\","
				   "\"preview_url\":\"https://demo.example/v1.mp3\",\"tags\":[\"calm\",\"public\"],"
				   "\"extra\":{\"speed\":2}},{\"id\":\"v2\",\"kind\":\"clone\"},{\"id\":\"v3\"}]";
	const struct engine_error error = {.text = "the provider could not be reached"};
	struct engine_catalogue answer = {.total = 3, .fetched_ms = 1795000000000 - query->max_age_ms};
	struct json *json = json_new(NULL);
	json_node all, nodes[3];

	(void)engine;
	if (!json || json_parse(json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &all, NULL) != 0)
		abort();
	for (json_node n = json_item(json, all, query->offset); n && answer.n < query->limit; n = json_next(json, n))
		nodes[answer.n++] = n;
	answer.json = json;
	answer.entries = nodes;
	if (strcmp(query->provider, "broken") == 0)
		answer.problem = error.text;
	if (strcmp(query->provider, "mute") == 0)
		fn(userdata, ENGINE_E_STATE, &error, NULL);
	else if (strcmp(query->provider, "away") == 0)
		fn(userdata, ENGINE_E_UNREACHABLE, &error, NULL);
	else if (strcmp(query->provider, "none") == 0)
		fn(userdata, ENGINE_E_NOT_FOUND, NULL, NULL);
	else
		fn(userdata, 0, NULL, &answer);
	json_free(json);
}

void engine_check_provider(struct engine *engine, const char *id, engine_check_fn *fn, void *userdata)
{
	const struct engine_error error = {.text = "the provider says: no such key"};

	(void)engine;
	if (strcmp(id, "demo") == 0)
		fn(userdata, 0, NULL, "{\"account\":\"team@example.com\",\"plan\":\"pro\",\"balance\":\"41.20 USD\"}");
	else if (strcmp(id, "broken") == 0)
		fn(userdata, ENGINE_E_PROVIDER, &error, NULL);
	else if (strcmp(id, "locked") == 0)
		fn(userdata, ENGINE_E_CREDENTIAL, &(struct engine_error){.text = "the provider says: no such key"},
		   NULL);
	else if (strcmp(id, "away") == 0)
		fn(userdata, ENGINE_E_UNREACHABLE, &(struct engine_error){.text = "no route to it"}, NULL);
	else if (strcmp(id, "mute") == 0)
		fn(userdata, ENGINE_E_STATE, &error, NULL);
	else
		fn(userdata, ENGINE_E_NOT_FOUND, NULL, NULL);
}

void engine_get_usage(struct engine *engine, const struct store_usage_query *query, store_usage_fn *fn, void *userdata)
{
	const struct store_usage row = {.day = query->by_day ? query->from : 0,
					.currency = query->currency ? query->currency : "EUR",
					.name = query->dimension == LEDGER_OF_ALL ? "" : "maker",
					.value = query->dimension > LEDGER_OF_PROVIDER ? "clip" : "",
					.balance = {.reserved_micros = query->from, .spent_micros = query->to}};
	int outcome = query->from < 19900101 ? STORE_E_TOO_WIDE : query->from < 20000101 ? STORE_E_TOO_MUCH : 0;

	(void)engine;
	fn(userdata, outcome, &row, outcome ? 0 : 1);
}

void engine_list_ledger(struct engine *engine, const struct store_ledger_query *query, store_ledger_fn *fn,
			void *userdata)
{
	const struct ledger_entry entry = {.sequence = query->after + query->limit,
					   .kind = LEDGER_RESERVE,
					   .debit = LEDGER_RESERVED,
					   .credit = LEDGER_BUDGET,
					   .amount_micros = 5,
					   .day = 20261122,
					   .flags = LEDGER_IS_UNPRICED,
					   .ref = query->ref,
					   .provider = "maker",
					   .model = "clip",
					   .currency = "EUR"};

	(void)engine;
	fn(userdata, 0, &entry, 1, query->is_single);
}

void engine_end_reads(struct engine *engine)
{
	(void)engine;
}

void engine_check_ledger(struct engine *engine, uint32_t tenant, engine_ledger_check_fn *fn, void *userdata)
{
	static atomic_uint times;

	(void)engine;
	(void)tenant;
	if (atomic_fetch_add(&times, 1))
		fn(userdata, ENGINE_E_STATE, &(struct engine_error){.text = "it is being checked already"}, NULL);
	else
		fn(userdata, 0, NULL,
		   &(struct store_ledger_check){.entries = 1, .jobs = 2, .unbalanced = 3, .leaked = 4});
}
