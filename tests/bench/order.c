#include "order.h"

#include <filmgate/v1/job_service.pb-c.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DIGITS 32
#define SCRIPT                                                                                                   \
	"Every job is on disk before it is accepted, and nothing is bought twice. A film gate holds each frame " \
	"exactly once, exposes it, and moves on."

static char no_id[] = "00000000000000000000000000000000";
_Static_assert(sizeof(no_id) == DIGITS + 1, "the request_id has DIGITS digits");

void order_init(struct order *order)
{
	Filmgate__V1__Job__LabelsEntry label = FILMGATE__V1__JOB__LABELS_ENTRY__INIT, *labels[] = {&label};
	Filmgate__V1__CreateJobRequest request = FILMGATE__V1__CREATE_JOB_REQUEST__INIT;
	Filmgate__V1__JobParameters parameters = FILMGATE__V1__JOB_PARAMETERS__INIT;
	Filmgate__V1__Script script = FILMGATE__V1__SCRIPT__INIT;
	Filmgate__V1__Job job = FILMGATE__V1__JOB__INIT;
	struct timespec now;
	uint8_t *id;

	label.key = (char[]){"team"};
	label.value = (char[]){"bench"};
	script.content_case = FILMGATE__V1__SCRIPT__CONTENT_TEXT;
	script.text = (char[]){SCRIPT};
	parameters.script = &script;
	parameters.avatar_id = (char[]){"demo_avatar"};
	parameters.voice_id = (char[]){"demo_voice"};
	parameters.picture_size_case = FILMGATE__V1__JOB_PARAMETERS__PICTURE_SIZE_RESOLUTION;
	parameters.resolution = (char[]){"720p"};
	job.provider = (char[]){"providers/heygen"};
	job.model = (char[]){"avatar"};
	job.display_name = (char[]){"bench"};
	job.labels = labels;
	job.n_labels = 1;
	job.parameters = &parameters;
	request.job = &job;
	request.request_id = no_id;

	order->len = protobuf_c_message_get_packed_size(&request.base);
	assert(order->len <= sizeof(order->bytes));
	protobuf_c_message_pack(&request.base, order->bytes);
	id = memmem(order->bytes, order->len, no_id, DIGITS);
	assert(id);
	order->id_at = (size_t)(id - order->bytes);
	clock_gettime(CLOCK_REALTIME, &now);
	order->first = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void order_copy(const struct order *order, uint64_t n, uint8_t *ret)
{
	char digits[DIGITS + 1];

	snprintf(digits, sizeof(digits), "%016llx%016llx", (unsigned long long)order->first, (unsigned long long)n);
	memcpy(ret, order->bytes, order->len);
	memcpy(ret + order->id_at, digits, DIGITS);
}
