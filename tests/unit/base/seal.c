#include "base/seal.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#define PLAIN "whsec_5cbf and more"

static char folder[PATH_MAX], path[PATH_MAX + 8];

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/filmgate-seal-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static struct seal_key *key_of(const char *name, enum seal_flags flags)
{
	struct seal_key *key = NULL;
	struct errmsg msg = {""};

	assert_int_equal(seal_key_open(name, flags, &key, &msg), 0);
	return key;
}

static void what_is_closed_opens_with_the_same_key_alone(void **state)
{
	_cleanup_(seal_key_freep) struct seal_key *key = key_of(path, SEAL_MAKE), *again = key_of(path, 0),
						  *other = NULL;
	_cleanup_(buffer_finish) struct buffer one = {0}, two = {0}, plain = {0}, none = {0};

	(void)state;
	assert_int_equal(seal_close(key, "purpose", bytes_of_text(PLAIN), &one), 0);
	assert_int_equal(seal_close(key, "purpose", bytes_of_text(PLAIN), &two), 0);
	assert_false(bytes_equal(buffer_bytes(&one), buffer_bytes(&two)));
	assert_null(memmem(one.data, one.len, "whsec", 5));
	assert_int_equal(seal_open(again, "purpose", buffer_bytes(&one), &plain), 0);
	assert_string_equal(plain.data, PLAIN);
	assert_int_equal(seal_open(again, "another", buffer_bytes(&one), &none), SEAL_E_WRONG);
	unlink(path);
	other = key_of(path, SEAL_MAKE);
	assert_int_equal(seal_open(other, "purpose", buffer_bytes(&one), &none), SEAL_E_WRONG);
	assert_int_equal(none.len, 0);
}

static void nothing_is_sealed_too(void **state)
{
	_cleanup_(seal_key_freep) struct seal_key *key = key_of(path, SEAL_MAKE);
	_cleanup_(buffer_finish) struct buffer sealed = {0}, plain = {0};

	(void)state;
	assert_int_equal(seal_close(key, "", bytes_of(NULL, 0), &sealed), 0);
	assert_int_equal(seal_open(key, "", buffer_bytes(&sealed), &plain), 0);
	assert_int_equal(plain.len, 0);
}

static void every_bit_counts(void **state)
{
	_cleanup_(seal_key_freep) struct seal_key *key = key_of(path, SEAL_MAKE);
	_cleanup_(buffer_finish) struct buffer sealed = {0};

	(void)state;
	assert_int_equal(seal_close(key, "purpose", bytes_of_text(PLAIN), &sealed), 0);
	for (size_t i = 0; i < sealed.len * 8; i++) {
		_cleanup_(buffer_finish) struct buffer plain = {0};

		sealed.data[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(seal_open(key, "purpose", buffer_bytes(&sealed), &plain), SEAL_E_WRONG);
		assert_int_equal(plain.len, 0);
		sealed.data[i / 8] ^= (char)(1 << i % 8);
	}
	for (size_t len = 0; len < sealed.len; len++) {
		_cleanup_(buffer_finish) struct buffer plain = {0};

		assert_int_equal(seal_open(key, "purpose", bytes_of(sealed.data, len), &plain), SEAL_E_WRONG);
	}
}

static void assert_no_key(const char *words)
{
	struct seal_key *key = NULL;
	struct errmsg msg = {""};

	assert_int_equal(seal_key_open(path, SEAL_MAKE, &key, &msg), SEAL_E_KEY);
	assert_null(key);
	if (!strstr(msg.text, words) || !strstr(msg.text, path))
		fail_msg("'%s' does not say '%s'", msg.text, words);
}

static void a_key_is_made_once_and_for_its_owner_alone(void **state)
{
	_cleanup_(seal_key_freep) struct seal_key *key = NULL;
	struct stat st;
	struct errmsg msg = {""};
	int fd;

	(void)state;
	assert_int_equal(seal_key_open(path, 0, &key, &msg), SEAL_E_KEY);
	assert_non_null(strstr(msg.text, "is not there"));
	key = key_of(path, SEAL_MAKE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 32);
	assert_int_equal(chmod(path, 0640), 0);
	assert_no_key("chmod 600 it");
	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	assert_no_key("no key of 32 bytes");
}

static void where_none_can_be_made_it_says_so(void **state)
{
	struct seal_key *key = NULL;
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(seal_key_open("/nowhere/at/all/key", SEAL_MAKE, &key, &msg), -ENOENT);
	assert_non_null(strstr(msg.text, "'/nowhere/at/all/key' cannot be made"));
}

#define in_folder(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(what_is_closed_opens_with_the_same_key_alone),
		in_folder(nothing_is_sealed_too),
		in_folder(every_bit_counts),
		in_folder(a_key_is_made_once_and_for_its_owner_alone),
		cmocka_unit_test(where_none_can_be_made_it_says_so),
	};

	return cmocka_run_group_tests_name("base.seal", tests, NULL, NULL);
}
