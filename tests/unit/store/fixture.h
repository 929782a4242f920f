/*
 * A store in a folder of its own, and its asynchronous calls made synchronous.
 *
 * hold() keeps the committer inside on_batch, so that what is submitted meanwhile becomes one batch.
 */
#ifndef FG_TESTS_UNIT_STORE_FIXTURE_H
#define FG_TESTS_UNIT_STORE_FIXTURE_H

#include "base/err.h"
#include "store/store.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FIXTURE_NOW 1700000000000

struct fixture {
	char folder[PATH_MAX];
	char path[PATH_MAX + 32]; /* of the store, in the folder */
	struct store *store;
	struct clock clock;
	_Atomic int64_t now_ms; /* the committer looks at it, too */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_held;
	bool must_exist; /* as in struct store_config */
	size_t n_batches, largest_batch;
	uint64_t floor_bytes; /* for the next opening */
	size_t n_troubles, n_changes;
};

/* cmocka's setup and teardown; *state is a struct fixture with an open store. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_remove(const char *path); /* with all that is in it */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);
/* Opens what must not open: the outcome, with the words in @msg. */
int fixture_refuse(struct fixture *fixture, struct errmsg *msg);
/* Opens what may open or not: the outcome, with the words in @msg. */
int fixture_try(struct fixture *fixture, struct errmsg *msg);

/* A commit under way; submit() hands it over, await() returns its outcome. */
struct ticket {
	struct fixture *fixture;
	struct store_commit *commit; /* once it has been reported */
};
void submit(struct ticket *ticket, struct fixture *fixture, struct store_commit *commit);
int await(struct ticket *ticket);
void finish(struct ticket *ticket);
/* All three. */
int commit_now(struct fixture *fixture, struct store_commit *commit);
/* Until the store has told that it cannot write; and until it can. */
void await_trouble(struct fixture *fixture, size_t n);
void await_health(struct fixture *fixture, bool is_healthy);
void hold(struct fixture *fixture);
void release(struct fixture *fixture);

/* A QUEUED job at revision 1 that is on no disk yet; ages in the order in which they are made. */
struct job_view make_job(struct fixture *fixture);
/* Its acceptance: expects that it is absent, claims its request id, puts everything with an event. */
struct store_commit *creation(const struct job_view *view);
struct job_view put_job(struct fixture *fixture); /* make_job() and creation() committed */
/* The next revision of a job, prepared by @change, as a commit with its event. NULL @change: as it is. */
typedef void change_fn(struct job_status *status, void *userdata);
struct store_commit *revision(struct fixture *fixture, struct job_view *view, change_fn *change, void *userdata);
void move(struct fixture *fixture, struct job_view *view, enum job_state to); /* committed */
struct store_commit *deletion(struct fixture *fixture, struct job_view *view);

/* What a read answered. free_answer() when done. */
struct answer {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there;
	int outcome;
	struct job_view view, *views;
	struct store_event *events;
	struct store_queued *queued;
	size_t n;
	struct id scanned_to;
	bool flag; /* more, or referenced */
	struct store_request request;
	uint64_t tail;
	int64_t next_wake_ms;
	char *meta, *body;
	size_t body_len;
};
void get_job(struct fixture *fixture, const struct job_ref *ref, struct answer *answer);
void list_jobs(struct fixture *fixture, const struct store_list_query *query, struct answer *answer);
void events_of_job(struct fixture *fixture, const struct job_ref *ref, uint64_t after, struct answer *answer);
void events_since(struct fixture *fixture, uint32_t tenant, uint64_t after, uint32_t limit, struct answer *answer);
void scan_queue(struct fixture *fixture, const char *provider, int64_t now_ms, uint32_t limit, struct answer *answer);
void scan_deadlines(struct fixture *fixture, int64_t now_ms, uint32_t limit, struct answer *answer);
void get_reply(struct fixture *fixture, const struct job_ref *ref, uint32_t attempt, uint32_t send,
	       struct answer *answer);
void get_request(struct fixture *fixture, uint32_t tenant, const char *request_id, struct answer *answer);
bool is_referenced(struct fixture *fixture, const struct digest *sha256);
void free_answer(struct answer *answer);

void assert_same_status(const struct job_status *a, const struct job_status *b);
void assert_same_job(const struct job *a, const struct job *b);

/* Whole files, and a copy of the store's folder at "FOLDER/copy", as a crash would leave it. */
void copy_store(struct fixture *fixture, char path[static PATH_MAX]);
/* How many files in PATH/records end so, and the first of them by name. */
size_t find_files(const char *path, const char *ending, char file[static PATH_MAX]);
/* The same, and it fails the test when there is not exactly one. */
void only_file(const char *path, const char *ending, char file[static PATH_MAX]);

#endif
