#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct block {
	uint8_t prefix[16];
	uint8_t bits;
};

/* IANA IPv4 Special-Purpose Address Registry, without the rows that are globally reachable. */
static const struct block private4[] = {
	{{0}, 8},
	{{10}, 8},
	{{100, 64}, 10},
	{{127}, 8},
	{{169, 254}, 16},
	{{172, 16}, 12},
	{{192, 0, 0}, 24},
	{{192, 0, 2}, 24},
	{{192, 88, 99}, 24},
	{{192, 168}, 16},
	{{198, 18}, 15},
	{{198, 51, 100}, 24},
	{{203, 0, 113}, 24},
	{{224}, 3}, /* multicast, reserved, broadcast */
};

/* Inside 2000::/3, the only part of IPv6 that is global unicast (RFC 4291); all outside of it is refused anyway. */
static const struct block private6[] = {
	{{0x20, 0x01, 0x00}, 23},       /* IETF protocol assignments: Teredo, ORCHID, benchmarking */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

static const uint8_t mapped4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

static bool is_within(const uint8_t *address, const struct block *block)
{
	size_t whole = block->bits / 8;
	uint8_t rest = (uint8_t)(0xff00 >> (block->bits % 8));

	return memcmp(address, block->prefix, whole) == 0 &&
	       (block->bits % 8 == 0 || (address[whole] & rest) == (block->prefix[whole] & rest));
}

static bool is_in_table(const uint8_t *address, const struct block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_within(address, &blocks[i]))
			return true;
	return false;
}

static bool is_private4(const uint8_t address[4])
{
	return is_in_table(address, private4, sizeof(private4) / sizeof(private4[0]));
}

static bool is_private6(const uint8_t address[16])
{
	if (memcmp(address, mapped4, sizeof(mapped4)) == 0 || memcmp(address, nat64, sizeof(nat64)) == 0)
		return is_private4(address + 12);
	if (address[0] == 0x20 && address[1] == 0x02) /* 6to4 */
		return is_private4(address + 2);
	if ((address[0] & 0xe0) != 0x20)
		return true;
	return is_in_table(address, private6, sizeof(private6) / sizeof(private6[0]));
}

bool address_is_private(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return is_private4((const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr);
	if (address->sa_family == AF_INET6)
		return is_private6(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
	return true;
}

/* Without the dot that ends a full name. */
static size_t name_length(const char *host)
{
	size_t len = strlen(host);

	return len && host[len - 1] == '.' ? len - 1 : len;
}

/* @name itself, or something below it. */
static bool is_below(const char *host, const char *name)
{
	size_t len = name_length(host), name_len = strlen(name);

	if (len < name_len || strncasecmp(host + len - name_len, name, name_len) != 0)
		return false;
	return len == name_len || host[len - name_len - 1] == '.';
}

bool address_text_is_private(const char *host)
{
	char text[INET6_ADDRSTRLEN + 2];
	struct in_addr address4;
	uint8_t address6[16];
	const char *begin = host;
	size_t len;

	if (*begin == '[')
		begin++;
	len = strcspn(begin, "%]");
	if (len == strlen(begin))
		len = name_length(begin);
	if (len < sizeof(text)) {
		memcpy(text, begin, len);
		text[len] = '\0';
		if (inet_pton(AF_INET6, text, address6) == 1)
			return is_private6(address6);
		if (inet_aton(text, &address4) != 0)
			return is_private4((const uint8_t *)&address4);
	}
	return is_below(host, "localhost");
}

bool address_name_is_private(const char *host)
{
	static const char *const names[] = {"local", "internal", "localdomain", "home.arpa"};

	if (*host == '[')
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_below(host, names[i]))
			return true;
	return !memchr(host, '.', name_length(host));
}

void address_format(const struct sockaddr *address, char text[static ADDRESS_TEXT_SIZE])
{
	const void *bytes = address->sa_family == AF_INET6
				    ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
				    : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;

	if ((address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
	    !inet_ntop(address->sa_family, bytes, text, ADDRESS_TEXT_SIZE))
		snprintf(text, ADDRESS_TEXT_SIZE, "(address family %d)", address->sa_family);
}
