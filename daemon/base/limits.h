/*
 * Every limit of the daemon that is not configuration, by name. Each has a test at the limit.
 */
#ifndef FG_BASE_LIMITS_H
#define FG_BASE_LIMITS_H

/* base: log */
#define LIMIT_LOG_VALUE 1024 /* bytes of one value; longer ones are cut */
#define LIMIT_LOG_LINE 16384 /* bytes of one line */

/* room: base, JSON */
#define LIMIT_JSON_DEPTH 64 /* values inside values, the outermost is 1 */
#define LIMIT_JSON_NODES 262144 /* values of one arena */
#define LIMIT_JSON_BYTES 33554432 /* bytes of the texts, numbers and names of one arena */
#define LIMIT_JSON_POINTER_TOKEN 512 /* bytes of one step of a JSON Pointer */

/* room: plugin */
#define LIMIT_PLUGIN_URL 8192 /* bytes of a URL */

#endif
