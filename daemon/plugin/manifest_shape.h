/*
 * The tables behind manifest.c and capability.c: what a manifest looks like, and what canonical parameters there are.
 */
#ifndef FG_PLUGIN_MANIFEST_SHAPE_H
#define FG_PLUGIN_MANIFEST_SHAPE_H

#include "plugin/manifest.h"
#include "plugin/shape.h"

extern const struct plugin_shape plugin_manifest_shape;

/* What kind of limits a canonical parameter takes. */
enum plugin_parameter_kind {
	PLUGIN_PARAMETER_TEXT,
	PLUGIN_PARAMETER_NUMBER,
	PLUGIN_PARAMETER_TOGGLE, /* "on", "off" */
	PLUGIN_PARAMETER_MEDIA,
};

struct plugin_parameter {
	const char *name;    /* in manifests and violations: "script.text" */
	const char *pointer; /* in the parameter document: "/script/text" */
	enum plugin_parameter_kind kind;
};

/* Ended by a name of NULL. */
extern const struct plugin_parameter plugin_parameters[];
/* NULL: no canonical parameter has that name. */
const struct plugin_parameter *plugin_parameter_find(struct bytes name);

/* What the table cannot say: limits that fit the parameter's kind, rules that speak of parameters that exist.
 * 0 or PLUGIN_SHAPE_E_MISMATCH. */
int plugin_manifest_shape_check_models(const struct plugin_manifest *manifest, struct errmsg *error);

#endif
