#include "http/supply.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct supply_piece {
	struct buffer text;
	bool is_file, is_base64;
	int fd;
	uint64_t file_bytes;
	uint64_t size_bytes; /* of what is sent */
};

/* A multiple of three becomes one of four: windows of a piece fit each other without padding between. */
#define WINDOW_FILE_BYTES 49152

static uint64_t encoded_size(uint64_t bytes)
{
	return (bytes + 2) / 3 * 4;
}

/* Far beyond any limit, and yet with room to add: a sum of sizes that are no sizes does not wrap. */
static uint64_t size_of(const struct http_piece *piece)
{
	if (!piece->is_file)
		return piece->text.len;
	if (piece->size_bytes > UINT64_MAX / 4)
		return UINT64_MAX;
	return piece->is_base64 ? encoded_size(piece->size_bytes) : piece->size_bytes;
}

uint64_t supply_size_of(const struct http_request *request)
{
	uint64_t sum = request->body.len;

	for (size_t i = 0; i < request->piece_count; i++) {
		uint64_t size = size_of(&request->pieces[i]);

		if (size > UINT64_MAX - sum)
			return UINT64_MAX;
		sum += size;
	}
	return sum;
}

static int take_file(struct supply_piece *piece, const struct http_piece *from)
{
	struct stat info;

	piece->is_file = true;
	piece->is_base64 = from->is_base64;
	piece->file_bytes = from->size_bytes;
	piece->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 3);
	if (piece->fd < 0 || fstat(piece->fd, &info) < 0)
		return err_origin(-errno);
	return (uint64_t)info.st_size == from->size_bytes ? 0 : err_origin(-ESTALE);
}

static int take(struct supply *supply, const struct http_piece *from)
{
	struct supply_piece *piece = &supply->pieces[supply->count++];
	int r;

	piece->fd = -1;
	piece->size_bytes = size_of(from);
	r = from->is_file ? take_file(piece, from) : buffer_append(&piece->text, from->text.data, from->text.len);
	supply->size_bytes += piece->size_bytes;
	return r;
}

int supply_init(struct supply *supply, const struct http_request *request)
{
	const struct http_piece body = {.text = request->body};
	int r;

	*supply = (struct supply){0};
	supply->pieces = calloc(request->piece_count + 1, sizeof(*supply->pieces));
	if (!supply->pieces)
		return err_origin(-ENOMEM);
	r = take(supply, &body);
	for (size_t i = 0; r == 0 && i < request->piece_count; i++)
		r = take(supply, &request->pieces[i]);
	return r;
}

void supply_finish(struct supply *supply)
{
	for (size_t i = 0; i < supply->count; i++) {
		buffer_finish(&supply->pieces[i].text);
		if (supply->pieces[i].fd >= 0)
			close(supply->pieces[i].fd);
	}
	free(supply->pieces);
	buffer_finish(&supply->window);
	free(supply->raw);
	*supply = (struct supply){0};
}

static ssize_t read_file(const struct supply_piece *piece, uint64_t from, char *data, size_t len)
{
	ssize_t n;

	if (from + len > piece->file_bytes)
		len = (size_t)(piece->file_bytes - from);
	do
		n = pread(piece->fd, data, len, (off_t)from);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_origin(-errno);
	return n == 0 && len ? err_origin(-ENODATA) : n;
}

/* Reads on until @len is there or the file ends, as a window's length must be a multiple of three. */
static ssize_t read_whole(const struct supply_piece *piece, uint64_t from, char *data, size_t len)
{
	size_t done = 0;

	while (done < len && from + done < piece->file_bytes) {
		ssize_t n = read_file(piece, from + done, data + done, len - done);

		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Both buffers are kept from window to window: a large file is a thousand of them. */
static int encode_window(struct supply *supply, const struct supply_piece *piece)
{
	ssize_t n;

	if (!supply->raw)
		supply->raw = malloc(WINDOW_FILE_BYTES);
	if (!supply->raw)
		return err_origin(-ENOMEM);
	n = read_whole(piece, supply->position / 4 * 3, supply->raw, WINDOW_FILE_BYTES);
	if (n < 0)
		return (int)n;
	supply->window.len = 0;
	supply->window_from = supply->position;
	return base64_append(&supply->window, bytes_of(supply->raw, (size_t)n));
}

static ssize_t read_encoded(struct supply *supply, const struct supply_piece *piece, char *data, size_t len)
{
	size_t offset;
	int r;

	if (supply->position >= supply->window_from + supply->window.len) {
		r = encode_window(supply, piece);
		if (r < 0)
			return r;
	}
	offset = (size_t)(supply->position - supply->window_from);
	if (len > supply->window.len - offset)
		len = supply->window.len - offset;
	memcpy(data, supply->window.data + offset, len);
	return (ssize_t)len;
}

static ssize_t read_piece(struct supply *supply, const struct supply_piece *piece, char *data, size_t len)
{
	uint64_t left = piece->size_bytes - supply->position;

	if (len > left)
		len = (size_t)left;
	if (piece->is_base64)
		return read_encoded(supply, piece, data, len);
	if (piece->is_file)
		return read_file(piece, supply->position, data, len);
	memcpy(data, piece->text.data + supply->position, len);
	return (ssize_t)len;
}

static void next_piece(struct supply *supply)
{
	supply->at++;
	supply->position = 0;
	supply->window_from = 0;
	supply->window.len = 0;
}

ssize_t supply_read(struct supply *supply, char *data, size_t len)
{
	size_t done = 0;

	while (done < len && supply->at < supply->count) {
		const struct supply_piece *piece = &supply->pieces[supply->at];
		ssize_t n;

		if (supply->position == piece->size_bytes) {
			next_piece(supply);
			continue;
		}
		n = read_piece(supply, piece, data + done, len - done);
		if (n < 0)
			return n;
		supply->position += (uint64_t)n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
