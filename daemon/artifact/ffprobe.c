#include "artifact/ffprobe.h"

#include "artifact/artifact.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

/*
 * The child reads the video as its standard input, opened anew through /dev/fd/0 so that it can seek, and is told the
 * container that we saw: no playlist or list of files can lead it to other files or hosts. It writes into two memory
 * files; its file size limit bounds them, so nobody must drain a pipe while waiting.
 */

struct child {
	pid_t pid;
	int out_fd, err_fd;
	int status; /* of waitpid() */
};

static void child_finish(struct child *child)
{
	closep(&child->out_fd);
	closep(&child->err_fd);
}

static int no_opinion(const char *path, const char *why)
{
	log_warning("ffprobe gave no opinion; the video is taken by its own index", "path", path, "why", why);
	return FFPROBE_E_NONE;
}

static void limit(pid_t pid)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = {
		{RLIMIT_FSIZE, LIMIT_ARTIFACT_FFPROBE_BYTES},
		{RLIMIT_CPU, LIMIT_ARTIFACT_FFPROBE_CPU_S},
		{RLIMIT_AS, LIMIT_ARTIFACT_FFPROBE_MEMORY},
		{RLIMIT_CORE, 0},
		{RLIMIT_NOFILE, 64},
	};

	/* A child that has ended already needs none. */
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		prlimit(pid, limits[i].resource, &(struct rlimit){limits[i].value, limits[i].value}, NULL);
}

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const struct child *child,
		   int fd)
{
	sigset_t none, all;
	int r = 0;

	sigemptyset(&none);
	sigfillset(&all);
	r = r ? r : posix_spawn_file_actions_adddup2(actions, fd, STDIN_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(actions, child->out_fd, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(actions, child->err_fd, STDERR_FILENO);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(actions, 3);
	r = r ? r : posix_spawn_file_actions_addchdir_np(actions, "/");
	r = r ? r : posix_spawnattr_setsigmask(attributes, &none);
	r = r ? r : posix_spawnattr_setsigdefault(attributes, &all);
	r = r ? r : posix_spawnattr_setpgroup(attributes, 0);
	return r ? r
		 : posix_spawnattr_setflags(attributes,
					    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int spawn(const char *path, const char *format, int fd, struct child *child)
{
	const char *const arguments[] = {"ffprobe",
					 "-v",
					 "error",
					 "-protocol_whitelist",
					 "file",
					 "-f",
					 format,
					 "-show_entries",
					 "format=duration:stream=width,height,codec_type",
					 "-of",
					 "json",
					 "-i",
					 "/dev/fd/0",
					 NULL};
	char *environment[] = {(char[]){"PATH=/usr/bin:/bin"}, (char[]){"LC_ALL=C"}, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	r = prepare(&actions, &attributes, child, fd);
	if (r == 0)
		r = posix_spawn(&child->pid, path, &actions, &attributes, (char *const *)(uintptr_t)arguments,
				environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Kills its whole group: it may have children. */
static int wait_for(struct child *child, int64_t timeout_ms)
{
	_cleanup_(closep) int pid_fd = pidfd_open(child->pid, 0);
	struct pollfd event = {.fd = pid_fd, .events = POLLIN};
	int n = 0;

	if (pid_fd >= 0)
		while ((n = poll(&event, 1, (int)timeout_ms)) < 0 && errno == EINTR)
			;
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	return n > 0 ? 0 : -ETIMEDOUT;
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

/* Its words are of the video's making in part: one line, printable. */
static int refusal(const char *path, char *words, struct errmsg *msg)
{
	if (is_about_itself(words))
		return no_opinion(path, words);
	words[strcspn(words, "\n")] = '\0';
	for (char *c = words; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
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

static void adopt(const struct json *json, json_node root, json_node stream, struct probe *probe)
{
	int64_t duration_ms = json_decimal(json, json_at(json, root, "/format/duration"), 3, 0);

	if (duration_ms > 0 && duration_ms <= LIMIT_ARTIFACT_DURATION_MS)
		probe->duration_ms = duration_ms;
	probe->width = side_of(json, stream, "/width");
	probe->height = side_of(json, stream, "/height");
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
	_cleanup_(child_finish) struct child child = {.out_fd = memfd_create("ffprobe-out", MFD_CLOEXEC),
						      .err_fd = memfd_create("ffprobe-err", MFD_CLOEXEC)};
	bool is_mp4 = strstr(probe->media_type, "mp4") || strstr(probe->media_type, "quicktime");
	_cleanup_(freep) char *text = malloc(LIMIT_ARTIFACT_FFPROBE_BYTES + 1);
	int r;

	if (!text || child.out_fd < 0 || child.err_fd < 0)
		return no_opinion(path, "out of memory or descriptors");
	r = spawn(path, is_mp4 ? "mov" : "matroska", fd, &child);
	if (r < 0)
		return no_opinion(path, log_errno(r));
	limit(child.pid);
	if (wait_for(&child, timeout_ms) < 0)
		return no_opinion(path, "it did not answer in time");
	if (!WIFEXITED(child.status) || WEXITSTATUS(child.status) > 125)
		return no_opinion(path, "it crashed");
	read_output(WEXITSTATUS(child.status) ? child.err_fd : child.out_fd, text);
	return WEXITSTATUS(child.status) ? refusal(path, text, msg) : read_answer(path, text, probe, msg);
}
