#include "sim/heygen_order.h"

#include "sim/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PLAIN "\"type\":\"avatar\",\"avatar_id\":\"a\",\"script\":\"s\""

static json_t *parse(const char *text)
{
	json_t *body = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(body);
	return body;
}

static void assert_size(const char *members, int width, int height)
{
	struct sim_heygen_complaint complaint;
	struct sim_heygen_order order;
	char text[256];
	json_t *body;

	snprintf(text, sizeof(text), "{" PLAIN "%s}", members);
	body = parse(text);
	assert_int_equal(sim_heygen_order_read(body, &complaint, &order), 0);
	assert_int_equal(order.width, width);
	assert_int_equal(order.height, height);
	json_decref(body);
}

static void the_resolution_is_the_shorter_side(void **state)
{
	(void)state;
	assert_size("", 1920, 1080);
	assert_size(",\"resolution\":\"720p\"", 1280, 720);
	assert_size(",\"resolution\":\"4k\"", 3840, 2160);
	assert_size(",\"resolution\":null,\"aspect_ratio\":\"9:16\"", 1080, 1920);
	assert_size(",\"resolution\":\"720p\",\"aspect_ratio\":\"4:5\"", 720, 900);
	assert_size(",\"resolution\":\"720p\",\"aspect_ratio\":\"5:4\"", 900, 720);
	assert_size(",\"resolution\":\"720p\",\"aspect_ratio\":\"1:1\"", 720, 720);
	assert_size(",\"resolution\":\"720p\",\"aspect_ratio\":\"auto\"", 1280, 720);
	assert_size(",\"aspect_ratio\":null", 1920, 1080);
}

static void the_order_holds_what_the_body_says(void **state)
{
	struct sim_heygen_complaint complaint;
	struct sim_heygen_order order;
	json_t *body = parse("{" PLAIN ",\"title\":\"t\",\"voice_settings\":{\"speed\":0.75},\"background\":"
			     "{\"type\":\"color\",\"value\":\"#0aF010\"},\"caption\":{\"style\":\"default\"}}");

	(void)state;
	assert_int_equal(sim_heygen_order_read(body, &complaint, &order), 0);
	assert_string_equal(order.type, "avatar");
	assert_string_equal(order.title, "t");
	assert_string_equal(order.script, "s");
	assert_string_equal(order.text, "s");
	assert_int_equal(order.seconds, 0);
	assert_int_equal(order.price_micros, 0);
	assert_int_equal(order.speed_permille, 750);
	assert_int_equal(order.format, SIM_FORMAT_MP4);
	assert_true(order.has_color);
	assert_int_equal(order.color, 0x0af010);
	assert_true(order.has_caption_style);
	json_decref(body);
}

static void a_body_that_is_no_object_names_no_member(void **state)
{
	static const char *const texts[] = {"[]", "7", "\"x\"", "null"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sim_heygen_complaint complaint = {.param = "untouched"};
		struct sim_heygen_order order;
		json_t *body = parse(texts[i]);

		assert_int_equal(sim_heygen_order_read(body, &complaint, &order), SIM_HEYGEN_ORDER_E_INVALID);
		assert_null(complaint.param);
		json_decref(body);
	}
}

/* The limits of the voice are inclusive; NaN cannot be written in JSON. */
static void numbers_are_checked_at_their_limits(void **state)
{
	static const struct {
		const char *settings;
		int outcome;
	} rows[] = {
		{"{\"speed\":0.5,\"pitch\":-50,\"volume\":0}", 0},
		{"{\"speed\":1.5,\"pitch\":50,\"volume\":1}", 0},
		{"{\"speed\":0.49}", SIM_HEYGEN_ORDER_E_INVALID},
		{"{\"speed\":1.51}", SIM_HEYGEN_ORDER_E_INVALID},
		{"{\"pitch\":51}", SIM_HEYGEN_ORDER_E_INVALID},
		{"{\"volume\":1.01}", SIM_HEYGEN_ORDER_E_INVALID},
		{"{\"speed\":\"1\"}", SIM_HEYGEN_ORDER_E_INVALID},
		{"{\"speed\":null}", SIM_HEYGEN_ORDER_E_INVALID},
		{"{\"locale\":null}", 0},
		{"[]", SIM_HEYGEN_ORDER_E_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_heygen_complaint complaint;
		struct sim_heygen_order order;
		char text[256];
		json_t *body;

		snprintf(text, sizeof(text), "{" PLAIN ",\"voice_settings\":%s}", rows[i].settings);
		body = parse(text);
		if (sim_heygen_order_read(body, &complaint, &order) != rows[i].outcome)
			fail_msg("%s is judged wrongly", rows[i].settings);
		json_decref(body);
	}
}

#define CINEMATIC "\"type\":\"cinematic_avatar\",\"prompt\":\"p\",\"avatar_id\":[\"a\"]"

static void a_cinematic_order_has_its_own_size_length_and_price(void **state)
{
	static const struct {
		const char *members;
		int width, height, seconds;
	} rows[] = {
		{"", 1280, 720, 10},
		{",\"duration\":4,\"aspect_ratio\":\"9:16\",\"resolution\":\"1080p\"", 1080, 1920, 4},
		{",\"auto_duration\":true,\"aspect_ratio\":\"1:1\"", 720, 720, 10},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_heygen_complaint complaint = {0};
		struct sim_heygen_order order;
		char text[256];
		json_t *body;

		snprintf(text, sizeof(text), "{" CINEMATIC "%s}", rows[i].members);
		body = parse(text);
		assert_int_equal(sim_heygen_order_read(body, &complaint, &order), 0);
		assert_string_equal(order.text, "p");
		assert_null(order.script);
		assert_int_equal(order.width, rows[i].width);
		assert_int_equal(order.height, rows[i].height);
		assert_int_equal(order.seconds, rows[i].seconds);
		assert_int_equal(order.price_micros, 7000000);
		json_decref(body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_resolution_is_the_shorter_side),
		cmocka_unit_test(the_order_holds_what_the_body_says),
		cmocka_unit_test(a_body_that_is_no_object_names_no_member),
		cmocka_unit_test(numbers_are_checked_at_their_limits),
		cmocka_unit_test(a_cinematic_order_has_its_own_size_length_and_price),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
