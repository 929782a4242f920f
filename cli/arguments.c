#include "arguments.h"

#include "suggest.h"
#include "words.h"

#include "base/bytes.h"
#include "base/decimal.h"
#include "base/err.h"

#include <getopt.h>

#define OPTIONS_MAX 40

/* The rows that are understood at one point, and getopt's own two forms of them. */
struct grammar {
	const struct option_row *rows[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	char shorts[3 * OPTIONS_MAX + 3];
	size_t n;
};

static int argument_need(const struct option_row *row)
{
	switch (row->type) {
	case OPTION_TYPE_FLAG:
		return no_argument;
	case OPTION_TYPE_MAYBE_DURATION:
		return optional_argument;
	default:
		return required_argument;
	}
}

static void add_rows(struct grammar *grammar, const struct option_row *const *rows)
{
	for (; rows && *rows && grammar->n < OPTIONS_MAX; rows++) {
		int need = argument_need(*rows);
		size_t len = strlen(grammar->shorts);

		grammar->longs[grammar->n] = (struct option){.name = (*rows)->name, .has_arg = need};
		grammar->rows[grammar->n++] = *rows;
		if ((*rows)->letter)
			snprintf(grammar->shorts + len, sizeof(grammar->shorts) - len, "%c%s", (*rows)->letter,
				 need == no_argument         ? ""
				 : need == required_argument ? ":"
							     : "::");
	}
}

/* "+" stops at the first operand, the command's name; ":" makes getopt tell a missing value from an unknown option. */
static void make_grammar(struct grammar *grammar, const struct command *command)
{
	*grammar = (struct grammar){.shorts = "+:"};
	if (command)
		snprintf(grammar->shorts, sizeof(grammar->shorts), ":");
	add_rows(grammar, table_global_options);
	if (command)
		add_rows(grammar, command->options);
}

static const struct option_row *row_of_letter(const struct grammar *grammar, int letter)
{
	for (size_t i = 0; i < grammar->n; i++)
		if (grammar->rows[i]->letter == letter)
			return grammar->rows[i];
	return NULL;
}

static int refuse_unknown(const struct grammar *grammar, const char *word, struct errmsg *error)
{
	size_t len = strcspn(word, "=");
	_cleanup_(freep) char *name = bytes_dup_text(bytes_of(word, len));
	struct suggest near = {.wanted = name ? name + 2 : ""};

	for (size_t i = 0; name && len > 2 && i < grammar->n; i++)
		suggest_offer(&near, grammar->rows[i]->name);
	if (near.best && near.distance == 0)
		errmsg_set(error, "'%s' takes no value", name);
	else if (near.best)
		errmsg_set(error, "there is no option '%s'; did you mean '--%s'?", name, near.best);
	else
		errmsg_set(error, "there is no option '%s'", name ? name : word);
	return ARGUMENTS_E_USAGE;
}

static int parse_choice(const struct option_row *row, const char *text, int64_t *ret, struct errmsg *error)
{
	struct suggest near = {.wanted = text};
	_cleanup_(buffer_finish) struct buffer words = {0};

	for (size_t i = 0; row->choices[i]; i++) {
		if (!strcmp(row->choices[i], text)) {
			*ret = (int64_t)i;
			return 0;
		}
		suggest_offer(&near, row->choices[i]);
		buffer_printf(&words, "%s%s", i ? ", " : "", row->choices[i]);
	}
	errmsg_set(error, "--%s: '%s' is none of %s%s%s%s", row->name, text, words.data ? words.data : "",
		   near.best ? "; did you mean '" : "", near.best ? near.best : "", near.best ? "'?" : "");
	return ARGUMENTS_E_USAGE;
}

static int parse_argument(const struct option_row *row, const char *text, int64_t *ret, struct errmsg *error)
{
	switch (row->type) {
	case OPTION_TYPE_FLAG:
	case OPTION_TYPE_TEXT:
		return 0;
	case OPTION_TYPE_PAIR:
		if (strchr(text, '=') && *text != '=')
			return 0;
		errmsg_set(error, "--%s: '%s' is not %s", row->name, text, row->metavar);
		return ARGUMENTS_E_USAGE;
	case OPTION_TYPE_NUMBER:
		if (decimal_parse(bytes_of_text(text), 0, ret) == 0 && *ret >= row->least && *ret <= row->most)
			return 0;
		errmsg_set(error, "--%s: '%s' is not a whole number from %lld to %lld", row->name, text,
			   (long long)row->least, (long long)row->most);
		return ARGUMENTS_E_USAGE;
	case OPTION_TYPE_MAYBE_DURATION:
		if (!text) {
			*ret = -1;
			return 0;
		}
		__attribute__((fallthrough));
	case OPTION_TYPE_DURATION:
		if (words_parse_duration(text, ret) == 0)
			return 0;
		errmsg_set(error, "--%s: '%s' is not a duration; write for example 30s, 10m or 1h30m", row->name, text);
		return ARGUMENTS_E_USAGE;
	case OPTION_TYPE_CHOICE:
		return parse_choice(row, text, ret, error);
	}
	return err_origin(-EINVAL);
}

/* "-w=1s" and "-o=json" mean what "-w1s" does; a text may begin with "=" itself. */
static const char *value_of_letter(const struct option_row *row, const char *text)
{
	bool may_begin_so = row->type == OPTION_TYPE_TEXT || row->type == OPTION_TYPE_PAIR;

	return text && *text == '=' && !may_begin_so ? text + 1 : text;
}

static int take_option(struct arguments *arguments, const struct option_row *row, const char *text,
		       struct errmsg *error)
{
	struct argument *given = &arguments->given[arguments->n_given];
	int r;

	*given = (struct argument){.row = row, .text = text};
	r = parse_argument(row, text, &given->number, error);
	if (r == 0)
		arguments->n_given++;
	return r;
}

/* One pass of getopt over argv: all that @grammar understands. On 0, *ret_rest is the index of the first operand. */
static int take_options(const struct grammar *grammar, int argc, char **argv, struct arguments *arguments,
			int *ret_rest, struct errmsg *error)
{
	int letter, index = -1, r = 0;

	optind = 0;
	opterr = 0;
	while (r == 0 && (letter = getopt_long(argc, argv, grammar->shorts, grammar->longs, &index)) != -1) {
		const struct option_row *row = index >= 0 ? grammar->rows[index] : row_of_letter(grammar, letter);
		char own[3] = {'-', (char)optopt, '\0'};

		if (letter == ':') {
			errmsg_set(error, "'%s' needs a value", optopt ? own : argv[optind - 1]);
			return ARGUMENTS_E_USAGE;
		}
		if (letter == '?' && optopt) {
			errmsg_set(error, "there is no option '%s'", own);
			return ARGUMENTS_E_USAGE;
		}
		if (letter == '?')
			return refuse_unknown(grammar, argv[optind - 1], error);
		r = take_option(arguments, row, index >= 0 ? optarg : value_of_letter(row, optarg), error);
		index = -1;
	}
	*ret_rest = optind;
	return r;
}

const struct command *arguments_find_command(const char *first, const char *second)
{
	char name[64];

	if (second) {
		snprintf(name, sizeof(name), "%s %s", first, second);
		for (const struct command *c = table_commands; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	}
	for (const struct command *c = table_commands; c->name; c++)
		if (!strcmp(c->name, first))
			return c;
	return NULL;
}

static int refuse_command(const char *word, struct errmsg *error)
{
	struct suggest near = {.wanted = word};

	for (const struct command *c = table_commands; c->name; c++)
		suggest_offer(&near, c->name);
	if (near.best)
		errmsg_set(error, "there is no command '%s'; did you mean '%s'?", word, near.best);
	else
		errmsg_set(error, "there is no command '%s'", word);
	return ARGUMENTS_E_USAGE;
}

static int check_operands(const struct arguments *arguments, struct errmsg *error)
{
	const struct command *command = arguments->command;

	if (arguments_has(arguments, OPTION_HELP))
		return 0;
	if (arguments->n_operands < command->operands_min) {
		errmsg_set(error, "%s needs %s", command->name, command->operands);
		return ARGUMENTS_E_USAGE;
	}
	if (arguments->n_operands > command->operands_max) {
		errmsg_set(error, "%s: '%s' is one word too many", command->name,
			   arguments->operands[command->operands_max]);
		return ARGUMENTS_E_USAGE;
	}
	return 0;
}

int arguments_parse(int argc, char **argv, struct arguments *ret, struct errmsg *error)
{
	struct grammar grammar;
	size_t most = 1;
	int rest = 0, r;

	/* "-qqq" is three options in one word: no more than there are letters. */
	for (int i = 0; i < argc; i++)
		most += strlen(argv[i]);
	ret->given = calloc(most, sizeof(*ret->given));
	if (!ret->given)
		return err_origin(-ENOMEM);
	make_grammar(&grammar, NULL);
	r = take_options(&grammar, argc, argv, ret, &rest, error);
	if (r || rest == argc)
		return r;

	ret->command = arguments_find_command(argv[rest], argv[rest + 1]);
	if (!ret->command)
		return refuse_command(argv[rest], error);
	if (strchr(ret->command->name, ' '))
		rest++;
	argc -= rest;
	argv += rest;
	make_grammar(&grammar, ret->command);
	r = take_options(&grammar, argc, argv, ret, &rest, error);
	if (r)
		return r;
	ret->operands = argv + rest;
	ret->n_operands = argc - rest;
	return check_operands(ret, error);
}

void arguments_finish(struct arguments *arguments)
{
	free(arguments->given);
	*arguments = (struct arguments){0};
}

static const struct argument *find_last(const struct arguments *arguments, enum option_id id)
{
	for (size_t i = arguments->n_given; i > 0; i--)
		if (arguments->given[i - 1].row->id == id)
			return &arguments->given[i - 1];
	return NULL;
}

bool arguments_has(const struct arguments *arguments, enum option_id id)
{
	return find_last(arguments, id) != NULL;
}

const char *arguments_text(const struct arguments *arguments, enum option_id id)
{
	const struct argument *argument = find_last(arguments, id);

	return argument ? argument->text : NULL;
}

int64_t arguments_number(const struct arguments *arguments, enum option_id id, int64_t fallback)
{
	const struct argument *argument = find_last(arguments, id);

	return argument ? argument->number : fallback;
}

enum output_format arguments_format(const struct arguments *arguments)
{
	return (enum output_format)arguments_number(arguments, OPTION_FORMAT, FORMAT_TABLE);
}
