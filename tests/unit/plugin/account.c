#include "plugin/fixtures.h"

#include "base/limits.h"
#include "plugin/table.h"

static struct plugin *toy;

static int load(void **state)
{
	(void)state;
	toy = fixture_plugin("toy");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_free(toy);
	return 0;
}

/* The plugin as it would be with another manifest; returns the one it had. */
static struct plugin_manifest *swap_manifest(struct plugin_manifest *manifest)
{
	struct plugin_manifest *old = toy->manifest;

	toy->manifest = manifest;
	return old;
}

static const struct plugin_secret key = {"api_key", API_KEY};

static void assert_refused(const struct plugin_account_spec *spec, int outcome, const char *words)
{
	struct plugin_account *account = NULL;
	struct errmsg error = {0};

	assert_int_equal(plugin_account_new(toy, spec, &account, &error), outcome);
	assert_null(account);
	if (!strstr(error.text, words))
		fail_msg("'%s' does not say '%s'", error.text, words);
	assert_null(strstr(error.text, API_KEY));
}

static struct plugin_account *accepted(const struct plugin_account_spec *spec)
{
	struct plugin_account *account = NULL;
	struct errmsg error = {0};

	if (plugin_account_new(toy, spec, &account, &error))
		fail_msg("%s", error.text);
	return account;
}

static void the_manifests_base_url_stands_where_the_operator_has_none(void **state)
{
	struct plugin_account_spec spec = {.id = "a", .secrets = &key, .n_secrets = 1};
	_cleanup_(plugin_account_freep) struct plugin_account *own = accepted(&spec);
	_cleanup_(plugin_account_freep) struct plugin_account *other = NULL;

	(void)state;
	spec.base_url = "http://127.0.0.1:8080/heygen//";
	other = accepted(&spec);
	assert_string_equal(plugin_account_base_url(own), "https://api.toy.example/base");
	assert_string_equal(plugin_account_base_url(other), "http://127.0.0.1:8080/heygen");
}

/* The origin of the manifest's base_url means that of the operator's: a simulator gets the key, the provider does not. */
static void credentials_follow_the_operators_base_url(void **state)
{
	struct plugin_account_spec spec = {
		.id = "a", .secrets = &key, .n_secrets = 1, .base_url = "http://127.0.0.1:8080"};
	_cleanup_(plugin_account_freep) struct plugin_account *account = accepted(&spec);
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL, "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *near = NULL, *far = NULL;

	(void)state;
	step.state = bytes_of_text("{\"id\":\"1\"}");
	near = fixture_run(&step);
	assert_int_equal(near->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_string_equal(near->exchange.url, "http://127.0.0.1:8080/v1/clips/1");
	assert_true(near->exchange.has_credential);

	step.state = bytes_of_text("{\"id\":\"1\",\"status_url\":\"https://api.toy.example/x\"}");
	far = fixture_run(&step);
	assert_int_equal(far->kind, PLUGIN_ANSWER_FAULT);
}

static void what_the_manifest_narrows_stays_narrow(void **state)
{
	static const char *const origins[] = {"https://other.example"};
	struct plugin_account_spec spec = {
		.id = "a", .secrets = &key, .n_secrets = 1, .origins = origins, .n_origins = 1};
	_cleanup_(plugin_account_freep) struct plugin_account *account = accepted(&spec);
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL, "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	step.state = bytes_of_text("{\"id\":\"1\",\"status_url\":\"https://other.example/x\"}");
	answer = fixture_run(&step);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAULT);
	assert_non_null(strstr(answer->fault, "must not go to https://other.example:443"));
}

static void a_plugin_that_wants_more_origins_is_refused_with_the_line_to_add(void **state)
{
	static const char manifest[] =
		"{\"name\":\"toy\",\"version\":\"1\",\"abi\":0,\"base_url\":\"https://a.example\","
		"\"origins\":[\"https://a.example\",\"https://upload.example\"],\"secrets\":{\"api_key\":{}},"
		"\"auth\":{\"key\":{\"kind\":\"bearer\",\"secret\":\"api_key\"}},"
		"\"models\":[{\"name\":\"m\",\"parameters\":{}}]}";
	static const char *const origins[] = {"https://upload.example"};
	struct plugin_account_spec spec = {.id = "mine", .secrets = &key, .n_secrets = 1};
	struct plugin_manifest *wide = NULL, *narrow = NULL;
	struct errmsg error = {0};

	(void)state;
	assert_int_equal(plugin_manifest_parse(bytes_of_text(manifest), &wide, &error), 0);
	narrow = swap_manifest(wide);
	assert_refused(&spec, PLUGIN_ACCOUNT_E_ORIGIN, "origins = [ \"https://upload.example\" ]");
	spec.origins = origins;
	spec.n_origins = 1;
	plugin_account_free(accepted(&spec));
	plugin_manifest_free(swap_manifest(narrow));
}

/* A plugin with two credentials, of which an account has one: where the other would go matters to nobody. */
static void a_scheme_without_its_secret_asks_for_no_origin(void **state)
{
	static const char manifest[] =
		"{\"name\":\"toy\",\"version\":\"1\",\"abi\":0,\"base_url\":\"https://a.example\","
		"\"secrets\":{\"api_key\":{},\"other\":{}},\"auth\":{"
		"\"key\":{\"kind\":\"bearer\",\"secret\":\"api_key\",\"origins\":[\"https://a.example\"]},"
		"\"far\":{\"kind\":\"bearer\",\"secret\":\"other\",\"origins\":[\"https://b.example\"]}},"
		"\"models\":[{\"name\":\"m\",\"parameters\":{}}]}";
	static const struct plugin_secret both[] = {{"api_key", API_KEY}, {"other", "x"}};
	struct plugin_account_spec spec = {.id = "mine", .secrets = both, .n_secrets = 1};
	struct plugin_manifest *two = NULL, *one = NULL;
	struct errmsg error = {0};

	(void)state;
	assert_int_equal(plugin_manifest_parse(bytes_of_text(manifest), &two, &error), 0);
	one = swap_manifest(two);
	plugin_account_free(accepted(&spec));
	spec.n_secrets = 2;
	assert_refused(&spec, PLUGIN_ACCOUNT_E_ORIGIN, "origins = [ \"https://b.example\" ]");
	plugin_manifest_free(swap_manifest(one));
}

static void urls_with_two_readings_are_refused(void **state)
{
	static const char *const odd[] = {
		"ftp://x", "https://user@x.example", "https://x.example?y=1", "https://x.example/#a", "x.example",
		"https://"};
	static const char *const origin[] = {"x.example"};
	struct plugin_account_spec spec = {.id = "a", .secrets = &key, .n_secrets = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		spec.base_url = odd[i];
		assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, odd[i]);
	}
	spec.base_url = NULL;
	spec.origins = origin;
	spec.n_origins = 1;
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "'x.example'");
}

static void secrets_are_required_known_and_one_line(void **state)
{
	static const struct plugin_secret unknown = {"apikey", API_KEY}, empty = {"api_key", ""},
					  two_lines = {"api_key", API_KEY "\r\nX: y"};
	static char long_value[LIMIT_SECRET + 2];
	const struct plugin_secret longest = {"api_key", long_value};
	struct plugin_account_spec spec = {.id = "a"};

	(void)state;
	assert_refused(&spec, PLUGIN_ACCOUNT_E_SECRET,
		       "the secret 'api_key' is not configured: add to the provider: secrets = { api_key_file = ");
	spec.n_secrets = 1;
	spec.secrets = &unknown;
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "no secret 'apikey'; it has api_key, login");
	spec.secrets = &empty;
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "'api_key' is empty");
	spec.secrets = &two_lines;
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "line break");
	memset(long_value, 'x', LIMIT_SECRET);
	spec.secrets = &longest;
	plugin_account_free(accepted(&spec));
	long_value[LIMIT_SECRET] = 'x';
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "longer than");
}

static void options_are_checked_and_completed(void **state)
{
	struct plugin_account_spec spec = {.id = "a", .secrets = &key, .n_secrets = 1};
	_cleanup_(plugin_account_freep) struct plugin_account *account = NULL;
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	struct plugin_step step;

	(void)state;
	spec.options = bytes_of_text("{\"speed\":1}");
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "no option 'speed'; it has region, fast");
	spec.options = bytes_of_text("{\"fast\":\"yes\"}");
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "the option 'fast' is \"yes\", but must be a boolean");
	spec.options = bytes_of_text("[]");
	assert_refused(&spec, PLUGIN_ACCOUNT_E_INVALID, "no JSON object");

	spec.options = bytes_of_text("{\"region\":\"us\"}");
	account = accepted(&spec);
	step = fixture_step(account, PLUGIN_VERB_START, "{\"model\":\"m\",\"parameters\":{\"prompt\":\"p\"}}");
	answer = fixture_run(&step);
	assert_string_equal(answer->exchange.body.data, "{\"prompt\":\"p\",\"region\":\"us\"}");
}

static void an_account_is_told_apart_by_its_secrets_alone(void **state)
{
	static const struct plugin_secret another = {"api_key", "another"};
	_cleanup_(plugin_account_freep) struct plugin_account *first = accepted(
		&(struct plugin_account_spec){.id = "a", .secrets = &key, .n_secrets = 1});
	_cleanup_(plugin_account_freep) struct plugin_account *renamed = accepted(
		&(struct plugin_account_spec){.id = "b", .secrets = &key, .n_secrets = 1});
	_cleanup_(plugin_account_freep) struct plugin_account *other = accepted(
		&(struct plugin_account_spec){.id = "a", .secrets = &another, .n_secrets = 1});
	struct digest a = plugin_account_digest(first), b = plugin_account_digest(renamed),
		      c = plugin_account_digest(other);

	(void)state;
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manifests_base_url_stands_where_the_operator_has_none),
		cmocka_unit_test(credentials_follow_the_operators_base_url),
		cmocka_unit_test(what_the_manifest_narrows_stays_narrow),
		cmocka_unit_test(a_plugin_that_wants_more_origins_is_refused_with_the_line_to_add),
		cmocka_unit_test(a_scheme_without_its_secret_asks_for_no_origin),
		cmocka_unit_test(urls_with_two_readings_are_refused),
		cmocka_unit_test(secrets_are_required_known_and_one_line),
		cmocka_unit_test(options_are_checked_and_completed),
		cmocka_unit_test(an_account_is_told_apart_by_its_secrets_alone),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
