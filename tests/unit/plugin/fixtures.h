/*
 * Loading the plugins of tests/abi, and steps of them.
 */
#ifndef FG_TESTS_PLUGIN_FIXTURES_H
#define FG_TESTS_PLUGIN_FIXTURES_H

#include "base/err.h"
#include "plugin/account.h"
#include "plugin/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define API_KEY "sk-secret-7391"
#define LOGIN "user:pass-5518"

static inline int fixture_load(const char *name, struct plugin **ret, struct errmsg *error)
{
	static const char *const folders[] = {FIXTURES};

	return plugin_load(name, folders, 1, ret, error);
}

static inline struct plugin *fixture_plugin(const char *name)
{
	struct plugin *plugin = NULL;
	struct errmsg error = {0};

	if (fixture_load(name, &plugin, &error))
		fail_msg("%s", error.text);
	return plugin;
}

/* An account with the fixture's own base URL unless @base_url says another. */
static inline struct plugin_account *fixture_account(const struct plugin *plugin, const char *base_url)
{
	static const struct plugin_secret secrets[] = {{"api_key", API_KEY}, {"login", LOGIN}};
	struct plugin_account_spec spec = {
		.id = "mine",
		.base_url = base_url,
		.secrets = secrets,
		.n_secrets = strcmp(plugin_name(plugin), "toy") == 0 ? 2 : 1,
	};
	struct plugin_account *account = NULL;
	struct errmsg error = {0};
	int r = plugin_account_new(plugin, &spec, &account, &error);

	if (r)
		print_error("%s\n", error.text);
	assert_int_equal(r, 0);
	return account;
}

static inline struct plugin_step fixture_step(const struct plugin_account *account, enum plugin_verb verb,
					      const char *job)
{
	return (struct plugin_step){
		.account = account,
		.verb = verb,
		.job = bytes_of_text(job),
		.now_ms = INT64_C(1795368960000),
		.random = {1, 2, 3},
		.attempt = 1,
		.send = 1,
		.idempotency_key = "key-0001",
	};
}

static inline struct plugin_answer *fixture_run(const struct plugin_step *step)
{
	struct plugin_answer *answer = plugin_step_run(step);

	assert_non_null(answer);
	return answer;
}

#endif
