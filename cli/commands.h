/*
 * The commands, one file each. Every one reads cli->arguments, writes data to standard output and everything else to
 * standard error, and returns an enum exit_code.
 */
#ifndef FG_CLI_COMMANDS_H
#define FG_CLI_COMMANDS_H

struct cli;

int command_submit(struct cli *cli);
int command_get(struct cli *cli);
int command_list(struct cli *cli);
int command_watch(struct cli *cli);
int command_wait(struct cli *cli);
int command_cancel(struct cli *cli);
int command_retry(struct cli *cli);
int command_update(struct cli *cli);
int command_delete(struct cli *cli);
int command_download(struct cli *cli);
int command_providers(struct cli *cli);
int command_providers_get(struct cli *cli);
int command_providers_check(struct cli *cli);
int command_completion(struct cli *cli);
int command_version(struct cli *cli);
int command_help(struct cli *cli);

#endif
