#include "store/internal.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/write.h"
#include "store/records.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Opening and closing: folder, database, what the store says of itself, then the threads; and in reverse. */

#define FIRST_EPOCH 1u

static void store_closep(struct store **store)
{
	store_close(*store);
}

/* Every key there is. */
static struct backend_cursor *all_keys(struct store *store)
{
	static const uint8_t end[] = {0xff};

	return backend_cursor_new(store->backend, bytes_of(NULL, 0), bytes_of(end, sizeof(end)));
}

/* One copy that is restored twice begins two lives of the same epoch: only chance tells them apart. */
static uint64_t draw_life(struct store *store)
{
	struct id id = id_new(clock_utc_ms(store->clock));
	uint64_t life;

	memcpy(&life, id.bytes + sizeof(id.bytes) - sizeof(life), sizeof(life));
	return life;
}

/* Before lives were drawn: when the store was made tells two stores apart; its epoch, two lives of one. */
static uint64_t history_of(const struct record_meta *meta)
{
	return meta->life ? meta->life : (uint64_t)meta->created_ms << 8 | (meta->epoch & 0xff);
}

static void take_meta(struct store *store, const struct record_meta *meta)
{
	store->history = history_of(meta);
	store->epoch = meta->epoch;
	store->origin = (uint64_t)meta->created_ms;
	memcpy(store->link_key, meta->link_key, sizeof(store->link_key));
}

static int draw_link_key(struct record_meta *meta)
{
	meta->has_link_key = true;
	return getentropy(meta->link_key, sizeof(meta->link_key)) < 0 ? err_origin(-errno) : 0;
}

static void batch_freep(struct backend_batch **batch)
{
	*batch = backend_batch_free(*batch);
}

/* With what else the batch holds, in one write. */
static int write_meta(struct store *store, struct record_meta meta, struct backend_batch *batch)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	struct key key;
	int r;

	meta.format = STORE_FORMAT;
	r = record_write_meta(&out, &meta);
	if (r < 0)
		return r;
	take_meta(store, &meta);
	key_tenant(&key, KEY_META, 0);
	backend_batch_put(batch, key_bytes(&key), buffer_bytes(&out));
	return backend_write(store->backend, batch, BACKEND_SYNCED);
}

/* A store without Meta is new only when it is empty. */
static int begin_store(struct store *store, const char *path, struct errmsg *msg)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = all_keys(store);
	_cleanup_(batch_freep) struct backend_batch *batch = backend_batch_new();
	struct record_meta meta = {
		.epoch = FIRST_EPOCH, .created_ms = clock_utc_ms(store->clock), .life = draw_life(store)};
	int r;

	if (!cursor || !batch)
		return err_origin(-ENOMEM);
	if (backend_cursor_is_valid(cursor)) {
		errmsg_set(msg,
			   "the store '%s' has records but does not say which format they have; restore it from a "
			   "backup, or move it away to start with an empty one",
			   path);
		return STORE_E_DAMAGED;
	}
	r = backend_cursor_error(cursor);
	if (r == 0)
		r = draw_link_key(&meta);
	if (r == 0)
		r = write_meta(store, meta, batch);
	if (r < 0)
		errmsg_set(msg, "cannot write to the store '%s': %s; " FOLDER_REMEDY, path, strerror(-r));
	return r;
}

static int list_if_uncertain(const struct job_ref *ref, struct bytes value, struct backend_batch *batch)
{
	_cleanup_(job_status_freep) struct job_status *status = NULL;
	struct key key;
	int r = record_read_state(value, &status);

	if (r || status->state != JOB_STATE_UNCERTAIN)
		return r;
	key_open(&key, ref);
	backend_batch_put(batch, key_bytes(&key), bytes_of(NULL, 0));
	return 0;
}

static int list_order(const struct job_ref *ref, struct bytes value, struct backend_batch *batch)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	struct record_order order = {0};
	struct key key;
	int r = status ? record_read_send(value, status) : err_origin(-ENOMEM);

	if (r || !job_send_may_have_bought(&status->sends[0]))
		return r;
	order.class = status->sends[0].class;
	order.decided_ms = status->sends[0].decided_ms;
	r = key_order(&key, ref, &status->sends[0]);
	if (r == 0)
		r = record_write_order(&out, &order);
	if (r == 0 && key.len)
		backend_batch_put(batch, key_bytes(&key), buffer_bytes(&out));
	return r;
}

/* Format 1 listed only the active jobs as open: what is UNCERTAIN in it would be counted nowhere. Format 2 listed no
 * orders: a lost one would be told that nothing else was bought with it. */
static int add_listings(struct store *store, uint32_t format, struct backend_batch *batch)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	int r = 0;

	key_tenant(&from, KEY_JOB, 0);
	key_tenant(&to, (enum key_letter)(KEY_JOB + 1), 0);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct job_ref ref;
		enum key_part part;

		if (!key_read_job(backend_cursor_key(cursor), &ref, &part))
			return err_origin(-EBADMSG);
		if (part == KEY_PART_STATE && format < 2)
			r = list_if_uncertain(&ref, backend_cursor_value(cursor), batch);
		else if (part == KEY_PART_SEND)
			r = list_order(&ref, backend_cursor_value(cursor), batch);
	}
	return r ? r : backend_cursor_error(cursor);
}

static int refuse_to_raise(struct store *store, int r, const char *path, struct errmsg *msg)
{
	if (r == STORE_E_NEWER_FORMAT)
		errmsg_set(msg,
			   "a job in the store '%s' was written by a later version of filmgated; run that version, or "
			   "restore a backup made before the upgrade",
			   path);
	else
		store_explain(store, r, msg);
	return r == -EBADMSG ? STORE_E_DAMAGED : r;
}

/* From here on daemons of lower formats must not touch it. */
static int raise_format(struct store *store, struct record_meta meta, const char *path, struct errmsg *msg)
{
	_cleanup_(batch_freep) struct backend_batch *batch = backend_batch_new();
	int r = batch ? 0 : err_origin(-ENOMEM);

	if (r == 0 && meta.format < 3)
		r = add_listings(store, meta.format, batch);
	if (r == 0 && meta.format < 4)
		r = ledger_open_jobs(store);
	if (r == 0)
		r = owners_list_jobs(store);

	if (r)
		return refuse_to_raise(store, r, path, msg);
	r = write_meta(store, meta, batch);
	if (r < 0)
		errmsg_set(msg, "cannot write to the store '%s': %s; " FOLDER_REMEDY, path, strerror(-r));
	return r;
}

/* The mark goes after the number is on disk: a crash in between begins one life more, which harms nobody. */
static int begin_life(struct store *store, struct record_meta meta, const char *path, struct errmsg *msg)
{
	_cleanup_(batch_freep) struct backend_batch *batch = NULL;
	bool is_copy = store->is_copy;
	int r = is_copy ? 0 : folder_is_copy(path, &is_copy, msg);

	if (r < 0 || !is_copy)
		return r;
	batch = backend_batch_new();
	meta.epoch++;
	meta.life = draw_life(store);
	r = batch ? write_meta(store, meta, batch) : err_origin(-ENOMEM);
	if (r < 0) {
		errmsg_set(msg, "cannot write to the store '%s': %s; " FOLDER_REMEDY, path, strerror(-r));
		return r;
	}
	log_warning("the store was restored from a copy: what is open in it sends nothing paid before it is released; "
		    "look into the providers' accounts, then run: filmgate resume",
		    "store", path, "epoch", log_int((int64_t)meta.epoch));
	return folder_end_copy(path, msg);
}

/* A store of before there were links. */
static int give_link_key(struct store *store, struct record_meta *meta, const char *path, struct errmsg *msg)
{
	_cleanup_(batch_freep) struct backend_batch *batch = NULL;
	int r;

	if (meta->has_link_key)
		return 0;
	batch = backend_batch_new();
	r = batch ? draw_link_key(meta) : err_origin(-ENOMEM);
	if (r == 0)
		r = write_meta(store, *meta, batch);
	if (r < 0)
		errmsg_set(msg, "cannot write to the store '%s': %s; " FOLDER_REMEDY, path, strerror(-r));
	return r;
}

static int check_meta(struct store *store, const char *path, struct errmsg *msg)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct record_meta meta = {.format = UINT32_MAX};
	struct key key;
	int r;

	key_tenant(&key, KEY_META, 0);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == STORE_E_NOT_FOUND)
		return begin_store(store, path, msg);
	if (r == 0)
		r = record_read_meta(value.bytes, &meta);
	if (r == STORE_E_NEWER_FORMAT || (r == 0 && meta.format > STORE_FORMAT)) {
		errmsg_set(msg,
			   "the store '%s' was written by a later version of filmgated; run that version, or restore "
			   "a backup made before the upgrade",
			   path);
		return STORE_E_NEWER_FORMAT;
	}
	if (r < 0) {
		store_explain(store, r, msg);
		return r == -EBADMSG ? STORE_E_DAMAGED : r;
	}
	take_meta(store, &meta);
	if (meta.format < STORE_FORMAT)
		r = raise_format(store, meta, path, msg);
	if (r == 0)
		r = give_link_key(store, &meta, path, msg);
	return r ? r : begin_life(store, meta, path, msg);
}

/* What it says of itself is written as it was. */
int store_prove(struct store *store)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	_cleanup_(batch_freep) struct backend_batch *batch = backend_batch_new();
	struct record_meta meta;
	struct key key;
	int r;

	key_tenant(&key, KEY_META, 0);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == 0)
		r = record_read_meta(value.bytes, &meta);
	if (r == STORE_E_NOT_FOUND || (r == 0 && history_of(&meta) != store->history))
		return err_origin(-ESTALE);
	if (r || !batch)
		return r ? err_fold(r) : err_origin(-ENOMEM);
	backend_batch_put(batch, key_bytes(&key), value.bytes);
	return backend_write(store->backend, batch, BACKEND_SYNCED);
}

/* The last key of one kind and tenant. @ret_cursor stands on it, or is not valid: there is none. */
static int seek_last(struct store *store, enum key_letter letter, uint32_t tenant, struct backend_cursor **ret_cursor)
{
	struct backend_cursor *cursor;
	struct key from, to;

	key_tenant(&from, letter, tenant);
	key_after(&to, &from);
	cursor = *ret_cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	if (!backend_cursor_is_valid(cursor))
		return backend_cursor_error(cursor);
	backend_cursor_seek_last(cursor);
	if (backend_cursor_is_valid(cursor))
		return 0;
	/* There is something, and yet the last of it cannot be reached. */
	return backend_cursor_error(cursor) ? backend_cursor_error(cursor) : err_origin(-EBADMSG);
}

/* Whoever reads the event itself says what is wrong with it. */
static void note_newest(struct store *store, struct bytes record)
{
	struct store_event event;

	if (record_read_event_head(record, &event) == 0 && event.time_ms > store->opened_at_ms)
		store->opened_at_ms = event.time_ms;
}

/* The last sequence of one tenant: of its newest event, or of the watermark when all are trimmed. */
static int find_last_event(struct store *store, uint32_t tenant, uint64_t *ret)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	uint64_t watermark, sequence = 0;
	int r = read_watermark(store, tenant, &watermark);

	if (r == 0)
		r = seek_last(store, KEY_EVENT, tenant, &cursor);
	if (r)
		return r;
	if (backend_cursor_is_valid(cursor)) {
		if (!key_read_event(backend_cursor_key(cursor), &tenant, &sequence))
			return err_origin(-EBADMSG);
		note_newest(store, backend_cursor_value(cursor));
	}
	*ret = sequence > watermark ? sequence : watermark;
	return 0;
}

static int find_last_entry(struct store *store, uint32_t tenant, uint64_t *ret)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	int r = seek_last(store, KEY_LEDGER, tenant, &cursor);

	*ret = 0;
	if (r == 0 && backend_cursor_is_valid(cursor) && !key_read_ledger(backend_cursor_key(cursor), &tenant, ret))
		r = err_origin(-EBADMSG);
	return r;
}

int store_load_tenants(struct store *store)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	uint32_t tenant;

	key_tenant(&from, KEY_META, 1);
	key_tenant(&to, (enum key_letter)(KEY_META + 1), 0);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		int r;

		if (!key_read_tenant(backend_cursor_key(cursor), KEY_META, &tenant))
			return err_origin(-EBADMSG);
		r = tenants_add(&store->tenants, tenant);
		if (r < 0)
			return r;
	}
	return backend_cursor_error(cursor);
}

static int find_tail(struct store *store)
{
	struct ledger *ledger = &store->committer.ledger;
	uint64_t sequence = 0;
	uint32_t tenant;
	int r = 0;

	for (uint64_t from = 0; r == 0 && tenants_next(&store->tenants, from, &tenant); from = tenant + 1ull) {
		r = find_last_event(store, tenant, &sequence);
		if (r == 0 && sequence > store->committer.sequence)
			store->committer.sequence = sequence;
		if (r == 0)
			r = find_last_entry(store, tenant, &sequence);
		if (r == 0 && sequence > ledger->sequence)
			ledger->sequence = sequence;
	}
	atomic_store(&store->tail, store->committer.sequence);
	return r;
}

static int start(struct store *store, struct errmsg *msg)
{
	int r = store_load_tenants(store);

	mend_look(store, true);
	if (r == 0)
		r = find_tail(store);
	if (r == 0)
		r = readers_start(store);
	if (r == 0)
		r = committer_start(store);
	if (r < 0)
		store_explain(store, r, msg);
	return r == -EBADMSG ? STORE_E_DAMAGED : r;
}

void store_explain(struct store *store, int error, struct errmsg *msg)
{
	char words[256];

	if (backend_is_damaged(store->backend, words, sizeof(words)))
		folder_explain_damage(store->folder.records_path, words, msg);
	else if (error == -EBADMSG)
		folder_explain_damage(store->folder.records_path, "it has a record that cannot be read", msg);
	else
		errmsg_set(msg, "cannot read the store '%s': %s; " FOLDER_REMEDY, store->folder.records_path,
			   strerror(-error));
}

/* A store that was there and is gone must not be begun anew without a word: who repeats an order would buy it again. */
static int open_records(struct store *store, const struct store_config *config, struct errmsg *msg)
{
	enum folder_records records;
	bool is_copy = config->is_copy;
	int r = folder_look(&store->folder, &records, msg);

	if (r == 0 && !is_copy)
		r = folder_is_copy(config->path, &is_copy, msg);
	if (r < 0)
		return r;
	if (records == FOLDER_RECORDS_HEADLESS) {
		folder_explain_headless(&store->folder, msg);
		return STORE_E_DAMAGED;
	}
	if (records == FOLDER_RECORDS_NONE && (is_copy || config->must_exist)) {
		errmsg_set(
			msg,
			"there is no store in '%s', and there should be one, %s: mount or restore what is missing, or "
			"name another data_dir to begin anew",
			config->path, is_copy ? "since it is said to be a copy" : "since videos lie beside it");
		return STORE_E_NOT_FOUND;
	}
	return backend_open(store->folder.records_path, records == FOLDER_RECORDS_NONE ? BACKEND_NEW : BACKEND_WHOLE,
			    &store->backend, msg);
}

/* Reads that never end to overlap must not keep the one who wants to open it from it. */
static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

void store_lock_database(struct store *store)
{
	pthread_rwlock_rdlock(&store->database);
}

void store_unlock_database(struct store *store)
{
	pthread_rwlock_unlock(&store->database);
}

int store_open(const struct store_config *config, struct store **ret, struct errmsg *msg)
{
	_cleanup_(store_closep) struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return err_origin(-ENOMEM);
	store->folder = (struct folder)FOLDER_INERT;
	store->clock = config->clock;
	store->on_batch = config->on_batch;
	store->is_copy = config->is_copy;
	store->userdata = config->userdata;
	store->on_trouble = config->on_trouble;
	store->on_change = config->on_change;
	store->floor_bytes = config->floor_bytes;
	tenants_init(&store->tenants);
	fronts_init(&store->fronts);
	init_lock(&store->database);

	r = folder_hold(config->path, &store->folder, msg);
	if (r)
		return r;
	r = open_records(store, config, msg);
	if (r)
		return r;
	r = sync_folder(config->path);
	if (r < 0) {
		errmsg_set(msg, "cannot sync the folder '%s': %s; " FOLDER_REMEDY, config->path, strerror(-r));
		return r;
	}
	r = check_meta(store, config->path, msg);
	if (r)
		return r;
	r = start(store, msg);
	if (r)
		return r;
	*ret = steal(store);
	return 0;
}

/* Marked before there is anything to open. */
int store_copy(struct store *store, const char *path, struct errmsg *msg)
{
	_cleanup_(freep) char *records_path = NULL;
	int r;

	if (asprintf(&records_path, "%s/records", path) < 0)
		return err_origin(-ENOMEM);
	if (mkdir(path, 0700) < 0) {
		errmsg_set(msg, "the folder '%s' cannot be made: %s", path, strerror(errno));
		return err_origin(-errno);
	}
	r = folder_begin_copy(path, msg);
	store_lock_database(store);
	/* It is flushed first, which one that has failed must not be asked for. */
	if (r == 0 && !store_is_healthy(store)) {
		store_explain_trouble(store, msg);
		r = err_origin(-EIO);
	}
	if (r == 0)
		r = backend_copy(store->backend, records_path, msg);
	store_unlock_database(store);
	if (r < 0)
		return r;
	r = sync_folder(path);
	if (r < 0)
		errmsg_set(msg, "the folder '%s' cannot be synced: %s", path, strerror(-r));
	return r;
}

void store_end_reads(struct store *store)
{
	atomic_store(&store->is_ending, true);
}

struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	store_end_reads(store);
	committer_stop(store);
	readers_stop(store);
	FAILPOINT(STOP_COMMITTER);
	backend_close(store->backend);
	FAILPOINT(STOP_STORE);
	folder_release(&store->folder);
	fronts_finish(&store->fronts);
	tenants_finish(&store->tenants);
	pthread_rwlock_destroy(&store->database);
	free(store);
	return NULL;
}

bool store_is_healthy(const struct store *store)
{
	return !atomic_load(&store->has_failed);
}

bool store_is_short(const struct store *store)
{
	return atomic_load(&store->is_short);
}

void store_explain_trouble(const struct store *store, struct errmsg *msg)
{
	int failure = atomic_load(&store->failure);
	const char *path = store->folder.records_path;

	if (atomic_load(&store->has_failed))
		errmsg_set(
			msg,
			"the store takes no writes: its disk, at '%.200s', fails (%s); the daemon goes on by itself when it "
			"can be written to again: make room there if it is full, else look at the disk, then repeat the "
			"request",
			path, strerror(-failure));
	else if (atomic_load(&store->is_short))
		errmsg_set(
			msg,
			"the store takes nothing new: its disk, at '%.200s', has %llu MiB left, and %llu are for the jobs "
			"that are under way; make room there, then repeat the request",
			path, (unsigned long long)(atomic_load(&store->free_bytes) >> 20),
			(unsigned long long)(store->floor_bytes >> 20));
	else
		errmsg_set(
			msg,
			"the store took no writes for a while, since its disk, at '%.200s', failed; it does again: repeat "
			"the request",
			path);
}

void store_read_figures(const struct store *store, struct store_figures *ret)
{
	metric_read(&store->committer.commits, &metric_sizes, &ret->commits);
	metric_read(&store->committer.write_ms, &metric_durations_ms, &ret->write_ms);
	ret->failures = metric_value(&store->committer.failures);
	ret->free_bytes = atomic_load(&store->free_bytes);
}

uint64_t store_epoch(const struct store *store)
{
	return store->epoch;
}

uint64_t store_history(const struct store *store)
{
	return store->history;
}

uint64_t store_origin(const struct store *store)
{
	return store->origin;
}

struct bytes store_link_key(const struct store *store)
{
	return bytes_of(store->link_key, sizeof(store->link_key));
}

uint64_t store_tail(const struct store *store)
{
	return atomic_load(&store->tail);
}

int64_t store_opened_at_ms(const struct store *store)
{
	return store->opened_at_ms;
}
