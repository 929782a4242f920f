#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t has_come;

static void on_interrupt(int signal_number)
{
	if (has_come) {
		signal(signal_number, SIG_DFL);
		raise(signal_number);
	}
	has_come = 1;
}

void interrupt_start(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};

	/* A program that its parent told to ignore Ctrl-C (nohup, a background job) goes on ignoring it. */
	struct sigaction old;

	sigaction(SIGINT, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool interrupt_came(void)
{
	return has_come;
}

void interrupt_sleep(int64_t ms)
{
	for (; ms > 0 && !has_come; ms -= INTERRUPT_SLICE_MS) {
		int64_t slice = ms < INTERRUPT_SLICE_MS ? ms : INTERRUPT_SLICE_MS;

		nanosleep(&(struct timespec){.tv_nsec = slice * 1000000}, NULL);
	}
}
