/*
 * POST /v1/assets: one file, as the body, made an asset; for clients that have no gRPC, such as the page. What a file is
 * the daemon finds out from its bytes, as it does of every upload.
 */
#include "api/convert.h"
#include "api/inside.h"
#include "api/keep.h"
#include "web/connect.h"
#include "web/routes.h"

#include <filmgate/v1/asset_service.pb-c.h>

#define NAME_SIZE 256

/* [any-thread] */
static void on_kept(void *userdata, int outcome, const struct engine_error *error, const struct asset *asset,
		    bool existed)
{
	Filmgate__V1__UploadAssetResponse response = FILMGATE__V1__UPLOAD_ASSET_RESPONSE__INIT;
	struct question *question = userdata;
	struct arena arena = {0};

	if (outcome) {
		struct failure failure = failure_of_engine(outcome, error, RESOURCE_ASSET, NULL);

		connect_fail(&question->reply, &failure);
	} else {
		response.asset = convert_asset(&arena, asset);
		response.existed = existed;
		question->reply.status = 200;
		question->reply.media_type = "application/json";
		if (connect_write_message(&response.base, CONNECT_JSON, &question->reply.body) < 0)
			question->reply.status = 503;
	}
	arena_finish(&arena);
	question_answer(question);
}

/* "a%20b.png"; false: it is no text of at most 255 bytes. '+' is a space already. */
static bool decode_name(const char *from, char ret[static NAME_SIZE])
{
	size_t n = 0;

	for (; from && *from && n + 1 < NAME_SIZE; n++) {
		int high = *from == '%' ? bytes_hex_value(from[1]) : -1;
		int low = high >= 0 ? bytes_hex_value(from[2]) : -1;

		if (*from == '%' && low < 0)
			return false;
		ret[n] = low >= 0 ? (char)(high * 16 + low) : *from;
		from += low >= 0 ? 3 : 1;
	}
	ret[n] = '\0';
	return (!from || !*from) && strlen(ret) == n && bytes_are_text(bytes_of_text(ret)) &&
	       bytes_are_one_line(bytes_of_text(ret));
}

void run_upload(struct exchange *exchange)
{
	struct bytes body = exchange_body(exchange);
	struct buffer content = {0};
	struct question *question;
	char name[NAME_SIZE];

	if (body.len == 0) {
		exchange_say(exchange, 400, "the body is empty: send the file as it is");
		return;
	}
	if (!decode_name(exchange_parameter(exchange, "name"), name)) {
		exchange_say(exchange, 400, "name has to be at most 255 bytes of UTF-8 in one line, percent-encoded");
		return;
	}
	/* The body goes when this returns. */
	if (buffer_append(&content, body.data, body.len) < 0) {
		exchange_say(exchange, 503, "out of memory");
		return;
	}
	question = exchange_ask(exchange, -1, NULL);
	if (question)
		api_keep_asset(exchange_config(exchange)->api, &content, name, on_kept, question);
	else
		buffer_finish(&content);
}
