/*
 * Inside config/: the table of options, and how one file is read with it.
 */
#ifndef FG_CONFIG_OPTIONS_H
#define FG_CONFIG_OPTIONS_H

#include "base/err.h"
#include "config/config.h"

#define OPTION_NAME_SIZE 64 /* of the longest name, its dot and NUL */

enum option_type {
	OPTION_GROUP,     /* { } whose members are the rows "name.…" */
	OPTION_PROVIDERS, /* ( { }, … ), each read as a group; offsets below it count from struct config_provider */
	OPTION_PRICES,    /* the same with struct config_price, inside a provider */
	OPTION_BUDGETS,   /* the same with struct config_budget */
	OPTION_WEBHOOKS,  /* the same with struct config_webhook */
	OPTION_TEXT,      /* char *; NULL where the text is empty */
	OPTION_TEXTS,     /* struct config_texts; an array [ ] of texts */
	OPTION_INTEGER,   /* int64_t */
	OPTION_BOOL,      /* bool */
	OPTION_CHOICE,    /* int: the index into choices */
	OPTION_SECRETS,   /* { } of NAME_file, NAME_env, NAME_credential */
	OPTION_SIGNING,   /* the same, of a webhook */
	OPTION_KEYS,      /* ( { }, … ), each as OPTION_SECRETS */
	OPTION_FREE,      /* char *, one JSON object; { } of any names with numbers, texts and booleans */
};

/* NULL when the text will do, else the end of the sentence "'…' ": what it is not, and what to write. */
typedef const char *option_check_fn(const char *text);

struct option {
	const char *name; /* "limits.watchers": from the root, groups before their members */
	enum option_type type;
	size_t offset;
	const char
		*fallback; /* the default as in the file, but no quotes; texts: one text; "": empty; NULL: required */
	int64_t min, max;  /* an integer's range; else the bytes of a text, or the members of an aggregate */
	const char *help;
	option_check_fn *check;
	const char *const *choices; /* ends with NULL */
	const char *sample;         /* what the sample shows instead of the default, just as it stands in a file */
};

extern const struct option config_options[];
extern const size_t config_options_n;

/* The row called @prefix + @leaf, or NULL. */
const struct option *option_find(const char *prefix, const char *leaf);
/* The part of the name behind @prefix ("" or "limits."), when the row is a member of that very group; else NULL. */
const char *option_leaf(const struct option *option, const char *prefix);

enum secret_source { SECRET_FILE, SECRET_ENVIRONMENT, SECRET_CREDENTIAL };

/*
 * Appends the secret, one line of 1 to LIMIT_SECRET bytes of text without the line's end. CONFIG_E_INVALID: @why says
 * what is wrong and the remedy. On 0 a non-empty @why is a warning. Handed in, so that a fuzzer opens no file.
 */
typedef int secret_read_fn(enum secret_source source, const char *where, struct buffer *ret, struct errmsg *why);
secret_read_fn secret_read;

/* As config_load(), from text; @path only names it in the report. */
int config_parse(struct bytes text, const char *path, secret_read_fn *read, struct config **ret,
		 struct config_report *report);

/* "PATH:LINE: error: ", the words, and a newline. Line 0: the whole file. */
__attribute__((format(printf, 4, 5))) void config_error(struct config_report *report, const char *path,
							unsigned int line, const char *format, ...);
__attribute__((format(printf, 4, 5))) void config_warning(struct config_report *report, const char *path,
							  unsigned int line, const char *format, ...);

/* Appends the text as libconfig may read it, with a NUL behind; see text.c. CONFIG_E_INVALID: the report says why not. */
int config_text_prepare(struct bytes text, const char *path, struct buffer *ret, struct config_report *report);

/* Appends @text as a JSON string. */
int config_append_json(struct buffer *buffer, const char *text);

#endif
