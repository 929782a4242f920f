/*
 * A manifest, then, behind the first NUL, the parameters of an order. What is taken as a capability document must be
 * able to judge any order.
 */
#include "base/err.h"
#include "fuzz.h"
#include "job/price.h"
#include "job/validate.h"

#include <assert.h>

static void assert_fits(const struct job_capabilities *capabilities, const char *model, const char *parameters)
{
	struct job_pricing pricing = {.capabilities = capabilities, .plugin = "fuzz 1"};
	struct job_quote quote = {0};
	struct job_verdict verdict;

	assert(job_validate(capabilities, model, bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict) == 0);
	assert(job_quote_order(&pricing, verdict.model, parameters, 0, &quote) == 0);
	assert(quote.kind != JOB_QUOTE_NONE && quote.rule && quote.amount_micros >= 0);
	job_quote_finish(&quote);
	job_verdict_finish(&verdict);
}

/* What is changed fits afterwards, and is noted. */
static void adapt(const struct job_capabilities *capabilities, const char *model, struct bytes parameters)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, model, parameters, JOB_VALIDATE_ADAPT, &verdict);

	assert(r == 0 || r == JOB_VALIDATE_E_VIOLATED);
	assert(!verdict.asked == !verdict.changes);
	assert(!verdict.changes || verdict.changes->n_notes > 0);
	if (r == 0)
		assert_fits(capabilities, model, verdict.canonical);
	job_verdict_finish(&verdict);
}

static void judge(const struct job_capabilities *capabilities, const char *model, struct bytes parameters)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, model, parameters, JOB_VALIDATE_STRICT, &verdict);

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
	adapt(capabilities, model, parameters);
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
