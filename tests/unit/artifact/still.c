#include "artifact/still.h"
#include "artifact/fixture.h"
#include "base/clock.h"
#include "base/limits.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- a program that behaves as ffmpeg may, and counts how often it was called ---- */

struct program {
	char path[64], count[80];
};

static void write_program(struct program *program, const char *script)
{
	int fd;

	snprintf(program->path, sizeof(program->path), "/tmp/filmgate-ffmpeg-XXXXXX");
	fd = mkstemp(program->path);
	assert_true(fd >= 0);
	snprintf(program->count, sizeof(program->count), "%s.count", program->path);
	dprintf(fd, "#!/bin/sh\nprintf . >>%s\n%s\n", program->count, script);
	fchmod(fd, 0700);
	close(fd);
}

static off_t calls_of(const struct program *program)
{
	struct stat st;

	return stat(program->count, &st) == 0 ? st.st_size : 0;
}

static void remove_program(const struct program *program)
{
	unlink(program->path);
	unlink(program->count);
}

/* ---- asking ---- */

struct answer {
	pthread_mutex_t mutex;
	pthread_cond_t done;
	int n, outcome, fd;
	uint64_t size;
};

static void on_still(void *userdata, int outcome, int fd, uint64_t size_bytes)
{
	struct answer *answer = userdata;

	pthread_mutex_lock(&answer->mutex);
	answer->outcome = outcome;
	answer->fd = fd;
	answer->size = size_bytes;
	answer->n++;
	pthread_cond_signal(&answer->done);
	pthread_mutex_unlock(&answer->mutex);
}

static struct artifact_video video_of(const struct artifact_sealed *sealed)
{
	return (struct artifact_video){
		.sha256 = sealed->sha256, .size_bytes = sealed->size_bytes, .media_type = sealed->media_type};
}

/* The outcome; on 0 the text of the picture is in @ret. */
static int ask(struct fixture *f, const struct artifact_sealed *sealed, enum artifact_still kind, char ret[static 64])
{
	struct answer answer = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
	const struct artifact_video video = video_of(sealed);
	ssize_t n;

	assert_int_equal(artifact_open_still(f->store, &video, kind, on_still, &answer), 0);
	pthread_mutex_lock(&answer.mutex);
	while (!answer.n)
		pthread_cond_wait(&answer.done, &answer.mutex);
	pthread_mutex_unlock(&answer.mutex);
	*ret = '\0';
	assert_int_equal(answer.outcome == 0, answer.fd >= 0);
	if (answer.outcome)
		return answer.outcome;
	n = pread(answer.fd, ret, 63, 0);
	assert_true(n > 0);
	ret[n] = '\0';
	assert_true(answer.size >= (uint64_t)n);
	close(answer.fd);
	return 0;
}

static void open_with(struct fixture *f, const char *ffmpeg, struct artifact_sealed *ret)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};

	make_mp4(&mp4);
	fixture_open_with(f, NULL, ffmpeg);
	*ret = seal(f->store, "video", buffer_bytes(&mp4));
	assert_int_equal(ret->outcome, 0);
	artifact_release_claim(f->store, &ret->sha256);
}

static void it_is_made_once(void **state)
{
	struct artifact_sealed sealed;
	struct program program;
	struct fixture f;
	char text[64];

	(void)state;
	write_program(&program, "case \"$*\" in *1280*) printf poster;; *320*) printf small;; esac");
	open_with(&f, program.path, &sealed);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(&f, &sealed, ARTIFACT_STILL_POSTER, text), 0);
		assert_string_equal(text, "poster");
		assert_int_equal(ask(&f, &sealed, ARTIFACT_STILL_THUMBNAIL, text), 0);
		assert_string_equal(text, "small");
	}
	assert_int_equal(calls_of(&program), 2);
	assert_int_equal(fixture_count(&f, "stills"), 2);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	fixture_close(&f);
	remove_program(&program);
}

static void of_what_has_none_nobody_tries_again(void **state)
{
	static const char *const scripts[] = {"exit 1", "echo 'Invalid data' >&2; printf half; exit 1", "kill -9 $$",
					      "exit 0"};
	struct artifact_sealed sealed;
	struct program program;
	struct fixture f;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		write_program(&program, scripts[i]);
		open_with(&f, program.path, &sealed);
		for (int k = 0; k < 3; k++)
			assert_int_equal(ask(&f, &sealed, ARTIFACT_STILL_POSTER, text), ARTIFACT_E_NO_PICTURE);
		assert_int_equal(calls_of(&program), 1);
		fixture_close(&f);
		remove_program(&program);
	}
}

/* What was not possible for want of a program may be tomorrow. */
static void without_ffmpeg_there_is_none_yet(void **state)
{
	struct artifact_sealed sealed;
	struct fixture f;
	char text[64];

	(void)state;
	open_with(&f, NULL, &sealed);
	assert_int_equal(ask(&f, &sealed, ARTIFACT_STILL_POSTER, text), ARTIFACT_E_NO_PICTURE);
	assert_int_equal(fixture_count(&f, "stills"), 0);
	fixture_close(&f);
}

static bool is_nobodys(void *userdata, const struct digest *sha256)
{
	(void)userdata;
	(void)sha256;
	return false;
}

static void it_goes_with_its_video(void **state)
{
	struct artifact_sealed sealed;
	struct program program;
	struct fixture f;
	char text[64];

	(void)state;
	write_program(&program, "printf picture");
	open_with(&f, program.path, &sealed);
	assert_int_equal(ask(&f, &sealed, ARTIFACT_STILL_POSTER, text), 0);
	assert_int_equal(ask(&f, &sealed, ARTIFACT_STILL_THUMBNAIL, text), 0);
	artifact_collect(f.store, &sealed.sha256, is_nobodys, NULL);
	f.store = artifact_store_close(f.store);
	assert_int_equal(fixture_count(&f, "stills"), 0);
	assert_int_equal(fixture_count(&f, "sha256"), 0);

	/* And of a video that is gone none is made. */
	fixture_start(&f, NULL);
	assert_int_equal(ask(&f, &sealed, ARTIFACT_STILL_POSTER, text), ARTIFACT_E_DAMAGED);
	assert_int_equal(fixture_count(&f, "stills"), 0);
	fixture_close(&f);
	remove_program(&program);
}

static void many_who_ask_at_once_have_one_each(void **state)
{
	struct answer answer = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
	struct artifact_sealed sealed;
	struct artifact_video video;
	struct program program;
	struct fixture f;

	(void)state;
	write_program(&program, "printf picture");
	open_with(&f, program.path, &sealed);
	video = video_of(&sealed);
	for (int i = 0; i < 20; i++)
		assert_int_equal(artifact_open_still(f.store, &video, ARTIFACT_STILL_POSTER, on_still, &answer), 0);
	pthread_mutex_lock(&answer.mutex);
	while (answer.n < 20)
		pthread_cond_wait(&answer.done, &answer.mutex);
	pthread_mutex_unlock(&answer.mutex);
	assert_true(calls_of(&program) <= LIMIT_ARTIFACT_LOOKERS);
	assert_int_equal(fixture_count(&f, "stills"), 1);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	fixture_close(&f);
	remove_program(&program);
}

/* Those that are being made end, those that wait do not begin: each is answered. */
static void closing_answers_everyone_at_once(void **state)
{
	struct answer answer = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
	int64_t begun_ms = clock_monotonic_ms(&clock_system);
	struct artifact_sealed sealed;
	struct artifact_video video;
	struct program program;
	struct fixture f;

	(void)state;
	write_program(&program, "exec sleep 60");
	open_with(&f, program.path, &sealed);
	video = video_of(&sealed);
	for (int i = 0; i < 8; i++)
		assert_int_equal(artifact_open_still(f.store, &video, ARTIFACT_STILL_POSTER, on_still, &answer), 0);
	fixture_close(&f);
	assert_int_equal(answer.n, 8);
	assert_int_equal(answer.outcome, ARTIFACT_E_NO_PICTURE);
	assert_true(clock_monotonic_ms(&clock_system) - begun_ms < 30000);
	remove_program(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_made_once),
		cmocka_unit_test(of_what_has_none_nobody_tries_again),
		cmocka_unit_test(without_ffmpeg_there_is_none_yet),
		cmocka_unit_test(it_goes_with_its_video),
		cmocka_unit_test(many_who_ask_at_once_have_one_each),
		cmocka_unit_test(closing_answers_everyone_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
