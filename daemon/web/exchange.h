/*
 * One HTTP request and its reply, as whoever answers it sees them. Everything here is the web's thread's unless it says
 * otherwise; what another thread knows comes back as a struct question, or as a note that wakes a stream.
 */
#ifndef FG_WEB_EXCHANGE_H
#define FG_WEB_EXCHANGE_H

#include "base/bytes.h"
#include "base/log.h"
#include "web/desk.h"
#include "web/web.h"

#include <sys/types.h>

#define REPLY_HEADERS 6
#define TEXT_MEDIA_TYPE "text/plain; charset=utf-8"

struct exchange;
struct form;

/* Inert when zeroed, but for the status. */
struct reply {
	unsigned int status;
	const char *media_type; /* static */
	struct buffer body;
	struct {
		const char *name; /* static */
		char value[384];
	} headers[REPLY_HEADERS];
	size_t n_headers;
};

void reply_finish(struct reply *reply);
/* @name is static. One that is too many, or too long, is left out of the reply and told in the log. */
__attribute__((format(printf, 3, 4))) void reply_header(struct reply *reply, const char *name, const char *format, ...);

/* Who answers the requests for a path. */
struct route {
	const char *path; /* one that ends with a slash: all below it */
	const char *methods;
	size_t max_body;
	bool is_public; /* tells and does nothing but what the path itself is the key to: any Host and Origin is fine */
	bool is_health; /* who looks after the daemon's health is never told to wait */
	bool is_key;    /* who knows the whole path may read: logs have its beginning only */
	/* The request is whole. To be answered with one of the functions below, now or later. */
	void (*run)(struct exchange *exchange);
};

const struct web_config *exchange_config(const struct exchange *exchange);
struct desk *exchange_desk(const struct exchange *exchange);
/* It serves no streams any more. */
bool exchange_is_draining(const struct exchange *exchange);
const char *exchange_method(const struct exchange *exchange);
const char *exchange_path(const struct exchange *exchange); /* as it was sent, without the query */
const char *exchange_id(const struct exchange *exchange);   /* for logs, and for who asked */
/* NULL: it has none. */
const char *exchange_header(const struct exchange *exchange, const char *name);
/* As it was sent, but for '+', which is a space. */
const char *exchange_parameter(const struct exchange *exchange, const char *name);
/* Until the route's run() returns. */
struct bytes exchange_body(const struct exchange *exchange);
/* The same as a form; see form_read(). */
int exchange_form(const struct exchange *exchange, struct form *ret);

/* Ends the exchange. Takes what is in @take. */
void exchange_reply(struct exchange *exchange, struct reply *take);
/* The same with a line of text. */
__attribute__((format(printf, 3, 4))) void exchange_say(struct exchange *exchange, unsigned int status,
							const char *format, ...);

/* ---- what is answered by another thread ---- */

struct question {
	struct note note;
	struct desk *desk;
	struct exchange *exchange; /* the web's; NULL: nobody wants to know any more */
	/* The answer; whoever answers writes it before question_answer(). With on_answer, that makes the reply of it. */
	struct reply reply;
	void *answer;
	void (*free_answer)(void *answer); /* NULL: there is none */
	void (*on_answer)(struct exchange *exchange, struct question *question);
};

/* What is said when nobody has answered. */
typedef void question_late_fn(struct exchange *exchange);

/* The exchange rests until the question is answered, or @patience_ms are over (negative: for ever), when @late answers
 * the exchange. NULL: out of memory, and the exchange has been answered. */
struct question *exchange_ask(struct exchange *exchange, int64_t patience_ms, question_late_fn *late);
/* Takes it. [any-thread] */
void question_answer(struct question *take);

/* ---- a reply whose end is not known ---- */

#define SOURCE_END (-1)
#define SOURCE_BROKEN (-2) /* ends the connection, so that the client does not take it for whole */

struct source {
	/* Woken for the first time: it is known how the reply begins, and exchange_send_head() or exchange_reply() says
	 * it. */
	void (*start)(void *userdata);
	/* At most @max bytes into @out. 0: there is nothing now, and the exchange rests until exchange_wake(). */
	ssize_t (*read)(void *userdata, char *out, size_t max);
	/* Now and then while it rests, LIMIT_WEB_LOOK_MS apart. True: there is something to read now. */
	bool (*look)(void *userdata, int64_t now_ms);
	/* The daemon is about to stop. What it still has to say is read within LIMIT_GRACE_MS, or not at all. */
	void (*drain)(void *userdata);
	/* The exchange is over, however it ended: it is not to be touched any more. */
	void (*closed)(void *userdata);
};
/* False: there are too many, or the daemon drains, and the exchange is still to be answered. Else it rests until exchange_wake(). */
bool exchange_open(struct exchange *exchange, const struct source *source, void *userdata);
#define EXCHANGE_SIZE_UNKNOWN UINT64_MAX
/* Of @head, status, media type and headers. @size: how many bytes the source has. */
void exchange_send_head(struct exchange *exchange, const struct reply *head, uint64_t size);
void exchange_wake(struct exchange *exchange);

#endif
