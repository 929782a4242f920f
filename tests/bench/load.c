/*
 * The benchmark's load: one connection with so many unary calls in flight, or the disk alone. One thread, one
 * completion queue, one batch a call: as cheap as gRPC core allows, since it shares the processors with the daemon.
 *
 *     filmgate_bench_load call TARGET METHOD IN_FLIGHT MS CALLS
 *     filmgate_bench_load sync FOLDER MS
 *     filmgate_bench_load medium FOLDER
 *
 * The first two print one line of JSON. Any call that fails ends the run: a figure with failures in it is none.
 */
#include "order.h"
#include "samples.h"

#include <errno.h>
#include <fcntl.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CALL_TIMEOUT_S 60

enum { EXIT_USAGE = 2 };

struct load {
	struct order order;
	struct samples samples;
	grpc_completion_queue *queue;
	grpc_channel *channel;
	void *method;
	size_t in_flight;
};

/* One of the calls in flight; a tag. */
struct slot {
	grpc_call *call;
	int64_t started_ns;
	grpc_byte_buffer *request, *reply;
	grpc_metadata_array initial, trailing;
	grpc_status_code code;
	grpc_slice details;
};

static void start_batch(struct slot *slot)
{
	const grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = slot->request},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
		 .data.recv_initial_metadata.recv_initial_metadata = &slot->initial},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &slot->reply},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		 .data.recv_status_on_client = {.trailing_metadata = &slot->trailing,
						.status = &slot->code,
						.status_details = &slot->details}},
	};

	if (grpc_call_start_batch(slot->call, ops, sizeof(ops) / sizeof(ops[0]), slot, NULL) != GRPC_CALL_OK)
		abort();
}

/* False when the run is over. */
static bool start_call(struct load *load, struct slot *slot, int64_t now_ns)
{
	gpr_timespec end = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					gpr_time_from_seconds(CALL_TIMEOUT_S, GPR_TIMESPAN));
	grpc_slice slice;

	if (!samples_start(&load->samples, now_ns))
		return false;
	slice = grpc_slice_malloc(load->order.len);
	order_copy(&load->order, load->samples.started, GRPC_SLICE_START_PTR(slice));
	slot->request = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	slot->started_ns = now_ns;
	slot->details = grpc_empty_slice();
	grpc_metadata_array_init(&slot->initial);
	grpc_metadata_array_init(&slot->trailing);
	slot->call = grpc_channel_create_registered_call(load->channel, NULL, GRPC_PROPAGATE_DEFAULTS, load->queue,
							 load->method, end, NULL);
	start_batch(slot);
	return true;
}

/* False when the call has failed; the first failure is @told. */
static bool end_call(struct slot *slot, bool *told)
{
	bool is_good = slot->code == GRPC_STATUS_OK && slot->reply;

	if (!is_good && !*told)
		fprintf(stderr, "bench: a call failed with status %d: %.*s\n", (int)slot->code,
			(int)GRPC_SLICE_LENGTH(slot->details), (const char *)GRPC_SLICE_START_PTR(slot->details));
	*told = *told || !is_good;
	grpc_metadata_array_destroy(&slot->initial);
	grpc_metadata_array_destroy(&slot->trailing);
	grpc_byte_buffer_destroy(slot->request);
	if (slot->reply)
		grpc_byte_buffer_destroy(slot->reply);
	slot->reply = NULL;
	grpc_slice_unref(slot->details);
	grpc_call_unref(slot->call);
	return is_good;
}

static int run_calls(struct load *load)
{
	struct slot *slots = calloc(load->in_flight, sizeof(*slots));
	size_t open = 0;
	bool has_failed = false;

	if (!slots)
		abort();
	for (size_t i = 0; i < load->in_flight; i++)
		open += start_call(load, &slots[i], samples_now());
	while (open) {
		grpc_event event = grpc_completion_queue_next(load->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		struct slot *slot = event.tag;
		int64_t now_ns = samples_now();

		open--;
		if (end_call(slot, &has_failed))
			samples_add(&load->samples, slot->started_ns, now_ns);
		if (!has_failed)
			open += start_call(load, slot, samples_now());
	}
	free(slots);
	return has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int measure_calls(char **words)
{
	grpc_channel_credentials *credentials;
	struct load load = {.in_flight = strtoul(words[2], NULL, 10)};
	int status;

	grpc_init();
	order_init(&load.order);
	credentials = grpc_insecure_credentials_create();
	load.channel = grpc_channel_create(words[0], credentials, NULL);
	grpc_channel_credentials_release(credentials);
	load.method = grpc_channel_register_call(load.channel, words[1], NULL, NULL);
	load.queue = grpc_completion_queue_create_for_next(NULL);

	samples_begin(&load.samples, strtol(words[3], NULL, 10), strtoull(words[4], NULL, 10));
	status = run_calls(&load);
	if (status == EXIT_SUCCESS)
		samples_print(&load.samples, load.order.len);
	samples_finish(&load.samples);

	grpc_completion_queue_shutdown(load.queue);
	grpc_completion_queue_next(load.queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_destroy(load.queue);
	grpc_channel_destroy(load.channel);
	grpc_shutdown_blocking();
	return status;
}

static int fail(const char *what, const char *path)
{
	fprintf(stderr, "bench: %s %s: %s\n", what, path, strerror(errno));
	return EXIT_FAILURE;
}

/* The floor of anything durable: the same bytes, one after the other, each on the disk before the next. */
static int measure_sync(char **words)
{
	uint8_t bytes[sizeof(((struct order *)0)->bytes)];
	struct samples samples;
	struct order order;
	char path[4096];
	int64_t now_ns;
	int fd;

	snprintf(path, sizeof(path), "%s/floor", words[0]);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail("cannot make", path);
	order_init(&order);
	samples_begin(&samples, strtol(words[1], NULL, 10), UINT64_MAX);
	while (now_ns = samples_now(), samples_start(&samples, now_ns)) {
		order_copy(&order, samples.started, bytes);
		if (write(fd, bytes, order.len) != (ssize_t)order.len || fdatasync(fd) < 0)
			return fail("cannot write", path);
		samples_add(&samples, now_ns, samples_now());
	}
	samples_print(&samples, order.len);
	samples_finish(&samples);
	close(fd);
	return unlink(path) < 0 ? fail("cannot remove", path) : EXIT_SUCCESS;
}

static int check_medium(char **words)
{
	struct statfs medium;

	if (statfs(words[0], &medium) < 0)
		return fail("cannot look at", words[0]);
	if (medium.f_type == TMPFS_MAGIC || medium.f_type == RAMFS_MAGIC) {
		fprintf(stderr, "bench: %s is in memory, where a sync costs nothing; name a folder on a disk\n",
			words[0]);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "call") == 0)
		return measure_calls(argv + 2);
	if (argc == 4 && strcmp(argv[1], "sync") == 0)
		return measure_sync(argv + 2);
	if (argc == 3 && strcmp(argv[1], "medium") == 0)
		return check_medium(argv + 2);
	fprintf(stderr,
		"usage: filmgate_bench_load call TARGET METHOD IN_FLIGHT MS CALLS | sync FOLDER MS | medium FOLDER\n");
	return EXIT_USAGE;
}
