/*
 * Inside validation: what the files capability.c, parameter.c, schema.c, rule.c, adapt.c, price.c, verdict.c and validate.c share, and
 * nobody else.
 */
#ifndef FG_JOB_CAPABILITY_H
#define FG_JOB_CAPABILITY_H

#include "base/json.h"
#include "job/validate.h"

struct job_capabilities {
	struct json *json;
	json_node models;
};

/* ---- words (verdict.c) ---- */

/* Where a value stands: a chain on the stack, written out only when it is needed. A name of NULL is an index. */
struct job_field {
	const struct job_field *parent;
	const char *name;
	size_t index;
};

/* A line for a person, built piece by piece; what does not fit is cut at a character. */
struct job_line {
	char text[512];
	size_t len;
};

__attribute__((format(printf, 2, 3))) void job_line_add(struct job_line *line, const char *format, ...);
/* A stranger's text, cut when long and without what would break a line. */
void job_line_add_text(struct job_line *line, struct bytes text);
/* A value as a person reads it: 'text' (cut when long), 12, true, "an object". */
void job_line_add_value(struct job_line *line, const struct json *json, json_node value);
/* The elements of an array of scalars: "'a', 'b' and 'c'". */
void job_line_add_list(struct job_line *line, const struct json *json, json_node array);

/* Counts against LIMIT_JOB_VIOLATIONS; a fault of memory sticks in the verdict. */
__attribute__((format(printf, 3, 4))) void job_verdict_add(struct job_verdict *verdict, const struct job_field *field,
							   const char *format, ...);

/* Notes a medium's source for the caller; a fault of memory sticks in the verdict. */
void job_verdict_add_input(struct job_verdict *verdict, const struct job_field *field, const struct job_input *input,
			   struct bytes url);

/* The name of a member as a C string; "?", which names nothing, when it holds a NUL. */
const char *job_name_of(const struct json *json, json_node member);

/* Looks for the name in a list that is most like a wrong one. Zeroed but for name to begin. */
struct job_guess {
	const char *name;
	const char *best;
	size_t distance;
};

void job_guess_try(struct job_guess *guess, const char *candidate);
/* Adds "; did you mean 'x'?" when something came close. */
void job_guess_add_to(const struct job_guess *guess, struct job_line *line);

/* ---- reading a manifest (capability.c) ---- */

struct job_reading {
	const struct json *json;
	struct errmsg *error; /* may be NULL */
};

/* A member that an object of a manifest may have. */
struct job_member {
	const char *name;    /* NULL ends a list */
	enum json_kind kind; /* ABSENT: any */
	bool is_required;
};

/* JOB_VALIDATE_E_MANIFEST, with the place and the words. */
__attribute__((format(printf, 3, 4))) int job_reading_fail(const struct job_reading *reading,
							   const struct job_field *field, const char *format, ...);
/* Is it an object with the required members, and none but these? 0 or JOB_VALIDATE_E_MANIFEST. */
int job_reading_members(const struct job_reading *reading, const struct job_field *field, json_node object,
			const struct job_member *members);
/* Is the member @name of @object, if it is there, a date such as 2026-11-22? */
int job_reading_date(const struct job_reading *reading, const struct job_field *field, json_node object,
		     const char *name);
/* Is it an array of texts, none empty, and each one of @words (NULL: any)? An absent one is. */
int job_reading_texts(const struct job_reading *reading, const struct job_field *field, json_node array,
		      const char *const *words);
/* The contract's words for kinds of media and for how they are handed over; each list ends with NULL. */
extern const char *const job_media_kinds[];
extern const char *const job_media_forms[];

/* ---- parameters (parameter.c) ---- */

enum job_parameter_kind {
	JOB_PARAMETER_TEXT,
	JOB_PARAMETER_WHOLE, /* a whole number, up to 2^64-1 */
	JOB_PARAMETER_TOGGLE,
	JOB_PARAMETER_COLOR,
	JOB_PARAMETER_RATIO,
	JOB_PARAMETER_MEDIA,
};

/* One of the canonical parameters, and the contract's own bounds for it. */
struct job_parameter {
	const char *path; /* "script.text" */
	enum job_parameter_kind kind;
	size_t max_bytes; /* texts */
	const char *min;  /* whole numbers, as JSON writes them */
	const char *max;
	const char *media_kinds[2];
};

const struct job_parameter *job_parameter_find(const char *path);
/* Is there a parameter whose path begins with "@name."? */
bool job_parameter_is_group(const char *name);

/* Exact where both are whole numbers or have at most nine digits behind the point. */
int job_number_compare(struct bytes a, struct bytes b);

/*
 * A value of an order against the contract's bounds for @parameter (NULL: a member of the extras) and against @limits,
 * an object of a manifest. Adds violations; @message, when not NULL, is the reason they give.
 */
struct job_limits {
	const struct job_parameter *parameter;
	const struct job_capabilities *document; /* in an order; NULL while a manifest is read */
	const struct json *manifest;
	json_node limits;
	const char *model;
	const char *message;
};

/* The limits that a manifest sets; @parameter NULL: of a member of the extras, in a rule. */
int job_limits_read(const struct job_reading *reading, const struct job_field *field, json_node limits,
		    const struct job_parameter *parameter);
/* Each bound is the narrower of the contract's and the manifest's; empty when neither has one. */
struct bytes job_limits_lower(const struct job_limits *limits);
struct bytes job_limits_upper(const struct job_limits *limits);
/* What is taken, for the end of a sentence: "'720p', '1080p' or '4k'". */
void job_limits_remedy(const struct job_limits *limits, struct job_line *line);
void job_limits_check(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
		      const struct json *order, json_node value);

/* ---- media (media.c) ---- */

void job_media_check(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
		     const struct json *order, json_node media);
void job_media_list_check(const struct job_capabilities *capabilities, json_node model, struct job_verdict *verdict,
			  const struct json *order, json_node parameters);
/* How many entries of the order's media list have this role. */
size_t job_media_count(const struct json *order, json_node list, struct bytes role);

/* ---- extras (schema.c) ---- */

int job_schema_read(const struct job_reading *reading, const struct job_field *field, json_node schema);
void job_schema_check(const struct json *manifest, json_node schema, const char *model, struct job_verdict *verdict,
		      const struct job_field *field, const struct json *order, json_node value);

/* ---- conditions and rules (rule.c) ---- */

/* An order beside the model that it is for. */
struct job_order {
	const struct json *manifest;
	json_node taken; /* the model's parameters, by name */
	const struct json *json;
	json_node parameters;
};

/* The conditions @when of reading->json, on a model of @manifest; an absent one is well formed. */
int job_when_read(const struct job_reading *reading, const struct job_field *field, json_node when,
		  const struct json *manifest, json_node model);
/* Do all conditions hold? An absent @when holds always. */
bool job_when_holds(const struct job_order *order, const struct json *conditions, json_node when);

/* The rules of @model, which may only speak of what it takes. */
int job_rules_read(const struct job_reading *reading, const struct job_field *field, json_node model);
void job_rules_check(const struct job_capabilities *capabilities, json_node model, struct job_verdict *verdict,
		     const struct json *order, json_node parameters);

/* Is anything at this path of the order? */
bool job_order_has(const struct job_order *order, const char *path);

/* ---- adapting (adapt.c) ---- */

/* Changes @parameters, and notes each change. 0 or -ENOMEM. */
int job_adapt(const struct job_capabilities *capabilities, json_node model, struct json *json, json_node parameters,
	      struct job_status *changes);

/* Why the parameter at @path, given as @value, was left as it is although it does not fit; NULL: nothing is to be said. */
const char *job_adapt_limit(const struct json *json, const char *path, json_node value);

/* ---- prices (price.c) ---- */

/* A model's own price rules and what decides its length. */
int job_prices_read(const struct job_reading *reading, const struct job_field *field, json_node prices,
		    const struct json *manifest, json_node model);
int job_lengths_read(const struct job_reading *reading, const struct job_field *field, json_node lengths,
		     json_node model);

#endif
