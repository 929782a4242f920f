/*
 * A store that cannot be written to, and one that has hardly any room left. Changes of jobs under way wait in the store
 * until it can be written to again (store_commit_be_patient()), so a job's life only stands still. Who asks for something
 * is not left waiting: ENGINE_E_STORE, with words that name the disk.
 */
#ifndef FG_ENGINE_TROUBLE_H
#define FG_ENGINE_TROUBLE_H

#include "engine/internal.h"

/* Does the store take something new? Else words for who brings it. [any-thread] */
bool trouble_accepts(const struct engine *engine, struct errmsg *why);
/* What asks for a change of what there is: it may make room. [any-thread] */
bool trouble_takes_changes(const struct engine *engine, struct errmsg *why);

/* Why a change was not stored, or may not be. [any-thread] */
void trouble_explain(const struct engine *engine, struct errmsg *why);

/* For store_config. [committer thread] */
void trouble_on_undecided(void *userdata, const struct store_commit *first);
void trouble_on_change(void *userdata);

/* The entry has handed a change over: whoever asked for it is told when it will not be written for now. */
void trouble_answer(struct entry *entry);

#endif
