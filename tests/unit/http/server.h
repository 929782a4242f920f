/*
 * A server of raw sockets on loopback, one thread a connection, that does exactly what a test scripts and counts what
 * it saw: the truth about how often a request arrived.
 */
#ifndef FG_TEST_HTTP_SERVER_H
#define FG_TEST_HTTP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_CONNECTIONS 600
#define SERVER_REQUEST_SIZE 8192

struct server;

struct connection {
	struct server *server;
	int fd;
	int number; /* from 1, in order of acceptance */
	pthread_t thread;
	bool is_over;
	char request[SERVER_REQUEST_SIZE]; /* the head of the last request read, NUL-terminated */
	size_t body_bytes;                 /* of it */
};

/* One connection, closed by the server when this returns. */
typedef void (*serve_fn)(struct connection *connection);

struct server {
	serve_fn serve;
	const void *script; /* for the test */
	int listener;
	int stop_fd;
	int port;
	pthread_t thread;
	atomic_int connections;
	atomic_int requests; /* read to the last byte of their body */
	atomic_int paid;     /* of them, POSTs */
	pthread_mutex_t lock;
	char last_request[SERVER_REQUEST_SIZE];
	struct connection *all[SERVER_CONNECTIONS];
};

/* @address is "127.0.0.1" or "::1". */
void server_start_at(struct server *server, const char *address, serve_fn serve, const void *script);
void server_start(struct server *server, serve_fn serve, const void *script);
void server_stop(struct server *server);

/* Reads one request whole; false when the client closed or the server stops. */
bool connection_read_request(struct connection *connection);
/* Bytes as they come; 0 at the end. */
size_t connection_read(struct connection *connection, void *data, size_t size);
void connection_write(struct connection *connection, const void *data, size_t len);
__attribute__((format(printf, 2, 3))) void connection_say(struct connection *connection, const char *format, ...);
/* Waits until the client closes, the server stops, or @wait_ms have passed. True when time passed. */
bool connection_pause(struct connection *connection, int wait_ms);
/* Makes the close a reset. */
void connection_reset(struct connection *connection);

#endif
