/*
 * What the fuzzers of the plugins' replies share. An input is a byte that chooses verb, status and more, the plugin's
 * state up to the first NUL, and the body of the reply.
 */
#ifndef FG_TESTS_FUZZ_PLUGIN_REPLY_H
#define FG_TESTS_FUZZ_PLUGIN_REPLY_H

#include "base/err.h"
#include "base/json.h"
#include "plugin/step.h"

#include <assert.h>
#include <stdio.h>

static inline void complain(const char *text)
{
	fprintf(stderr, "%s\n", text);
	abort();
}

static inline struct plugin *open_plugin(const char *name, const char *folder)
{
	struct plugin *plugin = NULL;
	struct errmsg error = {""};

	if (plugin_load(name, &folder, 1, &plugin, &error) != 0)
		complain(error.text);
	return plugin;
}

static inline struct plugin_account *open_account_of(const struct plugin *plugin,
						     const struct plugin_account_spec *spec)
{
	struct plugin_account *account = NULL;
	struct errmsg error = {""};

	if (plugin_account_new(plugin, spec, &account, &error) != 0)
		complain(error.text);
	return account;
}

/* The daemon wrote the state: it is a JSON object, whatever the provider sends. */
static inline bool is_state(struct bytes state)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root;

	return json_parse(json, state, JSON_DUPLICATES_REFUSE, &root, NULL) == 0 &&
	       json_kind(json, root) == JSON_KIND_OBJECT;
}

/* State and body of an input, behind its first byte; false: the daemon would never hand this over. */
static inline bool take_input(const uint8_t *data, size_t size, struct plugin_step *step, struct plugin_reply *reply)
{
	const uint8_t *end = memchr(data + 1, '\0', size - 1);

	reply->body = end ? bytes_of(end + 1, size - (size_t)(end - data) - 1) : bytes_of(data + 1, size - 1);
	step->state = end ? bytes_of(data + 1, (size_t)(end - data) - 1) : (struct bytes){0};
	return step->state.len == 0 || is_state(step->state);
}

#endif
