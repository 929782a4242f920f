/*
 * What the benches of the plugins have in common: what they say of an answer, and where recorded bodies are.
 */
#ifndef FG_TESTS_UNIT_ANSWERS_H
#define FG_TESTS_UNIT_ANSWERS_H

#include "plugin/step.h"

/* The same values, however they are written. */
void rig_assert_json(const char *text, const char *expected);
/* The exchange's JSON body holds exactly this. */
void rig_assert_body(const struct plugin_answer *answer, const char *expected);
/* A header of an exchange; NULL when there is none. */
const struct plugin_header *rig_header(const struct plugin_answer *answer, const char *name);
void rig_assert_failure(const struct plugin_answer *answer, enum plugin_answer_kind kind, enum plugin_reason reason,
			enum plugin_bought bought);
/* The text of a provider's recorded body, by its path below the samples, which the caller frees; NULL when there are
 * none on this machine, which is said aloud. */
char *answers_sample(const char *folder, const char *name);

#endif
