/*
 * Files that the command line names: an order as JSON, or plain text. "-" is standard input.
 */
#ifndef FG_CLI_JOB_FILE_H
#define FG_CLI_JOB_FILE_H

#include "base/bytes.h"

#include <filmgate/v1/job_service.pb-c.h>

struct errmsg;

#define JOB_FILE_BYTES_MAX ((size_t)4 * 1024 * 1024) /* what a request may have */

enum {
	_JOB_FILE_E_OK,
	JOB_FILE_E_INVALID, /* the errmsg says where and why */
};

/* The whole file into @content. Returns 0, JOB_FILE_E_INVALID or -ENOMEM. */
int job_file_load(const char *path, struct buffer *content, struct errmsg *error);

/*
 * An order, into an empty heap request. The document is a job; what only the daemon writes is left out, so that a
 * printed job can be ordered again. Or it has the members "job", "request_id", "timeout_ms", "validate_only".
 */
int job_file_read(const char *path, Filmgate__V1__CreateJobRequest *request, struct errmsg *error);
/* The same from memory. Pure. */
int job_file_parse(struct bytes text, Filmgate__V1__CreateJobRequest *request, struct errmsg *error);

#endif
