/*
 * What an operation that is done has brought: videos, fewer videos than were ordered, none at all, or an error.
 *
 * "Everything filtered" and "some filtered" come without an error, told by raiMediaFilteredCount and by what is not
 * there. Google charges for delivered seconds: what was filtered costs nothing, and it says so.
 */
#include "veo.h"

#include <string.h>

/* The model of the order makes one video where the order names no number. */
#define ORDERED_BY_DEFAULT 1

/* Where the list of videos stands: Vertex AI's name and its old one, and the level more of the Gemini API. */
static const char *const video_lists[] = {
	"/videos",
	"/generatedSamples",
	"/generateVideoResponse/generatedSamples",
	"/generateVideoResponse/videos",
};

/* Where a video's address stands in its entry. */
static const char *const video_addresses[] = {"/gcsUri", "/video/uri", "/uri", "/video/gcsUri"};

/* Where the video itself stands, when it has no address. */
static const char *const inline_videos[] = {"/bytesBase64Encoded", "/video/bytesBase64Encoded", "/video/encodedVideo"};

#define POINTER_SIZE 128

/* What was filtered, of one response. */
struct filtered {
	int64_t count;
	fg_node reasons; /* texts */
};

static fg_node first_of(const struct fg_host *h, struct fg_step *s, fg_node node, const char *const *pointers, size_t n)
{
	fg_node found = FG_ABSENT;

	for (size_t i = 0; found == FG_ABSENT && i < n; i++)
		found = h->at(s, node, pointers[i]);
	return found;
}

static struct filtered read_filtered(const struct fg_host *h, struct fg_step *s, fg_node response)
{
	static const char *const counts[] = {"/raiMediaFilteredCount", "/generateVideoResponse/raiMediaFilteredCount"};
	static const char *const reasons[] = {"/raiMediaFilteredReasons",
					      "/generateVideoResponse/raiMediaFilteredReasons"};
	struct filtered filtered;

	filtered.count = h->integer(s, first_of(h, s, response, counts, VEO_COUNT(counts)), 0);
	filtered.reasons = first_of(h, s, response, reasons, VEO_COUNT(reasons));
	/* The count is left out in some replies that name reasons. */
	if (filtered.count <= 0)
		filtered.count = (int64_t)h->count(s, filtered.reasons);
	return filtered;
}

/* ---- downloads ---- */

/* Scheme and authority of @url. */
static struct fg_text origin_of(struct fg_text url)
{
	uint64_t authority = fg_text_find(url, "://");
	struct fg_text rest = fg_text_from(url, authority + 3);

	url.size -= rest.size;
	url.size += fg_text_find(rest, "/");
	return url;
}

/* Is it at the API itself? Its files want the key; nobody else is to see it. */
static int is_at_the_api(const struct fg_host *h, struct fg_step *s, fg_node url)
{
	struct fg_text base = origin_of(h->text(s, h->at(s, h->document(s, FG_DOC_ACCOUNT), "/base_url")));
	struct fg_text here = origin_of(h->text(s, url));

	return base.size == here.size && memcmp(base.data, here.data, base.size) == 0;
}

/* gs:// is no address that can be fetched: the bucket is read through the JSON API of Cloud Storage. */
static fg_node url_in_bucket(const struct fg_host *h, struct fg_step *s, struct fg_text uri)
{
	fg_node name = veo_storage_name(h, s, uri);
	fg_node query = h->object(s);

	if (h->at(s, name, "/object") == FG_ABSENT)
		return FG_ABSENT;
	h->put_text(s, query, "/alt", "media");
	return veo_storage_url(h, s, "/storage/v1/b/{bucket}/o/{object}", name, query);
}

/* "files/ID" without an address stands for its download. */
static fg_node url_of_file(const struct fg_host *h, struct fg_step *s, struct fg_text uri)
{
	fg_node values = h->object(s);
	fg_node query = h->object(s);

	h->put(s, values, "/id", h->make_text(s, fg_text_from(uri, strlen("files/"))));
	h->put_text(s, query, "/alt", "media");
	return h->path(s, "/v1beta/files/{id}:download", values, query);
}

/* Fills @output with what is fetched how; leaves it without a url when there is nothing to fetch. */
static void put_download(const struct fg_host *h, struct fg_step *s, fg_node output, fg_node video)
{
	fg_node address = first_of(h, s, video, video_addresses, VEO_COUNT(video_addresses));
	struct fg_text uri = h->text(s, address);
	fg_node url = FG_ABSENT;

	if (fg_text_begins(uri, "gs://") && veo_is_gemini(h, s)) {
		return; /* A key opens no bucket. */
	} else if (fg_text_begins(uri, "gs://")) {
		url = url_in_bucket(h, s, uri);
		h->put_text(s, output, "/auth", "google");
	} else if (fg_text_begins(uri, "files/") && uri.size > strlen("files/")) {
		url = url_of_file(h, s, uri);
		h->put_text(s, output, "/auth", veo_auth(h, s));
	} else if (address != FG_ABSENT) {
		url = h->link(s, address, FG_ABSENT);
		if (url != FG_ABSENT && is_at_the_api(h, s, url))
			h->put_text(s, output, "/auth", veo_auth(h, s));
	}
	h->put(s, output, "/url", url);
}

/* ---- videos inside the reply ---- */

static void write_place(char *out, const char *list, const char *index, const char *name)
{
	out[0] = '\0';
	fg_text_add(out, POINTER_SIZE, "/response");
	fg_text_add(out, POINTER_SIZE, list);
	fg_text_add(out, POINTER_SIZE, "/");
	fg_text_add(out, POINTER_SIZE, index);
	fg_text_add(out, POINTER_SIZE, name);
}

fg_node veo_inline_places(const struct fg_host *h, struct fg_step *s)
{
	fg_node places = h->array(s);
	char place[POINTER_SIZE];

	for (size_t i = 0; i < VEO_COUNT(video_lists); i++)
		for (size_t k = 0; k < VEO_COUNT(inline_videos); k++) {
			write_place(place, video_lists[i], "*", inline_videos[k]);
			h->append(s, places, h->make_text(s, fg_text_of(place)));
		}
	return places;
}

static void add_number(char *out, uint64_t size, uint64_t number)
{
	char digits[21];
	uint64_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	fg_text_add(out, size, digits + at);
}

/* Every text in such a place was lifted out of the reply, an empty one too. */
static void put_lifted(const struct fg_host *h, struct fg_step *s, fg_node output, const char *list, uint64_t index)
{
	fg_node reply = h->document(s, FG_DOC_REPLY);
	char number[24] = "";
	char place[POINTER_SIZE];

	add_number(number, sizeof(number), index);
	for (size_t i = 0; i < VEO_COUNT(inline_videos); i++) {
		write_place(place, list, number, inline_videos[i]);
		if (h->kind(s, h->at(s, reply, place)) != FG_KIND_TEXT)
			continue;
		h->put_text(s, output, "/lifted", place);
		return;
	}
}

/* An address is preferred: what is fetched from there can be fetched again without all the others. */
static fg_node outputs_of(const struct fg_host *h, struct fg_step *s, fg_node videos, const char *list)
{
	fg_node outputs = h->array(s);

	for (uint64_t i = 0; i < h->count(s, videos); i++) {
		fg_node output = h->object(s);

		put_download(h, s, output, h->item(s, videos, i));
		if (h->at(s, output, "/url") == FG_ABSENT) {
			output = h->object(s);
			put_lifted(h, s, output, list, i);
		}
		if (h->count(s, output) == 0)
			continue;
		h->put_text(s, output, "/role", "video");
		h->put_integer(s, output, "/index", (int64_t)i);
		h->append(s, outputs, output);
	}
	return outputs;
}

/* ---- what is missing ---- */

static void add_missing(const struct fg_host *h, struct fg_step *s, fg_node missing, int64_t index,
			const struct filtered *filtered)
{
	uint64_t n = h->count(s, missing);
	int is_filtered = (int64_t)n < filtered->count;
	fg_node entry = h->object(s);

	h->put_text(s, entry, "/role", "video");
	h->put_integer(s, entry, "/index", index);
	h->put_integer(s, entry, "/reason", is_filtered ? FG_REASON_MODERATED : FG_REASON_ARTIFACT_BAD);
	if (is_filtered)
		h->put(s, entry, "/message", h->item(s, filtered->reasons, n));
	h->append(s, missing, entry);
}

/* Which of the samples were filtered is not said: those that came are counted from the first. */
static fg_node missing_of(const struct fg_host *h, struct fg_step *s, int64_t delivered,
			  const struct filtered *filtered)
{
	fg_node count = h->at(s, h->document(s, FG_DOC_JOB), "/parameters/sample_count");
	int64_t ordered = h->integer(s, count, ORDERED_BY_DEFAULT);
	fg_node missing = h->array(s);

	for (int64_t i = delivered; i < ordered; i++)
		add_missing(h, s, missing, i, filtered);
	return h->count(s, missing) ? missing : FG_ABSENT;
}

/* ---- nothing came ---- */

static int32_t fail_filtered(const struct fg_host *h, struct fg_step *s, const struct filtered *filtered)
{
	struct veo_problem problem = {0};

	problem.reason = FG_REASON_MODERATED;
	problem.bought = FG_BOUGHT_NONE;
	problem.message = h->text(s, h->item(s, filtered->reasons, 0));
	problem.code = veo_support_code(problem.message);
	if (problem.code.size == 0)
		problem.code = fg_text_of("raiMediaFiltered");
	return veo_answer_failed(h, s, &problem);
}

static int32_t fail_empty(const struct fg_host *h, struct fg_step *s, fg_node videos)
{
	struct veo_problem problem = {0};

	problem.reason = FG_REASON_ARTIFACT_BAD;
	problem.bought = h->count(s, videos) ? FG_BOUGHT_MADE : FG_BOUGHT_UNKNOWN;
	problem.code = fg_text_of(h->count(s, videos) ? "unreadable" : "empty");
	problem.message = fg_text_of(h->count(s, videos)
					     ? "the operation names videos, but neither an address nor the video itself"
					     : "the operation ended without a video, an error or a filter's word");
	return veo_answer_failed(h, s, &problem);
}

int32_t veo_finish(const struct fg_host *h, struct fg_step *s, fg_node operation)
{
	fg_node error = h->at(s, operation, "/error");
	fg_node response = h->at(s, operation, "/response");
	fg_node videos = FG_ABSENT;
	size_t list = 0;
	struct filtered filtered = read_filtered(h, s, response);
	struct veo_problem problem;
	fg_node outputs;

	if (h->kind(s, error) == FG_KIND_OBJECT) {
		problem = veo_problem_of_operation(h, s, error);
		return veo_answer_failed(h, s, &problem);
	}
	for (size_t i = 0; videos == FG_ABSENT && i < VEO_COUNT(video_lists); i++) {
		videos = h->at(s, response, video_lists[i]);
		list = i;
	}
	outputs = outputs_of(h, s, videos, video_lists[list]);
	if (h->count(s, outputs))
		return h->done(s, FG_DONE(.outputs = outputs,
					  .missing = missing_of(h, s, (int64_t)h->count(s, outputs), &filtered)));
	if (h->count(s, videos) == 0 && filtered.count > 0)
		return fail_filtered(h, s, &filtered);
	return fail_empty(h, s, videos);
}
