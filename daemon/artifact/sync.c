#include "artifact/internal.h"

#include <fcntl.h>
#include <string.h>

struct sync {
	struct task task; /* the first member */
	struct artifact_store *store;
	artifact_synced_fn *fn;
	void *userdata;
	size_t n;
	char names[][STAGING_NAME_SIZE];
};

static int sync_file(const struct artifact_store *store, const char *name)
{
	_cleanup_(closep) int fd = openat(store->staging_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return ARTIFACT_E_NOT_FOUND;
	return fd < 0 || fsync(fd) < 0 ? store_outcome(-errno) : 0;
}

/* The folder last: its names are worth what their files are. */
static void run_sync(struct task *task)
{
	struct sync *sync = (struct sync *)(void *)task;
	int r = 0;

	for (size_t i = 0; i < sync->n && r == 0; i++)
		r = sync_file(sync->store, sync->names[i]);
	if (r == 0 && fsync(sync->store->staging_fd) < 0)
		r = store_outcome(-errno);
	sync->fn(sync->userdata, r);
	free(sync);
}

int artifact_sync(struct artifact_store *store, const char *const *names, size_t n, artifact_synced_fn *fn,
		  void *userdata)
{
	struct sync *sync = calloc(1, sizeof(*sync) + n * sizeof(sync->names[0]));

	if (!sync)
		return err_origin(-ENOMEM);
	sync->task.run = run_sync;
	sync->store = store;
	sync->fn = fn;
	sync->userdata = userdata;
	sync->n = n;
	for (size_t i = 0; i < n; i++)
		memccpy(sync->names[i], names[i], '\0', STAGING_NAME_SIZE - 1);
	workers_add(&store->workers, &sync->task);
	return 0;
}
