#include "store/backend.h"

#include "base/dir.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/folder.h"
#include "store/store.h"

#include <fnmatch.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <unistd.h>

/*
 * RocksDB, and the only file that has heard of it. Its error texts stop here.
 *
 * It keeps no log file of its own: Debian builds it with assertions on, and after one line that a full disk refused,
 * the next line would abort the process (WritableFileWriter::AssertFalseAndGetStatusForPrevError). For the same reason
 * nothing is written or flushed any more once a write has failed. What it has to say reaches us as error texts.
 *
 * The recovery mode is the point of the options below. The default mode opens a log that is damaged in the middle up
 * to the damage and says nothing: acknowledged jobs are gone. "Tolerate corrupted tail records" together with
 * track_and_verify_wals_in_manifest refuses such a log and still opens after an ordinary torn tail. The C interface
 * has no setter for the tracking, so the options begin as text.
 */
#define WRITE_BUFFER_BYTES (64 << 20)
#define WAL_BYTES_MAX (128 << 20)
#define CACHE_BYTES (8 << 20)
#define CACHE_SHARD_BITS 2
#define BLOOM_BITS 10
#define MEMTABLE_BLOOM 0.02 /* of the write buffer: most of what the committer asks for is not there */
#define INFO_LOG_FILES 1
/* The highest level that has a name: what is no name cannot be written into the file of options, and half of it stays. */
#define INFO_LOG_NOTHING 5
#define DAMAGE_WORDS 256

struct backend {
	rocksdb_t *db; /* NULL: it could not even be opened for reading */
	rocksdb_options_t *options;
	rocksdb_readoptions_t *read;
	rocksdb_writeoptions_t *synced;
	rocksdb_writeoptions_t *unsynced;
	bool has_failed; /* a write did */
	pthread_mutex_t mutex;
	char damage[DAMAGE_WORDS]; /* RocksDB's first words about damage, with the file's name; under the mutex */
};

struct backend_batch {
	rocksdb_writebatch_t *batch;
};

struct backend_cursor {
	struct backend *backend;
	rocksdb_readoptions_t *options;
	rocksdb_iterator_t *iterator;
	size_t n_to;
	char to[]; /* RocksDB keeps the pointer, so the bound lives as long as the iterator */
};

static bool is_damage(const char *text)
{
	return strncmp(text, "Corruption", 10) == 0;
}

static void keep_damage(struct backend *backend, const char *text)
{
	pthread_mutex_lock(&backend->mutex);
	if (!*backend->damage)
		snprintf(backend->damage, sizeof(backend->damage), "%s", text);
	pthread_mutex_unlock(&backend->mutex);
}

/* Our code for RocksDB's words; logs and frees them. */
static int error_of(struct backend *backend, char *text, const char *doing)
{
	int error = strstr(text, "No space left on device") ? -ENOSPC : is_damage(text) ? -EBADMSG : -EIO;

	if (error == -EBADMSG)
		keep_damage(backend, text);
	log_error(error == -EBADMSG
			  ? "the database is damaged; stop the daemon and restore the store's folder from a backup"
			  : "the database failed",
		  "doing", doing, "error", text);
	rocksdb_free(text);
	return err_origin(error);
}

bool backend_is_damaged(struct backend *backend, char *ret_words, size_t size)
{
	pthread_mutex_lock(&backend->mutex);
	snprintf(ret_words, size, "%s", backend->damage);
	pthread_mutex_unlock(&backend->mutex);
	return *ret_words != '\0';
}

/* Every way in which opening fails, told apart by the beginning of RocksDB's words. */
static int refuse(char *text, const char *path, struct errmsg *msg)
{
	int outcome = -EIO;

	text[strcspn(text, "\n")] = '\0';
	while (*text && text[strlen(text) - 1] == '.')
		text[strlen(text) - 1] = '\0';
	if (strstr(text, "No space left on device")) {
		outcome = -ENOSPC;
		errmsg_set(msg, "the disk that holds the store '%s' is full; free some space and start again", path);
	} else if (is_damage(text)) {
		outcome = STORE_E_DAMAGED;
		folder_explain_damage(path, text, msg);
	} else if (strstr(text, "While lock file")) {
		outcome = STORE_E_IN_USE;
		errmsg_set(msg, "the store '%s' is in use by another process", path);
	} else {
		errmsg_set(msg, "cannot open the store '%s': %s; " FOLDER_REMEDY, path, text);
	}
	rocksdb_free(text);
	return outcome;
}

/*
 * Index and filter live in the cache, so that memory stays bounded, and in small parts, since a table's whole filter
 * (half a megabyte) would not fit into a small cache and be read again by every get.
 */
static void set_table_options(rocksdb_options_t *options)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
	rocksdb_lru_cache_options_t *lru = rocksdb_lru_cache_options_create();
	rocksdb_cache_t *cache;

	rocksdb_lru_cache_options_set_capacity(lru, CACHE_BYTES);
	rocksdb_lru_cache_options_set_num_shard_bits(lru, CACHE_SHARD_BITS);
	cache = rocksdb_cache_create_lru_opts(lru);
	rocksdb_lru_cache_options_destroy(lru);
	rocksdb_block_based_options_set_index_type(table, rocksdb_block_based_table_index_type_two_level_index_search);
	rocksdb_block_based_options_set_partition_filters(table, 1);
	rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
	rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
	rocksdb_block_based_options_set_block_cache(table, cache);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
	rocksdb_options_set_block_based_table_factory(options, table);
	rocksdb_cache_destroy(cache);
	rocksdb_block_based_options_destroy(table);
}

static int make_options(enum backend_recovery recovery, rocksdb_options_t **ret)
{
	bool is_salvage = recovery == BACKEND_SALVAGE;
	rocksdb_options_t *base = rocksdb_options_create();
	rocksdb_options_t *options = rocksdb_options_create();
	char *text = NULL;

	rocksdb_get_options_from_string(
		base, is_salvage ? "track_and_verify_wals_in_manifest=false" : "track_and_verify_wals_in_manifest=true",
		options, &text);
	rocksdb_options_destroy(base);
	if (text) {
		rocksdb_options_destroy(options);
		log_error("the database takes no options", "error", text);
		rocksdb_free(text);
		return err_origin(-EINVAL);
	}
	rocksdb_options_set_create_if_missing(options, recovery == BACKEND_NEW);
	rocksdb_options_set_paranoid_checks(options, 1);
	rocksdb_options_set_wal_recovery_mode(options, is_salvage ? rocksdb_point_in_time_recovery
								  : rocksdb_tolerate_corrupted_tail_records_recovery);
	rocksdb_options_set_recycle_log_file_num(options, 0);
	rocksdb_options_set_write_buffer_size(options, WRITE_BUFFER_BYTES);
	rocksdb_options_set_max_total_wal_size(options, WAL_BYTES_MAX);
	rocksdb_options_set_compression(options, rocksdb_lz4_compression);
	rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, MEMTABLE_BLOOM);
	rocksdb_options_set_memtable_whole_key_filtering(options, 1);
	rocksdb_options_set_max_background_jobs(options, 2);
	rocksdb_options_set_info_log_level(options, INFO_LOG_NOTHING);
	rocksdb_options_set_keep_log_file_num(options, INFO_LOG_FILES);
	rocksdb_options_set_stats_dump_period_sec(options, 0);
	rocksdb_options_set_stats_persist_period_sec(options, 0);
	set_table_options(options);
	*ret = options;
	return 0;
}

static void backend_free(struct backend *backend)
{
	rocksdb_writeoptions_destroy(backend->unsynced);
	rocksdb_writeoptions_destroy(backend->synced);
	rocksdb_readoptions_destroy(backend->read);
	rocksdb_options_destroy(backend->options);
	pthread_mutex_destroy(&backend->mutex);
	free(backend);
}

/* Earlier versions left one of these at each start, and RocksDB never removes them. */
static void sweep_options(const char *path)
{
	_cleanup_(dir_closep) DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		if (fnmatch("OPTIONS-*.dbtmp", entry->d_name, 0) == 0 && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			log_warning("a file that the database has left cannot be removed; remove it by hand", "folder",
				    path, "file", entry->d_name, "error", log_errno(-errno));
}

int backend_open(const char *path, enum backend_recovery recovery, struct backend **ret, struct errmsg *msg)
{
	rocksdb_options_t *options = NULL;
	struct backend *backend;
	char *text = NULL;
	int r = make_options(recovery, &options);

	if (r < 0)
		return r;
	backend = calloc(1, sizeof(*backend));
	if (!backend) {
		rocksdb_options_destroy(options);
		return err_origin(-ENOMEM);
	}
	pthread_mutex_init(&backend->mutex, NULL);
	backend->options = options;
	backend->read = rocksdb_readoptions_create();
	backend->synced = rocksdb_writeoptions_create();
	backend->unsynced = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(backend->synced, 1);
	rocksdb_writeoptions_set_sync(backend->unsynced, 0);

	sweep_options(path);
	backend->db = rocksdb_open(options, path, &text);
	if (text) {
		backend_free(backend);
		return refuse(text, path, msg);
	}
	*ret = backend;
	return 0;
}

/*
 * What RocksDB offers instead, DB::Resume(), writes its table in memory out and goes on with a new log: it is not in the
 * C interface, and it would decide about a batch that is in the log and not in the table without telling anybody how.
 *
 * After a sync that failed the kernel may hold pages for clean that never reached the disk, and read them back. That does
 * not matter: whatever is replayed from the old log is written to new tables and synced there before the open returns
 * (avoid_flush_during_recovery is off), and the old log is not used again.
 */
int backend_reopen(struct backend *backend, const char *path, struct errmsg *msg)
{
	char *text = NULL, *ignored = NULL;
	int r;

	if (backend->db)
		rocksdb_close(backend->db);
	/* A disk that is no longer there leaves an empty folder, which is no store of ours. */
	rocksdb_options_set_create_if_missing(backend->options, 0);
	backend->db = rocksdb_open(backend->options, path, &text);
	backend->has_failed = text != NULL;
	if (!text)
		return 0;
	r = refuse(text, path, msg);
	backend->db = rocksdb_open_for_read_only(backend->options, path, 0, &ignored);
	rocksdb_free(ignored);
	return r;
}

static void flush(struct backend *backend)
{
	rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
	char *text = NULL;

	rocksdb_flushoptions_set_wait(options, 1);
	rocksdb_flush(backend->db, options, &text);
	if (text)
		error_of(backend, text, "flush");
	rocksdb_flushoptions_destroy(options);
}

struct backend *backend_close(struct backend *backend)
{
	if (!backend)
		return NULL;
	if (!backend->has_failed)
		flush(backend);
	if (backend->db)
		rocksdb_close(backend->db);
	backend_free(backend);
	return NULL;
}

/* What is only in the log and in memory is written out first: the copy is opened without a replay. */
int backend_copy(struct backend *backend, const char *path, struct errmsg *msg)
{
	rocksdb_checkpoint_t *checkpoint;
	char *text = NULL;

	if (!backend->db) {
		errmsg_set(msg, "the records cannot be read at this moment; see the daemon's log");
		return err_origin(-EIO);
	}
	checkpoint = rocksdb_checkpoint_object_create(backend->db, &text);
	if (!text)
		rocksdb_checkpoint_create(checkpoint, path, 0, &text);
	if (checkpoint)
		rocksdb_checkpoint_object_destroy(checkpoint);
	if (!text)
		return 0;
	errmsg_set(msg, "the records cannot be copied to '%s': %.300s", path, text);
	return error_of(backend, text, "copy");
}

bool backend_is_failing(const struct backend *backend)
{
	uint64_t n = 0;

	return backend->has_failed ||
	       (rocksdb_property_int(backend->db, "rocksdb.background-errors", &n) == 0 && n > 0);
}

int backend_get(struct backend *backend, struct bytes key, struct backend_value *ret)
{
	rocksdb_pinnableslice_t *slice;
	char *text = NULL;
	size_t len;
	const char *data;

	if (!backend->db)
		return err_origin(-EIO);
	slice = rocksdb_get_pinned(backend->db, backend->read, key.data, key.len, &text);
	if (text)
		return error_of(backend, text, "get");
	if (!slice)
		return STORE_E_NOT_FOUND;
	data = rocksdb_pinnableslice_value(slice, &len);
	*ret = (struct backend_value){.bytes = bytes_of(data, len), .pin = slice};
	return 0;
}

void backend_value_finish(struct backend_value *value)
{
	if (value->pin)
		rocksdb_pinnableslice_destroy(value->pin);
	*value = (struct backend_value){0};
}

struct backend_batch *backend_batch_new(void)
{
	struct backend_batch *batch = calloc(1, sizeof(*batch));

	if (batch)
		batch->batch = rocksdb_writebatch_create();
	return batch;
}

struct backend_batch *backend_batch_free(struct backend_batch *batch)
{
	if (batch)
		rocksdb_writebatch_destroy(batch->batch);
	free(batch);
	return NULL;
}

void backend_batch_clear(struct backend_batch *batch)
{
	rocksdb_writebatch_clear(batch->batch);
}

void backend_batch_put(struct backend_batch *batch, struct bytes key, struct bytes value)
{
	rocksdb_writebatch_put(batch->batch, key.data, key.len, value.len ? value.data : "", value.len);
}

void backend_batch_delete(struct backend_batch *batch, struct bytes key)
{
	rocksdb_writebatch_delete(batch->batch, key.data, key.len);
}

int backend_write(struct backend *backend, struct backend_batch *batch, enum backend_sync sync)
{
	char *text = NULL;

	if (backend->has_failed)
		return err_origin(-EIO);
	/* Of this thread: else every comparison is counted in a variable that nobody reads. */
	rocksdb_set_perf_level(rocksdb_disable);
	rocksdb_write(backend->db, sync == BACKEND_SYNCED ? backend->synced : backend->unsynced, batch->batch, &text);
	if (!text)
		return 0;
	backend->has_failed = true;
	return error_of(backend, text, "write");
}

void backend_cursor_seek(struct backend_cursor *cursor, struct bytes key)
{
	if (cursor->iterator)
		rocksdb_iter_seek(cursor->iterator, key.data, key.len);
}

struct backend_cursor *backend_cursor_new(struct backend *backend, struct bytes from, struct bytes to)
{
	struct backend_cursor *cursor = malloc(sizeof(*cursor) + to.len);

	if (!cursor)
		return NULL;
	cursor->backend = backend;
	memcpy(cursor->to, to.data, to.len);
	cursor->n_to = to.len;
	cursor->options = rocksdb_readoptions_create();
	rocksdb_readoptions_set_iterate_upper_bound(cursor->options, cursor->to, cursor->n_to);
	cursor->iterator = backend->db ? rocksdb_create_iterator(backend->db, cursor->options) : NULL;
	backend_cursor_seek(cursor, from);
	return cursor;
}

struct backend_cursor *backend_cursor_free(struct backend_cursor *cursor)
{
	if (!cursor)
		return NULL;
	if (cursor->iterator)
		rocksdb_iter_destroy(cursor->iterator);
	rocksdb_readoptions_destroy(cursor->options);
	free(cursor);
	return NULL;
}

void backend_cursor_freep(struct backend_cursor **cursor)
{
	backend_cursor_free(*cursor);
}

bool backend_cursor_is_valid(const struct backend_cursor *cursor)
{
	return cursor->iterator && rocksdb_iter_valid(cursor->iterator);
}

void backend_cursor_next(struct backend_cursor *cursor)
{
	rocksdb_iter_next(cursor->iterator);
}

void backend_cursor_seek_last(struct backend_cursor *cursor)
{
	rocksdb_iter_seek_to_last(cursor->iterator);
}

struct bytes backend_cursor_key(const struct backend_cursor *cursor)
{
	size_t len;
	const char *data = rocksdb_iter_key(cursor->iterator, &len);

	return bytes_of(data, len);
}

struct bytes backend_cursor_value(const struct backend_cursor *cursor)
{
	size_t len;
	const char *data = rocksdb_iter_value(cursor->iterator, &len);

	return bytes_of(data, len);
}

int backend_cursor_error(const struct backend_cursor *cursor)
{
	char *text = NULL;

	if (!cursor->iterator)
		return err_origin(-EIO);
	rocksdb_iter_get_error(cursor->iterator, &text);
	return text ? error_of(cursor->backend, text, "scan") : 0;
}
