#include "told.h"

#include "base/err.h"
#include "base/json_lift.h"

static void forget_lifted(struct told *told)
{
	while (told->n_lifted)
		free(told->lifted[--told->n_lifted]);
}

void told_finish(struct told *told)
{
	forget_lifted(told);
	buffer_finish(&told->facts);
}

/* ---- files ---- */

void told_files(struct told *told, const struct orders *orders, const char *job)
{
	told->n_files = 0;
	for (size_t i = 0; i < orders->n_assets && told->n_files < TOLD_FILES; i++)
		if (strstr(job, orders->assets[i].name))
			told->files[told->n_files++] = (struct plugin_asset){
				.name = orders->assets[i].name,
				.media_type = orders->assets[i].media_type,
				.size_bytes = orders->assets[i].size_bytes,
			};
}

struct plugin_asset *told_file(struct told *told, const char *name)
{
	for (size_t i = 0; i < told->n_files; i++)
		if (strcmp(told->files[i].name, name) == 0)
			return &told->files[i];
	return NULL;
}

/* The report was looked at when it was made; what is longer than there is room for is as good as another one. */
void told_handle(struct told *told, struct plugin_asset *file, const char *report)
{
	size_t i = (size_t)(file - told->files);
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(buffer_finish) struct buffer headers = {.limit = TOLD_HANDLE - 1};
	json_node root = JSON_ABSENT;

	snprintf(told->handles[i], TOLD_HANDLE, "handle-%zu", i);
	file->handle = told->handles[i];
	file->headers = NULL;
	if (!report || !json || json_parse(json, bytes_of_text(report), JSON_DUPLICATES_REFUSE, &root, NULL) != 0)
		return;
	snprintf(told->handles[i], TOLD_HANDLE, "%s", json_string(json, json_at(json, root, "/handle")));
	if (!json_at(json, root, "/headers") ||
	    json_write(json, json_at(json, root, "/headers"), JSON_FORM_PLAIN, &headers) != 0)
		return;
	snprintf(told->headers[i], TOLD_HANDLE, "%s", headers.data);
	file->headers = told->headers[i];
}

/* ---- a lost order ---- */

static json_node other(struct json *json, struct dice *dice, struct bytes job)
{
	json_node out = json_object(json), ours = JSON_ABSENT;

	if (json_parse(json, job, JSON_DUPLICATES_REFUSE, &ours, NULL) == 0) {
		json_put(json, out, "/model", json_copy(json, json, json_at(json, ours, "/model")));
		json_put(json, out, "/parameters", json_copy(json, json, json_at(json, ours, "/parameters")));
	}
	if (dice_percent(dice, 50))
		json_put(json, out, "/parameters/prompt", json_make_text(json, bytes_of_text("another")));
	if (dice_percent(dice, 50))
		json_put(json, out, "/remote_id", json_make_text(json, bytes_of_text("id-1")));
	else
		json_put(json, out, "/is_on_its_way", json_make_boolean(json, dice_percent(dice, 50)));
	return out;
}

int told_facts(struct told *told, struct dice *dice, const char *job, int64_t sent_ms, bool has_reply)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root, list;

	if (!json)
		return err_origin(-ENOMEM);
	root = json_object(json);
	json_put(json, root, "/sends", list = json_array(json));
	json_append(json, list, json_object(json));
	json_put(json, root, "/sends/0/sent_at_ms", json_make_integer(json, sent_ms));
	json_put(json, root, "/sends/0/decided_at_ms", json_make_integer(json, sent_ms + 30000));
	if (has_reply) {
		json_put(json, root, "/others", list = json_array(json));
		for (uint64_t i = dice_below(dice, 3); i > 0; i--)
			json_append(json, list, other(json, dice, bytes_of_text(job)));
		json_put(json, root, "/others_left_out", json_make_boolean(json, dice_percent(dice, 20)));
	}
	told->facts.len = 0;
	return json_write(json, root, JSON_FORM_PLAIN, &told->facts) ? err_origin(-ENOMEM) : 0;
}

/* ---- what is lifted ---- */

static int begin_text(void *userdata, const char *pointer)
{
	struct told *told = userdata;

	if (told->n_lifted == TOLD_LIFTED)
		return _JSON_LIFT_E_N;
	told->lifted[told->n_lifted] = bytes_dup_text(bytes_of_text(pointer));
	if (!told->lifted[told->n_lifted])
		return err_origin(-ENOMEM);
	told->n_lifted++;
	return 0;
}

static int drop_bytes(void *userdata, struct bytes bytes)
{
	(void)userdata;
	(void)bytes;
	return 0;
}

static int end_text(void *userdata)
{
	(void)userdata;
	return 0;
}

/* A reply from which nothing can be lifted never reaches a plugin; here it comes as it is, which is harder on it. */
int told_lift(struct told *told, const struct plugin_exchange *exchange, struct plugin_reply *reply,
	      struct buffer *body)
{
	const struct json_lift_sink sink = {begin_text, drop_bytes, end_text, told};
	_cleanup_(json_lift_freep) struct json_lift *lift = NULL;
	_cleanup_(buffer_finish) struct buffer left = {0};
	int r;

	forget_lifted(told);
	if (exchange->n_lift == 0)
		return 0;
	r = json_lift_new(exchange->lift, exchange->n_lift, &sink, &lift);
	if (r == 0)
		r = json_lift_feed(lift, buffer_bytes(body), &left);
	if (r == 0)
		r = json_lift_end(lift);
	if (r) {
		forget_lifted(told);
		return r < 0 ? r : 0;
	}
	body->len = 0;
	r = buffer_append(body, left.data, left.len);
	reply->body = buffer_bytes(body);
	reply->lifted = (const char *const *)told->lifted;
	reply->n_lifted = told->n_lifted;
	return r;
}
