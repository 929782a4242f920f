#include "api/keep.h"

#include "api/inside.h"
#include "api/worker.h"
#include "base/limits.h"

struct keeping {
	struct work work; /* first */
	struct api *api;
	struct buffer content;
	char *display_name;
	engine_asset_fn *fn;
	void *userdata;
};

static void keeping_free(struct keeping *keeping)
{
	atomic_fetch_sub(&keeping->api->kept, keeping->content.len);
	buffer_finish(&keeping->content);
	free(keeping->display_name);
	free(keeping);
}

static void refuse(engine_asset_fn *fn, void *userdata, int outcome, const char *text)
{
	fn(userdata, outcome, &(struct engine_error){.text = text}, NULL, false);
}

/* [upload thread] */
static void run_keep(struct work *work)
{
	struct keeping *keeping = (struct keeping *)work;
	const struct engine_upload_spec spec = {.tenant = JOB_TENANT_DEFAULT,
						.display_name = keeping->display_name,
						.size_bytes = keeping->content.len};
	struct engine_upload *upload = NULL;
	struct errmsg msg = {""};
	int r = engine_upload_open(keeping->api->engine, &spec, &upload, &msg);

	if (r == 0)
		r = engine_upload_write(upload, buffer_bytes(&keeping->content), &msg);
	if (r) {
		engine_upload_drop(upload);
		refuse(keeping->fn, keeping->userdata, r, msg.text);
	} else {
		engine_upload_finish(upload, keeping->fn, keeping->userdata);
	}
	keeping_free(keeping);
}

static bool take_room(struct api *api, size_t len)
{
	if (atomic_fetch_add(&api->kept, len) + len <= LIMIT_API_KEPT)
		return true;
	atomic_fetch_sub(&api->kept, len);
	return false;
}

void api_keep_asset(struct api *api, struct buffer *take, const char *display_name, engine_asset_fn *fn, void *userdata)
{
	struct buffer content = *take;
	struct keeping *keeping;

	*take = (struct buffer){0};
	if (!take_room(api, content.len)) {
		buffer_finish(&content);
		refuse(fn, userdata, ENGINE_E_UPLOADS, "too many uploads wait for the disk; try again later");
		return;
	}
	keeping = calloc(1, sizeof(*keeping));
	if (!keeping)
		abort();
	*keeping = (struct keeping){
		.work.run = run_keep, .api = api, .content = content, .fn = fn, .userdata = userdata};
	keeping->display_name = display_name ? strdup(display_name) : NULL;
	worker_post(api->uploads, &keeping->work);
}
