/*
 * The wire contract as data, for server reflection: a serialized google.protobuf.FileDescriptorSet with every file that
 * the daemon's services need, each after the files that it imports.
 *
 * It holds filmgate.v1, the google.rpc details, the standard health and reflection (v1 and v1alpha) services and the
 * google.protobuf types that these use, without source information. Static, so valid for ever; [any-thread].
 */
#ifndef FG_PROTO_DESCRIPTORS_H
#define FG_PROTO_DESCRIPTORS_H

#include <stddef.h>

extern const unsigned char filmgate_descriptors[];
extern const size_t filmgate_descriptors_size;

#endif
