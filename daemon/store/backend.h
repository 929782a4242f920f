/*
 * The ordered key-value store below: get, scan, and one synced write of many changes. What a second one would have to
 * offer. Nothing here knows what a job is. Reads: any thread; writes: one thread at a time.
 */
#ifndef FG_STORE_BACKEND_H
#define FG_STORE_BACKEND_H

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct backend_batch;
struct backend_cursor;

enum backend_recovery {
	BACKEND_NEW,     /* there is nothing yet: it is made */
	BACKEND_WHOLE,   /* a torn tail is taken for what was being written; other damage is refused */
	BACKEND_SALVAGE, /* up to the first damage of the log, and no further; for a store that was refused */
};
/*
 * @path's parent must exist. STORE_E_IN_USE, STORE_E_DAMAGED, or negative errno (-ENOSPC
 * when the disk is full), each with words in @msg.
 */
int backend_open(const char *path, enum backend_recovery recovery, struct backend **ret, struct errmsg *msg);
/*
 * Closes the database at the same @path, and opens what is on disk: for one that has failed to write. No cursor, value or
 * copy may be in use. Nothing is made where nothing is. On failure, of the same kinds, what can be read is opened for
 * reading if possible; every write fails.
 */
int backend_reopen(struct backend *backend, const char *path, struct errmsg *msg);
/* Writes out what is only in the log, so that the next open need not replay it, and closes. */
struct backend *backend_close(struct backend *backend);
/*
 * Makes the folder @path, on any disk, a copy of the database as it is at one moment, while it is written to. On the same
 * disk the files that do not change any more are shared. Blocks. 0 or negative errno, with words in @msg. [any-thread]
 */
int backend_copy(struct backend *backend, const char *path, struct errmsg *msg);
/* Has a write failed, or has the database met an error while writing in the background? The writing thread. */
bool backend_is_failing(const struct backend *backend);

/* Has a read met damage? With the database's words about the first, which name the file. [any-thread] */
bool backend_is_damaged(struct backend *backend, char *ret_words, size_t size);

/* Bytes that live until the value is finished. Inert when zeroed. */
struct backend_value {
	struct bytes bytes;
	void *pin;
};
/* STORE_E_NOT_FOUND, -EBADMSG for damage, or -EIO. */
int backend_get(struct backend *backend, struct bytes key, struct backend_value *ret);
void backend_value_finish(struct backend_value *value);

/* NULL: out of memory. Adding to a batch never fails. */
struct backend_batch *backend_batch_new(void);
struct backend_batch *backend_batch_free(struct backend_batch *batch);
void backend_batch_clear(struct backend_batch *batch);
void backend_batch_put(struct backend_batch *batch, struct bytes key, struct bytes value);
void backend_batch_delete(struct backend_batch *batch, struct bytes key);

enum backend_sync {
	BACKEND_UNSYNCED, /* on disk with the next synced write */
	BACKEND_SYNCED,   /* on disk when the call returns */
};
/* All or nothing. On a negative errno it is not known which, until the store is opened again; till then every further
 * write fails. */
int backend_write(struct backend *backend, struct backend_batch *batch, enum backend_sync sync);

/* Over the keys from @from up to, not including, @to, as they are now. NULL: out of memory. */
struct backend_cursor *backend_cursor_new(struct backend *backend, struct bytes from, struct bytes to);
struct backend_cursor *backend_cursor_free(struct backend_cursor *cursor);
void backend_cursor_freep(struct backend_cursor **cursor);
bool backend_cursor_is_valid(const struct backend_cursor *cursor);
void backend_cursor_next(struct backend_cursor *cursor);
/* To the first key that is not before @key, backwards, too. */
void backend_cursor_seek(struct backend_cursor *cursor, struct bytes key);
/* To the last key of all. */
void backend_cursor_seek_last(struct backend_cursor *cursor);
/* Valid until the cursor moves. */
struct bytes backend_cursor_key(const struct backend_cursor *cursor);
struct bytes backend_cursor_value(const struct backend_cursor *cursor);
/* 0, or -EBADMSG (damage) or -EIO when it became invalid for another reason than the end. */
int backend_cursor_error(const struct backend_cursor *cursor);

#endif
