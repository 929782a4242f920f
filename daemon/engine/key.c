/*
 * Each send says which secrets signed it. What was ordered is asked after, cancelled, removed, looked up and repeated
 * with the same ones, which may be among the provider's previous keys: another key may be another account, which does not
 * know the order. So is what was adopted, with those that listed it. Where none of the configured keys is that one, the
 * current key is used, which may be the same account's; a doubt, though, is then neither repeated nor looked up
 * (send_is_same_account()).
 */
#include "engine/key.h"

static bool is_same(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct engine_key key_current(const struct lane *lane)
{
	return (struct engine_key){.account = lane->config->account, .digest = lane->config->account_digest};
}

static const struct engine_key *find_previous(const struct engine_provider_config *config, const struct digest *digest)
{
	for (size_t i = 0; i < config->n_previous_keys; i++)
		if (is_same(&config->previous_keys[i].digest, digest))
			return &config->previous_keys[i];
	return NULL;
}

bool key_is_known(const struct engine_provider_config *config, const struct digest *digest)
{
	return is_same(&config->account_digest, digest) || find_previous(config, digest) != NULL;
}

/* The newest that the provider may hold: of the live attempt, or, of a job that has ended, of any there. */
static const struct job_send *find_order(const struct job_status *status, const char *provider)
{
	const struct job_attempt *attempt = job_current_attempt(status);
	bool has_ended = job_state_is_terminal(status->state);

	for (size_t i = status->n_sends; i > 0; i--) {
		const struct job_send *send = &status->sends[i - 1];

		if (job_send_may_have_bought(send) && (has_ended ? job_attempt_is_at(status, send->attempt, provider)
								 : attempt && send->attempt == attempt->number))
			return send;
	}
	return NULL;
}

struct engine_key key_of_job(const struct lane *lane, const struct job_status *status)
{
	const struct job_send *order = find_order(status, lane->config->id);
	const struct job_attempt *attempt = job_current_attempt(status);
	const struct digest *account = order ? &order->account : attempt ? &attempt->account : NULL;
	const struct engine_key *previous = NULL;

	if (account && !is_same(account, &lane->config->account_digest))
		previous = find_previous(lane->config, account);
	return previous ? *previous : key_current(lane);
}
