#include "store/records.h"

#include "allocator.h"
#include "store/fixture.h"
#include "store/format.h"

static void add_lists(struct job_status *status)
{
	struct job_attempt *attempt;
	struct job_artifact *artifact;
	struct job_remote *remote;
	struct job_send *send;

	attempt = job_add_attempt(status);
	*attempt = (struct job_attempt){.number = 1, .started_ms = 8, .ended_ms = 9};
	attempt->failure.reason = JOB_REASON_TIMEOUT;
	memset(attempt->account.bytes, 9, sizeof(attempt->account.bytes));
	job_set_text(&attempt->failure.message, "late");
	job_set_text(&attempt->provider, "veo");
	job_set_text(&attempt->model, "clip");
	assert_non_null(job_add_attempt(status));
	send = job_add_send(status);
	*send = (struct job_send){.attempt = 1,
				  .number = 2,
				  .class = JOB_SEND_AMBIGUOUS,
				  .created_ms = 10,
				  .decided_ms = 11,
				  .http_status = 503,
				  .fingerprint = digest_of(bytes_of_text("x")),
				  .account = digest_of(bytes_of_text("z")),
				  .key_window_ms = 12};
	job_set_text(&send->idempotency_key, "key");
	job_set_text(&send->base_url, "https://api.example");
	remote = job_add_remote(status);
	*remote = (struct job_remote){.attempt = 1, .index = 13};
	job_set_text(&remote->id, "v-1");
	job_set_text(&remote->kind, "video");
	artifact = job_add_artifact(status);
	*artifact = (struct job_artifact){.index = 1,
					  .sample = 14,
					  .size_bytes = UINT64_MAX,
					  .sha256 = digest_of(bytes_of_text("y")),
					  .duration_ms = 15,
					  .width = 1920,
					  .height = 1080,
					  .frame_rate_millihertz = 29970,
					  .sound = JOB_SOUND_OFF,
					  .is_looked_at = true,
					  .black_ms = 17,
					  .frozen_ms = 18,
					  .created_ms = 16};
	job_set_text(&artifact->role, "video");
	job_set_text(&artifact->language, "de");
	job_set_text(&artifact->media_type, "video/mp4");
}

/* A status with every field set to something that is not its default. */
static struct job_status *full_status(void)
{
	static const struct job_label labels[] = {{(char *)"team", (char *)"film"}, {(char *)"empty", (char *)""}};
	struct job_status *status = job_status_new();

	assert_non_null(status);
	status->revision = UINT64_MAX;
	status->state = JOB_STATE_FAILED;
	status->updated_ms = 1;
	status->started_ms = 2;
	status->finished_ms = INT64_MAX;
	status->priority = JOB_PRIORITY_MIN;
	status->wait = JOB_WAIT_BACKOFF;
	status->wait_until_ms = 3;
	status->retries = 4;
	status->progress_percent = 0;
	status->queue_position = 5;
	status->cancel_requested_ms = 6;
	status->cancel_outcome = JOB_CANCEL_DETACHED;
	status->phase = 7;
	status->reconciles = 8;
	status->misses = 9;
	job_set_text(&status->display_name, "The harbour at night \xc3\xa9");
	job_set_text(&status->remote_state, "processing");
	job_set_text(&status->plugin_state, "{\"seed\":17454220438242315174}");
	status->plugin_state_version = 7;
	status->delivered_ms = 8;
	job_set_text(&status->outputs, "[]");
	assert_int_equal(job_set_labels(status, labels, 2), 0);
	assert_int_equal(job_add_missing(status, "subtitles"), 0);
	assert_int_equal(job_add_missing(status, "thumbnail"), 0);
	status->failure.reason = JOB_REASON_MODERATED;
	status->failure.purchase = JOB_PURCHASE_MADE;
	job_set_text(&status->failure.message, "ours");
	job_set_text(&status->failure.provider_code, "400");
	job_set_text(&status->failure.provider_message, "theirs");
	job_set_text(&status->failure.provider_request_id, "r-1");
	assert_int_equal(job_set_cost(status, JOB_COST_PLUGIN, INT64_MAX, "USD"), 0);
	status->cost.is_provisional = true;
	assert_int_equal(job_add_note(status, JOB_NOTE_CUT, "parameters.prompt", "too long", "ab", "a"), 1);
	assert_int_equal(job_add_note(status, JOB_NOTE_INFO, "", "a word", "", ""), 1);
	assert_int_equal(job_add_mismatch(status, &(struct job_mismatch){.artifact = 3,
									 .field = (char *)(uintptr_t) "duration",
									 .ordered = (char *)(uintptr_t) "8 s",
									 .produced = (char *)(uintptr_t) "4 s",
									 .message = (char *)(uintptr_t) "half of it"}),
			 0);
	add_lists(status);
	return status;
}

static struct job *full_job(void)
{
	struct job *job = job_new();

	assert_non_null(job);
	job->ref = (struct job_ref){.tenant = 3, .id = id_new(FIXTURE_NOW)};
	job->request_digest = digest_of(bytes_of_text("request"));
	job->created_ms = FIXTURE_NOW;
	job->deadline_ms = FIXTURE_NOW + 1;
	job->patience_ms = 86400000;
	job->on_uncertain = JOB_UNCERTAIN_RESUBMIT;
	job->not_before_ms = FIXTURE_NOW + 2;
	job->retry_if_uncharged = 3;
	job->on_mismatch = JOB_ON_MISMATCH_FAIL;
	job->retry_of = id_new(FIXTURE_NOW - 1);
	job_set_text(&job->request_id, "mine");
	job_set_text(&job->provider, "heygen");
	job_set_text(&job->model, "");
	job_set_text(&job->parameters, "{}");
	job->quote = (struct job_quote){.kind = JOB_QUOTE_ESTIMATE,
					.source = JOB_PRICE_SOURCE_PLUGIN,
					.unit = JOB_PRICE_UNIT_SECOND,
					.unit_micros = 66700,
					.amount_micros = INT64_MAX,
					.length_ms = 12800,
					.samples = 4};
	job_set_text(&job->quote.currency, "credits");
	job_set_text(&job->quote.rule, "plugin heygen");
	job_set_text(&job->quote.as_of, "2026-11-22");
	return job;
}

/* Two routes, of which it is at the second; what is the same for both is stored once. */
static struct job *moved_job(void)
{
	struct job *job = full_job();
	struct job_route first = {.provider = (char *)"heygen",
				  .model = (char *)"avatar",
				  .parameters = (char *)"{\"prompt\":\"a fox\"}",
				  .quote = {.kind = JOB_QUOTE_EXACT, .amount_micros = 5, .currency = (char *)"USD"}};
	struct job_route second = {.provider = (char *)"veo", .model = (char *)"clip", .parameters = (char *)"{}"};

	assert_int_equal(job_add_route(job, &first), 0);
	assert_int_equal(job_add_route(job, &second), 0);
	assert_int_equal(job_take_route(job, 1), 0);
	return job;
}

/* Writes the state and its lists as records of their own and reads them into a new status. */
static int rewrite(const struct job_status *status, struct job_status **ret)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	_cleanup_(job_status_freep) struct job_status *read = NULL;
	int r = record_write_state(&out, status);

	if (r == 0)
		r = record_read_state(buffer_bytes(&out), &read);
#define REWRITE(kind)                                                     \
	for (size_t i = 0; r == 0 && i < status->n_##kind##s; i++) {      \
		out.len = 0;                                              \
		r = record_write_##kind(&out, &status->kind##s[i]);       \
		if (r == 0)                                               \
			r = record_read_##kind(buffer_bytes(&out), read); \
	}
	REWRITE(attempt)
	REWRITE(send)
	REWRITE(remote)
	REWRITE(artifact)
	if (r == 0)
		*ret = steal(read);
	return r;
}

static void every_field_of_a_status_comes_back(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = full_status();
	_cleanup_(job_status_freep) struct job_status *empty = job_status_new();
	_cleanup_(job_status_freep) struct job_status *read = NULL;
	_cleanup_(job_status_freep) struct job_status *read_empty = NULL;

	(void)state;
	assert_int_equal(rewrite(status, &read), 0);
	assert_same_status(status, read);
	assert_int_equal(rewrite(empty, &read_empty), 0);
	assert_same_status(empty, read_empty);
}

static void every_field_of_a_job_comes_back(void **state)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	_cleanup_(job_freep) struct job *job = full_job();
	_cleanup_(job_freep) struct job *read = NULL;

	(void)state;
	assert_int_equal(record_write_job(&out, job), 0);
	assert_int_equal(record_read_job(buffer_bytes(&out), &read), 0);
	read->ref = job->ref;
	assert_same_job(job, read);
}

static void the_routes_of_a_job_come_back(void **state)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	_cleanup_(job_freep) struct job *job = moved_job();
	_cleanup_(job_freep) struct job *copy = job_copy(job);
	_cleanup_(job_freep) struct job *read = NULL;
	_cleanup_(job_freep) struct job *none = NULL;
	static const uint8_t nowhere[] = {RECORD_VERSION, 0xe0, 0x01, 0x01}; /* 28: 1, and no routes */

	(void)state;
	assert_int_equal(record_write_job(&out, copy), 0);
	assert_int_equal(record_read_job(buffer_bytes(&out), &read), 0);
	read->ref = job->ref;
	assert_same_job(job, read);
	assert_string_equal(read->provider, "veo");
	assert_string_equal(job_ordered(read).provider, "heygen");
	assert_int_equal(record_read_job(bytes_of(nowhere, sizeof(nowhere)), &none), -EBADMSG);
}

static void an_event_says_where_a_job_was_ordered_and_where_it_is(void **state)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	_cleanup_(job_freep) struct job *job = moved_job();
	_cleanup_(job_status_freep) struct job_status *status = full_status();
	struct store_event event = {.ref = {.tenant = 3}};
	struct store_snapshot *snapshot;

	(void)state;
	assert_int_equal(record_write_event(&out, JOB_EVENT_STATE, job, status), 0);
	event.record = buffer_bytes(&out);
	assert_int_equal(store_event_read(&event, &snapshot), 0);
	assert_string_equal(snapshot->provider, "heygen");
	assert_string_equal(snapshot->model, "avatar");
	assert_string_equal(snapshot->provider_now, "veo");
	assert_string_equal(snapshot->model_now, "clip");
	store_snapshot_free(snapshot);
}

static void an_event_holds_the_status_without_the_plugins_memory(void **state)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	_cleanup_(job_freep) struct job *job = full_job();
	_cleanup_(job_status_freep) struct job_status *status = full_status();
	struct store_event event = {.ref = {.tenant = 3}, .sequence = 99}, head;
	struct store_snapshot *snapshot;

	(void)state;
	assert_int_equal(record_write_event(&out, JOB_EVENT_PROGRESS, job, status), 0);
	assert_int_equal(record_read_event_head(buffer_bytes(&out), &head), 0);
	assert_int_equal(head.kind, JOB_EVENT_PROGRESS);
	assert_int_equal(head.revision, status->revision);
	assert_int_equal(head.time_ms, status->updated_ms);
	assert_memory_equal(&head.ref.id, &job->ref.id, sizeof(head.ref.id));

	event.record = buffer_bytes(&out);
	assert_int_equal(store_event_read(&event, &snapshot), 0);
	assert_true(job_ref_equal(&snapshot->ref, &job->ref));
	assert_int_equal(snapshot->sequence, 99);
	assert_string_equal(snapshot->provider, "heygen");
	assert_string_equal(snapshot->model, "");
	assert_int_equal(snapshot->created_ms, job->created_ms);
	assert_null(snapshot->status->plugin_state);
	assert_null(snapshot->status->outputs);
	job_set_text(&status->plugin_state, NULL);
	status->plugin_state_version = 0;
	status->delivered_ms = 0;
	job_set_text(&status->outputs, NULL);
	assert_same_status(status, snapshot->status);
	store_snapshot_free(snapshot);
}

static void a_reply_comes_back_byte_for_byte(void **state)
{
	static const char body[] = "\0\xff<html>\n";
	_cleanup_(buffer_finish) struct buffer out = {0};
	struct record_reply reply;

	(void)state;
	assert_int_equal(record_write_reply(&out, bytes_of_text("{}"), bytes_of(body, sizeof(body))), 0);
	assert_int_equal(record_read_reply(buffer_bytes(&out), &reply), 0);
	assert_true(bytes_equal(reply.meta, bytes_of_text("{}")));
	assert_true(bytes_equal(reply.body, bytes_of(body, sizeof(body))));
	out.len--;
	assert_int_equal(record_read_reply(buffer_bytes(&out), &reply), -EBADMSG);
}

/* What an earlier version has written says nothing of what it did not look for. */
static void an_artifact_of_an_earlier_version_has_unknown_facts(void **state)
{
	static const uint8_t record[] = {RECORD_VERSION, 0x08, 0x01, 0x12, 0x05, 'v', 'i', 'd', 'e', 'o', 0x40, 0x0a};
	_cleanup_(job_status_freep) struct job_status *read = job_status_new();

	(void)state;
	assert_int_equal(record_read_artifact(bytes_of(record, sizeof(record)), read), 0);
	assert_int_equal(read->artifacts[0].duration_ms, 10);
	assert_int_equal(read->artifacts[0].frame_rate_millihertz, 0);
	assert_int_equal(read->artifacts[0].sound, JOB_SOUND_UNKNOWN);
	assert_false(read->artifacts[0].is_looked_at);
}

/* What a later version would add: a varint, fixed widths and a text, with small and large numbers. */
static const uint8_t later_fields[] = {
	0x98, 0x06, 0x2a,                              /* 99: varint 42 */
	0xa1, 0x06, 1,    2,    3,    4,   5, 6, 7, 8, /* 100: 64 bits */
	0xaa, 0x06, 0x03, 'n',  'e',  'w',             /* 101: bytes */
	0xfd, 0xff, 0xff, 0xff, 0x0f, 9,   8, 7, 6,    /* 536870911: 32 bits */
};
static const char later_hex[] = "98062aa106"
				"0102030405060708"
				"aa06036e6577"
				"fdffffff0f09080706";

static struct buffer with_later_fields(const struct buffer *record)
{
	struct buffer out = {0};

	assert_int_equal(buffer_append(&out, record->data, record->len), 0);
	assert_int_equal(buffer_append(&out, later_fields, sizeof(later_fields)), 0);
	return out;
}

static bool contains(const struct buffer *record, struct bytes part)
{
	return memmem(record->data, record->len, part.data, part.len) != NULL;
}

/* Written, extended by a later version, read and written by us, and again: the fields are all there. */
#define CHECK_SURVIVAL(kind, status)                                                     \
	do {                                                                             \
		_cleanup_(buffer_finish) struct buffer first = {0};                      \
		_cleanup_(buffer_finish) struct buffer later = {0};                      \
		_cleanup_(buffer_finish) struct buffer again = {0};                      \
		_cleanup_(job_status_freep) struct job_status *read = job_status_new();  \
		assert_int_equal(record_write_##kind(&first, &(status)->kind##s[0]), 0); \
		later = with_later_fields(&first);                                       \
		assert_int_equal(record_read_##kind(buffer_bytes(&later), read), 0);     \
		assert_string_equal(read->kind##s[0].unknown, later_hex);                \
		assert_int_equal(record_write_##kind(&again, &read->kind##s[0]), 0);     \
		assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&later)));    \
	} while (0)

static void unknown_fields_of_a_list_survive_rewriting(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = full_status();

	(void)state;
	CHECK_SURVIVAL(attempt, status);
	CHECK_SURVIVAL(send, status);
	CHECK_SURVIVAL(remote, status);
	CHECK_SURVIVAL(artifact, status);
}

static void unknown_fields_of_a_state_survive_copying_and_rewriting(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = full_status();
	_cleanup_(job_status_freep) struct job_status *read = NULL;
	_cleanup_(job_status_freep) struct job_status *copy = NULL;
	_cleanup_(buffer_finish) struct buffer first = {0};
	_cleanup_(buffer_finish) struct buffer later = {0};
	_cleanup_(buffer_finish) struct buffer again = {0};

	(void)state;
	assert_int_equal(record_write_state(&first, status), 0);
	later = with_later_fields(&first);
	assert_int_equal(record_read_state(buffer_bytes(&later), &read), 0);
	copy = job_status_copy(read);
	assert_non_null(copy);
	copy->revision = 1;
	assert_int_equal(record_write_state(&again, copy), 0);
	assert_true(contains(&again, bytes_of(later_fields, sizeof(later_fields))));
}

/* A field inside the failure, which lies inside the state. */
static void unknown_fields_of_a_failure_survive_rewriting(void **state)
{
	static const uint8_t record[] = {RECORD_VERSION, 0x08, 0x01, 0x10, 0x07, 0x8a, 0x01, 0x08,
					 0x08,           0x02, 0x98, 0x06, 0x2a, 0x8a, 0x06, 0x00};
	_cleanup_(job_status_freep) struct job_status *read = NULL;
	_cleanup_(buffer_finish) struct buffer again = {0};

	(void)state;
	assert_int_equal(record_read_state(bytes_of(record, sizeof(record)), &read), 0);
	assert_int_equal(read->failure.reason, JOB_REASON_MODERATED);
	assert_string_equal(read->failure.unknown, "98062a8a0600");
	read->progress_percent = 0;
	read->queue_position = 0;
	assert_int_equal(record_write_state(&again, read), 0);
	assert_true(bytes_equal(buffer_bytes(&again), bytes_of(record, sizeof(record))));
}

static void unknown_fields_of_a_job_survive_rewriting(void **state)
{
	_cleanup_(job_freep) struct job *job = moved_job();
	_cleanup_(job_freep) struct job *read = NULL;
	_cleanup_(job_freep) struct job *copy = NULL;
	_cleanup_(buffer_finish) struct buffer first = {0};
	_cleanup_(buffer_finish) struct buffer later = {0};
	_cleanup_(buffer_finish) struct buffer again = {0};

	(void)state;
	assert_int_equal(record_write_job(&first, job), 0);
	later = with_later_fields(&first);
	assert_int_equal(record_read_job(buffer_bytes(&later), &read), 0);
	copy = job_copy(read);
	assert_non_null(copy);
	assert_int_equal(record_write_job(&again, copy), 0);
	assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&later)));
}

static void unknown_fields_of_the_tenants_record_survive_rewriting(void **state)
{
	_cleanup_(buffer_finish) struct buffer first = {0};
	_cleanup_(buffer_finish) struct buffer later = {0};
	_cleanup_(buffer_finish) struct buffer again = {0};
	struct record_tenant tenant = {.event_watermark = 5};

	(void)state;
	assert_int_equal(record_write_tenant(&first, &tenant), 0);
	later = with_later_fields(&first);
	assert_int_equal(record_read_tenant(buffer_bytes(&later), &tenant), 0);
	assert_int_equal(tenant.event_watermark, 5);
	assert_int_equal(record_write_tenant(&again, &tenant), 0);
	free(tenant.unknown);
	assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&later)));
}

static int read_as_kind(int kind, struct bytes value)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	_cleanup_(job_status_freep) struct job_status *read = NULL;
	_cleanup_(job_freep) struct job *job = NULL;
	struct store_snapshot *snapshot = NULL;
	struct record_tenant tenant = {0};
	struct store_request request;
	struct record_reply reply;
	struct record_meta meta;
	struct record_order order = {0};
	struct store_event head;
	uint64_t revision;
	int64_t decided_ms;
	int r;

	switch (kind) {
	case 0:
		return record_read_job(value, &job);
	case 1:
		return record_read_state(value, &read);
	case 2:
		return record_read_attempt(value, status);
	case 3:
		return record_read_send(value, status);
	case 4:
		return record_read_remote(value, status);
	case 5:
		return record_read_artifact(value, status);
	case 6:
		return record_read_revision(value, &revision);
	case 7:
		return record_read_event_head(value, &head);
	case 8:
		r = record_read_snapshot(value, &snapshot);
		store_snapshot_free(snapshot);
		return r;
	case 9:
		return record_read_request(value, &request);
	case 10:
		return record_read_reply(value, &reply);
	case 11:
		return record_read_meta(value, &meta);
	case 12:
		r = record_read_order(value, &order);
		record_order_finish(&order);
		return r;
	case 13:
		return record_read_order_head(value, &decided_ms);
	default:
		r = record_read_tenant(value, &tenant);
		free(tenant.unknown);
		return r;
	}
}

#define N_KINDS 15

static void a_newer_version_byte_is_refused_everywhere(void **state)
{
	static const uint8_t newer[] = {RECORD_VERSION + 1, 0x08, 0x01}, never[] = {0, 0x08, 0x01};

	(void)state;
	for (int kind = 0; kind < N_KINDS; kind++) {
		assert_int_equal(read_as_kind(kind, bytes_of(newer, sizeof(newer))), STORE_E_NEWER_FORMAT);
		assert_int_equal(read_as_kind(kind, bytes_of(never, sizeof(never))), -EBADMSG);
		assert_int_equal(read_as_kind(kind, bytes_of(NULL, 0)), -EBADMSG);
	}
}

/* Every reader on every record, cut at every byte and with every byte changed: an outcome, never a fault. */
static void damaged_records_are_read_or_refused(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = full_status();
	_cleanup_(job_freep) struct job *job = full_job();
	_cleanup_(buffer_finish) struct buffer out = {0};

	(void)state;
	assert_int_equal(record_write_event(&out, JOB_EVENT_STATE, job, status), 0);
	for (int kind = 0; kind < N_KINDS; kind++)
		for (size_t i = 0; i <= out.len; i++) {
			char *cut = memcpy(malloc(i + 1), out.data, i);
			int r = read_as_kind(kind, bytes_of(cut, i));

			assert_true(r == 0 || r == -EBADMSG);
			if (i > 0) {
				cut[i - 1] = (char)(cut[i - 1] ^ 0x55);
				r = read_as_kind(kind, bytes_of(cut, i));
				assert_true(r == 0 || r == -EBADMSG || r == STORE_E_NEWER_FORMAT);
			}
			free(cut);
		}
}

static void a_state_of_an_unknown_number_is_refused(void **state)
{
	static const uint8_t record[] = {RECORD_VERSION, 0x08, 0x01, 0x10, _JOB_STATE_COUNT};
	_cleanup_(job_status_freep) struct job_status *read = NULL;

	(void)state;
	assert_int_equal(record_read_state(bytes_of(record, sizeof(record)), &read), -EBADMSG);
}

/* protobuf-c reads such fields when they are written the long way, and refuses what it writes of them. */
static void an_unknown_field_without_a_possible_number_is_refused(void **state)
{
	static const uint8_t zero[] = {RECORD_VERSION, 0x80, 0x00, 0x00};
	static const uint8_t large[] = {RECORD_VERSION, 0xfa, 0xff, 0xff, 0xff, 0x7f, 0x01, 'a'};
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();

	(void)state;
	assert_int_equal(record_read_attempt(bytes_of(zero, sizeof(zero)), status), -EBADMSG);
	assert_int_equal(record_read_attempt(bytes_of(large, sizeof(large)), status), -EBADMSG);
}

static void running_out_of_memory_frees_what_was_read(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = full_status();
	_cleanup_(job_status_freep) struct job_status *read = NULL;
	int nth = 0, r;

	(void)state;
	job_set_text(&status->unknown, later_hex);
	do {
		allocator_fail(++nth);
		r = rewrite(status, &read);
	} while (allocator_failed());
	assert_int_equal(r, 0);
	assert_true(nth > 5);
	assert_same_status(status, read);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_status_comes_back),
		cmocka_unit_test(every_field_of_a_job_comes_back),
		cmocka_unit_test(the_routes_of_a_job_come_back),
		cmocka_unit_test(an_event_says_where_a_job_was_ordered_and_where_it_is),
		cmocka_unit_test(unknown_fields_of_a_job_survive_rewriting),
		cmocka_unit_test(an_artifact_of_an_earlier_version_has_unknown_facts),
		cmocka_unit_test(an_event_holds_the_status_without_the_plugins_memory),
		cmocka_unit_test(a_reply_comes_back_byte_for_byte),
		cmocka_unit_test(unknown_fields_of_a_list_survive_rewriting),
		cmocka_unit_test(unknown_fields_of_a_state_survive_copying_and_rewriting),
		cmocka_unit_test(unknown_fields_of_a_failure_survive_rewriting),
		cmocka_unit_test(unknown_fields_of_the_tenants_record_survive_rewriting),
		cmocka_unit_test(a_newer_version_byte_is_refused_everywhere),
		cmocka_unit_test(damaged_records_are_read_or_refused),
		cmocka_unit_test(a_state_of_an_unknown_number_is_refused),
		cmocka_unit_test(an_unknown_field_without_a_possible_number_is_refused),
		cmocka_unit_test(running_out_of_memory_frees_what_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
