#include "plugin/answer.h"

#include "base/err.h"
#include "plugin/step_inside.h"

/* What an answer points to, freed with it; overwritten first, since a header may hold a credential. */
struct block {
	struct block *next;
	size_t size;
	max_align_t data[];
};

struct plugin_answer_memory {
	struct block *blocks;
	bool is_exhausted;
};

static const char *const names[_PLUGIN_ANSWER_N] = {"fault",  "exchange", "wait",      "accepted", "done",
						    "failed", "trouble",  "cancelled", "absent",   "unknown",
						    "report", "respond",  "hint",      "upload"};

const char *plugin_answer_name(enum plugin_answer_kind kind)
{
	return names[kind];
}

struct plugin_answer *plugin_answer_new(void)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	answer->memory = calloc(1, sizeof(*answer->memory));
	return answer->memory ? steal(answer) : NULL;
}

struct plugin_answer *plugin_answer_trouble(enum plugin_reason reason, const char *message)
{
	struct plugin_answer *answer = plugin_answer_new();
	const char *words = answer ? plugin_answer_text(answer, bytes_of_text(message)) : NULL;

	if (!words || answer->memory->is_exhausted)
		abort();
	answer->kind = PLUGIN_ANSWER_TROUBLE;
	answer->failure = (struct plugin_failure){.reason = reason,
						  .bought = PLUGIN_BOUGHT_NONE,
						  .code = "",
						  .message = words,
						  .request_id = "",
						  .field = ""};
	return answer;
}

static const char *copy_text(struct plugin_answer *answer, const char *text)
{
	return text ? plugin_answer_text(answer, bytes_of_text(text)) : NULL;
}

struct plugin_answer *plugin_answer_copy_failure(const struct plugin_answer *answer)
{
	struct plugin_answer *copy = plugin_answer_new();

	if (!copy)
		abort();
	copy->kind = answer->kind;
	copy->fault = copy_text(copy, answer->fault);
	copy->failure = answer->failure;
	copy->failure.code = copy_text(copy, answer->failure.code);
	copy->failure.message = copy_text(copy, answer->failure.message);
	copy->failure.request_id = copy_text(copy, answer->failure.request_id);
	copy->failure.field = copy_text(copy, answer->failure.field);
	if (copy->memory->is_exhausted)
		abort();
	return copy;
}

struct plugin_answer *plugin_answer_free(struct plugin_answer *answer)
{
	struct block *block = answer && answer->memory ? answer->memory->blocks : NULL;

	while (block) {
		struct block *next = block->next;

		explicit_bzero(block->data, block->size);
		free(block);
		block = next;
	}
	if (answer)
		free(answer->memory);
	free(answer);
	return NULL;
}

void plugin_answer_freep(struct plugin_answer **answer)
{
	plugin_answer_free(*answer);
}

bool plugin_answer_is_out_of_memory(const struct plugin_answer *answer)
{
	return answer->memory->is_exhausted;
}

void plugin_answer_set_out_of_memory(struct plugin_answer *answer)
{
	answer->memory->is_exhausted = true;
}

void *plugin_answer_alloc(struct plugin_answer *answer, size_t count, size_t size)
{
	size_t bytes = count * size;
	struct block *block = size && bytes / size != count ? NULL : calloc(1, sizeof(*block) + bytes);

	if (!block) {
		answer->memory->is_exhausted = true;
		return NULL;
	}
	block->size = bytes;
	block->next = answer->memory->blocks;
	answer->memory->blocks = block;
	return block->data;
}

const char *plugin_answer_text(struct plugin_answer *answer, struct bytes text)
{
	char *copy = plugin_answer_alloc(answer, text.len + 1, 1);

	if (!copy)
		return "";
	if (text.len)
		memcpy(copy, text.data, text.len);
	return copy;
}

/* The length of the well-formed character at the front, or 0. */
static size_t character(const char *p, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++)
		if (bytes_are_text(bytes_of(p, n)))
			return n;
	return 0;
}

const char *plugin_answer_words(struct plugin_answer *answer, struct bytes text, size_t limit)
{
	size_t room = text.len < limit ? text.len : limit;
	char *copy = plugin_answer_alloc(answer, room + 1, 1);
	const char *p = text.data;
	size_t len = 0;

	if (!copy)
		return "";
	for (size_t i = 0; i < text.len;) {
		size_t n = character(p + i, text.len - i);

		if (len + (n ? n : 1) > room)
			break;
		if (n)
			memcpy(copy + len, p + i, n);
		else
			copy[len] = '?';
		len += n ? n : 1;
		i += n ? n : 1;
	}
	return copy;
}
