/*
 * The HTTP side: a listening port, its connections, and the way of a request to an answer. The only file that talks to
 * libmicrohttpd.
 *
 * One thread, the loop's. A request is complete before it is served. An answer may be late (the connection sleeps
 * without a thread) and may leave the library's hands altogether (raw.h).
 */
#ifndef FG_SIM_SERVER_H
#define FG_SIM_SERVER_H

#include "base/err.h"
#include "sim/raw.h"

/* Inert after sim_answer_init(). */
struct sim_answer {
	struct sim_reply reply;
	struct sim_plan plan;
	bool is_raw;      /* the plan is what happens on the socket; the reply is not sent */
	bool is_refused;  /* HTTP/2: the stream is refused; the reply is not sent */
	int64_t delay_ms; /* before either */
};

void sim_answer_init(struct sim_answer *answer);
void sim_answer_finish(struct sim_answer *answer);

/* Connections get one numbering over all servers that share this. */
struct sim_connection_count {
	uint64_t accepted;
	uint64_t open;
};

struct sim_server_spec {
	struct sim_loop *loop;
	struct sim_raws *raws;
	struct sim_connection_count *connections;
	enum sim_host host;
	const char *listen; /* HOST:PORT, [HOST]:PORT; numeric; port 0 lets the kernel choose */
	size_t body_bytes;  /* larger bodies are answered 413 and not served */
	/* Fills the inert @answer; a negative errno becomes a bare 500. */
	int (*serve)(void *userdata, const struct sim_request *request, struct sim_answer *answer);
	/* Says no in the provider's words: 400 for a malformed request, 413. */
	int (*refuse)(void *userdata, int status, const char *why, struct sim_reply *reply);
	void *userdata;
};

struct sim_server;

/* Listens. @msg says why not. The spec's pointers outlive the server. */
int sim_server_new(const struct sim_server_spec *spec, struct errmsg *msg, struct sim_server **ret);
/* Ends every connection; requests that wait for their answer lose it. */
struct sim_server *sim_server_free(struct sim_server *server);
void sim_server_freep(struct sim_server **server);

/* "http://HOST:PORT" with the true port. Valid as long as the server. */
const char *sim_server_url(const struct sim_server *server);

#endif
