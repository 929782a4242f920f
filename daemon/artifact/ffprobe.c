#include "artifact/ffprobe.h"

#include "artifact/artifact.h"
#include "artifact/child.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdio.h>
#include <sys/wait.h>

static int no_opinion(const char *path, const char *why)
{
	log_warning("ffprobe gave no opinion; the video is taken by its own index", "path", path, "why", why);
	return FFPROBE_E_NONE;
}

static void read_output(int fd, char ret[static LIMIT_ARTIFACT_FFPROBE_BYTES + 1])
{
	ssize_t n = pread(fd, ret, LIMIT_ARTIFACT_FFPROBE_BYTES, 0);

	ret[n > 0 ? n : 0] = '\0';
}

/* What it complains about when the fault is not the video's. */
static bool is_about_itself(const char *words)
{
	static const char *const known[] = {"Cannot allocate memory", "Permission denied",   "No such file",
					    "shared libraries",       "Too many open",       "Protocol not",
					    "Unrecognized",           "Resource temporarily"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strstr(words, known[i]))
			return true;
	return *words == '\0';
}

static int refusal(const char *path, char *words, struct errmsg *msg)
{
	if (is_about_itself(words))
		return no_opinion(path, words);
	child_clean(words);
	errmsg_set(msg, "the video cannot be played, says ffprobe: %.300s", words);
	return ARTIFACT_E_NOT_MEDIA;
}

static uint32_t side_of(const struct json *json, json_node stream, const char *pointer)
{
	int64_t side = json_integer(json, json_at(json, stream, pointer), 0);

	return side > 0 && side <= LIMIT_ARTIFACT_SIDE ? (uint32_t)side : 0;
}

/* A track of pictures whose samples nothing describes has no size. */
static bool is_picture(const struct json *json, json_node stream)
{
	return json_text_is(json, json_at(json, stream, "/codec_type"), "video") && side_of(json, stream, "/width") &&
	       side_of(json, stream, "/height");
}

/* "30000/1001"; "0/0" when it does not know. */
static uint32_t rate_of(const char *text)
{
	size_t above = strspn(text, "0123456789"), below = text[above] == '/' ? strlen(text + above + 1) : 0;
	uint64_t pictures, seconds, millihertz;

	if (decimal_parse_unsigned(bytes_of(text, above), &pictures) != 0 || below == 0 ||
	    decimal_parse_unsigned(bytes_of(text + above + 1, below), &seconds) != 0 || seconds == 0 ||
	    pictures > UINT64_MAX / 1000)
		return 0;
	millihertz = pictures * 1000 / seconds;
	return millihertz <= LIMIT_ARTIFACT_FRAME_RATE_MILLIHERTZ ? (uint32_t)millihertz : 0;
}

static bool has_sound(const struct json *json, json_node root)
{
	json_node stream = json_first(json, json_at(json, root, "/streams"));

	while (stream && !json_text_is(json, json_at(json, stream, "/codec_type"), "audio"))
		stream = json_next(json, stream);
	return stream != JSON_ABSENT;
}

static void adopt(const struct json *json, json_node root, json_node stream, struct probe *probe)
{
	int64_t duration_ms = json_decimal(json, json_at(json, root, "/format/duration"), 3, 0);

	if (duration_ms > 0 && duration_ms <= LIMIT_ARTIFACT_DURATION_MS)
		probe->duration_ms = duration_ms;
	probe->width = side_of(json, stream, "/width");
	probe->height = side_of(json, stream, "/height");
	probe->frame_rate_millihertz = rate_of(json_string(json, json_at(json, stream, "/avg_frame_rate")));
	probe->sound = has_sound(json, root) ? ARTIFACT_SOUND_ON : ARTIFACT_SOUND_OFF;
}

static int read_answer(const char *path, const char *text, struct probe *probe, struct errmsg *msg)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root, stream;

	if (!json || json_parse(json, bytes_of_text(text), JSON_DUPLICATES_LAST_WINS, &root, NULL))
		return no_opinion(path, "its answer cannot be read");
	stream = json_first(json, json_at(json, root, "/streams"));
	while (stream && !is_picture(json, stream))
		stream = json_next(json, stream);
	if (!stream) {
		errmsg_set(msg, "the video has no picture, says ffprobe");
		return ARTIFACT_E_NOT_MEDIA;
	}
	adopt(json, root, stream, probe);
	return 0;
}

/* Not by the PATH, which is whatever the daemon was started with. */
const char *artifact_find_ffprobe(void)
{
	static const char path[] = "/usr/bin/ffprobe";

	return access(path, X_OK) == 0 ? path : NULL;
}

int ffprobe_ask(const char *path, int fd, int64_t timeout_ms, struct probe *probe, struct errmsg *msg)
{
	const char *const arguments[] = {
		"ffprobe",
		"-v",
		"error",
		"-protocol_whitelist",
		"file",
		"-f",
		child_container(probe->media_type),
		"-show_entries",
		"format=duration:stream=width,height,codec_type,avg_frame_rate",
		"-of",
		"json",
		"-i",
		"/dev/fd/0",
		NULL,
	};
	const struct child_order order = {
		.path = path,
		.arguments = arguments,
		.fd = fd,
		.output_bytes = LIMIT_ARTIFACT_FFPROBE_BYTES,
		.cpu_s = LIMIT_ARTIFACT_FFPROBE_CPU_S,
		.timeout_ms = timeout_ms,
		.stop_fd = -1,
	};
	_cleanup_(child_finish) struct child child = {.out_fd = -1, .err_fd = -1};
	_cleanup_(freep) char *text = malloc(LIMIT_ARTIFACT_FFPROBE_BYTES + 1);
	int r = text ? child_run(&order, &child) : -ENOMEM;

	if (r < 0)
		return no_opinion(path, log_errno(r));
	if (r > 0)
		return no_opinion(path, "it did not answer in time");
	if (!WIFEXITED(child.status) || WEXITSTATUS(child.status) > 125)
		return no_opinion(path, "it crashed");
	read_output(WEXITSTATUS(child.status) ? child.err_fd : child.out_fd, text);
	return WEXITSTATUS(child.status) ? refusal(path, text, msg) : read_answer(path, text, probe, msg);
}
