/*
 * What an order says in each dialect. A parameter that a dialect has no word for is refused before anything is bought:
 * to leave it out would buy another video than the one that was ordered.
 */
#include "openai_videos.h"

#define REFERENCE "/input_reference"

/* The openai dialect knows a size in pixels; these are the tiers that say one exactly, for 16:9. */
static const struct {
	const char *resolution;
	int64_t shorter, longer;
} tiers[] = {{"720p", 720, 1280}, {"1080p", 1080, 1920}};

/* ---- refusals ---- */

static const struct {
	const char *pointer;
	struct openai_refusal refusal;
} only_openrouter[] = {
	{"/seed", {"the dialect openai has no seed: leave it out", "/parameters/seed"}},
	{"/audio", {"the dialect openai has no switch for sound: leave audio out", "/parameters/audio"}},
	{"/end_user", {"the dialect openai has no end_user: leave it out", "/parameters/end_user"}},
};

/* -1: there is none that says one exactly. */
static int tier_of(const struct fg_host *h, struct fg_step *s)
{
	fg_node resolution = openai_parameter(h, s, "/resolution");

	for (size_t i = 0; i < OPENAI_COUNT(tiers); i++)
		if (h->is(s, resolution, tiers[i].resolution))
			return (int)i;
	return -1;
}

static int is_plain_ratio(const struct fg_host *h, struct fg_step *s)
{
	fg_node ratio = openai_parameter(h, s, "/aspect_ratio");

	return h->is(s, ratio, "16:9") || h->is(s, ratio, "9:16") || h->is(s, ratio, "1:1");
}

/* The first frame where it is a file that the daemon holds. */
static fg_node first_file(const struct fg_host *h, struct fg_step *s)
{
	fg_node first = h->media(s, "first_frame", 0);

	return h->at(s, first, "/asset") != FG_ABSENT ? first : FG_ABSENT;
}

static struct openai_refusal refuse_openai(const struct fg_host *h, struct fg_step *s)
{
	static const struct openai_refusal none = {NULL, NULL};
	static const struct openai_refusal shape = {
		"the dialect openai takes a size in pixels: set size, or resolution (720p, 1080p) and aspect_ratio "
		"(16:9, 9:16, 1:1) together",
		"/parameters/resolution"};
	static const struct openai_refusal media = {"the dialect openai takes one picture: a first frame",
						    "/parameters/media"};
	static const struct openai_refusal file = {
		"a file goes in a body of parts only: set the option 'submit' of the provider to multipart, or give "
		"the picture as a url",
		"/parameters/media"};

	for (size_t i = 0; i < OPENAI_COUNT(only_openrouter); i++)
		if (openai_parameter(h, s, only_openrouter[i].pointer) != FG_ABSENT)
			return only_openrouter[i].refusal;
	if (h->media(s, "last_frame", 0) != FG_ABSENT || h->media(s, "reference", 0) != FG_ABSENT)
		return media;
	if (first_file(h, s) != FG_ABSENT && !openai_is_multipart(h, s))
		return file;
	if (openai_parameter(h, s, "/resolution") == FG_ABSENT && openai_parameter(h, s, "/aspect_ratio") == FG_ABSENT)
		return none;
	return tier_of(h, s) >= 0 && is_plain_ratio(h, s) ? none : shape;
}

static struct openai_refusal refuse_openrouter(const struct fg_host *h, struct fg_step *s)
{
	static const struct openai_refusal none = {NULL, NULL};
	static const struct openai_refusal picture = {
		"the dialect openrouter takes pictures as URLs only: give a url, not a provider_handle or a file",
		"/parameters/media"};
	fg_node list = openai_parameter(h, s, "/media");

	for (uint64_t i = 0; i < h->count(s, list); i++)
		if (h->at(s, h->item(s, list, i), "/url") == FG_ABSENT)
			return picture;
	return none;
}

struct openai_refusal openai_refuse_order(const struct fg_host *h, struct fg_step *s)
{
	return openai_is_openrouter(h, s) ? refuse_openrouter(h, s) : refuse_openai(h, s);
}

/* ---- the body ---- */

static void put_size(const struct fg_host *h, struct fg_step *s, fg_node order, fg_node width, fg_node height)
{
	fg_node sides = h->array(s);

	h->append(s, sides, width);
	h->append(s, sides, height);
	h->put(s, order, "/size", h->join(s, sides, "x"));
}

static void put_exact_size(const struct fg_host *h, struct fg_step *s, fg_node order)
{
	fg_node width = openai_parameter(h, s, "/size/width");

	if (width != FG_ABSENT)
		put_size(h, s, order, width, openai_parameter(h, s, "/size/height"));
}

static void put_tier(const struct fg_host *h, struct fg_step *s, fg_node order)
{
	fg_node ratio = openai_parameter(h, s, "/aspect_ratio");
	int tier = tier_of(h, s);
	fg_node shorter, longer;

	if (tier < 0)
		return;
	shorter = h->make_integer(s, tiers[tier].shorter);
	longer = h->make_integer(s, tiers[tier].longer);
	put_size(h, s, order, h->is(s, ratio, "16:9") ? longer : shorter, h->is(s, ratio, "9:16") ? longer : shorter);
}

static fg_node seconds(const struct fg_host *h, struct fg_step *s)
{
	int64_t ms = h->integer(s, openai_parameter(h, s, "/duration_ms"), 0);

	return ms > 0 ? h->make_decimal(s, ms, 3) : FG_ABSENT;
}

/* Of a file its name, in whose place openai_parts() puts the content: there is a member then that extras may not be. */
static void put_reference(const struct fg_host *h, struct fg_step *s, fg_node order)
{
	fg_node first = h->media(s, "first_frame", 0);
	fg_node reference = h->object(s);

	h->put(s, reference, "/image_url", h->at(s, first, "/url"));
	h->put(s, reference, "/file_id", h->at(s, first, "/provider_handle"));
	if (first_file(h, s) != FG_ABSENT)
		h->put(s, order, REFERENCE, h->at(s, first, "/asset"));
	else if (first != FG_ABSENT)
		h->put(s, order, REFERENCE, reference);
}

static void put_openai(const struct fg_host *h, struct fg_step *s, fg_node order)
{
	fg_node text = h->array(s);

	/* "8": a text there. */
	if (seconds(h, s) != FG_ABSENT) {
		h->append(s, text, seconds(h, s));
		h->put(s, order, "/seconds", h->join(s, text, ""));
	}
	put_exact_size(h, s, order);
	put_tier(h, s, order);
	put_reference(h, s, order);
}

static fg_node image(const struct fg_host *h, struct fg_step *s, fg_node media)
{
	fg_node image = h->object(s);

	h->put_text(s, image, "/type", "image_url");
	h->put(s, image, "/image_url/url", h->at(s, media, "/url"));
	return image;
}

static void put_frames(const struct fg_host *h, struct fg_step *s, fg_node order)
{
	static const char *const roles[] = {"first_frame", "last_frame"};
	fg_node frames = h->array(s);

	for (size_t i = 0; i < OPENAI_COUNT(roles); i++) {
		fg_node media = h->media(s, roles[i], 0);
		fg_node frame;

		if (media == FG_ABSENT)
			continue;
		frame = image(h, s, media);
		h->put_text(s, frame, "/frame_type", roles[i]);
		h->append(s, frames, frame);
	}
	if (h->count(s, frames))
		h->put(s, order, "/frame_images", frames);
}

static void put_openrouter(const struct fg_host *h, struct fg_step *s, fg_node order)
{
	int audio = h->boolean(s, openai_parameter(h, s, "/audio"), -1);
	fg_node references = h->array(s);
	fg_node media;

	h->put(s, order, "/duration", seconds(h, s));
	h->put(s, order, "/resolution", openai_parameter(h, s, "/resolution"));
	h->put(s, order, "/aspect_ratio", openai_parameter(h, s, "/aspect_ratio"));
	put_exact_size(h, s, order);
	h->put(s, order, "/seed", openai_parameter(h, s, "/seed"));
	h->put(s, order, "/user", openai_parameter(h, s, "/end_user"));
	if (audio >= 0)
		h->put_boolean(s, order, "/generate_audio", audio);
	put_frames(h, s, order);
	for (uint64_t i = 0; (media = h->media(s, "reference", i)) != FG_ABSENT; i++)
		h->append(s, references, image(h, s, media));
	if (h->count(s, references))
		h->put(s, order, "/input_references", references);
}

fg_node openai_order(const struct fg_host *h, struct fg_step *s)
{
	fg_node order = h->object(s);

	h->put(s, order, "/model", openai_option(h, s, "/model"));
	h->put(s, order, "/prompt", openai_parameter(h, s, "/prompt"));
	if (openai_is_openrouter(h, s))
		put_openrouter(h, s, order);
	else
		put_openai(h, s, order);
	h->put_extras(s, order, "");
	return order;
}

/* ---- the same as parts ---- */

static void add_part(const struct fg_host *h, struct fg_step *s, fg_node parts, fg_node name, fg_node value)
{
	fg_node part = h->object(s);

	h->put(s, part, "/name", name);
	h->put(s, part, "/value", value);
	h->append(s, parts, part);
}

/* name[member], as OpenAI's own clients write an object. */
static void add_members(const struct fg_host *h, struct fg_step *s, fg_node parts, struct fg_text name, fg_node object)
{
	for (uint64_t i = 0; i < h->count(s, object); i++) {
		fg_node words = h->array(s);

		h->append(s, words, h->make_text(s, name));
		h->append(s, words, h->make_text(s, fg_text_of("[")));
		h->append(s, words, h->make_text(s, h->key(s, object, i)));
		h->append(s, words, h->make_text(s, fg_text_of("]")));
		add_part(h, s, parts, h->join(s, words, ""), h->item(s, object, i));
	}
}

static void add_file(const struct fg_host *h, struct fg_step *s, fg_node parts, fg_node file)
{
	fg_node part = h->object(s);

	h->put_text(s, part, "/name", &REFERENCE[1]);
	h->put(s, part, "/media", file);
	h->append(s, parts, part);
}

fg_node openai_parts(const struct fg_host *h, struct fg_step *s, fg_node order)
{
	fg_node parts = h->array(s);
	fg_node file = first_file(h, s);

	for (uint64_t i = 0; i < h->count(s, order); i++) {
		fg_node value = h->item(s, order, i);

		if (file != FG_ABSENT && fg_text_is(h->key(s, order, i), &REFERENCE[1]))
			add_file(h, s, parts, file);
		else if (h->kind(s, value) == FG_KIND_OBJECT)
			add_members(h, s, parts, h->key(s, order, i), value);
		else
			add_part(h, s, parts, h->make_text(s, h->key(s, order, i)), value);
	}
	return parts;
}
