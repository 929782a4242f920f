#include "suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *nearest(const char *wanted)
{
	static const char *const words[] = {"list", "get", "submit", "download", "delete"};
	struct suggest near = {.wanted = wanted};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		suggest_offer(&near, words[i]);
	return near.best;
}

static void distance_counts_single_mistakes(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("list", "list"), 0);
	assert_int_equal(suggest_distance("lst", "list"), 1);
	assert_int_equal(suggest_distance("llist", "list"), 1);
	assert_int_equal(suggest_distance("lost", "list"), 1);
	assert_int_equal(suggest_distance("lsit", "list"), 1);
	assert_int_equal(suggest_distance("", "list"), 4);
}

static void the_nearest_word_is_suggested(void **state)
{
	(void)state;
	assert_string_equal(nearest("lsit"), "list");
	assert_string_equal(nearest("sumbit"), "submit");
	assert_string_equal(nearest("donwload"), "download");
	assert_string_equal(nearest("get"), "get");
}

static void nothing_is_suggested_for_a_word_that_is_like_no_other(void **state)
{
	(void)state;
	assert_null(nearest("frobnicate"));
	assert_null(nearest(""));
	assert_null(nearest("gxx"));
}

static void very_long_words_have_no_neighbours(void **state)
{
	char word[2 * SUGGEST_WORD_MAX];

	(void)state;
	memset(word, 'a', sizeof(word));
	word[SUGGEST_WORD_MAX] = '\0';
	assert_int_equal(suggest_distance(word, word), SUGGEST_WORD_MAX);
	word[SUGGEST_WORD_MAX - 1] = '\0';
	assert_int_equal(suggest_distance(word, word), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_single_mistakes),
		cmocka_unit_test(the_nearest_word_is_suggested),
		cmocka_unit_test(nothing_is_suggested_for_a_word_that_is_like_no_other),
		cmocka_unit_test(very_long_words_have_no_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
