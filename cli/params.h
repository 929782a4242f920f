/*
 * Flags that set parameters: `--param NAME=VALUE` by the contract's descriptors, and `--image`, `--video`, `--audio`.
 * Pure. [any-thread]
 */
#ifndef FG_CLI_PARAMS_H
#define FG_CLI_PARAMS_H

#include <filmgate/v1/parameters.pb-c.h>

struct errmsg;

enum {
	_PARAMS_E_OK,
	PARAMS_E_INVALID, /* the errmsg says why */
};

/*
 * "duration_ms=8000", "script.text=Hello", "size.width=1920", "audio=off", "media[0].role=source",
 * "extras.engine.type=avatar_v". Names as in the capability document; @parameters is on the heap.
 *
 * Below extras the value is JSON if it reads as a number, true, false, null, or begins like a text, list or object;
 * anything else is a text. Returns 0, PARAMS_E_INVALID or -ENOMEM.
 */
int params_set(Filmgate__V1__JobParameters *parameters, const char *assignment, struct errmsg *error);

/* The same with a path from any heap message, "job.parameters.script.text", and without naming the path in the error. */
int params_set_at(ProtobufCMessage *message, const char *path, const char *text, struct errmsg *error);

/*
 * Appends a medium: "SOURCE", "ROLE=SOURCE" or "keyframe@TIME=SOURCE", where SOURCE is an http(s) address, an asset's
 * name or else the provider's handle. Without a role: first_frame for a picture, source for a video, reference for a sound.
 */
int params_add_media(Filmgate__V1__JobParameters *parameters, Filmgate__V1__MediaKind kind, const char *argument,
		     struct errmsg *error);

#endif
