/*
 * A plugin that carries inputs in every way there is, and in some that there are not: the prompt of the job says which.
 */
#include "fg_manifest.h"

#include <filmgate/provider.h>

static int32_t send(const struct fg_host *h, struct fg_step *s, uint32_t kind, fg_node body, fg_node headers)
{
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS, .phase = 1, .method = "POST", .body_kind = kind,
					  .body = body, .headers = headers,
					  .url = h->path(s, "/x", FG_ABSENT, FG_ABSENT)));
}

static fg_node with(const struct fg_host *h, struct fg_step *s, uint32_t form)
{
	fg_node body = h->object(s);

	h->put(s, body, "/prompt", h->at(s, h->document(s, FG_DOC_JOB), "/parameters/prompt"));
	h->put_media(s, body, "/image", h->media(s, "first_frame", 0), form);
	h->put_media(s, body, "/last", h->media(s, "last_frame", 0), form);
	h->put_text(s, body, "/end", "z");
	return body;
}

static int32_t parts(const struct fg_host *h, struct fg_step *s)
{
	fg_node list = h->array(s), field = h->object(s), file = h->object(s), other = h->object(s);

	h->put_text(s, field, "/name", "model");
	h->put_text(s, field, "/value", "m");
	h->append(s, list, field);
	h->put_text(s, file, "/name", "file");
	h->put(s, file, "/media", h->media(s, "first_frame", 0));
	h->append(s, list, file);
	h->put_text(s, other, "/name", "other");
	h->put_text(s, other, "/filename", "a.bin");
	h->put_text(s, other, "/media_type", "application/octet-stream");
	h->put(s, other, "/media", h->media(s, "first_frame", 0));
	h->append(s, list, other);
	return send(h, s, FG_BODY_MULTIPART, list, FG_ABSENT);
}

static int32_t part_of_both(const struct fg_host *h, struct fg_step *s)
{
	fg_node list = h->array(s), part = h->object(s);

	h->put_text(s, part, "/name", "file");
	h->put_text(s, part, "/value", "x");
	h->put(s, part, "/media", h->media(s, "first_frame", 0));
	h->append(s, list, part);
	return send(h, s, FG_BODY_MULTIPART, list, FG_ABSENT);
}

static int32_t altered(const struct fg_host *h, struct fg_step *s, uint64_t characters)
{
	fg_node body = with(h, s, FG_MEDIA_BASE64);

	h->put(s, body, "/image", h->cut(s, h->at(s, body, "/image"), characters));
	return send(h, s, FG_BODY_JSON, body, FG_ABSENT);
}

static int32_t in_a_url(const struct fg_host *h, struct fg_step *s)
{
	return h->exchange(s, FG_EXCHANGE(.phase = 1, .method = "POST",
					  .url = h->path(s, "/x", FG_ABSENT, with(h, s, FG_MEDIA_BASE64))));
}

/* The first one's handle again and again, then the other's. */
static int32_t often(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	for (int i = 0; i < 100; i++)
		h->put_media(s, body, "/image", h->media(s, "first_frame", 0), FG_MEDIA_HANDLE);
	h->put_media(s, body, "/last", h->media(s, "last_frame", 0), FG_MEDIA_HANDLE);
	return send(h, s, FG_BODY_JSON, body, FG_ABSENT);
}

static int32_t start(const struct fg_host *h, struct fg_step *s)
{
	fg_node prompt = h->at(s, h->document(s, FG_DOC_JOB), "/parameters/prompt");

	if (h->is(s, prompt, "uri"))
		return send(h, s, FG_BODY_JSON, with(h, s, FG_MEDIA_DATA_URI), FG_ABSENT);
	if (h->is(s, prompt, "handle"))
		return send(h, s, FG_BODY_JSON, with(h, s, FG_MEDIA_HANDLE), FG_ABSENT);
	if (h->is(s, prompt, "handles"))
		return often(h, s);
	if (h->is(s, prompt, "parts"))
		return parts(h, s);
	if (h->is(s, prompt, "part_of_both"))
		return part_of_both(h, s);
	if (h->is(s, prompt, "body"))
		return send(h, s, FG_BODY_MEDIA, h->media(s, "first_frame", 0), FG_ABSENT);
	if (h->is(s, prompt, "form"))
		return send(h, s, FG_BODY_FORM, with(h, s, FG_MEDIA_BASE64), FG_ABSENT);
	if (h->is(s, prompt, "header"))
		return send(h, s, FG_BODY_NONE, FG_ABSENT, with(h, s, FG_MEDIA_BASE64));
	if (h->is(s, prompt, "url"))
		return in_a_url(h, s);
	if (h->is(s, prompt, "cut"))
		return altered(h, s, 33);
	if (h->is(s, prompt, "state"))
		h->put(s, h->state(s), "/kept", with(h, s, FG_MEDIA_BASE64));
	return send(h, s, FG_BODY_JSON, with(h, s, FG_MEDIA_BASE64), FG_ABSENT);
}

/* Reports what it is told of its input, once it has sent it. */
static int32_t upload(const struct fg_host *h, struct fg_step *s)
{
	fg_node input = h->at(s, h->document(s, FG_DOC_STEP), "/input"), report = h->object(s);

	if (h->phase(s) == 0)
		return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = 1, .method = "PUT",
						  .body_kind = FG_BODY_MEDIA, .body = input,
						  .url = h->path(s, "/up", FG_ABSENT, FG_ABSENT)));
	if (h->phase(s) == 2)
		return h->exchange(s, FG_EXCHANGE(.phase = 1, .method = "PUT", .body_kind = FG_BODY_MEDIA,
						  .body = input, .url = h->path(s, "/up", FG_ABSENT, FG_ABSENT)));
	h->put(s, report, "/input", input);
	h->put(s, report, "/handle", h->at(s, h->document(s, FG_DOC_REPLY), "/handle"));
	h->put(s, report, "/expires_at_ms", h->at(s, h->document(s, FG_DOC_REPLY), "/expires"));
	h->put(s, report, "/headers", h->at(s, h->document(s, FG_DOC_REPLY), "/headers"));
	return h->report(s, report);
}

static int32_t poll(const struct fg_host *h, struct fg_step *s)
{
	return send(h, s, FG_BODY_JSON, with(h, s, FG_MEDIA_BASE64), FG_ABSENT);
}

/* Reports what the order's extras say, or writes the order's body first. */
static int32_t check(const struct fg_host *h, struct fg_step *s)
{
	fg_node job = h->document(s, FG_DOC_JOB);

	if (h->is(s, h->at(s, job, "/parameters/prompt"), "asks"))
		return send(h, s, FG_BODY_NONE, FG_ABSENT, FG_ABSENT);
	if (h->is(s, h->at(s, job, "/parameters/prompt"), "troubled"))
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE));
	if (h->is(s, h->at(s, job, "/parameters/prompt"), "bytes"))
		with(h, s, FG_MEDIA_BASE64);
	if (h->is(s, h->at(s, job, "/parameters/prompt"), "handles"))
		with(h, s, FG_MEDIA_HANDLE);
	if (h->at(s, job, "/parameters/extras") == FG_ABSENT)
		return h->report(s, h->object(s));
	return h->report(s, h->at(s, job, "/parameters/extras"));
}

static const struct fg_plugin plugin = {
	.struct_size = sizeof(plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = start,
	.poll = poll,
	.upload = upload,
	.check = check,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
