/*
 * The store's folder: made when missing, held by one process at a time.
 *
 *   PATH/lock      locked while a daemon runs; its number is inside, for the message
 *   PATH/records/  the database
 *   PATH/probe     written and removed again before a store that has failed to write is opened anew
 *   PATH/copy      this is a copy of another store, and no daemon has opened it yet
 */
#ifndef FG_STORE_FOLDER_H
#define FG_STORE_FOLDER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct folder {
	int lock_fd; /* -1: not held */
	char *records_path;
};

/* Ends every message about a store that cannot be used as it is. */
#define FOLDER_REMEDY "look at its rights and its disk, or name another data_dir"

#define FOLDER_INERT          \
	{                     \
		.lock_fd = -1 \
	}

/* STORE_E_IN_USE or negative errno, with words in @msg. Blocks. */
int folder_hold(const char *path, struct folder *ret, struct errmsg *msg);
void folder_release(struct folder *folder);

/* What lies where the records should be. */
enum folder_records {
	FOLDER_RECORDS_NONE,
	FOLDER_RECORDS_THERE,
	/* Tables or logs, and no CURRENT, which says which of them count. A database that is opened there anew deletes
	 * them. */
	FOLDER_RECORDS_HEADLESS,
};
/* 0 or negative errno, with words in @msg. Blocks. */
int folder_look(const struct folder *folder, enum folder_records *ret, struct errmsg *msg);
/* Words about HEADLESS, for the operator. */
void folder_explain_headless(const struct folder *folder, struct errmsg *msg);

/* How much of its disk is free to us. 0 or negative errno. */
int folder_measure(const struct folder *folder, uint64_t *ret_bytes);
/* Does a file that is written and synced there last? 0 or negative errno. Blocks. */
int folder_probe(const struct folder *folder);

/* The mark of a copy: is it there, make it, take it away; each synced. 0 or negative errno, with words in @msg. */
int folder_is_copy(const char *path, bool *ret, struct errmsg *msg);
int folder_begin_copy(const char *path, struct errmsg *msg);
int folder_end_copy(const char *path, struct errmsg *msg);

/* Words about damage of what lies in @path, for the operator. */
void folder_explain_damage(const char *path, const char *what, struct errmsg *msg);

#endif
