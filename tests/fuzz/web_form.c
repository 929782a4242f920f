/*
 * What clients send to /v1/videos. The first byte says in which form: JSON, or a form as the library parts it, for which
 * there has to be a connection with a request on it. What is read is made an order for a model that has everything.
 */
#include "api/arena.h"
#include "base/err.h"
#include "fuzz.h"
#include "web/form.h"
#include "web/video_order.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char manifest[] =
	"{\"models\":[{\"name\":\"m\",\"parameters\":{\"prompt\":{},\"size.width\":{}},"
	"\"media\":[{\"role\":\"reference\",\"kind\":\"video\"},{\"role\":\"source\",\"kind\":\"image\"}]},"
	"{\"name\":\"speaks\",\"parameters\":{\"script.text\":{}}}]}";

static const char *const models[] = {"p/m", "p/speaks"};

/* Whatever was said is in the order, or was refused in words. */
static void write_order(struct video_order *order, struct arena *arena)
{
	static const char *const aliases[] = {"x=p/m"};
	const struct guard_list list = {aliases, 1};
	Filmgate__V1__CreateJobRequest request;
	struct video_fault fault = {0};
	int r = video_order_find_model(order, &list, arena, &fault);

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]) && r == VIDEO_E_INVALID; i++) {
		assert(*fault.text);
		order->model = models[i];
		r = video_order_find_model(order, &list, arena, &fault);
	}
	assert(r == 0);
	r = video_order_write(order, manifest, order->file.len ? "assets/x" : NULL, arena, &request, &fault);
	assert(r == 0 || *fault.text);
	if (r)
		return;
	assert(request.job && request.job->parameters);
	assert(!order->seconds || request.job->parameters->duration);
	assert(!order->size || request.job->parameters->picture_size_case || *request.job->parameters->aspect_ratio);
	assert(!order->file.len || request.job->parameters->n_media);
}

static void try_order(struct video_order *order, int r, struct arena *arena, const struct video_fault *fault)
{
	assert(r == 0 || *fault->text);
	if (r == 0)
		write_order(order, arena);
	video_order_finish(order);
}

static void try_json(struct bytes body)
{
	struct video_fault fault = {0};
	struct video_order order = {0};
	struct arena arena = {0};

	try_order(&order, video_order_of_json(body, &arena, &order, &fault), &arena, &fault);
	arena_finish(&arena);
}

/* ---- forms ---- */

static struct bytes form_body;
static bool is_read;

static enum MHD_Result on_access(void *userdata, struct MHD_Connection *connection, const char *path,
				 const char *method, const char *version, const char *upload, size_t *upload_len,
				 void **context)
{
	struct video_fault fault = {0};
	struct video_order order = {0};
	struct arena arena = {0};
	struct form form;
	int r;

	(void)userdata, (void)path, (void)method, (void)version, (void)upload, (void)upload_len, (void)context;
	is_read = true;
	r = form_read(connection, form_body, &form);
	assert(r == 0 || r == FORM_E_TYPE || (r == FORM_E_MALFORMED && form.fault));
	if (r == 0)
		try_order(&order, video_order_of_form(&form, &arena, &order, &fault), &arena, &fault);
	form_finish(&form);
	arena_finish(&arena);
	return MHD_NO;
}

/* On a daemon of the library's own that listens nowhere. */
static void add_connection(struct MHD_Daemon *daemon, int fd)
{
	const struct sockaddr_storage address = {.ss_family = AF_INET};

	if (MHD_add_connection(daemon, fd, (const struct sockaddr *)&address, sizeof(address)) != MHD_YES)
		abort();
}

static void try_form(const char *media_type, struct bytes body)
{
	static struct MHD_Daemon *daemon;
	char head[256];
	int sockets[2];
	size_t len;

	if (!daemon)
		daemon = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_access, NULL, MHD_OPTION_END);
	if (!daemon || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) < 0)
		abort();
	snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Type: %s\r\n\r\n",
		 media_type);
	len = strlen(head);
	if (write(sockets[0], head, len) != (ssize_t)len)
		abort();
	form_body = body;
	is_read = false;
	add_connection(daemon, sockets[1]);
	for (int i = 0; i < 4 && !is_read; i++)
		MHD_run(daemon);
	assert(is_read);
	close(sockets[0]);
	MHD_run(daemon);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *body;

	if (size < 1)
		return -1;
	/* As long as it is, so that who reads behind its end is seen. */
	body = malloc(size > 1 ? size - 1 : 1);
	if (!body)
		abort();
	memcpy(body, data + 1, size - 1);
	if (data[0] % 3 == 0)
		try_json(bytes_of(body, size - 1));
	else
		try_form(data[0] % 3 == 1 ? "multipart/form-data; boundary=BB" : "application/x-www-form-urlencoded",
			 bytes_of(body, size - 1));
	free(body);
	return 0;
}
