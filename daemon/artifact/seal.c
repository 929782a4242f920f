#include "artifact/ffprobe.h"
#include "artifact/internal.h"
#include "artifact/still.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * From a staging file to an artifact, and back to nothing. The order makes it safe at every point of a power loss: the
 * bytes are on disk before the name is, the name before anybody commits a job that refers to it. A collector works
 * under the same claims, so no content vanishes between its publishing and that commit.
 */

#define HASH_BYTES (256 * 1024)

struct seal {
	struct task task; /* the first member */
	struct artifact_staging *staging;
	artifact_sealed_fn *fn;
	void *userdata;
	char role[33];
	bool is_kept; /* the staging file stays */
	bool is_expected;
	struct digest expected;
};

struct collect {
	struct task task; /* the first member */
	struct artifact_store *store;
	struct digest sha256;
	struct collection wish;
};

static int hash(int fd, struct artifact_sealed *result)
{
	_cleanup_(digester_freep) struct digester *digester = digester_new();
	_cleanup_(freep) char *bytes = malloc(HASH_BYTES);
	ssize_t n;

	if (!digester || !bytes)
		return err_origin(-ENOMEM);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while ((n = pread(fd, bytes, HASH_BYTES, (off_t)result->size_bytes)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_origin(-errno);
		digester_add(digester, bytes, (size_t)n);
		result->size_bytes += (uint64_t)n;
	}
	result->sha256 = digester_end(digester);
	return 0;
}

static int probe(const struct seal *seal, struct artifact_sealed *result)
{
	struct source source = {.fd = seal->staging->fd, .size = result->size_bytes};
	const char *ffprobe = seal->staging->store->ffprobe;
	struct probe found = {0};
	int r = probe_source(&source, seal->role, &found, &result->message);

	if (r)
		return r;
	if (ffprobe && found.has_picture) {
		r = ffprobe_ask(ffprobe, source.fd, LIMIT_ARTIFACT_FFPROBE_MS, &found, &result->message);
		if (r == ARTIFACT_E_NOT_MEDIA)
			return r;
	}
	snprintf(result->media_type, sizeof(result->media_type), "%s", found.media_type);
	result->duration_ms = found.duration_ms;
	result->width = found.width;
	result->height = found.height;
	result->frame_rate_millihertz = found.frame_rate_millihertz;
	result->sound = found.sound;
	return 0;
}

/* ---- publishing ---- */

static int open_fan_out(struct artifact_store *store, const struct place *place, int *ret)
{
	int fd;

	if (mkdirat(store->content_fd, place->folder, 0700) < 0 && errno != EEXIST)
		return store_outcome(-errno);
	fd = openat(store->content_fd, place->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return store_outcome(-errno);
	*ret = fd;
	return 0;
}

/* One of another size under that name was damaged by something outside: it is replaced. */
static bool is_there(int folder_fd, const char *name, uint64_t size_bytes)
{
	struct stat status;

	return fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
	       (uint64_t)status.st_size == size_bytes;
}

/* A second name for the same file. Where the disk knows none, the only one moves. */
static int add_name(const struct seal *seal, int folder_fd, const char *name)
{
	int staging_fd = seal->staging->store->staging_fd;
	int r = linkat(staging_fd, seal->staging->name, folder_fd, name, 0);

	if (r < 0 && errno == EEXIST && unlinkat(folder_fd, name, 0) == 0)
		r = linkat(staging_fd, seal->staging->name, folder_fd, name, 0);
	if (r < 0 && (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK))
		r = renameat(staging_fd, seal->staging->name, folder_fd, name);
	return r;
}

/*
 * Syncs all three folders whoever made their entries: another seal may have made one a moment ago, or a run that
 * crashed before it could sync.
 */
static int publish(const struct seal *seal, const struct artifact_sealed *result)
{
	struct artifact_store *store = seal->staging->store;
	struct place place = place_of(&result->sha256);
	_cleanup_(closep) int folder_fd = -1;
	int r = open_fan_out(store, &place, &folder_fd);

	if (r)
		return r;
	FAILPOINT(SEAL_BEFORE_RENAME);
	if (seal->is_kept)
		r = is_there(folder_fd, place.name, result->size_bytes) ? 0 : add_name(seal, folder_fd, place.name);
	else if (is_there(folder_fd, place.name, result->size_bytes))
		r = unlinkat(store->staging_fd, seal->staging->name, 0);
	else
		r = renameat(store->staging_fd, seal->staging->name, folder_fd, place.name);
	FAILPOINT(SEAL_AFTER_RENAME);
	if (r == 0 && MUTANT(NO_RENAME_SYNC))
		return 0;
	if (r < 0 || fsync(folder_fd) < 0 || fsync(store->content_fd) < 0 || fsync(store->staging_fd) < 0)
		return store_outcome(-errno);
	return 0;
}

static int publish_claimed(const struct seal *seal, const struct artifact_sealed *result)
{
	struct artifact_store *store = seal->staging->store;
	int r = claims_take(&store->claims, &result->sha256);

	if (r < 0)
		return r;
	r = publish(seal, result);
	FAILPOINT(SEAL_AFTER_SYNC);
	if (r)
		artifact_release_claim(store, &result->sha256);
	return r;
}

static int refuse_content(const struct seal *seal, struct artifact_sealed *result)
{
	char expected[DIGEST_TEXT_SIZE], found[DIGEST_TEXT_SIZE];

	digest_format(&seal->expected, expected);
	digest_format(&result->sha256, found);
	errmsg_set(&result->message, "the bytes have the SHA-256 %s, and %s was announced", found, expected);
	return ARTIFACT_E_OTHER_CONTENT;
}

static int seal_file(const struct seal *seal, struct artifact_sealed *result)
{
	int r;

	FAILPOINT(SEAL_BEFORE_SYNC);
	if (fsync(seal->staging->fd) < 0)
		return store_outcome(-errno);
	r = hash(seal->staging->fd, result);
	if (r)
		return r;
	if (seal->is_expected && memcmp(&seal->expected, &result->sha256, sizeof(seal->expected)) != 0)
		return refuse_content(seal, result);
	r = probe(seal, result);
	return r ? r : publish_claimed(seal, result);
}

/* What only the caller's code could tell is said in words here. */
static void explain(const struct seal *seal, struct artifact_sealed *result)
{
	const char *path = seal->staging->store->path;

	if (result->outcome == ARTIFACT_E_NO_SPACE)
		errmsg_set(&result->message, "the disk of '%.300s' is full; free room on it, or name another data_dir",
			   path);
	else if (result->outcome < 0)
		errmsg_set(&result->message, "the file '%.300s/staging/%s' cannot be stored: %s; look at the disk",
			   path, seal->staging->name, log_errno(result->outcome));
}

static void run_seal(struct task *task)
{
	struct seal *seal = (struct seal *)(void *)task;
	struct artifact_sealed result = {0};

	result.outcome = seal_file(seal, &result);
	explain(seal, &result);
	if (result.outcome && !seal->is_kept)
		artifact_staging_discard(seal->staging);
	else
		artifact_staging_close(seal->staging);
	seal->fn(seal->userdata, &result);
	free(seal);
}

static struct seal *seal_new(struct artifact_staging *staging, const char *role, artifact_sealed_fn *fn, void *userdata)
{
	struct seal *seal = calloc(1, sizeof(*seal));

	if (!seal)
		return NULL;
	seal->task.run = run_seal;
	seal->staging = staging;
	seal->fn = fn;
	seal->userdata = userdata;
	snprintf(seal->role, sizeof(seal->role), "%s", role);
	return seal;
}

int artifact_seal(struct artifact_store *store, struct artifact_staging *take, const char *role, artifact_sealed_fn *fn,
		  void *userdata)
{
	struct seal *seal = seal_new(take, role, fn, userdata);

	if (!seal) {
		artifact_staging_discard(take);
		return err_origin(-ENOMEM);
	}
	workers_add(&store->workers, &seal->task);
	return 0;
}

int artifact_seal_kept(struct artifact_store *store, struct artifact_staging *take, const char *role,
		       artifact_sealed_fn *fn, void *userdata)
{
	struct seal *seal = seal_new(take, role, fn, userdata);

	if (!seal) {
		artifact_staging_close(take);
		return err_origin(-ENOMEM);
	}
	seal->is_kept = true;
	workers_add(&store->workers, &seal->task);
	return 0;
}

int artifact_seal_expected(struct artifact_store *store, struct artifact_staging *take, const char *role,
			   const struct digest *expected, artifact_sealed_fn *fn, void *userdata)
{
	struct seal *seal = seal_new(take, role, fn, userdata);

	if (!seal) {
		artifact_staging_discard(take);
		return err_origin(-ENOMEM);
	}
	seal->is_expected = true;
	seal->expected = *expected;
	workers_add(&store->workers, &seal->task);
	return 0;
}

/* ---- collecting ---- */

/* Synced, so that what was removed is not back after a power loss, when nobody would collect it again. */
static int unlink_content(struct artifact_store *store, const struct digest *sha256)
{
	struct place place = place_of(sha256);
	_cleanup_(closep) int fd = -1;

	fd = openat(store->content_fd, place.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || unlinkat(fd, place.name, 0) < 0)
		return errno == ENOENT ? 0 : err_origin(-errno);
	return fsync(fd) < 0 ? err_origin(-errno) : 0;
}

static void collect_alone(struct collect *collect)
{
	char text[DIGEST_TEXT_SIZE];
	int r;

	if (collect->wish.is_referenced(collect->wish.userdata, &collect->sha256))
		return;
	FAILPOINT(COLLECT_BEFORE);
	r = unlink_content(collect->store, &collect->sha256);
	if (r == 0)
		r = stills_unlink(collect->store, &collect->sha256);
	FAILPOINT(COLLECT_AFTER);
	digest_format(&collect->sha256, text);
	if (r < 0)
		log_warning("an artifact that no job names cannot be removed; remove it by hand", "folder",
			    collect->store->path, "sha256", text, "error", log_errno(r));
}

static void run_collect(struct task *task)
{
	struct collect *collect = (struct collect *)(void *)task;
	struct artifact_store *store = collect->store;
	int r;

	if (!copy_lets_collect(store, task))
		return;
	r = claims_take_alone(&store->claims, &collect->sha256, &collect->wish);
	if (r == 0) {
		collect_alone(collect);
		claims_drop_alone(&store->claims, &collect->sha256);
	}
	free(collect);
}

void artifact_collect(struct artifact_store *store, const struct digest *sha256, artifact_referenced_fn *is_referenced,
		      void *userdata)
{
	struct collect *collect = calloc(1, sizeof(*collect));

	if (!collect) {
		log_warning("out of memory: an artifact that no job names may stay", "folder", store->path);
		return;
	}
	collect->task.run = run_collect;
	collect->store = store;
	collect->sha256 = *sha256;
	collect->wish = (struct collection){.is_referenced = is_referenced, .userdata = userdata};
	workers_add(&store->workers, &collect->task);
}

void artifact_release_claim(struct artifact_store *store, const struct digest *sha256)
{
	struct collection wish;

	claims_drop(&store->claims, sha256, &wish);
	if (wish.is_referenced)
		artifact_collect(store, sha256, wish.is_referenced, wish.userdata);
}
