#include "plugin/step_inside.h"

#include "base/err.h"

/* Adds @text with each occurrence of @key left out, and its place marked. */
static void add_without(struct digester *digester, struct bytes text, const char *key)
{
	size_t key_len = key ? strlen(key) : 0;
	const char *p = text.data, *end;

	if (text.len == 0)
		return;
	end = p + text.len;
	while (key_len) {
		const char *hit = memmem(p, (size_t)(end - p), key, key_len);

		if (!hit)
			break;
		digester_add(digester, p, (size_t)(hit - p));
		digester_add(digester, "\x01key\x01", 5);
		p = hit + key_len;
	}
	digester_add(digester, p, (size_t)(end - p));
}

/* A part, ended by a byte that stands in none of them but the body, which comes last. */
static void add_part(struct digester *digester, const char *text, const char *key)
{
	add_without(digester, bytes_of_text(text), key);
	digester_add(digester, "\0", 1);
}

/* An asset's name is the digest of what is sent. */
static void add_piece(struct digester *digester, const struct plugin_piece *piece, const char *key)
{
	if (!piece->asset) {
		add_without(digester, piece->text, key);
		return;
	}
	digester_add(digester,
		     piece->is_base64 ? "\x01"
					"64\x01"
				      : "\x01"
					"raw\x01",
		     piece->is_base64 ? 4 : 5);
	digester_add(digester, piece->asset, strlen(piece->asset));
	digester_add(digester, "\x01", 1);
}

int plugin_exchange_fingerprint(const struct plugin_exchange *exchange, const char *key, struct digest *ret)
{
	_cleanup_(digester_freep) struct digester *digester = digester_new();

	if (!digester)
		return err_origin(-ENOMEM);
	add_part(digester, exchange->method, NULL);
	add_part(digester, exchange->url, key);
	for (size_t i = 0; i < exchange->n_headers; i++) {
		add_part(digester, exchange->headers[i].name, NULL);
		add_part(digester, exchange->headers[i].value, key);
	}
	add_part(digester, "", NULL);
	add_without(digester, exchange->body, key);
	for (size_t i = 0; i < exchange->n_pieces; i++)
		add_piece(digester, &exchange->pieces[i], key);
	*ret = digester_end(digester);
	return 0;
}
