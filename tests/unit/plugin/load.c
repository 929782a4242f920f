#include "plugin/fixtures.h"

#include "base/limits.h"
#include "capture.h"

#include <fcntl.h>
#include <sys/stat.h>

static void assert_refused(const char *name, int outcome, const char *words)
{
	struct plugin *plugin = NULL;
	struct errmsg error = {0};

	assert_int_equal(fixture_load(name, &plugin, &error), outcome);
	assert_null(plugin);
	if (!strstr(error.text, words) || !strstr(error.text, name))
		fail_msg("'%s' does not say '%s' of '%s'", error.text, words, name);
}

static void a_good_plugin_loads_and_says_what_it_can(void **state)
{
	_cleanup_(plugin_freep) struct plugin *plugin = fixture_plugin("toy");

	(void)state;
	assert_string_equal(plugin_name(plugin), "toy");
	assert_string_equal(plugin_manifest(plugin)->version, "1.2.3");
	assert_true(plugin_can(plugin, PLUGIN_VERB_START));
	assert_true(plugin_can(plugin, PLUGIN_VERB_RECONCILE));
	assert_false(plugin_can(plugin, PLUGIN_VERB_REMOVE));
	assert_false(plugin_can(plugin, PLUGIN_VERB_CHECK));
	assert_string_equal(plugin_verb_name(PLUGIN_VERB_CHECK), "check");
}

static void a_verb_that_is_never_called_is_said_in_the_log(void **state)
{
	_cleanup_(plugin_freep) struct plugin *plugin = NULL;
	char text[4096];

	(void)state;
	capture_start();
	plugin = fixture_plugin("toy");
	capture_end(text, sizeof(text));
	assert_non_null(plugin);
	assert_int_equal(strstr(text, "verb=reconcile") != NULL, !plugin_verb_is_called(PLUGIN_VERB_RECONCILE));
	assert_null(strstr(text, "verb=poll"));
	assert_true(plugin_verb_is_called(PLUGIN_VERB_POLL) && plugin_verb_is_called(PLUGIN_VERB_REMOVE));
	assert_true(plugin_verb_is_called(PLUGIN_VERB_CATALOGUE));
	assert_true(plugin_verb_is_called(PLUGIN_VERB_WEBHOOK) && plugin_verb_is_called(PLUGIN_VERB_SUBSCRIBE));
	assert_false(plugin_verb_is_called(PLUGIN_VERB_RESULT));
}

static void a_table_of_today_with_zeros_of_tomorrow_loads(void **state)
{
	_cleanup_(plugin_freep) struct plugin *fine = fixture_plugin("fine");
	_cleanup_(plugin_freep) struct plugin *longer = fixture_plugin("longer");
	_cleanup_(plugin_freep) struct plugin *older = fixture_plugin("older");

	(void)state;
	assert_true(plugin_can(fine, PLUGIN_VERB_POLL));
	assert_true(plugin_can(longer, PLUGIN_VERB_POLL));
	assert_true(plugin_can(older, PLUGIN_VERB_LIST));
	assert_false(plugin_can(older, PLUGIN_VERB_SUBSCRIBE));
}

static void a_plugin_of_another_abi_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused("wrong_major", PLUGIN_E_WRONG_MAJOR, "version 7 of the plugin ABI");
	assert_refused("other_abi", PLUGIN_E_MANIFEST, "ABI 7");
	assert_refused("newer_host", PLUGIN_E_NEWER_HOST, "ABI 0.99");
}

static void a_library_that_is_no_plugin_is_refused(void **state)
{
	(void)state;
	assert_refused("no_entry", PLUGIN_E_NO_ENTRY, "fg_provider_v0");
	assert_refused("not_there", PLUGIN_E_MISSING, "not_there.so");
	assert_refused("../abi/toy", PLUGIN_E_MISSING, "not the name of a plugin");
}

static void a_table_that_cannot_be_right_is_refused_before_it_is_read(void **state)
{
	(void)state;
	assert_refused("short", PLUGIN_E_TABLE, "smaller");
	assert_refused("odd_size", PLUGIN_E_TABLE, "none that a compiler gives");
	assert_refused("wild_size", PLUGIN_E_TABLE, "none that a compiler gives");
	assert_refused("padding", PLUGIN_E_TABLE, "not zero behind the fields");
	assert_refused("null_table", PLUGIN_E_TABLE, "no table");
	assert_refused("no_start", PLUGIN_E_TABLE, "'start'");
}

static void a_manifest_that_cannot_be_right_is_refused(void **state)
{
	(void)state;
	assert_refused("wild_manifest", PLUGIN_E_MANIFEST, "missing, or larger");
	assert_refused("bad_manifest", PLUGIN_E_MANIFEST, "unknown member 'modles'");
	assert_refused("no_json", PLUGIN_E_MANIFEST, "not well-formed JSON");
	assert_refused("other_name", PLUGIN_E_MANIFEST, "'somebody-else'");
	assert_refused("feature", PLUGIN_E_FEATURE, "'push_delivery'");
}

/* A folder of our own with a copy of a plugin, so that its rights can be spoilt. */
struct folder {
	char path[64];
	char file[128];
};

static void copy_file(const char *from, const char *to)
{
	_cleanup_(closep) int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_(closep) int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	char bytes[4096];
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	assert_int_equal(n, 0);
}

static void make_folder(struct folder *folder)
{
	snprintf(folder->path, sizeof(folder->path), "/tmp/filmgate-load-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof(folder->file), "%s/fine.so", folder->path);
	copy_file(FIXTURES "/fine.so", folder->file);
}

static void remove_folder(struct folder *folder)
{
	unlink(folder->file);
	rmdir(folder->path);
}

static int load_from(const struct folder *folder, struct errmsg *error)
{
	const char *folders[] = {"/nonexistent", folder->path};
	_cleanup_(plugin_freep) struct plugin *plugin = NULL;

	return plugin_load("fine", folders, 2, &plugin, error);
}

static void a_file_or_folder_that_others_may_write_is_refused(void **state)
{
	struct folder folder;
	struct errmsg error = {0};

	(void)state;
	make_folder(&folder);
	assert_int_equal(load_from(&folder, &error), 0);

	assert_int_equal(chmod(folder.file, 0757), 0);
	assert_int_equal(load_from(&folder, &error), PLUGIN_E_UNSAFE);
	assert_non_null(strstr(error.text, "chmod go-w"));
	assert_int_equal(chmod(folder.file, 0755), 0);

	assert_int_equal(chmod(folder.path, 0757), 0);
	assert_int_equal(load_from(&folder, &error), PLUGIN_E_UNSAFE);
	assert_non_null(strstr(error.text, folder.path));
	assert_int_equal(chmod(folder.path, 0755), 0);
	remove_folder(&folder);
}

static void a_file_of_another_user_is_refused(void **state)
{
	struct folder folder;
	struct errmsg error = {0};

	(void)state;
	if (geteuid() != 0)
		skip();
	make_folder(&folder);
	assert_int_equal(chown(folder.file, 12345, 0), 0);
	assert_int_equal(load_from(&folder, &error), PLUGIN_E_UNSAFE);
	assert_non_null(strstr(error.text, "belongs to user 12345"));
	remove_folder(&folder);
}

static void a_link_is_judged_by_what_it_leads_to(void **state)
{
	struct folder folder, other;
	struct errmsg error = {0};

	(void)state;
	make_folder(&folder);
	make_folder(&other);
	assert_int_equal(unlink(other.file), 0);
	assert_int_equal(symlink(folder.file, other.file), 0);
	assert_int_equal(load_from(&other, &error), 0);
	assert_int_equal(chmod(folder.file, 0757), 0);
	assert_int_equal(load_from(&other, &error), PLUGIN_E_UNSAFE);
	assert_non_null(strstr(error.text, folder.file));
	remove_folder(&other);
	remove_folder(&folder);
}

static void a_file_that_is_no_library_is_refused_with_the_linkers_words(void **state)
{
	struct folder folder;
	struct errmsg error = {0};
	_cleanup_(closep) int fd = -1;

	(void)state;
	make_folder(&folder);
	fd = open(folder.file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	assert_int_equal(load_from(&folder, &error), PLUGIN_E_UNLOADABLE);
	assert_non_null(strstr(error.text, "file too short; rebuild it, or install it again"));
	remove_folder(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_plugin_loads_and_says_what_it_can),
		cmocka_unit_test(a_verb_that_is_never_called_is_said_in_the_log),
		cmocka_unit_test(a_table_of_today_with_zeros_of_tomorrow_loads),
		cmocka_unit_test(a_plugin_of_another_abi_is_refused_by_name),
		cmocka_unit_test(a_library_that_is_no_plugin_is_refused),
		cmocka_unit_test(a_table_that_cannot_be_right_is_refused_before_it_is_read),
		cmocka_unit_test(a_manifest_that_cannot_be_right_is_refused),
		cmocka_unit_test(a_file_or_folder_that_others_may_write_is_refused),
		cmocka_unit_test(a_file_of_another_user_is_refused),
		cmocka_unit_test(a_link_is_judged_by_what_it_leads_to),
		cmocka_unit_test(a_file_that_is_no_library_is_refused_with_the_linkers_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
