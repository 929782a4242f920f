#include "config/options.h"
#include "fuzz.h"

#include <assert.h>

/* No file, no environment: the place itself is the secret, and some places are bad. */
static int read_nothing(enum secret_source source, const char *where, struct buffer *ret, struct errmsg *why)
{
	(void)source;
	if (where[0] == '!') {
		errmsg_set(why, "'%s' is bad", where);
		return CONFIG_E_INVALID;
	}
	return buffer_append_text(ret, where);
}

static void check_provider(const struct config_provider *provider)
{
	assert(provider->id && provider->plugin && provider->options);
	assert(!provider->poll.max_ms || provider->poll.initial_ms <= provider->poll.max_ms);
	assert(bytes_are_text(bytes_of_text(provider->options)));
	for (size_t i = 0; i < provider->n_secrets; i++)
		assert(strlen(provider->secrets[i].value) == provider->secrets[i].len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(config_report_finish) struct config_report report = {0};
	int r = config_parse(bytes_of(data, size), "x.conf", read_nothing, &config, &report);

	assert(r == 0 || r == CONFIG_E_INVALID);
	assert((r == 0) == (config != NULL) && (r == 0) == (report.errors == 0));
	if (config) {
		assert(config->data_dir && (config->listen.grpc || config->listen.unix_socket));
		for (size_t i = 0; i < config->n_providers; i++)
			check_provider(&config->providers[i]);
	}
	return 0;
}
