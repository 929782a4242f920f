#include "artifact/probe.h"
#include "base/limits.h"
#include "fuzz.h"

#include <assert.h>
#include <string.h>

static const char *const roles[] = {"video", "thumbnail", "preview", "subtitles", "audio", "anything"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = {.fd = -1, .bytes = data, .size = size};

	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		struct probe probe = {0};
		struct errmsg msg = {""};
		int r = probe_source(&source, roles[i], &probe, &msg);

		assert(r == 0 || r == ARTIFACT_E_NOT_MEDIA || r == ARTIFACT_E_TRUNCATED);
		assert((r == 0) == (probe.media_type != NULL) && (r == 0) == (msg.text[0] == '\0'));
		assert(probe.duration_ms >= 0 && probe.duration_ms <= LIMIT_ARTIFACT_DURATION_MS + 999);
		assert(probe.width <= LIMIT_ARTIFACT_SIDE && probe.height <= LIMIT_ARTIFACT_SIDE);
		if (r == 0 && strcmp(roles[i], "video") == 0)
			assert(probe.has_picture);
	}
	return 0;
}
