#include "engine/asset.h"

#include "engine/internal.h"
#include "engine/run.h"
#include "engine/trouble.h"

/* ---- opening ---- */

struct asset_opening {
	struct engine *engine;
	struct asset asset;
	asset_opened_fn *fn;
	void *userdata;
};

static void end_opening(struct asset_opening *opening, int outcome, int fd)
{
	struct engine *engine = opening->engine;

	opening->fn(opening->userdata, outcome, outcome ? NULL : &opening->asset, fd);
	asset_finish(&opening->asset);
	free(opening);
	/* The last touch: engine_stop() waits for it. */
	atomic_fetch_sub(&engine->openings, 1);
}

/* [artifact thread] */
static void on_opened(void *userdata, int outcome, int fd)
{
	if (outcome == 0)
		end_opening(userdata, 0, fd);
	else
		end_opening(userdata, outcome == ARTIFACT_E_DAMAGED ? ENGINE_E_DAMAGED : ENGINE_E_STORE, -1);
}

/* [reader thread] */
static void on_found(void *userdata, int outcome, struct asset *assets, size_t n)
{
	struct asset_opening *opening = userdata;
	int r;

	if (outcome != 0 || n == 0) {
		log_error("an asset could not be read from the store", "outcome", log_int(outcome));
		end_opening(opening, ENGINE_E_STORE, -1);
		return;
	}
	opening->asset = assets[0];
	if (!*opening->asset.media_type) {
		end_opening(opening, ENGINE_E_NOT_FOUND, -1);
		return;
	}
	r = artifact_open(opening->engine->config.artifacts, &opening->asset.sha256, opening->asset.size_bytes,
			  on_opened, opening);
	if (r < 0)
		on_opened(opening, r, -1);
}

void asset_open(struct engine *engine, uint32_t tenant, const struct digest *sha256, asset_opened_fn *fn,
		void *userdata)
{
	struct asset_opening *opening = take_memory(sizeof(*opening));

	*opening = (struct asset_opening){.engine = engine, .fn = fn, .userdata = userdata};
	atomic_fetch_add(&engine->openings, 1);
	store_get_assets(engine->store, tenant, sha256, 1, on_found, opening);
}

/* ---- asking ---- */

struct asset_question {
	struct submission submission;
	struct engine *engine;
	uint32_t tenant;
	struct digest sha256;
	struct asset asset;
	engine_asset_fn *asset_fn;
	store_asset_list_fn *list_fn;
	engine_done_fn *done_fn;
	bool is_answered; /* while the store could not say whether it is on disk */
	void *userdata;
};

static const char no_such_asset[] = "there is no such asset, or no longer";
static const char unread_asset[] = "the asset could not be read from the store; see the daemon's log";

static struct asset_question *question_new(struct engine *engine, uint32_t tenant, const struct digest *sha256,
					   void *userdata)
{
	struct asset_question *question = take_memory(sizeof(*question));

	question->engine = engine;
	question->tenant = tenant;
	if (sha256)
		question->sha256 = *sha256;
	question->userdata = userdata;
	return question;
}

static void question_free(struct asset_question *question)
{
	asset_finish(&question->asset);
	free(question);
}

/* Takes the one asset that was asked for: 0, ENGINE_E_NOT_FOUND or ENGINE_E_STORE. */
static int take_asset(struct asset_question *question, int outcome, struct asset *assets, size_t n)
{
	if (outcome != 0 || n == 0) {
		log_error("an asset could not be read from the store", "outcome", log_int(outcome));
		return ENGINE_E_STORE;
	}
	question->asset = assets[0];
	return *question->asset.media_type ? 0 : ENGINE_E_NOT_FOUND;
}

/* [reader thread] */
static void on_asked(void *userdata, int outcome, struct asset *assets, size_t n)
{
	struct asset_question *question = userdata;
	int r = take_asset(question, outcome, assets, n);
	struct engine_error error = {.text = r == ENGINE_E_NOT_FOUND ? no_such_asset : unread_asset};

	question->asset_fn(question->userdata, r, r ? &error : NULL, r ? NULL : &question->asset, false);
	question_free(question);
}

void engine_get_asset(struct engine *engine, uint32_t tenant, const struct digest *sha256, engine_asset_fn *fn,
		      void *userdata)
{
	struct asset_question *question = question_new(engine, tenant, sha256, userdata);

	question->asset_fn = fn;
	store_get_assets(engine->store, tenant, sha256, 1, on_asked, question);
}

/* [reader thread] */
static void on_listed(void *userdata, int outcome, struct asset *assets, size_t n, bool more)
{
	struct asset_question *question = userdata;

	question->list_fn(question->userdata, outcome, assets, n, more);
	for (size_t i = 0; i < n; i++)
		asset_finish(&assets[i]);
	question_free(question);
}

void engine_list_assets(struct engine *engine, uint32_t tenant, const struct id *after, uint32_t limit,
			store_asset_list_fn *fn, void *userdata)
{
	struct asset_question *question = question_new(engine, tenant, NULL, userdata);

	question->list_fn = fn;
	store_list_assets(engine->store, tenant, after, limit, on_listed, question);
}

/* ---- deleting ---- */

static void end_delete(struct asset_question *question, int outcome, const char *text)
{
	if (!question->is_answered)
		question->done_fn(question->userdata, outcome, outcome ? &(struct engine_error){.text = text} : NULL);
	question_free(question);
}

static void refuse_used(struct asset_question *question, const struct job_ref *user)
{
	char id[ID_TEXT_SIZE];
	struct errmsg words;

	id_format(&user->id, id);
	errmsg_set(
		&words,
		"jobs/%s uses the asset and has not ended; wait for it, or cancel it; one that is UNCERTAIN, decide by 'filmgate resolve'",
		id);
	end_delete(question, ENGINE_E_ASSET_USED, words.text);
}

static void ask_delete(struct asset_question *question);

/* [committer thread] */
static void on_delayed(struct submission *submission)
{
	struct asset_question *question = (struct asset_question *)(void *)submission;
	struct errmsg why;

	trouble_explain(question->engine, &why);
	question->done_fn(question->userdata, ENGINE_E_STORE, &(struct engine_error){.text = why.text});
	question->is_answered = true;
}

/* [engine thread] */
static void on_deleted(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct asset_question *question = (struct asset_question *)(void *)submission;
	struct errmsg why;

	switch (store_commit_outcome(commit)) {
	case 0:
		collect_if_unreferenced(engine, &question->sha256);
		end_delete(question, 0, NULL);
		return;
	case STORE_E_ASSET_MISSING:
		end_delete(question, ENGINE_E_NOT_FOUND, no_such_asset);
		return;
	case STORE_E_ASSET_USED:
		refuse_used(question, store_commit_user(commit));
		return;
	case STORE_E_CONFLICT:
		/* It went and came again since it was read, or got a handle at the same moment. */
		asset_finish(&question->asset);
		ask_delete(question);
		return;
	default:
		log_error("an asset was not deleted", "outcome", log_int(store_commit_outcome(commit)));
		trouble_explain(engine, &why);
		end_delete(question, ENGINE_E_STORE, why.text);
	}
}

/* [reader thread] Its record says where it stands in the list. */
static void on_doomed(void *userdata, int outcome, struct asset *assets, size_t n)
{
	struct asset_question *question = userdata;
	int r = take_asset(question, outcome, assets, n);
	struct store_commit *commit;

	if (r != 0) {
		end_delete(question, r, r == ENGINE_E_NOT_FOUND ? no_such_asset : unread_asset);
		return;
	}
	commit = store_commit_new();
	if (!commit)
		abort();
	store_commit_delete_asset(commit, question->tenant, &question->asset);
	question->submission.on_delayed = on_delayed;
	question->submission.on_committed = on_deleted;
	store_submit(question->engine->store, commit, &question->submission);
}

static void ask_delete(struct asset_question *question)
{
	store_get_assets(question->engine->store, question->tenant, &question->sha256, 1, on_doomed, question);
}

void engine_delete_asset(struct engine *engine, uint32_t tenant, const struct digest *sha256, engine_done_fn *fn,
			 void *userdata)
{
	struct asset_question *question = question_new(engine, tenant, sha256, userdata);
	struct errmsg why;

	question->done_fn = fn;
	if (trouble_takes_changes(engine, &why))
		ask_delete(question);
	else
		end_delete(question, ENGINE_E_STORE, why.text);
}
