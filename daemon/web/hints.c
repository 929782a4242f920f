/*
 * POST /v1/webhooks/{provider}: what providers call. Anybody may, so nothing is told that a stranger does not know: not
 * which providers there are, and not which jobs. Why one was refused stands in the log.
 */
#include "base/limits.h"
#include "engine/engine.h"
#include "web/routes.h"

enum { UNAUTHORIZED = 401, NOT_FOUND = 404, UNAVAILABLE = 503 };

/* The provider calls again; and if it does not, the job is polled all the same. */
static void on_late(struct exchange *exchange)
{
	log_warning("the engine does not answer", "path", exchange_path(exchange));
	exchange_say(exchange, UNAVAILABLE, "try again later");
}

static int say(struct reply *reply, unsigned int status, const char *words)
{
	reply->status = status;
	reply->media_type = TEXT_MEDIA_TYPE;
	return buffer_printf(&reply->body, "%s\n", words);
}

static int write_answer(struct reply *reply, unsigned int status, const char *body)
{
	reply->status = status;
	if (!body)
		return 0;
	reply->media_type = "application/json";
	return buffer_append_text(&reply->body, body);
}

/* [engine thread, or the web's] */
static void on_hint(void *userdata, int outcome, unsigned int status, const char *body)
{
	struct question *question = userdata;
	struct reply *reply = &question->reply;
	int r;

	switch (outcome) {
	case 0:
		r = write_answer(reply, status, body);
		break;
	case ENGINE_E_NOT_FOUND:
		r = say(reply, NOT_FOUND, "no provider of that name calls here");
		break;
	case ENGINE_E_CREDENTIAL:
		r = say(reply, UNAUTHORIZED, "the signature is missing, too old, or not right");
		break;
	default:
		r = say(reply, UNAVAILABLE, "try again later");
	}
	/* Without memory the status says it all. */
	if (r < 0)
		buffer_finish(&reply->body);
	question_answer(question);
}

static const char *find_header(void *userdata, const char *name)
{
	return exchange_header(userdata, name);
}

void run_hint(struct exchange *exchange)
{
	const struct engine_hint hint = {
		.provider = exchange_path(exchange) + strlen("/v1/webhooks/"),
		.body = exchange_body(exchange),
		.header = find_header,
		.userdata = exchange,
	};
	struct question *question = exchange_ask(exchange, LIMIT_WEB_ANSWER_MS, on_late);

	if (question)
		engine_take_hint(exchange_config(exchange)->engine, &hint, on_hint, question);
}
