#include "providers.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/http.h"
#include "job/price.h"
#include "plugin/runner.h"

/* One configured provider and what was made of it. */
struct provider {
	struct plugin *plugin;
	struct plugin_account *account;
	struct plugin_account *previous[LIMIT_CONFIG_KEYS]; /* with the keys before, as configured */
	struct engine_key keys[LIMIT_CONFIG_KEYS];          /* the same for the engine */
	struct job_prices *prices;                          /* NULL: the operator has none */
	struct plugin_runner *checks;
	struct question *question;  /* about the configuration; NULL: none is open */
	struct plugin_runner *left; /* a plugin that did not answer to it is still there, with all that it was given */
	struct errmsg problem;
};

/* What a plugin is asked about the configuration alone: its verb check without an order. */
struct question {
	struct plugin_step step; /* first: the runner hands it back */
	struct plugin_runner *runner;
	struct plugin_answer *answer;
};

static bool has_secret(const struct config_keys *keys, const char *name)
{
	for (size_t i = 0; keys && i < keys->n_secrets; i++)
		if (strcmp(keys->secrets[i].name, name) == 0)
			return true;
	return false;
}

static size_t add_secrets(const struct config_secret *from, size_t n, const struct config_keys *unless,
			  struct plugin_secret *ret)
{
	size_t added = 0;

	for (size_t i = 0; i < n; i++)
		if (!has_secret(unless, from[i].name))
			ret[added++] = (struct plugin_secret){.name = from[i].name, .value = from[i].value};
	return added;
}

/* @previous: what it had before of its secrets; NULL: nothing. */
static int load_account(const struct config_provider *from, const struct config_keys *previous,
			struct provider *provider, struct plugin_account **ret)
{
	struct plugin_secret *secrets = calloc(from->n_secrets + (previous ? previous->n_secrets : 0) + 1,
					       sizeof(*secrets));
	struct plugin_account_spec spec = {
		.id = from->id,
		.base_url = from->base_url,
		.origins = (const char *const *)from->origins.items,
		.n_origins = from->origins.n,
		.secrets = secrets,
		.options = bytes_of_text(from->options),
	};
	int r;

	if (!secrets)
		return err_origin(-ENOMEM);
	spec.n_secrets = add_secrets(from->secrets, from->n_secrets, previous, secrets);
	if (previous)
		spec.n_secrets += add_secrets(previous->secrets, previous->n_secrets, NULL, &secrets[spec.n_secrets]);
	r = plugin_account_new(provider->plugin, &spec, ret, &provider->problem);
	free(secrets);
	return r;
}

static int load_accounts(const struct config_provider *from, struct provider *provider)
{
	struct errmsg why;
	int r = load_account(from, NULL, provider, &provider->account);

	for (size_t i = 0; r == 0 && i < from->n_previous_keys; i++) {
		r = load_account(from, &from->previous_keys[i], provider, &provider->previous[i]);
		if (r <= 0)
			continue;
		why = provider->problem;
		errmsg_set(&provider->problem, "no. %zu of its previous_keys: %.400s", i + 1, why.text);
	}
	return r;
}

static void free_accounts(struct provider *provider)
{
	plugin_account_free(provider->account);
	provider->account = NULL;
	for (size_t i = 0; i < LIMIT_CONFIG_KEYS; i++)
		provider->previous[i] = plugin_account_free(provider->previous[i]);
}

/* Else each of its jobs would find out for itself, again and again. */
static int check_address(const struct config_provider *from, struct provider *provider)
{
	const char *url = plugin_account_base_url(provider->account);

	if (from->allow_private_network || !http_url_is_private(url))
		return 0;
	errmsg_set(&provider->problem,
		   "its base_url '%.300s' is not on the public Internet; set allow_private_network = true for it, or "
		   "name another one",
		   url);
	return -EACCES;
}

/* A price that fits nothing would let wrong quotes through: better none of its jobs begins. */
static int load_prices(const struct config_provider *from, struct provider *provider)
{
	struct errmsg why = {""};
	int r;

	if (!from->price_table)
		return 0;
	r = job_prices_new(plugin_manifest(provider->plugin)->capabilities, bytes_of_text(from->price_table),
			   &provider->prices, &why);
	if (r > 0)
		errmsg_set(&provider->problem, "its price table does not fit plugin '%s': %.300s", from->plugin,
			   why.text);
	return r;
}

/* ---- the plugin's own judgement ---- */

/* [the question's thread] */
static void on_judged(struct plugin_step *step, struct plugin_answer *take)
{
	struct question *question = (struct question *)(void *)step;

	question->answer = take;
}

/* What the plugin would refuse each order for is better said before there are any. */
static int ask_about_options(struct provider *provider)
{
	struct question *question;
	int r;

	if (!plugin_can(provider->plugin, PLUGIN_VERB_CHECK))
		return 0;
	question = calloc(1, sizeof(*question));
	if (!question)
		return err_origin(-ENOMEM);
	question->step = (struct plugin_step){.account = provider->account,
					      .verb = PLUGIN_VERB_CHECK,
					      .now_ms = clock_utc_ms(&clock_system),
					      .fn = on_judged};
	r = plugin_runner_new(1, &question->runner);
	if (r < 0) {
		free(question);
		return err_trace(r);
	}
	plugin_runner_post(question->runner, &question->step);
	plugin_runner_stop(question->runner);
	provider->question = question;
	return 0;
}

static const char *words_of(const char *message, const char *code)
{
	return *message ? message : *code ? code : "the plugin refuses its options and does not say why";
}

/* The first violation of a report that plugin/ has checked; 0: there is none. */
static int judge_report(const struct config_provider *from, const struct plugin_answer *answer, struct errmsg *ret)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root, message;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	r = json_parse(json, bytes_of_text(answer->report), JSON_DUPLICATES_REFUSE, &root, NULL);
	if (r != 0)
		return r < 0 ? err_trace(r) : err_origin(-EBADMSG);
	message = json_at(json, root, "/violations/0/message");
	if (!message)
		return 0;
	errmsg_set(ret, "provider '%s': %.400s", from->id, json_string(json, message));
	return -EINVAL;
}

static int judge_answer(const struct config_provider *from, const struct plugin_answer *answer, struct errmsg *ret)
{
	if (!answer)
		return err_origin(-ENOMEM);
	switch (answer->kind) {
	case PLUGIN_ANSWER_REPORT:
		return judge_report(from, answer, ret);
	case PLUGIN_ANSWER_FAILED:
		errmsg_set(ret, "provider '%s': %.400s", from->id,
			   words_of(answer->failure.message, answer->failure.code));
		return -EINVAL;
	default:
		errmsg_set(ret, "plugin '%s' broke a rule when it was asked about its options: %.300s", from->plugin,
			   answer->fault ? answer->fault : plugin_answer_name(answer->kind));
		return -EINVAL;
	}
}

static int hear_about_options(const struct config_provider *from, struct provider *provider, int64_t limit_ms)
{
	struct question *question = provider->question;
	int r;

	if (!question)
		return 0;
	provider->question = NULL;
	if (plugin_runner_end(question->runner, limit_ms) != 0) {
		/* The question, the account and the plugin are its own from now on. */
		provider->left = question->runner;
		errmsg_set(
			&provider->problem,
			"plugin '%s' has not judged its options within %d seconds: it hangs; mend it, or try another "
			"version of it",
			from->plugin, LIMIT_ENGINE_CHECK_MS / 1000);
		return -ETIMEDOUT;
	}
	r = judge_answer(from, question->answer, &provider->problem);
	plugin_answer_free(question->answer);
	free(question);
	return r;
}

/* ---- one by one, and all ---- */

/* It cannot be used: provider->problem says why, or else @r does. */
static void give_up(const struct config_provider *from, struct provider *provider, int r)
{
	if (!*provider->problem.text)
		errmsg_set(&provider->problem, "plugin '%s': %s", from->plugin, log_errno(r));
	if (!provider->left) {
		free_accounts(provider);
		plugin_free(provider->plugin);
	}
	provider->account = NULL;
	provider->plugin = NULL;
}

static void begin_provider(const struct config *config, const struct config_provider *from, struct provider *provider)
{
	int r;

	r = plugin_load(from->plugin, (const char *const *)config->plugin_dirs.items, config->plugin_dirs.n,
			&provider->plugin, &provider->problem);
	if (r == 0)
		r = load_accounts(from, provider);
	if (r == 0)
		r = check_address(from, provider);
	if (r == 0)
		r = load_prices(from, provider);
	if (r == 0)
		r = ask_about_options(provider);
	if (r != 0)
		give_up(from, provider, r);
}

/* All are asked before any is waited for: however many hang, they take LIMIT_ENGINE_CHECK_MS together. */
static int load_all(const struct config *config, struct providers *ret)
{
	int64_t until_ms;

	ret->all = calloc(config->n_providers + 1, sizeof(*ret->all));
	if (!ret->all)
		return err_origin(-ENOMEM);
	ret->n = config->n_providers;
	for (size_t i = 0; i < ret->n; i++)
		begin_provider(config, &config->providers[i], &ret->all[i]);
	until_ms = clock_monotonic_ms(&clock_system) + LIMIT_ENGINE_CHECK_MS;
	for (size_t i = 0; i < ret->n; i++) {
		int64_t left_ms = until_ms - clock_monotonic_ms(&clock_system);
		int r = hear_about_options(&config->providers[i], &ret->all[i], left_ms > 0 ? left_ms : 0);

		if (r != 0)
			give_up(&config->providers[i], &ret->all[i], r);
	}
	return 0;
}

/* The operator's word, else the plugin's, else the house's. */
static int64_t first_said(int64_t configured, int64_t declared, int64_t otherwise)
{
	return configured ? configured : declared ? declared : otherwise;
}

static void fill_pace(const struct config_provider *from, const struct plugin_manifest *manifest,
		      struct engine_provider_config *ret)
{
	ret->rate = (uint32_t)from->rate;
	ret->breaker_failures = (uint32_t)from->breaker;
	ret->concurrency = (uint32_t)first_said(from->concurrency, manifest->concurrency, 1);
	ret->poll_first_ms = first_said(from->poll.initial_ms, manifest->poll_first_ms, 1);
	ret->poll_min_ms = first_said(from->poll.initial_ms, manifest->poll_min_ms, 1);
	ret->poll_max_ms = first_said(from->poll.max_ms, manifest->poll_max_ms, 1);
	if (ret->poll_max_ms < ret->poll_min_ms)
		ret->poll_max_ms = ret->poll_min_ms;
	ret->submit_timeout_ms = first_said(from->submit_timeout_ms, manifest->buys_timeout_ms, LIMIT_ENGINE_SUBMIT_MS);
	ret->exchange_timeout_ms = first_said(0, manifest->safe_timeout_ms, LIMIT_ENGINE_EXCHANGE_MS);
}

static enum job_uncertain uncertain_of(int configured)
{
	switch (configured) {
	case CONFIG_UNCERTAIN_FAIL:
		return JOB_UNCERTAIN_FAIL;
	case CONFIG_UNCERTAIN_RESUBMIT:
		return JOB_UNCERTAIN_RESUBMIT;
	default:
		return JOB_UNCERTAIN_HOLD;
	}
}

static void fill_keys(const struct config_provider *from, struct provider *provider, struct engine_provider_config *ret)
{
	ret->account_digest = plugin_account_digest(provider->account);
	for (size_t i = 0; i < from->n_previous_keys; i++)
		provider->keys[i] = (struct engine_key){.account = provider->previous[i],
							.digest = plugin_account_digest(provider->previous[i])};
	ret->previous_keys = provider->keys;
	ret->n_previous_keys = from->n_previous_keys;
}

static enum job_on_mismatch mismatch_of(int configured)
{
	switch (configured) {
	case CONFIG_MISMATCH_ACCEPT:
		return JOB_ON_MISMATCH_ACCEPT;
	case CONFIG_MISMATCH_FAIL:
		return JOB_ON_MISMATCH_FAIL;
	default:
		return JOB_ON_MISMATCH_FLAG;
	}
}

static struct engine_provider_config lane_of(const struct config *config, const struct config_provider *from,
					     struct provider *provider)
{
	struct engine_provider_config lane = {
		.id = from->id,
		.plugin_name = from->plugin,
		.plugin = provider->plugin,
		.account = provider->account,
		.prices = provider->prices,
		.base_url = provider->account ? plugin_account_base_url(provider->account)
					      : (from->base_url ? from->base_url : ""),
		.problem = provider->plugin ? NULL : provider->problem.text,
		.default_timeout_ms = from->deadline_s * 1000,
		.expected_bytes = LIMIT_ENGINE_EXPECTED_BYTES,
		.max_artifact_bytes = (uint64_t)config->limits.video_bytes,
		.max_reply_bytes = (uint64_t)config->limits.reply_bytes,
		.on_uncertain = uncertain_of(from->on_uncertain),
		.on_mismatch = mismatch_of(from->on_mismatch),
		.allow_private_network = from->allow_private_network,
		.uses_http2 = from->http_version == CONFIG_HTTP_2,
	};

	if (provider->account)
		fill_keys(from, provider, &lane);
	if (provider->plugin)
		fill_pace(from, plugin_manifest(provider->plugin), &lane);
	return lane;
}

int providers_load(const struct config *config, struct providers *ret)
{
	int r;

	ret->lanes = calloc(config->n_providers + 1, sizeof(*ret->lanes));
	if (!ret->lanes)
		return err_origin(-ENOMEM);
	r = load_all(config, ret);
	if (r < 0)
		return err_trace(r);
	for (size_t i = 0; i < ret->n; i++) {
		if (!ret->all[i].plugin)
			log_error("provider cannot be used; its jobs wait", "provider", config->providers[i].id, "why",
				  ret->all[i].problem.text);
		ret->lanes[i] = lane_of(config, &config->providers[i], &ret->all[i]);
	}
	return 0;
}

int providers_warn(const char *path, const struct config *config)
{
	struct providers providers = {0};
	int r = load_all(config, &providers);

	if (r < 0)
		return err_trace(r);
	for (size_t i = 0; i < providers.n; i++)
		if (!providers.all[i].plugin)
			fprintf(stderr, "%s: warning: provider '%s' cannot be used, its jobs would wait: %s\n", path,
				config->providers[i].id, providers.all[i].problem.text);
		else if (config->providers[i].n_previous_keys)
			printf("%s: provider '%s' starts jobs with its secrets; jobs of %zu previous key%s stay with theirs\n",
			       path, config->providers[i].id, config->providers[i].n_previous_keys,
			       config->providers[i].n_previous_keys > 1 ? "s" : "");
	r = providers_end(&providers, 0);
	if (r == 0)
		providers_finish(&providers);
	return r;
}

int providers_open_checks(struct providers *providers, struct plugin_recorder *recorder)
{
	for (size_t i = 0; i < providers->n; i++) {
		struct provider *provider = &providers->all[i];
		int r;

		if (!provider->plugin || !plugin_can(provider->plugin, PLUGIN_VERB_CHECK))
			continue;
		r = plugin_runner_new(1, &provider->checks);
		if (r < 0)
			return err_trace(r);
		if (recorder)
			plugin_runner_record(provider->checks, recorder);
		providers->lanes[i].checks = provider->checks;
	}
	return 0;
}

int providers_end(struct providers *providers, int64_t limit_ms)
{
	int64_t until_ms = clock_monotonic_ms(&clock_system) + limit_ms;
	int r = 0;

	for (size_t i = 0; i < providers->n; i++)
		plugin_runner_stop(providers->all[i].checks);
	for (size_t i = 0; i < providers->n; i++) {
		struct provider *provider = &providers->all[i];
		int64_t left_ms = until_ms - clock_monotonic_ms(&clock_system);

		if (plugin_runner_end(provider->checks, left_ms > 0 ? left_ms : 0) != 0)
			r = PROVIDERS_E_LATE;
		else
			provider->checks = NULL;
		/* It has had its time. */
		if (provider->left)
			r = PROVIDERS_E_LATE;
	}
	return r;
}

void providers_finish(struct providers *providers)
{
	for (size_t i = 0; i < providers->n; i++) {
		job_prices_free(providers->all[i].prices);
		free_accounts(&providers->all[i]);
		plugin_free(providers->all[i].plugin);
	}
	free(providers->all);
	free(providers->lanes);
	*providers = (struct providers){0};
}
