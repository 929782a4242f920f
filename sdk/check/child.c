#include "child.h"

#include "base/err.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define LOOK_MS 50

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif
#ifndef HAS_SHADOW_MEMORY
#define HAS_SHADOW_MEMORY 0
#endif

struct child_desk *child_desk_new(void)
{
	void *desk = mmap(NULL, sizeof(struct child_desk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return desk == MAP_FAILED ? NULL : desk;
}

void child_desk_free(struct child_desk *desk)
{
	if (desk)
		munmap(desk, sizeof(*desk));
}

void child_stands_in(struct child_desk *desk, struct bytes step)
{
	size_t len = step.len < sizeof(desk->step) ? step.len : 0;

	desk->step_len = 0;
	if (len)
		memcpy(desk->step, step.data, len);
	desk->step_len = (uint32_t)len;
	desk->beat++;
}

void child_says(struct child_desk *desk, uint32_t outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(desk->text, sizeof(desk->text), format, args);
	va_end(args);
	desk->outcome = outcome;
}

/* The type is glibc's own, which clang does not let an int be taken for. */
static void limit(enum __rlimit_resource resource, rlim_t soft, rlim_t hard)
{
	const struct rlimit value = {soft, hard};

	/* A stricter limit that is there already may refuse a higher one, and stays. */
	if (setrlimit(resource, &value) < 0 && errno != EPERM && errno != EINVAL)
		_exit(125);
}

/* No core, no large file, few descriptors, bounded memory and time, no new rights, no words on standard output. */
static void confine(unsigned int seconds)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(125);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	limit(RLIMIT_NOFILE, CHILD_FILES, CHILD_FILES);
	limit(RLIMIT_CPU, seconds + CHILD_CPU_S, seconds + CHILD_CPU_S + 1);
	/* A sanitizer reserves terabytes of addresses for its own. */
	if (!HAS_SHADOW_MEMORY)
		limit(RLIMIT_AS, (rlim_t)CHILD_MEMORY_MIB << 20, (rlim_t)CHILD_MEMORY_MIB << 20);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Waits for the end; a child that shows no life is killed. */
static int await(struct child_desk *desk, pid_t pid, bool *ret_hangs)
{
	int64_t since = now_ms();
	uint64_t beat = desk->beat;
	int status;

	for (;;) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return status;
		if (done < 0 && errno != EINTR)
			return -1;
		if (desk->beat != beat) {
			beat = desk->beat;
			since = now_ms();
		} else if (!*ret_hangs && now_ms() - since > CHILD_HANG_MS) {
			*ret_hangs = true;
			kill(pid, SIGKILL);
		}
		poll(NULL, 0, LOOK_MS);
	}
}

static void explain(int status, bool hangs, const struct child_desk *desk, char why[static 256])
{
	const char *place = desk->beat ? "" : " while it was loaded";

	if (hangs)
		snprintf(why, 256, "it hangs%s: no answer within %d s", place, CHILD_HANG_MS / 1000);
	else if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		snprintf(why, 256, "it used all its processor time%s, or was killed", place);
	else if (WIFSIGNALED(status))
		snprintf(why, 256, "it crashed%s: %s (%s)", place, strsignal(WTERMSIG(status)),
			 sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(why, 256, "it ended the process%s, with status %d", place, WEXITSTATUS(status));
}

int child_run(struct child_desk *desk, unsigned int seconds, child_fn *fn, void *userdata, char why[static 256])
{
	bool hangs = false;
	int status;
	pid_t pid;

	desk->beat = desk->steps = 0;
	desk->outcome = desk->has_spoken = desk->step_len = 0;
	desk->text[0] = '\0';
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_origin(-errno);
	if (pid == 0) {
		confine(seconds);
		fn(desk, userdata);
		desk->has_spoken = 1;
		_exit(0);
	}
	status = await(desk, pid, &hangs);
	if (desk->has_spoken && !hangs)
		return 0;
	explain(status, hangs, desk, why);
	return CHILD_E_DIED;
}
