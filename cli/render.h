/*
 * Jobs and documents on standard output. Everything a provider may have written goes through say_make_safe() first.
 */
#ifndef FG_CLI_RENDER_H
#define FG_CLI_RENDER_H

#include "document.h"
#include "exit.h"
#include "field.h"
#include "table.h"

#include "base/bytes.h"

#include <filmgate/v1/job.pb-c.h>

/* May standard output be coloured: is it a terminal, and NO_COLOR not set? */
bool render_is_colored(void);
/* Begins the state's colour; "" where there is none to show. */
const char *render_state_color(Filmgate__V1__JobState state);
/* "RUNNING" */
void render_state(Filmgate__V1__JobState state, char word[static FIELD_NAME_SIZE]);
bool render_is_final(Filmgate__V1__JobState state);
/* What a final state means for whoever waited. */
enum exit_code render_exit_code(Filmgate__V1__JobState state);

/* What there is to say about a job in one line: progress, what it waits for, what it delivered, why it failed. Appends;
 * control characters are out already. */
void render_detail(const Filmgate__V1__JobStatus *status, struct buffer *out);
/* "adjusted parameters.duration_ms from 16000 to 15000: …". Appends. */
void render_note(const Filmgate__V1__Note *note, struct buffer *out);
/* All of them on standard error; NULL has none. */
void render_say_notes(const Filmgate__V1__JobStatus *status);
/* The ways to decide a job that is UNCERTAIN, as lines behind an error or a note. */
void render_say_how_to_decide(const char *uuid);
/* What a cancel achieved, for a person. Static. */
const char *render_cancel(Filmgate__V1__CancelOutcome outcome, const Filmgate__V1__JobStatus *status);

/* A line of text, however long, without its control characters. */
__attribute__((format(printf, 1, 2))) void render_line(const char *format, ...);

/*
 * What -o asks for, where programs read it: @message as JSON, or @name alone. False: a table, which is the command's.
 * @ret is untouched then; else EXIT_OK, or EXIT_FAILED, said.
 */
bool render_for_programs(enum output_format format, const ProtobufCMessage *message, const char *name,
			 enum exit_code *ret);

/* A message as JSON; EXIT_FAILED, said, if it cannot be written down. */
enum exit_code render_document(const ProtobufCMessage *message, enum document_layout layout);

#endif
