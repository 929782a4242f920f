#include "plugin/recorder.h"

#include "base/dir.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/write.h"
#include "plugin/account_inside.h"
#include "plugin/recording.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>

struct plugin_recorder {
	char *folder;
	int fd;
	pthread_mutex_t mutex; /* over the rest */
	uint64_t number;       /* of the newest */
	uint64_t files;
	int64_t bytes;
	bool is_over;
	pthread_mutex_t known_mutex;
	struct plugin_redactor *known; /* what providers call files, as the steps so far showed */
};

/* Goes on behind what an earlier daemon left. */
static int look_around(struct plugin_recorder *recorder)
{
	_cleanup_(dir_closep) DIR *folder = opendir(recorder->folder);
	struct dirent *entry;
	struct stat st;

	if (!folder)
		return err_origin(-errno);
	while ((entry = readdir(folder)) != NULL) {
		uint64_t number = strtoull(entry->d_name, NULL, 10);

		if (fstatat(recorder->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		recorder->files++;
		recorder->bytes += st.st_size;
		if (number > recorder->number && number < UINT32_MAX)
			recorder->number = number;
	}
	return 0;
}

int plugin_recorder_new(const char *folder, struct plugin_recorder **ret, struct errmsg *error)
{
	_cleanup_(plugin_recorder_freep) struct plugin_recorder *recorder = calloc(1, sizeof(*recorder));
	int r = 0;

	if (!recorder)
		return err_origin(-ENOMEM);
	recorder->fd = -1;
	pthread_mutex_init(&recorder->mutex, NULL);
	pthread_mutex_init(&recorder->known_mutex, NULL);
	recorder->known = plugin_redactor_new(NULL);
	recorder->folder = strdup(folder);
	if (!recorder->folder || !recorder->known)
		return err_origin(-ENOMEM);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		r = err_origin(-errno);
	if (r == 0)
		recorder->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && recorder->fd < 0)
		r = err_origin(-errno);
	if (r == 0)
		r = look_around(recorder);
	if (r < 0) {
		errmsg_set(error,
			   "record_dir: the folder '%.300s' for recordings cannot be used: %s; make it, name another "
			   "one, or leave record_dir out",
			   folder, log_errno(r));
		return r;
	}
	*ret = steal(recorder);
	return 0;
}

struct plugin_recorder *plugin_recorder_free(struct plugin_recorder *recorder)
{
	if (!recorder)
		return NULL;
	pthread_mutex_destroy(&recorder->mutex);
	pthread_mutex_destroy(&recorder->known_mutex);
	plugin_redactor_free(recorder->known);
	closep(&recorder->fd);
	free(recorder->folder);
	free(recorder);
	return NULL;
}

void plugin_recorder_freep(struct plugin_recorder **recorder)
{
	plugin_recorder_free(*recorder);
}

/* The number of the next file, or 0 when there is no room for @size bytes more. */
static uint64_t reserve(struct plugin_recorder *recorder, size_t size)
{
	uint64_t number = 0;
	bool was_over;

	pthread_mutex_lock(&recorder->mutex);
	was_over = recorder->is_over;
	if (recorder->files >= LIMIT_RECORDINGS || recorder->bytes + (int64_t)size > LIMIT_RECORDINGS_BYTES)
		recorder->is_over = true;
	if (!recorder->is_over) {
		recorder->files++;
		recorder->bytes += (int64_t)size;
		number = ++recorder->number;
	}
	pthread_mutex_unlock(&recorder->mutex);
	if (number == 0 && !was_over)
		log_warning("the folder for recordings is full, so no more are made; empty it and start again",
			    "folder", recorder->folder);
	return number;
}

/* Under its name when it is whole, so that nobody reads half of one. */
static int write_file(const struct plugin_recorder *recorder, const char *name, struct bytes text)
{
	char part[NAME_MAX + 1];
	_cleanup_(closep) int fd = -1;
	int r;

	snprintf(part, sizeof(part), ".%.200s.part", name);
	fd = openat(recorder->fd, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_origin(-errno);
	r = write_fully(fd, text);
	if (r == 0 && renameat(recorder->fd, part, recorder->fd, name) < 0)
		r = err_origin(-errno);
	if (r < 0)
		unlinkat(recorder->fd, part, 0);
	return r;
}

void plugin_recorder_take(struct plugin_recorder *recorder, const struct plugin_step *step,
			  const struct plugin_answer *answer)
{
	_cleanup_(buffer_finish) struct buffer text = {.limit = LIMIT_RECORDING};
	char name[NAME_MAX + 1];
	uint64_t number;
	int r;

	pthread_mutex_lock(&recorder->known_mutex);
	r = plugin_recording_write(step, answer, recorder->known, &text);
	pthread_mutex_unlock(&recorder->known_mutex);
	if (r == 0)
		r = buffer_append(&text, "\n", 1);
	number = r == 0 ? reserve(recorder, text.len) : 0;
	if (number) {
		snprintf(name, sizeof(name), "%08llu-%.64s-%s-%u.json", (unsigned long long)number, step->account->id,
			 plugin_verb_name(step->verb), step->phase);
		r = write_file(recorder, name, buffer_bytes(&text));
	}
	if (r < 0)
		log_warning("a step was not recorded", "folder", recorder->folder, "provider", step->account->id,
			    "verb", plugin_verb_name(step->verb), "error", log_errno(r));
}
