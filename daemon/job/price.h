/*
 * Money: which price an order has, what it will come to, and what it came to.
 *
 * Prices are rules with conditions and dates. The operator's table (providers.prices) goes before the plugin's (its
 * manifest), and within each the first rule whose dates and conditions hold is the price. Amounts are whole millionths
 * of a currency; a fraction of one is rounded half up, and what does not fit is not known. No price is ever guessed.
 *
 * Pure. Tables that were taken may be asked from any number of threads at once.
 */
#ifndef FG_JOB_PRICE_H
#define FG_JOB_PRICE_H

#include "job/job.h"

struct errmsg;
struct job_capabilities;
struct job_prices;

/*
 * The operator's table, from its JSON (daemon/config writes it): a list of {model, when, per_second_micros or
 * per_video_micros, currency, from, until, line}. Models and conditions must be what @capabilities, borrowed for the
 * call, know.
 *
 * Returns 0 and a table that the caller frees; JOB_VALIDATE_E_MANIFEST with words in @error, which name the line;
 * -ENOMEM.
 */
int job_prices_new(const struct job_capabilities *capabilities, struct bytes table, struct job_prices **ret,
		   struct errmsg *error);
struct job_prices *job_prices_free(struct job_prices *prices);
void job_prices_freep(struct job_prices **prices);

/* Where prices come from. */
struct job_pricing {
	const struct job_capabilities *capabilities;
	const struct job_prices *operators; /* NULL: none */
	const char *plugin;                 /* "heygen 1.0.0": for the words */
};

/*
 * What an order that fits costs at the instant @now_ms. @parameters: as validation left them.
 *
 * Returns 0 and a quote, UNKNOWN where that is the truth, that the caller finishes; or -ENOMEM.
 */
int job_quote_order(const struct job_pricing *pricing, const char *model, const char *parameters, int64_t now_ms,
		    struct job_quote *ret);

/* @unit_micros times @quantity_thousandths / 1000, of amounts that are not negative. False: it does not fit. */
bool job_price_times(int64_t unit_micros, int64_t quantity_thousandths, int64_t *ret);

/*
 * What the job cost, when it ends with @purchase. A figure of the provider or its plugin stays. Without one: 0 where
 * nothing was bought; what was delivered at the price of @quote where the job has videos whose length is known; else
 * nothing is said. 0 or -ENOMEM.
 */
int job_settle(struct job_status *status, const struct job_quote *quote, enum job_purchase purchase);

#endif
