/*
 * A step is recorded and run again without its secrets, as `filmgate plugin check --replay` does: the answer must be the
 * same. The benches of plugins do so with every step.
 */
#ifndef FG_TESTS_UNIT_REPLAYS_H
#define FG_TESTS_UNIT_REPLAYS_H

#include "base/err.h"
#include "plugin/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* @secrets, up to a NULL, are nowhere in the recording; it may be NULL. */
static inline void assert_step_replays(const struct plugin *plugin, const struct plugin_step *step,
				       const struct plugin_answer *answer, const char *const *secrets)
{
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = NULL;
	_cleanup_(plugin_account_freep) struct plugin_account *account = NULL;
	_cleanup_(plugin_answer_freep) struct plugin_answer *again = NULL;
	_cleanup_(buffer_finish) struct buffer text = {0}, came = {0};
	struct plugin_step other;
	struct errmsg error = {0};

	assert_int_equal(plugin_recording_write(step, answer, NULL, &text), 0);
	for (; secrets && *secrets; secrets++)
		if (strstr(text.data, *secrets))
			fail_msg("'%s' is in %s", *secrets, text.data);
	if (plugin_recording_read(buffer_bytes(&text), &recording, &error) ||
	    plugin_account_new(plugin, plugin_recording_account(recording), &account, &error))
		fail_msg("%s", error.text);
	other = *plugin_recording_step(recording);
	other.account = account;
	again = plugin_step_run(&other);
	assert_non_null(again);
	assert_int_equal(plugin_recording_write_answer(&other, again, &came), 0);
	if (!bytes_equal(buffer_bytes(&came), plugin_recording_answer(recording)))
		fail_msg("a replay of %s answers\n%s", text.data, came.data);
}

#endif
