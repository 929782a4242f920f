/*
 * Server streams by the Connect protocol: each message in an envelope, and a last one that says how it ended.
 */
#include "base/limits.h"
#include "web/stream.h"

#define ENVELOPE 5 /* a byte of flags, and the length in network order */
#define FLAG_COMPRESSED 1
#define FLAG_END 2

/* Room for the envelope; it is filled in by close_envelope() with what stands behind it. */
static int open_envelope(struct buffer *out, size_t *ret_at)
{
	static const uint8_t empty[ENVELOPE];

	*ret_at = out->len;
	return buffer_append(out, empty, sizeof(empty));
}

static void close_envelope(struct buffer *out, size_t at, uint8_t flags)
{
	size_t len = out->len - at - ENVELOPE;
	uint8_t *head = (uint8_t *)out->data + at;

	head[0] = flags;
	for (int i = 0; i < 4; i++)
		head[1 + i] = (uint8_t)(len >> (24 - 8 * i));
}

static int frame_message(const struct web_stream *stream, struct packed *packed, struct buffer *out,
			 enum connect_form form)
{
	size_t at;
	int r = open_envelope(out, &at);

	if (r == 0)
		r = connect_write_packed(web_stream_method(stream)->response, packed, form, out);
	if (r == 0)
		close_envelope(out, at, 0);
	return r;
}

static int frame_json(const struct web_stream *stream, struct packed *packed, struct buffer *out)
{
	return frame_message(stream, packed, out, CONNECT_JSON);
}

static int frame_proto(const struct web_stream *stream, struct packed *packed, struct buffer *out)
{
	return frame_message(stream, packed, out, CONNECT_PROTO);
}

static int frame_end(const struct web_stream *stream, const Google__Rpc__Status *status, struct buffer *out)
{
	size_t at;
	int r = open_envelope(out, &at);

	(void)stream;
	if (r == 0)
		r = buffer_append_text(out, status ? "{\"error\":" : "{");
	if (r == 0 && status)
		r = connect_write_error(status, out);
	if (r == 0)
		r = buffer_append_text(out, "}");
	if (r == 0)
		close_envelope(out, at, FLAG_END);
	return r;
}

static const struct framing framings[] = {
	[CONNECT_JSON] = {.media_type = "application/connect+json", .message = frame_json, .end = frame_end},
	[CONNECT_PROTO] = {.media_type = "application/connect+proto", .message = frame_proto, .end = frame_end},
};

/* The one envelope that a request is. NULL, or what is wrong. */
static const char *open_request(struct bytes body, struct bytes *ret)
{
	const uint8_t *head = body.data;
	size_t len = 0;

	if (body.len < ENVELOPE)
		return "the request has no envelope: five bytes, of which four say how long the message is, come first";
	for (int i = 0; i < 4; i++)
		len = len << 8 | head[1 + i];
	if (head[0] & FLAG_COMPRESSED)
		return "the message is compressed, which is not understood here";
	if (head[0])
		return "the flags of the envelope are not known here";
	if (len != body.len - ENVELOPE)
		return "the request is longer or shorter than its envelope says; it has one message";
	*ret = bytes_of(head + ENVELOPE, len);
	return NULL;
}

void connect_stream_begin(struct exchange *exchange, const struct method *method, enum connect_form form,
			  int64_t timeout_ms)
{
	const struct web_stream_spec spec = {.method = method, .framing = &framings[form], .timeout_ms = timeout_ms};
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_MALFORMED_MESSAGE};
	struct bytes body = exchange_body(exchange), message = {0};
	struct web_stream *stream = web_stream_new(exchange, &spec);
	ProtobufCMessage *request;

	if (!stream)
		return;
	failure.text = open_request(body, &message);
	if (failure.text || connect_read_message(method, form, message, web_stream_arena(stream), &request, &failure))
		web_stream_refuse(stream, &failure);
	else
		web_stream_run(stream, request);
}
