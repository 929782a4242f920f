#include "rpc/methods.h"

#include <grpc/health/v1/health.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>

#define SLOTS 2

/* Both versions of reflection have the same messages. */
const struct method rpc_methods[] = {
	{"/grpc.health.v1.Health/Check", METHOD_UNARY, SLOTS, &grpc__health__v1__health_check_request__descriptor,
	 &grpc__health__v1__health_check_response__descriptor, handle_health_check, NULL},
	{"/grpc.health.v1.Health/Watch", METHOD_SERVER_STREAM, SLOTS,
	 &grpc__health__v1__health_check_request__descriptor, &grpc__health__v1__health_check_response__descriptor,
	 NULL, handle_health_watch},
	{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", METHOD_BIDI, SLOTS,
	 &grpc__reflection__v1__server_reflection_request__descriptor,
	 &grpc__reflection__v1__server_reflection_response__descriptor, NULL, handle_reflection},
	{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", METHOD_BIDI, SLOTS,
	 &grpc__reflection__v1__server_reflection_request__descriptor,
	 &grpc__reflection__v1__server_reflection_response__descriptor, NULL, handle_reflection},
};
const size_t rpc_methods_count = sizeof(rpc_methods) / sizeof(rpc_methods[0]);
