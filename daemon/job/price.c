#include "job/price.h"

#include "base/err.h"
#include "base/instant.h"
#include "job/capability.h"

#include <ctype.h>
#include <inttypes.h>

#define DAY_MS INT64_C(86400000)
#define PER_SECOND "per_second_micros"
#define PER_VIDEO "per_video_micros"

struct job_prices {
	struct json *json;
	json_node list;
};

/* ---- reading tables ---- */

/* Of both kinds of tables; then what only one of them has. */
#define PRICE_MEMBERS                                                                     \
	{"when", JSON_KIND_OBJECT, false}, {PER_SECOND, JSON_KIND_NUMBER, false},         \
		{PER_VIDEO, JSON_KIND_NUMBER, false}, {"currency", JSON_KIND_TEXT, true}, \
		{"from", JSON_KIND_TEXT, false},                                          \
	{                                                                                 \
		"until", JSON_KIND_TEXT, false                                            \
	}

static const struct job_member price_members[] = {
	PRICE_MEMBERS,
	{"as_of", JSON_KIND_TEXT, true},
	{"source", JSON_KIND_TEXT, false},
	{0},
};
static const struct job_member operators_members[] = {
	PRICE_MEMBERS,
	{"model", JSON_KIND_TEXT, true},
	{"line", JSON_KIND_NUMBER, true},
	{0},
};
static const struct job_member length_members[] = {
	{"when", JSON_KIND_OBJECT, false},
	{"is", JSON_KIND_TEXT, true},
	{"bytes_per_second", JSON_KIND_NUMBER, false},
	{0},
};

static json_node member_of(const struct json *json, json_node object, const char *name)
{
	return json_member(json, object, bytes_of_text(name));
}

static bool is_currency(struct bytes text)
{
	const char *p = text.data;

	if (bytes_equal(text, bytes_of_text("credits")))
		return true;
	return text.len == 3 && isupper((unsigned char)p[0]) && isupper((unsigned char)p[1]) &&
	       isupper((unsigned char)p[2]);
}

/* The first millisecond of a day; 0 when there is none. */
static int64_t day_ms(const struct json *json, json_node object, const char *name)
{
	struct bytes text = json_text(json, member_of(json, object, name));
	char instant[sizeof("2026-11-22T00:00:00Z")];
	int64_t ms;

	if (text.len != 10)
		return 0;
	snprintf(instant, sizeof(instant), "%.10sT00:00:00Z", (const char *)text.data);
	return instant_parse(bytes_of_text(instant), &ms) == 0 ? ms : 0;
}

static int read_days(const struct job_reading *reading, const struct job_field *field, json_node price)
{
	static const char *const names[] = {"as_of", "from", "until"};
	int64_t from_ms = day_ms(reading->json, price, "from"), until_ms = day_ms(reading->json, price, "until");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct job_field here = {.parent = field, .name = names[i]};
		int r = job_reading_date(reading, field, price, names[i]);

		if (r)
			return r;
		if (member_of(reading->json, price, names[i]) && day_ms(reading->json, price, names[i]) == 0)
			return job_reading_fail(reading, &here, "is no day of the calendar");
	}
	if (from_ms && until_ms && until_ms < from_ms)
		return job_reading_fail(reading, field, "ends before it begins: from is after until");
	return 0;
}

static int read_amount(const struct job_reading *reading, const struct job_field *field, json_node price)
{
	json_node second = member_of(reading->json, price, PER_SECOND);
	json_node video = member_of(reading->json, price, PER_VIDEO);
	int64_t micros = json_integer(reading->json, second ? second : video, -1);

	if (!second == !video)
		return job_reading_fail(reading, field, "needs exactly one of " PER_SECOND " and " PER_VIDEO);
	if (micros < 0 || micros > LIMIT_JOB_PRICE_MICROS)
		return job_reading_fail(reading, field, "has an amount that is not a whole number from 0 to %" PRId64,
					LIMIT_JOB_PRICE_MICROS);
	if (!is_currency(json_text(reading->json, member_of(reading->json, price, "currency"))))
		return job_reading_fail(reading, field,
					"has a currency that is neither three capital letters (ISO 4217) nor credits");
	return 0;
}

static int read_price(const struct job_reading *reading, const struct job_field *field, json_node price,
		      const struct json *manifest, json_node model)
{
	struct job_field when = {.parent = field, .name = "when"};
	int r = read_amount(reading, field, price);

	if (!r)
		r = read_days(reading, field, price);
	return r ? r : job_when_read(reading, &when, member_of(reading->json, price, "when"), manifest, model);
}

int job_prices_read(const struct job_reading *reading, const struct job_field *field, json_node prices,
		    const struct json *manifest, json_node model)
{
	size_t n = 0;
	int r = 0;

	if (json_count(reading->json, prices) > LIMIT_JOB_PRICES)
		return job_reading_fail(reading, field, "has more than %d rules", LIMIT_JOB_PRICES);
	for (json_node price = json_first(reading->json, prices); !r && price;
	     price = json_next(reading->json, price), n++) {
		struct job_field here = {.parent = field, .index = n};

		r = job_reading_members(reading, &here, price, price_members);
		if (!r)
			r = read_price(reading, &here, price, manifest, model);
	}
	return r;
}

static int read_length(const struct job_reading *reading, const struct job_field *field, json_node length,
		       json_node model)
{
	struct job_field when = {.parent = field, .name = "when"};
	int r = job_reading_members(reading, field, length, length_members);
	json_node is = member_of(reading->json, length, "is");
	int64_t rate = json_integer(reading->json, member_of(reading->json, length, "bytes_per_second"), 0);
	bool is_speech = json_text_is(reading->json, is, "speech");

	if (r)
		return r;
	if (!is_speech && !json_text_is(reading->json, is, "duration") && !json_text_is(reading->json, is, "unknown"))
		return job_reading_fail(reading, field, "is none of duration, speech, unknown");
	if (is_speech ? rate < 1 || rate > LIMIT_JOB_SPEECH_RATE : rate != 0)
		return job_reading_fail(reading, field, "needs bytes_per_second, 1 to %d, for speech and only there",
					LIMIT_JOB_SPEECH_RATE);
	return job_when_read(reading, &when, member_of(reading->json, length, "when"), reading->json, model);
}

int job_lengths_read(const struct job_reading *reading, const struct job_field *field, json_node lengths,
		     json_node model)
{
	size_t n = 0;
	int r = 0;

	for (json_node length = json_first(reading->json, lengths); !r && length;
	     length = json_next(reading->json, length), n++) {
		struct job_field here = {.parent = field, .index = n};

		r = read_length(reading, &here, length, model);
	}
	return r;
}

/* ---- the operator's table ---- */

static json_node find_model(const struct job_capabilities *capabilities, const char *name)
{
	const struct json *json = capabilities->json;

	for (json_node model = json_first(json, capabilities->models); model; model = json_next(json, model))
		if (json_text_is(json, member_of(json, model, "name"), name))
			return model;
	return JSON_ABSENT;
}

static int read_operators_row(const struct job_reading *reading, const struct job_capabilities *capabilities,
			      json_node row)
{
	struct job_field field = {.name = "prices"};
	const char *name = json_string(reading->json, member_of(reading->json, row, "model"));
	json_node model = find_model(capabilities, name);
	struct job_line words = {0};
	int r = job_reading_members(reading, &field, row, operators_members);

	if (r)
		return r;
	if (!model) {
		job_line_add_text(&words, bytes_of_text(name));
		return job_reading_fail(reading, &field, "names the model '%s', which this provider does not have",
					words.text);
	}
	return read_price(reading, &field, row, capabilities->json, model);
}

static int read_operators(const struct job_reading *reading, const struct job_capabilities *capabilities,
			  json_node list)
{
	static const struct job_field field = {.name = "prices"};
	int r = 0;

	if (json_kind(reading->json, list) != JSON_KIND_ARRAY || json_count(reading->json, list) > LIMIT_JOB_PRICES)
		return job_reading_fail(reading, &field, "is not a list of at most %d rules", LIMIT_JOB_PRICES);
	for (json_node row = json_first(reading->json, list); !r && row; row = json_next(reading->json, row)) {
		struct errmsg words = {""};
		struct job_reading here = {.json = reading->json, .error = &words};

		r = read_operators_row(&here, capabilities, row);
		if (r > 0)
			errmsg_set(reading->error, "line %" PRId64 " of the configuration: %.200s",
				   json_integer(reading->json, member_of(reading->json, row, "line"), 0), words.text);
	}
	return r;
}

int job_prices_new(const struct job_capabilities *capabilities, struct bytes table, struct job_prices **ret,
		   struct errmsg *error)
{
	_cleanup_(job_prices_freep) struct job_prices *prices = calloc(1, sizeof(*prices));
	struct job_reading reading = {.error = error};
	int r;

	if (!prices)
		return err_origin(-ENOMEM);
	prices->json = json_new(NULL);
	if (!prices->json)
		return err_origin(-ENOMEM);
	r = json_parse(prices->json, table, JSON_DUPLICATES_REFUSE, &prices->list, error);
	if (r)
		return r < 0 ? err_trace(r) : JOB_VALIDATE_E_MANIFEST;
	reading.json = prices->json;
	r = read_operators(&reading, capabilities, prices->list);
	if (r == 0)
		*ret = steal(prices);
	return r;
}

struct job_prices *job_prices_free(struct job_prices *prices)
{
	if (prices)
		json_free(prices->json);
	free(prices);
	return NULL;
}

void job_prices_freep(struct job_prices **prices)
{
	*prices = job_prices_free(*prices);
}

/* ---- choosing ---- */

/* The rule that was chosen, in whichever table it stands. */
struct rule {
	const struct json *json;
	json_node node; /* absent: there is none */
	enum job_price_source source;
};

static bool is_in_force(const struct json *json, json_node price, int64_t now_ms)
{
	int64_t from_ms = day_ms(json, price, "from"), until_ms = day_ms(json, price, "until");

	return (!from_ms || now_ms >= from_ms) && (!until_ms || now_ms < until_ms + DAY_MS);
}

/* The first of @list that fits; of those for @model, where rows name one. */
static json_node choose(const struct json *json, json_node list, const char *model, const struct job_order *order,
			int64_t now_ms)
{
	for (json_node price = json_first(json, list); price; price = json_next(json, price)) {
		json_node name = member_of(json, price, "model");

		if ((!name || json_text_is(json, name, model)) && is_in_force(json, price, now_ms) &&
		    job_when_holds(order, json, member_of(json, price, "when")))
			return price;
	}
	return JSON_ABSENT;
}

static struct rule choose_rule(const struct job_pricing *pricing, json_node model, const char *name,
			       const struct job_order *order, int64_t now_ms)
{
	const struct job_prices *operators = pricing->operators;
	struct rule rule = {.source = JOB_PRICE_SOURCE_OPERATOR};

	if (operators) {
		rule.json = operators->json;
		rule.node = choose(rule.json, operators->list, name, order, now_ms);
	}
	if (rule.node)
		return rule;
	rule = (struct rule){.json = order->manifest, .source = JOB_PRICE_SOURCE_PLUGIN};
	rule.node = choose(rule.json, member_of(rule.json, model, "prices"), name, order, now_ms);
	return rule;
}

/* ---- quantities ---- */

/* A number of the order, or what the provider takes where the order is silent. */
static int64_t number_of(const struct job_order *order, const char *name, int64_t fallback)
{
	json_node limits = member_of(order->manifest, order->taken, name);
	int64_t unset = json_integer(order->manifest, member_of(order->manifest, limits, "default"), fallback);

	return json_integer(order->json, member_of(order->json, order->parameters, name), unset);
}

/* How long one video is billed; with what a person should know of how that was found. */
struct length {
	int64_t ms; /* 0: not known beforehand */
	bool is_estimate;
	char words[96];
};

static json_node choose_length(const struct job_order *order, json_node model)
{
	json_node list = member_of(order->manifest, model, "length");

	for (json_node node = json_first(order->manifest, list); node; node = json_next(order->manifest, node))
		if (job_when_holds(order, order->manifest, member_of(order->manifest, node, "when")))
			return node;
	return JSON_ABSENT;
}

static struct length length_of(const struct job_order *order, json_node model)
{
	json_node node = choose_length(order, model), is = member_of(order->manifest, node, "is");
	int64_t rate = json_integer(order->manifest, member_of(order->manifest, node, "bytes_per_second"), 0);
	struct bytes text = json_text(order->json, json_at(order->json, order->parameters, "/script/text"));
	struct length length = {0};

	if (json_text_is(order->manifest, is, "speech")) {
		length.is_estimate = true;
		length.ms = ((int64_t)text.len * 1000 + rate - 1) / rate;
		snprintf(length.words, sizeof(length.words),
			 ", the length estimated from the script at %" PRId64 " bytes of text a second", rate);
	} else if (!json_text_is(order->manifest, is, "unknown")) {
		length.ms = number_of(order, "duration_ms", 0);
	}
	if (length.ms <= 0) {
		length.ms = 0;
		snprintf(length.words, sizeof(length.words), ", but its length is not known beforehand");
	}
	return length;
}

bool job_price_times(int64_t unit_micros, int64_t quantity_thousandths, int64_t *ret)
{
	int64_t product;

	if (unit_micros < 0 || quantity_thousandths < 0 ||
	    __builtin_mul_overflow(unit_micros, quantity_thousandths, &product) ||
	    __builtin_add_overflow(product, 500, &product))
		return false;
	*ret = product / 1000;
	return true;
}

/* ---- the quote ---- */

static void add_condition(struct job_line *line, const struct json *json, json_node condition)
{
	const char *path = json_key(json, condition).data;

	job_line_add(line, "%s%s ", line->len ? ", " : "", path);
	if (json_kind(json, condition) == JSON_KIND_OBJECT)
		job_line_add(line, "%s", json_boolean(json, json_first(json, condition), true) ? "set" : "unset");
	else if (json_kind(json, condition) == JSON_KIND_ARRAY)
		job_line_add_list(line, json, condition);
	else
		job_line_add_value(line, json, condition);
}

/* "plugin heygen 1.0.0, as of 2026-07-01 (where it is published): resolution '4k', 0.0833 USD a second". */
static void add_origin(struct job_line *line, const struct rule *rule, const struct job_pricing *pricing)
{
	const char *as_of = json_string(rule->json, member_of(rule->json, rule->node, "as_of"));
	const char *source = json_string(rule->json, member_of(rule->json, rule->node, "source"));

	if (rule->source == JOB_PRICE_SOURCE_OPERATOR)
		job_line_add(line, "providers.prices, line %" PRId64 " of the configuration",
			     json_integer(rule->json, member_of(rule->json, rule->node, "line"), 0));
	else
		job_line_add(line, "plugin %s, as of %s%s%s%s", pricing->plugin, as_of, *source ? " (" : "", source,
			     *source ? ")" : "");
}

static int write_rule(const struct rule *rule, const struct job_pricing *pricing, const struct length *length,
		      struct job_quote *quote)
{
	json_node when = member_of(rule->json, rule->node, "when");
	struct job_line line = {0}, conditions = {0};
	char amount[DECIMAL_TEXT_SIZE];

	add_origin(&line, rule, pricing);
	for (json_node node = json_first(rule->json, when); node; node = json_next(rule->json, node))
		add_condition(&conditions, rule->json, node);
	decimal_format(quote->unit_micros, 6, amount);
	job_line_add(&line, ": %s%s%s %s a %s%s", conditions.text, conditions.len ? ": " : "", amount, quote->currency,
		     quote->unit == JOB_PRICE_UNIT_SECOND ? "second" : "video", length->words);
	return job_set_text(&quote->rule, line.text);
}

static int quote_nothing(const struct job_pricing *pricing, struct job_quote *quote)
{
	struct job_line line = {0};

	quote->kind = JOB_QUOTE_UNKNOWN;
	job_line_add(&line, "no price is known: neither providers.prices nor plugin %s has a rule for such an order",
		     pricing->plugin);
	return job_set_text(&quote->rule, line.text);
}

static void add_up(struct job_quote *quote, const struct length *length)
{
	int64_t quantity = 1000;
	bool is_whole = true;

	if (quote->unit == JOB_PRICE_UNIT_SECOND) {
		quote->length_ms = length->ms;
		quantity = length->ms;
		is_whole = length->ms > 0;
	}
	quote->kind = JOB_QUOTE_UNKNOWN;
	if (!is_whole || __builtin_mul_overflow(quantity, (int64_t)quote->samples, &quantity) ||
	    !job_price_times(quote->unit_micros, quantity, &quote->amount_micros))
		return;
	quote->kind = quote->unit == JOB_PRICE_UNIT_SECOND && length->is_estimate ? JOB_QUOTE_ESTIMATE
										  : JOB_QUOTE_EXACT;
}

static int quote_rule(const struct rule *rule, const struct job_pricing *pricing, struct length length,
		      struct job_quote *quote)
{
	json_node second = member_of(rule->json, rule->node, PER_SECOND);
	const char *day = rule->source == JOB_PRICE_SOURCE_OPERATOR ? "from" : "as_of";
	json_node as_of = member_of(rule->json, rule->node, day);
	int r;

	quote->source = rule->source;
	quote->unit = second ? JOB_PRICE_UNIT_SECOND : JOB_PRICE_UNIT_VIDEO;
	quote->unit_micros = json_integer(rule->json, second ? second : member_of(rule->json, rule->node, PER_VIDEO),
					  0);
	if (quote->unit == JOB_PRICE_UNIT_VIDEO)
		length = (struct length){0};
	add_up(quote, &length);
	r = job_set_text(&quote->currency, json_string(rule->json, member_of(rule->json, rule->node, "currency")));
	if (r == 0)
		r = job_set_text(&quote->as_of, as_of ? json_string(rule->json, as_of) : NULL);
	return r < 0 ? r : write_rule(rule, pricing, &length, quote);
}

static void quote_finishp(struct job_quote *quote)
{
	job_quote_finish(quote);
}

int job_quote_order(const struct job_pricing *pricing, const char *model, const char *parameters, int64_t now_ms,
		    struct job_quote *ret)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(quote_finishp) struct job_quote quote = {0};
	struct job_order order = {.manifest = pricing->capabilities->json, .json = json};
	json_node node = find_model(pricing->capabilities, model);
	struct rule rule;
	int64_t samples;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	r = json_parse(json, bytes_of_text(parameters), JSON_DUPLICATES_LAST_WINS, &order.parameters, NULL);
	if (r < 0)
		return err_trace(r);
	order.taken = member_of(order.manifest, node, "parameters");
	samples = number_of(&order, "sample_count", 1);
	quote.samples = samples > 0 && samples < UINT32_MAX ? (uint32_t)samples : 1;
	rule = choose_rule(pricing, node, model, &order, now_ms);
	r = rule.node ? quote_rule(&rule, pricing, length_of(&order, node), &quote) : quote_nothing(pricing, &quote);
	if (r < 0)
		return err_trace(r);
	*ret = quote;
	quote = (struct job_quote){0};
	return 0;
}

/* ---- what it came to ---- */

/* In thousandths of the unit: what lies here. False: not known. */
static bool count_delivered(const struct job_status *status, enum job_price_unit unit, int64_t *ret)
{
	int64_t quantity = 0;

	for (size_t i = 0; i < status->n_artifacts; i++) {
		const struct job_artifact *artifact = &status->artifacts[i];

		if (!artifact->role || strcmp(artifact->role, "video") != 0)
			continue;
		if (unit == JOB_PRICE_UNIT_SECOND && artifact->duration_ms <= 0)
			return false;
		quantity += unit == JOB_PRICE_UNIT_SECOND ? artifact->duration_ms : 1000;
	}
	*ret = quantity;
	return quantity > 0;
}

int job_settle(struct job_status *status, const struct job_quote *quote, enum job_purchase purchase)
{
	int64_t quantity, amount;

	if (purchase == JOB_PURCHASE_NOTHING)
		return job_set_cost(status, JOB_COST_NOTHING, 0, quote->currency);
	if (status->n_artifacts > 0)
		status->cost.is_provisional = false;
	if (status->cost.source != JOB_COST_NONE || quote->unit == JOB_PRICE_UNIT_NONE ||
	    !count_delivered(status, quote->unit, &quantity) || !job_price_times(quote->unit_micros, quantity, &amount))
		return 0;
	return job_set_cost(status, JOB_COST_COMPUTED, amount, quote->currency);
}
