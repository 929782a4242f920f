#include "store/pending.h"

void pending_clear(struct pending *pending)
{
	pending->generation++;
	if (pending->generation != 0)
		return;
	memset(pending, 0, sizeof(*pending));
	pending->generation = 1;
}

/* FNV-1a. */
static uint32_t hash_of(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 16777619u;
	return hash;
}

/* The end of a UUIDv7 is random. */
static uint32_t hash_of_ref(const struct job_ref *ref)
{
	return hash_of(ref->id.bytes + 8, 8) ^ ref->tenant;
}

static bool is_effect_on(const struct pending_slot *slot, const struct job_ref *ref)
{
	return slot->effect && job_ref_equal(&slot->effect->ref, ref);
}

/* Where the effect on @ref is or would be. The table is never full. */
static size_t find_effect(const struct pending *pending, const struct job_ref *ref, uint32_t hash)
{
	size_t i = hash % PENDING_SLOTS;

	while (pending->slots[i].generation == pending->generation &&
	       !(pending->slots[i].hash == hash && is_effect_on(&pending->slots[i], ref)))
		i = (i + 1) % PENDING_SLOTS;
	return i;
}

static size_t find_claim(const struct pending *pending, struct bytes key, uint32_t hash)
{
	size_t i = hash % PENDING_SLOTS;

	while (pending->slots[i].generation == pending->generation) {
		const struct pending_slot *slot = &pending->slots[i];

		if (slot->hash == hash && slot->claimer && bytes_equal(commit_claim_key(slot->claimer), key))
			break;
		i = (i + 1) % PENDING_SLOTS;
	}
	return i;
}

void pending_add(struct pending *pending, const struct store_commit *commit)
{
	for (size_t n = 0; n < commit->n_effects; n++) {
		const struct commit_revision *effect = &commit->effects[n];
		uint32_t hash = hash_of_ref(&effect->ref);

		pending->slots[find_effect(pending, &effect->ref, hash)] = (struct pending_slot){
			.generation = pending->generation, .hash = hash, .effect = effect};
	}
	if (commit->has_claim) {
		struct bytes key = commit_claim_key(commit);
		uint32_t hash = hash_of(key.data, key.len);

		pending->slots[find_claim(pending, key, hash)] = (struct pending_slot){
			.generation = pending->generation, .hash = hash, .claimer = commit};
	}
}

const struct commit_revision *pending_revision(const struct pending *pending, const struct job_ref *ref)
{
	const struct pending_slot *slot = &pending->slots[find_effect(pending, ref, hash_of_ref(ref))];

	return slot->generation == pending->generation ? slot->effect : NULL;
}

const struct store_commit *pending_claimer(const struct pending *pending, struct bytes request_key)
{
	const struct pending_slot *slot =
		&pending->slots[find_claim(pending, request_key, hash_of(request_key.data, request_key.len))];

	return slot->generation == pending->generation ? slot->claimer : NULL;
}
