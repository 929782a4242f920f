/*
 * The videos of a provider that no job owns: a page of its list, without those that the store knows the owner of. What is
 * known of the rest is told with it: the job that it belonged to, which was deleted here, and a job that it may belong to,
 * since nobody knows what came of an order of about that time.
 *
 * The list is read first and the store after it: an order is on disk before it leaves, so nothing that the list can show
 * is missing there.
 */
#include "engine/listing.h"
#include "engine/run.h"

struct question {
	struct loop_message message;
	struct lane *lane;
	uint32_t tenant, offset, limit;
	char *page;
	struct listing_page listed;
	const char **ids;
	struct engine_orphan *orphans; /* as many as listed.n; those that are owned are taken out */
	size_t n;
	uint32_t owned;
	engine_orphans_fn *fn;
	void *userdata;
};

static void free_question(struct question *question)
{
	listing_page_finish(&question->listed);
	free(question->page);
	free(question->ids);
	free(question->orphans);
	free(question);
}

static void refuse(struct question *take, int outcome, const char *text)
{
	take->fn(take->userdata, outcome, &(struct engine_error){.text = text}, NULL);
	free_question(take);
}

static void refuse_unread(struct question *take, int outcome)
{
	struct errmsg why, words;

	explain_unreadable(outcome, &why);
	errmsg_set(&words, "whose the provider's videos are could not be read: %.300s", why.text);
	refuse(take, ENGINE_E_STORE, words.text);
}

/* The part of the page that was asked for; what comes behind it is the next question's. */
static void answer(struct question *take)
{
	size_t first = take->offset < take->n ? take->offset : take->n;
	size_t left = take->n - first;
	struct engine_orphans answer = {
		.orphans = take->orphans + first,
		.n = left < take->limit ? left : take->limit,
		.owned = take->owned,
		.unusable = take->listed.unusable,
	};

	answer.has_more = answer.n < left || take->listed.next;
	answer.next_page = answer.n < left ? take->page : take->listed.next;
	answer.next_offset = answer.n < left ? (uint32_t)(first + answer.n) : 0;
	/* What was counted is counted once, whatever part of the page is asked for. */
	if (take->offset)
		answer.owned = answer.unusable = 0;
	take->fn(take->userdata, 0, NULL, &answer);
	free_question(take);
}

/* [reader thread] */
static void on_doubts(void *userdata, int outcome, const struct store_order *orders, size_t n, bool has_left_out)
{
	struct question *question = userdata;

	(void)has_left_out;
	if (outcome != 0) {
		refuse_unread(question, outcome);
		return;
	}
	for (size_t i = 0; i < question->n; i++)
		for (size_t k = 0; k < n; k++) {
			struct engine_orphan *orphan = &question->orphans[i];
			const struct listed item = {.created_ms = orphan->created_ms};

			if (orders[k].ref.tenant != question->tenant || !listing_may_be_of(&item, &orders[k]))
				continue;
			orphan->maybe_job = orders[k].ref.id;
			orphan->has_maybe_job = true;
		}
	answer(question);
}

/* [reader thread] */
static void on_owners(void *userdata, int outcome, const struct store_owner *owners, size_t n)
{
	struct question *question = userdata;
	struct store_orders_query doubts;

	if (outcome != 0) {
		refuse_unread(question, outcome);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct listed *item = &question->listed.items[i];

		if (owners[i].is_known && !owners[i].is_deleted) {
			question->owned++;
			continue;
		}
		question->orphans[question->n++] = (struct engine_orphan){
			.remote_id = item->remote_id,
			.title = item->title,
			.status = item->status,
			.kind = item->kind,
			.created_ms = item->created_ms,
			.has_deleted_job = owners[i].is_known && owners[i].ref.tenant == question->tenant,
			.deleted_job = owners[i].ref.id,
		};
	}
	if (question->n == 0) {
		answer(question);
		return;
	}
	doubts = listing_doubts(question->lane, question->listed.items, question->listed.n,
				now_utc(question->lane->engine));
	store_find_orders(question->lane->engine->store, &doubts, on_doubts, question);
}

static void on_listed(void *userdata, int outcome, const char *text, struct listing_page *take)
{
	struct question *question = userdata;
	struct engine *engine = question->lane->engine;
	struct store_owners_query query = {.place = send_place_of(question->lane->config->base_url),
					   .provider = question->lane->config->id};

	if (outcome != 0 || atomic_load(&engine->phase) == ENGINE_PHASE_STOPPED) {
		refuse(question, outcome ? outcome : ENGINE_E_DRAINING,
		       outcome ? text : "the daemon is shutting down; ask again when it is back");
		return;
	}
	question->listed = *take;
	question->ids = take_memory((take->n + 1) * sizeof(*question->ids));
	question->orphans = take_memory((take->n + 1) * sizeof(*question->orphans));
	for (size_t i = 0; i < take->n; i++)
		question->ids[i] = take->items[i].remote_id;
	query.remote_ids = question->ids;
	query.n = take->n;
	store_find_owners(engine->store, &query, on_owners, question);
}

static void on_ask(struct loop_message *message)
{
	struct question *question = loop_message_owner(message, struct question, message);

	listing_fetch(question->lane, question->page, on_listed, question);
}

void engine_list_orphans(struct engine *engine, const struct engine_orphans_query *query, engine_orphans_fn *fn,
			 void *userdata)
{
	struct lane *lane = lane_find(engine, query->provider);
	struct question *question;
	struct errmsg words;
	int r = listing_check(engine, lane, query->provider, &words);

	if (r != 0) {
		fn(userdata, r, &(struct engine_error){.text = words.text}, NULL);
		return;
	}
	question = take_memory(sizeof(*question));
	*question = (struct question){
		.message.run = on_ask,
		.lane = lane,
		.tenant = query->tenant,
		.page = take_text(query->page && *query->page ? query->page : NULL),
		.offset = query->offset,
		.limit = query->limit,
		.fn = fn,
		.userdata = userdata,
	};
	loop_post(engine->loop, &question->message);
}
