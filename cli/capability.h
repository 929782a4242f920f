/*
 * A provider's capability document as help for a person: per model its parameters, extras, media, rules and price.
 */
#ifndef FG_CLI_CAPABILITY_H
#define FG_CLI_CAPABILITY_H

#include "exit.h"

#include <filmgate/v1/provider.pb-c.h>

/* Of one model (EXIT_NOT_FOUND, said, if there is none of that id) or, with NULL, of all. */
enum exit_code capability_print(const Filmgate__V1__Provider *provider, const char *model);

#endif
