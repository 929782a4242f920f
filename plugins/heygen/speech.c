/*
 * Orders of the types "avatar" and "image": somebody says something.
 */
#include "heygen.h"

/* Who speaks: an avatar that HeyGen knows, or a picture. */
static void put_speaker(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node job = h->document(s, FG_DOC_JOB);
	fg_node picture = h->media(s, "source", 0);

	if (!h->is(s, h->at(s, job, "/model"), "image")) {
		h->put_text(s, body, "/type", "avatar");
		h->put(s, body, "/avatar_id", h->at(s, job, "/parameters/avatar_id"));
		return;
	}
	h->put_text(s, body, "/type", "image");
	h->put(s, body, "/image", heygen_asset(h, s, picture != FG_ABSENT ? picture : h->media(s, "first_frame", 0)));
}

static void put_words(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");

	h->put(s, body, "/script", h->at(s, parameters, "/script/text"));
	heygen_put_source(h, s, body, "/audio_url", "/audio_asset_id", h->at(s, parameters, "/script/audio"));
	h->put(s, body, "/voice_id", h->at(s, parameters, "/voice_id"));
}

static void put_background(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node background = h->at(s, h->document(s, FG_DOC_JOB), "/parameters/background");
	fg_node color = h->at(s, background, "/color");
	fg_node picture = h->at(s, background, "/media");

	if (color != FG_ABSENT)
		h->put_text(s, body, "/background/type", "color");
	else if (picture != FG_ABSENT)
		h->put_text(s, body, "/background/type", "image");
	h->put(s, body, "/background/value", color);
	heygen_put_source(h, s, body, "/background/url", "/background/asset_id", picture);
}

static void put_frame(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");
	fg_node ratio = h->at(s, parameters, "/aspect_ratio");

	if (h->is(s, ratio, "adaptive"))
		h->put_text(s, body, "/aspect_ratio", "auto");
	else
		h->put(s, body, "/aspect_ratio", ratio);
	h->put(s, body, "/resolution", h->at(s, parameters, "/resolution"));
	put_background(h, s, body);
}

void heygen_put_speech(const struct fg_host *h, struct fg_step *s, fg_node body)
{
	put_speaker(h, s, body);
	put_words(h, s, body);
	put_frame(h, s, body);
}
