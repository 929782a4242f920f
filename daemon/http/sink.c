#include "http/sink.h"

#include "base/err.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/write.h"

#include <assert.h>

void sink_init(struct sink *sink, const struct http_request *request)
{
	bool has_file = request->sink == HTTP_SINK_FILE;
	bool is_bodiless = strcmp(request->method, "HEAD") == 0;
	uint64_t max = request->max_body_bytes;

	if (request->sink == HTTP_SINK_FILTER)
		assert(request->filter.write && request->filter.end);
	*sink = (struct sink){
		.filter = request->sink == HTTP_SINK_FILTER ? request->filter : (struct http_filter){0},
		.fd = has_file ? request->fd : -1,
		.resume_from = has_file ? request->resume_from : 0,
		.max_memory_bytes = has_file || max == 0 ? LIMIT_HTTP_REPLY_BODY : max,
		.max_file_bytes = max == 0 ? INT64_MAX : max,
		.is_bodiless = is_bodiless,
	};
}

void sink_finish(struct sink *sink)
{
	buffer_finish(&sink->memory);
}

static uint64_t room_left(const struct sink *sink)
{
	uint64_t limit = sink->is_in_file ? sink->max_file_bytes : sink->max_memory_bytes;
	uint64_t used = sink->file_offset + sink->bytes_written;

	return used < limit ? limit - used : 0;
}

/* A 206 must continue where the file ends; anything else in 2xx is the whole and starts the file anew. */
static int choose_file(struct sink *sink, const struct head *head)
{
	struct http_range range = head_content_range(head);

	sink->is_in_file = true;
	if (head->status != 206)
		return 0;
	if (!range.is_present || range.first < 0 || (uint64_t)range.first != sink->resume_from)
		return SINK_E_OTHER_RANGE;
	sink->file_offset = sink->resume_from;
	return 0;
}

/* A reply that is too large by its own word leaves the file as it was. */
int sink_open(struct sink *sink, const struct head *head)
{
	bool is_success = head->status >= 200 && head->status <= 299;
	int64_t declared = head_declared_bytes(head);
	int r = 0;

	sink->is_bodiless |= head->status == 204 || head->status == 304;
	if (sink->fd >= 0 && is_success)
		r = choose_file(sink, head);
	if (r != 0)
		return r;
	/* What the filter leaves of it may be little. */
	sink->is_filtered = sink->filter.write && is_success && !sink->is_bodiless;
	sink->memory.limit = sink->is_filtered ? sink->max_memory_bytes : 0;
	if (declared > 0 && !sink->is_bodiless && !sink->is_filtered && (uint64_t)declared > room_left(sink))
		return SINK_E_TOO_LARGE;
	if (sink->is_in_file && sink->file_offset == 0 && ftruncate(sink->fd, 0) < 0)
		return err_origin(-errno);
	return 0;
}

static int write_file(struct sink *sink, struct bytes bytes)
{
	uint64_t at = sink->file_offset + sink->bytes_written;
	int r = write_fully_at(sink->fd, bytes, &at);

	sink->bytes_written = at - sink->file_offset;
	FAILPOINT(FETCH_DURING);
	return r;
}

static int outcome_of_filter(int r)
{
	if (r > 0)
		return SINK_E_UNREADABLE;
	return r == -EMSGSIZE ? SINK_E_TOO_LARGE : r;
}

static int write_filter(struct sink *sink, struct bytes bytes)
{
	int r = sink->filter.write(sink->filter.userdata, bytes, &sink->memory, &sink->why);

	if (r != 0)
		return outcome_of_filter(r);
	sink->bytes_written += bytes.len;
	return 0;
}

int sink_end(struct sink *sink)
{
	return sink->is_filtered ? outcome_of_filter(sink->filter.end(sink->filter.userdata, &sink->why)) : 0;
}

int sink_write(struct sink *sink, struct bytes bytes)
{
	int r;

	if (sink->is_filtered)
		return write_filter(sink, bytes);

	if (bytes.len > room_left(sink))
		return SINK_E_TOO_LARGE;
	if (sink->is_in_file)
		return write_file(sink, bytes);

	r = buffer_append(&sink->memory, bytes.data, bytes.len);
	if (r < 0)
		return r;
	sink->bytes_written += bytes.len;
	return 0;
}
