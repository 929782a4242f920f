/*
 * Every limit of the daemon that is not configuration, by name. Each has a test at the limit.
 */
#ifndef FG_BASE_LIMITS_H
#define FG_BASE_LIMITS_H

/* base: log */
#define LIMIT_LOG_VALUE 1024 /* bytes of one value; longer ones are cut */
#define LIMIT_LOG_LINE 16384 /* bytes of one line */

/* room: base, JSON */
#define LIMIT_JSON_DEPTH 64          /* values inside values, the outermost is 1 */
#define LIMIT_JSON_NODES 262144      /* values of one arena */
#define LIMIT_JSON_BYTES 33554432    /* bytes of the texts, numbers and names of one arena */
#define LIMIT_JSON_POINTER_TOKEN 512 /* bytes of one step of a JSON Pointer */

/* room: plugin */
#define LIMIT_PLUGIN_URL 8192                   /* bytes of a URL */
#define LIMIT_PLUGIN_URL 8192                   /* bytes of a URL */
#define LIMIT_PLUGIN_URL_NAME 128               /* bytes of a {name} in a path */
#define LIMIT_PLUGIN_TEXT 1048576               /* bytes of one text that a plugin makes */
#define LIMIT_PLUGIN_BODY 8388608               /* bytes of a request's body */
#define LIMIT_PLUGIN_BODY_TEXT 65536            /* bytes that a plugin sees of a reply that is not JSON */
#define LIMIT_PLUGIN_HEADERS 64                 /* of one request */
#define LIMIT_PLUGIN_HEADER_VALUE 8192          /* bytes */
#define LIMIT_PLUGIN_STATE 65536                /* bytes of a job's state as JSON */
#define LIMIT_PLUGIN_REPORT 1048576             /* bytes of a report as JSON */
#define LIMIT_PLUGIN_NOTES 64                   /* of one step */
#define LIMIT_PLUGIN_WORD 255                   /* bytes kept of a code, a status, a role */
#define LIMIT_PLUGIN_WORDS 4096                 /* bytes kept of a message, a remote id, a header */
#define LIMIT_PLUGIN_REMOTES 256                /* of one answer */
#define LIMIT_PLUGIN_OUTPUTS 256                /* of one answer */
#define LIMIT_PLUGIN_WAIT_MS INT64_C(604800000) /* a week: the longest wait that a plugin may ask for */
#define LIMIT_PLUGIN_TIMEOUT_MS 3600000         /* the longest time-out that a plugin may ask for */
#define LIMIT_PLUGIN_SECRET 8192                /* bytes of a secret */
#define LIMIT_PLUGIN_TABLE 4096                 /* bytes of a structure that a plugin hands over */
#define LIMIT_PLUGIN_MANIFEST 262144            /* bytes */
#define LIMIT_PLUGIN_URL 8192                   /* bytes of a URL */
/* room: job */
#define LIMIT_JOB_VIOLATIONS 32 /* of one order; more are counted as "there were more" */
#define LIMIT_JOB_MANIFEST_BYTES 262144
#define LIMIT_JOB_MODELS 64                /* of one manifest */
#define LIMIT_JOB_PARAMETERS_BYTES 1048576 /* of one order, as JSON */
#define LIMIT_JOB_PARAMETERS_NODES 16384
#define LIMIT_JOB_MEDIA 32 /* inputs of one order */
#define LIMIT_JOB_MEDIA_URL 4096
#define LIMIT_JOB_MEDIA_HANDLE 1024
#define LIMIT_JOB_EXTRAS_BYTES 65536            /* as JSON */
#define LIMIT_JOB_EXTRAS_DEPTH 32               /* values inside values, the extras themselves are 1 */
#define LIMIT_PLUGIN_URL_NAME 128               /* bytes of a {name} in a path */
#define LIMIT_PLUGIN_TEXT 1048576               /* bytes of one text that a plugin makes */
#define LIMIT_PLUGIN_BODY 8388608               /* bytes of a request's body */
#define LIMIT_PLUGIN_BODY_TEXT 65536            /* bytes that a plugin sees of a reply that is not JSON */
#define LIMIT_PLUGIN_HEADERS 64                 /* of one request */
#define LIMIT_PLUGIN_HEADER_VALUE 8192          /* bytes */
#define LIMIT_PLUGIN_STATE 65536                /* bytes of a job's state as JSON */
#define LIMIT_PLUGIN_REPORT 1048576             /* bytes of a report as JSON */
#define LIMIT_PLUGIN_NOTES 64                   /* of one step */
#define LIMIT_PLUGIN_WORD 255                   /* bytes kept of a code, a status, a role */
#define LIMIT_PLUGIN_WORDS 4096                 /* bytes kept of a message, a remote id, a header */
#define LIMIT_PLUGIN_REMOTES 256                /* of one answer */
#define LIMIT_PLUGIN_OUTPUTS 256                /* of one answer */
#define LIMIT_PLUGIN_WAIT_MS INT64_C(604800000) /* a week: the longest wait that a plugin may ask for */
#define LIMIT_PLUGIN_TIMEOUT_MS 3600000         /* the longest time-out that a plugin may ask for */
#define LIMIT_PLUGIN_SECRET 8192                /* bytes of a secret */
#define LIMIT_PLUGIN_TABLE 4096                 /* bytes of a structure that a plugin hands over */
#define LIMIT_PLUGIN_MANIFEST 262144            /* bytes */
/* room: config */
#define LIMIT_CONFIG_BYTES (1 << 20) /* of the file */
#define LIMIT_CONFIG_LINES 65535     /* of the file: libconfig counts no further */
#define LIMIT_CONFIG_REPORT 65536    /* bytes of a report; what comes later is only counted */
#define LIMIT_CONFIG_WORDS 1024      /* bytes of one message */
#define LIMIT_CONFIG_TEXT 4095       /* bytes of one text of an array */
#define LIMIT_CONFIG_PROVIDERS 256
#define LIMIT_CONFIG_SECRETS 16                 /* of one provider */
#define LIMIT_CONFIG_SECRET 16384               /* bytes of one */
#define LIMIT_CONFIG_FREE 64                    /* members of a provider's free group */
#define LIMIT_PLUGIN_URL 8192                   /* bytes of a URL */
#define LIMIT_PLUGIN_URL_NAME 128               /* bytes of a {name} in a path */
#define LIMIT_PLUGIN_TEXT 1048576               /* bytes of one text that a plugin makes */
#define LIMIT_PLUGIN_BODY 8388608               /* bytes of a request's body */
#define LIMIT_PLUGIN_BODY_TEXT 65536            /* bytes that a plugin sees of a reply that is not JSON */
#define LIMIT_PLUGIN_HEADERS 64                 /* of one request */
#define LIMIT_PLUGIN_HEADER_VALUE 8192          /* bytes */
#define LIMIT_PLUGIN_STATE 65536                /* bytes of a job's state as JSON */
#define LIMIT_PLUGIN_REPORT 1048576             /* bytes of a report as JSON */
#define LIMIT_PLUGIN_NOTES 64                   /* of one step */
#define LIMIT_PLUGIN_WORD 255                   /* bytes kept of a code, a status, a role */
#define LIMIT_PLUGIN_WORDS 4096                 /* bytes kept of a message, a remote id, a header */
#define LIMIT_PLUGIN_REMOTES 256                /* of one answer */
#define LIMIT_PLUGIN_OUTPUTS 256                /* of one answer */
#define LIMIT_PLUGIN_WAIT_MS INT64_C(604800000) /* a week: the longest wait that a plugin may ask for */
#define LIMIT_PLUGIN_TIMEOUT_MS 3600000         /* the longest time-out that a plugin may ask for */
#define LIMIT_PLUGIN_SECRET 8192                /* bytes of a secret */
#define LIMIT_PLUGIN_TABLE 4096                 /* bytes of a structure that a plugin hands over */
#define LIMIT_PLUGIN_MANIFEST 262144            /* bytes */
#define LIMIT_PLUGIN_VIOLATIONS 64              /* reported for one order */

#endif
