/*
 * Where orders go. One provider's base URL may be written in several ways, and what was ordered under one spelling lies
 * beside what was ordered under another. Pure; any thread.
 */
#ifndef FG_JOB_PLACE_H
#define FG_JOB_PLACE_H

#include "base/digest.h"

/*
 * Names the place of @base_url, an http or https URL without user name, query and fragment: the same for other letters'
 * case in scheme and host, for a port that is said or left out, for a dot behind the host, and for slashes at the end.
 *
 * The account is no part of it: two keys may be one account's, whose list shows the orders of both.
 *
 * 0 or -ENOMEM.
 */
int job_place_of(const char *base_url, struct digest *ret);

#endif
