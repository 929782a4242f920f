/*
 * A manifest, then, behind the first NUL, the parameters of an order. What is taken as a capability document must be
 * able to judge any order.
 */
#include "base/err.h"
#include "fuzz.h"
#include "job/validate.h"

#include <assert.h>

static void judge(const struct job_capabilities *capabilities, const char *model, struct bytes parameters)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, model, parameters, &verdict);

	assert(r == 0 || r == JOB_VALIDATE_E_VIOLATED);
	assert((r == 0) == (verdict.n_violations == 0) && verdict.fault == 0);
	assert(!verdict.is_cut || verdict.n_violations == LIMIT_JOB_VIOLATIONS);
	assert(r != 0 || verdict.model);
	for (size_t i = 0; i < verdict.n_violations; i++) {
		assert(bytes_are_text(bytes_of_text(verdict.violations[i].field)));
		assert(bytes_are_text(bytes_of_text(verdict.violations[i].text)));
		assert(!strpbrk(verdict.violations[i].field, "\r\n"));
	}
	job_verdict_finish(&verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(job_capabilities_freep) struct job_capabilities *capabilities = NULL;
	const uint8_t *end = memchr(data, '\0', size);
	size_t manifest = end ? (size_t)(end - data) : size;
	struct bytes parameters = end ? bytes_of(end + 1, size - manifest - 1) : bytes_of_text("{}");
	struct errmsg error = {0};
	const char *model;
	int r = job_capabilities_new(bytes_of(data, manifest), &capabilities, &error);

	assert(r == 0 || (r == JOB_VALIDATE_E_MANIFEST && error.text[0]));
	if (r != 0)
		return 0;
	for (size_t i = 0; (model = job_capabilities_model(capabilities, i)); i++)
		judge(capabilities, model, parameters);
	judge(capabilities, "", parameters);
	judge(capabilities, "no model", parameters);
	return 0;
}
