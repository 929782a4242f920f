#include "web/form.h"

#include "base/err.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define PIECE 65536 /* bytes of a value that the library collects before it hands them on */

struct reading {
	struct form *form;
	int error;
};

void form_finish(struct form *form)
{
	for (size_t i = 0; i < form->n; i++)
		buffer_finish(&form->fields[i].value);
	form->n = 0;
}

struct form_field *form_find(struct form *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->fields[i].name, name) == 0)
			return &form->fields[i];
	return NULL;
}

static enum MHD_Result refuse(struct reading *reading, const char *fault)
{
	reading->form->fault = fault;
	return MHD_NO;
}

static struct form_field *add_field(struct reading *reading, const char *name, const char *file_name,
				    const char *media_type)
{
	struct form *form = reading->form;
	struct form_field *field = &form->fields[form->n];

	if (!name || !*name)
		refuse(reading, "a field has no name");
	else if (strlen(name) >= sizeof(field->name))
		refuse(reading, "a field's name has more than 63 bytes");
	else if (form_find(form, name))
		refuse(reading, "a field is there twice");
	else if (form->n == LIMIT_WEB_FORM_FIELDS)
		refuse(reading, "it has more than 32 fields");
	if (form->fault)
		return NULL;
	form->n++;
	*field = (struct form_field){.is_file = file_name != NULL};
	field->value.limit = file_name ? LIMIT_WEB_FORM : LIMIT_WEB_FORM_TEXT;
	snprintf(field->name, sizeof(field->name), "%s", name);
	snprintf(field->file_name, sizeof(field->file_name), "%s", file_name ? file_name : "");
	snprintf(field->media_type, sizeof(field->media_type), "%s", media_type ? media_type : "");
	return field;
}

/* The library hands over a value in pieces, each with its place; the first one may be empty. */
static struct form_field *find_field(struct reading *reading, const char *name, const char *file_name,
				     const char *media_type, uint64_t offset)
{
	struct form *form = reading->form;
	struct form_field *last = form->n ? &form->fields[form->n - 1] : NULL;

	if (last && (offset > 0 || (last->value.len == 0 && name && strcmp(last->name, name) == 0)))
		return last;
	return add_field(reading, name, file_name, media_type);
}

static enum MHD_Result on_piece(void *userdata, enum MHD_ValueKind kind, const char *name, const char *file_name,
				const char *media_type, const char *encoding, const char *data, uint64_t offset,
				size_t size)
{
	struct reading *reading = userdata;
	struct form_field *field;
	int r;

	(void)kind;
	if (encoding && strcasecmp(encoding, "binary") != 0 && strcasecmp(encoding, "8bit") != 0 &&
	    strcasecmp(encoding, "7bit") != 0)
		return refuse(reading, "a field has a Content-Transfer-Encoding; send its bytes as they are");
	field = find_field(reading, name, file_name, media_type, offset);
	if (!field)
		return MHD_NO;
	r = buffer_append(&field->value, data, size);
	if (r == -EMSGSIZE)
		return refuse(reading, field->is_file ? "the file is larger than 33 MiB; upload it as an asset"
						      : "a field's value has more than 262144 bytes");
	reading->error = r;
	return r < 0 ? MHD_NO : MHD_YES;
}

int form_read(struct MHD_Connection *connection, struct bytes body, struct form *ret)
{
	struct reading reading = {.form = ret};
	struct MHD_PostProcessor *processor = MHD_create_post_processor(connection, PIECE, on_piece, &reading);
	bool is_read, is_whole;

	*ret = (struct form){0};
	if (!processor)
		return FORM_E_TYPE;
	is_read = body.len == 0 || MHD_post_process(processor, body.data, body.len) == MHD_YES;
	is_whole = MHD_destroy_post_processor(processor) == MHD_YES;
	if (reading.error < 0)
		return err_trace(reading.error);
	if (is_read && is_whole && !ret->fault)
		return 0;
	if (!ret->fault)
		ret->fault = "it does not end as its boundary says, or is cut off";
	return FORM_E_MALFORMED;
}
