/*
 * Recorded steps again: the same documents must give the same bytes. No network is needed, and none is used.
 */
#include "check.h"

#include "base/limits.h"
#include "plugin/recording.h"
#include "reply.h"

#include <dirent.h>
#include <stdio.h>

struct tally {
	size_t ok, wrong, others; /* others: of another plugin, as a daemon's folder has them */
	struct buffer words;
};

static void add_words(struct tally *tally, const char *file, const char *format, const char *more)
{
	if (tally->wrong++ < 3)
		buffer_printf(&tally->words, "%s%s: ", tally->words.len ? "; " : "", file);
	if (tally->wrong <= 3)
		buffer_printf(&tally->words, format, more);
}

/* Where two answers part, in words. */
static void add_difference(struct tally *tally, const char *file, struct bytes was, struct bytes is)
{
	const char *a = was.data, *b = is.data;
	size_t i = 0, from;

	if (was.len == 0) {
		if (tally->wrong++ < 3)
			buffer_printf(&tally->words, "%s%s: has no member 'answer'; it would be %.*s",
				      tally->words.len ? "; " : "", file, (int)(is.len < 900 ? is.len : 900), b);
		return;
	}
	while (i < was.len && i < is.len && a[i] == b[i])
		i++;
	from = i > 40 ? i - 40 : 0;
	if (tally->wrong++ < 3)
		buffer_printf(&tally->words, "%s%s: another answer from byte %zu on: '%.*s' was recorded, '%.*s' came",
			      tally->words.len ? "; " : "", file, i, (int)(was.len - from < 120 ? was.len - from : 120),
			      a + from, (int)(is.len - from < 120 ? is.len - from : 120), b + from);
}

static int replay_step(const struct plugin *plugin, const struct plugin_recording *recording, const char *file,
		       struct tally *tally)
{
	_cleanup_(plugin_account_freep) struct plugin_account *account = NULL;
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct plugin_step step = *plugin_recording_step(recording);
	struct errmsg error = {""};
	int r;

	if (strcmp(plugin_recording_plugin(recording), plugin_name(plugin)) != 0) {
		tally->others++;
		return 0;
	}
	r = plugin_account_new(plugin, plugin_recording_account(recording), &account, &error);
	if (r > 0) {
		add_words(tally, file, "%.300s", error.text);
		return 0;
	}
	step.account = account;
	answer = r == 0 ? plugin_step_run(&step) : NULL;
	r = answer ? plugin_recording_write_answer(&step, answer, &text) : -ENOMEM;
	if (r)
		return r;
	if (bytes_equal(buffer_bytes(&text), plugin_recording_answer(recording)))
		tally->ok++;
	else
		add_difference(tally, file, plugin_recording_answer(recording), buffer_bytes(&text));
	return 0;
}

static int replay_file(const struct plugin *plugin, const char *path, const char *file, struct tally *tally)
{
	_cleanup_(plugin_recording_freep) struct plugin_recording *recording = NULL;
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct errmsg error = {""};
	int r;

	if (!read_whole(path, 4 * LIMIT_RECORDING, &text)) {
		add_words(tally, file, "cannot be read%s", "");
		return 0;
	}
	r = plugin_recording_read(buffer_bytes(&text), &recording, &error);
	if (r > 0)
		add_words(tally, file, "is no recording: %.300s", error.text);
	return r ? (r > 0 ? 0 : r) : replay_step(plugin, recording, file, tally);
}

static int is_recording(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static int replay_folder(struct child_desk *desk, const struct replay *replay, const struct plugin *plugin,
			 struct tally *tally)
{
	struct dirent **entries = NULL;
	int n = scandir(replay->folder, &entries, is_recording, alphasort), r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		_cleanup_(buffer_finish) struct buffer path = {0};

		if (r == 0)
			r = buffer_printf(&path, "%s/%s", replay->folder, entries[i]->d_name);
		if (r == 0) {
			child_stands_in(desk, bytes_of_text(entries[i]->d_name));
			r = replay_file(plugin, path.data, entries[i]->d_name, tally);
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

void replay_learn(const char *folder, struct learned *learned)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_recording, alphasort);

	for (int i = 0; i < n; i++) {
		_cleanup_(plugin_recording_freep) struct plugin_recording *recording = NULL;
		_cleanup_(buffer_finish) struct buffer path = {0}, text = {0};
		const struct plugin_reply *reply;

		if (buffer_printf(&path, "%s/%s", folder, entries[i]->d_name) == 0 &&
		    read_whole(path.data, 4 * LIMIT_RECORDING, &text) &&
		    plugin_recording_read(buffer_bytes(&text), &recording, &(struct errmsg){""}) == 0) {
			reply = plugin_recording_step(recording)->reply;
			if (reply)
				learned_read(learned, reply->body);
		}
		free(entries[i]);
	}
	free(entries);
}

void replay_in_child(struct child_desk *desk, void *userdata)
{
	const struct replay *replay = userdata;
	struct plugin *plugin = NULL;
	struct errmsg error = {""};
	struct tally tally = {0};
	int r = load_at(replay->place, &plugin, &error);

	if (r)
		child_says(desk, 1, "%s", error.text[0] ? error.text : strerror(-r));
	else if ((r = replay_folder(desk, replay, plugin, &tally)) < 0)
		child_says(desk, 1, "'%s' cannot be replayed: %s", replay->folder, strerror(-r));
	else if (tally.ok + tally.wrong == 0)
		child_says(desk, 1, "'%s' has no recordings (*.json) of this plugin, and %zu of others", replay->folder,
			   tally.others);
	else if (tally.wrong)
		child_says(desk, 1, "%zu of %zu differ: %.1800s", tally.wrong, tally.ok + tally.wrong,
			   tally.words.data);
	else
		child_says(desk, 0, "%zu recorded steps, each with the same answer%s", tally.ok,
			   tally.others ? "; those of other plugins were left out" : "");
	buffer_finish(&tally.words);
	plugin_free(plugin);
}
