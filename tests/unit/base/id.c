#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define SAMPLE_MS 0x017f22e279b0 /* RFC 9562, appendix A.6: 2022-02-22T19:22:22Z */

static void an_id_has_the_shape_of_rfc_9562(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct id id = id_new(SAMPLE_MS);
		int64_t ms = 0;

		for (int at = 0; at < 6; at++)
			ms = ms << 8 | id.bytes[at];
		assert_true(ms == SAMPLE_MS);
		assert_int_equal(id.bytes[6] >> 4, 7);
		assert_int_equal(id.bytes[8] >> 6, 2);
	}
}

static void ids_of_later_instants_sort_behind(void **state)
{
	static const int64_t instants[] = {0, 1, 255, 256, 0xffffffff, 0x100000000, SAMPLE_MS, 0xffffffffffff};
	struct id last = id_new(instants[0]);

	(void)state;
	for (size_t i = 1; i < sizeof(instants) / sizeof(instants[0]); i++) {
		struct id next = id_new(instants[i]);

		assert_true(memcmp(last.bytes, next.bytes, sizeof(last.bytes)) < 0);
		last = next;
	}
}

static void ids_of_one_instant_differ(void **state)
{
	struct id a = id_new(SAMPLE_MS), b = id_new(SAMPLE_MS);

	(void)state;
	assert_memory_not_equal(a.bytes, b.bytes, sizeof(a.bytes));
}

static void the_sample_of_rfc_9562_reads_and_prints(void **state)
{
	static const uint8_t bytes[16] = {0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
					  0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
	char text[ID_TEXT_SIZE];
	struct id id;

	(void)state;
	assert_int_equal(id_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &id), 0);
	assert_memory_equal(id.bytes, bytes, sizeof(bytes));
	id_format(&id, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void what_is_no_id_is_refused_and_leaves_the_result_alone(void **state)
{
	static const char *const texts[] = {
		"",
		"0",
		"-",
		"017f22e2",
		"017f22e2-",
		"017f22e279b07cc398c4dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
		"017f22e2-79b0-7cc3-98c4dc0c0c07398f",
		"017f22e-279b0-7cc3-98c4-dc0c0c07398f",
		" 017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		"{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
	};
	struct id before = id_new(SAMPLE_MS), id = before;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(id_parse(texts[i], &id), ID_E_MALFORMED);
		assert_memory_equal(&id, &before, sizeof(id));
	}
}

static void a_printed_id_reads_back(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct id id = id_new(SAMPLE_MS + i), again;
		char text[ID_TEXT_SIZE];

		id_format(&id, text);
		assert_int_equal(strlen(text), ID_TEXT_SIZE - 1);
		assert_int_equal(id_parse(text, &again), 0);
		assert_memory_equal(&id, &again, sizeof(id));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_has_the_shape_of_rfc_9562),
		cmocka_unit_test(ids_of_later_instants_sort_behind),
		cmocka_unit_test(ids_of_one_instant_differ),
		cmocka_unit_test(the_sample_of_rfc_9562_reads_and_prints),
		cmocka_unit_test(what_is_no_id_is_refused_and_leaves_the_result_alone),
		cmocka_unit_test(a_printed_id_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
