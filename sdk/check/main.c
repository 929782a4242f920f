/*
 * filmgate-plugin: what `filmgate plugin` runs. People call that; its help is there.
 */
#include "check.h"

#include "base/decimal.h"
#include "base/log.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

enum { EXIT_WELL = 0, EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_OUTPUT = 8 };

static void print_usage(FILE *file)
{
	fprintf(file, "usage: filmgate-plugin new NAME [DIR]\n"
		      "       filmgate-plugin inspect FILE.so\n"
		      "       filmgate-plugin check [--seconds N] [--replay DIR] [--seed N] [--keep DIR]\n"
		      "                             [--option NAME=VALUE]... FILE.so\n"
		      "       filmgate-plugin embed MANIFEST.json\n\n"
		      "Run it as 'filmgate plugin …'; 'filmgate help plugin' explains it.\n");
}

static bool read_number(const char *text, int64_t most, int64_t *ret)
{
	if (decimal_parse(bytes_of_text(text), 0, ret) == 0 && *ret >= 0 && *ret <= most)
		return true;
	tell("'%s' is not a number from 0 to %lld", text, (long long)most);
	return false;
}

/* -1: go on. */
static int read_options(int argc, char **argv, struct check_options *ret)
{
	static const struct option options[] = {
		{"seconds", required_argument, NULL, 't'},
		{"replay", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{"keep", required_argument, NULL, 'k'},
		{"option", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int64_t number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 't':
			if (!read_number(optarg, CHECK_SECONDS_MOST, &number))
				return EXIT_USAGE;
			ret->seconds = (unsigned int)number;
			break;
		case 's':
			if (!read_number(optarg, INT64_MAX / 4, &number))
				return EXIT_USAGE;
			ret->seed = (uint64_t)number;
			break;
		case 'r':
			ret->replay = optarg;
			break;
		case 'o':
			if (ret->n_settings == CHECK_SETTINGS || !strchr(optarg, '=')) {
				tell("'%s' is not NAME=VALUE, or is one too many", optarg);
				return EXIT_USAGE;
			}
			ret->settings[ret->n_settings++] = optarg;
			break;
		case 'k':
			ret->keep = optarg;
			break;
		case 'h':
			print_usage(stdout);
			return EXIT_WELL;
		default:
			print_usage(stderr);
			return EXIT_USAGE;
		}
	}
	return -1;
}

static int run(int n, char **words, const struct check_options *options)
{
	struct check_options check = *options;
	const char *verb = n > 0 ? words[0] : "";

	if (strcmp(verb, "new") == 0 && (n == 2 || n == 3))
		return new_run(words[1], n == 3 ? words[2] : NULL);
	if (strcmp(verb, "inspect") == 0 && n == 2)
		return inspect_run(words[1]);
	if (strcmp(verb, "embed") == 0 && n == 2)
		return embed_run(words[1]);
	if (strcmp(verb, "check") == 0 && n == 2) {
		check.path = words[1];
		return check_run(&check);
	}
	print_usage(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct check_options options = {.seconds = CHECK_SECONDS, .seed = 1};
	int status = read_options(argc, argv, &options);

	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	if (status < 0)
		status = run(argc - optind, argv + optind, &options);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		tell("standard output cannot be written: %s", strerror(errno));
		return status == EXIT_WELL ? EXIT_OUTPUT : status;
	}
	return status;
}
