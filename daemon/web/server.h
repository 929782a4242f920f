/*
 * libmicrohttpd, driven from outside: the web's thread gives it a turn when server_fd() or desk_fd() is readable, or the
 * time that the last turn named has passed. Everything here runs on that thread.
 */
#ifndef FG_WEB_SERVER_H
#define FG_WEB_SERVER_H

#include "web/exchange.h"

struct server;

/* Takes @listen_fd, always. @config and @desk are borrowed until server_free(). */
int server_new(const struct web_config *config, struct desk *desk, int listen_fd, struct server **ret);
struct server *server_free(struct server *server);
int server_fd(const struct server *server);
/* Tells the streams that the daemon is about to stop. LIMIT_GRACE_MS later all of them are closed. */
void server_drain(struct server *server);
/* Returns the milliseconds until the next turn is due, or -1: none is. */
int64_t server_turn(struct server *server);

#endif
