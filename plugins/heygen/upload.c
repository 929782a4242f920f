/*
 * An input of the user's own becomes an asset of HeyGen's. Up to 32 MB it goes in one request of parts; beyond, HeyGen
 * gives a place at its storage, which is filled with a PUT that carries HeyGen's headers and nothing of ours, above all
 * no key, and then says that it is complete.
 *
 * All of it is free. A second upload makes a second asset, which harms nobody: what breaks off is begun anew.
 */
#include "heygen.h"

#include <string.h>

/* "32 MB", read the careful way. */
#define SIMPLE_BYTES 32000000

/* HeyGen's own command line gives an upload so long. */
#define UPLOAD_MS 600000

#define NAME_SIZE 128 /* of a header, as long as the daemon sends any */

static fg_node input_of(const struct fg_host *h, struct fg_step *s)
{
	return h->at(s, h->document(s, FG_DOC_STEP), "/input");
}

static int32_t send_parts(const struct fg_host *h, struct fg_step *s)
{
	fg_node parts = h->array(s);
	fg_node file = h->object(s);

	h->put_text(s, file, "/name", "file");
	h->put(s, file, "/media", input_of(h, s));
	h->append(s, parts, file);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = HEYGEN_PHASE_REPLY,
					  .body_kind = FG_BODY_MULTIPART, .method = "POST", .auth = "key",
					  .timeout_ms = UPLOAD_MS, .body = parts,
					  .url = h->path(s, HEYGEN_ASSETS, FG_ABSENT, FG_ABSENT)));
}

/* A name is asked for, and says nothing that the type does not. */
static fg_node filename_of(const struct fg_host *h, struct fg_step *s, fg_node input)
{
	static const struct {
		const char *type, *name;
	} names[] = {
		{"image/png", "input.png"},   {"image/jpeg", "input.jpg"}, {"video/mp4", "input.mp4"},
		{"video/webm", "input.webm"}, {"audio/mpeg", "input.mp3"}, {"audio/wav", "input.wav"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (h->is(s, h->at(s, input, "/media_type"), names[i].type))
			return h->make_text(s, fg_text_of(names[i].name));
	return h->make_text(s, fg_text_of("input"));
}

static int32_t ask_for_place(const struct fg_host *h, struct fg_step *s)
{
	fg_node input = input_of(h, s);
	fg_node body = h->object(s);

	h->put(s, body, "/filename", filename_of(h, s, input));
	h->put(s, body, "/content_type", h->at(s, input, "/media_type"));
	h->put(s, body, "/size_bytes", h->at(s, input, "/size_bytes"));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = HEYGEN_PHASE_PLACE,
					  .body_kind = FG_BODY_JSON, .method = "POST", .auth = "key", .body = body,
					  .url = h->path(s, HEYGEN_ASSETS "/direct-uploads", FG_ABSENT, FG_ABSENT)));
}

/* What says how the message travels: the daemon sends these itself, and the same. */
static int is_daemons(struct fg_text name)
{
	return fg_text_is(name, "content-length") || fg_text_is(name, "host");
}

/* HeyGen's headers verbatim; those of the daemon among them are left out. A name that is none stays out. */
static fg_node headers_of(const struct fg_host *h, struct fg_step *s, fg_node given)
{
	fg_node headers = h->object(s);
	char pointer[NAME_SIZE + 2] = "/";

	for (uint64_t n = 0; n < h->count(s, given); n++) {
		struct fg_text name = h->key(s, given, n);

		if (is_daemons(name) || name.size == 0 || name.size > NAME_SIZE || memchr(name.data, '~', name.size))
			continue;
		memcpy(pointer + 1, name.data, name.size);
		pointer[name.size + 1] = '\0';
		h->put(s, headers, pointer, h->item(s, given, n));
	}
	return headers;
}

static int32_t fill_place(const struct fg_host *h, struct fg_step *s, fg_node data)
{
	h->put(s, h->state(s), "/asset_id", h->at(s, data, "/asset_id"));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = HEYGEN_PHASE_FILLED,
					  .body_kind = FG_BODY_MEDIA, .method = "PUT", .timeout_ms = UPLOAD_MS,
					  .body = input_of(h, s),
					  .headers = headers_of(h, s, h->at(s, data, "/upload_headers")),
					  .url = h->link(s, h->at(s, data, "/upload_url"), FG_ABSENT)));
}

static int32_t complete(const struct fg_host *h, struct fg_step *s)
{
	return h->exchange(s,
			   FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = HEYGEN_PHASE_COMPLETE,
				       .body_kind = FG_BODY_JSON, .method = "POST", .auth = "key", .body = h->object(s),
				       .url = h->path(s, HEYGEN_ASSETS "/{asset_id}/complete",
						      h->document(s, FG_DOC_STATE), FG_ABSENT)));
}

static int32_t report(const struct fg_host *h, struct fg_step *s, fg_node asset_id)
{
	fg_node out = h->object(s);

	h->put(s, out, "/handle", asset_id);
	return h->report(s, out);
}

static int is_success(const struct fg_host *h, struct fg_step *s)
{
	return h->status(s) >= 200 && h->status(s) < 300;
}

static int32_t refuse(const struct fg_host *h, struct fg_step *s)
{
	struct heygen_problem problem = heygen_problem_of_reply(h, s);

	return heygen_answer_problem(h, s, &problem);
}

/* Only of this way: a place that ran out, or that nobody knows any more, is asked for anew. */
static int32_t begin_again(const struct fg_host *h, struct fg_step *s, const char *why)
{
	return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE, .bought = FG_BOUGHT_NONE,
					.message = fg_text_of(why)));
}

/* Not HeyGen but the storage speaks, and not in JSON. */
static int32_t read_filled(const struct fg_host *h, struct fg_step *s)
{
	if (is_success(h, s))
		return complete(h, s);
	if (h->status(s) == 413)
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_INVALID_INPUT, .bought = FG_BOUGHT_NONE,
					       .message = fg_text_of("HeyGen's storage takes no file so large")));
	return begin_again(h, s, "HeyGen's storage did not take the file");
}

static int32_t read_complete(const struct fg_host *h, struct fg_step *s)
{
	if (is_success(h, s))
		return report(h, s, h->at(s, h->document(s, FG_DOC_STATE), "/asset_id"));
	if (h->status(s) == 404 || h->status(s) == 409)
		return begin_again(h, s, "HeyGen did not find the file that was put into its storage");
	return refuse(h, s);
}

int32_t heygen_upload(const struct fg_host *h, struct fg_step *s)
{
	fg_node data = h->at(s, h->document(s, FG_DOC_REPLY), "/data");
	fg_node asset_id = h->at(s, data, "/asset_id");
	int is_large = h->integer(s, h->at(s, input_of(h, s), "/size_bytes"), 0) > SIMPLE_BYTES;
	int has_asset = is_success(h, s) && h->text(s, asset_id).size;

	switch (h->phase(s)) {
	case 0:
		return is_large ? ask_for_place(h, s) : send_parts(h, s);
	case HEYGEN_PHASE_PLACE:
		if (has_asset && h->link(s, h->at(s, data, "/upload_url"), FG_ABSENT) != FG_ABSENT)
			return fill_place(h, s, data);
		return refuse(h, s);
	case HEYGEN_PHASE_FILLED:
		return read_filled(h, s);
	case HEYGEN_PHASE_COMPLETE:
		return read_complete(h, s);
	default:
		return has_asset ? report(h, s, asset_id) : refuse(h, s);
	}
}
