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
/* room: rpc */
#define LIMIT_RPC_MESSAGE (4 * 1024 * 1024)          /* bytes of one request, and of one reply */
#define LIMIT_RPC_METADATA 8192                      /* bytes of a call's request metadata */
#define LIMIT_RPC_DEPTH 100                          /* nesting of a request */
#define LIMIT_RPC_FIELDS 65536                       /* fields of a request, counting every element */
#define LIMIT_RPC_ARENA (32 * 1024 * 1024)           /* bytes that one request may unfold to */
#define LIMIT_RPC_CALLS 4096                         /* unary calls in hand; more are refused */
#define LIMIT_RPC_BYTES_IN_HAND (128 * 1024 * 1024)  /* of their requests; more are refused */
#define LIMIT_RPC_MEMORY ((size_t)512 * 1024 * 1024) /* bytes that libgrpc may hold for all connections */
#define LIMIT_RPC_CONNECTIONS 4096
#define LIMIT_RPC_CONNECTION_STREAMS 4096 /* calls at once on one connection */
#define LIMIT_RPC_STREAMS 16384           /* open watches and reads in all; more are refused */
#define LIMIT_RPC_FIFO 64                 /* events that wait for one watcher */
#define LIMIT_RPC_CHUNK (256 * 1024)      /* bytes of an artifact in one message */
#define LIMIT_RPC_STATUS_TEXT 512         /* bytes of an error's message */
#define LIMIT_RPC_STATUS_DETAILS 4096     /* bytes of an error's details: clients take 8 KiB of trailers, encoded */
#define LIMIT_RPC_TOKEN 255               /* characters of a page or resume token */
#define LIMIT_RPC_PAGE 1000               /* jobs on a page */
#define LIMIT_RPC_PAGE_DEFAULT 50
#define LIMIT_RPC_ATTEMPTS 16 /* newest attempts, and sends of each, that are shown */

#endif
