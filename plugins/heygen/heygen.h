/*
 * What the files of the HeyGen plugin say to each other. The plugin speaks HeyGen's API v3: POST /v3/videos (types
 * avatar, image and cinematic_avatar) and POST /v3/models/videos, each with the GET of its own videos, DELETE
 * /v3/videos/{id}, GET /v3/users/me, the two ways of uploading below /v3/assets, and the lists of /v3/voices, /v3/avatars
 * and /v3/avatars/looks. The list GET /v3/videos finds an order whose reply was lost, and what no job owns.
 *
 * The state says where an order went: /path is one of the two paths. It is not there in states of version 1, whose
 * plugin knew the first one alone. /mark is the key that its title bears.
 */
#ifndef HEYGEN_HEYGEN_H
#define HEYGEN_HEYGEN_H

#include <filmgate/helpers.h>
#include <filmgate/provider.h>

/* The phase of every step that reads a reply, but for those of an upload in three exchanges. */
#define HEYGEN_PHASE_REPLY 1u
#define HEYGEN_PHASE_PLACE 2u
#define HEYGEN_PHASE_FILLED 3u
#define HEYGEN_PHASE_COMPLETE 4u

#define HEYGEN_VIDEO_ID 255 /* bytes of an id that a webhook may name */
#define HEYGEN_VIDEOS "/v3/videos"
#define HEYGEN_MODEL_VIDEOS "/v3/models/videos"
#define HEYGEN_ASSETS "/v3/assets"

int32_t heygen_start(const struct fg_host *h, struct fg_step *s);
int32_t heygen_poll(const struct fg_host *h, struct fg_step *s);
int32_t heygen_remove(const struct fg_host *h, struct fg_step *s);
int32_t heygen_account(const struct fg_host *h, struct fg_step *s);
int32_t heygen_upload(const struct fg_host *h, struct fg_step *s);
int32_t heygen_catalogue(const struct fg_host *h, struct fg_step *s);
int32_t heygen_reconcile(const struct fg_host *h, struct fg_step *s);
/* What is wrong with the provider's options; NULL: nothing. */
const char *heygen_complaint(const struct fg_host *h, struct fg_step *s);
int32_t heygen_check(const struct fg_host *h, struct fg_step *s);
int32_t heygen_list(const struct fg_host *h, struct fg_step *s);
int32_t heygen_webhook(const struct fg_host *h, struct fg_step *s);
int32_t heygen_subscribe(const struct fg_host *h, struct fg_step *s);

static inline int heygen_is_same_text(struct fg_text a, struct fg_text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* What an order says, member by member, into the body of its submit; title and extras are not theirs. */
void heygen_put_speech(const struct fg_host *h, struct fg_step *s, fg_node body);
void heygen_put_cinematic(const struct fg_host *h, struct fg_step *s, fg_node body);
void heygen_put_generation(const struct fg_host *h, struct fg_step *s, fg_node body);
/* A job whose inputs no mode of the generating model takes, though the manifest let it through: why; else NULL. */
const char *heygen_refuse_generation(const struct fg_host *h, struct fg_step *s);
/* {"type": "url", …} or {"type": "asset_id", …} of one of the job's media; absent for an absent one. */
fg_node heygen_asset(const struct fg_host *h, struct fg_step *s, fg_node media);

/* One of the job's media as a URL at one place of @out, or as an asset id at another; an absent one as nothing. */
void heygen_put_source(const struct fg_host *h, struct fg_step *s, fg_node out, const char *url, const char *asset_id,
		       fg_node media);

/* What went wrong, in the plugin boundary's words and in HeyGen's. */
struct heygen_problem {
	uint32_t reason; /* FG_REASON_… */
	uint32_t bought; /* FG_BOUGHT_…, of a reply to a submit */
	struct fg_text code;
	struct fg_text message;
	const char *field; /* pointer into the job document, or NULL */
};

/* Why a reply is not what its exchange asked for: by HeyGen's code, else by the HTTP status. */
struct heygen_problem heygen_problem_of_reply(const struct fg_host *h, struct fg_step *s);
/* Why a video failed: @data is the poll's answer with the status "failed". Never a throttle. */
struct heygen_problem heygen_problem_of_video(const struct fg_host *h, struct fg_step *s, fg_node data);
/* ---- the list of videos (list.c) ---- */

#define HEYGEN_LIST_PAGE 100 /* the most that it takes */

/* Asks for a page: of the videos whose title has @title in it, behind @token. Either may be absent. */
int32_t heygen_ask_videos(const struct fg_host *h, struct fg_step *s, fg_node title, fg_node token);
/* Is the reply a page of it? */
int heygen_is_page(const struct fg_host *h, struct fg_step *s);
/* Or does it say that there is no such list? @problem: what the reply says. */
int heygen_has_no_list(const struct fg_host *h, struct fg_step *s, const struct heygen_problem *problem);

/* Answers a verb other than start and poll: the request was refused, or could not be served now. */
int32_t heygen_answer_problem(const struct fg_host *h, struct fg_step *s, const struct heygen_problem *problem);

#endif
