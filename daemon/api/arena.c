#include "api/arena.h"

#include "base/err.h"
#include "base/limits.h"

#include <stdarg.h>

#define BLOCK_SIZE 4096
#define ALIGNMENT 16

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	_Alignas(ALIGNMENT) char data[];
};

static struct arena_block *add_block(struct arena *arena, size_t len, size_t limit)
{
	size_t size = arena->blocks ? arena->blocks->size * 2 : BLOCK_SIZE - sizeof(struct arena_block);
	struct arena_block *block;

	if (len > limit || arena->used > limit - len)
		return NULL;
	if (size > LIMIT_RPC_ARENA / 8)
		size = LIMIT_RPC_ARENA / 8;
	if (size > limit - arena->used)
		size = limit - arena->used;
	if (size < len)
		size = len;

	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->used += size;
	return block;
}

static void *take(struct arena *arena, size_t len, size_t limit)
{
	void *found;

	if (len > SIZE_MAX / 2)
		return NULL;
	len = (len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (len > arena->left) {
		struct arena_block *block = add_block(arena, len, limit);

		if (!block)
			return NULL;
		arena->at = block->data;
		arena->left = block->size;
	}
	found = arena->at;
	arena->at += len;
	arena->left -= len;
	return found;
}

void *arena_alloc(struct arena *arena, size_t len)
{
	return take(arena, len, arena->limit ? arena->limit : LIMIT_RPC_ARENA);
}

void *arena_need(struct arena *arena, size_t len)
{
	void *found = take(arena, len, SIZE_MAX / 2);

	if (!found)
		abort();
	return found;
}

void *arena_need_pointers(struct arena *arena, size_t n)
{
	if (n > SIZE_MAX / sizeof(void *) / 2)
		abort();
	return arena_need(arena, (n ? n : 1) * sizeof(void *));
}

char *arena_dup_text(struct arena *arena, const char *text)
{
	size_t len = text ? strlen(text) + 1 : 0;

	return text ? memcpy(arena_need(arena, len), text, len) : (char *)"";
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = arena_need(arena, n < 0 ? 1 : (size_t)n + 1);
	*text = '\0';
	if (n > 0)
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	return text;
}

static void *allocate(void *userdata, size_t len)
{
	return arena_alloc(userdata, len);
}

static void leave(void *userdata, void *pointer)
{
	(void)userdata;
	(void)pointer;
}

ProtobufCAllocator arena_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){.alloc = allocate, .free = leave, .allocator_data = arena};
}

void arena_reset(struct arena *arena)
{
	while (arena->blocks && (arena->blocks->next || arena->blocks->size > BLOCK_SIZE)) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	arena->used = arena->blocks ? arena->blocks->size : 0;
	arena->at = arena->blocks ? arena->blocks->data : NULL;
	arena->left = arena->used;
}

void arena_finish(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	*arena = (struct arena){.limit = arena->limit};
}
