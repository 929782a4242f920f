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
/* room: sim */
#define LIMIT_SIM_GENERATIONS 100000 /* videos in memory; the oldest is forgotten */
#define LIMIT_SIM_REPLAYS 100000 /* idempotency keys in memory; the oldest is forgotten */
#define LIMIT_SIM_REQUESTS 5000 /* rows of /_sim/requests; the oldest is forgotten */
#define LIMIT_SIM_FAULTS 1000 /* rules at a time */
#define LIMIT_SIM_FIELDS 100 /* headers of one request, and query arguments; 400 */
#define LIMIT_SIM_HEAD 65536 /* bytes of a request line with its headers, and of a connection's memory */
#define LIMIT_SIM_CONNECTIONS 2048 /* per listener; further ones wait in the backlog */
#define LIMIT_SIM_RAW_CONNECTIONS 1024 /* taken by faults; further ones are closed at once */
#define LIMIT_SIM_IDLE_S 120 /* seconds until an idle connection is closed */
#define LIMIT_SIM_CHILDREN 64 /* ffmpeg processes that --render-jobs may ask for */
#define LIMIT_SIM_SCRIPT 5000 /* characters, as HeyGen documents */
#define LIMIT_SIM_DELAY_MS 86400000 /* of a fault */
#define LIMIT_SIM_NOT_A_VIDEO 67108864 /* bytes of rubbish that a fault may ask for */

#endif
