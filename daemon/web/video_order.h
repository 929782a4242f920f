/*
 * What clients of the /v1/videos shape order, and the order in our own words that it becomes. Pure.
 *
 * Their words are few: a prompt, a model, seconds, a size, a reference. What a model of ours calls these stands in its
 * plugin's manifest; everything else goes in "parameters", which are our own.
 */
#ifndef FG_WEB_VIDEO_ORDER_H
#define FG_WEB_VIDEO_ORDER_H

#include "api/arena.h"
#include "base/bytes.h"
#include "web/form.h"
#include "web/guard.h"

#include <filmgate/v1/job_service.pb-c.h>

/* All texts NULL where nothing was said; in the arena, but for the file. */
struct video_order {
	const char *prompt, *model, *seconds, *size;
	const char *reference_url, *reference_id; /* at most one of them and the file */
	const char *parameters;                   /* filmgate.v1.JobParameters as JSON */
	struct buffer file;
	const char *file_name, *file_type;
	/* Of `model`, in which an alias has been followed. */
	const char *provider, *provider_model;
};

/* Why an order cannot be made. */
struct video_fault {
	const char *param; /* the client's name of the field; static */
	char text[512];
};

enum {
	_VIDEO_E_OK,
	VIDEO_E_INVALID, /* the fault says why */
};

/* VIDEO_E_INVALID. */
__attribute__((format(printf, 3, 4))) int video_refuse(struct video_fault *fault, const char *param, const char *format,
						       ...);

/* 0, VIDEO_E_INVALID or -ENOMEM; video_order_finish() always. A file is taken out of the form. */
int video_order_of_form(struct form *form, struct arena *arena, struct video_order *ret, struct video_fault *fault);
int video_order_of_json(struct bytes body, struct arena *arena, struct video_order *ret, struct video_fault *fault);
void video_order_finish(struct video_order *order);

/* @aliases: "NAME=PROVIDER/MODEL" each. */
int video_order_find_model(struct video_order *order, const struct guard_list *aliases, struct arena *arena,
			   struct video_fault *fault);

/* @manifest: of the provider's plugin, JSON. @asset: the file's, "assets/…", or NULL. In the arena. */
int video_order_write(const struct video_order *order, const char *manifest, const char *asset, struct arena *arena,
		      Filmgate__V1__CreateJobRequest *ret, struct video_fault *fault);

#endif
