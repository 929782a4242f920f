/*
 * What the contract says of a request's fields, before the engine sees them. Each adds what it finds wrong.
 */
#ifndef FG_API_CHECK_H
#define FG_API_CHECK_H

#include "api/violations.h"
#include "engine/engine.h"

#include <filmgate/v1/job_service.pb-c.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>

void check_request_id(const char *request_id, struct violations *violations);
void check_display_name(const char *field, const char *display_name, struct violations *violations);
/* The provider's id of what a person has found. */
void check_remote_id(const char *field, const char *remote_id, struct violations *violations);
void check_priority(const char *field, int32_t priority, struct violations *violations);
/* The labels, which may point into @entries; NULL when there is something wrong with them. */
struct job_label *check_labels(const char *field, Filmgate__V1__Job__LabelsEntry *const *entries, size_t n,
			       struct violations *violations);
/* The ids behind the resource names. */
bool check_job_name(const char *field, const char *name, struct violations *violations, struct id *ret);
bool check_artifact_name(const char *field, const char *name, struct violations *violations, struct job_ref *ret,
			 uint32_t *ret_index);
const char *check_provider_name(const char *field, const char *name, struct violations *violations);
/* 1 s to 30 days; 0 when absent or wrong. */
int64_t check_timeout(const Google__Protobuf__Duration *timeout, struct violations *violations);
/* 0: absent. Else at least 1, UTC milliseconds. */
int64_t check_instant(const Google__Protobuf__Timestamp *from, const char *field, struct violations *violations);

/* Of a list's page: its place in the list that is known by @list. Zero for an empty token, and for one that is wrong. */
struct id check_page_token(const char *token, const struct digest *list, struct violations *violations);

/* @digest is the same for equal filters, however they were written. In the arena of @violations, for as long. */
struct checked_filter {
	struct store_filter filter;
	struct digest digest;
};
const struct checked_filter *check_filter(const Filmgate__V1__JobFilter *from, struct violations *violations);

#endif
