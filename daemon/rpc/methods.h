/*
 * What this door alone serves: standard health and reflection.
 */
#ifndef FG_RPC_METHODS_H
#define FG_RPC_METHODS_H

#include "api/stream.h"

extern const struct method rpc_methods[];
extern const size_t rpc_methods_count;

/* health.c */
void handle_health_check(struct call *call, const void *request);
void handle_health_watch(struct stream *stream, const void *request);
/* reflection.c */
void handle_reflection(struct stream *stream, const void *request);

#endif
