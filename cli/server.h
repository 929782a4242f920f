/*
 * Which daemon is meant: the flag, else FILMGATE_SERVER, else the context file, else the socket of the packaged daemon
 * if somebody listens there, else 127.0.0.1:8980.
 */
#ifndef FG_CLI_SERVER_H
#define FG_CLI_SERVER_H

struct errmsg;

#define SERVER_TEXT_SIZE 512
#define SERVER_DEFAULT_SOCKET "/run/filmgate/filmgated.sock"
#define SERVER_DEFAULT_ADDRESS "127.0.0.1:8980"

enum {
	_SERVER_E_OK,
	SERVER_E_INVALID, /* an address or the context file is wrong; the errmsg says which and how */
};

struct server {
	char shown[SERVER_TEXT_SIZE];  /* for a person: "unix:/path" or "HOST:PORT" */
	char target[SERVER_TEXT_SIZE]; /* for client_new() */
};

/* @flag may be NULL. Reads the environment and the file ~/.config/filmgate/config (below XDG_CONFIG_HOME if that is
 * set): lines `server = ADDRESS` and comments behind #. */
int server_choose(const char *flag, struct server *ret, struct errmsg *error);

/* "unix:PATH", "/PATH" or "HOST:PORT". Pure. */
int server_parse(const char *address, struct server *ret, struct errmsg *error);

#endif
