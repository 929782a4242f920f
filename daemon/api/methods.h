/*
 * The handlers, and the one table that names them all.
 */
#ifndef FG_API_METHODS_H
#define FG_API_METHODS_H

#include "api/stream.h"

extern const struct method api_methods[];
extern const size_t api_methods_count;
/* By "/package.Service/Method"; NULL: there is none. */
const struct method *api_find_method(const char *path);

/* jobs.c, list.c, count.c */
void handle_create_job(struct call *call, const void *request);
void handle_get_job(struct call *call, const void *request);
void handle_list_jobs(struct call *call, const void *request);
void handle_count_jobs(struct call *call, const void *request);
void handle_update_job(struct call *call, const void *request);
void handle_cancel_job(struct call *call, const void *request);
void handle_retry_job(struct call *call, const void *request);
void handle_resolve_job(struct call *call, const void *request);
void handle_resume_job(struct call *call, const void *request);
void handle_delete_job(struct call *call, const void *request);
/* watch.c */
void handle_watch_job(struct stream *stream, const void *request);
void handle_watch_jobs(struct stream *stream, const void *request);
/* artifacts.c */
void handle_get_artifact(struct call *call, const void *request);
void handle_read_artifact(struct stream *stream, const void *request);
/* link.c */
void handle_create_artifact_link(struct call *call, const void *request);
/* assets.c, upload.c */
void handle_get_asset(struct call *call, const void *request);
void handle_list_assets(struct call *call, const void *request);
void handle_delete_asset(struct call *call, const void *request);
void handle_upload_asset(struct stream *stream, const void *request);
/* providers.c */
void handle_list_providers(struct call *call, const void *request);
void handle_get_provider(struct call *call, const void *request);
void handle_check_provider(struct call *call, const void *request);
/* catalog.c */
void handle_list_catalog_entries(struct call *call, const void *request);
/* usage.c */
void handle_get_usage(struct call *call, const void *request);
void handle_list_ledger_entries(struct call *call, const void *request);
void handle_check_ledger(struct call *call, const void *request);
/* backup.c */
void handle_create_backup(struct call *call, const void *request);
/* orphans.c */
void handle_list_orphans(struct call *call, const void *request);
void handle_adopt_video(struct call *call, const void *request);
/* webhooks.c */
void handle_list_deliveries(struct call *call, const void *request);
void handle_get_delivery(struct call *call, const void *request);
void handle_redeliver_delivery(struct call *call, const void *request);
void handle_register_webhook(struct call *call, const void *request);
void handle_unregister_webhook(struct call *call, const void *request);
void handle_list_registrations(struct call *call, const void *request);

#endif
