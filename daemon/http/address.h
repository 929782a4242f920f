/*
 * Which addresses the Internet is reached at, and which lead back into the house.
 */
#ifndef FG_HTTP_ADDRESS_H
#define FG_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE 64

/*
 * Everything that is not a global unicast address: loopback, private, link-local (cloud metadata among them), shared,
 * benchmarking, documentation, multicast and reserved ones, and IPv6 forms that carry such an IPv4 address. Families
 * other than IPv4 and IPv6 are private.
 */
bool address_is_private(const struct sockaddr *address);

/* The same for "10.0.0.1", "::1" or "[::1]". Text that is no address is not private, except "localhost" and names
 * below it. */
bool address_text_is_private(const char *host);

void address_format(const struct sockaddr *address, char text[static ADDRESS_TEXT_SIZE]);

#endif
