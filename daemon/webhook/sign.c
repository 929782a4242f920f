#include "webhook/sign.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/err.h"

#define PREFIX "whsec_"

int sign_read_secret(struct bytes secret, struct buffer *ret)
{
	size_t prefix = strlen(PREFIX);
	int r;

	if (secret.len <= prefix || memcmp(secret.data, PREFIX, prefix) != 0)
		return SIGN_E_SECRET;
	r = base64_read(bytes_of((const char *)secret.data + prefix, secret.len - prefix), ret);
	return r > 0 ? SIGN_E_SECRET : r;
}

int sign_append(const struct sign_message *message, struct bytes key, struct buffer *ret)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct digest digest;
	int r;

	r = buffer_printf(&text, "%s.%lld.", message->id, (long long)message->time_s);
	if (r == 0)
		r = buffer_append(&text, message->body.data, message->body.len);
	if (r == 0)
		r = buffer_append_text(ret, ret->len ? " v1," : "v1,");
	if (r < 0)
		return err_trace(r);
	digest = digest_hmac(key, buffer_bytes(&text));
	return base64_append(ret, bytes_of(digest.bytes, sizeof(digest.bytes)));
}
