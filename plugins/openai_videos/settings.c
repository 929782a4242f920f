/*
 * What the operator configured.
 */
#include "openai_videos.h"

#define ABSENCE_MOST_S 86400 /* for longer the daemon looks for no lost order */

/* Where the key goes. The schemes of the manifest have the same names. */
static const char *const schemes[] = {"bearer", "api-key", "x-litellm-api-key"};

fg_node openai_option(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	fg_node value = h->at(s, h->at(s, h->document(s, FG_DOC_ACCOUNT), "/options"), pointer);

	return h->kind(s, value) == FG_KIND_BOOLEAN || h->text(s, value).size ? value : FG_ABSENT;
}

int openai_is_openrouter(const struct fg_host *h, struct fg_step *s)
{
	return h->is(s, openai_option(h, s, "/dialect"), "openrouter");
}

int openai_is_multipart(const struct fg_host *h, struct fg_step *s)
{
	return h->is(s, openai_option(h, s, "/submit"), "multipart");
}

const char *openai_auth(const struct fg_host *h, struct fg_step *s)
{
	fg_node name = openai_option(h, s, "/auth");

	for (size_t i = 1; i < OPENAI_COUNT(schemes); i++)
		if (h->is(s, name, schemes[i]))
			return schemes[i];
	return schemes[0];
}

static int is_one_of(const struct fg_host *h, struct fg_step *s, fg_node node, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (h->is(s, node, words[i]))
			return 1;
	return 0;
}

/* The option is @pointer without its slash. */
static struct fg_text other_word(const struct fg_host *h, struct fg_step *s, const char *pointer, const char *choices)
{
	fg_node words = h->array(s);

	h->append(s, words, h->make_text(s, fg_text_of("the option '")));
	h->append(s, words, h->make_text(s, fg_text_of(pointer + 1)));
	h->append(s, words, h->make_text(s, fg_text_of("' of the provider is '")));
	h->append(s, words, openai_option(h, s, pointer));
	h->append(s, words, h->make_text(s, fg_text_of("', and takes ")));
	h->append(s, words, h->make_text(s, fg_text_of(choices)));
	return h->text(s, h->join(s, words, ""));
}

/* Negative: more or less than it may be, or no whole number. */
static int64_t absence_after_s(const struct fg_host *h, struct fg_step *s)
{
	fg_node option = openai_option(h, s, "/absence_after_s");
	int64_t after_s = option == FG_ABSENT ? 0 : h->integer(s, option, -1);

	return after_s <= ABSENCE_MOST_S ? after_s : -1;
}

int64_t openai_absence_after_s(const struct fg_host *h, struct fg_step *s)
{
	int64_t after_s = absence_after_s(h, s);

	return after_s < 0 ? 0 : after_s;
}

struct fg_text openai_complaint(const struct fg_host *h, struct fg_step *s)
{
	static const char *const dialects[] = {"openai", "openrouter"};
	static const char *const forms[] = {"json", "multipart"};

	if (!is_one_of(h, s, openai_option(h, s, "/dialect"), dialects, OPENAI_COUNT(dialects)))
		return other_word(h, s, "/dialect", "openai or openrouter");
	if (!is_one_of(h, s, openai_option(h, s, "/submit"), forms, OPENAI_COUNT(forms)))
		return other_word(h, s, "/submit", "json or multipart");
	if (!is_one_of(h, s, openai_option(h, s, "/auth"), schemes, OPENAI_COUNT(schemes)))
		return other_word(h, s, "/auth", "bearer, api-key or x-litellm-api-key");
	if (absence_after_s(h, s) < 0)
		return fg_text_of("the option 'absence_after_s' of the provider takes whole seconds from 0 to 86400, a "
				  "day: for longer no lost order is looked for");
	if (openai_is_openrouter(h, s) && openai_is_multipart(h, s))
		return fg_text_of(
			"the dialect openrouter takes JSON only: set the option 'submit' of the provider to json");
	if (openai_option(h, s, "/model") == FG_ABSENT)
		return fg_text_of("the option 'model' of the provider is not configured: set it to what the gateway "
				  "calls the model");
	return fg_text_of("");
}

fg_node openai_parameter(const struct fg_host *h, struct fg_step *s, const char *pointer)
{
	return h->at(s, h->at(s, h->document(s, FG_DOC_JOB), "/parameters"), pointer);
}

int64_t openai_now_ms(const struct fg_host *h, struct fg_step *s)
{
	return h->integer(s, h->at(s, h->document(s, FG_DOC_STEP), "/now_ms"), 0);
}
