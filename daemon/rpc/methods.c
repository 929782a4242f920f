#include "rpc/methods.h"

#include <filmgate/v1/artifact_service.pb-c.h>
#include <filmgate/v1/asset_service.pb-c.h>
#include <filmgate/v1/backup_service.pb-c.h>
#include <filmgate/v1/job_service.pb-c.h>
#include <filmgate/v1/orphan_service.pb-c.h>
#include <filmgate/v1/provider_service.pb-c.h>
#include <filmgate/v1/usage_service.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>
#include <grpc/reflection/v1alpha/reflection.pb-c.h>

/* Slots kept posted: 16 where calls come in numbers, few elsewhere, since gRPC looks through all of them each time. */
#define HOT 16
#define WARM 4
#define COLD 2

#define UNARY(method, request, slots, handler)                                         \
	{                                                                              \
		"/" method, METHOD_UNARY, slots, &request##__descriptor, handler, NULL \
	}
#define SERVER_STREAM(method, request, slots, handler)                                         \
	{                                                                                      \
		"/" method, METHOD_SERVER_STREAM, slots, &request##__descriptor, NULL, handler \
	}
#define BIDI(method, request, slots, handler)                                         \
	{                                                                             \
		"/" method, METHOD_BIDI, slots, &request##__descriptor, NULL, handler \
	}

#define JOBS "filmgate.v1.JobService/"
#define ARTIFACTS "filmgate.v1.ArtifactService/"
#define ASSETS "filmgate.v1.AssetService/"
#define PROVIDERS "filmgate.v1.ProviderService/"
#define USAGE "filmgate.v1.UsageService/"
#define BACKUPS "filmgate.v1.BackupService/"
#define ORPHANS "filmgate.v1.OrphanService/"
#define HEALTH "grpc.health.v1.Health/"
#define REFLECTION "grpc.reflection.v1.ServerReflection/"
#define REFLECTION_ALPHA "grpc.reflection.v1alpha.ServerReflection/"

const struct rpc_method rpc_methods[] = {
	UNARY(JOBS "CreateJob", filmgate__v1__create_job_request, HOT, handle_create_job),
	UNARY(JOBS "GetJob", filmgate__v1__get_job_request, HOT, handle_get_job),
	UNARY(JOBS "ListJobs", filmgate__v1__list_jobs_request, WARM, handle_list_jobs),
	UNARY(JOBS "UpdateJob", filmgate__v1__update_job_request, COLD, handle_update_job),
	UNARY(JOBS "CancelJob", filmgate__v1__cancel_job_request, COLD, handle_cancel_job),
	UNARY(JOBS "RetryJob", filmgate__v1__retry_job_request, COLD, handle_retry_job),
	UNARY(JOBS "ResolveJob", filmgate__v1__resolve_job_request, COLD, handle_resolve_job),
	UNARY(JOBS "ResumeJob", filmgate__v1__resume_job_request, COLD, handle_resume_job),
	UNARY(JOBS "DeleteJob", filmgate__v1__delete_job_request, COLD, handle_delete_job),
	SERVER_STREAM(JOBS "WatchJob", filmgate__v1__watch_job_request, WARM, handle_watch_job),
	SERVER_STREAM(JOBS "WatchJobs", filmgate__v1__watch_jobs_request, WARM, handle_watch_jobs),

	UNARY(ARTIFACTS "GetArtifact", filmgate__v1__get_artifact_request, COLD, handle_get_artifact),
	SERVER_STREAM(ARTIFACTS "ReadArtifact", filmgate__v1__read_artifact_request, WARM, handle_read_artifact),

	BIDI(ASSETS "UploadAsset", filmgate__v1__upload_asset_request, COLD, handle_upload_asset),
	UNARY(ASSETS "GetAsset", filmgate__v1__get_asset_request, COLD, handle_get_asset),
	UNARY(ASSETS "ListAssets", filmgate__v1__list_assets_request, COLD, handle_list_assets),
	UNARY(ASSETS "DeleteAsset", filmgate__v1__delete_asset_request, COLD, handle_delete_asset),

	UNARY(PROVIDERS "ListProviders", filmgate__v1__list_providers_request, COLD, handle_list_providers),
	UNARY(PROVIDERS "GetProvider", filmgate__v1__get_provider_request, COLD, handle_get_provider),
	UNARY(PROVIDERS "CheckProvider", filmgate__v1__check_provider_request, COLD, handle_check_provider),
	UNARY(PROVIDERS "ListCatalogEntries", filmgate__v1__list_catalog_entries_request, COLD,
	      handle_list_catalog_entries),

	UNARY(USAGE "GetUsage", filmgate__v1__get_usage_request, COLD, handle_get_usage),
	UNARY(USAGE "ListLedgerEntries", filmgate__v1__list_ledger_entries_request, COLD, handle_list_ledger_entries),
	UNARY(USAGE "CheckLedger", filmgate__v1__check_ledger_request, COLD, handle_check_ledger),

	UNARY(BACKUPS "CreateBackup", filmgate__v1__create_backup_request, COLD, handle_create_backup),

	UNARY(ORPHANS "ListOrphans", filmgate__v1__list_orphans_request, COLD, handle_list_orphans),
	UNARY(ORPHANS "AdoptVideo", filmgate__v1__adopt_video_request, COLD, handle_adopt_video),

	UNARY(HEALTH "Check", grpc__health__v1__health_check_request, COLD, handle_health_check),
	SERVER_STREAM(HEALTH "Watch", grpc__health__v1__health_check_request, COLD, handle_health_watch),
	/* Both versions have the same messages. */
	BIDI(REFLECTION "ServerReflectionInfo", grpc__reflection__v1__server_reflection_request, COLD,
	     handle_reflection),
	BIDI(REFLECTION_ALPHA "ServerReflectionInfo", grpc__reflection__v1__server_reflection_request, COLD,
	     handle_reflection),
};
const size_t rpc_methods_count = sizeof(rpc_methods) / sizeof(rpc_methods[0]);
