#include "engine/fake_http.h"

#include "base/err.h"

#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

void fake_http_init(struct http *http)
{
	*http = (struct http){.mutex = PTHREAD_MUTEX_INITIALIZER};
}

/* ---- requests ---- */

/* With "[raw: …]" or "[base64: …]" for each file: what is in it. */
static char *body_of(const struct http_request *from)
{
	struct buffer body = {0};
	char bytes[1024];

	if (buffer_append(&body, from->body.data, from->body.len) < 0)
		abort();
	for (size_t i = 0; i < from->piece_count; i++) {
		const struct http_piece *piece = &from->pieces[i];
		ssize_t n = piece->is_file ? pread(piece->fd, bytes, sizeof(bytes), 0) : 0;

		if (n < 0 || (piece->is_file && (uint64_t)n != piece->size_bytes))
			abort();
		if (piece->is_file)
			buffer_printf(&body, "[%s: %.*s]", piece->is_base64 ? "base64" : "raw", (int)n, bytes);
		else
			buffer_append(&body, piece->text.data, piece->text.len);
	}
	return body.data;
}

static struct request *request_new(const struct http_request *from)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		abort();
	request->method = copy(from->method);
	request->url = copy(from->url);
	request->body = body_of(from);
	request->if_range = copy(from->if_range);
	for (size_t i = 0; i < from->header_count && i < 8; i++) {
		request->names[i] = copy(from->headers[i].name);
		request->values[i] = copy(from->headers[i].value);
		request->n_headers = i + 1;
	}
	request->flags = from->flags;
	request->lane = from->lane;
	request->timeout_ms = from->timeout_ms;
	request->sink = from->sink;
	request->fd = from->fd;
	request->resume_from = from->resume_from;
	request->idle_timeout_ms = from->idle_timeout_ms;
	request->max_body_bytes = from->max_body_bytes;
	request->filter = from->filter;
	return request;
}

static void request_free(struct request *request)
{
	free(request->method);
	free(request->url);
	free(request->body);
	free(request->if_range);
	for (size_t i = 0; i < request->n_headers; i++) {
		free(request->names[i]);
		free(request->values[i]);
	}
	free(request);
}

const char *request_header(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->names[i], name) == 0)
			return request->values[i];
	return NULL;
}

bool request_ends_with(const struct request *request, const char *ending)
{
	size_t len = strlen(request->url);

	return len >= strlen(ending) && strcmp(request->url + len - strlen(ending), ending) == 0;
}

void fake_http_finish(struct http *http)
{
	while (http->requests) {
		struct request *next = http->requests->next;

		request_free(http->requests);
		http->requests = next;
	}
	pthread_mutex_destroy(&http->mutex);
}

/* ---- ends ---- */

static void add_headers(struct http_outcome *outcome, const char *lines)
{
	char *save = NULL;

	outcome->head = copy(lines ? lines : "");
	outcome->headers = calloc(8, sizeof(*outcome->headers));
	for (char *line = strtok_r(outcome->head, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strstr(line, ": ");

		*colon = '\0';
		outcome->headers[outcome->header_count++] = (struct http_header){.name = line, .value = colon + 2};
	}
}

/* As the real one does: the whole file replaces what is there, a part continues it. */
static void write_file(const struct request *request, const struct said *said, struct http_outcome *outcome)
{
	uint64_t at = said->status == 206 ? request->resume_from : 0;

	if (at == 0 && ftruncate(request->fd, 0) != 0)
		abort();
	if (pwrite(request->fd, said->file.data, said->file.len, (off_t)at) != (ssize_t)said->file.len)
		abort();
	outcome->is_in_file = true;
	outcome->file_offset = at;
	outcome->bytes_written = said->file.len;
}

/* As the real one does, a few bytes at a time. */
static void pass_filter(const struct request *request, const char *body, struct http_outcome *outcome)
{
	const struct http_filter *filter = &request->filter;
	struct errmsg why = {""};
	size_t len = strlen(body);
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i += 5)
		r = filter->write(filter->userdata, bytes_of(body + i, len - i < 5 ? len - i : 5), &outcome->body,
				  &why);
	if (r == 0 && outcome->kind == HTTP_REPLY)
		r = filter->end(filter->userdata, &why);
	if (r == 0)
		return;
	outcome->kind = r > 0 ? HTTP_UNREADABLE : r == -EMSGSIZE ? HTTP_TOO_LARGE : HTTP_NOT_STORED;
	outcome->error = r > 0 ? -EBADMSG : r;
}

static struct http_outcome *outcome_of(const struct request *request, const struct said *said)
{
	struct http_outcome *outcome = calloc(1, sizeof(*outcome));

	if (!outcome)
		abort();
	outcome->kind = said->kind;
	outcome->error = said->error;
	outcome->may_have_left = said->may_have_left || said->status != 0;
	outcome->status = said->status;
	outcome->declared_bytes = -1;
	outcome->content_range = said->range;
	outcome->location = copy(said->location);
	add_headers(outcome, said->headers);
	if (said->file.data && request->sink == HTTP_SINK_FILE)
		write_file(request, said, outcome);
	if (said->body && request->sink == HTTP_SINK_FILTER && said->status >= 200 && said->status < 300)
		pass_filter(request, said->body, outcome);
	else if (said->body)
		buffer_append_text(&outcome->body, said->body);
	if (outcome->kind != HTTP_REPLY)
		snprintf(outcome->message, sizeof(outcome->message), "the test says: %s",
			 http_kind_name(outcome->kind));
	return outcome;
}

static bool take_end(struct http *http, struct request *request, bool is_cancelled)
{
	bool is_mine;

	pthread_mutex_lock(&http->mutex);
	is_mine = !request->is_ended;
	request->is_ended = true;
	request->is_cancelled |= is_mine && is_cancelled;
	pthread_mutex_unlock(&http->mutex);
	return is_mine;
}

void fake_http_end(struct http *http, struct request *request, const struct said *said)
{
	if (take_end(http, request, false))
		request->done(outcome_of(request, said), request->userdata);
}

/* Which of those that are open, @with_once: also those that must not be sent twice. */
static struct request *find_open(struct http *http, bool with_once)
{
	struct request *request;

	pthread_mutex_lock(&http->mutex);
	for (request = http->requests; request; request = request->next)
		if (!request->is_ended && (with_once || !(request->flags & HTTP_ONCE)))
			break;
	pthread_mutex_unlock(&http->mutex);
	return request;
}

static void abort_open(struct http *http, bool with_once)
{
	struct request *request;

	while ((request = find_open(http, with_once)))
		fake_http_end(http, request,
			      &(struct said){.kind = HTTP_ABORTED, .error = -ECANCELED, .may_have_left = true});
}

void fake_http_kill(struct http *http)
{
	pthread_mutex_lock(&http->mutex);
	http->is_dead = true;
	http->refuses = HTTP_E_STOPPING;
	pthread_mutex_unlock(&http->mutex);
	abort_open(http, true);
}

void fake_http_revive(struct http *http)
{
	pthread_mutex_lock(&http->mutex);
	http->is_dead = false;
	http->is_draining = false;
	http->refuses = 0;
	pthread_mutex_unlock(&http->mutex);
}

/* ---- http/'s own functions ---- */

int http_send(struct http *http, const struct http_request *from, http_done_fn on_done, void *userdata,
	      uint64_t *ret_id)
{
	struct request *request;
	int r;

	pthread_mutex_lock(&http->mutex);
	r = http->refuses;
	pthread_mutex_unlock(&http->mutex);
	if (r != 0)
		return r;
	request = request_new(from);
	request->done = on_done;
	request->userdata = userdata;
	if (http->on_send)
		http->on_send(http->userdata, request);
	pthread_mutex_lock(&http->mutex);
	request->id = ++http->count;
	if (http->last)
		http->last->next = request;
	else
		http->requests = request;
	http->last = request;
	pthread_mutex_unlock(&http->mutex);
	if (ret_id)
		*ret_id = request->id;
	return 0;
}

int http_cancel(struct http *http, uint64_t id)
{
	struct said aborted = {.kind = HTTP_ABORTED, .error = -ECANCELED, .may_have_left = true};
	struct request *request;

	pthread_mutex_lock(&http->mutex);
	for (request = http->requests; request && request->id != id; request = request->next)
		;
	pthread_mutex_unlock(&http->mutex);
	if (request && take_end(http, request, true))
		request->done(outcome_of(request, &aborted), request->userdata);
	return 0;
}

/* What may be repeated is aborted; what must not is waited for, by the engine. */
void http_drain(struct http *http, int64_t limit_ms)
{
	(void)limit_ms;
	pthread_mutex_lock(&http->mutex);
	http->is_draining = true;
	http->refuses = HTTP_E_STOPPING;
	pthread_mutex_unlock(&http->mutex);
	abort_open(http, false);
}
