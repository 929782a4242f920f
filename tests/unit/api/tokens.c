#include "api/token.h"

#include "api/text.h"
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_page_token_comes_back_as_it_was(void **state)
{
	struct id after = id_new(1700000000000), read;
	struct digest filter = digest_of(bytes_of_text("filter"));
	char token[TOKEN_TEXT_SIZE];

	(void)state;
	token_write_page(&after, &filter, token);
	assert_true(strlen(token) < TOKEN_TEXT_SIZE);
	assert_int_equal(token_read_page(token, &filter, &read), 0);
	assert_memory_equal(&read, &after, sizeof(after));
}

static void a_page_token_belongs_to_its_filter(void **state)
{
	struct digest filter = digest_of(bytes_of_text("filter")), other = digest_of(bytes_of_text("other"));
	struct id after = id_new(1), read;
	char token[TOKEN_TEXT_SIZE];

	(void)state;
	token_write_page(&after, &filter, token);
	assert_int_equal(token_read_page(token, &other, &read), TOKEN_E_OTHER_FILTER);
}

static void a_resume_token_comes_back_as_it_was(void **state)
{
	static const uint64_t values[] = {0, 1, 255, 1ull << 40, UINT64_MAX};
	char token[TOKEN_TEXT_SIZE];
	uint64_t epoch, sequence;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		token_write_resume(values[4 - i], values[i], token);
		assert_int_equal(token_read_resume(token, &epoch, &sequence), 0);
		assert_true(epoch == values[4 - i] && sequence == values[i]);
	}
}

static void a_link_comes_back_as_it_was_signed(void **state)
{
	const struct bytes key = bytes_of_text("one key"), other = bytes_of_text("another");
	const struct token_link link = {
		.ref = {.tenant = 0xfedcba98, .id = id_new(1700000000000)}, .index = UINT32_MAX, .until_s = 1764552000};
	char token[TOKEN_LINK_SIZE], damaged[TOKEN_LINK_SIZE + 1];
	struct token_link read = {0};

	(void)state;
	token_write_link(key, &link, token);
	assert_int_equal(token_read_link(key, token, &read), 0);
	assert_true(job_ref_equal(&read.ref, &link.ref));
	assert_true(read.index == link.index && read.until_s == link.until_s);
	assert_int_equal(token_read_link(other, token, &read), TOKEN_E_MALFORMED);
	for (size_t i = 0; token[i]; i++) {
		snprintf(damaged, sizeof(damaged), "%s", token);
		damaged[i] = token[i] == 'A' ? 'B' : 'A';
		assert_int_equal(token_read_link(key, damaged, &read), TOKEN_E_MALFORMED);
	}
	snprintf(damaged, sizeof(damaged), "%sA", token);
	assert_int_equal(token_read_link(key, damaged, &read), TOKEN_E_MALFORMED);
	token[strlen(token) - 1] = '\0';
	assert_int_equal(token_read_link(key, token, &read), TOKEN_E_MALFORMED);
}

static void every_single_damage_is_noticed(void **state)
{
	char token[TOKEN_TEXT_SIZE], damaged[TOKEN_TEXT_SIZE + 1];
	uint64_t epoch, sequence;

	(void)state;
	token_write_resume(7, 42, token);
	for (size_t i = 0; token[i]; i++)
		for (int c = 1; c < 256; c++) {
			memcpy(damaged, token, sizeof(token));
			damaged[i] = (char)c;
			if (damaged[i] != token[i])
				assert_int_equal(token_read_resume(damaged, &epoch, &sequence), TOKEN_E_MALFORMED);
		}
	for (size_t i = 0; i < strlen(token); i++) {
		memcpy(damaged, token, sizeof(token));
		damaged[i] = '\0';
		assert_int_equal(token_read_resume(damaged, &epoch, &sequence), TOKEN_E_MALFORMED);
	}
	snprintf(damaged, sizeof(damaged), "%sA", token);
	assert_int_equal(token_read_resume(damaged, &epoch, &sequence), TOKEN_E_MALFORMED);
}

static void the_two_kinds_are_not_mixed_up(void **state)
{
	struct digest filter = digest_of(bytes_of_text(""));
	struct id after = id_new(1), read;
	char token[TOKEN_TEXT_SIZE];
	uint64_t epoch, sequence;

	(void)state;
	token_write_page(&after, &filter, token);
	assert_int_equal(token_read_resume(token, &epoch, &sequence), TOKEN_E_MALFORMED);
	token_write_resume(1, 2, token);
	assert_int_equal(token_read_page(token, &filter, &read), TOKEN_E_MALFORMED);
}

static void names_have_one_spelling(void **state)
{
	static const char *const wrong[] = {"",
					    "jobs/",
					    "0190163d-8694-739b-aea5-966c26f8ad91",
					    "jobs/0190163D-8694-739b-aea5-966c26f8ad91",
					    "jobs/0190163d-8694-739b-aea5-966c26f8ad9",
					    "jobs/0190163d-8694-739b-aea5-966c26f8ad911",
					    "jobs/0190163d-8694-739b-aea5-966c26f8ad91/",
					    "Jobs/0190163d-8694-739b-aea5-966c26f8ad91"};
	struct arena arena = {0};
	struct id id;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(name_parse_job(wrong[i], &id));
	assert_true(name_parse_job("jobs/0190163d-8694-739b-aea5-966c26f8ad91", &id));
	assert_string_equal(name_of_job(&arena, &id), "jobs/0190163d-8694-739b-aea5-966c26f8ad91");
	arena_finish(&arena);
}

static void artifacts_are_numbered_from_one(void **state)
{
#define JOB "jobs/0190163d-8694-739b-aea5-966c26f8ad91"
	static const char *const wrong[] = {JOB,
					    JOB "/artifacts/",
					    JOB "/artifacts/0",
					    JOB "/artifacts/01",
					    JOB "/artifacts/1x",
					    JOB "/artifacts/-1",
					    JOB "/artifacts/1234567890",
					    "jobs/artifacts/1",
					    "/artifacts/1",
					    JOB "/artifacts/1/artifacts/1"};
	struct arena arena = {0};
	uint32_t index;
	struct id id;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(name_parse_artifact(wrong[i], &id, &index));
	assert_true(name_parse_artifact(JOB "/artifacts/12", &id, &index));
	assert_int_equal(index, 12);
	assert_string_equal(name_of_artifact(&arena, &id, 12), JOB "/artifacts/12");
	arena_finish(&arena);
}

static void text_is_cut_between_characters_and_cleaned(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_string_equal(text_cut(&arena, "abc", 3), "abc");
	assert_string_equal(text_cut(&arena, "ab\xc3\xa9", 3), "ab");
	assert_string_equal(text_cut(&arena, "ab\xc3\xa9", 4), "ab\xc3\xa9");
	assert_string_equal(text_cut(&arena, NULL, 4), "");
	assert_string_equal(text_clean(&arena, "a\x80\xc3\xa9\xff\xf0\x9f\x8e\xac\xe2\x82"),
			    "a?\xc3\xa9?\xf0\x9f\x8e\xac??");
	arena_finish(&arena);
}

static void instants_round_up_and_stay_in_range(void **state)
{
	Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct arena arena = {0};
	int64_t ms;

	(void)state;
	timestamp.seconds = 5;
	timestamp.nanos = 1000001;
	assert_true(timestamp_parse(&timestamp, &ms));
	assert_int_equal(ms, 5002);
	timestamp.nanos = 1000000000;
	assert_false(timestamp_parse(&timestamp, &ms));
	timestamp.nanos = 0;
	timestamp.seconds = 253402300800;
	assert_false(timestamp_parse(&timestamp, &ms));

	assert_null(timestamp_of(&arena, 0));
	assert_int_equal(timestamp_of(&arena, -1)->seconds, -1);
	assert_int_equal(timestamp_of(&arena, -1)->nanos, 999000000);
	assert_int_equal(timestamp_of(&arena, 1234)->seconds, 1);
	assert_int_equal(timestamp_of(&arena, 1234)->nanos, 234000000);
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_token_comes_back_as_it_was),
		cmocka_unit_test(a_page_token_belongs_to_its_filter),
		cmocka_unit_test(a_resume_token_comes_back_as_it_was),
		cmocka_unit_test(a_link_comes_back_as_it_was_signed),
		cmocka_unit_test(every_single_damage_is_noticed),
		cmocka_unit_test(the_two_kinds_are_not_mixed_up),
		cmocka_unit_test(names_have_one_spelling),
		cmocka_unit_test(artifacts_are_numbered_from_one),
		cmocka_unit_test(text_is_cut_between_characters_and_cleaned),
		cmocka_unit_test(instants_round_up_and_stay_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
