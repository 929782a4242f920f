#include "base/failpoint.h"

#ifdef FILMGATE_FAILPOINTS

#include "base/err.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[_FAILPOINT_N] = {
#define FAILPOINT_NAME(id, name) [FAILPOINT_##id] = (name),
	FAILPOINTS(FAILPOINT_NAME)
#undef FAILPOINT_NAME
};

static const char *const mutant_names[_MUTANT_N] = {
	[MUTANT_NONE] = "",
	[MUTANT_SKIP_INTENT] = "skip_intent",
	[MUTANT_RESEND_ON_TIMEOUT] = "resend_on_timeout",
	[MUTANT_ACK_BEFORE_SYNC] = "ack_before_sync",
	[MUTANT_NO_RENAME_SYNC] = "no_rename_sync",
	[MUTANT_SETTLE_TWICE] = "settle_twice",
};

/* What the environment said, read once. A test's process has no other way to be told before its first thread runs. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_long passes_left[_FAILPOINT_N]; /* 0: not armed; 1: this pass is the last */
static enum mutant mutant;
static int64_t hurry_ms;

/* A test that misspells a name would test nothing and pass. */
static void refuse(const char *variable, const char *text)
{
	fprintf(stderr, "filmgated: %s='%s' names nothing that this build has; see --list-failpoints\n", variable,
		text);
	_exit(2);
}

static size_t find(const char *const *list, size_t n, const char *text, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && memcmp(list[i], text, len) == 0)
			return i;
	return n;
}

static void arm(const char *text)
{
	for (const char *item = text; *item; item += strcspn(item, ","), item += *item == ',') {
		size_t len = strcspn(item, ":,"), point = find(names, _FAILPOINT_N, item, len);
		char *end = (char *)(uintptr_t)(item + len);
		bool has_number = *end == ':' && isdigit((unsigned char)end[1]);
		long skipped = has_number ? strtol(end + 1, &end, 10) : 0;

		if (point == _FAILPOINT_N || (*end && *end != ','))
			refuse("FILMGATE_FAILPOINT", text);
		atomic_store(&passes_left[point], skipped + 1);
	}
}

static void read_environment(void)
{
	const char *points = getenv("FILMGATE_FAILPOINT"), *broken = getenv("FILMGATE_MUTANT");
	const char *hurry = getenv("FILMGATE_HURRY_MS");

	if (points)
		arm(points);
	if (broken) {
		mutant = (enum mutant)find(mutant_names, _MUTANT_N, broken, strlen(broken));
		if (mutant == _MUTANT_N)
			refuse("FILMGATE_MUTANT", broken);
	}
	if (hurry)
		hurry_ms = strtoll(hurry, NULL, 10);
}

void failpoint_pass(enum failpoint point)
{
	char words[80];
	int len;

	pthread_once(&once, read_environment);
	if (atomic_load(&passes_left[point]) == 0 || atomic_fetch_sub(&passes_left[point], 1) != 1)
		return;
	len = snprintf(words, sizeof(words), "killed at failpoint %s\n", names[point]);
	if (write(STDERR_FILENO, words, (size_t)len) < 0)
		errno = 0; /* nobody listens; it ends all the same */
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

bool failpoint_is_mutant(enum mutant which)
{
	pthread_once(&once, read_environment);
	return mutant == which;
}

int64_t failpoint_hurry_ms(int64_t usual_ms)
{
	pthread_once(&once, read_environment);
	return hurry_ms > 0 && hurry_ms < usual_ms ? hurry_ms : usual_ms;
}

void failpoint_print_names(void)
{
	for (size_t i = 0; i < _FAILPOINT_N; i++)
		puts(names[i]);
}

#else

void failpoint_print_names(void)
{
}

#endif
