#include "sim/inline.h"

#include "base/base64.h"
#include "base/limits.h"
#include "base/write.h"
#include "sim/json.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PIECE 49152 /* bytes encoded at a time: whole groups of three */
#define BOX_HEAD 8

/* A file, and a box of zeros behind it. */
struct film {
	int fd;
	uint64_t file_len;
	uint64_t padding;
	uint64_t at;
};

static char padding_byte(const struct film *film, uint64_t at)
{
	static const char type[] = "free";

	if (at < 4)
		return (char)(film->padding >> (24 - 8 * at));
	return at < BOX_HEAD ? type[at - 4] : '\0';
}

/* Fills @piece as far as the film goes; negative errno. */
static ssize_t film_read(struct film *film, char *piece, size_t size)
{
	size_t len = 0;

	while (len < size && film->at < film->file_len) {
		ssize_t n = pread(film->fd, piece + len, size - len, (off_t)film->at);

		if (n <= 0)
			return err_origin(n < 0 ? -errno : -EIO);
		len += (size_t)n;
		film->at += (uint64_t)n;
	}
	for (; len < size && film->at < film->file_len + film->padding; film->at++)
		piece[len++] = padding_byte(film, film->at - film->file_len);
	return (ssize_t)len;
}

static int write_film(struct film *film, int out_fd)
{
	_cleanup_(freep) char *piece = malloc(PIECE);
	_cleanup_(buffer_finish) struct buffer text = {0};
	ssize_t len;

	if (!piece)
		return err_origin(-ENOMEM);
	while ((len = film_read(film, piece, PIECE)) > 0) {
		int r;

		text.len = 0;
		r = base64_append(&text, bytes_of(piece, (size_t)len));
		r = r ? r : write_fully(out_fd, buffer_bytes(&text));
		if (r < 0)
			return err_trace(r);
	}
	return (int)len;
}

static int write_video(const struct sim *sim, const struct sim_generation *generation, uint64_t padding, int out_fd)
{
	_cleanup_(closep) int fd = -1;
	struct film film = {.padding = padding};
	struct stat status;
	int r;

	r = sim_render_open(sim->render, generation->picture, "mp4", &fd);
	if (r < 0)
		return err_trace(r);
	if (fstat(fd, &status) < 0)
		return err_origin(-errno);
	film.fd = fd;
	film.file_len = (uint64_t)status.st_size;
	return write_film(&film, out_fd);
}

static int write_reply(const struct sim *sim, const struct sim_generation *generation, const char *text,
		       uint64_t padding, int out_fd)
{
	const char *place;
	int r = 0;

	while (r == 0 && (place = strstr(text, SIM_INLINE_VIDEO)) != NULL) {
		r = write_fully(out_fd, bytes_of(text, (size_t)(place - text)));
		r = r ? r : write_video(sim, generation, padding, out_fd);
		text = place + strlen(SIM_INLINE_VIDEO);
	}
	return r ? r : write_fully(out_fd, bytes_of(text, strlen(text)));
}

/* In the cache, where there is room for videos; gone with its last descriptor. */
static int open_nameless(const struct sim *sim, int *ret)
{
	_cleanup_(freep) char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/inline-XXXXXX", sim->options->cache) < 0)
		return err_origin(-ENOMEM);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return err_origin(-errno);
	unlink(path);
	*ret = fd;
	return 0;
}

int sim_inline_send(struct sim *sim, const struct sim_generation *generation, json_t *json, uint64_t padding,
		    struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *owned = json;
	_cleanup_(freep) char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	struct stat status;
	int r;

	if (!text)
		return err_origin(-ENOMEM);
	r = open_nameless(sim, &reply->file_fd);
	r = r ? r : write_reply(sim, generation, text, padding, reply->file_fd);
	r = r ? r : sim_fields_add(&reply->headers, "Content-Type", "application/json");
	if (r < 0)
		return err_trace(r);
	if (fstat(reply->file_fd, &status) < 0)
		return err_origin(-errno);
	reply->file_len = (uint64_t)status.st_size;
	reply->status = 200;
	return 0;
}
