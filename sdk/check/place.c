#include "check.h"

#include "base/limits.h"
#include "base/quote.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("filmgate plugin: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

bool read_whole(const char *path, size_t limit, struct buffer *ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	ret->limit = limit;
	while (n > 0) {
		if (buffer_reserve(ret, 65536) < 0) {
			tell("'%s' is larger than %zu bytes", quote_bytes(bytes_of_text(path), LIMIT_QUOTE_NAME).text,
			     limit);
			return false;
		}
		n = read(fd, ret->data + ret->len, 65536 - 1);
		ret->len += n > 0 ? (size_t)n : 0;
		ret->data[ret->len] = '\0';
	}
	if (n < 0)
		tell("'%s' cannot be read: %s", quote_bytes(bytes_of_text(path), LIMIT_QUOTE_NAME).text,
		     strerror(errno));
	return n == 0;
}

bool place_of(const char *path, struct place *ret)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name), folder = slash ? (size_t)(slash - path) : 1;

	if (len <= 3 || len - 3 >= sizeof(ret->name) || strcmp(name + len - 3, ".so") != 0 ||
	    folder >= sizeof(ret->folder)) {
		tell("'%s' is not the name of a plugin's file: NAME.so",
		     quote_bytes(bytes_of_text(path), LIMIT_QUOTE_NAME).text);
		return false;
	}
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(len - 3), name);
	snprintf(ret->folder, sizeof(ret->folder), "%.*s", folder ? (int)folder : 1, slash ? path : ".");
	return true;
}

int load_at(const struct place *place, struct plugin **ret, struct errmsg *error)
{
	const char *folders[] = {place->folder};

	return plugin_load(place->name, folders, 1, ret, error);
}

/* ---- the account ---- */

struct lists {
	const char *origins[256];
	struct plugin_secret secrets[64];
	size_t n_origins, n_secrets;
};

static void add_origins(const struct plugin_manifest *manifest, json_node list, struct lists *lists)
{
	for (json_node n = json_first(manifest->json, list); n; n = json_next(manifest->json, n))
		if (lists->n_origins < sizeof(lists->origins) / sizeof(lists->origins[0]))
			lists->origins[lists->n_origins++] = json_string(manifest->json, n);
}

/* NAME=VALUE, in the kind that the manifest declares; what is no number stays a text, and is refused as one. */
static void put_setting(const struct plugin_manifest *manifest, struct json *json, json_node out, const char *setting)
{
	const char *value = setting + strcspn(setting, "=");
	struct bytes name = bytes_of(setting, (size_t)(value - setting));
	json_node declared = json_at(manifest->json, manifest->root, "/options");
	json_node type = json_at(manifest->json, json_member(manifest->json, declared, name), "/type");
	json_node node = JSON_ABSENT;

	value += *value == '=';
	if (!json_text_is(manifest->json, type, "text"))
		json_parse(json, bytes_of_text(value), JSON_DUPLICATES_REFUSE, &node, NULL);
	json_set(json, out, name, node ? node : json_make_text(json, bytes_of_text(value)));
}

/* An option that has no default, but must be there. */
static json_node value_of(struct json *json, const struct json *from, json_node option)
{
	if (json_text_is(from, json_at(from, option, "/type"), "boolean"))
		return json_make_boolean(json, true);
	if (json_text_is(from, json_at(from, option, "/type"), "number"))
		return json_make_integer(json, 1);
	return json_make_text(json, bytes_of_text("value"));
}

static int write_options(const struct plugin_manifest *manifest, const struct check_options *check, struct buffer *out)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node declared = json_at(manifest->json, manifest->root, "/options"), root;

	if (!json)
		return err_origin(-ENOMEM);
	root = json_object(json);
	for (json_node n = json_first(manifest->json, declared); n; n = json_next(manifest->json, n))
		if (!json_at(manifest->json, n, "/default") &&
		    json_boolean(manifest->json, json_at(manifest->json, n, "/required"), false))
			json_set(json, root, json_key(manifest->json, n), value_of(json, manifest->json, n));
	for (size_t i = 0; i < check->n_settings; i++)
		put_setting(manifest, json, root, check->settings[i]);
	return err_fold(json_write(json, root, JSON_FORM_PLAIN, out));
}

int account_for(const struct plugin *plugin, const struct check_options *check, struct plugin_account **ret,
		struct errmsg *error)
{
	const struct plugin_manifest *manifest = plugin_manifest(plugin);
	json_node declared = json_at(manifest->json, manifest->root, "/secrets");
	_cleanup_(buffer_finish) struct buffer options = {0};
	struct lists lists = {0};
	int r = write_options(manifest, check, &options);

	if (r)
		return r;
	add_origins(manifest, manifest->origins, &lists);
	for (size_t i = 0; i < manifest->n_auths; i++)
		add_origins(manifest, manifest->auths[i].origins, &lists);
	for (json_node n = json_first(manifest->json, declared); n; n = json_next(manifest->json, n))
		if (lists.n_secrets < sizeof(lists.secrets) / sizeof(lists.secrets[0]))
			lists.secrets[lists.n_secrets++] = (struct plugin_secret){.name = json_name(manifest->json, n),
										  .value = "REDACTED"};
	return plugin_account_new(plugin,
				  &(struct plugin_account_spec){
					  .id = "check",
					  .origins = lists.origins,
					  .n_origins = lists.n_origins,
					  .secrets = lists.secrets,
					  .n_secrets = lists.n_secrets,
					  .options = buffer_bytes(&options),
					  .is_replay = true,
				  },
				  ret, error);
}
