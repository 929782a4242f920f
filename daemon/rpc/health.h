/*
 * grpc.health.v1: whether the daemon takes jobs. The engine is asked once a second while somebody watches.
 */
#ifndef FG_RPC_HEALTH_H
#define FG_RPC_HEALTH_H

struct health;
struct rpc_server;

int health_new(struct rpc_server *server, struct health **ret);
struct health *health_free(struct health *health); /* after the last stream */
/* Tells watchers what has changed. [any-thread] */
void health_publish(struct health *health);

#endif
