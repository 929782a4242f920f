/*
 * filmgate.v1.WebhookService: that providers call us.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/inside.h"
#include "api/text.h"

#include <filmgate/v1/webhook_service.pb-c.h>

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

static Filmgate__V1__Registration *convert(struct arena *arena, const struct engine_registration *from)
{
	Filmgate__V1__Registration *to = arena_need(arena, sizeof(*to));

	filmgate__v1__registration__init(to);
	to->provider = name_of_provider(arena, from->provider);
	to->configured = from->is_configured;
	if (!from->url)
		return to;
	to->url = text_clean(arena, from->url);
	to->remote_id = text_clean(arena, from->remote_id);
	to->register_time = timestamp_of(arena, from->registered_ms);
	return to;
}

static bool has_failed(struct asked *asked, int outcome, const struct engine_error *error)
{
	if (outcome)
		call_fail_engine(asked->call, outcome, error, RESOURCE_PROVIDER, asked->name);
	return outcome != 0;
}

static const char *read_provider(struct call *call, const char *name)
{
	struct violations violations = {.arena = &call->arena};
	const char *id = check_provider_name("provider", name, &violations);

	return call_refuse(call, &violations) ? NULL : id;
}

/* ---- RegisterWebhook ---- */

static void on_registered(void *userdata, int outcome, const struct engine_error *error,
			  const struct engine_registration *registrations, size_t n)
{
	Filmgate__V1__RegisterWebhookResponse response = FILMGATE__V1__REGISTER_WEBHOOK_RESPONSE__INIT;
	struct asked *asked = userdata;

	(void)n;
	if (has_failed(asked, outcome, error))
		return;
	response.registration = convert(&asked->call->arena, registrations);
	call_reply(asked->call, &response.base);
}

void handle_register_webhook(struct call *call, const void *message)
{
	const Filmgate__V1__RegisterWebhookRequest *request = message;
	const char *id = read_provider(call, request->provider);

	if (id)
		engine_register_webhook(call->api->engine, id, request->url, on_registered,
					ask(call, request->provider));
}

/* ---- UnregisterWebhook ---- */

static void on_unregistered(void *userdata, int outcome, const struct engine_error *error,
			    const struct engine_registration *registrations, size_t n)
{
	Filmgate__V1__UnregisterWebhookResponse response = FILMGATE__V1__UNREGISTER_WEBHOOK_RESPONSE__INIT;
	struct asked *asked = userdata;

	(void)n;
	if (has_failed(asked, outcome, error))
		return;
	response.registration = convert(&asked->call->arena, registrations);
	call_reply(asked->call, &response.base);
}

void handle_unregister_webhook(struct call *call, const void *message)
{
	const Filmgate__V1__UnregisterWebhookRequest *request = message;
	const char *id = read_provider(call, request->provider);

	if (id)
		engine_unregister_webhook(call->api->engine, id, on_unregistered, ask(call, request->provider));
}

/* ---- ListRegistrations ---- */

static void on_listed(void *userdata, int outcome, const struct engine_error *error,
		      const struct engine_registration *registrations, size_t n)
{
	Filmgate__V1__ListRegistrationsResponse response = FILMGATE__V1__LIST_REGISTRATIONS_RESPONSE__INIT;
	struct asked *asked = userdata;
	struct arena *arena = &asked->call->arena;

	if (has_failed(asked, outcome, error))
		return;
	response.registrations = arena_need_pointers(arena, n);
	for (size_t i = 0; i < n; i++)
		response.registrations[response.n_registrations++] = convert(arena, &registrations[i]);
	call_reply(asked->call, &response.base);
}

void handle_list_registrations(struct call *call, const void *message)
{
	(void)message;
	engine_list_registrations(call->api->engine, on_listed, ask(call, NULL));
}
