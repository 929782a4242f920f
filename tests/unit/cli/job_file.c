#include "job_file.h"

#include "field.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

static Filmgate__V1__CreateJobRequest *parse(const char *text, struct errmsg *error)
{
	ProtobufCMessage *request = field_message_new(&filmgate__v1__create_job_request__descriptor);

	if (job_file_parse(bytes_of_text(text), (void *)request, error) == 0)
		return (void *)request;
	protobuf_c_message_free_unpacked(request, NULL);
	return NULL;
}

static void request_freep(Filmgate__V1__CreateJobRequest **request)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)*request, NULL);
}

static void must_refuse(const char *text, const char *says)
{
	struct errmsg error = {""};

	assert_null(parse(text, &error));
	if (!strstr(error.text, says))
		fail_msg("%s: '%s' does not say '%s'", text, error.text, says);
}

static void a_bare_job_is_the_order(void **state)
{
	struct errmsg error;
	_cleanup_(request_freep) Filmgate__V1__CreateJobRequest *request = parse(
		"{\"provider\":\"x\",\"parameters\":{\"prompt\":\"p\"}}", &error);

	(void)state;
	assert_non_null(request);
	assert_string_equal(request->job->provider, "x");
	assert_string_equal(request->job->parameters->prompt, "p");
}

static void what_only_the_daemon_writes_is_left_out_of_a_printed_job(void **state)
{
	struct errmsg error;
	_cleanup_(request_freep) Filmgate__V1__CreateJobRequest *request = parse(
		"{\"name\":\"jobs/1\",\"request_id\":\"r\",\"create_time\":\"2026-11-22T17:00:00Z\",\"model\":\"m\","
		"\"revision\":7,\"status\":{\"state\":\"failed\"},\"retry_of\":\"jobs/0\","
		"\"expire_time\":\"2026-11-22T17:00:00Z\"}",
		&error);

	(void)state;
	assert_non_null(request);
	assert_string_equal(request->request_id, "");
	assert_string_equal(request->job->name, "");
	assert_string_equal(request->job->model, "m");
	assert_null(request->job->status);
	assert_int_equal(request->job->revision, 0);
}

static void the_longer_form_names_the_order_itself(void **state)
{
	struct errmsg error;
	_cleanup_(request_freep) Filmgate__V1__CreateJobRequest *request = parse(
		"{\"request_id\":\"r-1\",\"timeout_ms\":90500,\"validate_only\":true,\"job\":{\"provider\":\"x\"}}",
		&error);

	(void)state;
	assert_non_null(request);
	assert_string_equal(request->request_id, "r-1");
	assert_int_equal(request->timeout->seconds, 90);
	assert_int_equal(request->timeout->nanos, 500000000);
	assert_true(request->validate_only);
	assert_string_equal(request->job->provider, "x");
}

/* Ignoring it silently could buy twice. */
static void a_request_id_inside_of_a_new_job_is_refused(void **state)
{
	(void)state;
	must_refuse("{\"provider\":\"x\",\"request_id\":\"r\"}", "'request_id' belongs beside the job");
}

static void mistakes_are_explained(void **state)
{
	(void)state;
	must_refuse("", "");
	must_refuse("[1]", "one object");
	must_refuse("{\"model\":\"a\",\"model\":\"b\"}", "appears twice");
	must_refuse("{\"job\":7}", "job: must be an object");
	must_refuse("{\"job\":{\"parameters\":{\"fps\":\"x\"}}}", "job.parameters.fps");
	must_refuse("{\"job\":{},\"timeout\":7}", "did you mean 'timeout_ms'");
	must_refuse("{\"parameters\":{\"promt\":\"x\"}}", "did you mean 'prompt'");
}

static void a_file_beyond_the_limit_is_refused(void **state)
{
	_cleanup_(buffer_finish) struct buffer content = {0};
	char path[] = "filmgate-cli-job-file-XXXXXX";
	struct errmsg error = {""};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)JOB_FILE_BYTES_MAX), 0);
	assert_int_equal(job_file_load(path, &content, &error), 0);
	assert_int_equal(content.len, JOB_FILE_BYTES_MAX);
	buffer_finish(&content);
	assert_int_equal(ftruncate(fd, (off_t)JOB_FILE_BYTES_MAX + 1), 0);
	assert_int_equal(job_file_load(path, &content, &error), JOB_FILE_E_INVALID);
	assert_non_null(strstr(error.text, "more than 4194304 bytes"));
	close(fd);
	unlink(path);
	assert_int_equal(job_file_load(path, &content, &error), JOB_FILE_E_INVALID);
	assert_non_null(strstr(error.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_job_is_the_order),
		cmocka_unit_test(what_only_the_daemon_writes_is_left_out_of_a_printed_job),
		cmocka_unit_test(the_longer_form_names_the_order_itself),
		cmocka_unit_test(a_request_id_inside_of_a_new_job_is_refused),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(a_file_beyond_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
