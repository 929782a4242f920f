#include "params.h"

#include "document.h"
#include "field.h"
#include "suggest.h"
#include "words.h"

#include "base/decimal.h"
#include "base/err.h"

#include <stdio.h>

#define LIST_MAX 32 /* items that "[N]" may name: what the contract allows of media */

static int refuse_name(const ProtobufCMessageDescriptor *of, struct bytes name, struct errmsg *error)
{
	char names[64][FIELD_NAME_SIZE];
	_cleanup_(freep) char *wanted = bytes_dup_text(name);
	struct suggest near = {.wanted = wanted};

	if (!wanted)
		return err_origin(-ENOMEM);
	for (unsigned int i = 0; i < of->n_fields && i < 64; i++) {
		field_name(&of->fields[i], names[i]);
		suggest_offer(&near, names[i]);
		/* "duration" for "duration_ms" is no misspelling but the proto's own name. */
		if (!strcmp(of->fields[i].name, wanted))
			near.best = names[i];
	}
	if (near.best)
		errmsg_set(error, "there is no parameter '%s'; did you mean '%s'?", wanted, near.best);
	else
		errmsg_set(error, "there is no parameter '%s'; provider extras are written extras.%s=…", wanted,
			   wanted);
	return PARAMS_E_INVALID;
}

static bool reads_as_json(const char *text)
{
	return *text == '"' || *text == '[' || *text == '{' || !strcmp(text, "true") || !strcmp(text, "false") ||
	       !strcmp(text, "null") || decimal_is_number(bytes_of_text(text));
}

static int extras_value(const char *text, Google__Protobuf__Value **ret, struct errmsg *error)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct errmsg why = {""};
	json_node node;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	if (reads_as_json(text)) {
		r = json_parse(json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &node, &why);
		if (r < 0)
			return err_trace(r);
		if (r) {
			errmsg_set(error, "'%s' begins like JSON but is none: %s", text, why.text);
			return PARAMS_E_INVALID;
		}
	} else {
		node = json_make_text(json, bytes_of_text(text));
	}
	if (json_fault(json) || !document_is_clean(json, node)) {
		errmsg_set(error, "'%s' is not UTF-8 text, or holds a NUL", text);
		return PARAMS_E_INVALID;
	}
	*ret = document_value(json, node);
	return *ret ? 0 : err_origin(-ENOMEM);
}

static int set_extras(Google__Protobuf__Struct *extras, const char *path, const char *text, struct errmsg *error)
{
	Google__Protobuf__Value *value = NULL;
	int r;

	for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
		extras = document_struct_child(extras, bytes_of(path, (size_t)(dot - path)));
		if (!extras)
			return err_origin(-ENOMEM);
	}
	if (!bytes_are_text(bytes_of_text(path)) || !*path) {
		errmsg_set(error, "'%s' is no name", path);
		return PARAMS_E_INVALID;
	}
	r = extras_value(text, &value, error);
	return r ? r : document_struct_set(extras, bytes_of_text(path), value);
}

/* The item "[N]" of a list of messages: one that is there, or the next one. */
static int list_item(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct bytes index,
		     ProtobufCMessage **ret, struct errmsg *error)
{
	size_t count = field_count(message, field);
	int64_t n;

	if (index.len == 0 || decimal_parse(index, 0, &n) || n < 0 || n > (int64_t)count || n >= LIST_MAX) {
		errmsg_set(error, "%s is a list with %zu items; write %s[%zu].… for the next one", field->name, count,
			   field->name, count);
		return PARAMS_E_INVALID;
	}
	*ret = n == (int64_t)count ? field_child(message, field)
				   : *(ProtobufCMessage **)field_item(message, field, (size_t)n);
	return *ret ? 0 : err_origin(-ENOMEM);
}

/* One step "name" or "name[2]" of a path. */
struct step {
	struct bytes name;
	struct bytes index;
	const char *rest; /* behind the dot; NULL at the end */
};

static struct step take_step(const char *path)
{
	size_t len = strcspn(path, "."), name = strcspn(path, ".[");
	struct step step = {.name = bytes_of(path, name), .rest = path[len] ? path + len + 1 : NULL};

	if (name < len && path[len - 1] == ']')
		step.index = bytes_of(path + name + 1, len - name - 2);
	else
		step.name.len = len;
	return step;
}

static int refuse_whole(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct errmsg *error)
{
	const char *name = field->name;
	bool is_background = message->descriptor == &filmgate__v1__background__descriptor;

	if (field->descriptor == &filmgate__v1__media__descriptor && !field_is_list(field))
		errmsg_set(error,
			   "%s is a medium: write %s.asset=assets/SHA256 ('filmgate assets upload FILE' makes one of a "
			   "file), %s.url=https://… or %s.provider_handle=ID%s",
			   name, name, name, name,
			   is_background ? ", and say what it is: media.kind=image or video" : "");
	else if (field_is_list(field))
		errmsg_set(error, "%s is a list, whose items have parts: write %s[0].NAME=VALUE", name, name);
	else
		errmsg_set(error, "%s has parts: write %s.NAME=VALUE", name, name);
	return PARAMS_E_INVALID;
}

int params_set_at(ProtobufCMessage *message, const char *path, const char *text, struct errmsg *error)
{
	struct step step = take_step(path);
	const ProtobufCFieldDescriptor *field = field_find(message->descriptor, step.name);
	enum field_kind kind = field ? field_kind_of(field) : FIELD_KIND_NONE;
	ProtobufCMessage *child = NULL;
	int r = 0;

	if (!field)
		return refuse_name(message->descriptor, step.name, error);
	if (!step.rest && kind != FIELD_KIND_MESSAGE && kind != FIELD_KIND_STRUCT)
		return field_set_text(message, field, bytes_of_text(text), error);
	if (!step.rest)
		return refuse_whole(message, field, error);
	if (kind != FIELD_KIND_MESSAGE && kind != FIELD_KIND_STRUCT) {
		errmsg_set(error, "%s has no parts", field->name);
		return PARAMS_E_INVALID;
	}
	if (step.index.data && !field_is_list(field)) {
		errmsg_set(error, "%s is not a list", field->name);
		return PARAMS_E_INVALID;
	}
	if (field_is_list(field))
		r = list_item(message, field, step.index, &child, error);
	else
		child = field_child(message, field);
	if (r)
		return r;
	if (!child)
		return err_origin(-ENOMEM);
	return kind == FIELD_KIND_STRUCT ? set_extras((void *)child, step.rest, text, error)
					 : params_set_at(child, step.rest, text, error);
}

int params_set(Filmgate__V1__JobParameters *parameters, const char *assignment, struct errmsg *error)
{
	const char *equals = strchr(assignment, '=');
	_cleanup_(freep) char *path = NULL;
	struct errmsg why = {""};
	int r;

	if (!equals || equals == assignment) {
		errmsg_set(error, "'%s' is not NAME=VALUE", assignment);
		return PARAMS_E_INVALID;
	}
	path = bytes_dup_text(bytes_of(assignment, (size_t)(equals - assignment)));
	if (!path)
		return err_origin(-ENOMEM);
	r = params_set_at(&parameters->base, path, equals + 1, &why);
	if (r <= 0)
		return r;
	errmsg_set(error, "%s: %s", path, why.text);
	return PARAMS_E_INVALID;
}

static Filmgate__V1__MediaRole usual_role(Filmgate__V1__MediaKind kind)
{
	switch (kind) {
	case FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE:
		return FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_FIRST_FRAME;
	case FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_VIDEO:
		return FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_SOURCE;
	default:
		return FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_REFERENCE;
	}
}

/* Takes "ROLE=" or "keyframe@TIME=" off the front; what is no role stays, since addresses and handles may hold "=". */
static int take_role(const char **argument, Filmgate__V1__Media *media, struct errmsg *error)
{
	size_t len = strcspn(*argument, "="), role_len = strcspn(*argument, "=@");
	const ProtobufCFieldDescriptor *at = field_find(media->base.descriptor, bytes_of_text("at_ms"));
	int role;

	if ((*argument)[len] != '=' ||
	    !field_enum_value(&filmgate__v1__media_role__descriptor, bytes_of(*argument, role_len), &role))
		return 0;
	media->role = (Filmgate__V1__MediaRole)role;
	if (role_len < len) {
		struct bytes time = bytes_of(*argument + role_len + 1, len - role_len - 1);
		int r = field_set_text(&media->base, at, time, error);

		if (r)
			return r;
	}
	*argument += len + 1;
	return 0;
}

static const char *source_field(const char *source)
{
	if (!strncmp(source, "https://", 8) || !strncmp(source, "http://", 7))
		return "url";
	return !strncmp(source, "assets/", 7) ? "asset" : "provider_handle";
}

int params_add_media(Filmgate__V1__JobParameters *parameters, Filmgate__V1__MediaKind kind, const char *argument,
		     struct errmsg *error)
{
	const ProtobufCMessageDescriptor *of = parameters->base.descriptor;
	ProtobufCMessage *item = field_child(&parameters->base, field_find(of, bytes_of_text("media")));
	Filmgate__V1__Media *media = (void *)item;
	int r;

	if (!item)
		return err_origin(-ENOMEM);
	media->kind = kind;
	media->role = usual_role(kind);
	r = take_role(&argument, media, error);
	if (r)
		return r < 0 ? r : PARAMS_E_INVALID;
	r = field_set_text(item, field_find(item->descriptor, bytes_of_text(source_field(argument))),
			   bytes_of_text(argument), error);
	return r <= 0 ? r : PARAMS_E_INVALID;
}
