#include "engine/listing.h"

#include "engine/request.h"
#include "engine/run.h"
#include "engine/verb.h"

#include "base/json.h"
#include "base/quote.h"

struct fetch {
	struct lane *lane;
	char *next;
	listing_fn *fn;
	void *userdata;
};

void listing_page_finish(struct listing_page *page)
{
	json_free(page->json);
	free(page->items);
	*page = (struct listing_page){0};
}

static void answer(struct fetch *take, int outcome, const char *text, struct listing_page *page)
{
	take->fn(take->userdata, outcome, text, page);
	free(take->next);
	free(take);
}

/* ---- what a stranger's list may hold ---- */

static bool is_clean(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > LIMIT_ENGINE_REMOTE_ID)
		return false;
	for (const unsigned char *p = (const unsigned char *)id; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return false;
	return true;
}

static bool is_usable(const struct plugin_manifest *manifest, const struct json *json, json_node id)
{
	struct errmsg forms;

	/* One with a NUL inside is longer than its text. */
	return json_kind(json, id) == JSON_KIND_TEXT && json_text(json, id).len == strlen(json_string(json, id)) &&
	       is_clean(json_string(json, id)) && plugin_manifest_takes_remote(manifest, json_string(json, id), &forms);
}

static bool is_listed(const struct listing_page *page, const char *id)
{
	for (size_t i = 0; i < page->n; i++)
		if (strcmp(page->items[i].remote_id, id) == 0)
			return true;
	return false;
}

static const char *text_at(const struct json *json, json_node entry, const char *pointer)
{
	json_node node = json_at(json, entry, pointer);

	return json_kind(json, node) == JSON_KIND_TEXT ? json_string(json, node) : "";
}

static void add_entry(const struct plugin_manifest *manifest, struct listing_page *page, json_node entry)
{
	const struct json *json = page->json;
	json_node id = json_at(json, entry, "/id");
	int64_t created_ms = json_integer(json, json_at(json, entry, "/created_at_ms"), 0);

	if (page->n == LIMIT_ENGINE_LISTING || !is_usable(manifest, json, id)) {
		page->unusable++;
		return;
	}
	if (is_listed(page, json_string(json, id)))
		return;
	page->items[page->n++] = (struct listed){
		.remote_id = json_string(json, id),
		.title = text_at(json, entry, "/title"),
		.status = text_at(json, entry, "/status"),
		.kind = text_at(json, entry, "/kind"),
		.created_ms = created_ms > 0 && created_ms < JOB_NEVER_MS ? created_ms : 0,
	};
}

/* The host has seen to it that entries is an array and next a text. */
static bool read_page(const struct fetch *fetch, const char *report, struct listing_page *ret)
{
	json_node root, list;

	ret->json = json_new(NULL);
	if (!ret->json || json_parse(ret->json, bytes_of_text(report), JSON_DUPLICATES_LAST_WINS, &root, NULL) != 0)
		return false;
	list = json_at(ret->json, root, "/entries");
	ret->items = take_memory((LIMIT_ENGINE_LISTING + 1) * sizeof(*ret->items));
	for (json_node n = json_first(ret->json, list); n; n = json_next(ret->json, n))
		add_entry(plugin_manifest(fetch->lane->config->plugin), ret, n);
	ret->next = json_string(ret->json, json_at(ret->json, root, "/next"));
	if (!*ret->next)
		ret->next = NULL;
	return true;
}

/* ---- asking ---- */

static void answer_page(struct fetch *fetch, const char *report)
{
	struct listing_page page = {0};
	const char *fault = NULL;

	if (!read_page(fetch, report, &page))
		fault = "the plugin's page of the list cannot be read";
	else if (page.next && fetch->next && strcmp(page.next, fetch->next) == 0)
		fault = "the provider's list does not turn its pages: the same page would come again";
	if (!fault) {
		answer(fetch, 0, NULL, &page);
		return;
	}
	listing_page_finish(&page);
	answer(fetch, ENGINE_E_PROVIDER, fault, &page);
}

static void on_told(void *userdata, const struct verb_result *result)
{
	struct fetch *fetch = userdata;
	struct listing_page none = {0};
	bool has_no_list = result->failure && result->is_final &&
			   result->failure->reason == PLUGIN_REASON_INVALID_INPUT;
	struct errmsg words;

	if (result->outcome == 0) {
		answer_page(fetch, result->report);
		return;
	}
	errmsg_set(&words, "the provider '%.64s' does not list its videos: %.360s", fetch->lane->config->id,
		   result->text);
	answer(fetch, has_no_list ? ENGINE_E_STATE : result->outcome, words.text, &none);
}

void listing_fetch(struct lane *lane, const char *next, listing_fn *fn, void *userdata)
{
	struct fetch *fetch = take_memory(sizeof(*fetch));

	*fetch = (struct fetch){.lane = lane, .next = take_text(next), .fn = fn, .userdata = userdata};
	verb_run(&(struct step_subject){.lane = lane, .list_next = fetch->next}, PLUGIN_VERB_LIST, on_told, fetch);
}

int listing_check(const struct engine *engine, const struct lane *lane, const char *provider, struct errmsg *ret)
{
	if (!lane) {
		request_name_providers(engine, provider, ret);
		return ENGINE_E_NOT_FOUND;
	}
	if (!lane->config->plugin) {
		errmsg_set(ret, "provider '%.64s' cannot be used: %.360s; mend that and restart the daemon", provider,
			   lane->config->problem ? lane->config->problem : "its plugin is not loaded");
		return ENGINE_E_PROVIDER;
	}
	if (!verb_is_offered(lane, PLUGIN_VERB_LIST)) {
		errmsg_set(ret,
			   "the provider '%.64s' has no list of its videos that the plugin '%.64s' could read, so what "
			   "no job owns there cannot be told, nor adopted",
			   provider, lane->config->plugin_name);
		return ENGINE_E_STATE;
	}
	return 0;
}

/* ---- whose it may be ---- */

/* From the first byte of an order to the video in the list, with clocks that differ. */
#define BEFORE_MS LIMIT_ENGINE_OTHERS_MARGIN_MS
#define AFTER_MS (LIMIT_ENGINE_OTHERS_MARGIN_MS + LIMIT_HTTP_TIMEOUT_MS)

struct store_orders_query listing_doubts(const struct lane *lane, const struct listed *items, size_t n, int64_t now_ms)
{
	struct store_orders_query query = {.place = send_place_of(lane->config->base_url),
					   .sent_from_ms = now_ms,
					   .sent_to_ms = 0,
					   .only_undecided = true,
					   .limit = LIMIT_ENGINE_DOUBTS};

	for (size_t i = 0; i < n; i++) {
		int64_t from_ms = items[i].created_ms > AFTER_MS ? items[i].created_ms - AFTER_MS : 0;
		int64_t to_ms = items[i].created_ms ? items[i].created_ms + BEFORE_MS : now_ms + BEFORE_MS;

		if (from_ms < query.sent_from_ms)
			query.sent_from_ms = from_ms;
		if (to_ms > query.sent_to_ms)
			query.sent_to_ms = to_ms;
	}
	return query;
}

bool listing_may_be_of(const struct listed *item, const struct store_order *order)
{
	return item->created_ms == 0 ||
	       (item->created_ms >= order->sent_ms - BEFORE_MS && item->created_ms <= order->sent_ms + AFTER_MS);
}
