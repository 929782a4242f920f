/*
 * The files of artifacts: whole, or the part that a player wants.
 *
 *     /v1/jobs/{id}/artifacts/{n}     and the same, shorter:    /v1/artifacts/{id}.{n}
 *     …/poster, …/thumbnail           a picture of it, if it is a video
 *     /v1/links/{token}               for who has no other access (api/link.h)
 *
 * A file is read by the api's reader thread, one chunk at a time, each when the one before has been written: a slow
 * client costs one chunk of memory, and the web's thread never waits for a disk.
 */
#include "web/files.h"
#include "api/inside.h"
#include "api/link.h"
#include "api/text.h"
#include "api/worker.h"
#include "base/limits.h"
#include "base/quote.h"
#include "protojson/moment.h"
#include "web/connect.h"
#include "web/range.h"
#include "web/routes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OK = 200, PARTIAL = 206, NOT_MODIFIED = 304, FORBIDDEN = 403, GONE = 410, UNREACHABLE = 416, UNAVAILABLE = 503 };

#define ETAG_SIZE (DIGEST_TEXT_SIZE + 16)

/* What there is of a video beside itself. It is the same as long as the video is. */
static const struct still {
	const char *name;
	enum engine_still still;
} stills[] = {{"poster", ENGINE_STILL_POSTER}, {"thumbnail", ENGINE_STILL_THUMBNAIL}};

/* What was opened, on its way from the engine to the web's thread. */
struct opened {
	struct job_ref ref;
	uint32_t index;
	enum engine_still still;
	struct api *api;
	int outcome;
	int fd;
	uint64_t size;
	char etag[ETAG_SIZE];
	char media_type[64];
	char role[33];
	struct reply failure;
};

static void free_opened(void *userdata)
{
	struct opened *opened = userdata;

	closep(&opened->fd);
	reply_finish(&opened->failure);
	free(opened);
}

/* ---- one chunk after the other ---- */

struct download {
	struct work work; /* first */
	struct note note;
	struct desk *desk;
	struct api *api;
	struct exchange *exchange; /* web thread; NULL: over */
	struct reply head;
	int fd;
	uint64_t total;
	uint64_t at, end;
	/* The reader's while is_reading, else the web's thread's: */
	char *chunk;
	size_t len, taken;
	bool is_broken;
	bool is_reading;
};

static void free_download(struct download *download)
{
	atomic_fetch_sub(&download->api->reads, 1);
	closep(&download->fd);
	reply_finish(&download->head);
	free(download->chunk);
	desk_unref(download->desk);
	free(download);
}

static bool read_fully(const struct download *download, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(download->fd, download->chunk + done, len - done, (off_t)(download->at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* [reader thread] */
static void read_chunk(struct work *work)
{
	struct download *download = (struct download *)work;
	uint64_t left = download->end - download->at;
	size_t len = left < LIMIT_RPC_CHUNK ? (size_t)left : LIMIT_RPC_CHUNK;

	download->is_broken = !read_fully(download, len);
	download->len = len;
	/* The web has ended: nobody else has it any more. */
	if (!desk_post(download->desk, &download->note))
		free_download(download);
}

static void on_chunk(struct note *note)
{
	struct download *download = (struct download *)((char *)note - offsetof(struct download, note));

	download->is_reading = false;
	if (!download->exchange) {
		free_download(download);
		return;
	}
	download->at += download->len;
	download->taken = 0;
	exchange_wake(download->exchange);
}

static void next_chunk(struct download *download)
{
	download->len = download->taken = 0;
	download->is_reading = true;
	worker_post(download->api->worker, &download->work);
}

static void start(void *userdata)
{
	struct download *download = userdata;

	exchange_send_head(download->exchange, &download->head, download->total);
}

static ssize_t read_out(void *userdata, char *out, size_t max)
{
	struct download *download = userdata;
	size_t len = download->len - download->taken;

	if (download->is_reading)
		return 0;
	if (download->is_broken) {
		log_error("an artifact cannot be read", "request", exchange_id(download->exchange), "offset",
			  log_int(download->at));
		return SOURCE_BROKEN;
	}
	if (len == 0 && download->at == download->end)
		return SOURCE_END;
	if (len == 0) {
		next_chunk(download);
		return 0;
	}
	len = len < max ? len : max;
	memcpy(out, download->chunk + download->taken, len);
	download->taken += len;
	return (ssize_t)len;
}

static bool look(void *userdata, int64_t now_ms)
{
	(void)userdata;
	(void)now_ms;
	return false;
}

/* What is being watched is not cut off for a daemon that waits for its providers anyhow. */
static void drain(void *userdata)
{
	(void)userdata;
}

static void closed(void *userdata)
{
	struct download *download = userdata;

	download->exchange = NULL;
	if (!download->is_reading)
		free_download(download);
}

static const struct source source = {.start = start, .read = read_out, .look = look, .drain = drain, .closed = closed};

static bool take_place(struct api *api)
{
	if (atomic_fetch_add(&api->reads, 1) < api->max_reads)
		return true;
	atomic_fetch_sub(&api->reads, 1);
	return false;
}

/* Takes the opened file and the head. */
static void begin_download(struct exchange *exchange, struct opened *opened, struct reply *head, uint64_t from,
			   uint64_t until)
{
	struct download *download = calloc(1, sizeof(*download));

	if (!download || !take_place(opened->api)) {
		free(download);
		reply_finish(head);
		exchange_say(exchange, UNAVAILABLE, "too many artifacts are being read; try again later");
		return;
	}
	*download = (struct download){.work.run = read_chunk,
				      .note.run = on_chunk,
				      .desk = desk_ref(exchange_desk(exchange)),
				      .api = opened->api,
				      .exchange = exchange,
				      .head = *head,
				      .fd = steal_fd(&opened->fd),
				      .total = until - from,
				      .at = from,
				      .end = until,
				      .chunk = malloc(LIMIT_RPC_CHUNK)};
	*head = (struct reply){0};
	if (!download->chunk || !exchange_open(exchange, &source, download)) {
		free_download(download);
		exchange_say(exchange, UNAVAILABLE, "%s",
			     exchange_is_draining(exchange) ? "the daemon is shutting down"
							    : "too much is asked for at once; try again later");
		return;
	}
	/* Its first chunk wakes the exchange: a file that cannot be read is told by the end of the connection. */
	next_chunk(download);
}

/* ---- the head ---- */

static const char *extension_of(const char *media_type)
{
	static const char *const known[][2] = {
		{"video/mp4", ".mp4"},       {"video/webm", ".webm"},
		{"video/quicktime", ".mov"}, {"image/gif", ".gif"},
		{"image/png", ".png"},       {"image/jpeg", ".jpg"},
		{"image/webp", ".webp"},     {"audio/mpeg", ".mp3"},
		{"audio/wav", ".wav"},       {"application/x-subrip", ".srt"},
		{"text/vtt", ".vtt"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i][0], media_type) == 0)
			return known[i][1];
	return "";
}

static void write_head(const struct exchange *exchange, const struct opened *opened, struct reply *head)
{
	const char *download = exchange_parameter(exchange, "download");
	char id[ID_TEXT_SIZE];

	id_format(&opened->ref.id, id);
	head->media_type = NULL;
	reply_header(head, "Content-Type", "%s", opened->media_type);
	reply_header(head, "ETag", "%s", opened->etag);
	reply_header(head, "Accept-Ranges", "bytes");
	reply_header(head, "Content-Disposition", "%s; filename=\"%s-%.8s-%u%s\"", download ? "attachment" : "inline",
		     opened->role, id, opened->index, extension_of(opened->media_type));
	/* It never changes, but it may be deleted. */
	reply_header(head, "Cache-Control", "private, no-cache");
}

static void answer_unreachable(struct exchange *exchange, const struct opened *opened)
{
	struct reply reply = {.status = UNREACHABLE, .media_type = TEXT_MEDIA_TYPE};

	reply_header(&reply, "Content-Range", "bytes */%llu", (unsigned long long)opened->size);
	if (buffer_printf(&reply.body, "the artifact has %llu bytes\n", (unsigned long long)opened->size) < 0)
		buffer_finish(&reply.body);
	exchange_reply(exchange, &reply);
}

/* The condition of a part: one that is not met asks for the whole. */
static bool is_of_same(const struct exchange *exchange, const char *etag)
{
	const char *condition = exchange_header(exchange, "If-Range");

	return !condition || strcmp(condition, etag) == 0;
}

static void on_opened(struct exchange *exchange, struct question *question)
{
	struct opened *opened = question->answer;
	struct reply head = {.status = OK};
	uint64_t from = 0, until = opened->size;
	enum range_verdict verdict = RANGE_WHOLE;

	if (opened->failure.status) {
		exchange_reply(exchange, &opened->failure);
		return;
	}
	write_head(exchange, opened, &head);
	if (range_matches(exchange_header(exchange, "If-None-Match"), opened->etag)) {
		head.status = NOT_MODIFIED;
		exchange_reply(exchange, &head);
		return;
	}
	if (is_of_same(exchange, opened->etag))
		verdict = range_parse(exchange_header(exchange, "Range"), opened->size, &from, &until);
	if (verdict == RANGE_UNREACHABLE) {
		answer_unreachable(exchange, opened);
		return;
	}
	if (verdict == RANGE_PART) {
		head.status = PARTIAL;
		reply_header(&head, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)from,
			     (unsigned long long)until - 1, (unsigned long long)opened->size);
	}
	begin_download(exchange, opened, &head, from, until);
}

/* ---- the question ---- */

/* A file that is shorter than recorded is damaged: who begins to send it cannot say so any more. Of a picture nothing is
 * recorded. */
static bool look_at_file(struct opened *opened, const struct job_artifact *artifact)
{
	struct stat st;

	if (fstat(opened->fd, &st) < 0 || (!opened->still && (uint64_t)st.st_size != artifact->size_bytes))
		return false;
	opened->size = (uint64_t)st.st_size;
	return true;
}

static const char *still_name(enum engine_still still)
{
	for (size_t i = 0; i < sizeof(stills) / sizeof(stills[0]); i++)
		if (stills[i].still == still)
			return stills[i].name;
	return NULL;
}

static void describe(struct opened *opened, const struct job_artifact *artifact)
{
	const char *still = still_name(opened->still);
	char sha256[DIGEST_TEXT_SIZE];

	digest_format(&artifact->sha256, sha256);
	snprintf(opened->etag, sizeof(opened->etag), "\"%s%s%s\"", sha256, still ? "-" : "", still ? still : "");
	snprintf(opened->media_type, sizeof(opened->media_type), "%s", still ? "image/jpeg" : artifact->media_type);
	snprintf(opened->role, sizeof(opened->role), "%s", still ? still : artifact->role);
}

static void fail_damaged(struct opened *opened, const char *name)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_ARTIFACT_DAMAGED,
				  .resource = RESOURCE_ARTIFACT,
				  .resource_name = name};

	log_error("an artifact's file has not the size that is recorded", "artifact", name);
	connect_fail(&opened->failure, &failure);
}

/* [any-thread] */
static void on_artifact(void *userdata, int outcome, const struct engine_error *error,
			const struct job_artifact *artifact, int fd)
{
	struct question *question = userdata;
	struct opened *opened = question->answer;
	struct arena arena = {0};
	const char *name = name_of_artifact(&arena, &opened->ref.id, opened->index);

	if (outcome) {
		struct failure failure = failure_of_engine(outcome, error, RESOURCE_ARTIFACT, name);

		connect_fail(&opened->failure, &failure);
	} else {
		opened->fd = fd;
		describe(opened, artifact);
		if (!look_at_file(opened, artifact))
			fail_damaged(opened, name);
	}
	arena_finish(&arena);
	question_answer(question);
}

static void on_late(struct exchange *exchange)
{
	exchange_say(exchange, UNAVAILABLE, "the daemon did not find the artifact in time; try again later");
}

void file_open(struct exchange *exchange, const struct job_ref *ref, uint32_t index, enum engine_still still)
{
	int64_t patience_ms = LIMIT_WEB_FILE_MS + (still ? LIMIT_ARTIFACT_POSTER_MS : 0);
	struct question *question = exchange_ask(exchange, patience_ms, on_late);
	struct opened *opened = question ? calloc(1, sizeof(*opened)) : NULL;

	if (!question)
		return;
	if (!opened) {
		question->reply.status = UNAVAILABLE;
		question_answer(question);
		return;
	}
	opened->fd = -1;
	opened->api = exchange_config(exchange)->api;
	opened->ref = *ref;
	opened->index = index;
	opened->still = still;
	question->answer = opened;
	question->free_answer = free_opened;
	question->on_answer = on_opened;
	engine_open_still(opened->api->engine, ref, index, still, on_artifact, question);
}

/* Takes "/poster" and its like off the end of a name. */
static enum engine_still cut_still(char *name)
{
	char *slash = strrchr(name, '/');

	for (size_t i = 0; slash && i < sizeof(stills) / sizeof(stills[0]); i++) {
		if (strcmp(slash + 1, stills[i].name) != 0)
			continue;
		*slash = '\0';
		return stills[i].still;
	}
	return ENGINE_STILL_NONE;
}

/* @name: "jobs/{id}/artifacts/{n}", perhaps with a picture's name behind it. */
static void run_named(struct exchange *exchange, const char *name)
{
	struct job_ref ref = {.tenant = JOB_TENANT_DEFAULT};
	enum engine_still still;
	char artifact[128];
	uint32_t index;

	snprintf(artifact, sizeof(artifact), "%s", name);
	still = cut_still(artifact);
	if (strlen(name) < sizeof(artifact) && name_parse_artifact(artifact, &ref.id, &index))
		file_open(exchange, &ref, index, still);
	else
		exchange_say(exchange, 404,
			     "'%s' is not an artifact: write /v1/jobs/{uuid}/artifacts/{n}, or /poster or /thumbnail "
			     "behind that",
			     quote(exchange_path(exchange)).text);
}

void run_job_artifact(struct exchange *exchange)
{
	run_named(exchange, exchange_path(exchange) + strlen("/v1/"));
}

void run_artifact(struct exchange *exchange)
{
	const char *id = exchange_path(exchange) + strlen("/v1/artifacts/"), *dot = strchr(id, '.');
	char name[96] = "";

	if (dot && strlen(id) < 60)
		snprintf(name, sizeof(name), "jobs/%.*s/artifacts/%s", (int)(dot - id), id, dot + 1);
	run_named(exchange, name);
}

void run_link(struct exchange *exchange)
{
	const char *token = exchange_path(exchange) + strlen(LINK_PATH);
	char when[MOMENT_TEXT_SIZE] = "";
	struct link link;

	switch (link_read(exchange_config(exchange)->api, token, &link)) {
	case 0:
		file_open(exchange, &link.ref, link.index, ENGINE_STILL_NONE);
		break;
	case LINK_E_EXPIRED:
		moment_write_timestamp(&(struct moment){.seconds = link.until_ms / 1000}, when);
		exchange_say(exchange, GONE, "this link was good until %s: ask whoever gave it to you for another one",
			     when);
		break;
	default:
		exchange_say(exchange, FORBIDDEN,
			     "this is not a whole link of this daemon: copy it as it was given to you");
	}
}
