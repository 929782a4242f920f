/*
 * The checks, each on its own line: ok or FAILED, its name, what it found. All that loads the file happens in a child.
 */
#include "check.h"

#include "base/limits.h"
#include "base/log.h"
#include "symbols.h"
#include "walk.h"

#include <filmgate/provider.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

struct checking {
	const struct check_options *options;
	struct place place;
	struct child_desk *desk;
	unsigned int failed, done;
};

static void print_check(struct checking *checking, bool is_ok, const char *name, const char *text)
{
	checking->done++;
	checking->failed += !is_ok;
	printf("%-7s %-9s %s\n", is_ok ? "ok" : "FAILED", name, text);
	fflush(stdout);
}

/* ---- symbols ---- */

static void check_symbols(struct checking *checking)
{
	_cleanup_(buffer_finish) struct buffer file = {0}, names = {0};
	struct errmsg error = {""};
	char text[512];
	size_t n = 0;
	int r;

	if (!read_whole(checking->options->path, CHECK_FILE, &file)) {
		print_check(checking, false, "symbols", "the file cannot be read");
		return;
	}
	r = symbols_exported(buffer_bytes(&file), &names, &n, &error);
	if (r == 0 && n == 1 && strcmp(names.data, FG_ENTRY_SYMBOL) == 0)
		snprintf(text, sizeof(text), "exports %s and nothing else", FG_ENTRY_SYMBOL);
	else if (r == 0)
		snprintf(text, sizeof(text),
			 "it exports %.300s; a plugin exports %s alone: link it with the version script "
			 "plugin.map, or with filmgate_plugin()",
			 n ? names.data : "nothing", FG_ENTRY_SYMBOL);
	else
		snprintf(text, sizeof(text), "%s", error.text[0] ? error.text : strerror(-r));
	print_check(checking, r == 0 && n == 1 && strcmp(names.data, FG_ENTRY_SYMBOL) == 0, "symbols", text);
}

/* ---- loading ---- */

/* Which check it is that a plugin does not pass; by the order in which plugin_load() looks. */
static const char *check_of(int outcome)
{
	switch (outcome) {
	case PLUGIN_E_MISSING:
	case PLUGIN_E_UNSAFE:
	case PLUGIN_E_UNLOADABLE:
		return "file";
	case PLUGIN_E_MANIFEST:
	case PLUGIN_E_FEATURE:
		return "manifest";
	default:
		return "abi";
	}
}

static void load_in_child(struct child_desk *desk, void *userdata)
{
	struct checking *checking = userdata;
	struct plugin *plugin = NULL;
	struct errmsg error = {""};
	int r = load_at(&checking->place, &plugin, &error);

	if (r)
		child_says(desk, r > 0 ? (uint32_t)r : PLUGIN_E_UNLOADABLE, "%s",
			   error.text[0] ? error.text : strerror(-r));
	else
		child_says(desk, 0, "%s", plugin_manifest(plugin)->version);
	plugin_free(plugin);
}

static bool check_loading(struct checking *checking)
{
	static const char *const names[] = {"file", "abi", "manifest", NULL};
	char why[256], well[128];
	int r = child_run(checking->desk, 0, load_in_child, checking, why);
	const char *wrong = r ? "file" : checking->desk->outcome ? check_of((int)checking->desk->outcome) : NULL;

	for (const char *const *name = names; *name; name++) {
		if (wrong && strcmp(*name, wrong) == 0) {
			print_check(checking, false, *name, r < 0 ? strerror(-r) : r ? why : checking->desk->text);
			return false;
		}
		if (strcmp(*name, "abi") == 0)
			snprintf(well, sizeof(well), "%s, a whole table", FG_ENTRY_SYMBOL);
		else if (strcmp(*name, "file") == 0)
			snprintf(well, sizeof(well), "loads, and nobody else may write it");
		else
			snprintf(well, sizeof(well), "'%.32s' %.64s", checking->place.name, checking->desk->text);
		print_check(checking, true, *name, well);
	}
	return true;
}

/* ---- walking ---- */

struct walking {
	struct checking *checking;
	unsigned int seconds; /* 0: CHECK_WALKS walks */
	uint64_t seed;
};

static bool goes_on(const struct walking *walking, uint64_t walks, time_t begun)
{
	return walking->seconds ? time(NULL) - begun < (time_t)walking->seconds : walks < CHECK_WALKS;
}

static void name_verbs(const struct walker *walker, struct buffer *out)
{
	for (enum plugin_verb verb = 0; verb < _PLUGIN_VERB_N; verb++)
		if (walker->reached[verb])
			buffer_printf(out, "%s%s", out->len ? ", " : "", plugin_verb_name(verb));
}

static void walk_about(struct child_desk *desk, const struct walking *walking, struct walker *walker)
{
	_cleanup_(buffer_finish) struct buffer verbs = {0};
	const struct orders *orders = walker->orders;
	time_t begun = time(NULL);
	uint64_t walks = 0;
	int r = 0;

	while (r == 0 && goes_on(walking, walks, begun)) {
		r = walk(walker);
		walks++;
	}
	name_verbs(walker, &verbs);
	if (r < 0)
		child_says(desk, 1, "%s", strerror(-r));
	else if (r)
		child_says(desk, 1, "%s", walker->finding.text);
	else if (orders->models_without)
		child_says(desk, 1,
			   "no order was found that the manifest takes for its model '%.64s' in %d tries: do its rules "
			   "contradict each other?",
			   orders->without, ORDER_TRIES);
	else
		child_says(desk, 0, "%llu steps of %zu orders for %zu models, each twice: %s%s",
			   (unsigned long long)walker->steps, orders->n, orders->models,
			   verbs.data ? verbs.data : "none",
			   walker->has_exchanged
				   ? ""
				   : "; no order got as far as a request: what it wants configured, say with --option");
}

static void walk_in_child(struct child_desk *desk, void *userdata)
{
	const struct walking *walking = userdata;
	struct walker walker = {.desk = desk, .dice = {.state = walking->seed * 2 + 1}};
	struct plugin_account *account = NULL;
	struct plugin *plugin = NULL;
	struct orders orders = {0};
	struct errmsg error = {""};
	int r = load_at(&walking->checking->place, &plugin, &error);

	if (r == 0)
		r = account_for(plugin, walking->checking->options, &account, &error);
	if (r) {
		child_says(desk, 1, "%s", error.text[0] ? error.text : strerror(-r));
		return;
	}
	orders_make(plugin_manifest(plugin), &orders);
	learned_begin(&walker.learned);
	walker.plugin = plugin;
	walker.account = account;
	walker.orders = &orders;
	if (walking->checking->options->replay)
		replay_learn(walking->checking->options->replay, &walker.learned);
	walk_about(desk, walking, &walker);
	walker_finish(&walker);
	orders_finish(&orders);
	plugin_account_free(account);
	plugin_free(plugin);
}

/* The step at which it went wrong, as a file that --replay reads. */
static void keep_step(const struct checking *checking, char *ret, size_t size)
{
	const struct child_desk *desk = checking->desk;
	char path[4096];
	FILE *file;

	*ret = '\0';
	if (desk->step_len == 0)
		return;
	if (!checking->options->keep) {
		snprintf(ret, size, "; --keep DIR writes down the step");
		return;
	}
	snprintf(path, sizeof(path), "%s/%s-%llu.json", checking->options->keep, checking->place.name,
		 (unsigned long long)desk->steps);
	file = fopen(path, "wex");
	if (file && fwrite(desk->step, 1, desk->step_len, file) == desk->step_len && fclose(file) == 0)
		snprintf(ret, size, "; the step is in %.200s", path);
	else
		snprintf(ret, size, "; %.200s cannot be written: %s", path, strerror(errno));
}

static void check_walking(struct checking *checking, const char *name, unsigned int seconds, uint64_t seed)
{
	struct walking walking = {.checking = checking, .seconds = seconds, .seed = seed};
	char why[256], kept[512], text[CHILD_TEXT + 1024];
	int r = child_run(checking->desk, seconds, walk_in_child, &walking, why);

	if (r == 0 && checking->desk->outcome == 0) {
		print_check(checking, true, name, checking->desk->text);
		return;
	}
	keep_step(checking, kept, sizeof(kept));
	if (r < 0)
		snprintf(text, sizeof(text), "%s", strerror(-r));
	else if (r)
		snprintf(text, sizeof(text), "step %llu: %s%s", (unsigned long long)checking->desk->steps, why, kept);
	else
		snprintf(text, sizeof(text), "%s%s", checking->desk->text, kept);
	print_check(checking, false, name, text);
}

/* ---- replaying ---- */

static void check_replay(struct checking *checking)
{
	struct replay replay = {.place = &checking->place, .folder = checking->options->replay};
	char why[256], text[512];
	int r = child_run(checking->desk, 0, replay_in_child, &replay, why);

	if (r == 0) {
		print_check(checking, checking->desk->outcome == 0, "replay", checking->desk->text);
		return;
	}
	snprintf(text, sizeof(text), "%s%s%.*s", r < 0 ? strerror(-r) : why, checking->desk->step_len ? ", on " : "",
		 checking->desk->step_len < 200 ? (int)checking->desk->step_len : 200, checking->desk->step);
	print_check(checking, false, "replay", text);
}

int check_run(const struct check_options *options)
{
	struct checking checking = {.options = options};

	if (!place_of(options->path, &checking.place))
		return 2;
	if (access(options->path, R_OK) < 0 || (options->replay && access(options->replay, X_OK) < 0)) {
		tell("'%s' cannot be read: %s", access(options->path, R_OK) < 0 ? options->path : options->replay,
		     strerror(errno));
		return 2;
	}
	checking.desk = child_desk_new();
	if (!checking.desk) {
		tell("%s", strerror(errno));
		return 1;
	}
	check_symbols(&checking);
	if (check_loading(&checking)) {
		check_walking(&checking, "answers", 0, 1);
		if (options->replay)
			check_replay(&checking);
		if (options->seconds)
			check_walking(&checking, "fuzz", options->seconds, options->seed);
	}
	child_desk_free(checking.desk);
	printf("%s: %u checks, %u failed\n", checking.place.name, checking.done, checking.failed);
	return checking.failed ? 1 : 0;
}
