/*
 * Inputs that the daemon itself holds: assets. A plugin says where one goes and in which form; it never sees a byte.
 *
 * Where bytes go, the document has a mark: a number that nobody outside this step can know, the asset's place among the
 * step's, and the form. A body is built with its marks like any other text and cut at them at the end. What a resend is
 * compared by, and the boundary between parts, are made of the asset's name in place of the mark: it is the digest of
 * its content.
 */
#include "plugin/step_inside.h"

#include "base/limits.h"

#define MARK_SIZE (STEP_NONCE_SIZE + 5) /* the nonce, four digits, the form */
#define FORM_BASE64 'b'
#define FORM_RAW 'r'

void plugin_media_begin(struct fg_step *s)
{
	char hex[DIGEST_TEXT_SIZE];
	uint8_t seed[PLUGIN_RANDOM_SIZE + 5];
	struct digest digest;

	memcpy(seed, s->input->random, PLUGIN_RANDOM_SIZE);
	memcpy(seed + PLUGIN_RANDOM_SIZE, "media", 5);
	digest = digest_of(bytes_of(seed, sizeof(seed)));
	digest_format(&digest, hex);
	memcpy(s->nonce, hex, STEP_NONCE_SIZE);
}

const struct plugin_asset *plugin_media_asset(const struct fg_step *s, json_node media)
{
	json_node name = json_at(s->json, media, "/asset");

	for (size_t i = 0; name && i < s->input->n_assets; i++)
		if (json_text_is(s->json, name, s->input->assets[i].name))
			return &s->input->assets[i];
	return NULL;
}

static void describe(struct fg_step *s, json_node media)
{
	const struct plugin_asset *asset = plugin_media_asset(s, media);

	if (!asset)
		return;
	json_put(s->json, media, "/media_type", json_make_text(s->json, bytes_of_text(asset->media_type)));
	json_put(s->json, media, "/size_bytes", json_make_integer(s->json, (int64_t)asset->size_bytes));
}

void plugin_media_describe(struct fg_step *s)
{
	json_node parameters = json_at(s->json, s->documents[FG_DOC_JOB], "/parameters");
	json_node list = json_at(s->json, parameters, "/media");

	for (json_node n = json_first(s->json, list); n; n = json_next(s->json, n))
		describe(s, n);
	describe(s, json_at(s->json, parameters, "/script/audio"));
	describe(s, json_at(s->json, parameters, "/background/media"));
}

json_node plugin_media_input(struct fg_step *s)
{
	const struct plugin_asset *asset = s->input->assets;
	json_node input = json_object(s->json);
	const char *type = asset->media_type;

	json_put(s->json, input, "/asset", json_make_text(s->json, bytes_of_text(asset->name)));
	json_put(s->json, input, "/kind", json_make_text(s->json, bytes_of(type, strcspn(type, "/"))));
	json_put(s->json, input, "/sha256",
		 json_make_text(s->json, bytes_of_text(asset->name + strlen(PLUGIN_ASSET_PREFIX))));
	describe(s, input);
	return input;
}

/* The place of a medium in the order, for words to the user. */
static const char *place_of(const struct fg_step *s, json_node media)
{
	const char *role = json_string(s->json, json_at(s->json, media, "/role"));
	const char *kind = json_string(s->json, json_at(s->json, media, "/kind"));

	return *role ? role : *kind ? kind : "medium";
}

/* The asset of @media, whose bytes are to be sent; NULL: why not was said. */
static const struct plugin_asset *bytes_wanted(struct fg_step *s, json_node media, const char *what)
{
	const struct plugin_asset *asset = plugin_media_asset(s, media);
	json_node name = json_at(s->json, media, "/asset");

	if (asset)
		return asset;
	if (s->input->verb != PLUGIN_VERB_START && s->input->verb != PLUGIN_VERB_CHECK)
		step_fault(s, "%s: a step of '%s' has no such input", what, plugin_verb_name(s->input->verb));
	else if (name)
		step_refuse(s, "/parameters/media", "the input '%s' is '%s', and there is no such asset any more",
			    place_of(s, media), json_string(s->json, name));
	else
		step_refuse(s, "/parameters/media",
			    "the input '%s' must be given as an asset: upload the file, then name it in the order",
			    place_of(s, media));
	return NULL;
}

static int append_mark(struct fg_step *s, struct buffer *out, const struct plugin_asset *asset, char form)
{
	return buffer_printf(out, "%.*s%04x%c", STEP_NONCE_SIZE, s->nonce, (unsigned int)(asset - s->input->assets),
			     form);
}

int plugin_media_append_raw(struct fg_step *s, struct buffer *out, json_node media)
{
	const struct plugin_asset *asset = bytes_wanted(s, media, "exchange()");

	return asset ? append_mark(s, out, asset, FORM_RAW) : 0;
}

static json_node inline_text(struct fg_step *s, json_node media, bool is_uri)
{
	const struct plugin_asset *asset = bytes_wanted(s, media, "put_media()");
	int r = 0;

	if (!asset)
		return JSON_ABSENT;
	s->scratch.len = 0;
	if (is_uri)
		r = buffer_printf(&s->scratch, "data:%s;base64,", asset->media_type);
	if (r == 0)
		r = append_mark(s, &s->scratch, asset, FORM_BASE64);
	return step_failed(s, r) ? JSON_ABSENT : json_make_text(s->json, buffer_bytes(&s->scratch));
}

static void want_upload(struct fg_step *s, const struct plugin_asset *asset)
{
	if (!s->input->account->plugin->verbs[PLUGIN_VERB_UPLOAD]) {
		step_fault(s, "put_media(): an asset has a handle only where the plugin has a verb 'upload'");
		return;
	}
	for (size_t i = 0; i < s->n_uploads; i++)
		if (s->uploads[i] == asset)
			return;
	if (s->n_uploads < STEP_UPLOADS)
		s->uploads[s->n_uploads++] = asset;
}

/* Once, however often it is written: no medium's headers are lost behind another's repeats. */
static void note_handle(struct fg_step *s, const struct plugin_asset *asset)
{
	for (size_t i = 0; i < s->n_handles; i++)
		if (s->handles[i] == asset)
			return;
	if (s->n_handles < STEP_UPLOADS)
		s->handles[s->n_handles++] = asset;
}

/* A handle that is not there yet is text all the same: the step ends as a wish for the upload, and is asked again. */
static json_node handle_text(struct fg_step *s, json_node media)
{
	const struct plugin_asset *asset;

	if (!json_at(s->json, media, "/asset"))
		return JSON_ABSENT;
	asset = bytes_wanted(s, media, "put_media()");
	if (!asset)
		return JSON_ABSENT;
	note_handle(s, asset);
	if (!asset->handle)
		want_upload(s, asset);
	return json_make_text(s->json, bytes_of_text(asset->handle ? asset->handle : ""));
}

static json_node given_text(struct fg_step *s, json_node media, uint32_t form)
{
	json_node source = json_at(s->json, media, form == FG_MEDIA_URL ? "/url" : "/provider_handle");

	if (source)
		return json_copy(s->json, s->json, source);
	step_refuse(s, "/parameters/media", "the input '%s' must be given as %s", place_of(s, media),
		    form == FG_MEDIA_URL ? "a URL" : "the provider's own handle");
	return JSON_ABSENT;
}

void host_put_media(struct fg_step *s, fg_node out, const char *pointer, fg_node media, uint32_t form)
{
	json_node made = JSON_ABSENT;

	if (!media || !step_owns(s, media) || !step_may_write(s, out, "put_media()"))
		return;
	switch (form) {
	case FG_MEDIA_URL:
		made = given_text(s, media, form);
		break;
	case FG_MEDIA_HANDLE:
		made = json_at(s->json, media, "/asset") ? handle_text(s, media) : given_text(s, media, form);
		break;
	case FG_MEDIA_DATA_URI:
	case FG_MEDIA_BASE64:
		made = inline_text(s, media, form == FG_MEDIA_DATA_URI);
		break;
	default:
		step_fault(s, "put_media(): there is no form %u", form);
	}
	if (made)
		step_put(s, out, pointer, made, "put_media()");
}

/* ---- cutting at the marks ---- */

struct cut {
	struct bytes before;
	const struct plugin_asset *asset; /* NULL: the rest, in `before` */
	bool is_base64;
};

/* Takes the text up to the next mark, and the mark, off @left. False, and a fault, when the plugin has altered it. */
static bool cut_next(struct fg_step *s, struct bytes *left, struct cut *ret)
{
	const char *data = left->data, *mark = left->len ? memmem(data, left->len, s->nonce, STEP_NONCE_SIZE) : NULL;
	char digits[5] = "", *end = digits, form = '\0';
	unsigned long index = 0;

	*ret = (struct cut){.before = *left};
	if (!mark) {
		*left = bytes_of(NULL, 0);
		return true;
	}
	if ((size_t)(data + left->len - mark) >= MARK_SIZE) {
		memcpy(digits, mark + STEP_NONCE_SIZE, 4);
		index = strtoul(digits, &end, 16);
		form = mark[STEP_NONCE_SIZE + 4];
	}
	if (end != digits + 4 || index >= s->input->n_assets || (form != FORM_RAW && form != FORM_BASE64)) {
		step_fault(s, "exchange(): what put_media() wrote was altered");
		return false;
	}
	ret->before = bytes_of(data, (size_t)(mark - data));
	ret->asset = &s->input->assets[index];
	ret->is_base64 = form == FORM_BASE64;
	*left = bytes_of(mark + MARK_SIZE, left->len - ret->before.len - MARK_SIZE);
	return true;
}

bool plugin_media_is_in(const struct fg_step *s, struct bytes text)
{
	return text.len && memmem(text.data, text.len, s->nonce, STEP_NONCE_SIZE) != NULL;
}

static size_t count_marks(const struct fg_step *s, struct bytes text)
{
	const char *data = text.data, *mark;
	size_t left = text.len, n = 0;

	while (left && (mark = memmem(data, left, s->nonce, STEP_NONCE_SIZE)) != NULL) {
		left -= (size_t)(mark - data) + STEP_NONCE_SIZE;
		data = mark + STEP_NONCE_SIZE;
		n++;
	}
	return n;
}

/* Pieces alternate between an asset and the text behind it. */
void plugin_media_cut(struct fg_step *s, struct bytes whole, struct plugin_exchange *exchange)
{
	size_t n = count_marks(s, whole);
	struct plugin_piece *pieces = n ? plugin_answer_alloc(s->answer, 2 * n, sizeof(*pieces)) : NULL;
	struct cut cut;

	exchange->body = whole;
	if (!pieces || !cut_next(s, &whole, &cut))
		return;
	exchange->body = cut.before;
	exchange->pieces = pieces;
	while (cut.asset) {
		pieces[exchange->n_pieces++] = (struct plugin_piece){
			.asset = plugin_answer_text(s->answer, bytes_of_text(cut.asset->name)),
			.is_base64 = cut.is_base64,
			.size_bytes = cut.asset->size_bytes,
		};
		if (!cut_next(s, &whole, &cut))
			return;
		pieces[exchange->n_pieces++].text = cut.before;
	}
}

void plugin_media_digest(struct fg_step *s, struct digester *digester, struct bytes text)
{
	struct cut cut = {.asset = NULL};

	do {
		if (!cut_next(s, &text, &cut))
			return;
		digester_add(digester, cut.before.data, cut.before.len);
		if (cut.asset)
			digester_add(digester, cut.asset->name, strlen(cut.asset->name));
	} while (cut.asset);
}
