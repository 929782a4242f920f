/*
 * STORING: bring what was bought home. Each output is streamed into a staging file, taken up again where it broke off,
 * sealed (synced, hashed, checked), and only when all are there is the job SUCCEEDED, in one commit with its artifacts.
 *
 * A link that has run out is renewed by asking the provider again (back to RUNNING); a file that is not what it should
 * be is fetched anew a few times before the job fails with what it cost. One that is media, and not what was ordered, is
 * what was paid for all the same: whatever the policy says, it is kept. Before that its pictures are looked at, for a time
 * that is bounded, and again after a restart. After a restart a download begins anew: what
 * the first half of a file belongs to is known only to the run that has the server's validator.
 */
#include "engine/run.h"

#include "base/failpoint.h"
#include "base/json.h"
#include "engine/lift.h"
#include "engine/policy.h"
#include "engine/step.h"
#include "job/price.h"
#include "plugin/url.h"

#include <sys/stat.h>

struct fetch {
	struct json *json;
	json_node outputs;
	uint32_t at; /* the output under way */
	struct artifact_staging *staging;
	char *url;       /* of the output, or where it redirected to */
	char *validator; /* strong ETag of what the staging file holds */
	uint64_t size;   /* of the staging file */
	uint32_t redirects, failures;
	struct digest *claims;
	size_t n_claims;
	int64_t looks_until_ms; /* monotonic; 0: nothing was looked at so far */
};

static void fetch_next(struct entry *entry);
static void get(struct entry *entry);

/* ---- life ---- */

static void drop_staging(struct fetch *fetch)
{
	fetch->staging = artifact_staging_discard(fetch->staging);
	free(fetch->url);
	free(fetch->validator);
	fetch->url = NULL;
	fetch->validator = NULL;
	fetch->size = 0;
	fetch->redirects = 0;
	fetch->failures = 0;
}

void fetch_abandon(struct entry *entry)
{
	struct fetch *fetch = steal(entry->fetch);

	if (!fetch)
		return;
	drop_staging(fetch);
	for (size_t i = 0; i < fetch->n_claims; i++)
		artifact_release_claim(entry->engine->config.artifacts, &fetch->claims[i]);
	free(fetch->claims);
	json_free(fetch->json);
	free(fetch);
}

static struct fetch *fetch_new(const char *outputs)
{
	struct fetch *fetch = take_memory(sizeof(*fetch));

	fetch->json = json_new(NULL);
	if (!fetch->json ||
	    json_parse(fetch->json, bytes_of_text(outputs), JSON_DUPLICATES_REFUSE, &fetch->outputs, NULL) != 0)
		abort();
	return fetch;
}

static json_node output_of(const struct fetch *fetch)
{
	return json_item(fetch->json, fetch->outputs, fetch->at);
}

static const char *output_text(const struct fetch *fetch, const char *pointer)
{
	struct bytes text = json_text(fetch->json, json_at(fetch->json, output_of(fetch), pointer));

	return text.len ? text.data : NULL;
}

static void put_output_text(struct json *json, json_node output, const char *pointer, const char *text)
{
	if (text && *text)
		json_put(json, output, pointer, json_make_text(json, bytes_of_text(text)));
}

/* The address of a file is as good as the file; what a download needs beside it, a credential, is not stored. */
char *fetch_write_outputs(const struct plugin_answer *answer, const struct lift *lift)
{
	struct json *json = json_new(NULL);
	json_node list = json_array(json);
	struct buffer out = {0};

	for (size_t i = 0; i < answer->done.n_outputs; i++) {
		const struct plugin_output *from = &answer->done.outputs[i];
		json_node output = json_object(json);

		put_output_text(json, output, "/role", from->role);
		put_output_text(json, output, "/url", from->url);
		put_output_text(json, output, "/lifted", from->lifted ? lift_name(lift, from->lifted) : NULL);
		put_output_text(json, output, "/language", from->language);
		json_put(json, output, "/index", json_make_integer(json, from->index));
		json_put(json, output, "/has_credential", json_make_boolean(json, from->n_headers > 0));
		json_append(json, list, output);
	}
	if (json_fault(json) != 0 || json_write(json, list, JSON_FORM_PLAIN, &out) != 0)
		abort();
	json_free(json);
	return out.data;
}

/* The credential that the output under way is fetched with; NULL: none. */
static const struct plugin_output *credential_of(const struct entry *entry)
{
	const struct fetch *fetch = entry->fetch;

	if (!json_boolean(fetch->json, json_at(fetch->json, output_of(fetch), "/has_credential"), false))
		return NULL;
	return entry->delivery && fetch->at < entry->delivery->done.n_outputs
		       ? &entry->delivery->done.outputs[fetch->at]
		       : NULL;
}

static bool is_same_origin(const char *a, const char *b)
{
	_cleanup_(buffer_finish) struct buffer x = {0};
	_cleanup_(buffer_finish) struct buffer y = {0};

	return plugin_url_origin(bytes_of_text(a), &x) == 0 && plugin_url_origin(bytes_of_text(b), &y) == 0 &&
	       bytes_equal(buffer_bytes(&x), buffer_bytes(&y));
}

static bool is_video(const struct fetch *fetch)
{
	const char *role = output_text(fetch, "/role");

	return role && strcmp(role, "video") == 0;
}

/* ---- what came inside a reply ---- */

bool fetch_names(const struct entry *entry, const char *name)
{
	const char *outputs = entry->status && entry->status->state == JOB_STATE_STORING ? entry->status->outputs
											 : NULL;
	size_t len = strlen(name);

	/* A staging file's name is the same in JSON. */
	for (const char *found = outputs ? strstr(outputs, name) : NULL; found; found = strstr(found + 1, name))
		if (found[-1] == '"' && found[len] == '"')
			return true;
	return false;
}

/* All of them: they are the job's artifacts, or come again with another reply, or are of no use any more. */
static void drop_lifted(struct entry *entry)
{
	struct fetch *fetch = entry->fetch;
	json_node output = json_first(fetch->json, fetch->outputs);

	for (; output; output = json_next(fetch->json, output)) {
		json_node lifted = json_at(fetch->json, output, "/lifted");

		if (lifted)
			artifact_unstage(entry->engine->config.artifacts, json_string(fetch->json, lifted));
	}
}

/* ---- ends ---- */

static void end_bad(struct entry *entry, const char *why)
{
	struct job_failure failure = {
		.reason = JOB_REASON_ARTIFACT_BAD,
		.purchase = JOB_PURCHASE_MADE,
		.message = (char *)(uintptr_t)why,
	};

	log_error("nothing usable came of a paid job", "job", log_id(&entry->ref), "why", why);
	drop_lifted(entry);
	job_drop_delivery(entry->status);
	entry_fail(entry, JOB_STATE_FAILED, &failure, run_after_end);
}

/* Another sample of the same purchase, that is stored or may still be. */
static bool has_other_video(const struct entry *entry)
{
	const struct fetch *fetch = entry->fetch;
	json_node output = json_first(fetch->json, fetch->outputs);

	for (size_t i = 0; i < entry->status->n_artifacts; i++)
		if (strcmp(entry->status->artifacts[i].role, "video") == 0)
			return true;
	for (size_t i = 0; output; output = json_next(fetch->json, output), i++)
		if (i > fetch->at && json_text_is(fetch->json, json_at(fetch->json, output, "/role"), "video"))
			return true;
	return false;
}

/* What cannot be had leaves a note, be it an extra or one sample of several; without any video the job has failed. */
static void give_up_output(struct entry *entry, const char *why)
{
	struct fetch *fetch = entry->fetch;

	if (is_video(fetch) && !has_other_video(entry)) {
		end_bad(entry, why);
		return;
	}
	log_warning("one of several outputs could not be had", "job", log_id(&entry->ref), "role",
		    output_text(fetch, "/role"), "why", why);
	if (job_add_missing(entry->status, output_text(fetch, "/role")) < 0)
		abort();
	drop_staging(fetch);
	fetch->at++;
	fetch_next(entry);
}

static void after_success(struct entry *entry)
{
	FAILPOINT(FINISH_AFTER_SETTLE);
	drop_lifted(entry);
	forecast_learn(entry->lane, entry->job, entry->status);
	run_after_end(entry);
}

static void after_mismatch(struct entry *entry)
{
	drop_lifted(entry);
	run_after_end(entry);
}

/* With the change that keeps the files. */
static void end_mismatched(struct entry *entry, struct errmsg *why)
{
	const struct job_failure failure = {
		.reason = JOB_REASON_ARTIFACT_BAD,
		.purchase = JOB_PURCHASE_MADE,
		.message = why->text,
	};

	entry_fail(entry, JOB_STATE_FAILED, &failure, after_mismatch);
}

static void finish(struct entry *entry)
{
	struct job_status *status = entry->status;
	struct job_attempt *attempt = job_current_attempt(status);
	struct errmsg why;

	if (status->n_artifacts == 0) {
		end_bad(entry, "the provider delivered no video");
		return;
	}
	policy_compare(entry);
	FAILPOINT(FINISH_BEFORE_SETTLE);
	entry_begin(entry);
	for (size_t i = 0; i < status->n_artifacts; i++)
		store_commit_put_artifact(entry->change, &entry->ref, &status->artifacts[i]);
	status->wait = JOB_WAIT_NONE;
	status->wait_until_ms = 0;
	if (policy_refuses(entry, &why)) {
		end_mismatched(entry, &why);
		return;
	}
	if (attempt && attempt->ended_ms == 0) {
		attempt->ended_ms = now_utc(entry->engine);
		store_commit_put_attempt(entry->change, &entry->ref, attempt);
	}
	if (job_set_text(&status->outputs, NULL) < 0 || job_settle(status, &entry->job->quote, JOB_PURCHASE_MADE) < 0)
		abort();
	status->progress_percent = 100;
	entry_move(entry, JOB_STATE_SUCCEEDED);
	entry_submit(entry, JOB_EVENT_STATE, after_success);
}

/* ---- sealing ---- */

struct sealed {
	struct arrival arrival;
	struct artifact_sealed result;
};

static void discard_sealed(struct arrival *arrival)
{
	struct sealed *sealed = (struct sealed *)(void *)arrival;

	if (sealed->result.outcome == 0 && atomic_load(&arrival->engine->phase) != ENGINE_PHASE_STOPPED)
		artifact_release_claim(arrival->engine->config.artifacts, &sealed->result.sha256);
	free(sealed);
}

static void keep_claim(struct fetch *fetch, const struct digest *sha256)
{
	struct digest *claims = realloc(fetch->claims, (fetch->n_claims + 1) * sizeof(*claims));

	if (!claims)
		abort();
	claims[fetch->n_claims++] = *sha256;
	fetch->claims = claims;
}

static void add_artifact(struct entry *entry, const struct artifact_sealed *sealed)
{
	struct fetch *fetch = entry->fetch;
	struct job_artifact *artifact = job_add_artifact(entry->status);

	if (!artifact || job_set_text(&artifact->role, output_text(fetch, "/role")) < 0 ||
	    job_set_text(&artifact->language, output_text(fetch, "/language")) < 0 ||
	    job_set_text(&artifact->media_type, sealed->media_type) < 0)
		abort();
	artifact->index = (uint32_t)entry->status->n_artifacts;
	artifact->sample = (uint32_t)json_integer(fetch->json, json_at(fetch->json, output_of(fetch), "/index"), 0);
	artifact->size_bytes = sealed->size_bytes;
	artifact->sha256 = sealed->sha256;
	artifact->duration_ms = sealed->duration_ms;
	artifact->width = sealed->width;
	artifact->height = sealed->height;
	artifact->frame_rate_millihertz = sealed->frame_rate_millihertz;
	artifact->sound = (enum job_sound)sealed->sound;
	artifact->created_ms = now_utc(entry->engine);
	keep_claim(fetch, &sealed->sha256);
}

static void after_relink(struct entry *entry)
{
	fetch_abandon(entry);
	deadline_notice(entry->engine, job_deadline_ms(entry->job, entry->status));
	poll_begin(entry, entry->poll_delay_ms);
}

/* The provider is asked: for a fresh link, or for a file that was bad. */
static void ask_again(struct entry *entry, uint32_t times, const char *why)
{
	struct job_status *status = entry->status;

	log_warning("download is asked for again", "job", log_id(&entry->ref), "why", why);
	entry->poll_delay_ms = backoff_ms(entry->engine, times, LIMIT_ENGINE_BACKOFF_BASE_MS,
					  LIMIT_ENGINE_RELINK_CAP_MS);
	drop_lifted(entry);
	job_drop_delivery(status);
	entry_begin(entry);
	if (job_set_text(&status->outputs, NULL) < 0)
		abort();
	entry_move(entry, JOB_STATE_RUNNING);
	entry_submit(entry, JOB_EVENT_STATE, after_relink);
}

static bool has_lifted(const struct fetch *fetch)
{
	json_node output = json_first(fetch->json, fetch->outputs);

	for (; output; output = json_next(fetch->json, output))
		if (json_at(fetch->json, output, "/lifted"))
			return true;
	return false;
}

/*
 * A thumbnail is worth little patience, and none of what the video may need: nor the videos that came in the same
 * reply, which another reply would bring whole once more, if the provider still has them.
 */
static void ask_again_for_extra(struct entry *entry, const char *why)
{
	if (has_lifted(entry->fetch) || entry->extra_tries >= LIMIT_ENGINE_EXTRA_TRIES)
		give_up_output(entry, why);
	else
		ask_again(entry, entry->extra_tries++, why);
}

/* A link that does not serve, and a file that is not what it should be: the second wants less patience. */
static void relink(struct entry *entry, const char *why)
{
	if (!is_video(entry->fetch))
		ask_again_for_extra(entry, why);
	else if (entry->relinks >= LIMIT_ENGINE_RELINKS)
		give_up_output(entry, why);
	else
		ask_again(entry, entry->relinks++, why);
}

static void refuse_file(struct entry *entry, const char *why)
{
	if (!is_video(entry->fetch))
		ask_again_for_extra(entry, why);
	else if (entry->bad_files >= LIMIT_ENGINE_BAD_FILES)
		give_up_output(entry, why);
	else
		ask_again(entry, entry->bad_files++, why);
}

static void sleep_for_room(struct entry *entry)
{
	entry_sleep(entry, LIMIT_ENGINE_DISK_MS, fetch_next);
}

/* What has arrived is given up first: the commit needs room too. */
static void wait_for_room(struct entry *entry, const char *why)
{
	const struct artifact_store *artifacts = entry->engine->config.artifacts;

	drop_staging(entry->fetch);
	log_warning("a paid video cannot be stored; make room, and it is fetched again", "job", log_id(&entry->ref),
		    "folder", artifact_store_path(artifacts), "why", why);
	if (entry->status->wait == JOB_WAIT_DISK) {
		sleep_for_room(entry);
		return;
	}
	entry_begin(entry);
	entry->status->wait = JOB_WAIT_DISK;
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_for_room);
}

static void next_output(struct entry *entry)
{
	drop_staging(entry->fetch);
	entry->fetch->at++;
	fetch_next(entry);
}

/* ---- looking at the pictures ---- */

struct looked {
	struct arrival arrival;
	struct artifact_looked result;
};

static void discard_looked(struct arrival *arrival)
{
	free(arrival);
}

static void handle_looked(struct entry *entry, struct arrival *arrival)
{
	const struct artifact_looked *result = &((struct looked *)(void *)arrival)->result;
	struct job_artifact *artifact = &entry->status->artifacts[entry->status->n_artifacts - 1];

	artifact->is_looked_at = result->is_known;
	artifact->black_ms = result->black_ms;
	artifact->frozen_ms = result->frozen_ms;
	free(arrival);
	next_output(entry);
}

/* [worker thread] */
static void on_looked(void *userdata, const struct artifact_looked *result)
{
	struct looked *looked = userdata;

	looked->result = *result;
	arrival_post(&looked->arrival);
}

/* All videos of a job have one time together: many of them, as languages are, make no job wait for ever. */
static bool is_looked_at(struct entry *entry)
{
	struct fetch *fetch = entry->fetch;
	int64_t now_ms = clock_monotonic_ms(entry->engine->config.clock);

	if (!is_video(fetch) || policy_on_mismatch(entry) == JOB_ON_MISMATCH_ACCEPT)
		return false;
	if (fetch->looks_until_ms == 0)
		fetch->looks_until_ms = now_ms + LIMIT_ENGINE_LOOKS_MS;
	return now_ms < fetch->looks_until_ms;
}

static void look_at(struct entry *entry, const struct artifact_sealed *sealed)
{
	struct looked *looked;

	if (!is_looked_at(entry)) {
		next_output(entry);
		return;
	}
	entry_start_activity(entry, ACTIVITY_LOOK);
	looked = entry_expect(entry, sizeof(*looked), handle_looked, discard_looked);
	if (artifact_look(entry->engine->config.artifacts, sealed, on_looked, looked) < 0)
		arrival_post(&looked->arrival);
}

static void handle_sealed(struct entry *entry, struct arrival *arrival)
{
	struct sealed *sealed = (struct sealed *)(void *)arrival;
	struct artifact_sealed result = sealed->result;

	free(sealed);
	switch (result.outcome) {
	case 0:
		add_artifact(entry, &result);
		look_at(entry, &result);
		break;
	case ARTIFACT_E_NOT_MEDIA:
	case ARTIFACT_E_TRUNCATED:
		refuse_file(entry, result.message.text);
		break;
	default:
		wait_for_room(entry, result.message.text);
	}
}

/* [worker thread] */
static void on_sealed(void *userdata, const struct artifact_sealed *result)
{
	struct sealed *sealed = userdata;

	sealed->result = *result;
	arrival_post(&sealed->arrival);
}

static void seal_with(struct entry *entry, int (*how)(struct artifact_store *store, struct artifact_staging *take,
						      const char *role, artifact_sealed_fn *fn, void *userdata))
{
	struct fetch *fetch = entry->fetch;
	struct sealed *sealed;
	int r;

	entry_start_activity(entry, ACTIVITY_SEAL);
	sealed = entry_expect(entry, sizeof(*sealed), handle_sealed, discard_sealed);
	r = how(entry->engine->config.artifacts, steal(fetch->staging), output_text(fetch, "/role"), on_sealed, sealed);
	if (r < 0) {
		sealed->result.outcome = r;
		arrival_post(&sealed->arrival);
	}
}

static void seal(struct entry *entry)
{
	seal_with(entry, artifact_seal);
}

/* ---- fetching ---- */

/* A link that serves nothing for long may be dead: the provider has another one. */
static void retry(struct entry *entry, int64_t advised_ms, const char *why)
{
	struct fetch *fetch = entry->fetch;
	int64_t delay_ms = advised_ms > 0 ? advised_ms
					  : backoff_ms(entry->engine, fetch->failures, LIMIT_ENGINE_BACKOFF_BASE_MS,
						       LIMIT_ENGINE_BACKOFF_CAP_MS);

	if (++fetch->failures < LIMIT_ENGINE_FETCH_FAILURES)
		entry_sleep(entry, delay_ms, get);
	else
		relink(entry, why);
}

/*
 * What arrived is kept for the rest only if the server names it by a strong validator. A whole reply (200) begins a
 * file of its own, to which an earlier one's validator says nothing.
 */
static void keep_half(struct fetch *fetch, const struct http_outcome *outcome)
{
	const char *etag = http_outcome_header(outcome, "ETag");
	bool is_strong = etag && strncmp(etag, "W/", 2) != 0;
	uint64_t before = fetch->size;
	struct stat status;

	if (outcome->is_in_file && (is_strong || outcome->status == 200)) {
		free(fetch->validator);
		fetch->validator = take_text(is_strong ? etag : NULL);
	}
	if (fetch->validator && fstat(artifact_staging_fd(fetch->staging), &status) == 0)
		fetch->size = (uint64_t)status.st_size;
	else
		fetch->size = 0;
	if (fetch->size > before)
		fetch->failures = 0;
}

/* A part, of which more is to come: the server gave less than was asked for. */
static bool is_partial(const struct http_outcome *outcome)
{
	const struct http_range *range = &outcome->content_range;

	return outcome->status == 206 && range->is_present && range->total >= 0 && range->last + 1 < range->total;
}

static void follow(struct entry *entry, const struct http_outcome *outcome)
{
	struct fetch *fetch = entry->fetch;

	if (!outcome->location || fetch->redirects++ >= LIMIT_ENGINE_REDIRECTS) {
		relink(entry, "the download link redirects without end or nowhere");
		return;
	}
	free(fetch->url);
	fetch->url = take_text(outcome->location);
	get(entry);
}

/*
 * A body without a length ends with the connection, and the transport cannot tell whether it was cut short. The seal
 * can: it takes no video whose container is not whole (ARTIFACT_E_TRUNCATED), so nothing is decided here.
 */
static void note_end_by_close(const struct entry *entry, const struct http_outcome *outcome)
{
	if (outcome->ends_by_close)
		log_debug("only the end of the connection ended the download; the seal finds out whether it is whole",
			  "job", log_id(&entry->ref), "bytes", log_int((int64_t)outcome->bytes_written));
}

static void read_status(struct entry *entry, const struct http_outcome *outcome)
{
	struct fetch *fetch = entry->fetch;
	struct errmsg why;

	errmsg_set(&why, "the download link answers HTTP %d", outcome->status);
	if (outcome->status >= 200 && outcome->status < 300 && outcome->is_in_file) {
		if (is_partial(outcome)) {
			keep_half(fetch, outcome);
			retry(entry, 0, "the server sends a part of the file and no more");
		} else {
			note_end_by_close(entry, outcome);
			seal(entry);
		}
	} else if (outcome->status >= 300 && outcome->status < 400) {
		follow(entry, outcome);
	} else if (outcome->status == 429 || outcome->status >= 500) {
		retry(entry, http_retry_after_ms(outcome, now_utc(entry->engine)), why.text);
	} else if (outcome->status == 416 && fetch->size > 0) {
		fetch->size = 0;
		retry(entry, 0, why.text);
	} else {
		relink(entry, why.text);
	}
}

static void on_got(struct entry *entry, struct http_outcome *take)
{
	switch (take->kind) {
	case HTTP_REPLY:
		read_status(entry, take);
		break;
	case HTTP_NOT_STORED:
		wait_for_room(entry, take->message);
		break;
	case HTTP_TOO_LARGE:
		if (take->status >= 200 && take->status < 300)
			give_up_output(entry, "the file is larger than limits.video_bytes allows");
		else
			relink(entry, take->message);
		break;
	case HTTP_ADDRESS_REFUSED:
	case HTTP_INVALID:
		refuse_file(entry, take->message);
		break;
	case HTTP_ABORTED:
		break;
	default:
		log_debug("download broke off", "job", log_id(&entry->ref), "why", take->message);
		keep_half(entry->fetch, take);
		retry(entry, 0, take->message);
	}
	http_outcome_free(take);
}

static void get(struct entry *entry)
{
	const struct engine_provider_config *config = entry->lane->config;
	struct fetch *fetch = entry->fetch;
	const struct plugin_output *output = credential_of(entry);
	struct exchange_headers headers = {0};
	struct http_request request = {
		.method = "GET",
		.url = fetch->url,
		.flags = config->allow_private_network ? HTTP_PRIVATE_NETWORK : 0,
		.lane = HTTP_LANE_TRANSFER,
		.timeout_ms = LIMIT_ENGINE_FETCH_MS,
		.idle_timeout_ms = LIMIT_ENGINE_FETCH_IDLE_MS,
		.max_body_bytes = config->max_artifact_bytes,
		.sink = HTTP_SINK_FILE,
		.fd = artifact_staging_fd(fetch->staging),
		.resume_from = fetch->size,
		.if_range = fetch->size ? fetch->validator : NULL,
	};

	/* No credential follows a redirect to another origin. */
	if (output && is_same_origin(output->url, fetch->url)) {
		exchange_headers_copy(output->headers, output->n_headers, &headers);
		request.headers = headers.items;
		request.header_count = output->n_headers;
	}
	exchange_send(entry, ACTIVITY_FETCH, &request, on_got);
	exchange_headers_finish(&headers);
}

static void stage_name(const struct entry *entry, char *name, size_t size)
{
	char id[ID_TEXT_SIZE];

	id_format(&entry->ref.id, id);
	snprintf(name, size, "%s-%u", id, entry->fetch->at);
}

/*
 * It was synced before the job said so; and yet a folder may have been emptied since. It stays where it is until the job
 * is SUCCEEDED on disk: neither a full disk nor a crash in between makes it come from the provider once more, who may
 * not have it any more.
 */
static void seal_lifted(struct entry *entry, const char *name)
{
	int r = artifact_stage_again(entry->engine->config.artifacts, name, &entry->fetch->staging);

	if (r == 0)
		seal_with(entry, artifact_seal_kept);
	else if (r == ARTIFACT_E_NOT_FOUND)
		relink(entry, "the file that a reply carried is not there any more");
	else
		wait_for_room(entry, r < 0 ? log_errno(r) : "the disk is full");
}

static void fetch_next(struct entry *entry)
{
	struct fetch *fetch = entry->fetch;
	const char *lifted;
	char name[ID_TEXT_SIZE + 16];
	int r;

	if (atomic_load(&entry->engine->phase) != ENGINE_PHASE_SERVING)
		return;
	if (fetch->at >= json_count(fetch->json, fetch->outputs)) {
		finish(entry);
		return;
	}
	lifted = output_text(fetch, "/lifted");
	if (lifted) {
		seal_lifted(entry, lifted);
		return;
	}
	stage_name(entry, name, sizeof(name));
	fetch->url = take_text(output_text(fetch, "/url"));
	r = artifact_stage(entry->engine->config.artifacts, name, &fetch->staging);
	fetch->size = 0;
	if (r != 0) {
		wait_for_room(entry, r < 0 ? log_errno(r) : "the disk is full");
		return;
	}
	get(entry);
}

/* What was stored of an earlier run lacks its credentials: the provider is asked again. */
static bool lacks_credential(const struct entry *entry)
{
	const struct fetch *fetch = entry->fetch;
	json_node output = json_first(fetch->json, fetch->outputs);

	for (; output; output = json_next(fetch->json, output))
		if (json_boolean(fetch->json, json_at(fetch->json, output, "/has_credential"), false))
			return !entry->delivery;
	return false;
}

void fetch_begin(struct entry *entry)
{
	if (!entry->fetch)
		entry->fetch = fetch_new(entry->status->outputs);
	if (lacks_credential(entry))
		relink(entry, "the credential of the download is not stored");
	else
		fetch_next(entry);
}

/* ---- collecting what no job names any more ---- */

/* [worker thread] When it cannot be told, it is referenced. */
static bool is_referenced(void *userdata, const struct digest *sha256)
{
	struct engine *engine = userdata;
	bool answer = true;

	return store_is_referenced(engine->store, sha256, &answer) < 0 || answer;
}

void collect_if_unreferenced(struct engine *engine, const struct digest *sha256)
{
	/* At the very end artifact/ is closed: what nobody names is left. */
	if (atomic_load(&engine->phase) != ENGINE_PHASE_STOPPED)
		artifact_collect(engine->config.artifacts, sha256, is_referenced, engine);
}
