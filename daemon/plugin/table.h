/*
 * Tables that plugins hand over are copied into our own before anybody looks at them. Shared by the files of this
 * room.
 */
#ifndef FG_PLUGIN_TABLE_H
#define FG_PLUGIN_TABLE_H

#include "plugin/plugin.h"

#include <filmgate/provider.h>

struct plugin {
	char *path;
	void *handle;
	fg_verb *verbs[_PLUGIN_VERB_N];
	struct plugin_manifest *manifest;
};

enum {
	_PLUGIN_TABLE_E_OK,
	PLUGIN_TABLE_E_SHORT,   /* smaller than the first version of it */
	PLUGIN_TABLE_E_SIZE,    /* no size that a compiler gives it */
	PLUGIN_TABLE_E_UNKNOWN, /* says something in bytes that this daemon does not know */
};

/*
 * Copies @theirs, which begins with its struct_size, into @ours of @size bytes; what they do not have becomes zero.
 * @least is the size of the first version. Reads no more than struct_size bytes, and nothing of a size that cannot be.
 */
int plugin_table_copy(const void *theirs, void *ours, size_t size, size_t least);
const char *plugin_table_outcome_text(int outcome);

#endif
