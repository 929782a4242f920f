/*
 * A method that only echoes, to measure the rpc room and gRPC against: it decodes the bytes of a CreateJobRequest as
 * CreateJob does, and answers with them. For benchmarks, in rpc_config.extra_methods; no part of the product.
 */
#ifndef FG_TESTS_BENCH_RPC_ECHO_H
#define FG_TESTS_BENCH_RPC_ECHO_H

struct method;

/* "/filmgate.bench.Bench/Echo" */
extern const struct method bench_echo_method;

#endif
