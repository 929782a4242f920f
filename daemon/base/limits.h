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
/* room: store */
#define LIMIT_STORE_BATCH_COMMITS 256		    /* commits in one synced write */
#define LIMIT_STORE_BATCH_BYTES (1024 * 1024)	    /* of commits in one synced write; one larger commit goes alone */
#define LIMIT_STORE_COMMIT_BYTES (16 * 1024 * 1024) /* of one commit: -EMSGSIZE beyond */
#define LIMIT_STORE_COMMIT_JOBS 4		    /* jobs that one commit may touch: -E2BIG beyond */
#define LIMIT_STORE_REQUEST_ID 256		    /* bytes of a request id: -EMSGSIZE beyond */
#define LIMIT_STORE_PROVIDER 128		    /* bytes of a provider's id: -EMSGSIZE beyond */
#define LIMIT_STORE_PAGE 1000			    /* jobs, events or queue entries that one read returns */
#define LIMIT_STORE_LIST_SCAN 10000		    /* jobs that one list call looks at */
#define LIMIT_STORE_WAKE_SCAN 4096		    /* due jobs that one queue scan sorts by priority */
#define LIMIT_STORE_TRIM 2000			    /* events, and request ids, dropped between two batches */
#define LIMIT_STORE_READERS 2			    /* reader threads */

#endif
