/*
 * What goes wrong below the engine: disks, readers, crashes.
 */
#include "engine/rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- the disk below the store ---- */

struct backend;
struct backend_batch;
int __real_backend_write(struct backend *backend, struct backend_batch *batch, int sync);
int __wrap_backend_write(struct backend *backend, struct backend_batch *batch, int sync);

static atomic_bool is_disk_broken;
static pthread_mutex_t disk_is_slow = PTHREAD_MUTEX_INITIALIZER; /* held: writes wait */

int __wrap_backend_write(struct backend *backend, struct backend_batch *batch, int sync)
{
	pthread_mutex_lock(&disk_is_slow);
	pthread_mutex_unlock(&disk_is_slow);
	return atomic_load(&is_disk_broken) ? -EIO : __real_backend_write(backend, batch, sync);
}

struct folder;
int __real_folder_probe(const struct folder *folder);
int __wrap_folder_probe(const struct folder *folder);

int __wrap_folder_measure(const struct folder *folder, uint64_t *ret_bytes);

static atomic_uint_fast64_t room_of_store = UINT64_MAX;

/* The disk that the tests run on may be small. */
int __wrap_folder_measure(const struct folder *folder, uint64_t *ret_bytes)
{
	(void)folder;
	*ret_bytes = atomic_load(&room_of_store);
	return 0;
}

void set_room_of_store(struct rig *rig, uint64_t bytes)
{
	atomic_store(&room_of_store, bytes);
	for (int i = 0; store_is_short(rig->engine->store) != (bytes < LIMIT_STORE_FLOOR_BYTES); i++) {
		assert_true(i < 1000);
		usleep(10000);
	}
	settle(rig);
}

/* So the store below is left as it is meanwhile, and a photograph of it is whole. */
int __wrap_folder_probe(const struct folder *folder)
{
	return atomic_load(&is_disk_broken) ? -EIO : __real_folder_probe(folder);
}

void break_disk(struct rig *rig)
{
	(void)rig;
	atomic_store(&is_disk_broken, true);
}

void mend_disk(struct rig *rig)
{
	atomic_store(&is_disk_broken, false);
	for (int i = 0; !store_is_healthy(rig->engine->store); i++) {
		assert_true(i < 1000);
		usleep(10000);
	}
	settle(rig);
}

void hold_disk(struct rig *rig)
{
	settle(rig);
	pthread_mutex_lock(&disk_is_slow);
}

void release_disk(void)
{
	pthread_mutex_unlock(&disk_is_slow);
}

/* ---- room on the disk that artifact/ keeps free ---- */

int __real_artifact_reserve(struct artifact_store *store, uint64_t bytes);
int __wrap_artifact_reserve(struct artifact_store *store, uint64_t bytes);
void __real_artifact_release(struct artifact_store *store, uint64_t bytes);
void __wrap_artifact_release(struct artifact_store *store, uint64_t bytes);
void __real_artifact_reserve_owed(struct artifact_store *store, uint64_t bytes);
void __wrap_artifact_reserve_owed(struct artifact_store *store, uint64_t bytes);

static atomic_uint_fast64_t reserved_bytes;

int __wrap_artifact_reserve(struct artifact_store *store, uint64_t bytes)
{
	int r = __real_artifact_reserve(store, bytes);

	if (r == 0)
		atomic_fetch_add(&reserved_bytes, bytes);
	return r;
}

void __wrap_artifact_reserve_owed(struct artifact_store *store, uint64_t bytes)
{
	atomic_fetch_add(&reserved_bytes, bytes);
	__real_artifact_reserve_owed(store, bytes);
}

void __wrap_artifact_release(struct artifact_store *store, uint64_t bytes)
{
	atomic_fetch_sub(&reserved_bytes, bytes);
	__real_artifact_release(store, bytes);
}

uint64_t room_kept_free(void)
{
	return atomic_load(&reserved_bytes);
}

/* ---- replies that were kept ---- */

void __real_store_get_reply(struct store *store, const struct job_ref *ref, uint32_t attempt, uint32_t send,
			    store_reply_fn *fn, void *userdata);
void __wrap_store_get_reply(struct store *store, const struct job_ref *ref, uint32_t attempt, uint32_t send,
			    store_reply_fn *fn, void *userdata);

static struct {
	atomic_bool are_spoilt;
	atomic_int outcome;
} replies;

void __wrap_store_get_reply(struct store *store, const struct job_ref *ref, uint32_t attempt, uint32_t send,
			    store_reply_fn *fn, void *userdata)
{
	if (atomic_load(&replies.are_spoilt))
		fn(userdata, atomic_load(&replies.outcome), bytes_of_text("{"), bytes_of_text(""));
	else
		__real_store_get_reply(store, ref, attempt, send, fn, userdata);
}

void spoil_replies(int outcome)
{
	atomic_store(&replies.outcome, outcome);
	atomic_store(&replies.are_spoilt, true);
}

/* ---- jobs that cannot be read ---- */

void __real_store_get_job(struct store *store, const struct job_ref *ref, store_job_fn *fn, void *userdata);
void __wrap_store_get_job(struct store *store, const struct job_ref *ref, store_job_fn *fn, void *userdata);

static atomic_int job_outcome;

void __wrap_store_get_job(struct store *store, const struct job_ref *ref, store_job_fn *fn, void *userdata)
{
	int outcome = atomic_load(&job_outcome);

	if (outcome)
		fn(userdata, outcome, NULL);
	else
		__real_store_get_job(store, ref, fn, userdata);
}

void spoil_jobs(int outcome)
{
	atomic_store(&job_outcome, outcome);
}

/* ---- a start that fails ---- */

int __real_loop_start(struct loop *loop, const char *name);
int __wrap_loop_start(struct loop *loop, const char *name);
int __real_artifact_sweep(struct artifact_store *store, artifact_kept_fn *is_kept, void *userdata);
int __wrap_artifact_sweep(struct artifact_store *store, artifact_kept_fn *is_kept, void *userdata);
int __real_store_load_active(struct store *store, int (*fn)(void *userdata, struct job_view *take), void *userdata);
int __wrap_store_load_active(struct store *store, int (*fn)(void *userdata, struct job_view *take), void *userdata);

static struct {
	const char *thread; /* that cannot be started */
	int sweep, load;
} start;

int __wrap_loop_start(struct loop *loop, const char *name)
{
	return start.thread && strcmp(start.thread, name) == 0 ? -EAGAIN : __real_loop_start(loop, name);
}

int __wrap_artifact_sweep(struct artifact_store *store, artifact_kept_fn *is_kept, void *userdata)
{
	return start.sweep ? start.sweep : __real_artifact_sweep(store, is_kept, userdata);
}

int __wrap_store_load_active(struct store *store, int (*fn)(void *userdata, struct job_view *take), void *userdata)
{
	return start.load ? start.load : __real_store_load_active(store, fn, userdata);
}

void spoil_start(const char *thread, int sweep, int load)
{
	start.thread = thread;
	start.sweep = sweep;
	start.load = load;
}

void faults_reset(void)
{
	atomic_store(&job_outcome, 0);
	atomic_store(&replies.are_spoilt, false);
	atomic_store(&is_disk_broken, false);
	atomic_store(&room_of_store, UINT64_MAX);
	atomic_store(&reserved_bytes, 0);
}

/* ---- slow readers ---- */

#define READERS LIMIT_STORE_READERS

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_held;
	unsigned int inside;
} readers = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* [reader thread] */
static void on_held(void *userdata, int outcome, struct job_view *take)
{
	(void)userdata;
	if (outcome == 0)
		job_view_finish(take);
	pthread_mutex_lock(&readers.mutex);
	readers.inside++;
	pthread_cond_broadcast(&readers.changed);
	while (readers.is_held)
		pthread_cond_wait(&readers.changed, &readers.mutex);
	readers.inside--;
	pthread_mutex_unlock(&readers.mutex);
}

void hold_readers(struct rig *rig)
{
	struct job_ref nobody = {.tenant = 7};

	settle(rig);
	pthread_mutex_lock(&readers.mutex);
	readers.is_held = true;
	pthread_mutex_unlock(&readers.mutex);
	for (int i = 0; i < READERS; i++)
		store_get_job(rig->engine->store, &nobody, on_held, NULL);
	pthread_mutex_lock(&readers.mutex);
	while (readers.inside < READERS)
		pthread_cond_wait(&readers.changed, &readers.mutex);
	pthread_mutex_unlock(&readers.mutex);
}

void release_readers(struct rig *rig)
{
	(void)rig;
	pthread_mutex_lock(&readers.mutex);
	readers.is_held = false;
	pthread_cond_broadcast(&readers.changed);
	pthread_mutex_unlock(&readers.mutex);
}

/* ---- what a crash leaves ---- */

static void copy_file(const char *from, const char *to)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n;

	while ((n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			abort();
	close(in);
	close(out);
}

static void copy_folder(const char *from, const char *to)
{
	char source[2 * PATH_MAX], target[2 * PATH_MAX];
	struct dirent *item;
	struct stat status;
	DIR *folder = opendir(from);

	if (!folder || mkdir(to, 0700) != 0)
		abort();
	while ((item = readdir(folder))) {
		if (item->d_name[0] == '.')
			continue;
		snprintf(source, sizeof(source), "%s/%s", from, item->d_name);
		snprintf(target, sizeof(target), "%s/%s", to, item->d_name);
		if (stat(source, &status) == 0 && S_ISDIR(status.st_mode))
			copy_folder(source, target);
		else
			copy_file(source, target);
	}
	closedir(folder);
}

void image_path(const struct rig *rig, char path[static PATH_MAX + 32])
{
	snprintf(path, PATH_MAX + 32, "%s/image-%u", rig->folder, rig->images);
}

void rig_photograph(struct rig *rig)
{
	char path[PATH_MAX + 32];

	image_path(rig, path);
	copy_folder(rig->store_path, path);
}
