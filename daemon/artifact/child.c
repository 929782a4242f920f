#include "artifact/child.h"

#include "base/limits.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * It reads the file as its standard input, opened anew through /dev/fd/0 so that it can seek. It writes into two memory
 * files; its file size limit bounds them, so nobody must drain a pipe while waiting.
 */

void child_finish(struct child *child)
{
	closep(&child->out_fd);
	closep(&child->err_fd);
}

const char *child_container(const char *media_type)
{
	return strstr(media_type, "mp4") || strstr(media_type, "quicktime") ? "mov" : "matroska";
}

void child_clean(char *words)
{
	words[strcspn(words, "\n")] = '\0';
	for (char *c = words; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
}

void child_words(const struct child *child, char ret[static CHILD_WORDS_SIZE])
{
	ssize_t n = pread(child->err_fd, ret, CHILD_WORDS_SIZE - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
	child_clean(ret);
}

static void limit(const struct child_order *order, pid_t pid)
{
	const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = {
		{RLIMIT_FSIZE, order->output_bytes},
		{RLIMIT_CPU, order->cpu_s},
		{RLIMIT_AS, LIMIT_ARTIFACT_FFPROBE_MEMORY},
		{RLIMIT_CORE, 0},
		{RLIMIT_NOFILE, 64},
	};

	/* A child that has ended already needs none. */
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		prlimit(pid, limits[i].resource, &(struct rlimit){limits[i].value, limits[i].value}, NULL);
	if (order->niceness)
		setpriority(PRIO_PROCESS, (id_t)pid, getpriority(PRIO_PROCESS, 0) + order->niceness);
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

static int spawn(const struct child_order *order, struct child *child)
{
	char *environment[] = {(char[]){"PATH=/usr/bin:/bin"}, (char[]){"LC_ALL=C"}, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	r = prepare(&actions, &attributes, child, order->fd);
	if (r == 0)
		r = posix_spawn(&child->pid, order->path, &actions, &attributes,
				(char *const *)(uintptr_t)order->arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Kills its whole group: it may have children. */
static int wait_for(const struct child_order *order, struct child *child)
{
	_cleanup_(closep) int pid_fd = pidfd_open(child->pid, 0);
	struct pollfd events[] = {{.fd = pid_fd, .events = POLLIN}, {.fd = order->stop_fd, .events = POLLIN}};
	int n = 0;

	if (pid_fd >= 0)
		while ((n = poll(events, 2, (int)order->timeout_ms)) < 0 && errno == EINTR)
			;
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	if (n > 0 && events[0].revents)
		return 0;
	return n > 0 ? CHILD_E_STOPPED : CHILD_E_LATE;
}

int child_run(const struct child_order *order, struct child *ret)
{
	int r;

	*ret = (struct child){
		.out_fd = memfd_create("child-out", MFD_CLOEXEC),
		.err_fd = memfd_create("child-err", MFD_CLOEXEC),
	};
	if (ret->out_fd < 0 || ret->err_fd < 0)
		return err_origin(-errno);
	r = spawn(order, ret);
	if (r < 0)
		return r;
	limit(order, ret->pid);
	return wait_for(order, ret);
}
