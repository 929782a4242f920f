#include "money.h"

#include "render.h"
#include "words.h"

#include "base/decimal.h"

#define KIND(name) FILMGATE__V1__QUOTE_KIND__QUOTE_KIND_##name
#define UNIT(name) FILMGATE__V1__PRICE_UNIT__PRICE_UNIT_##name
#define PURCHASED(name) FILMGATE__V1__PURCHASED__PURCHASED_##name
#define SOURCE(name) FILMGATE__V1__COST_SOURCE__COST_SOURCE_##name

void money_amount(uint64_t micros, const char *currency, struct buffer *out)
{
	char amount[DECIMAL_TEXT_SIZE];

	decimal_format(micros <= INT64_MAX ? (int64_t)micros : INT64_MAX, 6, amount);
	buffer_printf(out, "%s%s%s", amount, *currency ? " " : "", currency);
}

static bool has_amount(const Filmgate__V1__Quote *quote)
{
	return quote->kind == KIND(EXACT) || quote->kind == KIND(ESTIMATE);
}

static void add_quantity(const Filmgate__V1__Quote *quote, struct buffer *out)
{
	if (quote->unit == UNIT(SECOND)) {
		if (quote->sample_count > 1)
			buffer_printf(out, "%u times ", quote->sample_count);
		if (quote->duration)
			buffer_printf(
				out, "%s at ",
				words_of_duration(quote->duration->seconds * 1000 + quote->duration->nanos / 1000000)
					.text);
		money_amount(quote->unit_micros, quote->currency_code, out);
		buffer_append_text(out, " a second");
	} else {
		buffer_printf(out, "%u video%s at ", quote->sample_count, quote->sample_count == 1 ? "" : "s");
		money_amount(quote->unit_micros, quote->currency_code, out);
	}
}

void money_quote(const Filmgate__V1__Quote *quote, struct buffer *out)
{
	if (!quote)
		return;
	if (quote->kind == KIND(ESTIMATE))
		buffer_append_text(out, "about ");
	if (has_amount(quote))
		money_amount(quote->amount_micros, quote->currency_code, out);
	else
		buffer_append_text(out, "not known");
	if (!quote->unit)
		return;
	buffer_append_text(out, ": ");
	add_quantity(quote, out);
}

static const char *source_words(Filmgate__V1__CostSource source)
{
	switch (source) {
	case SOURCE(PROVIDER):
		return ", by the provider";
	case SOURCE(PLUGIN):
		return ", computed by the provider's plugin";
	case SOURCE(COMPUTED):
		return ", computed from what was delivered";
	case SOURCE(NOTHING):
		return ": nothing was bought";
	default:
		return "";
	}
}

static const char *why_unknown(const Filmgate__V1__Job *job)
{
	const Filmgate__V1__JobStatus *status = job->status;
	const Filmgate__V1__JobFailure *failure = status->failure;

	if (job->adopted)
		return "not counted here: it was bought elsewhere";
	if (status->state == FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN)
		return "not known: whether it was bought is still to be decided";
	if (failure && failure->purchased == PURCHASED(UNKNOWN))
		return "not known: it cannot be told whether it was bought; look at the provider's account";
	if (failure && failure->purchased == PURCHASED(NOTHING))
		return "nothing was bought";
	if (job->quote && has_amount(job->quote))
		return "not known: the provider tells none, and there is no file to count by";
	return "not known: the provider tells none, and no price rule fits it";
}

void money_cost(const Filmgate__V1__Job *job, struct buffer *out)
{
	const Filmgate__V1__JobCost *cost = job->status ? job->status->cost : NULL;

	if (!cost && job->status &&
	    (render_is_final(job->status->state) || job->status->state == FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN))
		buffer_append_text(out, why_unknown(job));
	if (!cost)
		return;
	money_amount(cost->amount_micros, cost->currency_code, out);
	buffer_printf(out, "%s%s", source_words(cost->source),
		      cost->provisional ? ", as said when it took the order" : "");
}

void money_held(const Filmgate__V1__JobMoney *money, struct buffer *out)
{
	if (!money || money->settlement == FILMGATE__V1__SETTLEMENT_STATE__SETTLEMENT_STATE_UNSPECIFIED)
		return;
	if (money->settlement == FILMGATE__V1__SETTLEMENT_STATE__SETTLEMENT_STATE_PENDING) {
		if (money->unpriced) {
			buffer_append_text(out, "nothing reserved: its price is not known");
			return;
		}
		money_amount(money->reserved_micros, money->currency_code, out);
		buffer_append_text(out, " reserved");
	} else if (money->unpriced && money->unconfirmed && !money->settled_micros) {
		buffer_printf(out, "amount not known; counts on %s", money->date);
		return;
	} else {
		money_amount(money->settled_micros, money->currency_code, out);
		buffer_append_text(out, " spent");
	}
	if (money->excess_micros) {
		buffer_append_text(out, ", ");
		money_amount(money->excess_micros, money->currency_code, out);
		buffer_append_text(out, " of it above the reservation");
	}
	if (money->unconfirmed)
		buffer_append_text(out, ", which nobody has confirmed");
	buffer_printf(out, "; counts on %s", money->date);
}
