/*
 * Assets: how they come to be, what an order may say of them, and how they go.
 */
#include "engine/rig.h"

#include "engine/asset.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\x68........"
#define PNG_END "IEND\xae\x42\x60\x82"
static const char png[] = PNG_HEAD "a" PNG_END;
static const char other_png[] = PNG_HEAD "b" PNG_END;

static struct bytes a_picture(void)
{
	return bytes_of(png, sizeof(png) - 1);
}

/* ---- asking ---- */

struct result {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there, existed;
	int outcome, fd;
	char text[512];
	struct asset asset; /* its display_name is in text */
};

static struct result *expect(struct result *result)
{
	*result = (struct result){.fd = -1};
	pthread_mutex_init(&result->mutex, NULL);
	pthread_cond_init(&result->changed, NULL);
	return result;
}

static void await(struct result *result)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&result->mutex);
	while (!result->is_there)
		assert_int_equal(pthread_cond_timedwait(&result->changed, &result->mutex, &until), 0);
	pthread_mutex_unlock(&result->mutex);
	pthread_cond_destroy(&result->changed);
	pthread_mutex_destroy(&result->mutex);
}

static void arrive(struct result *result, int outcome, const char *text, const struct asset *asset)
{
	pthread_mutex_lock(&result->mutex);
	result->outcome = outcome;
	snprintf(result->text, sizeof(result->text), "%s", text ? text : "");
	if (asset) {
		result->asset = *asset;
		snprintf(result->text, sizeof(result->text), "%s", asset->display_name ? asset->display_name : "");
	}
	result->is_there = true;
	pthread_cond_signal(&result->changed);
	pthread_mutex_unlock(&result->mutex);
}

static void on_asset(void *userdata, int outcome, const struct engine_error *error, const struct asset *asset,
		     bool existed)
{
	struct result *result = userdata;

	result->existed = existed;
	arrive(result, outcome, error ? error->text : NULL, asset);
}

static void on_opened(void *userdata, int outcome, const struct asset *asset, int fd)
{
	struct result *result = userdata;

	result->fd = fd;
	arrive(result, outcome, NULL, asset);
}

static void on_done(void *userdata, int outcome, const struct engine_error *error)
{
	arrive(userdata, outcome, error ? error->text : NULL, NULL);
}

static struct result upload_as(struct rig *rig, const struct engine_upload_spec *spec, struct bytes bytes)
{
	struct engine_upload *upload = NULL;
	struct errmsg msg = {""};
	struct result result;
	int r = engine_upload_open(rig->engine, spec, &upload, &msg);

	expect(&result);
	for (size_t at = 0; r == 0 && at < bytes.len; at += 16)
		r = engine_upload_write(
			upload, bytes_of((const char *)bytes.data + at, bytes.len - at < 16 ? bytes.len - at : 16),
			&msg);
	if (r == 0) {
		engine_upload_finish(upload, on_asset, &result);
	} else {
		engine_upload_drop(upload);
		arrive(&result, r, msg.text, NULL);
	}
	await(&result);
	settle(rig);
	return result;
}

static struct result upload(struct rig *rig, struct bytes bytes)
{
	return upload_as(rig, &(struct engine_upload_spec){.tenant = JOB_TENANT_DEFAULT}, bytes);
}

static struct result get_asset(struct rig *rig, const struct digest *sha256)
{
	struct result result;

	engine_get_asset(rig->engine, JOB_TENANT_DEFAULT, sha256, on_asset, expect(&result));
	await(&result);
	return result;
}

static struct result open_asset(struct rig *rig, const struct digest *sha256)
{
	struct result result;

	asset_open(rig->engine, JOB_TENANT_DEFAULT, sha256, on_opened, expect(&result));
	await(&result);
	return result;
}

static struct result delete_asset(struct rig *rig, const struct digest *sha256)
{
	struct result result;

	engine_delete_asset(rig->engine, JOB_TENANT_DEFAULT, sha256, on_done, expect(&result));
	await(&result);
	settle(rig);
	return result;
}

static size_t staged_files(const struct rig *rig)
{
	char path[PATH_MAX + 64];
	const struct dirent *entry;
	size_t n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/staging", artifact_store_path(rig->artifacts));
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder)))
		n += entry->d_name[0] != '.';
	closedir(folder);
	return n;
}

/* Is the content still there? Collections are finished when the artifacts are closed. */
static bool is_stored(struct rig *rig, const struct digest *sha256)
{
	char path[PATH_MAX];

	crash_and_restart(rig);
	artifact_path(rig, sha256, path);
	return access(path, F_OK) == 0;
}

static void assert_refused(const struct rig *rig, const struct result *result, const char *words)
{
	assert_int_equal(result->outcome, ENGINE_E_ASSET_REFUSED);
	assert_non_null(strstr(result->text, words));
	assert_int_equal(staged_files(rig), 0);
	assert_int_equal(room_kept_free(), 0);
}

static const char *order_of(const struct digest *sha256)
{
	static char text[256];
	char name[ASSET_NAME_SIZE];

	asset_name_format(sha256, name);
	snprintf(text, sizeof(text),
		 "{\"prompt\":\"a fox\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"asset\":\"%s\"}]}",
		 name);
	return text;
}

static struct answer *order_asset(struct rig *rig, const struct digest *sha256, const char *request_id)
{
	return create(rig, &(struct engine_create){.parameters = order_of(sha256), .request_id = request_id});
}

static void a_plugin_that_judges_orders_sees_what_their_files_are(void **state)
{
	struct rig *rig = *state;
	struct digest sha256 = digest_of(a_picture()), other = digest_of(bytes_of_text("other"));
	char expected[ASSET_NAME_SIZE + 16] = "image/png ";

	upload(rig, a_picture());
	rig->providers[0].checks = &rig->checkers[0];
	asset_name_format(&sha256, expected + strlen(expected));
	assert_answer(order_asset(rig, &sha256, "r-1"), 0);
	assert_memory_equal(last_asked(&rig->checkers[0], PLUGIN_VERB_CHECK)->assets, expected, strlen(expected));
	/* One that is missing is left to the committer, which says so. */
	assert_answer(order_asset(rig, &other, "r-2"), ENGINE_E_INVALID);
	assert_string_equal(last_asked(&rig->checkers[0], PLUGIN_VERB_CHECK)->assets, "");
}

/* ---- uploads ---- */

static void an_upload_is_an_asset_that_survives_a_crash(void **state)
{
	struct rig *rig = *state;
	struct digest sha256 = digest_of(a_picture());
	struct engine_upload_spec spec = {.tenant = JOB_TENANT_DEFAULT,
					  .display_name = "My fox",
					  .size_bytes = a_picture().len,
					  .sha256 = &sha256};
	struct result result = upload_as(rig, &spec, a_picture());
	char back[128];

	assert_int_equal(result.outcome, 0);
	assert_false(result.existed);
	assert_memory_equal(&result.asset.sha256, &sha256, sizeof(sha256));
	assert_string_equal(result.asset.media_type, "image/png");
	assert_int_equal(result.asset.size_bytes, a_picture().len);
	assert_int_equal(result.asset.width, 640);
	assert_int_equal(result.asset.height, 360);
	assert_string_equal(result.text, "My fox");
	assert_int_equal(staged_files(rig), 0);
	assert_int_equal(room_kept_free(), 0);

	crash_and_restart(rig);
	result = get_asset(rig, &sha256);
	assert_int_equal(result.outcome, 0);
	assert_string_equal(result.text, "My fox");
	result = open_asset(rig, &sha256);
	assert_int_equal(result.outcome, 0);
	assert_int_equal(read(result.fd, back, sizeof(back)), a_picture().len);
	assert_memory_equal(back, png, a_picture().len);
	close(result.fd);
}

static void the_same_bytes_are_the_same_asset(void **state)
{
	struct rig *rig = *state;
	struct result first = upload(rig, a_picture());
	struct engine_upload_spec spec = {.tenant = JOB_TENANT_DEFAULT, .display_name = "Another name"};
	struct result second = upload_as(rig, &spec, a_picture());

	assert_int_equal(second.outcome, 0);
	assert_true(second.existed);
	assert_memory_equal(&second.asset.id, &first.asset.id, sizeof(first.asset.id));
	assert_string_equal(second.text, "");
	assert_int_equal(staged_files(rig), 0);
}

static void what_is_no_media_is_refused_and_leaves_nothing(void **state)
{
	struct digest other = digest_of(bytes_of_text("other"));
	struct engine_upload_spec spec = {.tenant = JOB_TENANT_DEFAULT, .size_bytes = 10};
	struct rig *rig = *state;
	struct result result = upload(rig, bytes_of_text("<!doctype html><title>no</title>"));

	assert_refused(rig, &result, "is a web page or XML");
	assert_non_null(strstr(result.text, "an asset is a PNG, JPEG"));
	result = upload(rig, bytes_of_text("just some words of text"));
	assert_refused(rig, &result, "an asset is a PNG, JPEG");
	result = upload(rig, (struct bytes){0});
	assert_refused(rig, &result, "is empty");
	result = upload(rig, bytes_of(png, 30));
	assert_refused(rig, &result, "cut short");
	result = upload_as(rig, &spec, a_picture());
	assert_refused(rig, &result, "more bytes came than the 10 that were announced");
	spec.size_bytes = 1000;
	result = upload_as(rig, &spec, a_picture());
	assert_refused(rig, &result, "and 1000 were announced");
	spec = (struct engine_upload_spec){.tenant = JOB_TENANT_DEFAULT, .sha256 = &other};
	result = upload_as(rig, &spec, a_picture());
	assert_refused(rig, &result, "was announced; send the whole file again");
	result.asset.sha256 = digest_of(a_picture());
	assert_int_equal(get_asset(rig, &result.asset.sha256).outcome, ENGINE_E_NOT_FOUND);
	assert_false(is_stored(rig, &result.asset.sha256));
}

static void an_upload_has_a_size(void **state)
{
	struct rig *rig = *state;
	struct engine_upload_spec spec = {.tenant = JOB_TENANT_DEFAULT};
	struct result result;

	rig_crash(rig);
	rig->config.max_asset_bytes = a_picture().len - 1;
	rig_start(rig);
	result = upload(rig, a_picture());
	assert_refused(rig, &result, "limits.asset_bytes");
	spec.size_bytes = a_picture().len;
	result = upload_as(rig, &spec, (struct bytes){0});
	assert_refused(rig, &result, "limits.asset_bytes");
	rig_crash(rig);
	rig->config.max_asset_bytes = a_picture().len;
	rig_start(rig);
	assert_int_equal(upload(rig, a_picture()).outcome, 0);
}

static void uploads_are_counted(void **state)
{
	struct engine_upload *uploads[LIMIT_ENGINE_UPLOADS], *one_more = NULL;
	struct engine_upload_spec spec = {.tenant = JOB_TENANT_DEFAULT};
	struct rig *rig = *state;
	struct errmsg msg = {""};

	for (size_t i = 0; i < LIMIT_ENGINE_UPLOADS; i++)
		assert_int_equal(engine_upload_open(rig->engine, &spec, &uploads[i], &msg), 0);
	assert_int_equal(engine_upload_open(rig->engine, &spec, &one_more, &msg), ENGINE_E_UPLOADS);
	assert_non_null(strstr(msg.text, "64 uploads are open"));
	engine_upload_drop(uploads[0]);
	assert_int_equal(engine_upload_open(rig->engine, &spec, &uploads[0], &msg), 0);
	for (size_t i = 0; i < LIMIT_ENGINE_UPLOADS; i++)
		engine_upload_drop(uploads[i]);
	assert_int_equal(staged_files(rig), 0);
}

static void an_upload_reserves_what_is_still_to_come(void **state)
{
	struct engine_upload_spec spec = {.tenant = JOB_TENANT_DEFAULT, .size_bytes = 1000};
	struct engine_upload *upload = NULL;
	struct rig *rig = *state;
	struct errmsg msg = {""};

	assert_int_equal(engine_upload_open(rig->engine, &spec, &upload, &msg), 0);
	assert_int_equal(room_kept_free(), 1000);
	assert_int_equal(engine_upload_write(upload, bytes_of(png, 10), &msg), 0);
	assert_int_equal(room_kept_free(), 990);
	engine_upload_drop(upload);
	assert_int_equal(room_kept_free(), 0);
}

static void a_store_that_failed_takes_no_upload(void **state)
{
	struct rig *rig = *state;
	struct result result;

	break_disk(rig);
	result = upload(rig, a_picture());
	assert_int_equal(result.outcome, ENGINE_E_STORE);
	result = upload(rig, a_picture());
	assert_int_equal(result.outcome, ENGINE_E_STORE);
	assert_int_equal(staged_files(rig), 0);
	engine_drain(rig->engine);
	result = upload(rig, a_picture());
	assert_int_equal(result.outcome, ENGINE_E_DRAINING);
}

/* ---- orders ---- */

static void an_order_holds_its_asset_until_it_ends(void **state)
{
	struct rig *rig = *state;
	struct digest sha256 = upload(rig, a_picture()).asset.sha256;
	struct answer *answer = order_asset(rig, &sha256, NULL);
	struct job_ref job = answer->view.job->ref;
	struct result result;

	assert_answer(answer, 0);
	assert_int_equal(answer->view.job->n_assets, 1);
	result = delete_asset(rig, &sha256);
	assert_int_equal(result.outcome, ENGINE_E_ASSET_USED);
	assert_non_null(strstr(result.text, "uses the asset and has not ended; wait for it, or cancel it"));
	lose_reply(rig);
	cancel(rig, &job);
	crash_and_restart(rig);
	assert_int_equal(delete_asset(rig, &sha256).outcome, ENGINE_E_ASSET_USED);
	result = open_asset(rig, &sha256);
	assert_int_equal(result.outcome, 0);
	close(result.fd);
}

static void what_has_ended_holds_nothing(void **state)
{
	struct rig *rig = *state;
	struct digest sha256 = upload(rig, a_picture()).asset.sha256;
	struct answer *answer;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	answer = order_asset(rig, &sha256, "once");
	assert_answer(answer, 0);
	job = answer->view.job->ref;
	cancel(rig, &job);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_int_equal(delete_asset(rig, &sha256).outcome, 0);
	assert_int_equal(delete_asset(rig, &sha256).outcome, ENGINE_E_NOT_FOUND);
	assert_int_equal(get_asset(rig, &sha256).outcome, ENGINE_E_NOT_FOUND);
	assert_int_equal(open_asset(rig, &sha256).outcome, ENGINE_E_NOT_FOUND);

	/* A repeat of the order is the order; a retry is one anew. */
	answer = order_asset(rig, &sha256, "once");
	assert_answer(answer, 0);
	assert_true(answer->is_replay);
	answer = retry(rig, &job, "again");
	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "parameters.media[0].asset");
	assert_non_null(strstr(answer->text, "does not exist, or no longer"));
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
	assert_false(is_stored(rig, &sha256));

	/* The same bytes have the same name. */
	upload(rig, a_picture());
	assert_answer(retry(rig, &job, "again"), 0);
}

static void an_order_is_held_against_its_assets(void **state)
{
	struct rig *rig = *state;
	struct digest nobody = digest_of(bytes_of_text("nobody's"));
	struct digest video = upload(rig, a_video()).asset.sha256;
	struct engine_create trial = {.parameters = order_of(&nobody), .validate_only = true};
	struct answer *answer = create(rig, &trial);

	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "parameters.media[0].asset");
	assert_non_null(strstr(answer->text, "does not exist"));
	answer = order_asset(rig, &video, NULL);
	assert_answer(answer, ENGINE_E_INVALID);
	assert_non_null(strstr(answer->text, "is video (video/mp4); the order says 'image'"));
	answer = order_asset(rig, &nobody, NULL);
	assert_answer(answer, ENGINE_E_INVALID);
	assert_int_equal(answer->n_violations, 1);
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
	assert_int_equal(purchases(rig), 0);
	upload(rig, a_picture());
	nobody = digest_of(a_picture());
	trial.parameters = order_of(&nobody);
	answer = create(rig, &trial);
	assert_answer(answer, 0);
	assert_int_equal(answer->view.status->revision, 0);
	assert_int_equal(delete_asset(rig, &nobody).outcome, 0);
}

/* Whatever the order of things: an accepted job has its asset, and a deleted asset has no open job. */
static void deleting_and_ordering_at_once_leaves_one_of_them(void **state)
{
	struct rig *rig = *state;

	rig->providers[0].concurrency = 0;
	for (int i = 0; i < 20; i++) {
		struct digest sha256 = upload(rig, bytes_of(other_png, sizeof(other_png) - 1)).asset.sha256;
		struct engine_create order = {.provider = "maker", .model = "clip", .parameters = order_of(&sha256)};
		struct result deleted;
		struct answer *answer;
		struct job_ref job;

		expect(&deleted);
		if (i % 2)
			engine_delete_asset(rig->engine, JOB_TENANT_DEFAULT, &sha256, on_done, &deleted);
		answer = create_unsettled(rig, &order);
		if (i % 2 == 0)
			engine_delete_asset(rig->engine, JOB_TENANT_DEFAULT, &sha256, on_done, &deleted);
		await(&deleted);
		await_answer(answer);
		settle(rig);
		if (answer->outcome == 0) {
			assert_int_equal(deleted.outcome, ENGINE_E_ASSET_USED);
			assert_int_equal(get_asset(rig, &sha256).outcome, 0);
			job = answer->view.job->ref;
			cancel(rig, &job);
		} else {
			assert_answer(answer, ENGINE_E_INVALID);
			assert_int_equal(deleted.outcome, 0);
			assert_int_equal(get_asset(rig, &sha256).outcome, ENGINE_E_NOT_FOUND);
		}
	}
}

static void a_file_that_a_job_delivered_stays_when_the_asset_goes(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	struct digest sha256 = upload(rig, a_video()).asset.sha256;

	assert_memory_equal(&look(rig, &job)->artifacts[0].sha256, &sha256, sizeof(sha256));
	assert_int_equal(delete_asset(rig, &sha256).outcome, 0);
	assert_true(is_stored(rig, &sha256));
	upload(rig, a_video());
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_true(is_stored(rig, &sha256));
	assert_int_equal(open_asset(rig, &sha256).outcome, 0);
	assert_int_equal(delete_asset(rig, &sha256).outcome, 0);
	assert_false(is_stored(rig, &sha256));
}

static void an_address_of_the_house_is_not_handed_on(void **state)
{
	static const char media[] = "{\"prompt\":\"a fox\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\","
				    "\"url\":\"http://0x7f.1/a.png\"}]}";
	static const char user[] = "{\"prompt\":\"a fox\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\","
				   "\"url\":\"http://me@example.com/a.png\"}]}";
	struct rig *rig = *state;
	struct answer *answer = create(rig, &(struct engine_create){.parameters = media});

	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "parameters.media[0].url");
	assert_non_null(strstr(answer->text, "leads into a private network"));
	assert_non_null(strstr(answer->text, "allow_private_network"));
	answer = create(rig, &(struct engine_create){.parameters = user});
	assert_answer(answer, ENGINE_E_INVALID);
	assert_non_null(strstr(answer->text, "without user name"));
	rig->providers[0].allow_private_network = true;
	assert_answer(create(rig, &(struct engine_create){.parameters = media}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_plugin_that_judges_orders_sees_what_their_files_are),
		story(an_upload_is_an_asset_that_survives_a_crash),
		story(the_same_bytes_are_the_same_asset),
		story(what_is_no_media_is_refused_and_leaves_nothing),
		story(an_upload_has_a_size),
		story(uploads_are_counted),
		story(an_upload_reserves_what_is_still_to_come),
		story(a_store_that_failed_takes_no_upload),
		story(an_order_holds_its_asset_until_it_ends),
		story(what_has_ended_holds_nothing),
		story(an_order_is_held_against_its_assets),
		story(deleting_and_ordering_at_once_leaves_one_of_them),
		story(a_file_that_a_job_delivered_stays_when_the_asset_goes),
		story(an_address_of_the_house_is_not_handed_on),
	};

	return cmocka_run_group_tests_name("engine.assets", tests, NULL, NULL);
}
