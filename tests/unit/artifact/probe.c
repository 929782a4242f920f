#include "artifact/fixture.h"

#include <stdio.h>

static int look(const char *role, struct bytes bytes, struct probe *ret, struct errmsg *msg)
{
	struct source source = {.fd = -1, .bytes = bytes.data, .size = bytes.len};

	return probe_source(&source, role, ret, msg);
}

static void assert_type(const char *role, struct bytes bytes, const char *type)
{
	struct errmsg msg = {""};
	struct probe probe = {0};

	if (look(role, bytes, &probe, &msg))
		fail_msg("%s: %s", type, msg.text);
	assert_string_equal(probe.media_type, type);
}

static void assert_outcome(const char *role, struct bytes bytes, int outcome)
{
	struct errmsg msg = {""};
	struct probe probe = {0};

	assert_int_equal(look(role, bytes, &probe, &msg), outcome);
	assert_string_not_equal(msg.text, "");
	assert_null(probe.media_type);
}

static void an_mp4_is_whole_at_no_shorter_length(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};

	(void)state;
	make_mp4(&mp4);
	assert_type("video", buffer_bytes(&mp4), "video/mp4");
	for (size_t len = 8; len < mp4.len; len++)
		assert_outcome("video", part(&mp4, len), ARTIFACT_E_TRUNCATED);
}

static void an_mp4_box_may_have_64_bits_or_reach_to_the_end(void **state)
{
	static const uint8_t head[] = {0, 0, 0, 1, 'm', 'd', 'a', 't', 0, 0, 0, 0, 0, 0, 0, 72};
	_cleanup_(buffer_finish) struct buffer mp4 = {0};

	(void)state;
	make_mp4(&mp4);
	memcpy(mp4.data + mp4.len - 72, head, sizeof(head));
	assert_type("video", buffer_bytes(&mp4), "video/mp4");
	assert_outcome("video", part(&mp4, mp4.len - 1), ARTIFACT_E_TRUNCATED);
	mp4.data[mp4.len - 72 + 8] = 1;
	assert_outcome("video", buffer_bytes(&mp4), ARTIFACT_E_TRUNCATED);
	memcpy(mp4.data + mp4.len - 72, "\0\0\0\0mdat", 8);
	assert_type("video", buffer_bytes(&mp4), "video/mp4");
}

static void an_mp4_with_a_broken_index_is_no_media(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};

	(void)state;
	make_mp4(&mp4);
	mp4.data[24 + 8 + 2] = 1; /* mvhd is longer than moov */
	assert_outcome("video", buffer_bytes(&mp4), ARTIFACT_E_NOT_MEDIA);
	mp4.data[24 + 8 + 2] = 0;
	mp4.data[24 + 8 + 3] = 7; /* and shorter than its own head */
	assert_outcome("video", buffer_bytes(&mp4), ARTIFACT_E_NOT_MEDIA);
}

static void a_sound_is_no_video(void **state)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};

	(void)state;
	make_mp4(&mp4);
	memcpy(mp4.data + mp4.len - 72 - 4, "soun", 4);
	assert_outcome("video", buffer_bytes(&mp4), ARTIFACT_E_NOT_MEDIA);
	assert_type("audio", buffer_bytes(&mp4), "audio/mp4");
}

static void a_webm_is_whole_at_no_shorter_length(void **state)
{
	_cleanup_(buffer_finish) struct buffer webm = {0};
	struct errmsg msg = {""};
	struct probe probe = {0};

	(void)state;
	make_webm(&webm);
	assert_int_equal(look("video", buffer_bytes(&webm), &probe, &msg), 0);
	assert_string_equal(probe.media_type, "video/webm");
	assert_int_equal(probe.duration_ms, 1500);
	assert_int_equal(probe.width, 640);
	assert_int_equal(probe.height, 360);
	for (size_t len = 4; len < webm.len; len++)
		assert_outcome("video", part(&webm, len), ARTIFACT_E_TRUNCATED);
}

static void what_is_no_media_is_quoted(void **state)
{
	struct errmsg msg = {""};
	struct probe probe = {0};

	(void)state;
	assert_int_equal(look("video", bytes_of_text("\n <HTML><p>\033[31mno"), &probe, &msg), ARTIFACT_E_NOT_MEDIA);
	assert_non_null(strstr(msg.text, "web page"));
	assert_non_null(strstr(msg.text, "<HTML><p>\\x1b[31mno"));
	assert_outcome("video", bytes_of("", 0), ARTIFACT_E_NOT_MEDIA);
	assert_outcome("video", bytes_of_text("{\"error\":\"expired\"}"), ARTIFACT_E_NOT_MEDIA);
	assert_outcome("video", bytes_of("\0\0\0", 3), ARTIFACT_E_NOT_MEDIA);
	assert_outcome("something_new", bytes_of_text("<html>"), ARTIFACT_E_NOT_MEDIA);
}

static void stills_are_known_and_must_have_an_end(void **state)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\x68........IEND\xae\x42\x60\x82";
	static const char jpeg[] = "\xff\xd8\xff\xc0\0\x0b\x08\1\x68\2\x80........\xff\xd9";
	static const char gif[] = "GIF89a\x80\2\x68\1......\0\x3b";
	static const char webp[] = "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0....\x7f\2\0\x67\1\0";
	static const struct {
		const char *bytes;
		size_t len;
		const char *type;
	} stills[] = {
		{png, sizeof(png) - 1, "image/png"},
		{jpeg, sizeof(jpeg) - 1, "image/jpeg"},
		{gif, sizeof(gif) - 1, "image/gif"},
		{webp, sizeof(webp) - 1, "image/webp"},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct bytes bytes = bytes_of(stills[i].bytes, stills[i].len);
		struct errmsg msg = {""};
		struct probe probe = {0};

		assert_type("thumbnail", bytes, stills[i].type);
		assert_int_equal(look("preview", bytes, &probe, &msg), 0);
		assert_int_equal(probe.width, 640);
		assert_int_equal(probe.height, 360);
		assert_outcome("video", bytes, ARTIFACT_E_NOT_MEDIA);
		bytes.len--;
		assert_outcome("thumbnail", bytes, ARTIFACT_E_TRUNCATED);
	}
}

static void subtitles_are_known(void **state)
{
	(void)state;
	assert_type("subtitles", bytes_of_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n"), "text/vtt");
	assert_type("subtitles",
		    bytes_of_text("\xef\xbb\xbf"
				  "1\r\n00:00:01,000 --> 00:00:02,000\r\nHi\r\n"),
		    "application/x-subrip");
	assert_type("subtitles", bytes_of_text("[Script Info]\r\nScriptType: v4.00+\r\n"), "text/x-ssa");
	assert_type("subtitles", bytes_of_text("\xef\xbb\xbf[Script Info]\n"), "text/x-ssa");
	assert_outcome("subtitles", bytes_of_text("[Script"), ARTIFACT_E_NOT_MEDIA);
	assert_type("subtitles", bytes_of_text("{\"words\":[]}"), "application/json");
	assert_outcome("subtitles", bytes_of_text("{\"words\":["), ARTIFACT_E_NOT_MEDIA);
	assert_outcome("subtitles", bytes_of_text("1\nnothing\n"), ARTIFACT_E_NOT_MEDIA);
	assert_outcome("subtitles", bytes_of_text("\xff\xfe\x41"), ARTIFACT_E_NOT_MEDIA);
}

static void a_playing_time_beyond_reason_is_not_known(void **state)
{
	(void)state;
	assert_int_equal(probe_duration_ms(1500, 1000), 1500);
	assert_int_equal(probe_duration_ms(1, 0), 0);
	assert_int_equal(probe_duration_ms(604800, 1), 604800000);
	assert_int_equal(probe_duration_ms(604801, 1), 0);
	assert_int_equal(probe_duration_ms(UINT64_MAX, 1), 0);
	assert_int_equal(probe_duration_ms(UINT64_MAX - 1, UINT32_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_mp4_is_whole_at_no_shorter_length),
		cmocka_unit_test(an_mp4_box_may_have_64_bits_or_reach_to_the_end),
		cmocka_unit_test(an_mp4_with_a_broken_index_is_no_media),
		cmocka_unit_test(a_sound_is_no_video),
		cmocka_unit_test(a_webm_is_whole_at_no_shorter_length),
		cmocka_unit_test(what_is_no_media_is_quoted),
		cmocka_unit_test(stills_are_known_and_must_have_an_end),
		cmocka_unit_test(subtitles_are_known),
		cmocka_unit_test(a_playing_time_beyond_reason_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
