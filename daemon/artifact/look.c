#include "artifact/look.h"

#include "artifact/child.h"
#include "artifact/internal.h"
#include "artifact/pictures.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>

/*
 * ffmpeg has filters that say what is black and what stands still; they say it in words for people, and of every picture.
 * Here it only decodes, and writes pictures of 64 by 36 cells, no more than LIMIT_ARTIFACT_LOOK_FRAMES: what they show is
 * judged where a test can look (pictures.c). Nothing of a file bounds how much that is: not a length of years, for only so
 * many are written; not the size of a picture, since a larger one is not decoded; and what takes too long in spite of that
 * is killed by its CPU time, or by the clock.
 */

#define OUTPUT_BYTES (LIMIT_ARTIFACT_LOOK_FRAMES * PICTURE_BYTES)

struct look {
	struct task task; /* the first member */
	struct artifact_store *store;
	struct artifact_sealed sealed;
	int64_t until_ms; /* monotonic */
	artifact_looked_fn *fn;
	void *userdata;
};

static struct artifact_looked not_known(const char *why)
{
	log_info("the pictures of a video were not looked at", "why", why);
	return (struct artifact_looked){0};
}

/* Pictures to decode, times their size; without a frame rate, as many as there may be. */
static bool is_large(const struct artifact_sealed *sealed)
{
	uint64_t rate = sealed->frame_rate_millihertz ? sealed->frame_rate_millihertz : 60000, pixels;

	return __builtin_mul_overflow((uint64_t)sealed->width * sealed->height,
				      (uint64_t)sealed->duration_ms * rate / 1000000, &pixels) ||
	       pixels > LIMIT_ARTIFACT_LOOK_PIXELS;
}

/* No two pictures are nearer than that. */
static int64_t step_ms(const struct artifact_sealed *sealed)
{
	int64_t step = sealed->duration_ms / LIMIT_ARTIFACT_LOOK_FRAMES + 1;

	return step > LIMIT_ARTIFACT_LOOK_STEP_MS ? step : LIMIT_ARTIFACT_LOOK_STEP_MS;
}

static int decode(const char *path, int fd, const struct artifact_sealed *sealed, int64_t timeout_ms, int stop_fd,
		  struct child *ret)
{
	char filter[192], frames[16], pixels[24];
	const char *const arguments[] = {"ffmpeg", "-nostdin", "-hide_banner", "-v", "error",
					 /* The input: it can lead nowhere else, and is as large as we bear. */
					 "-protocol_whitelist", "file,pipe", "-threads", "1", "-max_pixels", pixels,
					 "-skip_frame", is_large(sealed) ? "nokey" : "default", "-f",
					 child_container(sealed->media_type), "-i", "/dev/fd/0",
					 /* The output: of the film, and not of a cover picture. */
					 "-map", "0:V:0", "-an", "-sn", "-dn", "-filter_threads", "1", "-vf", filter,
					 "-fps_mode", "passthrough", "-frames:v", frames, "-f", "rawvideo", "pipe:1",
					 NULL};
	const struct child_order order = {
		.path = path,
		.arguments = arguments,
		.fd = fd,
		.output_bytes = OUTPUT_BYTES,
		.cpu_s = LIMIT_ARTIFACT_LOOK_CPU_S,
		.timeout_ms = timeout_ms,
		.niceness = 5,
		.stop_fd = stop_fd,
	};

	snprintf(filter, sizeof(filter),
		 "select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,%" PRId64 ".%03" PRId64
		 "),scale=%d:%d:flags=area,format=gray",
		 step_ms(sealed) / 1000, step_ms(sealed) % 1000, PICTURE_WIDTH, PICTURE_HEIGHT);
	snprintf(frames, sizeof(frames), "%d", LIMIT_ARTIFACT_LOOK_FRAMES);
	snprintf(pixels, sizeof(pixels), "%" PRIu64, LIMIT_ARTIFACT_LOOK_PICTURE);
	return child_run(&order, ret);
}

static struct artifact_looked complain(const struct child *child)
{
	char words[CHILD_WORDS_SIZE];

	child_words(child, words);
	return not_known(*words ? words : "ffmpeg gave up without a word");
}

static struct artifact_looked read_pictures(const struct child *child, int64_t duration_ms)
{
	_cleanup_(freep) uint8_t *pictures = malloc(OUTPUT_BYTES);
	ssize_t n = pictures ? pread(child->out_fd, pictures, OUTPUT_BYTES, 0) : -1;
	struct artifact_looked looked = {0};

	if (n > 0)
		looked = pictures_judge(pictures, (size_t)n / PICTURE_BYTES, duration_ms);
	return looked.is_known ? looked : not_known("there are too few");
}

struct artifact_looked look_ask(const char *path, int fd, const struct artifact_sealed *sealed, int64_t timeout_ms,
				int stop_fd)
{
	_cleanup_(child_finish) struct child child = {.out_fd = -1, .err_fd = -1};
	int r;

	if ((uint64_t)sealed->width * sealed->height > LIMIT_ARTIFACT_LOOK_PICTURE)
		return not_known("they are too large");
	r = decode(path, fd, sealed, timeout_ms, stop_fd, &child);
	if (r < 0)
		return not_known(log_errno(r));
	if (r == CHILD_E_STOPPED)
		return not_known("the daemon ends");
	if (r == CHILD_E_LATE)
		return not_known("ffmpeg did not end in time");
	if (!WIFEXITED(child.status))
		return not_known("ffmpeg crashed, or needed more than it may have");
	return WEXITSTATUS(child.status) ? complain(&child) : read_pictures(&child, sealed->duration_ms);
}

/* ---- in line ---- */

static struct artifact_looked look_at(const struct look *look)
{
	_cleanup_(closep) int fd = -1;
	int64_t left_ms = look->until_ms - clock_monotonic_ms(&clock_system);
	struct pollfd stop = {.fd = look->store->stop_fd, .events = POLLIN};

	if (!look->store->ffmpeg || strncmp(look->sealed.media_type, "video/", 6) != 0)
		return (struct artifact_looked){0};
	if (poll(&stop, 1, 0) > 0)
		return not_known("the daemon ends");
	if (left_ms <= 0)
		return not_known("too many others were before it");
	if (look->sealed.duration_ms <= 0)
		return not_known("its length is not known");
	if (content_open(look->store, &look->sealed.sha256, look->sealed.size_bytes, &fd) != 0)
		return not_known("its file cannot be opened");
	return look_ask(look->store->ffmpeg, fd, &look->sealed, left_ms, look->store->stop_fd);
}

static void run_look(struct task *task)
{
	struct look *look = (struct look *)(void *)task;
	const struct artifact_looked looked = look_at(look);

	artifact_release_claim(look->store, &look->sealed.sha256);
	look->fn(look->userdata, &looked);
	free(look);
}

int artifact_look(struct artifact_store *store, const struct artifact_sealed *sealed, artifact_looked_fn *fn,
		  void *userdata)
{
	struct look *look = calloc(1, sizeof(*look));

	if (!look)
		return err_origin(-ENOMEM);
	*look = (struct look){
		.task = {.run = run_look},
		.store = store,
		.sealed = *sealed,
		.until_ms = clock_monotonic_ms(&clock_system) + LIMIT_ARTIFACT_LOOK_MS,
		.fn = fn,
		.userdata = userdata,
	};
	/* One of its own: whoever asks may give up his. */
	if (claims_take(&store->claims, &sealed->sha256) < 0) {
		free(look);
		return err_origin(-ENOMEM);
	}
	workers_add(&store->lookers, &look->task);
	return 0;
}

/* Not by the PATH, as ffprobe is not. */
const char *artifact_find_ffmpeg(void)
{
	static const char path[] = "/usr/bin/ffmpeg";

	return access(path, X_OK) == 0 ? path : NULL;
}
