#include "exit.h"

const struct exit_meaning exit_meanings[] = {
	{EXIT_OK, "done; a job that was waited for has succeeded"},
	{EXIT_FAILED, "the daemon or this program could not do it"},
	{EXIT_USAGE, "the command line, a file that it names, or what they ask for is wrong"},
	{EXIT_NOT_FOUND, "no such job, artifact, asset or provider"},
	{EXIT_AUTH, "the daemon does not let you"},
	{EXIT_UNREACHABLE, "the daemon cannot be reached or is shutting down"},
	{EXIT_JOB_FAILED, "the job that was waited for has failed or expired"},
	{EXIT_JOB_CANCELLED, "the job that was waited for has been cancelled"},
	{EXIT_OUTPUT, "done, but its output was lost; the error names the job if one was ordered"},
	{EXIT_JOB_UNCERTAIN, "the job that was waited for is UNCERTAIN: only a person can move it"},
	{EXIT_TIMED_OUT, "the time given on the command line is over; the job goes on"},
	{EXIT_INTERRUPTED, "interrupted; the job goes on"},
	{0},
};
