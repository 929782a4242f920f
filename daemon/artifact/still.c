#include "artifact/still.h"

#include "artifact/child.h"
#include "artifact/internal.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/write.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

/*
 * Many videos begin in the dark, so it is not the first picture that is taken, but of the first LIMIT_ARTIFACT_POSTER_FRAMES
 * the one that is most like the others, which ffmpeg finds.
 *
 * A picture is kept beside the videos, as a cache: it can be made again, is in no backup, and goes with its video. An empty
 * file says that there can be none. Whoever finds none makes it, under a claim on the video, so that no picture is left of
 * one that is collected meanwhile; two who do that at once make the same.
 */

static const struct shape {
	const char *suffix;
	int edge; /* of the longer side, in pixels */
} shapes[] = {
	[ARTIFACT_STILL_POSTER] = {".poster.jpg", 1280},
	[ARTIFACT_STILL_THUMBNAIL] = {".thumbnail.jpg", 320},
};

/* ---- making one ---- */

static int decode(const char *path, int fd, const char *media_type, int edge, int64_t timeout_ms, int stop_fd,
		  struct child *ret)
{
	char filter[256], pixels[24];
	const char *const arguments[] = {"ffmpeg", "-nostdin", "-hide_banner", "-v", "error",
					 /* The input, as in look.c: it can lead nowhere else. */
					 "-protocol_whitelist", "file,pipe", "-threads", "1", "-max_pixels", pixels,
					 "-f", child_container(media_type), "-i", "/dev/fd/0",
					 /* The output: of the film, and not of a cover picture. */
					 "-map", "0:V:0", "-an", "-sn", "-dn", "-filter_threads", "1", "-vf", filter,
					 "-frames:v", "1", "-q:v", "4", "-bitexact", "-f", "image2pipe", "-c:v",
					 "mjpeg", "pipe:1", NULL};
	const struct child_order order = {
		.path = path,
		.arguments = arguments,
		.fd = fd,
		.output_bytes = LIMIT_ARTIFACT_POSTER_BYTES,
		.cpu_s = LIMIT_ARTIFACT_POSTER_CPU_S,
		.timeout_ms = timeout_ms,
		.niceness = 5,
		.stop_fd = stop_fd,
	};

	/* Small first: the filter that chooses holds all of them. */
	snprintf(filter, sizeof(filter),
		 "scale=w='min(%d,iw)':h='min(%d,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2,"
		 "thumbnail=%d,format=yuvj420p",
		 edge, edge, LIMIT_ARTIFACT_POSTER_FRAMES);
	snprintf(pixels, sizeof(pixels), "%llu", (unsigned long long)LIMIT_ARTIFACT_LOOK_PICTURE);
	return child_run(&order, ret);
}

static int complain(int outcome, const char *why)
{
	log_info("no picture was made of a video", "why", why);
	return outcome;
}

static int complain_in_its_words(const struct child *child)
{
	char words[CHILD_WORDS_SIZE];

	child_words(child, words);
	return complain(STILL_E_IMPOSSIBLE, *words ? words : "ffmpeg gave up without a word");
}

int still_make(const char *path, int fd, const char *media_type, enum artifact_still kind, int64_t timeout_ms,
	       int stop_fd, int *ret_fd, uint64_t *ret_size)
{
	_cleanup_(child_finish) struct child child = {.out_fd = -1, .err_fd = -1};
	struct stat st;
	int r;

	if (!path)
		return complain(STILL_E_NOT_NOW, "there is no ffmpeg");
	r = decode(path, fd, media_type, shapes[kind].edge, timeout_ms, stop_fd, &child);
	if (r < 0)
		return complain(STILL_E_NOT_NOW, log_errno(r));
	if (r == CHILD_E_STOPPED)
		return complain(STILL_E_NOT_NOW, "the daemon ends");
	if (r == CHILD_E_LATE)
		return complain(STILL_E_NOT_NOW, "ffmpeg did not end in time");
	if (!WIFEXITED(child.status))
		return complain(STILL_E_IMPOSSIBLE, "ffmpeg crashed, or needed more than it may have");
	if (WEXITSTATUS(child.status))
		return complain_in_its_words(&child);
	if (fstat(child.out_fd, &st) < 0 || st.st_size == 0)
		return complain(STILL_E_IMPOSSIBLE, "ffmpeg found none in it");
	*ret_fd = steal_fd(&child.out_fd);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

/* ---- keeping it ---- */

struct still {
	struct task task; /* the first member */
	struct artifact_store *store;
	struct digest sha256;
	uint64_t size_bytes;
	char media_type[64];
	enum artifact_still kind;
	int64_t until_ms; /* monotonic */
	artifact_still_fn *fn;
	void *userdata;
};

struct still_name {
	struct place place;
	char name[DIGEST_TEXT_SIZE + 16];
};

static struct still_name name_of(const struct digest *sha256, enum artifact_still kind)
{
	struct still_name name = {.place = place_of(sha256)};

	snprintf(name.name, sizeof(name.name), "%s%s", name.place.name, shapes[kind].suffix);
	return name;
}

static void answer(struct still *still, int outcome, int fd, uint64_t size)
{
	artifact_release_claim(still->store, &still->sha256);
	still->fn(still->userdata, outcome, fd, size);
	free(still);
}

/* 0, ARTIFACT_E_NO_PICTURE: there can be none, ARTIFACT_E_NOT_FOUND: it was not made yet, or negative errno. */
static int open_kept(const struct still *still, int *ret_fd, uint64_t *ret_size)
{
	const struct still_name name = name_of(&still->sha256, still->kind);
	_cleanup_(closep) int folder_fd = -1, fd = -1;
	struct stat st;

	folder_fd = openat(still->store->stills_fd, name.place.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder_fd >= 0)
		fd = openat(folder_fd, name.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ARTIFACT_E_NOT_FOUND : err_origin(-errno);
	if (fstat(fd, &st) < 0)
		return err_origin(-errno);
	if (st.st_size == 0)
		return ARTIFACT_E_NO_PICTURE;
	*ret_fd = steal_fd(&fd);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int copy_all(int from_fd, int to_fd, uint64_t size)
{
	off_t at = 0;

	while ((uint64_t)at < size)
		if (sendfile(to_fd, from_fd, &at, (size_t)(size - (uint64_t)at)) <= 0)
			return err_origin(errno ? -errno : -EIO);
	return fsync(to_fd) < 0 ? err_origin(-errno) : 0;
}

/* Its bytes are on disk before its name is, or a power loss would leave an empty one. */
static int keep(const struct still *still, int from_fd, uint64_t size)
{
	const struct still_name name = name_of(&still->sha256, still->kind);
	_cleanup_(closep) int folder_fd = -1, fd = -1;
	char part[sizeof(name.name) + 32];
	int r;

	if (mkdirat(still->store->stills_fd, name.place.folder, 0700) < 0 && errno != EEXIST)
		return err_origin(-errno);
	folder_fd = openat(still->store->stills_fd, name.place.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder_fd < 0)
		return err_origin(-errno);
	/* Two may be at it; what one of them leaves behind in a crash the sweep at the start removes. */
	snprintf(part, sizeof(part), "still-%s%s-%llx", name.place.folder, name.name,
		 (unsigned long long)(uintptr_t)still);
	fd = openat(still->store->staging_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_origin(-errno);
	r = copy_all(from_fd, fd, size);
	if (r == 0 && renameat(still->store->staging_fd, part, folder_fd, name.name) < 0)
		r = err_origin(-errno);
	if (r < 0)
		unlinkat(still->store->staging_fd, part, 0);
	return r;
}

/* It is a cache: a disk that does not take it costs the next one who asks some time. */
static void try_to_keep(const struct still *still, int fd, uint64_t size)
{
	int r = keep(still, fd, size);

	if (r < 0)
		log_warning("a picture of a video could not be kept", "folder", still->store->path, "error",
			    log_errno(r));
}

static void run_make(struct task *task)
{
	struct still *still = (struct still *)(void *)task;
	int64_t left_ms = still->until_ms - clock_monotonic_ms(&clock_system);
	_cleanup_(closep) int fd = -1;
	int still_fd = -1, r;
	uint64_t size = 0;

	/* Somebody else may have made it while this one stood in line. */
	r = open_kept(still, &still_fd, &size);
	if (r != ARTIFACT_E_NOT_FOUND) {
		answer(still, r, still_fd, size);
		return;
	}
	r = left_ms > 0 ? content_open(still->store, &still->sha256, still->size_bytes, &fd) : -ETIMEDOUT;
	if (r) {
		answer(still, r, -1, 0);
		return;
	}
	r = still_make(still->store->ffmpeg, fd, still->media_type, still->kind, left_ms, still->store->stop_fd,
		       &still_fd, &size);
	if (r == 0 || r == STILL_E_IMPOSSIBLE)
		try_to_keep(still, still_fd, size);
	answer(still, r == 0 ? 0 : ARTIFACT_E_NO_PICTURE, still_fd, size);
}

static void run_open(struct task *task)
{
	struct still *still = (struct still *)(void *)task;
	uint64_t size = 0;
	int fd = -1, r = open_kept(still, &fd, &size);

	if (r == ARTIFACT_E_NOT_FOUND) {
		still->task.run = run_make;
		workers_add(&still->store->lookers, &still->task);
	} else {
		answer(still, r, fd, size);
	}
}

int artifact_open_still(struct artifact_store *store, const struct artifact_video *video, enum artifact_still kind,
			artifact_still_fn *fn, void *userdata)
{
	struct still *still = calloc(1, sizeof(*still));

	if (!still)
		return err_origin(-ENOMEM);
	*still = (struct still){
		.task = {.run = run_open},
		.store = store,
		.sha256 = video->sha256,
		.size_bytes = video->size_bytes,
		.kind = kind,
		.until_ms = clock_monotonic_ms(&clock_system) + LIMIT_ARTIFACT_POSTER_MS,
		.fn = fn,
		.userdata = userdata,
	};
	snprintf(still->media_type, sizeof(still->media_type), "%s", video->media_type);
	if (claims_take(&store->claims, &still->sha256) < 0) {
		free(still);
		return err_origin(-ENOMEM);
	}
	workers_add(&store->openers, &still->task);
	return 0;
}

int stills_unlink(const struct artifact_store *store, const struct digest *sha256)
{
	struct place place = place_of(sha256);
	_cleanup_(closep) int folder_fd = openat(store->stills_fd, place.folder,
						 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder_fd < 0)
		return errno == ENOENT ? 0 : err_origin(-errno);
	for (size_t kind = 0; kind < sizeof(shapes) / sizeof(shapes[0]); kind++) {
		const struct still_name name = name_of(sha256, (enum artifact_still)kind);

		if (unlinkat(folder_fd, name.name, 0) < 0 && errno != ENOENT)
			return err_origin(-errno);
	}
	return 0;
}
