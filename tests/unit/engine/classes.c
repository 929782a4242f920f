/*
 * The class of a paid request, cell by cell.
 */
#include "engine/classes.h"

#include "engine/rig.h"

static struct http_outcome outcome(enum http_kind kind, bool may_have_left)
{
	return (struct http_outcome){.kind = kind, .may_have_left = may_have_left};
}

/* libcurl's codes and our own reasons to stop are many; what left is one fact. */
static void only_what_left_and_a_whole_reply_count(void **state)
{
	(void)state;
	for (enum http_kind kind = 0; kind < _HTTP_KIND_N; kind++) {
		struct http_outcome stayed = outcome(kind, false);
		struct http_outcome left = outcome(kind, true);

		assert_int_equal(send_sight_of(&stayed),
				 kind == HTTP_REPLY ? SEND_SAW_A_REPLY : SEND_SAW_NOTHING_LEAVE);
		assert_int_equal(send_sight_of(&left), kind == HTTP_REPLY ? SEND_SAW_A_REPLY : SEND_SAW_IT_LEAVE);
	}
}

static void each_pair_has_one_class_or_cannot_be(void **state)
{
	static const struct {
		enum send_sight sight;
		enum send_reading reading;
		enum job_send_class class;
	} cells[] = {
		{SEND_SAW_NOTHING_LEAVE, SEND_READ_NOTHING, JOB_SEND_NOT_SENT},
		{SEND_SAW_IT_LEAVE, SEND_READ_NOTHING, JOB_SEND_AMBIGUOUS},
		{SEND_SAW_A_REPLY, SEND_READ_NOTHING, JOB_SEND_AMBIGUOUS},
		{SEND_SAW_A_REPLY, SEND_READ_ID, JOB_SEND_ACCEPTED},
		{SEND_SAW_A_REPLY, SEND_READ_REFUSAL, JOB_SEND_REFUSED},
		{SEND_SAW_A_REPLY, SEND_READ_PURCHASE, JOB_SEND_ACCEPTED},
		{SEND_SAW_A_REPLY, SEND_READ_DOUBT, JOB_SEND_AMBIGUOUS},
		{SEND_SAW_A_REPLY, SEND_READ_PATIENCE, JOB_SEND_AMBIGUOUS},
		{SEND_SAW_A_REPLY, SEND_READ_NO_ANSWER, JOB_SEND_AMBIGUOUS},
	};
	struct buffer page = {0};
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		assert_int_equal(send_class_of(cells[i].sight, cells[i].reading), cells[i].class);
	/* Nothing was asked without a reply: there are no more cells than these. */
	assert_int_equal(send_print_classes(&page), 0);
	for (const char *p = page.data; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 2 + sizeof(cells) / sizeof(cells[0]));
	buffer_finish(&page);
}

static enum send_reading reading(enum plugin_answer_kind kind, enum plugin_reason reason, enum plugin_bought bought,
				 int http_status)
{
	const struct plugin_answer answer = {.kind = kind, .failure = {.reason = reason, .bought = bought}};

	return send_reading_of(&answer, http_status);
}

static void a_failure_is_a_refusal_only_where_nothing_was_bought(void **state)
{
	static const enum plugin_answer_kind kinds[] = {PLUGIN_ANSWER_FAILED, PLUGIN_ANSWER_TROUBLE};
	const enum plugin_reason bad = PLUGIN_REASON_INVALID_INPUT;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(reading(kinds[i], bad, PLUGIN_BOUGHT_NONE, 500), SEND_READ_REFUSAL);
		assert_int_equal(reading(kinds[i], bad, PLUGIN_BOUGHT_MADE, 400), SEND_READ_PURCHASE);
		assert_int_equal(reading(kinds[i], bad, PLUGIN_BOUGHT_UNKNOWN, 400), SEND_READ_DOUBT);
		assert_int_equal(reading(kinds[i], PLUGIN_REASON_IN_PROGRESS, PLUGIN_BOUGHT_NONE, 409),
				 SEND_READ_DOUBT);
		for (int status = 200; status < 600; status += 1)
			assert_int_equal(reading(kinds[i], bad, PLUGIN_BOUGHT_HOUSE_RULE, status),
					 status / 100 == 4 ? SEND_READ_REFUSAL : SEND_READ_DOUBT);
	}
}

static void every_answer_is_a_reading(void **state)
{
	static const enum send_reading expected[_PLUGIN_ANSWER_N] = {
		[PLUGIN_ANSWER_FAULT] = SEND_READ_NO_ANSWER, [PLUGIN_ANSWER_EXCHANGE] = SEND_READ_NO_ANSWER,
		[PLUGIN_ANSWER_WAIT] = SEND_READ_PATIENCE,   [PLUGIN_ANSWER_ACCEPTED] = SEND_READ_ID,
		[PLUGIN_ANSWER_DONE] = SEND_READ_ID,         [PLUGIN_ANSWER_FAILED] = SEND_READ_DOUBT,
		[PLUGIN_ANSWER_TROUBLE] = SEND_READ_DOUBT,
	};

	(void)state;
	for (enum plugin_answer_kind kind = 0; kind < _PLUGIN_ANSWER_N; kind++)
		assert_int_equal(reading(kind, PLUGIN_REASON_PROVIDER_FAULT, PLUGIN_BOUGHT_UNKNOWN, 200),
				 expected[kind] ? expected[kind] : SEND_READ_NO_ANSWER);
}

static char *read_document(const char *name)
{
	const char *root = getenv("FILMGATE_SOURCE_DIR");
	char path[PATH_MAX];
	struct buffer text = {0};
	FILE *file;
	char block[4096];
	size_t n;

	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "re");
	assert_non_null(file);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		assert_int_equal(buffer_append(&text, block, n), 0);
	fclose(file);
	return text.data;
}

static void the_table_in_the_documents_is_the_one_in_the_code(void **state)
{
	static const char head[] = "<!-- classes -->\n";
	static const char tail[] = "<!-- /classes -->\n";
	_cleanup_(freep) char *document = read_document("ARCHITECTURE.md");
	struct buffer page = {0};
	char *block, *end;

	(void)state;
	assert_int_equal(send_print_classes(&page), 0);
	block = strstr(document, head);
	assert_non_null(block);
	block += sizeof(head) - 1;
	end = strstr(block, tail);
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(block, page.data);
	buffer_finish(&page);
}

static void a_page_that_does_not_fit_is_an_error(void **state)
{
	struct buffer page = {.limit = 100};

	(void)state;
	assert_int_equal(send_print_classes(&page), -EMSGSIZE);
	buffer_finish(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_left_and_a_whole_reply_count),
		cmocka_unit_test(each_pair_has_one_class_or_cannot_be),
		cmocka_unit_test(a_failure_is_a_refusal_only_where_nothing_was_bought),
		cmocka_unit_test(every_answer_is_a_reading),
		cmocka_unit_test(the_table_in_the_documents_is_the_one_in_the_code),
		cmocka_unit_test(a_page_that_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests_name("engine.classes", tests, NULL, NULL);
}
