#include "store/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static int64_t fixed_ms(void *userdata)
{
	return ((struct fixture *)userdata)->now_ms;
}

/* Each commit goes to its ticket; while held, the committer waits here. */
static void on_batch(void *userdata, struct store_commit *first)
{
	struct fixture *fixture = userdata;
	size_t n = 0;

	pthread_mutex_lock(&fixture->mutex);
	while (first) {
		struct store_commit *next = store_commit_next(first);
		struct ticket *ticket = store_commit_userdata(first);

		ticket->commit = first;
		first = next;
		n++;
	}
	fixture->n_batches++;
	if (n > fixture->largest_batch)
		fixture->largest_batch = n;
	pthread_cond_broadcast(&fixture->changed);
	while (fixture->is_held)
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	pthread_mutex_unlock(&fixture->mutex);
}

static void on_trouble(void *userdata, const struct store_commit *first)
{
	struct fixture *fixture = userdata;

	(void)first;
	pthread_mutex_lock(&fixture->mutex);
	fixture->n_troubles++;
	pthread_cond_broadcast(&fixture->changed);
	pthread_mutex_unlock(&fixture->mutex);
}

static void on_change(void *userdata)
{
	struct fixture *fixture = userdata;

	pthread_mutex_lock(&fixture->mutex);
	fixture->n_changes++;
	pthread_cond_broadcast(&fixture->changed);
	pthread_mutex_unlock(&fixture->mutex);
}

static struct store_config config_of(struct fixture *fixture)
{
	return (struct store_config){.path = fixture->path,
				     .must_exist = fixture->must_exist,
				     .clock = &fixture->clock,
				     .on_batch = on_batch,
				     .on_trouble = on_trouble,
				     .on_change = on_change,
				     .floor_bytes = fixture->floor_bytes,
				     .userdata = fixture};
}

void await_trouble(struct fixture *fixture, size_t n)
{
	pthread_mutex_lock(&fixture->mutex);
	while (fixture->n_troubles < n)
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	pthread_mutex_unlock(&fixture->mutex);
}

void await_health(struct fixture *fixture, bool is_healthy)
{
	pthread_mutex_lock(&fixture->mutex);
	while (store_is_healthy(fixture->store) != is_healthy)
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	pthread_mutex_unlock(&fixture->mutex);
}

void fixture_open(struct fixture *fixture)
{
	struct store_config config = config_of(fixture);
	struct errmsg msg = {""};
	int r = store_open(&config, &fixture->store, &msg);

	if (r)
		fail_msg("store_open: %d: %s", r, msg.text);
}

int fixture_try(struct fixture *fixture, struct errmsg *msg)
{
	struct store_config config = config_of(fixture);

	return store_open(&config, &fixture->store, msg);
}

int fixture_refuse(struct fixture *fixture, struct errmsg *msg)
{
	struct store_config config = config_of(fixture);
	struct store *store = NULL;
	int r = store_open(&config, &store, msg);

	assert_null(store);
	assert_int_not_equal(r, 0);
	return r;
}

void fixture_close(struct fixture *fixture)
{
	fixture->store = store_close(fixture->store);
}

void fixture_reopen(struct fixture *fixture)
{
	fixture_close(fixture);
	fixture_open(fixture);
}

int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(fixture);
	fixture->now_ms = FIXTURE_NOW;
	fixture->clock = (struct clock){.utc_ms = fixed_ms, .monotonic_ms = fixed_ms, .userdata = fixture};
	pthread_mutex_init(&fixture->mutex, NULL);
	pthread_cond_init(&fixture->changed, NULL);
	snprintf(fixture->folder, sizeof(fixture->folder), "%s/filmgate-store-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/store", fixture->folder);
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	release(fixture);
	fixture_close(fixture);
	fixture_remove(fixture->folder);
	pthread_cond_destroy(&fixture->changed);
	pthread_mutex_destroy(&fixture->mutex);
	free(fixture);
	return 0;
}

void submit(struct ticket *ticket, struct fixture *fixture, struct store_commit *commit)
{
	*ticket = (struct ticket){.fixture = fixture};
	assert_non_null(commit);
	store_submit(fixture->store, commit, ticket);
}

int await(struct ticket *ticket)
{
	struct fixture *fixture = ticket->fixture;

	pthread_mutex_lock(&fixture->mutex);
	while (!ticket->commit)
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	pthread_mutex_unlock(&fixture->mutex);
	return store_commit_outcome(ticket->commit);
}

void finish(struct ticket *ticket)
{
	ticket->commit = store_commit_free(ticket->commit);
}

int commit_now(struct fixture *fixture, struct store_commit *commit)
{
	struct ticket ticket;
	int r;

	submit(&ticket, fixture, commit);
	r = await(&ticket);
	finish(&ticket);
	return r;
}

/* An empty commit brings the committer to where it is held. */
void hold(struct fixture *fixture)
{
	static struct ticket ticket;

	pthread_mutex_lock(&fixture->mutex);
	fixture->is_held = true;
	pthread_mutex_unlock(&fixture->mutex);
	submit(&ticket, fixture, store_commit_new());
	await(&ticket);
	finish(&ticket);
}

void release(struct fixture *fixture)
{
	pthread_mutex_lock(&fixture->mutex);
	fixture->is_held = false;
	pthread_cond_broadcast(&fixture->changed);
	pthread_mutex_unlock(&fixture->mutex);
}

struct job_view make_job(struct fixture *fixture)
{
	struct job_view view = {.job = job_new(), .status = job_status_new()};
	char request_id[ID_TEXT_SIZE];

	assert_non_null(view.job);
	assert_non_null(view.status);
	fixture->now_ms++;
	view.job->ref = (struct job_ref){.tenant = JOB_TENANT_DEFAULT, .id = id_new(fixture->now_ms)};
	view.job->created_ms = fixture->now_ms;
	view.job->deadline_ms = fixture->now_ms + 3600000;
	id_format(&view.job->ref.id, request_id);
	view.job->request_digest = digest_of(bytes_of_text(request_id));
	assert_int_equal(job_set_text(&view.job->request_id, request_id), 0);
	assert_int_equal(job_set_text(&view.job->provider, "heygen"), 0);
	assert_int_equal(job_set_text(&view.job->model, "avatar"), 0);
	assert_int_equal(job_set_text(&view.job->parameters, "{\"script\":{\"text\":\"Hello\"}}"), 0);
	job_touch(view.status, fixture->now_ms);
	return view;
}

struct store_commit *creation(const struct job_view *view)
{
	struct store_commit *commit = store_commit_new();

	assert_non_null(commit);
	store_commit_expect_revision(commit, &view->job->ref, 0);
	assert_int_equal(store_commit_claim_request(commit, view->job), 0);
	assert_int_equal(store_commit_put_job(commit, view->job), 0);
	assert_int_equal(store_commit_put_status(commit, view->job, NULL, view->status), 0);
	assert_int_equal(store_commit_put_event(commit, JOB_EVENT_CREATED, view->job, view->status), 0);
	return commit;
}

struct job_view put_job(struct fixture *fixture)
{
	struct job_view view = make_job(fixture);

	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	return view;
}

struct store_commit *revision(struct fixture *fixture, struct job_view *view, change_fn *change, void *userdata)
{
	struct job_index before = store_index_of(view->job, view->status);
	struct store_commit *commit = store_commit_new();

	assert_non_null(commit);
	store_commit_expect_revision(commit, &view->job->ref, view->status->revision);
	fixture->now_ms++;
	if (change)
		change(view->status, userdata);
	job_touch(view->status, fixture->now_ms);
	assert_int_equal(store_commit_put_status(commit, view->job, &before, view->status), 0);
	assert_int_equal(store_commit_put_event(commit, JOB_EVENT_STATE, view->job, view->status), 0);
	return commit;
}

static void set_state(struct job_status *status, void *userdata)
{
	status->state = *(enum job_state *)userdata;
}

void move(struct fixture *fixture, struct job_view *view, enum job_state to)
{
	assert_int_equal(commit_now(fixture, revision(fixture, view, set_state, &to)), 0);
}

struct store_commit *deletion(struct fixture *fixture, struct job_view *view)
{
	struct job_index before = store_index_of(view->job, view->status);
	struct store_commit *commit = store_commit_new();

	assert_non_null(commit);
	store_commit_expect_revision(commit, &view->job->ref, view->status->revision);
	fixture->now_ms++;
	job_touch(view->status, fixture->now_ms);
	assert_int_equal(store_commit_delete_job(commit, view->job, &before, view->status), 0);
	assert_int_equal(store_commit_put_event(commit, JOB_EVENT_DELETED, view->job, view->status), 0);
	return commit;
}

static void expect_answer(struct answer *answer)
{
	*answer = (struct answer){.outcome = INT_MIN};
	pthread_mutex_init(&answer->mutex, NULL);
	pthread_cond_init(&answer->changed, NULL);
}

static void await_answer(struct answer *answer)
{
	pthread_mutex_lock(&answer->mutex);
	while (!answer->is_there)
		pthread_cond_wait(&answer->changed, &answer->mutex);
	pthread_mutex_unlock(&answer->mutex);
}

static void answered(struct answer *answer, int outcome)
{
	pthread_mutex_lock(&answer->mutex);
	answer->outcome = outcome;
	answer->is_there = true;
	pthread_cond_signal(&answer->changed);
	pthread_mutex_unlock(&answer->mutex);
}

static void *copy_of(const void *data, size_t size)
{
	char *copy = malloc(size + 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

static void on_job(void *userdata, int outcome, struct job_view *take)
{
	struct answer *answer = userdata;

	if (take)
		answer->view = *take;
	answered(answer, outcome);
}

static void on_list(void *userdata, int outcome, struct job_view *views, size_t n, struct id scanned_to, bool more)
{
	struct answer *answer = userdata;

	answer->views = copy_of(views, n * sizeof(*views));
	answer->n = n;
	answer->scanned_to = scanned_to;
	answer->flag = more;
	answered(answer, outcome);
}

static void on_events(void *userdata, int outcome, const struct store_event *events, size_t n, uint64_t tail)
{
	struct answer *answer = userdata;

	answer->events = copy_of(events, n * sizeof(*events));
	for (size_t i = 0; i < n; i++)
		answer->events[i].record.data = copy_of(events[i].record.data, events[i].record.len);
	answer->n = n;
	answer->tail = tail;
	answered(answer, outcome);
}

static void on_queued(void *userdata, int outcome, const struct store_queued *queued, size_t n, int64_t next_wake_ms)
{
	struct answer *answer = userdata;

	answer->queued = copy_of(queued, n * sizeof(*queued));
	answer->n = n;
	answer->next_wake_ms = next_wake_ms;
	answered(answer, outcome);
}

static void on_reply(void *userdata, int outcome, struct bytes meta, struct bytes body)
{
	struct answer *answer = userdata;

	answer->meta = copy_of(meta.data, meta.len);
	answer->body = copy_of(body.data, body.len);
	answer->body_len = body.len;
	answered(answer, outcome);
}

void get_job(struct fixture *fixture, const struct job_ref *ref, struct answer *answer)
{
	expect_answer(answer);
	store_get_job(fixture->store, ref, on_job, answer);
	await_answer(answer);
}

void list_jobs(struct fixture *fixture, const struct store_list_query *query, struct answer *answer)
{
	expect_answer(answer);
	store_list_jobs(fixture->store, query, on_list, answer);
	await_answer(answer);
}

void events_of_job(struct fixture *fixture, const struct job_ref *ref, uint64_t after, struct answer *answer)
{
	expect_answer(answer);
	store_events_of_job(fixture->store, ref, after, 0, on_events, answer);
	await_answer(answer);
}

void events_since(struct fixture *fixture, uint32_t tenant, uint64_t after, uint32_t limit, struct answer *answer)
{
	expect_answer(answer);
	store_events_since(fixture->store, tenant, after, limit, on_events, answer);
	await_answer(answer);
}

void scan_queue(struct fixture *fixture, const char *provider, int64_t now_ms, uint32_t limit, struct answer *answer)
{
	expect_answer(answer);
	store_scan_queue(fixture->store, provider, now_ms, limit, on_queued, answer);
	await_answer(answer);
}

void scan_deadlines(struct fixture *fixture, int64_t now_ms, uint32_t limit, struct answer *answer)
{
	expect_answer(answer);
	store_scan_deadlines(fixture->store, now_ms, limit, on_queued, answer);
	await_answer(answer);
}

void get_reply(struct fixture *fixture, const struct job_ref *ref, uint32_t attempt, uint32_t send,
	       struct answer *answer)
{
	expect_answer(answer);
	store_get_reply(fixture->store, ref, attempt, send, on_reply, answer);
	await_answer(answer);
}

static void on_request(void *userdata, int outcome, const struct store_request *found)
{
	struct answer *answer = userdata;

	if (found)
		answer->request = *found;
	answered(answer, outcome);
}

void get_request(struct fixture *fixture, uint32_t tenant, const char *request_id, struct answer *answer)
{
	expect_answer(answer);
	store_get_request(fixture->store, tenant, request_id, on_request, answer);
	await_answer(answer);
}

bool is_referenced(struct fixture *fixture, const struct digest *sha256)
{
	bool flag;

	assert_int_equal(store_is_referenced(fixture->store, sha256, &flag), 0);
	return flag;
}

void free_answer(struct answer *answer)
{
	job_view_finish(&answer->view);
	for (size_t i = 0; answer->views && i < answer->n; i++)
		job_view_finish(&answer->views[i]);
	for (size_t i = 0; answer->events && i < answer->n; i++)
		free((void *)answer->events[i].record.data);
	free(answer->views);
	free(answer->events);
	free(answer->queued);
	free(answer->meta);
	free(answer->body);
	pthread_cond_destroy(&answer->changed);
	pthread_mutex_destroy(&answer->mutex);
}

static void assert_same_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_ptr_equal(a, b);
}

static void assert_same_quote(const struct job_quote *a, const struct job_quote *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->unit, b->unit);
	assert_int_equal(a->unit_micros, b->unit_micros);
	assert_int_equal(a->amount_micros, b->amount_micros);
	assert_int_equal(a->length_ms, b->length_ms);
	assert_int_equal(a->samples, b->samples);
	assert_same_text(a->currency, b->currency);
	assert_same_text(a->rule, b->rule);
	assert_same_text(a->as_of, b->as_of);
}

void assert_same_job(const struct job *a, const struct job *b)
{
	assert_true(job_ref_equal(&a->ref, &b->ref));
	assert_same_text(a->request_id, b->request_id);
	assert_memory_equal(&a->request_digest, &b->request_digest, sizeof(a->request_digest));
	assert_same_text(a->provider, b->provider);
	assert_same_text(a->model, b->model);
	assert_same_text(a->parameters, b->parameters);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->deadline_ms, b->deadline_ms);
	assert_int_equal(a->patience_ms, b->patience_ms);
	assert_int_equal(a->on_uncertain, b->on_uncertain);
	assert_int_equal(a->not_before_ms, b->not_before_ms);
	assert_int_equal(a->retry_if_uncharged, b->retry_if_uncharged);
	assert_int_equal(a->on_mismatch, b->on_mismatch);
	assert_memory_equal(&a->retry_of, &b->retry_of, sizeof(a->retry_of));
	assert_same_quote(&a->quote, &b->quote);
	assert_int_equal(a->route, b->route);
	assert_int_equal(a->n_routes, b->n_routes);
	for (size_t i = 0; i < a->n_routes; i++) {
		assert_same_text(a->routes[i].provider, b->routes[i].provider);
		assert_same_text(a->routes[i].model, b->routes[i].model);
		assert_same_text(a->routes[i].parameters, b->routes[i].parameters);
		assert_same_quote(&a->routes[i].quote, &b->routes[i].quote);
	}
	assert_same_text(a->unknown, b->unknown);
}

static void assert_same_cost(const struct job_cost *a, const struct job_cost *b)
{
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->amount_micros, b->amount_micros);
	assert_int_equal(a->is_provisional, b->is_provisional);
	assert_same_text(a->currency, b->currency);
	assert_same_text(a->unknown, b->unknown);
}

static void assert_same_failure(const struct job_failure *a, const struct job_failure *b)
{
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->purchase, b->purchase);
	assert_same_text(a->message, b->message);
	assert_same_text(a->provider_code, b->provider_code);
	assert_same_text(a->provider_message, b->provider_message);
	assert_same_text(a->provider_request_id, b->provider_request_id);
	assert_same_text(a->unknown, b->unknown);
}

static void assert_same_lists(const struct job_status *a, const struct job_status *b)
{
	assert_int_equal(a->n_attempts, b->n_attempts);
	for (size_t i = 0; i < a->n_attempts; i++) {
		assert_int_equal(a->attempts[i].number, b->attempts[i].number);
		assert_int_equal(a->attempts[i].started_ms, b->attempts[i].started_ms);
		assert_int_equal(a->attempts[i].ended_ms, b->attempts[i].ended_ms);
		assert_same_failure(&a->attempts[i].failure, &b->attempts[i].failure);
		assert_same_text(a->attempts[i].provider, b->attempts[i].provider);
		assert_same_text(a->attempts[i].model, b->attempts[i].model);
		assert_same_text(a->attempts[i].unknown, b->attempts[i].unknown);
	}
	assert_int_equal(a->n_remotes, b->n_remotes);
	for (size_t i = 0; i < a->n_remotes; i++) {
		assert_int_equal(a->remotes[i].attempt, b->remotes[i].attempt);
		assert_int_equal(a->remotes[i].index, b->remotes[i].index);
		assert_same_text(a->remotes[i].id, b->remotes[i].id);
		assert_same_text(a->remotes[i].kind, b->remotes[i].kind);
		assert_same_text(a->remotes[i].unknown, b->remotes[i].unknown);
	}
}

static void assert_same_sends(const struct job_status *a, const struct job_status *b)
{
	assert_int_equal(a->n_sends, b->n_sends);
	for (size_t i = 0; i < a->n_sends; i++) {
		const struct job_send *x = &a->sends[i], *y = &b->sends[i];

		assert_int_equal(x->attempt, y->attempt);
		assert_int_equal(x->number, y->number);
		assert_int_equal(x->class, y->class);
		assert_int_equal(x->created_ms, y->created_ms);
		assert_int_equal(x->decided_ms, y->decided_ms);
		assert_int_equal(x->http_status, y->http_status);
		assert_same_text(x->idempotency_key, y->idempotency_key);
		assert_same_text(x->base_url, y->base_url);
		assert_memory_equal(&x->fingerprint, &y->fingerprint, sizeof(x->fingerprint));
		assert_memory_equal(&x->account, &y->account, sizeof(x->account));
		assert_int_equal(x->key_window_ms, y->key_window_ms);
		assert_same_text(x->unknown, y->unknown);
	}
}

static void assert_same_artifacts(const struct job_status *a, const struct job_status *b)
{
	assert_int_equal(a->n_artifacts, b->n_artifacts);
	for (size_t i = 0; i < a->n_artifacts; i++) {
		const struct job_artifact *x = &a->artifacts[i], *y = &b->artifacts[i];

		assert_int_equal(x->index, y->index);
		assert_same_text(x->role, y->role);
		assert_int_equal(x->sample, y->sample);
		assert_same_text(x->language, y->language);
		assert_same_text(x->media_type, y->media_type);
		assert_int_equal(x->size_bytes, y->size_bytes);
		assert_memory_equal(&x->sha256, &y->sha256, sizeof(x->sha256));
		assert_int_equal(x->duration_ms, y->duration_ms);
		assert_int_equal(x->width, y->width);
		assert_int_equal(x->height, y->height);
		assert_int_equal(x->frame_rate_millihertz, y->frame_rate_millihertz);
		assert_int_equal(x->sound, y->sound);
		assert_int_equal(x->is_looked_at, y->is_looked_at);
		assert_int_equal(x->black_ms, y->black_ms);
		assert_int_equal(x->frozen_ms, y->frozen_ms);
		assert_int_equal(x->created_ms, y->created_ms);
		assert_same_text(x->unknown, y->unknown);
	}
}

static void assert_same_scalars(const struct job_status *a, const struct job_status *b)
{
	assert_int_equal(a->revision, b->revision);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->updated_ms, b->updated_ms);
	assert_int_equal(a->started_ms, b->started_ms);
	assert_int_equal(a->finished_ms, b->finished_ms);
	assert_int_equal(a->priority, b->priority);
	assert_int_equal(a->wait, b->wait);
	assert_int_equal(a->wait_until_ms, b->wait_until_ms);
	assert_int_equal(a->retries, b->retries);
	assert_int_equal(a->progress_percent, b->progress_percent);
	assert_int_equal(a->queue_position, b->queue_position);
	assert_int_equal(a->cancel_requested_ms, b->cancel_requested_ms);
	assert_int_equal(a->cancel_outcome, b->cancel_outcome);
	assert_int_equal(a->phase, b->phase);
	assert_int_equal(a->reconciles, b->reconciles);
	assert_int_equal(a->misses, b->misses);
}

void assert_same_status(const struct job_status *a, const struct job_status *b)
{
	assert_same_scalars(a, b);
	assert_same_text(a->display_name, b->display_name);
	assert_same_text(a->remote_state, b->remote_state);
	assert_same_text(a->plugin_state, b->plugin_state);
	assert_int_equal(a->plugin_state_version, b->plugin_state_version);
	assert_same_text(a->outputs, b->outputs);
	assert_int_equal(a->delivered_ms, b->delivered_ms);
	assert_same_text(a->unknown, b->unknown);
	assert_same_failure(&a->failure, &b->failure);
	assert_same_cost(&a->cost, &b->cost);
	assert_int_equal(a->n_notes, b->n_notes);
	for (size_t i = 0; i < a->n_notes; i++) {
		assert_int_equal(a->notes[i].severity, b->notes[i].severity);
		assert_same_text(a->notes[i].field, b->notes[i].field);
		assert_same_text(a->notes[i].message, b->notes[i].message);
		assert_same_text(a->notes[i].from, b->notes[i].from);
		assert_same_text(a->notes[i].to, b->notes[i].to);
	}
	assert_int_equal(a->n_mismatches, b->n_mismatches);
	for (size_t i = 0; i < a->n_mismatches; i++) {
		assert_int_equal(a->mismatches[i].artifact, b->mismatches[i].artifact);
		assert_same_text(a->mismatches[i].field, b->mismatches[i].field);
		assert_same_text(a->mismatches[i].ordered, b->mismatches[i].ordered);
		assert_same_text(a->mismatches[i].produced, b->mismatches[i].produced);
		assert_same_text(a->mismatches[i].message, b->mismatches[i].message);
	}
	assert_int_equal(a->n_labels, b->n_labels);
	for (size_t i = 0; i < a->n_labels; i++) {
		assert_same_text(a->labels[i].key, b->labels[i].key);
		assert_same_text(a->labels[i].value, b->labels[i].value);
	}
	assert_int_equal(a->n_missing, b->n_missing);
	for (size_t i = 0; i < a->n_missing; i++)
		assert_same_text(a->missing[i], b->missing[i]);
	assert_same_lists(a, b);
	assert_same_sends(a, b);
	assert_same_artifacts(a, b);
}

static void copy_file(const char *from, const char *to)
{
	char block[65536];
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		assert_int_equal(fwrite(block, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

void copy_store(struct fixture *fixture, char path[static PATH_MAX])
{
	char from[2 * PATH_MAX], to[2 * PATH_MAX];
	struct dirent *entry;
	DIR *folder;

	assert_true(snprintf(path, PATH_MAX, "%s/copy", fixture->folder) < PATH_MAX);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(to, sizeof(to), "%s/records", path);
	assert_int_equal(mkdir(to, 0700), 0);
	snprintf(from, sizeof(from), "%s/records", fixture->path);
	folder = opendir(from);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(from, sizeof(from), "%s/records/%s", fixture->path, entry->d_name);
		snprintf(to, sizeof(to), "%s/records/%s", path, entry->d_name);
		copy_file(from, to);
	}
	closedir(folder);
}

size_t find_files(const char *path, const char *ending, char file[static PATH_MAX])
{
	char records[PATH_MAX + 64], found[2 * PATH_MAX];
	struct dirent *entry;
	DIR *folder;
	size_t n = 0;

	snprintf(records, sizeof(records), "%s/records", path);
	folder = opendir(records);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		size_t len = strlen(entry->d_name);

		if (len < strlen(ending) || strcmp(entry->d_name + len - strlen(ending), ending) != 0)
			continue;
		snprintf(found, sizeof(found), "%s/%s", records, entry->d_name);
		if (n++ == 0 || strcmp(found, file) < 0)
			assert_true(snprintf(file, PATH_MAX, "%s", found) < PATH_MAX);
	}
	closedir(folder);
	return n;
}

void only_file(const char *path, const char *ending, char file[static PATH_MAX])
{
	assert_int_equal(find_files(path, ending, file), 1);
}
