/*
 * The body of a request as the fields of a form: multipart/form-data, or application/x-www-form-urlencoded.
 */
#ifndef FG_WEB_FORM_H
#define FG_WEB_FORM_H

#include "base/bytes.h"
#include "base/limits.h"

struct MHD_Connection;

#define FORM_NAME_SIZE 64

struct form_field {
	char name[FORM_NAME_SIZE];
	char file_name[256]; /* as the client calls it, cut; "": it is no file */
	char media_type[64]; /* as the client says; "": it does not */
	struct buffer value;
	bool is_file;
};

/* Inert when zeroed. */
struct form {
	struct form_field fields[LIMIT_WEB_FORM_FIELDS];
	size_t n;
	const char *fault; /* why the rest was not read; static */
};

enum {
	_FORM_E_OK,
	FORM_E_TYPE,      /* the request's Content-Type is no form's */
	FORM_E_MALFORMED, /* and form->fault says why */
};

/* Of a request whose body is @body. 0, an outcome, or -ENOMEM; the form is to be finished always. */
int form_read(struct MHD_Connection *connection, struct bytes body, struct form *ret);
void form_finish(struct form *form);

/* NULL: there is none of that name. */
struct form_field *form_find(struct form *form, const char *name);

#endif
