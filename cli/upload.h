/*
 * Giving a file of this machine to the daemon.
 */
#ifndef FG_CLI_UPLOAD_H
#define FG_CLI_UPLOAD_H

#include "cli.h"

#include <filmgate/v1/asset_service.pb-c.h>

/* What can be told apart without asking anybody: does @source mean a file here? One that begins with "/", "./" or "../"
 * does, and so does one that is there. */
bool upload_is_file(const char *source);
/* Is it no file, no address and no URI, and yet ends like a picture, a video or a sound? Then a name was misspelt. */
bool upload_is_misspelt(const char *source);

/*
 * The asset of a file's content: asked for by its SHA-256 first, and sent only when it is not there. @display_name
 * NULL: the file's own. EXIT_OK and a reply that the caller frees, or a code, said.
 */
enum exit_code upload_file(struct cli *cli, const char *path, const char *display_name,
			   Filmgate__V1__UploadAssetResponse **ret);
/* The asset of that name. As above. */
enum exit_code upload_get(struct cli *cli, const char *name, Filmgate__V1__GetAssetResponse **ret);

#endif
