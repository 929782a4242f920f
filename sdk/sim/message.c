#include "sim/message.h"

#include "base/err.h"
#include "sim/json.h"

#include <strings.h>

int sim_fields_add(struct sim_fields *fields, const char *name, const char *value)
{
	_cleanup_(freep) char *name_copy = strdup(name);
	_cleanup_(freep) char *value_copy = strdup(value ? value : "");
	struct sim_field *items;

	if (!name_copy || !value_copy)
		return err_origin(-ENOMEM);
	items = reallocarray(fields->items, fields->count + 1, sizeof(*items));
	if (!items)
		return err_origin(-ENOMEM);

	items[fields->count++] = (struct sim_field){.name = steal(name_copy), .value = steal(value_copy)};
	fields->items = items;
	return 0;
}

const char *sim_fields_find(const struct sim_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcasecmp(fields->items[i].name, name) == 0)
			return fields->items[i].value;
	return NULL;
}

size_t sim_fields_count(const struct sim_fields *fields, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < fields->count; i++)
		count += strcasecmp(fields->items[i].name, name) == 0;
	return count;
}

void sim_fields_finish(struct sim_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		free(fields->items[i].name);
		free(fields->items[i].value);
	}
	free(fields->items);
	*fields = (struct sim_fields){0};
}

void sim_percent_decode(char *text, char keep)
{
	char *out = text;

	for (; *text; text++) {
		int high = *text == '%' ? bytes_hex_value(text[1]) : -1;
		int low = high >= 0 ? bytes_hex_value(text[2]) : -1;

		if (low < 0 || high + low == 0 || high * 16 + low == keep) {
			*out++ = *text;
			continue;
		}
		*out++ = (char)(high * 16 + low);
		text += 2;
	}
	*out = '\0';
}

static int add_argument(struct sim_fields *query, char *name)
{
	char *value = strchr(name, '=');

	if (value)
		*value++ = '\0';
	sim_percent_decode(name, 0);
	if (value)
		sim_percent_decode(value, 0);
	return sim_fields_add(query, name, value);
}

int sim_request_set_target(struct sim_request *request, const char *target)
{
	_cleanup_(freep) char *path = strdup(target);
	char *rest = path ? strchr(path, '?') : NULL;
	int r = 0;

	if (!path)
		return err_origin(-ENOMEM);
	if (rest)
		*rest++ = '\0';
	while (r == 0 && rest && *rest) {
		char *argument = strsep(&rest, "&");

		r = *argument ? add_argument(&request->query, argument) : 0;
	}
	if (r < 0)
		return err_trace(r);
	sim_percent_decode(path, '/');
	free(request->path);
	request->path = steal(path);
	return 0;
}

void sim_request_finish(struct sim_request *request)
{
	free(request->method);
	free(request->path);
	sim_fields_finish(&request->headers);
	sim_fields_finish(&request->query);
	buffer_finish(&request->body);
	*request = (struct sim_request){0};
}

void sim_reply_init(struct sim_reply *reply)
{
	*reply = (struct sim_reply){.file_fd = -1};
}

void sim_reply_finish(struct sim_reply *reply)
{
	sim_fields_finish(&reply->headers);
	buffer_finish(&reply->body);
	closep(&reply->file_fd);
	sim_reply_init(reply);
}

uint64_t sim_reply_body_len(const struct sim_reply *reply)
{
	return reply->file_fd >= 0 ? reply->file_len : reply->body.len;
}

int sim_reply_text(struct sim_reply *reply, int status, const char *content_type, struct bytes body)
{
	int r;

	sim_reply_finish(reply);
	r = sim_fields_add(&reply->headers, "Content-Type", content_type);
	if (r < 0)
		return err_trace(r);
	r = buffer_append(&reply->body, body.data, body.len);
	if (r < 0)
		return err_trace(r);

	reply->status = status;
	return 0;
}

int sim_reply_json(struct sim_reply *reply, int status, json_t *json)
{
	_cleanup_(sim_json_freep) json_t *owned = json;
	_cleanup_(freep) char *text = NULL;
	int r;

	/* 15 digits bring every amount of money and every duration back as it was written. */
	text = owned ? json_dumps(owned, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
	if (!text)
		return err_origin(-ENOMEM);
	r = sim_reply_text(reply, status, "application/json", bytes_of_text(text));
	return r < 0 ? err_trace(r) : 0;
}
