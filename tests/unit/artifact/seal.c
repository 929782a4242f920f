#include "artifact/ffprobe.h"
#include "artifact/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static void a_good_video_becomes_an_artifact(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;
	struct digest sha256;
	char back[512];
	struct fixture f;
	int fd = -1;

	(void)state;
	make_mp4(&mp4);
	fixture_open(&f, NULL);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	assert_int_equal(sealed.outcome, 0);
	sha256 = digest_of(buffer_bytes(&mp4));
	assert_memory_equal(&sealed.sha256, &sha256, sizeof(sha256));
	assert_int_equal(sealed.size_bytes, mp4.len);
	assert_string_equal(sealed.media_type, "video/mp4");
	assert_int_equal(sealed.duration_ms, 1500);
	assert_int_equal(sealed.width, 640);
	assert_int_equal(sealed.height, 360);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	assert_int_equal(open_content(f.store, &sha256, mp4.len, &fd), 0);
	assert_int_equal(read(fd, back, sizeof(back)), mp4.len);
	assert_memory_equal(back, mp4.data, mp4.len);
	close(fd);
	artifact_release_claim(f.store, &sealed.sha256);
	fixture_close(&f);
}

static uint64_t inode_of(const struct fixture *f, const struct digest *sha256)
{
	char path[PATH_MAX];
	struct stat status;

	content_path(f, sha256, path);
	assert_int_equal(lstat(path, &status), 0);
	return status.st_ino;
}

static void the_same_content_is_kept_once(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;
	struct fixture f;
	uint64_t inode;

	(void)state;
	make_mp4(&mp4);
	fixture_open(&f, NULL);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	inode = inode_of(&f, &sealed.sha256);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	assert_int_equal(sealed.outcome, 0);
	assert_int_equal(inode_of(&f, &sealed.sha256), inode);
	assert_int_equal(fixture_count(&f, "sha256"), 1);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	fixture_close(&f);
}

static void damaged_content_is_replaced(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;
	struct stat status;
	struct fixture f;
	char path[128];
	int fd = -1;

	(void)state;
	make_mp4(&mp4);
	fixture_open(&f, NULL);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	struct place place = place_of(&sealed.sha256);
	snprintf(path, sizeof(path), "%s/%s", place.folder, place.name);
	fd = openat(f.store->content_fd, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	assert_int_equal(sealed.outcome, 0);
	assert_int_equal(fstatat(f.store->content_fd, path, &status, 0), 0);
	assert_int_equal(status.st_size, mp4.len);
	fixture_close(&f);
}

static void a_web_page_is_no_video_and_leaves_nothing(void **state)
{
	struct artifact_sealed sealed;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	sealed = seal(f.store, "video", bytes_of_text("<!DOCTYPE html><title>Sign in</title>\n"));
	assert_int_equal(sealed.outcome, ARTIFACT_E_NOT_MEDIA);
	assert_non_null(strstr(sealed.message.text, "<!DOCTYPE html>"));
	assert_int_equal(fixture_count(&f, "staging"), 0);
	assert_int_equal(fixture_count(&f, "sha256"), 0);
	fixture_close(&f);
}

static void keep_sealed(void *userdata, const struct artifact_sealed *sealed)
{
	*(struct artifact_sealed *)userdata = *sealed;
}

/* Closing waits for the seal. */
static void a_content_that_was_expected_is_that_or_nothing(void **state)
{
	struct digest other = digest_of(bytes_of_text("other")), own;
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed first = {0}, second = {0};
	struct fixture f;

	(void)state;
	make_mp4(&mp4);
	own = digest_of(buffer_bytes(&mp4));
	fixture_open(&f, NULL);
	assert_int_equal(artifact_seal_expected(f.store, stage(f.store, "a", buffer_bytes(&mp4)), "asset", &other,
						keep_sealed, &first),
			 0);
	assert_int_equal(artifact_seal_expected(f.store, stage(f.store, "b", buffer_bytes(&mp4)), "asset", &own,
						keep_sealed, &second),
			 0);
	f.store = artifact_store_close(f.store);
	assert_int_equal(first.outcome, ARTIFACT_E_OTHER_CONTENT);
	assert_non_null(strstr(first.message.text, "was announced"));
	assert_int_equal(second.outcome, 0);
	assert_memory_equal(&second.sha256, &own, sizeof(own));
	fixture_start(&f, NULL);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	assert_int_equal(fixture_count(&f, "sha256"), 1);
	fixture_close(&f);
}

static void an_asset_is_a_picture_a_video_or_a_sound(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *media_type;
	} good[] = {
		{"GIF89a\x10\0\x20\0........\0;", 20, "image/gif"},
		{"\xff\xf1\x50\x80........", 12, "audio/aac"},
		{"\xff\xfb\x90\x64........", 12, "audio/mpeg"},
		{"RIFF\x24\0\0\0WAVEfmt ....", 20, "audio/wav"},
	};
	static const char *const bad[] = {"some words of a text", "<svg xmlns='x'></svg>", "<?xml version='1.0'?><a/>",
					  ""};
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct artifact_sealed sealed = seal(f.store, "asset", bytes_of(good[i].bytes, good[i].len));

		assert_int_equal(sealed.outcome, 0);
		assert_string_equal(sealed.media_type, good[i].media_type);
		artifact_release_claim(f.store, &sealed.sha256);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(seal(f.store, "asset", bytes_of_text(bad[i])).outcome, ARTIFACT_E_NOT_MEDIA);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	fixture_close(&f);
}

static void count_call(void *userdata, const struct artifact_sealed *sealed)
{
	(void)sealed;
	__atomic_add_fetch((int *)userdata, 1, __ATOMIC_SEQ_CST);
}

static void closing_waits_for_every_seal(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct fixture f;
	int calls = 0;

	(void)state;
	make_mp4(&mp4);
	fixture_open(&f, NULL);
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%d", i);
		artifact_seal(f.store, stage(f.store, name, buffer_bytes(&mp4)), "video", count_call, &calls);
	}
	fixture_close(&f);
	assert_int_equal(__atomic_load_n(&calls, __ATOMIC_SEQ_CST), 20);
}

/* ---- ffprobe: scripts that behave as it may ---- */

static int ask(const char *script, int64_t timeout_ms, struct probe *probe, struct errmsg *msg)
{
	char path[] = "/tmp/filmgate-ffprobe-XXXXXX";
	int fd = mkstemp(path), r;

	dprintf(fd, "#!/bin/sh\n%s\n", script);
	fchmod(fd, 0700);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = ffprobe_ask(path, fd, timeout_ms, probe, msg);
	close(fd);
	unlink(path);
	return r;
}

static void ffprobe_knows_better(void **state)
{
	struct probe probe = {.media_type = "video/mp4", .width = 1, .height = 1};
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(ask("echo '{\"streams\":[{\"codec_type\":\"audio\"},{\"codec_type\":\"video\",\"width\":1280,"
			     "\"height\":720}],\"format\":{\"duration\":\"2.500000\"}}'",
			     30000, &probe, &msg),
			 0);
	assert_int_equal(probe.width, 1280);
	assert_int_equal(probe.height, 720);
	assert_int_equal(probe.duration_ms, 2500);
}

static void a_frame_rate_is_a_fraction_and_sound_a_track(void **state)
{
	static const struct {
		const char *rate;
		uint32_t millihertz;
	} rows[] = {
		{"24/1", 24000},
		{"30000/1001", 29970},
		{"1000/1", 1000000},
		{"1001/1", 0},
		{"0/0", 0},
		{"25/0", 0},
		{"25", 0},
		{"25/", 0},
		{"/1", 0},
		{"-25/1", 0},
		{"25/-1", 0},
		{"25/x", 0},
		{"18446744073709551615/1", 0},
		{"99999999999999999999/99999999999999999999", 0},
		{"", 0},
	};
	char script[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct probe probe = {.media_type = "video/mp4"};
		struct errmsg msg = {""};

		snprintf(script, sizeof(script),
			 "echo '{\"streams\":[{\"codec_type\":\"video\",\"width\":2,\"height\":2,"
			 "\"avg_frame_rate\":\"%s\"}%s]}'",
			 rows[i].rate, i % 2 ? ",{\"codec_type\":\"audio\"}" : "");
		assert_int_equal(ask(script, 30000, &probe, &msg), 0);
		assert_int_equal(probe.frame_rate_millihertz, rows[i].millihertz);
		assert_int_equal(probe.sound, i % 2 ? ARTIFACT_SOUND_ON : ARTIFACT_SOUND_OFF);
	}
}

static void a_refusal_of_ffprobe_is_believed(void **state)
{
	struct probe probe = {.media_type = "video/mp4"};
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(ask("echo 'Invalid data found' >&2; exit 1", 30000, &probe, &msg), ARTIFACT_E_NOT_MEDIA);
	assert_non_null(strstr(msg.text, "Invalid data found"));
	assert_int_equal(ask("echo '{\"streams\":[{\"codec_type\":\"audio\"}]}'", 30000, &probe, &msg),
			 ARTIFACT_E_NOT_MEDIA);
}

static void an_ffprobe_in_trouble_has_no_say(void **state)
{
	struct probe probe = {.media_type = "video/webm"};
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(ffprobe_ask("/nonexistent/ffprobe", 0, 1000, &probe, &msg), FFPROBE_E_NONE);
	assert_int_equal(ask("kill -9 $$", 30000, &probe, &msg), FFPROBE_E_NONE);
	assert_int_equal(ask("exec sleep 60", 100, &probe, &msg), FFPROBE_E_NONE);
	assert_int_equal(ask("echo nonsense", 30000, &probe, &msg), FFPROBE_E_NONE);
	assert_int_equal(ask("echo 'Cannot allocate memory' >&2; exit 1", 30000, &probe, &msg), FFPROBE_E_NONE);
	assert_int_equal(ask("exec yes", 30000, &probe, &msg), FFPROBE_E_NONE);
}

static void ffprobe_sees_no_secret_of_the_daemon(void **state)
{
	struct probe probe = {.media_type = "video/mp4"};
	struct errmsg msg = {""};

	(void)state;
	setenv("FILMGATE_TEST_SECRET", "hush", 1);
	assert_int_equal(ask("echo \"secret '$FILMGATE_TEST_SECRET'\" >&2; exit 1", 30000, &probe, &msg),
			 ARTIFACT_E_NOT_MEDIA);
	assert_non_null(strstr(msg.text, "secret ''"));
	unsetenv("FILMGATE_TEST_SECRET");
}

static void a_real_video_passes_a_real_ffprobe(void **state)
{
	_cleanup_(freep) char *bytes = calloc(1, 1 << 20);
	struct artifact_sealed sealed;
	struct fixture f;
	size_t len;
	FILE *pipe;

	(void)state;
	if (access("/usr/bin/ffmpeg", X_OK) < 0 || access("/usr/bin/ffprobe", X_OK) < 0) {
		print_message("ffmpeg is not installed: skipped\n");
		skip();
	}
	/* NOLINTNEXTLINE(bugprone-command-processor, cert-env33-c) */
	pipe = popen("ffmpeg -v error -f lavfi -i testsrc=d=1:s=64x48:r=10 -c:v mpeg4 -f mp4 "
		     "-movflags empty_moov+frag_keyframe pipe:1 </dev/null",
		     "r");
	assert_non_null(pipe);
	len = fread(bytes, 1, 1 << 20, pipe);
	assert_int_equal(pclose(pipe), 0);
	fixture_open(&f, "/usr/bin/ffprobe");
	sealed = seal(f.store, "video", bytes_of(bytes, len));
	assert_string_equal(sealed.message.text, "");
	assert_int_equal(sealed.outcome, 0);
	assert_int_equal(sealed.width, 64);
	assert_int_equal(sealed.height, 48);
	assert_true(sealed.duration_ms >= 900 && sealed.duration_ms <= 1100);
	fixture_close(&f);
}

/* Its boxes fit and there is no video in them: only ffprobe can tell. */
static void a_hollow_video_is_refused_by_a_real_ffprobe(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;
	struct fixture f;

	(void)state;
	if (access("/usr/bin/ffprobe", X_OK) < 0) {
		print_message("ffprobe is not installed: skipped\n");
		skip();
	}
	make_mp4(&mp4);
	fixture_open(&f, "/usr/bin/ffprobe");
	sealed = seal(f.store, "video", buffer_bytes(&mp4));
	assert_int_equal(sealed.outcome, ARTIFACT_E_NOT_MEDIA);
	assert_int_equal(fixture_count(&f, "staging") + fixture_count(&f, "sha256"), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_video_becomes_an_artifact),
		cmocka_unit_test(the_same_content_is_kept_once),
		cmocka_unit_test(damaged_content_is_replaced),
		cmocka_unit_test(a_web_page_is_no_video_and_leaves_nothing),
		cmocka_unit_test(a_content_that_was_expected_is_that_or_nothing),
		cmocka_unit_test(an_asset_is_a_picture_a_video_or_a_sound),
		cmocka_unit_test(closing_waits_for_every_seal),
		cmocka_unit_test(ffprobe_knows_better),
		cmocka_unit_test(a_frame_rate_is_a_fraction_and_sound_a_track),
		cmocka_unit_test(a_refusal_of_ffprobe_is_believed),
		cmocka_unit_test(an_ffprobe_in_trouble_has_no_say),
		cmocka_unit_test(ffprobe_sees_no_secret_of_the_daemon),
		cmocka_unit_test(a_real_video_passes_a_real_ffprobe),
		cmocka_unit_test(a_hollow_video_is_refused_by_a_real_ffprobe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
