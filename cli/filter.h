/*
 * --state, --provider, --model, --label and --since as the contract's JobFilter.
 */
#ifndef FG_CLI_FILTER_H
#define FG_CLI_FILTER_H

#include "cli.h"

#include <filmgate/v1/job_service.pb-c.h>

/* EXIT_OK and a heap message, or another code, said. */
enum exit_code filter_build(struct cli *cli, Filmgate__V1__JobFilter **ret);
void filter_freep(Filmgate__V1__JobFilter **filter);

#endif
