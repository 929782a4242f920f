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

/* The same for "10.0.0.1", "::1" or "[::1]", and for the spellings of IPv4 that systems read besides: fewer parts, hex
 * and octal, a dot at the end. Text that is no address is not private, except "localhost" and names below it. */
bool address_text_is_private(const char *host);

/* Whether the name means something only inside a house: one without a dot, or below local, internal, localdomain or
 * home.arpa. False for an IPv6 address in brackets. */
bool address_name_is_private(const char *host);

void address_format(const struct sockaddr *address, char text[static ADDRESS_TEXT_SIZE]);

#endif
