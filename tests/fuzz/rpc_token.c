#include "api/text.h"
#include "api/token.h"
#include "base/err.h"
#include "fuzz.h"

#include <assert.h>

/* What is taken for a token is exactly what we would have written; names likewise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = bytes_dup_text(bytes_of(data, size));
	struct digest filter = digest_of(bytes_of_text("filter"));
	struct arena arena = {0};
	char again[TOKEN_TEXT_SIZE];
	uint64_t epoch, sequence;
	uint32_t index;
	struct id id;

	if (!text)
		return -1;
	if (token_read_page(text, &filter, &id) == 0) {
		token_write_page(&id, &filter, again);
		assert(strcmp(text, again) == 0);
	}
	if (token_read_resume(text, &epoch, &sequence) == 0) {
		token_write_resume(epoch, sequence, again);
		assert(strcmp(text, again) == 0);
	}
	if (name_parse_job(text, &id))
		assert(strcmp(text, name_of_job(&arena, &id)) == 0);
	if (name_parse_artifact(text, &id, &index))
		assert(strcmp(text, name_of_artifact(&arena, &id, index)) == 0);
	assert(bytes_are_text(bytes_of_text(text_clean(&arena, text))));
	assert(bytes_are_text(bytes_of_text(text_cut(&arena, text, 7))));
	arena_finish(&arena);
	return 0;
}
