/*
 * Does an order fit what the model can do? The manifest is the judge; nothing is dropped, rounded or adapted.
 */
#ifndef FG_PLUGIN_CAPABILITY_H
#define FG_PLUGIN_CAPABILITY_H

#include "plugin/manifest.h"

/* @field is a path in the words of the contract ("parameters.script.text"), @text names the value and the remedy.
 * Both are valid during the call. */
typedef void plugin_violation_fn(void *userdata, const char *field, const char *text);

/*
 * Calls @fn for everything that is wrong with @parameters (JobParameters as JSON) for @model, at most
 * LIMIT_PLUGIN_VIOLATIONS times. Returns how often, so 0 is fit. [any-thread]
 */
unsigned int plugin_capability_check(const struct plugin_manifest *manifest, const char *model, const struct json *json,
				     json_node parameters, plugin_violation_fn *fn, void *userdata);

#endif
