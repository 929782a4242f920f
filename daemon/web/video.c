#include "web/video.h"

#include "api/text.h"
#include "base/decimal.h"
#include "base/json_text.h"

#include <ctype.h>
#include <stdio.h>

/* ---- a document, member by member ---- */

struct document {
	struct buffer *out;
	bool has_member;
	int error; /* the first one */
};

static void put(struct document *document, const char *name, const char *json)
{
	int r = buffer_printf(document->out, "%s\"%s\":%s", document->has_member ? "," : "{", name, json);

	document->error = document->error ? document->error : r;
	document->has_member = true;
}

/* NULL: null. */
static void put_text(struct document *document, const char *name, const char *text)
{
	if (!text) {
		put(document, name, "null");
		return;
	}
	put(document, name, "");
	if (document->error == 0)
		document->error = json_append_text(document->out, bytes_of_text(text));
}

static void put_number(struct document *document, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	put(document, name, text);
}

static void put_instant(struct document *document, const char *name, const Google__Protobuf__Timestamp *instant)
{
	if (instant)
		put_number(document, name, instant->seconds);
	else
		put(document, name, "null");
}

static int end(struct document *document)
{
	int r = buffer_append_text(document->out, "}");

	return document->error ? document->error : r;
}

/* ---- a video ---- */

const char *video_id_of(const Filmgate__V1__Job *job)
{
	return strncmp(job->name, "jobs/", strlen("jobs/")) == 0 ? job->name + strlen("jobs/") : job->name;
}

/* Of a job that is held: it may have been bought, so it has not failed. */
static const char *status_of(const Filmgate__V1__JobStatus *status)
{
	switch (status->state) {
	case FILMGATE__V1__JOB_STATE__JOB_STATE_QUEUED:
		return "queued";
	case FILMGATE__V1__JOB_STATE__JOB_STATE_SUCCEEDED:
		return "completed";
	case FILMGATE__V1__JOB_STATE__JOB_STATE_FAILED:
	case FILMGATE__V1__JOB_STATE__JOB_STATE_CANCELLED:
	case FILMGATE__V1__JOB_STATE__JOB_STATE_EXPIRED:
		return "failed";
	default:
		return "in_progress";
	}
}

static int64_t progress_of(const Filmgate__V1__JobStatus *status)
{
	if (status->state == FILMGATE__V1__JOB_STATE__JOB_STATE_SUCCEEDED)
		return 100;
	return status->progress && status->progress->source ? status->progress->percent : 0;
}

static const Filmgate__V1__Artifact *find_video(const Filmgate__V1__Job *job)
{
	for (size_t i = 0; job->status && i < job->status->n_artifacts; i++)
		if (strcmp(job->status->artifacts[i]->role, "video") == 0)
			return job->status->artifacts[i];
	return NULL;
}

bool video_find_artifact(const Filmgate__V1__Job *job, uint32_t *ret_index)
{
	const Filmgate__V1__Artifact *video = find_video(job);
	struct id id;

	return video && name_parse_artifact(video->name, &id, ret_index);
}

static const char *prompt_of(const Filmgate__V1__JobParameters *parameters)
{
	if (!parameters)
		return NULL;
	if (*parameters->prompt)
		return parameters->prompt;
	return parameters->script && parameters->script->content_case == FILMGATE__V1__SCRIPT__CONTENT_TEXT
		       ? parameters->script->text
		       : NULL;
}

/* As it was ordered, else as it came. */
static void put_seconds(struct document *document, const Filmgate__V1__Job *job)
{
	const Filmgate__V1__Artifact *video = find_video(job);
	const Google__Protobuf__Duration *duration = job->parameters && job->parameters->duration
							     ? job->parameters->duration
						     : video ? video->duration
							     : NULL;
	char text[DECIMAL_TEXT_SIZE];

	if (duration)
		decimal_format(duration->seconds * 1000 + duration->nanos / 1000000, 3, text);
	put_text(document, "seconds", duration ? text : NULL);
}

static void put_size(struct document *document, const Filmgate__V1__Job *job)
{
	const Filmgate__V1__JobParameters *parameters = job->parameters;
	const Filmgate__V1__Artifact *video = find_video(job);
	uint32_t width = video ? video->width : 0, height = video ? video->height : 0;
	char text[32];

	if (parameters && parameters->picture_size_case == FILMGATE__V1__JOB_PARAMETERS__PICTURE_SIZE_SIZE) {
		width = parameters->size->width;
		height = parameters->size->height;
	}
	snprintf(text, sizeof(text), "%ux%u", width, height);
	put_text(document, "size", width && height ? text : NULL);
}

static void put_model(struct document *document, const Filmgate__V1__Job *job)
{
	const char *provider = strncmp(job->provider, "providers/", 10) == 0 ? job->provider + 10 : job->provider;
	char text[64 + 256];

	snprintf(text, sizeof(text), "%s/%s", provider, job->model);
	put_text(document, "model", text);
}

static void lower_word(const ProtobufCEnumDescriptor *type, int value, const char *prefix, char word[static 64])
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);
	const char *name = found ? found->name : "UNKNOWN";

	if (strncmp(name, prefix, strlen(prefix)) == 0)
		name += strlen(prefix);
	snprintf(word, 64, "%s", name);
	for (char *c = word; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

static void put_error(struct document *document, const Filmgate__V1__JobStatus *status)
{
	const Filmgate__V1__JobFailure *failure = status->failure;
	struct document error = {.out = document->out};
	char code[64];

	if (!failure && strcmp(status_of(status), "failed") != 0) {
		put(document, "error", "null");
		return;
	}
	put(document, "error", "");
	if (failure && failure->reason)
		lower_word(&filmgate__v1__failure_reason__descriptor, (int)failure->reason, "FAILURE_REASON_", code);
	else
		lower_word(&filmgate__v1__job_state__descriptor, (int)status->state, "JOB_STATE_", code);
	put_text(&error, "code", code);
	put_text(&error, "message", failure && *failure->message ? failure->message : "it ended without a video");
	error.error = end(&error);
	document->error = document->error ? document->error : error.error;
}

int video_write(const Filmgate__V1__Job *job, struct buffer *out)
{
	struct document video = {.out = out};

	put_text(&video, "id", video_id_of(job));
	put_text(&video, "object", "video");
	put_instant(&video, "created_at", job->create_time);
	put_instant(&video, "completed_at", job->status->finish_time);
	/* They are kept until somebody deletes them. */
	put(&video, "expires_at", "null");
	put_model(&video, job);
	put_text(&video, "status", status_of(job->status));
	put_number(&video, "progress", progress_of(job->status));
	put_text(&video, "prompt", prompt_of(job->parameters));
	put_seconds(&video, job);
	put_size(&video, job);
	put(&video, "remixed_from_video_id", "null");
	put_error(&video, job->status);
	return end(&video);
}

int video_write_list(const Filmgate__V1__ListJobsResponse *list, struct buffer *out)
{
	struct document page = {.out = out};
	int r = 0;

	put_text(&page, "object", "list");
	put(&page, "data", "[");
	for (size_t i = 0; i < list->n_jobs && page.error == 0 && r == 0; i++) {
		r = i ? buffer_append_text(out, ",") : 0;
		if (r == 0)
			r = video_write(list->jobs[i], out);
	}
	page.error = page.error ? page.error : r ? r : buffer_append_text(out, "]");
	put_text(&page, "first_id", list->n_jobs ? video_id_of(list->jobs[0]) : NULL);
	put_text(&page, "last_id", list->n_jobs ? video_id_of(list->jobs[list->n_jobs - 1]) : NULL);
	put(&page, "has_more", *list->next_page_token ? "true" : "false");
	return end(&page);
}

int video_write_deleted(const char *id, struct buffer *out)
{
	struct document deleted = {.out = out};

	put_text(&deleted, "id", id);
	put_text(&deleted, "object", "video.deleted");
	put(&deleted, "deleted", "true");
	return end(&deleted);
}

/* ---- errors ---- */

static const char *type_of(unsigned int status)
{
	return status == 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";
}

int video_write_error(unsigned int status, const char *param, const char *code, const char *message, struct buffer *out)
{
	struct document whole = {.out = out}, error = {.out = out};

	put(&whole, "error", "");
	put_text(&error, "message", message);
	put_text(&error, "type", type_of(status));
	put_text(&error, "param", param);
	put_text(&error, "code", code);
	error.error = end(&error);
	whole.error = whole.error ? whole.error : error.error;
	return end(&whole);
}

const char *video_param_of(const char *field)
{
	static const struct {
		const char *field, *param;
	} params[] = {
		{"job.provider", "model"},
		{"job.model", "model"},
		{"job.parameters.prompt", "prompt"},
		{"job.parameters.script", "prompt"},
		{"job.parameters.duration", "seconds"},
		{"job.parameters.size", "size"},
		{"job.parameters.aspect_ratio", "size"},
		{"job.parameters.resolution", "size"},
		{"job.parameters.media", "input_reference"},
		{"job.parameters", "parameters"},
		{"request_id", "Idempotency-Key"},
		{"page_size", "limit"},
		{"page_token", "after"},
		{"name", "id"},
	};

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (strncmp(field, params[i].field, strlen(params[i].field)) == 0)
			return params[i].param;
	return NULL;
}
