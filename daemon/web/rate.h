/*
 * How often each client may ask: evenly, up to the rate, and after a pause a second's worth at once. What it costs to
 * know that is one instant a client (the generic cell rate algorithm, ITU-T I.371), of LIMIT_WEB_CLIENTS at most. One
 * thread.
 */
#ifndef FG_WEB_RATE_H
#define FG_WEB_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IPv4 address as IPv6 maps it; of an IPv6 address the network, since one machine has 2^64 of them; zeros: nobody has
 * said, a program on this machine. */
struct rate_client {
	uint8_t address[16];
};

#define RATE_CLIENT_SIZE 46 /* of its text, with the NUL */

/* @forwarded: a value of X-Forwarded-For, or NULL. Only its last address counts: that is whom the proxy in front of us
 * saw, and what stands before it is what the client said of itself. */
struct rate_client rate_client_read(const char *forwarded);
/* "203.0.113.7", "2001:db8:1:2::", "this machine" */
void rate_client_write(const struct rate_client *client, char text[static RATE_CLIENT_SIZE]);

struct rates;

/* @per_second: 1 to 1000000. NULL without memory. */
struct rates *rates_new(int64_t per_second);
struct rates *rates_free(struct rates *rates);
/* 0: it may, and that was counted. Else the milliseconds until it may; @ret_is_news: this has not been so for a minute. */
int64_t rates_take(struct rates *rates, const struct rate_client *client, int64_t now_ms, bool *ret_is_news);

#endif
