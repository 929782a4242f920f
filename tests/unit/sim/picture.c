#include "sim/picture.h"

#include "allocator.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct sim_picture picture(const char *text)
{
	return (struct sim_picture){.text = text, .width = 1280, .height = 720, .fps = 25, .seconds = 4};
}

static void speech_has_two_and_a_half_words_a_second(void **state)
{
	(void)state;
	assert_int_equal(sim_picture_seconds("", 1000), 1);
	assert_int_equal(sim_picture_seconds("one", 1000), 1);
	assert_int_equal(sim_picture_seconds("one two three", 1000), 2);
	assert_int_equal(sim_picture_seconds("1 2 3 4 5 6 7 8 9 10", 1000), 4);
	assert_int_equal(sim_picture_seconds("1 2 3 4 5 6 7 8 9 10 11", 1000), 5);
}

static void speed_shortens_and_stretches_speech(void **state)
{
	(void)state;
	assert_int_equal(sim_picture_seconds("1 2 3 4 5 6 7 8 9 10", 500), 8);
	assert_int_equal(sim_picture_seconds("1 2 3 4 5 6 7 8 9 10", 1500), 3);
}

/* Ten glyphs without a space between them are five words' time. */
static void scripts_without_spaces_take_their_time(void **state)
{
	(void)state;
	assert_int_equal(sim_picture_seconds("一二三四五六七八九十", 1000), 2);
}

/* Every member must matter to the name, or two orders would share a file that fits only one. */
static void the_key_depends_on_everything_that_is_shown(void **state)
{
	struct sim_picture variants[] = {
		picture("a"), picture("b"), picture("a"), picture("a"), picture("a"),
		picture("a"), picture("a"), picture("a"), picture("a"), picture("a"),
	};
	size_t count = sizeof(variants) / sizeof(variants[0]);

	(void)state;
	variants[2].width++;
	variants[3].height++;
	variants[4].fps++;
	variants[5].seconds++;
	variants[6].format = SIM_FORMAT_WEBM;
	variants[7].color++;
	variants[8].is_clear = true;
	variants[9].is_small = true;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			assert_int_equal(strcmp(sim_picture_key(&variants[i]).text,
						sim_picture_key(&variants[j]).text) == 0,
					 i == j);
}

static void a_line_breaks_between_words_and_inside_long_ones(void **state)
{
	struct sim_picture narrow = picture("two words\n\tand aVeryLongWordThatIsWiderThanTheFrame ä");
	struct sim_layout layout;
	const char *text;
	size_t widest = 0;

	(void)state;
	narrow.width = 200;
	narrow.height = 400;
	assert_int_equal(sim_picture_layout(&narrow, &layout), 0);
	text = layout.lines.data ? layout.lines.data : "";
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		widest = len > widest ? len : widest;
		line += len + (line[len] == '\n');
	}
	assert_true(widest * (size_t)layout.font_px * 602 <= 200 * 900);
	assert_null(strstr(text, "\n\n"));
	assert_null(strchr(text, '\t'));
	assert_non_null(strstr(text, "\u00e4"));
	sim_layout_finish(&layout);
}

static void a_longer_text_gets_a_smaller_font(void **state)
{
	struct sim_layout brief, long_one;
	struct sim_picture one = picture("brief");
	char text[5001];
	struct sim_picture other = picture(text);

	(void)state;
	for (size_t i = 0; i < 5000; i++)
		text[i] = i % 6 == 5 ? ' ' : 'x';
	text[5000] = '\0';
	assert_int_equal(sim_picture_layout(&one, &brief), 0);
	assert_int_equal(sim_picture_layout(&other, &long_one), 0);
	assert_int_equal(brief.font_px, 80);
	assert_in_range(long_one.font_px, 8, 24);
	sim_layout_finish(&brief);
	sim_layout_finish(&long_one);
}

static void cues_have_ten_words_and_share_the_length_by_letters(void **state)
{
	struct sim_picture one = picture("a a a a a a a a a a bbbbbbbbbb");
	struct buffer srt = {0};

	(void)state;
	assert_int_equal(sim_picture_subtitle(&one, &srt), 0);
	assert_string_equal(srt.data, "1\n00:00:00,000 --> 00:00:02,000\na a a a a a a a a a\n\n"
				      "2\n00:00:02,000 --> 00:00:04,000\nbbbbbbbbbb\n\n");
	buffer_finish(&srt);
}

static void a_text_without_letters_has_no_cues(void **state)
{
	struct sim_picture one = picture(" \n ");
	struct buffer srt = {0};

	(void)state;
	assert_int_equal(sim_picture_subtitle(&one, &srt), 0);
	assert_int_equal(srt.len, 0);
	buffer_finish(&srt);
}

static void layout_survives_every_failed_allocation(void **state)
{
	struct sim_picture one = picture("some words that need memory, more than the first block of a hundred and "
					 "twenty-eight bytes has room for, so that it has to grow at least once");
	struct sim_layout layout;
	int nth = 0, r;

	(void)state;
	do {
		allocator_fail(++nth);
		r = sim_picture_layout(&one, &layout);
		if (r == 0)
			sim_layout_finish(&layout);
	} while (allocator_failed());
	assert_int_equal(r, 0);
	assert_true(nth > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speech_has_two_and_a_half_words_a_second),
		cmocka_unit_test(speed_shortens_and_stretches_speech),
		cmocka_unit_test(scripts_without_spaces_take_their_time),
		cmocka_unit_test(the_key_depends_on_everything_that_is_shown),
		cmocka_unit_test(a_line_breaks_between_words_and_inside_long_ones),
		cmocka_unit_test(a_longer_text_gets_a_smaller_font),
		cmocka_unit_test(cues_have_ten_words_and_share_the_length_by_letters),
		cmocka_unit_test(a_text_without_letters_has_no_cues),
		cmocka_unit_test(layout_survives_every_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
