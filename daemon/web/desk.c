#include "web/desk.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <utlist.h>

struct desk {
	pthread_mutex_t mutex; /* over everything below, and the links of questions */
	size_t holders;        /* the web and each question that is not answered */
	struct question *answered;
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
	*ret = desk;
	return 0;
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

struct question *question_new(struct desk *desk, void *asker)
{
	struct question *question = calloc(1, sizeof(*question));

	if (!question)
		return NULL;
	question->desk = desk;
	question->asker = asker;
	pthread_mutex_lock(&desk->mutex);
	desk->holders++;
	pthread_mutex_unlock(&desk->mutex);
	return question;
}

struct question *question_free(struct question *question)
{
	if (question)
		buffer_finish(&question->text);
	free(question);
	return NULL;
}

void question_answer(struct question *take)
{
	struct desk *desk = take->desk;
	bool is_wanted;

	pthread_mutex_lock(&desk->mutex);
	is_wanted = take->asker != NULL;
	if (is_wanted) {
		take->is_answered = true;
		LL_APPEND(desk->answered, take);
		/* A full counter is readable, too. */
		if (eventfd_write(desk->fd, 1) < 0)
			err_origin(-errno);
	}
	pthread_mutex_unlock(&desk->mutex);
	if (!is_wanted)
		question_free(take);
	desk_unref(desk);
}

void question_drop(struct question *take)
{
	struct desk *desk = take->desk;
	bool is_answered;

	pthread_mutex_lock(&desk->mutex);
	is_answered = take->is_answered;
	take->asker = NULL;
	if (is_answered)
		LL_DELETE(desk->answered, take);
	pthread_mutex_unlock(&desk->mutex);
	if (is_answered)
		question_free(take);
}

struct question *desk_take(struct desk *desk, void **ret_asker)
{
	struct question *question;
	eventfd_t n;

	pthread_mutex_lock(&desk->mutex);
	question = desk->answered;
	if (question) {
		LL_DELETE(desk->answered, question);
		*ret_asker = question->asker;
	} else if (eventfd_read(desk->fd, &n) < 0 && errno != EAGAIN) {
		err_origin(-errno);
	}
	pthread_mutex_unlock(&desk->mutex);
	return question;
}
