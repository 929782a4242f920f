#include "api/stream.h"

#include <assert.h>

void stream_listen(struct stream *stream, const struct stream_events *events, void *userdata)
{
	assert(!stream->events);
	stream_ref(stream);
	stream->events = events;
	stream->userdata = userdata;
}

void stream_begin(struct stream *stream)
{
	stream->ops->begin(stream);
}

bool stream_send(struct stream *stream, struct packed *take)
{
	return stream->ops->send(stream, take);
}

void stream_finish(struct stream *stream, const struct failure *failure)
{
	stream->ops->end(stream, failure, false);
}

void stream_abort(struct stream *stream, const struct failure *failure)
{
	stream->ops->end(stream, failure, true);
}

void stream_read(struct stream *stream)
{
	stream->ops->read(stream);
}

struct stream *stream_ref(struct stream *stream)
{
	stream->ops->ref(stream);
	return stream;
}

void stream_unref(struct stream *stream)
{
	stream->ops->unref(stream);
}
