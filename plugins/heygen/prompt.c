/*
 * Orders by a prompt, with pictures, videos and sounds to go by.
 *
 * "cinematic_avatar" shows one to three avatars. A job names one by avatar_id, or several by an extra of the same name,
 * which is HeyGen's own form.
 *
 * heygen-video-1 shows whatever the prompt says. Its mode follows from the inputs. What HeyGen's published client always
 * sends is always sent, with that client's values where the job has none: no default of the API itself is documented.
 */
#include "heygen.h"

void heygen_put_source(const struct fg_host *h, struct fg_step *s, fg_node out, const char *url, const char *asset_id,
		       fg_node media)
{
	if (h->at(s, media, "/url") != FG_ABSENT)
		h->put(s, out, url, h->at(s, media, "/url"));
	else
		h->put_media(s, out, asset_id, media, FG_MEDIA_HANDLE);
}

fg_node heygen_asset(const struct fg_host *h, struct fg_step *s, fg_node media)
{
	fg_node asset;

	if (media == FG_ABSENT)
		return FG_ABSENT;
	asset = h->object(s);
	h->put_text(s, asset, "/type", h->at(s, media, "/url") != FG_ABSENT ? "url" : "asset_id");
	heygen_put_source(h, s, asset, "/url", "/asset_id", media);
	return asset;
}

/* All references, or those of one kind; absent when there are none. */
static fg_node references_of(const struct fg_host *h, struct fg_step *s, const char *kind)
{
	fg_node list = h->array(s);
	fg_node media;

	for (uint64_t n = 0; (media = h->media(s, "reference", n)) != FG_ABSENT; n++)
		if (!kind || h->is(s, h->at(s, media, "/kind"), kind))
			h->append(s, list, heygen_asset(h, s, media));
	return h->count(s, list) ? list : FG_ABSENT;
}

static void put_avatars(const struct fg_host *h, struct fg_step *s, fg_node body, fg_node avatar_id)
{
	fg_node list;

	if (avatar_id == FG_ABSENT)
		return;
	list = h->array(s);
	h->append(s, list, avatar_id);
	h->put(s, body, "/avatar_id", list);
}

void heygen_put_cinematic(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");
	fg_node duration_ms = h->at(s, parameters, "/duration_ms");
	fg_node rewrite = h->at(s, parameters, "/prompt_rewrite");

	h->put_text(s, body, "/type", "cinematic_avatar");
	h->put(s, body, "/prompt", h->at(s, parameters, "/prompt"));
	put_avatars(h, s, body, h->at(s, parameters, "/avatar_id"));
	h->put(s, body, "/references", references_of(h, s, NULL));
	if (duration_ms != FG_ABSENT)
		h->put(s, body, "/duration", h->make_decimal(s, h->integer(s, duration_ms, 0), 3));
	h->put(s, body, "/aspect_ratio", h->at(s, parameters, "/aspect_ratio"));
	h->put(s, body, "/resolution", h->at(s, parameters, "/resolution"));
	if (rewrite != FG_ABSENT)
		h->put_boolean(s, body, "/enhance_prompt", h->boolean(s, rewrite, 0));
}

static int has_reference(const struct fg_host *h, struct fg_step *s)
{
	return h->media(s, "reference", 0) != FG_ABSENT;
}

const char *heygen_refuse_generation(const struct fg_host *h, struct fg_step *s)
{
	if (has_reference(h, s) && references_of(h, s, "image") == FG_ABSENT &&
	    references_of(h, s, "video") == FG_ABSENT)
		return "a sound alone is nothing to go by: add a reference that is a picture or a video";
	return NULL;
}

static const char *mode_of(const struct fg_host *h, struct fg_step *s)
{
	if (h->media(s, "first_frame", 0) != FG_ABSENT)
		return "image_to_video";
	return has_reference(h, s) ? "reference_to_video" : "text_to_video";
}

/* A picture that is the first frame decides the shape by itself. */
static void put_shape(const struct fg_host *h, struct fg_step *s, fg_node body, fg_node parameters)
{
	fg_node first_frame = h->media(s, "first_frame", 0);

	h->put_text(s, body, "/resolution", "768p");
	h->put(s, body, "/resolution", h->at(s, parameters, "/resolution"));
	h->put(s, body, "/image", heygen_asset(h, s, first_frame));
	if (first_frame != FG_ABSENT)
		return;
	h->put_text(s, body, "/aspect_ratio", has_reference(h, s) ? "adaptive" : "16:9");
	h->put(s, body, "/aspect_ratio", h->at(s, parameters, "/aspect_ratio"));
}

void heygen_put_generation(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node job = h->document(s, FG_DOC_JOB);
	fg_node parameters = h->at(s, job, "/parameters");
	fg_node duration_ms = h->at(s, parameters, "/duration_ms");
	fg_node rewrite = h->at(s, parameters, "/prompt_rewrite");

	h->put(s, body, "/model", h->at(s, job, "/model"));
	h->put_text(s, body, "/mode", mode_of(h, s));
	h->put(s, body, "/prompt", h->at(s, parameters, "/prompt"));
	h->put(s, body, "/duration", h->make_decimal(s, h->integer(s, duration_ms, 5000), 3));
	put_shape(h, s, body, parameters);
	h->put(s, body, "/seed", h->at(s, parameters, "/seed"));
	if (rewrite != FG_ABSENT)
		h->put_text(s, body, "/prompt_enhancement", h->boolean(s, rewrite, 0) ? "turbo" : "disabled");
	h->put(s, body, "/reference_images", references_of(h, s, "image"));
	h->put(s, body, "/reference_videos", references_of(h, s, "video"));
	h->put(s, body, "/reference_audio", references_of(h, s, "audio"));
}
