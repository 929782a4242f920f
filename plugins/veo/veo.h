/*
 * What the files of the Veo plugin say to each other. The plugin speaks two dialects of one API, by the option surface:
 *
 * vertex  Vertex AI: POST …:predictLongRunning, POST …:fetchPredictOperation, results in a bucket of Cloud Storage, or
 *         without one inside the reply to the poll; an access token, which the daemon mints
 * gemini  the Gemini API's form: POST …:predictLongRunning, GET of the operation, results at the API; a key
 *
 * Neither has an idempotency key, a cancel, a delete or a list: an order whose reply is lost cannot be found again.
 */
#ifndef VEO_VEO_H
#define VEO_VEO_H

#include <filmgate/helpers.h>
#include <filmgate/provider.h>

/* The phase of every step that reads a reply; no verb here has more than one exchange. */
#define VEO_PHASE_REPLY 1u

#define VEO_COUNT(table) (sizeof(table) / sizeof((table)[0]))

int32_t veo_start(const struct fg_host *h, struct fg_step *s);
int32_t veo_poll(const struct fg_host *h, struct fg_step *s);
int32_t veo_account(const struct fg_host *h, struct fg_step *s);
int32_t veo_check(const struct fg_host *h, struct fg_step *s);

/* ---- what the operator configured (settings.c) ---- */

int veo_is_gemini(const struct fg_host *h, struct fg_step *s);
/* The auth scheme of the surface. */
const char *veo_auth(const struct fg_host *h, struct fg_step *s);
/* An option, such as "/project"; absent when it is not set or empty. */
fg_node veo_option(const struct fg_host *h, struct fg_step *s, const char *pointer);
/* What the job's model is called there; without a job, the first one. */
fg_node veo_model(const struct fg_host *h, struct fg_step *s);
/* What is wrong with the configuration, for the operator; empty: nothing. */
struct fg_text veo_complaint(const struct fg_host *h, struct fg_step *s);
/* Why no URL of a model can be made on Vertex AI; NULL when one can be. */
const char *veo_place_complaint(const struct fg_host *h, struct fg_step *s);
/* The URL of a model's method, such as ":predictLongRunning". */
fg_node veo_model_url(const struct fg_host *h, struct fg_step *s, const char *method);
/* A URL of Cloud Storage: @path as for path(), below storage_url instead of base_url. Absent if it is none. */
fg_node veo_storage_url(const struct fg_host *h, struct fg_step *s, const char *path, fg_node values, fg_node query);
/* "gs://bucket/object" as {bucket, object?}; absent when it is none. */
fg_node veo_storage_name(const struct fg_host *h, struct fg_step *s, struct fg_text uri);

/* ---- results (result.c) ---- */

/* Where videos may stand inside the reply to a poll, as base64: patterns for lift. */
fg_node veo_inline_places(const struct fg_host *h, struct fg_step *s);
/* Answers a poll whose operation is done: @operation is the whole of it. */
int32_t veo_finish(const struct fg_host *h, struct fg_step *s, fg_node operation);

/* ---- refusals (problem.c) ---- */

/* What went wrong, in the plugin boundary's words and in Google's. */
struct veo_problem {
	uint32_t reason; /* FG_REASON_… */
	uint32_t bought; /* FG_BOUGHT_… */
	uint64_t retry_after_ms;
	struct fg_text code;
	struct fg_text message;
	const char *field; /* pointer into the job document, or NULL */
};

/* Why a reply is not what its exchange asked for. "bought" is that of a reply to a submit. */
struct veo_problem veo_problem_of_reply(const struct fg_host *h, struct fg_step *s);
/* Why an operation failed: @error is {code, message} with a gRPC code. Never a throttle. */
struct veo_problem veo_problem_of_operation(const struct fg_host *h, struct fg_step *s, fg_node error);
/* The error object of a reply, which may stand in an array of one. */
fg_node veo_error(const struct fg_host *h, struct fg_step *s);
/* Google's support code in @message ("Support codes: 42237218"), which a content rule leaves; else empty. */
struct fg_text veo_support_code(struct fg_text message);
int32_t veo_answer_failed(const struct fg_host *h, struct fg_step *s, const struct veo_problem *problem);
int32_t veo_answer_trouble(const struct fg_host *h, struct fg_step *s, const struct veo_problem *problem);
/* The one that fits the reason. */
int32_t veo_answer_problem(const struct fg_host *h, struct fg_step *s, const struct veo_problem *problem);

#endif
