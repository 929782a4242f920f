/*
 * The records that are no part of a job: what the store keeps about requests, orders, what providers call content of ours,
 * and itself.
 */
#include "store/records.h"

#include "base/err.h"
#include "store/decode.h"
#include "store/wire.h"

int record_read_request(struct bytes value, struct store_request *ret)
{
	_cleanup_(message_freep) M(Request) *message = NULL;
	struct store_request request = {0};
	int r = decode_message(value, &filmgate__store__v1__request__descriptor, &message);

	if (r)
		return r;
	r = decode_binary(message->job_id, request.ref.id.bytes, sizeof(request.ref.id.bytes));
	if (r == 0)
		r = decode_binary(message->digest, request.digest.bytes, sizeof(request.digest.bytes));
	if (r < 0)
		return r;
	*ret = request;
	return 0;
}

int record_read_reply(struct bytes value, struct record_reply *ret)
{
	struct record_reply reply = {0};
	struct wire_field field;
	struct bytes left;
	int r = decode_frame(value, &left);

	if (r)
		return r;
	while (wire_next(&left, &field)) {
		if (field.tag == 1)
			reply.meta = field.bytes;
		else if (field.tag == 2)
			reply.body = field.bytes;
	}
	if (left.len)
		return err_origin(-EBADMSG);
	*ret = reply;
	return 0;
}

int record_read_handle(struct bytes value, struct store_handle *ret)
{
	_cleanup_(message_freep) M(Handle) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__handle__descriptor, &message);

	if (r)
		return r;
	*ret = (struct store_handle){.handle = decode_text(&message->handle),
				     .headers = decode_text(&message->headers),
				     .uploaded_ms = message->uploaded_ms,
				     .expires_ms = message->expires_ms};
	return 0;
}

void record_order_finish(struct record_order *order)
{
	free(order->model);
	free(order->parameters);
	for (size_t i = 0; i < order->n_remote_ids; i++)
		free(order->remote_ids[i]);
	free(order->remote_ids);
	*order = (struct record_order){0};
}

int record_read_order(struct bytes value, struct record_order *ret)
{
	_cleanup_(message_freep) M(Order) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__order__descriptor, &message);

	if (r)
		return r;
	*ret = (struct record_order){.class = (enum job_send_class)message->class_,
				     .decided_ms = message->decided_ms,
				     .is_deleted = message->is_deleted,
				     .model = decode_text(&message->model),
				     .parameters = decode_text(&message->parameters),
				     .remote_ids = message->remote_ids,
				     .n_remote_ids = message->n_remote_ids};
	message->remote_ids = NULL;
	message->n_remote_ids = 0;
	return 0;
}

int record_read_order_head(struct bytes value, int64_t *ret_decided_ms)
{
	struct wire_field field;
	struct bytes left;
	int r = decode_frame(value, &left);

	if (r)
		return r;
	*ret_decided_ms = 0;
	while (wire_next(&left, &field) && field.tag < 3)
		if (field.tag == 2)
			*ret_decided_ms = (int64_t)field.number;
	return 0;
}

int record_read_meta(struct bytes value, struct record_meta *ret)
{
	_cleanup_(message_freep) M(Meta) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__meta__descriptor, &message);

	if (r)
		return r;
	*ret = (struct record_meta){.format = message->format,
				    .epoch = message->epoch,
				    .created_ms = message->created_ms,
				    .life = message->life,
				    .has_link_key = message->link_key.len == sizeof(ret->link_key)};
	if (ret->has_link_key)
		memcpy(ret->link_key, message->link_key.data, sizeof(ret->link_key));
	return 0;
}

int record_read_tenant(struct bytes value, struct record_tenant *ret)
{
	_cleanup_(message_freep) M(Tenant) *message = NULL;
	struct record_tenant tenant = {0};
	int r = decode_message(value, &filmgate__store__v1__tenant__descriptor, &message);

	if (r)
		return r;
	tenant.event_watermark = message->event_watermark;
	r = decode_unknown(&message->base, &tenant.unknown);
	if (r < 0)
		return r;
	*ret = tenant;
	return 0;
}
