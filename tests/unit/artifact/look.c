#include "artifact/look.h"
#include "artifact/fixture.h"
#include "base/clock.h"
#include "base/limits.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define FFMPEG "/usr/bin/ffmpeg"

/* ---- scripts that behave as ffmpeg may ---- */

static struct artifact_looked ask_within(const char *script, int64_t timeout_ms, int stop_fd)
{
	const struct artifact_sealed sealed = {
		.media_type = "video/mp4", .duration_ms = 4000, .width = 64, .height = 36};
	char path[] = "/tmp/filmgate-ffmpeg-XXXXXX";
	int fd = mkstemp(path);
	struct artifact_looked looked;

	dprintf(fd, "#!/bin/sh\n%s\n", script);
	fchmod(fd, 0700);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	looked = look_ask(path, fd, &sealed, timeout_ms, stop_fd);
	close(fd);
	unlink(path);
	return looked;
}

static struct artifact_looked ask(const char *script)
{
	return ask_within(script, 30000, -1);
}

static void what_it_decodes_is_judged(void **state)
{
	struct artifact_looked looked = ask("head -c 36864 /dev/zero");

	(void)state;
	assert_true(looked.is_known);
	assert_int_equal(looked.black_ms, 4000);
	assert_int_equal(looked.frozen_ms, 4000);
}

static void in_trouble_it_says_nothing(void **state)
{
	static const char *const scripts[] = {
		"kill -9 $$",
		"exit 1",
		"echo 'Invalid data' >&2; head -c 36864 /dev/zero; exit 1",
		"head -c 6000 /dev/zero",
		"exec cat /dev/zero",
	};
	const struct artifact_sealed large = {
		.media_type = "video/mp4", .duration_ms = 1000, .width = 60000, .height = 60000};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		assert_false(ask(scripts[i]).is_known);
	assert_false(look_ask("/nonexistent/ffmpeg", 0, &large, 1000, -1).is_known);
	assert_false(look_ask("/bin/true", 0, &large, 1000, -1).is_known);
}

/* What stands in its limits it cannot leave, and nobody else's file or secret is within its reach. */
static void it_runs_within_its_limits(void **state)
{
	struct artifact_looked looked;
	int niceness = getpriority(PRIO_PROCESS, 0) + 5;
	char command[512];

	(void)state;
	setenv("FILMGATE_TEST_SECRET", "hush", 1);
	/* It runs before they are set, niceness last: on a busy machine for longer than a shell needs to look. */
	snprintf(command, sizeof(command),
		 "until [ $(nice) -ge %d ]; do sleep 0.01; done; "
		 "[ -z \"$FILMGATE_TEST_SECRET\" ] && [ $(ulimit -c) = 0 ] && [ $(ulimit -n) -le 64 ] && "
		 "[ $(ulimit -t) -le 60 ] && [ $(ulimit -v) -le 4194304 ] && [ $(ulimit -f) -le 2048 ] && "
		 "[ $(ls /dev/fd | wc -l) -le 4 ] && head -c 36864 /dev/zero",
		 niceness < 19 ? niceness : 19);
	looked = ask(command);
	unsetenv("FILMGATE_TEST_SECRET");
	assert_true(looked.is_known);
}

static void it_is_told_to_open_nothing_else(void **state)
{
	(void)state;
	assert_true(
		ask("case \"$*\" in *'-protocol_whitelist file,pipe '*'-max_pixels 67108864 '*'-f mov -i /dev/fd/0 '*"
		    "'-frames:v 240 '*) head -c 36864 /dev/zero;; *) exit 1;; esac")
			.is_known);
}

static void it_is_killed_when_time_is_up_and_when_the_daemon_ends(void **state)
{
	int64_t begun_ms = clock_monotonic_ms(&clock_system);
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	(void)state;
	assert_false(ask_within("exec sleep 60", 100, -1).is_known);
	assert_false(ask_within("exec sleep 60", 60000, stop_fd).is_known);
	assert_true(clock_monotonic_ms(&clock_system) - begun_ms < 30000);
	close(stop_fd);
}

/* ---- the real one ---- */

static char *render(const char *input, size_t *ret_len)
{
	char command[1024], path[] = "/tmp/filmgate-look-XXXXXX", *bytes = calloc(1, 8 << 20);
	int fd = mkstemp(path);

	assert_non_null(bytes);
	assert_true(fd >= 0);
	snprintf(command, sizeof(command), FFMPEG " -nostdin -v error %s -f mp4 -y %s </dev/null", input, path);
	/* NOLINTNEXTLINE(bugprone-command-processor, cert-env33-c) */
	assert_int_equal(system(command), 0);
	*ret_len = (size_t)read(fd, bytes, 8 << 20);
	assert_true(*ret_len > 0 && *ret_len < 8 << 20);
	close(fd);
	unlink(path);
	return bytes;
}

static void need_ffmpeg(void)
{
	if (access(FFMPEG, X_OK) == 0 && access("/usr/bin/ffprobe", X_OK) == 0)
		return;
	print_message("ffmpeg is not installed: skipped\n");
	skip();
}

struct waiting {
	pthread_mutex_t mutex;
	pthread_cond_t done;
	bool is_done;
	struct artifact_looked looked;
};

static void on_looked(void *userdata, const struct artifact_looked *looked)
{
	struct waiting *waiting = userdata;

	pthread_mutex_lock(&waiting->mutex);
	waiting->looked = *looked;
	waiting->is_done = true;
	pthread_cond_signal(&waiting->done);
	pthread_mutex_unlock(&waiting->mutex);
}

static struct artifact_looked look_at(struct artifact_store *store, const struct artifact_sealed *sealed)
{
	struct waiting waiting = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

	assert_int_equal(artifact_look(store, sealed, on_looked, &waiting), 0);
	pthread_mutex_lock(&waiting.mutex);
	while (!waiting.is_done)
		pthread_cond_wait(&waiting.done, &waiting.mutex);
	pthread_mutex_unlock(&waiting.mutex);
	return waiting.looked;
}

static void facts_of_real_videos_are_found(void **state)
{
	static const struct {
		const char *input;
		uint32_t frame_rate_millihertz;
		enum artifact_sound sound;
		bool is_black, is_frozen;
	} rows[] = {
		{"-f lavfi -i testsrc2=d=4:s=320x180:r=24 -c:v mpeg4", 24000, ARTIFACT_SOUND_OFF, false, false},
		{"-f lavfi -i color=black:d=4:s=320x180:r=30000/1001 -f lavfi -i sine=d=4 -c:v mpeg4 -c:a aac", 29970,
		 ARTIFACT_SOUND_ON, true, true},
		{"-f lavfi -i testsrc2=d=0.04:s=320x180:r=25 -vf loop=-1:1,trim=duration=4 -c:v mpeg4 -q:v 6", 25000,
		 ARTIFACT_SOUND_OFF, false, true},
	};

	(void)state;
	need_ffmpeg();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct artifact_looked looked;
		struct artifact_sealed sealed;
		struct fixture f;
		size_t len;
		_cleanup_(freep) char *bytes = render(rows[i].input, &len);

		fixture_open_with(&f, "/usr/bin/ffprobe", FFMPEG);
		sealed = seal(f.store, "video", bytes_of(bytes, len));
		assert_string_equal(sealed.message.text, "");
		assert_int_equal(sealed.frame_rate_millihertz, rows[i].frame_rate_millihertz);
		assert_int_equal(sealed.sound, rows[i].sound);
		looked = look_at(f.store, &sealed);
		assert_true(looked.is_known);
		assert_int_equal(looked.black_ms >= sealed.duration_ms * 95 / 100, rows[i].is_black);
		assert_int_equal(looked.frozen_ms >= sealed.duration_ms * 95 / 100, rows[i].is_frozen);
		artifact_release_claim(f.store, &sealed.sha256);
		fixture_close(&f);
	}
}

/* A film that is said to be more than may be decoded: of a second, it has one key frame in five pictures. */
static void of_a_large_video_the_key_frames_tell(void **state)
{
	struct artifact_looked looked;
	struct artifact_sealed sealed;
	struct fixture f;
	size_t len;
	_cleanup_(freep) char *bytes = NULL;

	(void)state;
	need_ffmpeg();
	/* Between two key frames it moves, and each key frame is the same. */
	bytes = render("-f lavfi -i testsrc2=d=0.2:s=320x180:r=25 -vf loop=-1:5,trim=duration=4 -c:v mpeg4 -g 5 "
		       "-sc_threshold 1000000000",
		       &len);
	fixture_open_with(&f, "/usr/bin/ffprobe", FFMPEG);
	sealed = seal(f.store, "video", bytes_of(bytes, len));
	assert_int_equal(sealed.outcome, 0);
	looked = look_at(f.store, &sealed);
	assert_true(looked.is_known);
	assert_int_equal(looked.frozen_ms, 0);
	sealed.width = sealed.height = 8000;
	looked = look_at(f.store, &sealed);
	assert_true(looked.is_known);
	assert_int_equal(looked.frozen_ms, sealed.duration_ms);
	sealed.height = 9000;
	assert_false(look_at(f.store, &sealed).is_known);
	fixture_close(&f);
}

/* A header that promises a week, and a picture that is to be shown in sixty years. */
static void lies_about_length_cost_no_time(void **state)
{
	int64_t begun_ms = clock_monotonic_ms(&clock_system);
	struct artifact_looked looked;
	struct artifact_sealed sealed;
	struct fixture f;
	size_t len;
	_cleanup_(freep) char *bytes = NULL;

	(void)state;
	need_ffmpeg();
	bytes = render("-f lavfi -i testsrc2=d=4:s=320x180:r=25 -vf 'setpts=PTS+gt(N\\,50)*2000000000' -c:v mjpeg "
		       "-fps_mode passthrough",
		       &len);
	fixture_open_with(&f, "/usr/bin/ffprobe", FFMPEG);
	sealed = seal(f.store, "video", bytes_of(bytes, len));
	assert_int_equal(sealed.outcome, 0);
	sealed.duration_ms = LIMIT_ARTIFACT_DURATION_MS;
	looked = look_at(f.store, &sealed);
	assert_true(!looked.is_known || looked.black_ms == 0);
	assert_true(clock_monotonic_ms(&clock_system) - begun_ms < 30000);
	fixture_close(&f);
}

static void without_a_program_nothing_is_known(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;
	struct fixture f;

	(void)state;
	make_mp4(&mp4);
	fixture_open(&f, NULL);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	assert_int_equal(sealed.frame_rate_millihertz, 0);
	assert_int_equal(sealed.sound, ARTIFACT_SOUND_UNKNOWN);
	assert_false(look_at(f.store, &sealed).is_known);
	fixture_close(&f);
}

/* ---- in line ---- */

static void count_unknown(void *userdata, const struct artifact_looked *looked)
{
	if (!looked->is_known)
		__atomic_add_fetch((int *)userdata, 1, __ATOMIC_SEQ_CST);
}

/* Those that run are killed, those that wait do not begin: each is answered. */
static void closing_ends_every_look_at_once(void **state)
{
	int64_t begun_ms = clock_monotonic_ms(&clock_system);
	char path[] = "/tmp/filmgate-ffmpeg-XXXXXX";
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;
	struct fixture f;
	int fd = mkstemp(path), calls = 0;

	(void)state;
	dprintf(fd, "#!/bin/sh\nexec sleep 60\n");
	fchmod(fd, 0700);
	close(fd);
	make_mp4(&mp4);
	fixture_open_with(&f, NULL, path);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	for (int i = 0; i < 2 * LIMIT_ARTIFACT_LOOKERS; i++)
		assert_int_equal(artifact_look(f.store, &sealed, count_unknown, &calls), 0);
	fixture_close(&f);
	assert_int_equal(__atomic_load_n(&calls, __ATOMIC_SEQ_CST), 2 * LIMIT_ARTIFACT_LOOKERS);
	assert_true(clock_monotonic_ms(&clock_system) - begun_ms < 30000);
	unlink(path);
}

/* Looks have threads of their own. */
static void a_look_holds_up_no_seal(void **state)
{
	char path[] = "/tmp/filmgate-ffmpeg-XXXXXX";
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;
	struct fixture f;
	int fd = mkstemp(path), calls = 0;

	(void)state;
	dprintf(fd, "#!/bin/sh\nexec sleep 60\n");
	fchmod(fd, 0700);
	close(fd);
	make_mp4(&mp4);
	fixture_open_with(&f, NULL, path);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	for (int i = 0; i < 8 * LIMIT_ARTIFACT_LOOKERS; i++)
		assert_int_equal(artifact_look(f.store, &sealed, count_unknown, &calls), 0);
	assert_int_equal(seal(f.store, "video", buffer_bytes(&mp4)).outcome, 0);
	assert_int_equal(__atomic_load_n(&calls, __ATOMIC_SEQ_CST), 0);
	fixture_close(&f);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_decodes_is_judged),
		cmocka_unit_test(in_trouble_it_says_nothing),
		cmocka_unit_test(it_runs_within_its_limits),
		cmocka_unit_test(it_is_told_to_open_nothing_else),
		cmocka_unit_test(it_is_killed_when_time_is_up_and_when_the_daemon_ends),
		cmocka_unit_test(facts_of_real_videos_are_found),
		cmocka_unit_test(of_a_large_video_the_key_frames_tell),
		cmocka_unit_test(lies_about_length_cost_no_time),
		cmocka_unit_test(without_a_program_nothing_is_known),
		cmocka_unit_test(closing_ends_every_look_at_once),
		cmocka_unit_test(a_look_holds_up_no_seal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
