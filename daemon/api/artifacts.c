/*
 * filmgate.v1.ArtifactService. A file is read by the worker thread, one chunk at a time, each once the client's window
 * has taken the one before: a slow client costs one chunk of memory, and no queue thread ever waits for a disk.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/inside.h"
#include "api/stream.h"
#include "api/text.h"
#include "api/worker.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"

#include <filmgate/v1/artifact_service.pb-c.h>

/* ---- GetArtifact ---- */

struct asked {
	struct call *call;
	const char *name;
	struct job_ref ref;
	uint32_t index;
};

static void on_view(void *userdata, int outcome, const struct engine_error *error, struct job_view *take, bool replayed)
{
	Filmgate__V1__GetArtifactResponse response = FILMGATE__V1__GET_ARTIFACT_RESPONSE__INIT;
	const struct engine_error none = {.text = "the job has no such artifact"};
	const struct job_artifact *artifact;
	struct asked *asked = userdata;

	(void)replayed;
	if (outcome) {
		call_fail_engine(asked->call, outcome, error, RESOURCE_ARTIFACT, asked->name);
		return;
	}
	artifact = job_find_artifact(take->status, asked->index);
	if (artifact)
		response.artifact = convert_artifact(&asked->call->arena, &asked->ref.id, artifact);
	if (artifact)
		call_reply(asked->call, &response.base);
	else
		call_fail_engine(asked->call, ENGINE_E_NOT_FOUND, &none, RESOURCE_ARTIFACT, asked->name);
	job_view_finish(take);
}

void handle_get_artifact(struct call *call, const void *message)
{
	const Filmgate__V1__GetArtifactRequest *request = message;
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));
	struct violations violations = {.arena = &call->arena};

	*asked = (struct asked){.call = call, .name = request->name};
	check_artifact_name("name", request->name, &violations, &asked->ref, &asked->index);
	if (call_refuse(call, &violations))
		return;
	engine_get_job(call->api->engine, &asked->ref, on_view, asked);
}

/* ---- ReadArtifact ---- */

struct reading {
	struct work work; /* first: one chunk */
	struct stream *stream;
	struct api *api;
	atomic_uint refs; /* the stream's, and the engine's or the worker's while it has something to do */
	char name[80];
	uint64_t wanted_offset;
	uint64_t wanted_bytes; /* 0: to the end */
	/* Once opened: */
	int fd;
	uint64_t at;
	uint64_t end;
};

static void reading_unref(struct reading *reading)
{
	if (atomic_fetch_sub(&reading->refs, 1) != 1)
		return;
	atomic_fetch_sub(&reading->api->reads, 1);
	stream_unref(reading->stream);
	closep(&reading->fd);
	free(reading);
}

static void fail_damaged(struct reading *reading, const char *what)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_ARTIFACT_DAMAGED,
				  .resource = RESOURCE_ARTIFACT,
				  .resource_name = reading->name};

	log_error("an artifact cannot be read", "artifact", reading->name, "what", what, "offset",
		  log_int(reading->at));
	stream_finish(reading->stream, &failure);
}

static size_t put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

/* ReadArtifactResponse{offset = 1, data = 2} around bytes that are read right into their place; a test reads it with
 * the generated code. */
static size_t write_head(uint8_t *out, uint64_t offset, uint64_t len)
{
	size_t n = 0;

	if (offset) {
		out[n++] = 0x08;
		n += put_varint(out + n, offset);
	}
	out[n++] = 0x12;
	return n + put_varint(out + n, len);
}

static bool read_fully(int fd, uint8_t *out, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pread(fd, out, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		out += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

static void read_chunk(struct work *work)
{
	struct reading *reading = (struct reading *)work;
	uint64_t left = reading->end - reading->at;
	size_t len = left < LIMIT_RPC_CHUNK ? (size_t)left : LIMIT_RPC_CHUNK;
	uint8_t head[24];
	size_t head_len = write_head(head, reading->at, len);
	struct packed *chunk = packed_new(head_len + len);

	memcpy(packed_data(chunk), head, head_len);
	if (!read_fully(reading->fd, packed_data(chunk) + head_len, len, reading->at)) {
		packed_unref(chunk);
		fail_damaged(reading, "the file is shorter than recorded, or cannot be read");
		reading_unref(reading);
		return;
	}
	reading->at += len;
	if (stream_send(reading->stream, chunk) && reading->at == reading->end)
		stream_finish(reading->stream, NULL);
	reading_unref(reading);
}

static void next_chunk(struct reading *reading)
{
	atomic_fetch_add(&reading->refs, 1);
	worker_post(reading->api->worker, &reading->work);
}

static void on_sent(void *userdata, uint32_t n)
{
	struct reading *reading = userdata;

	(void)n;
	if (reading->at < reading->end)
		next_chunk(reading);
}

static void on_closed(void *userdata)
{
	reading_unref(userdata);
}

static const struct stream_events stream_side = {.on_sent = on_sent, .on_closed = on_closed};

static void fail_offset(struct reading *reading, uint64_t size)
{
	char digits[24], text[128];
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_OFFSET_OUT_OF_RANGE,
				  .text = text,
				  .metadata_key = "sizeBytes",
				  .metadata_value = digits};

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)size);
	snprintf(text, sizeof(text), "offset %llu is beyond the end; the artifact has %s bytes",
		 (unsigned long long)reading->wanted_offset, digits);
	stream_finish(reading->stream, &failure);
}

static void start_reading(struct reading *reading, uint64_t size)
{
	uint64_t left;

	if (reading->wanted_offset > size) {
		fail_offset(reading, size);
		return;
	}
	left = size - reading->wanted_offset;
	reading->at = reading->wanted_offset;
	reading->end = reading->wanted_bytes && reading->wanted_bytes < left ? reading->at + reading->wanted_bytes
									     : size;
	if (reading->at == reading->end) {
		stream_finish(reading->stream, NULL);
		return;
	}
	stream_begin(reading->stream);
	next_chunk(reading);
}

static void on_opened(void *userdata, int outcome, const struct engine_error *error,
		      const struct job_artifact *artifact, int fd)
{
	struct reading *reading = userdata;
	struct failure failure;

	if (outcome) {
		failure = failure_of_engine(outcome, error, RESOURCE_ARTIFACT, reading->name);
		stream_finish(reading->stream, &failure);
	} else {
		reading->fd = fd;
		start_reading(reading, artifact->size_bytes);
	}
	reading_unref(reading);
}

/* Among the readers. One that does not read keeps its file and its chunk for as long as it likes. */
static bool take_place(struct stream *stream)
{
	struct api *api = stream->call->api;
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_TOO_MANY_WATCHERS};

	if (atomic_fetch_add(&api->reads, 1) < api->max_reads)
		return true;
	atomic_fetch_sub(&api->reads, 1);
	failure.text = arena_printf(
		&stream->call->arena,
		"%u artifacts are being read, as many as there may be at once; end one of these reads, or "
		"try again later",
		api->max_reads);
	stream_finish(stream, &failure);
	return false;
}

void handle_read_artifact(struct stream *stream, const void *message)
{
	struct violations violations = {.arena = &stream->call->arena};
	const Filmgate__V1__ReadArtifactRequest *request = message;
	struct reading *reading;
	struct failure failure;
	struct job_ref ref;
	uint32_t index;

	if (!check_artifact_name("name", request->name, &violations, &ref, &index)) {
		failure = failure_of_violations(&violations);
		stream_finish(stream, &failure);
		return;
	}
	if (!take_place(stream))
		return;
	reading = calloc(1, sizeof(*reading));
	if (!reading)
		abort();
	*reading = (struct reading){.work.run = read_chunk,
				    .stream = stream,
				    .api = stream->call->api,
				    .wanted_offset = request->offset,
				    .wanted_bytes = request->limit,
				    .fd = -1};
	atomic_store(&reading->refs, 2);
	snprintf(reading->name, sizeof(reading->name), "%s", request->name);
	stream_listen(stream, &stream_side, reading);
	engine_open_artifact(reading->api->engine, &ref, index, on_opened, reading);
}
