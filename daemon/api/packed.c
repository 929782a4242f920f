#include "api/packed.h"

#include <stdatomic.h>

struct packed {
	atomic_uint refs;
	size_t len;
	char *taken; /* of a buffer; NULL: the bytes follow */
	uint8_t bytes[];
};

static struct packed *make(size_t len, size_t inside, char *taken)
{
	struct packed *packed = malloc(sizeof(*packed) + inside);

	if (!packed)
		abort();
	atomic_init(&packed->refs, 1);
	packed->len = len;
	packed->taken = taken;
	return packed;
}

struct packed *packed_new(size_t len)
{
	return make(len, len, NULL);
}

struct packed *packed_of_buffer(struct buffer *take)
{
	struct packed *packed = make(take->len, 0, take->data);

	*take = (struct buffer){0};
	return packed;
}

struct packed *packed_ref(struct packed *packed)
{
	atomic_fetch_add(&packed->refs, 1);
	return packed;
}

void packed_unref(struct packed *packed)
{
	if (!packed || atomic_fetch_sub(&packed->refs, 1) != 1)
		return;
	free(packed->taken);
	free(packed);
}

uint8_t *packed_data(struct packed *packed)
{
	return packed->taken ? (uint8_t *)packed->taken : packed->bytes;
}

size_t packed_len(const struct packed *packed)
{
	return packed->len;
}
