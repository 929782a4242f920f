/*
 * The glue of curl's docs/examples/multi-uv.c: curl names a socket and we watch it, curl names a delay and we arm a
 * timer, and after each of its turns the finished transfers are collected. Its two warnings are kept: the timer
 * callback of curl only arms (curl_multi_socket_action() from within it would re-enter curl), and a CURLMsg is not
 * touched once its handle is removed.
 */
#include "http/multi.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "loop/loop.h"
#include "loop/uv.h"

struct multi {
	struct loop *loop;
	CURLM *curlm;
	CURLSH *share;
	struct loop_timer timer;
	void (*on_done)(CURL *easy, CURLcode code, void *userdata);
	void *userdata;
};

struct watch {
	uv_poll_t poll;
	struct multi *multi;
	curl_socket_t socket;
	int events;
};

static void collect_finished(struct multi *multi)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi->curlm, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(multi->curlm, easy);
		multi->on_done(easy, code, multi->userdata);
	}
}

static void give_turn(struct multi *multi, curl_socket_t socket, int events)
{
	int running;
	CURLMcode code = curl_multi_socket_action(multi->curlm, socket, events, &running);

	if (code != CURLM_OK)
		log_error("libcurl failed", "error", curl_multi_strerror(code));
	collect_finished(multi);
}

static void on_timer(void *userdata)
{
	give_turn(userdata, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *curlm, long delay_ms, void *userdata)
{
	struct multi *multi = userdata;

	(void)curlm;
	if (delay_ms < 0)
		loop_timer_cancel(&multi->timer);
	else
		loop_timer_arm(&multi->timer, delay_ms);
	return 0;
}

/*
 * An error is handed on as if what was waited for had come: curl then reads what is still there, perhaps a whole reply
 * in front of a reset, and meets the error itself. Told of the error, it would give up at once. libuv stops watching a
 * socket when it reports one, which curl, who reads piece by piece, does not know.
 */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	int ready = status < 0 ? watch->events : events;
	int flags = 0;

	if (ready & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (ready & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	give_turn(watch->multi, watch->socket, flags);
	if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
		uv_poll_start(poll, watch->events, on_poll);
}

static struct watch *watch_new(struct multi *multi, curl_socket_t socket)
{
	_cleanup_(freep) struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch || uv_poll_init_socket(loop_uv(multi->loop), &watch->poll, socket) < 0)
		return NULL;
	watch->poll.data = watch;
	watch->multi = multi;
	watch->socket = socket;
	return steal(watch);
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* A socket that cannot be watched (no memory) is not reported to curl, which would then refuse every transfer for ever:
 * this one ends by its time-out. */
static int on_curl_socket(CURL *easy, curl_socket_t socket, int what, void *userdata, void *socket_userdata)
{
	struct multi *multi = userdata;
	struct watch *watch = socket_userdata;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(multi->curlm, socket, NULL);
		if (watch)
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		return 0;
	}

	if (!watch)
		watch = watch_new(multi, socket);
	if (!watch) {
		log_error("a socket cannot be watched: out of memory");
		return 0;
	}
	curl_multi_assign(multi->curlm, socket, watch);
	watch->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	uv_poll_start(&watch->poll, watch->events, on_poll);
	return 0;
}

int multi_new(struct loop *loop, void (*on_done)(CURL *easy, CURLcode code, void *userdata), void *userdata,
	      struct multi **ret)
{
	_cleanup_(multi_freep) struct multi *multi = calloc(1, sizeof(*multi));

	if (!multi)
		return err_origin(-ENOMEM);
	multi->loop = loop;
	multi->on_done = on_done;
	multi->userdata = userdata;
	loop_timer_init(&multi->timer, loop, on_timer, multi);
	multi->share = curl_share_init();
	multi->curlm = curl_multi_init();
	if (!multi->share || !multi->curlm)
		return err_origin(-ENOMEM);

	/* Without lock functions: both ends of the share stay on this loop's thread. */
	curl_share_setopt(multi->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(multi->curlm, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(multi->curlm, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->curlm, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(multi->curlm, CURLMOPT_TIMERDATA, multi);
	/* Nothing shares the connection of a paid request, not even while that is under way. */
	curl_multi_setopt(multi->curlm, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(multi->curlm, CURLMOPT_MAXCONNECTS, (long)LIMIT_HTTP_IDLE_CONNECTIONS);
	*ret = steal(multi);
	return 0;
}

struct multi *multi_free(struct multi *multi)
{
	if (!multi)
		return NULL;
	curl_multi_cleanup(multi->curlm);
	curl_share_cleanup(multi->share);
	loop_timer_cancel(&multi->timer);
	free(multi);
	return NULL;
}

void multi_freep(struct multi **multi)
{
	multi_free(*multi);
}

int multi_add(struct multi *multi, CURL *easy)
{
	CURLMcode code;

	curl_easy_setopt(easy, CURLOPT_SHARE, multi->share);
	code = curl_multi_add_handle(multi->curlm, easy);
	if (code == CURLM_OK)
		return 0;
	return err_origin(code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EINVAL);
}

void multi_remove(struct multi *multi, CURL *easy)
{
	curl_multi_remove_handle(multi->curlm, easy);
}
