#include "web/rate.h"

#include "base/limits.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)

struct account {
	struct rate_client client;
	int64_t free_us; /* from when on it owes nothing */
	int64_t told_ms; /* when it was last said that it asks too often; 0: never */
	UT_hash_handle hh;
};

struct rates {
	int64_t interval_us;
	struct account *accounts;
	struct account crowd; /* who finds no place of its own */
	int64_t swept_ms;
};

/* ---- who it is ---- */

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const struct rate_client *client)
{
	return memcmp(client->address, mapped, sizeof(mapped)) == 0;
}

static bool read_address(const char *text, struct rate_client *ret)
{
	*ret = (struct rate_client){0};
	if (inet_pton(AF_INET, text, ret->address + sizeof(mapped)) == 1) {
		memcpy(ret->address, mapped, sizeof(mapped));
		return true;
	}
	if (inet_pton(AF_INET6, text, ret->address) != 1)
		return false;
	if (!is_mapped(ret))
		memset(ret->address + 8, 0, 8);
	return true;
}

struct rate_client rate_client_read(const char *forwarded)
{
	const char *last = forwarded ? strrchr(forwarded, ',') : NULL;
	char text[RATE_CLIENT_SIZE];
	struct rate_client client;
	size_t len;

	if (!forwarded)
		return (struct rate_client){0};
	last = last ? last + 1 : forwarded;
	last += strspn(last, " \t");
	len = strcspn(last, " \t");
	if (len < sizeof(text)) {
		memcpy(text, last, len);
		text[len] = '\0';
		if (read_address(text, &client))
			return client;
	}
	return (struct rate_client){0};
}

void rate_client_write(const struct rate_client *client, char text[static RATE_CLIENT_SIZE])
{
	const struct rate_client nobody = {0};
	bool is_v4 = is_mapped(client);

	if (memcmp(client, &nobody, sizeof(nobody)) == 0)
		snprintf(text, RATE_CLIENT_SIZE, "this machine");
	else if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, client->address + (is_v4 ? sizeof(mapped) : 0), text,
			    RATE_CLIENT_SIZE))
		text[0] = '\0';
}

/* ---- how often ---- */

struct rates *rates_new(int64_t per_second)
{
	struct rates *rates = calloc(1, sizeof(*rates));

	if (rates)
		rates->interval_us = US_PER_S / per_second;
	return rates;
}

struct rates *rates_free(struct rates *rates)
{
	struct account *account, *next;

	if (!rates)
		return NULL;
	HASH_ITER(hh, rates->accounts, account, next) {
		HASH_DEL(rates->accounts, account);
		free(account);
	}
	free(rates);
	return NULL;
}

/* Whoever owes nothing is as good as unknown. */
static void sweep(struct rates *rates, int64_t now_ms)
{
	struct account *account, *next;

	if (now_ms - rates->swept_ms < LIMIT_WEB_SWEEP_MS)
		return;
	rates->swept_ms = now_ms;
	HASH_ITER(hh, rates->accounts, account, next) {
		if (account->free_us > now_ms * US_PER_MS)
			continue;
		HASH_DEL(rates->accounts, account);
		free(account);
	}
}

/* uthash would end the process without memory; here the crowd is large enough for one more. */
static struct account *account_of(struct rates *rates, const struct rate_client *client, int64_t now_ms)
{
	struct account *account;

	HASH_FIND(hh, rates->accounts, client, sizeof(*client), account);
	if (account)
		return account;
	if (HASH_COUNT(rates->accounts) >= LIMIT_WEB_CLIENTS)
		sweep(rates, now_ms);
	if (HASH_COUNT(rates->accounts) >= LIMIT_WEB_CLIENTS)
		return &rates->crowd;
	account = calloc(1, sizeof(*account));
	if (!account)
		return &rates->crowd;
	account->client = *client;
	HASH_ADD(hh, rates->accounts, client, sizeof(*client), account);
	return account;
}

int64_t rates_take(struct rates *rates, const struct rate_client *client, int64_t now_ms, bool *ret_is_news)
{
	struct account *account = account_of(rates, client, now_ms);
	int64_t now_us = now_ms * US_PER_MS;
	int64_t debt_us = account->free_us > now_us ? account->free_us - now_us : 0;
	int64_t early_us = debt_us + rates->interval_us - US_PER_S;

	*ret_is_news = false;
	if (early_us <= 0) {
		account->free_us = now_us + debt_us + rates->interval_us;
		return 0;
	}
	if (account->told_ms == 0 || now_ms - account->told_ms >= LIMIT_WEB_TELL_MS) {
		account->told_ms = now_ms;
		*ret_is_news = true;
	}
	return (early_us + US_PER_MS - 1) / US_PER_MS;
}
