#include "sim/heygen_lists.h"

#include "sim/json.h"

#define STANDARD 20

/* What the simulator has. Any other id may be ordered as well: it checks none. */
static const struct voice {
	const char *id, *name, *language, *gender, *type;
} voices[] = {
	{"demo_voice", "Demo", "English", "female", "public"},  {"voice_paul", "Paul", "English", "male", "public"},
	{"voice_greta", "Greta", "German", "female", "public"}, {"voice_ines", "Inés", "Spanish", "female", "public"},
	{"voice_own", "My own", "English", "male", "private"},
};

static const struct avatar {
	const char *id, *name, *ownership;
} avatars[] = {
	{"group_demo", "Demo", "public"},
	{"group_anna", "Anna", "public"},
	{"group_own", "My twin", "private"},
};

static const struct look {
	const char *id, *group, *name, *type, *ownership, *status;
} looks[] = {
	{"demo_avatar", "group_demo", "Demo, standing", "studio_avatar", "public", "completed"},
	{"anna_office", "group_anna", "Anna in the office", "studio_avatar", "public", "completed"},
	{"anna_photo", "group_anna", "Anna, a photo", "photo_avatar", "public", "completed"},
	{"own_twin", "group_own", "My twin", "digital_twin", "private", "processing"},
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Is the row what the query argument @name asks for? */
static bool fits(const struct sim_call *call, const char *name, const char *has)
{
	const char *wanted = sim_fields_find(&call->request->query, name);

	return !wanted || strcmp(wanted, has) == 0;
}

static int refuse(struct sim_reply *reply, const char *message, const char *param)
{
	return sim_reply_json(reply, 400,
			      json_pack("{s:{s:s,s:s,s:s}}", "error", "code", "invalid_parameter", "message", message,
					"param", param));
}

static bool read_number(const struct sim_call *call, const char *name, size_t standard, size_t least, size_t most,
			size_t *ret)
{
	const char *text = sim_fields_find(&call->request->query, name);
	size_t digits = text ? strspn(text, "0123456789") : 0;

	*ret = standard;
	if (!text)
		return true;
	if (digits == 0 || digits > 9 || text[digits])
		return false;
	*ret = strtoul(text, NULL, 10);
	return *ret >= least && *ret <= most;
}

/* The part of @all that `limit` and `token`, a number of rows, ask for. Takes @all. */
static int reply_page(const struct sim_call *call, size_t most, json_t *take, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *all = take, *page = json_array();
	size_t limit, begin, end;
	char token[24];

	if (!all || !page)
		return err_origin(-ENOMEM);
	if (!read_number(call, "limit", STANDARD < most ? STANDARD : most, 1, most, &limit))
		return refuse(reply, "limit is out of range", "limit");
	if (!read_number(call, "token", 0, 1, json_array_size(all), &begin))
		return refuse(reply, "token is not from an earlier reply", "token");
	end = json_array_size(all) - begin > limit ? begin + limit : json_array_size(all);
	for (size_t i = begin; i < end; i++)
		json_array_append(page, json_array_get(all, i));
	snprintf(token, sizeof(token), "%zu", end);
	return sim_reply_json(reply, 200,
			      json_pack("{s:O,s:b,s:s?}", "data", page, "has_more", end < json_array_size(all),
					"next_token", end < json_array_size(all) ? token : NULL));
}

int sim_heygen_voices(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	json_t *all = json_array();

	(void)sim;
	for (const struct voice *v = voices; v < voices + COUNT(voices); v++)
		if (fits(call, "language", v->language) && fits(call, "gender", v->gender) &&
		    fits(call, "type", v->type))
			json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:n,s:b,s:b,s:s}", "voice_id", v->id,
							     "name", v->name, "language", v->language, "gender",
							     v->gender, "preview_audio_url", "support_pause", 1,
							     "support_locale", 0, "type", v->type));
	return reply_page(call, 100, all, reply);
}

int sim_heygen_avatars(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	json_t *all = json_array();

	(void)sim;
	for (const struct avatar *a = avatars; a < avatars + COUNT(avatars); a++)
		if (fits(call, "ownership", a->ownership))
			json_array_append_new(all, json_pack("{s:s,s:s,s:s}", "id", a->id, "name", a->name, "ownership",
							     a->ownership));
	return reply_page(call, 50, all, reply);
}

int sim_heygen_looks(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	json_t *all = json_array();

	(void)sim;
	for (const struct look *l = looks; l < looks + COUNT(looks); l++)
		if (fits(call, "group_id", l->group) && fits(call, "avatar_type", l->type) &&
		    fits(call, "ownership", l->ownership))
			json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:[s],s:s,s:s,s:i,s:i,s:s}", "id", l->id,
							     "group_id", l->group, "name", l->name, "avatar_type",
							     l->type, "supported_api_engines", "avatar_iv",
							     "default_voice_id", "demo_voice", "preferred_orientation",
							     "landscape", "image_width", 1920, "image_height", 1080,
							     "status", l->status));
	return reply_page(call, 50, all, reply);
}
