/*
 * What a plugin may ask of the daemon, and whether it is carried out. One table for four places: a manifest that
 * requires what is not offered is refused, an answer that uses it is a fault, a verb of the same name is not called
 * and that is said when the plugin is loaded, and sdk/PRIMITIVES.md is compared with it by a test.
 */
#include "plugin/manifest.h"

const struct plugin_feature plugin_features[] = {
	{"inline_media", true, "write inputs as data URIs or base64"},
	{"media_body", true, "send an input's bytes as a body or as a part"},
	{"upload", true, "upload inputs before a start"},
	{"lift", true, "lift base64 out of a reply"},
	{"body_to", false, "keep a reply's body as an output"},
	{"several_remotes", false, "follow more than one remote of an attempt"},
	{"minted_credentials", true, "mint or exchange credentials"},
	{"signing", false, "sign requests"},
	{"capture", false, "capture a secret from a reply"},
	{"webhook", true, "receive webhooks"},
	{"event_stream", false, "read server-sent events"},
	{"long_poll", false, "hold long polls"},
	{"object_store", false, "fetch outputs from gs:// or s3://"},
	{"push_delivery", false, "take outputs that the provider pushes"},
	{"catalogue", true, "list avatars, voices and styles"},
	{"result", false, "ask for fresh links apart from polling"},
	{"reconcile", true, "look up an order whose reply was lost"},
	{"check", true, "ask a plugin about an order beyond its manifest"},
	{"list", true, "list the videos of the account"},
	{"subscribe", true, "have the provider call a webhook"},
	{NULL, false, NULL},
};

bool plugin_feature_is_offered(const char *name)
{
	const struct plugin_feature *feature = plugin_features;

	while (feature->name && strcmp(feature->name, name) != 0)
		feature++;
	return feature->is_offered;
}
