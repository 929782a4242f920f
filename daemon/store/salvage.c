/*
 * The way out of a store whose log is damaged and for which there is no backup. Commits are whole in the log or not at
 * all, so what comes before the damage is a store as it stood at one moment: a copy, as of a restore.
 */
#include "store/internal.h"

#include "base/log.h"
#include "store/records.h"

#include <sys/stat.h>

static void backend_closep(struct backend **backend)
{
	backend_close(*backend);
}

static void folder_releasep(struct folder *folder)
{
	folder_release(folder);
}

static int count(enum key_part part, struct bytes value, struct store_salvaged *ret)
{
	_cleanup_(job_status_freep) struct job_status *status = NULL;
	int r;

	if (part != KEY_PART_STATE)
		return 0;
	r = record_read_state(value, &status);
	if (r)
		return r;
	ret->jobs[status->state]++;
	if (status->updated_ms > ret->newest_ms)
		ret->newest_ms = status->updated_ms;
	return 0;
}

static int count_jobs(struct backend *backend, struct store_salvaged *ret)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;

	key_tenant(&from, KEY_JOB, 0);
	key_tenant(&to, (enum key_letter)(KEY_JOB + 1), 0);
	cursor = backend_cursor_new(backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct job_ref ref;
		enum key_part part;
		int r;

		if (!key_read_job(backend_cursor_key(cursor), &ref, &part))
			return err_origin(-EBADMSG);
		r = count(part, backend_cursor_value(cursor), ret);
		if (r)
			return r;
	}
	return backend_cursor_error(cursor);
}

/* Where jobs are is not enough: the daemon opens nothing that does not say its format. */
static int check_meta(struct backend *backend)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct record_meta meta;
	struct key key;
	int r;

	key_tenant(&key, KEY_META, 0);
	r = backend_get(backend, key_bytes(&key), &value);
	if (r == STORE_E_NOT_FOUND)
		return err_origin(-EBADMSG);
	if (r == 0)
		r = record_read_meta(value.bytes, &meta);
	return r == 0 && meta.format > STORE_FORMAT ? STORE_E_NEWER_FORMAT : r;
}

/* Only the log can be cut: what a table has lost may be of any time. */
static int look(struct backend *backend, const struct folder *folder, struct store_salvaged *ret, struct errmsg *msg)
{
	char words[256];
	int r = count_jobs(backend, ret);

	if (r == 0)
		r = check_meta(backend);
	if (r == 0)
		return 0;
	if (r == STORE_E_NEWER_FORMAT) {
		errmsg_set(msg, "the store '%s' was written by a later version of filmgated; run that version",
			   folder->records_path);
		return r;
	}
	if (!backend_is_damaged(backend, words, sizeof(words)) && r != -EBADMSG) {
		errmsg_set(msg, "cannot read the store '%s': %s; " FOLDER_REMEDY, folder->records_path, strerror(-r));
		return r;
	}
	errmsg_set(msg, "more than the log of the store in '%s' is damaged (%s); only a backup helps",
		   folder->records_path, r == -EBADMSG ? "it has a record that cannot be read" : words);
	return STORE_E_DAMAGED;
}

static int salvage(const char *path, const struct folder *folder, struct store_salvaged *ret, struct errmsg *msg)
{
	_cleanup_(backend_closep) struct backend *backend = NULL;
	/* Marked before anything is cut: a crash in between leaves a store that buys nothing. */
	int r = folder_begin_copy(path, msg);

	if (r == 0)
		r = backend_open(folder->records_path, BACKEND_SALVAGE, &backend, msg);
	if (r == STORE_E_DAMAGED)
		errmsg_set(msg, "more than the log of the store in '%s' is damaged; only a backup helps",
			   folder->records_path);
	if (r)
		return r;
	ret->was_damaged = true;
	return look(backend, folder, ret, msg);
}

/* Nothing is made where nothing is. */
static int hold_records(const char *path, struct folder *folder, struct errmsg *msg)
{
	enum folder_records records;
	int r = folder_hold(path, folder, msg);

	if (r == 0)
		r = folder_look(folder, &records, msg);
	if (r)
		return r;
	if (records == FOLDER_RECORDS_HEADLESS) {
		folder_explain_headless(folder, msg);
		return STORE_E_DAMAGED;
	}
	if (records == FOLDER_RECORDS_NONE) {
		errmsg_set(msg, "there is no store in '%s'", path);
		return STORE_E_NOT_FOUND;
	}
	return 0;
}

int store_salvage(const char *path, struct store_salvaged *ret, struct errmsg *msg)
{
	_cleanup_(folder_releasep) struct folder folder = FOLDER_INERT;
	_cleanup_(backend_closep) struct backend *backend = NULL;
	struct stat st;
	int r;

	*ret = (struct store_salvaged){0};
	if (stat(path, &st) < 0) {
		r = -errno;
		errmsg_set(msg, "there is no store in '%s': %s", path, strerror(-r));
		return r == -ENOENT ? STORE_E_NOT_FOUND : err_origin(r);
	}
	r = hold_records(path, &folder, msg);
	if (r)
		return r;
	r = backend_open(folder.records_path, BACKEND_WHOLE, &backend, msg);
	if (r == 0)
		return look(backend, &folder, ret, msg);
	return r == STORE_E_DAMAGED ? salvage(path, &folder, ret, msg) : r;
}
