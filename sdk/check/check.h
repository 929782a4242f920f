/*
 * The program `filmgate-plugin`, which `filmgate plugin …` runs: looks into plugins, tries them out, and writes new
 * ones. A program of its own, since it loads code that nobody knows and links the daemon's rooms that run it; the
 * command line links neither.
 */
#ifndef FG_SDK_CHECK_CHECK_H
#define FG_SDK_CHECK_CHECK_H

#include "child.h"

#include "base/err.h"
#include "plugin/account.h"

#define CHECK_FILE 67108864 /* bytes of a plugin */
#define CHECK_WALKS 300     /* of the check of answers: the same each time */
#define CHECK_SECONDS 60    /* of the fuzzing that follows */
#define CHECK_SECONDS_MOST 86400
#define CHECK_SETTINGS 32

struct check_options {
	const char *path;
	const char *replay; /* NULL: none */
	const char *keep;   /* NULL: what goes wrong is not kept */
	unsigned int seconds;
	uint64_t seed;
	const char *settings[CHECK_SETTINGS]; /* NAME=VALUE: options of the provider */
	size_t n_settings;
};

/* Exit statuses: 0 well, 1 something is wrong, 2 the question is wrong. */
int check_run(const struct check_options *options);
int inspect_run(const char *path);
/* Writes a plugin's beginning into @folder (NULL: ./NAME). */
int new_run(const char *name, const char *folder);
/* Prints a manifest as the C header that a plugin includes. */
int embed_run(const char *path);

/* "filmgate plugin: …" on standard error. */
__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);
/* A whole file of at most @limit bytes; says what is wrong and returns false otherwise. */
bool read_whole(const char *path, size_t limit, struct buffer *ret);

/* What a plugin is called by its file: NAME of …/NAME.so, and the folder before it ("." when there is none). False,
 * said, when the name is none. */
struct place {
	char folder[4096];
	char name[256];
};
bool place_of(const char *path, struct place *ret);

/* Loads it as the daemon does. In a child. As plugin_load(). */
int load_at(const struct place *place, struct plugin **ret, struct errmsg *error);
/* An account that allows what the manifest asks for, with stand-ins for its secrets and the options of @check. As
 * plugin_account_new(). */
int account_for(const struct plugin *plugin, const struct check_options *check, struct plugin_account **ret,
		struct errmsg *error);

/* Replays @folder in a child: fills in the desk. */
struct replay {
	const struct place *place;
	const char *folder;
};
child_fn replay_in_child;
struct learned;
/* Reads what the recordings of @folder know of replies. A folder that cannot be read is the replay's matter. */
void replay_learn(const char *folder, struct learned *learned);

#endif
