#include "web/desk.h"

#include <pthread.h>
#include <sys/eventfd.h>

struct desk {
	pthread_mutex_t mutex; /* over everything below */
	size_t holders;
	struct note *first;
	struct note **last;
	bool is_closed;
	int fd;
};

int desk_new(struct desk **ret)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	if (!desk)
		return err_origin(-ENOMEM);
	desk->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (desk->fd < 0) {
		int r = err_origin(-errno);

		free(desk);
		return r;
	}
	pthread_mutex_init(&desk->mutex, NULL);
	desk->holders = 1;
	desk->last = &desk->first;
	*ret = desk;
	return 0;
}

struct desk *desk_ref(struct desk *desk)
{
	pthread_mutex_lock(&desk->mutex);
	desk->holders++;
	pthread_mutex_unlock(&desk->mutex);
	return desk;
}

struct desk *desk_unref(struct desk *desk)
{
	bool is_last;

	if (!desk)
		return NULL;
	pthread_mutex_lock(&desk->mutex);
	is_last = --desk->holders == 0;
	pthread_mutex_unlock(&desk->mutex);
	if (is_last) {
		closep(&desk->fd);
		pthread_mutex_destroy(&desk->mutex);
		free(desk);
	}
	return NULL;
}

int desk_fd(const struct desk *desk)
{
	return desk->fd;
}

bool desk_post(struct desk *desk, struct note *note)
{
	bool is_taken;

	note->next = NULL;
	pthread_mutex_lock(&desk->mutex);
	is_taken = !desk->is_closed;
	if (is_taken) {
		*desk->last = note;
		desk->last = &note->next;
		/* A full counter is readable, too. */
		if (eventfd_write(desk->fd, 1) < 0)
			err_origin(-errno);
	}
	pthread_mutex_unlock(&desk->mutex);
	return is_taken;
}

static struct note *take_all(struct desk *desk, bool is_close)
{
	struct note *first;
	eventfd_t n;

	pthread_mutex_lock(&desk->mutex);
	desk->is_closed |= is_close;
	first = desk->first;
	desk->first = NULL;
	desk->last = &desk->first;
	if (eventfd_read(desk->fd, &n) < 0 && errno != EAGAIN)
		err_origin(-errno);
	pthread_mutex_unlock(&desk->mutex);
	return first;
}

static void run_all(struct note *first)
{
	while (first) {
		struct note *note = first;

		first = note->next;
		note->run(note);
	}
}

void desk_run(struct desk *desk)
{
	run_all(take_all(desk, false));
}

void desk_close(struct desk *desk)
{
	run_all(take_all(desk, true));
}
