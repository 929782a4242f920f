/*
 * Jobs in the shape that clients of /v1/videos know, and errors as they read them. Pure.
 */
#ifndef FG_WEB_VIDEO_H
#define FG_WEB_VIDEO_H

#include "api/failure.h"
#include "base/bytes.h"

#include <filmgate/v1/job_service.pb-c.h>

/* "019ac…" of "jobs/019ac…": a video's id. */
const char *video_id_of(const Filmgate__V1__Job *job);

/* Each appends a JSON document. 0 or negative errno. */
int video_write(const Filmgate__V1__Job *job, struct buffer *out);
int video_write_list(const Filmgate__V1__ListJobsResponse *list, struct buffer *out);
int video_write_deleted(const char *id, struct buffer *out);
/* @param, @code: NULL: none. */
int video_write_error(unsigned int status, const char *param, const char *code, const char *message,
		      struct buffer *out);

/* The client's name of one of our fields, such as "job.parameters.duration"; NULL: it has none. */
const char *video_param_of(const char *field);

/* Of the video itself; false: there is none. */
bool video_find_artifact(const Filmgate__V1__Job *job, uint32_t *ret_index);

#endif
