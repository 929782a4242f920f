/*
 * A disk that breaks and recovers under an open store: every sync fails, after the bytes were written (and are there) or
 * were lost, and the room that it shows is what the test says. What is told afterwards is what is on disk, each change
 * happens once or not at all, and nothing that memory knew of the lost time is believed.
 */
#include "base/limits.h"
#include "store/fixture.h"
#include "store/internal.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

/* ---- the disk ---- */

enum { WHOLE, BROKEN, LOSES, OPENS_NOT };
static atomic_int disk_now;
static _Atomic uint64_t room = UINT64_MAX;

/* How much of which log lasts. By its path, which no other ever has: the number of its inode is given to the next one. */
static struct {
	pthread_mutex_t mutex;
	char path[PATH_MAX];
	int64_t bytes;
} synced = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void find_path(int fd, char path[static PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = '\0';
}

static bool is_below_records(int fd, const char *ending)
{
	char path[PATH_MAX];
	size_t n;

	find_path(fd, path);
	n = strlen(path);
	return strstr(path, "/records") && n > strlen(ending) && strcmp(path + n - strlen(ending), ending) == 0;
}

static int64_t synced_of(int fd)
{
	char path[PATH_MAX];
	int64_t bytes;

	find_path(fd, path);
	pthread_mutex_lock(&synced.mutex);
	bytes = strcmp(path, synced.path) == 0 ? synced.bytes : 0;
	pthread_mutex_unlock(&synced.mutex);
	return bytes;
}

static void note_synced(int fd, int64_t bytes)
{
	pthread_mutex_lock(&synced.mutex);
	find_path(fd, synced.path);
	synced.bytes = bytes;
	pthread_mutex_unlock(&synced.mutex);
}

/* What was not synced is lost, as the kernel may do with a page that could not be written. */
static int sync_file(int fd, long number)
{
	int how = atomic_load(&disk_now);
	bool is_log = is_below_records(fd, ".log");

	if (how == LOSES && is_log && ftruncate(fd, synced_of(fd)) < 0)
		abort();
	if (how == BROKEN || how == LOSES || (how == OPENS_NOT && is_below_records(fd, ""))) {
		errno = EIO;
		return -1;
	}
	if (is_log)
		note_synced(fd, lseek(fd, 0, SEEK_END));
	return (int)syscall(number, fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
	return sync_file(fd, SYS_fsync);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	return sync_file(fd, SYS_fdatasync);
}

__attribute__((visibility("default"))) int statvfs(const char *path, struct statvfs *ret)
{
	uint64_t bytes = atomic_load(&room);

	(void)path;
	*ret = (struct statvfs){.f_frsize = 4096, .f_bavail = bytes / 4096};
	return 0;
}

static void set_disk(int how)
{
	atomic_store(&disk_now, how);
}

/* ---- a batch that is under way when it breaks ---- */

static void break_with(struct fixture *fixture, int how, struct ticket *ticket, struct store_commit *commit)
{
	size_t n = fixture->n_troubles;

	set_disk(how);
	submit(ticket, fixture, commit);
	await_trouble(fixture, n + 1);
	assert_null(ticket->commit);
	assert_false(store_is_healthy(fixture->store));
}

static int mend_and_await(struct fixture *fixture, struct ticket *ticket)
{
	int outcome;

	set_disk(WHOLE);
	outcome = await(ticket);
	await_health(fixture, true);
	return outcome;
}

static uint64_t revision_of(struct fixture *fixture, const struct job_ref *ref)
{
	struct answer answer;
	uint64_t revision;

	get_job(fixture, ref, &answer);
	assert_true(answer.outcome == 0 || answer.outcome == STORE_E_NOT_FOUND);
	revision = answer.outcome == 0 ? answer.view.status->revision : 0;
	free_answer(&answer);
	return revision;
}

static struct store_commit *patient(struct store_commit *commit)
{
	store_commit_be_patient(commit);
	return commit;
}

/* Every revision from 1 on has one event, and their sequences rise. */
static void expect_events(struct fixture *fixture, const struct job_ref *ref, uint64_t last)
{
	struct answer answer;

	events_of_job(fixture, ref, 0, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, last);
	for (size_t i = 0; i < answer.n; i++) {
		assert_int_equal(answer.events[i].revision, i + 1);
		assert_true(i == 0 || answer.events[i].sequence > answer.events[i - 1].sequence);
		assert_true(answer.events[i].sequence <= store_tail(fixture->store));
	}
	free_answer(&answer);
}

static void what_was_written_is_told_although_its_sync_failed(void **state)
{
	struct fixture *fixture = *state;
	struct job_view kept = put_job(fixture), view = make_job(fixture);
	struct ticket ticket;

	break_with(fixture, BROKEN, &ticket, creation(&view));
	/* Reads go on with what was synced before. */
	assert_int_equal(revision_of(fixture, &kept.job->ref), 1);
	assert_int_equal(revision_of(fixture, &view.job->ref), 0);
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	assert_non_null(store_commit_event(ticket.commit));
	finish(&ticket);
	assert_int_equal(revision_of(fixture, &view.job->ref), 1);
	expect_events(fixture, &view.job->ref, 1);
	assert_int_equal(commit_now(fixture, creation(&view)), STORE_E_REQUEST_EXISTS);
	assert_int_equal(commit_now(fixture, revision(fixture, &view, NULL, NULL)), 0);
	expect_events(fixture, &view.job->ref, 2);
	job_view_finish(&kept);
	job_view_finish(&view);
}

static void what_was_lost_is_written_again_or_told_to_be_lost(void **state)
{
	struct fixture *fixture = *state;
	struct job_view kept = put_job(fixture), view = make_job(fixture);
	struct ticket a, b;

	hold(fixture);
	submit(&b, fixture, patient(revision(fixture, &kept, NULL, NULL)));
	set_disk(LOSES);
	submit(&a, fixture, creation(&view));
	release(fixture);
	await_trouble(fixture, 1);
	assert_int_equal(mend_and_await(fixture, &a), STORE_E_UNHEALTHY);
	assert_int_equal(await(&b), 0);
	finish(&a);
	finish(&b);
	assert_int_equal(revision_of(fixture, &view.job->ref), 0);
	expect_events(fixture, &kept.job->ref, 2);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	fixture_reopen(fixture);
	expect_events(fixture, &kept.job->ref, 2);
	assert_int_equal(revision_of(fixture, &view.job->ref), 1);
	job_view_finish(&kept);
	job_view_finish(&view);
}

static void who_comes_meanwhile_waits_or_is_refused_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct job_view kept = put_job(fixture), view = make_job(fixture), late = make_job(fixture);
	struct ticket a, b;
	struct errmsg words;

	break_with(fixture, LOSES, &a, creation(&view));
	submit(&b, fixture, patient(revision(fixture, &kept, NULL, NULL)));
	assert_int_equal(commit_now(fixture, creation(&late)), STORE_E_UNHEALTHY);
	store_explain_trouble(fixture->store, &words);
	assert_non_null(strstr(words.text, fixture->path));
	assert_non_null(strstr(words.text, "repeat the request"));
	assert_null(b.commit);
	assert_int_equal(mend_and_await(fixture, &b), 0);
	assert_int_equal(await(&a), STORE_E_UNHEALTHY);
	finish(&a);
	finish(&b);
	expect_events(fixture, &kept.job->ref, 2);
	job_view_finish(&kept);
	job_view_finish(&view);
	job_view_finish(&late);
}

static void reads_go_on_while_it_cannot_be_opened(void **state)
{
	struct fixture *fixture = *state;
	struct job_view kept = put_job(fixture), view = make_job(fixture);
	struct ticket ticket;

	break_with(fixture, OPENS_NOT, &ticket, patient(creation(&view)));
	assert_int_equal(revision_of(fixture, &kept.job->ref), 1);
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	finish(&ticket);
	expect_events(fixture, &view.job->ref, 1);
	job_view_finish(&kept);
	job_view_finish(&view);
}

/* What is in its place, nothing, is not taken for it. */
static void a_store_that_is_away_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	struct job_view kept = put_job(fixture), view = make_job(fixture);
	char records[PATH_MAX + 64], away[PATH_MAX + 64];
	struct ticket ticket;

	snprintf(records, sizeof(records), "%s/records", fixture->path);
	snprintf(away, sizeof(away), "%s/away", fixture->path);
	break_with(fixture, LOSES, &ticket, patient(creation(&view)));
	assert_int_equal(rename(records, away), 0);
	set_disk(WHOLE);
	assert_int_equal(commit_now(fixture, creation(&kept)), STORE_E_UNHEALTHY);
	usleep(4 * LIMIT_STORE_MEND_BASE_MS * 1000);
	assert_false(store_is_healthy(fixture->store));
	assert_null(ticket.commit);
	/* What opening it made of the empty place, locks for one, goes. */
	fixture_remove(records);
	assert_int_equal(rename(away, records), 0);
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	finish(&ticket);
	assert_int_equal(revision_of(fixture, &kept.job->ref), 1);
	expect_events(fixture, &view.job->ref, 1);
	job_view_finish(&kept);
	job_view_finish(&view);
}

/* ---- what memory knew ---- */

static size_t queued_now(struct fixture *fixture)
{
	struct answer answer;
	size_t n;

	scan_queue(fixture, "heygen", FIXTURE_NOW + 1000000, 10, &answer);
	assert_int_equal(answer.outcome, 0);
	n = answer.n;
	free_answer(&answer);
	return n;
}

/* A scan has looked at the queue, and seen nothing, while the job was in the log alone. */
static void a_job_that_was_written_is_found_in_the_queue(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture);
	struct ticket ticket;

	break_with(fixture, BROKEN, &ticket, creation(&view));
	assert_int_equal(queued_now(fixture), 0);
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	finish(&ticket);
	assert_int_equal(queued_now(fixture), 1);
	job_view_finish(&view);
}

static void a_tenant_whose_first_job_was_lost_is_met_again(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture);
	struct ticket ticket;
	uint64_t tail;

	view.job->ref.tenant = 7;
	break_with(fixture, LOSES, &ticket, patient(creation(&view)));
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	finish(&ticket);
	tail = store_tail(fixture->store);
	fixture_reopen(fixture);
	assert_int_equal(store_tail(fixture->store), tail);
	job_view_finish(&view);
}

static void set_state(struct job_status *status, void *userdata)
{
	status->state = *(enum job_state *)userdata;
}

static struct store_commit *buying(struct fixture *fixture, struct job_view *view)
{
	enum job_state to = JOB_STATE_STARTING;
	struct store_commit *commit = revision(fixture, view, set_state, &to);
	const struct job_index after = store_index_of(view->job, view->status);
	struct ledger_entries entries;

	assert_int_equal(ledger_follow(view->job, view->status, FIXTURE_NOW, &entries), 0);
	assert_int_equal(entries.n, 1);
	assert_int_equal(store_commit_put_status(commit, view->job, &after, view->status), 0);
	assert_int_equal(store_commit_post(commit, &entries.all[0]), 0);
	return patient(commit);
}

static struct job_view put_priced(struct fixture *fixture)
{
	struct job_view view = make_job(fixture);

	view.job->quote.kind = JOB_QUOTE_EXACT;
	view.job->quote.amount_micros = 1500000;
	assert_int_equal(job_set_text(&view.job->quote.currency, "EUR"), 0);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	return view;
}

struct checked {
	struct fixture *fixture;
	bool is_there;
	struct store_ledger_check found;
};

static void on_check(void *userdata, int outcome, const struct store_ledger_check *found)
{
	struct checked *checked = userdata;

	pthread_mutex_lock(&checked->fixture->mutex);
	checked->found = *found;
	if (outcome != 0)
		checked->found.unbalanced = UINT64_MAX;
	checked->is_there = true;
	pthread_cond_broadcast(&checked->fixture->changed);
	pthread_mutex_unlock(&checked->fixture->mutex);
}

static void expect_ledger(struct fixture *fixture, uint64_t entries)
{
	struct checked checked = {.fixture = fixture};

	store_check_ledger(fixture->store, JOB_TENANT_DEFAULT, on_check, &checked);
	pthread_mutex_lock(&fixture->mutex);
	while (!checked.is_there)
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	pthread_mutex_unlock(&fixture->mutex);
	assert_int_equal(checked.found.entries, entries);
	assert_int_equal(checked.found.unbalanced, 0);
	assert_int_equal(checked.found.leaked, 0);
}

static void a_reservation_is_counted_once_whether_it_was_lost_or_written(void **state)
{
	struct fixture *fixture = *state;
	struct job_view first = put_priced(fixture), lost = put_priced(fixture), written = put_priced(fixture);
	struct ticket ticket;

	assert_int_equal(commit_now(fixture, buying(fixture, &first)), 0);
	break_with(fixture, LOSES, &ticket, buying(fixture, &lost));
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	finish(&ticket);
	expect_ledger(fixture, 2);
	break_with(fixture, BROKEN, &ticket, buying(fixture, &written));
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	finish(&ticket);
	expect_ledger(fixture, 3);
	fixture_reopen(fixture);
	expect_ledger(fixture, 3);
	job_view_finish(&first);
	job_view_finish(&lost);
	job_view_finish(&written);
}

/* ---- the end, and the room ---- */

static void a_store_is_closed_although_it_cannot_write(void **state)
{
	struct fixture *fixture = *state;
	struct job_view kept = put_job(fixture), view = make_job(fixture);
	struct ticket a, b;

	break_with(fixture, LOSES, &a, patient(creation(&view)));
	submit(&b, fixture, patient(revision(fixture, &kept, NULL, NULL)));
	fixture_close(fixture);
	assert_int_equal(await(&a), -EIO);
	assert_int_equal(await(&b), STORE_E_UNHEALTHY);
	finish(&a);
	finish(&b);
	set_disk(WHOLE);
	fixture_open(fixture);
	assert_int_equal(revision_of(fixture, &kept.job->ref), 1);
	assert_int_equal(revision_of(fixture, &view.job->ref), 0);
	job_view_finish(&kept);
	job_view_finish(&view);
}

/* One that can be mended at that moment has stored everything before it is closed. */
static void what_waits_is_stored_when_the_disk_recovers_before_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture);
	struct ticket ticket;

	break_with(fixture, LOSES, &ticket, patient(creation(&view)));
	set_disk(WHOLE);
	fixture_close(fixture);
	assert_int_equal(await(&ticket), 0);
	finish(&ticket);
	fixture_open(fixture);
	assert_int_equal(revision_of(fixture, &view.job->ref), 1);
	job_view_finish(&view);
}

static void await_short(struct fixture *fixture, bool is_short)
{
	pthread_mutex_lock(&fixture->mutex);
	while (store_is_short(fixture->store) != is_short)
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	pthread_mutex_unlock(&fixture->mutex);
}

static void what_is_left_of_the_disk_is_kept_for_those_who_have_begun(void **state)
{
	const uint64_t floor = 64 << 20;
	struct fixture *fixture = *state;
	struct errmsg words;
	struct job_view view;

	fixture_close(fixture);
	fixture->floor_bytes = floor;
	atomic_store(&room, floor - 4096);
	fixture_open(fixture);
	assert_true(store_is_short(fixture->store));
	store_explain_trouble(fixture->store, &words);
	assert_non_null(strstr(words.text, "63 MiB left"));
	assert_non_null(strstr(words.text, fixture->path));
	/* Those are not refused. */
	view = put_job(fixture);

	/* A little more is not enough: it would be short again with the next job. */
	atomic_store(&room, floor + floor / LIMIT_STORE_FLOOR_MORE - 4096);
	usleep(2 * LIMIT_STORE_LOOK_MS * 1000);
	assert_true(store_is_short(fixture->store));
	atomic_store(&room, floor + floor / LIMIT_STORE_FLOOR_MORE);
	await_short(fixture, false);
	atomic_store(&room, floor);
	usleep(2 * LIMIT_STORE_LOOK_MS * 1000);
	assert_false(store_is_short(fixture->store));
	atomic_store(&room, floor - 4096);
	await_short(fixture, true);
	atomic_store(&room, UINT64_MAX);
	await_short(fixture, false);
	job_view_finish(&view);
}

/* It would fill what is left, and be closed for reading, too. */
static void a_store_that_failed_is_not_opened_again_without_room(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture);
	struct ticket ticket;

	fixture_close(fixture);
	fixture->floor_bytes = 64 << 20;
	fixture_open(fixture);
	break_with(fixture, LOSES, &ticket, patient(creation(&view)));
	atomic_store(&room, 63 << 20);
	set_disk(WHOLE);
	usleep(4 * LIMIT_STORE_MEND_BASE_MS * 1000);
	assert_null(ticket.commit);
	assert_false(store_is_healthy(fixture->store));
	atomic_store(&room, UINT64_MAX);
	assert_int_equal(mend_and_await(fixture, &ticket), 0);
	finish(&ticket);
	job_view_finish(&view);
}

static int setup(void **state)
{
	set_disk(WHOLE);
	atomic_store(&room, UINT64_MAX);
	return fixture_setup(state);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(what_was_written_is_told_although_its_sync_failed),
		STORE_TEST(what_was_lost_is_written_again_or_told_to_be_lost),
		STORE_TEST(who_comes_meanwhile_waits_or_is_refused_at_once),
		STORE_TEST(reads_go_on_while_it_cannot_be_opened),
		STORE_TEST(a_store_that_is_away_is_waited_for),
		STORE_TEST(a_job_that_was_written_is_found_in_the_queue),
		STORE_TEST(a_tenant_whose_first_job_was_lost_is_met_again),
		STORE_TEST(a_reservation_is_counted_once_whether_it_was_lost_or_written),
		STORE_TEST(a_store_is_closed_although_it_cannot_write),
		STORE_TEST(what_waits_is_stored_when_the_disk_recovers_before_the_end),
		STORE_TEST(what_is_left_of_the_disk_is_kept_for_those_who_have_begun),
		STORE_TEST(a_store_that_failed_is_not_opened_again_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
