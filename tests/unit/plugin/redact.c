#include "plugin/redact.h"

#include "plugin/fixtures.h"

static struct plugin *toy;
static struct plugin_account *account;
static struct plugin_redactor *redactor;

static int load(void **state)
{
	(void)state;
	toy = fixture_plugin("toy");
	account = fixture_account(toy, NULL);
	redactor = plugin_redactor_new(account);
	assert_non_null(redactor);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_redactor_free(redactor);
	plugin_account_free(account);
	plugin_free(toy);
	return 0;
}

static void assert_redacted(const char *text, const char *expected)
{
	_cleanup_(buffer_finish) struct buffer once = {0}, twice = {0};

	assert_int_equal(plugin_redact_text(redactor, bytes_of_text(text), &once), 0);
	assert_string_equal(once.data ? once.data : "", expected);
	assert_int_equal(plugin_redact_text(redactor, buffer_bytes(&once), &twice), 0);
	assert_string_equal(twice.data ? twice.data : "", expected);
}

static void secrets_go_in_every_form_they_travel_in(void **state)
{
	(void)state;
	assert_redacted("your key " API_KEY " is unknown", "your key REDACTED is unknown");
	assert_redacted("x" API_KEY "y", "xREDACTEDy");
	assert_redacted(LOGIN, "REDACTED");
	assert_redacted("pass-5518", "REDACTED");
	assert_redacted("https://h/x?a=user%3Apass-5518&b=1", "https://h/x?a=REDACTED&b=1");
	assert_redacted("dXNlcjpwYXNzLTU1MTg=", "REDACTED");
}

/* A short one may be an ordinary word, and a part of what stands for secrets would never come to an end. */
static void what_is_added_goes_like_a_secret(void **state)
{
	struct plugin_redactor *own = plugin_redactor_new(account), *usual = redactor;

	(void)state;
	assert_int_equal(plugin_redactor_add(own, bytes_of_text("gs://b/as 1")), 0);
	assert_int_equal(plugin_redactor_add(own, bytes_of_text("failed")), 0);
	assert_int_equal(plugin_redactor_add(own, bytes_of_text(PLUGIN_REDACTED)), 0);
	assert_int_equal(plugin_redactor_add(own, bytes_of(NULL, 0)), 0);
	redactor = own;
	assert_redacted("{\"uri\":\"gs://b/as 1\"} gs://b/as 2", "{\"uri\":\"REDACTED\"} gs://b/as 2");
	assert_redacted("https://h/gs%3A%2F%2Fb%2Fas%201/x failed", "https://h/REDACTED/x failed");
	redactor = usual;
	plugin_redactor_free(own);
}

static void signatures_of_links_go_and_their_end_stays(void **state)
{
	(void)state;
	assert_redacted(
		"https://f.example/v.mp4?X-Amz-Date=20261122T171600Z&X-Amz-Expires=604800&X-Amz-Signature=ab12#t",
		"https://f.example/v.mp4?X-Amz-Date=20261122T171600Z&X-Amz-Expires=604800&X-Amz-Signature="
		"REDACTED#t");
	assert_redacted("https://f.example/v.mp4?Expires=1795368960&Signature=x&Key-Pair-Id=K1",
			"https://f.example/v.mp4?Expires=1795368960&Signature=REDACTED&Key-Pair-Id=REDACTED");
	assert_redacted("see https://f.example/v?odd=0123456789abcdefg, please",
			"see https://f.example/v?odd=REDACTED please");
	assert_redacted("https://f.example/v?limit=10&alt=media", "https://f.example/v?limit=10&alt=media");
	assert_redacted("/files/v?sig=1&n=2", "/files/v?sig=REDACTED&n=2");
	assert_redacted("https://me:secret@f.example/a@b", "https://REDACTED@f.example/a@b");
}

static void tokens_show_by_their_form(void **state)
{
	(void)state;
	assert_redacted("Authorization: Bearer abcdefghijklmnop0123", "Authorization: Bearer REDACTED");
	assert_redacted("(eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-0123)", "(REDACTED)");
	assert_redacted("ya29.a0AfH6SMBx0123456789abcdef", "REDACTED");
	/* What a first look leaves looks like a token with what it put in. */
	assert_redacted("Bearer 12345678" LOGIN, "Bearer REDACTED");
	assert_redacted("AIzaSyA-0123456789abcdefghijklmnopqrstu", "REDACTED");
}

static void words_of_people_stay_as_they_are(void **state)
{
	static const char *const texts[] = {
		"",
		"The bearer of good news asks: Basic or fancy?",
		"{secret:api_key} {{prompt}} $API_KEY ${HOME} \"quoted\" \\ \x01\x1f",
		"a skiing risk-averse eyJ",
		"what? me & you; 100% #1",
		"/shrug & smile?",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_redacted(texts[i], texts[i]);
}

static void members_named_like_credentials_lose_their_text(void **state)
{
	static const char text[] =
		"{\"access_token\":\"abc\",\"list\":[{\"X-Api-Key\":\"d\",\"n\":17454220438242315174}],"
		"\"expires_in\":3599,\"token\":5}";
	_cleanup_(json_freep) struct json *json = json_new(NULL), *clean = json_new(NULL);
	_cleanup_(buffer_finish) struct buffer out = {0};
	json_node root, copy;

	(void)state;
	assert_int_equal(json_parse(json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &root, NULL), 0);
	assert_int_equal(plugin_redact_json(redactor, json, root, clean, &copy), 0);
	assert_int_equal(json_write(clean, copy, JSON_FORM_PLAIN, &out), 0);
	assert_string_equal(out.data, "{\"access_token\":\"REDACTED\",\"list\":[{\"X-Api-Key\":\"REDACTED\","
				      "\"n\":17454220438242315174}],\"expires_in\":3599,\"token\":5}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_go_in_every_form_they_travel_in),
		cmocka_unit_test(what_is_added_goes_like_a_secret),
		cmocka_unit_test(signatures_of_links_go_and_their_end_stays),
		cmocka_unit_test(tokens_show_by_their_form),
		cmocka_unit_test(words_of_people_stay_as_they_are),
		cmocka_unit_test(members_named_like_credentials_lose_their_text),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
