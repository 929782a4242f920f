#include "capability.h"

#include "document.h"
#include "help.h"
#include "money.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/err.h"

#define DEPTH_MAX 8 /* of the extras that are shown */

/* What is printed from. */
struct page {
	const struct json *json;
};

static const char *text_at(const struct page *page, json_node node, const char *pointer)
{
	return json_text(page->json, json_at(page->json, node, pointer)).data;
}

static bool has(const struct page *page, json_node node, const char *pointer)
{
	return json_at(page->json, node, pointer) != JSON_ABSENT;
}

static void add_list(const struct page *page, json_node list, const char *separator, struct buffer *out)
{
	for (json_node n = json_first(page->json, list); n; n = json_next(page->json, n)) {
		buffer_append_text(out, n == json_first(page->json, list) ? "" : separator);
		json_write(page->json, n, JSON_FORM_PLAIN, out);
	}
}

/* The same list without the quotes of texts: for words such as "720p". */
static void add_words(const struct page *page, json_node list, const char *separator, struct buffer *out)
{
	for (json_node n = json_first(page->json, list); n; n = json_next(page->json, n)) {
		if (json_kind(page->json, n) != JSON_KIND_TEXT) {
			add_list(page, list, separator, out);
			return;
		}
		buffer_printf(out, "%s%s", n == json_first(page->json, list) ? "" : separator,
			      (const char *)json_text(page->json, n).data);
	}
}

static void begin_part(struct buffer *out)
{
	if (out->len)
		buffer_append_text(out, "; ");
}

static void add_range(const struct page *page, json_node node, const char *least, const char *most, const char *unit,
		      struct buffer *out)
{
	bool has_least = has(page, node, least), has_most = has(page, node, most);

	if (!has_least && !has_most)
		return;
	begin_part(out);
	if (has_least && has_most)
		buffer_printf(out, "%s to %s%s", text_at(page, node, least), text_at(page, node, most), unit);
	else
		buffer_printf(out, "%s %s%s", has_least ? "at least" : "at most",
			      text_at(page, node, has_least ? least : most), unit);
}

/* The limits of a medium are how many there may be. */
static void add_count(const struct page *page, json_node node, struct buffer *out)
{
	if (json_integer(page->json, json_at(page->json, node, "/max"), 1) <= 1)
		return;
	begin_part(out);
	buffer_printf(out, "up to %s of them", text_at(page, node, "/max"));
}

/* What a parameter, a medium or a schema's property may be. The names differ, the ideas do not. */
static void add_limits(const struct page *page, json_node node, struct buffer *out)
{
	static const char *const lists[] = {"/values", "/enum", "/kinds", "/forms", "/media_types"};
	int64_t bytes = json_integer(page->json, json_at(page->json, node, "/max_bytes"), 0);

	if (has(page, node, "/type") && !has(page, node, "/enum")) {
		begin_part(out);
		buffer_append_text(out, text_at(page, node, "/type"));
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (!has(page, node, lists[i]))
			continue;
		begin_part(out);
		add_words(page, json_at(page->json, node, lists[i]), " | ", out);
	}
	if (has(page, node, "/role"))
		add_count(page, node, out);
	else
		add_range(page, node, "/min", "/max", "", out);
	add_range(page, node, "/minimum", "/maximum", "", out);
	add_range(page, node, "/min_length", "/max_length", " characters", out);
	add_range(page, node, "/minLength", "/maxLength", " characters", out);
	if (has(page, node, "/step")) {
		begin_part(out);
		buffer_printf(out, "in steps of %s", text_at(page, node, "/step"));
	}
	if (bytes > 0) {
		begin_part(out);
		buffer_printf(out, "at most %s", words_of_size((uint64_t)bytes).text);
	}
}

/* The facts first, then the plugin's own words. */
static void add_notes(const struct page *page, json_node node, struct buffer *out)
{
	const char *help = text_at(page, node, has(page, node, "/help") ? "/help" : "/description");

	if (has(page, node, "/default")) {
		begin_part(out);
		buffer_append_text(out, "default ");
		json_write(page->json, json_at(page->json, node, "/default"), JSON_FORM_PLAIN, out);
	}
	if (json_boolean(page->json, json_at(page->json, node, "/affects_price"), false)) {
		begin_part(out);
		buffer_append_text(out, "affects the price");
	}
	if (help && *help)
		buffer_printf(out, "%s%s", out->len ? ". " : "", help);
}

static void print_row(const struct page *page, const char *name, json_node node, bool is_required)
{
	_cleanup_(buffer_finish) struct buffer text = {0};

	if (is_required)
		buffer_append_text(&text, "required");
	add_limits(page, node, &text);
	add_notes(page, node, &text);
	if (!text.data)
		buffer_append_text(&text, "");
	if (!text.data)
		return;
	say_make_safe(text.data);
	help_print_entry(name, text.data, stdout);
}

static void print_parameters(const struct page *page, json_node model)
{
	json_node list = json_at(page->json, model, "/parameters");

	for (json_node n = json_first(page->json, list); n; n = json_next(page->json, n))
		print_row(page, json_key(page->json, n).data, n,
			  json_boolean(page->json, json_at(page->json, n, "/required"), false));
}

/* A medium is ordered by its flag, so that is its name here. */
static void print_media(const struct page *page, json_node model)
{
	json_node list = json_at(page->json, model, "/media");

	for (json_node n = json_first(page->json, list); n; n = json_next(page->json, n)) {
		const char *kind = text_at(page, n, "/kind"), *role = text_at(page, n, "/role");
		char name[96];

		snprintf(name, sizeof(name), "--%s %s=…", kind ? kind : "image", role ? role : "?");
		print_row(page, name, n, json_integer(page->json, json_at(page->json, n, "/min"), 0) > 0);
	}
}

static bool is_listed(const struct page *page, json_node list, struct bytes name)
{
	for (json_node n = json_first(page->json, list); n; n = json_next(page->json, n))
		if (bytes_equal(json_text(page->json, n), name))
			return true;
	return false;
}

static void print_schema(const struct page *page, json_node schema, const char *path, unsigned int depth)
{
	json_node properties = json_at(page->json, schema, "/properties");

	for (json_node n = json_first(page->json, properties); n && depth; n = json_next(page->json, n)) {
		_cleanup_(buffer_finish) struct buffer name = {0};
		bool is_required = is_listed(page, json_at(page->json, schema, "/required"), json_key(page->json, n));

		if (buffer_printf(&name, "%s.%s", path, (const char *)json_key(page->json, n).data))
			return;
		print_row(page, name.data, n, is_required);
		print_schema(page, n, name.data, depth - 1);
	}
}

/* "resolution 4k, audio on"; a list of values with bars, and set or unset where that is asked. */
static void add_conditions(const struct page *page, json_node when, struct buffer *out)
{
	for (json_node n = json_first(page->json, when); n; n = json_next(page->json, n)) {
		buffer_printf(out, "%s%s ", n == json_first(page->json, when) ? "" : ", ",
			      (const char *)json_key(page->json, n).data);
		if (json_kind(page->json, n) == JSON_KIND_OBJECT)
			buffer_append_text(out,
					   json_boolean(page->json, json_first(page->json, n), true) ? "set" : "unset");
		else if (json_kind(page->json, n) == JSON_KIND_ARRAY)
			add_words(page, n, "|", out);
		else if (json_kind(page->json, n) == JSON_KIND_TEXT)
			buffer_append_text(out, json_string(page->json, n));
		else
			json_write(page->json, n, JSON_FORM_PLAIN, out);
	}
	if (json_count(page->json, when))
		buffer_append_text(out, ": ");
}

static void print_price(const struct page *page, json_node price)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	bool is_per_second = has(page, price, "/per_second_micros");
	int64_t micros = json_integer(
		page->json, json_at(page->json, price, is_per_second ? "/per_second_micros" : "/per_video_micros"), -1);
	const char *until = json_string(page->json, json_at(page->json, price, "/until"));

	if (micros < 0)
		return;
	add_conditions(page, json_at(page->json, price, "/when"), &text);
	money_amount((uint64_t)micros, json_string(page->json, json_at(page->json, price, "/currency")), &text);
	buffer_printf(&text, " a %s as of %s%s%s", is_per_second ? "second" : "video",
		      json_string(page->json, json_at(page->json, price, "/as_of")), *until ? ", until " : "", until);
	if (!text.data)
		return;
	say_make_safe(text.data);
	help_print_entry("price", text.data, stdout);
}

/* The plugin's; what the operator has configured stands in each job's quote. */
static void print_prices(const struct page *page, json_node model)
{
	json_node list = json_at(page->json, model, "/prices");

	for (json_node n = json_first(page->json, list); n; n = json_next(page->json, n))
		print_price(page, n);
}

static void print_rules(const struct page *page, json_node model)
{
	json_node rules = json_at(page->json, model, "/rules");

	for (json_node n = json_first(page->json, rules); n; n = json_next(page->json, n))
		render_line("  rule: %s", text_at(page, n, "/message"));
}

static void print_lifecycle(const struct page *page, json_node model)
{
	json_node life = json_at(page->json, model, "/lifecycle");
	const char *stage = text_at(page, life, "/stage");

	if (stage && *stage && strcmp(stage, "available") != 0)
		render_line("  it is %s%s%s", stage, has(page, life, "/retires_on") ? " and goes on " : "",
			    has(page, life, "/retires_on") ? text_at(page, life, "/retires_on") : "");
}

static void print_model(const struct page *page, json_node model)
{
	putchar('\n');
	render_line("model %s%s%s", text_at(page, model, "/name"), has(page, model, "/title") ? ": " : "",
		    text_at(page, model, "/title"));
	print_lifecycle(page, model);
	print_parameters(page, model);
	print_media(page, model);
	print_schema(page, json_at(page->json, model, "/extras"), "extras", DEPTH_MAX);
	print_rules(page, model);
	print_prices(page, model);
}

static void print_head(const Filmgate__V1__Provider *provider, const struct page *page, json_node root)
{
	int64_t window_s = json_integer(page->json, json_at(page->json, root, "/idempotency/window_s"), 0);
	bool is_loaded = *provider->plugin_version;

	render_line("%s  plugin %s %s%s%s", provider->name, provider->plugin,
		    is_loaded ? provider->plugin_version : "is not loaded", *provider->base_url ? ", " : "",
		    provider->base_url);
	printf("  %u of %u under way, %llu queued\n", provider->running_count, provider->concurrency,
	       (unsigned long long)provider->queued_count);
	if (*provider->problem)
		render_line("  problem: %s", provider->problem);
	if (provider->previous_key_count)
		printf("  %u previous key%s: what was ordered with %s stays with it\n", provider->previous_key_count,
		       provider->previous_key_count > 1 ? "s" : "", provider->previous_key_count > 1 ? "one" : "it");
	for (size_t i = 0; i < provider->n_catalog_kinds; i++)
		render_line("  'filmgate catalog %s %s' lists its %s",
			    provider->name + strcspn(provider->name, "/") + 1, provider->catalog_kinds[i],
			    provider->catalog_kinds[i]);
	if (window_s > 0)
		printf("  a repeated order is recognised for %s\n", words_of_duration(window_s * 1000).text);
}

enum exit_code capability_print(const Filmgate__V1__Provider *provider, const char *model)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct page page = {.json = json};
	json_node root, models;
	bool is_found = !model;

	if (!json)
		return EXIT_FAILED;
	root = provider->capabilities ? document_of_struct(json, provider->capabilities) : JSON_ABSENT;
	models = json_at(json, root, "/models");
	print_head(provider, &page, root);
	for (json_node n = json_first(json, models); n; n = json_next(json, n)) {
		if (model && !json_text_is(json, json_at(json, n, "/name"), model))
			continue;
		is_found = true;
		print_model(&page, n);
	}
	if (is_found)
		return EXIT_OK;
	say_error("%s has no model '%s'", provider->name, model);
	return EXIT_NOT_FOUND;
}
