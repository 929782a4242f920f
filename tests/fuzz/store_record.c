/*
 * A stored value after damage, or from a later version: refused, or read; and what was read and is written again
 * stays the same from then on. The first byte of an input chooses the kind of record.
 */
#include "store/records.h"

#include "base/err.h"
#include "fuzz.h"

#include <assert.h>

/* Reads @value and appends what it says to @out, as this version writes it. */
typedef int rewrite_fn(struct bytes value, struct buffer *out);

static int rewrite_job(struct bytes value, struct buffer *out)
{
	_cleanup_(job_freep) struct job *job = NULL;
	int r = record_read_job(value, &job);

	if (r == 0)
		assert(job->request_id && job->provider && job->model && job->parameters);
	return r ? r : record_write_job(out, job);
}

static int rewrite_state(struct bytes value, struct buffer *out)
{
	_cleanup_(job_status_freep) struct job_status *status = NULL;
	int r = record_read_state(value, &status);

	if (r == 0)
		assert(status->state > 0 && status->state < _JOB_STATE_COUNT && status->wait < _JOB_WAIT_COUNT);
	return r ? r : record_write_state(out, status);
}

/* Of the four kinds that are read into a status, one after the other. */
#define REWRITE_PART(kind)                                                                \
	static int rewrite_##kind(struct bytes value, struct buffer *out)                 \
	{                                                                                 \
		_cleanup_(job_status_freep) struct job_status *status = job_status_new(); \
		int r = status ? record_read_##kind(value, status) : -ENOMEM;             \
                                                                                          \
		if (r == 0)                                                               \
			assert(status->n_##kind##s == 1);                                 \
		return r ? r : record_write_##kind(out, &status->kind##s[0]);             \
	}
REWRITE_PART(attempt)
REWRITE_PART(send)
REWRITE_PART(remote)
REWRITE_PART(artifact)

static void look_at_event(struct bytes value)
{
	struct store_snapshot *snapshot = NULL;
	struct store_event event;
	int r = record_read_event_head(value, &event);

	assert(r == 0 || r == STORE_E_NEWER_FORMAT || r == -EBADMSG);
	r = record_read_snapshot(value, &snapshot);
	assert(r == 0 || r == STORE_E_NEWER_FORMAT || r == -EBADMSG);
	if (r == 0)
		assert(snapshot->provider && snapshot->model && snapshot->status);
	store_snapshot_free(snapshot);
}

static int rewrite_nothing(struct bytes value, struct buffer *out)
{
	struct store_request request;
	uint64_t revision;

	(void)out;
	look_at_event(value);
	(void)record_read_revision(value, &revision);
	(void)record_read_request(value, &request);
	return STORE_E_NOT_FOUND;
}

static int rewrite_reply(struct bytes value, struct buffer *out)
{
	struct record_reply reply;
	int r = record_read_reply(value, &reply);

	return r ? r : record_write_reply(out, reply.meta, reply.body);
}

static int rewrite_meta(struct bytes value, struct buffer *out)
{
	struct record_meta meta;
	int r = record_read_meta(value, &meta);

	return r ? r : record_write_meta(out, &meta);
}

static int rewrite_tenant(struct bytes value, struct buffer *out)
{
	struct record_tenant tenant = {0};
	int r = record_read_tenant(value, &tenant);

	if (r == 0)
		r = record_write_tenant(out, &tenant);
	free(tenant.unknown);
	return r;
}

static int rewrite_asset(struct bytes value, struct buffer *out)
{
	struct asset asset = {0};
	int r = record_read_asset(value, &asset);

	if (r == 0)
		r = record_write_asset(out, &asset);
	asset_finish(&asset);
	return r;
}

static int rewrite_handle(struct bytes value, struct buffer *out)
{
	struct store_handle handle = {0};
	int r = record_read_handle(value, &handle);

	if (r == 0)
		r = record_write_handle(out, &handle);
	store_handle_finish(&handle);
	return r;
}

static int rewrite_order(struct bytes value, struct buffer *out)
{
	struct record_order order = {0};
	int64_t decided_ms;
	int r = record_read_order(value, &order);

	if (r == 0)
		r = record_read_order_head(value, &decided_ms);
	if (r == 0)
		r = record_write_order(out, &order);
	record_order_finish(&order);
	return r;
}

static rewrite_fn *const kinds[] = {
	rewrite_job,   rewrite_state, rewrite_attempt, rewrite_send,  rewrite_remote, rewrite_artifact, rewrite_nothing,
	rewrite_reply, rewrite_meta,  rewrite_tenant,  rewrite_asset, rewrite_handle, rewrite_order,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buffer_finish) struct buffer first = {0};
	_cleanup_(buffer_finish) struct buffer second = {0};
	rewrite_fn *rewrite;
	int r;

	if (size == 0)
		return -1;
	rewrite = kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))];
	r = rewrite(bytes_of(data + 1, size - 1), &first);
	assert(r == 0 || r == STORE_E_NEWER_FORMAT || r == STORE_E_NOT_FOUND || r == -EBADMSG);
	if (r != 0)
		return 0;
	r = rewrite(buffer_bytes(&first), &second);
	assert(r == 0 && bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
	return 0;
}
