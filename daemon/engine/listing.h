/*
 * The videos in a provider's account, as its plugin's verb list shows them: a page at a time. Engine thread.
 */
#ifndef FG_ENGINE_LISTING_H
#define FG_ENGINE_LISTING_H

#include "engine/internal.h"

/* One video. Texts are NUL-terminated, "" when the provider says nothing, and belong to the page. */
struct listed {
	const char *
		remote_id; /* 1 to LIMIT_ENGINE_REMOTE_ID bytes, in a form that the manifest takes; unique in the page */
	const char *title, *status, *kind;
	int64_t created_ms; /* UTC; 0: not said */
};

struct listing_page {
	struct json *json;
	struct listed *items;
	size_t n;
	uint32_t unusable; /* entries that were left out: no id, none that can be asked about, or too many */
	const char *next;  /* names the next page; NULL: this was the last */
};
/* The pointer itself is the caller's. */
void listing_page_finish(struct listing_page *page);

/*
 * 0 and a page whose content is now the callee's; ENGINE_E_STATE: this provider has no list; ENGINE_E_PROVIDER,
 * …_CREDENTIAL, …_UNREACHABLE or …_DRAINING, with words.
 */
typedef void listing_fn(void *userdata, int outcome, const char *text, struct listing_page *take);
/* @next: of the page before, borrowed; NULL: the first. @fn exactly once, on the engine thread, perhaps before this
 * returns. */
void listing_fetch(struct lane *lane, const char *next, listing_fn *fn, void *userdata);

/* Can it be asked? 0; else ENGINE_E_NOT_FOUND, …_PROVIDER or …_STATE, with words. @provider: as it was asked for.
 * [any-thread] */
int listing_check(const struct engine *engine, const struct lane *lane, const char *provider, struct errmsg *ret);

/* What tells whose a video may be: the orders at this place that nobody knows the outcome of, of about that time. */
struct store_orders_query listing_doubts(const struct lane *lane, const struct listed *items, size_t n, int64_t now_ms);
/* Could the order have made it? */
bool listing_may_be_of(const struct listed *item, const struct store_order *order);

#endif
