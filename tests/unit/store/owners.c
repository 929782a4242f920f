/*
 * Whose a remote id is: written with the remotes, for ever, and decided by the committer where two want one.
 */
#include "job/place.h"
#include "store/backend.h"
#include "store/fixture.h"
#include "store/internal.h"
#include "store/keys.h"
#include "store/records.h"

#define PLACE "https://api.maker.test"
#define ELSEWHERE "https://proxy.test/maker"
#define IDS 3

struct found {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there;
	int outcome;
	size_t n;
	struct store_owner all[IDS];
};

static void on_owners(void *userdata, int outcome, const struct store_owner *owners, size_t n)
{
	struct found *found = userdata;

	pthread_mutex_lock(&found->mutex);
	found->outcome = outcome;
	found->n = n;
	memcpy(found->all, owners, n * sizeof(*owners));
	found->is_there = true;
	pthread_cond_signal(&found->changed);
	pthread_mutex_unlock(&found->mutex);
}

static struct digest place_of(const char *address)
{
	struct digest place;

	assert_int_equal(job_place_of(address, &place), 0);
	return place;
}

static struct found find_with(struct fixture *fixture, struct store_owners_query query)
{
	static const char *const ids[IDS] = {"v1", "v2", "v3"};
	struct found found = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

	query.remote_ids = ids;
	query.n = IDS;
	store_find_owners(fixture->store, &query, on_owners, &found);
	pthread_mutex_lock(&found.mutex);
	while (!found.is_there)
		pthread_cond_wait(&found.changed, &found.mutex);
	pthread_mutex_unlock(&found.mutex);
	assert_int_equal(found.outcome, 0);
	assert_int_equal(found.n, IDS);
	return found;
}

static struct found find(struct fixture *fixture, const char *address, const char *provider)
{
	return find_with(fixture, (struct store_owners_query){.place = place_of(address), .provider = provider});
}

/* A job that has @remote_id at @address; exclusive: only if nobody else has it. */
static struct store_commit *owning(const struct job_view *view, const char *address, const char *remote_id,
				   bool is_exclusive)
{
	const struct digest place = place_of(address);
	struct store_commit *commit = creation(view);

	assert_int_equal(store_commit_put_owner(commit, &view->job->ref, &place, remote_id), 0);
	if (is_exclusive)
		store_commit_expect_unowned(commit, &place, remote_id);
	return commit;
}

static struct job_view put_owner(struct fixture *fixture, const char *address, const char *remote_id)
{
	struct job_view view = make_job(fixture);

	assert_int_equal(commit_now(fixture, owning(&view, address, remote_id, false)), 0);
	return view;
}

static void assert_owner(const struct store_owner *owner, const struct job_view *view, bool is_deleted)
{
	assert_true(owner->is_known);
	assert_int_equal(owner->is_deleted, is_deleted);
	assert_true(job_ref_equal(&owner->ref, &view->job->ref));
}

static void an_id_belongs_to_a_place_and_to_a_provider(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_owner(fixture, PLACE, "v2");
	struct found found = find(fixture, "HTTPS://api.maker.test:443/", "nobody");

	assert_false(found.all[0].is_known);
	assert_owner(&found.all[1], &view, false);
	assert_false(found.all[2].is_known);
	/* Through a proxy the provider is still the same one. */
	found = find(fixture, ELSEWHERE, view.job->provider);
	assert_owner(&found.all[1], &view, false);
	found = find(fixture, ELSEWHERE, "nobody");
	assert_false(found.all[1].is_known);
	job_view_finish(&view);
}

static void whoever_asks_is_no_owner(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_owner(fixture, PLACE, "v1");
	struct found found = find_with(fixture, (struct store_owners_query){.place = place_of(PLACE),
									    .provider = view.job->provider,
									    .except = view.job->ref});

	assert_false(found.all[0].is_known);
	job_view_finish(&view);
}

static void what_was_owned_stays_so_when_the_job_is_deleted(void **state)
{
	struct fixture *fixture = *state;
	struct job_view gone = put_owner(fixture, PLACE, "v1"), there;
	struct found found;

	assert_int_equal(commit_now(fixture, deletion(fixture, &gone)), 0);
	found = find(fixture, PLACE, "nobody");
	assert_owner(&found.all[0], &gone, true);
	fixture_reopen(fixture);
	found = find(fixture, PLACE, "nobody");
	assert_owner(&found.all[0], &gone, true);
	/* One that is there goes before it. */
	there = put_owner(fixture, PLACE, "v1");
	found = find(fixture, PLACE, "nobody");
	assert_owner(&found.all[0], &there, false);
	job_view_finish(&gone);
	job_view_finish(&there);
}

static void of_two_who_want_it_alone_one_gets_it(void **state)
{
	struct fixture *fixture = *state;
	struct job_view one = make_job(fixture), two = make_job(fixture), three = make_job(fixture);
	struct ticket first, second;

	/* In one batch, where nothing of it can be read yet. */
	hold(fixture);
	submit(&first, fixture, owning(&one, PLACE, "v1", true));
	submit(&second, fixture, owning(&two, PLACE, "v1", true));
	release(fixture);
	assert_int_equal(await(&first), 0);
	assert_int_equal(await(&second), STORE_E_OWNED);
	assert_true(job_ref_equal(store_commit_owner(second.commit), &one.job->ref));
	assert_null(store_commit_owner(first.commit));
	finish(&first);
	finish(&second);
	/* And in another one. */
	submit(&second, fixture, owning(&three, PLACE, "v1", true));
	assert_int_equal(await(&second), STORE_E_OWNED);
	assert_true(job_ref_equal(store_commit_owner(second.commit), &one.job->ref));
	finish(&second);
	/* Another id, another place, or a job that was deleted stand in nobody's way. */
	assert_int_equal(commit_now(fixture, owning(&two, PLACE, "v2", true)), 0);
	assert_int_equal(commit_now(fixture, deletion(fixture, &one)), 0);
	assert_int_equal(commit_now(fixture, owning(&three, PLACE, "v1", true)), 0);
	job_view_finish(&one);
	job_view_finish(&two);
	job_view_finish(&three);
}

static void id_that_begins_another_is_another(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_owner(fixture, PLACE, "v12"), next = make_job(fixture);

	assert_false(find(fixture, PLACE, "nobody").all[0].is_known);
	assert_int_equal(commit_now(fixture, owning(&next, PLACE, "v1", true)), 0);
	job_view_finish(&view);
	job_view_finish(&next);
}

/* ---- a store of format 4, which had no such index ---- */

static void put_text(char **field, const char *text)
{
	assert_int_equal(job_set_text(field, text), 0);
}

/* As the engine of format 4 left it: an accepted send, its remote, and no owner. */
static struct job_view put_bought(struct fixture *fixture, const char *address, const char *remote_id)
{
	struct job_view view = make_job(fixture);
	struct job_send *send = job_add_send(view.status);
	struct job_remote *remote = job_add_remote(view.status);
	struct store_commit *commit;

	assert_non_null(send);
	assert_non_null(remote);
	send->attempt = remote->attempt = send->number = remote->index = 1;
	send->class = JOB_SEND_ACCEPTED;
	send->created_ms = 1800000000000;
	put_text(&send->base_url, address);
	put_text(&remote->id, remote_id);
	commit = creation(&view);
	assert_int_equal(store_commit_put_send(commit, &view.job->ref, send), 0);
	assert_int_equal(store_commit_put_remote(commit, &view.job->ref, remote), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	return view;
}

static void make_format_4(struct fixture *fixture)
{
	struct record_meta meta = {.format = 4, .epoch = 7, .created_ms = 8};
	struct backend_batch *batch = backend_batch_new();
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct key key;

	assert_int_equal(record_write_meta(&record, &meta), 0);
	key_tenant(&key, KEY_META, 0);
	backend_batch_put(batch, key_bytes(&key), buffer_bytes(&record));
	assert_int_equal(backend_write(fixture->store->backend, batch, BACKEND_SYNCED), 0);
	backend_batch_free(batch);
}

/* Its Meta had none: it is drawn once. */
static void assert_link_key(struct fixture *fixture)
{
	static const uint8_t none[STORE_LINK_KEY_SIZE];
	uint8_t key[STORE_LINK_KEY_SIZE];

	memcpy(key, store_link_key(fixture->store).data, sizeof(key));
	assert_memory_not_equal(key, none, sizeof(key));
	fixture_reopen(fixture);
	assert_memory_equal(store_link_key(fixture->store).data, key, sizeof(key));
}

static void a_store_of_format_4_is_raised(void **state)
{
	struct fixture *fixture = *state;
	struct job_view one = put_bought(fixture, PLACE, "v1"), gone = put_bought(fixture, PLACE, "v2");
	struct job_view other = put_bought(fixture, ELSEWHERE, "v3");
	struct found found;

	assert_int_equal(commit_now(fixture, deletion(fixture, &gone)), 0);
	found = find(fixture, PLACE, "nobody");
	assert_false(found.all[0].is_known || found.all[1].is_known || found.all[2].is_known);
	make_format_4(fixture);
	fixture_reopen(fixture);
	found = find(fixture, PLACE, "nobody");
	assert_owner(&found.all[0], &one, false);
	assert_owner(&found.all[1], &gone, true);
	assert_false(found.all[2].is_known);
	assert_owner(&find(fixture, ELSEWHERE, "nobody").all[2], &other, false);
	assert_link_key(fixture);
	job_view_finish(&one);
	job_view_finish(&gone);
	job_view_finish(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_id_belongs_to_a_place_and_to_a_provider),
		TEST(whoever_asks_is_no_owner),
		TEST(what_was_owned_stays_so_when_the_job_is_deleted),
		TEST(of_two_who_want_it_alone_one_gets_it),
		TEST(id_that_begins_another_is_another),
		TEST(a_store_of_format_4_is_raised),
	};

	return cmocka_run_group_tests_name("store.owners", tests, NULL, NULL);
}
