#include "job_file.h"

#include "document.h"
#include "field.h"

#include "base/err.h"

#include <fcntl.h>
#include <unistd.h>

/* Output only in job.proto: ignored when a client sends it. */
static const char *const daemon_fields[] = {"name",     "request_id", "create_time", "expire_time",
					    "retry_of", "revision",   "status"};

int job_file_load(const char *path, struct buffer *content, struct errmsg *error)
{
	bool is_stdin = !strcmp(path, "-");
	_cleanup_(closep) int own = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	int fd = is_stdin ? STDIN_FILENO : own;
	const char *shown = is_stdin ? "standard input" : path;
	ssize_t n;

	if (fd < 0) {
		errmsg_set(error, "cannot read %s: %s", shown, strerror(errno));
		return JOB_FILE_E_INVALID;
	}
	do {
		int r = buffer_reserve(content, 65536);

		if (r)
			return r;
		n = read(fd, content->data + content->len, 65536);
		if (n > 0)
			content->len += (size_t)n;
		if (content->len > JOB_FILE_BYTES_MAX) {
			errmsg_set(error, "%s has more than %zu bytes", shown, JOB_FILE_BYTES_MAX);
			return JOB_FILE_E_INVALID;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0) {
		errmsg_set(error, "cannot read %s: %s", shown, strerror(errno));
		return JOB_FILE_E_INVALID;
	}
	content->data[content->len] = '\0';
	return 0;
}

static bool is_of_daemon(struct bytes name)
{
	for (size_t i = 0; i < sizeof(daemon_fields) / sizeof(daemon_fields[0]); i++)
		if (bytes_equal(bytes_of_text(daemon_fields[i]), name))
			return true;
	return false;
}

static json_node without_daemon_fields(struct json *out, const struct json *json, json_node job)
{
	json_node object = json_object(out);

	for (json_node n = json_first(json, job); n; n = json_next(json, n))
		if (!is_of_daemon(json_key(json, n)))
			json_set(out, object, json_key(json, n), json_copy(out, json, n));
	return object;
}

static int read_job(const struct json *json, json_node node, const char *path, Filmgate__V1__CreateJobRequest *request,
		    struct errmsg *error)
{
	_cleanup_(json_freep) struct json *cleaned = json_new(NULL);
	const ProtobufCFieldDescriptor *field = field_find(request->base.descriptor, bytes_of_text("job"));
	ProtobufCMessage *job = field_child(&request->base, field);
	int r;

	if (!cleaned || !job)
		return err_origin(-ENOMEM);
	/* A copy of a job has its name; without one, the id is meant to be this order's, and ignoring it could buy
	 * twice. */
	if (json_at(json, node, "/request_id") && !json_at(json, node, "/name")) {
		errmsg_set(error,
			   "'request_id' belongs beside the job: {\"job\": …, \"request_id\": …}, or to --request-id");
		return JOB_FILE_E_INVALID;
	}
	node = without_daemon_fields(cleaned, json, node);
	r = json_fault(cleaned);
	if (r)
		return r < 0 ? r : err_fold(r);
	return document_read(cleaned, node, path, job, error);
}

static int read_request(const struct json *json, json_node root, Filmgate__V1__CreateJobRequest *request,
			struct errmsg *error)
{
	json_node job = json_at(json, root, "/job");
	_cleanup_(json_freep) struct json *rest = json_new(NULL);
	json_node object;
	int r;

	if (!rest)
		return err_origin(-ENOMEM);
	if (json_kind(json, job) != JSON_KIND_OBJECT) {
		errmsg_set(error, "job: must be an object");
		return JOB_FILE_E_INVALID;
	}
	object = json_object(rest);
	for (json_node n = json_first(json, root); n; n = json_next(json, n))
		if (n != job)
			json_set(rest, object, json_key(json, n), json_copy(rest, json, n));
	r = json_fault(rest);
	if (r == 0)
		r = document_read(rest, object, "", &request->base, error);
	return r ? r : read_job(json, job, "job", request, error);
}

int job_file_parse(struct bytes text, Filmgate__V1__CreateJobRequest *request, struct errmsg *error)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct errmsg why = {""};
	json_node root;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	r = json_parse(json, text, JSON_DUPLICATES_REFUSE, &root, &why);
	if (r < 0)
		return err_trace(r);
	if (r) {
		errmsg_set(error, "%s", why.text);
		return JOB_FILE_E_INVALID;
	}
	if (json_kind(json, root) != JSON_KIND_OBJECT) {
		errmsg_set(error, "the document must be one object, a job");
		return JOB_FILE_E_INVALID;
	}
	r = json_at(json, root, "/job") ? read_request(json, root, request, error)
					: read_job(json, root, "", request, error);
	return r <= 0 ? r : JOB_FILE_E_INVALID;
}

int job_file_read(const char *path, Filmgate__V1__CreateJobRequest *request, struct errmsg *error)
{
	_cleanup_(buffer_finish) struct buffer content = {0};
	struct errmsg why = {""};
	int r = job_file_load(path, &content, error);

	if (r)
		return r;
	r = job_file_parse(buffer_bytes(&content), request, &why);
	if (r > 0)
		errmsg_set(error, "%s: %s", strcmp(path, "-") ? path : "standard input", why.text);
	return r;
}
