/*
 * Which paths there are, and who answers each.
 */
#ifndef FG_WEB_ROUTES_H
#define FG_WEB_ROUTES_H

#include "web/exchange.h"

/* NULL: there is none. */
const struct route *route_find(const char *path);
/* "/livez, /readyz, …" */
const char *route_words(void);

#define PAGE_PATH "/ui/"

/* page.c */
void run_page(struct exchange *exchange);
void run_page_file(struct exchange *exchange);
/* uploads.c */
void run_upload(struct exchange *exchange);
/* pages.c */
void run_life(struct exchange *exchange);
void run_readiness(struct exchange *exchange);
void run_metrics(struct exchange *exchange);
/* connect.c */
void run_connect(struct exchange *exchange);
/* events.c */
void run_events(struct exchange *exchange);
void run_job_events(struct exchange *exchange);
/* hints.c */
void run_hint(struct exchange *exchange);
/* files.c */
void run_artifact(struct exchange *exchange);
void run_link(struct exchange *exchange);
void run_job_artifact(struct exchange *exchange);
/* videos.c */
void run_videos(struct exchange *exchange);
void run_video(struct exchange *exchange);

#endif
