/*
 * The page's files as they are in the program; page/embed.cmake writes the table.
 */
#ifndef FG_WEB_PAGE_H
#define FG_WEB_PAGE_H

#include <stddef.h>

struct page_file {
	const char *name;       /* "app.js"; the page itself is "index.html" */
	const char *media_type; /* with its character set */
	const char *sha256;     /* of the plain bytes, hexadecimal */
	const unsigned char *plain, *gzip;
	size_t plain_len, gzip_len;
};

extern const struct page_file page_files[];
extern const size_t page_files_count;

#endif
