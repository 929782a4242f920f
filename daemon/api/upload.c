/*
 * UploadAsset: many requests, one reply.
 *
 * One request is in hand at a time: the stream's thread looks at it, the upload thread writes it, and only then the
 * next one is asked for. So an upload costs one message of memory, a disk that is slow holds up other uploads and
 * nobody else, and the client is told by its window to wait.
 *
 * The client's last word and its disappearance look alike to a reader of the stream: gRPC ends the reading in both. So
 * the end is believed only when the initial metadata could still be sent, which a stream that was reset refuses.
 */
#include "api/upload.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/inside.h"
#include "api/message.h"
#include "api/methods.h"
#include "api/stream.h"
#include "api/worker.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/quote.h"

#include <filmgate/v1/asset_service.pb-c.h>
#include <stdarg.h>

struct uploading {
	struct work work; /* first: one request, or the end */
	struct stream *stream;
	struct api *api;
	atomic_uint refs;                   /* the stream's, and one while there is work or a question to the engine */
	atomic_int_fast64_t waits_since_ms; /* for the client; 0: it does not */
	atomic_int_fast64_t waited_ms;      /* before that: a slow disk is not the client's fault */
	atomic_uint_fast64_t received;      /* bytes of data */
	atomic_bool is_over;                /* nothing more is read or kept */
	struct engine_upload *upload;       /* NULL before the metadata, and once it is finished */
	struct engine_upload_spec spec;     /* of the request in hand */
	struct digest sha256;
	struct bytes data;                 /* of the request in hand: in its memory, until the next one is asked for */
	struct uploading *next, *previous; /* under the api's lock */
};

static int64_t now_ms(const struct api *api)
{
	return clock_monotonic_ms(api->clock);
}

/* ---- life ---- */

static void list(struct uploading *uploading)
{
	struct api *api = uploading->api;

	pthread_mutex_lock(&api->lock);
	uploading->next = api->uploadings;
	if (uploading->next)
		uploading->next->previous = uploading;
	api->uploadings = uploading;
	pthread_mutex_unlock(&api->lock);
}

static void unlist(struct uploading *uploading)
{
	struct api *api = uploading->api;

	pthread_mutex_lock(&api->lock);
	if (uploading->next)
		uploading->next->previous = uploading->previous;
	if (uploading->previous)
		uploading->previous->next = uploading->next;
	else
		api->uploadings = uploading->next;
	pthread_mutex_unlock(&api->lock);
}

static void uploading_unref(struct uploading *uploading)
{
	if (atomic_fetch_sub(&uploading->refs, 1) != 1)
		return;
	unlist(uploading);
	engine_upload_drop(uploading->upload);
	stream_unref(uploading->stream);
	free(uploading);
}

static void fail(struct uploading *uploading, const struct failure *failure)
{
	atomic_store(&uploading->is_over, true);
	stream_abort(uploading->stream, failure);
}

static void fail_engine(struct uploading *uploading, int outcome, const char *text)
{
	struct engine_error error = {.text = text};
	struct failure failure = failure_of_engine(outcome, &error, RESOURCE_ASSET, NULL);

	fail(uploading, &failure);
}

__attribute__((format(printf, 3, 4))) static void fail_field(struct uploading *uploading, const char *field,
							     const char *format, ...)
{
	struct errmsg words;
	struct engine_violation violation = {.field = field, .text = words.text};
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INVALID_REQUEST,
				  .violations = &violation,
				  .n_violations = 1};
	va_list args;

	va_start(args, format);
	vsnprintf(words.text, sizeof(words.text), format, args);
	va_end(args);
	fail(uploading, &failure);
}

static void await_client(struct uploading *uploading)
{
	if (atomic_load(&uploading->is_over))
		return;
	atomic_store(&uploading->waits_since_ms, now_ms(uploading->api));
	stream_read(uploading->stream);
}

static void post(struct uploading *uploading, void (*run)(struct work *work))
{
	uploading->work.run = run;
	atomic_fetch_add(&uploading->refs, 1);
	worker_post(uploading->api->uploads, &uploading->work);
}

/* ---- on the upload thread ---- */

static void run_open(struct work *work)
{
	struct uploading *uploading = (struct uploading *)work;
	struct errmsg msg = {""};
	int r = engine_upload_open(uploading->api->engine, &uploading->spec, &uploading->upload, &msg);

	if (r)
		fail_engine(uploading, r, msg.text);
	else
		await_client(uploading);
	uploading_unref(uploading);
}

static void run_write(struct work *work)
{
	struct uploading *uploading = (struct uploading *)work;
	struct errmsg msg = {""};
	int r = engine_upload_write(uploading->upload, uploading->data, &msg);

	if (r)
		fail_engine(uploading, r, msg.text);
	else
		await_client(uploading);
	uploading_unref(uploading);
}

/* [any-thread] */
static void on_asset(void *userdata, int outcome, const struct engine_error *error, const struct asset *asset,
		     bool existed)
{
	Filmgate__V1__UploadAssetResponse response = FILMGATE__V1__UPLOAD_ASSET_RESPONSE__INIT;
	struct uploading *uploading = userdata;
	struct arena arena = {0};
	struct failure failure;

	if (outcome) {
		failure = failure_of_engine(outcome, error, RESOURCE_ASSET, NULL);
		stream_finish(uploading->stream, &failure);
	} else {
		response.asset = convert_asset(&arena, asset);
		response.existed = existed;
		stream_send(uploading->stream, message_pack(&response.base));
		stream_finish(uploading->stream, NULL);
		arena_finish(&arena);
	}
	uploading_unref(uploading);
}

static void run_finish(struct work *work)
{
	struct uploading *uploading = (struct uploading *)work;

	if (atomic_load(&uploading->is_over))
		uploading_unref(uploading);
	else
		engine_upload_finish(steal(uploading->upload), on_asset, uploading);
}

/* ---- on the stream's thread ---- */

static bool parse_sha256(const char *text, struct digest *ret)
{
	char name[ASSET_NAME_SIZE + 1];

	return snprintf(name, sizeof(name), "assets/%s", text) < (int)sizeof(name) &&
	       asset_name_parse(bytes_of_text(name), ret);
}

static void take_metadata(struct uploading *uploading, const Filmgate__V1__UploadAssetMetadata *metadata)
{
	struct violations violations = {.arena = &uploading->stream->call->arena};
	struct failure failure;

	if (uploading->upload) {
		fail_field(uploading, "metadata", "came twice; it belongs in the first message alone");
		return;
	}
	check_display_name("metadata.display_name", metadata->display_name, &violations);
	if (*metadata->sha256 && !parse_sha256(metadata->sha256, &uploading->sha256))
		violations_add(&violations, "metadata.sha256", "'%s' is not 64 lower-case hexadecimal digits",
			       quote(metadata->sha256).text);
	if (violations.n) {
		failure = failure_of_violations(&violations);
		fail(uploading, &failure);
		return;
	}
	uploading->spec = (struct engine_upload_spec){.tenant = JOB_TENANT_DEFAULT,
						      .display_name = metadata->display_name,
						      .size_bytes = metadata->size_bytes,
						      .sha256 = *metadata->sha256 ? &uploading->sha256 : NULL};
	post(uploading, run_open);
}

static void take_data(struct uploading *uploading, struct bytes data)
{
	if (!uploading->upload)
		fail_field(uploading, "data", "came before the metadata; send that first");
	else if (data.len == 0 || data.len > LIMIT_RPC_UPLOAD_CHUNK)
		fail_field(uploading, "data", "has %zu bytes; 1 to %d are taken in one message", data.len,
			   LIMIT_RPC_UPLOAD_CHUNK);
	else {
		uploading->data = data;
		atomic_fetch_add(&uploading->received, data.len);
		post(uploading, run_write);
	}
}

static void on_request(void *userdata, const void *message)
{
	const Filmgate__V1__UploadAssetRequest *request = message;
	struct uploading *uploading = userdata;

	atomic_fetch_add(&uploading->waited_ms,
			 now_ms(uploading->api) - atomic_exchange(&uploading->waits_since_ms, 0));
	if (atomic_load(&uploading->is_over))
		return;
	if (!request && !uploading->upload)
		fail_field(uploading, "metadata", "is missing: the stream ended without a message");
	else if (!request)
		stream_begin(uploading->stream);
	else if (request->content_case == FILMGATE__V1__UPLOAD_ASSET_REQUEST__CONTENT_METADATA)
		take_metadata(uploading, request->metadata);
	else if (request->content_case == FILMGATE__V1__UPLOAD_ASSET_REQUEST__CONTENT_DATA)
		take_data(uploading, bytes_of(request->data.data, request->data.len));
	else
		fail_field(uploading, "content", "is missing: a message has metadata or data");
}

static void on_begun(void *userdata, bool is_sent)
{
	struct uploading *uploading = userdata;

	if (is_sent && !atomic_load(&uploading->is_over))
		post(uploading, run_finish);
}

static void on_closed(void *userdata)
{
	struct uploading *uploading = userdata;

	atomic_store(&uploading->is_over, true);
	uploading_unref(uploading);
}

static const struct stream_events events = {.on_request = on_request, .on_begun = on_begun, .on_closed = on_closed};

void handle_upload_asset(struct stream *stream, const void *message)
{
	struct uploading *uploading = calloc(1, sizeof(*uploading));

	(void)message;
	if (!uploading)
		abort();
	uploading->stream = stream;
	uploading->api = stream->call->api;
	atomic_store(&uploading->refs, 1);
	list(uploading);
	stream_listen(stream, &events, uploading);
	await_client(uploading);
}

/* ---- silence, and hardly more than that ---- */

#define TIMED_OUT_AT_ONCE 64 /* more than there may be in the engine; the rest a second later */

/* An upload that is given up. */
struct timed_out {
	struct stream *stream;
	bool is_idle;
	int64_t waited_ms;
	uint64_t received;
};

bool upload_is_too_slow(uint64_t received, int64_t waited_ms)
{
	return waited_ms > LIMIT_RPC_UPLOAD_GRACE_MS &&
	       received / LIMIT_RPC_UPLOAD_BYTES_PER_MS < (uint64_t)(waited_ms - LIMIT_RPC_UPLOAD_GRACE_MS);
}

/* Only while it waits for the client: else the next word is ours. */
static bool has_timed_out(const struct uploading *uploading, int64_t at_ms, struct timed_out *ret)
{
	/* First what lies behind: a wait that ends between the two is counted by neither, and the next tick looks again. */
	int64_t waited_ms = atomic_load(&uploading->waited_ms);
	int64_t since_ms = atomic_load(&uploading->waits_since_ms);

	if (!since_ms || atomic_load(&uploading->is_over))
		return false;
	*ret = (struct timed_out){.is_idle = since_ms < at_ms - uploading->api->upload_idle_ms,
				  .waited_ms = waited_ms + at_ms - since_ms,
				  .received = atomic_load(&uploading->received)};
	return ret->is_idle || upload_is_too_slow(ret->received, ret->waited_ms);
}

static void give_up(const struct timed_out *out)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_UPLOAD_IDLE};
	struct errmsg words;

	if (!out->is_idle) {
		errmsg_set(&words,
			   "%llu bytes came in the %lld seconds that the daemon waited for them; after the first %d it "
			   "wants %d for each further one. Upload the file again over a faster line",
			   (unsigned long long)out->received, (long long)out->waited_ms / 1000,
			   LIMIT_RPC_UPLOAD_GRACE_MS / 1000, LIMIT_RPC_UPLOAD_BYTES_PER_MS * 1000);
		failure.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_UPLOAD_TOO_SLOW;
		failure.text = words.text;
	}
	stream_abort(out->stream, &failure);
	stream_unref(out->stream);
}

void upload_tick(struct api *api)
{
	struct timed_out found[TIMED_OUT_AT_ONCE];
	int64_t at_ms = now_ms(api);
	size_t n = 0;

	pthread_mutex_lock(&api->lock);
	for (struct uploading *u = api->uploadings; u && n < TIMED_OUT_AT_ONCE; u = u->next) {
		if (!has_timed_out(u, at_ms, &found[n]))
			continue;
		/* The stream of one whose last reference was dropped lives until it has left this list. */
		atomic_store(&u->is_over, true);
		found[n++].stream = stream_ref(u->stream);
	}
	pthread_mutex_unlock(&api->lock);
	for (size_t i = 0; i < n; i++)
		give_up(&found[i]);
}
