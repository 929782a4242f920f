#include "rpc/reflection.h"

#include "api/arena.h"
#include "base/err.h"

#include <google/protobuf/descriptor.pb-c.h>

struct reflection_file {
	struct bytes raw;
	const Google__Protobuf__FileDescriptorProto *proto;
	const struct reflection_file **imports;
	size_t n_imports;
	size_t number;
};

struct symbol {
	const char *name;
	const struct reflection_file *file;
};

struct reflection {
	struct arena arena; /* everything below */
	struct reflection_file *files;
	size_t n_files;
	struct symbol *symbols; /* sorted by name */
	size_t n_symbols;
	size_t max_symbols;
	const char **services;
	size_t n_services;
};

/* ---- symbols ---- */

static void add_symbol(struct reflection *index, const struct reflection_file *file, const char *name)
{
	if (index->n_symbols == index->max_symbols) {
		size_t max = index->max_symbols ? index->max_symbols * 2 : 256;
		struct symbol *symbols = arena_need(&index->arena, max * sizeof(*symbols));

		if (index->n_symbols)
			memcpy(symbols, index->symbols, index->n_symbols * sizeof(*symbols));
		index->symbols = symbols;
		index->max_symbols = max;
	}
	index->symbols[index->n_symbols++] = (struct symbol){.name = name, .file = file};
}

static const char *add_in(struct reflection *index, const struct reflection_file *file, const char *scope,
			  const char *name)
{
	const char *full = arena_printf(&index->arena, "%s%s%s", scope, *scope ? "." : "", name);

	add_symbol(index, file, full);
	return full;
}

/* The values of an enum stand beside it, not in it. */
static void add_enum(struct reflection *index, const struct reflection_file *file, const char *scope,
		     const Google__Protobuf__EnumDescriptorProto *proto)
{
	add_in(index, file, scope, proto->name);
	for (size_t i = 0; i < proto->n_value; i++)
		add_in(index, file, scope, proto->value[i]->name);
}

static void add_message(struct reflection *index, const struct reflection_file *file, const char *scope,
			const Google__Protobuf__DescriptorProto *proto)
{
	const char *full = add_in(index, file, scope, proto->name);

	for (size_t i = 0; i < proto->n_field; i++)
		add_in(index, file, full, proto->field[i]->name);
	for (size_t i = 0; i < proto->n_oneof_decl; i++)
		add_in(index, file, full, proto->oneof_decl[i]->name);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		add_enum(index, file, full, proto->enum_type[i]);
	for (size_t i = 0; i < proto->n_nested_type; i++)
		add_message(index, file, full, proto->nested_type[i]);
}

static void add_symbols(struct reflection *index, const struct reflection_file *file)
{
	const Google__Protobuf__FileDescriptorProto *proto = file->proto;
	const char *package = proto->package ? proto->package : "";

	for (size_t i = 0; i < proto->n_message_type; i++)
		add_message(index, file, package, proto->message_type[i]);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		add_enum(index, file, package, proto->enum_type[i]);
	for (size_t i = 0; i < proto->n_service; i++) {
		const Google__Protobuf__ServiceDescriptorProto *service = proto->service[i];
		const char *full = add_in(index, file, package, service->name);

		index->services[index->n_services++] = full;
		for (size_t j = 0; j < service->n_method; j++)
			add_in(index, file, full, service->method[j]->name);
	}
}

static int compare_symbols(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

/* ---- files ---- */

/* One entry of the set: tag, length, bytes. */
static bool next_entry(struct bytes *left, struct bytes *ret)
{
	const uint8_t *p = left->data, *stop = p + left->len;
	size_t len = 0;

	if (p == stop || *p++ != 0x0a)
		return false;
	for (unsigned shift = 0; p < stop && shift < 35; shift += 7) {
		len |= (size_t)(*p & 0x7f) << shift;
		if (!(*p++ & 0x80))
			break;
	}
	if (len > (size_t)(stop - p))
		return false;
	*ret = bytes_of(p, len);
	*left = bytes_of(p + len, (size_t)(stop - p) - len);
	return true;
}

static int add_file(struct reflection *index, struct bytes raw)
{
	struct reflection_file *file = &index->files[index->n_files];
	ProtobufCAllocator allocator = arena_allocator(&index->arena);

	file->raw = raw;
	file->number = index->n_files;
	file->proto = google__protobuf__file_descriptor_proto__unpack(&allocator, raw.len, raw.data);
	if (!file->proto || !file->proto->name)
		return err_origin(-EBADMSG);
	file->imports = arena_need_pointers(&index->arena, file->proto->n_dependency);
	for (size_t i = 0; i < file->proto->n_dependency; i++) {
		const struct reflection_file *import = reflection_find_file(index, file->proto->dependency[i]);

		if (!import)
			return err_origin(-EBADMSG);
		file->imports[file->n_imports++] = import;
	}
	index->n_files++;
	return 0;
}

static int add_files(struct reflection *index, struct bytes set)
{
	struct bytes left = set, raw;
	size_t n = 0, services = 0;
	int r = 0;

	while (next_entry(&left, &raw))
		n++;
	if (left.len)
		return err_origin(-EBADMSG);
	index->files = arena_need(&index->arena, (n + 1) * sizeof(*index->files));
	memset(index->files, 0, (n + 1) * sizeof(*index->files));
	for (left = set; r == 0 && next_entry(&left, &raw);)
		r = add_file(index, raw);
	for (size_t i = 0; i < index->n_files; i++)
		services += index->files[i].proto->n_service;
	index->services = arena_need_pointers(&index->arena, services);
	return r;
}

int reflection_new(struct bytes set, struct reflection **ret)
{
	struct reflection *index = calloc(1, sizeof(*index));
	int r;

	if (!index)
		return err_origin(-ENOMEM);
	r = add_files(index, set);
	if (r < 0) {
		reflection_free(index);
		return err_trace(r);
	}
	for (size_t i = 0; i < index->n_files; i++)
		add_symbols(index, &index->files[i]);
	if (index->n_symbols)
		qsort(index->symbols, index->n_symbols, sizeof(*index->symbols), compare_symbols);
	*ret = index;
	return 0;
}

struct reflection *reflection_free(struct reflection *reflection)
{
	if (reflection)
		arena_finish(&reflection->arena);
	free(reflection);
	return NULL;
}

const struct reflection_file *reflection_find_file(const struct reflection *reflection, const char *name)
{
	for (size_t i = 0; i < reflection->n_files; i++)
		if (strcmp(reflection->files[i].proto->name, name) == 0)
			return &reflection->files[i];
	return NULL;
}

const struct reflection_file *reflection_find_symbol(const struct reflection *reflection, const char *symbol)
{
	const struct symbol key = {.name = symbol};
	const struct symbol *found = bsearch(&key, reflection->symbols, reflection->n_symbols, sizeof(key),
					     compare_symbols);

	return found ? found->file : NULL;
}

static void mark(const struct reflection_file *file, bool *is_wanted)
{
	if (is_wanted[file->number])
		return;
	is_wanted[file->number] = true;
	for (size_t i = 0; i < file->n_imports; i++)
		mark(file->imports[i], is_wanted);
}

void reflection_walk(const struct reflection *reflection, const struct reflection_file *file,
		     void (*fn)(void *userdata, struct bytes file), void *userdata)
{
	_cleanup_(freep) bool *is_wanted = calloc(reflection->n_files, sizeof(*is_wanted));

	if (!is_wanted)
		abort();
	mark(file, is_wanted);
	for (size_t i = 0; i < reflection->n_files; i++)
		if (is_wanted[i])
			fn(userdata, reflection->files[i].raw);
}

size_t reflection_count_services(const struct reflection *reflection)
{
	return reflection->n_services;
}

const char *reflection_service(const struct reflection *reflection, size_t i)
{
	return reflection->services[i];
}
