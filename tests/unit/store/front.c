#include "store/front.h"

#include "store/fixture.h"

static struct key range_of(const char *provider)
{
	struct key range;

	assert_int_equal(key_provider(&range, KEY_WAKE, 1, provider), 0);
	return range;
}

/* A key of the range; keys sort as @place does. */
static struct key key_at(const char *provider, uint8_t place)
{
	struct key key = range_of(provider);

	memset(key.data + key.len, place, 28);
	key.len += 28;
	return key;
}

static void put(struct fronts *fronts, const struct key *key)
{
	assert_int_equal(fronts_put(fronts, key_bytes(key)), 0);
}

/* What a scan sees that begins now: @first is there, or nothing when it is 0. Returns where it began. */
static struct key scan_seeing(struct fronts *fronts, uint8_t first)
{
	struct key range = range_of("a"), seen = key_at("a", first), from;
	struct bytes bytes = key_bytes(&seen);
	struct front_scan scan;

	assert_int_equal(fronts_begin(fronts, &range, &scan, &from), 0);
	fronts_end(fronts, &scan, first ? &bytes : NULL);
	return from;
}

static void assert_begins_at(struct fronts *fronts, const struct key *key)
{
	struct key range = range_of("a"), from;
	struct front_scan scan;

	assert_int_equal(fronts_begin(fronts, &range, &scan, &from), 0);
	fronts_cancel(fronts, &scan);
	assert_int_equal(key_compare(key_bytes(&from), key_bytes(key)), 0);
}

static int setup(void **state)
{
	*state = malloc(sizeof(struct fronts));
	fronts_init(*state);
	return 0;
}

static int teardown(void **state)
{
	fronts_finish(*state);
	free(*state);
	return 0;
}

static void a_scan_begins_where_the_last_one_found_the_first_key(void **state)
{
	struct key range = range_of("a"), five = key_at("a", 5), end;

	assert_begins_at(*state, &range);
	scan_seeing(*state, 5);
	assert_begins_at(*state, &five);
	scan_seeing(*state, 0);
	key_after(&end, &range);
	assert_begins_at(*state, &end);
}

static void a_key_put_before_the_front_moves_it_back(void **state)
{
	struct key five = key_at("a", 5), three = key_at("a", 3), other = key_at("b", 1), seven = key_at("a", 7);

	scan_seeing(*state, 5);
	put(*state, &other);
	put(*state, &seven);
	assert_begins_at(*state, &five);
	put(*state, &three);
	fronts_written(*state);
	assert_begins_at(*state, &three);
}

static void a_key_put_during_a_scan_holds_the_front(void **state)
{
	struct key range = range_of("a"), nine = key_at("a", 9), four = key_at("a", 4), six = key_at("a", 6), from;
	struct bytes seen = key_bytes(&nine);
	struct front_scan scan;

	assert_int_equal(fronts_begin(*state, &range, &scan, &from), 0);
	put(*state, &six);
	fronts_written(*state);
	put(*state, &four);
	put(*state, &nine);
	fronts_written(*state);
	fronts_end(*state, &scan, &seen);
	assert_begins_at(*state, &four);
}

/* Put before the scan began, but not to be seen before the write is done. */
static void a_key_of_the_write_under_way_holds_the_front(void **state)
{
	struct key four = key_at("a", 4), nine = key_at("a", 9), two = key_at("a", 2);

	put(*state, &two);
	fronts_written(*state);
	put(*state, &four);
	scan_seeing(*state, 9);
	assert_begins_at(*state, &four);
	scan_seeing(*state, 0);
	assert_begins_at(*state, &four);
	fronts_written(*state);
	scan_seeing(*state, 9);
	assert_begins_at(*state, &nine);
}

static void two_scans_at_once_hold_each_their_own(void **state)
{
	struct key range = range_of("a"), nine = key_at("a", 9), four = key_at("a", 4), six = key_at("a", 6), from;
	struct bytes seen = key_bytes(&nine);
	struct front_scan early, late;

	assert_int_equal(fronts_begin(*state, &range, &early, &from), 0);
	put(*state, &four);
	fronts_written(*state);
	assert_int_equal(fronts_begin(*state, &range, &late, &from), 0);
	put(*state, &six);
	fronts_written(*state);
	fronts_end(*state, &early, &seen);
	assert_begins_at(*state, &four);
	fronts_end(*state, &late, &seen);
	assert_begins_at(*state, &six);
}

static void keys_without_a_queue_have_no_front(void **state)
{
	struct fronts *fronts = *state;
	struct key key;

	key_event(&key, 1, 5);
	put(fronts, &key);
	assert_null(fronts->all);
}

#define FRONT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FRONT_TEST(a_scan_begins_where_the_last_one_found_the_first_key),
		FRONT_TEST(a_key_put_before_the_front_moves_it_back),
		FRONT_TEST(a_key_put_during_a_scan_holds_the_front),
		FRONT_TEST(a_key_of_the_write_under_way_holds_the_front),
		FRONT_TEST(two_scans_at_once_hold_each_their_own),
		FRONT_TEST(keys_without_a_queue_have_no_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
