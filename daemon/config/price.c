/*
 * A provider's price table: rows as a person writes them, and the same as one JSON text, in the form in which job/ reads
 * price rules. What models and parameters there are is known to the plugin alone: job/ holds the conditions against it.
 */
#include "base/json.h"
#include "base/limits.h"
#include "config/walk.h"

static void set_text(struct json *json, json_node object, const char *name, const char *text)
{
	if (text)
		json_set(json, object, bytes_of_text(name), json_make_text(json, bytes_of_text(text)));
}

/* 12, true and false are what they look like; anything else is a text. */
static json_node value_of(struct json *json, struct bytes text)
{
	if (decimal_is_number(text))
		return json_make_number(json, text);
	if (bytes_equal(text, bytes_of_text("true")) || bytes_equal(text, bytes_of_text("false")))
		return json_make_boolean(json, bytes_equal(text, bytes_of_text("true")));
	return json_make_text(json, text);
}

static json_node presence(struct json *json, bool is_present)
{
	json_node object = json_object(json);

	json_set(json, object, bytes_of_text("present"), json_make_boolean(json, is_present));
	return object;
}

static json_node list_of(struct json *json, const char *values)
{
	json_node list = json_array(json);

	for (size_t len; *values; values += len + (values[len] == '|')) {
		len = strcspn(values, "|");
		json_append(json, list, value_of(json, bytes_of(values, len)));
	}
	return list;
}

/* Its form was checked: a path, an equals sign, something. */
static void add_condition(struct json *json, json_node when, const char *condition)
{
	size_t path = strcspn(condition, "=");
	const char *values = condition + path + 1;
	json_node node;

	if (strcmp(values, "set") == 0 || strcmp(values, "unset") == 0)
		node = presence(json, strcmp(values, "set") == 0);
	else if (strchr(values, '|'))
		node = list_of(json, values);
	else
		node = value_of(json, bytes_of_text(values));
	json_set(json, when, bytes_of(condition, path), node);
}

static json_node row_of(struct json *json, const struct config_price *price, unsigned int line)
{
	json_node row = json_object(json), when = json_object(json);
	int64_t micros = 0;

	set_text(json, row, "model", price->model);
	for (size_t i = 0; i < price->when.n; i++)
		add_condition(json, when, price->when.items[i]);
	json_set(json, row, bytes_of_text("when"), when);
	decimal_parse(bytes_of_text(price->amount), 6, &micros);
	json_set(json, row, bytes_of_text(price->unit == 0 ? "per_second_micros" : "per_video_micros"),
		 json_make_integer(json, micros));
	set_text(json, row, "currency", price->currency);
	set_text(json, row, "from", price->from);
	set_text(json, row, "until", price->until);
	json_set(json, row, bytes_of_text("line"), json_make_integer(json, line));
	return row;
}

/* The second would take the first one's place, and a price would fit what it was not meant for. */
static void refuse_twice(struct walk *walk, struct spot spot, const struct config_price *price)
{
	for (size_t i = 0; i < price->when.n; i++) {
		size_t path = strcspn(price->when.items[i], "=") + 1;

		for (size_t k = 0; k < i; k++)
			if (strncmp(price->when.items[k], price->when.items[i], path) == 0)
				walk_error(walk, spot, "'%.100s' and '%.100s' are about the same: write it as one",
					   price->when.items[k], price->when.items[i]);
	}
}

/* One row; adds it to @list when nothing is wrong with it. */
static int walk_price(struct walk *walk, struct spot spot, const config_setting_t *one, struct json *json,
		      json_node list, struct config_price *price)
{
	size_t errors = walk->report->errors;
	int r;

	spot.line = config_setting_source_line(one);
	if (!config_setting_is_group(one)) {
		walk_error(walk, spot, "holds something else than groups: write ( { model = …; amount = …; }, … )");
		return 0;
	}
	r = walk_group(walk, "providers.prices.", one, spot.line, price);
	if (r < 0 || walk->report->errors > errors)
		return r;
	if (price->from && price->until && strcmp(price->from, price->until) > 0)
		walk_error(walk, spot, "'%s' to '%s' ends before it begins: exchange valid_from and valid_until",
			   price->from, price->until);
	refuse_twice(walk, spot, price);
	json_append(json, list, row_of(json, price, spot.line));
	return 0;
}

int walk_prices(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config_provider *provider)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	size_t n = setting ? (size_t)config_setting_length(setting) : 0;
	_cleanup_(buffer_finish) struct buffer table = {0};
	json_node list;
	int r = 0;

	if (n == 0)
		return 0;
	if (n > (size_t)spot.row->max) {
		walk_error(walk, spot, "has %zu members: take up to %lld", n, (long long)spot.row->max);
		return 0;
	}
	provider->prices = calloc(n, sizeof(*provider->prices));
	if (!provider->prices || !json)
		return err_origin(-ENOMEM);
	list = json_array(json);
	while (r == 0 && provider->n_prices < n) {
		size_t index = provider->n_prices++;

		r = walk_price(walk, spot, config_setting_get_elem(setting, (unsigned int)index), json, list,
			       &provider->prices[index]);
	}
	if (r == 0 && json_write(json, list, JSON_FORM_PLAIN, &table) == 0 && json_fault(json) == 0)
		provider->price_table = steal(table.data);
	else if (r == 0)
		r = err_origin(-ENOMEM);
	return r;
}
