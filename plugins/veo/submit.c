/*
 * POST …:predictLongRunning: the one request that buys.
 *
 * Google honours no idempotency key, so a reply that proves nothing (5xx, a gateway's page, a 2xx without a name) is an
 * unknown purchase, and the daemon holds the job for a person. Each job's videos go to a folder of the bucket that has
 * the job's id for its name: who has to decide about a lost reply looks there. Without a bucket the videos come inside
 * the reply to a poll, and nothing tells whether a lost order was taken.
 */
#include "veo.h"

/* A purchase that was refused for its token is tried at once with another one, but only once. */
#define RENEWED_TOKEN_PAUSE_MS 1u

/* What a file is, by its ending. Google wants it said, and nobody here sees the bytes. */
static const struct {
	const char *ending;
	const char *kind;
	const char *media_type;
} endings[] = {
	{".png", "image", "image/png"},   {".jpg", "image", "image/jpeg"}, {".jpeg", "image", "image/jpeg"},
	{".webp", "image", "image/webp"}, {".mp4", "video", "video/mp4"},  {".mov", "video", "video/mov"},
	{".mpeg", "video", "video/mpeg"}, {".mpg", "video", "video/mpg"},  {".avi", "video", "video/avi"},
	{".wmv", "video", "video/wmv"},   {".flv", "video", "video/flv"},
};

/* How Veo spells what the daemon found a file to be. */
static const struct {
	const char *found;
	const char *media_type;
} spellings[] = {
	{"image/png", "image/png"},       {"image/jpeg", "image/jpeg"},     {"image/webp", "image/webp"},
	{"video/mp4", "video/mp4"},       {"video/quicktime", "video/mov"}, {"video/mpeg", "video/mpeg"},
	{"video/x-msvideo", "video/avi"}, {"video/x-ms-wmv", "video/wmv"},  {"video/x-flv", "video/flv"},
};

static int is_asset(const struct fg_host *h, struct fg_step *s, fg_node media)
{
	return h->at(s, media, "/asset") != FG_ABSENT;
}

static const char *media_type_of_asset(const struct fg_host *h, struct fg_step *s, fg_node media)
{
	for (size_t i = 0; i < VEO_COUNT(spellings); i++)
		if (h->is(s, h->at(s, media, "/media_type"), spellings[i].found))
			return spellings[i].media_type;
	return NULL;
}

static const char *media_type_of(const struct fg_host *h, struct fg_step *s, fg_node media)
{
	struct fg_text name = h->text(s, h->at(s, media, "/provider_handle"));

	for (size_t i = 0; i < VEO_COUNT(endings); i++)
		if (fg_text_ends(name, endings[i].ending) && h->is(s, h->at(s, media, "/kind"), endings[i].kind))
			return endings[i].media_type;
	return NULL;
}

static fg_node parameter(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->at(s, h->at(s, h->document(s, FG_DOC_JOB), "/parameters"), pointer);
}

/* ---- inputs ---- */

/* One that is there no more has no type; put_media() says so. */
static const char *complaint_about_asset(const struct fg_host *h, struct fg_step *s, fg_node media)
{
	if (h->at(s, media, "/media_type") == FG_ABSENT || media_type_of_asset(h, s, media))
		return NULL;
	return h->is(s, h->at(s, media, "/kind"), "video") ? "Veo takes videos as MP4, QuickTime, MPEG, AVI, WMV or FLV"
							   : "Veo takes pictures as PNG, JPEG or WebP";
}

static const char *complaint_about(const struct fg_host *h, struct fg_step *s, fg_node media)
{
	struct fg_text handle = h->text(s, h->at(s, media, "/provider_handle"));
	int is_video = h->is(s, h->at(s, media, "/kind"), "video");

	if (is_asset(h, s, media))
		return complaint_about_asset(h, s, media);
	if (veo_is_gemini(h, s))
		return is_video ? NULL
				: "the Gemini API takes pictures as uploaded files only; Vertex AI takes them from a "
				  "bucket, too";
	if (h->at(s, veo_storage_name(h, s, handle), "/object") == FG_ABSENT)
		return "upload the file, or give a provider_handle of the form gs://bucket/object: Veo reads from buckets";
	if (!media_type_of(h, s, media))
		return is_video ? "the name of a video must end in .mp4, .mov, .mpeg, .mpg, .avi, .wmv or .flv"
				: "the name of a picture must end in .png, .jpg, .jpeg or .webp";
	return NULL;
}

/* NULL: all of them can be handed on. */
static const char *complaint_about_inputs(const struct fg_host *h, struct fg_step *s)
{
	fg_node list = parameter(h, s, "/media");
	const char *complaint = NULL;

	for (uint64_t i = 0; !complaint && i < h->count(s, list); i++)
		complaint = complaint_about(h, s, h->item(s, list, i));
	return complaint;
}

/* The bytes themselves; the Gemini API has its own words for those of a video. */
static void put_asset(const struct fg_host *h, struct fg_step *s, fg_node out, fg_node media)
{
	int is_encoded_video = veo_is_gemini(h, s) && h->is(s, h->at(s, media, "/kind"), "video");

	h->put_media(s, out, is_encoded_video ? "/encodedVideo" : "/bytesBase64Encoded", media, FG_MEDIA_BASE64);
	h->put_text(s, out, is_encoded_video ? "/encoding" : "/mimeType", media_type_of_asset(h, s, media));
}

/* Absent media do nothing. */
static void put_media(const struct fg_host *h, struct fg_step *s, fg_node out, const char *pointer, fg_node media)
{
	fg_node handle = h->at(s, media, "/provider_handle");
	fg_node there;

	if (media == FG_ABSENT)
		return;
	there = h->object(s);
	if (is_asset(h, s, media))
		put_asset(h, s, there, media);
	h->put(s, there, veo_is_gemini(h, s) ? "/uri" : "/gcsUri", handle);
	if (handle != FG_ABSENT && !veo_is_gemini(h, s))
		h->put_text(s, there, "/mimeType", media_type_of(h, s, media));
	h->put(s, out, pointer, there);
}

static void put_references(const struct fg_host *h, struct fg_step *s, fg_node instance)
{
	fg_node list = h->array(s);
	fg_node media;

	for (uint64_t i = 0; (media = h->media(s, "reference", i)) != FG_ABSENT; i++) {
		fg_node reference = h->object(s);

		put_media(h, s, reference, "/image", media);
		h->put_text(s, reference, "/referenceType", "asset");
		h->append(s, list, reference);
	}
	if (h->count(s, list))
		h->put(s, instance, "/referenceImages", list);
}

static fg_node instance_of(const struct fg_host *h, struct fg_step *s)
{
	fg_node instance = h->object(s);

	h->put(s, instance, "/prompt", parameter(h, s, "/prompt"));
	put_media(h, s, instance, "/image", h->media(s, "first_frame", 0));
	put_media(h, s, instance, "/lastFrame", h->media(s, "last_frame", 0));
	put_media(h, s, instance, "/video", h->media(s, "source", 0));
	put_references(h, s, instance);
	return instance;
}

/* ---- parameters ---- */

static void put_shared(const struct fg_host *h, struct fg_step *s, fg_node parameters)
{
	int64_t duration_ms = h->integer(s, parameter(h, s, "/duration_ms"), 0);
	int rewrite = h->boolean(s, parameter(h, s, "/prompt_rewrite"), -1);

	h->put(s, parameters, "/sampleCount", parameter(h, s, "/sample_count"));
	if (duration_ms > 0)
		h->put(s, parameters, "/durationSeconds", h->make_decimal(s, duration_ms, 3));
	h->put(s, parameters, "/aspectRatio", parameter(h, s, "/aspect_ratio"));
	h->put(s, parameters, "/resolution", parameter(h, s, "/resolution"));
	h->put(s, parameters, "/negativePrompt", parameter(h, s, "/negative_prompt"));
	h->put(s, parameters, "/seed", parameter(h, s, "/seed"));
	if (rewrite >= 0)
		h->put_boolean(s, parameters, "/enhancePrompt", rewrite);
}

static fg_node folder_of_job(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text place = h->text(s, veo_option(h, s, "/storage_uri"));
	fg_node parts = h->array(s);

	h->append(s, parts, h->make_text(s, place));
	if (!fg_text_ends(place, "/"))
		h->append(s, parts, h->make_text(s, fg_text_of("/")));
	h->append(s, parts, h->at(s, h->document(s, FG_DOC_JOB), "/id"));
	h->append(s, parts, h->make_text(s, fg_text_of("/")));
	return h->join(s, parts, "");
}

/* The reference calls generateAudio required and names no default, so that the model's own is always said. */
static void put_vertex_only(const struct fg_host *h, struct fg_step *s, fg_node parameters)
{
	h->put_boolean(s, parameters, "/generateAudio", h->boolean(s, parameter(h, s, "/audio"), 1));
	if (veo_option(h, s, "/storage_uri") != FG_ABSENT)
		h->put(s, parameters, "/storageUri", folder_of_job(h, s));
}

static fg_node body_of(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);
	fg_node instances = h->array(s);
	fg_node parameters = h->object(s);

	h->append(s, instances, instance_of(h, s));
	h->put(s, body, "/instances", instances);
	put_shared(h, s, parameters);
	if (!veo_is_gemini(h, s))
		put_vertex_only(h, s, parameters);
	h->put_extras(s, parameters, "");
	if (h->count(s, parameters))
		h->put(s, body, "/parameters", parameters);
	return body;
}

/* ---- the verb ---- */

static int32_t refuse_order(const struct fg_host *h, struct fg_step *s, const char *code, struct fg_text words)
{
	struct veo_problem problem = {0};

	problem.reason = FG_REASON_INVALID_INPUT;
	problem.bought = FG_BOUGHT_NONE;
	problem.code = fg_text_of(code);
	problem.message = words;
	problem.field = fg_text_is(problem.code, "media")   ? "/parameters/media"
			: fg_text_is(problem.code, "audio") ? "/parameters/audio"
							    : NULL;
	return veo_answer_failed(h, s, &problem);
}

struct refusal {
	const char *code;
	struct fg_text words; /* empty: none */
};

/* Why nothing can be bought by this order, whatever Google says. */
static struct refusal refusal_of(const struct fg_host *h, struct fg_step *s)
{
	struct refusal refusal = {"configuration", veo_complaint(h, s)};

	if (!refusal.words.size)
		refusal = (struct refusal){"media", fg_text_of(complaint_about_inputs(h, s))};
	if (!refusal.words.size && veo_is_gemini(h, s) && !h->boolean(s, parameter(h, s, "/audio"), 1))
		refusal = (struct refusal){"audio",
					   fg_text_of("on the Gemini API a video always has sound: leave audio out")};
	return refusal;
}

/*
 * The same as start would say, before the order is accepted; its body is written for what the daemon then finds wrong
 * with it. Without an order it is about the configuration alone.
 */
int32_t veo_check(const struct fg_host *h, struct fg_step *s)
{
	struct refusal refusal = refusal_of(h, s);

	if (refusal.words.size)
		return refuse_order(h, s, refusal.code, refusal.words);
	if (h->at(s, h->document(s, FG_DOC_JOB), "/model") != FG_ABSENT)
		body_of(h, s);
	return h->report(s, h->object(s));
}

static int32_t submit(const struct fg_host *h, struct fg_step *s)
{
	struct refusal refusal = refusal_of(h, s);

	if (refusal.words.size)
		return refuse_order(h, s, refusal.code, refusal.words);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS, .phase = VEO_PHASE_REPLY, .body_kind = FG_BODY_JSON,
					  .method = "POST", .auth = veo_auth(h, s),
					  .url = veo_model_url(h, s, ":predictLongRunning"), .body = body_of(h, s)));
}

static int32_t accept_operation(const struct fg_host *h, struct fg_step *s, fg_node name)
{
	fg_node remotes = h->array(s);
	fg_node remote = h->object(s);

	h->put(s, remote, "/id", name);
	h->put_text(s, remote, "/kind", "operation");
	h->append(s, remotes, remote);
	return h->accepted(s, FG_ACCEPTED(.stage = FG_STAGE_RUNNING, .remotes = remotes));
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s)
{
	struct veo_problem problem = veo_problem_of_reply(h, s);
	fg_node has_renewed = h->at(s, h->document(s, FG_DOC_STATE), "/has_renewed_token");

	if (h->status(s) == 401 && !veo_is_gemini(h, s) && !h->boolean(s, has_renewed, 0)) {
		h->put_boolean(s, h->state(s), "/has_renewed_token", 1);
		problem.retry_after_ms = RENEWED_TOKEN_PAUSE_MS;
		return veo_answer_trouble(h, s, &problem);
	}
	return veo_answer_problem(h, s, &problem);
}

int32_t veo_start(const struct fg_host *h, struct fg_step *s)
{
	fg_node name = h->at(s, h->document(s, FG_DOC_REPLY), "/name");
	uint32_t status = h->status(s);

	if (h->phase(s) != VEO_PHASE_REPLY)
		return submit(h, s);
	if (status >= 200 && status < 300 && h->kind(s, name) == FG_KIND_TEXT && h->text(s, name).size)
		return accept_operation(h, s, name);
	return refuse(h, s);
}
