#include "artifact/fixture.h"

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static void start(struct fixture *fixture, const char *ffprobe, const char *ffmpeg)
{
	struct artifact_config config = {.path = fixture->path, .ffprobe = ffprobe, .ffmpeg = ffmpeg};
	struct errmsg msg = {""};

	if (artifact_store_open(&config, &fixture->store, &msg))
		fail_msg("%s", msg.text);
}

void fixture_start(struct fixture *fixture, const char *ffprobe)
{
	start(fixture, ffprobe, NULL);
}

void fixture_open(struct fixture *fixture, const char *ffprobe)
{
	fixture_open_with(fixture, ffprobe, NULL);
}

void fixture_open_with(struct fixture *fixture, const char *ffprobe, const char *ffmpeg)
{
	const char *folder = getenv("TMPDIR");

	snprintf(fixture->path, sizeof(fixture->path), "%s/filmgate-artifact-XXXXXX", folder ? folder : "/tmp");
	assert_non_null(mkdtemp(fixture->path));
	start(fixture, ffprobe, ffmpeg);
}

static int unlink_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status, (void)kind, (void)where;
	return remove(path);
}

void fixture_close(struct fixture *fixture)
{
	fixture->store = artifact_store_close(fixture->store);
	nftw(fixture->path, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

static size_t counted;

static int count_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)path, (void)status, (void)where;
	counted += kind == FTW_F;
	return 0;
}

size_t fixture_count(const struct fixture *fixture, const char *name)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	counted = 0;
	nftw(path, count_one, 16, FTW_PHYS);
	return counted;
}

struct artifact_staging *stage(struct artifact_store *store, const char *name, struct bytes bytes)
{
	struct artifact_staging *staging = NULL;

	assert_int_equal(artifact_stage(store, name, &staging), 0);
	assert_int_equal(pwrite(artifact_staging_fd(staging), bytes.data, bytes.len, 0), bytes.len);
	return staging;
}

struct waiting {
	pthread_mutex_t mutex;
	pthread_cond_t done;
	bool is_done;
	struct artifact_sealed result;
	int outcome, fd;
};

static void wait_for(struct waiting *waiting)
{
	pthread_mutex_lock(&waiting->mutex);
	while (!waiting->is_done)
		pthread_cond_wait(&waiting->done, &waiting->mutex);
	pthread_mutex_unlock(&waiting->mutex);
}

static void on_sealed(void *userdata, const struct artifact_sealed *sealed)
{
	struct waiting *waiting = userdata;

	pthread_mutex_lock(&waiting->mutex);
	assert(!waiting->is_done);
	waiting->result = *sealed;
	waiting->is_done = true;
	pthread_cond_signal(&waiting->done);
	pthread_mutex_unlock(&waiting->mutex);
}

struct artifact_sealed seal(struct artifact_store *store, const char *role, struct bytes bytes)
{
	struct waiting waiting = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
	char name[64];

	snprintf(name, sizeof(name), "seal-%lx", (unsigned long)pthread_self());
	assert_int_equal(artifact_seal(store, stage(store, name, bytes), role, on_sealed, &waiting), 0);
	wait_for(&waiting);
	return waiting.result;
}

static void on_opened(void *userdata, int outcome, int fd)
{
	struct waiting *waiting = userdata;

	pthread_mutex_lock(&waiting->mutex);
	assert(!waiting->is_done);
	waiting->outcome = outcome;
	waiting->fd = fd;
	waiting->is_done = true;
	pthread_cond_signal(&waiting->done);
	pthread_mutex_unlock(&waiting->mutex);
}

int open_content(struct artifact_store *store, const struct digest *sha256, uint64_t size_bytes, int *ret_fd)
{
	struct waiting waiting = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

	assert_int_equal(artifact_open(store, sha256, size_bytes, on_opened, &waiting), 0);
	wait_for(&waiting);
	assert_int_equal(waiting.outcome == 0, waiting.fd >= 0);
	*ret_fd = waiting.fd;
	return waiting.outcome;
}

void content_path(const struct fixture *fixture, const struct digest *sha256, char path[PATH_MAX])
{
	struct place place = place_of(sha256);

	assert_true(snprintf(path, PATH_MAX, "%s/sha256/%s/%s", fixture->path, place.folder, place.name) < PATH_MAX);
}

static void add32(struct buffer *buffer, uint32_t value)
{
	uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

	assert_int_equal(buffer_append(buffer, bytes, 4), 0);
}

static void add_zeros(struct buffer *buffer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buffer_append(buffer, "", 1), 0);
}

static void add_box(struct buffer *buffer, uint32_t size, const char *type)
{
	add32(buffer, size);
	buffer_append_text(buffer, type);
}

/* 24 + (8 + 28 + (8 + 92 + (8 + 20))) + 72 bytes. */
void make_mp4(struct buffer *ret)
{
	*ret = (struct buffer){0};
	add_box(ret, 24, "ftyp");
	buffer_append(ret, "isom\0\0\2\0isommp41", 16);
	add_box(ret, 8 + 28 + 8 + 92 + 8 + 20, "moov");
	add_box(ret, 28, "mvhd");
	add_zeros(ret, 12);
	add32(ret, 1000);
	add32(ret, 1500);
	add_box(ret, 8 + 92 + 8 + 20, "trak");
	add_box(ret, 92, "tkhd");
	add_zeros(ret, 76);
	add32(ret, 640u << 16);
	add32(ret, 360u << 16);
	add_box(ret, 28, "mdia");
	add_box(ret, 20, "hdlr");
	add_zeros(ret, 8);
	buffer_append_text(ret, "vide");
	add_box(ret, 72, "mdat");
	add_zeros(ret, 64);
}

/* An EBML header, and a Segment with Info (1,500 ms), one picture track and one Cluster. */
void make_webm(struct buffer *ret)
{
	static const uint8_t bytes[] = {
		0x1a, 0x45, 0xdf, 0xa3, 0x87, 0x42, 0x82, 0x84, 'w',  'e',  'b',  'm',  /* header */
		0x18, 0x53, 0x80, 0x67, 0xa8,                                           /* Segment, 40 */
		0x15, 0x49, 0xa9, 0x66, 0x87, 0x44, 0x89, 0x84, 0x44, 0xbb, 0x80, 0x00, /* Info: 1500.0 */
		0x16, 0x54, 0xae, 0x6b, 0x8f, 0xae, 0x8d, 0x83, 0x81, 0x01, 0xe0, 0x88, /* Tracks */
		0xb0, 0x82, 0x02, 0x80, 0xba, 0x82, 0x01, 0x68,                         /* 640 x 360 */
		0x1f, 0x43, 0xb6, 0x75, 0x83, 0x01, 0x02, 0x03,                         /* Cluster */
	};

	*ret = (struct buffer){0};
	assert_int_equal(buffer_append(ret, bytes, sizeof(bytes)), 0);
}

struct bytes part(const struct buffer *buffer, size_t len)
{
	return bytes_of(buffer->data, len);
}
