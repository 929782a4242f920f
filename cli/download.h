/*
 * Fetching stored files: resumed, checked by size and SHA-256, and only then under their name.
 */
#ifndef FG_CLI_DOWNLOAD_H
#define FG_CLI_DOWNLOAD_H

#include "cli.h"

/*
 * Fetches the file of that role (NULL: the video, or the first file if there is none) of a job. @path is a file, a
 * folder, "-" for standard output, or NULL for a name of the job's own in this folder. Says what went wrong.
 */
enum exit_code download_job(struct cli *cli, const char *job, const char *role, const char *path);

#endif
