#include "output.h"

#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of a write that failed inside of printf() the errno is gone, but a pipe without a reader can still be told. */
static bool is_reader_gone(int error)
{
	struct pollfd poll_fd = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return error == EPIPE || (poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLERR);
}

enum exit_code output_flush(void)
{
	static bool was_said;
	int error = fflush(stdout) == 0 ? 0 : errno;

	if (!error && !ferror(stdout))
		return EXIT_OK;
	if (!was_said && !is_reader_gone(error))
		say_error("cannot write the output%s%s", error ? ": " : "", error ? strerror(error) : "");
	was_said = true;
	return EXIT_OUTPUT;
}
