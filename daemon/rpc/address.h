/*
 * From an address in the configuration to a listening socket, or to words that say why not.
 */
#ifndef FG_RPC_ADDRESS_H
#define FG_RPC_ADDRESS_H

#include "base/err.h"
#include "rpc/rpc.h"

#include <sys/types.h>

/* "HOST:PORT", HOST a loopback address or "localhost", IPv6 in brackets. All return 0, an RPC_E_ outcome, or negative
 * errno; on failure @msg says what and what to do. The sockets do not block and are closed on exec. */
int address_listen_tcp(const char *address, int *ret_fd, uint16_t *ret_port, struct errmsg *msg);
/* A socket of mode 0600. One that nobody listens on any more is replaced; anything else at the path is kept. */
int address_listen_unix(const char *path, int *ret_fd, ino_t *ret_inode, struct errmsg *msg);

#endif
