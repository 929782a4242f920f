/*
 * What the tests of config/ share: parse a text, then look at the configuration or at the report.
 */
#ifndef FG_TESTS_UNIT_CONFIG_PARSE_H
#define FG_TESTS_UNIT_CONFIG_PARSE_H

#include "config/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct config *config;
static struct config_report report;

/* NULL: there is none of that name. */
static inline const struct config_secret *secret_of(const struct config_provider *provider, const char *name)
{
	for (size_t i = 0; i < provider->n_secrets; i++)
		if (strcmp(provider->secrets[i].name, name) == 0)
			return &provider->secrets[i];
	return NULL;
}

static inline const char *report_text(void)
{
	return report.lines.data ? report.lines.data : "";
}

static inline int parse(const char *text)
{
	config = config_free(config);
	config_report_finish(&report);
	return config_parse(bytes_of_text(text), "x.conf", secret_read, &config, &report);
}

static inline void must_parse(const char *text)
{
	int r = parse(text);

	if (r != 0)
		fail_msg("refused (%d): %s\n%s", r, text, report_text());
	assert_non_null(config);
	assert_int_equal(report.errors, 0);
}

/* It is refused, and the report has a line with exactly these words somewhere in it. */
static inline void must_refuse(const char *text, const char *words)
{
	int r = parse(text);

	if (r != CONFIG_E_INVALID)
		fail_msg("taken (%d): %s", r, text);
	assert_null(config);
	assert_true(report.errors > 0);
	if (!strstr(report_text(), words))
		fail_msg("'%s' is not in the report of '%s':\n%s", words, text, report_text());
}

static inline int parse_teardown(void **state)
{
	(void)state;
	config = config_free(config);
	config_report_finish(&report);
	return 0;
}

#endif
