/*
 * The engine room on a bench. Below it the real job/, store/, artifact/ and loop/, in a folder of their own; beside it
 * a provider, a plugin and a clock that do as the test says (fake_http.h, fake_plugin.h).
 *
 * Time stands still unless a test moves it. Whenever a function of this rig returns, everything has been done that the
 * engine can do without more time or an answer from outside. So a test is a story, and "nothing was sent" can be told:
 *
 *     struct job_ref job = order(rig);
 *
 *     lose_reply(rig);
 *     sleep_over(rig, &job);
 *     reply(rig, 201, "accepted id=v1");
 *     assert_state(rig, &job, JOB_STATE_RUNNING);
 *
 * What a reply means is written in it: the fake plugin obeys the words of the body.
 */
#ifndef FG_TESTS_UNIT_ENGINE_RIG_H
#define FG_TESTS_UNIT_ENGINE_RIG_H

#include "engine/fake_http.h"
#include "engine/fake_plugin.h"
#include "engine/internal.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define RIG_NOW_MS INT64_C(1795000000000)
#define RIG_HOUR_MS INT64_C(3600000)
#define RIG_PROVIDERS 2 /* "maker", whose keys make a repeat safe for a day, and "plain", which knows no keys */

struct answer;

struct rig {
	char folder[PATH_MAX];
	unsigned int images; /* of the store, taken so far */
	struct engine_provider_config providers[RIG_PROVIDERS];
	struct engine_config config;
	char store_path[PATH_MAX + 32];
	struct artifact_store *artifacts;
	struct http http;
	struct plugin plugins[RIG_PROVIDERS];
	struct plugin_runner runner;
	struct plugin_runner checkers[RIG_PROVIDERS]; /* for a test that gives them to the providers */
	struct engine *engine;
	struct answer *answers; /* all that were asked for; freed at the end */
	struct {
		pthread_t thread;
		pthread_mutex_t mutex;
		pthread_cond_t changed;
		int64_t limit_ms;
		bool is_under_way, has_stopped, may_free;
	} stop;
};

/* cmocka's setup and teardown; *state is a struct rig with an engine that serves. */
int rig_setup(void **state);
int rig_teardown(void **state);
#define story(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/*
 * A crash: the next start finds what was on disk when rig_photograph() was called, or else now; what the engine that
 * is left behind still does reaches nobody. Between crash and start, rig->config and rig->providers may change.
 */
void crash_and_restart(struct rig *rig);
void rig_crash(struct rig *rig);
void rig_start(struct rig *rig);
/* Once per crash. [any-thread] */
void rig_photograph(struct rig *rig);
/* Where the content of an artifact lies. */
void artifact_path(const struct rig *rig, const struct digest *sha256, char path[PATH_MAX]);
/* An engine that is never started. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
/* What engine_new() says of a start that fails. */
int rig_refuse(struct rig *rig, struct errmsg *msg);

/* The graceful end, in two parts: between them the provider may still answer. */
void stop_begin(struct rig *rig, int64_t limit_ms);
void stop_end(struct rig *rig);
/* The halves of these two: for an engine that does not settle, and until engine_stop() has returned. */
void stop_unsettled(struct rig *rig, int64_t limit_ms);
void stop_join(struct rig *rig);
/* Returns when the engine, which is draining, has looked @times whether it may end, and decided to wait. */
void await_drain_turns(struct rig *rig, unsigned int times);

/* Returns when the engine has nothing more to do. */
void settle(struct rig *rig);
/* Returns when @is_over, which is asked again and again on the engine's thread, says so: for what never settles. */
void await_engine(struct rig *rig, bool (*is_over)(struct rig *rig, void *userdata), void *userdata);
bool is_due(const struct loop_timer *timer);

/* ---- time: clock.c ---- */

int64_t now_ms(void);
void pass(struct rig *rig, int64_t ms);
void pass_unsettled(struct rig *rig, int64_t ms); /* returns when the timers have been told */
void pass_until(struct rig *rig, int64_t utc_ms);
/* The clock on the wall jumps; what is measured within the run does not. */
void set_back(int64_t ms);
/* Lets the job's own timer fire; returns how long it slept. The test fails when it has none. */
int64_t sleep_over(struct rig *rig, const struct job_ref *job);
bool is_asleep(struct rig *rig, const struct job_ref *job);
/* How long until the engine looks for a delayed job by itself. */
int64_t queue_wakes_in(struct rig *rig, const char *provider);
void clock_reset(void);
void clock_flow(void); /* for an end: from here on time passes */
void clock_freeze(void);
void clock_jump(int64_t ms);
extern const struct clock rig_clock;

/* ---- faults: faults.c ---- */

void faults_reset(void);

/* From here on every write of the store fails, until mend_disk() or the next start. */
void break_disk(struct rig *rig);
/* Comes back when the store has found out, and nothing waits for it any more. */
void mend_disk(struct rig *rig);
/* What is free there; comes back when the store has seen it. */
void set_room_of_store(struct rig *rig, uint64_t bytes);
/* Writes of the store wait for release_disk(), from the same thread. */
void hold_disk(struct rig *rig);
void release_disk(void);
/* Reads of the store answer no more until release_readers(). */
void hold_readers(struct rig *rig);
void release_readers(struct rig *rig);
/* From here on the store answers this, and nonsense, for each reply that it kept; until the next start. */
void spoil_replies(int outcome);
/* From here on the store answers this for each job that is read, 0: the job; until the next start. */
void spoil_jobs(int outcome);

/* A start that fails: its thread @thread is refused, or the sweep or the load of active jobs answers that. Until it is
 * called again with zeros. */
void spoil_start(const char *thread, int sweep, int load);

/* What artifact/ keeps free on the disk for the engine. */
uint64_t room_kept_free(void);
/* Where the photograph is kept that the next crash restarts from. */
void image_path(const struct rig *rig, char path[static PATH_MAX + 32]);

/* ---- asking: ask.c ---- */

/* Valid until the end of the test. */
struct answer {
	struct answer *next;
	bool is_there;
	unsigned int times;
	int outcome;
	char text[512];
	char field[128]; /* of the first violation */
	size_t n_violations;
	struct job_view view;
	bool is_replay;
	char report[256];
	int fd;
	struct engine_provider provider; /* the numbers; texts are "problem" alone */
	char problem[256];
	size_t n;
};

#define LABEL(name, text)                                      \
	{                                                      \
		.key = (char *)(name), .value = (char *)(text) \
	}

/* A job of "maker" that was accepted; the engine has begun it if it may. */
struct job_ref order(struct rig *rig);
struct job_ref order_with(struct rig *rig, const struct engine_create *create);
/* An order that is whole but for what @create adds: provider, model and parameters are filled in. */
struct answer *create(struct rig *rig, const struct engine_create *create);
struct answer *create_unsettled(struct rig *rig, const struct engine_create *create); /* for await_answer() */
/* A job made of what "maker" lists. */
struct job_ref adopt_listed(struct rig *rig, const char *remote_id);
struct answer *retry(struct rig *rig, const struct job_ref *job, const char *request_id);
struct answer *cancel(struct rig *rig, const struct job_ref *job);
struct answer *resolve(struct rig *rig, const struct engine_resolve *resolve);
struct answer *resolve_unsettled(struct rig *rig, const struct engine_resolve *resolve);
/* Asks while the engine does not settle; for await_answer(). */
struct answer *cancel_unsettled(struct rig *rig, const struct job_ref *job);
struct answer *resume(struct rig *rig, const struct job_ref *job);
struct answer *update(struct rig *rig, const struct engine_update *update);
struct answer *delete_job(struct rig *rig, const struct job_ref *job, enum engine_delete how);
struct answer *get(struct rig *rig, const struct job_ref *job);
struct answer *open_artifact(struct rig *rig, const struct job_ref *job, uint32_t index);
struct answer *provider(struct rig *rig, const char *id);
struct answer *check_provider(struct rig *rig, const char *id);
struct answer *check_unsettled(struct rig *rig, const char *id); /* for await_answer() */
struct answer *new_answer(struct rig *rig);
void await_answer(struct answer *answer);

/* The job as the wire would show it. Fails the test when there is none. */
const struct job_status *look(struct rig *rig, const struct job_ref *job);
/* Its states, one word each: "queued preparing starting running". */
const char *history(struct rig *rig, const struct job_ref *job);
const struct job_send *last_send(const struct job_status *status);

void assert_state(struct rig *rig, const struct job_ref *job, enum job_state state);
void assert_failed(struct rig *rig, const struct job_ref *job, enum job_reason reason, enum job_purchase purchase);
void assert_answer(const struct answer *answer, int outcome);

/* ---- the provider's side of a story ---- */

/* The one request that waits for an answer; fails the test when there is none or another. */
struct request *the_request(struct rig *rig);
/* The one of this job. */
struct request *request_of(struct rig *rig, const struct job_ref *job);
size_t open_requests(struct rig *rig);
/* Requests so far that may buy. */
size_t purchases(struct rig *rig);

/* Each answers the_request() and settles. */
void reply(struct rig *rig, int status, const char *words);
void reply_to(struct rig *rig, const struct job_ref *job, int status, const char *words); /* answers request_of() */
void reply_later(struct rig *rig, int status, int64_t retry_after_s, const char *words);
void lose_reply(struct rig *rig);        /* it may have left, and no reply came */
void refuse_to_connect(struct rig *rig); /* it did not leave */
void answer_request(struct rig *rig, struct request *request, const struct said *said);

/* Brings a new job as far as that. */
struct job_ref running_job(struct rig *rig);
/* STORING: its download, of "https://maker.test/file/1", is the_request(). */
struct job_ref storing_job(struct rig *rig);
struct job_ref succeeded_job(struct rig *rig);
struct job_ref uncertain_job(struct rig *rig);

/* What the store has of the last reply to a paid request; NULL: nothing. The caller's to free. [any-thread] */
char *stored_reply(struct rig *rig, const struct job_ref *job);

/* A small video: ftyp, moov, mdat. Valid for ever. */
struct bytes a_video(void);
/* The whole file, in answer to the_request(). */
void deliver(struct rig *rig, struct bytes file);

#endif
