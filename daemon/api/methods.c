#include "api/methods.h"

#include <filmgate/v1/artifact_service.pb-c.h>
#include <filmgate/v1/asset_service.pb-c.h>
#include <filmgate/v1/backup_service.pb-c.h>
#include <filmgate/v1/job_service.pb-c.h>
#include <filmgate/v1/orphan_service.pb-c.h>
#include <filmgate/v1/provider_service.pb-c.h>
#include <filmgate/v1/usage_service.pb-c.h>
#include <filmgate/v1/webhook_service.pb-c.h>

/* Slots kept posted: 16 where calls come in numbers, few elsewhere, since gRPC looks through all of them each time. */
#define HOT 16
#define WARM 4
#define COLD 2

#define UNARY(method, name, slots, handler)                                                   \
	{                                                                                     \
		"/" method, METHOD_UNARY, slots, &filmgate__v1__##name##_request__descriptor, \
			&filmgate__v1__##name##_response__descriptor, handler, NULL           \
	}
#define SERVER_STREAM(method, name, slots, handler)                                                   \
	{                                                                                             \
		"/" method, METHOD_SERVER_STREAM, slots, &filmgate__v1__##name##_request__descriptor, \
			&filmgate__v1__##name##_response__descriptor, NULL, handler                   \
	}
#define BIDI(method, name, slots, handler)                                                   \
	{                                                                                    \
		"/" method, METHOD_BIDI, slots, &filmgate__v1__##name##_request__descriptor, \
			&filmgate__v1__##name##_response__descriptor, NULL, handler          \
	}

#define JOBS "filmgate.v1.JobService/"
#define ARTIFACTS "filmgate.v1.ArtifactService/"
#define ASSETS "filmgate.v1.AssetService/"
#define PROVIDERS "filmgate.v1.ProviderService/"
#define USAGE "filmgate.v1.UsageService/"
#define BACKUPS "filmgate.v1.BackupService/"
#define ORPHANS "filmgate.v1.OrphanService/"
#define WEBHOOKS "filmgate.v1.WebhookService/"

const struct method api_methods[] = {
	UNARY(JOBS "CreateJob", create_job, HOT, handle_create_job),
	UNARY(JOBS "GetJob", get_job, HOT, handle_get_job),
	UNARY(JOBS "ListJobs", list_jobs, WARM, handle_list_jobs),
	UNARY(JOBS "CountJobs", count_jobs, COLD, handle_count_jobs),
	UNARY(JOBS "UpdateJob", update_job, COLD, handle_update_job),
	UNARY(JOBS "CancelJob", cancel_job, COLD, handle_cancel_job),
	UNARY(JOBS "RetryJob", retry_job, COLD, handle_retry_job),
	UNARY(JOBS "ResolveJob", resolve_job, COLD, handle_resolve_job),
	UNARY(JOBS "ResumeJob", resume_job, COLD, handle_resume_job),
	UNARY(JOBS "DeleteJob", delete_job, COLD, handle_delete_job),
	SERVER_STREAM(JOBS "WatchJob", watch_job, WARM, handle_watch_job),
	SERVER_STREAM(JOBS "WatchJobs", watch_jobs, WARM, handle_watch_jobs),

	UNARY(ARTIFACTS "GetArtifact", get_artifact, COLD, handle_get_artifact),
	SERVER_STREAM(ARTIFACTS "ReadArtifact", read_artifact, WARM, handle_read_artifact),
	UNARY(ARTIFACTS "CreateArtifactLink", create_artifact_link, COLD, handle_create_artifact_link),

	BIDI(ASSETS "UploadAsset", upload_asset, COLD, handle_upload_asset),
	UNARY(ASSETS "GetAsset", get_asset, COLD, handle_get_asset),
	UNARY(ASSETS "ListAssets", list_assets, COLD, handle_list_assets),
	UNARY(ASSETS "DeleteAsset", delete_asset, COLD, handle_delete_asset),

	UNARY(PROVIDERS "ListProviders", list_providers, COLD, handle_list_providers),
	UNARY(PROVIDERS "GetProvider", get_provider, COLD, handle_get_provider),
	UNARY(PROVIDERS "CheckProvider", check_provider, COLD, handle_check_provider),
	UNARY(PROVIDERS "ListCatalogEntries", list_catalog_entries, COLD, handle_list_catalog_entries),

	UNARY(USAGE "GetUsage", get_usage, COLD, handle_get_usage),
	UNARY(USAGE "ListLedgerEntries", list_ledger_entries, COLD, handle_list_ledger_entries),
	UNARY(USAGE "CheckLedger", check_ledger, COLD, handle_check_ledger),

	UNARY(BACKUPS "CreateBackup", create_backup, COLD, handle_create_backup),

	UNARY(ORPHANS "ListOrphans", list_orphans, COLD, handle_list_orphans),
	UNARY(ORPHANS "AdoptVideo", adopt_video, COLD, handle_adopt_video),

	UNARY(WEBHOOKS "ListDeliveries", list_deliveries, COLD, handle_list_deliveries),
	UNARY(WEBHOOKS "GetDelivery", get_delivery, COLD, handle_get_delivery),
	UNARY(WEBHOOKS "RedeliverDelivery", redeliver_delivery, COLD, handle_redeliver_delivery),
	UNARY(WEBHOOKS "RegisterWebhook", register_webhook, COLD, handle_register_webhook),
	UNARY(WEBHOOKS "UnregisterWebhook", unregister_webhook, COLD, handle_unregister_webhook),
	UNARY(WEBHOOKS "ListRegistrations", list_registrations, COLD, handle_list_registrations),
};
const size_t api_methods_count = sizeof(api_methods) / sizeof(api_methods[0]);

const struct method *api_find_method(const char *path)
{
	for (size_t i = 0; i < api_methods_count; i++)
		if (strcmp(api_methods[i].path, path) == 0)
			return &api_methods[i];
	return NULL;
}
