/*
 * Webhooks, as far as the engine has to do with them: an order's own is looked at here, and what webhook/ keeps in the
 * store goes through the one committer that there is. Nothing of a job's life waits for any of it.
 */
#include "engine/internal.h"

#include "engine/request.h"
#include "http/http.h"

/* NULL: it will do. */
static const char *find_fault(const struct engine *engine, const char *url)
{
	enum http_reach reach = http_url_reach(url);

	if (!engine->config.takes_job_webhooks)
		return "is not possible here: the daemon has no secret to sign with; its operator adds an entry without "
		       "url to webhooks in the configuration";
	if (strlen(url) > LIMIT_WEBHOOK_URL)
		return "is too long: at most 2048 bytes are possible";
	if (reach == HTTP_REACH_UNREADABLE)
		return "is no absolute https URL without a user name: write it as https://host/path";
	if (engine->config.allows_private_webhooks)
		return NULL;
	if (strncasecmp(url, "https://", 8) != 0)
		return "goes over http, where everybody on the way can read it: write https://";
	return reach == HTTP_REACH_PRIVATE ? "leads into a private network: name an address of the Internet" : NULL;
}

int request_check_webhook(const struct engine *engine, const struct engine_create *create, engine_job_fn *fn,
			  void *userdata)
{
	const char *fault = create->webhook_url && *create->webhook_url ? find_fault(engine, create->webhook_url)
									: NULL;
	struct engine_violation violation = {.field = "webhook.url", .text = fault};
	struct engine_error error = {.text = fault, .violations = &violation, .n_violations = 1};

	if (!fault)
		return 0;
	fn(userdata, ENGINE_E_INVALID, &error, &(struct job_view){0}, false);
	return ENGINE_E_INVALID;
}

void engine_list_deliveries(struct engine *engine, const struct store_delivery_query *query, store_deliveries_fn *fn,
			    void *userdata)
{
	store_list_deliveries(engine->store, query, fn, userdata);
}

void engine_get_delivery(struct engine *engine, const struct store_delivery_key *key, store_delivery_fn *fn,
			 void *userdata)
{
	store_get_delivery(engine->store, key, fn, userdata);
}

void engine_get_delivery_cursors(struct engine *engine, uint32_t tenant, store_delivery_cursors_fn *fn, void *userdata)
{
	store_get_delivery_cursors(engine->store, tenant, fn, userdata);
}

struct keeping {
	struct submission submission;
	engine_kept_fn *fn;
	void *userdata;
};

static void on_kept(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct keeping *keeping = (struct keeping *)(void *)submission;

	(void)engine;
	keeping->fn(keeping->userdata, store_commit_outcome(commit));
	free(keeping);
}

void engine_keep_deliveries(struct engine *engine, struct store_commit *take, engine_kept_fn *fn, void *userdata)
{
	struct keeping *keeping = take_memory(sizeof(*keeping));

	*keeping = (struct keeping){.submission.on_committed = on_kept, .fn = fn, .userdata = userdata};
	store_commit_be_patient(take);
	store_submit(engine->store, take, &keeping->submission);
}
