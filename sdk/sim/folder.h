/*
 * The data folder: created with its parents, and owned by one simulator at a time.
 */
#ifndef FG_SIM_FOLDER_H
#define FG_SIM_FOLDER_H

#include "base/err.h"

enum {
	_SIM_FOLDER_E_OK,
	SIM_FOLDER_E_REFUSED, /* cannot be made, or is in use: see the message */
};

/* The lock lasts as long as the descriptor. */
int sim_folder_lock(const char *path, struct errmsg *msg, int *ret_fd);

#endif
