#include "sim/stamp.h"

#include <stdio.h>
#include <time.h>

struct sim_stamp sim_stamp_of(int64_t utc_ms)
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct sim_stamp stamp;
	char date[24];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp.text, sizeof(stamp.text), "%s.%03dZ", date, (int)(utc_ms % 1000));
	return stamp;
}
