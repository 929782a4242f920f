/*
 * Calls that have no place in this tree, made into compile errors. Force-included into every file of ours. Each has
 * a bounded or explicit replacement: snprintf, memcpy with a checked length, strtoll with its end pointer, *_r forms.
 */
#ifndef FG_BASE_BANNED_H
#define FG_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll atof
#pragma GCC poison gmtime localtime ctime asctime

#endif
