/*
 * Every limit of the daemon that is not configuration, by name. Each has a test at the limit.
 */
#ifndef FG_BASE_LIMITS_H
#define FG_BASE_LIMITS_H

#include <stdint.h>

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

/* room: http */
#define LIMIT_HTTP_URL 16384 /* bytes */
#define LIMIT_HTTP_REQUEST_HEADERS 64
#define LIMIT_HTTP_REQUEST_HEADER 16384 /* bytes of one name and value */
#define LIMIT_HTTP_REQUEST_BODY (UINT64_C(256) << 20)
#define LIMIT_HTTP_REPLY_HEADERS 256 /* lines, those of 1xx replies and trailers included */
#define LIMIT_HTTP_REPLY_HEADER_BYTES 65536
#define LIMIT_HTTP_REPLY_BODY (UINT64_C(8) << 20) /* bytes in memory */
#define LIMIT_HTTP_TIMEOUT_MS (INT64_C(6) * 3600 * 1000)
#define LIMIT_HTTP_IDLE_BYTES 1024 /* fewer in one idle time-out are no progress */
#define LIMIT_HTTP_RETRY_AFTER_MS (INT64_C(24) * 3600 * 1000)
#define LIMIT_HTTP_EXCHANGES 256
#define LIMIT_HTTP_LONG_POLLS 256
#define LIMIT_HTTP_TRANSFERS 8
#define LIMIT_HTTP_WAITING 100000 /* requests that wait for their lane, all lanes */
#define LIMIT_HTTP_IDLE_CONNECTIONS 64 /* kept for reuse, per loop */

#endif
