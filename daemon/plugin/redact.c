/*
 * Three things are looked for, at every byte of a text: one of the account's secrets as it is or as a URL, a form or
 * Basic writes it; a token that shows by its form that it is one; and the query of a link, where everything that is long
 * or named like a credential goes, but for the instants that say when the link ends.
 */
#include "plugin/redact.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/limits.h"
#include "plugin/account_inside.h"
#include "plugin/url.h"

#include <ctype.h>

#define PASSES 16 /* two nearly always; each takes out what the one before made visible */

struct plugin_redactor {
	char **items;
	size_t n;
};

/* ---- what the account keeps secret ---- */

/* What is met again is the newest: forgetting begins with what was not met for longest. */
static bool meet_again(struct plugin_redactor *redactor, struct bytes item)
{
	char *known;
	size_t i = 0;

	while (i < redactor->n && !bytes_equal(bytes_of_text(redactor->items[i]), item))
		i++;
	if (i == redactor->n)
		return false;
	known = redactor->items[i];
	memmove(redactor->items + i, redactor->items + i + 1, (redactor->n - i - 1) * sizeof(*redactor->items));
	redactor->items[redactor->n - 1] = known;
	return true;
}

static int add_item(struct plugin_redactor *redactor, struct bytes item)
{
	char **grown;

	if (item.len < LIMIT_REDACT_LEAST || meet_again(redactor, item))
		return 0;
	grown = reallocarray(redactor->items, redactor->n + 1, sizeof(*grown));
	if (!grown)
		return err_origin(-ENOMEM);
	redactor->items = grown;
	grown[redactor->n] = bytes_dup_text(item);
	if (!grown[redactor->n])
		return err_origin(-ENOMEM);
	redactor->n++;
	return 0;
}

static int add_form(struct plugin_redactor *redactor, struct bytes item, int (*form)(struct bytes, struct buffer *))
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	int r = form(item, &out);

	if (r == 0 && !bytes_equal(buffer_bytes(&out), item))
		r = add_item(redactor, buffer_bytes(&out));
	if (out.data)
		explicit_bzero(out.data, out.len);
	return r;
}

static int as_basic(struct bytes item, struct buffer *out)
{
	return base64_append(out, item);
}

static int add_value(struct plugin_redactor *redactor, struct bytes value)
{
	const char *colon = value.len ? memchr(value.data, ':', value.len) : NULL;
	int r = add_item(redactor, value);

	if (r == 0)
		r = add_form(redactor, value, plugin_url_escape);
	if (r == 0)
		r = add_form(redactor, value, as_basic);
	/* Of user:password, the password alone. */
	if (r == 0 && colon)
		r = add_item(redactor, bytes_of(colon + 1, value.len - (size_t)(colon + 1 - (const char *)value.data)));
	return r;
}

/* A key file: each line of its texts, since a text may be quoted without its line breaks. */
static int add_lines(struct plugin_redactor *redactor, struct bytes text)
{
	const char *p = text.data, *end = p + text.len;
	int r = 0;

	while (r == 0 && p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;

		if (strncmp(p, "-----", 5) != 0)
			r = add_item(redactor, bytes_of(p, (size_t)(stop - p)));
		p = newline ? newline + 1 : end;
	}
	return r;
}

static int add_key_file(struct plugin_redactor *redactor, struct bytes value)
{
	static const char *const secret[] = {"/private_key", "/private_key_id", NULL};
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node file = JSON_ABSENT;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	r = json_parse(json, value, JSON_DUPLICATES_LAST_WINS, &file, NULL);
	if (r < 0)
		return r;
	if (r > 0)
		return add_lines(redactor, value);
	r = 0;
	for (const char *const *at = secret; r == 0 && *at; at++)
		r = add_lines(redactor, json_text(json, json_at(json, file, *at)));
	return r;
}

struct plugin_redactor *plugin_redactor_new(const struct plugin_account *account)
{
	_cleanup_(plugin_redactor_freep) struct plugin_redactor *redactor = calloc(1, sizeof(*redactor));
	int r = redactor ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && account && i < account->n_secrets; i++) {
		struct bytes value = bytes_of_text(account->secrets[i].value);

		r = bytes_are_one_line(value) && value.data && *(const char *)value.data != '{'
			    ? add_value(redactor, value)
			    : add_key_file(redactor, value);
	}
	return r == 0 ? steal(redactor) : NULL;
}

int plugin_redactor_add(struct plugin_redactor *redactor, struct bytes secret)
{
	bool is_word = secret.len < LIMIT_REDACT_HANDLE || memchr(secret.data, '\0', secret.len) ||
		       memmem(PLUGIN_REDACTED, strlen(PLUGIN_REDACTED), secret.data, secret.len);
	int r = is_word ? 0 : add_item(redactor, secret);

	return r || is_word ? r : add_form(redactor, secret, plugin_url_escape);
}

int plugin_redactor_join(struct plugin_redactor *redactor, const struct plugin_redactor *more)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < more->n; i++)
		r = add_item(redactor, bytes_of_text(more->items[i]));
	return r;
}

void plugin_redactor_forget(struct plugin_redactor *redactor, size_t limit)
{
	size_t n = redactor->n > limit ? redactor->n - limit : 0;

	for (size_t i = 0; i < n; i++) {
		explicit_bzero(redactor->items[i], strlen(redactor->items[i]));
		free(redactor->items[i]);
	}
	if (n)
		memmove(redactor->items, redactor->items + n, limit * sizeof(*redactor->items));
	redactor->n -= n;
}

struct plugin_redactor *plugin_redactor_free(struct plugin_redactor *redactor)
{
	if (!redactor)
		return NULL;
	for (size_t i = 0; i < redactor->n; i++) {
		explicit_bzero(redactor->items[i], strlen(redactor->items[i]));
		free(redactor->items[i]);
	}
	free(redactor->items);
	free(redactor);
	return NULL;
}

void plugin_redactor_freep(struct plugin_redactor **redactor)
{
	plugin_redactor_free(*redactor);
}

/* ---- texts ---- */

struct scan {
	const struct plugin_redactor *redactor;
	const char *text;
	size_t len;
	struct buffer *out;
};

static bool is_among(struct bytes name, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == name.len && strncasecmp(*words, name.data, name.len) == 0)
			return true;
	return false;
}

bool plugin_redact_is_secret_name(struct bytes name)
{
	static const char *const words[] = {"authorization",
					    "proxy-authorization",
					    "cookie",
					    "set-cookie",
					    "x-api-key",
					    "x-goog-api-key",
					    "api_key",
					    "api-key",
					    "apikey",
					    "key",
					    "auth_token",
					    "access_token",
					    "refresh_token",
					    "id_token",
					    "token",
					    "session_token",
					    "password",
					    "passwd",
					    "secret",
					    "client_secret",
					    "private_key",
					    "private_key_id",
					    "signature",
					    "sig",
					    "hmac",
					    "policy",
					    "key-pair-id",
					    "awsaccesskeyid",
					    "googleaccessid",
					    "x-amz-signature",
					    "x-amz-credential",
					    "x-amz-security-token",
					    "x-goog-signature",
					    "x-goog-credential",
					    NULL};

	return is_among(name, words);
}

/* When a link ends is what a plugin reads of it. */
static bool is_instant(struct bytes name)
{
	static const char *const words[] = {
		"expires",     "x-amz-date",     "x-amz-expires",    "x-amz-algorithm",      "x-amz-signedheaders",
		"x-goog-date", "x-goog-expires", "x-goog-algorithm", "x-goog-signedheaders", NULL};

	return is_among(name, words);
}

static size_t item_at(const struct plugin_redactor *redactor, const char *p, size_t left)
{
	size_t longest = 0;

	for (size_t i = 0; i < redactor->n; i++) {
		size_t len = *redactor->items[i] == *p ? strlen(redactor->items[i]) : 0;

		if (len > longest && len <= left && memcmp(p, redactor->items[i], len) == 0)
			longest = len;
	}
	return longest;
}

static bool is_token_character(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' || c == '=' ||
	       c == '~';
}

static size_t token_length(const char *p, size_t left)
{
	size_t n = 0;

	while (n < left && is_token_character(p[n]))
		n++;
	return n;
}

/* How much at @p is a token by its form: a JWT, a key with a maker's beginning, what follows Bearer or Basic. The first
 * *ret_kept bytes stay. */
static size_t token_at(const char *p, size_t left, size_t *ret_kept)
{
	static const struct {
		const char *beginning;
		size_t kept, least;
	} forms[] = {{"Bearer ", 7, 16}, {"bearer ", 7, 16}, {"Basic ", 6, 12}, {"eyJ", 0, 40},
		     {"ya29.", 0, 20},   {"AIza", 0, 30},    {"sk-", 0, 16},    {"sk_", 0, 16}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t len = strlen(forms[i].beginning);
		size_t n = len <= left && memcmp(p, forms[i].beginning, len) == 0
				   ? token_length(p + forms[i].kept, left - forms[i].kept)
				   : 0;

		*ret_kept = forms[i].kept;
		if (n >= forms[i].least)
			return forms[i].kept + n;
	}
	return 0;
}

static int append_redacted(struct scan *scan, size_t *i, size_t kept, size_t len)
{
	int r = buffer_append(scan->out, scan->text + *i, kept);

	*i += len;
	return r ? r : buffer_append_text(scan->out, PLUGIN_REDACTED);
}

/* One byte, or what stands at it and must not be written. */
static int take_piece(struct scan *scan, size_t *i)
{
	const char *p = scan->text + *i;
	size_t left = scan->len - *i, kept = 0, len = item_at(scan->redactor, p, left);
	bool is_inside = *i > 0 && isalnum((unsigned char)p[-1]);

	if (len)
		return append_redacted(scan, i, 0, len);
	len = is_inside ? 0 : token_at(p, left, &kept);
	if (len)
		return append_redacted(scan, i, kept, len);
	(*i)++;
	return buffer_append(scan->out, p, 1);
}

static int take_until(struct scan *scan, size_t *i, size_t end)
{
	struct scan part = *scan;
	int r = 0;

	part.len = end;
	while (r == 0 && *i < end)
		r = take_piece(&part, i);
	return r;
}

/* ---- links ---- */

static bool ends_link(char c)
{
	return (unsigned char)c <= ' ' || strchr("\"'<>`\\^{|}", c) != NULL;
}

static int take_parameter(struct scan *scan, size_t *i, size_t end)
{
	const char *p = scan->text + *i;
	const char *equals = memchr(p, '=', end - *i);
	struct bytes name = bytes_of(p, equals ? (size_t)(equals - p) : end - *i);
	size_t value = equals ? end - *i - name.len - 1 : 0;
	bool is_kept = !equals || is_instant(name) ||
		       (value <= LIMIT_REDACT_PARAMETER && !plugin_redact_is_secret_name(name));

	if (!is_kept)
		return append_redacted(scan, i, name.len + 1, end - *i);
	return take_until(scan, i, end);
}

static int take_query(struct scan *scan, size_t *i, size_t end)
{
	int r = 0;

	while (r == 0 && *i < end) {
		size_t stop = *i + 1;

		while (stop < end && !strchr("?&#;", scan->text[stop]))
			stop++;
		r = buffer_append(scan->out, scan->text + *i, 1); /* the "?" or "&" before it */
		(*i)++;
		if (r == 0)
			r = take_parameter(scan, i, stop);
	}
	return r;
}

/* The length of a link that begins at @p, else 0: an absolute one, or a text that is a path as a whole. */
static size_t link_at(const struct scan *scan, size_t i)
{
	const char *p = scan->text + i;
	size_t left = scan->len - i, n = 0;
	bool is_absolute = (left > 7 && strncasecmp(p, "http://", 7) == 0) ||
			   (left > 8 && strncasecmp(p, "https://", 8) == 0);

	if (!is_absolute && !(i == 0 && left && *p == '/'))
		return 0;
	while (n < left && !ends_link(p[n]))
		n++;
	return n;
}

static int take_link(struct scan *scan, size_t *i, size_t len)
{
	size_t end = *i + len, query = *i, host = *i, path;
	const char *slashes = memmem(scan->text + *i, len, "://", 3), *at;

	while (query < end && !strchr("?#", scan->text[query]))
		query++;
	if (slashes)
		host = (size_t)(slashes - scan->text) + 3;
	path = host;
	while (path < query && scan->text[path] != '/')
		path++;
	/* user:password@ */
	at = slashes && host < path ? memrchr(scan->text + host, '@', path - host) : NULL;
	if (at) {
		int r = append_redacted(scan, i, host - *i, (size_t)(at - scan->text) - *i);

		if (r)
			return r;
	}
	for (int r; *i < query;)
		if ((r = take_piece(&(struct scan){scan->redactor, scan->text, query, scan->out}, i)) != 0)
			return r;
	return take_query(scan, i, end);
}

static int redact_once(const struct plugin_redactor *redactor, struct bytes text, struct buffer *out)
{
	struct scan scan = {.redactor = redactor, .text = text.data, .len = text.len, .out = out};
	size_t i = 0;
	int r = 0;

	while (r == 0 && i < scan.len) {
		size_t link = link_at(&scan, i);

		r = link ? take_link(&scan, &i, link) : take_piece(&scan, &i);
	}
	return r;
}

/* What is left beside a piece that was taken out may look like a token with it: until nothing changes any more. */
int plugin_redact_text(const struct plugin_redactor *redactor, struct bytes text, struct buffer *out)
{
	struct buffer passes[2] = {{0}, {0}};
	struct bytes last = text;
	int r = 0;

	for (size_t i = 0; r == 0 && i < PASSES; i++) {
		struct buffer *pass = &passes[i % 2];

		pass->len = 0;
		r = redact_once(redactor, last, pass);
		if (r || bytes_equal(buffer_bytes(pass), last))
			break;
		last = buffer_bytes(pass);
	}
	if (r == 0 && last.len)
		r = buffer_append(out, last.data, last.len);
	for (size_t i = 0; i < 2; i++) {
		if (passes[i].data)
			explicit_bzero(passes[i].data, passes[i].capacity);
		buffer_finish(&passes[i]);
	}
	return r;
}

/* ---- trees ---- */

static int copy_text(const struct plugin_redactor *redactor, struct bytes text, struct json *into, json_node *ret)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	int r = plugin_redact_text(redactor, text, &out);

	if (r == 0)
		*ret = json_make_text(into, buffer_bytes(&out));
	return r;
}

/* The depth of @from is bounded by its arena. */
static int copy_children(const struct plugin_redactor *redactor, const struct json *from, json_node node,
			 struct json *into, json_node out)
{
	bool is_object = json_kind(from, node) == JSON_KIND_OBJECT;
	int r = 0;

	for (json_node n = json_first(from, node); r == 0 && n; n = json_next(from, n)) {
		_cleanup_(buffer_finish) struct buffer name = {0};
		json_node copy = JSON_ABSENT;
		struct bytes text = json_text(from, n);
		bool is_secret = is_object && text.len && json_kind(from, n) == JSON_KIND_TEXT &&
				 plugin_redact_is_secret_name(json_key(from, n));

		if (is_secret)
			copy = json_make_text(into, bytes_of_text(PLUGIN_REDACTED));
		else
			r = plugin_redact_json(redactor, from, n, into, &copy);
		if (r == 0)
			r = plugin_redact_text(redactor, json_key(from, n), &name);
		if (r == 0 && is_object)
			json_set(into, out, buffer_bytes(&name), copy);
		else if (r == 0)
			json_append(into, out, copy);
	}
	return r;
}

int plugin_redact_json(const struct plugin_redactor *redactor, const struct json *from, json_node node,
		       struct json *into, json_node *ret)
{
	switch (json_kind(from, node)) {
	case JSON_KIND_TEXT:
		return copy_text(redactor, json_text(from, node), into, ret);
	case JSON_KIND_OBJECT:
		*ret = json_object(into);
		return copy_children(redactor, from, node, into, *ret);
	case JSON_KIND_ARRAY:
		*ret = json_array(into);
		return copy_children(redactor, from, node, into, *ret);
	default:
		*ret = json_copy(into, from, node);
		return 0;
	}
}
