/*
 * Money as a person reads it: what an order was expected to cost, and what it came to.
 */
#ifndef FG_CLI_MONEY_H
#define FG_CLI_MONEY_H

#include "base/bytes.h"

#include <filmgate/v1/job.pb-c.h>

/* "about 0.85 USD: 12.8 s at 0.0667 USD a second"; "not known". Appends; NULL: nothing. Not yet safe to print. */
void money_quote(const Filmgate__V1__Quote *quote, struct buffer *out);
/* "0.85 USD, by the provider"; of a job that has ended, or is UNCERTAIN, without one, why. Appends; else nothing. */
/* What the ledger holds of it: "0.16 USD reserved", "0.2 USD spent, 0.04 above the quote". Nothing when it holds nothing. */
void money_held(const Filmgate__V1__JobMoney *money, struct buffer *out);
void money_cost(const Filmgate__V1__Job *job, struct buffer *out);
/* "0.85 USD" */
void money_amount(uint64_t micros, const char *currency, struct buffer *out);

#endif
