/*
 * The online backup: the store as it stands at one moment, then all artifacts, on a worker thread of artifact/. What is
 * being downloaded is not in it: the provider is asked for it again.
 *
 * It is made beside its name and renamed when it is synced, so that what has the name is whole. The store's copy is marked
 * (store_copy()): a daemon that opens it buys nothing for what was open in it before somebody releases it.
 */
#include "engine/trouble.h"

#include "base/write.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define OPEN_FOLDERS 16 /* at once, while a copy is removed */

struct backup {
	struct engine *engine;
	char *path, *partial, *store_path, *artifacts_path;
	engine_backup_fn *fn;
	void *userdata;
	bool is_partial_ours; /* to remove, if nothing comes of it: what was there before is somebody's */
	bool is_refused;      /* the path is of no use; nothing was made */
};

static void free_backup(struct backup *backup)
{
	free(backup->path);
	free(backup->partial);
	free(backup->store_path);
	free(backup->artifacts_path);
	free(backup);
}

static void end(struct backup *backup, int outcome, const struct engine_error *error, const struct engine_backup *made)
{
	if (outcome == ENGINE_E_STORE)
		log_error("a backup could not be made", "path", backup->path, "why", error->text);
	atomic_store(&backup->engine->is_backing_up, false);
	backup->fn(backup->userdata, outcome, error, made);
	free_backup(backup);
}

/* ---- what was begun ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path) < 0 ? -1 : 0;
}

static void remove_partial(const struct backup *backup)
{
	if (!backup->is_partial_ours)
		return;
	if (nftw(backup->partial, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		log_warning("what was made of a backup cannot be removed; remove it by hand", "path", backup->partial,
			    "error", log_errno(-errno));
}

static int sync_parent(const char *path)
{
	_cleanup_(freep) char *parent = NULL;

	return asprintf(&parent, "%s/..", path) < 0 ? -ENOMEM : sync_folder(parent);
}

/* ---- where it may be ---- */

/* What is before the last slash. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash > path ? strndup(path, (size_t)(slash - path)) : strdup("/");

	if (!folder)
		abort();
	return folder;
}

/* A copy in there would be one of the copies in the next one, and be lost with what it is a copy of. */
static bool is_in_data_dir(const struct backup *backup, const char *folder)
{
	_cleanup_(freep) char *named = folder_of(artifact_store_path(backup->engine->config.artifacts));
	_cleanup_(freep) char *data = realpath(named, NULL);
	size_t len = data ? strlen(data) : 0;

	return data && strncmp(folder, data, len) == 0 && (folder[len] == '/' || folder[len] == '\0');
}

/* [worker thread] A disk that does not answer keeps nobody waiting but this call. */
static bool is_usable(const struct backup *backup, struct errmsg *why)
{
	_cleanup_(freep) char *parent = folder_of(backup->path), *folder = NULL;
	struct stat st;

	if (lstat(backup->path, &st) == 0) {
		errmsg_set(why, "'%.300s' is there already; name a folder that is not", backup->path);
		return false;
	}
	if (errno != ENOENT) {
		errmsg_set(why, "'%.300s' cannot be reached: %s", backup->path, strerror(errno));
		return false;
	}
	folder = realpath(parent, NULL);
	if (!folder)
		errmsg_set(why, "the folder '%.300s', in which it would be made, cannot be reached: %s", parent,
			   strerror(errno));
	else if (is_in_data_dir(backup, folder))
		errmsg_set(why, "'%.300s' is inside the data directory; name a folder outside of it", backup->path);
	else
		return true;
	return false;
}

/* ---- the two halves, and the name ---- */

/* [worker thread] */
static int copy_store(void *userdata, struct errmsg *msg)
{
	struct backup *backup = userdata;

	backup->is_refused = !is_usable(backup, msg);
	if (backup->is_refused)
		return -EINVAL;
	if (mkdir(backup->partial, 0700) < 0) {
		int r = err_origin(-errno);

		if (r == -EEXIST)
			errmsg_set(msg,
				   "'%.300s' is there already, of a backup that was cut off, or somebody's; remove it, "
				   "or name another folder",
				   backup->partial);
		else
			errmsg_set(msg, "the folder '%.300s' cannot be made: %s", backup->partial, strerror(-r));
		return r;
	}
	backup->is_partial_ours = true;
	return store_copy(backup->engine->store, backup->store_path, msg);
}

/*
 * rename() would take an empty folder's place, which is somebody's. Where the file system knows no other way (NFS), a look
 * before it has to do.
 */
static int rename_anew(const char *from, const char *to)
{
	struct stat st;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (lstat(to, &st) == 0)
		return -EEXIST;
	if (errno != ENOENT)
		return -errno;
	return rename(from, to) < 0 ? -errno : 0;
}

static int name_it(struct backup *backup, struct errmsg *words)
{
	int r = sync_folder(backup->partial);

	if (r < 0) {
		errmsg_set(words, "'%.300s' cannot be synced: %s", backup->partial, strerror(-r));
		return r;
	}
	/* From here on it is a backup, whatever its name. */
	backup->is_partial_ours = false;
	r = rename_anew(backup->partial, backup->path);
	if (r < 0) {
		errmsg_set(words, "the backup is whole, and stays '%.200s', for it cannot be named '%.200s': %s",
			   backup->partial, backup->path, strerror(-r));
		return r;
	}
	r = sync_parent(backup->path);
	if (r < 0)
		errmsg_set(words, "the backup '%.300s' is whole, but its name cannot be synced: %s", backup->path,
			   strerror(-r));
	return r;
}

/* [worker thread] */
static void on_copied(void *userdata, const struct artifact_copied *copied)
{
	struct backup *backup = userdata;
	struct engine_backup made = {.path = backup->path, .artifacts = copied->files, .artifact_bytes = copied->bytes};
	struct errmsg words = copied->message;
	int r = copied->outcome;

	if (r == 0)
		r = name_it(backup, &words);
	if (r == 0) {
		log_info("a backup was made", "path", backup->path, "artifacts", log_int((int64_t)made.artifacts));
		end(backup, 0, NULL, &made);
		return;
	}
	if (backup->is_refused) {
		const struct engine_violation violation = {.field = "path", .text = words.text};

		end(backup, ENGINE_E_INVALID,
		    &(struct engine_error){.text = words.text, .violations = &violation, .n_violations = 1}, NULL);
		return;
	}
	remove_partial(backup);
	if (r == -ECANCELED)
		end(backup, ENGINE_E_DRAINING,
		    &(struct engine_error){.text = "the daemon is shutting down; make the backup when it is back"},
		    NULL);
	else
		end(backup, ENGINE_E_STORE, &(struct engine_error){.text = words.text}, NULL);
}

/* ---- the verb ---- */

/* What can be said without a look at the disk. */
static bool is_path(const char *path, struct errmsg *why)
{
	if (*path != '/')
		errmsg_set(why, "'%.200s' is no absolute path on the daemon's machine", path);
	else if (strlen(path) > PATH_MAX - 64)
		errmsg_set(why, "the path is too long; at most %d bytes are taken", PATH_MAX - 64);
	else
		return true;
	return false;
}

static struct backup *begin(struct engine *engine, const char *path, engine_backup_fn *fn, void *userdata)
{
	struct backup *backup = take_memory(sizeof(*backup));
	size_t len = strlen(path);

	*backup = (struct backup){.engine = engine, .path = take_text(path), .fn = fn, .userdata = userdata};
	while (len > 1 && path[len - 1] == '/')
		backup->path[--len] = '\0';
	if (asprintf(&backup->partial, "%s.partial", backup->path) < 0 ||
	    asprintf(&backup->store_path, "%s/store", backup->partial) < 0 ||
	    asprintf(&backup->artifacts_path, "%s/artifacts", backup->partial) < 0)
		abort();
	return backup;
}

void engine_back_up(struct engine *engine, const char *path, engine_backup_fn *fn, void *userdata)
{
	struct errmsg why;
	struct engine_violation violation = {.field = "path", .text = why.text};
	struct backup *backup;

	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING) {
		fn(userdata, ENGINE_E_DRAINING,
		   &(struct engine_error){.text = "the daemon is shutting down; make the backup when it is back"},
		   NULL);
		return;
	}
	/* It would be flushed first, which a database whose write has failed must not be asked for. */
	if (!trouble_takes_changes(engine, &why)) {
		fn(userdata, ENGINE_E_STORE, &(struct engine_error){.text = why.text}, NULL);
		return;
	}
	if (!is_path(path, &why)) {
		fn(userdata, ENGINE_E_INVALID,
		   &(struct engine_error){.text = why.text, .violations = &violation, .n_violations = 1}, NULL);
		return;
	}
	if (atomic_exchange(&engine->is_backing_up, true)) {
		fn(userdata, ENGINE_E_STATE,
		   &(struct engine_error){.text = "another backup is being made; wait until it is done"}, NULL);
		return;
	}
	backup = begin(engine, path, fn, userdata);
	if (artifact_copy(engine->config.artifacts, backup->artifacts_path, copy_store, on_copied, backup) < 0)
		end(backup, ENGINE_E_STORE, &(struct engine_error){.text = "out of memory; nothing was copied"}, NULL);
}
