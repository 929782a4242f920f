/*
 * Uploads that wait for a client that says nothing.
 */
#ifndef FG_RPC_UPLOAD_H
#define FG_RPC_UPLOAD_H

struct rpc_server;

/* Ends those that have waited too long. About once a second. [any-thread] */
void upload_tick(struct rpc_server *server);

#endif
