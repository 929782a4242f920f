#include "webhook/schedule.h"

#include <ctype.h>
#include <stdlib.h>

void schedule_read(struct schedule *schedule, const char *text)
{
	char *end;

	*schedule = (struct schedule){0};
	while (schedule->n < LIMIT_WEBHOOK_RETRIES && isdigit((unsigned char)*text)) {
		schedule->pauses_ms[schedule->n++] = strtoll(text, &end, 10) * 1000;
		text = *end == ' ' ? end + 1 : end;
	}
}

int64_t schedule_next_ms(const struct schedule *schedule, uint32_t step, int64_t asked_ms, uint32_t chance)
{
	int64_t pause_ms;

	if (step == 0 || step > schedule->n)
		return -1;
	pause_ms = schedule->pauses_ms[step - 1];
	if (asked_ms > LIMIT_WEBHOOK_RETRY_AFTER_MS)
		asked_ms = LIMIT_WEBHOOK_RETRY_AFTER_MS;
	if (asked_ms > pause_ms)
		pause_ms = asked_ms;
	return pause_ms + pause_ms / 10 * (int64_t)(chance % 1024) / 1024;
}
