#include "artifact/fixture.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

static bool says_no(void *userdata, const struct digest *sha256)
{
	(void)sha256;
	atomic_fetch_add((atomic_int *)userdata, 1);
	return false;
}

static bool says_yes(void *userdata, const struct digest *sha256)
{
	return !says_no(userdata, sha256);
}

static bool is_there(struct fixture *f, const struct digest *sha256)
{
	char path[PATH_MAX];

	content_path(f, sha256, path);
	return access(path, F_OK) == 0;
}

/* Collections are done when the store is closed. */
static void reopen(struct fixture *f)
{
	f->store = artifact_store_close(f->store);
	fixture_start(f, NULL);
}

static struct digest put(struct fixture *f)
{
	_cleanup_(buffer_finish) struct buffer mp4 = {0};
	struct artifact_sealed sealed;

	make_mp4(&mp4);
	sealed = seal(f->store, "video", buffer_bytes(&mp4));
	assert_int_equal(sealed.outcome, 0);
	return sealed.sha256;
}

static void what_nobody_names_is_collected(void **state)
{
	atomic_int asked = 0;
	struct digest sha256;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	sha256 = put(&f);
	artifact_release_claim(f.store, &sha256);
	artifact_collect(f.store, &sha256, says_no, &asked);
	reopen(&f);
	assert_int_equal(atomic_load(&asked), 1);
	assert_false(is_there(&f, &sha256));
	fixture_close(&f);
}

static void what_a_job_names_stays(void **state)
{
	atomic_int asked = 0;
	struct digest sha256;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	sha256 = put(&f);
	artifact_release_claim(f.store, &sha256);
	artifact_collect(f.store, &sha256, says_yes, &asked);
	reopen(&f);
	assert_int_equal(atomic_load(&asked), 1);
	assert_true(is_there(&f, &sha256));
	fixture_close(&f);
}

static void what_is_claimed_stays(void **state)
{
	atomic_int asked = 0;
	struct digest sha256;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	sha256 = put(&f);
	artifact_collect(f.store, &sha256, says_no, &asked);
	reopen(&f);
	assert_int_equal(atomic_load(&asked), 0);
	assert_true(is_there(&f, &sha256));
	fixture_close(&f);
}

static void a_collection_waits_for_the_last_claim(void **state)
{
	struct collection wish = {.is_referenced = says_no}, back = {0};
	struct digest sha256 = digest_of(bytes_of_text("x"));
	struct claims claims;

	(void)state;
	claims_init(&claims);
	assert_int_equal(claims_take(&claims, &sha256), 0);
	assert_int_equal(claims_take(&claims, &sha256), 0);
	assert_int_equal(claims_take_alone(&claims, &sha256, &wish), CLAIM_E_HELD);
	claims_drop(&claims, &sha256, &back);
	assert_null(back.is_referenced);
	claims_drop(&claims, &sha256, &back);
	assert_ptr_equal(back.is_referenced, says_no);
	assert_int_equal(claims_take_alone(&claims, &sha256, &wish), 0);
	assert_int_equal(claims_take_alone(&claims, &sha256, &wish), CLAIM_E_HELD);
	claims_drop_alone(&claims, &sha256);
	assert_int_equal(claims_take(&claims, &sha256), 0);
	claims_finish(&claims);
}

/* ---- the race: whoever holds a claim finds the content, whatever the collectors do ---- */

struct race {
	struct fixture *fixture;
	atomic_int asked, lost;
};

static void *seal_often(void *userdata)
{
	struct race *race = userdata;

	for (int i = 0; i < 100; i++) {
		struct digest sha256 = put(race->fixture);

		artifact_collect(race->fixture->store, &sha256, says_no, &race->asked);
		if (!is_there(race->fixture, &sha256))
			atomic_fetch_add(&race->lost, 1);
		artifact_release_claim(race->fixture->store, &sha256);
	}
	return NULL;
}

static void claimed_content_is_never_lost_in_a_race(void **state)
{
	struct fixture f;
	struct race race = {.fixture = &f};
	pthread_t threads[4];

	(void)state;
	fixture_open(&f, NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, seal_often, &race), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	reopen(&f);
	assert_int_equal(atomic_load(&race.lost), 0);
	assert_true(atomic_load(&race.asked) > 0);
	assert_int_equal(fixture_count(&f, "staging"), 0);
	assert_int_equal(fixture_count(&f, "sha256"), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_names_is_collected),
		cmocka_unit_test(what_a_job_names_stays),
		cmocka_unit_test(what_is_claimed_stays),
		cmocka_unit_test(a_collection_waits_for_the_last_claim),
		cmocka_unit_test(claimed_content_is_never_lost_in_a_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
