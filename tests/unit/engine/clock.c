/*
 * Time as the test wants it, for struct clock and for the loop's timers alike: the linker sends the loop's calls of
 * uv_hrtime() here.
 */
#include "engine/rig.h"

#include <stdatomic.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define BEGIN_NS INT64_C(1000000000)

static struct {
	atomic_int_fast64_t now_ns;      /* while time stands still */
	atomic_int_fast64_t since_ns;    /* of the real clock, since when time passes; 0: it stands still */
	atomic_int_fast64_t utc_at_zero; /* UTC in ms when now_ns was 0 */
} clock_state;

uint64_t __wrap_uv_hrtime(void);

static int64_t real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

uint64_t __wrap_uv_hrtime(void)
{
	int64_t since_ns = atomic_load(&clock_state.since_ns);

	return (uint64_t)(atomic_load(&clock_state.now_ns) + (since_ns ? real_ns() - since_ns : 0));
}

static int64_t monotonic_ms(void *userdata)
{
	(void)userdata;
	return (int64_t)__wrap_uv_hrtime() / NS_PER_MS;
}

static int64_t utc_ms(void *userdata)
{
	return atomic_load(&clock_state.utc_at_zero) + monotonic_ms(userdata);
}

const struct clock rig_clock = {.utc_ms = utc_ms, .monotonic_ms = monotonic_ms};

int64_t now_ms(void)
{
	return utc_ms(NULL);
}

void clock_reset(void)
{
	atomic_store(&clock_state.now_ns, BEGIN_NS);
	atomic_store(&clock_state.since_ns, 0);
	atomic_store(&clock_state.utc_at_zero, RIG_NOW_MS - BEGIN_NS / NS_PER_MS);
}

void clock_flow(void)
{
	atomic_store(&clock_state.since_ns, real_ns());
}

void clock_freeze(void)
{
	int64_t ms = monotonic_ms(NULL) + 1;

	atomic_store(&clock_state.since_ns, 0);
	atomic_store(&clock_state.now_ns, ms * NS_PER_MS);
}

void clock_jump(int64_t ms)
{
	atomic_fetch_add(&clock_state.now_ns, ms * NS_PER_MS);
}

void set_back(int64_t ms)
{
	atomic_fetch_sub(&clock_state.utc_at_zero, ms);
}

/* ---- what the engine's timers make of it ---- */

/* Something to do on the engine's thread. */
struct errand {
	struct loop_message message;
	struct rig *rig;
	const struct job_ref *job;
	const char *provider;
	int64_t ms;
	struct loop_timer timer;
	bool is_done;
	pthread_mutex_t mutex;
	pthread_cond_t done;
};

static void run_errand(struct rig *rig, struct errand *errand, void (*run)(struct loop_message *message))
{
	errand->message.run = run;
	errand->rig = rig;
	pthread_mutex_init(&errand->mutex, NULL);
	pthread_cond_init(&errand->done, NULL);
	loop_post(rig->engine->loop, &errand->message);
	pthread_mutex_lock(&errand->mutex);
	while (!errand->is_done)
		pthread_cond_wait(&errand->done, &errand->mutex);
	pthread_mutex_unlock(&errand->mutex);
	pthread_cond_destroy(&errand->done);
	pthread_mutex_destroy(&errand->mutex);
}

static void end_errand(struct errand *errand)
{
	pthread_mutex_lock(&errand->mutex);
	errand->is_done = true;
	pthread_cond_signal(&errand->done);
	pthread_mutex_unlock(&errand->mutex);
}

static void on_passed(void *userdata)
{
	end_errand(userdata);
}

/* The loop sleeps by the real clock until the next timer is due. One that is due at once wakes it, and all others that
 * are due by then fire with it. */
static void on_pass(struct loop_message *message)
{
	struct errand *errand = loop_message_owner(message, struct errand, message);

	loop_timer_init(&errand->timer, errand->rig->engine->loop, on_passed, errand);
	loop_timer_arm(&errand->timer, 0);
	clock_jump(errand->ms);
}

void pass_unsettled(struct rig *rig, int64_t ms)
{
	struct errand errand = {.ms = ms};

	run_errand(rig, &errand, on_pass);
}

void pass(struct rig *rig, int64_t ms)
{
	settle(rig);
	pass_unsettled(rig, ms);
	settle(rig);
}

void pass_until(struct rig *rig, int64_t utc_ms_then)
{
	int64_t ms = utc_ms_then - now_ms();

	assert_true(utc_ms_then > 0);
	/* A wait of few milliseconds can be over: time passes while an engine starts. */
	pass(rig, ms > 0 ? ms : 0);
}

static int64_t until_due(const struct loop_timer *timer)
{
	int64_t ns = (int64_t)(timer->due_ns - __wrap_uv_hrtime());

	return timer->is_armed ? (ns + NS_PER_MS - 1) / NS_PER_MS : -1;
}

static void on_measure(struct loop_message *message)
{
	struct errand *errand = loop_message_owner(message, struct errand, message);
	struct engine *engine = errand->rig->engine;
	const struct entry *entry = errand->job ? entry_find(engine, errand->job) : NULL;

	errand->ms = -1;
	if (entry)
		errand->ms = until_due(&entry->timer);
	else if (errand->provider)
		errand->ms = until_due(&lane_find(engine, errand->provider)->wake);
	end_errand(errand);
}

bool is_asleep(struct rig *rig, const struct job_ref *job)
{
	struct errand errand = {.job = job};

	run_errand(rig, &errand, on_measure);
	return errand.ms >= 0;
}

int64_t sleep_over(struct rig *rig, const struct job_ref *job)
{
	struct errand errand = {.job = job};

	run_errand(rig, &errand, on_measure);
	if (errand.ms < 0)
		fail_msg("the job does not sleep");
	pass(rig, errand.ms);
	return errand.ms;
}

int64_t queue_wakes_in(struct rig *rig, const char *provider_id)
{
	struct errand errand = {.provider = provider_id};

	run_errand(rig, &errand, on_measure);
	return errand.ms;
}
