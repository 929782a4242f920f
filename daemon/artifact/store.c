#include "artifact/internal.h"
#include "base/limits.h"
#include "base/log.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int store_outcome(int error)
{
	if (error == -ENOSPC || error == -EDQUOT)
		return ARTIFACT_E_NO_SPACE;
	return err_origin(error);
}

struct place place_of(const struct digest *sha256)
{
	char text[DIGEST_TEXT_SIZE];
	struct place place;

	digest_format(sha256, text);
	snprintf(place.folder, sizeof(place.folder), "%.2s", text);
	snprintf(place.name, sizeof(place.name), "%s", text + 2);
	return place;
}

/* ---- life ---- */

static int refuse_folder(int r, const char *path, const char *name, struct errmsg *msg)
{
	errmsg_set(msg,
		   "the artifact folder '%s%s%s' cannot be made or opened: %s; give the daemon's user the right to "
		   "write there, or name another data_dir",
		   path, *name ? "/" : "", name, log_errno(r));
	return err_origin(r);
}

/* The folder @name in @parent_fd; its own name is on disk too when this returns. */
static int open_folder(int parent_fd, const char *name, int *ret)
{
	_cleanup_(closep) int fd = -1;
	bool is_new = mkdirat(parent_fd, name, 0700) == 0;

	if (!is_new && errno != EEXIST)
		return -errno;
	fd = openat(parent_fd, name, FOLDER_FLAGS);
	if (fd < 0)
		return -errno;
	if (is_new && parent_fd >= 0 && fsync(parent_fd) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

/* The root may be a link that the operator made; what is below it may not. */
static int open_root(const char *path, int *ret)
{
	_cleanup_(closep) int fd = -1, parent_fd = -1;
	bool is_new = mkdir(path, 0700) == 0;

	if (!is_new && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (is_new) {
		parent_fd = openat(fd, "..", FOLDER_FLAGS);
		if (parent_fd < 0 || fsync(parent_fd) < 0)
			return -errno;
	}
	*ret = steal_fd(&fd);
	return 0;
}

static int open_folders(struct artifact_store *store, struct errmsg *msg)
{
	_cleanup_(closep) int root_fd = -1;
	int r = open_root(store->path, &root_fd);

	if (r < 0)
		return refuse_folder(r, store->path, "", msg);
	r = open_folder(root_fd, "staging", &store->staging_fd);
	if (r < 0)
		return refuse_folder(r, store->path, "staging", msg);
	r = open_folder(root_fd, "sha256", &store->content_fd);
	if (r < 0)
		return refuse_folder(r, store->path, "sha256", msg);
	r = open_folder(root_fd, "stills", &store->stills_fd);
	if (r < 0)
		return refuse_folder(r, store->path, "stills", msg);
	if (faccessat(store->staging_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return refuse_folder(-errno, store->path, "staging", msg);
	if (faccessat(store->content_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return refuse_folder(-errno, store->path, "sha256", msg);
	return 0;
}

static void store_closep(struct artifact_store **store)
{
	artifact_store_close(*store);
}

static int start(struct artifact_store *store, uint32_t workers, struct errmsg *msg)
{
	int r = workers_start(&store->workers, workers > LIMIT_ARTIFACT_WORKERS ? LIMIT_ARTIFACT_WORKERS
					       : workers                        ? workers
										: 2);

	if (r == 0)
		r = workers_start(&store->openers, 1);
	if (r == 0)
		r = workers_start(&store->lookers, LIMIT_ARTIFACT_LOOKERS);
	if (r < 0)
		errmsg_set(msg, "the threads for '%s' cannot be started: %s", store->path, log_errno(r));
	return r;
}

static int set_programs(struct artifact_store *store, const struct artifact_config *config)
{
	store->ffprobe = config->ffprobe ? strdup(config->ffprobe) : NULL;
	store->ffmpeg = config->ffmpeg ? strdup(config->ffmpeg) : NULL;
	if ((config->ffprobe && !store->ffprobe) || (config->ffmpeg && !store->ffmpeg))
		return err_origin(-ENOMEM);
	return 0;
}

int artifact_store_open(const struct artifact_config *config, struct artifact_store **ret, struct errmsg *msg)
{
	_cleanup_(store_closep) struct artifact_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return err_origin(-ENOMEM);
	store->staging_fd = store->content_fd = store->stills_fd = store->stop_fd = -1;
	store->floor_bytes = config->floor_bytes;
	pthread_mutex_init(&store->mutex, NULL);
	claims_init(&store->claims);
	store->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (store->stop_fd < 0)
		return err_origin(-errno);
	store->path = strdup(config->path);
	if (!store->path)
		return err_origin(-ENOMEM);
	r = set_programs(store, config);
	if (r < 0)
		return r;
	r = open_folders(store, msg);
	if (r < 0)
		return r;
	r = start(store, config->workers, msg);
	if (r < 0)
		return r;
	*ret = steal(store);
	return 0;
}

struct artifact_store *artifact_store_close(struct artifact_store *store)
{
	if (!store)
		return NULL;
	eventfd_write(store->stop_fd, 1);
	/* Who opens a picture may have it made, and who is done may have it collected. */
	workers_stop(&store->openers);
	workers_stop(&store->lookers);
	workers_stop(&store->workers);
	claims_finish(&store->claims);
	pthread_mutex_destroy(&store->mutex);
	closep(&store->stills_fd);
	closep(&store->content_fd);
	closep(&store->staging_fd);
	closep(&store->stop_fd);
	free(store->ffmpeg);
	free(store->ffprobe);
	free(store->path);
	free(store);
	return NULL;
}

const char *artifact_store_path(const struct artifact_store *store)
{
	return store->path;
}

DIR *dir_open(int parent_fd, const char *name)
{
	_cleanup_(closep) int fd = openat(parent_fd, name, FOLDER_FLAGS);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		steal_fd(&fd);
	return dir;
}

static bool has_entries(int parent_fd, const char *name)
{
	_cleanup_(dir_closep) DIR *dir = dir_open(parent_fd, name);
	struct dirent *file;

	if (!dir)
		return true;
	for (errno = 0; (file = readdir(dir)); errno = 0)
		if (*file->d_name != '.')
			return true;
	return errno != 0;
}

bool artifact_store_has_files(const struct artifact_store *store)
{
	_cleanup_(dir_closep) DIR *dir = dir_open(store->content_fd, ".");
	struct dirent *folder;

	if (!dir)
		return true;
	for (errno = 0; (folder = readdir(dir)); errno = 0)
		if (*folder->d_name != '.' && has_entries(store->content_fd, folder->d_name))
			return true;
	return errno != 0;
}

/* ---- room ---- */

int artifact_reserve(struct artifact_store *store, uint64_t bytes)
{
	struct statvfs disk;
	uint64_t wanted, free_bytes;
	bool fits;

	if (fstatvfs(store->staging_fd, &disk) < 0)
		return err_origin(-errno);
	if (__builtin_mul_overflow((uint64_t)disk.f_bavail, (uint64_t)disk.f_frsize, &free_bytes))
		free_bytes = UINT64_MAX;
	pthread_mutex_lock(&store->mutex);
	fits = !__builtin_add_overflow(bytes, store->reserved_bytes, &wanted) &&
	       !__builtin_add_overflow(wanted, store->floor_bytes, &wanted) && wanted <= free_bytes;
	if (fits)
		store->reserved_bytes += bytes;
	pthread_mutex_unlock(&store->mutex);
	return fits ? 0 : ARTIFACT_E_NO_SPACE;
}

void artifact_reserve_owed(struct artifact_store *store, uint64_t bytes)
{
	pthread_mutex_lock(&store->mutex);
	store->reserved_bytes += bytes;
	pthread_mutex_unlock(&store->mutex);
}

void artifact_release(struct artifact_store *store, uint64_t bytes)
{
	pthread_mutex_lock(&store->mutex);
	assert(bytes <= store->reserved_bytes);
	store->reserved_bytes -= bytes;
	pthread_mutex_unlock(&store->mutex);
}

/* ---- staging ---- */

static bool is_staging_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	return len > 0 && name[len] == '\0' && len < STAGING_NAME_SIZE && name[0] != '.';
}

static int open_staging(struct artifact_store *store, const char *name, int flags, struct artifact_staging **ret)
{
	_cleanup_(freep) struct artifact_staging *staging = NULL;
	_cleanup_(closep) int fd = -1;
	struct stat status;

	if (!is_staging_name(name))
		return err_origin(-EINVAL);
	staging = calloc(1, sizeof(*staging));
	if (!staging)
		return err_origin(-ENOMEM);
	fd = openat(store->staging_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
	if (fd < 0 && errno == ENOENT)
		return ARTIFACT_E_NOT_FOUND;
	if (fd < 0 || fstat(fd, &status) < 0)
		return store_outcome(-errno);
	if (!S_ISREG(status.st_mode))
		return err_origin(-EINVAL);
	staging->store = store;
	snprintf(staging->name, sizeof(staging->name), "%s", name);
	staging->fd = steal_fd(&fd);
	*ret = steal(staging);
	return 0;
}

int artifact_stage(struct artifact_store *store, const char *name, struct artifact_staging **ret)
{
	struct artifact_staging *staging = NULL;
	int r = open_staging(store, name, O_CREAT, &staging);

	if (r != 0)
		return r == ARTIFACT_E_NOT_FOUND ? err_origin(-ENOENT) : r;
	assert(staging);
	if (ftruncate(staging->fd, 0) < 0) {
		r = store_outcome(-errno);
		artifact_staging_close(staging);
		return r;
	}
	*ret = staging;
	return 0;
}

int artifact_stage_again(struct artifact_store *store, const char *name, struct artifact_staging **ret)
{
	return open_staging(store, name, 0, ret);
}

int artifact_staging_fd(const struct artifact_staging *staging)
{
	return staging->fd;
}

struct artifact_staging *artifact_staging_close(struct artifact_staging *staging)
{
	if (staging) {
		close(staging->fd);
		free(staging);
	}
	return NULL;
}

void artifact_unstage(struct artifact_store *store, const char *name)
{
	if (is_staging_name(name) && unlinkat(store->staging_fd, name, 0) < 0 && errno != ENOENT)
		log_warning("a staging file cannot be removed", "folder", store->path, "name", name, "error",
			    log_errno(errno));
}

struct artifact_staging *artifact_staging_discard(struct artifact_staging *staging)
{
	if (staging)
		artifact_unstage(staging->store, staging->name);
	return artifact_staging_close(staging);
}

int artifact_sweep(struct artifact_store *store, artifact_kept_fn *is_kept, void *userdata)
{
	_cleanup_(dir_closep) DIR *folder = dir_open(store->staging_fd, ".");
	const struct dirent *entry;

	if (!folder)
		return err_origin(-errno);
	while (errno = 0, (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (is_kept && is_kept(userdata, entry->d_name))
			continue;
		if (unlinkat(store->staging_fd, entry->d_name, 0) < 0)
			log_warning("what is left in the staging folder cannot be removed; remove it by hand", "folder",
				    store->path, "name", entry->d_name, "error", log_errno(errno));
	}
	return errno ? err_origin(-errno) : 0;
}

/* ---- reading ---- */

struct opening {
	struct task task;
	struct artifact_store *store;
	struct digest sha256;
	uint64_t size_bytes;
	artifact_opened_fn *fn;
	void *userdata;
};

static int refuse_content(const struct artifact_store *store, const struct digest *sha256, uint64_t size_bytes,
			  const char *why)
{
	char text[DIGEST_TEXT_SIZE];

	digest_format(sha256, text);
	log_error("the file of an artifact is damaged; restore it from a backup, or delete its job and order again",
		  "folder", store->path, "file", text, "size_bytes", log_int(size_bytes), "why", why);
	return ARTIFACT_E_DAMAGED;
}

/* Not blocking, since somebody may have left a FIFO there; what is no file is found out afterwards. */
int content_open(const struct artifact_store *store, const struct digest *sha256, uint64_t size_bytes, int *ret_fd)
{
	struct place place = place_of(sha256);
	char path[FAN_OUT_SIZE + DIGEST_TEXT_SIZE];
	_cleanup_(closep) int fd = -1;
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", place.folder, place.name);
	fd = openat(store->content_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return refuse_content(store, sha256, size_bytes, "it is missing");
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return refuse_content(store, sha256, size_bytes, "it is no regular file");
	if (fd < 0 || fstat(fd, &status) < 0)
		return err_origin(-errno);
	if (!S_ISREG(status.st_mode))
		return refuse_content(store, sha256, size_bytes, "it is no regular file");
	if ((uint64_t)status.st_size != size_bytes)
		return refuse_content(store, sha256, size_bytes, "it has another size");
	*ret_fd = steal_fd(&fd);
	return 0;
}

static void run_opening(struct task *task)
{
	struct opening *opening = (struct opening *)task;
	int fd = -1, r = content_open(opening->store, &opening->sha256, opening->size_bytes, &fd);

	opening->fn(opening->userdata, r, fd);
	free(opening);
}

int artifact_open(struct artifact_store *store, const struct digest *sha256, uint64_t size_bytes,
		  artifact_opened_fn *fn, void *userdata)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening)
		return err_origin(-ENOMEM);
	*opening = (struct opening){.task = {.run = run_opening},
				    .store = store,
				    .sha256 = *sha256,
				    .size_bytes = size_bytes,
				    .fn = fn,
				    .userdata = userdata};
	workers_add(&store->openers, &opening->task);
	return 0;
}
