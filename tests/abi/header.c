/*
 * What the layout of the ABI is, written down: a change of any line here breaks plugins that are built already.
 */
#include <filmgate/helpers.h>
#include <filmgate/provider.h>

#include <stddef.h>
#include <stdio.h>

#define AT(type, field, offset)                                                                                       \
	do {                                                                                                          \
		if (offsetof(struct type, field) != (offset)) {                                                       \
			printf("%s.%s is at %u, not %d\n", #type, #field, (unsigned int)offsetof(struct type, field), \
			       (offset));                                                                             \
			bad++;                                                                                        \
		}                                                                                                     \
	} while (0)

#define SIZE(type, size)                                                                                       \
	do {                                                                                                   \
		if (sizeof(struct type) != (size)) {                                                           \
			printf("%s has %u bytes, not %d\n", #type, (unsigned int)sizeof(struct type), (size)); \
			bad++;                                                                                 \
		}                                                                                              \
	} while (0)

int main(void)
{
	int bad = 0;

	SIZE(fg_text, 16);
	SIZE(fg_exchange, 72);
	AT(fg_exchange, effect, 4);
	AT(fg_exchange, method, 16);
	AT(fg_exchange, reply_limit_bytes, 40);
	AT(fg_exchange, lift, 68);
	SIZE(fg_wait, 48);
	AT(fg_wait, status, 32);
	SIZE(fg_accepted, 40);
	AT(fg_accepted, status, 24);
	SIZE(fg_done, 24);
	SIZE(fg_failure, 88);
	AT(fg_failure, code, 24);
	AT(fg_failure, field, 72);
	SIZE(fg_cancelled, 32);
	SIZE(fg_response, 32);
	SIZE(fg_plugin, 128);
	AT(fg_plugin, manifest, 8);
	AT(fg_plugin, start, 24);
	AT(fg_plugin, check, 104);
	AT(fg_plugin, subscribe, 120);
	AT(fg_host, document, 8);
	AT(fg_host, at, 56);
	AT(fg_host, object, 160);
	AT(fg_host, exchange, 304);
	SIZE(fg_host, 400);
	return bad != 0;
}
