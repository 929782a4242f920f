/*
 * Plugins that do what none may, one per build: BAD_… chooses.
 */
#include <filmgate/provider.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x

static const char manifest[] = "{\"name\":\"" TEXT(
	BAD_NAME) "\",\"version\":\"1\",\"abi\":0,"
		  "\"base_url\":\"https://api.example.com\","
#ifdef BAD_RULES
		  "\"models\":[{\"name\":\"m\",\"parameters\":{\"prompt\":{\"required\":true}},\"rules\":"
		  "[{\"then\":{\"prompt\":{\"forbidden\":true}},\"message\":\"never\"}]}]}";
#elif defined(BAD_BRINGS)
		  "\"requires\":[\"upload\",\"media_body\"],\"models\":[{\"name\":\"m\",\"parameters\":{},\"media\":[{\"role\":"
		  "\"source\",\"kind\":\"image\",\"min\":1,\"forms\":[\"asset\"]}]}]}";
#elif defined(BAD_MANIFEST)
		  "\"models\":[{\"name\":\"m\",\"parameters\":{\"duration_ms\":{\"stp\":1}}}]}";
#else
		  "\"models\":[{\"name\":\"m\",\"parameters\":{\"prompt\":{}}}]}";
#endif

#if defined(BAD_BORN_DEAD) || defined(BAD_BORN_SLOW) || defined(BAD_BORN_GONE)
__attribute__((constructor)) static void be_born(void)
{
#ifdef BAD_BORN_DEAD
	raise(SIGSEGV);
#elif defined(BAD_BORN_SLOW)
	for (;;)
		pause();
#else
	exit(0);
#endif
}
#endif

/* Orders with the handle of its file, and loses its tongue when a large one was brought. */
#ifdef BAD_BRINGS
static int32_t upload(const struct fg_host *h, struct fg_step *s)
{
	fg_node input = h->at(s, h->document(s, FG_DOC_STEP), "/input");

	if (h->phase(s) == 0)
		return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_IDEMPOTENT, .phase = 1, .method = "PUT",
						  .body_kind = FG_BODY_MEDIA, .body = input,
						  .url = h->path(s, "/up", FG_ABSENT, FG_ABSENT)));
	if (h->integer(s, h->at(s, input, "/size_bytes"), 0) > 1000000)
		return 0;
	return h->failed(s, FG_FAILURE(.bought = FG_BOUGHT_NONE));
}

static int32_t order(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	h->put_media(s, body, "/image", h->media(s, "source", 0), FG_MEDIA_HANDLE);
	return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS, .phase = 1, .method = "POST", .body = body,
					  .body_kind = FG_BODY_JSON, .url = h->path(s, "/v1", FG_ABSENT, FG_ABSENT)));
}
#endif

/* Looks a lost order up, and loses its tongue when another job is there. */
#ifdef BAD_LOOKS
static int32_t reconcile(const struct fg_host *h, struct fg_step *s)
{
	fg_node step = h->document(s, FG_DOC_STEP);

	if (h->phase(s) == 0)
		return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = 1, .method = "GET",
						  .url = h->path(s, "/v1", FG_ABSENT, FG_ABSENT)));
	if (h->count(s, h->at(s, step, "/sends")) != 1)
		return h->failed(s, FG_FAILURE(.bought = FG_BOUGHT_UNKNOWN));
	return h->count(s, h->at(s, step, "/others")) ? 0 : h->unknown(s);
}
#endif

static int32_t start(const struct fg_host *h, struct fg_step *s)
{
#ifdef BAD_BRINGS
	if (h->phase(s) == 0)
		return order(h, s);
#endif
	if (h->phase(s) == 0)
		return h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_BUYS, .phase = 1, .method = "POST",
						  .url = h->path(s, "/v1", FG_ABSENT, FG_ABSENT)));
#ifdef BAD_CRASH
	raise(SIGSEGV);
#elif defined(BAD_HANG)
	for (;;)
		pause();
#elif defined(BAD_EXIT)
	exit(3);
#elif defined(BAD_MEMORY)
	static uint32_t calls;

	return h->failed(s, FG_FAILURE(.retry_after_ms = ++calls, .bought = FG_BOUGHT_NONE));
#elif defined(BAD_SILENT)
	return 0;
#endif
	return h->failed(s, FG_FAILURE(.bought = FG_BOUGHT_NONE));
}

static int32_t poll(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
}

static const struct fg_plugin plugin = {
	.struct_size = sizeof(plugin),
	.manifest = manifest,
	.manifest_size = sizeof(manifest) - 1,
	.start = start,
	.poll = poll,
#ifdef BAD_BRINGS
	.upload = upload,
#elif defined(BAD_LOOKS)
	.reconcile = reconcile,
#endif
};

#ifdef BAD_LOUD
FG_EXPORT int another_symbol;
int another_symbol = 1;
#endif

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
