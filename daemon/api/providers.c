/*
 * filmgate.v1.ProviderService.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/inside.h"
#include "api/structs.h"
#include "api/text.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

#include <filmgate/v1/provider_service.pb-c.h>

struct asked {
	struct call *call;
	const char *name; /* of the provider; NULL: all */
};

static struct asked *ask(struct call *call, const char *name)
{
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));

	*asked = (struct asked){.call = call, .name = name};
	return asked;
}

static void add_models(struct arena *arena, const struct json *manifest, json_node root, Filmgate__V1__Provider *to)
{
	json_node models = json_member(manifest, root, bytes_of_text("models"));

	to->models = arena_need_pointers(arena, json_count(manifest, models));
	for (json_node m = json_first(manifest, models); m; m = json_next(manifest, m)) {
		struct bytes name = json_text(manifest, json_member(manifest, m, bytes_of_text("name")));

		to->models[to->n_models++] = arena_dup_text(arena, name.data);
	}
}

static void add_kinds(struct arena *arena, const struct json *manifest, json_node root, Filmgate__V1__Provider *to)
{
	json_node kinds = json_member(manifest, root, bytes_of_text("catalogue"));

	to->catalog_kinds = arena_need_pointers(arena, json_count(manifest, kinds));
	for (json_node n = json_first(manifest, kinds); n; n = json_next(manifest, n))
		to->catalog_kinds[to->n_catalog_kinds++] = arena_dup_text(arena, json_name(manifest, n));
}

/* The manifest was checked when the plugin was loaded; one that cannot be read now is shown as none. */
static void add_manifest(struct arena *arena, const char *text, bool is_whole, Filmgate__V1__Provider *to)
{
	_cleanup_(json_freep) struct json *manifest = text ? json_new(NULL) : NULL;
	json_node root;

	if (!manifest)
		return;
	if (json_parse(manifest, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &root, NULL) != 0) {
		log_error("a plugin's manifest cannot be read", "provider", to->name);
		return;
	}
	add_models(arena, manifest, root, to);
	add_kinds(arena, manifest, root, to);
	if (is_whole)
		to->capabilities = struct_from_json(arena, manifest, root);
}

static Filmgate__V1__Provider *convert_provider(struct arena *arena, const struct engine_provider *from, bool is_whole)
{
	Filmgate__V1__Provider *to = arena_need(arena, sizeof(*to));

	filmgate__v1__provider__init(to);
	to->name = name_of_provider(arena, from->id);
	to->plugin = text_clean(arena, from->plugin);
	to->plugin_version = text_clean(arena, from->plugin_version);
	to->base_url = text_clean(arena, from->base_url);
	to->problem = text_clean(arena, from->problem);
	to->concurrency = from->concurrency;
	to->running_count = from->running;
	to->queued_count = from->queued;
	to->on_uncertain = (Filmgate__V1__OnUncertain)from->on_uncertain;
	to->previous_key_count = from->previous_keys;
	add_manifest(arena, from->manifest, is_whole, to);
	return to;
}

/* ---- ListProviders, GetProvider ---- */

static void on_list(void *userdata, int outcome, const struct engine_error *error,
		    const struct engine_provider *providers, size_t n)
{
	Filmgate__V1__ListProvidersResponse response = FILMGATE__V1__LIST_PROVIDERS_RESPONSE__INIT;
	struct asked *asked = userdata;
	struct arena *arena = &asked->call->arena;

	if (outcome) {
		call_fail_engine(asked->call, outcome, error, RESOURCE_NONE, NULL);
		return;
	}
	response.providers = arena_need_pointers(arena, n);
	for (size_t i = 0; i < n; i++)
		response.providers[response.n_providers++] = convert_provider(arena, &providers[i], false);
	call_reply(asked->call, &response.base);
}

void handle_list_providers(struct call *call, const void *message)
{
	(void)message;
	engine_list_providers(call->api->engine, NULL, on_list, ask(call, NULL));
}

static void on_provider(void *userdata, int outcome, const struct engine_error *error,
			const struct engine_provider *providers, size_t n)
{
	Filmgate__V1__GetProviderResponse response = FILMGATE__V1__GET_PROVIDER_RESPONSE__INIT;
	struct asked *asked = userdata;

	if (outcome || n == 0) {
		call_fail_engine(asked->call, outcome ? outcome : ENGINE_E_NOT_FOUND, error, RESOURCE_PROVIDER,
				 asked->name);
		return;
	}
	response.provider = convert_provider(&asked->call->arena, &providers[0], true);
	call_reply(asked->call, &response.base);
}

static const char *parse_name(struct call *call, const char *name)
{
	struct violations violations = {.arena = &call->arena};
	const char *id = check_provider_name("name", name, &violations);

	return call_refuse(call, &violations) ? NULL : id;
}

void handle_get_provider(struct call *call, const void *message)
{
	const Filmgate__V1__GetProviderRequest *request = message;
	const char *id = parse_name(call, request->name);

	if (id)
		engine_list_providers(call->api->engine, id, on_provider, ask(call, request->name));
}

/* ---- CheckProvider ---- */

static void add_fact(struct arena *arena, const struct json *report, json_node member,
		     Filmgate__V1__CheckProviderResponse *response)
{
	Filmgate__V1__AccountFact *fact;

	if (response->n_facts == LIMIT_RPC_FACTS || json_text(report, member).len == 0)
		return;
	fact = arena_need(arena, sizeof(*fact));
	filmgate__v1__account_fact__init(fact);
	fact->label = arena_dup_text(arena, json_key(report, member).data);
	fact->value = arena_dup_text(arena, json_text(report, member).data);
	response->facts[response->n_facts++] = fact;
}

/* The balance first, then the others in the plugin's order. */
static void add_facts(struct arena *arena, const char *text, Filmgate__V1__CheckProviderResponse *response)
{
	_cleanup_(json_freep) struct json *report = text ? json_new(NULL) : NULL;
	json_node root, balance;

	response->facts = arena_need_pointers(arena, LIMIT_RPC_FACTS);
	if (!report || json_parse(report, bytes_of_text(text), JSON_DUPLICATES_LAST_WINS, &root, NULL) != 0)
		return;
	balance = json_member(report, root, bytes_of_text("balance"));
	add_fact(arena, report, balance, response);
	for (json_node m = json_first(report, root); m; m = json_next(report, m))
		if (m != balance)
			add_fact(arena, report, m, response);
}

#define FOUND(outcome) FILMGATE__V1__CHECK_OUTCOME__CHECK_OUTCOME_##outcome

/* UNSPECIFIED: no finding, but a call that failed. */
static Filmgate__V1__CheckOutcome finding_of(int outcome)
{
	switch (outcome) {
	case 0:
		return FOUND(OK);
	case ENGINE_E_PROVIDER:
		return FOUND(FAILED);
	case ENGINE_E_CREDENTIAL:
		return FOUND(REFUSED);
	case ENGINE_E_UNREACHABLE:
		return FOUND(UNREACHABLE);
	case ENGINE_E_STATE:
		return FOUND(UNSUPPORTED);
	default:
		return FOUND(UNSPECIFIED);
	}
}

static void on_checked(void *userdata, int outcome, const struct engine_error *error, const char *report)
{
	Filmgate__V1__CheckProviderResponse response = FILMGATE__V1__CHECK_PROVIDER_RESPONSE__INIT;
	struct asked *asked = userdata;
	struct arena *arena = &asked->call->arena;

	response.outcome = finding_of(outcome);
	if (response.outcome == FOUND(UNSPECIFIED)) {
		call_fail_engine(asked->call, outcome, error, RESOURCE_PROVIDER, asked->name);
		return;
	}
	if (outcome == 0) {
		response.message = (char *)"the provider accepts the credential";
		add_facts(arena, report, &response);
	} else {
		response.message = text_clean(arena, error->text);
	}
	call_reply(asked->call, &response.base);
}

void handle_check_provider(struct call *call, const void *message)
{
	const Filmgate__V1__CheckProviderRequest *request = message;
	const char *id = parse_name(call, request->name);

	if (id)
		engine_check_provider(call->api->engine, id, on_checked, ask(call, request->name));
}
