/*
 * A folder that is read, name by name: closed on every path by _cleanup_(dir_closep).
 */
#ifndef FG_BASE_DIR_H
#define FG_BASE_DIR_H

#include "base/err.h"

#include <dirent.h>

static inline void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#endif
