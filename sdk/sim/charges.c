#include "sim/charges.h"

#include "base/digest.h"
#include "base/write.h"
#include "sim/json.h"
#include "sim/stamp.h"

#include <fcntl.h>
#include <sys/stat.h>

struct sim_charges {
	json_t *rows;
	int64_t micros;
	int64_t size_bytes;
	int fd;
};

static void filep(FILE **file)
{
	if (*file)
		fclose(*file);
}

struct sim_charges *sim_charges_free(struct sim_charges *charges)
{
	if (!charges)
		return NULL;
	json_decref(charges->rows);
	closep(&charges->fd);
	free(charges);
	return NULL;
}

void sim_charges_freep(struct sim_charges **charges)
{
	sim_charges_free(*charges);
}

static int take_line(struct sim_charges *charges, const char *line, size_t len)
{
	_cleanup_(sim_json_freep) json_t *row = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_true(json_object_get(row, "reset"))) {
		json_array_clear(charges->rows);
		charges->micros = 0;
		return 0;
	}
	if (!json_is_string(json_object_get(row, "video_id")))
		return SIM_CHARGES_E_DAMAGED;
	charges->micros += json_integer_value(json_object_get(row, "cost_micros"));
	return json_array_append(charges->rows, row) < 0 ? err_origin(-ENOMEM) : 0;
}

static int load(struct sim_charges *charges, const char *path, struct errmsg *msg)
{
	_cleanup_(filep) FILE *file = fopen(path, "re");
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0, number = 0;
	ssize_t len;
	int r;

	if (!file)
		return err_origin(-errno);
	while ((len = getline(&line, &capacity, file)) > 0 && line[len - 1] == '\n') {
		number++;
		r = take_line(charges, line, (size_t)len);
		if (r > 0)
			errmsg_set(msg, "'%s' line %zu is not a charge; move the file away to begin a new one", path,
				   number);
		if (r)
			return r;
		charges->size_bytes += len;
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	_cleanup_(freep) char *folder = strdup(path);
	_cleanup_(closep) int fd = -1;
	char *slash;

	if (!folder)
		return err_origin(-ENOMEM);
	slash = strrchr(folder, '/');
	if (slash)
		slash[1] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_origin(-errno);
	return 0;
}

int sim_charges_open(const char *path, struct errmsg *msg, struct sim_charges **ret)
{
	_cleanup_(sim_charges_freep) struct sim_charges *charges = calloc(1, sizeof(*charges));
	int r;

	if (!charges)
		return err_origin(-ENOMEM);
	charges->fd = -1;
	charges->rows = json_array();
	if (!charges->rows)
		return err_origin(-ENOMEM);
	charges->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (charges->fd < 0)
		return err_origin(-errno);
	r = load(charges, path, msg);
	if (r)
		return r;
	if (ftruncate(charges->fd, charges->size_bytes) < 0 || fdatasync(charges->fd) < 0)
		return err_origin(-errno);
	r = sync_folder_of(path);
	if (r < 0)
		return err_trace(r);

	*ret = steal(charges);
	return 0;
}

/* Whole and synced, or not there: a half-written line is cut off again. */
static int append_synced(struct sim_charges *charges, const json_t *row)
{
	_cleanup_(freep) char *text = json_dumps(row, JSON_COMPACT);
	struct buffer line = {0};
	int r;

	r = text ? buffer_printf(&line, "%s\n", text) : -ENOMEM;
	if (r < 0)
		return err_origin(r);
	r = write_fully(charges->fd, buffer_bytes(&line));
	if (r == 0 && fdatasync(charges->fd) < 0)
		r = -errno;
	if (r == 0)
		charges->size_bytes += (int64_t)line.len;
	else if (ftruncate(charges->fd, charges->size_bytes) < 0)
		r = -errno;
	buffer_finish(&line);
	return r < 0 ? err_origin(r) : 0;
}

int sim_charges_add(struct sim_charges *charges, const struct sim_charge *charge)
{
	struct digest digest = digest_of(charge->body);
	char digest_text[DIGEST_TEXT_SIZE];
	_cleanup_(sim_json_freep) json_t *row = NULL;
	int r;

	digest_format(&digest, digest_text);
	row = json_pack("{s:I,s:s,s:s,s:s,s:s?,s:s?,s:s,s:s,s:I,s:I}", "n",
			(json_int_t)json_array_size(charges->rows) + 1, "time", sim_stamp_of(charge->utc_ms).text,
			"provider", charge->provider, "video_id", charge->video_id, "idempotency_key",
			charge->idempotency_key, "text", charge->text, "body_sha256", digest_text, "type", charge->type,
			"seconds", (json_int_t)charge->seconds, "cost_micros", (json_int_t)charge->cost_micros);
	if (!row)
		return err_origin(-ENOMEM);
	r = append_synced(charges, row);
	if (r < 0)
		return err_trace(r);

	charges->micros += charge->cost_micros;
	return json_array_append(charges->rows, row) < 0 ? err_origin(-ENOMEM) : 0;
}

int sim_charges_reset(struct sim_charges *charges, int64_t utc_ms)
{
	_cleanup_(sim_json_freep) json_t *marker = NULL;
	int r;

	if (json_array_size(charges->rows) == 0)
		return 0;
	marker = json_pack("{s:b,s:s}", "reset", 1, "time", sim_stamp_of(utc_ms).text);
	if (!marker)
		return err_origin(-ENOMEM);
	r = append_synced(charges, marker);
	if (r < 0)
		return err_trace(r);

	json_array_clear(charges->rows);
	charges->micros = 0;
	return 0;
}

size_t sim_charges_count(const struct sim_charges *charges)
{
	return json_array_size(charges->rows);
}

int64_t sim_charges_micros(const struct sim_charges *charges)
{
	return charges->micros;
}

const json_t *sim_charges_rows(const struct sim_charges *charges)
{
	return charges->rows;
}
