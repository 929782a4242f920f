/*
 * A well-behaved plugin for a provider that does not exist. It uses what real ones use, in the way that a newcomer
 * would copy, and is built exactly as plugins are.
 */
#include "fg_manifest.h"

#include <filmgate/provider.h>

enum { BEGIN, READ_REPLY };

static struct fg_text say(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->text(s, h->at(s, h->document(s, FG_DOC_REPLY), pointer));
}

static int32_t refused(const struct fg_host *h, struct fg_step *s)
{
	uint32_t status = h->status(s);

	if (status == 429)
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_RATE_LIMITED, .bought = FG_BOUGHT_NONE));
	if (status >= 500)
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE, .message = h->body_text(s)));
	return h->failed(s, FG_FAILURE(.reason = status == 402 ? FG_REASON_NO_CREDIT : FG_REASON_INVALID_INPUT,
				       .bought = FG_BOUGHT_NONE, .code = say(h, s, "/error/code"),
				       .message = say(h, s, "/error/message")));
}

static int32_t order(const struct fg_host *h, struct fg_step *s)
{
	fg_node parameters = h->at(s, h->document(s, FG_DOC_JOB), "/parameters");
	fg_node step = h->document(s, FG_DOC_STEP);
	fg_node body = h->object(s), headers = h->object(s);
	int64_t duration_ms = h->integer(s, h->at(s, parameters, "/duration_ms"), 0);

	h->put(s, body, "/prompt", h->at(s, parameters, "/prompt"));
	h->put(s, body, "/seed", h->at(s, parameters, "/seed"));
	h->put(s, body, "/region", h->at(s, h->document(s, FG_DOC_ACCOUNT), "/options/region"));
	if (duration_ms)
		h->put(s, body, "/input/duration", h->make_decimal(s, duration_ms, 3));
	if (h->at(s, parameters, "/audio"))
		h->put_boolean(s, body, "/input/audio", h->boolean(s, h->at(s, parameters, "/audio"), 0));
	h->put_media(s, body, "/input/image", h->media(s, "first_frame", 0), FG_MEDIA_URL);
	h->put_extras(s, body, "/input");
	h->put(s, headers, "/Idempotency-Key", h->at(s, step, "/idempotency_key"));
	h->put(s, h->state(s), "/model", h->at(s, h->document(s, FG_DOC_JOB), "/model"));
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS_WITH_KEY, .phase = READ_REPLY, .method = "POST",
					  .auth = "key", .body_kind = FG_BODY_JSON, .body = body, .headers = headers,
					  .timeout_ms = 90000, .url = h->path(s, "/v1/clips", FG_ABSENT, FG_ABSENT)));
}

static int32_t start(const struct fg_host *h, struct fg_step *s)
{
	fg_node id = h->at(s, h->document(s, FG_DOC_REPLY), "/id"), remotes = h->array(s), remote = h->object(s);

	if (h->phase(s) == BEGIN)
		return order(h, s);
	if (h->status(s) >= 300)
		return refused(h, s);
	if (!id)
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_PROVIDER_FAULT, .bought = FG_BOUGHT_UNKNOWN));
	h->put(s, remote, "/id", id);
	h->put_text(s, remote, "/kind", "clip");
	h->append(s, remotes, remote);
	h->put(s, h->state(s), "/id", id);
	h->put(s, h->state(s), "/status_url", h->at(s, h->document(s, FG_DOC_REPLY), "/status_url"));
	return h->accepted(s,
			   FG_ACCEPTED(.stage = FG_STAGE_QUEUED, .remotes = remotes, .status = say(h, s, "/status")));
}

static int32_t finished(const struct fg_host *h, struct fg_step *s)
{
	fg_node reply = h->document(s, FG_DOC_REPLY), outputs = h->array(s), output = h->object(s), cost = h->object(s);

	h->put_text(s, output, "/role", "video");
	h->put(s, output, "/url", h->at(s, reply, "/url"));
	h->put(s, output, "/auth", h->at(s, reply, "/auth"));
	h->put_text(s, output, "/media_type", "video/mp4");
	if (h->at(s, reply, "/expires_at"))
		h->put_integer(s, output, "/expires_at_ms", h->time_ms(s, h->at(s, reply, "/expires_at"), 0));
	h->append(s, outputs, output);
	if (!h->at(s, reply, "/cost"))
		return h->done(s, FG_DONE(.outputs = outputs));
	h->put_integer(s, cost, "/amount_micros", h->decimal(s, h->at(s, reply, "/cost"), 6, 0));
	h->put_text(s, cost, "/currency", "USD");
	h->put_text(s, cost, "/source", "provider");
	return h->done(s, FG_DONE(.outputs = outputs, .cost = cost));
}

static int32_t poll(const struct fg_host *h, struct fg_step *s)
{
	fg_node state = h->document(s, FG_DOC_STATE), reply = h->document(s, FG_DOC_REPLY);
	fg_node link = h->link(s, h->at(s, state, "/status_url"), FG_ABSENT);

	if (h->phase(s) == BEGIN)
		return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = READ_REPLY, .method = "GET",
						  .auth = "key",
						  .url = link ? link : h->path(s, "/v1/clips/{id}", state, FG_ABSENT)));
	if (h->status(s) == 404)
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_LOST, .bought = FG_BOUGHT_UNKNOWN));
	if (h->status(s) != 200)
		return h->trouble(s, FG_FAILURE(.reason = FG_REASON_UNAVAILABLE));
	if (h->is(s, h->at(s, reply, "/status"), "failed"))
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_MODERATED, .bought = FG_BOUGHT_MADE,
					       .message = say(h, s, "/message")));
	if (h->is(s, h->at(s, reply, "/status"), "done"))
		return finished(h, s);
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING, .status = say(h, s, "/status"),
				  .has = h->at(s, reply, "/progress") ? FG_WAIT_HAS_PROGRESS : 0,
				  .progress_permille = (uint32_t)h->integer(s, h->at(s, reply, "/progress"), 0) * 10));
}

static int32_t cancel(const struct fg_host *h, struct fg_step *s)
{
	if (h->phase(s) == BEGIN)
		return h->exchange(
			s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = READ_REPLY, .method = "DELETE",
				       .auth = "key",
				       .url = h->path(s, "/v1/clips/{id}", h->document(s, FG_DOC_STATE), FG_ABSENT)));
	if (h->status(s) == 409)
		return h->cancelled(s, FG_CANCELLED(.achieved = FG_CANCEL_TOO_LATE, .bought = FG_BOUGHT_MADE));
	return h->cancelled(s, FG_CANCELLED(.achieved = FG_CANCEL_ACHIEVED, .bought = FG_BOUGHT_MADE));
}

static int32_t reconcile(const struct fg_host *h, struct fg_step *s)
{
	fg_node query = h->object(s), list = h->at(s, h->document(s, FG_DOC_REPLY), "/clips");
	fg_node key = h->at(s, h->document(s, FG_DOC_STEP), "/idempotency_key"), remotes = h->array(s);

	h->put(s, query, "/key", key);
	if (h->phase(s) == BEGIN)
		return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = READ_REPLY, .method = "GET",
						  .auth = "key", .url = h->path(s, "/v1/clips", FG_ABSENT, query)));
	if (h->kind(s, list) != FG_KIND_ARRAY)
		return h->unknown(s);
	if (h->count(s, list) == 0)
		return h->absent(s);
	h->put(s, h->state(s), "/id", h->at(s, h->item(s, list, 0), "/id"));
	h->append(s, remotes, h->item(s, list, 0));
	return h->accepted(s, FG_ACCEPTED(.remotes = remotes));
}

static int32_t account(const struct fg_host *h, struct fg_step *s)
{
	fg_node report = h->object(s), amount = h->array(s);

	if (h->phase(s) == BEGIN)
		return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = READ_REPLY, .method = "GET",
						  .auth = "basic", .url = h->path(s, "/v1/me", FG_ABSENT, FG_ABSENT)));
	if (h->status(s) == 401)
		return h->failed(s, FG_FAILURE(.reason = FG_REASON_AUTH));
	h->append(s, amount, h->at(s, h->document(s, FG_DOC_REPLY), "/balance"));
	h->append(s, amount, h->at(s, h->document(s, FG_DOC_REPLY), "/currency"));
	h->put(s, report, "/balance", h->join(s, amount, " "));
	return h->report(s, report);
}

static const struct fg_plugin plugin = {
	.struct_size = sizeof(plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = start,
	.poll = poll,
	.cancel = cancel,
	.reconcile = reconcile,
	.account = account,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
