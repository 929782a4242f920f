#include "sim/raw.h"

#include "base/err.h"
#include "base/limits.h"

#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CHUNK 65536
#define LINGER_MS 2000

struct raw {
	struct sim_raws *raws;
	struct raw *prev, *next;
	struct sim_plan plan;
	struct sim_watch watch;
	struct sim_timer timer;
	int fd;
	size_t head_sent;
	uint64_t file_sent;
	uint64_t filler_sent;
	bool is_done; /* everything is out; the end has begun */
};

struct sim_raws {
	struct sim_loop *loop;
	struct raw *list;
	size_t count;
};

void sim_plan_init(struct sim_plan *plan, enum sim_ending ending)
{
	*plan = (struct sim_plan){.file_fd = -1, .ending = ending};
}

void sim_plan_finish(struct sim_plan *plan)
{
	buffer_finish(&plan->head);
	buffer_finish(&plan->filler);
	closep(&plan->file_fd);
	sim_plan_init(plan, SIM_ENDING_FIN);
}

int sim_plan_add_head(struct sim_plan *plan, const struct sim_reply *reply)
{
	const char *reason = MHD_get_reason_phrase_for((unsigned int)reply->status);
	int r;

	r = buffer_printf(&plan->head, "HTTP/1.1 %d %s\r\nConnection: close\r\n", reply->status, reason);
	for (size_t i = 0; r == 0 && i < reply->headers.count; i++)
		r = buffer_printf(&plan->head, "%s: %s\r\n", reply->headers.items[i].name,
				  reply->headers.items[i].value);
	return r < 0 ? err_trace(r) : 0;
}

int sim_plan_add_reply(struct sim_plan *plan, struct sim_reply *reply, const char *method, uint64_t keep)
{
	uint64_t len = sim_reply_body_len(reply);
	int r;

	if (strcmp(method, "HEAD") == 0)
		keep = 0;
	if (keep > len)
		keep = len;
	r = sim_plan_add_head(plan, reply);
	if (r < 0)
		return err_trace(r);
	r = buffer_printf(&plan->head, "Content-Length: %llu\r\n\r\n", (unsigned long long)len);
	if (r < 0)
		return err_trace(r);

	if (reply->file_fd >= 0) {
		plan->file_fd = steal_fd(&reply->file_fd);
		plan->file_offset = reply->file_offset;
		plan->file_len = keep;
		return 0;
	}
	r = buffer_append(&plan->head, reply->body.data, (size_t)keep);
	return r < 0 ? err_trace(r) : 0;
}

int sim_raws_new(struct sim_loop *loop, struct sim_raws **ret)
{
	struct sim_raws *raws = calloc(1, sizeof(*raws));

	if (!raws)
		return err_origin(-ENOMEM);
	raws->loop = loop;

	*ret = raws;
	return 0;
}

static void raw_end(struct raw *raw)
{
	struct sim_raws *raws = raw->raws;

	sim_loop_unwatch(raws->loop, &raw->watch);
	sim_loop_forget(raws->loop, &raw->timer);
	if (raw->prev)
		raw->prev->next = raw->next;
	else
		raws->list = raw->next;
	if (raw->next)
		raw->next->prev = raw->prev;
	raws->count--;
	close(raw->fd);
	sim_plan_finish(&raw->plan);
	free(raw);
}

struct sim_raws *sim_raws_free(struct sim_raws *raws)
{
	if (!raws)
		return NULL;
	while (raws->list)
		raw_end(raws->list);
	free(raws);
	return NULL;
}

size_t sim_raws_open(const struct sim_raws *raws)
{
	return raws->count;
}

static size_t within(uint64_t len, size_t most)
{
	return len < most ? (size_t)len : most;
}

/* The next bytes to send, at most @most, into @scratch; 0 when all is out, -1 when the file cannot be read. */
static ssize_t fill(struct raw *raw, char *scratch, size_t most)
{
	const struct sim_plan *plan = &raw->plan;
	size_t len;

	if (raw->head_sent < plan->head.len) {
		len = within(plan->head.len - raw->head_sent, most);
		memcpy(scratch, plan->head.data + raw->head_sent, len);
		return (ssize_t)len;
	}
	if (raw->file_sent < plan->file_len)
		return pread(plan->file_fd, scratch, within(plan->file_len - raw->file_sent, most),
			     (off_t)(plan->file_offset + raw->file_sent));
	len = within(plan->filler_len - raw->filler_sent, most);
	for (size_t i = 0; i < len; i++)
		scratch[i] = plan->filler.data[(raw->filler_sent + i) % plan->filler.len];
	return (ssize_t)len;
}

static void count_sent(struct raw *raw, size_t len)
{
	if (raw->head_sent < raw->plan.head.len)
		raw->head_sent += len;
	else if (raw->file_sent < raw->plan.file_len)
		raw->file_sent += len;
	else
		raw->filler_sent += len;
}

static void reset_connection(struct raw *raw)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(raw->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	raw_end(raw);
}

/* After a FIN the client's last bytes are still read for a while: closing over them would turn the FIN into an RST. */
static void begin_end(struct raw *raw)
{
	raw->is_done = true;
	if (raw->plan.ending == SIM_ENDING_RST) {
		reset_connection(raw);
		return;
	}
	if (raw->plan.ending == SIM_ENDING_FIN) {
		shutdown(raw->fd, SHUT_WR);
		sim_loop_after(raw->raws->loop, &raw->timer, LINGER_MS);
	}
	sim_loop_rewatch(raw->raws->loop, &raw->watch, EPOLLIN | EPOLLRDHUP);
}

static void drain(struct raw *raw, uint32_t events)
{
	char scratch[4096];
	ssize_t n;

	do
		n = recv(raw->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
	while (n > 0);
	if (n == 0 || (events & (EPOLLERR | EPOLLHUP)) || (errno != EAGAIN && errno != EINTR))
		raw_end(raw);
}

/* Waits as long as @len bytes take at the ordered rate. */
static void pause_for(struct raw *raw, size_t len)
{
	sim_loop_rewatch(raw->raws->loop, &raw->watch, 0);
	sim_loop_after(raw->raws->loop, &raw->timer, (int64_t)(len * 1000 / raw->plan.bytes_per_second));
}

static void send_some(struct raw *raw)
{
	uint64_t rate = raw->plan.bytes_per_second;
	char scratch[CHUNK];
	ssize_t len, sent;

	len = fill(raw, scratch, rate ? within(rate / 20 + 1, CHUNK) : CHUNK);
	if (len < 0) {
		reset_connection(raw);
		return;
	}
	if (len == 0) {
		begin_end(raw);
		return;
	}
	sent = send(raw->fd, scratch, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		raw_end(raw);
		return;
	}
	if (sent <= 0)
		return;
	count_sent(raw, (size_t)sent);
	if (rate)
		pause_for(raw, (size_t)sent);
}

static void on_events(void *userdata, uint32_t events)
{
	struct raw *raw = userdata;

	if (raw->is_done)
		drain(raw, events);
	else if (events & (EPOLLERR | EPOLLHUP))
		raw_end(raw);
	else
		send_some(raw);
}

static void on_timer(void *userdata)
{
	struct raw *raw = userdata;

	if (raw->is_done)
		raw_end(raw);
	else
		sim_loop_rewatch(raw->raws->loop, &raw->watch, EPOLLOUT);
}

int sim_raws_run(struct sim_raws *raws, int fd, struct sim_plan *plan)
{
	_cleanup_(closep) int owned_fd = fd;
	struct sim_plan owned = *plan;
	struct raw *raw;
	int r;

	sim_plan_init(plan, SIM_ENDING_FIN);
	raw = raws->count < LIMIT_SIM_RAW_CONNECTIONS ? calloc(1, sizeof(*raw)) : NULL;
	if (!raw) {
		sim_plan_finish(&owned);
		return err_origin(-ENOMEM);
	}
	*raw = (struct raw){.raws = raws, .plan = owned, .fd = steal_fd(&owned_fd), .next = raws->list};
	raw->watch = (struct sim_watch){.fn = on_events, .userdata = raw};
	raw->timer = (struct sim_timer){.fn = on_timer, .userdata = raw};
	if (raws->list)
		raws->list->prev = raw;
	raws->list = raw;
	raws->count++;

	r = sim_loop_watch(raws->loop, &raw->watch, raw->fd, EPOLLOUT);
	if (r < 0)
		raw_end(raw);
	return r < 0 ? err_trace(r) : 0;
}
