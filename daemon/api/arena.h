/*
 * Memory of one request: bytes are handed out one after the other and all go at once. Unpacking into it costs half of
 * malloc's time and needs no free_unpacked. One thread at a time.
 */
#ifndef FG_API_ARENA_H
#define FG_API_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct arena_block;

/* Inert when zeroed but for the limit. */
struct arena {
	struct arena_block *blocks; /* newest first */
	char *at;
	size_t left;
	size_t used;  /* bytes taken from malloc */
	size_t limit; /* of used, for arena_alloc(); 0: LIMIT_RPC_ARENA */
};

/* For what a request unfolds to: NULL when out of memory or over the limit. Aligned for anything, valid until reset or
 * finish. */
void *arena_alloc(struct arena *arena, size_t len);

/* For what we answer, whose size is ours to bound: no limit, and without memory the process aborts, as libgrpc does. */
void *arena_need(struct arena *arena, size_t len);
void *arena_need_pointers(struct arena *arena, size_t n);    /* an array; never NULL, not even for none */
char *arena_dup_text(struct arena *arena, const char *text); /* "" for NULL */
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *arena, const char *format, ...);

/* For protobuf-c; freeing does nothing. Valid as long as the arena. */
ProtobufCAllocator arena_allocator(struct arena *arena);

/* Everything handed out is gone; a small first block is kept for the next request. */
void arena_reset(struct arena *arena);
void arena_finish(struct arena *arena);

#endif
