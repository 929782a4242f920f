/*
 * Live events for browsers and scripts (https://html.spec.whatwg.org/multipage/server-sent-events.html):
 *
 *     /v1/events              all jobs'; the id of an event is its resume token
 *     /v1/jobs/{id}/events    one job's; the id of an event is the job's revision
 *
 * A client that comes again with the last id as Last-Event-ID, or as ?after=, misses nothing. The data is a JobEvent in
 * one line of JSON. A bookmark, which only moves the id on, is an event of that name; so is an end, whose data says
 * why. A job that has ended, and whose end was seen, is answered with 204: a browser then does not come again.
 */
#include "api/methods.h"
#include "base/limits.h"
#include "base/quote.h"
#include "web/routes.h"
#include "web/stream.h"

#include <filmgate/v1/job_service.pb-c.h>

#define JOB_PATH "/v1/jobs/"
#define JOB_PATH_END "/events"

/* ---- framing ---- */

static int frame(struct buffer *out, const char *name, const char *id, const ProtobufCMessage *data)
{
	int r = buffer_printf(out, "%s%s%sid: %s\ndata: ", name ? "event: " : "", name ? name : "", name ? "\n" : "",
			      id);

	if (r == 0)
		r = connect_write_message(data, CONNECT_JSON, out);
	return r < 0 ? r : buffer_append_text(out, "\n\n");
}

/* WatchJob and WatchJobs have responses of the same shape. */
static int frame_event(struct packed *packed, bool is_single, struct buffer *out)
{
	Filmgate__V1__WatchJobResponse *response = filmgate__v1__watch_job_response__unpack(NULL, packed_len(packed),
											    packed_data(packed));
	Filmgate__V1__JobEvent *event = response ? response->event : NULL;
	char revision[24];
	int r;

	if (!event) {
		filmgate__v1__watch_job_response__free_unpacked(response, NULL);
		return err_origin(-ENOMEM);
	}
	snprintf(revision, sizeof(revision), "%llu", (unsigned long long)event->revision);
	r = frame(out, event->kind == FILMGATE__V1__JOB_EVENT_KIND__JOB_EVENT_KIND_BOOKMARK ? "bookmark" : NULL,
		  is_single ? revision : event->resume_token, &event->base);
	filmgate__v1__watch_job_response__free_unpacked(response, NULL);
	return r;
}

static int frame_any(const struct web_stream *stream, struct packed *packed, struct buffer *out)
{
	(void)stream;
	return frame_event(packed, false, out);
}

static int frame_single(const struct web_stream *stream, struct packed *packed, struct buffer *out)
{
	(void)stream;
	return frame_event(packed, true, out);
}

static int frame_end(const struct web_stream *stream, const Google__Rpc__Status *status, struct buffer *out)
{
	int r = buffer_append_text(out, "event: end\ndata: ");

	(void)stream;
	if (r == 0 && status)
		r = connect_write_error(status, out);
	else if (r == 0)
		r = buffer_append_text(out, "{}");
	return r < 0 ? r : buffer_append_text(out, "\n\n");
}

static const struct framing all = {.media_type = "text/event-stream",
				   .message = frame_any,
				   .end = frame_end,
				   .beat = ":\n\n",
				   .has_plain_end = true};
static const struct framing single = {.media_type = "text/event-stream",
				      .message = frame_single,
				      .end = frame_end,
				      .beat = ":\n\n",
				      .has_plain_end = true};

/* ---- requests ---- */

/* "" when there is none. */
static const char *last_id(const struct exchange *exchange)
{
	const char *header = exchange_header(exchange, "Last-Event-ID");
	const char *parameter = exchange_parameter(exchange, "after");

	return header ? header : parameter ? parameter : "";
}

void run_events(struct exchange *exchange)
{
	const struct web_stream_spec spec = {
		.method = api_find_method("/filmgate.v1.JobService/WatchJobs"), .framing = &all, .timeout_ms = -1};
	Filmgate__V1__WatchJobsRequest request = FILMGATE__V1__WATCH_JOBS_REQUEST__INIT;
	struct web_stream *stream = web_stream_new(exchange, &spec);

	if (!stream)
		return;
	request.resume_token = (char *)last_id(exchange);
	web_stream_run(stream, &request.base);
}

static bool read_revision(const char *text, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");

	*ret = digits ? strtoull(text, NULL, 10) : 0;
	return text[digits] == '\0' && digits < 20;
}

void run_job_events(struct exchange *exchange)
{
	const struct web_stream_spec spec = {
		.method = api_find_method("/filmgate.v1.JobService/WatchJob"), .framing = &single, .timeout_ms = -1};
	Filmgate__V1__WatchJobRequest request = FILMGATE__V1__WATCH_JOB_REQUEST__INIT;
	const char *id = exchange_path(exchange) + strlen(JOB_PATH), *behind = strchr(id, '/');
	struct web_stream *stream;
	char name[64];

	if (!behind || strcmp(behind, JOB_PATH_END) != 0) {
		exchange_say(exchange, 404,
			     "there is no '%s' here, but " JOB_PATH "{id}" JOB_PATH_END " and " JOB_PATH
			     "{id}/artifacts/{n}",
			     quote(exchange_path(exchange)).text);
		return;
	}
	if (!read_revision(last_id(exchange), &request.after_revision)) {
		exchange_say(exchange, 400,
			     "'%s' is not a revision: Last-Event-ID has to be the id of an event of this job",
			     quote(last_id(exchange)).text);
		return;
	}
	stream = web_stream_new(exchange, &spec);
	if (!stream)
		return;
	snprintf(name, sizeof(name), "jobs/%.*s", (int)(behind - id), id);
	request.name = name;
	web_stream_run(stream, &request.base);
}
