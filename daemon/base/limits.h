/*
 * Every limit of the daemon that is not configuration, by name. Each has a test at the limit.
 */
#ifndef FG_BASE_LIMITS_H
#define FG_BASE_LIMITS_H

/* base: log */
#define LIMIT_LOG_VALUE 1024 /* bytes of one value; longer ones are cut */
#define LIMIT_LOG_LINE 16384 /* bytes of one line */

/* room: config */
#define LIMIT_CONFIG_BYTES (1 << 20) /* of the file */
#define LIMIT_CONFIG_LINES 65535     /* of the file: libconfig counts no further */
#define LIMIT_CONFIG_REPORT 65536    /* bytes of a report; what comes later is only counted */
#define LIMIT_CONFIG_WORDS 1024      /* bytes of one message */
#define LIMIT_CONFIG_TEXT 4095       /* bytes of one text of an array */
#define LIMIT_CONFIG_PROVIDERS 256
#define LIMIT_CONFIG_SECRETS 16   /* of one provider */
#define LIMIT_CONFIG_SECRET 16384 /* bytes of one */
#define LIMIT_CONFIG_FREE 64      /* members of a provider's free group */

#endif
