/*
 * What a folder of recordings may hold: taken or refused with words. And any text, redacted: without the secret, and the
 * same when it is redacted again.
 */
#include "plugin/recording.h"
#include "base/err.h"
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>

#define SECRET "fuzz:secret"

static const struct plugin_redactor *open_redactor(void)
{
	static struct plugin_redactor *redactor;
	static const struct plugin_secret secret = {.name = "api_key", .value = SECRET};
	static const struct plugin_account_spec spec = {.id = "fuzz", .secrets = &secret, .n_secrets = 1};
	static struct plugin_account *account;
	static struct plugin *plugin;
	const char *folders[] = {HEYGEN_PLUGIN_DIR};
	struct errmsg error = {0};

	if (redactor)
		return redactor;
	if (plugin_load("heygen", folders, 1, &plugin, &error) != 0 ||
	    plugin_account_new(plugin, &spec, &account, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	redactor = plugin_redactor_new(account);
	assert(redactor);
	return redactor;
}

static void check_redaction(struct bytes text)
{
	_cleanup_(buffer_finish) struct buffer once = {0}, twice = {0};

	assert(plugin_redact_text(open_redactor(), text, &once) == 0);
	assert(plugin_redact_text(open_redactor(), buffer_bytes(&once), &twice) == 0);
	assert(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
	assert(!once.len || !memmem(once.data, once.len, SECRET, strlen(SECRET)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = NULL;
	struct errmsg error = {0};
	int r = plugin_recording_read(bytes_of(data, size), &recording, &error);

	assert(r == 0 || (r == PLUGIN_RECORDING_E_INVALID && error.text[0]));
	if (r == 0) {
		assert(plugin_recording_plugin(recording) && plugin_recording_account(recording)->is_replay);
		assert(plugin_recording_step(recording)->verb < _PLUGIN_VERB_N);
	}
	check_redaction(bytes_of(data, size));
	return 0;
}
