#include "plugin/plugin.h"

#include "base/limits.h"
#include "base/log.h"
#include "plugin/safe_path.h"
#include "plugin/table.h"

#include <assert.h>
#include <dlfcn.h>
#include <stddef.h>

/* What the negotiation relies on; a table with a hole would let an old struct_size vouch for a new field. */
_Static_assert(sizeof(void *) == 8, "the plugin ABI is for 64-bit targets");
_Static_assert(offsetof(struct fg_plugin, struct_size) == 0 && offsetof(struct fg_plugin, manifest) == 8, "layout");
_Static_assert(offsetof(struct fg_plugin, start) == 24, "verbs follow the manifest");
_Static_assert(sizeof(struct fg_plugin) == 24 + _PLUGIN_VERB_N * sizeof(fg_verb *), "a verb has no name here");

/* What was there before verbs were added at the end: a plugin that was built then has none of these. */
#define FIRST_SIZE offsetof(struct fg_plugin, subscribe)

static const char *const verb_names[_PLUGIN_VERB_N] = {"start",     "poll",   "result",   "cancel",    "remove",
						       "reconcile", "upload", "webhook",  "catalogue", "account",
						       "check",     "list",   "subscribe"};

const char *plugin_verb_name(enum plugin_verb verb)
{
	return verb_names[verb];
}

bool plugin_verb_is_called(enum plugin_verb verb)
{
	for (const struct plugin_feature *f = plugin_features; f->name; f++)
		if (strcmp(f->name, verb_names[verb]) == 0)
			return f->is_offered;
	return true;
}

static int check_manifest(struct plugin *plugin, const struct fg_plugin *table, struct errmsg *error)
{
	struct errmsg why = {0};
	int r;

	if (!table->manifest || table->manifest_size == 0 || table->manifest_size > LIMIT_PLUGIN_MANIFEST) {
		errmsg_set(error, "its manifest is missing, or larger than %d bytes", LIMIT_PLUGIN_MANIFEST);
		return PLUGIN_E_MANIFEST;
	}
	r = plugin_manifest_parse(bytes_of(table->manifest, table->manifest_size), &plugin->manifest, &why);
	if (r < 0)
		return err_trace(r);
	if (r == PLUGIN_MANIFEST_E_FEATURE) {
		errmsg_set(error, "%s", why.text);
		return PLUGIN_E_FEATURE;
	}
	if (r) {
		errmsg_set(error, "its manifest is wrong: %s", why.text);
		return PLUGIN_E_MANIFEST;
	}
	return 0;
}

static int check_promises(const struct plugin *plugin, struct errmsg *error)
{
	const struct plugin_manifest *manifest = plugin->manifest;
	int64_t abi = json_integer(manifest->json, json_at(manifest->json, manifest->root, "/abi"), -1);

	if (abi != FG_ABI_MAJOR) {
		errmsg_set(error, "its manifest says ABI %lld, its entry symbol says %u", (long long)abi, FG_ABI_MAJOR);
		return PLUGIN_E_MANIFEST;
	}
	if (!plugin->verbs[PLUGIN_VERB_START]) {
		errmsg_set(error, "it has no verb 'start', so it cannot do anything");
		return PLUGIN_E_TABLE;
	}
	if (!plugin->verbs[PLUGIN_VERB_POLL]) {
		errmsg_set(error, "it has no verb 'poll', and this daemon cannot take a start that is done at once");
		return PLUGIN_E_TABLE;
	}
	return 0;
}

static int negotiate(const struct fg_plugin *theirs, struct plugin *plugin, struct errmsg *error)
{
	struct fg_plugin table;
	int r;

	if (!theirs) {
		errmsg_set(error, "its entry returns no table");
		return PLUGIN_E_TABLE;
	}
	r = plugin_table_copy(theirs, &table, sizeof(table), FIRST_SIZE);
	if (r) {
		errmsg_set(error, "its table is refused: %s", plugin_table_outcome_text(r));
		return PLUGIN_E_TABLE;
	}
	if (table.needs_host_minor > FG_ABI_MINOR) {
		errmsg_set(error, "it needs a daemon of ABI %u.%u, this one has %u.%u: update the daemon", FG_ABI_MAJOR,
			   table.needs_host_minor, FG_ABI_MAJOR, FG_ABI_MINOR);
		return PLUGIN_E_NEWER_HOST;
	}
	memcpy(plugin->verbs, &table.start, sizeof(plugin->verbs));
	r = check_manifest(plugin, &table, error);
	return r ? r : check_promises(plugin, error);
}

/* Looks for the entry; if it is not there, for that of another major version, to say what is wrong. */
static int find_entry(struct plugin *plugin, const struct fg_plugin *(**ret)(void), struct errmsg *error)
{
	void *symbol = dlsym(plugin->handle, FG_ENTRY_SYMBOL);
	char name[32];

	if (symbol) {
		/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bytes agree. */
		memcpy(ret, &symbol, sizeof(*ret));
		return 0;
	}
	for (int major = 0; major < 100; major++) {
		snprintf(name, sizeof(name), "fg_provider_v%d", major);
		if (!dlsym(plugin->handle, name))
			continue;
		errmsg_set(error, "it speaks version %d of the plugin ABI, this daemon version %u: %s", major,
			   FG_ABI_MAJOR, "build it from this daemon's SDK");
		return PLUGIN_E_WRONG_MAJOR;
	}
	errmsg_set(error, "it has no symbol %s: no Filmgate plugin, or built without exporting it", FG_ENTRY_SYMBOL);
	return PLUGIN_E_NO_ENTRY;
}

static int open_file(struct plugin *plugin, const char *name, struct errmsg *error)
{
	const struct fg_plugin *(*entry)(void);
	int r;

	plugin->handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin->handle) {
		errmsg_set(error, "the dynamic linker refuses it: %.350s; rebuild it, or install it again", dlerror());
		return PLUGIN_E_UNLOADABLE;
	}
	r = find_entry(plugin, &entry, error);
	if (r == 0)
		r = negotiate(entry(), plugin, error);
	if (r)
		return r;
	if (strcmp(plugin->manifest->name, name) != 0) {
		errmsg_set(error, "its manifest says that it is '%s'", plugin->manifest->name);
		return PLUGIN_E_MANIFEST;
	}
	return 0;
}

static void warn_of_idle_verbs(const struct plugin *plugin)
{
	for (enum plugin_verb verb = 0; verb < _PLUGIN_VERB_N; verb++)
		if (plugin_can(plugin, verb) && !plugin_verb_is_called(verb))
			log_warning("a plugin has a verb that this daemon does not call yet", "plugin",
				    plugin_name(plugin), "verb", plugin_verb_name(verb));
}

/* Puts "plugin 'NAME' (PATH): " before what was said. */
static void add_subject(const char *name, const char *path, struct errmsg *error)
{
	struct errmsg said = *error;

	errmsg_set(error, "plugin '%s' (%s): %.300s", name, path, said.text);
}

static int find_file(const char *name, const char *const *folders, size_t n_folders, char **ret, struct errmsg *error)
{
	for (size_t i = 0; i < n_folders; i++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%s/%s.so", folders[i], name) < 0)
			return err_origin(-ENOMEM);
		if (access(path, F_OK) == 0) {
			*ret = steal(path);
			return 0;
		}
	}
	errmsg_set(error, "plugin '%s': no file %s.so in %s%s; install it there, or name its folder in plugin_dirs",
		   name, name, n_folders ? folders[0] : "(no plugin folder)",
		   n_folders > 1 ? " or the other plugin folders" : "");
	return PLUGIN_E_MISSING;
}

int plugin_load(const char *name, const char *const *folders, size_t n_folders, struct plugin **ret,
		struct errmsg *error)
{
	_cleanup_(plugin_freep) struct plugin *plugin = calloc(1, sizeof(*plugin));
	_cleanup_(freep) char *path = NULL;
	int r;

	if (!plugin)
		return err_origin(-ENOMEM);
	if (*name == '\0' || strchr(name, '/')) {
		errmsg_set(error, "'%s' is not the name of a plugin", name);
		return PLUGIN_E_MISSING;
	}
	r = find_file(name, folders, n_folders, &path, error);
	if (r)
		return r;
	r = plugin_safe_path(path, &plugin->path, error);
	if (r > 0)
		r = PLUGIN_E_UNSAFE;
	if (r == 0)
		r = open_file(plugin, name, error);
	if (r > 0)
		add_subject(name, path, error);
	if (r)
		return r;
	warn_of_idle_verbs(plugin);
	*ret = steal(plugin);
	return 0;
}

struct plugin *plugin_free(struct plugin *plugin)
{
	if (!plugin)
		return NULL;
	plugin_manifest_free(plugin->manifest);
	free(plugin->path);
	free(plugin);
	return NULL;
}

void plugin_freep(struct plugin **plugin)
{
	plugin_free(*plugin);
}

const char *plugin_name(const struct plugin *plugin)
{
	return plugin->manifest->name;
}

const struct plugin_manifest *plugin_manifest(const struct plugin *plugin)
{
	return plugin->manifest;
}

bool plugin_can(const struct plugin *plugin, enum plugin_verb verb)
{
	return plugin->verbs[verb] != NULL;
}
