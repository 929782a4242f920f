/*
 * The page: its files, out of the program's memory.
 *
 * It loads nothing from anywhere else, and its policy says so to the browser: scripts and styles are files of this daemon
 * alone, so whatever a provider or a user managed to write into it would not run. Only previews of voices and avatars,
 * which somebody asked to see, come from where the provider keeps them.
 */
#include "web/page.h"

#include "base/quote.h"
#include "web/range.h"
#include "web/routes.h"

#include <stdio.h>
#include <string.h>

#define POLICY                                                                                                       \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: https:; " \
	"media-src 'self' blob: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct page_file *find(const char *name)
{
	for (size_t i = 0; i < page_files_count; i++)
		if (strcmp(page_files[i].name, name) == 0)
			return &page_files[i];
	return NULL;
}

/* Whoever refuses gzip in so many words does not get it; nobody does. */
static bool takes_gzip(const struct exchange *exchange)
{
	const char *encodings = exchange_header(exchange, "Accept-Encoding");
	const char *gzip = encodings ? strstr(encodings, "gzip") : NULL;

	return gzip && strncmp(gzip + strlen("gzip"), ";q=0", 4) != 0;
}

static void answer(struct exchange *exchange, const struct page_file *file)
{
	bool is_gzip = takes_gzip(exchange);
	struct reply reply = {.status = 200, .media_type = file->media_type};
	char etag[96];

	snprintf(etag, sizeof(etag), "\"%s%s\"", file->sha256, is_gzip ? "-gzip" : "");
	reply_header(&reply, "ETag", "%s", etag);
	/* Another version of the daemon has another page: the browser asks each time, and mostly gets a 304. */
	reply_header(&reply, "Cache-Control", "no-cache");
	reply_header(&reply, "Content-Security-Policy", "%s", POLICY);
	reply_header(&reply, "Vary", "Accept-Encoding");
	if (range_matches(exchange_header(exchange, "If-None-Match"), etag)) {
		reply.status = 304;
		exchange_reply(exchange, &reply);
		return;
	}
	if (is_gzip)
		reply_header(&reply, "Content-Encoding", "gzip");
	if (buffer_append(&reply.body, is_gzip ? file->gzip : file->plain, is_gzip ? file->gzip_len : file->plain_len) <
	    0) {
		reply_finish(&reply);
		exchange_say(exchange, 503, "out of memory");
		return;
	}
	exchange_reply(exchange, &reply);
}

void run_page(struct exchange *exchange)
{
	answer(exchange, find("index.html"));
}

void run_page_file(struct exchange *exchange)
{
	const struct page_file *file = find(exchange_path(exchange) + strlen(PAGE_PATH));

	if (file)
		answer(exchange, file);
	else
		exchange_say(exchange, 404, "the page has no file '%s'; it is at /",
			     quote(exchange_path(exchange)).text);
}
