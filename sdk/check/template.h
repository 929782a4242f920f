/*
 * The files of sdk/template, made part of the program by the build.
 */
#ifndef FG_SDK_CHECK_TEMPLATE_H
#define FG_SDK_CHECK_TEMPLATE_H

#include <stddef.h>

#define TEMPLATE_NAME "yourprovider"
#define TEMPLATE_TITLE "Your Provider"

struct template_file {
	const char *path; /* below the plugin's folder; NULL ends the list */
	const char *data;
	size_t size;
};

extern const struct template_file template_files[];

#endif
