#include "plugin/manifest.h"

#include "base/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define HEAD "{\"name\":\"x\",\"version\":\"1\",\"abi\":0,\"base_url\":\"https://a.example\","
#define MODEL(inside) "\"models\":[{\"name\":\"m\"," inside "}]}"
#define TAIL MODEL("\"parameters\":{\"prompt\":{},\"seed\":{}}")

static struct plugin_manifest *parsed(struct bytes text)
{
	struct plugin_manifest *manifest = NULL;
	struct errmsg error = {0};

	if (plugin_manifest_parse(text, &manifest, &error))
		fail_msg("%s", error.text);
	return manifest;
}

static void assert_refused(const char *text, int outcome, const char *words)
{
	struct plugin_manifest *manifest = NULL;
	struct errmsg error = {0};

	assert_int_equal(plugin_manifest_parse(bytes_of_text(text), &manifest, &error), outcome);
	assert_null(manifest);
	if (!strstr(error.text, words))
		fail_msg("'%s' does not say '%s'", error.text, words);
}

static void a_manifest_is_taken_apart(void **state)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = NULL;
	_cleanup_(closep) int fd = open(TOY_MANIFEST, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)state;
	assert_int_equal(buffer_reserve(&text, 65536), 0);
	n = read(fd, text.data, 65536);
	assert_true(n > 0);
	text.len = (size_t)n;
	manifest = parsed(buffer_bytes(&text));
	assert_string_equal(manifest->name, "toy");
	assert_string_equal(manifest->title, "Toy");
	assert_string_equal(manifest->request_id_header, "X-Request-Id");
	assert_int_equal(manifest->state_version, 2);
	assert_int_equal(manifest->key_window_ms, 86400000);
	assert_int_equal(manifest->key_scope, PLUGIN_SCOPE_ROUTE);
	assert_int_equal(manifest->poll_first_ms, 4000);
	assert_int_equal(manifest->poll_min_ms, 2000);
	assert_int_equal(manifest->poll_max_ms, 20000);
	assert_int_equal(manifest->concurrency, 3);
	assert_int_equal(manifest->buys_timeout_ms, 120000);
	assert_int_equal(manifest->safe_timeout_ms, 30000);
	assert_int_equal(manifest->n_auths, 6);
	assert_string_equal(plugin_manifest_auth(manifest, "token")->prefix, "Key ");
	assert_null(plugin_manifest_auth(manifest, "nope"));
	assert_int_equal(strlen(manifest->text), text.len);
}

static void what_is_not_said_is_careful(void **state)
{
	_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = parsed(bytes_of_text(HEAD TAIL));

	(void)state;
	assert_int_equal(manifest->key_window_ms, 0);
	assert_int_equal(manifest->concurrency, 1);
	assert_int_equal(manifest->state_version, 1);
	assert_null(manifest->request_id_header);
	assert_true(manifest->poll_min_ms >= 1000 && manifest->poll_max_ms >= manifest->poll_min_ms);
}

static void state_versions_are_read_as_declared(void **state)
{
	_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = parsed(
		bytes_of_text(HEAD "\"state_version\":4,\"reads_state_versions\":[2,3]," TAIL));

	(void)state;
	assert_false(plugin_manifest_reads_state(manifest, 1));
	assert_true(plugin_manifest_reads_state(manifest, 2));
	assert_true(plugin_manifest_reads_state(manifest, 4));
	assert_false(plugin_manifest_reads_state(manifest, 5));
}

static void what_the_models_take_is_read_with_it(void **state)
{
	_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = parsed(bytes_of_text(HEAD TAIL));
	struct job_verdict verdict = {0};

	(void)state;
	assert_string_equal(job_capabilities_model(manifest->capabilities, 0), "m");
	assert_null(job_capabilities_model(manifest->capabilities, 1));
	assert_int_equal(job_validate(manifest->capabilities, "m", bytes_of_text("{\"seed\":1}"), JOB_VALIDATE_STRICT,
				      &verdict),
			 0);
	job_verdict_finish(&verdict);
}

static void mistakes_are_named_with_their_place(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "not well-formed JSON"},
		{"[]", "/: must be an object"},
		{"{\"name\":\"x\",\"name\":\"y\"}", "a member name appears twice"},
		{"{\"name\":\"X\"}", "/name: 'X' is not a name of"},
		{"{\"name\":\"x\"}", "lacks the member 'version'"},
		{HEAD "\"models\":[]}", "/models: must be 1 to"},
		{HEAD "\"timeout\":1," TAIL, "unknown member 'timeout'"},
		{HEAD "\"poll\":{\"min_ms\":\"5\"}," TAIL, "/poll/min_ms: must be a number"},
		{HEAD "\"poll\":{\"min_ms\":0}," TAIL, "/poll/min_ms: must be 1 to"},
		{HEAD "\"poll\":{\"min_ms\":1.5}," TAIL, "in whole numbers"},
		{HEAD "\"origins\":[\"https://a.example/path\"]," TAIL,
		 "/origins: 'https://a.example/path' is not an origin"},
		{HEAD "\"cancel\":{\"while\":[\"never\"]}," TAIL, "/cancel/while/0: 'never' is not one of"},
		{HEAD "\"headers\":{\"X-A\":\"b\\r\\nc\"}," TAIL, "/headers/X-A"},
		{HEAD "\"auth\":{\"k\":{\"kind\":\"header\",\"secret\":\"s\"}}," TAIL,
		 "/auth/k: lacks the member 'name'"},
		{HEAD "\"auth\":{\"k\":{\"kind\":\"bearer\",\"secret\":\"s\"}}," TAIL,
		 "the secret 's' is not declared"},
		{HEAD "\"remote_ids\":[]," TAIL, "/remote_ids: must be 1 to"},
		{HEAD MODEL("\"parameters\":{\"style\":{}}"), "style"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].text, PLUGIN_MANIFEST_E_INVALID, cases[i].words);
	assert_refused("{\"name\":\"x\",\"version\":\"1\",\"abi\":0,\"base_url\":\"ftp://x\"," TAIL,
		       PLUGIN_MANIFEST_E_INVALID, "/base_url");
}

static void what_the_daemon_does_not_offer_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused(HEAD "\"requires\":[\"telepathy\"]," TAIL, PLUGIN_MANIFEST_E_FEATURE,
		       "requires 'telepathy', and this daemon cannot do that");
	for (const struct plugin_feature *f = plugin_features; f->name; f++) {
		char text[512];
		struct plugin_manifest *manifest = NULL;
		struct errmsg error = {0};
		int r;

		snprintf(text, sizeof(text), HEAD "\"requires\":[\"%s\"]," TAIL, f->name);
		r = plugin_manifest_parse(bytes_of_text(text), &manifest, &error);
		assert_int_equal(r, f->is_offered ? 0 : PLUGIN_MANIFEST_E_FEATURE);
		assert_true(f->is_offered || strstr(error.text, f->what));
		plugin_manifest_free(manifest);
	}
}

/* The table in sdk/PRIMITIVES.md says of each feature what the daemon does. */
static void the_document_and_the_daemon_agree_on_what_is_offered(void **state)
{
	_cleanup_(closep) int fd = open(PRIMITIVES, O_RDONLY | O_CLOEXEC);
	static char text[65536];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	(void)state;
	assert_true(n > 0);
	for (const struct plugin_feature *f = plugin_features; f->name; f++) {
		char row[128];

		snprintf(row, sizeof(row), "| `%s` | %s |", f->name, f->is_offered ? "yes" : "refused");
		if (!strstr(text, row))
			fail_msg("PRIMITIVES.md has no row '%s'", row);
	}
	for (int i = 1; i <= 40; i++) {
		char row[32];

		snprintf(row, sizeof(row), "\n| P%d |", i);
		if (!strstr(text, row))
			fail_msg("PRIMITIVES.md has no row for P%d", i);
	}
}

static void an_id_has_one_of_the_forms_that_are_said(void **state)
{
	static const struct {
		const char *forms, *id;
		bool is_taken;
	} rows[] = {
		{"", "whatever it is", true},
		{"\"remote_ids\":[\"*\"],", "v_1", true},
		{"\"remote_ids\":[\"*\"],", "https://app.example/v_1", false},
		{"\"remote_ids\":[\"*\"],", "two words", false},
		{"\"remote_ids\":[\"*\"],", "", false},
		{"\"remote_ids\":[\"p/*/operations/*\",\"operations/*\"],", "p/1/operations/2", true},
		{"\"remote_ids\":[\"p/*/operations/*\",\"operations/*\"],", "operations/2", true},
		{"\"remote_ids\":[\"p/*/operations/*\",\"operations/*\"],", "p/1/operations/", false},
		{"\"remote_ids\":[\"p/*/operations/*\",\"operations/*\"],", "p/1/2/operations/3", false},
		{"\"remote_ids\":[\"p/*/operations/*\",\"operations/*\"],", "2", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = NULL;
		char text[512];
		struct errmsg forms;

		snprintf(text, sizeof(text), HEAD "%s" TAIL, rows[i].forms);
		manifest = parsed(bytes_of_text(text));
		if (plugin_manifest_takes_remote(manifest, rows[i].id, &forms) != rows[i].is_taken)
			fail_msg("'%s' of %s", rows[i].id, rows[i].forms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_is_taken_apart),
		cmocka_unit_test(what_is_not_said_is_careful),
		cmocka_unit_test(state_versions_are_read_as_declared),
		cmocka_unit_test(what_the_models_take_is_read_with_it),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(an_id_has_one_of_the_forms_that_are_said),
		cmocka_unit_test(what_the_daemon_does_not_offer_is_refused_by_name),
		cmocka_unit_test(the_document_and_the_daemon_agree_on_what_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
