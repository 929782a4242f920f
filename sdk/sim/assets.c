#include "sim/assets.h"

#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/log.h"
#include "sim/json.h"
#include "sim/sim.h"
#include "sim/sniff.h"

#define SIMPLE_MOST (32 << 20)
#define PLACE_LIFE_S 3600
#define PLACE_NAME "upload"

struct asset {
	struct asset *next; /* older */
	char id[64];
	char media_type[64];
	char sha256[DIGEST_TEXT_SIZE]; /* of what came */
	char expected_sha256[DIGEST_TEXT_SIZE];
	char token[ID_TEXT_SIZE]; /* a header's value that a PUT must repeat */
	uint64_t size_bytes;
	bool is_filled, is_complete;
};

struct sim_assets {
	struct asset *newest;
	size_t count;
};

/* ---- the table ---- */

int sim_assets_new(struct sim_assets **ret)
{
	struct sim_assets *assets = calloc(1, sizeof(*assets));

	if (!assets)
		return err_origin(-ENOMEM);
	*ret = assets;
	return 0;
}

void sim_assets_reset(struct sim_assets *assets)
{
	while (assets->newest) {
		struct asset *next = assets->newest->next;

		free(assets->newest);
		assets->newest = next;
	}
	assets->count = 0;
}

struct sim_assets *sim_assets_free(struct sim_assets *assets)
{
	if (assets)
		sim_assets_reset(assets);
	free(assets);
	return NULL;
}

size_t sim_assets_count(const struct sim_assets *assets)
{
	return assets->count;
}

static struct asset *find(const struct sim_assets *assets, const char *id)
{
	struct asset *asset = assets->newest;

	while (asset && strcmp(asset->id, id) != 0)
		asset = asset->next;
	return asset;
}

bool sim_assets_know(const struct sim_assets *assets, const char *id)
{
	const struct asset *asset = find(assets, id);

	return strncmp(id, SIM_ASSET_PREFIX, strlen(SIM_ASSET_PREFIX)) != 0 || (asset && asset->is_complete);
}

static void forget_oldest(struct sim_assets *assets)
{
	struct asset **link = &assets->newest;

	while (*link && (*link)->next)
		link = &(*link)->next;
	free(*link);
	*link = NULL;
	assets->count--;
}

static struct asset *add(struct sim *sim)
{
	struct asset *asset = calloc(1, sizeof(*asset));
	struct id id = id_new(sim_clock_utc_ms(&sim->clock));
	char text[ID_TEXT_SIZE];

	if (!asset)
		return NULL;
	id_format(&id, text);
	snprintf(asset->id, sizeof(asset->id), SIM_ASSET_PREFIX "%s", text);
	id = id_new(sim_clock_utc_ms(&sim->clock));
	id_format(&id, asset->token);
	if (sim->assets->count == LIMIT_SIM_ASSETS)
		forget_oldest(sim->assets);
	asset->next = sim->assets->newest;
	sim->assets->newest = asset;
	sim->assets->count++;
	return asset;
}

static int refuse(struct sim_reply *reply, int status, const char *code, const char *message, const char *param)
{
	return sim_heygen.refuse(reply, status, code, message, param);
}

static int describe(struct sim_reply *reply, const struct asset *asset)
{
	return sim_reply_json(reply, 200,
			      json_pack("{s:{s:s,s:s+,s:s,s:I,s:s}}", "data", "asset_id", asset->id, "url",
					"https://files.example.com/", asset->id, "mime_type", asset->media_type,
					"size_bytes", (json_int_t)asset->size_bytes, "status",
					asset->is_complete ? "ready" : "pending_upload"));
}

static void take(struct asset *asset, struct bytes file)
{
	struct digest digest = digest_of(file);

	digest_format(&digest, asset->sha256);
	asset->size_bytes = file.len;
	asset->is_filled = true;
}

/* ---- one request of parts ---- */

/* The value of name="…" in a line of a part's head; false when it has none. */
static bool has_name(struct bytes head, const char *attribute)
{
	return memmem(head.data, head.len, attribute, strlen(attribute)) != NULL;
}

/* The content of the part "file" of a body that is cut by @boundary; false when there is no such part. */
static bool find_file(struct bytes body, const char *boundary, struct bytes *ret)
{
	char mark[128];
	size_t len = (size_t)snprintf(mark, sizeof(mark), "\r\n--%s", boundary);
	const char *at = body.data, *end = at + body.len, *head, *next;

	if (len >= sizeof(mark) || body.len < len || memcmp(at, mark + 2, len - 2) != 0)
		return false;
	for (at += len - 2; end - at > 2 && memcmp(at, "--", 2) != 0; at = next + len) {
		head = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
		next = head ? memmem(head + 4, (size_t)(end - head - 4), mark, len) : NULL;
		if (!next)
			return false;
		if (has_name(bytes_of(at, (size_t)(head - at)), "name=\"file\"") &&
		    has_name(bytes_of(at, (size_t)(head - at)), "filename=\"")) {
			*ret = bytes_of(head + 4, (size_t)(next - head - 4));
			return true;
		}
	}
	return false;
}

int sim_assets_upload(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const char *type = sim_fields_find(&call->request->headers, "Content-Type");
	const char *boundary = type ? strstr(type, "boundary=") : NULL;
	const char *media_type;
	struct asset *asset;
	struct bytes file;

	if (!boundary || strncmp(type, "multipart/form-data", 19) != 0)
		return refuse(reply, 400, "invalid_parameter", "The body must be multipart/form-data", NULL);
	if (!find_file(buffer_bytes(&call->request->body), boundary + 9, &file))
		return refuse(reply, 400, "invalid_parameter", "file is required", "file");
	if (file.len > SIMPLE_MOST)
		return refuse(reply, 413, "payload_too_large", "A file has at most 32 MB; use direct-uploads", "file");
	media_type = sim_sniff(file);
	if (!media_type)
		return refuse(reply, 400, "invalid_parameter", "The file is of no type that is taken", "file");
	asset = add(sim);
	if (!asset)
		return err_origin(-ENOMEM);
	snprintf(asset->media_type, sizeof(asset->media_type), "%s", media_type);
	take(asset, file);
	asset->is_complete = true;
	return describe(reply, asset);
}

/* ---- a place at the storage ---- */

static bool is_sha256(const char *text)
{
	return strlen(text) == DIGEST_TEXT_SIZE - 1 && strspn(text, "0123456789abcdef") == DIGEST_TEXT_SIZE - 1;
}

static int describe_place(struct sim *sim, struct sim_reply *reply, const struct asset *asset)
{
	int64_t expires_s = sim_clock_utc_ms(&sim->clock) / 1000 + PLACE_LIFE_S;
	_cleanup_(freep) char *url = sim_links_sign(sim->links, asset->id, PLACE_NAME, expires_s);

	if (!url)
		return err_origin(-ENOMEM);
	return sim_reply_json(reply, 200,
			      json_pack("{s:{s:s,s:s,s:{s:s,s:s},s:i,s:I,s:s}}", "data", "asset_id", asset->id,
					"upload_url", url, "upload_headers", "Content-Type", asset->media_type,
					"x-amz-meta-upload", asset->token, "expires_in_seconds", PLACE_LIFE_S,
					"max_bytes", (json_int_t)asset->size_bytes, "status", "pending_upload"));
}

int sim_assets_place(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct buffer *bytes = &call->request->body;
	_cleanup_(sim_json_freep) json_t *body = json_loadb(bytes->data ? bytes->data : "", bytes->len, 0, NULL);
	const char *type = json_string_value(json_object_get(body, "content_type"));
	const char *sha256 = json_string_value(json_object_get(body, "checksum_sha256"));
	json_int_t size = json_integer_value(json_object_get(body, "size_bytes"));
	struct asset *asset;

	if (!json_is_string(json_object_get(body, "filename")))
		return refuse(reply, 400, "invalid_parameter", "filename is required", "filename");
	if (!type || strlen(type) >= sizeof(asset->media_type))
		return refuse(reply, 400, "invalid_parameter", "content_type is required", "content_type");
	if (size < 1)
		return refuse(reply, 400, "invalid_parameter", "size_bytes must be the exact size", "size_bytes");
	if (sha256 && !is_sha256(sha256))
		return refuse(reply, 400, "invalid_parameter", "checksum_sha256 is no SHA-256", "checksum_sha256");
	asset = add(sim);
	if (!asset)
		return err_origin(-ENOMEM);
	snprintf(asset->media_type, sizeof(asset->media_type), "%s", type);
	snprintf(asset->expected_sha256, sizeof(asset->expected_sha256), "%s", sha256 ? sha256 : "");
	asset->size_bytes = (uint64_t)size;
	return describe_place(sim, reply, asset);
}

/* The storage's own form of an error. */
static int deny(struct sim_reply *reply, int status, const char *code)
{
	char text[256];

	snprintf(text, sizeof(text), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code></Error>",
		 code);
	return sim_reply_text(reply, status, "application/xml", bytes_of_text(text));
}

/* A signature covers these headers, and no others: a key among them would be a leak, whether or not it were taken. */
static bool are_headers_verbatim(const struct sim_request *request, const struct asset *asset)
{
	const char *type = sim_fields_find(&request->headers, "Content-Type");
	const char *token = sim_fields_find(&request->headers, "x-amz-meta-upload");

	return type && strcmp(type, asset->media_type) == 0 && token && strcmp(token, asset->token) == 0;
}

static bool has_credential(const struct sim_request *request)
{
	return sim_fields_find(&request->headers, "X-Api-Key") || sim_fields_find(&request->headers, "Authorization");
}

/* "/files/ID/upload". */
static struct asset *asset_of(const struct sim *sim, const char *path)
{
	const char *id = strncmp(path, "/files/", 7) == 0 ? path + 7 : "";
	const char *end = strstr(id, "/" PLACE_NAME);
	char text[64];

	if (!end || end[strlen("/" PLACE_NAME)] || (size_t)(end - id) >= sizeof(text))
		return NULL;
	memcpy(text, id, (size_t)(end - id));
	text[end - id] = '\0';
	return find(sim->assets, text);
}

int sim_assets_fill(struct sim *sim, const struct sim_call *call, struct sim_reply *reply)
{
	const struct sim_request *request = call->request;
	struct bytes file = buffer_bytes(&request->body);
	struct asset *asset = asset_of(sim, request->path);
	const char *media_type = sim_sniff(file);

	if (!asset || sim_links_check(sim->links, request, sim_clock_utc_ms(&sim->clock) / 1000) != 0)
		return deny(reply, 403, "AccessDenied");
	if (has_credential(request) || !are_headers_verbatim(request, asset))
		return deny(reply, 403, "SignatureDoesNotMatch");
	if (file.len != asset->size_bytes)
		return deny(reply, 400, file.len > asset->size_bytes ? "EntityTooLarge" : "IncompleteBody");
	if (!media_type || strcmp(media_type, asset->media_type) != 0)
		return deny(reply, 400, "InvalidRequest");
	take(asset, file);
	if (*asset->expected_sha256 && strcmp(asset->expected_sha256, asset->sha256) != 0) {
		asset->is_filled = false;
		return deny(reply, 400, "BadDigest");
	}
	log_info("an asset's bytes came", "asset", asset->id, "bytes", log_int((int64_t)file.len));
	return sim_reply_text(reply, 200, "application/xml", bytes_of_text(""));
}

static int refuse_unknown(struct sim_reply *reply)
{
	return refuse(reply, 404, "asset_not_found", "Asset with the given ID was not found", NULL);
}

int sim_assets_complete(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct asset *asset = find(sim->assets, call->id);

	if (!asset)
		return refuse_unknown(reply);
	if (!asset->is_filled)
		return refuse(reply, 409, "resource_not_ready", "Nothing was put into the upload_url yet", NULL);
	asset->is_complete = true;
	return describe(reply, asset);
}

int sim_assets_get(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct asset *asset = find(sim->assets, call->id);

	return asset ? describe(reply, asset) : refuse_unknown(reply);
}

int sim_assets_delete(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct asset *asset = find(sim->assets, call->id), **link = &sim->assets->newest;

	if (!asset)
		return refuse_unknown(reply);
	while (*link != asset)
		link = &(*link)->next;
	*link = asset->next;
	sim->assets->count--;
	free(asset);
	return sim_reply_json(reply, 200, json_pack("{s:{s:s,s:b}}", "data", "id", call->id, "deleted", 1));
}
