#include "patience.h"

#include "interrupt.h"
#include "say.h"
#include "words.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 2000

struct patience patience_of(struct cli *cli, int64_t fallback_ms)
{
	return (struct patience){.cli = cli,
				 .window_ms = arguments_number(&cli->arguments, OPTION_RETRY_FOR, fallback_ms)};
}

void patience_restore(struct patience *patience)
{
	if (patience->is_lost)
		say_note("the daemon at %s is back", patience->cli->server.shown);
	patience->was_reached = true;
	patience->is_lost = false;
}

static void begin_loss(struct patience *patience, const struct status *status, int64_t now_ms)
{
	patience->is_lost = true;
	patience->lost_since_ms = now_ms;
	patience->pause_ms = PAUSE_FIRST_MS;
	if (patience->window_ms > 0)
		say_note("%s: %s; trying again for %s", patience->cli->server.shown, status->message,
			 words_of_duration(patience->window_ms).text);
}

bool patience_lasts(struct patience *patience, const struct status *status)
{
	int64_t now_ms = clock_monotonic_ms(patience->cli->clock), left_ms, pause_ms;

	if (!patience->was_reached)
		return false;
	if (!patience->is_lost)
		begin_loss(patience, status, now_ms);
	left_ms = patience->lost_since_ms + patience->window_ms - now_ms;
	if (left_ms <= 0)
		return false;

	pause_ms = patience->pause_ms > status->retry_ms ? patience->pause_ms : status->retry_ms;
	interrupt_sleep(pause_ms < left_ms ? pause_ms : left_ms);
	if (patience->pause_ms < PAUSE_MAX_MS)
		patience->pause_ms *= 2;
	return !interrupt_came();
}
