#include "sim/files.h"

#include "sim/ffmpeg.h"

#include <sys/stat.h>

static const struct {
	const char *name, *suffix, *content_type;
} kinds[] = {
	{"video.mp4", "mp4", "video/mp4"},
	{"video.webm", "webm", "video/webm"},
	{"captioned.mp4", "captioned.mp4", "video/mp4"},
	{"captioned.webm", "captioned.webm", "video/webm"},
	{"thumbnail.jpg", "jpg", "image/jpeg"},
	{"preview.gif", "gif", "image/gif"},
	{"subtitle.srt", "srt", "application/x-subrip"},
};

/* Digits up to the next byte that is none; false when there are none or too many. */
static bool read_digits(const char **cursor, uint64_t *ret)
{
	const char *p = *cursor;
	uint64_t value = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (value > UINT64_MAX / 10 - 1)
			return false;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	if (p == *cursor)
		return false;

	*cursor = p;
	*ret = value;
	return true;
}

int sim_range_read(const char *text, uint64_t size, uint64_t *ret_offset, uint64_t *ret_len)
{
	uint64_t first = 0, last = 0;
	bool has_first, has_last;

	if (strncmp(text, "bytes=", 6) != 0)
		return SIM_RANGE_E_WHOLE;
	text += 6;
	has_first = read_digits(&text, &first);
	if (*text++ != '-')
		return SIM_RANGE_E_WHOLE;
	has_last = read_digits(&text, &last);
	if (*text || (!has_first && !has_last) || (has_first && has_last && last < first))
		return SIM_RANGE_E_WHOLE;
	if (!has_first) {
		first = last < size ? size - last : 0;
		last = last ? size - 1 : 0;
		if (size == 0 || first == size)
			return SIM_RANGE_E_UNSATISFIABLE;
	}
	if (first >= size)
		return SIM_RANGE_E_UNSATISFIABLE;
	if (!has_last || last >= size)
		last = size - 1;

	*ret_offset = first;
	*ret_len = last - first + 1;
	return 0;
}

/* As the storage behind such links answers: XML. */
static int refuse(struct sim_reply *reply, int status, const char *code, const char *message)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>\n",
		 code, message);
	return sim_reply_text(reply, status, "application/xml", bytes_of_text(text));
}

static const char *type_of(const char *name, const char **ret_suffix)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_suffix = kinds[i].suffix;
			return kinds[i].content_type;
		}
	return NULL;
}

static int add_header(struct sim_reply *reply, const char *name, const char *format, uint64_t a, uint64_t b, uint64_t c)
{
	char value[96];

	snprintf(value, sizeof(value), format, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
	return sim_fields_add(&reply->headers, name, value);
}

/* Chooses what part of the file goes out; @etag guards a resumed download against another file. */
static int choose_part(const struct sim_request *request, const char *etag, uint64_t size, struct sim_reply *reply)
{
	const char *range = sim_fields_find(&request->headers, "Range");
	const char *condition = sim_fields_find(&request->headers, "If-Range");
	uint64_t offset = 0, len = size;
	int r = SIM_RANGE_E_WHOLE;

	if (range && (!condition || strcmp(condition, etag) == 0))
		r = sim_range_read(range, size, &offset, &len);
	if (r == SIM_RANGE_E_UNSATISFIABLE) {
		r = refuse(reply, 416, "InvalidRange", "The requested range cannot be satisfied");
		return r < 0 ? err_trace(r) : add_header(reply, "Content-Range", "bytes */%llu", size, 0, 0);
	}
	reply->status = r == SIM_RANGE_E_WHOLE ? 200 : 206;
	reply->file_offset = offset;
	reply->file_len = len;
	if (r == SIM_RANGE_E_WHOLE)
		return 0;
	return add_header(reply, "Content-Range", "bytes %llu-%llu/%llu", offset, offset + len - 1, size);
}

int sim_files_send(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		   const char *suffix, const char *content_type, struct sim_reply *reply)
{
	char etag[DIGEST_TEXT_SIZE + 16];
	struct stat status;
	int r;

	r = sim_render_open(sim->render, generation->picture, suffix, &reply->file_fd);
	if (r < 0)
		return err_trace(r);
	if (fstat(reply->file_fd, &status) < 0)
		return err_origin(-errno);
	snprintf(etag, sizeof(etag), "\"%.32s-%s\"", generation->picture, suffix);
	r = sim_fields_add(&reply->headers, "Content-Type", content_type);
	r = r ? r : sim_fields_add(&reply->headers, "Accept-Ranges", "bytes");
	r = r ? r : sim_fields_add(&reply->headers, "ETag", etag);
	return r < 0 ? err_trace(r) : choose_part(call->request, etag, (uint64_t)status.st_size, reply);
}

/* "/files/ID/NAME"; the name stays in the request's path. */
static const char *split_path(const char *path, char id[static SIM_VIDEO_ID_SIZE])
{
	const char *slash;
	size_t len;

	if (strncmp(path, "/files/", 7) != 0)
		return NULL;
	path += 7;
	slash = strchr(path, '/');
	len = slash ? (size_t)(slash - path) : 0;
	if (len == 0 || len >= SIM_VIDEO_ID_SIZE)
		return NULL;
	memcpy(id, path, len);
	id[len] = '\0';
	return slash + 1;
}

int sim_files_serve(struct sim *sim, const struct sim_call *call, struct sim_reply *reply)
{
	const struct sim_request *request = call->request;
	int64_t now_ms = sim_clock_monotonic_ms(&sim->clock);
	char id[SIM_VIDEO_ID_SIZE];
	const char *name = split_path(request->path, id), *suffix, *content_type;
	const struct sim_generation *generation;
	int r;

	if (strcmp(request->method, "PUT") == 0)
		return sim_assets_fill(sim, call, reply);
	content_type = name ? type_of(name, &suffix) : NULL;
	if (!content_type)
		return refuse(reply, 404, "NoSuchKey", "There is no such file");
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
		return refuse(reply, 405, "MethodNotAllowed", "Only GET and HEAD");
	r = sim_links_check(sim->links, request, sim_clock_utc_ms(&sim->clock) / 1000);
	if (r == SIM_LINKS_E_FORGED)
		return refuse(reply, 403, "SignatureDoesNotMatch", "The link is not signed by this host");
	if (r == SIM_LINKS_E_EXPIRED || call->twist.is_link_expired)
		return refuse(reply, 403, "AccessDenied", "Request has expired");
	generation = sim_generations_find(sim->generations, id);
	if (!generation || sim_generation_state(sim->generations, generation, now_ms) != SIM_COMPLETED)
		return refuse(reply, 404, "NoSuchKey", "There is no such file");
	return sim_files_send(sim, call, generation, suffix, content_type, reply);
}
