#include "artifact/pictures.h"
#include "artifact/fixture.h"
#include "base/limits.h"

#define PICTURES 16
#define WHOLE_MS 4000

/* One picture a quarter of a second, all of one grey. */
static uint8_t *film(uint8_t grey)
{
	uint8_t *pictures = malloc(PICTURES * PICTURE_BYTES);

	assert_non_null(pictures);
	memset(pictures, grey, PICTURES * PICTURE_BYTES);
	return pictures;
}

/* Something small that moves: another cell in each picture. */
static void move(uint8_t *pictures, size_t from, size_t to, uint8_t by)
{
	for (size_t i = from; i < to; i++)
		pictures[i * PICTURE_BYTES + i] = (uint8_t)(pictures[i * PICTURE_BYTES + i] + by);
}

static void assert_looked(const uint8_t *pictures, int64_t black_ms, int64_t frozen_ms)
{
	struct artifact_looked looked = pictures_judge(pictures, PICTURES, WHOLE_MS);

	assert_true(looked.is_known);
	assert_int_equal(looked.black_ms, black_ms);
	assert_int_equal(looked.frozen_ms, frozen_ms);
}

static void what_moves_in_one_cell_is_not_frozen(void **state)
{
	_cleanup_(freep) uint8_t *pictures = film(100);

	(void)state;
	assert_looked(pictures, 0, WHOLE_MS);
	move(pictures, 0, PICTURES, 6);
	assert_looked(pictures, 0, 0);
}

static void noise_of_a_codec_is_no_motion(void **state)
{
	_cleanup_(freep) uint8_t *pictures = film(100);

	(void)state;
	move(pictures, 0, PICTURES, 5);
	assert_looked(pictures, 0, WHOLE_MS);
}

static void what_changes_slowly_is_not_frozen(void **state)
{
	_cleanup_(freep) uint8_t *pictures = film(100);

	(void)state;
	for (size_t i = 0; i < PICTURES; i++)
		memset(pictures + i * PICTURE_BYTES, (int)(100 + i), PICTURE_BYTES);
	assert_looked(pictures, 0, 0);
}

/* Eight quarters of a second are two. */
static void only_what_stands_for_two_seconds_is_frozen(void **state)
{
	_cleanup_(freep) uint8_t *pictures = film(100);

	(void)state;
	move(pictures, 8, PICTURES, 50);
	assert_looked(pictures, 0, LIMIT_ARTIFACT_STILL_MS);
	move(pictures, 7, 8, 50);
	assert_looked(pictures, 0, 0);
}

static void black_is_dark_but_for_a_watermark(void **state)
{
	_cleanup_(freep) uint8_t *pictures = film(26);

	(void)state;
	assert_looked(pictures, WHOLE_MS, WHOLE_MS);
	memset(pictures, 200, PICTURE_BYTES * 2 / 100);
	assert_looked(pictures, WHOLE_MS, WHOLE_MS - WHOLE_MS / PICTURES);
	memset(pictures, 200, PICTURE_BYTES * 3 / 100);
	assert_looked(pictures, WHOLE_MS - WHOLE_MS / PICTURES, WHOLE_MS - WHOLE_MS / PICTURES);
	memset(pictures, 27, PICTURES * PICTURE_BYTES);
	assert_looked(pictures, 0, WHOLE_MS);
}

static void too_few_pictures_say_nothing(void **state)
{
	_cleanup_(freep) uint8_t *pictures = film(0);

	(void)state;
	assert_false(pictures_judge(pictures, 0, WHOLE_MS).is_known);
	assert_false(pictures_judge(pictures, 3, WHOLE_MS).is_known);
	assert_false(pictures_judge(pictures, 4, 0).is_known);
	assert_true(pictures_judge(pictures, 4, WHOLE_MS).is_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_moves_in_one_cell_is_not_frozen),
		cmocka_unit_test(noise_of_a_codec_is_no_motion),
		cmocka_unit_test(what_changes_slowly_is_not_frozen),
		cmocka_unit_test(only_what_stands_for_two_seconds_is_frozen),
		cmocka_unit_test(black_is_dark_but_for_a_watermark),
		cmocka_unit_test(too_few_pictures_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
