/*
 * Ops: what others ask of one job. They wait in the job's entry and are handled one after the other.
 */
#ifndef FG_ENGINE_OPS_H
#define FG_ENGINE_OPS_H

#include "engine/internal.h"

enum op_kind { OP_START, OP_WAKE, OP_CANCEL, OP_UPDATE, OP_RESOLVE, OP_DELETE, OP_DEADLINE, OP_RESUME, OP_REROUTE };

struct op {
	struct loop_message message;
	struct engine *engine;
	struct op *next;
	enum op_kind kind;
	struct job_ref ref;
	engine_job_fn *job_fn;   /* OP_CANCEL, OP_UPDATE, OP_RESOLVE, OP_RESUME */
	engine_done_fn *done_fn; /* OP_DELETE */
	void *userdata;
	enum engine_delete how;
	struct engine_update update;   /* OP_UPDATE; texts and labels are the op's own copies */
	struct engine_resolve resolve; /* OP_RESOLVE; the text is the op's own copy */
};

struct op *op_new(struct engine *engine, enum op_kind kind, const struct job_ref *ref);
/* To the engine thread, into the job's entry. [any-thread] */
void op_post(struct op *op);
/* False: it must wait until the current activity has ended. Otherwise the op is gone, or is entry->op. */
bool op_handle(struct entry *entry, struct op *op);
/* A cancel that was asked while a paid send was undecided takes effect now. False: there is none. */
bool op_obey_wish(struct entry *entry);
/* A cancel, or a deadline that has come, waits for the step under way: before anything was bought it will end the job. */
bool op_is_ending(const struct entry *entry);
/* The op whose commit has succeeded, if there is one, is answered with the job as it stands. */
void op_answer_committed(struct entry *entry);
/* Does somebody wait for its answer? */
bool op_is_asked(const struct op *op);
/* Refuses and frees. */
void op_refuse(struct op *op, int outcome, const char *text);
/* Answers and frees. @take may be NULL. */
void op_answer(struct op *op, int outcome, const struct engine_error *error, struct job_view *take);
/* The job could not be loaded: @outcome is the store's. */
void op_fail_load(struct op *op, int outcome);
/* The daemon ends first. */
void op_dismiss(struct op *op);

/* resolve.c: a person decides an uncertain job. */
void op_resolve(struct entry *entry, struct op *op);

#endif
