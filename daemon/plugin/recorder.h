/*
 * A folder that takes each step as a file (plugin/recording.h), for people who write plugins. What cannot be written is
 * said in the log and is nobody's trouble otherwise.
 */
#ifndef FG_PLUGIN_RECORDER_H
#define FG_PLUGIN_RECORDER_H

#include "plugin/step.h"

struct plugin_recorder;

/* Makes @folder for this user alone unless it is there. 0, or negative errno with @error saying what to do. */
int plugin_recorder_new(const char *folder, struct plugin_recorder **ret, struct errmsg *error);
struct plugin_recorder *plugin_recorder_free(struct plugin_recorder *recorder);
void plugin_recorder_freep(struct plugin_recorder **recorder);

/*
 * Writes NUMBER-PROVIDER-VERB-PHASE.json, readable by this user alone. Stops for good at LIMIT_RECORDINGS files or
 * LIMIT_RECORDINGS_BYTES, those that were there included. Blocks on the disk. [any-thread]
 */
void plugin_recorder_take(struct plugin_recorder *recorder, const struct plugin_step *step,
			  const struct plugin_answer *answer);

#endif
