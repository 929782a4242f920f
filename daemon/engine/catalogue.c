/*
 * What a provider offers by id: voices, avatars, … A list is fetched page by page with the plugin's verb catalogue when
 * somebody asks for it and the one in memory is missing or too old. Whoever asks meanwhile waits for the same fetch.
 *
 * The lists are in memory alone: they are the provider's, are fetched in seconds, and cost nothing.
 */
#include "engine/request.h"
#include "engine/verb.h"

#include "base/json.h"
#include "base/quote.h"

#include <ctype.h>
#include <strings.h>
#include <utlist.h>

/* What kept a list from being whole. */
enum cut { CUT_NONE, CUT_ENTRIES, CUT_PAGES, CUT_BYTES };

/* A list of entries in an arena of its own. */
struct entries {
	struct json *json;
	json_node array;
	enum cut cut;
};

struct catalogue {
	struct catalogue *next;
	struct lane *lane;
	const char *kind; /* the manifest's */
	struct entries served;
	int64_t fetched_ms, fetched_monotonic_ms;
	/* The fetch under way. */
	bool is_fetching;
	struct entries coming;
	char *page; /* its `next` */
	uint32_t pages;
	struct asker *askers;
};

struct asker {
	struct loop_message message;
	struct asker *next;
	struct lane *lane;
	const char *kind; /* the manifest's */
	char *language, *query;
	uint32_t offset, limit;
	int64_t max_age_ms;
	engine_catalogue_fn *fn;
	void *userdata;
};

static void entries_finish(struct entries *entries)
{
	entries->json = json_free(entries->json);
	entries->array = JSON_ABSENT;
	entries->cut = CUT_NONE;
}

/* ---- what matches ---- */

static bool is_text_equal(const char *a, const char *b, size_t len)
{
	return strlen(b) == len && strncasecmp(a, b, len) == 0;
}

/* ISO 639-1 and what providers call it. */
static const char *const languages[][2] = {
	{"af", "Afrikaans"}, {"ar", "Arabic"},     {"bg", "Bulgarian"}, {"bn", "Bengali"},    {"ca", "Catalan"},
	{"cs", "Czech"},     {"da", "Danish"},     {"de", "German"},    {"el", "Greek"},      {"en", "English"},
	{"es", "Spanish"},   {"et", "Estonian"},   {"fa", "Persian"},   {"fi", "Finnish"},    {"fil", "Filipino"},
	{"fr", "French"},    {"gu", "Gujarati"},   {"he", "Hebrew"},    {"hi", "Hindi"},      {"hr", "Croatian"},
	{"hu", "Hungarian"}, {"id", "Indonesian"}, {"it", "Italian"},   {"ja", "Japanese"},   {"kn", "Kannada"},
	{"ko", "Korean"},    {"lt", "Lithuanian"}, {"lv", "Latvian"},   {"ml", "Malayalam"},  {"mr", "Marathi"},
	{"ms", "Malay"},     {"nl", "Dutch"},      {"no", "Norwegian"}, {"pl", "Polish"},     {"pt", "Portuguese"},
	{"ro", "Romanian"},  {"ru", "Russian"},    {"sk", "Slovak"},    {"sl", "Slovenian"},  {"sr", "Serbian"},
	{"sv", "Swedish"},   {"sw", "Swahili"},    {"ta", "Tamil"},     {"te", "Telugu"},     {"th", "Thai"},
	{"tr", "Turkish"},   {"uk", "Ukrainian"},  {"ur", "Urdu"},      {"vi", "Vietnamese"}, {"zh", "Chinese"},
};

/* Up to the region: "English (US)" is "en", and whatever is in no row is itself. */
static struct bytes code_of(const char *language)
{
	size_t len = strcspn(language, "-_ (");

	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (is_text_equal(language, languages[i][1], len))
			return bytes_of_text(languages[i][0]);
	return bytes_of(language, len);
}

/* Whoever asks for "en" or "English" gets every kind of it, and whoever asks for "en-US" that one. */
static bool is_language(const char *has, const char *wanted)
{
	struct bytes a = code_of(has), b = code_of(wanted);

	if (wanted[strcspn(wanted, "-_ (")])
		return strcasecmp(has, wanted) == 0;
	return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static bool has_part(const struct json *json, json_node text, const char *part)
{
	return strcasestr(json_string(json, text), part) != NULL;
}

static bool is_wanted(const struct json *json, json_node entry, const struct asker *asker)
{
	json_node tags = json_at(json, entry, "/tags");

	if (asker->language && !is_language(json_string(json, json_at(json, entry, "/language")), asker->language))
		return false;
	if (!asker->query || has_part(json, json_at(json, entry, "/id"), asker->query) ||
	    has_part(json, json_at(json, entry, "/name"), asker->query))
		return true;
	for (json_node n = json_first(json, tags); n; n = json_next(json, n))
		if (has_part(json, n, asker->query))
			return true;
	return false;
}

/* ---- answering ---- */

static void free_asker(struct asker *asker)
{
	free(asker->language);
	free(asker->query);
	free(asker);
}

static void refuse(struct asker *take, int outcome, const char *text)
{
	take->fn(take->userdata, outcome, &(struct engine_error){.text = text}, NULL);
	free_asker(take);
}

/* False: the list is whole. */
static bool explain_cut(enum cut cut, struct errmsg *words)
{
	switch (cut) {
	case CUT_NONE:
		return false;
	case CUT_ENTRIES:
		errmsg_set(words, "the provider has more than %d; only the first of them are known here",
			   LIMIT_ENGINE_CATALOGUE_ENTRIES);
		return true;
	case CUT_PAGES:
		errmsg_set(words, "the provider's list has more than %d pages; only what is on those is known here",
			   LIMIT_ENGINE_CATALOGUE_PAGES);
		return true;
	case CUT_BYTES:
		errmsg_set(words, "the provider's list is too large to be kept; only its beginning is known here");
		return true;
	}
	return false;
}

static void serve(const struct catalogue *catalogue, struct asker *take, const char *problem)
{
	const struct json *json = catalogue->served.json;
	json_node *entries = take_memory((take->limit + 1) * sizeof(*entries));
	struct engine_catalogue answer = {
		.json = json, .entries = entries, .fetched_ms = catalogue->fetched_ms, .problem = problem};
	struct errmsg cut;

	for (json_node n = json_first(json, catalogue->served.array); n; n = json_next(json, n)) {
		if (!is_wanted(json, n, take))
			continue;
		if (answer.total++ >= take->offset && answer.n < take->limit)
			entries[answer.n++] = n;
	}
	if (!problem && explain_cut(catalogue->served.cut, &cut))
		answer.problem = cut.text;
	take->fn(take->userdata, 0, NULL, &answer);
	free(entries);
	free_asker(take);
}

static void answer_all(struct catalogue *catalogue, int outcome, const char *text)
{
	struct asker *askers = steal(catalogue->askers), *asker, *next;

	LL_FOREACH_SAFE(askers, asker, next) {
		if (outcome == 0 || (catalogue->served.json && outcome != ENGINE_E_DRAINING))
			serve(catalogue, asker, text);
		else
			refuse(asker, outcome, text);
	}
}

/* ---- fetching ---- */

static void end_fetch(struct catalogue *catalogue)
{
	entries_finish(&catalogue->coming);
	free(catalogue->page);
	catalogue->page = NULL;
	catalogue->is_fetching = false;
}

static void give_up(struct catalogue *catalogue, int outcome, const char *why)
{
	end_fetch(catalogue);
	if (outcome != ENGINE_E_DRAINING)
		log_warning("a list could not be fetched", "provider", catalogue->lane->config->id, "kind",
			    catalogue->kind, "why", why);
	answer_all(catalogue, outcome, why);
}

static void finish(struct catalogue *catalogue)
{
	const struct engine *engine = catalogue->lane->engine;

	entries_finish(&catalogue->served);
	catalogue->served = catalogue->coming;
	catalogue->coming = (struct entries){0};
	catalogue->fetched_ms = now_utc(engine);
	catalogue->fetched_monotonic_ms = clock_monotonic_ms(engine->config.clock);
	end_fetch(catalogue);
	answer_all(catalogue, 0, NULL);
}

/* NULL, or what is wrong with the page. */
static const char *add_page(struct entries *coming, const struct json *page, json_node root)
{
	json_node list = json_at(page, root, "/entries");

	if (json_kind(page, list) != JSON_KIND_ARRAY)
		return "the plugin's page of a list has no array 'entries'";
	for (json_node n = json_first(page, list); n; n = json_next(page, n)) {
		if (json_kind(page, json_at(page, n, "/id")) != JSON_KIND_TEXT ||
		    !*json_string(page, json_at(page, n, "/id")))
			return "the plugin's page of a list has an entry without an id";
		if (json_count(coming->json, coming->array) >= LIMIT_ENGINE_CATALOGUE_ENTRIES) {
			coming->cut = CUT_ENTRIES;
			return NULL;
		}
		json_append(coming->json, coming->array, json_copy(coming->json, page, n));
	}
	/* A list of giants is cut as a long one is. */
	if (json_fault(coming->json) != 0)
		coming->cut = CUT_BYTES;
	return NULL;
}

static void fetch(struct catalogue *catalogue);

static void read_page(struct catalogue *catalogue, const char *report)
{
	_cleanup_(json_freep) struct json *page = json_new(NULL);
	const char *fault, *next;
	json_node root;

	if (!page || json_parse(page, bytes_of_text(report), JSON_DUPLICATES_LAST_WINS, &root, NULL) != 0) {
		give_up(catalogue, ENGINE_E_PROVIDER, "the plugin's page of a list cannot be read");
		return;
	}
	fault = add_page(&catalogue->coming, page, root);
	next = json_string(page, json_at(page, root, "/next"));
	if (!fault && *next && catalogue->page && strcmp(next, catalogue->page) == 0)
		fault = "the plugin asks for the same page of a list again";
	if (fault) {
		metric_add(&catalogue->lane->figures.plugin_faults, 1);
		give_up(catalogue, ENGINE_E_PROVIDER, fault);
		return;
	}
	free(catalogue->page);
	catalogue->page = *next ? take_text(next) : NULL;
	if (++catalogue->pages >= LIMIT_ENGINE_CATALOGUE_PAGES && catalogue->page && catalogue->coming.cut == CUT_NONE)
		catalogue->coming.cut = CUT_PAGES;
	if (catalogue->page && catalogue->coming.cut == CUT_NONE)
		fetch(catalogue);
	else
		finish(catalogue);
}

static void on_page(void *userdata, const struct verb_result *result)
{
	struct catalogue *catalogue = userdata;

	if (result->outcome == 0)
		read_page(catalogue, result->report);
	else
		give_up(catalogue, result->outcome, result->text);
}

static void fetch(struct catalogue *catalogue)
{
	const struct step_subject subject = {
		.lane = catalogue->lane, .catalogue_kind = catalogue->kind, .catalogue_next = catalogue->page};

	verb_run(&subject, PLUGIN_VERB_CATALOGUE, on_page, catalogue);
}

static void begin_fetch(struct catalogue *catalogue)
{
	catalogue->is_fetching = true;
	catalogue->pages = 0;
	catalogue->coming.json = json_new(NULL);
	if (!catalogue->coming.json)
		abort();
	catalogue->coming.array = json_array(catalogue->coming.json);
	fetch(catalogue);
}

/* ---- asking ---- */

static struct catalogue *find(struct lane *lane, const char *kind)
{
	struct catalogue *catalogue;

	LL_FOREACH(lane->catalogues, catalogue)
		if (strcmp(catalogue->kind, kind) == 0)
			return catalogue;
	catalogue = take_memory(sizeof(*catalogue));
	catalogue->lane = lane;
	catalogue->kind = kind;
	LL_PREPEND(lane->catalogues, catalogue);
	return catalogue;
}

static void on_ask(struct loop_message *message)
{
	struct asker *asker = loop_message_owner(message, struct asker, message);
	struct engine *engine = asker->lane->engine;
	struct catalogue *catalogue;
	int64_t age_ms;

	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING) {
		refuse(asker, ENGINE_E_DRAINING, "the daemon is shutting down; ask again when it is back");
		return;
	}
	catalogue = find(asker->lane, asker->kind);
	age_ms = clock_monotonic_ms(engine->config.clock) - catalogue->fetched_monotonic_ms;
	if (catalogue->served.json && age_ms < asker->max_age_ms) {
		serve(catalogue, asker, NULL);
		return;
	}
	LL_APPEND(catalogue->askers, asker);
	if (!catalogue->is_fetching)
		begin_fetch(catalogue);
}

/* The manifest's own text of it; NULL, with words: there is no such kind. */
static const char *find_kind(const struct lane *lane, const char *kind, struct errmsg *words)
{
	const struct plugin_manifest *manifest = plugin_manifest(lane->config->plugin);
	_cleanup_(buffer_finish) struct buffer known = {0};

	for (json_node n = json_first(manifest->json, manifest->catalogue); n; n = json_next(manifest->json, n)) {
		const char *name = json_name(manifest->json, n);

		if (strcmp(name, kind) == 0)
			return name;
		if (buffer_printf(&known, "%s%s", known.len ? ", " : "", name) < 0)
			abort();
	}
	errmsg_set(words, "'%s' is none of what provider '%.64s' lists: %s", quote(kind).text, lane->config->id,
		   known.data ? known.data : "");
	return NULL;
}

static const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

void engine_list_catalogue(struct engine *engine, const struct engine_catalogue_query *query, engine_catalogue_fn *fn,
			   void *userdata)
{
	struct lane *lane = lane_find(engine, query->provider);
	struct errmsg words;
	struct engine_violation violation = {.field = "kind", .text = words.text};
	struct engine_error error = {.text = words.text};
	const char *kind;
	struct asker *asker;

	if (!lane) {
		request_name_providers(engine, query->provider, &words);
		fn(userdata, ENGINE_E_NOT_FOUND, &error, NULL);
		return;
	}
	if (!verb_is_offered(lane, PLUGIN_VERB_CATALOGUE)) {
		error.text = lane->config->plugin ? "its plugin lists nothing: give ids as the provider shows them"
						  : "its plugin is not loaded";
		fn(userdata, ENGINE_E_STATE, &error, NULL);
		return;
	}
	kind = find_kind(lane, query->kind, &words);
	if (!kind) {
		error = (struct engine_error){.text = words.text, .violations = &violation, .n_violations = 1};
		fn(userdata, ENGINE_E_INVALID, &error, NULL);
		return;
	}
	asker = take_memory(sizeof(*asker));
	*asker = (struct asker){
		.message.run = on_ask,
		.lane = lane,
		.kind = kind,
		.language = take_text(text_or_null(query->language)),
		.query = take_text(text_or_null(query->query)),
		.offset = query->offset,
		.limit = query->limit,
		.max_age_ms = query->max_age_ms,
		.fn = fn,
		.userdata = userdata,
	};
	loop_post(engine->loop, &asker->message);
}

void catalogue_free_all(struct lane *lane)
{
	struct catalogue *catalogue, *next;

	LL_FOREACH_SAFE(lane->catalogues, catalogue, next) {
		answer_all(catalogue, ENGINE_E_DRAINING, "the daemon is shutting down; ask again when it is back");
		end_fetch(catalogue);
		entries_finish(&catalogue->served);
		free(catalogue);
	}
	lane->catalogues = NULL;
}
