#include "plugin/recording.h"

#include "base/limits.h"
#include "plugin/fixtures.h"
#include "plugin/recorder.h"

#include "capture.h"

#include <dirent.h>
#include <sys/stat.h>

static const char JOB[] = "{\"id\":\"j\",\"model\":\"clip-1\",\"parameters\":{\"prompt\":\"a {secret:api_key} "
			  "\\u0001\\\"$X\",\"seed\":17454220438242315174}}";
#define RANDOM "0101010101010101010101010101010101010101010101010101010101010101"
#define A "assets/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "assets/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct plugin *toy, *carrier, *nonsense;
static struct plugin_account *account, *carrying, *raving;

static int load(void **state)
{
	(void)state;
	toy = fixture_plugin("toy");
	account = fixture_account(toy, NULL);
	carrier = fixture_plugin("carrier");
	carrying = fixture_account(carrier, NULL);
	nonsense = fixture_plugin("nonsense");
	raving = fixture_account(nonsense, NULL);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_account_free(account);
	plugin_account_free(carrying);
	plugin_account_free(raving);
	plugin_free(toy);
	plugin_free(carrier);
	plugin_free(nonsense);
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
	step.catalogue_kind = "voices";
	step.catalogue_next = "page-2";
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

	assert_int_equal(plugin_recording_write(step, answer, NULL, &text), 0);
	assert_null(strstr(text.data, API_KEY));
	assert_null(strstr(text.data, LOGIN));
	if (plugin_recording_read(buffer_bytes(&text), &recording, &error))
		fail_msg("%s", error.text);
	return recording;
}

/* Runs what was recorded without the secrets, and compares. */
static struct plugin_answer *replay(const struct plugin_recording *recording)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	_cleanup_(plugin_account_freep) struct plugin_account *again = NULL;
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct plugin_step step = *plugin_recording_step(recording);
	struct errmsg error = {0};

	if (plugin_account_new(strcmp(plugin_recording_plugin(recording), "toy") == 0       ? toy
			       : strcmp(plugin_recording_plugin(recording), "carrier") == 0 ? carrier
											    : nonsense,
			       plugin_recording_account(recording), &again, &error))
		fail_msg("%s", error.text);
	step.account = again;
	answer = fixture_run(&step);
	assert_int_equal(plugin_recording_write_answer(&step, answer, &text), 0);
	if (!bytes_equal(buffer_bytes(&text), plugin_recording_answer(recording)))
		fail_msg("'%.*s' was recorded, '%s' came", (int)plugin_recording_answer(recording).len,
			 (const char *)plugin_recording_answer(recording).data, text.data);
	return steal(answer);
}

static void assert_replays(const struct plugin_recording *recording)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = replay(recording);

	assert_non_null(answer);
}

static void assert_answer_has(const struct plugin_recording *recording, const char *text)
{
	struct bytes answer = plugin_recording_answer(recording);

	if (!memmem(answer.data, answer.len, text, strlen(text)))
		fail_msg("'%s' is not in %.*s", text, (int)answer.len, (const char *)answer.data);
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
	assert_string_equal(read->catalogue_kind, "voices");
	assert_string_equal(read->catalogue_next, "page-2");
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

/* ---- what was told and asked beyond an order ---- */

static void what_reconcile_is_told_and_says_is_recorded(void **state)
{
	static const char *const replies[][2] = {{"{\"clips\":[{\"id\":\"c_1\",\"kind\":\"clip\"}]}",
						  "{\"accepted\":{\"stage\":0,"},
						 {"{\"clips\":[]}", "{\"absent\":{}}"},
						 {"{}", "{\"unknown\":{}}"}};
	static const char facts[] =
		"{\"sends\":[{\"sent_at_ms\":1,\"decided_at_ms\":2}],\"others\":[{\"model\":\"m\"}]}";

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct plugin_reply reply = {
			.status = 200, .body = bytes_of_text(replies[i][0]), .retry_after_ms = -1};
		struct plugin_step step = fixture_step(account, PLUGIN_VERB_RECONCILE, JOB);

		step.phase = 1;
		step.reply = &reply;
		step.facts = bytes_of_text(facts);
		_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(&step);
		assert_replays(recording);
		assert_answer_has(recording, replies[i][1]);
		assert_true(bytes_equal(plugin_recording_step(recording)->facts, bytes_of_text(facts)));
	}
}

static struct plugin_step raving_poll(const char *words)
{
	static char job[128];

	snprintf(job, sizeof(job), "{\"parameters\":{\"prompt\":\"%s\"}}", words);
	return fixture_step(raving, PLUGIN_VERB_POLL, job);
}

static void what_is_lifted_out_of_a_reply_is_recorded_by_its_place(void **state)
{
	static const char *const lifted[] = {"/else", "/video"};
	const struct plugin_reply reply = {.status = 200,
					   .body = bytes_of_text("{\"video\":\"\"}"),
					   .retry_after_ms = -1,
					   .lifted = lifted,
					   .n_lifted = 2};
	struct plugin_step asks = raving_poll("lift");
	_cleanup_(plugin_recording_freep) struct plugin_recording *asked = record(&asks);
	struct plugin_step reads = raving_poll("lifted_alone");

	(void)state;
	assert_replays(asked);
	assert_answer_has(asked, "\"lift\":[\"/videos/*/data\"]");
	reads.phase = 1;
	reads.reply = &reply;
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(&reads);
	assert_replays(recording);
	assert_answer_has(recording, "\"lifted\":\"/video\"");
	assert_int_equal(plugin_recording_step(recording)->reply->n_lifted, 2);
	assert_string_equal(plugin_recording_step(recording)->reply->lifted[0], "/else");
}

/* ---- files ---- */

#define FIRST "{\"kind\":\"image\",\"role\":\"first_frame\",\"asset\":\"" A "\"}"
#define LAST "{\"kind\":\"image\",\"role\":\"last_frame\",\"asset\":\"" B "\"}"

static struct plugin_step order_with(const char *prompt, const struct plugin_asset *assets, size_t n)
{
	static char job[1024];
	struct plugin_step step;

	snprintf(job, sizeof(job), "{\"model\":\"m\",\"parameters\":{\"prompt\":\"%s\",\"media\":[%s]}}", prompt,
		 FIRST "," LAST);
	step = fixture_step(carrying, PLUGIN_VERB_START, job);
	step.assets = assets;
	step.n_assets = n;
	return step;
}

static const struct plugin_asset files[] = {
	{.name = A, .media_type = "image/png", .size_bytes = 1000},
	{.name = B, .media_type = "image/jpeg", .size_bytes = 7},
};

static void an_order_with_files_replays_with_their_names_and_sizes(void **state)
{
	static const char *const rows[][2] = {
		{"bare", "\"image\":\"{" A " base64}\",\"last\":\"{" B " base64}\",\"end\":\"z\"}"},
		{"uri", "\"image\":\"data:image/png;base64,{" A " base64}\""},
		{"parts", "filename=\\\"input.png\\\"\\u000d\\nContent-Type: image/png\\u000d\\n\\u000d\\n{" A
			  " raw}\\u000d\\n"},
		{"body", "\"files\":[{\"asset\":\"" A "\",\"form\":\"raw\",\"size_bytes\":1000}]"},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct plugin_step step = order_with(rows[i][0], files, 2);
		_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(&step);
		_cleanup_(plugin_answer_freep) struct plugin_answer *first = fixture_run(&step);
		_cleanup_(plugin_answer_freep) struct plugin_answer *again = replay(recording);

		assert_answer_has(recording, rows[i][1]);
		assert_memory_equal(&first->exchange.fingerprint, &again->exchange.fingerprint, DIGEST_SIZE);
		assert_int_equal(first->exchange.n_pieces, again->exchange.n_pieces);
		for (size_t k = 0; k < first->exchange.n_pieces; k++)
			assert_true(bytes_equal(first->exchange.pieces[k].text, again->exchange.pieces[k].text));
	}
}

static void a_file_that_is_to_be_brought_first_is_recorded_by_its_name(void **state)
{
	struct plugin_step step = order_with("handle", files, 2);
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(&step);

	(void)state;
	assert_replays(recording);
	assert_answer_has(recording, "{\"upload\":[\"" A "\",\"" B "\"]}");
}

static void assert_not_recorded(const struct plugin_step *step, const char *const *words)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = fixture_run(step);
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = record(step);
	_cleanup_(buffer_finish) struct buffer text = {0};

	assert_int_equal(plugin_recording_write(step, answer, NULL, &text), 0);
	for (; *words; words++)
		if (strstr(text.data, *words))
			fail_msg("'%s' is in %s", *words, text.data);
	assert_replays(recording);
}

static void what_a_provider_calls_a_file_is_in_no_recording(void **state)
{
	static const struct plugin_asset known[] = {
		{.name = A,
		 .media_type = "image/png",
		 .handle = "gs://b/as 1",
		 .headers = "{\"X-Resolve\":\"resolve-7391\"}"},
		{.name = B, .media_type = "image/png", .handle = "as_20260101", .headers = "{}"},
	};
	static const char *const words[] = {"gs://b", "as_2026", "resolve-7391", NULL};
	const struct plugin_reply reply = {.status = 200,
					   .body = bytes_of_text(
						   "{\"handle\":\"as/20260101\",\"headers\":{\"X-Resolve\":"
						   "\"resolve-7391\"}}"),
					   .retry_after_ms = -1};
	static const char *const reported[] = {"as/2026", "resolve-7391", NULL};
	struct plugin_step step = order_with("handle", known, 2);

	(void)state;
	assert_not_recorded(&step, words);
	step = fixture_step(carrying, PLUGIN_VERB_UPLOAD, "");
	step.phase = 1;
	step.reply = &reply;
	step.assets = files;
	step.n_assets = 1;
	assert_not_recorded(&step, reported);
}

/* A poll's reply may repeat what the provider calls a file, and carries no assets by which to know it. */
static void a_handle_is_in_no_later_recording_either(void **state)
{
	static const struct plugin_asset known_by_order[] = {
		{.name = A,
		 .media_type = "image/png",
		 .handle = "gs://b/as 1",
		 .headers = "{\"X-Resolve\":\"resolve-7391\"}"},
	};
	static const char *const words[] = {"gs://b/as", "resolve-7391", "as/20260101", NULL};
	const struct plugin_reply uploaded = {
		.status = 200, .body = bytes_of_text("{\"handle\":\"as/20260101\"}"), .retry_after_ms = -1};
	const struct plugin_reply polled = {
		.status = 200,
		.body = bytes_of_text("{\"data\":{\"id\":\"v1\",\"image\":\"gs://b/as 1\",\"input\":\"as/20260101\"}}"),
		.retry_after_ms = -1};
	struct plugin_redactor *known = plugin_redactor_new(NULL);
	struct plugin_step steps[3] = {order_with("handle", known_by_order, 1),
				       fixture_step(carrying, PLUGIN_VERB_UPLOAD, ""),
				       fixture_step(account, PLUGIN_VERB_POLL, JOB)};

	(void)state;
	steps[1].phase = 1;
	steps[1].reply = &uploaded;
	steps[1].assets = files;
	steps[1].n_assets = 1;
	steps[2].phase = 1;
	steps[2].reply = &polled;
	for (size_t i = 0; i < 3; i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = fixture_run(&steps[i]);
		_cleanup_(buffer_finish) struct buffer text = {0};

		assert_int_equal(plugin_recording_write(&steps[i], answer, known, &text), 0);
		for (const char *const *word = words; *word; word++)
			if (strstr(text.data, *word))
				fail_msg("'%s' is in %s", *word, text.data);
		assert_true(i != 2 || strstr(text.data, "\"v1\""));
	}
	plugin_redactor_free(known);
}

static void the_oldest_handles_are_forgotten_beyond_a_limit(void **state)
{
	_cleanup_(plugin_redactor_freep) struct plugin_redactor *known = plugin_redactor_new(NULL);
	char word[32];

	(void)state;
	for (int i = 0; i <= LIMIT_REDACT_KNOWN; i++) {
		_cleanup_(buffer_finish) struct buffer out = {0};

		snprintf(word, sizeof(word), "handle-%05d", i);
		assert_int_equal(plugin_redactor_add(known, bytes_of_text(word)), 0);
		assert_int_equal(plugin_redactor_add(known, bytes_of_text(word)), 0);
		plugin_redactor_forget(known, LIMIT_REDACT_KNOWN);
		assert_int_equal(plugin_redact_text(known, bytes_of_text("handle-00000 handle-00001"), &out), 0);
		if (i == LIMIT_REDACT_KNOWN)
			assert_string_equal(out.data, "handle-00000 REDACTED");
		else if (i == LIMIT_REDACT_KNOWN - 1)
			assert_string_equal(out.data, "REDACTED REDACTED");
	}
}

static void a_handle_that_is_met_again_is_not_the_oldest(void **state)
{
	_cleanup_(plugin_redactor_freep) struct plugin_redactor *known = plugin_redactor_new(NULL);
	_cleanup_(buffer_finish) struct buffer out = {0};

	(void)state;
	assert_int_equal(plugin_redactor_add(known, bytes_of_text("handle-old")), 0);
	assert_int_equal(plugin_redactor_add(known, bytes_of_text("handle-young")), 0);
	assert_int_equal(plugin_redactor_add(known, bytes_of_text("handle-old")), 0);
	plugin_redactor_forget(known, 1);
	assert_int_equal(plugin_redact_text(known, bytes_of_text("handle-old handle-young"), &out), 0);
	assert_string_equal(out.data, "REDACTED handle-young");
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
		{"{\"format\":1,\"step\":{\"verb\":\"poll\",\"random\":\"" RANDOM "\"},\"assets\":[{\"name\":\"a\","
		 "\"size_bytes\":1}]}",
		 "/assets"},
		{"{\"format\":1,\"step\":{\"verb\":\"poll\",\"random\":\"" RANDOM "\"},\"assets\":[{\"name\":\"" A
		 "\"}]}",
		 "/assets"},
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

/* Files of other names count as well: whoever is to read the folder has them all before them. */
static void the_folder_takes_recordings_up_to_a_number_and_a_size(void **state)
{
	static const struct {
		int files;
		int64_t bytes; /* of one of them */
	} rows[] = {{LIMIT_RECORDINGS - 1, 0}, {1, LIMIT_RECORDINGS_BYTES}};
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_START, JOB);
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = fixture_run(&step);
	_cleanup_(buffer_finish) struct buffer text = {0};

	(void)state;
	assert_int_equal(plugin_recording_write(&step, answer, NULL, &text), 0);
	for (size_t i = 0; i < 2; i++) {
		char folder[] = "/tmp/filmgate-recordings-XXXXXX", path[128], log[2048];
		struct plugin_recorder *recorder = NULL;
		struct errmsg error = {0};
		struct stat st;

		assert_non_null(mkdtemp(folder));
		for (int k = 0; k < rows[i].files; k++) {
			snprintf(path, sizeof(path), "%s/x%d", folder, k);
			fclose(fopen(path, "w"));
		}
		/* With its line's end it fits exactly. */
		if (rows[i].bytes)
			assert_int_equal(truncate(path, rows[i].bytes - (int64_t)text.len - 1), 0);
		assert_int_equal(plugin_recorder_new(folder, &recorder, &error), 0);
		plugin_recorder_take(recorder, &step, answer);
		snprintf(path, sizeof(path), "%s/00000001-mine-start-0.json", folder);
		assert_int_equal(stat(path, &st), 0);
		capture_start();
		plugin_recorder_take(recorder, &step, answer);
		capture_end(log, sizeof(log));
		snprintf(path, sizeof(path), "%s/00000002-mine-start-0.json", folder);
		assert_int_equal(stat(path, &st), -1);
		assert_non_null(strstr(log, "the folder for recordings is full"));
		assert_non_null(strstr(log, folder));
		plugin_recorder_free(recorder);
		empty(folder);
		rmdir(folder);
	}
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
		cmocka_unit_test(what_reconcile_is_told_and_says_is_recorded),
		cmocka_unit_test(what_is_lifted_out_of_a_reply_is_recorded_by_its_place),
		cmocka_unit_test(an_order_with_files_replays_with_their_names_and_sizes),
		cmocka_unit_test(a_file_that_is_to_be_brought_first_is_recorded_by_its_name),
		cmocka_unit_test(what_a_provider_calls_a_file_is_in_no_recording),
		cmocka_unit_test(a_handle_is_in_no_later_recording_either),
		cmocka_unit_test(the_oldest_handles_are_forgotten_beyond_a_limit),
		cmocka_unit_test(a_handle_that_is_met_again_is_not_the_oldest),
		cmocka_unit_test(what_is_no_recording_is_refused_with_the_place),
		cmocka_unit_test(the_folder_takes_files_that_only_this_user_reads),
		cmocka_unit_test(a_full_folder_takes_nothing_more_and_hurts_nobody),
		cmocka_unit_test(the_folder_takes_recordings_up_to_a_number_and_a_size),
		cmocka_unit_test(a_folder_that_cannot_be_is_refused_with_words),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
