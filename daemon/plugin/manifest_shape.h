/*
 * The table behind manifest.c: what a manifest looks like, but for its models.
 */
#ifndef FG_PLUGIN_MANIFEST_SHAPE_H
#define FG_PLUGIN_MANIFEST_SHAPE_H

#include "plugin/manifest.h"
#include "plugin/shape.h"

extern const struct plugin_shape plugin_manifest_shape;

#endif
