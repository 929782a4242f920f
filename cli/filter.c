#include "filter.h"

#include "field.h"
#include "params.h"
#include "say.h"
#include "suggest.h"
#include "words.h"

#include "base/err.h"

void filter_freep(Filmgate__V1__JobFilter **filter)
{
	filmgate__v1__job_filter__free_unpacked(*filter, NULL);
}

static int add(Filmgate__V1__JobFilter *filter, const char *name, struct bytes text, struct errmsg *error)
{
	const ProtobufCFieldDescriptor *field = field_find(filter->base.descriptor, bytes_of_text(name));

	return field_set_text(&filter->base, field, text, error);
}

static int add_states(Filmgate__V1__JobFilter *filter, const char *list, struct errmsg *error)
{
	int r = 0;

	while (r == 0 && *list) {
		size_t len = strcspn(list, ",");

		r = add(filter, "states", bytes_of(list, len), error);
		list += len + (list[len] == ',');
	}
	return r;
}

static int add_provider(Filmgate__V1__JobFilter *filter, const char *argument, struct errmsg *error)
{
	_cleanup_(freep) char *name = cli_provider_name(argument);

	if (!name) {
		errmsg_set(error, "'%s' is not a provider", argument);
		return FIELD_E_VALUE;
	}
	return add(filter, "providers", bytes_of_text(name), error);
}

static int add_label(Filmgate__V1__JobFilter *filter, const char *pair, struct errmsg *error)
{
	const char *equals = strchr(pair, '=');

	return field_set_entry(&filter->base, field_find(filter->base.descriptor, bytes_of_text("labels")),
			       bytes_of(pair, (size_t)(equals - pair)), bytes_of_text(equals + 1), error);
}

static int set_since(struct cli *cli, Filmgate__V1__JobFilter *filter, const char *when, struct errmsg *error)
{
	int64_t ms;

	if (words_parse_instant(when, clock_utc_ms(cli->clock), &ms)) {
		errmsg_set(error, "'%s' is neither a time (2026-11-22, 2026-11-22T17:00:00Z) nor how long ago (2h)",
			   when);
		return FIELD_E_VALUE;
	}
	filter->create_time_from = (void *)field_message_new(&google__protobuf__timestamp__descriptor);
	if (!filter->create_time_from)
		return err_origin(-ENOMEM);
	filter->create_time_from->seconds = ms / 1000;
	filter->create_time_from->nanos = (int32_t)(ms % 1000) * 1000000;
	return 0;
}

static int apply(Filmgate__V1__JobFilter *filter, const struct argument *given, struct errmsg *error)
{
	switch (given->row->id) {
	case OPTION_STATE:
		return add_states(filter, given->text, error);
	case OPTION_UNCERTAIN:
		return add_states(filter, "uncertain", error);
	case OPTION_PROVIDER:
		return add_provider(filter, given->text, error);
	case OPTION_MODEL:
		return add(filter, "models", bytes_of_text(given->text), error);
	case OPTION_QUERY:
		return add(filter, "query", bytes_of_text(given->text), error);
	case OPTION_LABEL:
		return add_label(filter, given->text, error);
	default:
		return 0;
	}
}

enum exit_code filter_build(struct cli *cli, Filmgate__V1__JobFilter **ret)
{
	_cleanup_(filter_freep)
		Filmgate__V1__JobFilter *filter = (void *)field_message_new(&filmgate__v1__job_filter__descriptor);
	const char *since = arguments_text(&cli->arguments, OPTION_SINCE);
	struct errmsg error = {""};
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < cli->arguments.n_given; i++) {
		r = apply(filter, &cli->arguments.given[i], &error);
		if (r > 0) {
			say_error("--%s: %s", cli->arguments.given[i].row->name, error.text);
			return EXIT_USAGE;
		}
	}
	if (r == 0 && since)
		r = set_since(cli, filter, since, &error);
	if (r) {
		say_error("%s%s", r > 0 ? "--since: " : "", r > 0 ? error.text : strerror(-r));
		return r > 0 ? EXIT_USAGE : EXIT_FAILED;
	}
	*ret = steal(filter);
	return EXIT_OK;
}
