#include "answers.h"

#include "base/err.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <cmocka.h>

void rig_assert_json(const char *text, const char *expected)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node a, b;

	assert_int_equal(json_parse(json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &a, NULL), 0);
	assert_int_equal(json_parse(json, bytes_of_text(expected), JSON_DUPLICATES_REFUSE, &b, NULL), 0);
	if (!json_equal(json, a, json, b))
		fail_msg("%s\n is not %s", text, expected);
}

void rig_assert_body(const struct plugin_answer *answer, const char *expected)
{
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	text = bytes_dup_text(answer->exchange.body);
	assert_non_null(text);
	rig_assert_json(text, expected);
}

const struct plugin_header *rig_header(const struct plugin_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->exchange.n_headers; i++)
		if (strcasecmp(answer->exchange.headers[i].name, name) == 0)
			return &answer->exchange.headers[i];
	return NULL;
}

void rig_assert_failure(const struct plugin_answer *answer, enum plugin_answer_kind kind, enum plugin_reason reason,
			enum plugin_bought bought)
{
	if (answer->kind != kind || answer->failure.reason != reason || answer->failure.bought != bought)
		fail_msg("answered %s, reason %d, bought %d ('%s' %s)", plugin_answer_name(answer->kind),
			 (int)answer->failure.reason, (int)answer->failure.bought, answer->failure.code,
			 answer->failure.message);
}

char *answers_sample(const char *folder, const char *name)
{
	const char *samples = getenv("FILMGATE_SAMPLES");
	struct buffer path = {0}, text = {0};
	char block[4096];
	FILE *file;
	size_t n;

	assert_int_equal(buffer_printf(&path, "%s/%s/%s", samples ? samples : "", folder, name), 0);
	file = fopen(path.data, "re");
	if (!file) {
		print_message("no recorded body %s here: skipped\n", name);
		buffer_finish(&path);
		return NULL;
	}
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		assert_int_equal(buffer_append(&text, block, n), 0);
	fclose(file);
	buffer_finish(&path);
	return text.data;
}
