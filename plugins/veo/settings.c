/*
 * What the operator configured, and the URLs that follow from it.
 */
#include "veo.h"

#include <string.h>

#define DEFAULT_LOCATION "us-central1"
#define DEFAULT_BASE_URL "https://us-central1-aiplatform.googleapis.com"

/* The manifest's models, and the options that say what they are called in a request. */
static const struct {
	const char *model;
	const char *option;
} models[] = {
	{"veo-3.1-generate-001", "/generate_model"},
	{"veo-3.1-fast-generate-001", "/fast_model"},
	{"veo-3.1-lite-generate-001", "/lite_model"},
};

fg_node veo_option(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	fg_node value = h->at(s, h->at(s, h->document(s, FG_DOC_ACCOUNT), "/options"), pointer);

	return h->text(s, value).size ? value : FG_ABSENT;
}

int veo_is_gemini(const struct fg_host *h, struct fg_step *s)
{
	return h->is(s, veo_option(h, s, "/surface"), "gemini");
}

const char *veo_auth(const struct fg_host *h, struct fg_step *s)
{
	return veo_is_gemini(h, s) ? "key" : "google";
}

fg_node veo_model(const struct fg_host *h, struct fg_step *s)
{
	fg_node name = h->at(s, h->document(s, FG_DOC_JOB), "/model");
	fg_node there = FG_ABSENT;

	for (size_t i = 0; i < VEO_COUNT(models); i++)
		if (h->is(s, name, models[i].model))
			there = veo_option(h, s, models[i].option);
	if (name == FG_ABSENT)
		return veo_option(h, s, "/generate_model");
	return there != FG_ABSENT ? there : name;
}

static struct fg_text base_url(const struct fg_host *h, struct fg_step *s)
{
	return h->text(s, h->at(s, h->document(s, FG_DOC_ACCOUNT), "/base_url"));
}

const char *veo_place_complaint(const struct fg_host *h, struct fg_step *s)
{
	if (veo_option(h, s, "/project") == FG_ABSENT)
		return "the option 'project' of the provider is not configured: set it to the Google Cloud project";
	if (veo_option(h, s, "/location") == FG_ABSENT)
		return "the option 'location' of the provider is empty: leave it out, or name one";
	return NULL;
}

static struct fg_text bad_storage(const struct fg_host *h, struct fg_step *s, fg_node storage_uri)
{
	fg_node words = h->array(s);

	h->append(s, words, h->make_text(s, fg_text_of("the option 'storage_uri' of the provider is '")));
	h->append(s, words, storage_uri);
	h->append(s, words, h->make_text(s, fg_text_of("', not of the form gs://bucket or gs://bucket/folder")));
	return h->text(s, h->join(s, words, ""));
}

static struct fg_text vertex_complaint(const struct fg_host *h, struct fg_step *s)
{
	fg_node storage_uri = veo_option(h, s, "/storage_uri");
	const char *complaint = veo_place_complaint(h, s);

	if (complaint)
		return fg_text_of(complaint);
	if (storage_uri != FG_ABSENT && veo_storage_name(h, s, h->text(s, storage_uri)) == FG_ABSENT)
		return bad_storage(h, s, storage_uri);
	if (!h->is(s, veo_option(h, s, "/location"), DEFAULT_LOCATION) && fg_text_is(base_url(h, s), DEFAULT_BASE_URL))
		return fg_text_of("the option 'location' of the provider is not us-central1: set base_url to "
				  "https://LOCATION-aiplatform.googleapis.com, too");
	return fg_text_of("");
}

struct fg_text veo_complaint(const struct fg_host *h, struct fg_step *s)
{
	if (veo_is_gemini(h, s))
		return fg_text_of(
			fg_text_is(base_url(h, s), DEFAULT_BASE_URL)
				? "base_url of the provider is Vertex AI's: with the surface gemini it must name that API"
				: "");
	if (!h->is(s, veo_option(h, s, "/surface"), "vertex"))
		return fg_text_of("the option 'surface' of the provider is neither vertex nor gemini");
	return vertex_complaint(h, s);
}

fg_node veo_model_url(const struct fg_host *h, struct fg_step *s, const char *method)
{
	fg_node values = h->object(s);
	char template[160] = "/v1/projects/{project}/locations/{location}/publishers/google";

	h->put(s, values, "/project", veo_option(h, s, "/project"));
	h->put(s, values, "/location", veo_option(h, s, "/location"));
	h->put(s, values, "/model", veo_model(h, s));
	if (veo_is_gemini(h, s)) {
		template[0] = '\0';
		fg_text_add(template, sizeof(template), "/v1beta");
	}
	fg_text_add(template, sizeof(template), "/models/{model}");
	fg_text_add(template, sizeof(template), method);
	return h->path(s, template, values, FG_ABSENT);
}

fg_node veo_storage_url(const struct fg_host *h, struct fg_step *s, const char *path, fg_node values, fg_node query)
{
	struct fg_text below_base = h->text(s, h->path(s, path, values, query));
	struct fg_text storage = h->text(s, veo_option(h, s, "/storage_url"));
	fg_node parts = h->array(s);

	/* path() escapes what stands in @values, but only knows URLs below base_url: that is cut off again. */
	while (storage.size && storage.data[storage.size - 1] == '/')
		storage.size--;
	h->append(s, parts, h->make_text(s, storage));
	h->append(s, parts, h->make_text(s, fg_text_from(below_base, base_url(h, s).size)));
	return h->link(s, h->join(s, parts, ""), FG_ABSENT);
}

fg_node veo_storage_name(const struct fg_host *h, struct fg_step *s, struct fg_text uri)
{
	struct fg_text bucket = fg_text_from(uri, strlen("gs://"));
	struct fg_text object;
	fg_node name;

	if (!fg_text_begins(uri, "gs://"))
		return FG_ABSENT;
	object = fg_text_from(bucket, fg_text_find(bucket, "/") + 1);
	bucket.size = fg_text_find(bucket, "/");
	if (bucket.size == 0)
		return FG_ABSENT;
	name = h->object(s);
	h->put(s, name, "/bucket", h->make_text(s, bucket));
	if (object.size)
		h->put(s, name, "/object", h->make_text(s, object));
	return name;
}
