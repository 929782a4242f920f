/*
 * A plugin that asks the host one question after the other and reports the answers, and that builds each kind of body.
 */
#include "fg_manifest.h"

#include <filmgate/provider.h>

static fg_node text(const struct fg_host *h, struct fg_step *s, struct fg_text value)
{
	return h->make_text(s, value);
}

static void read_values(const struct fg_host *h, struct fg_step *s, fg_node out)
{
	fg_node reply = h->document(s, FG_DOC_REPLY), list = h->at(s, reply, "/list");

	h->put_integer(s, out, "/kind_list", h->kind(s, list));
	h->put_integer(s, out, "/count", (int64_t)h->count(s, list));
	h->put(s, out, "/third", h->item(s, list, 2));
	h->put(s, out, "/first", h->item(s, list, 0));
	h->put(s, out, "/beyond", h->item(s, list, 3));
	h->put(s, out, "/second_name", text(h, s, h->key(s, reply, 1)));
	h->put(s, out, "/seed", text(h, s, h->text(s, h->at(s, reply, "/seed"))));
	h->put_integer(s, out, "/seed_as_integer", h->integer(s, h->at(s, reply, "/seed"), -1));
	h->put_integer(s, out, "/micros", h->decimal(s, h->at(s, reply, "/price"), 6, -1));
	h->put_boolean(s, out, "/yes", h->boolean(s, h->at(s, reply, "/yes"), 0));
	h->put_boolean(s, out, "/off", h->boolean(s, h->at(s, reply, "/off"), 1));
	h->put_boolean(s, out, "/absent", h->boolean(s, h->at(s, reply, "/nowhere"), 1));
	h->put_integer(s, out, "/instant", h->time_ms(s, h->at(s, reply, "/instant"), -1));
	h->put_integer(s, out, "/seconds", h->time_ms(s, h->at(s, reply, "/seconds"), -1));
	h->put_integer(s, out, "/fraction", h->time_ms(s, h->at(s, reply, "/fraction"), -1));
	h->put_integer(s, out, "/no_instant", h->time_ms(s, h->at(s, reply, "/list"), -1));
	h->put(s, out, "/expires", h->query(s, h->at(s, reply, "/url"), "Expires"));
	h->put(s, out, "/signature", h->query(s, h->at(s, reply, "/url"), "Sig"));
	h->put(s, out, "/no_query", h->query(s, h->at(s, reply, "/url"), "sig"));
	h->put_integer(s, out, "/retry_after_ms", (int64_t)h->retry_after_ms(s));
	h->put(s, out, "/header", text(h, s, h->header(s, "x-multi")));
	h->put(s, out, "/no_header", text(h, s, h->header(s, "x-none")));
}

static void write_values(const struct fg_host *h, struct fg_step *s, fg_node out)
{
	fg_node reply = h->document(s, FG_DOC_REPLY), parts = h->array(s), values = h->object(s), query = h->object(s);

	h->append(s, parts, h->make_integer(s, 1280));
	h->append(s, parts, h->make_integer(s, 720));
	h->put(s, out, "/size", h->join(s, parts, "x"));
	h->put(s, out, "/duration", h->make_decimal(s, 5500, 3));
	h->put(s, out, "/cut", h->cut(s, h->at(s, reply, "/long"), 3));
	h->put(s, out, "/uncut", h->cut(s, h->at(s, reply, "/long"), 5));
	h->put(s, values, "/deep", reply);
	h->put_text(s, values, "/name", "a/b c");
	h->put_text(s, query, "/q", "x&y");
	h->put(s, query, "/n", parts);
	h->put(s, out, "/path", h->path(s, "/p/{name}/{/deep/list/1}:go", values, query));
	h->put(s, out, "/elsewhere", h->path(s, "https://other.example/p", FG_ABSENT, FG_ABSENT));
	h->put(s, out, "/link", h->link(s, h->at(s, reply, "/url"), query));
	h->put(s, out, "/relative", h->link(s, h->at(s, reply, "/relative"), FG_ABSENT));
	h->put(s, out, "/no_link", h->link(s, h->at(s, reply, "/bucket"), FG_ABSENT));
	h->put(s, out, "/step", h->document(s, FG_DOC_STEP));
}

static int32_t account(const struct fg_host *h, struct fg_step *s)
{
	fg_node out = h->object(s);

	read_values(h, s, out);
	write_values(h, s, out);
	return h->report(s, out);
}

static fg_node part(const struct fg_host *h, struct fg_step *s, const char *name, fg_node value)
{
	fg_node made = h->object(s);

	h->put_text(s, made, "/name", name);
	h->put(s, made, "/value", value);
	return made;
}

static int32_t send(const struct fg_host *h, struct fg_step *s, uint32_t kind, fg_node body, const char *type)
{
	fg_node headers = h->object(s);

	h->put_text(s, headers, "/Content-Type", type);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS, .phase = 1, .method = "POST", .body_kind = kind,
					  .body = body, .headers = headers,
					  .url = h->path(s, "/x", FG_ABSENT, FG_ABSENT)));
}

static int32_t start(const struct fg_host *h, struct fg_step *s)
{
	fg_node prompt = h->at(s, h->document(s, FG_DOC_JOB), "/parameters/prompt");
	fg_node form = h->object(s), parts = h->array(s), file = part(h, s, "meta\"data", form);

	h->note(s, FG_NOTE_ADJUSTED, "/parameters/duration_ms", "5.5 s became 6 s");
	h->put(s, form, "/prompt", prompt);
	h->put_integer(s, form, "/n", 2);
	h->put_boolean(s, form, "/audio", 1);
	if (h->is(s, prompt, "form"))
		return send(h, s, FG_BODY_FORM, form, 0);
	if (h->is(s, prompt, "text"))
		return send(h, s, FG_BODY_TEXT, prompt, "text/plain");
	if (h->is(s, prompt, "json"))
		return send(h, s, FG_BODY_JSON, form, "application/vnd.probe+json");
	h->put(s, file, "/value", form);
	h->put_text(s, file, "/filename", "a\r\nb.json");
	h->append(s, parts, part(h, s, "model", h->at(s, form, "/prompt")));
	h->append(s, parts, file);
	return send(h, s, FG_BODY_MULTIPART, parts, 0);
}

static int32_t poll(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_QUEUED, .after_ms = 700, .has = FG_WAIT_HAS_QUEUE_POSITION));
}

static const struct fg_plugin plugin = {
	.struct_size = sizeof(plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = start,
	.poll = poll,
	.account = account,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
