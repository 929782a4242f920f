#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

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
	static const int signals[] = {SIGINT, SIGTERM};
	struct sigaction action = {.sa_handler = on_interrupt};

	/* A program that its parent told to ignore Ctrl-C (nohup, a background job) goes on ignoring it. */
	struct sigaction old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

bool interrupt_came(void)
{
	return has_come;
}
