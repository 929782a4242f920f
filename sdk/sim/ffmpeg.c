#include "sim/ffmpeg.h"

#include "base/err.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#define ARGUMENTS 128
#define TEXT_SIZE 2048

extern char **environ;

struct command {
	const char *arguments[ARGUMENTS];
	int count;
	char background[128];
	char tone[128];
	char filter[TEXT_SIZE];
};

const char *sim_format_suffix(enum sim_format format)
{
	return format == SIM_FORMAT_WEBM ? "webm" : "mp4";
}

static void add(struct command *command, const char *const *arguments)
{
	for (; *arguments && command->count < ARGUMENTS - 1; arguments++)
		command->arguments[command->count++] = *arguments;
	assert(!*arguments);
	command->arguments[command->count] = NULL;
}

#define ADD(command, ...) add((command), (const char *const[]){__VA_ARGS__, NULL})

/* The text filter leaves alpha alone, so a clear picture takes its alpha from how bright the text makes it. */
#define CLEAR "split=2[bright][shape];[shape]format=gray[alpha];[bright][alpha]alphamerge,format=yuva420p"

/* A few small colours and two seconds: a preview, not a second video. */
#define PREVIEW "[moving]fps=5,scale=w='min(240,iw)':h=-2,format=rgb8[preview]"

/* Captions darken the foot of the picture, so that nobody takes the captioned file for the plain one. */
#define CAPTIONS                                                            \
	"[bare]drawbox=y=ih*4/5:h=ih/5:color=black@0.6:t=fill,drawtext="    \
	"fontfile=font.ttf:text='captions':fontsize=h/10:fontcolor=yellow:" \
	"x=(w-text_w)/2:y=h*17/20[captioned]"

/* The script, and when which picture is shown, so that each is another. */
static void describe_text(const struct sim_picture *picture, int font_px, char ret[static TEXT_SIZE / 2])
{
	int shorter = picture->width < picture->height ? picture->width : picture->height, n;

	if (picture->is_black) {
		snprintf(ret, TEXT_SIZE / 2, "null");
		return;
	}
	n = snprintf(ret, TEXT_SIZE / 2,
		     "drawtext=fontfile=font.ttf:textfile=script.txt:expansion=none:fontsize=%d:fontcolor=white:"
		     "line_spacing=2:borderw=%d:bordercolor=black:x=(w-text_w)/2:y=(h-text_h)/2",
		     font_px, font_px / 24);
	if (!picture->is_still)
		snprintf(ret + n, (size_t)(TEXT_SIZE / 2 - n),
			 ",drawtext=fontfile=font.ttf:text='filmgate-sim %%{pts\\:hms}':fontsize=%d:fontcolor=white:"
			 "x=w/50:y=h-text_h-h/50",
			 shorter / 30 > 4 ? shorter / 30 : 4);
}

/* Every name in the filter is relative to the child's folder, so no path of ours needs its escapes. */
static void describe(struct command *command, const struct sim_picture *picture, int font_px)
{
	char text[TEXT_SIZE / 2];

	describe_text(picture, font_px, text);
	snprintf(command->background, sizeof(command->background), "color=c=0x%06x:s=%dx%d:r=%d:d=%d",
		 picture->is_clear || picture->is_black ? 0 : picture->color, picture->width, picture->height,
		 picture->fps, picture->seconds);
	snprintf(command->tone, sizeof(command->tone),
		 "sine=frequency=220:beep_factor=4:sample_rate=48000:duration=%d,volume=0.2", picture->seconds);
	snprintf(command->filter, sizeof(command->filter), "[0:v]%s,%s,split=%d[video][still][moving]%s;" PREVIEW "%s",
		 text, picture->is_clear ? CLEAR : "format=yuv420p", picture->has_captions ? 4 : 3,
		 picture->has_captions ? "[bare]" : "", picture->has_captions ? ";" CAPTIONS : "");
}

static void add_codecs(struct command *command, const struct sim_picture *picture)
{
	if (picture->format == SIM_FORMAT_WEBM)
		ADD(command, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "40", "-b:v", "0",
		    "-c:a", "libopus", "-b:a", "32k");
	else
		ADD(command, "-c:v", "libx264", "-preset", picture->is_small ? "ultrafast" : "veryfast", "-crf", "24",
		    "-c:a", "aac", "-b:a", picture->is_small ? "16k" : "64k", "-movflags", "+faststart");
}

/* The same picture gives the same bytes: no encoder versions, dates or thread timing in the file. */
static void add_video(struct command *command, const struct sim_picture *picture, const char *map, const char *file)
{
	ADD(command, "-map", map, "-map", "1:a");
	add_codecs(command, picture);
	ADD(command, "-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact");
	ADD(command, "-shortest", file);
}

static void compose(struct command *command, const char *program, const struct sim_picture *picture, int font_px)
{
	bool is_webm = picture->format == SIM_FORMAT_WEBM;

	describe(command, picture, font_px);
	ADD(command, program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y");
	ADD(command, "-filter_threads", "1", "-filter_complex_threads", "1");
	ADD(command, "-f", "lavfi", "-i", command->background, "-f", "lavfi", "-i", command->tone);
	ADD(command, "-filter_complex", command->filter);
	add_video(command, picture, "[video]", is_webm ? "video.webm" : "video.mp4");
	if (picture->has_captions)
		add_video(command, picture, "[captioned]", is_webm ? "captioned.webm" : "captioned.mp4");
	ADD(command, "-map", "[still]", "-frames:v", "1", "-pix_fmt", "yuvj420p", "-q:v", "4", "-update", "1",
	    "-threads", "1", "thumbnail.jpg");
	ADD(command, "-map", "[preview]", "-t", "2", "-threads", "1", "-fflags", "+bitexact", "preview.gif");
}

static int prepare_files(posix_spawn_file_actions_t *actions, const char *folder)
{
	int r;

	r = posix_spawn_file_actions_addchdir_np(actions, folder);
	r = r ? r : posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	r = r ? r : posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	r = r ? r : posix_spawn_file_actions_addopen(actions, 2, "log.txt", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	return r ? r : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

/* The simulator blocks and ignores signals that a child wants as they were. */
static int prepare_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, standard;
	int r;

	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGPIPE);
	r = posix_spawnattr_setsigmask(attributes, &none);
	r = r ? r : posix_spawnattr_setsigdefault(attributes, &standard);
	r = r ? r : posix_spawnattr_setpgroup(attributes, 0);
	return r ? r
		 : posix_spawnattr_setflags(attributes,
					    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

int sim_ffmpeg_start(const char *program, const char *folder, const struct sim_picture *picture, int font_px,
		     pid_t *ret_pid)
{
	struct command command = {0};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid;
	int r;

	compose(&command, program, picture, font_px);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	r = prepare_files(&actions, folder);
	r = r ? r : prepare_signals(&attributes);
	r = r ? r
	      : posix_spawnp(&pid, program, &actions, &attributes, (char *const *)(uintptr_t)command.arguments,
			     environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return err_origin(-r);

	*ret_pid = pid;
	return 0;
}
