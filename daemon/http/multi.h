/*
 * A curl multi handle that lives on a loop. Private to this room, like everything that names a curl type.
 */
#ifndef FG_HTTP_MULTI_H
#define FG_HTTP_MULTI_H

#include <curl/curl.h>

struct loop;
struct multi;

/* @on_done is called from the loop, outside of libcurl, for a handle that is already removed. */
int multi_new(struct loop *loop, void (*on_done)(CURL *easy, CURLcode code, void *userdata), void *userdata,
	      struct multi **ret);
/* Every easy handle is removed by then. What it watched closes with the loop: loop_free() comes after. */
struct multi *multi_free(struct multi *multi);
void multi_freep(struct multi **multi);

/* The share holds the TLS sessions of this loop; multi_add() sets it. 0, or a negative errno with nothing added. */
int multi_add(struct multi *multi, CURL *easy);
/* Stops a transfer before its end; on_done is not called for it. Not from a callback of libcurl. */
void multi_remove(struct multi *multi, CURL *easy);

#endif
