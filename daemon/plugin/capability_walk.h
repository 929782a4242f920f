/*
 * One check of an order against a model, shared by the files capability*.c and nobody else.
 */
#ifndef FG_PLUGIN_CAPABILITY_WALK_H
#define FG_PLUGIN_CAPABILITY_WALK_H

#include "plugin/capability.h"
#include "plugin/manifest_shape.h"

struct capability_walk {
	const struct plugin_manifest *manifest;
	json_node model; /* in manifest->json */
	const struct json *json;
	json_node parameters;
	plugin_violation_fn *fn;
	void *userdata;
	unsigned int count;
};

__attribute__((format(printf, 3, 4))) void plugin_violation(struct capability_walk *walk, const char *field,
							    const char *format, ...);
/* Limits are nodes of the manifest, values nodes of the order. */
void plugin_capability_check_value(struct capability_walk *walk, const struct plugin_parameter *parameter,
				   json_node limits, json_node value);
void plugin_capability_check_medium(struct capability_walk *walk, const char *field, json_node limits,
				    json_node medium);
void plugin_capability_check_media(struct capability_walk *walk);
void plugin_capability_check_extras(struct capability_walk *walk);
void plugin_capability_check_rules(struct capability_walk *walk);

#endif
