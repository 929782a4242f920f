/*
 * Adoption: what is in a provider's account, and no job's, becomes one. It was bought elsewhere, so nothing is sent or posted
 * for it; it begins as RUNNING, and from there goes the way of every video.
 *
 * Only what the provider's list shows is adopted, found page by page: that it is there, and since when, is then known. Two
 * jobs of one video would be worse than none, so its owner is looked for in the store, among the jobs in memory, and by the
 * committer, who knows last. An order of about its time that nobody knows the outcome of may have made it; while its job
 * can still find out, a person says so, or says otherwise (is_forced).
 */
#include "engine/listing.h"

#include "engine/run.h"
#include "engine/trouble.h"

#include "base/json.h"
#include "base/quote.h"

struct adoption {
	struct submission submission;
	struct loop_message message;
	struct engine *engine;
	struct lane *lane;
	struct entry *entry; /* whose commit is under way */
	char *request_id, *remote_id, *model, *display_name;
	struct job_status *labelled; /* its labels alone */
	uint32_t tenant;
	bool has_request_id, is_forced;
	struct digest digest; /* of the request */
	/* The way through the list. */
	char *page;
	uint32_t pages;
	uint64_t seen;
	struct listing_page listed; /* the page that has it */
	const struct listed *item;
	/* What the store says. */
	int outcome;
	struct store_owner owner;
	bool has_doubt, is_unclear;
	struct job_ref doubt;
	struct job_ref existing; /* the job that owns the request id */
	engine_job_fn *fn;
	void *userdata;
};

static void free_adoption(struct adoption *adoption)
{
	listing_page_finish(&adoption->listed);
	job_status_free(adoption->labelled);
	free(adoption->request_id);
	free(adoption->remote_id);
	free(adoption->model);
	free(adoption->display_name);
	free(adoption->page);
	free(adoption);
}

static void refuse_with(struct adoption *take, int outcome, const struct engine_error *error)
{
	take->fn(take->userdata, outcome, error, &(struct job_view){0}, false);
	free_adoption(take);
}

static void refuse(struct adoption *take, int outcome, const char *text)
{
	refuse_with(take, outcome, &(struct engine_error){.text = text});
}

static void refuse_field(struct adoption *take, const char *field, const char *text)
{
	struct engine_violation violation = {.field = field, .text = text};

	refuse_with(take, ENGINE_E_INVALID,
		    &(struct engine_error){.text = text, .violations = &violation, .n_violations = 1});
}

static void refuse_unread(struct adoption *take, int outcome)
{
	struct errmsg why, words;

	explain_unreadable(outcome, &why);
	errmsg_set(&words, "whose '%s' is could not be read: %.300s; nothing was adopted", quote(take->remote_id).text,
		   why.text);
	refuse(take, ENGINE_E_STORE, words.text);
}

/* ---- a request that was made before ---- */

/* [reader thread] */
static void on_existing(void *userdata, int outcome, struct job_view *take)
{
	struct adoption *adoption = userdata;
	struct engine_error error;
	struct errmsg words;

	if (outcome == 0) {
		adoption->fn(adoption->userdata, 0, NULL, take, true);
		free_adoption(adoption);
	} else if (outcome == STORE_E_NOT_FOUND) {
		refuse(adoption, ENGINE_E_JOB_DELETED,
		       "this request id made a job that has been deleted; use a new one to make another");
	} else {
		outcome = explain_unread_job(&adoption->existing, outcome, &words, &error);
		refuse_with(adoption, outcome, &error);
	}
}

static void answer_existing(struct adoption *take, const struct store_request *found)
{
	if (found->deleted) {
		refuse(take, ENGINE_E_JOB_DELETED,
		       "this request id made a job that has been deleted; use a new one to make another");
	} else if (memcmp(&found->digest, &take->digest, sizeof(found->digest)) != 0) {
		refuse(take, ENGINE_E_REQUEST_REUSED,
		       "this request id was used with a different request; use a new one, or repeat the first request exactly");
	} else if (atomic_load(&take->engine->phase) == ENGINE_PHASE_STOPPED) {
		refuse(take, ENGINE_E_DRAINING, ENGINE_DRAINING);
	} else {
		take->existing = found->ref;
		store_get_job(take->engine->store, &found->ref, on_existing, take);
	}
}

/* ---- whose it is ---- */

static void refuse_owned(struct adoption *take, const struct job_ref *owner)
{
	bool is_shown = owner->tenant == take->tenant;
	struct errmsg words;

	errmsg_set(&words, "'%s' is the video of %s already", quote(take->remote_id).text,
		   is_shown ? log_id(owner) : "another job");
	refuse_with(take, ENGINE_E_OWNED,
		    &(struct engine_error){.text = words.text, .job = is_shown ? &owner->id : NULL});
}

static void refuse_deleted(struct adoption *take)
{
	struct errmsg words;

	errmsg_set(&words,
		   "'%s' was the video of %s, which was deleted here; if it is to be a job again, adopt it with force",
		   quote(take->remote_id).text, log_id(&take->owner.ref));
	refuse_with(take, ENGINE_E_STATE, &(struct engine_error){.text = words.text, .job = &take->owner.ref.id});
}

static void refuse_doubt(struct adoption *take)
{
	char id[ID_TEXT_SIZE];
	struct errmsg words;

	if (!take->has_doubt) {
		errmsg_set(&words,
			   "more orders than can be looked through may have made '%s', of whose outcome nobody knows; "
			   "see 'filmgate list --uncertain', and adopt it with force if it is none of theirs",
			   quote(take->remote_id).text);
		refuse(take, ENGINE_E_STATE, words.text);
		return;
	}
	id_format(&take->doubt.id, id);
	errmsg_set(&words,
		   "'%s' may be what jobs/%s ordered, of which nobody knows yet what came of it: if it is, run "
		   "'filmgate resolve %s --found' with its id once the job is UNCERTAIN; if not, adopt it with force",
		   quote(take->remote_id).text, id, id);
	refuse_with(take, ENGINE_E_STATE, &(struct engine_error){.text = words.text, .job = &take->doubt.id});
}

/* ---- the job ---- */

static char *clean_title(const char *title)
{
	struct buffer clean = {0};

	for (size_t at = 0, len = strlen(title), n; at < len; at += n) {
		struct bytes rest = bytes_of(title + at, len - at);

		for (n = 1; n < rest.len && ((unsigned char)title[at + n] & 0xc0) == 0x80;)
			n++;
		if (clean.len + n > LIMIT_ENGINE_TITLE)
			break;
		if (!quote_hidden(rest) && buffer_append(&clean, title + at, n) < 0)
			abort();
	}
	return clean.data;
}

static struct job *make_job(const struct adoption *adoption)
{
	struct job *job = job_new();
	char text[ID_TEXT_SIZE];

	if (!job)
		abort();
	job->ref.tenant = adoption->tenant;
	job->created_ms = now_utc(adoption->engine);
	job->ref.id = id_new(job->created_ms);
	job->patience_ms = adoption->lane->config->default_timeout_ms;
	job->deadline_ms = job->created_ms + job->patience_ms;
	id_format(&job->ref.id, text);
	job->request_id = take_text(adoption->has_request_id ? adoption->request_id : text);
	job->request_digest = adoption->digest;
	job->provider = take_text(adoption->lane->config->id);
	job->model = take_text(adoption->model);
	job->parameters = take_text("{}");
	job->is_adopted = true;
	return job;
}

static struct job_status *make_status(const struct adoption *adoption, const struct job *job)
{
	struct job_status *status = job_status_new();
	struct job_remote *remote;

	if (!status || job_begin_adopted(status, job->created_ms) < 0 ||
	    job_set_labels(status, adoption->labelled->labels, adoption->labelled->n_labels) < 0)
		abort();
	status->epoch = store_epoch(adoption->engine->store);
	job_current_attempt(status)->account = adoption->lane->config->account_digest;
	status->display_name = *adoption->display_name ? take_text(adoption->display_name)
						       : clean_title(adoption->item->title);
	remote = job_add_remote(status);
	if (!remote || job_set_text(&remote->id, adoption->remote_id) < 0 ||
	    job_set_text(&remote->kind, *adoption->item->kind ? adoption->item->kind : NULL) < 0 ||
	    job_set_text(&status->remote_state, *adoption->item->status ? adoption->item->status : NULL) < 0 ||
	    job_add_note(status, JOB_NOTE_INFO, "", "bought elsewhere and adopted: its cost is not counted here", "",
			 "") < 0)
		abort();
	remote->attempt = 1;
	remote->index = 1;
	return status;
}

static void forget(struct adoption *adoption)
{
	entry_forget(steal(adoption->entry));
}

static void refuse_trouble(struct adoption *adoption)
{
	struct errmsg why;

	trouble_explain(adoption->engine, &why);
	refuse(adoption, ENGINE_E_STORE, why.text);
}

static void say_no_more(void *userdata, int outcome, const struct engine_error *error, struct job_view *take,
			bool is_replayed)
{
	(void)userdata;
	(void)outcome;
	(void)error;
	(void)is_replayed;
	job_view_finish(take);
}

/* [committer thread] If it turns out to be on disk, whoever asks again finds it. */
static void on_delayed(struct submission *submission)
{
	struct adoption *adoption = (struct adoption *)(void *)submission;
	struct errmsg why;

	trouble_explain(adoption->engine, &why);
	adoption->fn(adoption->userdata, ENGINE_E_STORE, &(struct engine_error){.text = why.text},
		     &(struct job_view){0}, false);
	adoption->fn = say_no_more;
}

/* [engine thread] */
static void on_committed(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct adoption *adoption = (struct adoption *)(void *)submission;
	struct entry *entry = adoption->entry;
	int outcome = store_commit_outcome(commit);
	struct job_view view;

	if (outcome == 0) {
		entry_view(entry, &view);
		adoption->fn(adoption->userdata, 0, NULL, &view, false);
		free_adoption(adoption);
		if (atomic_load(&engine->phase) == ENGINE_PHASE_STOPPED)
			return;
		entry->is_committing = false;
		metric_add(&entry->lane->figures.accepted, 1);
		metric_add(&entry->lane->figures.jobs[JOB_STATE_RUNNING], 1);
		deadline_notice(engine, job_deadline_ms(entry->job, entry->status));
		run_resume(entry);
		entry_pump(entry);
		return;
	}
	forget(adoption);
	if (outcome == STORE_E_OWNED)
		refuse_owned(adoption, store_commit_owner(commit));
	else if (outcome == STORE_E_REQUEST_EXISTS)
		answer_existing(adoption, store_commit_found(commit));
	else
		refuse_trouble(adoption);
}

static void submit(struct adoption *adoption)
{
	const struct entry *entry = adoption->entry;
	const struct digest place = send_place_of(adoption->lane->config->base_url);
	struct store_commit *commit = store_commit_new();

	if (!commit)
		abort();
	store_commit_expect_revision(commit, &entry->ref, 0);
	store_commit_expect_unowned(commit, &place, adoption->remote_id);
	store_commit_claim_request(commit, entry->job);
	store_commit_put_job(commit, entry->job);
	store_commit_put_status(commit, entry->job, NULL, entry->status);
	store_commit_put_attempt(commit, &entry->ref, job_current_attempt(entry->status));
	store_commit_put_remote(commit, &entry->ref, &entry->status->remotes[0]);
	store_commit_put_owner(commit, &entry->ref, &place, adoption->remote_id);
	store_commit_put_event(commit, JOB_EVENT_CREATED, entry->job, entry->status);
	adoption->submission.on_delayed = on_delayed;
	adoption->submission.on_committed = on_committed;
	store_submit(adoption->engine->store, commit, &adoption->submission);
}

/* The same request has come twice, and the first has got that far already: the committer says so, or takes this one. */
static bool is_repeat_of(const struct adoption *adoption, const struct job_ref *owner)
{
	const struct entry *entry = entry_find(adoption->engine, owner);

	return adoption->has_request_id && entry && entry->job && owner->tenant == adoption->tenant &&
	       strcmp(entry->job->request_id, adoption->request_id) == 0;
}

/* The job is in memory before it is on disk: who looks there for the owner finds it at once. */
static void begin(struct adoption *adoption)
{
	struct job_view view = {.job = make_job(adoption)};
	const struct job_ref *owner;

	view.status = make_status(adoption, view.job);
	job_status_check(view.status);
	adoption->entry = entry_adopt(adoption->engine, &view);
	owner = reconcile_find_owner(adoption->entry, adoption->remote_id);
	if (owner && !is_repeat_of(adoption, owner)) {
		struct job_ref ref = *owner;

		forget(adoption);
		refuse_owned(adoption, &ref);
		return;
	}
	adoption->entry->is_committing = true;
	submit(adoption);
}

static void on_known(struct loop_message *message)
{
	struct adoption *adoption = loop_message_owner(message, struct adoption, message);

	if (atomic_load(&adoption->engine->phase) != ENGINE_PHASE_SERVING)
		refuse(adoption, ENGINE_E_DRAINING, ENGINE_DRAINING);
	else if (adoption->outcome != 0)
		refuse_unread(adoption, adoption->outcome);
	else if (adoption->owner.is_known && is_repeat_of(adoption, &adoption->owner.ref))
		begin(adoption);
	else if (adoption->owner.is_known && !adoption->owner.is_deleted)
		refuse_owned(adoption, &adoption->owner.ref);
	else if (adoption->owner.is_known && !adoption->is_forced)
		refuse_deleted(adoption);
	else if ((adoption->has_doubt || adoption->is_unclear) && !adoption->is_forced)
		refuse_doubt(adoption);
	else
		begin(adoption);
}

static void know(struct adoption *adoption)
{
	adoption->message.run = on_known;
	loop_post(adoption->engine->loop, &adoption->message);
}

/* [reader thread] Only who can still find out is waited for: an order that was given up may have made it as well. */
static void on_doubts(void *userdata, int outcome, const struct store_order *orders, size_t n, bool has_left_out)
{
	struct adoption *adoption = userdata;

	adoption->outcome = outcome;
	adoption->is_unclear = has_left_out;
	for (size_t i = 0; i < n; i++) {
		bool is_open = orders[i].state == JOB_STATE_STARTING || orders[i].state == JOB_STATE_UNCERTAIN;

		if (!is_open || !listing_may_be_of(adoption->item, &orders[i]))
			continue;
		adoption->has_doubt = true;
		adoption->doubt = orders[i].ref;
	}
	know(adoption);
}

/* [reader thread] */
static void on_owners(void *userdata, int outcome, const struct store_owner *owners, size_t n)
{
	struct adoption *adoption = userdata;
	struct store_orders_query doubts;

	adoption->outcome = outcome;
	if (outcome == 0 && n == 1)
		adoption->owner = owners[0];
	if (outcome != 0 || (adoption->owner.is_known && !adoption->owner.is_deleted)) {
		know(adoption);
		return;
	}
	doubts = listing_doubts(adoption->lane, adoption->item, 1, now_utc(adoption->engine));
	store_find_orders(adoption->engine->store, &doubts, on_doubts, adoption);
}

static void find_owner(struct adoption *adoption)
{
	const char *const *id = (const char *const *)&adoption->remote_id;
	struct store_owners_query query = {.place = send_place_of(adoption->lane->config->base_url),
					   .provider = adoption->lane->config->id,
					   .remote_ids = id,
					   .n = 1};

	store_find_owners(adoption->engine->store, &query, on_owners, adoption);
}

/* ---- the way through the list ---- */

static void look(struct adoption *adoption);

static void refuse_unlisted(struct adoption *take, bool is_whole)
{
	struct errmsg words;

	errmsg_set(&words, "'%s' is not among the %llu videos %s provider '%.64s' lists; nothing was adopted",
		   quote(take->remote_id).text, (unsigned long long)take->seen,
		   is_whole ? "that the" : "of the first pages that the", take->lane->config->id);
	refuse_field(take, "remote_id", words.text);
}

static const struct listed *find_item(const struct listing_page *page, const char *remote_id)
{
	for (size_t i = 0; i < page->n; i++)
		if (strcmp(page->items[i].remote_id, remote_id) == 0)
			return &page->items[i];
	return NULL;
}

static void turn_page(struct adoption *adoption, struct listing_page *page)
{
	char *next = take_text(page->next);

	listing_page_finish(page);
	free(adoption->page);
	adoption->page = next;
	if (next && ++adoption->pages < LIMIT_ENGINE_LISTING_PAGES)
		look(adoption);
	else
		refuse_unlisted(adoption, !next);
}

static void on_listed(void *userdata, int outcome, const char *text, struct listing_page *take)
{
	struct adoption *adoption = userdata;

	if (outcome != 0) {
		refuse(adoption, outcome, text);
		return;
	}
	if (atomic_load(&adoption->engine->phase) != ENGINE_PHASE_SERVING) {
		listing_page_finish(take);
		refuse(adoption, ENGINE_E_DRAINING, ENGINE_DRAINING);
		return;
	}
	adoption->seen += take->n;
	adoption->item = find_item(take, adoption->remote_id);
	if (!adoption->item) {
		turn_page(adoption, take);
		return;
	}
	adoption->listed = *take;
	find_owner(adoption);
}

static void look(struct adoption *adoption)
{
	listing_fetch(adoption->lane, adoption->page, on_listed, adoption);
}

static void on_begin(struct loop_message *message)
{
	look(loop_message_owner(message, struct adoption, message));
}

static void start_looking(struct adoption *adoption)
{
	adoption->message.run = on_begin;
	loop_post(adoption->engine->loop, &adoption->message);
}

/* [reader thread] */
static void on_request(void *userdata, int outcome, const struct store_request *found)
{
	struct adoption *adoption = userdata;

	if (outcome == 0)
		answer_existing(adoption, found);
	else if (outcome == STORE_E_NOT_FOUND)
		start_looking(adoption);
	else
		refuse(adoption, ENGINE_E_STORE,
		       "the request id could not be looked up in the store; see the daemon's log");
}

/* ---- the request ---- */

static struct digest digest_request(const struct adoption *adoption)
{
	const char *const texts[] = {"filmgate.adoption/1", adoption->lane->config->id, adoption->remote_id,
				     adoption->model, adoption->display_name};
	_cleanup_(buffer_finish) struct buffer all = {0};
	const struct job_status *labelled = adoption->labelled;
	int r = 0;

	/* Each with the zero behind it, so that no two requests read the same. */
	for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		r = buffer_append(&all, texts[i], strlen(texts[i]) + 1);
	for (size_t i = 0; r == 0 && i < labelled->n_labels; i++) {
		r = buffer_append(&all, labelled->labels[i].key, strlen(labelled->labels[i].key) + 1);
		if (r == 0)
			r = buffer_append(&all, labelled->labels[i].value, strlen(labelled->labels[i].value) + 1);
	}
	if (r < 0)
		abort();
	return digest_of(buffer_bytes(&all));
}

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static struct adoption *new_adoption(struct engine *engine, struct lane *lane, const struct engine_adopt *adopt,
				     engine_job_fn *fn, void *userdata)
{
	struct adoption *adoption = take_memory(sizeof(*adoption));

	*adoption = (struct adoption){
		.engine = engine,
		.lane = lane,
		.request_id = take_text(text_of(adopt->request_id)),
		.remote_id = take_text(adopt->remote_id),
		.model = take_text(text_of(adopt->model)),
		.display_name = take_text(text_of(adopt->display_name)),
		.labelled = job_status_new(),
		.tenant = adopt->tenant,
		.has_request_id = *text_of(adopt->request_id) != '\0',
		.is_forced = adopt->is_forced,
		.fn = fn,
		.userdata = userdata,
	};
	if (!adoption->labelled || job_set_labels(adoption->labelled, adopt->labels, adopt->n_labels) < 0)
		abort();
	adoption->digest = digest_request(adoption);
	return adoption;
}

static bool has_model(const struct plugin_manifest *manifest, const char *name)
{
	const struct json *json = manifest->json;
	json_node models = json_at(json, manifest->root, "/models");

	for (json_node n = json_first(json, models); n; n = json_next(json, n))
		if (json_text_is(json, json_at(json, n, "/name"), name))
			return true;
	return false;
}

/* NULL, or what is wrong with it. */
static const char *check(const struct adoption *adoption, const char **ret_field, struct errmsg *words)
{
	const struct plugin_manifest *manifest = plugin_manifest(adoption->lane->config->plugin);
	struct errmsg forms;

	*ret_field = "remote_id";
	if (!plugin_manifest_takes_remote(manifest, adoption->remote_id, &forms)) {
		errmsg_set(words, "'%s' is no id of a video of this provider, which looks like %.300s",
			   quote(adoption->remote_id).text, forms.text);
		return words->text;
	}
	*ret_field = "model";
	if (*adoption->model && !has_model(manifest, adoption->model)) {
		errmsg_set(words, "the provider '%.64s' has no model '%s'; leave it out if it is not known",
			   adoption->lane->config->id, quote(adoption->model).text);
		return words->text;
	}
	return NULL;
}

void engine_adopt_video(struct engine *engine, const struct engine_adopt *adopt, engine_job_fn *fn, void *userdata)
{
	struct lane *lane = lane_find(engine, adopt->provider);
	struct errmsg words;
	struct engine_error error = {.text = words.text};
	struct adoption *adoption;
	const char *field, *wrong;
	int r = listing_check(engine, lane, adopt->provider, &words);

	if (r == 0 && atomic_load(&engine->phase) != ENGINE_PHASE_SERVING) {
		errmsg_set(&words, "%s", ENGINE_DRAINING);
		r = ENGINE_E_DRAINING;
	} else if (r == 0 && !trouble_accepts(engine, &words)) {
		r = ENGINE_E_STORE;
	}
	if (r != 0) {
		fn(userdata, r, &error, &(struct job_view){0}, false);
		return;
	}
	adoption = new_adoption(engine, lane, adopt, fn, userdata);
	wrong = check(adoption, &field, &words);
	if (wrong)
		refuse_field(adoption, field, wrong);
	else if (adoption->has_request_id)
		store_get_request(engine->store, adoption->tenant, adoption->request_id, on_request, adoption);
	else
		start_looking(adoption);
}
