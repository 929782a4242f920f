/*
 * Webhooks that are set up at the provider: what is asked there, what is kept, and that nobody sees the secret.
 */
#include "engine/rig.h"

#include "capture.h"

#include <fcntl.h>
#include <sys/stat.h>

#define URL "https://films.example.com/v1/webhooks/maker"
#define SECRET "whsec_5cbf"

struct told {
	unsigned int times;
	int outcome;
	char text[512], field[16], url[256], remote_id[64];
	int64_t registered_ms;
	bool is_configured;
	size_t n;
};

static void on_told(void *userdata, int outcome, const struct engine_error *error,
		    const struct engine_registration *registrations, size_t n)
{
	struct told *told = userdata;

	told->times++;
	told->outcome = outcome;
	told->n = n;
	if (error) {
		snprintf(told->text, sizeof(told->text), "%s", error->text);
		if (error->n_violations)
			snprintf(told->field, sizeof(told->field), "%s", error->violations[0].field);
	}
	if (n == 0)
		return;
	snprintf(told->url, sizeof(told->url), "%s", registrations[0].url ? registrations[0].url : "");
	snprintf(told->remote_id, sizeof(told->remote_id), "%s",
		 registrations[0].remote_id ? registrations[0].remote_id : "");
	told->registered_ms = registrations[0].registered_ms;
	told->is_configured = registrations[0].is_configured;
}

static struct told *begin(struct rig *rig, const char *provider, const char *url)
{
	static struct told told;

	told = (struct told){0};
	engine_register_webhook(rig->engine, provider, url, on_told, &told);
	settle(rig);
	return &told;
}

static struct told *end(struct rig *rig)
{
	static struct told told;

	told = (struct told){0};
	engine_unregister_webhook(rig->engine, "maker", on_told, &told);
	settle(rig);
	return &told;
}

static struct told *list(struct rig *rig)
{
	static struct told told;

	told = (struct told){0};
	engine_list_registrations(rig->engine, on_told, &told);
	return &told;
}

static void assert_refused(const struct told *told, int outcome, const char *words)
{
	assert_int_equal(told->times, 1);
	assert_int_equal(told->outcome, outcome);
	if (!strstr(told->text, words))
		fail_msg("'%s' does not say '%s'", told->text, words);
}

/* ---- calls ---- */

static void on_call(void *userdata, int outcome, unsigned int status, const char *body)
{
	(void)status;
	(void)body;
	*(int *)userdata = outcome;
}

static const char *find_header(void *userdata, const char *name)
{
	return strcmp(name, "signature") == 0 ? userdata : NULL;
}

static int call(struct rig *rig, const char *signature)
{
	const struct engine_hint hint = {.provider = "maker",
					 .body = bytes_of_text("respond"),
					 .header = find_header,
					 .userdata = (void *)(uintptr_t)signature};
	int outcome = -1;

	engine_take_hint(rig->engine, &hint, on_call, &outcome);
	settle(rig);
	return outcome;
}

/* ---- the folder ---- */

static char secrets[PATH_MAX + 16];

static int setup(void **state)
{
	struct rig *rig;
	int r = rig_setup(state);

	rig = *state;
	snprintf(secrets, sizeof(secrets), "%s/secrets", rig->folder);
	rig->config.secrets_path = secrets;
	crash_and_restart(rig);
	return r;
}

#define with_folder(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

static size_t read_file(const char *name, char *data, size_t size)
{
	char path[PATH_MAX + 64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", secrets, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, data, size);
	close(fd);
	assert_true(n >= 0);
	return (size_t)n;
}

static mode_t mode_of(const char *name)
{
	char path[PATH_MAX + 64];
	struct stat stat_of;

	snprintf(path, sizeof(path), "%s/%s", secrets, name);
	assert_int_equal(stat(path, &stat_of), 0);
	return stat_of.st_mode & 0777;
}

static void spoil_file(const char *name)
{
	char path[PATH_MAX + 64], byte = 'x';
	int fd;

	snprintf(path, sizeof(path), "%s/%s", secrets, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, 20), 1);
	close(fd);
}

static void registered(struct rig *rig)
{
	struct told *told = begin(rig, "maker", URL);

	reply(rig, 200, "report text={\"id\":\"we1\"} secret=" SECRET);
	assert_int_equal(told->outcome, 0);
}

/* ---- tests ---- */

static void the_secret_of_the_reply_knows_the_calls(void **state)
{
	struct rig *rig = *state;
	struct told *told = begin(rig, "maker", URL);

	assert_int_equal(told->times, 0);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_SUBSCRIBE)->catalogue, "begin/" URL "/");
	reply(rig, 200, "report text={\"id\":\"we1\"} secret=" SECRET);
	assert_int_equal(told->times, 1);
	assert_int_equal(told->outcome, 0);
	assert_string_equal(told->url, URL);
	assert_string_equal(told->remote_id, "we1");
	assert_int_equal(told->registered_ms, now_ms());
	assert_null(strstr(last_asked(&rig->runner, PLUGIN_VERB_SUBSCRIBE)->reply, SECRET));
	assert_int_equal(call(rig, SECRET), 0);
	assert_int_equal(call(rig, "another"), ENGINE_E_CREDENTIAL);
}

static void what_is_kept_is_sealed_and_there_after_a_restart(void **state)
{
	struct rig *rig = *state;
	char data[4096];
	size_t len;

	registered(rig);
	len = read_file("webhook-maker", data, sizeof(data));
	assert_true(len > strlen(SECRET));
	assert_null(memmem(data, len, SECRET, strlen(SECRET)));
	assert_null(memmem(data, len, "films.example.com", 17));
	assert_int_equal(read_file("key", data, sizeof(data)), 32);
	assert_int_equal(mode_of("key"), 0600);
	assert_int_equal(mode_of("webhook-maker"), 0600);
	assert_int_equal(mode_of(""), 0700);
	crash_and_restart(rig);
	assert_string_equal(list(rig)->url, URL);
	assert_int_equal(call(rig, SECRET), 0);
}

static void what_was_changed_or_has_lost_its_key_is_not_used(void **state)
{
	static const char *const files[] = {"webhook-maker", "key"};
	struct rig *rig = *state;
	char log[2048];

	for (size_t i = 0; i < 2; i++) {
		registered(rig);
		spoil_file(files[i]);
		capture_start();
		crash_and_restart(rig);
		capture_end(log, sizeof(log));
		assert_non_null(strstr(log, "run 'filmgate webhooks register' again"));
		assert_null(strstr(log, SECRET));
		assert_int_equal(call(rig, SECRET), ENGINE_E_NOT_FOUND);
		assert_string_equal(list(rig)->url, "");
	}
}

static void the_same_url_again_gets_a_new_secret_and_another_is_refused(void **state)
{
	struct rig *rig = *state;
	struct told *told;

	registered(rig);
	assert_refused(begin(rig, "maker", URL "2"), ENGINE_E_STATE, "calls '" URL "' already; unregister that first");
	told = begin(rig, "maker", URL);
	reply(rig, 200, "report text={\"id\":\"we1\"} secret=newer");
	assert_int_equal(told->outcome, 0);
	assert_int_equal(call(rig, SECRET), ENGINE_E_CREDENTIAL);
	assert_int_equal(call(rig, "newer"), 0);
}

static void only_one_is_set_up_at_a_time(void **state)
{
	struct rig *rig = *state;
	struct told first = {0}, second = {0};

	engine_register_webhook(rig->engine, "maker", URL, on_told, &first);
	settle(rig);
	engine_register_webhook(rig->engine, "maker", URL, on_told, &second);
	settle(rig);
	assert_refused(&second, ENGINE_E_STATE, "just now");
	reply(rig, 200, "report text={\"id\":\"we1\"} secret=" SECRET);
	assert_int_equal(first.outcome, 0);
}

static void what_ends_is_refused_from_then_on(void **state)
{
	struct rig *rig = *state;
	struct told *told;
	char data[64];

	registered(rig);
	told = end(rig);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_SUBSCRIBE)->catalogue, "end//we1");
	reply(rig, 200, "report text={}");
	assert_int_equal(told->outcome, 0);
	assert_string_equal(told->url, "");
	assert_int_equal(call(rig, SECRET), ENGINE_E_NOT_FOUND);
	assert_int_equal(read_file("webhook-maker", data, sizeof(data)), 0);
	assert_refused(end(rig), ENGINE_E_STATE, "nothing to end");
	crash_and_restart(rig);
	assert_int_equal(call(rig, SECRET), ENGINE_E_NOT_FOUND);
}

static void what_the_provider_does_not_take_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct told *told = begin(rig, "maker", URL);

	reply(rig, 403, "failed reason=auth message=no");
	assert_refused(told, ENGINE_E_CREDENTIAL, "no");
	told = begin(rig, "maker", URL);
	lose_reply(rig);
	assert_refused(told, ENGINE_E_UNREACHABLE, "could not be reached");
	told = begin(rig, "maker", URL);
	reply(rig, 200, "report text={\"id\":\"we1\"}");
	assert_refused(told, ENGINE_E_PROVIDER, "no secret");
	told = begin(rig, "maker", URL);
	reply(rig, 500, "trouble reason=unavailable message=busy secret=leaked");
	assert_refused(told, ENGINE_E_PROVIDER, "busy");
	assert_string_equal(list(rig)->url, "");
	assert_int_equal(call(rig, SECRET), ENGINE_E_NOT_FOUND);
	registered(rig);
	told = end(rig);
	lose_reply(rig);
	assert_refused(told, ENGINE_E_UNREACHABLE, "could not be reached");
	assert_int_equal(call(rig, SECRET), 0);
}

static void a_secret_that_cannot_be_kept_is_not_used(void **state)
{
	struct rig *rig = *state;
	struct told *told;
	char log[2048];
	int fd = open(secrets, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	close(fd);
	capture_start();
	told = begin(rig, "maker", URL);
	reply(rig, 200, "report text={\"id\":\"we1\"} secret=" SECRET);
	capture_end(log, sizeof(log));
	assert_refused(told, ENGINE_E_STORE, "run the command again");
	assert_null(strstr(log, SECRET));
	assert_int_equal(call(rig, SECRET), ENGINE_E_NOT_FOUND);
}

static void urls_that_nobody_could_call_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{"", "no absolute https URL"},
		{"films.example.com", "no absolute https URL"},
		{"https://user:pass@films.example.com/", "without a user name"},
		{"http://films.example.com/v1/webhooks/maker", "write https://"},
		{"https://192.168.1.1/v1/webhooks/maker", "private network"},
		{"https://localhost/v1/webhooks/maker", "private network"},
		{"https://films.example.com/\n", ""},
	};
	struct rig *rig = *state;
	char longer[4096] = "https://films.example.com/";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct told *told = begin(rig, "maker", bad[i][0]);

		assert_refused(told, ENGINE_E_INVALID, bad[i][1]);
		assert_string_equal(told->field, "url");
	}
	memset(longer + strlen(longer), 'x', 3000);
	assert_refused(begin(rig, "maker", longer), ENGINE_E_INVALID, "too long");
	assert_int_equal(open_requests(rig), 0);
}

static void who_cannot_says_so(void **state)
{
	struct rig *rig = *state;

	assert_refused(begin(rig, "nobody", URL), ENGINE_E_NOT_FOUND, "nobody");
	rig->plugins[0].cannot[PLUGIN_VERB_SUBSCRIBE] = true;
	assert_refused(begin(rig, "maker", URL), ENGINE_E_STATE, "write its secret into the secrets of 'maker'");
}

static void all_who_can_call_are_listed(void **state)
{
	struct rig *rig = *state;

	rig->plugins[0].webhook_secret = "configured";
	assert_int_equal(list(rig)->n, 2);
	assert_true(list(rig)->is_configured);
	assert_string_equal(list(rig)->url, "");
	registered(rig);
	assert_string_equal(list(rig)->remote_id, "we1");
	assert_int_equal(call(rig, SECRET), 0);
	assert_int_equal(call(rig, "configured"), 0);
	rig->plugins[1].cannot[PLUGIN_VERB_WEBHOOK] = true;
	assert_int_equal(list(rig)->n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(the_secret_of_the_reply_knows_the_calls),
		with_folder(what_is_kept_is_sealed_and_there_after_a_restart),
		with_folder(what_was_changed_or_has_lost_its_key_is_not_used),
		with_folder(the_same_url_again_gets_a_new_secret_and_another_is_refused),
		with_folder(only_one_is_set_up_at_a_time),
		with_folder(what_ends_is_refused_from_then_on),
		with_folder(what_the_provider_does_not_take_changes_nothing),
		with_folder(a_secret_that_cannot_be_kept_is_not_used),
		with_folder(urls_that_nobody_could_call_are_refused),
		with_folder(who_cannot_says_so),
		with_folder(all_who_can_call_are_listed),
	};

	return cmocka_run_group_tests_name("engine.registration", tests, NULL, NULL);
}
