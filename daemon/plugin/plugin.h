/*
 * Plugins: found in folders, negotiated with, loaded. The only room that knows dlopen.
 *
 * A loaded plugin is immutable; any thread may use it. Its code runs in plugin/step.h only.
 */
#ifndef FG_PLUGIN_PLUGIN_H
#define FG_PLUGIN_PLUGIN_H

#include "plugin/manifest.h"

enum {
	_PLUGIN_E_OK,
	PLUGIN_E_MISSING,     /* no file of that name in any folder */
	PLUGIN_E_UNSAFE,      /* others than root or this user may write the file or a folder above it */
	PLUGIN_E_UNLOADABLE,  /* the dynamic linker refuses it */
	PLUGIN_E_WRONG_MAJOR, /* speaks another version of the ABI */
	PLUGIN_E_NO_ENTRY,    /* is no Filmgate plugin */
	PLUGIN_E_NEWER_HOST,  /* needs a newer daemon */
	PLUGIN_E_TABLE,       /* its table is malformed */
	PLUGIN_E_MANIFEST,    /* its manifest is malformed, or says another name than the file */
	PLUGIN_E_FEATURE,     /* requires what this daemon does not offer */
};

/* The order of struct fg_plugin. */
enum plugin_verb {
	PLUGIN_VERB_START,
	PLUGIN_VERB_POLL,
	PLUGIN_VERB_RESULT,
	PLUGIN_VERB_CANCEL,
	PLUGIN_VERB_REMOVE,
	PLUGIN_VERB_RECONCILE,
	PLUGIN_VERB_UPLOAD,
	PLUGIN_VERB_WEBHOOK,
	PLUGIN_VERB_CATALOGUE,
	PLUGIN_VERB_ACCOUNT,
	PLUGIN_VERB_CHECK,
	PLUGIN_VERB_LIST,
	PLUGIN_VERB_SUBSCRIBE,
	_PLUGIN_VERB_N
};

struct plugin;

/*
 * Loads NAME.so from the first of @folders that has it. Blocks; runs the file's constructors.
 *
 * Returns 0, an outcome from above, or -ENOMEM; @error, required, says what and how to go on.
 */
int plugin_load(const char *name, const char *const *folders, size_t n_folders, struct plugin **ret,
		struct errmsg *error);
/* Never unloads the code: a step may be in it, and unloading buys nothing. */
struct plugin *plugin_free(struct plugin *plugin);
void plugin_freep(struct plugin **plugin);

const char *plugin_name(const struct plugin *plugin);
const struct plugin_manifest *plugin_manifest(const struct plugin *plugin);
/* False is the truth about what the provider cannot do. */
bool plugin_can(const struct plugin *plugin, enum plugin_verb verb);
const char *plugin_verb_name(enum plugin_verb verb); /* "start", … */

/* Does this daemon ever call it? plugin_load() warns of verbs that a plugin has in vain. */
bool plugin_verb_is_called(enum plugin_verb verb);

#endif
