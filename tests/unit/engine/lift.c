/*
 * Videos that come inside the reply to a poll: never in memory, never lost, and never a reason to give up a paid job.
 */
#include "engine/rig.h"

#include "base/base64.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#define PLACE "/v/*"

/* The files in the staging folder; removed by the way where @remove. */
static size_t staged(const struct rig *rig, bool remove)
{
	char path[PATH_MAX + 32];
	size_t n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/artifacts/staging", rig->folder);
	folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *file = readdir(folder); file; file = readdir(folder)) {
		if (file->d_name[0] == '.')
			continue;
		n++;
		if (remove)
			assert_int_equal(unlinkat(dirfd(folder), file->d_name, 0), 0);
	}
	closedir(folder);
	return n;
}

static int set_up(void **state)
{
	struct rig *rig;
	int r = rig_setup(state);

	rig = *state;
	rig->plugins[0].begin[PLUGIN_VERB_POLL] = "read lift=" PLACE;
	return r;
}

/* A video that differs by its last byte; the caller's. */
static char *video_text(char last)
{
	struct bytes video = a_video();
	struct buffer bytes = {0}, text = {0};

	assert_int_equal(buffer_append(&bytes, video.data, video.len), 0);
	bytes.data[bytes.len - 1] = last;
	assert_int_equal(base64_append(&text, buffer_bytes(&bytes)), 0);
	buffer_finish(&bytes);
	return text.data;
}

/* What @words say, and "v": the texts, up to NULL, of which "%" stands for a video. */
static char *body_of(const char *words, const char *const *texts)
{
	struct buffer body = {0};

	buffer_printf(&body, "{\"words\":\"%s\",\"v\":[", words);
	for (size_t i = 0; texts[i]; i++) {
		char *video = video_text((char)('a' + i));

		buffer_printf(&body, "%s\"%s\"", i ? "," : "", strcmp(texts[i], "%") == 0 ? video : texts[i]);
		free(video);
	}
	buffer_append_text(&body, "]}");
	return body.data;
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A reply to the poll under way. */
static void reply_carrying(struct rig *rig, const char *words, const char *const *texts)
{
	char *body = body_of(words, texts);

	reply(rig, 200, body);
	free(body);
}

/* RUNNING, with a poll under way. */
static struct job_ref polling_job(struct rig *rig)
{
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	return job;
}

static void assert_stored(struct rig *rig, const struct job_ref *job, size_t videos)
{
	const struct job_status *status;

	assert_state(rig, job, JOB_STATE_SUCCEEDED);
	status = look(rig, job);
	assert_int_equal(status->n_artifacts, videos);
	for (size_t i = 0; i < videos; i++) {
		assert_int_equal(status->artifacts[i].size_bytes, a_video().len);
		assert_string_equal(status->artifacts[i].media_type, "video/mp4");
	}
	assert_int_equal(staged(rig, false), 0);
	assert_int_equal(purchases(rig), 1);
}

static void what_a_reply_carries_is_stored_and_the_plugin_sees_an_empty_text(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->reply,
			    "{\"words\":\"done video=lift:/v/0\",\"v\":[\"\"]}");
	assert_string_equal(history(rig, &job), "queued preparing starting running storing succeeded");
}

/* A reply that carries a video takes its time; what stands still does not. */
static void such_an_exchange_may_take_long_as_long_as_it_moves(void **state)
{
	struct rig *rig = *state;

	polling_job(rig);
	assert_int_equal(the_request(rig)->sink, HTTP_SINK_FILTER);
	assert_int_equal(the_request(rig)->timeout_ms, LIMIT_ENGINE_FETCH_MS);
	assert_int_equal(the_request(rig)->idle_timeout_ms, rig->providers[0].exchange_timeout_ms);
	assert_int_equal(the_request(rig)->lane, HTTP_LANE_EXCHANGE);
}

static void several_are_stored_and_what_no_output_names_is_dropped(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/2", TEXTS("%", "YWJj", "%"));
	assert_stored(rig, &job, 2);
}

static void a_member_that_comes_twice_has_its_last_value(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);
	char *video = video_text('z');
	char body[2048];

	snprintf(body, sizeof(body), "{\"v\":[\"%s%s\"],\"words\":\"done video=lift:/v/0\",\"v\":[\"%s\"]}",
		 "QUFBQUFBQUFBQUFBQUFBQUFBQUFB", video, video);
	reply(rig, 200, body);
	free(video);
	assert_stored(rig, &job, 1);
}

static void a_reply_that_says_wait_leaves_nothing_behind(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	reply_carrying(rig, "wait", TEXTS("%", "%"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(staged(rig, false), 0);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
}

/* However often: it is the exchange that failed, and what was bought is still there. */
static void a_reply_that_cannot_be_read_is_asked_for_again(void **state)
{
	static const char *const texts[] = {"no base64", "YWI", "YWI=YWI=", "YQ=="};
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);
	int64_t slept = 0;

	rig->providers[0].max_artifact_bytes = a_video().len;
	for (size_t i = 0; i < 8; i++) {
		const char *text = texts[i % 4];

		if (i % 4 == 3) /* larger than is stored */
			reply_carrying(
				rig, "done video=lift:/v/0",
				TEXTS("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
				      "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
				      "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
				      "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
				      "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"));
		else
			reply_carrying(rig, "done video=lift:/v/0", TEXTS(text));
		assert_state(rig, &job, JOB_STATE_RUNNING);
		assert_int_equal(staged(rig, false), 0);
		slept = sleep_over(rig, &job);
		assert_true(slept <= LIMIT_ENGINE_RELINK_CAP_MS);
	}
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
}

static void a_reply_that_is_cut_short_is_asked_for_again(void **state)
{
	static const struct said ends[] = {
		{.kind = HTTP_AMBIGUOUS, .error = -ECONNRESET, .status = 200},
		{.kind = HTTP_REPLY, .status = 200}, /* nobody said how long it is */
	};
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	for (size_t i = 0; i < 2; i++) {
		char *body = body_of("done video=lift:/v/0", TEXTS("%"));
		struct said said = ends[i];

		body[strlen(body) - 40] = '\0';
		said.body = body;
		answer_request(rig, the_request(rig), &said);
		free(body);
		assert_state(rig, &job, JOB_STATE_RUNNING);
		assert_int_equal(staged(rig, false), 0);
		sleep_over(rig, &job);
	}
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
}

/* What stays in memory has the limit of any reply; the real client holds it to that (http.filter). */
static void the_rest_of_the_reply_has_its_limit(void **state)
{
	struct rig *rig = *state;

	polling_job(rig);
	assert_int_equal(the_request(rig)->max_body_bytes, rig->providers[0].max_reply_bytes);
}

/* As a download that is not what it should be: three times, and then the job has failed with what it cost. */
static void a_file_that_is_no_video_is_asked_for_again_and_then_given_up(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	for (int i = 0; i < LIMIT_ENGINE_BAD_FILES; i++) {
		reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("bm8gdmlkZW8=", "%"));
		assert_state(rig, &job, JOB_STATE_RUNNING);
		assert_int_equal(staged(rig, false), 0);
		sleep_over(rig, &job);
	}
	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("bm8gdmlkZW8=", "%"));
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(get(rig, &job)->view.status->n_artifacts, 1);
	assert_string_equal(get(rig, &job)->view.status->missing[0], "video");
	assert_int_equal(staged(rig, false), 0);
}

static void without_any_video_the_job_has_failed(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	for (int i = 0; i < LIMIT_ENGINE_BAD_FILES; i++) {
		reply_carrying(rig, "done video=lift:/v/0", TEXTS("bm8gdmlkZW8="));
		assert_state(rig, &job, JOB_STATE_RUNNING);
		sleep_over(rig, &job);
	}
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("bm8gdmlkZW8="));
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
	assert_int_equal(staged(rig, false), 0);
}

/* STORING: a download under way, and behind it what the reply carried. */
static struct job_ref half_stored_job(struct rig *rig)
{
	struct job_ref job = polling_job(rig);

	reply_carrying(rig, "done video=https://maker.test/file/1 video=lift:/v/0", TEXTS("%"));
	assert_state(rig, &job, JOB_STATE_STORING);
	assert_int_equal(staged(rig, false), 2);
	return job;
}

static void after_a_crash_the_file_is_still_there(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = half_stored_job(rig);

	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STORING);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_POLL), 2);
	deliver(rig, a_video());
	assert_stored(rig, &job, 2);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_POLL), 2);
}

/* STORING: the file that the reply carried is an artifact already, and a download is under way. */
static struct job_ref half_sealed_job(struct rig *rig)
{
	struct job_ref job = polling_job(rig);

	reply_carrying(rig, "done video=lift:/v/0 video=https://maker.test/file/1", TEXTS("%"));
	assert_state(rig, &job, JOB_STATE_STORING);
	assert_int_equal(the_request(rig)->sink, HTTP_SINK_FILE);
	return job;
}

/* The seal alone is no promise: only with the job's commit the file is its artifact. */
static void after_a_crash_behind_the_seal_it_is_still_there(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = half_sealed_job(rig);

	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STORING);
	deliver(rig, a_video());
	assert_stored(rig, &job, 2);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_POLL), 2);
}

/* Another reply brings the same file again: nothing of the first one is written into. */
static void what_was_sealed_comes_again_as_a_file_of_its_own(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = half_sealed_job(rig);

	crash_and_restart(rig);
	answer_request(rig, the_request(rig), &(struct said){.kind = HTTP_REPLY, .status = 404});
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(staged(rig, false), 0);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("%", "%"));
	assert_stored(rig, &job, 2);
}

/* ---- a person has found it ---- */

/* UNCERTAIN, and the provider is being asked about what was found. */
static struct answer *find(struct rig *rig, const struct job_ref *job)
{
	struct answer *answer = resolve_unsettled(
		rig, &(struct engine_resolve){.ref = *job, .resolution = ENGINE_RESOLUTION_FOUND, .remote_id = "o/1"});

	settle(rig);
	assert_int_equal(the_request(rig)->sink, HTTP_SINK_FILTER);
	return answer;
}

/* A look sees what a poll does, and brings nothing: neither memory nor the disk holds what it carries. */
static void what_was_found_finished_is_known_and_its_poll_brings_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	struct answer *answer;

	reply(rig, 200, "fault");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	rig->providers[0].max_artifact_bytes = a_video().len;
	answer = find(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("%", "%"));
	await_answer(answer);
	settle(rig);
	assert_answer(answer, 0);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->reply,
			    "{\"words\":\"done video=lift:/v/0 video=lift:/v/1\",\"v\":[\"\",\"\"]}");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(staged(rig, false), 0);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("%", "%"));
	assert_stored(rig, &job, 2);
}

static void a_look_whose_reply_cannot_be_read_decides_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	struct answer *answer;

	reply(rig, 200, "fault");
	answer = find(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("no base64"));
	await_answer(answer);
	settle(rig);
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_non_null(strstr(answer->text, "the provider's reply is of no use"));
	assert_non_null(strstr(answer->text, "nothing was decided"));
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(staged(rig, false), 0);
}

/* Files where the folders of the contents would be. */
static void block_contents(struct rig *rig, bool is_blocked)
{
	char path[PATH_MAX + 32];

	for (unsigned int i = 0; i < 256; i++) {
		snprintf(path, sizeof(path), "%s/artifacts/sha256/%02x", rig->folder, i);
		if (is_blocked)
			close(creat(path, 0600));
		else
			assert_int_equal(unlink(path), 0);
	}
}

static void what_cannot_be_sealed_now_is_kept_for_later(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	block_contents(rig, true);
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	for (int i = 0; i < 3; i++) {
		assert_state(rig, &job, JOB_STATE_STORING);
		assert_int_equal(look(rig, &job)->wait, JOB_WAIT_DISK);
		assert_int_equal(staged(rig, false), 1);
		if (i == 1)
			crash_and_restart(rig);
		if (i < 2)
			sleep_over(rig, &job);
	}
	block_contents(rig, false);
	sleep_over(rig, &job);
	assert_stored(rig, &job, 1);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_POLL), 2);
}

static void a_graceful_end_leaves_it_too(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = half_stored_job(rig);

	stop_begin(rig, 0);
	stop_end(rig);
	rig_start(rig);
	deliver(rig, a_video());
	assert_stored(rig, &job, 2);
}

/* The folder was emptied, or restored from a backup that had no such file: the provider has it still. */
static void a_file_that_is_gone_is_asked_for_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = half_stored_job(rig);

	rig_crash(rig);
	staged(rig, true);
	rig_start(rig);
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("%", "%"));
	assert_stored(rig, &job, 2);
}

static void a_start_sweeps_what_no_job_names(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = half_stored_job(rig);
	struct artifact_staging *staging = NULL;
	char id[ID_TEXT_SIZE], name[ID_TEXT_SIZE + 16];

	id_format(&job.id, id);
	snprintf(name, sizeof(name), "%s-lift", id);
	assert_int_equal(artifact_stage(rig->artifacts, name, &staging), 0);
	artifact_staging_close(staging);
	assert_int_equal(artifact_stage(rig->artifacts, "lift1-0", &staging), 0);
	artifact_staging_close(staging);
	crash_and_restart(rig);
	assert_int_equal(staged(rig, false), 2); /* the download under way, and the lifted file */
	deliver(rig, a_video());
	assert_stored(rig, &job, 2);
}

/* Killed while the reply came: nothing of it is left, and the provider is asked again. */
static void a_crash_within_the_reply_loses_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);
	char *body = body_of("done video=lift:/v/0", TEXTS("%"));
	const struct request *request = the_request(rig);
	struct buffer memory = {0};
	struct errmsg why;

	assert_int_equal(
		request->filter.write(request->filter.userdata, bytes_of(body, strlen(body) - 20), &memory, &why), 0);
	buffer_finish(&memory);
	free(body);
	assert_int_equal(staged(rig, false), 1);
	crash_and_restart(rig);
	assert_int_equal(staged(rig, false), 0);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
}

/* [engine thread] The reply was read; its file is not yet the job's. */
static void photograph_poll(void *userdata, const struct plugin_step *step)
{
	struct rig *rig = userdata;

	if (step->verb != PLUGIN_VERB_POLL || !step->reply)
		return;
	rig_photograph(rig);
	rig->runner.on_step = NULL;
}

static void a_crash_before_the_job_names_the_file_leads_to_another_poll(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	rig->runner.on_step = photograph_poll;
	rig->runner.userdata = rig;
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(staged(rig, false), 0);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
}

/* What is given up while the reply comes takes its file along. */
static void a_cancel_within_the_reply_leaves_nothing_behind(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);
	struct buffer memory = {0};
	struct request *request = the_request(rig);
	struct errmsg why;

	assert_int_equal(
		request->filter.write(request->filter.userdata, bytes_of_text("{\"v\":[\"QUFB"), &memory, &why), 0);
	buffer_finish(&memory);
	assert_int_equal(staged(rig, false), 1);
	cancel_unsettled(rig, &job);
	settle(rig);
	assert_true(request->is_cancelled);
	assert_int_equal(staged(rig, false), 0);
}

static int is_disk_full;

int __real_artifact_stage(struct artifact_store *store, const char *name, struct artifact_staging **ret);
int __wrap_artifact_stage(struct artifact_store *store, const char *name, struct artifact_staging **ret);

int __wrap_artifact_stage(struct artifact_store *store, const char *name, struct artifact_staging **ret)
{
	return is_disk_full ? ARTIFACT_E_NO_SPACE : __real_artifact_stage(store, name, ret);
}

int __real_artifact_sync(struct artifact_store *store, const char *const *names, size_t n, artifact_synced_fn *fn,
			 void *userdata);
int __wrap_artifact_sync(struct artifact_store *store, const char *const *names, size_t n, artifact_synced_fn *fn,
			 void *userdata);

static int sync_outcome;

int __wrap_artifact_sync(struct artifact_store *store, const char *const *names, size_t n, artifact_synced_fn *fn,
			 void *userdata)
{
	if (sync_outcome == 0)
		return __real_artifact_sync(store, names, n, fn, userdata);
	fn(userdata, sync_outcome);
	return 0;
}

/* It shows why it waits, once, and asks again when there may be room. */
static void a_full_disk_is_waited_for(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	is_disk_full = 1;
	for (int i = 0; i < 3; i++) {
		reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
		assert_state(rig, &job, JOB_STATE_RUNNING);
		assert_int_equal(look(rig, &job)->wait, JOB_WAIT_DISK);
		assert_int_equal(sleep_over(rig, &job), LIMIT_ENGINE_DISK_MS);
	}
	is_disk_full = 0;
	reply_carrying(rig, "wait", TEXTS("%"));
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_NONE);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
}

/* What the job reserved is there for it, whoever wants the rest; more than that only if there is room. */
static void more_than_was_reserved_needs_room(void **state)
{
	struct rig *rig = *state;
	uint64_t others = UINT64_MAX / 4;
	struct job_ref job;

	rig->providers[0].expected_bytes = a_video().len;
	job = polling_job(rig);
	artifact_reserve_owed(rig->artifacts, others);
	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("%", "%"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_DISK);
	assert_int_equal(staged(rig, false), 0);
	sleep_over(rig, &job);
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
	artifact_release(rig->artifacts, others);

	job = polling_job(rig);
	reply_carrying(rig, "done video=lift:/v/0 video=lift:/v/1", TEXTS("%", "%"));
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(room_kept_free(), 0);
}

static void what_cannot_be_synced_is_not_promised(void **state)
{
	static const int outcomes[] = {ARTIFACT_E_NO_SPACE, -EIO, ARTIFACT_E_NOT_FOUND};
	struct rig *rig = *state;
	struct job_ref job = polling_job(rig);

	for (size_t i = 0; i < 3; i++) {
		sync_outcome = outcomes[i];
		reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
		sync_outcome = 0;
		assert_state(rig, &job, JOB_STATE_RUNNING);
		assert_int_equal(staged(rig, false), 0);
		sleep_over(rig, &job);
	}
	reply_carrying(rig, "done video=lift:/v/0", TEXTS("%"));
	assert_stored(rig, &job, 1);
}

/* Another reply would bring the video whole once more, if the provider still has it. */
static void an_extra_that_cannot_be_had_costs_no_video_of_the_same_reply(void **state)
{
	static const char *const words[] = {"done video=lift:/v/0 thumbnail=https://maker.test/thumb",
					    "done thumbnail=https://maker.test/thumb video=lift:/v/0"};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2; i++) {
		struct job_ref job = polling_job(rig);

		reply_carrying(rig, words[i], TEXTS("%"));
		assert_true(request_ends_with(the_request(rig), "/thumb"));
		reply(rig, 403, "");
		assert_state(rig, &job, JOB_STATE_SUCCEEDED);
		assert_int_equal(look(rig, &job)->n_artifacts, 1);
		assert_int_equal(look(rig, &job)->n_missing, 1);
		assert_string_equal(look(rig, &job)->missing[0], "thumbnail");
		assert_int_equal(staged(rig, false), 0);
		assert_int_equal(open_requests(rig), 0);
	}
}

#define lift_story(name) cmocka_unit_test_setup_teardown(name, set_up, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		lift_story(what_a_reply_carries_is_stored_and_the_plugin_sees_an_empty_text),
		lift_story(such_an_exchange_may_take_long_as_long_as_it_moves),
		lift_story(several_are_stored_and_what_no_output_names_is_dropped),
		lift_story(a_member_that_comes_twice_has_its_last_value),
		lift_story(a_reply_that_says_wait_leaves_nothing_behind),
		lift_story(a_reply_that_cannot_be_read_is_asked_for_again),
		lift_story(a_reply_that_is_cut_short_is_asked_for_again),
		lift_story(the_rest_of_the_reply_has_its_limit),
		lift_story(a_file_that_is_no_video_is_asked_for_again_and_then_given_up),
		lift_story(without_any_video_the_job_has_failed),
		lift_story(after_a_crash_the_file_is_still_there),
		lift_story(after_a_crash_behind_the_seal_it_is_still_there),
		lift_story(what_was_sealed_comes_again_as_a_file_of_its_own),
		lift_story(what_cannot_be_sealed_now_is_kept_for_later),
		lift_story(a_graceful_end_leaves_it_too),
		lift_story(a_file_that_is_gone_is_asked_for_again),
		lift_story(a_start_sweeps_what_no_job_names),
		lift_story(a_crash_within_the_reply_loses_nothing),
		lift_story(a_crash_before_the_job_names_the_file_leads_to_another_poll),
		lift_story(a_cancel_within_the_reply_leaves_nothing_behind),
		lift_story(a_full_disk_is_waited_for),
		lift_story(more_than_was_reserved_needs_room),
		lift_story(what_cannot_be_synced_is_not_promised),
		lift_story(what_was_found_finished_is_known_and_its_poll_brings_it),
		lift_story(a_look_whose_reply_cannot_be_read_decides_nothing),
		lift_story(an_extra_that_cannot_be_had_costs_no_video_of_the_same_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
