/*
 * The commands, one file each. Every one reads cli->arguments, writes data to standard output and everything else to
 * standard error.
 */
#ifndef FG_CLI_COMMANDS_H
#define FG_CLI_COMMANDS_H

#include "exit.h"

struct cli;

enum exit_code command_submit(struct cli *cli);
enum exit_code command_get(struct cli *cli);
enum exit_code command_list(struct cli *cli);
enum exit_code command_watch(struct cli *cli);
enum exit_code command_wait(struct cli *cli);
enum exit_code command_cancel(struct cli *cli);
enum exit_code command_retry(struct cli *cli);
enum exit_code command_resolve(struct cli *cli);
enum exit_code command_backup(struct cli *cli);
enum exit_code command_orphans(struct cli *cli);
enum exit_code command_adopt(struct cli *cli);
enum exit_code command_resume(struct cli *cli);
enum exit_code command_webhooks(struct cli *cli);
enum exit_code command_webhooks_show(struct cli *cli);
enum exit_code command_webhooks_redeliver(struct cli *cli);
enum exit_code command_webhooks_register(struct cli *cli);
enum exit_code command_webhooks_unregister(struct cli *cli);
enum exit_code command_webhooks_registered(struct cli *cli);
enum exit_code command_update(struct cli *cli);
enum exit_code command_delete(struct cli *cli);
enum exit_code command_download(struct cli *cli);
enum exit_code command_link(struct cli *cli);
enum exit_code command_providers(struct cli *cli);
enum exit_code command_providers_get(struct cli *cli);
enum exit_code command_providers_check(struct cli *cli);
enum exit_code command_usage(struct cli *cli);
enum exit_code command_ledger(struct cli *cli);
enum exit_code command_assets(struct cli *cli);
enum exit_code command_assets_upload(struct cli *cli);
enum exit_code command_assets_get(struct cli *cli);
enum exit_code command_assets_delete(struct cli *cli);
enum exit_code command_plugin(struct cli *cli);
enum exit_code command_plugin_new(struct cli *cli);
enum exit_code command_plugin_inspect(struct cli *cli);
enum exit_code command_plugin_check(struct cli *cli);
enum exit_code command_plugin_embed(struct cli *cli);
enum exit_code command_catalog(struct cli *cli);
enum exit_code command_completion(struct cli *cli);
enum exit_code command_version(struct cli *cli);
enum exit_code command_help(struct cli *cli);

#endif
