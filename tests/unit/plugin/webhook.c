#include "plugin/webhook.h"

#include "base/limits.h"
#include "plugin/fixtures.h"
#include "plugin/manifest.h"
#include "plugin/table.h"

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#define NOW_MS INT64_C(1614265330000)
#define HEYGEN_SECRET "whsec_7f3a"
#define HEYGEN_BODY "{\"event_id\":\"e1\",\"event_type\":\"avatar_video.success\",\"event_data\":{\"video_id\":\"v1\"}}"
#define HEYGEN_SIGNATURE "9f3b742e676f524202e9c3e966b40994a898d9a6daf08903162d9ff23c1df544"

/* As HeyGen signs: the raw body, with the secret as it is. */
#define HEYGEN                                                                                                       \
	"{\"kind\":\"hmac_sha256\",\"secret\":\"hook\",\"signature\":{\"header\":\"Heygen-Signature\",\"encoding\":" \
	"\"hex\"},\"signs\":\"{body}\",\"timestamp\":{\"header\":\"Heygen-Timestamp\",\"tolerance_s\":300},\"id\":{" \
	"\"header\":\"Heygen-Event-Id\"}}"

/* https://www.standardwebhooks.com, whose documents have the vector below. */
#define STANDARD                                                                                                    \
	"{\"kind\":\"hmac_sha256\",\"secret\":\"hook\",\"key\":{\"encoding\":\"base64\",\"prefix\":\"whsec_\"},"    \
	"\"signature\":{\"header\":\"webhook-signature\",\"encoding\":\"base64\",\"prefix\":\"v1,\"},\"signs\":"    \
	"\"{id}.{timestamp}.{body}\",\"timestamp\":{\"header\":\"webhook-timestamp\",\"tolerance_s\":300},\"id\":{" \
	"\"header\":\"webhook-id\"}}"
#define STANDARD_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define STANDARD_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

#define MANIFEST(webhook)                                                                                          \
	"{\"name\":\"x\",\"version\":\"1\",\"abi\":0,\"base_url\":\"https://a.example\",\"secrets\":{\"hook\":{}," \
	"\"key\":{}},\"webhook\":" webhook ",\"models\":[{\"name\":\"m\",\"parameters\":{\"prompt\":{}}}]}"

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

/* ---- an account of a plugin with such a manifest ---- */

struct world {
	struct plugin_manifest *manifest, *old;
	struct plugin_account *account;
};

static void leave(struct world *world)
{
	plugin_account_free(world->account);
	toy->manifest = world->old;
	plugin_manifest_free(world->manifest);
}

/* @secret NULL: none is configured. */
static struct world with(const char *manifest, const char *secret)
{
	struct world world = {.old = toy->manifest};
	struct plugin_secret hook = {"hook", secret};
	struct plugin_account_spec spec = {.id = "mine", .secrets = &hook, .n_secrets = secret ? 1 : 0};
	struct errmsg error = {0};

	if (plugin_manifest_parse(bytes_of_text(manifest), &world.manifest, &error))
		fail_msg("%s", error.text);
	toy->manifest = world.manifest;
	if (plugin_account_new(toy, &spec, &world.account, &error))
		fail_msg("%s", error.text);
	return world;
}

/* ---- a call ---- */

struct header {
	const char *name, *value;
};

static const char *find(void *userdata, const char *name)
{
	for (const struct header *header = userdata; header->name; header++)
		if (strcasecmp(header->name, name) == 0)
			return header->value;
	return NULL;
}

static void assert_verdict(const struct world *world, struct header *headers, const char *body, int verdict)
{
	struct plugin_webhook_call call = {.body = bytes_of_text(body), .header = find, .userdata = headers};
	const char *id = NULL;

	assert_int_equal(plugin_webhook_verify(world->account, &call, NOW_MS, &id), verdict);
	if (verdict == 0)
		assert_string_equal(id, find(headers, "webhook-id") ? "msg_p5jXN8AQM9LWM0D4loKWxJek" : "e1");
	else
		assert_null(id);
}

static void a_call_of_heygen_is_known_by_its_signature(void **state)
{
	_cleanup_(leave) struct world world = with(MANIFEST(HEYGEN), HEYGEN_SECRET);
	struct header headers[] = {{"heygen-signature", HEYGEN_SIGNATURE},
				   {"heygen-timestamp", "1614265330"},
				   {"heygen-event-id", "e1"},
				   {NULL, NULL}};

	(void)state;
	assert_verdict(&world, headers, HEYGEN_BODY, 0);
	assert_verdict(&world, headers, HEYGEN_BODY " ", PLUGIN_WEBHOOK_E_FORGED);
	assert_verdict(&world, headers, "", PLUGIN_WEBHOOK_E_FORGED);
}

/* What plugins/heygen declares does the same. */
static void heygens_plugin_has_the_recipe(void **state)
{
	_cleanup_(closep) int fd = open(HEYGEN_PLUGIN_MANIFEST, O_RDONLY | O_CLOEXEC);
	const struct plugin_secret secrets[] = {{"api_key", "k"}, {"webhook_secret", HEYGEN_SECRET}};
	struct plugin_account_spec spec = {.id = "mine", .secrets = secrets, .n_secrets = 2};
	struct header headers[] = {{"heygen-signature", HEYGEN_SIGNATURE},
				   {"heygen-timestamp", "1614265330"},
				   {"heygen-event-id", "e1"},
				   {NULL, NULL}};
	_cleanup_(leave) struct world world = {.old = toy->manifest};
	char text[LIMIT_JOB_MANIFEST_BYTES];
	ssize_t n = read(fd, text, sizeof(text));
	struct errmsg error = {0};

	(void)state;
	assert_true(n > 0);
	assert_int_equal(plugin_manifest_parse(bytes_of(text, (size_t)n), &world.manifest, &error), 0);
	toy->manifest = world.manifest;
	assert_int_equal(plugin_account_new(toy, &spec, &world.account, &error), 0);
	assert_verdict(&world, headers, HEYGEN_BODY, 0);
	assert_verdict(&world, headers, HEYGEN_BODY " ", PLUGIN_WEBHOOK_E_FORGED);
}

static void a_standard_webhook_is_known_by_its_signature(void **state)
{
	_cleanup_(leave) struct world world = with(MANIFEST(STANDARD), STANDARD_SECRET);
	static const char *const right[] = {STANDARD_SIGNATURE, "v1,AAAA " STANDARD_SIGNATURE,
					    STANDARD_SIGNATURE " v2,AAAA", "v1a,xyz   " STANDARD_SIGNATURE " "};
	static const char *const wrong[] = {
		"v1,AAAA",
		"v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
		"v1,",
		" ",
	};
	struct header headers[] = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
				   {"webhook-timestamp", "1614265330"},
				   {"webhook-signature", NULL},
				   {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		headers[2].value = right[i];
		assert_verdict(&world, headers, "{\"test\": 2432232314}", 0);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		headers[2].value = wrong[i];
		assert_verdict(&world, headers, "{\"test\": 2432232314}", PLUGIN_WEBHOOK_E_FORGED);
	}
	headers[2].value = STANDARD_SIGNATURE;
	headers[1].value = "1614265331";
	assert_verdict(&world, headers, "{\"test\": 2432232314}", PLUGIN_WEBHOOK_E_FORGED);
}

static void a_header_that_is_not_there_is_no_signature(void **state)
{
	_cleanup_(leave) struct world world = with(MANIFEST(HEYGEN), HEYGEN_SECRET);
	struct header whole[] = {{"heygen-signature", HEYGEN_SIGNATURE},
				 {"heygen-timestamp", "1614265330"},
				 {"heygen-event-id", "e1"},
				 {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct header headers[4];

		memcpy(headers, whole, sizeof(headers));
		headers[i].value = NULL;
		assert_verdict(&world, headers, HEYGEN_BODY, PLUGIN_WEBHOOK_E_UNSIGNED);
		headers[i].value = "";
		assert_verdict(&world, headers, HEYGEN_BODY, PLUGIN_WEBHOOK_E_UNSIGNED);
	}
}

static void a_time_beyond_the_window_is_stale(void **state)
{
	_cleanup_(leave) struct world world = with(MANIFEST(HEYGEN), HEYGEN_SECRET);
	static const struct {
		const char *time;
		int verdict;
	} rows[] = {
		{"1614265030", 0},
		{"1614265029", PLUGIN_WEBHOOK_E_STALE},
		{"1614265630", 0},
		{"1614265631", PLUGIN_WEBHOOK_E_STALE},
		{"-1", PLUGIN_WEBHOOK_E_STALE},
		{"now", PLUGIN_WEBHOOK_E_STALE},
		{"1614265330.5", PLUGIN_WEBHOOK_E_STALE},
		{"9223372036854775807", PLUGIN_WEBHOOK_E_STALE},
		{"99999999999999999999", PLUGIN_WEBHOOK_E_STALE},
	};
	struct header headers[] = {{"heygen-signature", HEYGEN_SIGNATURE},
				   {"heygen-timestamp", NULL},
				   {"heygen-event-id", "e1"},
				   {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		headers[1].value = rows[i].time;
		assert_verdict(&world, headers, HEYGEN_BODY, rows[i].verdict);
	}
}

static void without_a_recipe_or_a_secret_nothing_is_right(void **state)
{
	_cleanup_(leave) struct world world = with(MANIFEST(HEYGEN), NULL);
	struct header headers[] = {{"heygen-signature", HEYGEN_SIGNATURE},
				   {"heygen-timestamp", "1614265330"},
				   {"heygen-event-id", "e1"},
				   {NULL, NULL}};

	(void)state;
	assert_verdict(&world, headers, HEYGEN_BODY, PLUGIN_WEBHOOK_E_SECRET);
	world.manifest->webhook.is_declared = false;
	assert_verdict(&world, headers, HEYGEN_BODY, PLUGIN_WEBHOOK_E_UNDECLARED);
}

static void a_secret_that_makes_no_key_is_said(void **state)
{
	static const char *const secrets[] = {"whsec_not base64", "whsec_"};
	struct header headers[] = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
				   {"webhook-timestamp", "1614265330"},
				   {"webhook-signature", STANDARD_SIGNATURE},
				   {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		_cleanup_(leave) struct world world = with(MANIFEST(STANDARD), secrets[i]);

		assert_verdict(&world, headers, "{}", PLUGIN_WEBHOOK_E_SECRET);
	}
}

/* Else a new webhook secret would end the protection of an undecided purchase. */
static void a_webhooks_secret_is_no_part_of_the_account(void **state)
{
	_cleanup_(leave) struct world one = with(MANIFEST(HEYGEN), "one");
	struct digest first = plugin_account_digest(one.account), second;
	struct world two = with(MANIFEST(HEYGEN), "two");

	(void)state;
	second = plugin_account_digest(two.account);
	assert_memory_equal(&first, &second, sizeof(first));
	leave(&two);
}

static void a_recipe_that_cannot_work_is_refused(void **state)
{
#define RECIPE(secret, signs, more)                                                                                 \
	"{\"kind\":\"hmac_sha256\",\"secret\":\"" secret "\",\"signature\":{\"header\":\"S\",\"encoding\":\"hex\"}" \
	",\"signs\":\"" signs "\"" more "}"
	static const char *const rows[][2] = {
		{MANIFEST(RECIPE("other", "{body}", "")), "'other'"},
		{MANIFEST(RECIPE("hook", "body", "")), "'body'"},
		{MANIFEST(RECIPE("hook", "{id}.{body}", "")), "'{id}.{body}'"},
		{MANIFEST(RECIPE("hook", "{timestamp}.{body}", "")), "'{timestamp}.{body}'"},
		{MANIFEST(RECIPE("hook", "{body}.{what}", "")), "'{what}'"},
		{MANIFEST(RECIPE("hook", "{body}}", "")), "'}'"},
		{MANIFEST(RECIPE("hook", "{body}{", "")), "'{'"},
		{MANIFEST(RECIPE("hook", "{body}", ",\"timestamp\":{\"header\":\"T\"}")), "tolerance_s"},
		{MANIFEST(RECIPE("hook", "{body}", ",\"id\":{\"header\":\"not a header\"}")), "header"},
		{MANIFEST("{\"kind\":\"ed25519\"}"), "ed25519"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plugin_manifest *manifest = NULL;
		struct errmsg error = {0};

		assert_int_equal(plugin_manifest_parse(bytes_of_text(rows[i][0]), &manifest, &error),
				 PLUGIN_MANIFEST_E_INVALID);
		if (!strstr(error.text, rows[i][1]))
			fail_msg("'%s' does not say \"%s\"", error.text, rows[i][1]);
	}
}

/* ---- the secret of a reply ---- */

static void assert_captured(struct world *world, const char *reply, const char *secret, const char *left)
{
	struct buffer body = {0};
	char *found = (char *)"";

	assert_int_equal(buffer_append_text(&body, reply), 0);
	assert_int_equal(plugin_webhook_capture(world->manifest, &body, &found), 0);
	if (secret)
		assert_string_equal(found, secret);
	else
		assert_null(found);
	assert_string_equal(body.data, left ? left : reply);
	free(found);
	buffer_finish(&body);
}

static void the_secret_is_cut_out_of_the_reply(void **state)
{
	_cleanup_(leave) struct world world = with(MANIFEST(HEYGEN), NULL);

	(void)state;
	world.manifest->webhook.secret_pointer = "/data/secret";
	assert_captured(&world, "{\"data\":{\"id\":\"e\",\"secret\":\"whsec_1\"}}", "whsec_1",
			"{\"data\":{\"id\":\"e\",\"secret\":\"\"}}");
	assert_captured(&world, "{\"data\":{\"secret\":7}}", NULL, NULL);
	assert_captured(&world, "{\"data\":{\"secret\":\"\"}}", NULL, NULL);
	assert_captured(&world, "{\"data\":{\"secret\":\"a\\nb\"}}", NULL, NULL);
	assert_captured(&world, "{\"secret\":\"whsec_1\"}", NULL, NULL);
	assert_captured(&world, "<html>", NULL, NULL);
	world.manifest->webhook.secret_pointer = "";
	assert_captured(&world, "{\"data\":{\"secret\":\"whsec_1\"}}", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_of_heygen_is_known_by_its_signature),
		cmocka_unit_test(heygens_plugin_has_the_recipe),
		cmocka_unit_test(a_standard_webhook_is_known_by_its_signature),
		cmocka_unit_test(a_header_that_is_not_there_is_no_signature),
		cmocka_unit_test(a_time_beyond_the_window_is_stale),
		cmocka_unit_test(without_a_recipe_or_a_secret_nothing_is_right),
		cmocka_unit_test(a_secret_that_makes_no_key_is_said),
		cmocka_unit_test(a_webhooks_secret_is_no_part_of_the_account),
		cmocka_unit_test(the_secret_is_cut_out_of_the_reply),
		cmocka_unit_test(a_recipe_that_cannot_work_is_refused),
	};

	return cmocka_run_group_tests_name("plugin.webhook", tests, load, unload);
}
