/*
 * A client for tests: sends and waits, and says what it expects of an outcome.
 */
#ifndef FG_TEST_HTTP_FIXTURE_H
#define FG_TEST_HTTP_FIXTURE_H

#include "http/http.h"
#include "http/server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* An outcome that somebody waits for. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_outcome *outcome;
	int calls;
	uint64_t id;
};

struct http *client_new(const struct http_config *config);

void waiter_init(struct waiter *waiter);
void on_outcome(struct http_outcome *outcome, void *userdata);
/* The outcome, which the caller frees; fails the test after 30 s. */
struct http_outcome *waiter_wait(struct waiter *waiter);
void waiter_send(struct waiter *waiter, struct http *http, const struct http_request *request);

/* Sends, waits, and insists on exactly one call of on_done. */
struct http_outcome *exchange(struct http *http, const struct http_request *request);

/* "http://127.0.0.1:PORT/path", valid until the next call but seven. */
const char *url_of(const struct server *server, const char *path);

/* A GET, or a paid POST of 11 bytes, that may go to loopback. */
struct http_request get(const struct server *server);
struct http_request paid_post(const struct server *server);

void assert_kind(const struct http_outcome *outcome, enum http_kind kind);
/* Complete, of that status and with that body. */
void assert_reply(const struct http_outcome *outcome, int status, const char *body);

/* An empty file without a name, which the caller closes. */
int new_file(void);
void assert_file(int fd, const char *content);

#endif
