/*
 * What the files of this room share. Everything belongs to the thread fg-webhook unless marked [any-thread]; what other
 * threads have to say comes as a message to its loop, and after webhooks_stop() to webhooks_free().
 *
 * A delivery that is to be sent is an *item*. It waits for its time, then in its *lane* (one for each endpoint, or for
 * each host that jobs name) for a place, then it flies: it is read, sent, and what came of it is stored. Only then its
 * place is free again. The delivery itself, with its body, is in memory only while it flies.
 */
#ifndef FG_WEBHOOK_INSIDE_H
#define FG_WEBHOOK_INSIDE_H

#include "api/api.h"
#include "base/log.h"
#include "engine/engine.h"
#include "http/http.h"
#include "loop/loop.h"
#include "webhook/schedule.h"
#include "webhook/webhook.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <utlist.h>
#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#define ITEM_NAME_SIZE (STORE_ENDPOINT_SIZE + 32)

struct endpoint {
	char *name;
	char *url; /* NULL: the job's */
	struct buffer *keys;
	size_t n_keys;
	char **events; /* n_events 0: all */
	size_t n_events;
	struct schedule schedule;
	bool allows_private;
	bool is_known;            /* it has a cursor in the store */
	uint64_t read, read_kept; /* events up to these have their deliveries, or soon; as the store says */
};

struct item;

struct lane {
	char *name;
	struct item *ready; /* a list, in the order in which their time came */
	size_t items;       /* in all */
	unsigned int flying;
	bool is_listed; /* among those that could send */
	struct lane *prev, *next;
	UT_hash_handle hh;
};

enum item_state { ITEM_WAITS, ITEM_READY, ITEM_FLIES };

struct item {
	struct webhooks *webhooks;
	char name[ITEM_NAME_SIZE];
	struct store_delivery_key key;
	struct endpoint *endpoint; /* NULL: it is not configured any more */
	struct lane *lane;
	enum item_state state;
	struct loop_timer timer;
	struct item *prev, *next;       /* in the lane */
	struct store_delivery delivery; /* while it flies */
	UT_hash_handle hh;
};

struct webhooks {
	struct engine *engine;
	const struct clock *clock;
	struct http *http;
	struct loop *loop;
	struct endpoint *endpoints;
	size_t n_endpoints;
	unsigned int chance;

	struct item *items;  /* by name */
	struct lane *lanes;  /* by name */
	struct lane *listed; /* that have something to send, and a place */
	unsigned int flying;

	struct engine_watch *watch; /* NULL: none is open */
	bool is_closing;            /* the watch: it is not to be touched any more */
	bool is_stopping;
	struct loop_message start_message, stop_message, closed_message;
	struct loop_timer start_timer; /* begins anew what went wrong */
	struct loop_timer cursor_timer, trim_timer;
	bool is_keeping_cursors;

	struct metric pending, delivered, dead, failed;
};

/* Aborts where there is no memory: everything that was acknowledged is in the store. */
void *need_memory(size_t size);
char *need_text(const char *text);
struct store_commit *need_commit(void);

/* NULL: it is not configured. */
struct endpoint *endpoint_find(struct webhooks *webhooks, const char *name);

/* keep.c: what was left is taken up, then the events are followed; now and then what was kept for long enough goes. */
void keep_start(struct webhooks *webhooks);
void keep_on_cursor_timer(void *userdata);
void keep_on_trim_timer(void *userdata);

/* planner.c: follows the events behind what all endpoints have read. */
void planner_start(struct webhooks *webhooks);
/* Closes what planner_start() opened; false: nothing is open. on_closed tells when it is over. */
bool planner_stop(struct webhooks *webhooks);

/* send.c: a delivery that the store has as PENDING is tried at @due_ms, UTC. One that is there already is not added. */
void item_add(struct webhooks *webhooks, const struct store_delivery_key *key, const char *url, int64_t due_ms);
struct item *item_find(struct webhooks *webhooks, const struct store_delivery_key *key);
/* Its time is now. */
void item_hurry(struct item *item);
void item_free(struct item *item);
void lanes_free(struct webhooks *webhooks);
void item_on_timer(void *userdata);

/* redeliver.c: for struct api_webhooks. [any-thread] */
void redeliver(void *userdata, const struct store_delivery_key *key, api_redelivered_fn *fn, void *caller);

#endif
