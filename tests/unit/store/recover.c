#include "store/backend.h"
#include "store/fixture.h"
#include "store/keys.h"
#include "store/records.h"

#include "capture.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define N_JOBS 1000

/* Each in a batch of its own, so that the log has many records. */
static void put_jobs(struct fixture *fixture, struct job_ref *refs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct job_view view = put_job(fixture);

		refs[i] = view.job->ref;
		job_view_finish(&view);
	}
}

static size_t count_found(struct fixture *fixture, const struct job_ref *refs, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct answer answer;

		get_job(fixture, &refs[i], &answer);
		assert_true(answer.outcome == 0 || answer.outcome == STORE_E_NOT_FOUND);
		found += answer.outcome == 0;
		free_answer(&answer);
	}
	return found;
}

/* Goes on with the copy that a crash would have left. */
static void crash(struct fixture *fixture, char path[static PATH_MAX])
{
	copy_store(fixture, path);
	fixture_close(fixture);
	snprintf(fixture->path, sizeof(fixture->path), "%s", path);
}

static void what_was_acknowledged_is_there_after_a_crash(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref refs[100];
	char path[PATH_MAX];
	uint64_t tail;

	put_jobs(fixture, refs, 100);
	tail = store_tail(fixture->store);
	crash(fixture, path);
	fixture_open(fixture);
	assert_int_equal(count_found(fixture, refs, 100), 100);
	assert_int_equal(store_tail(fixture->store), tail);
}

static void closing_leaves_nothing_in_the_log(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref refs[10];
	char path[PATH_MAX], table[PATH_MAX];
	struct stat stat_log;

	put_jobs(fixture, refs, 10);
	fixture_close(fixture);
	only_file(fixture->path, ".log", path);
	assert_int_equal(stat(path, &stat_log), 0);
	assert_int_equal(stat_log.st_size, 0);
	only_file(fixture->path, ".sst", table);
	fixture_open(fixture);
	assert_int_equal(count_found(fixture, refs, 10), 10);
}

static off_t size_of(const char *path)
{
	struct stat file;

	assert_int_equal(stat(path, &file), 0);
	return file.st_size;
}

static void a_torn_tail_costs_only_what_was_being_written(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref refs[100];
	char path[PATH_MAX], log[PATH_MAX];

	put_jobs(fixture, refs, 100);
	crash(fixture, path);
	only_file(path, ".log", log);
	assert_int_equal(truncate(log, size_of(log) - 7), 0);
	fixture_open(fixture);
	assert_int_equal(count_found(fixture, refs, 100), 99);
}

/* The default recovery would open with the first half and say nothing. */
static void a_log_damaged_in_the_middle_is_refused_with_the_remedy(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref *refs = calloc(N_JOBS, sizeof(*refs));
	char path[PATH_MAX], log[PATH_MAX];
	struct errmsg msg = {""};
	uint8_t bytes[2];
	int fd;

	put_jobs(fixture, refs, N_JOBS);
	crash(fixture, path);
	only_file(path, ".log", log);
	fd = open(log, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, 2, size_of(log) / 2), 2);
	bytes[0] ^= 0xff;
	bytes[1] ^= 0xff;
	assert_int_equal(pwrite(fd, bytes, 2, size_of(log) / 2), 2);
	close(fd);

	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_DAMAGED);
	assert_non_null(strstr(msg.text, path));
	assert_non_null(strstr(msg.text, "Corruption"));
	assert_non_null(strstr(msg.text, "restore the folder from a backup"));
	print_message("%s\n", msg.text);

	bytes[0] ^= 0xff;
	bytes[1] ^= 0xff;
	fd = open(log, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, bytes, 2, size_of(log) / 2), 2);
	close(fd);
	fixture_open(fixture);
	assert_int_equal(count_found(fixture, refs, N_JOBS), N_JOBS);
	free(refs);
}

static void damage_log(const char *path)
{
	char log[PATH_MAX];
	uint8_t bytes[2] = {0xff, 0xff};
	int fd;

	only_file(path, ".log", log);
	fd = open(log, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, 2, size_of(log) / 2), 2);
	close(fd);
}

static void what_comes_before_the_damage_can_be_salvaged(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref *refs = calloc(N_JOBS, sizeof(*refs));
	struct store_salvaged salvaged;
	struct errmsg msg = {""};
	char path[PATH_MAX];
	size_t found;

	put_jobs(fixture, refs, N_JOBS);
	crash(fixture, path);
	damage_log(path);
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_DAMAGED);
	assert_non_null(strstr(msg.text, "filmgated --salvage"));
	assert_int_equal(store_salvage(path, &salvaged, &msg), 0);
	assert_true(salvaged.was_damaged);
	assert_in_range(salvaged.newest_ms, FIXTURE_NOW + 1, FIXTURE_NOW + N_JOBS);
	fixture_open(fixture);
	found = count_found(fixture, refs, N_JOBS);
	assert_in_range(found, 1, N_JOBS - 1);
	assert_int_equal(salvaged.jobs[JOB_STATE_QUEUED], found);
	assert_int_equal(store_epoch(fixture->store), 2);
	/* All before the first that is gone. */
	assert_int_equal(count_found(fixture, refs, found), found);
	free(refs);
}

static void what_is_whole_is_not_salvaged(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref refs[10];
	struct store_salvaged salvaged;
	struct errmsg msg = {""};

	put_jobs(fixture, refs, 10);
	assert_int_equal(store_salvage(fixture->path, &salvaged, &msg), STORE_E_IN_USE);
	fixture_close(fixture);
	assert_int_equal(store_salvage(fixture->path, &salvaged, &msg), 0);
	assert_false(salvaged.was_damaged);
	fixture_open(fixture);
	assert_int_equal(store_epoch(fixture->store), 1);
	assert_int_equal(count_found(fixture, refs, 10), 10);
}

static void where_no_store_is_nothing_is_made(void **state)
{
	struct fixture *fixture = *state;
	struct store_salvaged salvaged;
	struct errmsg msg = {""};
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/missing", fixture->folder);
	assert_int_equal(store_salvage(path, &salvaged, &msg), STORE_E_NOT_FOUND);
	assert_non_null(strstr(msg.text, path));
	assert_int_not_equal(access(path, F_OK), 0);
}

static void fill_with_noise(uint8_t *body, size_t size)
{
	uint64_t random = 1;

	for (size_t i = 0; i < size; i++, random = random * 6364136223846793005u + 1442695040888963407u)
		body[i] = (uint8_t)(random >> 56);
}

/* A job with a reply of @size bytes that do not compress. */
static int put_heavy_job(struct fixture *fixture, const uint8_t *body, size_t size, struct job_ref *ret)
{
	struct job_view view = make_job(fixture);
	struct store_commit *commit = creation(&view);
	int r;

	store_commit_put_reply(commit, &view.job->ref, 1, 1, bytes_of(NULL, 0), bytes_of(body, size));
	r = commit_now(fixture, commit);
	*ret = view.job->ref;
	job_view_finish(&view);
	return r;
}

/*
 * While a full write buffer is being flushed there are two logs. The copy is made in that moment; with the older log
 * gone, only the list of logs in the manifest can tell that something is missing.
 */
static void a_missing_log_is_refused(void **state)
{
	enum { SIZE = 4 << 20 };
	struct fixture *fixture = *state;
	uint8_t *body = malloc(SIZE);
	char path[PATH_MAX], log[PATH_MAX], hidden[PATH_MAX + 8];
	struct errmsg msg = {""};
	struct job_ref refs[40];
	size_t n = 0;

	fill_with_noise(body, SIZE);
	while (n < 40 && find_files(fixture->path, ".log", log) != 2)
		assert_int_equal(put_heavy_job(fixture, body, SIZE, &refs[n++]), 0);
	crash(fixture, path);
	assert_int_equal(find_files(path, ".log", log), 2);
	snprintf(hidden, sizeof(hidden), "%s.away", log);
	assert_int_equal(rename(log, hidden), 0);
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_DAMAGED);
	assert_non_null(strstr(msg.text, path));
	print_message("%s\n", msg.text);

	assert_int_equal(rename(hidden, log), 0);
	fixture_open(fixture);
	assert_int_equal(count_found(fixture, refs, n), n);
	free(body);
}

static void a_missing_table_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char table[PATH_MAX];
	struct errmsg msg = {""};
	struct job_view view = put_job(fixture);

	fixture_close(fixture);
	only_file(fixture->path, ".sst", table);
	assert_int_equal(unlink(table), 0);
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_DAMAGED);
	assert_non_null(strstr(msg.text, fixture->path));
	job_view_finish(&view);
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Whether the damage shows at the opening or at a read: it is called damage, and nobody is sent to look at rights. */
static void a_bit_that_flipped_in_a_table_is_damage(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref refs[200];
	char table[PATH_MAX];
	size_t n_refused = 0, n_unread = 0;

	put_jobs(fixture, refs, 200);
	fixture_close(fixture);
	only_file(fixture->path, ".sst", table);
	for (int i = 0; i < 16; i++) {
		off_t at = size_of(table) / 16 * i + 40;
		struct errmsg msg = {""};
		struct answer answer;
		int outcome;

		flip(table, at);
		outcome = fixture_try(fixture, &msg);
		if (outcome) {
			assert_int_equal(outcome, STORE_E_DAMAGED);
			assert_non_null(strstr(msg.text, ".sst"));
			assert_non_null(strstr(msg.text, "restore the folder from a backup"));
			n_refused++;
		} else {
			for (size_t k = 0; k < 200; k++) {
				get_job(fixture, &refs[k], &answer);
				assert_true(answer.outcome == 0 || answer.outcome == -EBADMSG);
				n_unread += answer.outcome != 0;
				free_answer(&answer);
			}
			fixture_close(fixture);
		}
		flip(table, at);
	}
	assert_true(n_refused > 0);
	assert_true(n_unread > 0);
	fixture_open(fixture);
}

/* Writes one record below the store, as a later version or an accident would have left it. */
static void write_below(struct fixture *fixture, enum key_letter letter, const struct buffer *record)
{
	char records[PATH_MAX + 64];
	struct backend *backend;
	struct backend_batch *batch = backend_batch_new();
	struct errmsg msg;
	struct key key;

	snprintf(records, sizeof(records), "%s/records", fixture->path);
	assert_int_equal(backend_open(records, BACKEND_WHOLE, &backend, &msg), 0);
	key_tenant(&key, letter, 0);
	if (record)
		backend_batch_put(batch, key_bytes(&key), buffer_bytes(record));
	else
		backend_batch_delete(batch, key_bytes(&key));
	assert_int_equal(backend_write(backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
	backend_close(backend);
}

static void a_newer_format_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct record_meta meta = {.format = STORE_FORMAT + 1, .epoch = 1};
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct errmsg msg = {""};

	fixture_close(fixture);
	assert_int_equal(record_write_meta(&record, &meta), 0);
	write_below(fixture, KEY_META, &record);
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_NEWER_FORMAT);
	assert_non_null(strstr(msg.text, fixture->path));
	assert_non_null(strstr(msg.text, "later version"));

	record.data[0] = RECORD_VERSION + 1;
	write_below(fixture, KEY_META, &record);
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_NEWER_FORMAT);

	record.len = 0;
	meta.format = STORE_FORMAT;
	assert_int_equal(record_write_meta(&record, &meta), 0);
	write_below(fixture, KEY_META, &record);
	fixture_open(fixture);
}

static void write_newer_state(struct fixture *fixture, const struct job_view *view)
{
	char records[PATH_MAX + 64];
	struct backend *backend;
	struct backend_batch *batch = backend_batch_new();
	struct errmsg msg;
	struct key key;

	fixture_close(fixture);
	snprintf(records, sizeof(records), "%s/records", fixture->path);
	assert_int_equal(backend_open(records, BACKEND_WHOLE, &backend, &msg), 0);
	key_job_part(&key, &view->job->ref, KEY_PART_STATE);
	backend_batch_put(batch, key_bytes(&key), bytes_of("\x02\x08\x01", 3));
	assert_int_equal(backend_write(backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
	backend_close(backend);
	fixture_open(fixture);
}

static void a_job_of_a_newer_format_is_refused_when_it_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	struct answer answer;

	write_newer_state(fixture, &view);
	get_job(fixture, &view.job->ref, &answer);
	assert_int_equal(answer.outcome, STORE_E_NEWER_FORMAT);
	free_answer(&answer);
	list_jobs(fixture, &(struct store_list_query){.tenant = JOB_TENANT_DEFAULT}, &answer);
	assert_int_equal(answer.outcome, STORE_E_NEWER_FORMAT);
	free_answer(&answer);
	assert_true(commit_now(fixture, revision(fixture, &view, NULL, NULL)) < 0);
	job_view_finish(&view);
}

static int take_none(void *userdata, struct job_view *take)
{
	(void)userdata;
	job_view_finish(take);
	return 0;
}

static void an_open_job_of_a_newer_format_keeps_the_store_from_its_start(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	char log[1024], name[ID_TEXT_SIZE];

	move(fixture, &view, JOB_STATE_RUNNING);
	write_newer_state(fixture, &view);
	id_format(&view.job->ref.id, name);
	capture_start();
	assert_int_equal(store_load_active(fixture->store, take_none, NULL), STORE_E_NEWER_FORMAT);
	capture_end(log, sizeof(log));
	assert_non_null(strstr(log, name));
	assert_non_null(strstr(log, "a later version"));
	job_view_finish(&view);
}

static void records_without_a_format_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct store_salvaged salvaged;
	struct job_view view = put_job(fixture);
	struct errmsg msg = {""};

	fixture_close(fixture);
	write_below(fixture, KEY_META, NULL);
	assert_int_equal(fixture_refuse(fixture, &msg), STORE_E_DAMAGED);
	assert_non_null(strstr(msg.text, fixture->path));
	assert_int_equal(store_salvage(fixture->path, &salvaged, &msg), STORE_E_DAMAGED);
	assert_non_null(strstr(msg.text, "only a backup helps"));
	job_view_finish(&view);
}

static void a_new_store_says_its_format_and_its_first_epoch(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	char records[PATH_MAX + 64];
	struct backend *backend;
	struct record_meta meta;
	struct errmsg msg;
	struct key key;

	fixture_close(fixture);
	snprintf(records, sizeof(records), "%s/records", fixture->path);
	assert_int_equal(backend_open(records, BACKEND_WHOLE, &backend, &msg), 0);
	key_tenant(&key, KEY_META, 0);
	assert_int_equal(backend_get(backend, key_bytes(&key), &value), 0);
	assert_int_equal(record_read_meta(value.bytes, &meta), 0);
	assert_int_equal(meta.format, STORE_FORMAT);
	assert_int_equal(meta.epoch, 1);
	assert_int_equal(meta.created_ms, FIXTURE_NOW);
	backend_value_finish(&value);
	backend_close(backend);
}

/* A cursor of one store means nothing to another. */
static void a_store_keeps_its_history_and_a_new_one_has_another(void **state)
{
	struct fixture *fixture = *state;
	uint64_t history = store_history(fixture->store);

	fixture_reopen(fixture);
	assert_true(store_history(fixture->store) == history);
	fixture_close(fixture);
	fixture->now_ms++;
	snprintf(fixture->path, sizeof(fixture->path), "%s/second", fixture->folder);
	fixture_open(fixture);
	assert_true(store_history(fixture->store) != history);
}

static void a_second_daemon_is_told_who_holds_the_store(void **state)
{
	struct fixture *fixture = *state, second = *fixture;
	struct errmsg msg = {""};
	char pid[32];

	second.store = NULL;
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_int_equal(fixture_refuse(&second, &msg), STORE_E_IN_USE);
	assert_non_null(strstr(msg.text, fixture->path));
	assert_non_null(strstr(msg.text, pid));
	fixture_reopen(fixture);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
	struct fixture *fixture = *state, other = *fixture;
	struct errmsg msg = {""};
	int fd;

	other.store = NULL;
	snprintf(other.path, sizeof(other.path), "%s/missing/store", fixture->folder);
	assert_int_equal(fixture_refuse(&other, &msg), -ENOENT);
	assert_non_null(strstr(msg.text, other.path));
	snprintf(other.path, sizeof(other.path), "%s/file", fixture->folder);
	fd = open(other.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fixture_refuse(&other, &msg), -ENOTDIR);
	assert_non_null(strstr(msg.text, other.path));
}

static void only_the_owner_may_enter_the_folder(void **state)
{
	struct fixture *fixture = *state;
	struct stat folder;

	assert_int_equal(stat(fixture->path, &folder), 0);
	assert_int_equal(folder.st_mode & 07777, 0700);
}

static bool can_mount;

static void fill(const char *path)
{
	static char block[4096];
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0 || write(fd, block, 1) > 0)
		;
	close(fd);
}

/* Puts the store on a disk of its own, at FOLDER/disk. False when that is not permitted. */
static bool move_to_disk(struct fixture *fixture, const char *options, char disk[static PATH_MAX + 32])
{
	if (!can_mount) {
		print_message("skipped: no permission to mount a small file system\n");
		return false;
	}
	fixture_close(fixture);
	snprintf(disk, PATH_MAX + 32, "%s/disk", fixture->folder);
	snprintf(fixture->path, sizeof(fixture->path), "%s/disk/store", fixture->folder);
	assert_int_equal(mkdir(disk, 0700), 0);
	assert_int_equal(mount("none", disk, "tmpfs", 0, options), 0);
	return true;
}

static void a_full_disk_is_told_at_opening_and_at_a_commit(void **state)
{
	struct fixture *fixture = *state;
	char disk[PATH_MAX + 32], filler[PATH_MAX + 64];
	struct errmsg msg = {""};
	struct job_view view;
	char *body;
	struct store_commit *commit;
	struct ticket ticket;

	if (!move_to_disk(fixture, "size=4m", disk))
		skip();
	snprintf(filler, sizeof(filler), "%s/filler", disk);
	fill(filler);
	assert_int_equal(fixture_refuse(fixture, &msg), -ENOSPC);
	assert_non_null(strstr(msg.text, fixture->path));
	print_message("%s\n", msg.text);

	assert_int_equal(unlink(filler), 0);
	fixture_open(fixture);
	fill(filler);
	view = make_job(fixture);
	commit = creation(&view);
	body = calloc(1, 1 << 20);
	store_commit_put_reply(commit, &view.job->ref, 1, 1, bytes_of(NULL, 0), bytes_of(body, 1 << 20));
	submit(&ticket, fixture, commit);
	await_trouble(fixture, 1);
	store_explain_trouble(fixture->store, &msg);
	assert_non_null(strstr(msg.text, fixture->path));
	assert_non_null(strstr(msg.text, "No space left"));
	assert_int_equal(unlink(filler), 0);
	assert_int_equal(await(&ticket), STORE_E_UNHEALTHY);
	finish(&ticket);
	await_health(fixture, true);
	assert_int_equal(count_found(fixture, &view.job->ref, 1), 0);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	fixture_close(fixture);
	assert_int_equal(umount(disk), 0);
	free(body);
	job_view_finish(&view);
}

/* False: the store is in trouble, and the ticket is open. */
static bool is_heavy_job_put(struct fixture *fixture, const uint8_t *body, size_t size, struct job_ref *ret,
			     struct ticket *ticket)
{
	struct job_view view = make_job(fixture);
	struct store_commit *commit = creation(&view);
	bool is_put;

	store_commit_put_reply(commit, &view.job->ref, 1, 1, bytes_of(NULL, 0), bytes_of(body, size));
	submit(ticket, fixture, commit);
	*ret = view.job->ref;
	job_view_finish(&view);
	pthread_mutex_lock(&fixture->mutex);
	while (!ticket->commit && fixture->n_troubles == 0)
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	is_put = ticket->commit != NULL;
	pthread_mutex_unlock(&fixture->mutex);
	if (!is_put)
		return false;
	assert_int_equal(store_commit_outcome(ticket->commit), 0);
	finish(ticket);
	return true;
}

/* The write buffer is full before the disk is, so a flush is under way when the room ends. */
static void a_disk_that_fills_up_during_a_flush_loses_nothing(void **state)
{
	enum { SIZE = 1 << 20 };
	struct fixture *fixture = *state;
	struct job_ref refs[256];
	char disk[PATH_MAX + 32];
	uint8_t *body;
	struct ticket ticket;
	size_t n = 0;
	int r;

	if (!move_to_disk(fixture, "size=100m", disk))
		skip();
	body = malloc(SIZE);
	fill_with_noise(body, SIZE);
	fixture_open(fixture);
	while (n < 256 && is_heavy_job_put(fixture, body, SIZE, &refs[n], &ticket))
		n++;
	assert_in_range(n, 50, 255);
	assert_false(store_is_healthy(fixture->store));
	assert_int_equal(count_found(fixture, refs, n), n);
	assert_int_equal(mount("none", disk, "tmpfs", MS_REMOUNT, "size=400m"), 0);
	r = await(&ticket);
	finish(&ticket);
	assert_true(r == 0 || r == STORE_E_UNHEALTHY);
	await_health(fixture, true);
	assert_int_equal(count_found(fixture, refs, n), n);
	assert_int_equal(count_found(fixture, &refs[n], 1), r == 0);
	fixture_reopen(fixture);
	assert_int_equal(count_found(fixture, refs, n), n);
	fixture_close(fixture);
	assert_int_equal(umount(disk), 0);
	free(body);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(what_was_acknowledged_is_there_after_a_crash),
		STORE_TEST(closing_leaves_nothing_in_the_log),
		STORE_TEST(a_torn_tail_costs_only_what_was_being_written),
		STORE_TEST(a_log_damaged_in_the_middle_is_refused_with_the_remedy),
		STORE_TEST(what_comes_before_the_damage_can_be_salvaged),
		STORE_TEST(what_is_whole_is_not_salvaged),
		STORE_TEST(where_no_store_is_nothing_is_made),
		STORE_TEST(a_missing_log_is_refused),
		STORE_TEST(a_missing_table_is_refused),
		STORE_TEST(a_bit_that_flipped_in_a_table_is_damage),
		STORE_TEST(a_newer_format_is_refused),
		STORE_TEST(a_job_of_a_newer_format_is_refused_when_it_is_read),
		STORE_TEST(an_open_job_of_a_newer_format_keeps_the_store_from_its_start),
		STORE_TEST(records_without_a_format_are_refused),
		STORE_TEST(a_new_store_says_its_format_and_its_first_epoch),
		STORE_TEST(a_store_keeps_its_history_and_a_new_one_has_another),
		STORE_TEST(a_second_daemon_is_told_who_holds_the_store),
		STORE_TEST(a_folder_that_cannot_be_made_is_named),
		STORE_TEST(only_the_owner_may_enter_the_folder),
		STORE_TEST(a_full_disk_is_told_at_opening_and_at_a_commit),
		STORE_TEST(a_disk_that_fills_up_during_a_flush_loses_nothing),
	};

	/* Mounts stay in a name space of this process. */
	can_mount = (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
