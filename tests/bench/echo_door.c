/*
 * Makes filmgated the benchmark's daemon: the product's own main.c, linked with `--wrap=rpc_server_new`, whose door has
 * one method more.
 */
#include "rpc_echo.h"

#include "rpc/rpc.h"

int __real_rpc_server_new(const struct rpc_config *config, struct rpc_server **ret);
int __wrap_rpc_server_new(const struct rpc_config *config, struct rpc_server **ret);

int __wrap_rpc_server_new(const struct rpc_config *config, struct rpc_server **ret)
{
	struct rpc_config more = *config;

	more.extra_methods = &bench_echo_method;
	more.n_extra_methods = 1;
	return __real_rpc_server_new(&more, ret);
}
