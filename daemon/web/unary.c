/*
 * One request, one reply, through the api's handlers. The handler answers from any thread; the reply is written there,
 * and travels to the web's thread in the question that the exchange waits for.
 */
#include "web/connect.h"

#include <stdlib.h>

struct unary {
	struct call call; /* first */
	struct question *question;
	const struct method *method;
	enum connect_form form;
};

static void answer(struct unary *unary)
{
	struct question *question = unary->question;

	arena_finish(&unary->call.arena);
	free(unary);
	question_answer(question);
}

static void answer_written(struct unary *unary, int r)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INTERNAL};
	struct reply *reply = &unary->question->reply;

	if (r < 0) {
		log_error("a reply could not be written", "method", unary->method->path, "error", log_errno(r));
		reply_finish(reply);
		connect_fail(reply, &failure);
	} else {
		reply->status = 200;
		reply->media_type = unary->form == CONNECT_JSON ? "application/json" : "application/proto";
	}
	answer(unary);
}

static void reply_message(struct call *call, const ProtobufCMessage *message)
{
	struct unary *unary = (struct unary *)call;

	answer_written(unary, connect_write_message(message, unary->form, &unary->question->reply.body));
}

static void reply_packed(struct call *call, struct packed *take)
{
	struct unary *unary = (struct unary *)call;
	int r = connect_write_packed(unary->method->response, take, unary->form, &unary->question->reply.body);

	packed_unref(take);
	answer_written(unary, r);
}

static void fail(struct call *call, const struct failure *failure)
{
	struct unary *unary = (struct unary *)call;

	connect_fail(&unary->question->reply, failure);
	answer(unary);
}

/* Its own time-out: the daemon goes on with what was asked, and nobody hears of it. */
static void on_late(struct exchange *exchange)
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	struct reply reply = {.status = connect_http_status(CODE_DEADLINE_EXCEEDED), .media_type = "application/json"};

	status.code = CODE_DEADLINE_EXCEEDED;
	status.message = (char *)"the time that Connect-Timeout-Ms gave is over; what was asked may still be done";
	if (connect_write_error(&status, &reply.body) < 0)
		buffer_finish(&reply.body);
	exchange_reply(exchange, &reply);
}

void unary_begin(struct exchange *exchange, const struct method *method, enum connect_form form, int64_t timeout_ms)
{
	static const struct call_ops ops = {.reply = reply_message, .reply_packed = reply_packed, .fail = fail};
	struct bytes body = exchange_body(exchange);
	struct unary *unary = calloc(1, sizeof(*unary));
	ProtobufCMessage *request;
	struct failure failure;

	if (!unary) {
		exchange_say(exchange, 503, "out of memory");
		return;
	}
	unary->question = exchange_ask(exchange, timeout_ms, on_late);
	if (!unary->question) {
		free(unary);
		return;
	}
	unary->call.ops = &ops;
	unary->call.api = exchange_config(exchange)->api;
	unary->method = method;
	unary->form = form;
	if (connect_read_message(method, form, body, &unary->call.arena, &request, &failure))
		call_fail(&unary->call, &failure);
	else
		method->on_call(&unary->call, request);
}
