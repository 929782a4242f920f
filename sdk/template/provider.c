/*
 * Filmgate's plugin for Your Provider. Each function is asked for one step and gives one answer; the daemon does the
 * rest. Begin with the names and paths of your provider, then with what its refusals mean.
 */
#include "fg_manifest.h"

#include <filmgate/provider.h>

enum { BEGIN, READ_REPLY }; /* phases: 0 begins a verb, the others read the reply of an exchange */

static struct fg_text reply_text(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->text(s, h->at(s, h->document(s, FG_DOC_REPLY), pointer));
}

/* Refusals with a code of their own; a status decides where there is none. What a server or a gateway says when it gave
 * up is no refusal, whatever stands in it: the order may have been taken. */
static uint32_t reason_of(const struct fg_host *h, struct fg_step *s)
{
	fg_node code = h->at(s, h->document(s, FG_DOC_REPLY), "/error/code");
	uint32_t status = h->status(s);

	if (status >= 500 || status == 408 || status == 409 || status == 499)
		return FG_REASON_UNAVAILABLE;
	if (h->is(s, code, "content_policy"))
		return FG_REASON_MODERATED;
	if (h->is(s, code, "insufficient_credit") || status == 402)
		return FG_REASON_NO_CREDIT;
	if (status == 401 || status == 403)
		return FG_REASON_AUTH;
	if (status == 429)
		return FG_REASON_RATE_LIMITED;
	return status >= 400 ? FG_REASON_INVALID_INPUT : FG_REASON_UNAVAILABLE;
}

/* The order was not taken. A throttle is no failure: the daemon waits and orders again. */
static int32_t refused(const struct fg_host *h, struct fg_step *s)
{
	uint32_t reason = reason_of(h, s);

	if (reason == FG_REASON_UNAVAILABLE) /* nobody knows whether it was bought */
		return h->trouble(s, FG_FAILURE(.reason = reason, .bought = FG_BOUGHT_UNKNOWN,
						.message = h->body_text(s)));
	if (reason == FG_REASON_RATE_LIMITED || reason == FG_REASON_AUTH)
		return h->trouble(s, FG_FAILURE(.reason = reason, .bought = FG_BOUGHT_NONE,
						.message = reply_text(h, s, "/error/message")));
	return h->failed(s,
			 FG_FAILURE(.reason = reason, .bought = FG_BOUGHT_NONE, .code = reply_text(h, s, "/error/code"),
				    .message = reply_text(h, s, "/error/message")));
}

static int32_t order(const struct fg_host *h, struct fg_step *s)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");
	fg_node body = h->object(s), headers = h->object(s);
	int64_t duration_ms = h->integer(s, h->at(s, parameters, "/duration_ms"), 5000);

	h->put(s, body, "/model", h->at(s, h->document(s, FG_DOC_JOB), "/model"));
	h->put(s, body, "/prompt", h->at(s, parameters, "/prompt"));
	h->put(s, body, "/duration", h->make_decimal(s, duration_ms, 3));
	h->put(s, body, "/resolution", h->at(s, parameters, "/resolution")); /* absent: nothing is written */
	h->put(s, body, "/seed", h->at(s, parameters, "/seed"));
	h->put_media(s, body, "/image_url", h->media(s, "first_frame", 0), FG_MEDIA_URL);
	h->put(s, headers, "/Idempotency-Key", h->at(s, h->document(s, FG_DOC_STEP), "/idempotency_key"));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS_WITH_KEY, .phase = READ_REPLY, .method = "POST",
					  .auth = "key", .body_kind = FG_BODY_JSON, .body = body, .headers = headers,
					  .url = h->path(s, "/v1/videos", FG_ABSENT, FG_ABSENT)));
}

static int32_t start(const struct fg_host *h, struct fg_step *s)
{
	fg_node id = h->at(s, h->document(s, FG_DOC_REPLY), "/id"), remotes = h->array(s), remote = h->object(s);

	if (h->phase(s) == BEGIN)
		return order(h, s);
	if (h->status(s) >= 300)
		return refused(h, s);
	if (h->text(s, id).size == 0) /* taken, but as what? */
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE, .bought = FG_BOUGHT_UNKNOWN));
	h->put(s, remote, "/id", id);
	h->append(s, remotes, remote);
	return h->accepted(s, FG_ACCEPTED(.stage = FG_STAGE_QUEUED, .remotes = remotes,
					  .status = reply_text(h, s, "/status")));
}

/* A call about the video that the step names: GET asks for it, DELETE cancels it. */
static int32_t about(const struct fg_host *h, struct fg_step *s, const char *method, uint32_t effect)
{
	return h->exchange(
		s, FG_EXCHANGE(.effect = effect, .phase = READ_REPLY, .method = method, .auth = "key",
			       .url = h->path(s, "/v1/videos/{/remote/id}", h->document(s, FG_DOC_STEP), FG_ABSENT)));
}

static int32_t finished(const struct fg_host *h, struct fg_step *s)
{
	fg_node reply = h->document(s, FG_DOC_REPLY), outputs = h->array(s), output = h->object(s);
	fg_node url = h->link(s, h->at(s, reply, "/video_url"), FG_ABSENT);

	if (!url) /* done, and no link: ask again */
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE));
	h->put_text(s, output, "/role", "video");
	h->put(s, output, "/url", url);
	h->append(s, outputs, output);
	return h->done(s, FG_DONE(.outputs = outputs));
}

static int32_t poll(const struct fg_host *h, struct fg_step *s)
{
	fg_node status = h->at(s, h->document(s, FG_DOC_REPLY), "/status");

	if (h->phase(s) == BEGIN)
		return about(h, s, "GET", FG_EFFECT_SAFE);
	if (h->status(s) == 404) /* perhaps a list that lags: it is asked again, until the job's deadline */
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_NOT_FOUND));
	if (h->status(s) != 200) /* only this question failed, not the job */
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE));
	if (h->is(s, status, "failed"))
		return h->failed(s, FG_FAILURE(.reason = h->is(s, h->at(s, h->document(s, FG_DOC_REPLY), "/error/code"),
							       "content_policy")
								 ? FG_REASON_MODERATED
								 : FG_REASON_PROVIDER_FAULT,
					       .bought = FG_BOUGHT_UNKNOWN, .code = reply_text(h, s, "/error/code"),
					       .message = reply_text(h, s, "/error/message")));
	if (h->is(s, status, "completed"))
		return finished(h, s);
	return h->wait(s, FG_WAIT(.stage = h->is(s, status, "queued") ? FG_STAGE_QUEUED : FG_STAGE_RUNNING,
				  .status = h->text(s, status)));
}

static int32_t cancel(const struct fg_host *h, struct fg_step *s)
{
	if (h->phase(s) == BEGIN)
		return about(h, s, "DELETE", FG_EFFECT_IDEMPOTENT);
	if (h->status(s) == 409)
		return h->cancelled(s, FG_CANCELLED(.achieved = FG_CANCEL_TOO_LATE, .bought = FG_BOUGHT_MADE));
	return h->cancelled(s, FG_CANCELLED(.achieved = h->status(s) < 300 ? FG_CANCEL_ACHIEVED : FG_CANCEL_UNKNOWN));
}

/* That it comes from the provider is checked. What it says of the video is not believed: poll is asked. */
static int32_t webhook(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text id = reply_text(h, s, "/video/id");

	if (id.size == 0 || id.size > 255)
		return h->respond(s, FG_RESPONSE(.status = 204));
	return h->hint(s, FG_RESPONSE(.status = 204, .remote_id = id));
}

static const struct fg_plugin plugin = {
	.struct_size = sizeof(plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = start,
	.poll = poll,
	.cancel = cancel,
	.webhook = webhook,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
