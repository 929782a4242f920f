#include "api/message.h"

#include "base/err.h"

/* How protobuf-c lays out every entry with a text key, the only kind in our contract. */
struct map_entry {
	ProtobufCMessage base;
	char *key;
};

struct ranked_entry {
	struct map_entry *entry;
	size_t rank;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked_entry *x = a, *y = b;
	int order = strcmp(x->entry->key, y->entry->key);

	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static bool is_settled(struct map_entry *const *entries, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(entries[i - 1]->key, entries[i]->key) >= 0)
			return false;
	return true;
}

static int settle_map(struct arena *arena, struct map_entry **entries, size_t *n)
{
	struct ranked_entry *ranked;
	size_t kept = 0;

	if (is_settled(entries, *n))
		return 0;
	ranked = arena_alloc(arena, *n * sizeof(*ranked));
	if (!ranked)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < *n; i++)
		ranked[i] = (struct ranked_entry){.entry = entries[i], .rank = i};
	qsort(ranked, *n, sizeof(*ranked), compare_ranked);
	for (size_t i = 0; i < *n; i++)
		if (i + 1 == *n || strcmp(ranked[i].entry->key, ranked[i + 1].entry->key) != 0)
			entries[kept++] = ranked[i].entry;
	*n = kept;
	return 0;
}

static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
	return *(ProtobufCMessage *const *)(base + field->offset) != NULL;
}

/* As deep as the message is nested, which the pre-scan bounds. */
static int settle_maps(struct arena *arena, ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		void *member = (char *)message + field->offset;
		bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
		ProtobufCMessage **list = is_list ? *(ProtobufCMessage ***)member : (ProtobufCMessage **)member;
		size_t *n = (size_t *)((char *)message + field->quantifier_offset), one = 1;
		int r = 0;

		if (field->type != PROTOBUF_C_TYPE_MESSAGE || (!is_list && !is_present(message, field)))
			continue;
		if (is_list && prescan_type_is_map_entry(field->descriptor))
			r = settle_map(arena, (struct map_entry **)list, n);
		for (size_t j = 0; r == 0 && j < (is_list ? *n : one); j++)
			r = settle_maps(arena, list[j]);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

int message_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes, struct arena *arena,
		   ProtobufCMessage **ret, struct problem *problem)
{
	ProtobufCAllocator allocator = arena_allocator(arena);
	ProtobufCMessage *message;
	struct prescan seen;
	int r;

	r = prescan_message(type, bytes, &seen, problem);
	if (r)
		return r;
	message = protobuf_c_message_unpack(type, &allocator, bytes.len, bytes.data);
	if (!message) {
		*problem = (struct problem){
			.text = "not a message of this type, or it needs more than 32 MiB of memory"};
		return PRESCAN_E_MALFORMED;
	}
	if (seen.has_maps) {
		r = settle_maps(arena, message);
		if (r < 0)
			return err_trace(r);
	}
	*ret = message;
	return 0;
}

struct packed *message_pack(const ProtobufCMessage *message)
{
	struct packed *packed = packed_new(protobuf_c_message_get_packed_size(message));

	protobuf_c_message_pack(message, packed_data(packed));
	return packed;
}
