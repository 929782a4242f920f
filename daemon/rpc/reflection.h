/*
 * What the contract's files, symbols and services are, for grpc.reflection v1 and v1alpha.
 *
 * Files are handed out as the very bytes that protoc wrote. Built once, read from any thread.
 */
#ifndef FG_RPC_REFLECTION_H
#define FG_RPC_REFLECTION_H

#include "base/bytes.h"

struct reflection;
struct reflection_file;

/* @set: a serialized FileDescriptorSet, every file after those it imports; outlives the index. 0, -EBADMSG, -ENOMEM. */
int reflection_new(struct bytes set, struct reflection **ret);
struct reflection *reflection_free(struct reflection *reflection);

const struct reflection_file *reflection_find_file(const struct reflection *reflection, const char *name);
/* By the full name of a message, field, enum, enum value, service or method, without a dot in front. */
const struct reflection_file *reflection_find_symbol(const struct reflection *reflection, const char *symbol);
/* The file and all that it imports, directly or not, each before those that import it. Calls @fn for each. */
void reflection_walk(const struct reflection *reflection, const struct reflection_file *file,
		     void (*fn)(void *userdata, struct bytes file), void *userdata);

size_t reflection_count_services(const struct reflection *reflection);
const char *reflection_service(const struct reflection *reflection, size_t i);

#endif
