/*
 * Releases a jansson value at the end of its scope.
 */
#ifndef FG_SIM_JSON_H
#define FG_SIM_JSON_H

#include <jansson.h>

static inline void sim_json_freep(json_t **json)
{
	json_decref(*json);
}

#endif
