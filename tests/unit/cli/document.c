#include "document.h"

#include "field.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <filmgate/v1/job_service.pb-c.h>
#include <filmgate/v1/provider.pb-c.h>

static ProtobufCMessage *read_job(const char *text, struct errmsg *error)
{
	_cleanup_(field_message_freep) ProtobufCMessage *job = field_message_new(&filmgate__v1__job__descriptor);
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node node;

	assert_int_equal(json_parse(json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &node, error), 0);
	return document_read(json, node, "", job, error) ? NULL : steal(job);
}

static void must_refuse(const char *text, const char *says)
{
	struct errmsg error = {""};
	ProtobufCMessage *job = read_job(text, &error);

	assert_null(job);
	if (!strstr(error.text, says))
		fail_msg("%s: '%s' does not say '%s'", text, error.text, says);
}

static void expect_text(const ProtobufCMessage *message, enum document_layout layout, const char *expected)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(document_print(json, document_of_message(json, message), layout, out), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void what_is_read_is_written_again(void **state)
{
	static const char text[] =
		"{\"provider\":\"providers/x\",\"model\":\"m\",\"parameters\":{\"prompt\":\"\\\"a\\\"\\n\","
		"\"script\":{\"audio\":{\"url\":\"https://a\"}},\"media\":[{\"kind\":\"image\",\"role\":\"keyframe\","
		"\"url\":\"https://b\",\"at_ms\":1}],\"duration_ms\":8001,\"size\":{\"width\":16,\"height\":17},"
		"\"seed\":18446744073709551615,\"audio\":\"on\",\"sample_count\":4,"
		"\"extras\":{\"a\":[true,null,0.1,{}],\"b\":\"x\"}},\"labels\":{\"k\":\"v\"},\"priority\":-5}\n";
	struct errmsg error = {""};
	_cleanup_(field_message_freep) ProtobufCMessage *job = read_job(text, &error);

	(void)state;
	if (!job)
		fail_msg("%s", error.text);
	expect_text(job, DOCUMENT_LAYOUT_LINE, text);
}

static void indenting_changes_nothing_but_white_space(void **state)
{
	struct errmsg error;
	_cleanup_(field_message_freep) ProtobufCMessage *job = read_job(
		"{\"parameters\":{\"prompt\":\"{[,:\\\\\\\"\",\"extras\":{\"a\":[],\"b\":{},\"c\":[1,2]}}}", &error);

	(void)state;
	expect_text(job, DOCUMENT_LAYOUT_INDENTED,
		    "{\n  \"parameters\": {\n    \"prompt\": \"{[,:\\\\\\\"\",\n    \"extras\": {\n      \"a\": [],\n"
		    "      \"b\": {},\n      \"c\": [\n        1,\n        2\n      ]\n    }\n  }\n}\n");
}

static void mistakes_name_the_place(void **state)
{
	(void)state;
	must_refuse("{\"provder\":\"x\"}", "there is no 'provder'; did you mean 'provider'?");
	must_refuse("{\"parameters\":{\"frames\":1}}", "parameters: there is no 'frames'");
	must_refuse("{\"parameters\":{\"fps\":\"30\"}}", "parameters.fps: must be a number");
	must_refuse("{\"parameters\":{\"fps\":1.5}}", "parameters.fps: '1.5'");
	must_refuse("{\"parameters\":{\"prompt\":7}}", "parameters.prompt: must be a text");
	must_refuse("{\"parameters\":{\"audio\":true}}", "parameters.audio: must be a text");
	must_refuse("{\"parameters\":{\"media\":{}}}", "parameters.media: must be a list");
	must_refuse("{\"parameters\":{\"media\":[{\"kind\":\"image\"},{\"kind\":\"smell\"}]}}",
		    "parameters.media[1].kind: 'smell' is none of image, video, audio");
	must_refuse("{\"parameters\":[]}", "parameters: must be an object");
	must_refuse("{\"labels\":{\"a\":1}}", "labels: the value of 'a' must be a text");
	must_refuse("{\"parameters\":{\"prompt\":\"a\\u0000b\"}}", "parameters.prompt");
	must_refuse("{\"parameters\":{\"extras\":{\"a\":[\"\\u0000\"]}}}", "parameters.extras: holds a NUL");
	must_refuse("{\"model\":null}", "model: must be a text");
	must_refuse("[]", "must be an object");
}

static void times_and_words_are_written_as_the_contract_says(void **state)
{
	Filmgate__V1__JobEvent event = FILMGATE__V1__JOB_EVENT__INIT;
	Filmgate__V1__JobStatus status = FILMGATE__V1__JOB_STATUS__INIT;
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	(void)state;
	time.seconds = 1795366800;
	time.nanos = 5000000;
	status.state = FILMGATE__V1__JOB_STATE__JOB_STATE_RUNNING;
	event.revision = 3;
	event.time = &time;
	event.status = &status;
	expect_text(&event.base, DOCUMENT_LAYOUT_LINE,
		    "{\"revision\":3,\"time\":\"2026-11-22T17:00:00.005Z\",\"status\":{\"state\":\"running\"}}\n");
}

static void doubles_are_as_short_as_they_can_be(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"}, {-0.0, "-0"},
		{3, "3"},     {1e15, "1000000000000000"},      {1e300, "1e+300"},
		{2.5, "2.5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Google__Protobuf__Value value = GOOGLE__PROTOBUF__VALUE__INIT;
		Google__Protobuf__Struct__FieldsEntry entry = GOOGLE__PROTOBUF__STRUCT__FIELDS_ENTRY__INIT;
		Google__Protobuf__Struct__FieldsEntry *entries[] = {&entry};
		Google__Protobuf__Struct structure = GOOGLE__PROTOBUF__STRUCT__INIT;
		_cleanup_(json_freep) struct json *json = json_new(NULL);

		value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
		value.number_value = rows[i].value;
		entry.key = (char[]){"x"};
		entry.value = &value;
		structure.fields = entries;
		structure.n_fields = 1;
		assert_string_equal(json_text(json, json_at(json, document_of_struct(json, &structure), "/x")).data,
				    rows[i].text);
	}
}

static void a_text_that_is_not_utf8_is_a_fault_and_no_output(void **state)
{
	Filmgate__V1__Job job = FILMGATE__V1__JOB__INIT;
	_cleanup_(json_freep) struct json *json = json_new(NULL);

	(void)state;
	job.name = (char[]){"\xff"};
	assert_int_equal(document_print(json, document_of_message(json, &job.base), DOCUMENT_LAYOUT_LINE, stdout),
			 JSON_E_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(indenting_changes_nothing_but_white_space),
		cmocka_unit_test(mistakes_name_the_place),
		cmocka_unit_test(times_and_words_are_written_as_the_contract_says),
		cmocka_unit_test(doubles_are_as_short_as_they_can_be),
		cmocka_unit_test(a_text_that_is_not_utf8_is_a_fault_and_no_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
