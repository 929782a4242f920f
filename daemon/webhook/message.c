#include "webhook/message.h"

#include "api/convert.h"
#include "base/err.h"
#include "base/limits.h"
#include "protojson/moment.h"
#include "protojson/protojson.h"

const char *message_type_of(const struct store_snapshot *snapshot)
{
	if (snapshot->kind != JOB_EVENT_STATE)
		return NULL;
	switch (snapshot->status->state) {
	case JOB_STATE_SUCCEEDED:
		return "job.succeeded";
	case JOB_STATE_FAILED:
		return "job.failed";
	case JOB_STATE_CANCELLED:
		return "job.cancelled";
	case JOB_STATE_EXPIRED:
		return "job.expired";
	case JOB_STATE_UNCERTAIN:
		return "job.uncertain";
	default:
		return NULL;
	}
}

void message_id_of(uint64_t history, const struct id *job, uint64_t revision, char ret[static MESSAGE_ID_SIZE])
{
	char text[128], name[ID_TEXT_SIZE], hex[DIGEST_TEXT_SIZE];
	struct digest digest;

	id_format(job, name);
	snprintf(text, sizeof(text), "filmgate.webhook/1 %llu %s %llu", (unsigned long long)history, name,
		 (unsigned long long)revision);
	digest = digest_of(bytes_of_text(text));
	digest_format(&digest, hex);
	snprintf(ret, MESSAGE_ID_SIZE, "msg_%.32s", hex);
}

static int write_event(const char *type, int64_t time_ms, const Filmgate__V1__JobEvent *event, struct buffer *ret)
{
	const struct moment moment = {.seconds = time_ms / 1000, .nanos = (int32_t)(time_ms % 1000 * 1000000)};
	char time[MOMENT_TEXT_SIZE];
	int r;

	if (!moment_write_timestamp(&moment, time))
		return err_origin(-EBADMSG);
	r = buffer_printf(ret, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":", type, time);
	if (r == 0)
		r = protojson_write(&event->base, 0, ret);
	return r == 0 ? buffer_append_text(ret, "}") : r;
}

/* The state and what led to it, without what there may be any number of. */
static void cut_event(Filmgate__V1__JobEvent *event)
{
	Filmgate__V1__JobStatus *status = event->status;
	Filmgate__V1__JobStatus small = FILMGATE__V1__JOB_STATUS__INIT;

	small.state = status->state;
	small.update_time = status->update_time;
	small.finish_time = status->finish_time;
	*status = small;
}

int message_write(const struct store_snapshot *snapshot, int64_t time_ms, uint64_t history, struct buffer *ret)
{
	Filmgate__V1__JobEvent *event;
	struct arena arena = {0};
	int r;

	ret->limit = LIMIT_WEBHOOK_BODY;
	event = convert_event(&arena, snapshot, time_ms, history);
	r = write_event(message_type_of(snapshot), time_ms, event, ret);
	if (r == -EMSGSIZE) {
		buffer_finish(ret);
		*ret = (struct buffer){.limit = LIMIT_WEBHOOK_BODY};
		cut_event(event);
		r = write_event(message_type_of(snapshot), time_ms, event, ret);
	}
	arena_finish(&arena);
	if (r > 0)
		return err_origin(-EBADMSG);
	return r;
}
