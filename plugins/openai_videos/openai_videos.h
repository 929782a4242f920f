/*
 * What the files of this plugin say to each other. It speaks the /videos interface that OpenAI's Videos API had and that
 * gateways go on speaking, in two dialects, by the option dialect:
 *
 * openai      POST /videos in JSON or multipart, GET, DELETE and content of /videos/{id}, a list
 * openrouter  the near form: other parameters, a polling URL, results as URLs with what they cost; no delete, no list
 *
 * Neither has an idempotency key. In the first dialect an order whose reply was lost is looked for in the list.
 */
#ifndef OPENAI_VIDEOS_OPENAI_VIDEOS_H
#define OPENAI_VIDEOS_OPENAI_VIDEOS_H

#include <filmgate/helpers.h>
#include <filmgate/provider.h>

/* The phase of every step that reads a reply. */
#define OPENAI_PHASE_REPLY 1u

#define OPENAI_COUNT(table) (sizeof(table) / sizeof((table)[0]))

int32_t openai_start(const struct fg_host *h, struct fg_step *s);
int32_t openai_poll(const struct fg_host *h, struct fg_step *s);
int32_t openai_remove(const struct fg_host *h, struct fg_step *s);
int32_t openai_reconcile(const struct fg_host *h, struct fg_step *s);
int32_t openai_check(const struct fg_host *h, struct fg_step *s);
int32_t openai_account(const struct fg_host *h, struct fg_step *s);
int32_t openai_list(const struct fg_host *h, struct fg_step *s);

/* ---- what the operator configured (settings.c) ---- */

/* An option, such as "/model"; absent when it is not set or empty. */
fg_node openai_option(const struct fg_host *h, struct fg_step *s, const char *pointer);
int openai_is_openrouter(const struct fg_host *h, struct fg_step *s);
int openai_is_multipart(const struct fg_host *h, struct fg_step *s);
/* The auth scheme. */
const char *openai_auth(const struct fg_host *h, struct fg_step *s);
/* What is wrong with the configuration, for the operator; empty: nothing. */
/* So long after a lost order the gateway's list surely shows it; 0: the list proves nothing. */
int64_t openai_absence_after_s(const struct fg_host *h, struct fg_step *s);
struct fg_text openai_complaint(const struct fg_host *h, struct fg_step *s);
/* A value of the order, such as "/prompt". */
fg_node openai_parameter(const struct fg_host *h, struct fg_step *s, const char *pointer);
int64_t openai_now_ms(const struct fg_host *h, struct fg_step *s);

/* ---- orders (order.c) ---- */

struct openai_refusal {
	const char *why; /* NULL: none */
	const char *field;
};

/* An order that this dialect cannot express. */
struct openai_refusal openai_refuse_order(const struct fg_host *h, struct fg_step *s);
/* What the order says, as the object of a JSON body. */
fg_node openai_order(const struct fg_host *h, struct fg_step *s);
/* The same as the parts of a multipart body. */
fg_node openai_parts(const struct fg_host *h, struct fg_step *s, fg_node order);

/* ---- the list of videos (list.c) ---- */

/* Asks for the page behind the video @after; absent: the first. */
int32_t openai_ask_videos(const struct fg_host *h, struct fg_step *s, fg_node after);
/* Is the reply a page of it? */
int openai_is_page(const struct fg_host *h, struct fg_step *s);
/* Or does it say that there is no list? */
int openai_has_no_list(const struct fg_host *h, struct fg_step *s);
/* The id of the page's last video, behind which the next page begins. */
fg_node openai_page_end(const struct fg_host *h, struct fg_step *s);

/* ---- refusals (problem.c) ---- */

/* What went wrong, in the plugin boundary's words and in the gateway's. */
struct openai_problem {
	uint32_t reason; /* FG_REASON_… */
	uint32_t bought; /* FG_BOUGHT_… */
	struct fg_text code;
	struct fg_text message;
	const char *field; /* pointer into the job document, or NULL */
};

/* Why a reply is not what its exchange asked for. "bought" is that of a reply to a submit. */
struct openai_problem openai_problem_of_reply(const struct fg_host *h, struct fg_step *s);
/* Why a video failed: @video is what a poll said. Never a throttle. */
struct openai_problem openai_problem_of_video(const struct fg_host *h, struct fg_step *s, fg_node video);
/* Does the reply have an error in the gateway's own form? */
int openai_has_error(const struct fg_host *h, struct fg_step *s);
int32_t openai_answer_failed(const struct fg_host *h, struct fg_step *s, const struct openai_problem *problem);
int32_t openai_answer_trouble(const struct fg_host *h, struct fg_step *s, const struct openai_problem *problem);
/* The one that fits the reason. */
int32_t openai_answer_problem(const struct fg_host *h, struct fg_step *s, const struct openai_problem *problem);

#endif
