#include "api/convert.h"

#include "api/params.h"
#include "api/text.h"
#include "api/token.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/engine.h"

#include <google/protobuf/duration.pb-c.h>

/* Where the numbers of job.h and of the contract are the same, they are handed on; this is where a change shows. */
_Static_assert((int)FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN == (int)JOB_STATE_UNCERTAIN, "states");
_Static_assert((int)JOB_STATE_UNCERTAIN + 1 == (int)_JOB_STATE_COUNT, "a new state needs its place in the contract");
_Static_assert((int)FILMGATE__V1__JOB_WAIT_REASON__JOB_WAIT_REASON_HELD == (int)JOB_WAIT_HELD, "waits");
_Static_assert((int)JOB_WAIT_HELD + 1 == (int)_JOB_WAIT_COUNT, "a new wait needs its place in the contract");
_Static_assert((int)FILMGATE__V1__CANCEL_OUTCOME__CANCEL_OUTCOME_REQUESTED == (int)JOB_CANCEL_REQUESTED, "cancels");
_Static_assert((int)FILMGATE__V1__SEND_CLASS__SEND_CLASS_ABSENT == (int)JOB_SEND_ABSENT + 1, "sends");
_Static_assert((int)FILMGATE__V1__JOB_EVENT_KIND__JOB_EVENT_KIND_DELETED == (int)JOB_EVENT_DELETED, "events");
_Static_assert((int)FILMGATE__V1__FAILURE_REASON__FAILURE_REASON_PLUGIN_FAULT == (int)JOB_REASON_PLUGIN_FAULT,
	       "reasons");

_Static_assert((int)FILMGATE__V1__QUOTE_KIND__QUOTE_KIND_UNKNOWN == (int)JOB_QUOTE_UNKNOWN, "quotes");
_Static_assert((int)FILMGATE__V1__PRICE_UNIT__PRICE_UNIT_VIDEO == (int)JOB_PRICE_UNIT_VIDEO, "units");
_Static_assert((int)FILMGATE__V1__PRICE_SOURCE__PRICE_SOURCE_PLUGIN == (int)JOB_PRICE_SOURCE_PLUGIN, "prices");
_Static_assert((int)FILMGATE__V1__NOTE_SEVERITY__NOTE_SEVERITY_INFO == (int)JOB_NOTE_INFO, "notes");
_Static_assert((int)FILMGATE__V1__SETTLEMENT_STATE__SETTLEMENT_STATE_FINAL == (int)JOB_SETTLEMENT_FINAL, "settlements");
_Static_assert((int)FILMGATE__V1__ON_UNCERTAIN__ON_UNCERTAIN_RESUBMIT == (int)JOB_UNCERTAIN_RESUBMIT, "policies");
_Static_assert((int)JOB_UNCERTAIN_RESUBMIT + 1 == (int)_JOB_UNCERTAIN_COUNT, "a new policy needs its place, too");
_Static_assert((int)FILMGATE__V1__ON_MISMATCH__ON_MISMATCH_FAIL == (int)JOB_ON_MISMATCH_FAIL, "policies");
_Static_assert((int)FILMGATE__V1__TOGGLE__TOGGLE_OFF == (int)JOB_SOUND_OFF, "sounds");
_Static_assert((int)FILMGATE__V1__COST_SOURCE__COST_SOURCE_NOTHING == (int)JOB_COST_NOTHING, "costs");

Filmgate__V1__CancelOutcome convert_cancel_outcome(enum job_cancel_outcome outcome)
{
	return (Filmgate__V1__CancelOutcome)outcome;
}

static Filmgate__V1__Purchased convert_purchase(enum job_purchase purchase)
{
	switch (purchase) {
	case JOB_PURCHASE_NOTHING:
		return FILMGATE__V1__PURCHASED__PURCHASED_NOTHING;
	case JOB_PURCHASE_MADE:
		return FILMGATE__V1__PURCHASED__PURCHASED_MADE;
	default:
		return FILMGATE__V1__PURCHASED__PURCHASED_UNKNOWN;
	}
}

/* A throttle that ended an attempt is the provider's doing; the contract's list has no word of its own for it. */
static Filmgate__V1__FailureReason convert_reason(enum job_reason reason)
{
	return reason <= JOB_REASON_PLUGIN_FAULT ? (Filmgate__V1__FailureReason)reason
						 : FILMGATE__V1__FAILURE_REASON__FAILURE_REASON_PROVIDER_FAULT;
}

static Filmgate__V1__JobFailure *convert_failure(struct arena *arena, const struct job_failure *from)
{
	Filmgate__V1__JobFailure *failure;

	if (from->reason == JOB_REASON_NONE)
		return NULL;
	failure = arena_need(arena, sizeof(*failure));
	filmgate__v1__job_failure__init(failure);
	failure->reason = convert_reason(from->reason);
	failure->purchased = convert_purchase(from->purchase);
	failure->provider_code = text_cut(arena, from->provider_code, LIMIT_RPC_WORD);
	failure->provider_message = text_cut(arena, from->provider_message, LIMIT_RPC_WORDS);
	failure->message = text_clean(arena, from->message);
	failure->provider_request_id = text_cut(arena, from->provider_request_id, LIMIT_RPC_WORD);
	return failure;
}

static Google__Protobuf__Duration *duration_from_zero(struct arena *arena, int64_t ms)
{
	Google__Protobuf__Duration *duration = arena_need(arena, sizeof(*duration));

	google__protobuf__duration__init(duration);
	duration->seconds = ms / 1000;
	duration->nanos = (int32_t)(ms % 1000) * 1000000;
	return duration;
}

/* NULL: not known. */
static Google__Protobuf__Duration *duration_of(struct arena *arena, int64_t ms)
{
	return ms > 0 ? duration_from_zero(arena, ms) : NULL;
}

Filmgate__V1__Artifact *convert_artifact(struct arena *arena, const struct id *id, const struct job_artifact *from)
{
	Filmgate__V1__Artifact *artifact = arena_need(arena, sizeof(*artifact));

	filmgate__v1__artifact__init(artifact);
	artifact->name = name_of_artifact(arena, id, from->index);
	artifact->role = text_clean(arena, from->role);
	artifact->sample = from->sample;
	artifact->language = text_clean(arena, from->language);
	artifact->media_type = text_clean(arena, from->media_type);
	artifact->size_bytes = from->size_bytes;
	artifact->sha256 = arena_need(arena, DIGEST_TEXT_SIZE);
	digest_format(&from->sha256, artifact->sha256);
	artifact->width = from->width;
	artifact->height = from->height;
	artifact->create_time = timestamp_of(arena, from->created_ms);
	artifact->duration = duration_of(arena, from->duration_ms);
	artifact->frame_rate_millihertz = from->frame_rate_millihertz;
	artifact->audio = (Filmgate__V1__Toggle)from->sound;
	if (from->is_looked_at) {
		artifact->black_duration = duration_from_zero(arena, from->black_ms);
		artifact->frozen_duration = duration_from_zero(arena, from->frozen_ms);
	}
	return artifact;
}

static Filmgate__V1__MediaKind convert_kind(enum asset_kind kind)
{
	switch (kind) {
	case ASSET_KIND_VIDEO:
		return FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_VIDEO;
	case ASSET_KIND_AUDIO:
		return FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_AUDIO;
	case ASSET_KIND_IMAGE:
		break;
	}
	return FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE;
}

Filmgate__V1__Asset *convert_asset(struct arena *arena, const struct asset *from)
{
	Filmgate__V1__Asset *asset = arena_need(arena, sizeof(*asset));

	filmgate__v1__asset__init(asset);
	asset->name = arena_need(arena, ASSET_NAME_SIZE);
	asset_name_format(&from->sha256, asset->name);
	asset->sha256 = asset->name + ASSET_NAME_SIZE - DIGEST_TEXT_SIZE;
	asset->size_bytes = from->size_bytes;
	asset->media_type = text_clean(arena, from->media_type);
	asset->kind = convert_kind(asset_kind_of(from));
	asset->width = from->width;
	asset->height = from->height;
	asset->duration = duration_of(arena, from->duration_ms);
	asset->display_name = text_clean(arena, from->display_name);
	asset->create_time = timestamp_of(arena, from->created_ms);
	return asset;
}

/* ---- attempts ---- */

static Filmgate__V1__Send *convert_send(struct arena *arena, const struct job_send *from)
{
	Filmgate__V1__Send *send = arena_need(arena, sizeof(*send));

	filmgate__v1__send__init(send);
	send->number = from->number;
	send->class_ = (Filmgate__V1__SendClass)(from->class + 1);
	send->create_time = timestamp_of(arena, from->created_ms);
	send->decide_time = timestamp_of(arena, from->decided_ms);
	/* Each send has one; it left only where the provider honours keys. */
	send->idempotency_key = text_clean(arena, from->key_window_ms > 0 ? from->idempotency_key : NULL);
	send->http_status = (uint32_t)from->http_status;
	return send;
}

static void add_sends(struct arena *arena, Filmgate__V1__Attempt *attempt, const struct job_status *status)
{
	attempt->sends = arena_need_pointers(arena, LIMIT_RPC_ATTEMPTS);
	for (size_t i = 0; i < status->n_sends; i++)
		attempt->send_count += status->sends[i].attempt == attempt->number;
	for (size_t i = 0, skipped = 0; i < status->n_sends; i++) {
		if (status->sends[i].attempt != attempt->number)
			continue;
		if (skipped + LIMIT_RPC_ATTEMPTS < attempt->send_count)
			skipped++;
		else
			attempt->sends[attempt->n_sends++] = convert_send(arena, &status->sends[i]);
	}
}

static void add_remotes(struct arena *arena, Filmgate__V1__Attempt *attempt, const struct job_status *status)
{
	attempt->remotes = arena_need_pointers(arena, status->n_remotes);
	for (size_t i = 0; i < status->n_remotes; i++) {
		Filmgate__V1__Remote *remote;

		if (status->remotes[i].attempt != attempt->number)
			continue;
		remote = arena_need(arena, sizeof(*remote));
		filmgate__v1__remote__init(remote);
		remote->remote_id = text_clean(arena, status->remotes[i].id);
		remote->kind = text_clean(arena, status->remotes[i].kind);
		attempt->remotes[attempt->n_remotes++] = remote;
	}
}

/* One of a version without fallbacks was where its job is. */
static void add_place(struct arena *arena, const struct job_attempt *from, const struct job_route *now,
		      Filmgate__V1__Attempt *attempt)
{
	attempt->provider = name_of_provider(arena, from->provider ? from->provider : now->provider);
	attempt->model = text_clean(arena, from->provider ? from->model : now->model);
}

static void add_attempts(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_status *status,
			 const struct job_route *now)
{
	size_t first = status->n_attempts > LIMIT_RPC_ATTEMPTS ? status->n_attempts - LIMIT_RPC_ATTEMPTS : 0;

	to->attempt_count = (uint32_t)status->n_attempts;
	to->attempts = arena_need_pointers(arena, LIMIT_RPC_ATTEMPTS);
	for (size_t i = first; i < status->n_attempts; i++) {
		Filmgate__V1__Attempt *attempt = arena_need(arena, sizeof(*attempt));

		filmgate__v1__attempt__init(attempt);
		attempt->number = status->attempts[i].number;
		attempt->start_time = timestamp_of(arena, status->attempts[i].started_ms);
		attempt->end_time = timestamp_of(arena, status->attempts[i].ended_ms);
		attempt->failure = convert_failure(arena, &status->attempts[i].failure);
		add_place(arena, &status->attempts[i], now, attempt);
		add_sends(arena, attempt, status);
		add_remotes(arena, attempt, status);
		to->attempts[to->n_attempts++] = attempt;
	}
}

/* ---- status ---- */

static void add_wait(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_status *status)
{
	if (status->wait == JOB_WAIT_NONE)
		return;
	to->wait = arena_need(arena, sizeof(*to->wait));
	filmgate__v1__job_wait__init(to->wait);
	to->wait->reason = (Filmgate__V1__JobWaitReason)status->wait;
	if (status->wait != JOB_WAIT_HELD)
		to->wait->until_time = timestamp_of(arena, status->wait_until_ms);
}

static void add_progress(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_status *status)
{
	bool has_word = status->remote_state && *status->remote_state;

	if (status->progress_percent < 0 && status->queue_position <= 0 && !has_word)
		return;
	to->progress = arena_need(arena, sizeof(*to->progress));
	filmgate__v1__job_progress__init(to->progress);
	to->progress->provider_state = text_cut(arena, status->remote_state, LIMIT_RPC_WORD);
	if (status->progress_percent >= 0) {
		to->progress->source = FILMGATE__V1__PROGRESS_SOURCE__PROGRESS_SOURCE_PROVIDER;
		to->progress->percent = (uint32_t)status->progress_percent;
	}
	if (status->queue_position > 0)
		to->progress->provider_queue_position = status->queue_position < UINT32_MAX
								? (uint32_t)status->queue_position
								: UINT32_MAX;
}

static void add_cancel(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_status *status)
{
	if (status->cancel_requested_ms == 0)
		return;
	to->cancel = arena_need(arena, sizeof(*to->cancel));
	filmgate__v1__job_cancel__init(to->cancel);
	to->cancel->request_time = timestamp_of(arena, status->cancel_requested_ms);
	to->cancel->outcome = convert_cancel_outcome(status->cancel_outcome);
}

static void add_cost(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_cost *cost)
{
	if (cost->source == JOB_COST_NONE)
		return;
	to->cost = arena_need(arena, sizeof(*to->cost));
	filmgate__v1__job_cost__init(to->cost);
	to->cost->amount_micros = (uint64_t)cost->amount_micros;
	to->cost->currency_code = text_clean(arena, cost->currency);
	to->cost->source = (Filmgate__V1__CostSource)cost->source;
	to->cost->provisional = cost->is_provisional;
}

static void add_money(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_money *money)
{
	char *date;

	if (money->day == 0)
		return;
	date = arena_need(arena, 16);
	snprintf(date, 16, "%04u-%02u-%02u", money->day / 10000 % 10000, money->day / 100 % 100, money->day % 100);
	to->money = arena_need(arena, sizeof(*to->money));
	filmgate__v1__job_money__init(to->money);
	to->money->settlement = (Filmgate__V1__SettlementState)money->settlement;
	to->money->reserved_micros = (uint64_t)money->reserved_micros;
	to->money->settled_micros = (uint64_t)money->settled_micros;
	to->money->excess_micros = (uint64_t)money->excess_micros;
	to->money->currency_code = text_clean(arena, money->currency);
	to->money->date = date;
	to->money->unpriced = money->is_unpriced;
	to->money->unconfirmed = money->is_unconfirmed;
}

static void add_notes(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_status *status)
{
	to->notes = arena_need_pointers(arena, status->n_notes);
	for (size_t i = 0; i < status->n_notes; i++) {
		Filmgate__V1__Note *note = arena_need(arena, sizeof(*note));

		filmgate__v1__note__init(note);
		note->severity = (Filmgate__V1__NoteSeverity)status->notes[i].severity;
		note->field = text_clean(arena, status->notes[i].field);
		note->message = text_clean(arena, status->notes[i].message);
		note->from = text_clean(arena, status->notes[i].from);
		note->to = text_clean(arena, status->notes[i].to);
		to->notes[to->n_notes++] = note;
	}
}

static void add_mismatches(struct arena *arena, Filmgate__V1__JobStatus *to, const struct id *id,
			   const struct job_status *status)
{
	to->mismatches = arena_need_pointers(arena, status->n_mismatches);
	for (size_t i = 0; i < status->n_mismatches; i++) {
		Filmgate__V1__Mismatch *mismatch = arena_need(arena, sizeof(*mismatch));

		filmgate__v1__mismatch__init(mismatch);
		mismatch->artifact = name_of_artifact(arena, id, status->mismatches[i].artifact);
		mismatch->field = text_clean(arena, status->mismatches[i].field);
		mismatch->ordered = text_clean(arena, status->mismatches[i].ordered);
		mismatch->produced = text_clean(arena, status->mismatches[i].produced);
		mismatch->message = text_clean(arena, status->mismatches[i].message);
		to->mismatches[to->n_mismatches++] = mismatch;
	}
}

static void add_outlook(struct arena *arena, Filmgate__V1__JobStatus *to, const struct job_status *status)
{
	if (status->queue_place) {
		to->queue_position = arena_need(arena, sizeof(*to->queue_position));
		filmgate__v1__queue_position__init(to->queue_position);
		to->queue_position->position = status->queue_place;
		to->queue_position->or_later = status->is_queue_place_open;
	}
	if (!status->forecast.samples)
		return;
	to->forecast = arena_need(arena, sizeof(*to->forecast));
	filmgate__v1__job_forecast__init(to->forecast);
	to->forecast->p50_time = timestamp_of(arena, status->started_ms + status->forecast.p50_ms);
	to->forecast->p90_time = timestamp_of(arena, status->started_ms + status->forecast.p90_ms);
	to->forecast->sample_count = status->forecast.samples;
}

Filmgate__V1__JobStatus *convert_status(struct arena *arena, const struct id *id, const struct job_status *status,
					const struct job_route *now)
{
	Filmgate__V1__JobStatus *to = arena_need(arena, sizeof(*to));

	filmgate__v1__job_status__init(to);
	to->state = (Filmgate__V1__JobState)status->state;
	to->update_time = timestamp_of(arena, status->updated_ms);
	to->start_time = timestamp_of(arena, status->started_ms);
	to->finish_time = timestamp_of(arena, status->finished_ms);
	add_wait(arena, to, status);
	add_progress(arena, to, status);
	to->provider = name_of_provider(arena, now->provider);
	to->model = text_clean(arena, now->model);
	add_attempts(arena, to, status, now);
	to->failure = convert_failure(arena, &status->failure);
	to->artifacts = arena_need_pointers(arena, status->n_artifacts);
	for (size_t i = 0; i < status->n_artifacts; i++)
		to->artifacts[to->n_artifacts++] = convert_artifact(arena, id, &status->artifacts[i]);
	to->missing_roles = arena_need_pointers(arena, status->n_missing);
	for (size_t i = 0; i < status->n_missing; i++)
		to->missing_roles[to->n_missing_roles++] = text_clean(arena, status->missing[i]);
	add_cancel(arena, to, status);
	add_cost(arena, to, &status->cost);
	add_money(arena, to, &status->money);
	add_notes(arena, to, status);
	add_mismatches(arena, to, id, status);
	add_outlook(arena, to, status);
	return to;
}

/* ---- jobs and events ---- */

/* The entries of both label maps have the same shape, but each its own type. */
static size_t convert_labels(struct arena *arena, const struct job_status *status,
			     const ProtobufCMessageDescriptor *type, void *ret_entries)
{
	Filmgate__V1__Job__LabelsEntry **entries = arena_need_pointers(arena, status->n_labels);

	for (size_t i = 0; i < status->n_labels; i++) {
		entries[i] = arena_need(arena, type->sizeof_message);
		protobuf_c_message_init(type, entries[i]);
		entries[i]->key = text_clean(arena, status->labels[i].key);
		entries[i]->value = text_clean(arena, status->labels[i].value);
	}
	memcpy(ret_entries, &entries, sizeof(entries));
	return status->n_labels;
}

_Static_assert(sizeof(Filmgate__V1__Job__LabelsEntry) == sizeof(Filmgate__V1__JobEvent__LabelsEntry), "same shape");

static int convert_params(struct arena *arena, const char *parameters, const char *known_json,
			  Filmgate__V1__JobParameters *known, Filmgate__V1__JobParameters **ret)
{
	int r;

	if (!parameters)
		return 0;
	if (known && strcmp(known_json, parameters) == 0) {
		*ret = known;
		return 0;
	}
	r = params_read_json(parameters, arena, ret);
	return r < 0 ? err_trace(r) : 0;
}

static bool is_zero(const struct id *id)
{
	static const struct id zero;

	return memcmp(id, &zero, sizeof(zero)) == 0;
}

static Filmgate__V1__Quote *convert_quote(struct arena *arena, const struct job_quote *from)
{
	Filmgate__V1__Quote *quote;

	if (from->kind == JOB_QUOTE_NONE)
		return NULL;
	quote = arena_need(arena, sizeof(*quote));
	filmgate__v1__quote__init(quote);
	quote->kind = (Filmgate__V1__QuoteKind)from->kind;
	quote->amount_micros = (uint64_t)from->amount_micros;
	quote->currency_code = text_clean(arena, from->currency);
	quote->unit = (Filmgate__V1__PriceUnit)from->unit;
	quote->unit_micros = (uint64_t)from->unit_micros;
	quote->duration = duration_of(arena, from->length_ms);
	quote->sample_count = from->samples;
	quote->rule = text_clean(arena, from->rule);
	quote->source = (Filmgate__V1__PriceSource)from->source;
	quote->as_of = text_clean(arena, from->as_of);
	return quote;
}

static void add_fallbacks(struct arena *arena, const struct job *job, Filmgate__V1__Job *to)
{
	to->fallbacks = arena_need_pointers(arena, job->n_routes);
	for (size_t i = 1; i < job->n_routes; i++) {
		Filmgate__V1__Route *route = arena_need(arena, sizeof(*route));

		filmgate__v1__route__init(route);
		route->provider = name_of_provider(arena, job->routes[i].provider);
		route->model = text_clean(arena, job->routes[i].model);
		to->fallbacks[to->n_fallbacks++] = route;
	}
}

int convert_job(struct arena *arena, const struct job_view *view, const char *known_json,
		Filmgate__V1__JobParameters *known, Filmgate__V1__Job **ret)
{
	Filmgate__V1__Job *to = arena_need(arena, sizeof(*to));
	const struct job_status *status = view->status;
	const struct job *job = view->job;
	const struct job_route ordered = job_ordered(job), now = {.provider = job->provider, .model = job->model};
	int r;

	filmgate__v1__job__init(to);
	r = convert_params(arena, ordered.parameters, known_json, known, &to->parameters);
	if (r < 0)
		return err_trace(r);
	if (status->revision)
		to->name = name_of_job(arena, &job->ref.id);
	to->request_id = text_clean(arena, job->request_id);
	to->create_time = timestamp_of(arena, job->created_ms);
	to->expire_time = timestamp_of(arena, job->deadline_ms);
	if (!is_zero(&job->retry_of))
		to->retry_of = name_of_job(arena, &job->retry_of);
	to->provider = name_of_provider(arena, ordered.provider);
	to->model = text_clean(arena, ordered.model);
	add_fallbacks(arena, job, to);
	to->display_name = text_clean(arena, status->display_name);
	to->n_labels = convert_labels(arena, status, &filmgate__v1__job__labels_entry__descriptor, &to->labels);
	to->priority = status->priority;
	to->revision = status->revision;
	to->status = convert_status(arena, &job->ref.id, status, &now);
	to->quote = convert_quote(arena, &ordered.quote);
	to->on_uncertain = (Filmgate__V1__OnUncertain)job->on_uncertain;
	to->not_before_time = timestamp_of(arena, job->not_before_ms);
	to->retry_if_uncharged = job->retry_if_uncharged;
	to->on_mismatch = (Filmgate__V1__OnMismatch)job->on_mismatch;
	to->adopted = job->is_adopted;
	if (job->webhook_url) {
		to->webhook = arena_need(arena, sizeof(*to->webhook));
		filmgate__v1__job_webhook__init(to->webhook);
		to->webhook->url = text_clean(arena, job->webhook_url);
	}
	*ret = to;
	return 0;
}

/* @ordered and @now: provider and model count. */
static Filmgate__V1__JobEvent *make_event(struct arena *arena, const struct job_ref *ref,
					  const struct job_status *status, const struct job_route *ordered,
					  const struct job_route *now)
{
	Filmgate__V1__JobEvent *event = arena_need(arena, sizeof(*event));

	filmgate__v1__job_event__init(event);
	event->job = name_of_job(arena, &ref->id);
	event->revision = status->revision;
	event->provider = name_of_provider(arena, ordered->provider);
	event->model = text_clean(arena, ordered->model);
	event->display_name = text_clean(arena, status->display_name);
	event->n_labels = convert_labels(arena, status, &filmgate__v1__job_event__labels_entry__descriptor,
					 &event->labels);
	event->priority = status->priority;
	event->status = convert_status(arena, &ref->id, status, now);
	return event;
}

static char *resume_token(struct arena *arena, uint64_t epoch, uint64_t sequence)
{
	char *token = arena_need(arena, TOKEN_TEXT_SIZE);

	token_write_resume(epoch, sequence, token);
	return token;
}

Filmgate__V1__JobEvent *convert_event(struct arena *arena, const struct store_snapshot *snapshot, int64_t time_ms,
				      uint64_t epoch)
{
	const struct job_route ordered = {.provider = snapshot->provider, .model = snapshot->model};
	const struct job_route moved = {.provider = snapshot->provider_now, .model = snapshot->model_now};
	Filmgate__V1__JobEvent *event = make_event(arena, &snapshot->ref, snapshot->status, &ordered,
						   snapshot->provider_now ? &moved : &ordered);

	event->kind = (Filmgate__V1__JobEventKind)snapshot->kind;
	event->time = timestamp_of(arena, time_ms);
	event->create_time = timestamp_of(arena, snapshot->created_ms);
	event->resume_token = resume_token(arena, epoch, snapshot->sequence);
	return event;
}

Filmgate__V1__JobEvent *convert_view_event(struct arena *arena, const struct job_view *view)
{
	const struct job_route ordered = job_ordered(view->job);
	const struct job_route now = {.provider = view->job->provider, .model = view->job->model};
	Filmgate__V1__JobEvent *event = make_event(arena, &view->job->ref, view->status, &ordered, &now);

	event->kind = FILMGATE__V1__JOB_EVENT_KIND__JOB_EVENT_KIND_SNAPSHOT;
	event->time = timestamp_of(arena, view->status->updated_ms);
	event->create_time = timestamp_of(arena, view->job->created_ms);
	return event;
}

Filmgate__V1__JobEvent *convert_bookmark(struct arena *arena, uint64_t epoch, uint64_t sequence, int64_t time_ms)
{
	Filmgate__V1__JobEvent *event = arena_need(arena, sizeof(*event));

	filmgate__v1__job_event__init(event);
	event->kind = FILMGATE__V1__JOB_EVENT_KIND__JOB_EVENT_KIND_BOOKMARK;
	event->time = timestamp_of(arena, time_ms);
	event->resume_token = resume_token(arena, epoch, sequence);
	return event;
}
