/*
 * STORING: what was paid for is brought home.
 */
#include "engine/rig.h"

#include <dirent.h>
#include <sys/stat.h>

#define LINK "https://maker.test/file/1"
#define HALF 100 /* bytes of a_video() */

/* The connection breaks after the first @len bytes of the file, or of its rest. */
static void break_off(struct rig *rig, const char *headers, size_t len)
{
	struct request *request = the_request(rig);
	struct bytes video = a_video();

	answer_request(rig, request,
		       &(struct said){.kind = HTTP_AMBIGUOUS,
				      .error = -ECONNRESET,
				      .status = request->resume_from ? 206 : 200,
				      .headers = headers,
				      .file = bytes_of((const char *)video.data + request->resume_from, len)});
}

static void deliver_rest(struct rig *rig)
{
	struct request *request = the_request(rig);
	struct bytes video = a_video();

	answer_request(rig, request,
		       &(struct said){.status = 206,
				      .file = bytes_of((const char *)video.data + request->resume_from,
						       video.len - request->resume_from)});
}

static void assert_stored(struct rig *rig, const struct job_ref *job)
{
	struct bytes video = a_video();
	struct digest sha256 = digest_of(video);
	const struct job_artifact *artifact;
	char content[1024];
	struct answer *answer;

	assert_state(rig, job, JOB_STATE_SUCCEEDED);
	artifact = &look(rig, job)->artifacts[0];
	assert_memory_equal(&artifact->sha256, &sha256, sizeof(sha256));
	assert_int_equal(artifact->size_bytes, video.len);
	assert_string_equal(artifact->media_type, "video/mp4");
	assert_int_equal(artifact->width, 640);
	answer = open_artifact(rig, job, 1);
	assert_answer(answer, 0);
	assert_int_equal(pread(answer->fd, content, sizeof(content), 0), video.len);
	assert_memory_equal(content, video.data, video.len);
}

/* What became of the file since is not the store's fault, and no reason to say that it takes no writes. */
static void a_stored_file_that_is_not_what_was_recorded_is_damaged(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	char path[PATH_MAX];

	artifact_path(rig, &look(rig, &job)->artifacts[0].sha256, path);
	assert_int_equal(truncate(path, 10), 0);
	assert_answer(open_artifact(rig, &job, 1), ENGINE_E_DAMAGED);
	assert_int_equal(unlink(path), 0);
	assert_answer(open_artifact(rig, &job, 1), ENGINE_E_DAMAGED);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_answer(open_artifact(rig, &job, 1), ENGINE_E_DAMAGED);
	assert_answer(open_artifact(rig, &job, 2), ENGINE_E_NOT_FOUND);
}

static size_t staged_files(const struct rig *rig)
{
	char path[PATH_MAX + 32];
	size_t n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/artifacts/staging", rig->folder);
	folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *file = readdir(folder); file; file = readdir(folder))
		n += file->d_name[0] != '.';
	closedir(folder);
	return n;
}

/* ---- whole and in parts ---- */

static void a_download_is_stored_with_what_was_found_in_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);
	const struct request *request = the_request(rig);

	assert_string_equal(request->method, "GET");
	assert_int_equal(request->lane, HTTP_LANE_TRANSFER);
	assert_int_equal(request->sink, HTTP_SINK_FILE);
	assert_false(request->flags & HTTP_ONCE);
	deliver(rig, a_video());
	assert_stored(rig, &job);
	assert_null(look(rig, &job)->outputs);
	assert_int_equal(look(rig, &job)->progress_percent, 100);
	assert_true(look(rig, &job)->attempts[0].ended_ms > 0);
}

static void what_broke_off_is_taken_up_where_it_was(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	break_off(rig, "ETag: \"one\"", HALF);
	sleep_over(rig, &job);
	assert_int_equal(the_request(rig)->resume_from, HALF);
	assert_string_equal(the_request(rig)->if_range, "\"one\"");
	break_off(rig, "ETag: \"one\"", 20);
	sleep_over(rig, &job);
	assert_int_equal(the_request(rig)->resume_from, HALF + 20);
	deliver_rest(rig);
	assert_stored(rig, &job);
	assert_string_equal(history(rig, &job), "queued preparing starting running storing succeeded");
}

static void without_a_strong_validator_it_begins_anew(void **state)
{
	static const char *const headers[] = {"ETag: W/\"one\"", NULL, "Last-Modified: Sun, 29 Nov 2026 00:00:00 GMT"};
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	for (size_t i = 0; i < 3; i++) {
		break_off(rig, headers[i], HALF);
		sleep_over(rig, &job);
		assert_int_equal(the_request(rig)->resume_from, 0);
		assert_null(the_request(rig)->if_range);
	}
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

/* The server has another file by now and sends all of it. */
static void a_server_that_answers_with_the_whole_is_taken_at_its_word(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	break_off(rig, "ETag: \"one\"", HALF);
	sleep_over(rig, &job);
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

static void a_part_that_the_server_does_not_have_is_given_up(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	break_off(rig, "ETag: \"one\"", HALF);
	sleep_over(rig, &job);
	reply(rig, 416, "");
	sleep_over(rig, &job);
	assert_int_equal(the_request(rig)->resume_from, 0);
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

/* A link that is down for long may be dead: the provider is asked for another one, and for its patience about a day. */
static void a_server_that_is_down_is_asked_again_and_then_the_provider(void **state)
{
	static const struct said ends[] = {
		{.kind = HTTP_NOT_SENT, .error = -ECONNREFUSED},
		{.kind = HTTP_AMBIGUOUS, .error = -ETIMEDOUT, .may_have_left = true},
		{.status = 500},
		{.status = 429},
	};
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	for (size_t i = 1; i < LIMIT_ENGINE_FETCH_FAILURES; i++) {
		answer_request(rig, the_request(rig), &ends[i % 4]);
		assert_state(rig, &job, JOB_STATE_STORING);
		assert_true(sleep_over(rig, &job) <= LIMIT_ENGINE_BACKOFF_CAP_MS);
	}
	answer_request(rig, the_request(rig), &ends[0]);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/2");
	answer_request(rig, the_request(rig), &(struct said){.status = 429, .headers = "Retry-After: 77"});
	assert_int_equal(sleep_over(rig, &job), 77000);
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

static void progress_renews_the_patience_with_a_server(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	for (size_t i = 0; i < 3 * LIMIT_ENGINE_FETCH_FAILURES; i++) {
		break_off(rig, "ETag: \"one\"", 2);
		sleep_over(rig, &job);
	}
	deliver_rest(rig);
	assert_stored(rig, &job);
	assert_string_equal(history(rig, &job), "queued preparing starting running storing succeeded");
}

/* A server that gives less than it was asked for, and says so. */
static void a_part_is_not_taken_for_the_whole(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);
	struct bytes video = a_video();

	break_off(rig, "ETag: \"one\"", HALF);
	sleep_over(rig, &job);
	answer_request(rig, the_request(rig),
		       &(struct said){.status = 206,
				      .headers = "ETag: \"one\"",
				      .range = {true, HALF, HALF + 9, (int64_t)video.len},
				      .file = bytes_of((const char *)video.data + HALF, 10)});
	assert_state(rig, &job, JOB_STATE_STORING);
	sleep_over(rig, &job);
	assert_int_equal(the_request(rig)->resume_from, HALF + 10);
	deliver_rest(rig);
	assert_stored(rig, &job);
}

/* The second reply is another file, of which nothing is known but its beginning. */
static void a_whole_reply_without_a_validator_ends_the_one_before(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	break_off(rig, "ETag: \"one\"", HALF);
	sleep_over(rig, &job);
	answer_request(rig, the_request(rig),
		       &(struct said){.kind = HTTP_AMBIGUOUS,
				      .error = -ECONNRESET,
				      .status = 200,
				      .file = bytes_of("another file", 12)});
	sleep_over(rig, &job);
	assert_int_equal(the_request(rig)->resume_from, 0);
	assert_null(the_request(rig)->if_range);
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

/* ---- links ---- */

static void an_expired_link_is_renewed(void **state)
{
	static const int statuses[] = {403, 404, 410};
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	for (size_t i = 0; i < 3; i++) {
		reply(rig, statuses[i], "");
		assert_state(rig, &job, JOB_STATE_RUNNING);
		assert_true(sleep_over(rig, &job) <= LIMIT_ENGINE_RELINK_CAP_MS);
		assert_true(request_ends_with(the_request(rig), "/poll"));
		reply(rig, 200, "done video=https://maker.test/file/2");
		assert_string_equal(the_request(rig)->url, "https://maker.test/file/2");
	}
	deliver(rig, a_video());
	assert_stored(rig, &job);
	assert_int_equal(purchases(rig), 1);
}

static void a_link_that_never_works_fails_the_job_that_was_paid_for(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.timeout_ms = 1000 * RIG_HOUR_MS});
	int relinks = 0;

	reply(rig, 200, "done id=v1 video=" LINK);
	for (;; relinks++) {
		reply(rig, 403, "");
		if (look(rig, &job)->state != JOB_STATE_RUNNING)
			break;
		sleep_over(rig, &job);
		reply(rig, 200, "done video=" LINK);
	}
	assert_int_equal(relinks, LIMIT_ENGINE_RELINKS);
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
}

static void a_redirect_is_followed_with_the_key_only_at_home(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=" LINK " secret");
	assert_string_equal(request_header(the_request(rig), "X-Api-Key"), "secret");
	answer_request(rig, the_request(rig),
		       &(struct said){.status = 302, .location = "https://maker.test:443/moved/1"});
	assert_string_equal(the_request(rig)->url, "https://maker.test:443/moved/1");
	assert_string_equal(request_header(the_request(rig), "X-Api-Key"), "secret");
	answer_request(rig, the_request(rig),
		       &(struct said){.status = 307, .location = "https://store.test/file?signature=1"});
	assert_string_equal(the_request(rig)->url, "https://store.test/file?signature=1");
	assert_null(request_header(the_request(rig), "X-Api-Key"));
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

static void another_port_or_scheme_is_another_origin(void **state)
{
	static const char *const locations[] = {"http://maker.test/file/1", "https://maker.test:8443/file/1",
						"https://maker.test.evil.test/file/1"};
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	for (size_t i = 0; i < 3; i++) {
		sleep_over(rig, &job);
		reply(rig, 200, "done video=" LINK " secret");
		answer_request(rig, the_request(rig), &(struct said){.status = 302, .location = locations[i]});
		assert_null(request_header(the_request(rig), "X-Api-Key"));
		reply(rig, 403, "");
	}
}

static void redirects_without_end_are_a_bad_link(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	for (int i = 0; i < LIMIT_ENGINE_REDIRECTS; i++)
		answer_request(rig, the_request(rig), &(struct said){.status = 302, .location = LINK});
	assert_state(rig, &job, JOB_STATE_STORING);
	answer_request(rig, the_request(rig), &(struct said){.status = 302, .location = LINK});
	assert_state(rig, &job, JOB_STATE_RUNNING);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=" LINK);
	reply(rig, 302, "");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* ---- what came is not what it should be ---- */

static void a_file_that_is_no_video_is_fetched_anew_a_few_times(void **state)
{
	static const char html[] = "<html><body>please log in</body></html>";
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	for (int i = 0; i < LIMIT_ENGINE_BAD_FILES; i++) {
		deliver(rig, i % 2 ? bytes_of(a_video().data, HALF) : bytes_of_text(html));
		assert_state(rig, &job, JOB_STATE_RUNNING);
		sleep_over(rig, &job);
		reply(rig, 200, "done video=" LINK);
	}
	deliver(rig, bytes_of_text(html));
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
	assert_int_equal(look(rig, &job)->n_artifacts, 0);
	assert_int_equal(purchases(rig), 1);
}

static void a_file_above_the_limit_fails_the_job(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	answer_request(rig, the_request(rig), &(struct said){.kind = HTTP_TOO_LARGE, .error = -EFBIG, .status = 200});
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
	assert_non_null(strstr(look(rig, &job)->failure.message, "limits.video_bytes"));
}

static void an_error_page_above_the_limit_says_nothing_about_the_file(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	answer_request(rig, the_request(rig), &(struct said){.kind = HTTP_TOO_LARGE, .error = -EFBIG, .status = 502});
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* Links that run out use up nothing of the patience with bad files. */
static void links_and_files_are_counted_apart(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	for (size_t i = 0; i < 2 * LIMIT_ENGINE_BAD_FILES; i++) {
		reply(rig, 403, "");
		sleep_over(rig, &job);
		reply(rig, 200, "done video=" LINK);
	}
	deliver(rig, bytes_of_text("<html>no video</html>"));
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_video_that_lacks_a_link_outlives_its_deadline(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	reply(rig, 403, "");
	pass_until(rig, get(rig, &job)->view.job->deadline_ms + 1);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	reply(rig, 200, "done video=" LINK);
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

static void a_restart_forgets_no_video_that_lacks_a_link(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	reply(rig, 403, "");
	crash_and_restart(rig);
	pass_until(rig, get(rig, &job)->view.job->deadline_ms + 1);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	reply(rig, 200, "done video=" LINK);
	deliver(rig, a_video());
	assert_stored(rig, &job);
}

static void a_video_that_nobody_gets_is_not_asked_for_for_ever(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);
	int64_t delivered_ms = now_ms();

	reply(rig, 403, "");
	pass_until(rig, delivered_ms + LIMIT_JOB_REDELIVERY_MS - 1);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	pass_until(rig, delivered_ms + LIMIT_JOB_REDELIVERY_MS);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
	assert_int_equal(get(rig, &job)->view.status->failure.purchase, JOB_PURCHASE_MADE);
}

static void what_is_given_up_leaves_no_file(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	break_off(rig, "ETag: \"one\"", HALF);
	sleep_over(rig, &job);
	reply(rig, 403, "");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(staged_files(rig), 0);
}

static void nothing_to_fetch_is_nothing_delivered(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done");
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
}

/* ---- several outputs ---- */

static void one_sample_that_cannot_be_had_loses_no_other(void **state)
{
	struct rig *rig = *state;
	const struct said too_large = {.kind = HTTP_TOO_LARGE, .error = -EFBIG, .status = 200};
	const char *const orders[] = {"done video=https://maker.test/videos/2 video=" LINK,
				      "done video=" LINK " video=https://maker.test/videos/2"};

	for (size_t first = 0; first < 2; first++) {
		struct job_ref job = running_job(rig);

		sleep_over(rig, &job);
		reply(rig, 200, orders[first]);
		for (size_t i = 0; i < 2; i++)
			if (i == first)
				answer_request(rig, the_request(rig), &too_large);
			else
				deliver(rig, a_video());
		assert_state(rig, &job, JOB_STATE_SUCCEEDED);
		assert_int_equal(get(rig, &job)->view.status->n_artifacts, 1);
		assert_int_equal(get(rig, &job)->view.status->n_missing, 1);
		assert_string_equal(get(rig, &job)->view.status->missing[0], "video");
	}
}

static void no_sample_that_can_be_had_is_nothing_delivered(void **state)
{
	struct rig *rig = *state;
	const struct said too_large = {.kind = HTTP_TOO_LARGE, .error = -EFBIG, .status = 200};
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/videos/2 video=" LINK);
	answer_request(rig, the_request(rig), &too_large);
	answer_request(rig, the_request(rig), &too_large);
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
}

static const char subtitles[] = "1\n00:00:00,000 --> 00:00:01,000\na fox\n";

static struct job_ref job_with_extras(struct rig *rig)
{
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done subtitles=https://maker.test/subs/1 video=" LINK);
	assert_true(request_ends_with(the_request(rig), "/subs/1"));
	return job;
}

static void every_output_becomes_an_artifact(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = job_with_extras(rig);
	const struct job_status *status;

	deliver(rig, bytes_of_text(subtitles));
	deliver(rig, a_video());
	status = look(rig, &job);
	assert_int_equal(status->state, JOB_STATE_SUCCEEDED);
	assert_int_equal(status->n_artifacts, 2);
	assert_string_equal(status->artifacts[0].role, "subtitles");
	assert_int_equal(status->artifacts[0].index, 1);
	assert_string_equal(status->artifacts[1].role, "video");
	assert_int_equal(status->artifacts[1].index, 2);
	assert_int_equal(status->n_missing, 0);
}

static void an_extra_that_cannot_be_had_leaves_a_note(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = job_with_extras(rig);
	const struct job_status *status;

	answer_request(rig, the_request(rig), &(struct said){.kind = HTTP_TOO_LARGE, .error = -EFBIG, .status = 200});
	deliver(rig, a_video());
	status = look(rig, &job);
	assert_int_equal(status->state, JOB_STATE_SUCCEEDED);
	assert_int_equal(status->n_artifacts, 1);
	assert_int_equal(status->n_missing, 1);
	assert_string_equal(status->missing[0], "subtitles");
}

/* A dead thumbnail must not hold up for a day what was paid for, nor use up the patience that the video may need. */
static void an_extra_whose_link_never_works_is_given_up_soon(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	const struct job_status *status;

	sleep_over(rig, &job);
	for (int tries = 0; tries < LIMIT_ENGINE_EXTRA_TRIES; tries++) {
		reply(rig, 200, "done video=" LINK " thumbnail=https://maker.test/thumb");
		deliver(rig, a_video());
		reply(rig, 403, "");
		assert_int_equal(look(rig, &job)->state, JOB_STATE_RUNNING);
		sleep_over(rig, &job);
	}
	reply(rig, 200, "done video=" LINK " thumbnail=https://maker.test/thumb");
	reply(rig, 403, "");
	assert_int_equal(look(rig, &job)->state, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=" LINK " thumbnail=https://maker.test/thumb");
	deliver(rig, a_video());
	reply(rig, 403, "");
	status = look(rig, &job);
	assert_int_equal(status->state, JOB_STATE_SUCCEEDED);
	assert_int_equal(status->n_artifacts, 1);
	assert_int_equal(status->n_missing, 1);
	assert_string_equal(status->missing[0], "thumbnail");
	assert_int_equal(purchases(rig), 1);
}

/* What was fetched before a link ran out is fetched again: no half of a delivery is kept. */
static void a_link_that_runs_out_in_the_middle_counts_nothing_twice(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = job_with_extras(rig);

	deliver(rig, bytes_of_text(subtitles));
	reply(rig, 403, "");
	sleep_over(rig, &job);
	reply(rig, 200, "done subtitles=https://maker.test/subs/2 video=https://maker.test/file/2");
	deliver(rig, bytes_of_text(subtitles));
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(look(rig, &job)->n_artifacts, 2);
}

/* ---- the disk ---- */

static void a_full_disk_waits_and_keeps_what_was_paid_for(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);
	uint64_t revision = 0;

	for (int i = 0; i < 3; i++) {
		answer_request(rig, the_request(rig),
			       &(struct said){.kind = HTTP_NOT_STORED, .error = -ENOSPC, .status = 200});
		assert_state(rig, &job, JOB_STATE_STORING);
		assert_int_equal(look(rig, &job)->wait, JOB_WAIT_DISK);
		assert_true(i == 0 || look(rig, &job)->revision == revision);
		revision = look(rig, &job)->revision;
		assert_int_equal(sleep_over(rig, &job), LIMIT_ENGINE_DISK_MS);
	}
	deliver(rig, a_video());
	assert_stored(rig, &job);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_NONE);
}

static void the_room_that_was_kept_free_is_given_back(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 3; i++) {
		struct job_ref job = order(rig);

		reply(rig, 422, "failed reason=invalid_input");
		assert_state(rig, &job, JOB_STATE_FAILED);
	}
	succeeded_job(rig);
	uncertain_job(rig);
	assert_int_equal(room_kept_free(), 0);
	order(rig);
	assert_int_equal(room_kept_free(), rig->providers[0].expected_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_download_is_stored_with_what_was_found_in_it),
		story(a_stored_file_that_is_not_what_was_recorded_is_damaged),
		story(what_broke_off_is_taken_up_where_it_was),
		story(without_a_strong_validator_it_begins_anew),
		story(a_server_that_answers_with_the_whole_is_taken_at_its_word),
		story(a_part_that_the_server_does_not_have_is_given_up),
		story(a_server_that_is_down_is_asked_again_and_then_the_provider),
		story(progress_renews_the_patience_with_a_server),
		story(a_part_is_not_taken_for_the_whole),
		story(a_whole_reply_without_a_validator_ends_the_one_before),
		story(an_expired_link_is_renewed),
		story(a_link_that_never_works_fails_the_job_that_was_paid_for),
		story(a_redirect_is_followed_with_the_key_only_at_home),
		story(another_port_or_scheme_is_another_origin),
		story(redirects_without_end_are_a_bad_link),
		story(a_file_that_is_no_video_is_fetched_anew_a_few_times),
		story(a_file_above_the_limit_fails_the_job),
		story(an_error_page_above_the_limit_says_nothing_about_the_file),
		story(links_and_files_are_counted_apart),
		story(a_video_that_lacks_a_link_outlives_its_deadline),
		story(a_restart_forgets_no_video_that_lacks_a_link),
		story(a_video_that_nobody_gets_is_not_asked_for_for_ever),
		story(what_is_given_up_leaves_no_file),
		story(nothing_to_fetch_is_nothing_delivered),
		story(one_sample_that_cannot_be_had_loses_no_other),
		story(no_sample_that_can_be_had_is_nothing_delivered),
		story(every_output_becomes_an_artifact),
		story(an_extra_whose_link_never_works_is_given_up_soon),
		story(an_extra_that_cannot_be_had_leaves_a_note),
		story(a_link_that_runs_out_in_the_middle_counts_nothing_twice),
		story(a_full_disk_waits_and_keeps_what_was_paid_for),
		story(the_room_that_was_kept_free_is_given_back),
	};

	return cmocka_run_group_tests_name("engine.fetch", tests, NULL, NULL);
}
