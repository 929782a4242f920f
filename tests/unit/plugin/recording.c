#include "plugin/recording.h"

#include "base/limits.h"
#include "plugin/fixtures.h"
#include "plugin/recorder.h"

#include <dirent.h>
#include <sys/stat.h>

static const char JOB[] = "{\"id\":\"j\",\"model\":\"clip-1\",\"parameters\":{\"prompt\":\"a {secret:api_key} "
			  "\\u0001\\\"$X\",\"seed\":17454220438242315174}}";
static struct plugin *toy;
static struct plugin_account *account;

static int load(void **state)
{
	(void)state;
	toy = fixture_plugin("toy");
	account = fixture_account(toy, NULL);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_account_free(account);
	plugin_free(toy);
	return 0;
}

static struct plugin_step finished_poll(const struct plugin_reply *reply)
{
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL, JOB);

	step.phase = 1;
	step.state = bytes_of_text("{\"id\":\"v_1\"}");
	step.reply = reply;
	step.remote_id = "v_1";
	step.remote_kind = "clip";
	step.polls = 3;
	step.accepted_at_ms = 1795368900000;
	return step;
}

static struct plugin_recording *record(const struct plugin_step *step)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = fixture_run(step);
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct plugin_recording *recording = NULL;
	struct errmsg error = {0};

	assert_int_equal(plugin_recording_write(step, answer, &text), 0);
	assert_null(strstr(text.data, API_KEY));
	assert_null(strstr(text.data, LOGIN));
	if (plugin_recording_read(buffer_bytes(&text), &recording, &error))
		fail_msg("%s", error.text);
	assert_string_equal(plugin_recording_plugin(recording), "toy");
	return recording;
}

/* Runs what was recorded without the secrets, and compares. */
static void assert_replays(const struct plugin_recording *recording)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	_cleanup_(plugin_account_freep) struct plugin_account *again = NULL;
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct plugin_step step = *plugin_recording_step(recording);
	struct errmsg error = {0};

	if (plugin_account_new(toy, plugin_recording_account(recording), &again, &error))
		fail_msg("%s", error.text);
	step.account = again;
	answer = fixture_run(&step);
	assert_int_equal(plugin_recording_write_answer(again, answer, &text), 0);
	assert_true(bytes_equal(buffer_bytes(&text), plugin_recording_answer(recording)));
}

static void an_order_replays_with_its_prompt_and_without_its_key(void **state)
{
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_START, JOB);
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(&step);
	const struct plugin_step *read = plugin_recording_step(recording);
	struct bytes answer = plugin_recording_answer(recording);

	(void)state;
	assert_replays(recording);
	assert_string_equal(read->idempotency_key, "key-0001");
	assert_memory_equal(read->random, step.random, sizeof(step.random));
	assert_int_equal(read->now_ms, step.now_ms);
	assert_non_null(memmem(answer.data, answer.len, "\"credential\":true", 17));
	assert_non_null(memmem(answer.data, answer.len, "{secret:api_key}", 16));
	assert_non_null(memmem(answer.data, answer.len, "17454220438242315174", 20));
}

static void a_reply_replays_without_what_its_links_are_signed_with(void **state)
{
	static const struct plugin_header headers[] = {{"Set-Cookie", "session=0123", false},
						       {"Content-Type", "application/json", false}};
	const struct plugin_reply reply = {
		.status = 200,
		.headers = headers,
		.n_headers = 2,
		.body = bytes_of_text(
			"{\"status\":\"done\",\"url\":\"https:\\/\\/f.example\\/v?Expires=9\\u0026Signature="
			"abcd\",\"cost\":\"0.25\",\"key\":\"" API_KEY "\"}"),
		.elapsed_ms = 12,
		.retry_after_ms = -1,
	};
	struct plugin_step step = finished_poll(&reply);
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(&step);
	const struct plugin_step *read = plugin_recording_step(recording);
	struct bytes answer = plugin_recording_answer(recording);

	(void)state;
	assert_replays(recording);
	assert_string_equal(read->reply->headers[0].value, PLUGIN_REDACTED);
	assert_string_equal(read->reply->headers[1].value, "application/json");
	assert_int_equal(read->polls, 3);
	assert_string_equal(read->remote_kind, "clip");
	assert_int_equal(read->accepted_at_ms, step.accepted_at_ms);
	assert_non_null(memmem(answer.data, answer.len, "v?Expires=9&Signature=REDACTED", 30));
}

static void a_page_replays_as_the_plugin_saw_it(void **state)
{
	const struct plugin_reply reply = {.status = 502,
					   .body = bytes_of_text("<html>\xff Bad Gateway " API_KEY "</html>"),
					   .retry_after_ms = 7000};
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_START, JOB);

	(void)state;
	step.phase = 1;
	step.reply = &reply;
	step.has_bought = true;
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(&step);
	assert_replays(recording);
	assert_true(plugin_recording_step(recording)->has_bought);
	assert_int_equal(plugin_recording_step(recording)->reply->retry_after_ms, 7000);
	assert_true(bytes_equal(plugin_recording_step(recording)->reply->body,
				bytes_of_text("<html>? Bad Gateway REDACTED</html>")));
}

static void what_is_no_recording_is_refused_with_the_place(void **state)
{
	static const char *const texts[][2] = {
		{"{", "unexpected end"},
		{"[]", "/format"},
		{"{}", "/format"},
		{"{\"format\":2}", "record again"},
		{"{\"format\":1,\"step\":{\"verb\":\"buy\"}}", "/step/verb"},
		{"{\"format\":1,\"step\":{\"verb\":\"poll\",\"random\":\"xyz\"}}", "/step/random"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct plugin_recording *recording = NULL;
		struct errmsg error = {0};

		assert_int_equal(plugin_recording_read(bytes_of_text(texts[i][0]), &recording, &error),
				 PLUGIN_RECORDING_E_INVALID);
		assert_null(recording);
		if (i > 0)
			assert_non_null(strstr(error.text, texts[i][1]));
		assert_true(error.text[0]);
	}
}

/* ---- the folder ---- */

static void empty(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_type != DT_DIR)
			assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	closedir(dir);
}

static void the_folder_takes_files_that_only_this_user_reads(void **state)
{
	char folder[] = "/tmp/filmgate-recordings-XXXXXX", path[128];
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_START, JOB);
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = fixture_run(&step);
	struct plugin_recorder *recorder = NULL;
	struct errmsg error = {0};
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(rmdir(folder), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(plugin_recorder_new(folder, &recorder, &error), 0);
		plugin_recorder_take(recorder, &step, answer);
		plugin_recorder_free(recorder);
	}
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* The second daemon goes on where the first one stopped. */
	snprintf(path, sizeof(path), "%s/00000002-mine-start-0.json", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	empty(folder);
	rmdir(folder);
}

static void a_full_folder_takes_nothing_more_and_hurts_nobody(void **state)
{
	char folder[] = "/tmp/filmgate-recordings-XXXXXX", path[128];
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_START, JOB);
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = fixture_run(&step);
	struct plugin_recorder *recorder = NULL;
	struct errmsg error = {0};
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/00000007-large", folder);
	fclose(fopen(path, "w"));
	assert_int_equal(truncate(path, LIMIT_RECORDINGS_BYTES - 10), 0);
	assert_int_equal(plugin_recorder_new(folder, &recorder, &error), 0);
	plugin_recorder_take(recorder, &step, answer);
	plugin_recorder_take(recorder, &step, answer);
	plugin_recorder_free(recorder);
	snprintf(path, sizeof(path), "%s/00000008-mine-start-0.json", folder);
	assert_int_equal(stat(path, &st), -1);
	empty(folder);
	rmdir(folder);
	/* A folder that has gone away. */
	assert_int_equal(plugin_recorder_new(folder, &recorder, &error), 0);
	rmdir(folder);
	plugin_recorder_take(recorder, &step, answer);
	plugin_recorder_free(recorder);
}

static void a_folder_that_cannot_be_is_refused_with_words(void **state)
{
	struct plugin_recorder *recorder = NULL;
	struct errmsg error = {0};

	(void)state;
	assert_int_equal(plugin_recorder_new("/dev/null/x", &recorder, &error), -ENOTDIR);
	assert_non_null(strstr(error.text, "record_dir: the folder '/dev/null/x'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_replays_with_its_prompt_and_without_its_key),
		cmocka_unit_test(a_reply_replays_without_what_its_links_are_signed_with),
		cmocka_unit_test(a_page_replays_as_the_plugin_saw_it),
		cmocka_unit_test(what_is_no_recording_is_refused_with_the_place),
		cmocka_unit_test(the_folder_takes_files_that_only_this_user_reads),
		cmocka_unit_test(a_full_folder_takes_nothing_more_and_hurts_nobody),
		cmocka_unit_test(a_folder_that_cannot_be_is_refused_with_words),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
