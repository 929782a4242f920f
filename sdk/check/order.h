/*
 * Orders that a manifest takes, made from what it says: the least of each model, the most, and something between.
 */
#ifndef FG_SDK_CHECK_ORDER_H
#define FG_SDK_CHECK_ORDER_H

#include "plugin/step.h"

#define ORDERS 64       /* at most, over all models */
#define ORDERS_MODEL 8  /* of one model */
#define ORDER_ASSETS 32 /* over all orders */
#define ORDER_TRIES 400 /* for one model; most are refused where it has many rules */

/* A file that an order names; no such file is anywhere. */
struct order_asset {
	char name[80];
	char media_type[80];
	uint64_t size_bytes;
};

struct orders {
	struct order_asset assets[ORDER_ASSETS];
	size_t n_assets;
	char *jobs[ORDERS]; /* documents JOB */
	size_t n;
	size_t models, models_without; /* all; and those for which no order was found */
	const char *without;           /* one of these */
};

/* The same for the same manifest. */
void orders_make(const struct plugin_manifest *manifest, struct orders *ret);
void orders_finish(struct orders *orders);

#endif
