#include "store/commit.h"

#include "base/err.h"
#include "store/records.h"

#include <assert.h>

/*
 * Changes lie one behind the other in a single growing buffer, each a small head followed by key and value. Records
 * are packed straight into it. So a commit costs two or three allocations, whatever it holds.
 */
struct change_head {
	uint32_t key_len;
	uint32_t value_len; /* DELETED: the key goes */
};

#define DELETED UINT32_MAX
#define FIRST_BYTES 2048 /* enough for a job with its event */

struct store_commit *store_commit_new(void)
{
	struct store_commit *commit = calloc(1, sizeof(*commit));

	if (!commit)
		return NULL;
	commit->changes.limit = LIMIT_STORE_COMMIT_BYTES;
	if (buffer_reserve(&commit->changes, FIRST_BYTES) < 0)
		return store_commit_free(commit);
	return commit;
}

struct store_commit *store_commit_free(struct store_commit *commit)
{
	if (commit) {
		buffer_finish(&commit->changes);
		buffer_finish(&commit->balances);
		free(commit->budgets);
		free(commit->needs);
	}
	free(commit);
	return NULL;
}

void store_commit_be_patient(struct store_commit *commit)
{
	commit->is_patient = true;
}

struct store_commit *store_commit_next(const struct store_commit *commit)
{
	return commit->next;
}

void *store_commit_userdata(const struct store_commit *commit)
{
	return commit->userdata;
}

int store_commit_outcome(const struct store_commit *commit)
{
	return commit->outcome;
}

const struct store_request *store_commit_found(const struct store_commit *commit)
{
	return commit->has_found ? &commit->found : NULL;
}

const struct store_event *store_commit_event(const struct store_commit *commit)
{
	return commit->has_event && commit->outcome == 0 ? &commit->event : NULL;
}

const struct digest *store_commit_asset(const struct store_commit *commit)
{
	return commit->outcome == STORE_E_ASSET_MISSING ? &commit->asset : NULL;
}

const struct job_ref *store_commit_user(const struct store_commit *commit)
{
	return commit->outcome == STORE_E_ASSET_USED ? &commit->user : NULL;
}

const struct store_over_budget *store_commit_over_budget(const struct store_commit *commit)
{
	return commit->outcome == STORE_E_OVER_BUDGET ? &commit->over : NULL;
}

int commit_poison(struct store_commit *commit, int error)
{
	if (commit->poison == 0)
		commit->poison = error;
	return error;
}

static struct change_head *head_at(struct store_commit *commit, size_t offset, struct change_head *copy)
{
	memcpy(copy, commit->changes.data + offset, sizeof(*copy));
	return copy;
}

static int begin(struct store_commit *commit, const struct key *key, uint32_t value_len, size_t *ret_offset)
{
	struct change_head head = {.key_len = (uint32_t)key->len, .value_len = value_len};
	size_t offset = commit->changes.len;
	int r = buffer_append(&commit->changes, &head, sizeof(head));

	if (r == 0)
		r = buffer_append(&commit->changes, key->data, key->len);
	if (r < 0)
		return commit_poison(commit, r);
	*ret_offset = offset;
	return 0;
}

int commit_begin_put(struct store_commit *commit, const struct key *key, size_t *ret_offset)
{
	return begin(commit, key, 0, ret_offset);
}

int commit_end_put(struct store_commit *commit, size_t offset, int r)
{
	struct change_head head;

	if (r < 0)
		return commit_poison(commit, r);
	head_at(commit, offset, &head);
	head.value_len = (uint32_t)(commit->changes.len - offset - sizeof(head) - head.key_len);
	memcpy(commit->changes.data + offset, &head, sizeof(head));
	return 0;
}

static int put_entry(struct store_commit *commit, const struct key *key)
{
	size_t offset;

	return commit_begin_put(commit, key, &offset);
}

int commit_put_delete(struct store_commit *commit, const struct key *key)
{
	size_t offset;

	return begin(commit, key, DELETED, &offset);
}

bool commit_next_change(const struct store_commit *commit, size_t *offset, struct commit_change *ret)
{
	const char *data = commit->changes.data + *offset;
	struct change_head head;

	if (*offset == commit->changes.len)
		return false;
	memcpy(&head, data, sizeof(head));
	ret->is_delete = head.value_len == DELETED;
	ret->key = bytes_of(data + sizeof(head), head.key_len);
	ret->value = bytes_of(data + sizeof(head) + head.key_len, ret->is_delete ? 0 : head.value_len);
	*offset += sizeof(head) + ret->key.len + ret->value.len;
	return true;
}

static void add_revision(struct store_commit *commit, struct commit_revision *list, uint8_t *n,
			 const struct job_ref *ref, uint64_t revision)
{
	for (uint8_t i = 0; i < *n; i++)
		if (job_ref_equal(&list[i].ref, ref)) {
			list[i].revision = revision;
			return;
		}
	if (*n == LIMIT_STORE_COMMIT_JOBS) {
		commit_poison(commit, err_origin(-E2BIG));
		return;
	}
	list[(*n)++] = (struct commit_revision){.ref = *ref, .revision = revision};
}

void store_commit_expect_revision(struct store_commit *commit, const struct job_ref *ref, uint64_t revision)
{
	add_revision(commit, commit->expected, &commit->n_expected, ref, revision);
}

int store_commit_claim_request(struct store_commit *commit, const struct job *job)
{
	struct key key;
	size_t offset;
	int r = key_request(&key, job->ref.tenant, job->request_id);

	assert(!commit->has_claim);
	if (r < 0)
		return commit_poison(commit, r);
	r = commit_begin_put(commit, &key, &offset);
	if (r == 0)
		r = commit_end_put(commit, offset, record_write_request(&commit->changes, job));
	if (r < 0)
		return r;
	commit->has_claim = true;
	commit->claim = (struct store_request){.ref = job->ref, .digest = job->request_digest};
	commit->claim_key = offset + sizeof(struct change_head);
	commit->claim_key_len = key.len;
	return 0;
}

int store_commit_put_job(struct store_commit *commit, const struct job *job)
{
	struct key key;
	size_t offset;
	int r;

	key_job_part(&key, &job->ref, KEY_PART_JOB);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, record_write_job(&commit->changes, job));
}

/* Only differences are written: an entry that stays costs nothing. */
static int move_entry(struct store_commit *commit, const struct key *before, const struct key *after)
{
	int r = 0;

	if (bytes_equal(key_bytes(before), key_bytes(after)))
		return 0;
	if (before->len)
		r = commit_put_delete(commit, before);
	if (r == 0 && after->len)
		r = put_entry(commit, after);
	return r;
}

static int move_indexes(struct store_commit *commit, const struct job *job, const struct job_index *before,
			const struct job_index *after)
{
	struct index_keys from, to;
	int r = key_indexes(&from, job, before);

	if (r == 0)
		r = key_indexes(&to, job, after);
	if (r)
		return commit_poison(commit, r);
	r = move_entry(commit, &from.queue, &to.queue);
	if (r == 0)
		r = move_entry(commit, &from.deadline, &to.deadline);
	if (r == 0)
		r = move_entry(commit, &from.open, &to.open);
	return r;
}

struct job_index store_index_of(const struct job *job, const struct job_status *status)
{
	return (struct job_index){
		.provider = job->provider,
		.state = status->state,
		.priority = status->priority,
		.wait_until_ms = status->wait_until_ms,
		.deadline_ms = job_deadline_ms(job, status),
		.is_awaited = job_state_is_terminal(status->state) && status->money.awaited_until_ms > 0,
	};
}

static int need_assets(struct store_commit *commit, uint32_t tenant, const struct digest *assets, size_t n)
{
	assert(commit->n_needs == 0 && commit->asset_change == COMMIT_ASSET_NONE);
	commit->needs = calloc(n, sizeof(*commit->needs));
	if (!commit->needs)
		return commit_poison(commit, err_origin(-ENOMEM));
	memcpy(commit->needs, assets, n * sizeof(*commit->needs));
	commit->n_needs = n;
	commit->asset_tenant = tenant;
	return 0;
}

/* A job uses its assets from its acceptance to its end. */
static int move_uses(struct store_commit *commit, const struct job *job, const struct job_index *before,
		     const struct job_index *after)
{
	bool was_used = before && !job_state_is_terminal(before->state);
	bool is_used = after && !job_state_is_terminal(after->state);
	struct key key;
	int r = 0;

	if (job->n_assets == 0 || was_used == is_used)
		return 0;
	if (!before)
		r = need_assets(commit, job->ref.tenant, job->assets, job->n_assets);
	for (size_t i = 0; r == 0 && i < job->n_assets; i++) {
		key_asset_use(&key, &job->assets[i], &job->ref);
		r = is_used ? put_entry(commit, &key) : commit_put_delete(commit, &key);
	}
	return r;
}

int store_commit_put_status(struct store_commit *commit, const struct job *job, const struct job_index *before,
			    const struct job_status *after)
{
	struct job_index index = store_index_of(job, after);
	struct key key;
	size_t offset;
	int r;

	key_job_part(&key, &job->ref, KEY_PART_STATE);
	r = commit_begin_put(commit, &key, &offset);
	if (r == 0)
		r = commit_end_put(commit, offset, record_write_state(&commit->changes, after));
	if (r == 0)
		r = move_indexes(commit, job, before, &index);
	if (r == 0)
		r = move_uses(commit, job, before, &index);
	add_revision(commit, commit->effects, &commit->n_effects, &job->ref, after->revision);
	return r;
}

int store_commit_put_attempt(struct store_commit *commit, const struct job_ref *ref, const struct job_attempt *attempt)
{
	struct key key;
	size_t offset;
	int r;

	key_attempt(&key, ref, attempt->number);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, record_write_attempt(&commit->changes, attempt));
}

/* NULL @order: there is none any more. */
static int put_order(struct store_commit *commit, const struct job_ref *ref, const struct job_send *send,
		     const struct record_order *order)
{
	struct key key;
	size_t offset = 0;
	int r = key_order(&key, ref, send);

	if (r < 0)
		return commit_poison(commit, r);
	if (key.len == 0)
		return 0;
	if (!order)
		return commit_put_delete(commit, &key);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, record_write_order(&commit->changes, order));
}

int store_commit_put_send(struct store_commit *commit, const struct job_ref *ref, const struct job_send *send)
{
	struct record_order order = {.class = send->class, .decided_ms = send->decided_ms};
	struct key key;
	size_t offset;
	int r;

	key_send(&key, ref, send->attempt, send->number);
	r = commit_begin_put(commit, &key, &offset);
	if (r == 0)
		r = commit_end_put(commit, offset, record_write_send(&commit->changes, send));
	return r < 0 ? r : put_order(commit, ref, send, job_send_may_have_bought(send) ? &order : NULL);
}

static int delete_send(struct store_commit *commit, const struct job_ref *ref, const struct job_send *send)
{
	struct key key;
	int r;

	key_send(&key, ref, send->attempt, send->number);
	r = commit_put_delete(commit, &key);
	key_reply(&key, ref, send->attempt, send->number);
	return r < 0 ? r : commit_put_delete(commit, &key);
}

int store_commit_delete_send(struct store_commit *commit, const struct job_ref *ref, const struct job_send *send)
{
	int r = delete_send(commit, ref, send);

	return r < 0 ? r : put_order(commit, ref, send, NULL);
}

int store_commit_put_remote(struct store_commit *commit, const struct job_ref *ref, const struct job_remote *remote)
{
	struct key key;
	size_t offset;
	int r;

	key_remote(&key, ref, remote->attempt, remote->index);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, record_write_remote(&commit->changes, remote));
}

int store_commit_put_owner(struct store_commit *commit, const struct job_ref *ref, const struct digest *place,
			   const char *remote_id)
{
	struct key key;

	key_owner(&key, remote_id, place, ref);
	return put_entry(commit, &key);
}

void store_commit_expect_unowned(struct store_commit *commit, const struct digest *place, const char *remote_id)
{
	assert(commit->unowned.len == 0);
	key_owners_at(&commit->unowned, remote_id, place);
}

const struct job_ref *store_commit_owner(const struct store_commit *commit)
{
	return commit->outcome == STORE_E_OWNED ? &commit->owner : NULL;
}

int store_commit_put_artifact(struct store_commit *commit, const struct job_ref *ref,
			      const struct job_artifact *artifact)
{
	struct key key;
	size_t offset;
	int r;

	key_artifact(&key, ref, artifact->index);
	r = commit_begin_put(commit, &key, &offset);
	if (r == 0)
		r = commit_end_put(commit, offset, record_write_artifact(&commit->changes, artifact));
	if (r < 0)
		return r;
	key_reference(&key, &artifact->sha256, ref, artifact->index);
	return put_entry(commit, &key);
}

int store_commit_put_reply(struct store_commit *commit, const struct job_ref *ref, uint32_t attempt, uint32_t send,
			   struct bytes meta, struct bytes body)
{
	struct key key;
	size_t offset;
	int r;

	key_reply(&key, ref, attempt, send);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, record_write_reply(&commit->changes, meta, body));
}

int store_commit_put_handle(struct store_commit *commit, uint32_t tenant, const struct digest *sha256,
			    const struct digest *account, const struct store_handle *handle)
{
	struct key key;
	size_t offset;
	int r;

	r = need_assets(commit, tenant, sha256, 1);
	if (r < 0)
		return r;
	key_handle(&key, tenant, sha256, account);
	r = commit_begin_put(commit, &key, &offset);
	return r < 0 ? r : commit_end_put(commit, offset, record_write_handle(&commit->changes, handle));
}

int store_commit_delete_handle(struct store_commit *commit, uint32_t tenant, const struct digest *sha256,
			       const struct digest *account)
{
	struct key key;

	key_handle(&key, tenant, sha256, account);
	return commit_put_delete(commit, &key);
}

/* The event itself under its number, and the number under the job's revision; both wait for the committer. */
int store_commit_put_event(struct store_commit *commit, enum job_event kind, const struct job *job,
			   const struct job_status *status)
{
	static const uint8_t no_sequence[8];
	struct key key;
	size_t offset;
	int r;

	assert(!commit->has_event);
	key_history(&key, &job->ref, status->revision);
	r = commit_begin_put(commit, &key, &offset);
	if (r < 0)
		return r;
	commit->history_value = commit->changes.len;
	r = commit_end_put(commit, offset, buffer_append(&commit->changes, no_sequence, sizeof(no_sequence)));
	if (r < 0)
		return r;

	key_event(&key, job->ref.tenant, 0);
	r = commit_begin_put(commit, &key, &offset);
	if (r < 0)
		return r;
	commit->event_key = commit->changes.len - sizeof(no_sequence);
	commit->event_record = commit->changes.len;
	r = commit_end_put(commit, offset, record_write_event(&commit->changes, kind, job, status));
	if (r < 0)
		return r;

	commit->has_event = true;
	commit->event_record_len = commit->changes.len - commit->event_record;
	commit->event = (struct store_event){
		.ref = job->ref, .revision = status->revision, .time_ms = status->updated_ms, .kind = kind};
	return 0;
}

void commit_number_event(struct store_commit *commit, uint64_t sequence)
{
	char *data = commit->changes.data;

	key_put_u64((uint8_t *)data + commit->event_key, sequence);
	key_put_u64((uint8_t *)data + commit->history_value, sequence);
	commit->event.sequence = sequence;
	commit->event.record = bytes_of(data + commit->event_record, commit->event_record_len);
}

/* The provider holds what it holds, whether the job is known here or not. */
static int bury_order(struct store_commit *commit, const struct job *job, const struct job_status *status,
		      const struct job_send *send)
{
	bool is_too_long = strlen(job->parameters) > LIMIT_STORE_ORDER_PARAMETERS;
	_cleanup_(freep) char **remote_ids = calloc(status->n_remotes + 1, sizeof(*remote_ids));
	struct record_order order = {.class = send->class,
				     .decided_ms = send->decided_ms,
				     .is_deleted = true,
				     .model = job->model,
				     .parameters = is_too_long ? NULL : job->parameters,
				     .remote_ids = remote_ids};

	if (!remote_ids)
		return commit_poison(commit, err_origin(-ENOMEM));
	for (size_t i = 0; i < status->n_remotes; i++)
		if (status->remotes[i].attempt == send->attempt)
			remote_ids[order.n_remote_ids++] = status->remotes[i].id;
	return put_order(commit, &job->ref, send, &order);
}

static int delete_sends(struct store_commit *commit, const struct job *job, const struct job_status *status)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < status->n_sends; i++) {
		const struct job_send *send = &status->sends[i];

		r = delete_send(commit, &job->ref, send);
		if (r == 0 && job_send_may_have_bought(send))
			r = bury_order(commit, job, status, send);
	}
	return r;
}

static int delete_lists(struct store_commit *commit, const struct job_ref *ref, const struct job_status *status)
{
	struct key key;
	int r = 0;

	for (size_t i = 0; r == 0 && i < status->n_attempts; i++) {
		key_attempt(&key, ref, status->attempts[i].number);
		r = commit_put_delete(commit, &key);
	}
	for (size_t i = 0; r == 0 && i < status->n_remotes; i++) {
		key_remote(&key, ref, status->remotes[i].attempt, status->remotes[i].index);
		r = commit_put_delete(commit, &key);
	}
	for (size_t i = 0; r == 0 && i < status->n_artifacts; i++) {
		key_artifact(&key, ref, status->artifacts[i].index);
		r = commit_put_delete(commit, &key);
		key_reference(&key, &status->artifacts[i].sha256, ref, status->artifacts[i].index);
		if (r == 0)
			r = commit_put_delete(commit, &key);
	}
	return r;
}

int store_commit_delete_job(struct store_commit *commit, const struct job *job, const struct job_index *before,
			    const struct job_status *status)
{
	struct key key;
	int r = key_tombstone(&key, job->ref.tenant, status->updated_ms, job->request_id);

	if (r < 0)
		return commit_poison(commit, r);
	r = put_entry(commit, &key);
	key_job_part(&key, &job->ref, KEY_PART_JOB);
	if (r == 0)
		r = commit_put_delete(commit, &key);
	key_job_part(&key, &job->ref, KEY_PART_STATE);
	if (r == 0)
		r = commit_put_delete(commit, &key);
	if (r == 0)
		r = delete_sends(commit, job, status);
	if (r == 0)
		r = delete_lists(commit, &job->ref, status);
	if (r == 0)
		r = move_indexes(commit, job, before, NULL);
	if (r == 0)
		r = move_uses(commit, job, before, NULL);
	add_revision(commit, commit->effects, &commit->n_effects, &job->ref, 0);
	return r;
}

static void change_asset(struct store_commit *commit, uint32_t tenant, const struct asset *asset, bool is_put)
{
	assert(commit->asset_change == COMMIT_ASSET_NONE && commit->n_needs == 0);
	commit->asset_change = is_put ? COMMIT_ASSET_PUT : COMMIT_ASSET_DELETE;
	commit->asset = asset->sha256;
	commit->asset_id = asset->id;
	commit->asset_tenant = tenant;
}

int store_commit_put_asset(struct store_commit *commit, uint32_t tenant, const struct asset *asset)
{
	struct key key;
	size_t offset;
	int r;

	change_asset(commit, tenant, asset, true);
	key_asset(&key, tenant, &asset->sha256);
	r = commit_begin_put(commit, &key, &offset);
	if (r == 0)
		r = commit_end_put(commit, offset, record_write_asset(&commit->changes, asset));
	key_asset_listed(&key, tenant, &asset->id, &asset->sha256);
	return r < 0 ? r : put_entry(commit, &key);
}

int store_commit_delete_asset(struct store_commit *commit, uint32_t tenant, const struct asset *asset)
{
	struct key key;
	int r;

	change_asset(commit, tenant, asset, false);
	key_asset(&key, tenant, &asset->sha256);
	r = commit_put_delete(commit, &key);
	key_asset_listed(&key, tenant, &asset->id, &asset->sha256);
	return r < 0 ? r : commit_put_delete(commit, &key);
}
