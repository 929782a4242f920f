/*
 * What whoever answers a request sees of it: what was asked, the reply, the question to another thread, the stream.
 */
#include "web/inside.h"

#include "base/limits.h"
#include "web/form.h"
#include "web/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The end of a stream comes before the daemon's: while its client does not take it, the engine cannot stop. */
void exchange_give_time(struct exchange *exchange, int64_t ms)
{
	int64_t until_ms = server_now_ms(exchange->server) + ms, end_ms = exchange->server->end_ms;

	if (exchange->source && end_ms && end_ms < until_ms)
		until_ms = end_ms;
	if (exchange->connection)
		exchange->connection->until_ms = until_ms;
}

static void suspend(struct exchange *exchange)
{
	if (exchange->is_suspended)
		return;
	exchange->is_suspended = true;
	if (exchange->connection)
		exchange->connection->is_resting = true;
	MHD_suspend_connection(exchange->handle);
}

void exchange_resume(struct exchange *exchange)
{
	if (!exchange->is_suspended)
		return;
	exchange->is_suspended = false;
	if (exchange->connection)
		exchange->connection->is_resting = false;
	exchange_give_time(exchange, LIMIT_WEB_REQUEST_MS);
	MHD_resume_connection(exchange->handle);
}

/* ---- what is asked ---- */

const struct web_config *exchange_config(const struct exchange *exchange)
{
	return exchange->server->config;
}

struct desk *exchange_desk(const struct exchange *exchange)
{
	return exchange->server->desk;
}

const char *exchange_method(const struct exchange *exchange)
{
	return exchange->method;
}

const char *exchange_path(const struct exchange *exchange)
{
	return exchange->path;
}

const char *exchange_id(const struct exchange *exchange)
{
	return exchange->id;
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->handle, MHD_HEADER_KIND, name);
}

const char *exchange_parameter(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->handle, MHD_GET_ARGUMENT_KIND, name);
}

struct bytes exchange_body(const struct exchange *exchange)
{
	return buffer_bytes(&exchange->body);
}

int exchange_form(const struct exchange *exchange, struct form *ret)
{
	return form_read(exchange->handle, exchange_body(exchange), ret);
}

/* ---- replies ---- */

void reply_finish(struct reply *reply)
{
	buffer_finish(&reply->body);
	*reply = (struct reply){0};
}

void reply_header(struct reply *reply, const char *name, const char *format, ...)
{
	va_list args;
	int n = -1;

	va_start(args, format);
	if (reply->n_headers < REPLY_HEADERS)
		n = vsnprintf(reply->headers[reply->n_headers].value, sizeof(reply->headers[0].value), format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(reply->headers[0].value))
		log_warning("a header does not fit into its reply", "name", name);
	else
		reply->headers[reply->n_headers++].name = name;
}

static bool has_header(const struct reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return true;
	return false;
}

/* What every reply says: that nobody is to guess what it is, to frame it, or to read it from another site. */
static void add_headers(const struct exchange *exchange, const struct reply *reply, struct MHD_Response *response)
{
	MHD_add_response_header(response, "X-Request-Id", exchange->id);
	if (!has_header(reply, MHD_HTTP_HEADER_CACHE_CONTROL))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff");
	MHD_add_response_header(response, MHD_HTTP_HEADER_X_FRAME_OPTIONS, "DENY");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	if (!has_header(reply, "Content-Security-Policy"))
		MHD_add_response_header(response, "Content-Security-Policy",
					"default-src 'none'; frame-ancestors 'none'");
	MHD_add_response_header(response, "Cross-Origin-Resource-Policy",
				exchange->origin ? "cross-origin" : "same-origin");
	if (reply->media_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->media_type);
	for (size_t i = 0; i < reply->n_headers; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ORIGIN);
	if (exchange->origin) {
		MHD_add_response_header(response, "Access-Control-Allow-Origin", exchange->origin);
		MHD_add_response_header(response, "Access-Control-Expose-Headers", GUARD_EXPOSED_HEADERS);
	}
	/* What a refused request still brings is not read. */
	if (!exchange->is_whole)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result queue(struct exchange *exchange, const struct reply *reply, struct MHD_Response *response)
{
	enum MHD_Result result;

	add_headers(exchange, reply, response);
	result = MHD_queue_response(exchange->handle, reply->status, response);
	exchange->status = result == MHD_YES ? reply->status : 0;
	MHD_destroy_response(response);
	return result;
}

/* Clients that ask for much and read nothing. */
static void look_at_room(struct exchange *exchange)
{
	struct server *server = exchange->server;
	size_t max = server->config->max_reply_bytes ? server->config->max_reply_bytes : LIMIT_WEB_REPLIES;
	size_t len = exchange->reply.body.len;

	if (len > max / LIMIT_WEB_CONNECTIONS && server->reply_bytes + len > max) {
		exchange_say(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
			     "too many replies wait for their clients to read them; try again later");
		len = exchange->reply.body.len;
	}
	exchange->reply_size = len;
	server->reply_bytes += len;
}

/* Only where the library lets us: in its call. */
enum MHD_Result exchange_queue_reply(struct exchange *exchange)
{
	struct MHD_Response *response;
	struct reply reply;

	look_at_room(exchange);
	reply = exchange->reply;
	response = MHD_create_response_from_buffer(reply.body.len, reply.body.data, MHD_RESPMEM_MUST_FREE);
	exchange->reply = (struct reply){0};
	exchange->has_reply = false;
	if (!response) {
		reply_finish(&reply);
		return MHD_NO;
	}
	exchange_give_time(exchange, LIMIT_WEB_REQUEST_MS + (int64_t)(reply.body.len / LIMIT_WEB_BYTES_PER_MS));
	return queue(exchange, &reply, response);
}

void exchange_reply(struct exchange *exchange, struct reply *take)
{
	reply_finish(&exchange->reply);
	exchange->reply = *take;
	exchange->has_reply = true;
	*take = (struct reply){0};
	exchange_resume(exchange);
}

void exchange_say(struct exchange *exchange, unsigned int status, const char *format, ...)
{
	struct reply reply = {.status = status, .media_type = TEXT_MEDIA_TYPE};
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Without memory the status says it all. */
	if (buffer_printf(&reply.body, "%s\n", text) < 0)
		buffer_finish(&reply.body);
	exchange_reply(exchange, &reply);
}

static ssize_t read_source(void *userdata, uint64_t position, char *out, size_t max)
{
	struct exchange *exchange = userdata;
	ssize_t n;

	(void)position;
	if (exchange->is_left)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = exchange->source->read(exchange->userdata, out, max);
	if (n == SOURCE_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0)
		suspend(exchange);
	else
		exchange_give_time(exchange, LIMIT_WEB_STALL_MS);
	return n;
}

bool exchange_is_draining(const struct exchange *exchange)
{
	return exchange->server->end_ms != 0;
}

bool exchange_open(struct exchange *exchange, const struct source *source, void *userdata)
{
	if (exchange->server->n_streams >= LIMIT_WEB_STREAMS || exchange_is_draining(exchange))
		return false;
	exchange->server->n_streams++;
	exchange->source = source;
	exchange->userdata = userdata;
	suspend(exchange);
	return true;
}

void exchange_send_head(struct exchange *exchange, const struct reply *head, uint64_t size)
{
	struct MHD_Response *response = MHD_create_response_from_callback(size, LIMIT_WEB_STREAM_BLOCK, read_source,
									  exchange, NULL);

	exchange_give_time(exchange, LIMIT_WEB_STALL_MS);
	/* Without a status go_on() ends the connection, and the source hears of that. */
	if (response)
		queue(exchange, head, response);
}

void exchange_wake(struct exchange *exchange)
{
	exchange_resume(exchange);
}

/* ---- questions ---- */

static void free_question(struct question *question)
{
	if (question->free_answer)
		question->free_answer(question->answer);
	reply_finish(&question->reply);
	free(question);
}

static void on_note(struct note *note)
{
	struct question *question = (struct question *)note;
	struct exchange *exchange = question->exchange;

	if (exchange) {
		exchange->question = NULL;
		if (question->on_answer)
			question->on_answer(exchange, question);
		else
			exchange_reply(exchange, &question->reply);
	}
	desk_unref(question->desk);
	free_question(question);
}

struct question *exchange_ask(struct exchange *exchange, int64_t patience_ms, question_late_fn *late)
{
	struct question *question = calloc(1, sizeof(*question));

	if (!question) {
		exchange_say(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
		return NULL;
	}
	question->note.run = on_note;
	question->desk = desk_ref(exchange->server->desk);
	question->exchange = exchange;
	exchange->question = question;
	exchange->late = late;
	exchange->until_ms = patience_ms < 0 ? -1 : server_now_ms(exchange->server) + patience_ms;
	suspend(exchange);
	return question;
}

void question_answer(struct question *take)
{
	struct desk *desk = take->desk;

	if (desk_post(desk, &take->note))
		return;
	free_question(take);
	desk_unref(desk);
}

void exchange_drop_question(struct exchange *exchange)
{
	if (exchange->question)
		exchange->question->exchange = NULL;
	exchange->question = NULL;
}
