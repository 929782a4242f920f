/*
 * uthash with a hash function that clang accepts: the usual one falls through switch labels without saying so.
 */
#ifndef FG_SIM_TABLE_H
#define FG_SIM_TABLE_H

#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#endif
