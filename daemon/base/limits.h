/*
 * Every limit of the daemon that is not configuration, by name. Each has a test at the limit.
 */
#ifndef FG_BASE_LIMITS_H
#define FG_BASE_LIMITS_H

/* base: log */
#define LIMIT_LOG_VALUE 1024 /* bytes of one value; longer ones are cut */
#define LIMIT_LOG_LINE 16384 /* bytes of one line */

#endif
