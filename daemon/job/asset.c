#include "job/asset.h"

#include <stdio.h>
#include <stdlib.h>

static const char prefix[] = "assets/";

void asset_finish(struct asset *asset)
{
	free(asset->display_name);
	*asset = (struct asset){0};
}

enum asset_kind asset_kind_of(const struct asset *asset)
{
	if (strncmp(asset->media_type, "video/", 6) == 0)
		return ASSET_KIND_VIDEO;
	return strncmp(asset->media_type, "audio/", 6) == 0 ? ASSET_KIND_AUDIO : ASSET_KIND_IMAGE;
}

const char *asset_kind_name(enum asset_kind kind)
{
	switch (kind) {
	case ASSET_KIND_VIDEO:
		return "video";
	case ASSET_KIND_AUDIO:
		return "audio";
	case ASSET_KIND_IMAGE:
		break;
	}
	return "image";
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool asset_name_parse(struct bytes name, struct digest *ret)
{
	const char *text = name.data;
	struct digest digest;

	if (name.len != ASSET_NAME_SIZE - 1 || memcmp(text, prefix, sizeof(prefix) - 1) != 0)
		return false;
	text += sizeof(prefix) - 1;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = digest;
	return true;
}

void asset_name_format(const struct digest *sha256, char text[static ASSET_NAME_SIZE])
{
	memcpy(text, prefix, sizeof(prefix) - 1);
	digest_format(sha256, text + sizeof(prefix) - 1);
}
